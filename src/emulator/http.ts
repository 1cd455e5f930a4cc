import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** Which of the services a request went to. */
export type Service = 'api' | 'registry' | 'cache'

/** What a request is about, for latency and for reading the log. */
export type RequestKind = 'list' | 'delete' | 'manifest' | 'other'

/** A request, read whole. */
export interface Ask {
  readonly service: Service
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  /** Path as sent, not decoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

/** An answer, not yet written. Content-Length is added when it is written. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** Reads a request to its end. */
export async function readAsk(service: Service, request: IncomingMessage): Promise<Ask> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const target = request.url ?? '/'
  const cut = target.indexOf('?')
  return {
    service,
    method: request.method ?? 'GET',
    target,
    path: cut < 0 ? target : target.slice(0, cut),
    query: new URLSearchParams(cut < 0 ? '' : target.slice(cut + 1)),
    headers: request.headers,
    body: Buffer.concat(chunks),
  }
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  const type = { 'content-type': 'application/json; charset=utf-8' }
  return { status, headers: { ...type, ...headers }, body: JSON.stringify(value) }
}

/** An answer without a body. */
export function bare(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: '' }
}

/** The segments of a path, each decoded; undefined when one cannot be decoded. */
export function segmentsOf(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    return undefined
  }
}

/** The words after `Authorization:`: scheme in lower case, and credentials. */
export function authorizationOf(ask: Ask): { scheme: string; credentials: string } | undefined {
  const header = ask.headers.authorization?.trim()
  if (!header) return undefined
  const [scheme = '', ...rest] = header.split(/\s+/)
  return { scheme: scheme.toLowerCase(), credentials: rest.join(' ') }
}
