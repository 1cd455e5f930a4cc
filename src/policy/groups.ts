import type { SemVer } from 'semver'
import { newestFirst, type Candidate } from './candidate.js'
import type { AgeBy, GroupBy } from './policy.js'
import { versionOf } from './versions.js'

/** Where an image stands in one of its groups. Ranks count from 1. */
export interface GroupPlace {
  readonly key: string
  /** Of the group among all groups, the newest first; 0 for one that is only named, and takes no place. */
  readonly groupRank: number
  readonly groups: number
  /** Of the image in the group; 0 for one that has no full version there, and takes no place. */
  readonly rank: number
  readonly of: number
  /** Whether a tag names the group itself: what people get by that name. */
  readonly isNamed: boolean
}

/** An image that a rule selects, with the tags by which it does. */
export interface Picked {
  readonly image: Candidate
  readonly tags: readonly string[]
}

interface Member {
  readonly picked: Picked
  /** The highest full version that the image states in this group. */
  readonly version: SemVer | undefined
  readonly takesPlace: boolean
  readonly isNamed: boolean
}

interface Group {
  readonly key: string
  /** Numbers that order groups, the highest first; empty for groups without versions. */
  readonly order: readonly number[]
  readonly members: Map<Picked, Member>
}

/**
 * Puts images into groups and ranks both. Groups of versions are in the order of their numbers, others in the order of
 * their newest images. An image may be in several groups, or in none. A tag such as `1.2` names a group and takes no
 * place in it: it moves, and the highest full version must not lose its place to it.
 */
export function groupPlaces(
  picked: readonly Picked[],
  groupBy: GroupBy,
  by: AgeBy,
): ReadonlyMap<Candidate, readonly GroupPlace[]> {
  const all = [...gather(picked, groupBy).values()]
    .map((group) => ({ ...group, ranking: ranking(group, by) }))
    .sort((a, b) => compareGroups(a, b, by))
  const ranked = all.filter((group) => group.ranking.length > 0)
  const places = new Map<Candidate, GroupPlace[]>()
  for (const one of all) {
    const { key, ranking: members } = one
    const ranks = new Map(members.map((member, index) => [member, index + 1]))
    const group = {
      key,
      groupRank: ranked.indexOf(one) + 1,
      groups: ranked.length,
      of: members.length,
    }
    for (const member of one.members.values()) {
      const place = { ...group, rank: ranks.get(member) ?? 0, isNamed: member.isNamed }
      places.set(member.picked.image, [...(places.get(member.picked.image) ?? []), place])
    }
  }
  return places
}

function gather(picked: readonly Picked[], groupBy: GroupBy): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const one of picked) for (const tag of one.tags) join(groups, one, tag, groupBy)
  return groups
}

function join(groups: Map<string, Group>, picked: Picked, tag: string, groupBy: GroupBy): void {
  const line = lineOf(tag, groupBy)
  if (line === undefined) return
  const { key, order } = line
  const group: Group = groups.get(key) ?? { key, order, members: new Map() }
  groups.set(key, group)
  group.members.set(picked, merge(picked, line, group.members.get(picked)))
}

function merge(picked: Picked, { version, takesPlace }: Line, before: Member | undefined): Member {
  return {
    picked,
    version: higher(version, before?.version),
    takesPlace: takesPlace || (before?.takesPlace ?? false),
    isNamed: !takesPlace || (before?.isNamed ?? false),
  }
}

/** What group a tag says an image is in. */
interface Line {
  readonly key: string
  readonly order: readonly number[]
  readonly version: SemVer | undefined
  /** Otherwise the tag only names the group, which is there if something else takes a place in it. */
  readonly takesPlace: boolean
}

function lineOf(tag: string, groupBy: GroupBy): Line | undefined {
  if (groupBy.kind === 'expression') {
    const key = groupBy.keyOf(tag)
    return key === undefined ? undefined : { key, order: [], version: undefined, takesPlace: true }
  }
  const version = versionOf(tag)
  if (version === undefined) return undefined
  const { major, minor, full } = version
  const order = groupBy.kind === 'major' ? [major] : [major, minor]
  const known = order.filter((part) => part !== undefined)
  if (known.length < order.length) return undefined
  return { key: known.join('.'), order: known, version: full, takesPlace: full !== undefined }
}

function higher(a: SemVer | undefined, b: SemVer | undefined): SemVer | undefined {
  return compareVersions(a, b) < 0 ? a : b
}

/** The highest first, and what is no version last. */
function compareVersions(a: SemVer | undefined, b: SemVer | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  return b.compare(a)
}

function ranking({ members }: Group, by: AgeBy): Member[] {
  const newer = newestFirst(by)
  return [...members.values()]
    .filter(({ takesPlace }) => takesPlace)
    .sort((a, b) => compareVersions(a.version, b.version) || newer(a.picked.image, b.picked.image))
}

type Ranked = Group & { readonly ranking: readonly Member[] }

function compareGroups(a: Ranked, b: Ranked, by: AgeBy): number {
  for (const [at, part] of b.order.entries()) {
    const difference = part - (a.order[at] ?? 0)
    if (difference !== 0) return difference
  }
  const [first, second] = [a.ranking[0], b.ranking[0]]
  if (first === undefined || second === undefined) return 0
  return newestFirst(by)(first.picked.image, second.picked.image) || (a.key < b.key ? -1 : 1)
}
