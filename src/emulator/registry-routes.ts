import { repositoryOf, type Repository } from './registry-access.js'

/** A path under /v2/, taken apart. */
export type RegistryRoute =
  | { kind: 'base' }
  | { kind: 'token' }
  | { kind: 'storage'; digest: string }
  | { kind: 'invalid name' }
  | { kind: 'unknown' }
  | { kind: 'manifest'; repository: Repository; reference: string }
  | { kind: 'blob'; repository: Repository; digest: string }
  | { kind: 'uploads'; repository: Repository }
  | { kind: 'upload'; repository: Repository; id: string }
  | { kind: 'tags'; repository: Repository }
  | { kind: 'referrers'; repository: Repository; digest: string }

/** Name grammar of the OCI distribution specification. */
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const repositoryName = new RegExp(`^${component}(?:/${component})+$`)

const fixedRoutes: Partial<Record<string, RegistryRoute>> = {
  '/v2': { kind: 'base' },
  '/v2/': { kind: 'base' },
  '/token': { kind: 'token' },
}

/** Finds the route of a path; names are lower-case and have at least an account and a package. */
export function registryRouteOf(path: string): RegistryRoute {
  return fixedRoutes[path] ?? storageRoute(path) ?? uploadRoute(path) ?? repositoryRoute(path)
}

function storageRoute(path: string): RegistryRoute | undefined {
  const [, digest] = /^\/_blob-storage\/([^/]+)$/.exec(path) ?? []
  return digest === undefined ? undefined : { kind: 'storage', digest }
}

function repositoryRoute(path: string): RegistryRoute {
  const [, name, kind = '', rest = ''] =
    /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(path) ?? []
  if (name === undefined) return { kind: 'unknown' }
  if (!repositoryName.test(name)) return { kind: 'invalid name' }
  return withinRepository(repositoryOf(name), kind, rest)
}

function withinRepository(repository: Repository, kind: string, rest: string): RegistryRoute {
  if (rest === '' || rest.includes('/')) return { kind: 'unknown' }
  if (kind === 'manifests') return { kind: 'manifest', repository, reference: rest }
  if (kind === 'blobs') return { kind: 'blob', repository, digest: rest }
  if (kind === 'referrers') return { kind: 'referrers', repository, digest: rest }
  return rest === 'list' ? { kind: 'tags', repository } : { kind: 'unknown' }
}

function uploadRoute(path: string): RegistryRoute | undefined {
  const [, name, id] = /^\/v2\/(.+)\/blobs\/uploads?\/([^/]*)$/.exec(path) ?? []
  if (name === undefined || id === undefined) return undefined
  if (!repositoryName.test(name)) return { kind: 'invalid name' }
  const repository = repositoryOf(name)
  return id === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id }
}
