import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Candidate } from '../../src/policy/candidate.js'
import { judgeAll } from '../../src/policy/judge.js'
import { compileSemver } from '../../src/policy/versions.js'
import { now } from './kit.js'
import {
  calendars,
  deleteRules,
  images,
  keepRules,
  policies,
  protections,
  ranges,
  selectors,
  surroundings,
  tagNames,
} from './policy-arbitrary.js'
import { compiled, inFile, judged, judgedBy, read } from './policy-kit.js'
import {
  isInRange,
  truths,
  type Around,
  type Written,
  type WrittenConditions,
  type WrittenSelector,
} from './policy-oracle.js'

const { PROPERTY_CASES: cases = '1000', PROPERTY_SEED: seed } = process.env
const numRuns = Number(cases)
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

/** Numbers to sort anything by. */
const keys = fc.array(fc.nat(), { minLength: 20, maxLength: 20 })

function shuffled<T>(items: readonly T[], by: readonly number[]): T[] {
  const keyed = items.map((item, at) => ({ item, key: by[at] ?? 0 }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

/** The ids of what goes. */
function going(written: Written, around: Around, all: readonly Candidate[]): Set<number> {
  const judgements = judged(written, around, all)
  return new Set(all.filter((_, at) => judgements[at]?.goes).map(({ id }) => id))
}

const world: Around = { pullRequests: [], branches: [], used: [] }

/** The ids of what one rule keeps. */
function keptBy(keep: WrittenSelector, when: WrittenConditions, all: readonly Candidate[]) {
  const written = { protect: [], unmatched: 'keep', rules: [{ name: 'rule', keep, when }] } as const
  const judgements = judged(written, world, all)
  return all.filter((_, at) => judgements[at]?.keepRules.has('rule')).map(({ id }) => id)
}

test('the engine says what the language says', () => {
  fc.assert(
    fc.property(policies, surroundings, images, (written, around, all) => {
      const said = judgedBy(read(written, around), all)
      expect(said).toEqual(truths(written, around, all, now))
    }),
    { numRuns },
  )
})

test.each(ranges)('%s is about every tag that the language says, and about no other', (range) => {
  const asked = tagNames.flatMap((tag) =>
    [undefined, true, false].flatMap((prerelease) =>
      (['keep', 'delete'] as const).map((action) => ({ tag, prerelease, action })),
    ),
  )
  const right = asked.map((each) => isInRange(each.tag, range, each.prerelease, each.action))
  const found = asked.map(({ tag, prerelease, action }) =>
    compileSemver(range, prerelease, action).matches(tag),
  )
  const differing = asked.filter((_, at) => found[at] !== right[at])
  expect(differing).toEqual([])
})

test('the order of the images changes nothing', () => {
  fc.assert(
    fc.property(policies, surroundings, images, keys, (written, around, all, by) => {
      const policy = compiled(written, around)
      const other = [...judgeAll(policy, shuffled(all, by), now)]
      expect(other).toEqual(shuffled([...judgeAll(policy, all, now)], by))
    }),
    { numRuns },
  )
})

test('the order of the rules changes nothing, nor does that of the tags of an image', () => {
  fc.assert(
    fc.property(policies, surroundings, images, keys, (written, around, all, by) => {
      const other = { ...written, rules: shuffled(written.rules, by) }
      const others = all.map((image) => ({ ...image, tags: shuffled(image.tags, by) }))
      expect(judged(other, around, others)).toEqual(judged(written, around, all))
    }),
    { numRuns },
  )
})

/** Something else that keeps: a rule, or a protected tag. */
const keepers = fc.oneof(
  { weight: 3, arbitrary: keepRules.map((rule) => ({ rules: [{ name: 'one more', ...rule }] })) },
  { weight: 1, arbitrary: protections.map((pattern) => ({ protect: [pattern] })) },
)

test('one more keep rule or protected tag never deletes more', () => {
  fc.assert(
    fc.property(policies, surroundings, images, keepers, (written, around, all, keeper) => {
      const { rules = [], protect = [] }: Partial<Written> = keeper
      const more = {
        ...written,
        rules: [...written.rules, ...rules],
        protect: [...written.protect, ...protect],
      }
      const before = going(written, around, all)
      expect([...going(more, around, all)].filter((id) => !before.has(id))).toEqual([])
    }),
    { numRuns },
  )
})

test('one more delete rule never keeps more', () => {
  fc.assert(
    fc.property(policies, surroundings, images, deleteRules, (written, around, all, rule) => {
      const more = { ...written, rules: [...written.rules, { name: 'one more', ...rule }] }
      const after = going(more, around, all)
      expect([...going(written, around, all)].filter((id) => !after.has(id))).toEqual([])
    }),
    { numRuns },
  )
})

test('a rule that is not enabled is as good as not there', () => {
  fc.assert(
    fc.property(policies, surroundings, images, keys, (written, around, all, by) => {
      const rules = written.rules.map((rule, at) => ({ ...rule, enabled: (by[at] ?? 0) % 2 === 0 }))
      const left = written.rules.filter((_, at) => rules[at]?.enabled)
      expect(judged({ ...written, rules }, around, all)).toEqual(
        judged({ ...written, rules: left }, around, all),
      )
    }),
    { numRuns },
  )
})

test('what is said in the defaults and what an entry adds is as good as said in one place', () => {
  fc.assert(
    fc.property(policies, surroundings, images, fc.nat(9), (written, around, all, at) => {
      const { protect, unmatched, rules } = written
      const defaults = { protect: protect.slice(0, 1), rules: rules.slice(0, at) }
      const entry = { match: '*', protect: protect.slice(1), unmatched, rules: rules.slice(at) }
      const split = inFile({ defaults, packages: [entry] }, around)
      expect(judgedBy(split, all)).toEqual(judged(written, around, all))
    }),
    { numRuns },
  )
})

test('what nobody could look up never deletes more', () => {
  fc.assert(
    fc.property(policies, surroundings, images, (written, around, all) => {
      const known = going(written, around, all)
      const unknown = { ...around, pullRequests: undefined, branches: undefined }
      expect([...going(written, unknown, all)].filter((id) => !known.has(id))).toEqual([])
    }),
    { numRuns },
  )
})

test('newest: n keeps n of what it selects, or all if there are fewer', () => {
  fc.assert(
    fc.property(selectors, fc.integer({ min: 1, max: 9 }), images, (keep, newest, all) => {
      const selected = keptBy(keep, {}, all)
      expect(keptBy(keep, { newest }, all)).toHaveLength(Math.min(newest, selected.length))
    }),
    { numRuns },
  )
})

test('beyond-newest: n condemns what newest: n does not keep, and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), images, (count, all) => {
      const chosen = { tagged: true, untagged: true, orphans: true } as const
      const rules = [{ name: 'rest', delete: chosen, when: { 'beyond-newest': count } }]
      const kept = new Set(keptBy(chosen, { newest: count }, all))
      const rest = all.map(({ id }) => id).filter((id) => !kept.has(id))
      expect(going({ protect: [], unmatched: 'keep', rules }, world, all)).toEqual(new Set(rest))
    }),
    { numRuns },
  )
})

test('a calendar keeps the newest image always, and never more than its counts', () => {
  fc.assert(
    fc.property(selectors, calendars, images, (keep, when, all) => {
      const kept = keptBy(keep, when, all)
      const most = Object.values(when).reduce((sum, count) => sum + count, 0)
      expect(kept.length).toBeLessThanOrEqual(most)
      expect(kept).toEqual(expect.arrayContaining(keptBy(keep, { newest: 1 }, all)))
    }),
    { numRuns },
  )
})

test('when what goes is gone, nothing more goes', () => {
  fc.assert(
    fc.property(policies, surroundings, images, (written, around, all) => {
      const gone = going(written, around, all)
      const left = all.filter(({ id }) => !gone.has(id))
      expect(going(written, around, left)).toEqual(new Set())
    }),
    { numRuns },
  )
})

test('judging leaves everything as it was', () => {
  fc.assert(
    fc.property(policies, surroundings, images, (written, around, all) => {
      const policy = frozen(compiled(written, around))
      const first = [...judgeAll(policy, frozen(all), now)]
      expect([...judgeAll(policy, frozen(all), now)]).toEqual(first)
    }),
    { numRuns },
  )
})

/** The same, and whoever tries to change it gets an error. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Set || value instanceof Map) {
    const refuse = () => {
      throw new Error('this is not to be changed')
    }
    Object.assign(value, { add: refuse, set: refuse, delete: refuse, clear: refuse })
  }
  Object.freeze(value)
  for (const each of Object.values(value)) frozen(each)
  return value
}
