import { describe, expect, test } from '@jest/globals'
import { image, index, mediaTypes, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator, FaultAction } from '../../src/emulator/index.js'
import {
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  digestsStaying,
  dryThenLive,
  hurried,
  listed,
  liveAndDry,
  push,
  readable,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

/** A package `app` with an old index to go, and a healthy package `web` whose turn comes after it. */
async function twoPackages() {
  const emulator = await registry()
  const old = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
  return { emulator, old }
}

/** Runs over both packages and expects that only the healthy one was touched. */
async function expectAppLeftAlone(emulator: Emulator, digest: string, why: string) {
  const before = digestsLeft(emulator)

  const run = await dryThenLive(emulator, { 'image-names': 'app, web' })

  expect(run.exitCode).toBe(1)
  expect(digestsLeft(emulator)).toEqual(before)
  expect(run.outputs).toMatchObject({ 'skipped-packages': 'app', 'deleted-count': '1' })
  expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
  const error = run.log.split('\n').find((line) => line.startsWith('::error::acme/app'))
  expect(error).toContain(`the manifest of ${digest} cannot be used: ${why}`)
  expect(readable(run)).toContain(`> Left alone: the manifest of ${digest}`)
  return run
}

/** Puts a document into `app` as it is, under its own digest. */
function pushRaw(emulator: Emulator, manifest: string, tags: string[]): string {
  const at = emulator.store.now() - 40 * day
  const place = { account: 'acme', package: 'app', mediaType: mediaTypes.index, at }
  return emulator.store.push({ ...place, manifest, tags }).digest
}

test('content that does not hash to its digest', async () => {
  const { emulator, old } = await twoPackages()
  emulator.store.corruptManifest('acme', 'app', 'pr-1', image({ seed: 'something else' }).body)

  const run = await expectAppLeftAlone(emulator, old.digest, 'its content hashes to sha256:')

  expect(decisionOn(run, 'pr-1')?.why).toBe('package left alone (a manifest cannot be read)')
})

const entry = `{"mediaType":"${mediaTypes.image}","size":2,"digest":"sha256:${'a'.repeat(64)}"}`
test.each([
  ['half a document', `{"schemaVersion":2,"manifests":[${entry}`, 'it is not JSON'],
  ['no document', 'null', 'it is no JSON object'],
  ['a list', `[${entry}]`, 'it is no JSON object'],
  ['children that are no list', `{"manifests":${entry}}`, 'its field manifests is no'],
  [
    'a child without a media type',
    `{"manifests":[{"digest":"sha256:0"}]}`,
    'its field manifests.0',
  ],
  [
    'a child that cannot be looked up',
    `{"manifests":[{"mediaType":"${mediaTypes.image}","digest":"sha512:00"}]}`,
    'it lists a child by a digest that cannot be looked up: sha512:00',
  ],
  [
    'an index without children',
    `{"schemaVersion":2,"mediaType":"${mediaTypes.index}"}`,
    'it calls itself application/vnd.oci.image.index.v1+json but lists no manifests',
  ],
  [
    'both children and layers',
    `{"manifests":[${entry}],"layers":[]}`,
    'it lists both manifests and layers',
  ],
])('%s, tagged', async (_, text, why) => {
  const { emulator } = await twoPackages()
  const digest = pushRaw(emulator, text, ['v1'])

  await expectAppLeftAlone(emulator, digest, why)
})

test('an untagged one is no better than a tagged one', async () => {
  const { emulator } = await twoPackages()
  const digest = pushRaw(emulator, '{"manifests":', [])

  await expectAppLeftAlone(emulator, digest, 'it is not JSON')
})

test('one deep inside an image that stays', async () => {
  const emulator = await registry()
  const inner = multiArchImage({ seed: 'inner' })
  push(emulator, index([inner, image({ platform: 'linux/s390x' })]), { tags: ['v1'] })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
  emulator.store.corruptManifest('acme', 'app', inner.digest, '{}')

  await expectAppLeftAlone(emulator, inner.digest, 'its content hashes to sha256:')
})

describe.each(liveAndDry)('what passes, %s', (_way, way) => {
  test('is tried again: a 404 right after a push, errors, limits with and without a hint, lost transfers', async () => {
    const emulator = await registry()
    const tooMany = (message: string) => ({
      status: 429,
      body: JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message }] }),
    })
    const passing: FaultAction[] = [
      { status: 404 },
      { status: 502 },
      { status: 408 },
      { status: 429 },
      { status: 429, headers: { 'retry-after': '1' } },
      tooMany('retry-after: 12.5ms, allowed: 44000/minute'),
      tooMany('retry-after: 350.416µs, allowed: 44000/minute'),
      tooMany('retry-after: 1m2.5s, allowed: 44000/minute'),
      'truncate',
      'reset',
      'hang',
    ]
    for (const [i, action] of passing.entries()) {
      const { digest } = push(emulator, multiArchImage({ seed: `${i}` }), { tags: [`pr-${i}`] })
      emulator.faults.add({ method: 'GET', path: new RegExp(`manifests/${digest}`), action })
    }
    const { digest } = push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

    const run = await runAction(emulator, way, hurried)

    expect(run.exitCode).toBe(0)
    expect(listed(run.outputs.planned)).toHaveLength(3 * passing.length)
    expect(digestsStaying(emulator, run)).toEqual(new Set([digest]))
    const befallen = emulator.requests.filter(({ faults }) => faults.length > 0)
    expect(befallen).toHaveLength(passing.length)
  })

  test('is a 404 that lasts for many seconds', async () => {
    const emulator = await registry()
    const { digest } = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
    const fresh = push(emulator, multiArchImage({ seed: 'fresh' }), { tags: ['v1'], daysAgo: 0 })
    for (const lagging of [digest, fresh.digest]) {
      const path = new RegExp(`manifests/${lagging}`)
      emulator.faults.add({ method: 'GET', path, times: 4, action: { status: 404 } })
    }

    const run = await runAction(emulator, way, hurried)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set(digestsOf(fresh)))
  })

  test('is a registry token that runs out during the reads', async () => {
    const emulator = await registry()
    for (const seed of Array.from({ length: 40 }, (_, i) => `pr-${i}`)) {
      push(emulator, image({ seed }), { tags: [seed] })
    }
    const { digest } = push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
    const manifests = { service: 'registry', method: 'GET', path: /manifests/ } as const
    emulator.faults.add({ ...manifests, after: 20, times: 10, action: { status: 401 } })

    const run = await runAction(emulator, way)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set([digest]))
    const issued = emulator.requests.filter(({ path }) => path.startsWith('/token'))
    expect(issued.length).toBeGreaterThan(1)
  })
})

test.each([
  ['missing', ''],
  ['null', '"created_at":null,'],
  ['no date', '"created_at":"the other day",'],
])(
  'a timestamp that is %s makes an age unknown, and the package is left alone',
  async (_, with_) => {
    const { emulator, old } = await twoPackages()
    emulator.faults.add({
      path: /packages\/container\/app\/versions\?/,
      times: Infinity,
      action: { body: (text) => text.replace(/"created_at":"[^"]*",/, with_) },
    })

    const run = await dryThenLive(emulator, { 'image-names': 'app, web' })

    expect(run.exitCode).toBe(1)
    expect(run.outputs).toMatchObject({ 'skipped-packages': 'app', 'deleted-count': '1' })
    expect(run.log).toContain(`${old.digest} has a timestamp that is missing or cannot be read`)
    expect(digestsLeft(emulator).size).toBe(3)
  },
)
