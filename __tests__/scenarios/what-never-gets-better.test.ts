import { describe, expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { FaultAction, FaultSpec } from '../../src/emulator/faults.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  deletesAsked,
  digestsLeft,
  digestsStaying,
  veryHurried,
  idOf,
  listed,
  liveAndDry,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

/** `app`, in which something stays broken for good, and `web`, whose turn comes after it. */
async function twoPackages() {
  const emulator = await registry()
  const { digest } = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
  return { emulator, digest }
}

/** Makes these requests fail for good. */
function fail(
  { faults }: Emulator,
  which: Pick<FaultSpec, 'method' | 'path'>,
  action: FaultAction,
) {
  faults.add({ ...which, times: Infinity, action })
}

const both = { 'image-names': 'app, web' }
const listing = { path: /app\/versions\?/ }
const count = { path: /container\/app$/ }
const reading = { method: 'GET', path: /v2\/acme\/app\/manifests/ }
const goHint = {
  status: 429,
  body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 12.5ms, allowed: 44000/minute"}]}',
}

describe.each(liveAndDry)('%s', (_way, way) => {
  test.each<[string, Pick<FaultSpec, 'method' | 'path'>, FaultAction, RegExp]>([
    ['a page that fails', listing, { status: 500 }, / 500 .*\(Server Error\)/],
    ['a page that never comes', listing, 'hang', /GitHub gave no answer/],
    ['a page that is cut off', listing, 'truncate', /GitHub gave no answer/],
    ['a count that fails', count, { status: 502 }, / 502 /],
    ['manifests that fail', reading, { status: 503 }, /could not be read after 5 tries: .*503/],
    ['manifests that never come', reading, 'hang', /could not be read after 5 tries: .*time/],
    ['manifests that are cut off', reading, 'truncate', /could not be read after 5 tries/],
    ['lost connections', reading, 'reset', /could not be read after 5 tries/],
    ['too many reads', reading, { status: 429 }, /could not be read after 5 tries: .*429/],
    ['too many reads, with a hint', reading, goHint, /could not be read after 5 tries: .*429/],
  ])(
    '%s',
    async (_, which, action, words) => {
      const { emulator } = await twoPackages()
      fail(emulator, which, action)

      const run = await runAction(emulator, { ...both, ...way }, veryHurried)

      expect(run.exitCode).toBe(1)
      const error = run.log.split('\n').find((line) => line.startsWith('::error::acme/app'))
      expect(error).toContain('left alone, nothing in it is deleted')
      expect(error).toMatch(words)
      expect(run.outputs['skipped-packages']).toBe('app')
      expect(listed(run.outputs.planned)).toHaveLength(1)
      expect(digestsLeft(emulator).size).toBe(4)
      expect(digestsStaying(emulator, run, 'web').size).toBe(1)
    },
    30_000,
  )

  test('a manifest that the registry lost', async () => {
    const { emulator, digest } = await twoPackages()
    emulator.store.dropManifest('acme', 'app', 'pr-1')

    const run = await runAction(emulator, { ...both, ...way }, veryHurried)

    expect(run.exitCode).toBe(1)
    expect(run.log).toContain(
      `::error::acme/app: left alone, nothing in it is deleted: the manifest of ${digest} cannot be used: the registry lists it and does not have it (404).`,
    )
    expect(digestsLeft(emulator).size).toBe(4)
    expect(digestsStaying(emulator, run, 'web').size).toBe(1)
  })
})

test.each<[string, FaultAction, RegExp]>([
  ['fails', { status: 500 }, /GitHub answered 500 \(Server Error\)/],
  ['is never answered', 'hang', /GitHub gave no answer/],
])(
  'a delete that %s leaves what belongs to it, and the rest goes on',
  async (_, action, words) => {
    const { emulator } = await twoPackages()
    const whole = idOf(emulator, 'pr-1')
    fail(emulator, { method: 'DELETE', path: new RegExp(`/${whole}$`) }, action)

    const run = await runAction(emulator, both, veryHurried)

    expect(run.exitCode).toBe(1)
    expect(
      run.log.split('\n').find((line) => line.startsWith('::error::failed: app pr-1')),
    ).toMatch(words)
    expect(run.outputs).toMatchObject({ failed: `app:${whole}`, 'remaining-count': '2' })
    expect(deletesAsked(emulator)).toBe(5 + 1)
    expect(digestsLeft(emulator).size).toBe(4)
    expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
  },
  30_000,
)
