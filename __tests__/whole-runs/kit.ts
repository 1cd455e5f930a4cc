import { startEmulator, type Emulator } from '../../src/emulator/index.js'
import type { RequestRecord } from '../../src/emulator/exchange.js'
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
}

/** Starts the emulator. Nothing is limited: what limits do is among the troubles that a case may meet. */
export async function openStage(): Promise<Stage> {
  const clock = overlappingClock(Date.UTC(2026, 0, 1))
  const emulator = await startEmulator({ now: clock.now, limits: false })
  emulator.store.addAccount({ login: account, type: 'Organization' })
  let cases = 0
  const newCase = () => {
    const token = `ghp_emulator_${++cases}`
    emulator.store.addToken({ token, kind: 'classic', login: 'octo' })
    emulator.faults.clear()
    clock.time = Math.ceil(clock.time / 60_000) * 60_000
    return { token, names: [`app-${cases}`, `team/web-${cases}`] as const }
  }
  return { emulator, clock, newCase }
}

/** A clock whose time passes in sleep only. Those who sleep side by side sleep through the same time. */
function overlappingClock(start: number): Clock & { time: number } {
  const clock = {
    time: start,
    now: () => clock.time,
    sleep: async (milliseconds: number) => {
      const end = clock.time + milliseconds
      await Promise.resolve()
      clock.time = Math.max(clock.time, end)
    },
  }
  return clock
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
