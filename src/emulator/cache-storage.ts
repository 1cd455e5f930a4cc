import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto'
import { bare, type Answer, type Ask } from './http.js'

/** Ms for which a signed address is good. */
const addressLifetime = 10 * 60_000

interface Blob {
  content: Uint8Array | undefined
  /** Blocks that were sent and that no list has put together yet. */
  readonly blocks: Map<string, Uint8Array>
}

/**
 * The storage behind the cache service: block blobs at signed addresses.
 * @see https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
export class CacheStorage {
  private readonly blobs = new Map<string, Blob>()
  private readonly key = randomBytes(32)

  constructor(
    private readonly now: () => number,
    private readonly origin: () => string,
  ) {}

  /** Makes room for a blob; gives its name. */
  reserve(): string {
    const name = randomUUID()
    this.blobs.set(name, { content: undefined, blocks: new Map() })
    return name
  }

  /** What a blob holds, once it was written. */
  content(name: string): Uint8Array | undefined {
    return this.blobs.get(name)?.content
  }

  /** Puts something else into a blob, as no client can. */
  alter(name: string, content: Uint8Array): void {
    const blob = this.blobs.get(name)
    if (blob) blob.content = content
  }

  /** An address at which a blob can be read (`r`) or written (`w`) for some minutes. */
  addressOf(name: string, permission: 'r' | 'w'): string {
    const se = new Date(this.now() + addressLifetime).toISOString()
    const sig = this.signature(name, permission, se)
    const query = new URLSearchParams({ se, sp: permission, sig })
    return `${this.origin()}${storagePath}${name}?${query.toString()}`
  }

  /** Any request to a blob. */
  answer(ask: Ask): Answer {
    const name = ask.path.slice(storagePath.length)
    const blob = this.blobs.get(name)
    const permission = ask.method === 'PUT' ? 'w' : 'r'
    if (!blob || !this.isSigned(ask, name, permission)) return failure(403, 'AuthenticationFailed')
    if (ask.method === 'PUT') return write(blob, ask)
    if (ask.method !== 'GET' && ask.method !== 'HEAD') return failure(405, 'UnsupportedHttpVerb')
    return blob.content ? read(blob.content, ask) : failure(404, 'BlobNotFound')
  }

  private isSigned({ query }: Ask, name: string, permission: 'r' | 'w'): boolean {
    const se = query.get('se') ?? ''
    const signed = query.get('sig') === this.signature(name, permission, se)
    return signed && this.now() < Date.parse(se)
  }

  private signature(name: string, permission: string, expiry: string): string {
    return createHmac('sha256', this.key).update(`${name} ${permission} ${expiry}`).digest('base64')
  }
}

/** Account and container, as addresses of such a storage have them in front of the blob. */
export const storagePath = '/storage/actions-cache/'

/** A whole blob, one block of it, or the list that puts its blocks together. */
function write(blob: Blob, ask: Ask): Answer {
  switch (ask.query.get('comp')) {
    case null:
      if (ask.headers['x-ms-blob-type'] !== 'BlockBlob')
        return failure(400, 'MissingRequiredHeader')
      blob.content = ask.body
      return created()
    case 'block':
      blob.blocks.set(ask.query.get('blockid') ?? '', ask.body)
      return created()
    case 'blocklist':
      return assemble(blob, Buffer.from(ask.body).toString())
    default:
      return failure(400, 'InvalidQueryParameterValue')
  }
}

function assemble(blob: Blob, list: string): Answer {
  const ids = [...list.matchAll(/<(?:Latest|Uncommitted|Committed)>([^<]*)</g)]
  const parts = ids.map(([, id = '']) => blob.blocks.get(id))
  if (parts.includes(undefined)) return failure(400, 'InvalidBlockList')
  blob.content = Buffer.concat(parts.filter((part) => part !== undefined))
  blob.blocks.clear()
  return created()
}

function created(): Answer {
  return bare(201, { ...common, etag: `"0x${randomBytes(8).toString('hex')}"` })
}

/** The blob, or the one stretch of it that is asked for. */
function read(content: Uint8Array, { headers }: Ask): Answer {
  const md5 = createHash('md5').update(content).digest('base64')
  const kind = { ...common, 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' }
  const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers['x-ms-range'] ?? headers.range ?? ''))
  if (!range) return { status: 200, headers: { ...kind, 'content-md5': md5 }, body: content }
  const from = Number(range[1])
  const to = Math.min(content.length - 1, range[2] ? Number(range[2]) : Infinity)
  if (from > to) return failure(416, 'InvalidRange')
  const place = { 'content-range': `bytes ${from}-${to}/${content.length}` }
  return { status: 206, headers: { ...kind, ...place }, body: content.subarray(from, to + 1) }
}

const common = { 'x-ms-version': '2025-11-05', 'x-ms-blob-type': 'BlockBlob' }

function failure(status: number, code: string): Answer {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code></Error>`
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body }
}
