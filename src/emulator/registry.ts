import type { Admission, Backend } from './exchange.js'
import { authorizationOf, bare, json, type Answer, type Ask } from './http.js'
import type { RegistryLimiter } from './limits.js'
import {
  fullName,
  isAnswer,
  RegistryAccess,
  type Access,
  type Bearer,
  type Repository,
} from './registry-access.js'
import { denied, refusal, unsupported } from './registry-answers.js'
import { RegistryBlobs } from './registry-blobs.js'
import {
  listTagsAnswer,
  readManifestAnswer,
  writeManifestAnswer,
  type ManifestOptions,
} from './registry-manifests.js'
import { registryRouteOf, type RegistryRoute } from './registry-routes.js'
import type { Store } from './store.js'
import { grantRole } from './tokens.js'

/** Where the two services listen; known once they do. */
export interface Origins {
  api: string
  registry: string
}

/** What can be set for the registry alone. */
export interface RegistryOptions extends ManifestOptions {
  /** Ms after which a token of the registry runs out; default never. */
  expireRegistryTokensAfter?: number
}

type Routed<Kind extends RegistryRoute['kind']> = Extract<RegistryRoute, { kind: Kind }>
type InRepository = Extract<RegistryRoute, { repository: Repository }>

/** The container registry: GHCR's side of the distribution specification. */
export class Registry implements Backend {
  readonly service = 'registry'
  private readonly access: RegistryAccess
  private readonly blobs: RegistryBlobs

  constructor(
    private readonly store: Store,
    private readonly limiter: RegistryLimiter | undefined,
    private readonly origins: Origins,
    private readonly options: RegistryOptions,
  ) {
    const realm = () => `${origins.registry}/token`
    this.access = new RegistryAccess(store, options.expireRegistryTokensAfter, realm)
    this.blobs = new RegistryBlobs(store, () => origins.registry)
  }

  kindOf(ask: Ask) {
    const reads = ask.method === 'GET' || ask.method === 'HEAD'
    return reads && registryRouteOf(ask.path).kind === 'manifest' ? 'manifest' : 'other'
  }

  /** The registry's requests weigh nothing against the API's points. */
  pointsOf(): number {
    return 0
  }

  admit(ask: Ask): Admission {
    const write = ['PUT', 'POST', 'PATCH'].includes(ask.method)
    // Whose requests GHCR counts together is not known; here it is the credentials'.
    const owner = authorizationOf(ask)?.credentials ?? 'anonymous'
    const message = this.limiter?.enter(owner, write)
    return {
      refusal: message === undefined ? undefined : refusal(429, 'TOOMANYREQUESTS', message),
      finish: (answer) => ({
        ...answer,
        headers: { 'docker-distribution-api-version': 'registry/2.0', ...answer.headers },
      }),
      leave: () => undefined,
    }
  }

  answer(ask: Ask): Answer {
    const route = registryRouteOf(ask.path)
    if ('repository' in route) return this.inside(ask, route)
    switch (route.kind) {
      case 'token':
        return ask.method === 'GET' ? this.access.issue(ask) : unsupported()
      case 'storage':
        return this.blobs.fetch(ask, route.digest)
      case 'invalid name':
        return refusal(400, 'NAME_INVALID', 'invalid repository name')
      case 'base':
      case 'unknown':
        return this.outside(ask, route.kind)
    }
  }

  private outside(ask: Ask, kind: 'base' | 'unknown'): Answer {
    if (!ask.path.startsWith('/v2')) return refusal(404, 'NOT_FOUND', 'not found')
    const bearer = this.access.bearerOf(ask, undefined, 'pull')
    if (isAnswer(bearer)) return bearer
    return kind === 'base' ? json(200, {}) : refusal(404, 'NOT_FOUND', 'not found')
  }

  private inside(ask: Ask, route: InRepository): Answer {
    const access = accessOf(ask, route)
    const bearer = this.access.bearerOf(ask, route.repository, access)
    if (isAnswer(bearer)) return bearer
    const barred = this.barred(bearer, route.repository, access)
    if (barred) return barred
    const answer = this.within(ask, route, bearer)
    if (access === 'push' && answer.status === 201) this.adopt(bearer, route.repository)
    return answer
  }

  private within(ask: Ask, route: InRepository, bearer: Bearer): Answer {
    switch (route.kind) {
      case 'manifest':
        return this.manifest(ask, route)
      case 'blob':
        return isRead(ask) ? this.blobs.read(ask, route.repository, route.digest) : unsupported()
      case 'uploads':
        return ask.method === 'POST' ? this.startUpload(ask, route, bearer) : unsupported()
      case 'upload':
        return ['PATCH', 'PUT', 'GET'].includes(ask.method)
          ? this.blobs.proceed(ask, route.repository, route.id)
          : unsupported()
      case 'tags':
        return isRead(ask) ? listTagsAnswer(this.store, ask, route.repository) : unsupported()
      case 'referrers':
        return this.referrers(route)
    }
  }

  private manifest(ask: Ask, { repository, reference }: Routed<'manifest'>): Answer {
    if (isRead(ask)) return readManifestAnswer(this.store, ask, repository, reference)
    if (ask.method !== 'PUT') return unsupported()
    return writeManifestAnswer(this.store, ask, repository, reference, this.options)
  }

  private startUpload(ask: Ask, { repository }: Routed<'uploads'>, bearer: Bearer): Answer {
    return this.blobs.start(ask, repository, (from) => this.access.mayPull(bearer, from))
  }

  /** GHCR sends referrers requests to the web site, which has no such page. */
  private referrers({ repository, digest }: Routed<'referrers'>): Answer {
    const page = encodeURIComponent(`${fullName(repository)}/referrers/${digest}`)
    return bare(303, { location: `${this.origins.api}/-/v2/packages/container/package/${page}` })
  }

  private barred(bearer: Bearer, repository: Repository, access: Access): Answer | undefined {
    if (access === 'pull') return this.access.mayPull(bearer, repository) ? undefined : denied()
    if (this.access.mayPush(bearer, repository)) return undefined
    const exists = this.store.package(repository.account, repository.name) !== undefined
    if (exists || bearer.token?.kind === 'classic') {
      return denied('permission_denied: write_package')
    }
    return denied('installation not allowed to Create organization package')
  }

  /** Whoever pushes first may administer the package, as the repository of a workflow does on GitHub. */
  private adopt({ token }: Bearer, { account, name }: Repository): void {
    const state = this.store.package(account, name)
    const isFirst = state?.versionCount === 1 && token && !token.roles.has(`${account}/${name}`)
    if (isFirst) grantRole(token, account, name, 'admin')
  }
}

function isRead(ask: Ask): boolean {
  return ask.method === 'GET' || ask.method === 'HEAD'
}

function accessOf(ask: Ask, route: InRepository): Access {
  return isRead(ask) && route.kind !== 'upload' ? 'pull' : 'push'
}
