/**
 * The vocabulary of the product as types. Everything here is plain, immutable data.
 * Times are milliseconds since the Unix epoch, durations are milliseconds.
 */

/** A manifest digest. GHCR names every version by one. */
export type Digest = `sha256:${string}`

const digestPattern = /^sha256:[0-9a-f]{64}$/

/** Whether a text is a digest that GHCR can name a version by. */
export function isDigest(text: string): text is Digest {
  return digestPattern.test(text)
}

/** One container image name of an account, lower case; `team/api` may contain slashes. */
export interface PackageRef {
  readonly account: string
  readonly name: string
}

/**
 * One row of GitHub's Packages API. A time is undefined when GitHub sent none or none that can be read:
 * such a version is of unknown age, never of great age.
 */
export interface PackageVersion {
  readonly id: number
  readonly digest: Digest
  readonly tags: readonly string[]
  readonly createdAt: number | undefined
  readonly updatedAt: number | undefined
}

/** What a manifest is: an index lists children, an image runs, an artifact is anything else. */
export type ManifestKind = 'index' | 'image' | 'artifact'

/** One entry of an index. `other` is an entry whose media type is no manifest's, such as a cache layer. */
export interface Child {
  readonly digest: Digest
  readonly mediaType: string
  readonly kind: 'index' | 'image' | 'other'
  /** `os/arch` or `os/arch/variant`; undefined when the entry names none or `unknown`. */
  readonly platform?: string
  readonly artifactType?: string
  /** The sibling that this entry attests, as BuildKit annotates it. */
  readonly attests?: Digest
  /** The child may say more of itself than this entry does, so it has to be read. */
  readonly opaque?: true
}

/** What the document behind a digest says about other digests. */
export interface Manifest {
  readonly kind: ManifestKind
  readonly mediaType: string
  /** The artifact type, or for artifacts without one the media type of their config or first layer. */
  readonly artifactType?: string
  /** Entries of an index; empty for everything else. */
  readonly children: readonly Child[]
  readonly subject?: Digest
  /** A SOCI v2 index that accelerates this image; it belongs to the image like an attachment. */
  readonly sociIndex?: Digest
  /** How long it is meant to stay, as its annotation writes it. */
  readonly lifetime?: string
}

/** A package as it was seen: every version, and every manifest that was needed to draw the graph. */
export interface Snapshot {
  readonly package: PackageRef
  readonly versions: readonly PackageVersion[]
  readonly manifests: ReadonlyMap<Digest, Manifest>
  /** How long images are to live, as the labels of their configs say; absent when nobody asked. */
  readonly lifetimes?: ReadonlyMap<Digest, string>
  /** Why the picture is not whole; any entry means that the package is left alone. */
  readonly refusals: readonly Refusal[]
}

/** Why a whole package is left alone. Codes are for programs, the words are for the reader. */
export interface Refusal {
  readonly code: RefusalCode
  /** What happened, with the digest, page or number concerned. */
  readonly message: string
  /** What the reader can do about it. */
  readonly hint: string
}

export type RefusalCode =
  | 'listing-not-whole'
  | 'manifest-unreadable'
  | 'manifest-unread'
  | 'timestamp-unknown'
  | 'max-deletions'
  | 'second-look'
  | 'package-unreachable'

/** Which of a version's own relations made it part of an image. */
export type Relation = 'contained in' | 'attached to'

/** Why a version stays. */
export type KeepReason =
  | ({ readonly code: 'protected-tag'; readonly tag: string; readonly pattern: string } & Placed)
  | { readonly code: 'in-use'; readonly name: string; readonly uses: readonly Use[] }
  | ({ readonly code: 'listed-digest' } & Placed)
  | {
      readonly code: 'in-flight'
      readonly age: number
      readonly grace: number
      readonly newcomer?: Digest
    }
  | ByRule<'keep-rule'>
  | { readonly code: 'newest'; readonly rank: number; readonly of: number; readonly keep: number }
  /** A delete rule is about it, and does not hold yet. */
  | ByRule<'not-due'>
  | { readonly code: 'not-selected' }
  | {
      readonly code: 'partly-matched'
      readonly matched: readonly string[]
      readonly blocking: readonly string[]
    }
  | { readonly code: 'last-tagged' }
  | { readonly code: 'orphan-attachment'; readonly subjects: readonly Digest[] }
  | { readonly code: 'cycle' }
  | PartOf
  | { readonly code: 'refused'; readonly refusal: RefusalCode }

/** Why a version goes. */
export type DeleteReason =
  ByRule<'delete-rule'> | ({ readonly code: 'unmatched' } & Placed) | PartOf

/** Something that was written somewhere: `policy.yml:14`, or the name of the input. */
export interface Placed {
  readonly place: string
}

/** What a rule says of an image. */
export interface ByRule<Code extends string> extends Placed {
  readonly code: Code
  readonly rule: string
  /** In words: the conditions, and what was found. */
  readonly evidence: string
  /** By which tags; absent when it is all that the image has. */
  readonly tags?: readonly string[]
}

/** A version that shares the fate of an image it belongs to. */
export interface PartOf {
  readonly code: 'part-of'
  readonly relation: Relation
  /** The version it is directly contained in or attached to. */
  readonly of: Digest
  /** The image whose fate it shares. */
  readonly root: Digest
}

/** How a version takes part in its package. */
export type Role = 'image' | 'child' | 'attachment' | 'orphan'

/** The one decision on a listed version. */
export interface Decision {
  readonly version: PackageVersion
  readonly role: Role
  readonly kind: ManifestKind
  readonly mediaType: string
  readonly artifactType?: string
  /** Its own platform, or those of its children in the order of the index. */
  readonly platforms: readonly string[]
  /** What this version is directly contained in or attached to, nearest first; empty for images. */
  readonly belongsTo: readonly Belonging[]
  /** Children that an index names but the package lacks; `missing === children` is a ghost. */
  readonly children: number
  readonly missing: readonly Digest[]
  readonly missingSubjects: readonly Digest[]
  readonly verdict: Verdict
  /** Other reasons for the same verdict. */
  readonly also: readonly (KeepReason | DeleteReason)[]
  /** Reasons to delete it that a keep reason overruled. */
  readonly overruled: readonly DeleteReason[]
}

export interface Belonging {
  readonly relation: Relation
  readonly digest: Digest
}

export type Verdict =
  | { readonly action: 'keep'; readonly reason: KeepReason }
  | { readonly action: 'delete'; readonly reason: DeleteReason }

/** One delete of a plan. It may start only when every version in `after` is gone. */
export interface Deletion {
  readonly version: PackageVersion
  /** Ids of planned versions that contain this one or that this one is attached to. */
  readonly after: readonly number[]
}

/** What a run would do to one package. A value: making it changes nothing. */
export interface Plan {
  readonly package: PackageRef
  /** Exactly one for every listed version, newest first. */
  readonly decisions: readonly Decision[]
  /** In an order in which a stop at any moment leaves no image broken. Empty when refused. */
  readonly deletions: readonly Deletion[]
  readonly refusals: readonly Refusal[]
}

/** What became of one planned delete. */
export interface Outcome {
  readonly version: PackageVersion
  readonly result: OutcomeResult
}

export type OutcomeResult =
  | { readonly status: 'deleted' }
  /** It was no longer there when its turn came. */
  | { readonly status: 'already-gone' }
  /** GitHub does not allow this delete, or it belongs to a version that GitHub retained. */
  | { readonly status: 'retained'; readonly why: string }
  /** It changed on GitHub after the listing, or belongs to what did, and by what it is now it stays. */
  | { readonly status: 'changed'; readonly why: string }
  | { readonly status: 'failed'; readonly why: string; readonly hint: string }
  /** Not tried: the run ended before its turn, or what it belongs to is still there. The next run plans anew. */
  | { readonly status: 'remaining'; readonly why: string }

/** Whether a version is not there any more. */
export function isGone({ status }: OutcomeResult): boolean {
  return status === 'deleted' || status === 'already-gone'
}

/** What a whole does with a part, by a document or a tag: `attested` only as far as an index says so. */
export type Tie = 'contains' | 'attested' | 'accelerated' | 'subject'

/** A version that stays and lacks a part that was there when the run began. */
export interface Loss {
  readonly whole: Digest
  readonly tags: readonly string[]
  readonly part: Digest
  readonly tie: Tie
  /** The version that has to be restored. */
  readonly id: number
  /** Otherwise somebody else did. */
  readonly deletedByRun: boolean
}

/** What a look after the deletes found. */
export interface Verification {
  /** How many manifests were asked for and can be pulled. */
  readonly there: number
  readonly losses: readonly Loss[]
  /** Why others could not be asked for, or undefined. */
  readonly unknown?: string
}

/** A reference to an image in a file of the checkout. */
export interface Use {
  /** As it stands in the file. */
  readonly reference: string
  readonly file: string
  /** Counted from 1. */
  readonly line: number
}

/** What a repository has now of that tags can be named after; each as far as it could be looked up. */
export interface Refs {
  readonly openPullRequests: ReadonlySet<number> | NotKnown
  /** Branch names as tags can hold them, see `refSlug`. */
  readonly branches: ReadonlySet<string> | NotKnown
}

/** Why something could not be looked up. It counts as there. */
export interface NotKnown {
  readonly why: string
}
