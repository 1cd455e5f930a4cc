import type { Answer } from './http.js'

/** An error in the shape of the distribution specification. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  const type = { 'content-type': 'application/json' }
  // The recorded answers end with a line feed.
  const body = `${JSON.stringify({ errors: [{ code, message }] })}\n`
  return { status, headers: { ...type, ...headers }, body }
}

/** The answers that have one wording wherever they occur. */
export const denied = (message = 'requested access to the resource is denied'): Answer =>
  refusal(403, 'DENIED', message)
export const invalidToken = (): Answer => denied('invalid token')
export const unsupported = (): Answer =>
  refusal(405, 'UNSUPPORTED', 'The operation is unsupported.')
export const manifestUnknown = (message = 'manifest unknown'): Answer =>
  refusal(404, 'MANIFEST_UNKNOWN', message)
export const nameUnknown = (): Answer =>
  refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
export const blobUnknown = (): Answer => refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry')

/** What a request without a token, or with one that ran out, is told. */
export function challenge(realm: string, scope: string): Answer {
  return refusal(401, 'UNAUTHORIZED', 'authentication required', {
    'www-authenticate': `Bearer realm="${realm}",service="ghcr.io",scope="${scope}"`,
  })
}
