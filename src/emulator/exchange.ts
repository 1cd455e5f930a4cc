import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { altered, replacement, type Faults, type FaultSteps } from './faults.js'
import { json, readAsk, type Answer, type Ask, type RequestKind, type Service } from './http.js'
import type { Store } from './store.js'

/** One line of the request log. Tokens never get here. */
export interface RequestRecord {
  /** Epoch ms of arrival, on the emulator's clock. */
  at: number
  service: Service
  method: string
  /** Path and query as sent. */
  path: string
  kind: RequestKind
  /** Scheme of the Authorization header in lower case, nothing of its value. */
  authorization: string | undefined
  /** Weight against the points per minute; 0 on the registry. */
  points: number
  /** Undefined while unanswered, and for good when the connection broke or the answer never came. */
  status: number | undefined
  /** Names of the faults that befell it. */
  faults: string[]
}

/** What a latency function is asked. */
export interface LatencyQuestion {
  service: Service
  kind: RequestKind
  method: string
  path: string
}

/** A request that was counted in. */
export interface Admission {
  /** The answer when the limits refuse it. */
  refusal: Answer | undefined
  /** Adds what the service puts on every answer. */
  finish(answer: Answer): Answer
  /** The request is over. */
  leave(): void
}

/** One of the services, as the plumbing sees it. */
export interface Backend {
  readonly service: Service
  kindOf(ask: Ask): RequestKind
  pointsOf(ask: Ask): number
  admit(ask: Ask, requestId: string): Admission
  answer(ask: Ask): Answer
}

/** What the services share. */
export interface Surroundings {
  readonly now: () => number
  readonly latency: (question: LatencyQuestion) => number
  readonly store: Store
  readonly faults: Faults
  readonly requests: RequestRecord[]
  readonly errors: unknown[]
}

/** A listener on 127.0.0.1 that brings requests to a backend, through log, limits, faults and latency. */
export class Exchange {
  private readonly server: Server
  private readonly held = new Set<() => void>()

  constructor(
    private readonly around: Surroundings,
    private readonly backend: Backend,
  ) {
    this.server = createServer((request, response) => {
      void this.serve(request, response)
    })
  }

  /** Starts to listen; gives the origin. @throws the socket's error, such as a taken port */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(port, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Breaks all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve()
      })
    })
    this.server.closeAllConnections()
    for (const release of [...this.held]) release()
    await closed
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let record: RequestRecord | undefined
    try {
      const ask = await readAsk(this.backend.service, request)
      record = this.open(ask)
      await this.conduct(ask, record, response)
    } catch (error) {
      // A client that breaks off while sending is no fault of ours.
      if (record === undefined && request.destroyed && !request.complete) return
      this.around.errors.push(error)
      const message = `emulator: ${error instanceof Error ? error.message : String(error)}`
      if (record) record.status = 500
      if (!response.headersSent) write(response, json(500, { message }))
    }
  }

  private open(ask: Ask): RequestRecord {
    const scheme = ask.headers.authorization?.trim().split(/\s+/)[0]
    const record: RequestRecord = {
      at: this.around.now(),
      service: ask.service,
      method: ask.method,
      path: withoutSecrets(ask),
      kind: this.backend.kindOf(ask),
      authorization: ask.headers.authorization?.includes(' ') ? scheme?.toLowerCase() : undefined,
      points: this.backend.pointsOf(ask),
      status: undefined,
      faults: [],
    }
    this.around.requests.push(record)
    return record
  }

  private async conduct(ask: Ask, record: RequestRecord, response: ServerResponse): Promise<void> {
    const requestId = newRequestId()
    const admission = this.backend.admit(ask, requestId)
    const leave = once(() => {
      admission.leave()
    })
    response.once('close', leave)
    const befallen = this.around.faults.take(ask)
    record.faults = befallen.names
    for (const run of befallen.runs) run(this.around.store, ask)
    const { steps } = befallen
    if (steps.hang && !steps.reset) return
    if (steps.reset) {
      response.socket?.resetAndDestroy()
      return
    }
    await this.waitUntil(steps.until)
    const bare = replacement(steps, ask.service) ?? admission.refusal ?? this.backend.answer(ask)
    for (const run of befallen.runsAfter) run(this.around.store, ask)
    const answer = this.dress(altered(admission.finish(bare), steps, ask.service), requestId)
    await this.hold(this.around.latency(record) + befallen.delay)
    leave()
    deliver(response, answer, steps, record)
  }

  private dress(answer: Answer, requestId: string): Answer {
    const date = new Date(this.around.now()).toUTCString()
    return { ...answer, headers: { date, 'x-github-request-id': requestId, ...answer.headers } }
  }

  private async waitUntil(isSo: (() => boolean) | undefined): Promise<void> {
    while (isSo !== undefined && this.server.listening && !isSo()) await this.hold(10)
  }

  private async hold(ms: number): Promise<void> {
    if (ms <= 0) return
    await new Promise<void>((resolve) => {
      const release = () => {
        clearTimeout(timer)
        this.held.delete(release)
        resolve()
      }
      const timer = setTimeout(release, ms)
      this.held.add(release)
    })
  }
}

function deliver(
  response: ServerResponse,
  answer: Answer,
  steps: FaultSteps,
  record: RequestRecord,
): void {
  if (steps.lostAnswer === true) {
    response.socket?.resetAndDestroy()
    return
  }
  record.status = answer.status
  write(response, answer, steps.truncate)
}

function write(response: ServerResponse, answer: Answer, truncate?: true | number): void {
  const body = Buffer.from(answer.body)
  const sized = answer.status !== 204 && answer.status !== 304
  const length = sized ? { 'content-length': String(body.length) } : {}
  response.writeHead(answer.status, { ...length, ...answer.headers })
  if (truncate === undefined) {
    response.end(sized ? body : undefined)
    return
  }
  const kept = truncate === true ? Math.floor(body.length / 2) : truncate
  response.write(body.subarray(0, kept), () => response.socket?.destroy())
}

/** The `token` of a package restore and the signature of an address are secrets in a query; nothing else is. */
function withoutSecrets(ask: Ask): string {
  return ask.target.replace(/([?&](?:token|access_token|sig)=)[^&]*/g, '$1***')
}

function newRequestId(): string {
  const part = (bytes: number) => randomBytes(bytes).toString('hex').toUpperCase()
  return [part(2), part(3), part(4), part(4), part(4)].join(':')
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}
