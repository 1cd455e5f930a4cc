import type { Rule } from '../policy.js'
import { listed, otherRule, plural, ruleText, titleOf } from './findings.js'
import { isDelete } from './lint-set.js'
import type { Case } from './survey.js'

/** Counts of images, each with words for what they have in common. */
type Counts = Map<string, number>

function add(counts: Counts, words: string, count: number): void {
  counts.set(words, (counts.get(words) ?? 0) + count)
}

/** The largest first. */
function told(counts: Counts, say: (count: number, words: string) => string): string {
  const largest = [...counts].sort(([, a], [, b]) => b - a)
  return listed(largest.map(([words, count]) => say(count, words)))
}

function total(cases: readonly Case[]): number {
  return cases.reduce((sum, { count }) => sum + count, 0)
}

/**
 * The rules that change nothing, with words that say so. Each is judged without those that were found before it, the
 * last first; so all of them may go together, and of two that do the same one is left.
 *
 * @param rules in the order of the file
 */
export function pointless(rules: readonly Rule[], cases: readonly Case[]): Map<Rule, string> {
  const found = new Map<Rule, string>()
  const fromLast = rules.toReversed()
  for (const rule of fromLast.filter((each) => !isDelete(each))) {
    const kept = cases.filter(({ keeps }) => keeps.includes(rule))
    const words = kept.length === 0 ? undefined : keepsNothing(rule, kept, found)
    if (words !== undefined) found.set(rule, words)
  }
  for (const rule of fromLast.filter(isDelete)) {
    const condemned = cases.filter((each) => each.condemning.some((some) => some.includes(rule)))
    const words = condemned.length === 0 ? undefined : deletesNothing(rule, condemned, found)
    if (words !== undefined) found.set(rule, words)
  }
  return found
}

/** Rules that count as taken out. */
type Out = ReadonlyMap<Rule, unknown>

function keepsNothing(rule: Rule, cases: readonly Case[], out: Out): string | undefined {
  const counts: Counts = new Map()
  for (const { keeps, isShielded, mayGo, count } of cases) {
    const other = keeps.find((keep) => keep !== rule && !out.has(keep))
    if (other !== undefined) add(counts, `kept by ${otherRule(other)} too`, count)
    else if (isShielded) add(counts, 'protected anyway', count)
    else if (!mayGo) add(counts, 'nothing that delete rules are about', count)
    else return undefined
  }
  const which = `of the ${plural(total(cases), 'image')} that it keeps, ${told(counts, areWords)}`
  return `${titleOf(rule)} changes nothing now: ${which}. Take it out, unless it is meant for later.`
}

function areWords(count: number, words: string): string {
  return `${count} ${count === 1 ? 'is' : 'are'} ${words}`
}

function deletesNothing(rule: Rule, cases: readonly Case[], out: Out): string | undefined {
  const counts: Counts = new Map()
  for (const each of cases) {
    const words = whyWithout(rule, each, out)
    if (words === undefined) return undefined
    add(counts, words, each.count)
  }
  const which = `of the ${plural(total(cases), 'image')} that it condemns, ${told(counts, areWords)}`
  return `${titleOf(rule)} changes nothing now: ${which}. Take it out, or correct what it is about.`
}

/** Why the fate of images does not depend on a delete rule, or undefined when it does. */
function whyWithout(rule: Rule, each: Case, out: Out): string | undefined {
  const { condemning, isShielded, keeps, isUnmatched } = each
  if (isShielded || keeps.some((keep) => !out.has(keep))) return 'kept anyway'
  if (isUnmatched) return 'condemned by "unmatched: delete" too'
  const left = condemning.map((rules) => rules.filter((other) => !out.has(other)))
  if (left.some((rules) => rules.length === 0)) return 'kept by other tags'
  const others = left
    .filter((rules) => rules.includes(rule))
    .map((rules) => rules.find((other) => other !== rule))
  const [other] = others
  if (other === undefined || others.includes(undefined)) return undefined
  return `condemned by ${otherRule(other)} too`
}

/** How many images two delete rules both condemn: words for the rule that comes later. */
export function overlap(
  rule: Rule,
  earlier: readonly Rule[],
  cases: readonly Case[],
): string | undefined {
  const counts: Counts = new Map()
  for (const { condemning, count } of cases)
    for (const other of new Set(condemning.filter((rules) => rules.includes(rule)).flat()))
      if (earlier.includes(other)) add(counts, otherRule(other), count)
  if (counts.size === 0) return undefined
  const which = told(counts, (count, words) => `${plural(count, 'image')} with ${words}`)
  return `For information: ${ruleText(rule)} condemns ${which}. Which of them holds first decides.`
}

/** How many images a keep rule takes from delete rules. */
export function rescue(rule: Rule, cases: readonly Case[]): string | undefined {
  const saved = cases.filter(
    ({ keeps, condemning, isShielded }) =>
      keeps.includes(rule) && !isShielded && condemning.every((rules) => rules.length > 0),
  )
  if (saved.length === 0) return undefined
  const counts: Counts = new Map()
  for (const { condemning, count } of saved)
    for (const other of new Set(condemning.flat())) add(counts, otherRule(other), count)
  const which = told(counts, (count, words) => `${count} by ${words}`)
  return `For information: ${ruleText(rule)} keeps ${plural(total(saved), 'image')} that would go: condemned ${which}.`
}
