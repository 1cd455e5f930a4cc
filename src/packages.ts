import { getOctokit } from '@actions/github'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { RequestError } from '@octokit/request-error'
import Bottleneck from 'bottleneck/light.js'
import { Response } from 'undici'
import { z } from 'zod'
import { outOfTime, RetentionError } from './errors.js'
import { through, type Fetch } from './fetching.js'
import {
  accountNotFound,
  cannotListPackages,
  deleteAnswer,
  explain,
  flawOf,
  isSlowDown,
  isUnanswered,
  messageOf,
  passing,
  statusOf,
  unexpected,
} from './github-errors.js'
import {
  listWhole,
  pageSize,
  readLinks,
  versionPage,
  type ListingSource,
  type Page,
  type VersionBody,
} from './listing.js'
import type { Pacer } from './pacing.js'
import type { Clock, DeleteAnswer, VersionDeleter, VersionLister } from './ports.js'
import { listAgain } from './relisting.js'
import { formatDuration } from './policy/durations.js'

/** The account that owns the packages, with the routes its packages answer under. */
export interface Account {
  /** As GitHub spells it. */
  readonly login: string
  readonly type: 'User' | 'Organization'
  /** `/orgs/{login}`, `/users/{login}`, or `/user` for the token's own account. */
  readonly route: string
}

export interface PackagesOptions {
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
interface Tagged<T> {
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

const accountBody = z.object({ login: z.string(), type: z.enum(['User', 'Organization']) })
const ownAccountBody = z.object({ login: z.string() })
const packageBody = z.object({ name: z.string(), version_count: z.number() })
const packagePage = z.array(z.object({ name: z.string() }))

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

/** One package of an account, as the core sees it. */
export type PackageClient = VersionLister & VersionDeleter

/**
 * GitHub's Packages API for container images. Transient failures are retried, limits are waited for, and a listing is
 * whole or refused. https://docs.github.com/en/rest/packages/packages
 */
export class PackagesClient {
  readonly #octokit: ReturnType<typeof getOctokit>
  readonly #options: PackagesOptions
  /** Paths of deletes that GitHub may have carried out although no answer said so. */
  readonly #unanswered = new Set<string>()
  /** Rejects when the run is cancelled. */
  readonly #cancelled: Promise<never>
  #worked = false

  constructor(options: PackagesOptions) {
    this.#options = options
    this.#cancelled = rejectionOf(options.cancelled)
    const fetch = paced(readingWhole(options.fetch), options.pacer)
    this.#octokit = createOctokit({ ...options, fetch })
  }

  /**
   * Finds out whether a login is a user or an organization; undefined stands for the token's own account.
   *
   * @throws RetentionError `account-not-found`, `permission`, `unavailable`
   */
  async findAccount(login: string | undefined): Promise<Account> {
    if (login === undefined) {
      const own = await this.#get('/user', {}, ownAccountBody)
      return { login: own.data.login, type: 'User', route: '/user' }
    }
    const path = `/users/${encodeURIComponent(login)}`
    const found = await this.#get(path, {}, accountBody, {
      special: (error) => (error.status === 404 ? accountNotFound(login, error) : undefined),
    })
    const { type } = found.data
    return {
      ...found.data,
      route: `/${type === 'Organization' ? 'orgs' : 'users'}/${encodeURIComponent(found.data.login)}`,
    }
  }

  /**
   * The names of all container packages of an account.
   *
   * @throws RetentionError `cannot-list-packages` for tokens that GitHub does not let list
   */
  async listPackageNames(account: Account): Promise<string[]> {
    const names: string[] = []
    for (let page: number | undefined = 1; page !== undefined;) {
      const query = { package_type: 'container', per_page: pageSize, page }
      const answer: Page<{ name: string }[]> = await this.#get(
        `${account.route}/packages`,
        query,
        packagePage,
        {
          special: (error) =>
            error.status === 400 ? cannotListPackages(account.login, error) : undefined,
        },
      )
      names.push(...answer.data.map(({ name }) => name))
      page = answer.next
    }
    return [...new Set(names)]
  }

  /**
   * The versions of one package. Nothing is requested yet.
   *
   * @param listed hears of every page of a listing: how many were read, and of how many
   */
  openPackage(
    account: Account,
    name: string,
    listed: (pages: number, of: number) => void,
  ): PackageClient {
    const path = packagePath(account, name)
    const source = this.#pagesOf(path, `${account.login}/${name}`)
    return {
      listVersions: () => listWhole(counting(source, listed)),
      listAgain: (known, wanted, overlooked) => listAgain(source, known, wanted, overlooked),
      deleteVersion: ({ id }) => this.#deleteVersion(`${path}/versions/${id}`),
    }
  }

  #pagesOf(path: string, label: string): ListingSource {
    const { pacer, told } = this.#options
    let first: Tagged<VersionBody[]> | undefined
    const read = async (page: number, known?: Tagged<VersionBody[]>) => {
      const query = { per_page: pageSize, page, state: 'active' }
      const answer = await this.#get(`${path}/versions`, query, versionPage, { known })
      if (page === 1) first = answer
      return answer
    }
    return {
      page: (page) => read(page),
      firstAgain: async () => (await read(1, first)).data,
      count: async () => (await this.#get(path, {}, packageBody)).data.version_count,
      afford: (requests) => {
        pacer.afford(requests)
      },
      pause: async (milliseconds) => {
        if (!pacer.hasTimeFor(milliseconds)) return false
        const again = `it is listed again in ${milliseconds / 1000} s`
        told(`${label}: something else pushes to it or deletes from it; ${again}.`)
        await pacer.wait(milliseconds)
        return true
      },
    }
  }

  /** Asks once. The plugins would try again after a wait, in which the plan may have become wrong. */
  async #deleteVersion(path: string): Promise<DeleteAnswer> {
    try {
      await this.#once('DELETE', path, {}, 0)
      return { status: 'deleted' }
    } catch (error) {
      if (!(error instanceof RequestError)) return deleteAnswer(error)
      if (error.status === 404) return this.#missing(path, error)
      if (isUnanswered(error)) return this.#lookFor(path, error)
      if (isSlowDown(error)) return this.#limited(error)
      return error.status === 401 && this.#worked ? passing(error) : deleteAnswer(error)
    }
  }

  /** A 404 to a delete means that the version is gone, or that the token may not delete here; looking tells which. */
  async #missing(path: string, error: RequestError): Promise<DeleteAnswer> {
    try {
      await this.#request(path, {})
    } catch (second) {
      if (!(second instanceof RequestError))
        return { status: 'limited', wait: undefined, why: messageOf(second) }
      // A delete whose answer was lost has worked when the version is gone afterwards.
      if (second.status === 404)
        return { status: this.#unanswered.has(path) ? 'deleted' : 'already-gone' }
      return deleteAnswer(second)
    }
    return {
      status: 'denied',
      everywhere: false,
      why: `GitHub answered 404 (${messageOf(error)}) although the version is there, as it does when the Admin role is missing`,
      hint: 'Give the repository the Admin role in the package settings under "Manage Actions access", or use a classic token of a package admin.',
    }
  }

  /** A delete whose answer was lost has worked when the version is gone afterwards. */
  async #lookFor(path: string, error: RequestError): Promise<DeleteAnswer> {
    this.#unanswered.add(path)
    const gone = await this.#once('GET', path, {}, 0).then(
      () => false,
      (second: unknown) => {
        if (isLimit(second)) this.#slowDown(second)
        return statusOf(second) === 404
      },
    )
    return gone ? { status: 'deleted' } : passing(error)
  }

  async #get<T>(
    path: string,
    query: Query,
    schema: z.ZodType<T>,
    { special, known }: GetOptions<T> = {},
  ): Promise<Tagged<T> & Page<T>> {
    const headers = known?.etag === undefined ? {} : { 'if-none-match': known.etag }
    const answer = await this.#request(path, { ...query, headers }).catch((error: unknown) => {
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
  async #request(path: string, query: Query) {
    const { clock, pacer } = this.#options
    const patience = clock.now() + longestPatience
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once('GET', path, query)
      } catch (error) {
        const hasPatience = attempt < retries || (isLimit(error) && clock.now() < patience)
        const wait = hasPatience ? this.#waitFor(error, attempt) : undefined
        if (wait === undefined) throw error
        await pacer.wait(wait)
      }
    }
  }

  /** @param retries how often plugin-retry may repeat it; its own number when undefined */
  async #once(method: 'GET' | 'DELETE', path: string, query: Query, retries?: 0) {
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

  /** Milliseconds after which the same request is worth another try, or undefined. For limits the pacer waits. */
  #waitFor(error: unknown, attempt: number): number | undefined {
    if (statusOf(error) === 401 && this.#worked) return 2000 * (attempt + 1)
    return isLimit(error) && this.#slowDown(error) !== undefined ? 0 : undefined
  }

  /** What is said of a delete that GitHub limited. */
  #limited(error: RequestError): DeleteAnswer {
    const why = `GitHub asks to wait ${formatDuration(1000 * waitOf(error))}`
    return { status: 'limited', wait: this.#slowDown(error), why }
  }

  /** GitHub asks to slow down. @returns milliseconds to wait, or undefined when no run waits so long */
  #slowDown(error: RequestError): number | undefined {
    const { pacer, told } = this.#options
    const seconds = waitOf(error)
    if (!(seconds > 0 && seconds <= longestLimitWait)) return undefined
    const wait = 1000 * seconds
    const isNews = pacer.slowDown(wait)
    if (isNews) told(slowDownWords(error.status, seconds, pacer, wait))
    return wait
  }
}

/**
 * The pacer alone lets requests out and waits for limits. Its rules take the place of the throttling plugin's by that
 * plugin's own options, and plugin-retry is left with what has no limit to it: server errors and lost connections.
 */
function createOctokit({ apiUrl, token, fetch }: PackagesOptions) {
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

function isLimit(error: unknown): error is RequestError {
  return error instanceof RequestError && isSlowDown(error)
}

/** Seconds that GitHub asks to wait, or are to be waited where it does not say. */
function waitOf(error: RequestError): number {
  return Number(error.response?.headers['retry-after']) || unmarkedLimitWait
}

function slowDownWords(status: number, seconds: number, pacer: Pacer, wait: number): string {
  const asked = `GitHub asks to slow down (${status})`
  if (!pacer.hasTimeFor(wait))
    return `${asked} and to wait ${seconds} s, for which the time budget does not last.`
  const pace = Math.round(pacer.perMinute)
  return `${asked}; waiting ${seconds} s, then at most ${pace} deletes a minute.`
}

/** The same pages, with somebody who hears how many were read. */
function counting(
  source: ListingSource,
  listed: (pages: number, of: number) => void,
): ListingSource {
  let read = 0
  let all = 1
  return {
    ...source,
    page: async (number) => {
      if (number === 1) read = 0
      const page = await source.page(number)
      all = Math.max(all, number, page.last ?? 1)
      listed(Math.min(++read, all), all)
      return page
    },
  }
}

/** Octokit would encode a slash in a path parameter; here the path is made by hand, once. */
function packagePath(account: Account, name: string): string {
  return `${account.route}/packages/container/${encodeURIComponent(name)}`
}
