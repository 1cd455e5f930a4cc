/** Who may see a package; `internal` exists for organizations only. */
export type Visibility = 'public' | 'private' | 'internal'

/** One row of the Packages API. Times are epoch milliseconds. */
export interface Version {
  readonly id: number
  readonly digest: string
  tags: string[]
  createdAt: number
  updatedAt: number
  deletedAt?: number
  downloads: number
}

/** The bytes behind a digest, and the media type they were pushed with. */
export interface StoredManifest {
  bytes: Uint8Array
  mediaType: string
  /** Epoch ms before which the registry does not yet serve it (read-after-write lag). */
  visibleAt: number
}

/** One container package: its versions, tags and manifests, and the rules that bind them. */
export class PackageState {
  visibility: Visibility = 'private'
  /** `owner/name` of the linked repository. */
  repository: string | undefined
  deletedAt: number | undefined
  updatedAt: number
  readonly manifests = new Map<string, StoredManifest>()
  readonly blobs = new Set<string>()
  private readonly rows = new Map<number, Version>()
  private readonly byDigest = new Map<string, Version>()
  private readonly byTag = new Map<string, Version>()
  /** Active rows by (createdAt, id) ascending: the usual push appends, and a page is a slice. */
  private readonly ordered: Version[] = []

  constructor(
    readonly id: number,
    readonly account: string,
    readonly name: string,
    readonly createdAt: number,
  ) {
    this.updatedAt = createdAt
  }

  /** Number of active versions. */
  get versionCount(): number {
    return this.ordered.length
  }

  /** Active versions, newest first (created_at, then id, descending); `offset` and `limit` cut a page. */
  page(offset = 0, limit = this.ordered.length): Version[] {
    const end = this.ordered.length - offset
    return end <= 0 ? [] : this.ordered.slice(Math.max(0, end - limit), end).reverse()
  }

  /** Soft-deleted versions, in the order of `page`. */
  deleted(): Version[] {
    return [...this.rows.values()].filter((row) => row.deletedAt !== undefined).sort(newestFirst)
  }

  /** The active version of an id, or the deleted one when `state` says so. */
  version(id: number, state: 'active' | 'deleted' = 'active'): Version | undefined {
    const row = this.rows.get(id)
    return row && (row.deletedAt === undefined) === (state === 'active') ? row : undefined
  }

  /** The active version of a digest or of a tag. */
  find(reference: string): Version | undefined {
    return this.byDigest.get(reference) ?? this.byTag.get(reference)
  }

  /** All tags in byte order. */
  tags(): string[] {
    return [...this.byTag.keys()].sort()
  }

  /** True when some other active version carries a tag. */
  isTaggedWithout(row: Version): boolean {
    for (const holder of this.byTag.values()) if (holder !== row) return true
    return false
  }

  /** Adds a row, active from the start. */
  add(row: Version): void {
    this.rows.set(row.id, row)
    this.activate(row)
  }

  /** Makes these the version's tags; takes them from whoever had them. `at` becomes updated_at of all touched. */
  setTags(row: Version, tags: string[], at: number): void {
    for (const tag of row.tags) this.byTag.delete(tag)
    row.tags = []
    row.updatedAt = at
    for (const tag of tags) this.addTag(row, tag, at)
  }

  /** Puts one tag on a version, as a push does. */
  addTag(row: Version, tag: string, at: number): void {
    const holder = this.byTag.get(tag)
    if (holder === row) return
    if (holder) {
      holder.tags = holder.tags.filter((other) => other !== tag)
      holder.updatedAt = at
    }
    row.tags.push(tag)
    row.updatedAt = at
    this.byTag.set(tag, row)
  }

  /** Changes the timestamps of an active row and keeps the order. */
  setTimestamps(row: Version, times: { createdAt?: number; updatedAt?: number }): void {
    this.takeOut(row)
    row.createdAt = times.createdAt ?? row.createdAt
    row.updatedAt = times.updatedAt ?? row.updatedAt
    this.ordered.splice(this.position(row), 0, row)
  }

  /** Soft-deletes an active row. It keeps its tags on paper; the registry forgets them. */
  remove(row: Version, at: number): void {
    this.deactivate(row)
    row.deletedAt = at
    this.updatedAt = at
  }

  /** Forgets a row for good, active or deleted. */
  purge(row: Version): void {
    if (row.deletedAt === undefined) this.deactivate(row)
    this.rows.delete(row.id)
  }

  /** Brings a deleted row back, with those of its tags that nobody took meanwhile. */
  restore(row: Version, at: number): void {
    row.tags = row.tags.filter((tag) => !this.byTag.has(tag))
    delete row.deletedAt
    row.updatedAt = at
    this.activate(row)
  }

  private activate(row: Version): void {
    this.ordered.splice(this.position(row), 0, row)
    this.byDigest.set(row.digest, row)
    for (const tag of row.tags) this.byTag.set(tag, row)
  }

  private deactivate(row: Version): void {
    this.takeOut(row)
    this.byDigest.delete(row.digest)
    for (const tag of row.tags) this.byTag.delete(tag)
  }

  private takeOut(row: Version): void {
    this.ordered.splice(this.position(row), 1)
  }

  private position(row: Version): number {
    let low = 0
    let high = this.ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.ordered[middle]
      if (other && newestFirst(other, row) > 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function newestFirst(a: Version, b: Version): number {
  return b.createdAt - a.createdAt || b.id - a.id
}
