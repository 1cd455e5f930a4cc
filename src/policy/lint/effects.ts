import type { Conditions, Rule } from '../policy.js'
import { listed, otherRule, plural, ruleText, titleOf } from './findings.js'
import { asksForKinds, hasConditions, isDelete } from './traits.js'
import type { Case, Claim } from './survey.js'

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

/** Rules that count as taken out. */
type Out = Pick<ReadonlySet<Rule>, 'has'>

/**
 * The rules that change nothing, with words that say so. Each is judged without those that were found before it, the
 * last first; so all of them may go together, and of two that do the same one is left. Conditions that hold sooner or
 * later are regarded, so that a rule is not called useless on the day after it did its work.
 *
 * @param rules in the order of the file
 * @param idle further rules that count as taken out
 */
export function pointless(
  rules: readonly Rule[],
  cases: readonly Case[],
  idle: ReadonlySet<Rule>,
): Map<Rule, string> {
  const found = new Map<Rule, string>()
  const out: Out = { has: (rule) => idle.has(rule) || found.has(rule) }
  const fromLast = rules.toReversed()
  for (const rule of [
    // A rule that names digests may keep parts of images, which are not looked at here.
    ...fromLast.filter((each) => !isDelete(each) && each.select.digests === undefined),
    ...fromLast.filter(isDelete),
  ]) {
    const words = isDelete(rule) ? deletesNothing(rule, cases, out) : keepsNothing(rule, cases, out)
    if (words !== undefined) found.set(rule, `${titleOf(rule)} changes nothing here. ${words}`)
  }
  return found
}

function keepsNothing(rule: Rule, cases: readonly Case[], out: Out): string | undefined {
  const kept = cases.filter(({ keeps }) => keeps.includes(rule))
  const why = reasons(kept, (each) => whyKept(rule, each, out))
  return why && `Of what it keeps, ${why}. Take it out, unless it is meant for later.`
}

function deletesNothing(rule: Rule, cases: readonly Case[], out: Out): string | undefined {
  const isAbout = (claims: readonly Claim[]) => claims.some((claim) => claim.rule === rule)
  const why = reasons(
    cases.filter(({ claims }) => claims.some(isAbout)),
    (each) => whyUnchanged(rule, each, out),
  )
  return (
    why && `Of what it is about, ${why}. Correct it or take it out, unless it is meant for later.`
  )
}

/** Undefined when there are no cases, or one for which there is no reason. */
function reasons(
  cases: readonly Case[],
  reasonOf: (each: Case) => string | undefined,
): string | undefined {
  const counts: Counts = new Map()
  for (const each of cases) {
    const reason = reasonOf(each)
    if (reason === undefined) return undefined
    add(counts, reason, each.count)
  }
  if (counts.size === 0) return undefined
  return told(
    counts,
    (count, words) => `${plural(count, 'image')} ${count === 1 ? 'is' : 'are'} ${words}`,
  )
}

/** Why images stay without a keep rule, or undefined when they need not. */
function whyKept(rule: Rule, { keeps, isShielded, claims, isUnmatched }: Case, out: Out) {
  const other = keeps.find((keep) => keep !== rule && !out.has(keep) && asksNoMore(keep, rule))
  if (other !== undefined) return `kept by ${otherRule(other)} too`
  if (isShielded) return 'kept whatever rules say'
  const isSafe = !isUnmatched && claims.some((part) => part.length === 0)
  return isSafe ? 'nothing that delete rules are about' : undefined
}

/** Why the fate of images does not depend on a delete rule, or undefined when it does. */
function whyUnchanged(rule: Rule, { keeps, isShielded, claims, isUnmatched }: Case, out: Out) {
  const isKept = isShielded || keeps.some((keep) => !out.has(keep) && !hasConditions(keep.when))
  // What comes next may be kept by nothing, and such a rule is about that too.
  if (isKept) return asksForKinds(rule) ? undefined : 'kept whatever delete rules say'
  if (isUnmatched) return 'taken by "unmatched: delete" too'
  const left = claims.map((part) => part.filter((claim) => !out.has(claim.rule)))
  if (left.some((part) => part.length === 0)) return 'kept by tags that no delete rule is about'
  const others = left.flatMap((part) =>
    part.filter((claim) => claim.rule === rule).map((claim) => standIn(claim, part)),
  )
  const [other] = others
  return other === undefined || others.includes(undefined)
    ? undefined
    : `taken by ${otherRule(other)} no later`
}

/** A rule that says of a tag what another one says, as early. */
function standIn({ rule, isDue }: Claim, part: readonly Claim[]): Rule | undefined {
  return part.find(
    (other) => other.rule !== rule && (other.isDue || !isDue) && asksNoMore(other.rule, rule),
  )?.rule
}

/** Whether a rule surely holds as soon, and as long, as another one does, for an image that both are about. */
function asksNoMore({ when: own }: Rule, { when: others }: Rule): boolean {
  if (!hasConditions(own)) return true
  return (
    own.by === others.by &&
    isWithin(own, others) &&
    (own.ref === undefined || others.ref !== undefined) &&
    (own.lifetimeOver === undefined || others.lifetimeOver !== undefined) &&
    (!isCounting(own) || isCounting(others))
  )
}

const unlimited = { olderThan: 0, newerThan: Infinity, beyondNewest: 0 }

function isWithin(own: Conditions, others: Conditions): boolean {
  const limits = { ...unlimited, ...own }
  const further = { ...unlimited, ...others }
  return (
    limits.olderThan <= further.olderThan &&
    limits.newerThan >= further.newerThan &&
    limits.beyondNewest <= further.beyondNewest
  )
}

function isCounting({ newest, groups, calendar }: Conditions): boolean {
  return [newest, groups, calendar].some((count) => count !== undefined)
}

/** Which images a delete rule and earlier ones both condemn. */
export function overlap(
  rule: Rule,
  earlier: readonly Rule[],
  cases: readonly Case[],
): string | undefined {
  const counts: Counts = new Map()
  for (const { claims, count } of cases) {
    const shared = claims.map(dueIn).filter((rules) => rules.includes(rule))
    for (const other of new Set(shared.flat()))
      if (earlier.includes(other)) add(counts, otherRule(other), count)
  }
  if (counts.size === 0) return undefined
  const which = told(counts, (count, words) => `${plural(count, 'image')} by ${words}`)
  return `For information: ${ruleText(rule)} condemns what other rules condemn too: ${which}. Whichever holds first counts.`
}

function dueIn(part: readonly Claim[]): Rule[] {
  return part.filter(({ isDue }) => isDue).map(({ rule }) => rule)
}

/** Which images a keep rule takes from delete rules. */
export function rescue(rule: Rule, cases: readonly Case[]): string | undefined {
  const counts: Counts = new Map()
  let total = 0
  for (const { keeps, claims, isShielded, count } of cases) {
    const condemning = claims.map(dueIn)
    if (!keeps.includes(rule) || isShielded || condemning.some((rules) => rules.length === 0))
      continue
    total += count
    for (const other of new Set(condemning.flat())) add(counts, otherRule(other), count)
  }
  if (total === 0) return undefined
  const isOne = counts.size === 1
  const which = told(counts, (count, words) => `${isOne ? '' : `${count} `}by ${words}`)
  return `For information: ${ruleText(rule)} keeps ${plural(total, 'image')} that would go, ${which}.`
}
