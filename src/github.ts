import { getOctokit } from '@actions/github'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { RequestError } from '@octokit/request-error'
import Bottleneck from 'bottleneck/light.js'
import { Response } from 'undici'
import type { z } from 'zod'
import { outOfTime, RetentionError } from './errors.js'
import { through, type Fetch } from './fetching.js'
import { explain, flawOf, isSlowDown, statusOf, unexpected } from './github-errors.js'
import { readLinks, type Page } from './listing.js'
import type { Pacer } from './pacing.js'
import type { Clock } from './ports.js'

export interface GitHubOptions {
  readonly apiUrl: string
  readonly token: string
  readonly fetch: Fetch
  readonly clock: Clock
  readonly pacer: Pacer
  /** Hears what the client waits for. */
  readonly told: (message: string) => void
  /** Aborted when a person or the runner ends the run. */
  readonly cancelled: AbortSignal
}

/** Data that need not be sent again as long as they are the same. */
export interface Tagged<T> {
  readonly data: T
  readonly etag: string | undefined
}

interface GetOptions<T> {
  /** Another error than the usual one for a status. */
  readonly special?: (error: RequestError) => RetentionError | undefined
  /** What was answered before. https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests */
  readonly known?: Tagged<T> | undefined
}

type Query = Record<string, string | number | Record<string, string>>

const retries = 4
/** Milliseconds for which a read is asked for again and again while GitHub limits it. */
const longestPatience = 300_000
/** Seconds to wait for a limit that does not say how long. */
const unmarkedLimitWait = 60
/** Seconds; a run does not wait longer for a limit. */
const longestLimitWait = 3600

/**
 * GitHub's REST API as every client of it asks: paced, with its limits waited for and transient failures repeated.
 */
export class GitHub {
  readonly #octokit: ReturnType<typeof getOctokit>
  readonly #options: GitHubOptions
  /** Rejects when the run is cancelled. */
  readonly #cancelled: Promise<never>
  #worked = false

  constructor(options: GitHubOptions) {
    this.#options = options
    this.#cancelled = rejectionOf(options.cancelled)
    const fetch = paced(readingWhole(options.fetch), options.pacer)
    this.#octokit = createOctokit({ ...options, fetch })
  }

  /** Whether any request has succeeded, so that the token is a good one. */
  get hasWorked(): boolean {
    return this.#worked
  }

  /**
   * Reads and checks what is at a path, with what its links say.
   *
   * @throws RetentionError
   */
  async get<T>(
    path: string,
    query: Query,
    schema: z.ZodType<T>,
    { special, known }: GetOptions<T> = {},
  ): Promise<Tagged<T> & Page<T>> {
    const headers = known?.etag === undefined ? {} : { 'if-none-match': known.etag }
    const answer = await this.request(path, { ...query, headers }).catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error
      if (error.status === 304) return undefined
      throw special?.(error) ?? explain(error, path)
    })
    if (answer === undefined) return { ...unchanged(path, known), next: undefined, last: undefined }
    const parsed = schema.safeParse(answer.data)
    if (!parsed.success) throw unexpected(path, flawOf(parsed.error))
    return { data: parsed.data, ...readLinks(answer.headers.link), etag: answer.headers.etag }
  }

  /** A request with what plugin-retry leaves open: limits, and a 401 in a run that has worked. */
  async request(path: string, query: Query) {
    const { clock, pacer } = this.#options
    const patience = clock.now() + longestPatience
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once('GET', path, query)
      } catch (error) {
        const hasPatience = attempt < retries || (isLimit(error) && clock.now() < patience)
        const wait = hasPatience ? this.#waitFor(error, attempt) : undefined
        if (wait === undefined) throw error
        await pacer.wait(wait)
      }
    }
  }

  /** @param retries how often plugin-retry may repeat it; its own number when undefined */
  async once(method: 'GET' | 'DELETE', path: string, query: Query, retries?: 0) {
    try {
      // plugin-retry counts in this object; without one of its own, requests would share their waits.
      const request = retries === undefined ? {} : { retries }
      const asked = this.#octokit.request(`${method} ${path}`, { ...query, request })
      // The plugins wait on timers of their own, and a cancelled run must not wait with them.
      const answer = await (retries === 0 ? asked : Promise.race([asked, this.#cancelled]))
      this.#worked = true
      return { data: answer.data as unknown, headers: answer.headers }
    } catch (error) {
      throw error instanceof Error && error.cause instanceof RetentionError ? error.cause : error
    }
  }

  /** GitHub asks to slow down. @returns milliseconds to wait, or undefined when no run waits so long */
  slowDown(error: RequestError): number | undefined {
    const { pacer, told } = this.#options
    const seconds = waitOf(error)
    if (!(seconds > 0 && seconds <= longestLimitWait)) return undefined
    const wait = 1000 * seconds
    const isNews = pacer.slowDown(wait)
    if (isNews) told(slowDownWords(error.status, seconds, pacer, wait))
    return wait
  }

  /** Milliseconds after which the same request is worth another try, or undefined. For limits the pacer waits. */
  #waitFor(error: unknown, attempt: number): number | undefined {
    if (statusOf(error) === 401 && this.#worked) return 2000 * (attempt + 1)
    return isLimit(error) && this.slowDown(error) !== undefined ? 0 : undefined
  }
}

/** Reads answers to their end, so that one that is cut off counts as a lost connection and is tried again. */
function readingWhole(fetch: Fetch): Fetch {
  return async (url, init) => {
    const answer = await fetch(url, init)
    if (answer.body === null) return answer
    const { status, headers } = answer
    return new Response(await answer.arrayBuffer(), { status, headers })
  }
}

/**
 * Lets nothing out before the pacer does, whoever asks: what a plugin repeats is counted too. A delete has waited for
 * its turn already.
 */
function paced(fetch: Fetch, pacer: Pacer): Fetch {
  const read = through(pacer.api, fetch)
  return async (url, init) => {
    const asked = init?.method === 'DELETE' ? fetch(url, init) : read(url, init).catch(ended)
    const answer = await asked
    pacer.observe(answer.headers)
    return answer
  }
}

/** Octokit passes an error of this name on as it is; any other it would take for a lost connection and try again. */
function ended(cause: unknown): never {
  if (!(cause instanceof RetentionError)) throw cause
  throw Object.assign(new Error('the run has ended', { cause }), { name: 'AbortError' })
}

function rejectionOf(cancelled: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    const end = () => {
      reject(outOfTime('the run was cancelled'))
    }
    if (cancelled.aborted) end()
    cancelled.addEventListener('abort', end)
  })
  // Nobody may be waiting when it comes.
  rejection.catch(ignore)
  return rejection
}

/**
 * The pacer alone lets requests out and waits for limits. Its rules take the place of the throttling plugin's by that
 * plugin's own options, and plugin-retry is left with what has no limit to it: server errors and lost connections.
 */
function createOctokit({ apiUrl, token, fetch }: GitHubOptions) {
  const unlimited = new Bottleneck.Group({ maxConcurrent: null, timeout: 120_000 })
  const options = {
    baseUrl: apiUrl,
    userAgent: 'ghcr-retention',
    // The plugins' own words would repeat what the run tells already.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    request: { fetch },
    throttle: {
      write: unlimited,
      // The plugin takes this option too, but its types leave it out.
      ...{ global: unlimited },
      onSecondaryRateLimit: () => false,
      // An hour of quota is never waited for: the run stops cleanly instead.
      onRateLimit: () => false,
    },
    // plugin-retry would repeat a 429 without waiting for it.
    retry: { retries: 4, doNotRetry: [400, 401, 403, 404, 410, 422, 429, 451] },
  }
  return getOctokit(token, options, throttling, retry)
}

function ignore(): void {
  // Nothing to do.
}

/** A service that says "not modified" to somebody who asked for no such thing is broken. */
function unchanged<T>(path: string, known: T | undefined): T {
  if (known !== undefined) return known
  throw unexpected(path, 'the status is 304')
}

export function isLimit(error: unknown): error is RequestError {
  return error instanceof RequestError && isSlowDown(error)
}

/** Seconds that GitHub asks to wait, or are to be waited where it does not say. */
export function waitOf(error: RequestError): number {
  return Number(error.response?.headers['retry-after']) || unmarkedLimitWait
}

function slowDownWords(status: number, seconds: number, pacer: Pacer, wait: number): string {
  const asked = `GitHub asks to slow down (${status})`
  if (!pacer.hasTimeFor(wait))
    return `${asked} and to wait ${seconds} s, for which the time budget does not last.`
  const pace = Math.round(pacer.perMinute)
  return `${asked}; waiting ${seconds} s, then at most ${pace} deletes a minute.`
}
