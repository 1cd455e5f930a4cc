import type { Use } from '../model.js'
import { formatDuration } from './durations.js'
import { needsListing } from './patterns.js'
import {
  inputPlace,
  periods,
  type AgeBy,
  type Calendar,
  type Ceiling,
  type Groups,
  type ImageKind,
  type Period,
  type Policy,
  type PolicyEntry,
  type PolicySet,
  type Rule,
  type Selector,
  type TagTest,
} from './policy.js'
import type { SemverTest } from './versions.js'

/** What a policy says of some packages. */
export interface Description {
  /** Which packages, with a colon at its end. */
  readonly title: string
  readonly sentences: readonly string[]
}

/** A policy as sentences, for the log: a misread input shows here, not in the damage. */
export function describePolicy(policy: Policy): string[] {
  return sentencesOf(policy, undefined)
}

/** The policies of a file as sentences, in the order in which they are looked through for a package. */
export function describeSet({ entries }: PolicySet): Description[] {
  return entries.map((entry, at) => ({
    title: titleOf(entry, at === 0),
    sentences: sentencesOf(entry.policy, entry),
  }))
}

function titleOf({ names }: PolicyEntry, isFirst: boolean): string {
  const wanted = names.filter((name) => !name.startsWith('!'))
  const others = names.filter((name) => name.startsWith('!')).map((name) => name.slice(1))
  const isPattern = wanted.some(needsListing)
  const named = isPattern ? `matching ${anyOf(wanted)}` : all(wanted)
  const include = wanted.length === 0 ? '' : ` ${named}`
  const exclude = others.length === 0 ? '' : ` ${include && 'but '}not matching ${anyOf(others)}`
  const noun = wanted.length === 1 && !isPattern ? 'Package' : 'Packages'
  const which = names.length === 0 ? 'All packages' : `${noun}${include}${exclude}`
  return `${which}${isFirst ? '' : ', where no entry above matches'}:`
}

function sentencesOf(policy: Policy, entry: PolicyEntry | undefined): string[] {
  if (policy.unmatched === 'keep' && !policy.rules.some(isDelete)) return ['Delete nothing.']
  return [
    ...policy.rules.map((rule) => ruleSentence(rule, policy.readsLabels)),
    ...authority(policy),
    ...protections(policy, entry),
    ...limits(policy),
    ...lookups(policy, entry),
    policy.grace > 0
      ? `Never delete anything younger than ${formatDuration(policy.grace)}.`
      : 'There is no grace period: even what was pushed a moment ago may be deleted.',
    'Keep everything that a kept image contains or that is attached to it, and everything else.',
  ]
}

function isDelete({ action }: Rule): boolean {
  return action === 'delete'
}

function isFromInputs({ origin }: Rule): boolean {
  return origin.place === inputPlace
}

function ruleSentence(rule: Rule, readsLabels: boolean): string {
  const verb = isDelete(rule) ? 'Delete' : 'Keep'
  const conditions = conditionsOf(rule, readsLabels)
  // One condition may have a comma in it, so each further one begins with "and".
  const when = conditions.length === 0 ? '' : `, ${conditions.join(', and ')}`
  const where = isFromInputs(rule) ? '' : ` (rule "${rule.name}", ${rule.origin.place})`
  return `${verb} ${subjectOf(rule)}${when}${where}.`
}

/** The images that a rule selects. */
function subjectOf(rule: Rule): string {
  const { select } = rule
  const { kinds, tag, digests, types } = select
  const type = types === undefined ? '' : ` of type ${anyOf(sources(types))}`
  const digest = digests === undefined ? '' : ` with ${oneOf([...digests], 'listed digest')}`
  const anyTag =
    isDelete(rule) && kinds.has('tagged') && digests === undefined ? ', whatever their tags' : ''
  return `${nounOf(rule)}${type}${digest}${tag === undefined ? anyTag : tagWords(rule, tag)}`
}

const adjectives = ['tagged', 'untagged'] as const satisfies readonly ImageKind[]

function nounOf(rule: Rule): string {
  const { kinds, tag, digests }: Selector = rule.select
  if (tag !== undefined) return isFromInputs(rule) ? 'tagged images' : 'images'
  if (digests !== undefined && kinds.size > adjectives.length) return 'images'
  const images = adjectives.filter((kind) => kinds.has(kind))
  return all([
    ...(images.length > 0 ? [`${all(images)} images`] : []),
    ...(kinds.has('orphan') ? ['orphaned attachments'] : []),
  ])
}

function oneOf(digests: readonly string[], noun: string): string {
  const [only] = digests
  return digests.length === 1 && only !== undefined
    ? `the digest ${only}`
    : `one of ${plural(digests.length, noun)}`
}

/** To keep an image, one of its tags is enough; to delete it, each of them has to be condemned. */
function tagWords(rule: Rule, { include, exclude, semver }: TagTest): string {
  if (isFromInputs(rule)) return ` whose every tag matches ${anyOf(sources(include ?? []))}`
  if (include === undefined && exclude.length === 0 && semver !== undefined)
    return isAnyVersion(semver) ? ' with a version' : ` whose version is ${versionWords(semver)}`
  const [match, no, state] = isDelete(rule)
    ? ['match', 'do not match', 'state']
    : ['matches', 'does not match', 'states']
  const tests = [
    ...(include === undefined ? [] : [`${match} ${anyOf(sources(include))}`]),
    ...(exclude.length === 0 ? [] : [`${no} ${anyOf(sources(exclude))}`]),
    ...(semver === undefined ? [] : [`${state} a version${versionClause(semver)}`]),
  ]
  return ` ${isDelete(rule) ? 'whose tags' : 'with a tag that'} ${all(tests)}`
}

function isAnyVersion({ source = '*', prerelease }: SemverTest): boolean {
  return source === '*' && prerelease === undefined
}

function versionClause(semver: SemverTest): string {
  return isAnyVersion(semver) ? '' : ` that is ${versionWords(semver)}`
}

function versionWords({ source = '*', prerelease }: SemverTest): string {
  if (prerelease === true) return `a pre-release${source === '*' ? '' : ` in ${source}`}`
  if (prerelease === undefined) return source
  return source === '*' ? 'no pre-release' : `${source}, without pre-releases`
}

/** What a rule asks of an image that it selects; all of it must be true. */
function conditionsOf(rule: Rule, readsLabels: boolean): string[] {
  const { by, groups, newest, beyondNewest = 0, calendar, lifetimeOver } = rule.when
  const order = by === 'created' ? ' by first push' : ''
  const stated = readsLabels ? 'annotations or labels' : 'annotations'
  const conditions = [
    ...(groups === undefined ? [] : [groupsWords(groups, order)]),
    ...(newest === undefined ? [] : [`among the newest ${newest} of them${order}`]),
    ...(beyondNewest === 0 ? [] : [`beyond the newest ${beyondNewest} of them${order}`]),
    ...(calendar === undefined ? [] : [calendarWords(calendar, order)]),
    ...refWords(rule),
    ...(lifetimeOver === undefined
      ? []
      : [`when the lifetime in their ${stated} is over, counted from their ${eventOf(by)}`]),
    ...ageWords(rule),
  ]
  return conditions.length === 0 && isDelete(rule) ? ['at any age'] : conditions
}

function eventOf(by: AgeBy): string {
  return by === 'updated' ? 'last update' : 'first push'
}

function ageWords({ when: { by, olderThan, newerThan } }: Rule): string[] {
  const after = `after their ${eventOf(by)}`
  return [
    ...(olderThan === undefined || olderThan === 0
      ? []
      : [`${formatDuration(olderThan)} or more ${after}`]),
    ...(newerThan === undefined ? [] : [`less than ${formatDuration(newerThan)} ${after}`]),
  ]
}

function groupsWords({ by, newestGroups, newestPerGroup }: Groups, order: string): string {
  const isVersion = by.kind !== 'expression'
  const name = (noun: string) => (isVersion ? `${by.kind} ${noun}` : `${noun} by ${by.source}`)
  // Groups of versions go by their numbers, whatever the timestamp.
  const tail = isVersion ? '' : order
  const each = newestPerGroup === undefined ? '' : `the newest${more(newestPerGroup)} of each`
  if (newestGroups === undefined) return `${each} ${name('group')}${tail}`
  const groups = `in the newest${more(newestGroups)} ${name(newestGroups === 1 ? 'group' : 'groups')}`
  return `${groups}${each === '' ? '' : `, ${each}`}${tail}`
}

function more(count: number): string {
  return count === 1 ? '' : ` ${count}`
}

const nounOfPeriod: Readonly<Record<Period, string>> = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
}

function calendarWords(calendar: Calendar, order: string): string {
  const wanted = periods.flatMap((period) => {
    const count = calendar[period]
    return count === undefined ? [] : [plural(count, nounOfPeriod[period])]
  })
  return `the newest${order} of each of the last ${all(wanted)} with any (UTC), and the oldest while there are fewer`
}

function refWords({ select, when: { ref } }: Rule): string[] {
  if (ref === undefined) return []
  const named = refsIn(select)
  const what = named.join(' or ')
  if (ref === 'gone') return [`when there is no such ${what}`]
  return [`while there is such ${named[0] === 'branch' ? 'a' : 'an'} ${what}`]
}

/** What the placeholders of a selector's patterns stand for. */
function refsIn({ tag }: Selector): string[] {
  const has = (placeholder: string) =>
    sources(tag?.include ?? []).some((source) => source.includes(placeholder))
  return [...(has('{number}') ? ['open pull request'] : []), ...(has('{branch}') ? ['branch'] : [])]
}

/** How the rules go together; there is nothing to say of the two rules that inputs make. */
function authority({ rules, unmatched }: Policy): string[] {
  const written = rules.filter((rule) => !isFromInputs(rule))
  const deletes = written.filter(isDelete)
  return [
    ...(unmatched === 'keep' && deletes.some(({ select }) => select.tag !== undefined)
      ? ['A tagged image goes only when delete rules hold for each of its tags.']
      : []),
    ...(unmatched === 'keep'
      ? []
      : [
          `Delete every tagged image that nothing keeps, whatever its tags and its age (unmatched, ${unmatched.place}).`,
        ]),
    ...(written.length > deletes.length ? ['What a keep rule keeps stays.'] : []),
  ]
}

function protections(policy: Policy, entry: PolicyEntry | undefined): string[] {
  const { protect, keepDigests, uses } = policy
  const patterns = protect.map(({ pattern }) => pattern)
  const files = sources(entry?.protectFrom ?? [])
  return [
    ...(patterns.length > 0
      ? [`Keep every image with a tag that matches ${anyOf(sources(patterns))}.`]
      : []),
    ...(files.length > 0 ? [`Keep every image that a file matching ${anyOf(files)} names.`] : []),
    ...(uses.size > 0 ? [usesSentence(uses)] : []),
    ...(keepDigests.size > 0
      ? [`Keep ${plural(keepDigests.size, 'listed digest')} and all that belongs to them.`]
      : []),
  ]
}

const mostFiles = 3

function usesSentence(uses: Policy['uses']): string {
  const files = [...new Set([...uses.values()].flat().map(({ file }: Use) => file))]
  const rest = files.length - mostFiles
  const named = rest > 0 ? [...files.slice(0, mostFiles), plural(rest, 'other file')] : files
  const verb = files.length === 1 ? 'names' : 'name'
  return `Keep every image that ${all(named)} ${verb}: ${plural(uses.size, 'reference')}.`
}

function limits({ spareNewest, maxDeletions }: Policy): string[] {
  return [
    ...(spareNewest > 0
      ? [`Of the tagged images that would go, keep the newest ${spareNewest} in each package.`]
      : []),
    ...maxDeletions.map(
      (ceiling) => `Leave a package alone if more than ${ceilingWords(ceiling)} would go.`,
    ),
  ]
}

function ceilingWords(ceiling: Ceiling): string {
  return 'count' in ceiling
    ? plural(ceiling.count, 'version')
    : `${ceiling.percent} % of its versions`
}

function lookups({ rules }: Policy, entry: PolicyEntry | undefined): string[] {
  const asked = rules.some(({ when }) => when.ref !== undefined)
  return asked && entry?.repository !== undefined
    ? [`Pull requests and branches are those of ${entry.repository}.`]
    : []
}

function sources(patterns: readonly { readonly source: string }[]): string[] {
  return patterns.map(({ source }) => source)
}

/** British English has no comma before the last one. */
const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' })
const conjunction = new Intl.ListFormat('en-GB', { type: 'conjunction' })

function anyOf(texts: readonly string[]): string {
  return alternatives.format(texts)
}

function all(texts: readonly string[]): string {
  return conjunction.format(texts)
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
