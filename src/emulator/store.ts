import { Accounts, type Account, type AccountSpec } from './accounts.js'
import { digestOf, isTag, readManifest } from './documents.js'
import { PackageState, type Version, type Visibility } from './package-state.js'
import { Repositories, type RepositorySpec, type RepositoryState } from './repositories.js'
import { resolveToken, type Token, type TokenSpec } from './tokens.js'

/** Days in which GitHub lets a deleted package or version be restored.
 * @see https://docs.github.com/packages/learn-github-packages/deleting-and-restoring-a-package */
const restorableDays = 30

/** One manifest to store, as a registry PUT would. */
export interface Push {
  /** Login of the owner; made as an organization when unknown. */
  account: string
  package: string
  /** A JSON document as value, text or bytes; a value is serialized once. */
  manifest: string | Uint8Array | object
  /** Default: what the document itself declares. */
  mediaType?: string
  tags?: readonly string[]
  /** Epoch ms; default now. */
  at?: number
  /** Epoch ms before which the registry does not yet serve the manifest; default `at`. */
  visibleAt?: number
}

/** What a package is like apart from its versions. */
export interface PackageSpec {
  account: string
  package: string
  visibility?: Visibility
  /** `owner/name` of the linked repository. */
  repository?: string
  at?: number
}

/** New values for a version's timestamps, epoch ms. */
export interface Timestamps {
  createdAt?: number
  updatedAt?: number
}

/**
 * The state behind both services: accounts, tokens, repositories, packages, versions, manifests, blobs.
 * Every method that takes `(account, name)` and a reference accepts a tag, a digest or a version id,
 * and throws a plain Error when there is no such thing: a test that fills the store wants to know.
 */
export class Store {
  readonly accounts = new Accounts()
  readonly repositories: Repositories
  private readonly tokens = new Map<string, Token>()
  private readonly packages = new Map<string, PackageState>()
  private readonly deletedPackages: PackageState[] = []
  private readonly content = new Map<string, Uint8Array>()
  private nextPackageId = 8_000_001
  private nextVersionId = 460_000_001

  constructor(readonly now: () => number = Date.now) {
    this.repositories = new Repositories(now)
  }

  /** Adds a user or an organization; the login is unique whatever its case. */
  addAccount(spec: AccountSpec): Account {
    return this.accounts.add(spec)
  }

  /** Makes a token known to both services. See TokenSpec for the defaults of each kind. */
  addToken(spec: TokenSpec): Token {
    const token = resolveToken(spec, this.tokens.size + 1)
    if (token.login !== undefined) this.accounts.ensure(token.login, 'User')
    this.tokens.set(token.token, token)
    return token
  }

  /** Takes a token away: from now on it is bad credentials. */
  revokeToken(token: string): void {
    this.tokens.delete(token)
  }

  /** The token of that text, if known. */
  token(text: string): Token | undefined {
    return this.tokens.get(text)
  }

  /** Makes a repository, or adds branches and open pull requests to the one that is there. */
  addRepository(spec: RepositorySpec): RepositoryState {
    const [owner = '', name = ''] = spec.repository.split('/')
    const { login } = this.accounts.ensure(owner, 'Organization')
    const { state, isNew } = this.repositories.ensure(login, name)
    if (spec.visibility) state.isPrivate = spec.visibility === 'private'
    for (const branch of spec.branches ?? (isNew ? ['main'] : [])) state.addBranch(branch)
    for (const number of spec.pulls ?? []) state.openPull({ number })
    return state
  }

  /** Makes a package, or changes visibility and linked repository of the one that is there. */
  addPackage(spec: PackageSpec): PackageState {
    const owner = this.accounts.ensure(spec.account, 'Organization')
    const key = keyOf(spec.account, spec.package)
    const state =
      this.packages.get(key) ??
      new PackageState(
        this.nextPackageId++,
        owner.login,
        spec.package.toLowerCase(),
        spec.at ?? this.now(),
      )
    if (spec.visibility) state.visibility = spec.visibility
    if (spec.repository) state.repository = spec.repository
    this.packages.set(key, state)
    return state
  }

  /** The active package of that name, if there is one. */
  package(account: string, name: string): PackageState | undefined {
    return this.packages.get(keyOf(account, name))
  }

  /** The active packages of an account, oldest first. */
  packagesOf(account: string): PackageState[] {
    const login = account.toLowerCase()
    const owned = [...this.packages.values()].filter((one) => one.account.toLowerCase() === login)
    return owned.sort((a, b) => a.id - b.id)
  }

  /**
   * Stores a manifest as a registry PUT does: a new digest is a new version, a known one gains the tags,
   * and a tag leaves the version that had it. A digest that was deleted comes as a new version with a new id
   * (what GitHub does then is not known).
   */
  push(push: Push): { id: number; digest: string } {
    const at = push.at ?? this.now()
    const state = this.addPackage({ account: push.account, package: push.package, at })
    const bytes = bytesOf(push.manifest)
    const digest = digestOf(bytes)
    for (const tag of push.tags ?? []) if (!isTag(tag)) throw new Error(`not a tag: ${tag}`)
    const mediaType = push.mediaType ?? readManifest(bytes, '').mediaType
    const kept = state.find(digest)
    const row = kept ?? this.newVersion(state, digest, at)
    if (!kept || !state.manifests.has(digest)) {
      state.manifests.set(digest, { bytes, mediaType, visibleAt: push.visibleAt ?? at })
    }
    for (const tag of push.tags ?? []) state.addTag(row, tag, at)
    state.updatedAt = Math.max(state.updatedAt, at)
    return { id: row.id, digest }
  }

  /** Stores a blob in a package and gives its digest. */
  addBlob(account: string, name: string, bytes: string | Uint8Array): string {
    const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    const digest = digestOf(content)
    this.linkBlob(this.addPackage({ account, package: name }), digest, content)
    return digest
  }

  /** Stores bytes whose digest is known already. */
  linkBlob(state: PackageState, digest: string, bytes: Uint8Array): void {
    if (!this.content.has(digest)) this.content.set(digest, bytes)
    state.blobs.add(digest)
  }

  /** The bytes of a blob, whatever package holds it. */
  blob(digest: string): Uint8Array | undefined {
    return this.content.get(digest)
  }

  /** Bytes of an account's active manifests and of the blobs that they name, each counted once. */
  storedBytes(account: string): number {
    const sizes = new Map<string, number>()
    for (const state of this.packagesOf(account)) {
      for (const { digest } of state.page()) {
        const bytes = state.manifests.get(digest)?.bytes ?? new Uint8Array()
        sizes.set(digest, bytes.length)
        const named =
          Buffer.from(bytes)
            .toString()
            .match(/sha256:[0-9a-f]{64}/g) ?? []
        for (const blob of named)
          sizes.set(blob, this.content.get(blob)?.length ?? sizes.get(blob) ?? 0)
      }
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0)
  }

  /** Active versions, in the order of the API: newest first. */
  versions(account: string, name: string): Version[] {
    return this.package(account, name)?.page() ?? []
  }

  /** Soft-deleted versions that can still be restored, newest first. */
  deletedVersions(account: string, name: string): Version[] {
    return this.restorable(this.package(account, name)?.deleted() ?? [])
  }

  /** Those rows whose deletion is at most 30 days old. */
  restorable<Row extends { deletedAt?: number | undefined }>(rows: readonly Row[]): Row[] {
    const oldest = this.now() - restorableDays * 86_400_000
    return rows.filter((row) => row.deletedAt !== undefined && row.deletedAt >= oldest)
  }

  /** The active version behind an id, a digest or a tag, if there is one. */
  version(account: string, name: string, reference: number | string): Version | undefined {
    const state = this.package(account, name)
    return typeof reference === 'number' ? state?.version(reference) : state?.find(reference)
  }

  /** Replaces a version's tags; they leave whoever had them. */
  setTags(account: string, name: string, reference: number | string, tags: string[]): void {
    const { state, row } = this.need(account, name, reference)
    state.setTags(row, tags, this.now())
  }

  /** Sets one or both timestamps; the listing's order follows. */
  setTimestamps(account: string, name: string, reference: number | string, to: Timestamps): void {
    const { state, row } = this.need(account, name, reference)
    state.setTimestamps(row, to)
  }

  /** Sets the download counter that GitHub never shows but refuses deletes by. */
  setDownloads(account: string, name: string, reference: number | string, count: number): void {
    this.need(account, name, reference).row.downloads = count
  }

  /** Loses a manifest's bytes: its version stays listed, the registry answers 404. */
  dropManifest(account: string, name: string, reference: number | string): void {
    const { state, row } = this.need(account, name, reference)
    state.manifests.delete(row.digest)
  }

  /** Replaces a manifest's bytes under its old digest: what a damaged store would serve. */
  corruptManifest(account: string, name: string, reference: number | string, to: string): void {
    const { state, row } = this.need(account, name, reference)
    const manifest = state.manifests.get(row.digest)
    if (!manifest) throw new Error(`no manifest ${row.digest}`)
    state.manifests.set(row.digest, { ...manifest, bytes: Buffer.from(to) })
  }

  /** Soft-deletes a version past all of GitHub's rules. */
  deleteVersion(account: string, name: string, reference: number | string): void {
    const { state, row } = this.need(account, name, reference)
    state.remove(row, this.now())
  }

  /** Makes a version vanish without a trace, as if it had never been. */
  removeRow(account: string, name: string, reference: number | string): void {
    const { state, row } = this.need(account, name, reference)
    state.purge(row)
  }

  /** Soft-deletes a package with all it holds. */
  deletePackage(account: string, name: string): void {
    const state = this.package(account, name)
    if (!state) throw new Error(`no package ${account}/${name}`)
    state.deletedAt = this.now()
    this.packages.delete(keyOf(account, name))
    this.deletedPackages.push(state)
  }

  /** The latest deleted package of that name that can be restored. */
  deletedPackage(account: string, name: string): PackageState | undefined {
    const key = keyOf(account, name)
    const same = this.deletedPackages.filter((one) => keyOf(one.account, one.name) === key)
    return this.restorable(same).at(-1)
  }

  /** Brings a deleted package back; false when its name is taken or nothing can be restored. */
  restorePackage(account: string, name: string): boolean {
    const state = this.deletedPackage(account, name)
    if (!state || this.package(account, name)) return false
    state.deletedAt = undefined
    this.deletedPackages.splice(this.deletedPackages.indexOf(state), 1)
    this.packages.set(keyOf(account, name), state)
    return true
  }

  private newVersion(state: PackageState, digest: string, at: number): Version {
    const id = this.nextVersionId++
    const row = { id, digest, tags: [], createdAt: at, updatedAt: at, downloads: 0 }
    state.add(row)
    return row
  }

  private need(account: string, name: string, reference: number | string) {
    const state = this.package(account, name)
    const row = this.version(account, name, reference)
    if (!state || !row) throw new Error(`no version ${String(reference)} in ${account}/${name}`)
    return { state, row }
  }
}

function keyOf(account: string, name: string): string {
  return `${account}/${name}`.toLowerCase()
}

function bytesOf(manifest: string | Uint8Array | object): Uint8Array {
  if (typeof manifest === 'string') return Buffer.from(manifest)
  return manifest instanceof Uint8Array ? manifest : Buffer.from(JSON.stringify(manifest))
}
