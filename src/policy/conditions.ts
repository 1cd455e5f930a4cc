import type { Refs } from '../model.js'
import { thin, type Kept } from './calendar.js'
import { newestFirst, selectedTags, timeOf, type Candidate } from './candidate.js'
import { formatDuration } from './durations.js'
import { groupPlaces, type GroupPlace, type Picked } from './groups.js'
import { parseLifetime } from './lifetime.js'
import type { AgeBy, Calendar, Groups, Rule, TagPattern } from './policy.js'
import { refState } from './refs.js'

/** An image under a rule, with all that the conditions of the rule may ask of it. */
export interface Standing extends Picked {
  readonly age: number
  /** Among all images that the rule selects, the newest first; 0 under a rule that does not count. */
  readonly rank: number
  readonly of: number
  readonly groups: readonly GroupPlace[]
  readonly kept: readonly Kept[]
}

/** One thing that a rule asks for. */
export interface Condition {
  readonly holds: (standing: Standing) => boolean
  /** What was found, said so that it shows whether the condition holds. */
  readonly words: (standing: Standing) => string
}

const none: readonly never[] = []

/** Where one of the images stands; undefined for an image that the rule does not select. */
export type StandingOf = (image: Candidate, at: number) => Standing | undefined

/**
 * Where images stand under a rule. Images are ranked only for a rule that counts; then all have to be given.
 *
 * @returns a function that is asked about each image with its place among the given ones
 */
export function standings(rule: Rule, images: readonly Candidate[], now: number): StandingOf {
  const { select, when } = rule
  const { by, newest, beyondNewest, groups, calendar } = when
  const isCounting = [newest, beyondNewest, groups, calendar].some((count) => count !== undefined)
  const counted = isCounting ? count(rule, images) : undefined
  return (image, at) => {
    if (counted?.ranks[at] === 0) return undefined
    const tags = selectedTags(select, image)
    if (tags === undefined) return undefined
    const age = now - timeOf(image, by)
    return {
      image,
      tags,
      age,
      ...(counted === undefined ? uncounted : placeOf(counted, image, at)),
    }
  }
}

const uncounted = { rank: 0, of: 0, groups: none, kept: none }

function placeOf({ ranks, of, groups, kept }: Counted, image: Candidate, at: number) {
  return {
    rank: ranks[at] ?? 0,
    of,
    groups: groups?.get(image) ?? none,
    kept: kept.get(image) ?? none,
  }
}

/** What counting found. It is kept for all images at once, and so in few and small pieces. */
interface Counted {
  /** By the place of an image among the given ones, from 1; 0 for what the rule does not select. */
  readonly ranks: Uint32Array
  readonly of: number
  readonly groups: ReadonlyMap<Candidate, readonly GroupPlace[]> | undefined
  readonly kept: ReadonlyMap<Candidate, readonly Kept[]>
}

function count({ select, when }: Rule, images: readonly Candidate[]): Counted {
  const { by, groups, calendar } = when
  const newer = newestFirst(by)
  const selected: Placed[] = []
  for (const [at, image] of images.entries())
    if (selectedTags(select, image) !== undefined) selected.push({ image, at })
  selected.sort((a, b) => newer(a.image, b.image))
  const ranks = new Uint32Array(images.length)
  for (const [index, { at }] of selected.entries()) ranks[at] = index + 1
  const kept =
    calendar === undefined ? new Map<Candidate, Kept[]>() : thinned(selected, calendar, by)
  const pick = ({ image }: Placed): Picked[] => {
    const tags = selectedTags(select, image)
    return tags === undefined ? [] : [{ image, tags }]
  }
  const places = groups && groupPlaces(selected.flatMap(pick), groups.by, by)
  return { ranks, of: selected.length, groups: places, kept }
}

/** An image and its place among the given ones. */
interface Placed {
  readonly image: Candidate
  readonly at: number
}

/** The periods whose newest images these are, for those that are of any. */
function thinned(
  ranked: readonly Placed[],
  calendar: Calendar,
  by: AgeBy,
): Map<Candidate, readonly Kept[]> {
  const kept = new Map<Candidate, readonly Kept[]>()
  const times = ranked.map(({ image }) => timeOf(image, by))
  for (const [index, reasons] of thin(times, calendar).entries()) {
    const image = ranked[index]?.image
    if (image !== undefined && reasons.length > 0) kept.set(image, reasons)
  }
  return kept
}

/** What a rule asks for, in the order in which it is told. Nothing asked for holds always. */
export function conditionsOf({ when }: Rule): Condition[] {
  const { olderThan, newerThan, newest, beyondNewest, groups, calendar, lifetimeOver } = when
  return [
    ...(olderThan === undefined ? [] : [atLeast(olderThan)]),
    ...(newerThan === undefined ? [] : [below(newerThan)]),
    ...(newest === undefined ? [] : [within(newest)]),
    ...(beyondNewest === undefined ? [] : [beyond(beyondNewest)]),
    ...(groups === undefined ? [] : [inGroups(groups)]),
    ...(calendar === undefined ? [] : [onCalendar(calendar)]),
    ...(lifetimeOver === undefined ? [] : [lifetimeIsOver]),
  ]
}

function ageText(age: number): string {
  return formatDuration(Math.max(0, age))
}

function atLeast(limit: number): Condition {
  const length = formatDuration(limit)
  return {
    holds: ({ age }) => age >= limit,
    words: ({ age }) => `${age >= limit ? 'older' : 'younger'} than ${length}: ${ageText(age)}`,
  }
}

function below(limit: number): Condition {
  const length = formatDuration(limit)
  return {
    holds: ({ age }) => age < limit,
    words: ({ age }) => `${age < limit ? 'younger' : 'older'} than ${length}: ${ageText(age)}`,
  }
}

function within(count: number): Condition {
  return {
    holds: ({ rank }) => rank <= count,
    words: ({ rank, of }) => `${rankText(rank, of)}, newest is ${count}`,
  }
}

function beyond(count: number): Condition {
  return {
    holds: ({ rank }) => rank > count,
    words: ({ rank, of }) => `${rankText(rank, of)}, beyond-newest is ${count}`,
  }
}

function rankText(rank: number, of: number): string {
  return `rank ${rank} of ${of}`
}

function inGroups({ newestGroups = Infinity, newestPerGroup = Infinity }: Groups): Condition {
  const isIn = ({ groupRank, rank, isNamed }: GroupPlace) =>
    groupRank <= newestGroups && (isNamed || rank <= newestPerGroup)
  return {
    holds: ({ groups }) => groups.some(isIn),
    words: ({ groups }) => {
      const place = groups.find(isIn) ?? groups[0]
      if (place === undefined) return 'in no group'
      const limits = [
        ...(newestGroups < Infinity ? [`newest-groups is ${newestGroups}`] : []),
        ...(newestPerGroup < Infinity ? [`newest-per-group is ${newestPerGroup}`] : []),
      ]
      const { key, rank, of, groupRank, groups: all, isNamed } = place
      if (groupRank === 0) return `named ${key}, of which no full version is here`
      const inGroup = isNamed ? `named ${key}` : `rank ${rank} of ${of} in ${key}`
      return `${inGroup}, group ${groupRank} of ${all}; ${limits.join(', ')}`
    },
  }
}

function onCalendar(calendar: Calendar): Condition {
  const wanted = Object.entries(calendar).map(([period, count]) => `${period} is ${count}`)
  return {
    holds: ({ kept }) => kept.length > 0,
    words: ({ kept }) =>
      kept.length > 0
        ? kept.map(keptText).join('; ')
        : `not the newest of a period; ${wanted.join(', ')}`,
  }
}

function keptText({ period, label, place, of }: Kept): string {
  const what = label === undefined ? 'the oldest' : `newest of ${label}`
  return `${what} (${period} ${place} of ${of})`
}

const lifetimeIsOver: Condition = {
  holds: ({ image, age }) => age >= lifetimeOf(image.lifetime),
  words: ({ image: { lifetime }, age }) => {
    if (lifetime === undefined) return 'states no lifetime'
    const length = lifetimeOf(lifetime)
    if (length === Infinity)
      return `states a lifetime that never ends or is not understood: ${lifetime}`
    return `lifetime of ${lifetime} is ${age >= length ? 'over' : 'not over'}: ${ageText(age)}`
  },
}

/** Milliseconds; an image that states none, or none that can be read, lives for ever. */
function lifetimeOf(text: string | undefined): number {
  return (text === undefined ? undefined : parseLifetime(text)) ?? Infinity
}

/** The tags for which a condition on what they name holds; without such a condition all of them. */
export function dueTags(
  { select, when: { ref } }: Rule,
  tags: readonly string[],
  refs: Refs | undefined,
): readonly string[] {
  if (ref === undefined) return tags
  return tags.filter((tag) => {
    const { state } = refState(refs, refsOf(select.tag?.include, tag))
    return (state === 'gone') === (ref === 'gone')
  })
}

/** What was found of the pull requests and branches that tags name. */
export function refWords(
  { select }: Rule,
  tags: readonly string[],
  refs: Refs | undefined,
): string[] {
  return tags.map((tag) => refState(refs, refsOf(select.tag?.include, tag)).words)
}

function refsOf(include: readonly TagPattern[] | undefined, tag: string) {
  return (include ?? []).flatMap((pattern) =>
    pattern.matches(tag) ? (pattern.refsOf?.(tag) ?? []) : [],
  )
}
