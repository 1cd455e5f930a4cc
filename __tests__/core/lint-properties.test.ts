import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { lintSet } from '../../src/policy/lint/lint-set.js'
import { lintUse, type LookedAt } from '../../src/policy/lint/lint-use.js'
import { compileNamePatterns } from '../../src/policy/patterns.js'
import type { Policy, PolicyEntry, PolicySet } from '../../src/policy/policy.js'
import type { Item } from './kit.js'
import { lookedAt } from './lint-kit.js'
import { packages } from './packages-arbitrary.js'
import { policies, surroundings } from './policy-arbitrary.js'
import { compiled } from './policy-kit.js'

const { PROPERTY_CASES: cases = '1000', PROPERTY_SEED: seed } = process.env
const numRuns = Number(cases)
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const names = ['a', 'ab', 'b']

/** The same rules, the first in this line. */
function from(line: number, policy: Policy): Policy {
  const placed = policy.rules.map((rule, at) => ({
    ...rule,
    origin: { place: `policy.yml:${line + at}` },
  }))
  return { ...policy, rules: placed }
}

/** Two entries, with rules that they share and rules of their own. */
const sets = fc
  .tuple(policies, policies, policies, surroundings)
  .map(([shared, first, second, around]): PolicySet => {
    const { rules } = from(10, compiled(shared, around))
    const entry = (name: string, line: number, policy: Policy): PolicyEntry => ({
      match: compileNamePatterns([name]),
      names: [name],
      origin: { place: `policy.yml:${line}` },
      policy: { ...policy, rules: [...rules, ...policy.rules] },
      protectFrom: [],
      repository: undefined,
    })
    const entries = [
      entry('a*', 20, from(21, compiled(first, around))),
      entry('*', 30, from(31, compiled(second, around))),
    ]
    return { entries, schedule: undefined }
  })
const worlds = fc.tuple(sets, fc.tuple(packages, packages, packages))

function look(set: PolicySet, all: readonly (readonly Item[])[]): LookedAt[] {
  return names.map((name, at) => lookedAt(set, name, all[at] ?? []))
}

/** The same policies without the rules in these places. */
function without(set: PolicySet, places: ReadonlySet<string>): PolicySet {
  const entries = set.entries.map((entry): PolicyEntry => {
    const rules = entry.policy.rules.filter(({ origin }) => !places.has(origin.place))
    return { ...entry, policy: { ...entry.policy, rules } }
  })
  return { ...set, entries }
}

test('the findings are the same once more', () => {
  fc.assert(
    fc.property(worlds, ([set, all]) => {
      const lint = () => [lintSet(set), lintUse(set, look(set, all))]
      expect(lint()).toEqual(lint())
    }),
    { numRuns: numRuns / 4 },
  )
})

const changesNothing = /can never|adds nothing|nothing to keep from|says the same|changes nothing/

test('taking out all rules that change nothing changes no plan', () => {
  fc.assert(
    fc.property(worlds, ([set, all]) => {
      const looked = look(set, all)
      const findings = [...lintSet(set), ...lintUse(set, looked)]
      const useless = findings.filter(({ message }) => changesNothing.test(message))
      const rest = without(set, new Set(useless.map(({ place }) => place)))
      const deletions = (from: readonly LookedAt[]) => from.map(({ plan }) => plan.deletions)
      expect(deletions(look(rest, all))).toEqual(deletions(looked))
    }),
    { numRuns },
  )
})
