/** What kind of token it is: GitHub answers each kind differently on the Packages API. */
export type TokenKind = 'classic' | 'workflow' | 'fine-grained' | 'app'

/** A token's role on one package. */
export type Role = 'none' | 'read' | 'write' | 'admin'

/** OAuth scopes of a classic token. `write:packages` includes reading; `repo` opens private repositories. */
export type Scope = 'read:packages' | 'write:packages' | 'delete:packages' | 'repo'

/** What a job permits its token in its repository, or who granted a token, as a workflow file names it. */
export type RepositoryPermission = 'contents' | 'pull-requests'
type Access = 'none' | 'read' | 'write'

/** A token to make known. */
export interface TokenSpec {
  /** The secret text. The emulator does not look at its prefix, only at `kind`. */
  token: string
  kind: TokenKind
  /** The user a classic or fine-grained token belongs to; default `octo-emulator`. */
  login?: string
  /** Classic only; default the three of packages. */
  scopes?: readonly Scope[]
  /** Roles by `account/package`. Packages not named have `defaultRole`. */
  packages?: Readonly<Record<string, Role>>
  /** Default: `none` when `packages` is given or the kind is `app`, else `admin`. */
  defaultRole?: Role
  /** Workflow and app: the `packages:` permission of the job; default `write`. */
  permission?: Access
  /**
   * Workflow: tokens of one repository share one hourly quota; default a repository of its own. All but classic: the
   * one private repository that the token sees, as `owner/name`.
   */
  repository?: string
  /** What the token may do there; default nothing, as in a job that permits packages only. */
  repositoryPermissions?: Partial<Record<RepositoryPermission, Access>>
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
  readonly permission: Access
  /** In lower case. */
  readonly repository: string | undefined
  readonly repositoryPermissions: Partial<Record<RepositoryPermission, Access>>
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
    repository: spec.repository?.toLowerCase(),
    repositoryPermissions: spec.repositoryPermissions ?? {},
    quotaKey: isPersonal(spec) ? `user ${login ?? ''}` : repositoryKey(spec, id),
  }
}

function repositoryKey({ repository }: TokenSpec, id: number): string {
  return `repository ${repository ?? String(id)}`
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

/** True when the token may read so much of its repository. */
export function mayReadRepository(token: Token, permission: RepositoryPermission): boolean {
  return (token.repositoryPermissions[permission] ?? 'none') !== 'none'
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
