import { RequestError } from '@octokit/request-error'
import { z } from 'zod'
import { GitHub, isLimit, waitOf, type GitHubOptions, type Tagged } from './github.js'
import {
  accountNotFound,
  cannotListPackages,
  deleteAnswer,
  isSlowDown,
  isUnanswered,
  messageOf,
  passing,
  statusOf,
} from './github-errors.js'
import {
  listWhole,
  pageSize,
  versionPage,
  type ListingSource,
  type Page,
  type VersionBody,
} from './listing.js'
import type { DeleteAnswer, VersionDeleter, VersionLister } from './ports.js'
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

const accountBody = z.object({ login: z.string(), type: z.enum(['User', 'Organization']) })
const ownAccountBody = z.object({ login: z.string() })
const packageBody = z.object({ name: z.string(), version_count: z.number() })
const packagePage = z.array(z.object({ name: z.string() }))

/** One package of an account, as the core sees it. */
export type PackageClient = VersionLister & VersionDeleter

/**
 * GitHub's Packages API for container images. Transient failures are retried, limits are waited for, and a listing is
 * whole or refused. https://docs.github.com/en/rest/packages/packages
 */
export class PackagesClient {
  readonly #github: GitHub
  readonly #options: GitHubOptions
  /** Paths of deletes that GitHub may have carried out although no answer said so. */
  readonly #unanswered = new Set<string>()

  constructor(options: GitHubOptions) {
    this.#options = options
    this.#github = new GitHub(options)
  }

  /**
   * Finds out whether a login is a user or an organization; undefined stands for the token's own account.
   *
   * @throws RetentionError `account-not-found`, `permission`, `unavailable`
   */
  async findAccount(login: string | undefined): Promise<Account> {
    if (login === undefined) {
      const own = await this.#github.get('/user', {}, ownAccountBody)
      return { login: own.data.login, type: 'User', route: '/user' }
    }
    const path = `/users/${encodeURIComponent(login)}`
    const found = await this.#github.get(path, {}, accountBody, {
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
      const answer: Page<{ name: string }[]> = await this.#github.get(
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
      const answer = await this.#github.get(`${path}/versions`, query, versionPage, { known })
      if (page === 1) first = answer
      return answer
    }
    return {
      page: (page) => read(page),
      firstAgain: async () => (await read(1, first)).data,
      count: async () => (await this.#github.get(path, {}, packageBody)).data.version_count,
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
      await this.#github.once('DELETE', path, {}, 0)
      return { status: 'deleted' }
    } catch (error) {
      if (!(error instanceof RequestError)) return deleteAnswer(error)
      if (error.status === 404) return this.#missing(path, error)
      if (isUnanswered(error)) return this.#lookFor(path, error)
      if (isSlowDown(error)) return this.#limited(error)
      return error.status === 401 && this.#github.hasWorked ? passing(error) : deleteAnswer(error)
    }
  }

  /** A 404 to a delete means that the version is gone, or that the token may not delete here; looking tells which. */
  async #missing(path: string, error: RequestError): Promise<DeleteAnswer> {
    try {
      await this.#github.request(path, {})
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
    const gone = await this.#github.once('GET', path, {}, 0).then(
      () => false,
      (second: unknown) => {
        if (isLimit(second)) this.#github.slowDown(second)
        return statusOf(second) === 404
      },
    )
    return gone ? { status: 'deleted' } : passing(error)
  }

  /** What is said of a delete that GitHub limited. */
  #limited(error: RequestError): DeleteAnswer {
    const why = `GitHub asks to wait ${formatDuration(1000 * waitOf(error))}`
    return { status: 'limited', wait: this.#github.slowDown(error), why }
  }
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
