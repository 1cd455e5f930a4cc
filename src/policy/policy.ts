import type { Digest } from '../model.js'
import type { Pattern } from './patterns.js'

/**
 * What stays and what goes, compiled. Rules never depend on each other's order: any keep rule that matches
 * keeps, delete rules only nominate, and what no rule names stays.
 */
export interface Policy {
  /** One such tag shields the whole version. */
  readonly protect: readonly Pattern[]
  /** Nothing younger than this is ever deleted. */
  readonly grace: number
  /** More deletions than this in one package refuse the package. */
  readonly maxDeletions: number | undefined
  readonly keepDigests: ReadonlySet<Digest>
  readonly deleteRules: readonly DeleteRule[]
  /** Of the tagged images that would go, the newest stay. */
  readonly spareNewest: number
  /** Which timestamp is the age that rules speak of. */
  readonly ageBy: AgeBy
}

export type AgeBy = 'updated' | 'created'

/** Nominates images of one kind that have reached an age. */
export interface DeleteRule {
  readonly name: string
  readonly select: 'tagged' | 'untagged'
  /** Undefined: every tag. A tagged image goes only when each of its tags is matched. */
  readonly tags: readonly Pattern[] | undefined
  /** At least this old. */
  readonly olderThan: number
}
