import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Snapshot } from '../../src/model.js'
import { compileTagPatterns } from '../../src/policy/patterns.js'
import { secondLook } from '../../src/second-look.js'
import { plan } from '../../src/selector.js'
import { now, snapshot } from './kit.js'
import { brokenMoments, violations } from './oracle.js'
import { packages, policies } from './packages-arbitrary.js'

const numRuns = 1000

/** The package after a plan was carried out. */
function after(before: Snapshot, deleted: ReadonlySet<number>): Snapshot {
  return { ...before, versions: before.versions.filter(({ id }) => !deleted.has(id)) }
}

test('every plan keeps the promises, and the second look agrees', () => {
  fc.assert(
    fc.property(packages, policies, (items, policy) => {
      const listed = snapshot(items)
      const made = plan(listed, policy, now)
      expect(violations(listed, policy, now, made)).toEqual([])
      expect(secondLook(listed, policy, now, made.deletions)).toEqual([])
    }),
    { numRuns },
  )
})

test('a stop after any delete leaves nothing broken', () => {
  fc.assert(
    fc.property(packages, policies, (items, policy) => {
      const listed = snapshot(items)
      expect(brokenMoments(listed, plan(listed, policy, now))).toEqual([])
    }),
    { numRuns },
  )
})

test('after a whole run nothing more goes', () => {
  fc.assert(
    fc.property(packages, policies, (items, policy) => {
      const listed = snapshot(items)
      const first = plan(listed, policy, now)
      const left = after(listed, new Set(first.deletions.map(({ version }) => version.id)))
      expect(plan(left, policy, now).deletions).toEqual([])
    }),
    { numRuns },
  )
})

test('after a run that was cut off anywhere, the next one keeps the promises', () => {
  fc.assert(
    fc.property(packages, policies, fc.nat(), (items, policy, cut) => {
      const listed = snapshot(items)
      const { deletions } = plan(listed, policy, now)
      const done = deletions.slice(0, cut % (deletions.length + 1))
      const left = after(listed, new Set(done.map(({ version }) => version.id)))
      expect(violations(left, policy, now, plan(left, policy, now))).toEqual([])
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
    fc.property(packages, policies, fc.constantFrom('pr-*', 'ci-1', 'v1'), (items, loose, tag) => {
      const strict = { ...loose, protect: [...loose.protect, ...compileTagPatterns([tag]).include] }
      const listed = snapshot(items)
      const before = plan(listed, loose, now)
      // A protected tag that remains frees the version that stayed only because it was the last tagged one.
      fc.pre(!before.decisions.some(({ verdict }) => verdict.reason.code === 'last-tagged'))
      const ids = new Set(before.deletions.map(({ version }) => version.id))
      const more = plan(listed, strict, now).deletions.filter(({ version }) => !ids.has(version.id))
      expect(more).toEqual([])
    }),
    { numRuns },
  )
})
