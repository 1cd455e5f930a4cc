import type { Pattern } from '../patterns.js'
import type { PolicyEntry, PolicySet, Rule } from '../policy.js'
import { overlap, pointless, rescue } from './effects.js'
import {
  inFileOrder,
  lineOf,
  listed,
  plural,
  quoted,
  ruleText,
  titleOf,
  type Finding,
} from './findings.js'
import { emptying } from './lint-set.js'
import { ruleFlaws } from './rule-checks.js'
import { asksForKinds } from './traits.js'
import { Survey, type LookedAt, type Seen } from './survey.js'

export type { LookedAt } from './survey.js'

/**
 * What is odd about the policies of a file, as far as packages show it that they hold in. What the file alone shows is
 * not told again. Whoever takes out every rule that is said to change nothing, here or there, changes no plan.
 */
export function lintUse(set: PolicySet, packages: readonly LookedAt[]): Finding[] {
  const survey = new Survey()
  for (const looked of packages) if (isKnown(looked)) survey.look(looked)
  const flaws = ruleFlaws(set)
  const flawed = new Set(flaws.map(({ rule }) => rule))
  const out = new Set(flaws.filter(({ isIdle }) => isIdle).map(({ rule }) => rule))
  const rules = [...survey.rules.keys()]
    .filter((rule) => !flawed.has(rule))
    .sort((a, b) => lineOf(a.origin) - lineOf(b.origin))
  return inFileOrder([
    ...set.entries.flatMap((entry) => partlyMatched(entry, survey)),
    ...[...survey.emptied].flatMap(([entry, names]) => emptied(entry, names)),
    ...idleProtections(set, survey),
    ...rules.flatMap((rule) => [...idle(rule, survey), ...groupless(rule, survey)]),
    ...effects(rules, survey, out),
  ])
}

/** What refuses a package before any rule looks leaves nothing to learn from it. */
function isKnown({ plan: { refusals }, images }: LookedAt): boolean {
  const isLate = (code: string) => code === 'max-deletions' || code === 'second-look'
  return images.length > 0 && refusals.every(({ code }) => isLate(code))
}

function on({ origin: { place } }: Rule, message: string | undefined): Finding[] {
  return message === undefined ? [] : [{ place, message }]
}

/** What rules change, and what they share. */
function effects(rules: readonly Rule[], { cases }: Survey, out: ReadonlySet<Rule>): Finding[] {
  const without = pointless(rules, cases, out)
  const useful = rules.filter((rule) => !without.has(rule))
  return [
    ...[...without].flatMap(([rule, message]) => on(rule, message)),
    ...useful.flatMap((rule, at) => on(rule, overlap(rule, useful.slice(0, at), cases))),
    ...useful.flatMap((rule) => on(rule, rescue(rule, cases))),
  ]
}

/** A rule that is about nothing, or patterns of it that match no tag. */
function idle(rule: Rule, survey: Survey): Finding[] {
  const seen = survey.rules.get(rule)
  if (seen === undefined) return []
  const { include = [], exclude = [] } = rule.select.tag ?? {}
  const included = survey.unmatched(include)
  if (!seen.isSelected)
    return on(rule, unused(rule, seen, included.length === include.length ? included : []))
  const excluded = survey.unmatched(exclude)
  return [
    ...on(rule, idlePatterns(included, `tags of ${ruleText(rule)}`, seen, checkSpelling)),
    ...on(rule, idlePatterns(excluded, `not-tags of ${ruleText(rule)}`, seen, leftOut)),
  ]
}

const fineOr = 'if such images come and go, all is well.'
const checkSpelling = `Check the spelling; ${fineOr}`
const leftOut = 'So nothing is left out; check the spelling.'

/** Where a rule asks for kinds alone there just are no such images, and that is fine. */
function unused(rule: Rule, seen: Seen, idle: readonly Pattern[]): string | undefined {
  if (asksForKinds(rule)) return undefined
  const is = `${titleOf(rule)} is about no image ${within(seen)}`
  return idle.length > 0
    ? `${is}: no tag matches ${quoted(idle)}. ${checkSpelling}`
    : `${is}: none is all that it asks for. Check what it selects; ${fineOr}`
}

function idlePatterns(
  patterns: readonly Pattern[],
  what: string,
  seen: Seen,
  remedy: string,
): string | undefined {
  if (patterns.length === 0) return undefined
  const match = patterns.length === 1 ? 'matches' : 'match'
  return `${quoted(patterns)} of ${what} ${match} no tag ${within(seen)}. ${remedy}`
}

function within({ packages }: Seen): string {
  return packages.length > mostNamed
    ? `in any of the ${packages.length} packages that were looked at`
    : `in ${alternatives.format(packages)}`
}

const mostNamed = 3
/** British English has no comma before the last one. */
const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/** Patterns of one line are told together. */
function idleProtections({ entries }: PolicySet, survey: Survey): Finding[] {
  const byPlace = new Map<string, Map<string, Pattern>>()
  for (const { pattern, origin } of entries.flatMap(({ policy }) => policy.protect)) {
    const idle = byPlace.get(origin.place) ?? new Map<string, Pattern>()
    byPlace.set(origin.place, idle)
    if (survey.unmatched([pattern]).length > 0) idle.set(pattern.source, pattern)
  }
  return [...byPlace].flatMap(([place, idle]) => {
    const [seen] = [...idle.values()].flatMap((pattern) => survey.patterns.get(pattern) ?? [])
    if (seen === undefined) return []
    const message = idlePatterns([...idle.values()], 'protect', seen, checkSpelling)
    return message === undefined ? [] : [{ place, message }]
  })
}

/** Images that cannot take part in what a rule counts. */
function groupless(rule: Rule, { rules }: Survey): Finding[] {
  const images = rules.get(rule)?.groupless
  if (images === undefined) return []
  const { count, example } = images
  const what = `${plural(count, 'image')} that ${ruleText(rule)} is about ${count === 1 ? 'is' : 'are'} in no group, such as ${example}`
  return on(
    rule,
    `${what}; the rule does not keep such images. Narrow its tags, or keep them by another rule.`,
  )
}

function emptied(entry: PolicyEntry, names: readonly string[]): Finding[] {
  if (emptying(entry) !== undefined) return []
  const message = `Nothing keeps any tagged image of ${listed(names)}, so all but the last one would go. Add a keep rule, unless that is meant.`
  return [{ place: entry.origin.place, message }]
}

function partlyMatched(entry: PolicyEntry, { partly }: Survey): Finding[] {
  const images = partly.get(entry)
  if (images === undefined) return []
  const { count, example } = images
  const stay = count === 1 ? 'stays' : 'stay'
  const what = `${plural(count, 'image')} ${stay} because delete rules are about some of the tags only, such as ${example}`
  const message = `${what}. Add a delete rule for the other tags if such images are to go.`
  return [{ place: entry.origin.place, message }]
}
