import type { Digest } from '../model.js'
import type { AgeBy, ImageKind, Selector, TagTest, Typed } from './policy.js'

/** What rules look at: an image by itself, without the graph around it. */
export interface Candidate extends Typed {
  readonly id: number
  readonly digest: Digest
  /** Tags that make it an image; attachment tags are not among them. */
  readonly tags: readonly string[]
  readonly kinds: ReadonlySet<ImageKind>
  readonly createdAt: number
  readonly updatedAt: number
  /** How long it is to live, as it says of itself. */
  readonly lifetime: string | undefined
}

/** The timestamp that ages and ranks go by. */
export function timeOf(image: Pick<Candidate, 'createdAt' | 'updatedAt'>, by: AgeBy): number {
  return by === 'updated' ? image.updatedAt : image.createdAt
}

/** Newest first; of images of one age the higher id counts as the newer. */
export function newestFirst(by: AgeBy): (a: Candidate, b: Candidate) => number {
  return (a, b) => timeOf(b, by) - timeOf(a, by) || b.id - a.id
}

/**
 * The tags by which a rule selects an image: all of them, where it asks nothing of a tag.
 *
 * @returns undefined when it does not select the image; empty for a selected image without tags
 */
export function selectedTags(select: Selector, image: Candidate): readonly string[] | undefined {
  const { kinds, tag, digests, types } = select
  if (digests !== undefined && !digests.has(image.digest)) return undefined
  if (!isOneOf(image.kinds, kinds)) return undefined
  if (types !== undefined && !types.some((type) => type.matches(image))) return undefined
  if (tag === undefined) return image.tags
  const tags = image.tags.filter((candidate) => fits(tag, candidate))
  return tags.length === 0 ? undefined : tags
}

function isOneOf(kinds: ReadonlySet<ImageKind>, wanted: ReadonlySet<ImageKind>): boolean {
  for (const kind of kinds) if (wanted.has(kind)) return true
  return false
}

function fits({ include, exclude, semver }: TagTest, tag: string): boolean {
  if (include !== undefined && !include.some((pattern) => pattern.matches(tag))) return false
  if (exclude.some((pattern) => pattern.matches(tag))) return false
  return semver === undefined || semver.matches(tag)
}
