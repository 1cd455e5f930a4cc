import type { Digest, Manifest, PackageVersion } from './model.js'

/**
 * What a run needs from the outside world. Another kind of registry would come as new edges behind these
 * interfaces, and nothing else would change.
 */

/** Time, injected so that an hour can pass in a test within milliseconds. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly sleep: (milliseconds: number) => Promise<void>
}

export interface VersionLister {
  /**
   * Every version of the package, provably, in the order of the registry.
   *
   * @throws RetentionError `listing-not-whole`, `permission`, `unavailable`
   */
  readonly listVersions: () => Promise<PackageVersion[]>
  /**
   * What a listing that is some time old would say now: of the wanted versions, and of newcomers.
   *
   * @param known what should still be there, in the order of the listing
   * @param overlooked ids of what is gone; a listing may show it for a while
   * @throws RetentionError as listing does
   */
  readonly listAgain: (
    known: readonly PackageVersion[],
    wanted: ReadonlySet<number>,
    overlooked: ReadonlySet<number>,
  ) => Promise<Relisting>
}

/** A second, shorter look at a listing. */
export interface Relisting {
  /** Everything that the package has now, in order; what was not looked at is as it was. */
  readonly versions: readonly PackageVersion[]
  /** Ids of what was looked at, and of what was wanted and is not there. */
  readonly seen: ReadonlySet<number>
}

export interface ManifestReader {
  /** The manifest behind a listed digest. @throws RetentionError `manifest-unreadable`, `permission` */
  readonly readManifest: (digest: Digest) => Promise<Manifest>
}

export interface LabelReader {
  /**
   * The lifetime that a runnable image states, as it is written there: by an annotation of its own, else by a label of its
   * config. Undefined when it states none.
   *
   * @throws RetentionError when its manifest or its config cannot be read
   */
  readonly readLifetime: (image: Digest) => Promise<string | undefined>
}

/** What the labels of images were found to state. They never change, so that nothing is looked for twice. */
export interface LifetimeMemory {
  /** The empty text stands for no lifetime; undefined for one that nobody has looked for. */
  readonly recallLifetime: (image: Digest) => Promise<string | undefined>
  readonly learnLifetime: (image: Digest, lifetime: string) => void
}

export interface ManifestProbe {
  /** Whether a manifest can be pulled; a 404 that stays one means no. @throws RetentionError `permission`, `unavailable` */
  readonly hasManifest: (digest: Digest) => Promise<boolean>
}

export interface VersionDeleter {
  /** Asks once for one version to be deleted. Never throws: what went wrong is the answer. */
  readonly deleteVersion: (version: PackageVersion) => Promise<DeleteAnswer>
}

/** What the service said to one delete. */
export type DeleteAnswer =
  | { readonly status: 'deleted' }
  | { readonly status: 'already-gone' }
  | { readonly status: 'retained'; readonly why: string }
  | { readonly status: 'failed'; readonly why: string; readonly hint: string }
  /** It is not deleted, and may be when it is asked for again after a while. */
  | { readonly status: 'passing'; readonly why: string; readonly hint: string }
  /** The token may not delete this. When it could delete nothing else either, the other deletes are not tried. */
  | {
      readonly status: 'denied'
      /** The token lacks a right that every delete needs. */
      readonly everywhere: boolean
      readonly why: string
      readonly hint: string
    }
  /** GitHub's limits allow no delete for now; after so many milliseconds they may, or undefined for not in this run. */
  | { readonly status: 'limited'; readonly wait: number | undefined; readonly why: string }
