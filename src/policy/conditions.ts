import type { Refs } from '../model.js'
import { thin, type Kept } from './calendar.js'
import { newestFirst, selectedTags, timeOf, type Candidate } from './candidate.js'
import { formatDuration } from './durations.js'
import { groupPlaces, type GroupPlace, type Picked } from './groups.js'
import { parseLifetime } from './lifetime.js'
import type { AgeBy, Calendar, Groups, Rule, Selector, TagPattern } from './policy.js'
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

/**
 * Where images stand under a rule. Images are ranked only for a rule that counts; then all have to be given.
 *
 * @returns a function that gives undefined for an image that the rule does not select
 */
export function standings(
  rule: Rule,
  images: readonly Candidate[],
  now: number,
): (image: Candidate) => Standing | undefined {
  const { by, newest, beyondNewest, groups, calendar } = rule.when
  const isCounting = [newest, beyondNewest, groups, calendar].some((count) => count !== undefined)
  if (isCounting) {
    const ranked = rank(rule, images, now)
    return (image) => ranked.get(image)
  }
  return (image) => {
    const tags = selectedTags(rule.select, image)
    if (tags === undefined) return undefined
    return { image, tags, age: now - timeOf(image, by), ...uncounted }
  }
}

const uncounted = { rank: 0, of: 0, groups: none, kept: none }

function rank({ select, when }: Rule, images: readonly Candidate[], now: number) {
  const { by, groups, calendar } = when
  const picked = images.flatMap((image) => pick(select, image)).sort(byTime(by))
  const kept =
    calendar &&
    thin(
      picked.map(({ image }) => timeOf(image, by)),
      calendar,
    )
  const places = groups && groupPlaces(picked, groups.by, by)
  return new Map(
    picked.map((one, at): [Candidate, Standing] => [
      one.image,
      {
        ...one,
        age: now - timeOf(one.image, by),
        rank: at + 1,
        of: picked.length,
        groups: places?.get(one) ?? none,
        kept: kept?.[at] ?? none,
      },
    ]),
  )
}

function pick(select: Selector, image: Candidate): Picked[] {
  const tags = selectedTags(select, image)
  return tags === undefined ? [] : [{ image, tags }]
}

function byTime(by: AgeBy): (a: Picked, b: Picked) => number {
  const newer = newestFirst(by)
  return (a, b) => newer(a.image, b.image)
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
