import type { components } from '@octokit/openapi-types'
import type { Account } from './accounts.js'
import type { PackageState, Version } from './package-state.js'

type Schemas = components['schemas']
type Repository = NonNullable<Schemas['nullable-minimal-repository']>

/**
 * The shapes in which GitHub tells of its things. `base` is the API's origin (with `/api/v3` on GHES), which also
 * stands in for the web site's: an emulated package must not point to a page of the real GitHub.
 */
export interface Owner {
  account: Account
  base: string
}

/** A package version; the URLs are the organization's or user's form, however it was asked for. */
export function wireVersion(owner: Owner, state: PackageState, row: Version) {
  const home = homeOf(owner)
  const name = encodeURIComponent(state.name)
  const body: Schemas['package-version'] = {
    id: row.id,
    name: row.digest,
    url: `${owner.base}/${home}/packages/container/${name}/versions/${row.id}`,
    package_html_url: `${owner.base}/${home}/packages/container/package/${name}`,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    html_url: `${owner.base}/${home}/packages/container/${name}/${row.id}`,
    metadata: { package_type: 'container', container: { tags: row.tags } },
  }
  return row.deletedAt === undefined ? body : { ...body, deleted_at: timestamp(row.deletedAt) }
}

/** A package. GitHub's schema lacks the visibility `internal`, which its answers have. */
export function wirePackage(owner: Owner, state: PackageState) {
  const home = homeOf(owner)
  const name = encodeURIComponent(state.name)
  const body: Omit<Schemas['package'], 'visibility'> = {
    id: state.id,
    name: state.name,
    package_type: 'container',
    owner: wireAccount(owner),
    version_count: state.versionCount,
    url: `${owner.base}/${home}/packages/container/${name}`,
    created_at: timestamp(state.createdAt),
    updated_at: timestamp(state.updatedAt),
    html_url: `${owner.base}/${home}/packages/container/package/${name}`,
  }
  const linked = state.repository
  const repository = linked === undefined ? {} : { repository: wireRepository(owner, linked) }
  return { ...body, visibility: state.visibility, ...repository }
}

/** A user or an organization, as it appears inside other things and at `/users/{login}`. */
export function wireAccount({ account, base }: Owner): Schemas['simple-user'] {
  const url = `${base}/users/${account.login}`
  return {
    login: account.login,
    id: account.id,
    node_id: Buffer.from(`${account.type}${account.id}`).toString('base64'),
    avatar_url: `${base}/avatars/u/${account.id}`,
    gravatar_id: '',
    url,
    html_url: `${base}/${account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    site_admin: false,
  }
}

const repositoryPaths = {
  archive_url: '{archive_format}{/ref}',
  assignees_url: 'assignees{/user}',
  blobs_url: 'git/blobs{/sha}',
  branches_url: 'branches{/branch}',
  collaborators_url: 'collaborators{/collaborator}',
  comments_url: 'comments{/number}',
  commits_url: 'commits{/sha}',
  compare_url: 'compare/{base}...{head}',
  contents_url: 'contents/{+path}',
  contributors_url: 'contributors',
  deployments_url: 'deployments',
  downloads_url: 'downloads',
  events_url: 'events',
  forks_url: 'forks',
  git_commits_url: 'git/commits{/sha}',
  git_refs_url: 'git/refs{/sha}',
  git_tags_url: 'git/tags{/sha}',
  hooks_url: 'hooks',
  issue_comment_url: 'issues/comments{/number}',
  issue_events_url: 'issues/events{/number}',
  issues_url: 'issues{/number}',
  keys_url: 'keys{/key_id}',
  labels_url: 'labels{/name}',
  languages_url: 'languages',
  merges_url: 'merges',
  milestones_url: 'milestones{/number}',
  notifications_url: 'notifications{?since,all,participating}',
  pulls_url: 'pulls{/number}',
  releases_url: 'releases{/id}',
  stargazers_url: 'stargazers',
  statuses_url: 'statuses/{sha}',
  subscribers_url: 'subscribers',
  subscription_url: 'subscription',
  tags_url: 'tags',
  teams_url: 'teams',
  trees_url: 'git/trees{/sha}',
}

/** A repository as far as other things tell of it. */
export function wireRepository(owner: Owner, fullName: string): Repository {
  const url = `${owner.base}/repos/${fullName}`
  const links = Object.entries(repositoryPaths).map(([key, path]) => [key, `${url}/${path}`])
  return {
    id: 1_000_000 + fullName.length,
    node_id: Buffer.from(fullName).toString('base64'),
    name: fullName.split('/').at(-1) ?? fullName,
    full_name: fullName,
    private: false,
    owner: wireAccount(owner),
    html_url: `${owner.base}/${fullName}`,
    description: null,
    fork: false,
    url,
    ...(Object.fromEntries(links) as Record<keyof typeof repositoryPaths, string>),
  }
}

function homeOf({ account }: Owner): string {
  return `${account.type === 'Organization' ? 'orgs' : 'users'}/${account.login}`
}

/** Second precision, UTC, as in `2025-07-14T13:05:30Z`. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
