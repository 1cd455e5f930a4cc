import { getOctokit } from '@actions/github'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { RequestError } from '@octokit/request-error'
import Bottleneck from 'bottleneck/light.js'
import { Response } from 'undici'
import { z } from 'zod'
import { outOfTime, type RetentionError } from './errors.js'
import type { Fetch } from './fetching.js'
import {
  accountNotFound,
  cannotListPackages,
  deleteAnswer,
  explain,
  isPrimaryLimit,
  isSecondaryLimit,
  messageOf,
  statusOf,
  unexpected,
} from './github-errors.js'
import { listWhole, pageSize, readLinks, versionPage, type Page } from './listing.js'
import type { PackageVersion } from './model.js'
import type { Pacer } from './pacing.js'
import type { Clock, DeleteAnswer, VersionDeleter, VersionLister } from './ports.js'

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
}

const limitRetries = 4
const unmarkedLimitWait = 60
/** Milliseconds; plugin-retry waits 1, 4, 9 and at last 16 seconds. */
const longestRetryWait = 16_000

const accountBody = z.object({ login: z.string(), type: z.enum(['User', 'Organization']) })
const ownAccountBody = z.object({ login: z.string() })
const packageBody = z.object({ name: z.string(), version_count: z.number() })
const packagePage = z.array(z.object({ name: z.string() }))

/** A delete that may have worked or not, without time for another try. Octokit lets an AbortError pass. */
class OutOfTime extends Error {
  override readonly name = 'AbortError'
}

/** Reads an answer to its end, so that one that is cut off counts as a lost connection and is tried again. */
async function whole(answer: Response): Promise<Response> {
  if (answer.body === null) return answer
  const { status, headers } = answer
  return new Response(await answer.arrayBuffer(), { status, headers })
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
  #worked = false

  constructor(options: PackagesOptions) {
    this.#options = options
    this.#octokit = createOctokit({ ...options, fetch: this.#watchDeletes(options) })
  }

  /** Remembers deletes without an answer, and lets none be tried again for which no time is left. */
  #watchDeletes({ fetch, apiUrl, pacer }: PackagesOptions): Fetch {
    return async (url, init) => {
      if (init?.method !== 'DELETE' || typeof url !== 'string') return whole(await fetch(url, init))
      const unanswered = (what: string) => {
        this.#unanswered.add(url.slice(apiUrl.length))
        if (!pacer.hasTimeFor(longestRetryWait)) throw new OutOfTime(what)
      }
      const answer = await fetch(url, init).catch((error: unknown) => {
        unanswered('GitHub gave no answer')
        throw error
      })
      if (answer.status >= 500) unanswered(`GitHub answered ${answer.status}`)
      return answer
    }
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
    const found = await this.#get(path, {}, accountBody, (error) =>
      error.status === 404 ? accountNotFound(login, error) : undefined,
    )
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
        (error) => (error.status === 400 ? cannotListPackages(account.login, error) : undefined),
      )
      names.push(...answer.data.map(({ name }) => name))
      page = answer.next
    }
    return [...new Set(names)]
  }

  /** The versions of one package. Nothing is requested yet. */
  openPackage(account: Account, name: string): PackageClient {
    const path = packagePath(account, name)
    return {
      listVersions: () => this.#listVersions(path),
      deleteVersion: ({ id }) => this.#deleteVersion(`${path}/versions/${id}`),
    }
  }

  #listVersions(path: string): Promise<PackageVersion[]> {
    return listWhole({
      page: (page) =>
        this.#get(`${path}/versions`, { per_page: pageSize, page, state: 'active' }, versionPage),
      count: async () => (await this.#get(path, {}, packageBody)).data.version_count,
    })
  }

  /** Deletes one version. Never throws: what went wrong is the answer. */
  async #deleteVersion(path: string): Promise<DeleteAnswer> {
    try {
      await this.#request('DELETE', path, {})
      return { status: 'deleted' }
    } catch (error) {
      if (statusOf(error) === 404) return this.#missing(path, error)
      if (error instanceof OutOfTime) return this.#uncertain(path, error)
      return deleteAnswer(error)
    }
  }

  /** A 404 to a delete means that the version is gone, or that the token may not delete here; looking tells which. */
  async #missing(path: string, error: unknown): Promise<DeleteAnswer> {
    try {
      await this.#request('GET', path, {})
    } catch (second) {
      // A delete whose answer was lost has worked when the version is gone afterwards.
      if (statusOf(second) === 404)
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

  /** After the last delete that time allowed: looking tells whether it worked. */
  async #uncertain(path: string, { message }: OutOfTime): Promise<DeleteAnswer> {
    const gone = await this.#request('GET', path, {}).then(
      () => false,
      (error: unknown) => statusOf(error) === 404,
    )
    const why = `${message}, and the time budget bears no other try`
    return gone ? { status: 'deleted' } : { status: 'limited', why }
  }

  async #get<T>(
    path: string,
    query: Record<string, string | number>,
    schema: z.ZodType<T>,
    special: (error: RequestError) => RetentionError | undefined = () => undefined,
  ): Promise<Page<T>> {
    if (!this.#options.pacer.hasTimeFor(0)) throw outOfTime()
    const answer = await this.#request('GET', path, query).catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error
      throw special(error) ?? explain(error, path)
    })
    const parsed = schema.safeParse(answer.data)
    if (!parsed.success) throw unexpected(path, parsed.error)
    return { data: parsed.data, ...readLinks(answer.headers.link) }
  }

  /** One request with what the plugins leave open: a 401 in a run that has worked, and a 429 without a mark. */
  async #request(method: 'GET' | 'DELETE', path: string, query: Record<string, string | number>) {
    for (let attempt = 0; ; attempt++) {
      try {
        // plugin-retry counts in this object; without one of its own, requests would share their waits.
        const answer = await this.#octokit.request(`${method} ${path}`, { ...query, request: {} })
        this.#worked = true
        this.#options.pacer.observe(answer.headers)
        return { data: answer.data as unknown, headers: answer.headers }
      } catch (error) {
        const wait = this.#waitFor(error, attempt)
        if (wait === undefined || attempt >= limitRetries) throw error
        await this.#options.clock.sleep(wait)
      }
    }
  }

  /** Milliseconds after which the same request is worth another try, or undefined. */
  #waitFor(error: unknown, attempt: number): number | undefined {
    if (!(error instanceof RequestError)) return undefined
    const { pacer, told } = this.#options
    pacer.observe(error.response?.headers ?? {})
    if (error.status === 401 && this.#worked) return 2000 * (attempt + 1)
    if (error.status !== 429 || isPrimaryLimit(error) || isSecondaryLimit(error)) return undefined
    const seconds = Number(error.response?.headers['retry-after']) || unmarkedLimitWait
    const wait = 1000 * seconds * (attempt + 1)
    pacer.slowDown(wait)
    if (!pacer.hasTimeFor(wait)) return undefined
    told(`GitHub answered 429; waiting ${wait / 1000} s.`)
    return wait
  }
}

/** The throttling plugin recognises limits and waits; the pace of deletion itself is the pacer's. */
function createOctokit({ apiUrl, token, fetch, pacer, told }: PackagesOptions) {
  const options = {
    baseUrl: apiUrl,
    userAgent: 'ghcr-retention',
    // The plugins' own words would repeat what the run tells already.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    request: { fetch },
    throttle: {
      write: new Bottleneck.Group({ maxConcurrent: null, timeout: 120_000 }),
      onSecondaryRateLimit: (retryAfter: number, _: unknown, __: unknown, retryCount: number) => {
        const wait = retryAfter * 1000
        pacer.slowDown(wait)
        const retrying = retryCount < limitRetries && pacer.hasTimeFor(wait)
        if (retrying)
          told(`GitHub asks to slow down (secondary rate limit); waiting ${retryAfter} s.`)
        return retrying
      },
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

/** Octokit would encode a slash in a path parameter; here the path is made by hand, once. */
function packagePath(account: Account, name: string): string {
  return `${account.route}/packages/container/${encodeURIComponent(name)}`
}
