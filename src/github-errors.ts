import { RequestError } from '@octokit/request-error'
import { z } from 'zod'
import { RetentionError } from './errors.js'
import type { DeleteAnswer } from './ports.js'

export function unreadableLink(header: string): RetentionError {
  return new RetentionError(
    'unexpected-answer',
    `GitHub names a next page in a form that cannot be followed: ${header}`,
    'The listing would not be whole, so nothing can be decided on it. If it persists, please report it.',
  )
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof RequestError ? error.status : undefined
}

/** What the service said, without the documentation link that Octokit appends. */
export function messageOf(error: unknown): string {
  const body = z.object({ message: z.string() }).safeParse((error as RequestError).response?.data)
  if (body.success) return body.data.message
  return error instanceof Error ? error.message : String(error)
}

function isSecondaryLimit({ status, message }: RequestError): boolean {
  return (status === 403 || status === 429) && /\bsecondary rate\b/i.test(message)
}

function isPrimaryLimit({ status, response }: RequestError): boolean {
  return (status === 403 || status === 429) && response?.headers['x-ratelimit-remaining'] === '0'
}

/** A limit that passes within minutes; GitHub marks it or sends a bare 429. */
export function isSlowDown(error: RequestError): boolean {
  return isSecondaryLimit(error) || (error.status === 429 && !isPrimaryLimit(error))
}

/** Whether GitHub may have done what was asked although no answer says so. */
export function isUnanswered({ status, response }: RequestError): boolean {
  return response === undefined || status >= 500 || status === 408
}

export function deleteAnswer(error: unknown): DeleteAnswer {
  const why = messageOf(error)
  if (!(error instanceof RequestError)) return { status: 'failed', why, hint: reportHint }
  if (error.status === 400 && /last tagged version|more than 5000 downloads/i.test(why)) {
    return { status: 'retained', why }
  }
  if (isPrimaryLimit(error)) {
    return { status: 'limited', wait: undefined, why: 'the hourly quota of the API is used up' }
  }
  if (isSlowDown(error)) return { ...keepsLimiting, wait: undefined }
  if (error.status === 403) {
    const everywhere = /scopes? to delete|resource not accessible/i.test(why)
    return {
      status: 'denied',
      everywhere,
      why: `GitHub answered 403 (${why})`,
      hint: permissionHint,
    }
  }
  return { status: 'failed', why: `${answerWords(error)} (${why})`, hint: retryHint }
}

/** What a delete was answered when it may work a moment later. */
export function passing(error: RequestError): DeleteAnswer {
  const why = `${answerWords(error)} (${messageOf(error)})`
  return { status: 'passing', why, hint: retryHint }
}

const keepsLimiting = {
  status: 'limited',
  why: 'GitHub keeps asking to slow down',
} as const

const permissionHint =
  'A classic token needs read:packages and delete:packages; GITHUB_TOKEN needs "packages: write" and the Admin role on the package (package settings, "Manage Actions access").'
const retryHint = 'The next run tries again. If it persists, look at githubstatus.com.'
const reportHint = 'Please report this with the debug log.'

/** Octokit calls a broken connection a 500; only an answer has a response. */
function answerWords({ status, response }: RequestError): string {
  return response === undefined ? 'GitHub gave no answer' : `GitHub answered ${status}`
}

/** Turns what Octokit throws into words for the reader. */
export function explain(error: RequestError, path: string): RetentionError {
  const said = `${answerWords(error)} to GET ${path} (${messageOf(error)})`
  if (isPrimaryLimit(error)) {
    return new RetentionError(
      'out-of-quota',
      said,
      'The hourly quota is used up; run again in the next hour.',
      error,
    )
  }
  const hints: Partial<Record<number, string>> = {
    401: badTokenHint,
    403: permissionHint,
    404: notFoundHint,
  }
  const hint = isSecondaryLimit(error) ? undefined : hints[error.status]
  if (hint !== undefined) return new RetentionError('permission', said, hint, error)
  return new RetentionError('unavailable', said, retryHint, error)
}

const badTokenHint =
  'GitHub does not know this token: it may be mistyped, expired or revoked. Check the token input.'
const notFoundHint =
  'Either there is no such package, or the token may not see it. Check account and image-names, and give the repository access in the package settings under "Manage Actions access".'

export function accountNotFound(login: string, cause: unknown): RetentionError {
  return new RetentionError(
    'account-not-found',
    `there is no user or organization "${login}"`,
    'Check the account input; "user" stands for the account of the token.',
    cause,
  )
}

export function cannotListPackages(login: string, cause: unknown): RetentionError {
  return new RetentionError(
    'cannot-list-packages',
    `GitHub does not let this token list the packages of ${login} (${messageOf(cause)})`,
    'A pattern in image-names needs a classic personal access token with read:packages. With GITHUB_TOKEN, give exact names.',
    cause,
  )
}

export function unexpected(path: string, why: string): RetentionError {
  return new RetentionError(
    'unexpected-answer',
    `GET ${path} was answered in a shape that is not GitHub's: ${why}`,
    'Nothing can be decided on such an answer. If it persists, please report it.',
  )
}

/** The first thing that is wrong with a body. */
export function flawOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim()
}
