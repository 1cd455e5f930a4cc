import type { Emulator } from '../../src/emulator/index.js'
import type { Host, Results, TextStore } from '../../src/host.js'
import type { RawInputs } from '../../src/inputs.js'
import { main } from '../../src/main.js'
import type { OutcomeResult, Refusal, Verification } from '../../src/model.js'
import type { Clock } from '../../src/ports.js'
import { tokens } from '../scenarios/kit.js'

/** The part of plan.json that whole runs are judged by. */
export interface PlanFile {
  failure?: Refusal
  packages: PackagePlan[]
}

export interface PackagePlan {
  name: string
  notReached?: string
  refusals: Refusal[]
  verification?: Verification
  deletions: { id: number; after: number[] }[]
  versions: {
    id: number
    action: 'keep' | 'delete'
    why: string
    reason: { code: string }
    outcome?: OutcomeResult
  }[]
}

/** What a run left behind. */
export interface WholeRun {
  exitCode: number
  /** One line for each message, with its level. */
  log: string[]
  outputs: Results['outputs']
  summary: string
  plan: PlanFile
}

/**
 * The whole run in this process, on a clock of the test's: hours of deletes pass in milliseconds. The emulator should
 * go by the same clock.
 */
export async function wholeRun(
  { apiUrl, registryUrl }: Emulator,
  clock: Clock,
  inputs: RawInputs = {},
  cancelled = new AbortController().signal,
  memory?: TextStore,
): Promise<WholeRun> {
  const log: string[] = []
  const told: { plan: string; results: Results } = {
    plan: '{}',
    results: { outputs: {} as Results['outputs'], summary: '' },
  }
  const line = (level: string) => (message: string) => log.push(`${level}: ${message}`)
  const host: Host = {
    inputs: {
      account: 'acme',
      token: tokens.classic,
      'image-names': 'app',
      'cut-off': '30d',
      registry: registryUrl,
      ...inputs,
    },
    unknownInputs: [],
    environment: { repository: undefined, workspace: '.', apiUrl, serverUrl: 'https://github.com' },
    log: {
      error: line('error'),
      warn: line('warn'),
      info: line('info'),
      debug: line('debug'),
      isDebug: () => false,
      group: line('group'),
      endGroup: () => undefined,
    },
    progress: {
      isShown: true,
      start: () => undefined,
      update: () => undefined,
      stop: () => undefined,
    },
    cancelled,
    memory,
    writePlan: (pieces) => {
      told.plan = [...pieces].join('')
      return Promise.resolve('plan.json')
    },
    finish: (results) => {
      told.results = results
      return Promise.resolve()
    },
    hide: () => undefined,
    setLevel: () => undefined,
  }
  const exitCode = await main(host, clock)
  return { exitCode, log, ...told.results, plan: JSON.parse(told.plan) as PlanFile }
}
