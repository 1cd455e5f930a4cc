import type { Digest, Placed, Refs, Use } from '../model.js'
import type { SemverTest } from './versions.js'
import type { Pattern, PatternList } from './patterns.js'

/**
 * What stays and what goes in one package, compiled. Rules never depend on each other's order: any keep rule that holds
 * keeps, delete rules only nominate, and what no rule names stays, unless {@link unmatched} says otherwise.
 */
export interface Policy {
  /** One such tag shields the whole version. */
  readonly protect: readonly Protection[]
  /** Nothing younger than this is ever deleted. */
  readonly grace: number
  /** More deletions than this in one package refuse the package; every ceiling counts. */
  readonly maxDeletions: readonly Ceiling[]
  /** Versions that stay with all that belongs to them, and where that was written. */
  readonly keepDigests: ReadonlyMap<Digest, Origin>
  readonly rules: readonly Rule[]
  /** What becomes of a tagged image that no keep rule keeps and no delete rule condemns. */
  readonly unmatched: 'keep' | Origin
  /** Of the tagged images that would go, the newest stay. */
  readonly spareNewest: number
  /** Which timestamp is the age that the log speaks of, and by which {@link spareNewest} counts. */
  readonly ageBy: AgeBy
  /** What files of the checkout name, by tag and by digest. */
  readonly uses: ReadonlyMap<string, readonly Use[]>
  /** Whether the labels of configs are read for lifetimes; annotations are known without a read. */
  readonly readsLabels: boolean
  /** Pull requests and branches that there are; read only where a rule asks for them. */
  readonly refs: Refs | undefined
}

export type AgeBy = 'updated' | 'created'

/** Where something was written. */
export type Origin = Placed

/** Milliseconds; most builds push all parts of an image within an hour. */
export const defaultGrace = 3_600_000

/** The place of what the inputs say. */
export const inputPlace = 'inputs'

/** A tag pattern that protects, and where it was written. */
export interface Protection {
  readonly pattern: Pattern
  readonly origin: Origin
}

/** How much may go from one package at most: versions, or a share of those that were listed. */
export type Ceiling = { readonly count: number } | { readonly percent: number }

/** One rule: which images it is about, and when it holds for them. */
export interface Rule {
  readonly name: string
  readonly origin: Origin
  readonly action: 'keep' | 'delete'
  readonly select: Selector
  readonly when: Conditions
}

/** Kinds of images. An orphan is an attachment whose subject is not in the package. */
export type ImageKind = 'tagged' | 'untagged' | 'orphan'

/** Which images a rule is about. Everything that is said must be true of an image. */
export interface Selector {
  readonly kinds: ReadonlySet<ImageKind>
  /** What a tag must be like, or undefined when any tag will do. Then only tagged images are selected. */
  readonly tag: TagTest | undefined
  readonly digests: ReadonlySet<Digest> | undefined
  readonly types: readonly TypePattern[] | undefined
}

/** What is asked of one tag: one of {@link include}, none of {@link exclude}, and a version in a range. */
export interface TagTest {
  /** Undefined: every tag. */
  readonly include: readonly TagPattern[] | undefined
  readonly exclude: readonly Pattern[]
  readonly semver: SemverTest | undefined
}

/** A tag pattern that may name a pull request or a branch. */
export interface TagPattern extends Pattern {
  /** The pull requests or branches that a matching tag can stand for. */
  readonly refsOf?: (tag: string) => readonly RefName[]
}

/** What a tag names: a pull request by its number, or a branch by its name as a tag can hold it. */
export type RefName =
  | { readonly kind: 'pull request'; readonly number: number }
  | { readonly kind: 'branch'; readonly slug: string }

/** Matches media types and artifact types, or by a word what people call them. */
export interface TypePattern {
  readonly source: string
  readonly matches: (image: Typed) => boolean
}

/** What is known of the kind of an image. */
export interface Typed {
  /** Its media type and its artifact type, as far as it has them. */
  readonly types: readonly string[]
  /** Something that a container runtime can run: an image, or an index of such. */
  readonly isRunnable: boolean
}

/** When a rule holds for an image that it selects. Everything that is said must be true; nothing said is always true. */
export interface Conditions {
  /** Which timestamp ages and ranks go by. */
  readonly by: AgeBy
  /** At least this old. */
  readonly olderThan?: number
  /** Younger than this. */
  readonly newerThan?: number
  /** Among so many newest of the images that the rule selects. */
  readonly newest?: number
  /** Not among so many newest. */
  readonly beyondNewest?: number
  readonly groups?: Groups
  /** The newest image of each of the last so many periods that have one. */
  readonly calendar?: Calendar
  /** What the tag names is gone, or is there. */
  readonly ref?: 'gone' | 'exists'
  /** The lifetime that the image itself states is over. */
  readonly lifetimeOver?: true
}

/** Images grouped by what their tags say. */
export interface Groups {
  readonly by: GroupBy
  /** In one of so many newest groups. */
  readonly newestGroups: number | undefined
  /** Among so many newest of its group. */
  readonly newestPerGroup: number | undefined
}

/** A part of the version that a tag states, or what an expression captures of a tag. */
export type GroupBy =
  | { readonly kind: 'major' | 'minor' }
  | {
      readonly kind: 'expression'
      readonly source: string
      readonly keyOf: (tag: string) => string | undefined
    }

export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Period = (typeof periods)[number]
export type Calendar = Readonly<Partial<Record<Period, number>>>

/** The policies of a file, compiled: the first entry that matches a package says what holds in it. */
export interface PolicySet {
  readonly entries: readonly PolicyEntry[]
  /** When a workflow for this policy is to run, as cron writes it. */
  readonly schedule: string | undefined
}

/** What a file says of some packages. */
export interface PolicyEntry {
  /** Undefined: every package. */
  readonly match: PatternList | undefined
  /** The entries of {@link match} as they were written; empty for every package. */
  readonly names: readonly string[]
  readonly origin: Origin
  /** Without what has to be looked up: `uses` is empty, `refs` undefined. */
  readonly policy: Policy
  /** Globs of the files in which images are named that must stay. */
  readonly protectFrom: readonly FilePattern[]
  /** Where the pull requests and branches are that tags name: `owner/name`. */
  readonly repository: string | undefined
}

export interface FilePattern {
  readonly source: string
  readonly origin: Origin
}
