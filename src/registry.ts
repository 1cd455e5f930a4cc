import { createHash } from 'node:crypto'
import { z } from 'zod'
import { outOfTime, RetentionError } from './errors.js'
import type { Fetch } from './fetching.js'
import type { Digest, Manifest } from './model.js'
import { acceptedMediaTypes, parseLabels, parseLifetimeSource, parseManifest } from './oci.js'
import type { Clock } from './ports.js'

export interface RegistryOptions {
  readonly registryUrl: string
  readonly token: string
  readonly fetch: Fetch
  readonly clock: Clock
  /** A number from 0 to 1 for the jitter between tries. */
  readonly random: () => number
  /** Hears that the registry limits reads, and for how many milliseconds none should go out. */
  readonly slowDown: (wait: number) => void
  /** Whether the time budget bears a wait of so many milliseconds. */
  readonly hasTimeFor: (wait: number) => boolean
}

type Answer = Awaited<ReturnType<Fetch>>
type Method = 'GET' | 'HEAD'

/** A document that the registry keeps under its digest. */
interface Target {
  readonly kind: 'manifest' | 'config'
  readonly digest: Digest
}

interface Content {
  readonly body: Buffer
  readonly contentType: string | undefined
}

/** A try that failed: with an answer's status, or without one when the connection broke. */
interface Failure {
  readonly status: number | undefined
  /** Milliseconds that the registry asks to wait. */
  readonly retryAfter: number | undefined
  readonly words: string
}

const tries = 5
const firstWait = 1000
const shortestWait = 100
const longestWait = 60_000
/** GHCR may not know for some seconds what the Packages API lists already. */
const longestLag = 30_000
/** What was there for long does not lag; but one 404 is not believed. */
const longestDoubt = 5000
const mostRedirects = 3

/**
 * Where documents are, and how large they may be. Registries take manifests of up to 4 MiB:
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
 */
const kinds = {
  manifest: { path: 'manifests', accept: acceptedMediaTypes, largest: 8 * 1024 * 1024 },
  config: { path: 'blobs', accept: '*/*', largest: 4 * 1024 * 1024 },
} as const

const tokenBody = z.object({ token: z.string() }).or(z.object({ access_token: z.string() }))

/**
 * Reads manifests, and configs of images, of one repository from a container registry. Every document is checked against
 * its digest.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 *
 * The token goes to the registry's own origin and to nobody else.
 */
export class RegistryClient {
  readonly #options: RegistryOptions
  readonly #repository: string
  #authorization: Promise<string | undefined> | undefined
  #worked = false

  /** @param repository `account/package`; registries know lower case only */
  constructor(repository: string, options: RegistryOptions) {
    this.#repository = repository.toLowerCase()
    this.#options = options
  }

  /**
   * The manifest behind a digest.
   *
   * @throws RetentionError `manifest-unreadable` when it is missing for good, does not hash to its digest or cannot be
   * understood; `permission` when the registry refuses the token; `unavailable` when it keeps failing
   */
  async readManifest(digest: Digest): Promise<Manifest> {
    return this.#read({ kind: 'manifest', digest }, parseManifest)
  }

  /**
   * The lifetime that a runnable image states, as it is written there: by an annotation of its own, else by a label of its
   * config. Both documents are read.
   *
   * @throws RetentionError as {@link readManifest} does; `unexpected-answer` for a config that cannot be used
   */
  async readLifetime(image: Digest): Promise<string | undefined> {
    const source = await this.#read({ kind: 'manifest', digest: image }, parseLifetimeSource)
    const { lifetime, config } = source
    if (lifetime !== undefined || config === undefined) return lifetime
    return this.#read({ kind: 'config', digest: config }, parseLabels)
  }

  /**
   * Whether a manifest can be pulled, asked without its content.
   *
   * @throws RetentionError as {@link readManifest} does, but for a manifest that is missing for good
   */
  async hasManifest(digest: Digest): Promise<boolean> {
    const target: Target = { kind: 'manifest', digest }
    const result = await this.#fetchPatiently(target, 'HEAD')
    if (!('body' in result) && result.status !== 404) throw refusalFor(target, result)
    return 'body' in result
  }

  /** @param parse throws an Error in words for the reader for what it does not understand */
  async #read<T>(
    target: Target,
    parse: (text: string, contentType: string | undefined) => T,
  ): Promise<T> {
    const result = await this.#fetchPatiently(target, 'GET')
    if (!('body' in result)) throw refusalFor(target, result)
    const { body, contentType } = result
    const hash = createHash('sha256').update(body).digest('hex')
    if (`sha256:${hash}` !== target.digest) {
      throw unreadable(target, `its content hashes to sha256:${hash}`)
    }
    try {
      return parse(body.toString('utf8'), contentType)
    } catch (error) {
      throw unreadable(target, error instanceof Error ? error.message : String(error), error)
    }
  }

  /** Tries again what may pass: server errors, limits, lost connections, an expired token, and for a while a 404. */
  async #fetchPatiently(target: Target, method: Method): Promise<Content | Failure> {
    const { clock, random, hasTimeFor, slowDown } = this.#options
    const mayLag = method === 'GET' && target.kind === 'manifest'
    const patience = clock.now() + (mayLag ? longestLag : longestDoubt)
    for (let attempt = 1; ; attempt++) {
      if (!hasTimeFor(0)) throw outOfTime()
      const result = await this.#fetchContent(target, method)
      if ('body' in result) return result
      const wait = waitBefore(attempt, result) * (0.75 + random() / 2)
      const hope =
        result.status === 404
          ? clock.now() + wait <= patience
          : attempt < tries && mayPass(result.status)
      if (!hope) return result
      if (!hasTimeFor(wait)) throw outOfTime()
      if (result.status === 429) slowDown(wait)
      await clock.sleep(wait)
    }
  }

  /** One try. Only what no further try can mend is thrown. */
  async #fetchContent(target: Target, method: Method): Promise<Content | Failure> {
    try {
      const answer = await this.#fetchOnce(target, method)
      if (!answer.ok) return await failureOf(answer, this.#worked)
      const contentType = answer.headers.get('content-type') ?? undefined
      const body = await bodyOf(answer, target)
      this.#worked = true
      return { body, contentType }
    } catch (error) {
      if (error instanceof RetentionError) throw error
      return { status: undefined, retryAfter: undefined, words: wordsOf(error) }
    }
  }

  async #fetchOnce({ kind, digest }: Target, method: Method): Promise<Answer> {
    const { path, accept } = kinds[kind]
    const url = `${this.#options.registryUrl}/v2/${this.#repository}/${path}/${digest}`
    this.#authorization ??= this.#authorize(url)
    const used = this.#authorization
    // One new token serves all reads that wait, when the old one has run out or none was to be had.
    const renew = () => {
      if (this.#authorization === used) this.#authorization = undefined
    }
    const authorization = await used.catch((error: unknown) => {
      renew()
      throw error
    })
    const answer = await this.#follow(url, { method, accept }, authorization)
    if (answer.status === 401 || answer.status === 403) renew()
    return answer
  }

  /** Follows redirects by hand, so that another origin never sees the token. */
  async #follow(
    address: string,
    { method, accept }: { readonly method: Method; readonly accept: string },
    authorization: string | undefined,
  ): Promise<Answer> {
    let url = address
    for (let hop = 0; ; hop++) {
      const own = new URL(url).origin === this.#options.registryUrl
      const headers = {
        accept,
        ...(own && authorization !== undefined ? { authorization } : {}),
      }
      const answer = await this.#options.fetch(url, { method, headers, redirect: 'manual' })
      const location = answer.headers.get('location')
      if (answer.status < 300 || answer.status > 399 || location === null) return answer
      if (hop === mostRedirects) throw new Error('the registry redirects in a circle')
      url = new URL(location, url).href
    }
  }

  /**
   * Asks without a token where to get one; a registry that asks for none gets none.
   * https://distribution.github.io/distribution/spec/auth/token/
   */
  async #authorize(url: string): Promise<string | undefined> {
    const headers = { accept: acceptedMediaTypes }
    const challenge = await this.#options.fetch(url, {
      method: 'HEAD',
      headers,
      redirect: 'manual',
    })
    if (challenge.status !== 401) {
      if (challenge.status >= 500 || challenge.status === 429) throw answered(challenge)
      return undefined
    }
    const basic = Buffer.from(`token:${this.#options.token}`).toString('base64')
    const { realm, service } = readChallenge(challenge.headers.get('www-authenticate') ?? '')
    if (realm === undefined) return `Basic ${basic}`
    const target = new URL(realm, url)
    if (target.origin !== this.#options.registryUrl)
      throw foreignRealm(target.origin, this.#options)
    target.searchParams.set('service', service ?? '')
    target.searchParams.set('scope', `repository:${this.#repository}:pull`)
    return `Bearer ${await this.#exchange(target, basic)}`
  }

  async #exchange(target: URL, basic: string): Promise<string> {
    const headers = { authorization: `Basic ${basic}` }
    const answer = await this.#options.fetch(target.href, { headers, redirect: 'manual' })
    if (answer.status === 401 || answer.status === 403)
      throw denied(this.#repository, answer.status)
    if (!answer.ok) throw answered(answer)
    const body = tokenBody.safeParse(await answer.json())
    if (!body.success) throw new Error('the token endpoint sent no token')
    return 'token' in body.data ? body.data.token : body.data.access_token
  }
}

/** The whole body, unless it is larger than such a document may be: then no more of it is taken. */
async function bodyOf(answer: Answer, target: Target): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > kinds[target.kind].largest)
      throw unreadable(target, `it is larger than any ${target.kind} may be`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function readChallenge(header: string): { realm?: string; service?: string } {
  if (!/^bearer\s/i.test(header)) return {}
  return Object.fromEntries(
    [...header.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, key = '', value = '']) => [key, value]),
  )
}

function answered({ status, url }: Answer): Error {
  return new Error(`${new URL(url).pathname} was answered with ${status}`)
}

/** GHCR calls a token that has run out denied: after reads that worked, a 403 is worth a new token. */
async function failureOf(answer: Answer, worked: boolean): Promise<Failure> {
  const text = await answer.text().catch(() => '')
  const header = Number(answer.headers.get('retry-after') ?? NaN) * 1000
  const retryAfter = Number.isNaN(header) ? hintOf(text) : header
  const status = answer.status === 403 && worked ? 401 : answer.status
  return { status, retryAfter, words: `the registry answered ${answer.status}` }
}

/** GHCR puts a Go duration into the message of a 429: `retry-after: 12.5ms, allowed: 44000/minute`. */
function hintOf(text: string): number | undefined {
  const [, count, unit = ''] = /retry-after: ([\d.]+)(µs|us|ms|s|m)\b/.exec(text) ?? []
  const lengths: Partial<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }
  return count === undefined ? undefined : Number(count) * (lengths[unit] ?? 0.001)
}

/** A failed fetch hides what happened in its cause. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

function mayPass(status: number | undefined): boolean {
  return status === undefined || status >= 500 || [401, 408, 429].includes(status)
}

/** Milliseconds: what the registry asks for, or a wait that doubles with every try. */
function waitBefore(attempt: number, { status, retryAfter }: Failure): number {
  if (status === 401) return 0
  const backoff = firstWait * 2 ** (attempt - 1)
  return retryAfter === undefined ? backoff : Math.min(retryAfter, longestWait) + shortestWait
}

function refusalFor(target: Target, { status, words }: Failure): RetentionError {
  if (status === 404) {
    const promise = target.kind === 'manifest' ? 'lists' : 'has an image with'
    return unreadable(target, `the registry ${promise} it and does not have it (404)`)
  }
  if (status === 401 || status === 403) return deniedDocument(target, words)
  return unavailable(target, words)
}

function nameOf({ kind, digest }: Target): string {
  return kind === 'manifest' ? `the manifest of ${digest}` : `the config ${digest}`
}

function unreadable(target: Target, why: string, cause?: unknown): RetentionError {
  const message = `${nameOf(target)} cannot be used: ${why}`
  if (target.kind === 'config') {
    const hint = 'What its labels say is unknown, so the image stays.'
    return new RetentionError('unexpected-answer', message, hint, cause)
  }
  return new RetentionError(
    'manifest-unreadable',
    message,
    'What it contains is unknown, so nothing in this package is safe to delete. Run again later; if it persists, leave the package out with an exclusion such as !name in image-names.',
    cause,
  )
}

function unavailable(target: Target, why: string): RetentionError {
  return new RetentionError(
    'unavailable',
    `${nameOf(target)} could not be read after ${tries} tries: ${why}`,
    'Run again later. If it persists, look at githubstatus.com.',
  )
}

function deniedDocument(target: Target, words: string): RetentionError {
  return new RetentionError(
    'permission',
    `the registry does not let this token read ${nameOf(target)}: ${words}`,
    'The token needs read:packages, or for GITHUB_TOKEN "packages: read" and access to the package.',
  )
}

function denied(repository: string, status: number): RetentionError {
  return new RetentionError(
    'permission',
    `the registry does not let this token read ${repository} (${status})`,
    'The token needs read:packages, or for GITHUB_TOKEN "packages: read" and access to the package.',
  )
}

function foreignRealm(origin: string, { registryUrl }: RegistryOptions): RetentionError {
  return new RetentionError(
    'permission',
    `${registryUrl} wants the token to be sent to ${origin}, which is another host`,
    'The token was not sent. If this is your registry, give its own address in the registry input.',
  )
}
