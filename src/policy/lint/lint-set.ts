import semver from 'semver'
import { formatDuration } from '../durations.js'
import type { Pattern } from '../patterns.js'
import type {
  Ceiling,
  Conditions,
  ImageKind,
  Policy,
  PolicyEntry,
  PolicySet,
  Rule,
  TagPattern,
} from '../policy.js'
import { anything, covers, isLiteral } from './covering.js'
import { inFileOrder, lineOf, listed, otherRule, quote, titleOf, type Finding } from './findings.js'

/** What is odd about the policies of a file, as far as the file alone shows it. */
export function lintSet(set: PolicySet): Finding[] {
  return inFileOrder([
    ...hidden(set.entries),
    ...set.entries.flatMap(harmless),
    ...set.entries.flatMap(({ policy }) => protectedTwice(policy)),
    ...ruleFlaws(set).map(({ rule, message }) => ({ place: rule.origin.place, message })),
  ])
}

/** Something odd about a rule. */
export interface RuleFlaw {
  readonly rule: Rule
  readonly message: string
}

/** A rule of `defaults` is told only where no entry has any use for it. */
export function ruleFlaws({ entries }: PolicySet): RuleFlaw[] {
  const policies = new Map<Rule, Policy[]>()
  for (const { policy } of entries)
    for (const rule of policy.rules) {
      const having = policies.get(rule) ?? []
      having.push(policy)
      policies.set(rule, having)
    }
  const useless = [...policies].flatMap(([rule, having]) =>
    checks.flatMap((check) => flawEverywhere(rule, having, check)),
  )
  const ownOnes = entries.flatMap(({ policy }) => [...saidTwice(policy), ...undelayed(policy)])
  return [...useless, ...ownOnes]
}

/** Words for what is odd about a rule of a policy, or undefined. */
type Check = (rule: Rule, policy: Policy) => string | undefined

function flawEverywhere(rule: Rule, policies: readonly Policy[], check: Check): RuleFlaw[] {
  const [message, ...others] = policies.map((policy) => check(rule, policy))
  return message === undefined || others.includes(undefined) ? [] : [{ rule, message }]
}

// Entries

/** An entry with the names of its packages in lower case, as they are compared. */
interface Named {
  readonly place: string
  readonly include: readonly Pattern[]
  readonly exclude: readonly Pattern[]
}

function named({ match, origin: { place } }: PolicyEntry): Named {
  const lower = ({ source, matches }: Pattern) => ({ source: source.toLowerCase(), matches })
  const include = match?.include.map(lower) ?? []
  const exclude = match?.exclude.map(lower) ?? []
  return { place, include: include.length === 0 ? [anything] : include, exclude }
}

function hidden(entries: readonly PolicyEntry[]): Finding[] {
  const before = new Earlier()
  return entries.map(named).flatMap((entry) => {
    const { place } = entry
    const message = whyHidden(entry, before)
    before.add(entry)
    return message === undefined ? [] : [{ place, message }]
  })
}

function whyHidden({ include, exclude }: Named, before: Earlier): string | undefined {
  const wanted = include.filter((name) => !exclude.some((pattern) => covers(pattern, name)))
  if (wanted.length === 0)
    return 'No package gets here: all that "match" names is left out by its own "!". Correct the names, or take the entry out.'
  const taken = wanted.filter((name) => before.takerOf(name, exclude) !== undefined)
  if (taken.length === 0) return undefined
  const takers = new Set(taken.map((name) => before.takerOf(name, exclude)?.place ?? ''))
  const which =
    taken.length === wanted.length
      ? 'No package gets here'
      : `${listed(taken.map(({ source }) => quote(source)))} of "match" never counts here`
  return `${which}: the entry of ${listed([...takers])} matches first, and only the first one counts. Move this one up, or take it out.`
}

/** The entries before one, most of which name single packages. */
class Earlier {
  readonly #single = new Map<string, Named>()
  readonly #wide: Named[] = []

  add(entry: Named): void {
    if (!entry.include.every(isLiteral)) this.#wide.push(entry)
    for (const name of entry.include.filter(isLiteral))
      if (!this.#single.has(name.source) && takes(entry, name, []))
        this.#single.set(name.source, entry)
  }

  /** An entry that matches every package of that name that is not excluded. */
  takerOf(name: Pattern, excluded: readonly Pattern[]): Named | undefined {
    const wide = this.#wide.find((entry) => takes(entry, name, excluded))
    return wide ?? this.#single.get(name.source)
  }
}

function takes({ include, exclude }: Named, name: Pattern, excluded: readonly Pattern[]): boolean {
  return (
    include.some((pattern) => covers(pattern, name)) &&
    exclude.every(
      (pattern) => excluded.some((other) => covers(other, pattern)) || areApart(pattern, name),
    )
  )
}

/** Whether two patterns surely match nothing in common. */
function areApart(a: Pattern, b: Pattern): boolean {
  return (isLiteral(a) && !b.matches(a.source)) || (isLiteral(b) && !a.matches(b.source))
}

/** That may be meant, so it is only told. */
function harmless({ origin: { place }, policy }: PolicyEntry): Finding[] {
  const finding = (why: string, remedy: string) => [
    {
      place,
      message: `Nothing ever goes from these packages: ${why}. That is right if they are to stay whole; otherwise ${remedy}.`,
    },
  ]
  if (!isDeleting(policy))
    return finding('they have no delete rule and no "unmatched: delete"', 'add a delete rule')
  if (policy.maxDeletions.some(allowsNothing))
    return finding('max-deletions allows no deletion', 'raise it')
  return []
}

/** Whether anything can ever go. */
export function isDeleting({ unmatched, rules }: Policy): boolean {
  return unmatched !== 'keep' || rules.some(isDelete)
}

export function isDelete({ action }: Rule): boolean {
  return action === 'delete'
}

function allowsNothing(ceiling: Ceiling): boolean {
  return ('count' in ceiling ? ceiling.count : ceiling.percent) === 0
}

function protectedTwice({ protect }: Policy): Finding[] {
  const places = new Map<string, string>()
  return protect.flatMap(({ pattern: { source }, origin: { place } }) => {
    const before = places.get(source)
    places.set(source, before ?? place)
    if (before === undefined) return []
    return [
      { place, message: `${quote(source)} is protected already (${before}). Once is enough.` },
    ]
  })
}

// Rules that say nothing new

function saidTwice({ rules }: Policy): RuleFlaw[] {
  const known = new Map<string, Rule>()
  return rules
    .toSorted((a, b) => lineOf(a.origin) - lineOf(b.origin))
    .flatMap((rule) => {
      const key = contentOf(rule)
      const before = known.get(key)
      known.set(key, before ?? rule)
      if (before === undefined) return []
      const message = `${titleOf(rule)} says the same as ${otherRule(before)}. Take one of them out, or correct the one that was meant to differ.`
      return [{ rule, message }]
    })
}

/** All that a rule says, in one order. */
function contentOf({ action, select, when }: Rule): string {
  const { kinds, tag, digests, types } = select
  const sources = (patterns: readonly { readonly source: string }[] | undefined) =>
    patterns?.map(({ source }) => source).sort()
  const range = tag?.semver && [tag.semver.source, tag.semver.prerelease]
  return JSON.stringify([
    action,
    [...kinds].sort(),
    tag && [sources(tag.include), sources(tag.exclude), range],
    digests && [...digests].sort(),
    sources(types),
    Object.entries(when).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
}

/** A delete rule cannot make `unmatched: delete` wait. */
function undelayed({ unmatched, rules }: Policy): RuleFlaw[] {
  if (unmatched === 'keep') return []
  const why = `"unmatched: delete" (${unmatched.place}) takes every tagged image that nothing keeps, at any age`
  return rules
    .filter((rule) => isDelete(rule) && rule.select.kinds.has('tagged'))
    .flatMap((rule) => {
      const isAll = rule.select.kinds.size === 1
      if (hasConditions(rule.when)) {
        const what = isAll ? '' : ' for tagged images'
        const message = `${titleOf(rule)} delays nothing${what}: ${why}. What is to stay for a while takes a keep rule.`
        return [{ rule, message }]
      }
      const message = `${titleOf(rule)} adds nothing: ${why}. Take one of the two out.`
      return isAll ? [{ rule, message }] : []
    })
}

function hasConditions(when: Conditions): boolean {
  return Object.entries(when).some(([key, value]) => key !== 'by' && value !== undefined)
}

const kindWords: Readonly<Record<ImageKind, string>> = {
  tagged: 'tagged images',
  untagged: 'untagged images',
  orphan: 'orphaned attachments',
}

/** Where nothing is deleted at all, that is told of the entry. */
const nothingToKeepFrom: Check = (rule, policy) => {
  if (isDelete(rule) || !isDeleting(policy)) return undefined
  const deleting = new Set<ImageKind>(policy.unmatched === 'keep' ? [] : ['tagged'])
  for (const { select } of policy.rules.filter(isDelete))
    for (const kind of select.kinds) deleting.add(kind)
  const isSafe = (kind: ImageKind) => kindsBeside[kind].every((other) => !deleting.has(other))
  const kinds = [...rule.select.kinds]
  if (!kinds.every(isSafe)) return undefined
  const what = listed(kinds.map((kind) => kindWords[kind]))
  return `${titleOf(rule)} has nothing to keep from: no delete rule is about ${what}. Take it out, or add the delete rule that it was meant for.`
}

/** Which kinds an image of a kind may be of: an orphan without tags is an untagged image too. */
const kindsBeside: Readonly<Record<ImageKind, readonly ImageKind[]>> = {
  tagged: ['tagged'],
  untagged: ['untagged', 'orphan'],
  orphan: ['untagged', 'orphan'],
}

// Rules that can never hold

const contradictory: Check = (rule) => {
  const { olderThan, newerThan } = rule.when
  if (newerThan === undefined || (olderThan ?? 0) < newerThan) return undefined
  const older = olderThan === undefined ? '' : `at least ${formatDuration(olderThan)} old and `
  return `${titleOf(rule)} can never hold: nothing is ${older}younger than ${formatDuration(newerThan)}. Correct the ages, or make two rules of it.`
}

const neverOutOfGrace: Check = (rule, { grace }) => {
  const { newerThan } = rule.when
  if (!isDelete(rule) || newerThan === undefined || newerThan > grace) return undefined
  return `${titleOf(rule)} can never delete anything: nothing younger than ${formatDuration(newerThan)} goes while grace is ${formatDuration(grace)}. Make newer-than longer, or grace shorter.`
}

const shorterThanGrace: Check = (rule, { grace }) => {
  const { olderThan } = rule.when
  if (!isDelete(rule) || olderThan === undefined || olderThan >= grace) return undefined
  return `${titleOf(rule)} waits longer than it says: nothing goes before the ${formatDuration(grace)} of grace are over, so older-than: ${formatDuration(olderThan)} counts for nothing. Make grace shorter, or take older-than out.`
}

const emptyRange: Check = (rule) => {
  const range = rule.select.tag?.semver?.source
  // The range that semver itself takes for the empty one.
  if (range === undefined || !semver.subset(range, '<0.0.0-0', { includePrerelease: true }))
    return undefined
  return `${titleOf(rule)} can never hold: no version is in the range ${quote(range)}. Correct it; "||" stands between ranges of which one is enough.`
}

/** What stands between a rule and a tag that it names. */
interface Obstacle {
  readonly tag: string
  readonly words: string
  readonly isProtection: boolean
}

const blocked: Check = (rule, policy) => {
  const obstacles = obstaclesTo(rule, policy)
  if (obstacles === undefined) return undefined
  const isKept = obstacles.some(({ isProtection }) => isProtection) && !isDelete(rule)
  const why = listed(obstacles.map(({ tag, words }) => `${quote(tag)} is ${words}`))
  return isKept
    ? `${titleOf(rule)} adds nothing: ${why}. Take one of the two out.`
    : `${titleOf(rule)} can never ${isDelete(rule) ? 'delete anything' : 'hold'}: ${why}. Correct the tags, or take the rule out.`
}

/** One for each tag pattern of a rule, or undefined when there is a pattern that nothing stands against. */
function obstaclesTo({ select }: Rule, policy: Policy): Obstacle[] | undefined {
  if (select.kinds.size !== 1 || !select.kinds.has('tagged')) return undefined
  const found = (select.tag?.include ?? [anything]).map((tag) => obstacleTo(tag, select, policy))
  const obstacles = found.filter((obstacle) => obstacle !== undefined)
  return obstacles.length === found.length ? obstacles : undefined
}

function obstacleTo(
  include: TagPattern,
  { tag }: Rule['select'],
  { protect }: Policy,
): Obstacle | undefined {
  const obstacle = (words: string, isProtection = false) => ({
    ...{ tag: include.source, words, isProtection },
  })
  if (tag?.exclude.some((pattern) => covers(pattern, include)))
    return obstacle('left out by its own not-tags')
  if (tag?.semver !== undefined && isLiteral(include) && !tag.semver.matches(include.source))
    return obstacle('no version that it asks for')
  const protection = protect.find(({ pattern }) => covers(pattern, include))
  if (protection === undefined) return undefined
  return obstacle(`protected already (${protection.origin.place})`, true)
}

const checks: readonly Check[] = [
  contradictory,
  neverOutOfGrace,
  shorterThanGrace,
  emptyRange,
  blocked,
  nothingToKeepFrom,
]
