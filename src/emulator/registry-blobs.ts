import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { digestOf, isDigest } from './documents.js'
import { bare, type Answer, type Ask } from './http.js'
import { fullName, repositoryOf, type Repository } from './registry-access.js'
import { blobUnknown, refusal } from './registry-answers.js'
import type { Store } from './store.js'

/** Ms for which a blob's storage address is good. */
const addressLifetime = 5 * 60_000

interface Upload {
  repository: string
  chunks: Uint8Array[]
  size: number
}

/** Blobs: reading by redirect to a storage address that needs no token, and the three ways of uploading. */
export class RegistryBlobs {
  private readonly uploads = new Map<string, Upload>()
  private readonly key = randomBytes(32)

  constructor(
    private readonly store: Store,
    private readonly origin: () => string,
  ) {}

  /** GET redirects; HEAD answers itself, as a signed address need not be good for HEAD. */
  read(ask: Ask, { account, name }: Repository, digest: string): Answer {
    const content = this.store.blob(digest)
    if (!content || !this.store.package(account, name)?.blobs.has(digest)) return blobUnknown()
    const headers = { 'docker-content-digest': digest, etag: `"${digest}"` }
    if (ask.method === 'HEAD') {
      return { status: 200, headers: { ...headers, ...binary }, body: content }
    }
    const expiry = String(this.store.now() + addressLifetime)
    const query = new URLSearchParams({ se: expiry, sig: this.signature(digest, expiry) })
    const location = `${this.origin()}/_blob-storage/${digest}?${query.toString()}`
    return bare(307, { ...headers, location })
  }

  /** The storage behind the redirect. */
  fetch(ask: Ask, digest: string): Answer {
    const expiry = ask.query.get('se') ?? ''
    const content = this.store.blob(digest)
    const signed = ask.query.get('sig') === this.signature(digest, expiry)
    if (!content || !signed || ask.method !== 'GET' || this.store.now() >= Number(expiry)) {
      return { status: 403, headers: { 'content-type': 'text/plain' }, body: 'Forbidden\n' }
    }
    return { status: 200, headers: binary, body: content }
  }

  /**
   * POST: opens an upload, or takes a whole blob, or mounts one.
   * @param mayRead whether the asking token may read the repository to mount from
   */
  start(ask: Ask, repository: Repository, mayRead: (from: Repository) => boolean): Answer {
    const mount = ask.query.get('mount')
    const from = repositoryOf(ask.query.get('from') ?? '')
    if (mount !== null && mayRead(from) && this.mount(mount, from, repository)) {
      return this.created(repository, mount)
    }
    const digest = ask.query.get('digest')
    if (digest !== null) return this.keep(repository, digest, ask.body)
    const id = randomUUID()
    this.uploads.set(id, { repository: fullName(repository), chunks: [], size: 0 })
    return this.accepted(202, repository, id, 0)
  }

  /** PATCH, PUT and GET of an open upload. Taking one back is unsupported, as on GHCR. */
  proceed(ask: Ask, repository: Repository, id: string): Answer {
    const upload = this.uploads.get(id)
    if (upload?.repository !== fullName(repository)) {
      return refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    }
    if (ask.method === 'GET') return this.accepted(204, repository, id, upload.size)
    if (!follows(ask, upload)) return this.accepted(416, repository, id, upload.size)
    upload.chunks.push(ask.body)
    upload.size += ask.body.length
    if (ask.method === 'PATCH') return this.accepted(202, repository, id, upload.size)
    this.uploads.delete(id)
    return this.keep(repository, ask.query.get('digest') ?? '', Buffer.concat(upload.chunks))
  }

  private keep(repository: Repository, digest: string, content: Uint8Array): Answer {
    if (!isDigest(digest) || digestOf(content) !== digest) {
      const message = 'provided digest did not match uploaded content'
      return refusal(400, 'DIGEST_INVALID', message)
    }
    const { account, name } = repository
    this.store.linkBlob(this.store.addPackage({ account, package: name }), digest, content)
    return this.created(repository, digest)
  }

  private mount(digest: string, from: Repository, to: Repository): boolean {
    const content = this.store.blob(digest)
    if (!content || !this.store.package(from.account, from.name)?.blobs.has(digest)) return false
    const target = this.store.addPackage({ account: to.account, package: to.name })
    this.store.linkBlob(target, digest, content)
    return true
  }

  private created(repository: Repository, digest: string): Answer {
    const location = `/v2/${fullName(repository)}/blobs/${digest}`
    return bare(201, { location, 'docker-content-digest': digest })
  }

  private accepted(status: number, repository: Repository, id: string, size: number): Answer {
    const location = `/v2/${fullName(repository)}/blobs/upload/${id}`
    const range = `0-${Math.max(0, size - 1)}`
    return bare(status, { location, range, 'docker-upload-uuid': id })
  }

  private signature(digest: string, expiry: string): string {
    return createHmac('sha256', this.key).update(`${digest} ${expiry}`).digest('hex')
  }
}

const binary = { 'content-type': 'application/octet-stream' }

/** A chunk that names its place has to start where the upload stands. */
function follows(ask: Ask, upload: Upload): boolean {
  const range = ask.headers['content-range']
  return range === undefined || range.startsWith(`${upload.size}-`)
}
