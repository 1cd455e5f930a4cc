import type { components } from '@octokit/openapi-types'
import { json, type Answer } from './http.js'

type BasicError = components['schemas']['basic-error']

const docs = 'https://docs.github.com/rest'

/** An error in GitHub's shape. `status` is a string on the wire. */
export function failure(status: number, message: string, documentation = docs): Answer {
  const body: BasicError = { message, documentation_url: documentation, status: String(status) }
  return json(status, body)
}

/** The page of the REST documentation that errors of the Packages API point to. */
export function packagesDocs(anchor?: string): string {
  return anchor === undefined ? `${docs}/packages/packages` : `${docs}/packages/packages#${anchor}`
}

/** The answers that have one wording wherever they occur. */
export const notFound = (): Answer => failure(404, 'Not Found')
export const badCredentials = (): Answer => failure(401, 'Bad credentials')
export const requiresAuthentication = (): Answer => failure(401, 'Requires authentication')

/** The refusal of an exhausted hourly quota; `who` as in `user ID 123`. */
export function primaryLimit(status: number, who: string, requestId: string): Answer {
  const url = `${docs}/overview/rate-limits-for-the-rest-api`
  const help = `If you reach out to GitHub Support for help, please include the request ID ${requestId}.`
  return json(status, {
    message: `API rate limit exceeded for ${who}. ${help}`,
    documentation_url: url,
    status: String(status),
  })
}

/** The refusal of a secondary limit, in the recorded wording, with or without `retry-after` (seconds). */
export function secondaryLimit(status: number, retryAfter: number | undefined, id: string): Answer {
  const body: BasicError = {
    documentation_url:
      'https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
    message: `You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID ${id}`,
  }
  return json(status, body, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
}
