import { afterEach } from '@jest/globals'
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/index.js'

/** The tokens of the stories: plainly fake, named after what they may do. */
export const tokens = {
  all: 'ghp_emulator_all',
  reader: 'ghp_emulator_reader',
  scopeless: 'ghp_emulator_scopeless',
  workflow: 'ghs_emulator_workflow',
  readOnlyWorkflow: 'ghs_emulator_read_only',
  roleless: 'ghs_emulator_roleless',
  fineGrained: 'github_pat_emulator_fine',
  app: 'ghs_emulator_app',
}

/** 2026-01-01T00:00:00Z, where the clock of every story starts. */
export const newYear = Date.UTC(2026, 0, 1)

/** An emulator with a clock that only moves when told to. */
export interface Stage extends Emulator {
  clock: { now: number }
  /** A request to the API, with a known token (or none). */
  api: (path: string, init?: RequestInit & { token?: string }) => Promise<Response>
  /** A request to the registry with the GitHub token itself as bearer. */
  registry: (path: string, init?: RequestInit & { token?: string }) => Promise<Response>
}

const open: Emulator[] = []

afterEach(async () => {
  const errors = open.flatMap((one) => one.errors)
  await Promise.all(open.splice(0).map((one) => one.close()))
  if (errors.length > 0) throw new AggregateError(errors, 'the emulator had internal errors')
})

/** Starts an emulator that is closed after the test, and fails the test when it had a bug. */
export async function stage(options: EmulatorOptions = {}): Promise<Stage> {
  const clock = { now: newYear }
  const emulator = await startEmulator({ now: () => clock.now, ...options })
  open.push(emulator)
  const { store } = emulator
  store.addAccount({ login: 'acme', type: 'Organization', id: 77 })
  store.addAccount({ login: 'octo', type: 'User', id: 88 })
  store.addToken({ token: tokens.all, kind: 'classic', login: 'octo' })
  store.addToken({
    token: tokens.reader,
    kind: 'classic',
    login: 'octo',
    scopes: ['read:packages'],
  })
  store.addToken({ token: tokens.scopeless, kind: 'classic', login: 'octo', scopes: [] })
  store.addToken({ token: tokens.workflow, kind: 'workflow' })
  store.addToken({ token: tokens.readOnlyWorkflow, kind: 'workflow', permission: 'read' })
  store.addToken({ token: tokens.roleless, kind: 'workflow', packages: {} })
  store.addToken({ token: tokens.fineGrained, kind: 'fine-grained' })
  store.addToken({ token: tokens.app, kind: 'app' })
  return {
    ...emulator,
    clock,
    api: (path, { token = tokens.all, ...init } = {}) =>
      fetch(emulator.apiUrl + path, withToken(init, token && `token ${token}`)),
    registry: (path, { token = tokens.all, ...init } = {}) =>
      fetch(emulator.registryUrl + path, withToken(init, token && `Bearer ${btoa(token)}`)),
  }
}

/** An empty text as token means none. */
function withToken(init: RequestInit, authorization: string): RequestInit {
  const headers = new Headers(init.headers)
  if (authorization !== '') headers.set('authorization', authorization)
  return { ...init, headers }
}

/** The rows of a list, reduced to what a story looks at. */
export interface Row {
  id: number
  name: string
  created_at: string
  updated_at: string
  deleted_at?: string
  metadata: { container: { tags: string[] } }
}

/** Reads JSON as the type the caller expects. */
export async function read<Body>(response: Response | Promise<Response>): Promise<Body> {
  return (await (await response).json()) as Body
}

/** Status, code and message of a registry's error. */
export async function errorOf(response: Response): Promise<[number, string, string]> {
  const { errors } = await read<{ errors: { code: string; message: string }[] }>(response)
  return [response.status, errors[0]?.code ?? '', errors[0]?.message ?? '']
}
