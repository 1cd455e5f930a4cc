import type { Account } from './accounts.js'
import { segmentsOf, type Ask } from './http.js'
import type { Store } from './store.js'

/** In whose name a path asks: an organization, a user, or the token's own user. */
export type Form = 'org' | 'user' | 'self'

/** The operations of the Packages API. */
export type Operation =
  | 'list packages'
  | 'get package'
  | 'delete package'
  | 'restore package'
  | 'list versions'
  | 'get version'
  | 'delete version'
  | 'restore version'

/** A path of the Packages API, taken apart. */
export interface Route {
  operation: Operation
  form: Form
  /** The account of the path, when it exists; for `self` it is the token's user. */
  account: Account | undefined
  /** `/api/v3` on GHES, else empty. */
  prefix: string
  packageType: string
  name: string
  versionId: string
}

/** Takes the prefix off that GitHub Enterprise Server has before every path of its API. */
export function withoutPrefix(path: string): { prefix: string; path: string } {
  const prefix = '/api/v3'
  return path.startsWith(`${prefix}/`)
    ? { prefix, path: path.slice(prefix.length) }
    : { prefix: '', path }
}

/** Finds the operation of a request; undefined when the Packages API has no such route. */
export function routeOf(ask: Ask, store: Store, login: string | undefined): Route | undefined {
  const { prefix, path } = withoutPrefix(ask.path)
  const place = namespaceOf(segmentsOf(path) ?? [], store, login)
  if (!place) return undefined
  const [packageType = '', name = '', versions, versionId = '', restore] = place.rest
  const operation = operationOf(ask.method, place.rest, [versions, restore])
  const { form, account } = place
  return operation && { operation, form, account, prefix, packageType, name, versionId }
}

interface Place {
  form: Form
  account: Account | undefined
  /** What follows `/packages/`. */
  rest: string[]
}

function namespaceOf(
  segments: string[],
  store: Store,
  login: string | undefined,
): Place | undefined {
  const [space, owner = '', packages] = segments
  if (space === 'user' && owner === 'packages') {
    const account = login === undefined ? undefined : store.accounts.find(login)
    return { form: 'self', account, rest: segments.slice(2) }
  }
  if (packages !== 'packages') return undefined
  const found = spaces[space ?? '']
  return found && { ...found(store, owner), rest: segments.slice(3) }
}

type Finder = (store: Store, owner: string) => Omit<Place, 'rest'>

/** An organization's login under /users, or a user's under /orgs, finds nothing (GitHub's answer is not recorded). */
const spaces: Partial<Record<string, Finder>> = {
  orgs: (store, owner) => org(store.accounts.find(owner)),
  organizations: (store, owner) => org(store.accounts.findById(Number(owner))),
  users: (store, owner) => user(store.accounts.find(owner)),
  user: (store, owner) => user(store.accounts.findById(Number(owner))),
}

function org(account: Account | undefined): Omit<Place, 'rest'> {
  return { form: 'org', account: account?.type === 'Organization' ? account : undefined }
}

function user(account: Account | undefined): Omit<Place, 'rest'> {
  return { form: 'user', account: account?.type === 'User' ? account : undefined }
}

const operations: Partial<Record<string, Operation>> = {
  'GET 0': 'list packages',
  'GET 2': 'get package',
  'DELETE 2': 'delete package',
  'POST 3 restore': 'restore package',
  'GET 3 versions': 'list versions',
  'GET 4 versions': 'get version',
  'DELETE 4 versions': 'delete version',
  'POST 5 versions restore': 'restore version',
}

function operationOf(
  method: string,
  rest: string[],
  words: (string | undefined)[],
): Operation | undefined {
  if (rest.some((segment) => segment === '')) return undefined
  const asked = method === 'HEAD' ? 'GET' : method
  const key = [asked, rest.length, ...words.filter((word) => word !== undefined)].join(' ')
  return operations[key]
}
