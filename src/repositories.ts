import type { RequestError } from '@octokit/request-error'
import { z } from 'zod'
import { RetentionError } from './errors.js'
import { GitHub, type GitHubOptions, type Tagged } from './github.js'
import { explain, unexpected } from './github-errors.js'
import { pageSize, type Page } from './listing.js'
import type { NotKnown, Refs } from './model.js'
import { branchSlugs } from './policy/refs.js'

/** What rules ask of a repository. */
export interface RefNeeds {
  readonly pulls: boolean
  readonly branches: boolean
}

/** A list that a repository has. */
interface RefList<T> {
  readonly what: string
  readonly path: string
  readonly query: Record<string, string>
  readonly rows: z.ZodType<T[]>
  /** What a job has to permit its token. */
  readonly permission: string
}

const openPulls: RefList<number> = {
  what: 'pull requests',
  path: 'pulls',
  query: { state: 'open', sort: 'created', direction: 'asc' },
  rows: z.array(z.object({ number: z.number().int() }).transform(({ number }) => number)),
  permission: 'pull-requests: read',
}
const branches: RefList<string> = {
  what: 'branches',
  path: 'branches',
  query: {},
  rows: z.array(z.object({ name: z.string() }).transform(({ name }) => name)),
  permission: 'contents: read',
}

/** A page as it was read last. */
type KnownPage<T> = Tagged<T[]> & Page<T[]>
type KnownPages<T> = Map<number, KnownPage<T>>

/** Of a list that goes on changing; two that agree are enough. */
const mostPasses = 4
/** A list that goes on for longer is none of GitHub's. */
const mostPages = 10_000
const notAsked: NotKnown = { why: 'no rule asks for it' }

/**
 * The open pull requests and the branches of repositories. What is missed here may cost an image its life, so a list
 * counts only with all its pages. https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
 * and https://docs.github.com/en/rest/branches/branches#list-branches
 */
export class RepositoryClient {
  readonly #github: GitHub
  readonly #afford: (requests: number) => void
  /** By repository. */
  readonly #knownPulls = new Map<string, KnownPages<number>>()
  readonly #knownBranches = new Map<string, KnownPages<string>>()

  constructor(options: GitHubOptions) {
    this.#github = new GitHub(options)
    this.#afford = (requests) => {
      options.pacer.afford(requests)
    }
  }

  /**
   * Looks up what is there now; again, it costs nothing of the quota as long as nothing has changed. What cannot be
   * looked up is not known, with words that say what to do about it.
   *
   * @param repository `owner/name`
   * @throws RetentionError `out-of-time`, `out-of-quota`: nothing else could be asked for either
   */
  async lookUp(repository: string, needs: RefNeeds): Promise<Refs> {
    const pulls = needs.pulls ? await this.#list(repository, openPulls, this.#knownPulls) : notAsked
    const names = needs.branches
      ? await this.#list(repository, branches, this.#knownBranches)
      : notAsked
    return { openPullRequests: pulls, branches: 'why' in names ? names : slugsOf(names) }
  }

  async #list<T>(
    repository: string,
    list: RefList<T>,
    knownOf: Map<string, KnownPages<T>>,
  ): Promise<ReadonlySet<T> | NotKnown> {
    const known = knownOf.get(repository) ?? new Map<number, KnownPage<T>>()
    knownOf.set(repository, known)
    try {
      return await listWhole(new Pages(this.#github, repository, list, known, this.#afford))
    } catch (error) {
      if (!(error instanceof RetentionError) || endsRun(error)) throw error
      return { why: `${error.message}. ${error.hint.replace(/\.$/, '')}` }
    }
  }
}

/** Letters that tools spell in ways of their own when they make a tag of them: `ß` becomes `ss` or `-`. */
function isOtherScript(branch: string): boolean {
  return /[^\p{ASCII}\p{M}]/u.test(branch.normalize('NFKD'))
}

/** A repository that has pushed anything has a branch, so a list without any is no list of them. */
function slugsOf(names: ReadonlySet<string>): ReadonlySet<string> | NotKnown {
  if (names.size === 0) return { why: 'GitHub names not one branch' }
  const odd = [...names].find(isOtherScript)
  if (odd !== undefined) return { why: `how a tag spells the branch ${odd} cannot be known` }
  return branchSlugs(names)
}

function endsRun({ code }: RetentionError): boolean {
  return code === 'out-of-time' || code === 'out-of-quota'
}

/**
 * All rows of a list. Those that come or go while it is read move others from page to page: what goes moves them to
 * pages that were read already, or, for a reader that goes backwards, to pages that are still to be read; with what
 * comes it is the other way round. So a list of several pages is read in both ways, and what any pass saw counts.
 */
async function listWhole<T>(pages: Pages<T>): Promise<Set<T>> {
  const seen = new Set<T>()
  let previous: ReadonlySet<T> | undefined
  for (let pass = 0; pass < mostPasses; pass++) {
    const rows = new Set(await (pass % 2 === 0 ? pages.forwards() : pages.backwards()))
    for (const row of rows) seen.add(row)
    if (pages.count === 1 || (previous !== undefined && isSame(rows, previous))) break
    previous = rows
  }
  return seen
}

function isSame<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((row) => b.has(row))
}

/** The pages of one list. One that is the same as before costs nothing of the quota. */
class Pages<T> {
  readonly #github: GitHub
  readonly #path: string
  readonly #repository: string
  readonly #list: RefList<T>
  readonly #afford: (requests: number) => void
  readonly #known: KnownPages<T>
  #count = 1

  constructor(
    github: GitHub,
    repository: string,
    list: RefList<T>,
    known: KnownPages<T>,
    afford: (requests: number) => void,
  ) {
    const [owner = '', name = ''] = repository.split('/').map(encodeURIComponent)
    this.#path = `/repos/${owner}/${name}/${list.path}`
    this.#github = github
    this.#repository = repository
    this.#list = list
    this.#known = known
    this.#afford = afford
  }

  /** How many there were when they were read last. */
  get count(): number {
    return this.#count
  }

  async forwards(): Promise<T[]> {
    return this.#from(1)
  }

  async backwards(): Promise<T[]> {
    const last = this.#count
    const rows = await this.#from(last)
    for (let number = last - 1; number > 0; number--) rows.push(...(await this.#read(number)).data)
    return rows
  }

  async #from(first: number): Promise<T[]> {
    const rows: T[] = []
    for (let number: number | undefined = first; number !== undefined;) {
      const page: Page<T[]> = await this.#read(number)
      rows.push(...page.data)
      this.#count = number
      number = this.#after(number, page)
    }
    return rows
  }

  /** A page that is full may have another after it, whether a link says so or not. */
  #after(number: number, { data, next }: Page<T[]>): number | undefined {
    const after = next ?? (data.length >= pageSize ? number + 1 : undefined)
    if (after === undefined || (after === number + 1 && after <= mostPages)) return after
    throw unexpected(this.#path, `page ${after} is to follow on page ${number}`)
  }

  async #read(number: number): Promise<KnownPage<T>> {
    const { query, rows } = this.#list
    const known = this.#known.get(number)
    const asked = { ...query, per_page: pageSize, page: number }
    const special = (error: RequestError) => this.#denied(error)
    const page = await this.#github.get(this.#path, asked, rows, { known, special })
    // What is unchanged comes without its links.
    if (page.data === known?.data) return known
    this.#known.set(number, page)
    // The rest of this pass, and another one.
    if (known === undefined && number === 1 && page.last !== undefined)
      this.#afford(2 * page.last - 1)
    return page
  }

  /** The usual words are about packages. */
  #denied(error: RequestError): RetentionError | undefined {
    const { code, message } = explain(error, this.#path)
    const hint = this.#hintFor(error.status)
    return code === 'permission' && hint !== undefined
      ? new RetentionError(code, message, hint, error)
      : undefined
  }

  #hintFor(status: number): string | undefined {
    const { what, permission } = this.#list
    if (status === 404)
      return `Either there is no repository ${this.#repository}, or the token may not see it: GITHUB_TOKEN sees its own repository and public ones, a classic token needs the scope "repo" for private ones.`
    if (status !== 403) return undefined
    return `Reading ${what} takes "${permission}" among the permissions of the job for GITHUB_TOKEN, and the scope "repo" for private repositories on a classic token.`
  }
}
