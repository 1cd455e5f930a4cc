import { setTimeout } from 'node:timers/promises'
import { startEmulator, type Emulator } from '../../src/emulator/index.js'
import type { RequestRecord } from '../../src/emulator/exchange.js'
import type { LimitOptions } from '../../src/emulator/limits.js'
import type { RawInputs } from '../../src/inputs.js'
import type { Clock } from '../../src/ports.js'
import { wholeRun, type WholeRun } from './in-process.js'

export const account = 'acme'

/** An emulator that serves every run of a test, on a clock that it shares with them. */
export interface Stage {
  readonly emulator: Emulator
  readonly clock: Clock & { time: number }
  /** A token and package names that no other case has. */
  readonly newCase: () => { token: string; names: readonly [string, string] }
  /** Ends it; a bug that the emulator noticed in itself fails the test. */
  readonly close: () => Promise<void>
}

export interface StageOptions {
  /** Time passes only when no request is on its way, so that a delete arrives when it was sent; slow. */
  readonly isPatient?: boolean
  /** Requests of runs on the same clock that another emulator serves. */
  readonly elsewhere?: () => readonly RequestRecord[]
  /** Without it nothing is limited: what limits do is among the troubles that a case may meet. */
  readonly limits?: LimitOptions
}

/** Starts the emulator. */
export async function openStage({
  isPatient = false,
  elsewhere = () => [],
  limits,
}: StageOptions = {}): Promise<Stage> {
  let requests: readonly RequestRecord[] = []
  const clock = overlappingClock(Date.UTC(2026, 0, 1), () =>
    isPatient ? quiet(() => [...requests, ...elsewhere()]) : Promise.resolve(),
  )
  const emulator = await startEmulator({ now: clock.now, limits: limits ?? false })
  requests = emulator.requests
  emulator.store.addAccount({ login: account, type: 'Organization' })
  let cases = 0
  const newCase = () => {
    const token = `ghp_emulator_${++cases}`
    emulator.store.addToken({ token, kind: 'classic', login: 'octo' })
    emulator.faults.clear()
    clock.time = Math.ceil(clock.time / 60_000) * 60_000
    return { token, names: [`app-${cases}`, `team/web-${cases}`] as const }
  }
  return { emulator, clock, newCase, close: () => closeSound(emulator) }
}

export async function closeSound(emulator: Emulator): Promise<void> {
  await emulator.close()
  if (emulator.errors.length > 0) throw new AggregateError(emulator.errors, 'emulator bugs')
}

/**
 * A clock whose time passes in sleep only. Those who sleep side by side sleep through the same time, and wake one after
 * the other, each when its time has come.
 */
function overlappingClock(
  start: number,
  beforeTimePasses: () => Promise<void>,
): Clock & { time: number } {
  const sleepers: { end: number; wake: () => void }[] = []
  const clock = {
    time: start,
    now: () => clock.time,
    sleep: (milliseconds: number) =>
      new Promise<void>((wake) => {
        sleepers.push({ end: clock.time + milliseconds, wake })
        if (sleepers.length === 1) void passTime()
      }),
  }
  const passTime = async () => {
    while (sleepers.length > 0) {
      await beforeTimePasses()
      const next = sleepers.reduce((a, b) => (b.end < a.end ? b : a))
      clock.time = Math.max(clock.time, next.end)
      next.wake()
      // What wakes may fall asleep again before this goes on.
      await Promise.resolve()
      sleepers.splice(sleepers.indexOf(next), 1)
    }
  }
  return clock
}

/** So many rounds of timers without news mean that nothing is on its way, in the client's own queues either. */
const quietRounds = 25

/** Resolves when every request was answered and no other follows. Counted in rounds of timers, it bears any load. */
async function quiet(requests: () => readonly RequestRecord[]): Promise<void> {
  let known = ''
  for (let rounds = 0; rounds < quietRounds; rounds++) {
    await setTimeout(1)
    const answered = requests().filter(({ status }) => status !== undefined).length
    const state = `${answered} of ${requests().length}`
    if (state !== known) rounds = 0
    known = state
  }
}

/** What a run left behind, and what it asked for. */
export interface Run extends WholeRun {
  readonly requests: readonly RequestRecord[]
  readonly isCancelled: boolean
}

/** One run in process, by the same `main` that the action and the command line call. */
export async function run(
  { emulator, clock }: Stage,
  inputs: RawInputs,
  cancelled: AbortSignal = new AbortController().signal,
): Promise<Run> {
  emulator.requests.length = 0
  const left = await wholeRun(emulator, clock, inputs, cancelled)
  return { ...left, requests: [...emulator.requests], isCancelled: cancelled.aborted }
}
