import { getOctokit } from '@actions/github'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { RequestError } from '@octokit/request-error'
import Bottleneck from 'bottleneck/light.js'
import { Response } from 'undici'
import { z } from 'zod'
import { outOfTime, RetentionError } from './errors.js'
import type { Fetch } from './fetching.js'
import { isDigest, type PackageVersion } from './model.js'
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

/** https://docs.github.com/en/rest/packages/packages: the most rows that a page may have. */
const pageSize = 100
const pagesAtOnce = 8
const listingAttempts = 4
const limitRetries = 4
const unmarkedLimitWait = 60
/** Milliseconds; plugin-retry waits 1, 4, 9 and at last 16 seconds. */
const longestRetryWait = 16_000

const accountBody = z.object({ login: z.string(), type: z.enum(['User', 'Organization']) })
const ownAccountBody = z.object({ login: z.string() })
const packageBody = z.object({ name: z.string(), version_count: z.number() })
const packagePage = z.array(z.object({ name: z.string() }))
const time = z.string().nullish().transform(timeOf)
const versionBody = z.object({
  id: z.number().int(),
  name: z.string().refine(isDigest, 'is not a sha256 digest'),
  created_at: time,
  updated_at: time,
  metadata: z.object({ container: z.object({ tags: z.array(z.string()) }) }),
})
const versionPage = z.array(versionBody)

type VersionBody = z.infer<typeof versionBody>
interface Page<T> {
  readonly data: T
  readonly next: number | undefined
  readonly last: number | undefined
}

/** Only a full ISO time counts, and none from before GitHub: a zero time is unknown, not old. */
function timeOf(text: string | null | undefined): number | undefined {
  const milliseconds = /^\d{4}-\d\d-\d\dT/.test(text ?? '') ? Date.parse(text ?? '') : NaN
  return milliseconds > Date.UTC(2008) ? milliseconds : undefined
}

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
        (error) => (error.status === 400 ? cannotListPackages(account, error) : undefined),
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

  /**
   * Every version of a package. A listing counts only when its first page is unchanged at its end, no row came twice,
   * and its length is the package's own count, or when two listings in a row agree although the count differs.
   *
   * @throws RetentionError `listing-not-whole` when it never settles, `permission` when the package cannot be seen
   */
  async #listVersions(path: string): Promise<PackageVersion[]> {
    let previous: string | undefined
    let problem = ''
    for (let attempt = 0; attempt < listingAttempts; attempt++) {
      const listing = await this.#listOnce(path)
      if (typeof listing === 'string') {
        problem = listing
        previous = undefined
        continue
      }
      const { rows, count } = listing
      const fingerprint = JSON.stringify(rows)
      if (rows.length === count || fingerprint === previous) return rows.map(versionOf)
      previous = fingerprint
      problem = `it has ${rows.length} versions, and the package counts ${count}`
    }
    throw new RetentionError(
      'listing-not-whole',
      `the listing of versions did not settle in ${listingAttempts} attempts: ${problem}`,
      'Run again when nothing else pushes to or deletes from this package.',
    )
  }

  /**
   * One pass over all pages. The count is asked for after page 1: a push after that changes page 1, and a delete after
   * that makes the rows too few, so that the two cannot hide each other.
   *
   * @returns the rows and the package's own count of them, or in words why the pass cannot be trusted
   */
  async #listOnce(path: string): Promise<{ rows: VersionBody[]; count: number } | string> {
    const fetchPage = (page: number) =>
      this.#get(`${path}/versions`, { per_page: pageSize, page, state: 'active' }, versionPage)
    const first = await fetchPage(1)
    const { version_count: count } = (await this.#get(path, {}, packageBody)).data
    const pages = [first]
    const known = first.last ?? 1
    for (let from = 2; from <= known; from += pagesAtOnce) {
      const numbers = Array.from(
        { length: Math.min(pagesAtOnce, known + 1 - from) },
        (_, i) => from + i,
      )
      pages.push(...(await Promise.all(numbers.map(fetchPage))))
    }
    await this.#followOn(pages, fetchPage)
    if (pages.length > 1) {
      const again = await fetchPage(1)
      if (JSON.stringify(again.data) !== JSON.stringify(first.data))
        return 'page 1 changed meanwhile'
    }
    const rows = joinPages(pages)
    return typeof rows === 'string' ? rows : { rows, count }
  }

  /** Reads on while there may be more: a link names the next page, or the last page is full and no link says so. */
  async #followOn(
    pages: Page<VersionBody[]>[],
    fetchPage: (page: number) => Promise<Page<VersionBody[]>>,
  ): Promise<void> {
    for (let last = pages.at(-1); last !== undefined; last = pages.at(-1)) {
      if (last.next === undefined && last.data.length < pageSize) return
      const page = await fetchPage(last.next ?? pages.length + 1)
      if (last.next === undefined && page.data.length === 0) return
      pages.push(page)
    }
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

function versionOf(body: VersionBody): PackageVersion {
  return {
    id: body.id,
    digest: body.name,
    tags: body.metadata.container.tags,
    createdAt: body.created_at,
    updatedAt: body.updated_at,
  }
}

/** Rows that moved between pages show as a row that came twice or as a page of another length than the rest. */
function joinPages(pages: readonly Page<VersionBody[]>[]): VersionBody[] | string {
  const full = pages[0]?.data.length
  const short = pages.findIndex(
    ({ data }, index) => index < pages.length - 1 && data.length !== full,
  )
  if (short !== -1)
    return `page ${short + 1} has ${pages[short]?.data.length ?? 0} rows, and the first has ${full ?? 0}`
  const empty = pages.findIndex(({ data }, index) => index > 0 && data.length === 0)
  if (empty !== -1) return `page ${empty + 1} is empty although the page before it names it`
  const rows = pages.flatMap(({ data }) => data)
  if (new Set(rows.map(({ id }) => id)).size < rows.length)
    return 'a version came twice, so rows moved between pages'
  return rows
}

/**
 * Page numbers by the `rel` of their link.
 * https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
 *
 * @throws RetentionError `unexpected-answer` when there is a next page whose number cannot be read
 */
function readLinks(header: string | undefined): {
  next: number | undefined
  last: number | undefined
} {
  const links = [...(header ?? '').matchAll(/<([^<>]*)>([^,<]*)/g)]
  const pages = new Map(
    links.map(([, address = '', parameters = '']) => linkOf(address, parameters)),
  )
  const [next, last] = [pages.get('next'), pages.get('last')]
  if (next !== undefined && !(next > 1)) throw unreadableLink(header ?? '')
  return { next, last: Number.isNaN(last) ? undefined : last }
}

/** The `rel` of a link and the page number in its address, NaN when there is none. */
function linkOf(address: string, parameters: string): [rel: string, page: number] {
  const rel = /;\s*rel="?([a-z]+)"?/i.exec(parameters)?.[1] ?? ''
  return [rel.toLowerCase(), Number(/[?&]page=(\d+)/.exec(address)?.[1])]
}

function unreadableLink(header: string): RetentionError {
  return new RetentionError(
    'unexpected-answer',
    `GitHub names a next page in a form that cannot be followed: ${header}`,
    'The listing would not be whole, so nothing can be decided on it. If it persists, please report it.',
  )
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RequestError ? error.status : undefined
}

/** What the service said, without the documentation link that Octokit appends. */
function messageOf(error: unknown): string {
  const body = z.object({ message: z.string() }).safeParse((error as RequestError).response?.data)
  if (body.success) return body.data.message
  return error instanceof Error ? error.message : String(error)
}

function isSecondaryLimit({ status, message }: RequestError): boolean {
  return (status === 403 || status === 429) && /\bsecondary rate\b/i.test(message)
}

function isPrimaryLimit({ status, response }: RequestError): boolean {
  return (status === 403 || status === 429) && response?.headers['x-ratelimit-remaining'] === '0'
}

function deleteAnswer(error: unknown): DeleteAnswer {
  const why = messageOf(error)
  if (!(error instanceof RequestError)) return { status: 'failed', why, hint: reportHint }
  if (error.status === 400 && /last tagged version|more than 5000 downloads/i.test(why)) {
    return { status: 'retained', why }
  }
  if (isPrimaryLimit(error)) {
    return { status: 'limited', why: 'the hourly quota of the API is used up' }
  }
  if (isSecondaryLimit(error) || error.status === 429) {
    return { status: 'limited', why: 'GitHub keeps asking to slow down' }
  }
  if (error.status === 403) {
    const everywhere = /scopes? to delete|resource not accessible/i.test(why)
    return {
      status: 'denied',
      everywhere,
      why: `GitHub answered 403 (${why})`,
      hint: permissionHint,
    }
  }
  return { status: 'failed', why: `${answerWords(error)} (${why})`, hint: retryHint }
}

const permissionHint =
  'A classic token needs read:packages and delete:packages; GITHUB_TOKEN needs "packages: write" and the Admin role on the package (package settings, "Manage Actions access").'
const retryHint = 'The next run tries again. If it persists, look at githubstatus.com.'
const reportHint = 'Please report this with the debug log.'

/** Octokit calls a broken connection a 500; only an answer has a response. */
function answerWords({ status, response }: RequestError): string {
  return response === undefined ? 'GitHub gave no answer' : `GitHub answered ${status}`
}

/** Turns what Octokit throws into words for the reader. */
function explain(error: RequestError, path: string): RetentionError {
  const said = `${answerWords(error)} to GET ${path} (${messageOf(error)})`
  if (isPrimaryLimit(error)) {
    return new RetentionError(
      'unavailable',
      said,
      'The hourly quota is used up; run again in the next hour.',
      error,
    )
  }
  const hints: Partial<Record<number, string>> = {
    401: badTokenHint,
    403: permissionHint,
    404: notFoundHint,
  }
  const hint = isSecondaryLimit(error) ? undefined : hints[error.status]
  if (hint !== undefined) return new RetentionError('permission', said, hint, error)
  return new RetentionError('unavailable', said, retryHint, error)
}

const badTokenHint =
  'GitHub does not know this token: it may be mistyped, expired or revoked. Check the token input.'
const notFoundHint =
  'Either there is no such package, or the token may not see it. Check account and image-names, and give the repository access in the package settings under "Manage Actions access".'

function accountNotFound(login: string, cause: unknown): RetentionError {
  return new RetentionError(
    'account-not-found',
    `there is no user or organization "${login}"`,
    'Check the account input; "user" stands for the account of the token.',
    cause,
  )
}

function cannotListPackages(account: Account, cause: unknown): RetentionError {
  return new RetentionError(
    'cannot-list-packages',
    `GitHub does not let this token list the packages of ${account.login} (${messageOf(cause)})`,
    'A pattern in image-names needs a classic personal access token with read:packages. With GITHUB_TOKEN, give exact names.',
    cause,
  )
}

function unexpected(path: string, error: z.ZodError): RetentionError {
  const issue = error.issues[0]
  return new RetentionError(
    'unexpected-answer',
    `GET ${path} was answered in a shape that is not GitHub's: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    'Nothing can be decided on such an answer. If it persists, please report it.',
    error,
  )
}
