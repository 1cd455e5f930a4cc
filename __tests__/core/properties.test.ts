import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { buildGraph, isKnown } from '../../src/graph.js'
import type { Plan, Snapshot } from '../../src/model.js'
import type { Policy } from '../../src/policy/policy.js'
import { secondLook } from '../../src/second-look.js'
import { plan, undecided } from '../../src/selector.js'
import { now, protections, snapshot, type Item } from './kit.js'
import { brokenMoments, violations } from './oracle.js'
import { packages, policies } from './packages-arbitrary.js'

const { PROPERTY_CASES: cases = '1000', PROPERTY_SEED: seed } = process.env
const numRuns = Number(cases)
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

/** Plans as a run does: what the graph does not know, and what a plan leaves undecided, is read first. */
function settle(items: readonly Item[], policy: Policy): { listed: Snapshot; made: Plan } {
  const manifests = new Map(snapshot(items).manifests)
  for (;;) {
    const listed = { ...snapshot(items), manifests: new Map(manifests) }
    const made = plan(listed, policy, now)
    const unknown = buildGraph(listed.versions, manifests).nodes.filter((node) => !isKnown(node))
    const missing = [...unknown.map(({ version }) => version), ...undecided(made, listed)]
    if (missing.length === 0) return { listed, made }
    const ids = new Set(missing.map(({ id }) => id))
    for (const { version, manifest } of items)
      if (ids.has(version.id)) manifests.set(version.digest, manifest)
  }
}

/** The package without the versions that the first so many deletions of a plan took. */
function after(items: readonly Item[], { deletions }: Plan, count = deletions.length): Item[] {
  const gone = new Set(deletions.slice(0, count).map(({ version }) => version.id))
  return items.filter(({ version }) => !gone.has(version.id))
}

test('every plan keeps the promises, and the second look agrees', () => {
  fc.assert(
    fc.property(packages, policies, (items, policy) => {
      const { listed, made } = settle(items, policy)
      expect(violations(listed, policy, now, made)).toEqual([])
      expect(secondLook(listed, policy, now, made)).toEqual([])
    }),
    { numRuns },
  )
})

test('a stop after any delete leaves nothing broken', () => {
  fc.assert(
    fc.property(packages, policies, (items, policy) => {
      const { listed, made } = settle(items, policy)
      expect(brokenMoments(listed, made)).toEqual([])
    }),
    { numRuns },
  )
})

/** What stays of an image that goes is an image afterwards, and takes a place wherever images are counted. */
const withoutCounts = policies.filter(({ rules }) =>
  rules.every(({ when: { newest, beyondNewest, groups, calendar } }) =>
    [newest, beyondNewest, groups, calendar].every((count) => count === undefined),
  ),
)

test('after a whole run nothing more goes', () => {
  fc.assert(
    fc.property(packages, withoutCounts, (items, policy) => {
      const { made } = settle(items, policy)
      expect(settle(after(items, made), policy).made.deletions).toEqual([])
    }),
    { numRuns },
  )
})

test('after a run that was cut off anywhere, the next one keeps the promises', () => {
  fc.assert(
    fc.property(packages, policies, fc.nat(), (items, policy, cut) => {
      const { made } = settle(items, policy)
      const left = after(items, made, cut % (made.deletions.length + 1))
      const next = settle(left, policy)
      expect(violations(next.listed, policy, now, next.made)).toEqual([])
    }),
    { numRuns },
  )
})

test('the order of the listing changes nothing', () => {
  fc.assert(
    fc.property(
      packages,
      policies,
      fc.array(fc.nat(), { minLength: 14 }),
      (items, policy, keys) => {
        const listed = snapshot(items)
        const keyed = listed.versions.map((version, at) => ({ version, key: keys[at] ?? 0 }))
        const shuffled = keyed.sort((x, y) => x.key - y.key).map(({ version }) => version)
        expect(plan({ ...listed, versions: shuffled }, policy, now)).toEqual(
          plan(listed, policy, now),
        )
      },
    ),
    { numRuns },
  )
})

test('protecting one more tag never deletes more', () => {
  fc.assert(
    fc.property(packages, policies, fc.constantFrom('pr-*', 'main', 'v1'), (items, loose, tag) => {
      const strict = { ...loose, protect: [...loose.protect, ...protections(tag)] }
      const before = settle(items, loose).made
      // A protected tag that remains frees the version that stayed only because it was the last tagged one.
      fc.pre(!before.decisions.some(({ verdict }) => verdict.reason.code === 'last-tagged'))
      const ids = new Set(before.deletions.map(({ version }) => version.id))
      const { deletions } = settle(items, strict).made
      const more = deletions.filter(({ version }) => !ids.has(version.id))
      expect(more).toEqual([])
    }),
    { numRuns },
  )
})
