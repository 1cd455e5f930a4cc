import { createHash } from 'node:crypto'
import type { components } from '@octokit/openapi-types'
import { timestamp, wireAccount, wireRepository, type Owner } from './packages-wire.js'
import type { Pull, RepositoryState } from './repositories.js'

type Schemas = components['schemas']
type PullBody = Schemas['pull-request-simple']
/** An end of a pull request; what GitHub tells there of its repository is shortened here. */
type End = Omit<PullBody['head'], 'repo'> & { repo: Schemas['nullable-minimal-repository'] }

/** A branch, as the list of them has it. */
export function wireBranch(url: string, name: string): Schemas['short-branch'] {
  const sha = shaOf(url, name)
  return { name, commit: { sha, url: `${url}/commits/${sha}` }, protected: false }
}

/** A pull request, as the list of them has it. All come from the repository itself, none from a fork. */
export function wirePull(
  owner: Owner,
  state: RepositoryState,
  pull: Pull,
): Omit<PullBody, 'head' | 'base'> & { head: End; base: End } {
  const user = wireAccount(owner)
  const url = `${owner.base}/repos/${state.fullName}`
  const own = linksOf(url, `${owner.base}/${state.fullName}`, pull, shaOf(url, pull.branch))
  const endAt = (ref: string): End => ({
    label: `${state.owner}:${ref}`,
    ref,
    sha: shaOf(url, ref),
    user,
    repo: { ...wireRepository(owner, state.fullName), id: state.id, private: state.isPrivate },
  })
  return {
    ...own,
    _links: {
      self: { href: own.url },
      html: { href: own.html_url },
      issue: { href: own.issue_url },
      comments: { href: own.comments_url },
      review_comments: { href: own.review_comments_url },
      review_comment: { href: own.review_comment_url },
      commits: { href: own.commits_url },
      statuses: { href: own.statuses_url },
    },
    id: 2_000_000_000 + pull.number,
    node_id: Buffer.from(`PullRequest${state.id}/${pull.number}`).toString('base64'),
    number: pull.number,
    state: pull.closedAt === undefined ? 'open' : 'closed',
    locked: false,
    title: `Changes of ${pull.branch}`,
    user,
    body: null,
    labels: [],
    milestone: null,
    active_lock_reason: null,
    created_at: timestamp(pull.createdAt),
    updated_at: timestamp(pull.updatedAt),
    closed_at: pull.closedAt === undefined ? null : timestamp(pull.closedAt),
    merged_at: null,
    merge_commit_sha: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: endAt(pull.branch),
    base: endAt('main'),
    author_association: 'OWNER',
    auto_merge: null,
    draft: false,
  }
}

function linksOf(url: string, html: string, { number }: Pull, sha: string) {
  return {
    url: `${url}/pulls/${number}`,
    html_url: `${html}/pull/${number}`,
    diff_url: `${html}/pull/${number}.diff`,
    patch_url: `${html}/pull/${number}.patch`,
    issue_url: `${url}/issues/${number}`,
    commits_url: `${url}/pulls/${number}/commits`,
    review_comments_url: `${url}/pulls/${number}/comments`,
    review_comment_url: `${url}/pulls/comments{/number}`,
    comments_url: `${url}/issues/${number}/comments`,
    statuses_url: `${url}/statuses/${sha}`,
  }
}

/** There are no commits behind the branches; each has a hash of its own. */
function shaOf(url: string, branch: string): string {
  return createHash('sha1').update(`${url}#${branch}`).digest('hex')
}
