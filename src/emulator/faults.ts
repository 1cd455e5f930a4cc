import { STATUS_CODES } from 'node:http'
import type { Answer, Ask, Service } from './http.js'
import type { Store } from './store.js'

/** What goes wrong. Fields combine freely; with several faults on one request the later one's field wins. */
export interface FaultSteps {
  /** Changes the state before the request is looked at. */
  run?: (store: Store, ask: Ask) => void
  /** Changes the state after the operation and before the answer. */
  runAfter?: (store: Store, ask: Ask) => void
  /** Waits before the operation until this is so: for what must happen first, such as a request of another client. */
  until?: () => boolean
  /** Milliseconds to hold the answer back, on top of the emulator's latency. */
  delay?: number
  /** Answers this status and performs nothing. Without a `body`, one that the service would send. */
  status?: number
  /** Headers over those of the answer. */
  headers?: Record<string, string>
  /** The body instead of the true one (which a function gets to see). */
  body?: string | Uint8Array | ((original: string) => string)
  /** Answers 307 to this URL and performs nothing. */
  redirect?: string
  /** Performs the operation; then the connection breaks (true), or this status is answered instead. */
  lostAnswer?: true | number
  /** Announces the whole body and sends only half of it (true), or this many bytes; then breaks the connection. */
  truncate?: true | number
  /** Breaks the connection; performs nothing. */
  reset?: true
  /** Never answers and performs nothing; close() breaks the connection. */
  hang?: true
}

/** Steps, or one of the simple ones by name. */
export type FaultAction = FaultSteps | 'reset' | 'hang' | 'truncate' | 'lostAnswer'

/** A fault and the requests it befalls. */
export interface FaultSpec {
  /** How the request log names it; default `fault-<number>`. */
  name?: string
  /** Default: any. */
  service?: Service
  /** `GET`, `DELETE`, …; default: any. */
  method?: string
  /** Tried against path and query as sent. */
  path?: RegExp
  /** A last question; only requests that match everything else are asked. */
  when?: (ask: Ask) => boolean
  /** How many matching requests it befalls; default 1. `Infinity`: all. */
  times?: number
  /** How many matching requests pass before it starts; default 0. */
  after?: number
  action: FaultAction
}

/** What befalls one request. */
export interface Befallen {
  names: string[]
  runs: ((store: Store, ask: Ask) => void)[]
  runsAfter: ((store: Store, ask: Ask) => void)[]
  delay: number
  steps: FaultSteps
}

interface Entry {
  name: string
  spec: FaultSpec
  seen: number
  done: number
}

/** The scripted faults of an emulator. All that match a request befall it together, in order of adding. */
export class Faults {
  private readonly entries: Entry[] = []
  private added = 0

  /** Adds a fault; the function it gives takes it away again. */
  add(spec: FaultSpec): () => void {
    this.added += 1
    const entry = { name: spec.name ?? `fault-${this.added}`, spec, seen: 0, done: 0 }
    this.entries.push(entry)
    return () => {
      const at = this.entries.indexOf(entry)
      if (at >= 0) this.entries.splice(at, 1)
    }
  }

  /** Takes all faults away. */
  clear(): void {
    this.entries.length = 0
  }

  /** What befalls this request; counts it. */
  take(ask: Ask): Befallen {
    const befallen: Befallen = { names: [], runs: [], runsAfter: [], delay: 0, steps: {} }
    for (const entry of this.entries) {
      if (!matches(entry.spec, ask) || !isDue(entry)) continue
      const steps = stepsOf(entry.spec.action)
      befallen.names.push(entry.name)
      if (steps.run) befallen.runs.push(steps.run)
      if (steps.runAfter) befallen.runsAfter.push(steps.runAfter)
      befallen.delay += steps.delay ?? 0
      befallen.steps = { ...befallen.steps, ...steps }
    }
    return befallen
  }
}

function matches(spec: FaultSpec, ask: Ask): boolean {
  if (spec.service !== undefined && spec.service !== ask.service) return false
  if (spec.method !== undefined && spec.method.toUpperCase() !== ask.method) return false
  // A sticky or global expression would remember where it stopped.
  if (spec.path && ask.target.search(spec.path) < 0) return false
  return spec.when?.(ask) ?? true
}

function isDue(entry: Entry): boolean {
  entry.seen += 1
  if (entry.seen <= (entry.spec.after ?? 0)) return false
  if (entry.done >= (entry.spec.times ?? 1)) return false
  entry.done += 1
  return true
}

function stepsOf(action: FaultAction): FaultSteps {
  return typeof action === 'string' ? { [action]: true } : action
}

/** The answer that replaces the operation, if the fault prevents it. */
export function replacement(steps: FaultSteps, service: Service): Answer | undefined {
  if (steps.redirect !== undefined) {
    return { status: 307, headers: { location: steps.redirect }, body: '' }
  }
  return steps.status === undefined ? undefined : failure(steps.status, service)
}

/** The true answer as the fault changes it. */
export function altered(answer: Answer, steps: FaultSteps, service: Service): Answer {
  const lost = typeof steps.lostAnswer === 'number' ? failure(steps.lostAnswer, service) : answer
  const { body } = steps
  const original = Buffer.from(lost.body).toString()
  return {
    status: lost.status,
    headers: { ...lost.headers, ...steps.headers },
    body: typeof body === 'function' ? body(original) : (body ?? lost.body),
  }
}

/** A failure as the service words it when it has nothing better to say. */
function failure(status: number, service: Service): Answer {
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  const words = status >= 500 ? 'Server Error' : (STATUS_CODES[status] ?? 'Fault')
  const bodies = {
    api: {
      message: words,
      documentation_url: 'https://docs.github.com/rest',
      status: String(status),
    },
    registry: { errors: [{ code: 'UNKNOWN', message: words }] },
    cache: { code: 'internal', msg: words },
  }
  return { status, headers, body: JSON.stringify(bodies[service]) }
}
