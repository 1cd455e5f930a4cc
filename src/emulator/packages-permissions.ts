import { failure, packagesDocs } from './api-answers.js'
import type { Answer } from './http.js'
import type { Form, Operation, Route } from './packages-routes.js'
import { hasScope, type Role, type Scope, type Token } from './tokens.js'

/** What an operation asks of a token, and how GitHub words it when that is missing. */
interface Requirement {
  scopes: readonly Scope[]
  /** The end of `You need at least … to …`. */
  purpose: string
  role: Role
  /** Anchor of the documentation, by form of the path. */
  anchors: Record<Form, string>
}

/**
 * The wordings for list packages, get package, list versions, delete version and delete package were recorded;
 * those for get version and the two restores are made in the same pattern.
 */
const requirements: Record<Operation, Requirement> = {
  'list packages': {
    scopes: ['read:packages'],
    purpose: 'to list packages.',
    role: 'read',
    anchors: {
      org: 'list-packages-for-an-organization',
      user: 'list-packages-for-a-user',
      self: 'list-packages-for-the-authenticated-users-namespace',
    },
  },
  'get package': {
    scopes: ['read:packages'],
    purpose: 'to get a package.',
    role: 'read',
    anchors: anchors('get-a-package-for'),
  },
  'list versions': {
    scopes: ['read:packages'],
    purpose: "to get a package's versions.",
    role: 'read',
    anchors: {
      org: 'list-package-versions-for-a-package-owned-by-an-organization',
      user: 'list-package-versions-for-a-package-owned-by-a-user',
      self: 'list-package-versions-for-a-package-owned-by-the-authenticated-user',
    },
  },
  'get version': {
    scopes: ['read:packages'],
    purpose: 'to get a package version.',
    role: 'read',
    anchors: anchors('get-a-package-version-for'),
  },
  'delete version': {
    scopes: ['delete:packages', 'read:packages'],
    purpose: 'to delete a package version.',
    role: 'admin',
    anchors: {
      ...anchors('delete-package-version-for'),
      self: 'delete-a-package-version-for-the-authenticated-user',
    },
  },
  'restore version': {
    scopes: ['write:packages', 'read:packages'],
    purpose: 'to restore a package version.',
    role: 'admin',
    anchors: {
      ...anchors('restore-package-version-for'),
      self: 'restore-a-package-version-for-the-authenticated-user',
    },
  },
  'delete package': {
    scopes: ['delete:packages', 'read:packages'],
    purpose: 'to delete a package.',
    role: 'admin',
    anchors: anchors('delete-a-package-for'),
  },
  'restore package': {
    scopes: ['write:packages', 'read:packages'],
    purpose: 'to restore a package.',
    role: 'admin',
    anchors: anchors('restore-a-package-for'),
  },
}

function anchors(start: string): Record<Form, string> {
  return {
    org: `${start}-an-organization`,
    user: `${start}-a-user`,
    self: `${start}-the-authenticated-user`,
  }
}

/** The role on the package that an operation needs. */
export function roleFor(operation: Operation): Role {
  return requirements[operation].role
}

/** The scopes of an operation as `X-Accepted-OAuth-Scopes` lists them. */
export function acceptedScopes(operation: Operation): string {
  return requirements[operation].scopes.join(', ')
}

/** The page of the documentation that errors of a route point to. */
export function docsOf(route: Route): string {
  return packagesDocs(requirements[route.operation].anchors[route.form])
}

/** The refusal that a token gets before anybody looks whether the thing exists; undefined when there is none. */
export function refusalOf(token: Token, route: Route): Answer | undefined {
  switch (token.kind) {
    case 'classic':
      return scopeRefusal(token, route)
    case 'fine-grained':
      return fineGrainedRefusal(route)
    case 'workflow':
    case 'app':
      return integrationRefusal(token, route)
  }
}

function scopeRefusal(token: Token, route: Route): Answer | undefined {
  const { scopes, purpose } = requirements[route.operation]
  if (scopes.every((scope) => hasScope(token, scope))) return undefined
  const noun = scopes.length > 1 ? 'scopes' : 'scope'
  const message = `You need at least ${scopes.join(' and ')} ${noun} ${purpose}`
  return failure(403, message, docsOf(route))
}

/** Packages take no fine-grained tokens; beyond listing, the wording is GitHub's general one for such tokens. */
function fineGrainedRefusal(route: Route): Answer {
  if (route.operation === 'list packages') return failure(400, 'Invalid argument.', docsOf(route))
  return failure(403, 'Resource not accessible by personal access token', docsOf(route))
}

function integrationRefusal(token: Token, route: Route): Answer | undefined {
  const writes = roleFor(route.operation) === 'admin'
  const allowed = writes ? token.permission === 'write' : token.permission !== 'none'
  if (route.form === 'self' || !allowed) {
    return failure(403, 'Resource not accessible by integration', docsOf(route))
  }
  return undefined
}
