import { CacheStorage, storagePath } from './cache-storage.js'
import type { Admission, Backend } from './exchange.js'
import { authorizationOf, json, type Answer, type Ask } from './http.js'

/** One entry as it was saved. It never changes: a key can be saved once. */
export interface CacheEntry {
  readonly key: string
  /** A hash of the paths and the compression; entries of another version are never found. */
  readonly version: string
  /** Epoch ms. */
  readonly savedAt: number
  readonly blob: string
}

interface Reservation {
  readonly key: string
  readonly version: string
  readonly blob: string
}

const servicePath = '/twirp/github.actions.results.api.v1.CacheService/'

/**
 * The cache of GitHub Actions, version 2 of its service, for one branch: entries that are found by their whole key or
 * by the beginning of one, the newest first. Any runtime token is good.
 */
export class CacheService implements Backend {
  readonly service = 'cache'
  /** Everything that was saved, oldest first. */
  readonly entries: CacheEntry[] = []
  /** Tokens of untrusted events may only read. */
  readOnly = false
  private readonly reservations: Reservation[] = []
  private readonly storage: CacheStorage

  constructor(
    private readonly now: () => number,
    origin: () => string,
  ) {
    this.storage = new CacheStorage(now, origin)
  }

  /** What an entry holds. */
  contentOf({ blob }: CacheEntry): Uint8Array {
    return this.storage.content(blob) ?? new Uint8Array()
  }

  /** Puts something else into an entry, as only an accident or an attacker would. */
  alter({ blob }: CacheEntry, content: Uint8Array): void {
    this.storage.alter(blob, content)
  }

  kindOf() {
    return 'other' as const
  }

  /** Requests to the cache weigh nothing against the API's points. */
  pointsOf(): number {
    return 0
  }

  admit(): Admission {
    return { refusal: undefined, finish: (answer) => answer, leave: () => undefined }
  }

  answer(ask: Ask): Answer {
    if (ask.path.startsWith(storagePath)) return this.storage.answer(ask)
    const call = ask.path.startsWith(servicePath) ? ask.path.slice(servicePath.length) : ''
    if (ask.method !== 'POST' || call === '') return twirpError(404, 'bad_route', 'no handler')
    if (!authorizationOf(ask)?.credentials) return twirpError(401, 'unauthenticated', 'no token')
    return this.call(call, readRequest(ask))
  }

  private call(name: string, request: Request): Answer {
    switch (name) {
      case 'GetCacheEntryDownloadURL':
        return this.find(request)
      case 'CreateCacheEntry':
        return this.reserve(request)
      case 'FinalizeCacheEntryUpload':
        return this.complete(request)
      default:
        return twirpError(404, 'bad_route', `no handler for ${name}`)
    }
  }

  private find({ key, restoreKeys, version }: Request): Answer {
    const newestFirst = this.entries.filter((entry) => entry.version === version).reverse()
    const found =
      newestFirst.find((entry) => entry.key === key) ??
      [key, ...restoreKeys]
        .map((prefix) => newestFirst.find((entry) => entry.key.startsWith(prefix)))
        .find((entry) => entry !== undefined)
    if (found === undefined) return json(200, { ok: false })
    const address = this.storage.addressOf(found.blob, 'r')
    return json(200, { ok: true, signed_download_url: address, matched_key: found.key })
  }

  private reserve({ key, version }: Request): Answer {
    if (this.readOnly) {
      return twirpError(403, 'permission_denied', 'cache write denied: the token may only read')
    }
    const taken = [...this.entries, ...this.reservations].some(
      (one) => one.key === key && one.version === version,
    )
    if (taken) return twirpError(409, 'already_exists', 'cache entry with the same key exists')
    const blob = this.storage.reserve()
    this.reservations.push({ key, version, blob })
    return json(200, { ok: true, signed_upload_url: this.storage.addressOf(blob, 'w') })
  }

  private complete({ key, version, size }: Request): Answer {
    const at = this.reservations.findIndex((one) => one.key === key && one.version === version)
    const reservation = this.reservations[at]
    if (!reservation) return twirpError(404, 'not_found', 'no such upload')
    if (this.storage.content(reservation.blob)?.length !== size) {
      return twirpError(400, 'invalid_argument', 'the upload has another size')
    }
    this.reservations.splice(at, 1)
    this.entries.push({ ...reservation, savedAt: this.now() })
    return json(200, { ok: true, entry_id: String(this.entries.length) })
  }
}

interface Request {
  readonly key: string
  readonly version: string
  readonly restoreKeys: readonly string[]
  readonly size: number
}

/** Protocol buffers as JSON leave out what is empty. */
function readRequest(ask: Ask): Request {
  const body = JSON.parse(Buffer.from(ask.body).toString() || '{}') as {
    key?: string
    version?: string
    restore_keys?: string[]
    size_bytes?: string
  }
  const { key = '', version = '', restore_keys: restoreKeys = [], size_bytes: size = '0' } = body
  return { key, version, restoreKeys, size: Number(size) }
}

/** @see https://twitchtv.github.io/twirp/docs/errors.html */
function twirpError(status: number, code: string, msg: string): Answer {
  return json(status, { code, msg })
}
