/** What kind of token it is: GitHub answers each kind differently on the Packages API. */
export type TokenKind = 'classic' | 'workflow' | 'fine-grained' | 'app'

/** A token's role on one package. */
export type Role = 'none' | 'read' | 'write' | 'admin'

/** OAuth scopes of a classic token that matter for packages. `write:packages` includes reading. */
export type Scope = 'read:packages' | 'write:packages' | 'delete:packages'

/** A token to make known. */
export interface TokenSpec {
  /** The secret text. The emulator does not look at its prefix, only at `kind`. */
  token: string
  kind: TokenKind
  /** The user a classic or fine-grained token belongs to; default `octo-emulator`. */
  login?: string
  /** Classic only; default all three. */
  scopes?: readonly Scope[]
  /** Roles by `account/package`. Packages not named have `defaultRole`. */
  packages?: Readonly<Record<string, Role>>
  /** Default: `none` when `packages` is given or the kind is `app`, else `admin`. */
  defaultRole?: Role
  /** Workflow and app: the `packages:` permission of the job; default `write`. */
  permission?: 'none' | 'read' | 'write'
  /** Workflow: tokens of one repository share one hourly quota; default a repository of its own. */
  repository?: string
}

/** A known token with all defaults settled. */
export interface Token {
  readonly token: string
  readonly kind: TokenKind
  /** A number to name it by in messages. */
  readonly id: number
  readonly login: string | undefined
  readonly scopes: ReadonlySet<Scope>
  readonly roles: Map<string, Role>
  readonly defaultRole: Role
  readonly permission: 'none' | 'read' | 'write'
  /** Whose hourly quota it draws on. */
  readonly quotaKey: string
}

const ranks: Record<Role, number> = { none: 0, read: 1, write: 2, admin: 3 }
const allScopes: readonly Scope[] = ['read:packages', 'write:packages', 'delete:packages']

/** Settles the defaults of a token. */
export function resolveToken(spec: TokenSpec, id: number): Token {
  const login = spec.login ?? (isPersonal(spec) ? 'octo-emulator' : undefined)
  const roles = Object.entries(spec.packages ?? {})
  return {
    token: spec.token,
    kind: spec.kind,
    id,
    login,
    scopes: new Set(spec.kind === 'classic' ? (spec.scopes ?? allScopes) : []),
    roles: new Map(roles.map(([name, role]) => [name.toLowerCase(), role])),
    defaultRole: spec.defaultRole ?? usualRole(spec),
    permission: spec.permission ?? 'write',
    quotaKey: isPersonal(spec)
      ? `user ${login ?? ''}`
      : `repository ${spec.repository ?? String(id)}`,
  }
}

function isPersonal({ kind }: TokenSpec): boolean {
  return kind === 'classic' || kind === 'fine-grained'
}

function usualRole(spec: TokenSpec): Role {
  return spec.packages !== undefined || spec.kind === 'app' ? 'none' : 'admin'
}

/** True when a classic token has the scope, or one that includes it. */
export function hasScope(token: Token, scope: Scope): boolean {
  if (token.scopes.has(scope)) return true
  return scope === 'read:packages' && token.scopes.has('write:packages')
}

/** True when the token's role on `account/package` is at least the one asked for. */
export function hasRole(token: Token, account: string, name: string, least: Role): boolean {
  const role = token.roles.get(`${account}/${name}`.toLowerCase()) ?? token.defaultRole
  return ranks[role] >= ranks[least]
}

/** Gives a token a role, as GitHub does for the repository whose workflow first publishes a package. */
export function grantRole(token: Token, account: string, name: string, role: Role): void {
  token.roles.set(`${account}/${name}`.toLowerCase(), role)
}
