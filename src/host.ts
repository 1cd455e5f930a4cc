import type { LogLevel } from './input-readers.js'
import type { Environment, RawInputs } from './inputs.js'
import type { OutputName } from './report/outputs.js'

/** Where a run gets its inputs and tells its story: the Actions runner or a terminal. */
export interface Host {
  readonly inputs: RawInputs
  /** Names of inputs that were given and do not exist. */
  readonly unknownInputs: readonly string[]
  readonly environment: Environment
  readonly log: Log
  /** Shows how far what takes long has come. */
  readonly progress: Progress
  /** Keeps what one run can tell the next, or undefined where nothing can be kept. */
  readonly memory: TextStore | undefined
  /** Aborted when a person or the runner asks the run to end. */
  readonly cancelled: AbortSignal
  /** Keeps the plan file, which comes in pieces. @returns its path, or undefined when nobody asked for it */
  readonly writePlan: (pieces: Iterable<string>) => Promise<string | undefined>
  /** Called once at the end, with everything a run has to hand over. */
  readonly finish: (results: Results) => Promise<void>
  /** Keeps a text out of everything that is told from now on. */
  readonly hide: (secret: string) => void
  /** Says how much to tell from now on. */
  readonly setLevel: (level: LogLevel) => void
}

/** One line each; a host makes any text safe to show. */
export interface Log {
  readonly error: (message: string) => void
  readonly warn: (message: string) => void
  readonly info: (message: string) => void
  readonly debug: (message: string) => void
  /** Whether anybody sees what is told at debug. */
  readonly isDebug: () => boolean
  readonly group: (title: string) => void
  readonly endGroup: () => void
}

/** Keeps a text for each scope from one run to the next. Either way may fail, and is given up after a while. */
export interface TextStore {
  /** @param limit milliseconds; @returns the text that was saved last, or undefined */
  readonly restore: (scope: string, limit: number) => Promise<string | undefined>
  readonly save: (scope: string, text: string, limit: number) => Promise<void>
}

/** A bar for one piece of work after the other. */
export interface Progress {
  /** A person sees it move, so the log needs no lines about it. */
  readonly isShown: boolean
  /** @param what the things that are counted, as in "acme/api: deletes done" */
  readonly start: (total: number, what: string) => void
  /** @param outlook how fast it goes, how long it will take, what holds it up */
  readonly update: (done: number, total: number, outlook: string) => void
  readonly stop: () => void
}

/** What is left when a run has ended, also when it failed. */
export interface Results {
  readonly outputs: Readonly<Record<OutputName, string>>
  readonly summary: string
}
