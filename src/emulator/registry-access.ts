import { randomBytes } from 'node:crypto'
import { authorizationOf, json, type Answer, type Ask } from './http.js'
import { challenge, denied, invalidToken, refusal } from './registry-answers.js'
import type { Store } from './store.js'
import { hasRole, hasScope, type Token } from './tokens.js'

/** What a request wants to do with a repository. */
export type Access = 'pull' | 'push'

/** A repository of the registry: `account/package`, taken apart at the first slash. */
export interface Repository {
  account: string
  name: string
}

/** On whose behalf a request to the registry is made; `token` is undefined for anybody. */
export interface Bearer {
  token: Token | undefined
}

interface Issued extends Bearer {
  issuedAt: number
  /** `repository:<name>` -> actions */
  grants: Map<string, Set<string>>
}

/**
 * Tokens of the registry. It issues its own and also takes the GitHub token itself in base64.
 * An issued token is good for the repositories it was asked for; with another it is as good as none.
 * (What ghcr.io does then is not recorded: this is what the token specification expects.)
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export class RegistryAccess {
  private readonly issued = new Map<string, Issued>()

  /** @param lifetime ms after which an issued token runs out; undefined: never */
  constructor(
    private readonly store: Store,
    private readonly lifetime: number | undefined,
    private readonly realm: () => string,
  ) {}

  /** `GET /token`. */
  issue(ask: Ask): Answer {
    const authorization = authorizationOf(ask)
    if (authorization && authorization.scheme !== 'basic') {
      return refusal(401, 'UNAUTHORIZED', 'authentication required')
    }
    const token = authorization && this.byPassword(authorization.credentials)
    if (authorization && !token) return denied()
    const grants = grantsOf(ask.query.getAll('scope'))
    for (const [repository, actions] of grants) {
      // A known token's missing push rights show at the push itself, so only reading is looked at here.
      const looked = token === undefined || actions.size === Number(actions.has('pull'))
      if (looked && !this.mayPull({ token }, repositoryOf(repository))) return denied()
    }
    const text = Buffer.from(`v1:${randomBytes(24).toString('hex')}`).toString('base64')
    this.issued.set(text, { token, issuedAt: this.store.now(), grants })
    return json(200, { token: text })
  }

  /** Finds who asks; an Answer when the request goes no further. */
  bearerOf(ask: Ask, repository: Repository | undefined, access: Access): Bearer | Answer {
    const authorization = authorizationOf(ask)
    if (!authorization) return this.challenge(repository, access)
    if (authorization.scheme !== 'bearer') return invalidToken()
    const issued = this.issued.get(authorization.credentials)
    if (!issued) return this.direct(authorization.credentials)
    const now = this.store.now()
    const expired = this.lifetime !== undefined && now >= issued.issuedAt + this.lifetime
    const covered = !repository || covers(issued, repository, access)
    return expired || !covered ? this.challenge(repository, access) : { token: issued.token }
  }

  /** True when the bearer may read the repository; nobody may read one that is not there. */
  mayPull(bearer: Bearer, { account, name }: Repository): boolean {
    const state = this.store.package(account, name)
    if (!state) return bearer.token !== undefined && this.mayPush(bearer, { account, name })
    if (state.visibility === 'public') return true
    const { token } = bearer
    // GitHub Packages does not know fine-grained tokens.
    if (!token || token.kind === 'fine-grained' || !hasRole(token, account, name, 'read'))
      return false
    return token.kind === 'classic' ? hasScope(token, 'read:packages') : token.permission !== 'none'
  }

  /** True when the bearer may write to the repository, or make it. */
  mayPush({ token }: Bearer, { account, name }: Repository): boolean {
    if (!token || token.kind === 'fine-grained') return false
    if (!hasRole(token, account, name, 'write')) return false
    return token.kind === 'classic'
      ? hasScope(token, 'write:packages')
      : token.permission === 'write'
  }

  private challenge(repository: Repository | undefined, access: Access): Answer {
    // Without a repository ghcr.io really names this one.
    const name = repository ? fullName(repository) : 'user/image'
    const actions = access === 'push' ? 'pull,push' : 'pull'
    return challenge(this.realm(), `repository:${name}:${actions}`)
  }

  /** base64(token), base64(user:token), or base64("A"): the anonymous token that Homebrew made known. */
  private direct(credentials: string): Bearer | Answer {
    if (credentials === 'QQ==') return { token: undefined }
    const token = this.byPassword(credentials)
    return token ? { token } : invalidToken()
  }

  private byPassword(credentials: string): Token | undefined {
    const text = Buffer.from(credentials, 'base64').toString()
    return this.store.token(text.slice(text.indexOf(':') + 1))
  }
}

/** `acme/team/api` as account and package; undefined when there is no slash. */
export function repositoryOf(name: string): Repository {
  const cut = name.indexOf('/')
  return { account: name.slice(0, cut), name: name.slice(cut + 1) }
}

/** The repository's name on the registry. */
export function fullName({ account, name }: Repository): string {
  return `${account}/${name}`
}

function grantsOf(scopes: string[]): Map<string, Set<string>> {
  const grants = new Map<string, Set<string>>()
  for (const scope of scopes.flatMap((text) => text.split(' '))) {
    const [, name, actions] = /^repository:([^:]+\/[^:]+):([a-z*,]+)$/.exec(scope) ?? []
    if (name === undefined || actions === undefined) continue
    const known = grants.get(name.toLowerCase()) ?? new Set()
    for (const action of actions.split(',')) known.add(action)
    grants.set(name.toLowerCase(), known)
  }
  return grants
}

function covers({ grants }: Issued, repository: Repository, access: Access): boolean {
  const actions = grants.get(fullName(repository).toLowerCase())
  return actions !== undefined && (actions.has(access) || actions.has('*'))
}

/** Tells an answer from a bearer. */
export function isAnswer(value: Bearer | Answer): value is Answer {
  return 'status' in value
}
