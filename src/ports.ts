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
  /** Every version of the package, provably. @throws RetentionError `listing-not-whole`, `permission`, `unavailable` */
  readonly listVersions: () => Promise<PackageVersion[]>
}

export interface ManifestReader {
  /** The manifest behind a listed digest. @throws RetentionError `manifest-unreadable`, `permission` */
  readonly readManifest: (digest: Digest) => Promise<Manifest>
}

export interface VersionDeleter {
  /** Deletes one version. Never throws: what went wrong is the answer. */
  readonly deleteVersion: (version: PackageVersion) => Promise<DeleteAnswer>
}

/** What the service said to one delete. */
export type DeleteAnswer =
  | { readonly status: 'deleted' }
  | { readonly status: 'already-gone' }
  | { readonly status: 'retained'; readonly why: string }
  | { readonly status: 'failed'; readonly why: string; readonly hint: string }
  /** The token may not delete this. When it could delete nothing else either, the other deletes are not tried. */
  | {
      readonly status: 'denied'
      /** The token lacks a right that every delete needs. */
      readonly everywhere: boolean
      readonly why: string
      readonly hint: string
    }
  /** GitHub's limits allow no further delete for now. */
  | { readonly status: 'limited'; readonly why: string }
