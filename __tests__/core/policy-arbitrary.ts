import fc from 'fast-check'
import type { Candidate } from '../../src/policy/candidate.js'
import type { Calendar, ImageKind } from '../../src/policy/policy.js'
import { day, hour, now } from './kit.js'
import { digestOf } from './policy-kit.js'
import type {
  Around,
  Written,
  WrittenConditions,
  WrittenRule,
  WrittenSelector,
} from './policy-oracle.js'

/** A record in which each key may be missing. */
const some = <T extends object>(keys: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(keys, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>

const oneOrTwo = <T>(...values: readonly T[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 })

/** An arbitrary with a usual value in all but one of so many cases. */
export const rarely = <T>(cases: number, usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: cases - 1, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

// Images

export const tagNames = [
  ...['1.2.3', 'v1.2.3', '1.2.3-rc.1', 'v1.2.10', '1.2.4_build.5', '1.3.0', '1.10.1', 'v2.0.0'],
  ...['2.0.0-alpine', '0.9.0', '1.2', '1.3', 'v1', '1', 'v2', '3', '01.2.3', '1.2.3.4'],
  ...['nightly-1', 'nightly-2', 'nightly-13', 'app-1', 'app-2', 'web-1', 'app-web-1'],
  ...['pr-7', 'pr-8', 'pr-78', 'pr-7-arm', 'main', 'main-1', 'feature-x', 'latest', 'sha-abc'],
] as const

const image = 'application/vnd.oci.image.manifest.v1+json'
const contents: readonly Pick<Candidate, 'types' | 'isRunnable'>[] = [
  { types: [image], isRunnable: true },
  { types: ['application/vnd.oci.image.index.v1+json'], isRunnable: true },
  { types: [image, 'application/vnd.cncf.helm.config.v1+json'], isRunnable: false },
  { types: [image, 'application/vnd.dev.sigstore.bundle.v0.3+json'], isRunnable: false },
  { types: [], isRunnable: false },
]

/** Ages with many ties, around the limits of the rules and around the turns of hours, weeks and years. */
const ages = [0, 1, hour, 5 * hour, day, day + 1, 2 * day, 3 * day, 4 * day, 7 * day, 8 * day]
const farAges = [13, 14, 29, 30, 31, 60, 365, 366, 369, 400, 800].map((days) => days * day)
const age = fc.oneof(fc.constantFrom(...ages), fc.constantFrom(...farAges), fc.constant(-hour))

const withTags: readonly ImageKind[][] = [['tagged'], ['tagged'], ['tagged'], ['tagged', 'orphan']]
const withoutTags: readonly ImageKind[][] = [['untagged'], ['untagged', 'orphan'], ['orphan']]

const seed = fc.record({
  created: age,
  updated: rarely<number | undefined>(3, undefined, age),
  content: fc.constantFrom(0, 0, 1, 2, 3, 4),
  kinds: fc.nat({ max: 11 }),
  lifetime: rarely<string | undefined>(2, undefined, fc.constantFrom('1d', '30d', '52w', 'never')),
})

/** Images with ids in any order, each tag on one of them at most. */
export const images: fc.Arbitrary<Candidate[]> = fc
  .tuple(
    fc.array(fc.tuple(seed, fc.nat({ max: 9 })), { minLength: 1, maxLength: 9 }),
    fc.array(fc.tuple(fc.constantFrom(...tagNames), fc.nat({ max: 8 })), { maxLength: 18 }),
  )
  .map(([seeds, placed]) => {
    const owners = new Map(placed.map(([tag, at]) => [tag, at % seeds.length]))
    return seeds.map(([{ created, updated = created, content, kinds, lifetime }, turn], at) => {
      const id = 10 * turn + at
      const tags = [...owners].filter(([, owner]) => owner === at).map(([tag]) => tag)
      const fitting = tags.length > 0 ? withTags : withoutTags
      return {
        ...{ id, digest: digestOf(id), tags, lifetime },
        ...{ createdAt: now - created, updatedAt: now - updated },
        ...(contents[content] ?? { types: [], isRunnable: false }),
        kinds: new Set(fitting[kinds % fitting.length]),
      }
    })
  })

// Policies

const globs = ['*', 'v*', '1.*', 'nightly-*', 'pr-*', 'pr-?', 'main', 'latest', 'app-*', '*-1']
const expressions = ['/v?[0-9.]+/', '/(app|web)-[0-9]+/', '/nightly-1.*/']
const templates = ['pr-{number}', 'pr-{number}*', 'app-{branch}']
export const ranges = [
  ...['*', '>=1.0.0', '>=1.2.3', '<2.0.0', '<=1.2.3', '1.x', '1.2.x', '~1.2.3', '^1.2.0'],
  ...['1.2.3', '>1.2.3 <1.10.0', '1.x || 2.x', '<1.2.0', '>=2.0.0-0', '1.2 - 1.3'],
]
const types = ['image', 'chart', '*', 'application/*', '*helm*', image]

const ofTags: fc.Arbitrary<WrittenSelector> = some({
  tags: oneOrTwo(...globs, ...expressions),
  'not-tags': oneOrTwo(...globs, ...expressions),
  semver: fc.constantFrom(...ranges),
  prerelease: fc.boolean(),
})

const ofKinds: fc.Arbitrary<WrittenSelector> = fc
  .subarray(['tagged', 'untagged', 'orphans'] as const, { minLength: 1 })
  .map((kinds) => Object.fromEntries(kinds.map((kind) => [kind, true])))

const ofContents: fc.Arbitrary<WrittenSelector> = some({
  digests: oneOrTwo(...[0, 1, 10, 11, 20, 21, 32].map(digestOf)),
  artifact: oneOrTwo(...types),
})

const isSaid = (said: object) => Object.keys(said).length > 0
const beside = rarely<WrittenSelector>(5, {}, ofContents)
const besideTags = rarely<WrittenSelector>(5, {}, fc.constant({ tagged: true }))

/** Selectors of every valid combination. */
export const selectors: fc.Arbitrary<WrittenSelector> = fc.oneof(
  { weight: 6, arbitrary: merged(ofTags.filter(isSaid), besideTags, beside) },
  { weight: 3, arbitrary: merged(ofKinds, beside) },
  { weight: 2, arbitrary: ofContents.filter(isSaid) },
)

/** Selectors that conditions on refs can go with; with nothing in front of the placeholder they leave something out. */
const templated: fc.Arbitrary<WrittenSelector> = fc.oneof(
  merged<WrittenSelector>(
    fc.record({ tags: oneOrTwo(...templates) }),
    some({ 'not-tags': oneOrTwo(...globs) }),
  ),
  fc.record({ tags: oneOrTwo('{branch}-*', ...templates), 'not-tags': oneOrTwo(...globs) }),
)

const span = fc.constantFrom('0h', '1h', '1d', '7d', '30d', '400d')
const count = fc.constantFrom(1, 1, 2, 2, 3, 5, 100)

const ofAge: fc.Arbitrary<WrittenConditions> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: some({ 'older-than': span, 'newer-than': span }) },
)
const by: fc.Arbitrary<WrittenConditions> = rarely<WrittenConditions>(
  3,
  {},
  fc.constant({ by: 'created' }),
)

const groupings = ['major', 'minor', '/([a-z]+)-.*/', '/.*-([0-9]+)/', '/v?([0-9]+).*/']
const ofGroups = merged<WrittenConditions>(
  fc.record({ 'group-by': fc.constantFrom(...groupings) }),
  some({ 'newest-groups': count, 'newest-per-group': count }).filter(isSaid),
)
export const calendars = some<Calendar>({
  ...{ hourly: count, daily: count, weekly: count, monthly: count, yearly: count },
}).filter(isSaid)

const keepConditions = merged<WrittenConditions>(
  ofAge,
  by,
  rarely<WrittenConditions>(3, {}, fc.record({ newest: count })),
  rarely<WrittenConditions>(3, {}, ofGroups),
  rarely<WrittenConditions>(3, {}, calendars),
)
const deleteConditions = merged<WrittenConditions>(
  ofAge,
  by,
  rarely(3, {}, fc.record({ 'beyond-newest': fc.constantFrom(0, 1, 2, 5) })),
  rarely(4, {}, fc.constant<WrittenConditions>({ lifetime: 'over' })),
)

type Unnamed = Omit<WrittenRule, 'name'>

/** Selectors of many images, so that there is something to count. */
const broad = fc.constantFrom<WrittenSelector[]>(
  { tagged: true },
  { tagged: true, untagged: true, orphans: true },
  { 'not-tags': ['main'] },
)
const versions = fc.constantFrom<WrittenSelector[]>({ semver: '*' }, { prerelease: false })

/** What goes by no time at all needs no word about it. */
const conditions = (...parts: fc.Arbitrary<WrittenConditions>[]) =>
  merged<WrittenConditions>(...parts).map((when) => (Object.keys(when).join() === 'by' ? {} : when))

const keeping = (keep: fc.Arbitrary<WrittenSelector>, ...when: fc.Arbitrary<WrittenConditions>[]) =>
  fc.record({ keep, when: conditions(...when) })

export const keepRules: fc.Arbitrary<Unnamed> = fc.oneof(
  { weight: 4, arbitrary: keeping(selectors, keepConditions) },
  { weight: 2, arbitrary: keeping(broad, calendars, by) },
  { weight: 2, arbitrary: keeping(versions, ofGroups, by) },
  { weight: 1, arbitrary: keeping(broad, ofGroups, by) },
  { weight: 1, arbitrary: keeping(templated, keepConditions, fc.constant({ ref: 'exists' })) },
)

const isGone = fc.constant<WrittenConditions>({ ref: 'gone' })
export const deleteRules: fc.Arbitrary<Unnamed> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ delete: selectors, when: conditions(deleteConditions) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ delete: templated, when: conditions(deleteConditions, isGone) }),
  },
)

export const protections = fc.constantFrom(...globs.slice(1), ...expressions)

const rules = fc
  .tuple(fc.array(keepRules, { maxLength: 3 }), fc.array(deleteRules, { maxLength: 4 }))
  .chain(([keeps, deletes]) => fc.shuffledSubarray([...keeps, ...deletes], { minLength: 0 }))
  .map((unnamed) => unnamed.map((rule, at): WrittenRule => ({ name: `rule ${at}`, ...rule })))

/** Policies of every valid combination. */
export const policies: fc.Arbitrary<Written> = fc.record({
  protect: rarely<string[]>(4, [], oneOrTwo(...globs.slice(1), ...expressions)),
  unmatched: fc.constantFrom('keep', 'keep', 'delete'),
  rules,
})

export const surroundings: fc.Arbitrary<Around> = fc.record({
  pullRequests: rarely<number[] | undefined>(4, [7, 1], fc.constantFrom(undefined, [], [78])),
  branches: rarely<string[] | undefined>(4, ['main'], fc.constantFrom(undefined, ['feature-x'])),
  used: rarely<string[]>(4, [], oneOrTwo('latest', 'v1', 'main')),
})

/** One of each, put together. */
function merged<T extends object>(...parts: fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as T)
}
