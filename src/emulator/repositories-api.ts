import { failure } from './api-answers.js'
import { json, segmentsOf, type Answer, type Ask } from './http.js'
import { linkHeader, pageOf, type Page } from './paging.js'
import type { Pull, RepositoryState } from './repositories.js'
import { wireBranch, wirePull } from './repositories-wire.js'
import type { Store } from './store.js'
import { hasScope, mayReadRepository, type RepositoryPermission, type Token } from './tokens.js'

/** A list of a repository, and what a token needs for that of a private one. */
interface RefList {
  readonly permission: RepositoryPermission
  readonly docs: string
  readonly rows: (source: Source, page: Page) => { rows: unknown[]; total: number }
}

/** Where a list comes from; `base` is the API's origin, with `/api/v3` on GHES. */
interface Source {
  readonly store: Store
  readonly ask: Ask
  readonly state: RepositoryState
  readonly base: string
}

const docs = 'https://docs.github.com/rest'
const lists: Partial<Record<string, RefList>> = {
  pulls: {
    permission: 'pull-requests',
    docs: `${docs}/pulls/pulls#list-pull-requests`,
    rows: listPulls,
  },
  branches: {
    permission: 'contents',
    docs: `${docs}/branches/branches#list-branches`,
    rows: listBranches,
  },
}

/** Whether a path without the prefix of GHES is that of a list of pull requests or branches. */
export function isRefList(path: string): boolean {
  return placeOf(path) !== undefined
}

/** Answers such a list; undefined for any other path. */
export function answerRefList(
  store: Store,
  ask: Ask,
  path: string,
  caller: 'anonymous' | Token,
  base: string,
): Answer | undefined {
  const place = placeOf(path)
  if (!place) return undefined
  const { list } = place
  const state =
    place.id === undefined
      ? store.repositories.find(place.owner, place.name)
      : store.repositories.findById(place.id)
  const headers = permissionHeaders(list, caller)
  const refusal = refusalOf(state, list, caller)
  if (!state || refusal)
    return withHeaders(refusal ?? failure(404, 'Not Found', list.docs), headers)
  const page = pageOf(ask.query)
  const { rows, total } = list.rows({ store, ask, state, base }, page)
  const url = `${base}/repositories/${state.id}/${place.word}`
  const link = linkHeader(url, ask.query, page, total)
  return json(200, rows, link === undefined ? headers : { ...headers, link })
}

/** `/repos/{owner}/{repo}/pulls`, or by the numeric id, as links have it. */
function placeOf(path: string) {
  const [space, ...rest] = segmentsOf(path) ?? []
  const byName = space === 'repos' && rest.length === 3
  const byId = space === 'repositories' && rest.length === 2
  const word = rest.at(-1) ?? ''
  const list = byName || byId ? lists[word] : undefined
  const [owner = '', name = ''] = rest
  return list && { list, word, owner, name, id: byId ? Number(owner) : undefined }
}

/**
 * GitHub needs no permission at all to tell of a public repository, by its documentation. What a token must not know of
 * is not there; what its job has not permitted is forbidden.
 */
function refusalOf(
  state: RepositoryState | undefined,
  list: RefList,
  caller: 'anonymous' | Token,
): Answer | undefined {
  const notThere = failure(404, 'Not Found', list.docs)
  if (!state) return notThere
  if (!state.isPrivate) return undefined
  if (caller === 'anonymous') return notThere
  if (caller.kind === 'classic') return hasScope(caller, 'repo') ? undefined : notThere
  if (caller.repository !== state.fullName.toLowerCase()) return notThere
  if (mayReadRepository(caller, list.permission)) return undefined
  const kind = caller.kind === 'fine-grained' ? 'personal access token' : 'integration'
  return failure(403, `Resource not accessible by ${kind}`, list.docs)
}

function withHeaders(answer: Answer, headers: Record<string, string>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

/** @see https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible */
function permissionHeaders(list: RefList, caller: 'anonymous' | Token): Record<string, string> {
  if (caller === 'anonymous' || caller.kind === 'classic') return {}
  return { 'x-accepted-github-permissions': `${list.permission.replace('-', '_')}=read` }
}

function listBranches({ state, base }: Source, page: Page) {
  const names = state.branches()
  const url = `${base}/repos/${state.fullName}`
  return { rows: cut(names, page).map((name) => wireBranch(url, name)), total: names.length }
}

/** The sorts `popularity` and `long-running` are taken for `created`. */
function listPulls({ store, ask, state, base }: Source, page: Page) {
  const wanted = ask.query.get('state') ?? 'open'
  const found = state
    .pulls()
    .filter((pull) => wanted === 'all' || (pull.closedAt === undefined) === (wanted !== 'closed'))
    .sort(inOrder(ask.query))
  const owner = { account: store.accounts.ensure(state.owner, 'Organization'), base }
  return { rows: cut(found, page).map((pull) => wirePull(owner, state, pull)), total: found.length }
}

/** Newest first when sorted by creation, else oldest first, unless the query says otherwise. */
function inOrder(query: URLSearchParams): (a: Pull, b: Pull) => number {
  const byUpdate = query.get('sort') === 'updated'
  const usual = (query.get('sort') ?? 'created') === 'created' ? 'desc' : 'asc'
  const sign = (query.get('direction') ?? usual) === 'asc' ? 1 : -1
  const timeOf = (pull: Pull) => (byUpdate ? pull.updatedAt : pull.createdAt)
  return (a, b) => sign * (timeOf(a) - timeOf(b) || a.number - b.number)
}

function cut<Row>(rows: Row[], { number, size }: Page): Row[] {
  return rows.slice((number - 1) * size, number * size)
}
