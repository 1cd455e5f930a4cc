import semver from 'semver'
import type { Digest } from '../../src/model.js'
import type { Candidate } from '../../src/policy/candidate.js'
import type { AgeBy, Calendar } from '../../src/policy/policy.js'

/** A policy as a file says it, and what is looked up for it. Lists are always lists, durations have one unit. */
export interface Written {
  readonly protect: readonly string[]
  readonly unmatched: 'keep' | 'delete'
  readonly rules: readonly WrittenRule[]
}

export interface WrittenRule {
  readonly name: string
  readonly enabled?: boolean
  readonly keep?: WrittenSelector
  readonly delete?: WrittenSelector
  readonly when?: WrittenConditions
}

export interface WrittenSelector {
  readonly tags?: readonly string[]
  readonly 'not-tags'?: readonly string[]
  readonly semver?: string
  readonly prerelease?: boolean
  readonly tagged?: true
  readonly untagged?: true
  readonly orphans?: true
  readonly digests?: readonly Digest[]
  readonly artifact?: readonly string[]
}

export interface WrittenConditions extends Calendar {
  readonly by?: AgeBy
  readonly 'older-than'?: string
  readonly 'newer-than'?: string
  readonly newest?: number
  readonly 'beyond-newest'?: number
  readonly 'group-by'?: string
  readonly 'newest-groups'?: number
  readonly 'newest-per-group'?: number
  readonly ref?: 'gone' | 'exists'
  readonly lifetime?: 'over'
}

/** What is looked up: what a repository has, each undefined when nobody could tell, and what files name. */
export interface Around {
  readonly pullRequests: readonly number[] | undefined
  readonly branches: readonly string[] | undefined
  /** Tags that files of the checkout name. */
  readonly used: readonly string[]
}

/** What the language says of one image. Names are those of rules. */
export interface Truth {
  readonly isProtected: boolean
  readonly isUsed: boolean
  readonly keepRules: ReadonlySet<string>
  /** Delete rules condemn all of it. */
  readonly isCondemned: boolean
  /** Then, those that condemn it or one of its tags. */
  readonly deleteRules: ReadonlySet<string>
  /** Asked of what nothing keeps or condemns: tags that delete rules are about, held or not, if others are not. */
  readonly partlyNamed: ReadonlySet<string>
  /** `unmatched: delete` condemns it; asked of what nothing keeps. */
  readonly isUnmatched: boolean
  readonly goes: boolean
}

/** All that an answer depends on. */
interface World extends Around {
  readonly images: readonly Candidate[]
  readonly now: number
}

interface Rule {
  readonly name: string
  readonly action: 'keep' | 'delete'
  readonly chosen: WrittenSelector
  readonly when: WrittenConditions
}

/**
 * Says what becomes of each image, from the words of the language and by brute force: every rank is counted, every
 * version of a line is tried, and nothing of the code that judges is used.
 */
export function truths(
  written: Written,
  around: Around,
  images: readonly Candidate[],
  now: number,
): Truth[] {
  const rules = written.rules.filter(({ enabled }) => enabled !== false).map(ruleOf)
  const world: World = { ...around, images, now }
  return images.map((image) => truthOf(image, written, rules, world))
}

function ruleOf({ name, keep, delete: condemned, when = {} }: WrittenRule): Rule {
  const action = keep === undefined ? 'delete' : 'keep'
  return { name, action, chosen: keep ?? condemned ?? {}, when }
}

function truthOf(
  image: Candidate,
  { protect, unmatched }: Written,
  rules: readonly Rule[],
  world: World,
): Truth {
  const { tags } = image
  const about = rules.filter((rule) => selects(rule, image))
  const held = about.filter((rule) => holds(rule, image, world))
  const keeping = held.filter(({ action }) => action === 'keep')
  const condemning = held.filter(({ action }) => action === 'delete')
  const condemned = new Set(condemning.flatMap((rule) => meant(rule, image, world)))
  const deletes = about.filter(({ action }) => action === 'delete')
  const named = new Set(deletes.flatMap((rule) => matching(rule, image)))

  const isProtected = tags.some((tag) => fitsOne(protect, tag))
  const isUsed = tags.some((tag) => world.used.includes(tag))
  const isCondemned = condemning.length > 0 && condemned.size === tags.length
  const stays = isProtected || isUsed || keeping.length > 0
  const isUnmatched = unmatched === 'delete' && tags.length > 0 && !stays
  const isLeft = ![stays, isCondemned, isUnmatched].includes(true)
  return {
    ...{ isProtected, isUsed, isCondemned, isUnmatched },
    keepRules: new Set(keeping.map(nameOf)),
    deleteRules: new Set(isCondemned ? condemning.map(nameOf) : []),
    partlyNamed: isLeft && named.size < tags.length ? named : new Set(),
    goes: isUnmatched || (isCondemned && !stays),
  }
}

const nameOf = ({ name }: Rule) => name

// Selectors

/** Images that a rule selects, whether or not it holds for them. */
function selected(rule: Rule, { images }: World): Candidate[] {
  return images.filter((image) => selects(rule, image))
}

function selects(rule: Rule, image: Candidate): boolean {
  const { digests, artifact } = rule.chosen
  return (
    isOfKind(rule.chosen, image) &&
    (!asksOfTags(rule.chosen) || matching(rule, image).length > 0) &&
    (digests === undefined || digests.includes(image.digest)) &&
    (artifact === undefined || artifact.some((type) => isOfType(type, image)))
  )
}

/** Kinds that are written mean any of them; otherwise what else is asked says which kinds are meant. */
function isOfKind(chosen: WrittenSelector, { kinds }: Candidate): boolean {
  const { tagged, untagged, orphans } = chosen
  if (tagged ?? untagged ?? orphans)
    return (
      (tagged === true && kinds.has('tagged')) ||
      (untagged === true && kinds.has('untagged')) ||
      (orphans === true && kinds.has('orphan'))
    )
  if (asksOfTags(chosen)) return kinds.has('tagged')
  return chosen.digests !== undefined || kinds.has('tagged') || kinds.has('untagged')
}

function asksOfTags(chosen: WrittenSelector): boolean {
  const { tags, 'not-tags': notTags, semver: range, prerelease } = chosen
  return [tags, notTags, range, prerelease].some((asked) => asked !== undefined)
}

/** The tags of an image that a rule is about. */
function matching({ action, chosen }: Rule, { tags }: Candidate): string[] {
  const { tags: wanted, 'not-tags': unwanted = [], semver: range, prerelease } = chosen
  const isVersion = range !== undefined || prerelease !== undefined
  return tags.filter(
    (tag) =>
      (wanted === undefined || fitsOne(wanted, tag)) &&
      !fitsOne(unwanted, tag) &&
      (!isVersion || isInRange(tag, range ?? '*', prerelease, action)),
  )
}

function isOfType(type: string, { types, isRunnable }: Candidate): boolean {
  if (type === 'image') return isRunnable
  if (type === 'chart') return types.some((each) => each.includes('.helm.'))
  if (type === 'wasm') return types.some((each) => each.includes('.wasm.'))
  return types.some((each) => fits(type, each))
}

// Patterns

function fitsOne(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => fits(pattern, text))
}

/** Expressions in slashes, and of globs only `*` and `?`; a placeholder stands for any number or name. */
function fits(pattern: string, text: string): boolean {
  if (pattern.startsWith('/')) return new RegExp(`^(?:${pattern.slice(1, -1)})$`).test(text)
  const expression = pattern
    .split(/(\{number\}|\{branch\}|\*|\?)/)
    .map((part) => wildcards.get(part) ?? part.replace(/\W/g, '\\$&'))
  return new RegExp(`^${expression.join('')}$`).test(text)
}

const wildcards = new Map([
  ['*', '.*'],
  ['?', '.'],
  ['{number}', '[0-9]+'],
  ['{branch}', '.+'],
])

/** The tags of an image that a rule speaks of: where it asks for refs, those whose ref is as it asks. */
function meant(rule: Rule, image: Candidate, world: World): string[] {
  const tags = matching(rule, image)
  if (rule.when.ref === undefined) return tags
  return tags.filter((tag) => isThere(rule, tag, world) === (rule.when.ref === 'exists'))
}

/** Whether one of the refs that there are, written into one of the patterns, gives the tag. */
function isThere({ chosen }: Rule, tag: string, { pullRequests, branches }: World): boolean {
  return (chosen.tags ?? []).some((pattern) => {
    if (!fits(pattern, tag)) return false
    const names = pattern.includes('{number}') ? pullRequests : branches
    // What nobody could look up counts as there.
    if (names === undefined) return true
    return names.some((name) => fits(pattern.replace(/\{(number|branch)\}/, String(name)), tag))
  })
}

// Versions

/** The numbers that a tag states, one to three, and the whole version where it has three. */
interface Stated {
  readonly numbers: readonly number[]
  readonly full: semver.SemVer | undefined
}

function stated(tag: string): Stated | undefined {
  const bare = tag.startsWith('v') ? tag.slice(1) : tag
  if (/^(0|[1-9]\d*)(\.(0|[1-9]\d*))?$/.test(bare))
    return { numbers: bare.split('.').map(Number), full: undefined }
  const full = /^\d/.test(bare) ? semver.parse(bare.split('_')[0]) : null
  if (full === null) return undefined
  return { numbers: [full.major, full.minor, full.patch], full }
}

/** Whether a rule that asks for a range, or for pre-releases, is about a tag. */
export function isInRange(
  tag: string,
  range: string,
  prerelease: boolean | undefined,
  action: 'keep' | 'delete',
): boolean {
  const said = stated(tag)
  if (said === undefined) return false
  const { numbers, full } = said
  if (full !== undefined)
    return (
      (prerelease ?? isPrerelease(full)) === isPrerelease(full) && satisfies(full.version, range)
    )
  // A moving tag is moved to releases.
  if (prerelease === true) return false
  const line = versionsOf(numbers, prerelease === undefined)
  const isIn = (version: string) => satisfies(version, range)
  return action === 'keep' ? line.some(isIn) : line.every(isIn)
}

function isPrerelease({ prerelease }: semver.SemVer): boolean {
  return prerelease.length > 0
}

function satisfies(version: string, range: string): boolean {
  return semver.satisfies(version, range, { includePrerelease: true })
}

const someNumbers = [0, 1, 2, 3, 4, 5, 9, 10, 11, 999_999]

/** Enough of the versions of a line to find one on either side of every limit that the tests write. */
function versionsOf([major = 0, minor]: readonly number[], withPrereleases: boolean): string[] {
  const minors = minor === undefined ? someNumbers : [minor]
  const releases = minors.flatMap((each) => someNumbers.map((patch) => `${major}.${each}.${patch}`))
  if (!withPrereleases) return releases
  return releases.flatMap((release) => [`${release}-0`, `${release}-rc.1`, release])
}

// Conditions

/** All of them must hold. Refs are judged tag by tag, and one tag is enough for a rule to hold. */
function holds(rule: Rule, image: Candidate, world: World): boolean {
  const { when } = rule
  if (when.ref !== undefined && meant(rule, image, world).length === 0) return false
  const age = world.now - timeOf(image, when)
  const rank = () => 1 + newerThan(image, selected(rule, world), when).length
  const limits: [limit: number | undefined, holds: (limit: number) => boolean][] = [
    [lengthOf(when['older-than']), (limit) => age >= limit],
    [lengthOf(when['newer-than']), (limit) => age < limit],
    [when.newest, (count) => rank() <= count],
    [when['beyond-newest'], (count) => rank() > count],
  ]
  return (
    limits.every(([limit, isMet]) => limit === undefined || isMet(limit)) &&
    (when['group-by'] === undefined || isInGroups(rule, image, world)) &&
    (periods.every((period) => when[period] === undefined) || isInCalendar(rule, image, world)) &&
    (when.lifetime === undefined || age >= (lengthOf(image.lifetime) ?? Infinity))
  )
}

const lengths: Partial<Record<string, number>> = {
  h: 3_600_000,
  d: 24 * 3_600_000,
  w: 7 * 24 * 3_600_000,
}

/** Milliseconds of durations with one unit; other texts are none. */
function lengthOf(text = ''): number | undefined {
  const [, count, unit = ''] = /^(\d+)([hdw])$/.exec(text) ?? []
  const length = lengths[unit]
  return length === undefined ? undefined : Number(count) * length
}

function timeOf(image: Candidate, { by = 'updated' }: WrittenConditions): number {
  return by === 'updated' ? image.updatedAt : image.createdAt
}

function isNewer(a: Candidate, b: Candidate, when: WrittenConditions): boolean {
  const [timeA, timeB] = [timeOf(a, when), timeOf(b, when)]
  return timeA > timeB || (timeA === timeB && a.id > b.id)
}

function newerThan(
  image: Candidate,
  images: readonly Candidate[],
  when: WrittenConditions,
): Candidate[] {
  return images.filter((other) => isNewer(other, image, when))
}

// Groups

/** That an image is in a group, because of one of its tags. */
interface Member {
  readonly image: Candidate
  readonly group: string
  /** The version that the tag states; undefined for partial ones, and where an expression groups. */
  readonly full: semver.SemVer | undefined
}

function isInGroups(rule: Rule, image: Candidate, world: World): boolean {
  const { 'newest-groups': groups = Infinity, 'newest-per-group': each = Infinity } = rule.when
  const members = selected(rule, world).flatMap((other) =>
    matching(rule, other).flatMap((tag) => memberOf(other, tag, rule.when) ?? []),
  )
  const placed = members.filter((member) => isPlaced(member, rule.when))
  const names = new Set(placed.map(groupOf))
  const own = members.filter((member) => member.image === image)
  return own.some((member) => {
    const { group } = member
    // A group that is only named has no place among the others, and what it names stays.
    if (!names.has(group)) return true
    const higher = [...names].filter((other) => isHigher(other, group, members, rule.when))
    if (higher.length >= groups) return false
    if (!isPlaced(member, rule.when)) return true
    const others = new Set(placed.filter((other) => other.group === group).map(imageOf))
    const before = [...others].filter((other) => isBefore(other, image, group, placed, rule.when))
    return before.length < each
  })
}

const groupOf = ({ group }: Member) => group
const imageOf = ({ image }: Member) => image

function memberOf(
  image: Candidate,
  tag: string,
  { 'group-by': groupBy = '' }: WrittenConditions,
): Member | undefined {
  if (groupBy.startsWith('/')) {
    const [, group] = new RegExp(`^(?:${groupBy.slice(1, -1)})$`).exec(tag) ?? []
    return group === undefined ? undefined : { image, group, full: undefined }
  }
  const { numbers = [], full } = stated(tag) ?? {}
  const depth = groupBy === 'major' ? 1 : 2
  return numbers.length < depth
    ? undefined
    : { image, group: numbers.slice(0, depth).join('.'), full }
}

/** A partial version names a group that is there by a full one, and takes no place in it. */
function isPlaced({ full }: Member, { 'group-by': groupBy = '' }: WrittenConditions): boolean {
  return groupBy.startsWith('/') || full !== undefined
}

function isHigher(
  a: string,
  b: string,
  members: readonly Member[],
  when: WrittenConditions,
): boolean {
  if (when['group-by']?.startsWith('/') !== true) return isHigherVersion(a, b)
  const [newestA, newestB] = [a, b].map((name) => {
    const own = members.filter(({ group }) => group === name).map(imageOf)
    return own.find((image) => own.every((other) => !isNewer(other, image, when)))
  })
  // An image with tags of two groups can be the newest of both; then their names decide.
  if (newestA === undefined || newestB === undefined || newestA === newestB) return a < b
  return isNewer(newestA, newestB, when)
}

function isHigherVersion(a: string, b: string): boolean {
  const [versionA = b, versionB = a] = [a, b].map((name) => `${name}.0.0`.split('.', 3).join('.'))
  return semver.gt(versionA, versionB)
}

/** The highest version comes first, then the newest image. */
function isBefore(
  a: Candidate,
  b: Candidate,
  group: string,
  members: readonly Member[],
  when: WrittenConditions,
): boolean {
  const [fullsA = [], fullsB = []] = [a, b].map((image) =>
    members.filter((member) => member.image === image && groupOf(member) === group).map(fullOf),
  )
  const tie = isNewer(a, b, when)
  const [highestA, highestB] = [fullsA, fullsB].map((fulls) =>
    fulls
      .filter((full) => full !== undefined)
      .toSorted(semver.rcompare)
      .at(0),
  )
  if (highestA === undefined || highestB === undefined) return tie
  const order = highestA.compare(highestB)
  return order > 0 || (order === 0 && tie)
}

const fullOf = ({ full }: Member) => full

// Calendar

const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** Names of the periods that a time is in, in UTC. */
const periodOf: Record<(typeof periods)[number], (time: number) => string> = {
  hourly: (time) => new Date(time).toISOString().slice(0, 13),
  daily: (time) => new Date(time).toISOString().slice(0, 10),
  weekly: weekOf,
  monthly: (time) => new Date(time).toISOString().slice(0, 7),
  yearly: (time) => new Date(time).toISOString().slice(0, 4),
}

/** The ISO week: it begins on a Monday, and belongs to the year that its Thursday is in. */
export function weekOf(time: number): string {
  const date = new Date(time)
  const daysToThursday = 4 - (date.getUTCDay() || 7)
  const thursday = new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + daysToThursday),
  )
  const year = thursday.getUTCFullYear()
  const dayOfYear = (thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000
  return `${String(year)}-W${String(1 + Math.floor(dayOfYear / 7)).padStart(2, '0')}`
}

/** The newest image of each of the last periods that have one; and the oldest image while the count is not used up. */
function isInCalendar(rule: Rule, image: Candidate, world: World): boolean {
  const images = selected(rule, world)
  const newer = newerThan(image, images, rule.when)
  const isOldest = newer.length === images.length - 1
  return periods.some((period) => {
    const count = rule.when[period] ?? 0
    const of = (each: Candidate) => periodOf[period](timeOf(each, rule.when))
    const later = new Set(newer.map(of))
    const isNewestOfItsPeriod = !later.has(of(image))
    return (
      (isNewestOfItsPeriod && later.size < count) ||
      (isOldest && new Set(images.map(of)).size < count)
    )
  })
}
