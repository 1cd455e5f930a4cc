import type { Account } from './accounts.js'
import { failure, notFound } from './api-answers.js'
import { bare, json, type Answer, type Ask } from './http.js'
import { docsOf, roleFor } from './packages-permissions.js'
import type { Operation, Route } from './packages-routes.js'
import { wirePackage, wireVersion, type Owner } from './packages-wire.js'
import type { PackageState, Version } from './package-state.js'
import { linkHeader, pageOf } from './paging.js'
import type { Store } from './store.js'
import { hasRole, type Token } from './tokens.js'

/** All that an operation may look at. */
export interface Errand {
  store: Store
  ask: Ask
  route: Route
  token: Token
  /** Origin of the API and prefix of its paths. */
  base: string
}

/** Downloads from which GitHub no longer deletes a public version.
 * @see https://docs.github.com/packages/learn-github-packages/deleting-and-restoring-a-package */
const undeletableAbove = 5000

const packageTypes = new Set(['npm', 'maven', 'rubygems', 'docker', 'nuget', 'container'])

const operations: Record<Operation, (errand: Errand) => Answer> = {
  'list packages': listPackages,
  'get package': (errand) =>
    withPackage(errand, (state, owner) => json(200, wirePackage(owner, state))),
  'delete package': (errand) => withPackage(errand, (state) => deletePackage(errand, state)),
  'restore package': restorePackage,
  'list versions': (errand) =>
    withPackage(errand, (state, owner) => listVersions(errand, state, owner)),
  'get version': (errand) =>
    withVersion(errand, 'active', (state, row, owner) => json(200, wireVersion(owner, state, row))),
  'delete version': (errand) =>
    withVersion(errand, 'active', (state, row) => deleteVersion(errand, state, row)),
  'restore version': (errand) =>
    withVersion(errand, 'deleted', (state, row) => restoreVersion(errand, state, row)),
}

/** Performs an operation for a token that has passed the checks of kind and scopes. */
export function perform(errand: Errand): Answer {
  return operations[errand.route.operation](errand)
}

function listPackages({ store, ask, route, token, base }: Errand): Answer {
  const type = ask.query.get('package_type') ?? ''
  // A missing or unknown type: the status is the documented one, the wording is not recorded.
  if (!packageTypes.has(type)) return failure(400, 'Invalid argument.', docsOf(route))
  if (type === 'container' && token.kind !== 'classic') {
    return failure(400, 'Invalid argument.', docsOf(route))
  }
  if (!route.account) return notFound()
  const page = pageOf(ask.query)
  if (page.number * page.size > 10_000) {
    const message = 'The value of `per_page` multiplied by `page` cannot be greater than 10000.'
    return failure(400, message, docsOf(route))
  }
  const owner = { account: route.account, base }
  const visibility = ask.query.get('visibility')
  const seen = (type === 'container' ? store.packagesOf(owner.account.login) : [])
    .filter((state) => mayRead(token, state))
    .filter((state) => visibility === null || state.visibility === visibility)
  const rows = seen.slice((page.number - 1) * page.size, page.number * page.size)
  const url = `${ownerUrl(route, owner)}/packages`
  return listAnswer(
    rows.map((state) => wirePackage(owner, state)),
    linkHeader(url, ask.query, page, seen.length),
  )
}

function listVersions({ store, ask, route }: Errand, state: PackageState, owner: Owner): Answer {
  const page = pageOf(ask.query)
  const offset = (page.number - 1) * page.size
  const deleted = ask.query.get('state') === 'deleted' && store.restorable(state.deleted())
  const rows = deleted ? deleted.slice(offset, offset + page.size) : state.page(offset, page.size)
  const name = encodeURIComponent(state.name)
  const url = `${ownerUrl(route, owner)}/packages/container/${name}/versions`
  return listAnswer(
    rows.map((row) => wireVersion(owner, state, row)),
    linkHeader(url, ask.query, page, deleted ? deleted.length : state.versionCount),
  )
}

/** Links name the owner by number. For users GitHub's form is inferred from its other links. */
function ownerUrl(route: Route, { account, base }: Owner): string {
  return `${base}/${route.form === 'org' ? 'organizations' : 'user'}/${account.id}`
}

function listAnswer(rows: unknown[], link: string | undefined): Answer {
  return json(200, rows, link === undefined ? {} : { link })
}

function deletePackage({ store, route }: Errand, state: PackageState): Answer {
  if (state.visibility === 'public' && state.page().some(isPopular)) {
    const message =
      'Publicly visible packages with a version with more than 5000 downloads cannot be deleted. contact GitHub support for further assistance'
    return failure(400, message, docsOf(route))
  }
  store.deletePackage(state.account, state.name)
  return bare(204)
}

/** Which rule GitHub looks at first when both forbid the delete is not known; here it is the last tagged one. */
function deleteVersion({ store, route }: Errand, state: PackageState, row: Version): Answer {
  if (row.tags.length > 0 && !state.isTaggedWithout(row)) {
    const message =
      'You cannot delete the last tagged version of a package. You must delete the package instead.'
    return failure(400, message, docsOf(route))
  }
  if (state.visibility === 'public' && isPopular(row)) {
    const message =
      'Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.'
    return failure(400, message, docsOf(route))
  }
  state.remove(row, store.now())
  return bare(204)
}

function isPopular(row: Version): boolean {
  return row.downloads > undeletableAbove
}

/** How GitHub refuses a restore is not recorded; here what cannot be restored is not found. */
function restoreVersion({ store, route }: Errand, state: PackageState, row: Version): Answer {
  if (store.restorable([row]).length === 0 || state.find(row.digest)) return noVersion(route)
  state.restore(row, store.now())
  return bare(204)
}

function restorePackage({ store, route, token }: Errand): Answer {
  const account = route.account?.login ?? ''
  if (route.packageType !== 'container' || !hasRole(token, account, route.name, 'admin')) {
    return noPackage(route)
  }
  return store.restorePackage(account, route.name) ? bare(204) : noPackage(route)
}

function withPackage(
  { store, route, token, base }: Errand,
  use: (state: PackageState, owner: Owner) => Answer,
): Answer {
  const account: Account | undefined = route.account
  const state = account && store.package(account.login, route.name)
  if (!state || route.packageType !== 'container') return noPackage(route)
  const allowed =
    roleFor(route.operation) === 'read'
      ? mayRead(token, state)
      : hasRole(token, state.account, state.name, 'admin')
  return allowed ? use(state, { account, base }) : noPackage(route)
}

function withVersion(
  errand: Errand,
  which: 'active' | 'deleted',
  use: (state: PackageState, row: Version, owner: Owner) => Answer,
): Answer {
  const { route } = errand
  return withPackage(errand, (state, owner) => {
    if (!/^\d+$/.test(route.versionId)) {
      // The wording is recorded, its status is not.
      return failure(400, 'The version_id parameter must be an integer.', docsOf(route))
    }
    const row = state.version(Number(route.versionId), which)
    return row ? use(state, row, owner) : noVersion(route)
  })
}

/** An app's installation token sees nothing without a role of its own, public or not. */
function mayRead(token: Token, state: PackageState): boolean {
  if (state.visibility === 'public' && token.kind !== 'app') return true
  return hasRole(token, state.account, state.name, 'read')
}

function noPackage(route: Route): Answer {
  return failure(404, 'Package not found.', docsOf(route))
}

function noVersion(route: Route): Answer {
  return failure(404, 'Package version not found.', docsOf(route))
}
