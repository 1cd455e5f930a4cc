import { createHash } from 'node:crypto'
import type { components } from '@octokit/openapi-types'
import type { Account } from './accounts.js'
import {
  badCredentials,
  failure,
  notFound,
  primaryLimit,
  requiresAuthentication,
  secondaryLimit,
} from './api-answers.js'
import type { Admission, Backend } from './exchange.js'
import { authorizationOf, bare, json, segmentsOf, type Answer, type Ask } from './http.js'
import type { Claim, Quota, RateLimiter } from './limits.js'
import { acceptedScopes, refusalOf } from './packages-permissions.js'
import { perform } from './packages-operations.js'
import { routeOf, withoutPrefix } from './packages-routes.js'
import { wireAccount } from './packages-wire.js'
import { answerRefList, isRefList } from './repositories-api.js'
import type { Store } from './store.js'
import type { Token } from './tokens.js'

/** Who asks: nobody, somebody with a token nobody knows, or the owner of a known token. */
type Caller = 'anonymous' | 'unknown' | Token

/** GitHub's REST API, as far as packages and their retention need it. */
export class PackagesApi implements Backend {
  readonly service = 'api'

  /**
   * @param limiter undefined: no limits and no x-ratelimit headers, as GHES has them by default
   * @param origin the API's own origin, asked late because it is known only once the listener is up
   */
  constructor(
    private readonly store: Store,
    private readonly limiter: RateLimiter | undefined,
    private readonly origin: () => string,
  ) {}

  kindOf(ask: Ask) {
    const operation = this.route(ask)?.operation
    if (operation === 'list versions' || operation === 'list packages') return 'list'
    if (isRefList(withoutPrefix(ask.path).path)) return 'list'
    return operation === 'delete version' || operation === 'delete package' ? 'delete' : 'other'
  }

  /** @see https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit */
  pointsOf(ask: Ask): number {
    return ['GET', 'HEAD', 'OPTIONS'].includes(ask.method) ? 1 : 5
  }

  admit(ask: Ask, requestId: string): Admission {
    const { limiter } = this
    const caller = this.callerOf(ask)
    if (!limiter) return { refusal: undefined, finish: (answer) => answer, leave: () => undefined }
    const claim = this.claimOf(ask, caller)
    const refused = limiter.enter(claim)
    const { primaryStatus, secondaryStatus } = limiter.limits
    const refusal =
      refused?.kind === 'primary'
        ? primaryLimit(primaryStatus, this.nameOf(caller), requestId)
        : refused && secondaryLimit(secondaryStatus, refused.retryAfter, requestId)
    return {
      refusal,
      finish: (answer) => {
        if (answer.status === 304) limiter.refund(claim)
        return { ...answer, headers: { ...answer.headers, ...quotaHeaders(limiter.quota(claim)) } }
      },
      leave: () => {
        limiter.leave(claim)
      },
    }
  }

  answer(ask: Ask): Answer {
    const { path } = withoutPrefix(ask.path)
    if (path.startsWith('/-/')) return htmlNotFound()
    const caller = this.callerOf(ask)
    if (caller === 'unknown') return badCredentials()
    const answer = conditional(ask, this.resource(ask, path, caller))
    return {
      ...answer,
      headers: { ...commonHeaders, ...this.scopeHeaders(ask), ...answer.headers },
    }
  }

  private resource(ask: Ask, path: string, caller: 'anonymous' | Token): Answer {
    const route = routeOf(ask, this.store, caller === 'anonymous' ? undefined : caller.login)
    if (!route) return this.other(ask, path, caller)
    if (caller === 'anonymous') return requiresAuthentication()
    const base = `${this.origin()}${route.prefix}`
    return (
      refusalOf(caller, route) ?? perform({ store: this.store, ask, route, token: caller, base })
    )
  }

  private other(ask: Ask, path: string, caller: 'anonymous' | Token): Answer {
    if (ask.method !== 'GET' && ask.method !== 'HEAD') return notFound()
    if (path === '/rate_limit') return this.rateLimit(ask, caller)
    if (path === '/user') return this.ownUser(ask, caller)
    const refs = answerRefList(this.store, ask, path, caller, this.baseOf(ask))
    if (refs) return refs
    const account = this.accountAt(path)
    return account ? json(200, wireAccount({ account, base: this.baseOf(ask) })) : notFound()
  }

  /** `/users/{login}` finds organizations too, `/orgs/{login}` only them. */
  private accountAt(path: string): Account | undefined {
    const [space, login = '', ...more] = segmentsOf(path) ?? []
    if (more.length > 0 || (space !== 'users' && space !== 'orgs')) return undefined
    const account = this.store.accounts.find(login)
    return space === 'orgs' && account?.type !== 'Organization' ? undefined : account
  }

  private ownUser(ask: Ask, caller: 'anonymous' | Token): Answer {
    if (caller === 'anonymous') return requiresAuthentication()
    const account = caller.login === undefined ? undefined : this.store.accounts.find(caller.login)
    return account
      ? json(200, wireAccount({ account, base: this.baseOf(ask) }))
      : failure(403, 'Resource not accessible by integration')
  }

  /** With rate limiting off GHES answers 404. API version 2026-03-10 leaves the top-level `rate` out. */
  private rateLimit(ask: Ask, caller: 'anonymous' | Token): Answer {
    if (!this.limiter) return failure(404, 'Rate limiting is not enabled.')
    const quota = this.limiter.quota(this.claimOf(ask, caller))
    const core: components['schemas']['rate-limit'] = {
      limit: quota.limit,
      used: quota.used,
      remaining: quota.limit - quota.used,
      reset: quota.resetsAt / 1000,
    }
    const search = { limit: 30, used: 0, remaining: 30, reset: core.reset }
    const body: components['schemas']['rate-limit-overview'] = {
      resources: { core, search },
      rate: core,
    }
    const fresh = ask.headers['x-github-api-version'] === '2026-03-10'
    return json(200, fresh ? { resources: body.resources } : body)
  }

  private baseOf(ask: Ask): string {
    return `${this.origin()}${withoutPrefix(ask.path).prefix}`
  }

  private route(ask: Ask) {
    const caller = this.callerOf(ask)
    return routeOf(ask, this.store, typeof caller === 'string' ? undefined : caller.login)
  }

  /** `token` and `Bearer` carry the token itself, `Basic` carries it as the password. */
  private callerOf(ask: Ask): Caller {
    const authorization = authorizationOf(ask)
    if (!authorization) return 'anonymous'
    const { scheme, credentials } = authorization
    if (scheme !== 'basic') return this.store.token(credentials) ?? 'unknown'
    const pair = Buffer.from(credentials, 'base64').toString()
    return this.store.token(pair.slice(pair.indexOf(':') + 1)) ?? 'unknown'
  }

  private claimOf(ask: Ask, caller: Caller): Claim {
    const known = typeof caller === 'string' ? undefined : caller
    return {
      quotaKey: known?.quotaKey ?? 'anonymous',
      kind: known?.kind ?? 'anonymous',
      points: this.pointsOf(ask),
      free: withoutPrefix(ask.path).path === '/rate_limit',
    }
  }

  private nameOf(caller: Caller): string {
    if (typeof caller === 'string') return '127.0.0.1'
    const account = caller.login === undefined ? undefined : this.store.accounts.find(caller.login)
    return account ? `user ID ${account.id}` : `installation ID ${caller.id}`
  }

  private scopeHeaders(ask: Ask): Record<string, string> {
    const caller = this.callerOf(ask)
    if (typeof caller === 'string' || caller.kind !== 'classic') return {}
    const operation = this.route(ask)?.operation
    return {
      'x-oauth-scopes': [...caller.scopes].sort().join(', '),
      'x-accepted-oauth-scopes': operation ? acceptedScopes(operation) : '',
    }
  }
}

const commonHeaders = {
  'x-github-media-type': 'github.v3; format=json',
  'x-github-api-version-selected': '2022-11-28',
  vary: 'Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept',
}

function quotaHeaders(quota: Quota): Record<string, string> {
  return {
    'x-ratelimit-limit': String(quota.limit),
    'x-ratelimit-remaining': String(Math.max(0, quota.limit - quota.used)),
    'x-ratelimit-used': String(quota.used),
    'x-ratelimit-reset': String(quota.resetsAt / 1000),
    'x-ratelimit-resource': 'core',
  }
}

/** Gives a successful answer its weak ETag, and 304 to who knows it already. */
function conditional(ask: Ask, answer: Answer): Answer {
  if (answer.status !== 200) return answer
  const etag = `W/"${createHash('sha256').update(answer.body).digest('hex')}"`
  const headers = { ...answer.headers, etag, 'cache-control': 'private, max-age=60, s-maxage=60' }
  const known = ask.headers['if-none-match']?.split(',').map((tag) => tag.trim())
  return known?.includes(etag) ? bare(304, { etag }) : { ...answer, headers }
}

/** The web site's page for a thing that is not there: where the registry sends referrers requests. */
function htmlNotFound(): Answer {
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  return { status: 404, headers, body: '<!DOCTYPE html><title>Page not found</title>\n' }
}
