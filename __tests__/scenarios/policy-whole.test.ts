import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  broken,
  byPolicy,
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  lineOf,
  policyFile,
  push,
  readable,
  registry,
  tagsLeft,
  tokens,
} from './kit.js'
import { goodFiles } from '../core/policy-files.js'

const policy = goodFiles['the tour of the language']

const inputs = { ...byPolicy, token: tokens.classic }

/** Pushes images of so many days, by tag. */
function pushAll(emulator: Emulator, name: string, ages: Record<string, number>): void {
  for (const [tag, daysAgo] of Object.entries(ages))
    push(emulator, image({ seed: `${name} ${tag}` }), { name, tags: [tag], daysAgo })
}

/** From now back to a time of day, in UTC, on the day so many days ago. */
function since(now: number, days: number, hourOfDay: number): number {
  const midnight = Math.floor(now / day) * day
  return (now - (midnight - days * day + hourOfDay * 3_600_000)) / day
}

test('a policy for three kinds of packages does in each what it says', async () => {
  const emulator = await registry()
  const now = emulator.store.now()
  pushAll(emulator, 'api', {
    ...{ latest: 50, 'prod-1': 60, 'v0.1.0': 300, 'pr-7': 31, 'pr-8': 29 },
    ...{ '1.0.0': 60, '1.1.0': 60, '1.1.1': 60, '1.1.2': 60, '1.2.0': 60, '1.3.0': 60 },
    ...{ '2.0.0-rc.1': 60, 'ci-1': 20, 'ci-2': 13 },
    ...Object.fromEntries([...Array(10).keys()].map((n) => [`ci-${n + 3}`, 12 - n])),
    'nightly-a': since(now, 300, 12),
    'nightly-b': since(now, 100, 12),
    'nightly-b-again': since(now, 100, 13),
    'nightly-c': since(now, 2, 12),
  })
  const oldChild = push(emulator, multiArchImage({ seed: 'old' }), { name: 'api', daysAgo: 8 })
  const newChild = push(emulator, multiArchImage({ seed: 'new' }), { name: 'api', daysAgo: 6 })
  const release = multiArchImage({ seed: 'release' })
  push(emulator, release, { name: 'api', tags: ['v9', 'build-9'], daysAgo: 400 })
  pushAll(emulator, 'tmp/a/b', { main: 100, a: 2, b: 3, c: 4, d: 5, e: 6, f: 7, g: 8 })
  pushAll(emulator, 'web', Object.fromEntries([...Array(22).keys()].map((n) => [`b-${n}`, n + 2])))
  pushAll(emulator, 'web', { latest: 90 })
  push(emulator, image({ seed: 'untagged' }), { name: 'web', daysAgo: 8 })

  const run = await dryThenLive(emulator, inputs, await policyFile(policy))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator, 'api')).toEqual(
    [
      ...['1.1.1', '1.1.2', '1.2.0', '1.3.0', 'build-9', 'latest', 'pr-8', 'prod-1', 'v0.1.0'],
      ...['ci-10', 'ci-11', 'ci-12', 'ci-2', 'ci-3', 'ci-4', 'ci-5', 'ci-6', 'ci-7', 'ci-8'],
      ...['ci-9', 'nightly-a', 'nightly-b-again', 'nightly-c', 'v9'],
    ].sort(),
  )
  expect(tagsLeft(emulator, 'tmp/a/b')).toEqual(['a', 'b', 'c', 'd', 'e', 'main'])
  const newest = [...Array(20).keys()].map((n) => `b-${n}`)
  expect(tagsLeft(emulator, 'web')).toEqual([...newest, 'latest'].sort())
  const left = digestsLeft(emulator, 'api')
  expect(digestsOf(oldChild).filter((digest) => left.has(digest))).toEqual([])
  for (const tree of [newChild, release])
    expect(digestsOf(tree).filter((digest) => !left.has(digest))).toEqual([])
  for (const name of ['api', 'tmp/a/b', 'web']) expect(await broken(emulator, name)).toEqual([])

  const why = (tag: string, name = 'api') => decisionOn(run, tag, name)?.why
  expect(why('1.1.0')).toBe('older than 30d: 60d (rule "the-rest", policy.yml:24)')
  expect(why('1.1.1')).toBe(
    'rank 2 of 3 in 1.1, group 3 of 4; newest-groups is 3, newest-per-group is 2 (rule "last-3-minors", policy.yml:13)',
  )
  expect(why('ci-2')).toBe('younger than 14d: 13d (rule "ci", policy.yml:21)')
  expect(why('ci-1')).toBe(
    'older than 14d: 20d; rank 12 of 12, beyond-newest is 10 (rule "ci", policy.yml:21)',
  )
  expect(why('v9')).toBe('matched by build-9, but not by its other tags: v9')
  expect(why('v0.1.0')).toBe('no rule asks for it to go')
  expect(why('main', 'tmp/a/b')).toBe('tag main is protected (policy.yml:3)')
  expect(lineOf(run, 'nightly-b ')).toMatch(/^delete .* named by rule "nightlies", policy.yml:19$/)
  expect(lineOf(run, 'f ')).toMatch(
    /^delete .* no keep rule holds for it \(unmatched: delete, policy.yml:28\)$/,
  )
  expect(lineOf(run, 'prod-1 ')).toMatch(/tag prod-1 is protected by prod-\* \(policy.yml:3\)$/)
  const lines = run.log.split('\n')
  expect(lines).toContain('Packages matching tmp/**, where no entry above matches:')
  expect(lines).toContain(
    '  Delete images whose tags match /ci-\\d+/, beyond the newest 10 of them, and 14d or more after their last update (rule "ci", policy.yml:21).',
  )
  expect(lines).toContain('::group::acme/web: 3 of 24 versions will go, 21 stay')
  expect(readable(run)).toContain('✅ **14 of 69 versions were to go, 55 stay.** 14 deleted.')
  expect(readable(run)).toContain(
    '| <code>b-21</code> | 23d | OCI image | 1 | rank 22 of 23, beyond-newest is 20 (rule "keep-latest", policy.yml:32) |',
  )
}, 60_000)
