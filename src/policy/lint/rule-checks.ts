import semver from 'semver'
import { formatDuration } from '../durations.js'
import type { Pattern } from '../patterns.js'
import type { ImageKind, Policy, PolicyEntry, PolicySet, Rule, TagPattern } from '../policy.js'
import { anything, covers, isLiteral } from './covering.js'
import { lineOf, listed, otherRule, quote, quoted, titleOf } from './findings.js'
import { hasConditions, isDelete, isDeleting } from './traits.js'

/** Something odd about a rule. */
interface RuleFlaw {
  readonly rule: Rule
  readonly message: string
  /** Whether every plan is the same without the rule. */
  readonly isIdle: boolean
}

/** Words for what is odd about a rule of a policy, or undefined. */
type Check = (rule: Rule, policy: Policy) => string | undefined

/**
 * What the file alone shows of its rules. Entries share rules of `defaults`: of such a rule is told what is true of it in
 * every entry that has it.
 */
export function ruleFlaws({ entries }: PolicySet): RuleFlaw[] {
  const having = new Map<Rule, Policy[]>()
  for (const { policy } of entries)
    for (const rule of policy.rules) {
      const policies = having.get(rule) ?? []
      policies.push(policy)
      having.set(rule, policies)
    }
  const idle = [...idleChecks, sameAs(entries, having)]
  return [...having].flatMap(([rule, policies]) => {
    const [flaw] = idle.flatMap((check) => flawEverywhere(rule, policies, check, true))
    if (flaw !== undefined) return [flaw]
    return [
      ...flawEverywhere(rule, policies, shorterThanGrace, false),
      ...policies.flatMap((policy) => undelayed(rule, policy)),
    ]
  })
}

function flawEverywhere(
  rule: Rule,
  policies: readonly Policy[],
  check: Check,
  isIdle: boolean,
): RuleFlaw[] {
  const [message, ...others] = policies.map((policy) => check(rule, policy))
  return message === undefined || others.includes(undefined) ? [] : [{ rule, message, isIdle }]
}

// Rules that say nothing new

/** Of two rules that are the same, one that fewer entries have is the odd one, or else the later one. */
function sameAs(
  entries: readonly PolicyEntry[],
  having: ReadonlyMap<Rule, readonly Policy[]>,
): Check {
  const contents = new Map([...having.keys()].map((rule) => [rule, contentOf(rule)]))
  const users = (rule: Rule) => having.get(rule)?.length ?? 0
  const firsts = new Map(
    entries.map(({ policy }) => {
      const rules = policy.rules.toSorted(
        (a, b) => users(a) - users(b) || lineOf(b.origin) - lineOf(a.origin),
      )
      // Of equal keys a map takes the last value.
      return [policy, new Map(rules.map((rule) => [contents.get(rule), rule]))]
    }),
  )
  return (rule, policy) => {
    const first = firsts.get(policy)?.get(contents.get(rule))
    if (first === undefined || first === rule) return undefined
    return `${titleOf(rule)} says the same as ${otherRule(first)}. Take it out, or correct what was meant to differ.`
  }
}

/** All that a rule says, with lists in one order. */
function contentOf({ action, select, when }: Rule): string {
  const { kinds, tag, digests, types } = select
  const sources = (patterns: readonly { readonly source: string }[] | undefined) =>
    patterns?.map(({ source }) => source).sort()
  const range = tag?.semver && [tag.semver.source, tag.semver.prerelease]
  return JSON.stringify([
    action,
    [...kinds],
    tag && [sources(tag.include), sources(tag.exclude), range],
    digests && [...digests].sort(),
    sources(types),
    when,
  ])
}

const whatUnmatchedTakes = 'takes every tagged image that nothing keeps, at any age'

/** A delete rule cannot make `unmatched: delete` wait. Where it looks so, that is told of every entry. */
function undelayed(rule: Rule, { unmatched }: Policy): RuleFlaw[] {
  if (unmatched === 'keep' || !isDelete(rule) || !hasConditions(rule.when)) return []
  const { kinds } = rule.select
  if (!kinds.has('tagged')) return []
  const what = kinds.size === 1 ? '' : ' for tagged images'
  const message = `${titleOf(rule)} delays nothing${what}: "unmatched: delete" (${unmatched.place}) ${whatUnmatchedTakes}. What is to stay for a while takes a keep rule.`
  return [{ rule, message, isIdle: false }]
}

const unmatchedAnyway: Check = (rule, { unmatched }) => {
  const { kinds } = rule.select
  if (unmatched === 'keep' || !isDelete(rule) || hasConditions(rule.when)) return undefined
  if (kinds.size > 1 || !kinds.has('tagged')) return undefined
  return `${titleOf(rule)} adds nothing: "unmatched: delete" (${unmatched.place}) ${whatUnmatchedTakes}. Take one of the two out.`
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
  const younger = `younger than ${formatDuration(newerThan)}`
  return olderThan === undefined
    ? `${titleOf(rule)} can never hold: nothing is ${younger}. Correct newer-than.`
    : `${titleOf(rule)} can never hold: nothing is both ${younger} and at least ${formatDuration(olderThan)} old. Correct one of the two, or make two rules of it.`
}

const neverOutOfGrace: Check = (rule, { grace }) => {
  const { newerThan } = rule.when
  if (!isDelete(rule) || newerThan === undefined || newerThan > grace) return undefined
  return `${titleOf(rule)} can never delete anything: nothing younger than ${formatDuration(newerThan)} goes while grace is ${formatDuration(grace)}. Make newer-than longer, or grace shorter.`
}

const shorterThanGrace: Check = (rule, { grace }) => {
  const { olderThan } = rule.when
  if (!isDelete(rule) || olderThan === undefined || olderThan >= grace) return undefined
  return `${titleOf(rule)} waits longer than it says: nothing goes within the ${formatDuration(grace)} of grace, so older-than: ${formatDuration(olderThan)} counts for nothing. Make grace shorter, or take older-than out.`
}

const emptyRange: Check = (rule) => {
  const range = rule.select.tag?.semver?.source
  // The range that semver itself takes for the empty one.
  if (range === undefined || !semver.subset(range, '<0.0.0-0', { includePrerelease: true }))
    return undefined
  return `${titleOf(rule)} can never hold: no version is in the range ${quote(range)}. Correct it; "||" stands between ranges of which one is enough.`
}

/** What stands between a rule and a tag pattern of it. */
interface Obstacle {
  readonly tag: Pattern
  readonly words: string
  readonly isProtection: boolean
}

const blocked: Check = (rule, policy) => {
  const obstacles = obstaclesTo(rule, policy)
  if (obstacles === undefined) return undefined
  const why = listed([...new Set(obstacles.map(({ words }) => words))].map(among(obstacles)))
  if (isDelete(rule))
    return `${titleOf(rule)} can never delete anything: ${why}. Correct the tags, or take the rule out.`
  return obstacles.some(({ isProtection }) => isProtection)
    ? `${titleOf(rule)} adds nothing: ${why}. Take one of the two out.`
    : `${titleOf(rule)} can never hold: ${why}. Correct the tags, or take the rule out.`
}

/** Says of which tags something is true. */
function among(obstacles: readonly Obstacle[]): (words: string) => string {
  return (words) => {
    const tags = obstacles.filter((obstacle) => obstacle.words === words).map(({ tag }) => tag)
    const which = tags.includes(anything) ? 'every tag' : quoted(tags)
    return `${which} ${tags.length === 1 ? 'is' : 'are'} ${words}`
  }
}

/** One for each tag pattern of a rule, or undefined when there is a pattern that nothing stands against. */
function obstaclesTo({ select }: Rule, policy: Policy): Obstacle[] | undefined {
  if (select.kinds.size !== 1 || !select.kinds.has('tagged')) return undefined
  const found = (select.tag?.include ?? [anything]).map((tag) => obstacleTo(tag, select, policy))
  const obstacles = found.filter((obstacle) => obstacle !== undefined)
  return obstacles.length === found.length ? obstacles : undefined
}

function obstacleTo(
  tag: TagPattern,
  { tag: test }: Rule['select'],
  { protect }: Policy,
): Obstacle | undefined {
  if (test?.exclude.some((pattern) => covers(pattern, tag)))
    return { tag, words: 'left out by its own not-tags', isProtection: false }
  if (test?.semver !== undefined && isLiteral(tag) && !test.semver.matches(tag.source))
    return { tag, words: 'no version that it asks for', isProtection: false }
  const protection = protect.find(({ pattern }) => covers(pattern, tag))
  if (protection === undefined) return undefined
  return { tag, words: `protected (${protection.origin.place})`, isProtection: true }
}

/** Every plan is the same without a rule that one of these tells. */
const idleChecks: readonly Check[] = [
  contradictory,
  neverOutOfGrace,
  emptyRange,
  blocked,
  nothingToKeepFrom,
  unmatchedAnyway,
]
