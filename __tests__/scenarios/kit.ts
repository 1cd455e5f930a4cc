import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, expect } from '@jest/globals'
import { pullEverything } from '../../src/demo/pull.js'
import { pushTree, type Tree } from '../../src/emulator/images.js'
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/index.js'
import { inputDefinitions, type InputDefinition, type InputName } from '../../src/input-table.js'
import type { OutputName } from '../../src/report/outputs.js'

/** The tokens of the stories: plainly fake, named after what they are. */
export const tokens = { classic: 'ghp_emulator_all', workflow: 'ghs_emulator_workflow' }

/** The action that the stories run; `scripts/sabotage.mjs` puts a broken one in its place. */
const builtAction = process.env.ACTION_BUNDLE ?? 'dist/index.js'

const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** For stories about patience: the environment in which a run's clocks go so many times as fast. */
const hurriedBy = (factor: number) => ({
  NODE_OPTIONS: `--import ${new URL('../../scripts/hurry.mjs', import.meta.url).href}`,
  HURRY_FACTOR: String(factor),
})
export const hurried = hurriedBy(25)
/** For stories about minutes of patience. A request has a second then, where it has a minute. */
export const veryHurried = hurriedBy(60)

/** What a run of the built action left behind. */
export interface ActionRun {
  exitCode: number
  /** Everything that was printed, as the runner would show it. */
  log: string
  outputs: Partial<Record<OutputName, string>>
  summary: string
  plan: PlanFile
}

/** The part of plan.json that stories look at. */
export interface PlanFile {
  dryRun: boolean
  /** What ended the whole run, if anything did. */
  failure?: { code: string }
  warnings?: string[]
  packages: {
    name: string
    refusals: { code: string; message: string }[]
    deletions: { id: number; after: number[] }[]
    versions: {
      id: number
      digest: string
      tags: string[]
      action: string
      why: string
      reason: Reason
      also?: Reason[]
      overruled?: Reason[]
      outcome?: { status: string; why?: string }
    }[]
    /** Why the run did not look at the package. */
    notReached?: string
  }[]
}

interface Reason {
  code: string
  /** The rule that it comes from, and where that was written. */
  rule?: string
  place?: string
}

/** Both ways to run, for `describe.each`: a story whose faults strike once is told in each, on a fresh registry. */
export const liveAndDry: [string, Partial<Record<InputName, string>>][] = [
  ['live', {}],
  ['in a dry run', { 'dry-run': 'true' }],
]

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** Starts an emulator with the account `acme`, which is closed after the test; a bug in it fails the test. */
export async function registry(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options)
  cleanUps.push(async () => {
    await emulator.close()
    if (emulator.errors.length > 0) throw new AggregateError(emulator.errors, 'emulator bugs')
  })
  if (options.store) return emulator
  emulator.store.addAccount({ login: 'acme', type: 'Organization' })
  emulator.store.addToken({ token: tokens.classic, kind: 'classic', login: 'octo' })
  emulator.store.addToken({ token: tokens.workflow, kind: 'workflow' })
  return emulator
}

/** Starts an emulator that was closed once more: at the same addresses, with the same state and nothing else. */
export function revive({ apiUrl, registryUrl, store }: Emulator): Promise<Emulator> {
  const port = (url: string) => Number(new URL(url).port)
  return registry({ store, apiPort: port(apiUrl), registryPort: port(registryUrl) })
}

/** Where and when to push: `acme/app`, 40 days ago, unless it says otherwise. */
export interface PushTo {
  tags?: string[]
  daysAgo?: number
  name?: string
  account?: string
}

/** Pushes a tree and gives it back. */
export function push({ store }: Emulator, tree: Tree, to: PushTo = {}): Tree {
  const { tags = [], daysAgo = 40, name = 'app', account = 'acme' } = to
  pushTree(store, { account, package: name, tree, tags, at: store.now() - daysAgo * day })
  return tree
}

/**
 * Runs the built action as the runner does: in a process of its own, with inputs, files and defaults in place.
 * With `ACTION_BUNDLE` in `env`, it is that file instead.
 */
export async function runAction(
  emulator: Pick<Emulator, 'apiUrl' | 'registryUrl'>,
  inputs: Partial<Record<InputName, string>> = {},
  env: Record<string, string> = {},
  whileRunning?: (kill: (signal?: NodeJS.Signals) => void) => void,
): Promise<ActionRun> {
  const folder = await checkout()
  const files = { output: join(folder, 'output'), summary: join(folder, 'summary') }
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')))
  const environment: Record<string, string> = {
    ...runnerEnvironment(folder, files, emulator),
    ...inputEnvironment({
      'image-names': 'app',
      'cut-off': '30d',
      'deletes-per-minute': '10000',
      registry: emulator.registryUrl,
      ...inputs,
    }),
    ...env,
  }
  const { ACTION_BUNDLE: action = builtAction, ...others } = environment
  const { exitCode, log } = await node(action, [], others, whileRunning)
  const outputs = readOutputs(await readFile(files.output, 'utf8'))
  const plan: unknown = JSON.parse(outputs.plan ? await readFile(outputs.plan, 'utf8') : '{}')
  const summary = await readFile(files.summary, 'utf8')
  return { exitCode, log, outputs, summary, plan: plan as PlanFile }
}

/** A folder with files, as `actions/checkout` leaves one; it is removed after the test. */
export async function checkout(files: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'story-'))
  cleanUps.push(() => rm(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

/** Inputs of a run by a policy file, in which names and ages come from the file. */
export const byPolicy = { policy: 'policy.yml', 'image-names': '', 'cut-off': '' }

/** The environment of a run whose checkout has a policy file, and may have others. */
export async function policyFile(
  text: string,
  files: Record<string, string> = {},
): Promise<{ GITHUB_WORKSPACE: string }> {
  return { GITHUB_WORKSPACE: await checkout({ 'policy.yml': text, ...files }) }
}

/**
 * Runs dry, then live with the same inputs, and gives the live run, whose requests alone stay in the log. The dry run
 * must write nothing, and plan exactly what the live run then plans and does.
 */
export async function dryThenLive(
  emulator: Emulator,
  inputs: Partial<Record<InputName, string>> = {},
  env: Record<string, string> = {},
): Promise<ActionRun> {
  const before = emulator.requests.length
  const dry = await runAction(emulator, { ...inputs, 'dry-run': 'true' }, env)
  const requests = emulator.requests.splice(before)
  expect(writes({ requests })).toEqual([])

  const live = await runAction(emulator, inputs, env)
  expect(decisionsOf(dry)).toEqual(decisionsOf(live))
  expect(dry.outputs.planned).toBe(live.outputs.planned)
  expect(dry.outputs['skipped-packages']).toBe(live.outputs['skipped-packages'])
  const refused = dry.plan.failure !== undefined || dry.outputs['skipped-packages'] !== ''
  expect(dry.exitCode).toBe(refused ? 1 : 0)
  const asked = emulator.requests.slice(before).filter(({ method }) => method === 'DELETE')
  const planned = listed(dry.outputs.planned).map((version) => version.replace(/^.*:/, ''))
  const ids = new Set(asked.map(({ path }) => path.replace(/^.*\//, '')))
  expect([...ids].filter((id) => !planned.includes(id))).toEqual([])
  return live
}

/** What a run decided, without the words, in which ages grow while it goes on. */
function decisionsOf({ plan }: ActionRun) {
  return plan.packages.map(({ name, refusals, deletions, versions }) => ({
    name,
    refusals: refusals.map(({ code }) => code),
    deletions,
    versions: versions.map(({ id, action, reason }) => [id, action, reason.code]),
  }))
}

/**
 * Runs a program of the project, in a folder. Standard output and standard error come in one text, and the former alone
 * as well.
 */
export function node(
  script: string,
  args: readonly string[],
  env: Record<string, string>,
  whileRunning: (kill: (signal?: NodeJS.Signals) => void) => void = () => undefined,
  folder = '.',
): Promise<{ exitCode: number; log: string; out: string }> {
  return new Promise((ended, reject) => {
    const child = spawn(process.execPath, [resolve(script), ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      cwd: folder,
    })
    const chunks: Buffer[] = []
    const printed: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      printed.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      const [log, out] = [chunks, printed].map((all) => Buffer.concat(all).toString('utf8'))
      ended({ exitCode: code ?? -1, log: log ?? '', out: out ?? '' })
    })
    whileRunning((signal = 'SIGKILL') => child.kill(signal))
  })
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/variables */
function runnerEnvironment(
  folder: string,
  files: { output: string; summary: string },
  { apiUrl }: Pick<Emulator, 'apiUrl'>,
): Record<string, string> {
  return {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_API_URL: apiUrl,
    GITHUB_OUTPUT: files.output,
    GITHUB_REPOSITORY: 'acme/app',
    GITHUB_REPOSITORY_OWNER: 'acme',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_STEP_SUMMARY: files.summary,
    RUNNER_TEMP: folder,
  }
}

/** Every input of action.yml as the runner passes it, defaults filled in and expressions evaluated. */
function inputEnvironment(inputs: Partial<Record<InputName, string>>): Record<string, string> {
  const expressions: Record<string, string> = {
    '${{ github.repository_owner }}': 'acme',
    '${{ github.token }}': tokens.workflow,
  }
  return Object.fromEntries(
    Object.entries<InputDefinition>(inputDefinitions).map(([name, definition]) => {
      const fallback = definition.default ?? ''
      const value = inputs[name as InputName] ?? expressions[fallback] ?? fallback
      return [`INPUT_${name.toUpperCase()}`, value]
    }),
  )
}

/** Reads the heredoc form of the runner's output file. */
function readOutputs(text: string): Partial<Record<OutputName, string>> {
  const entries = text.matchAll(/^(\S+)<<(ghadelimiter_\S+)\n([\s\S]*?)\n?^\2$/gm)
  return Object.fromEntries(
    [...entries].map(([, name = '', , value = '']) => [name, value.replace(/\n$/, '')]),
  )
}

/** The tags that are left in a package of `acme`, sorted. */
export function tagsLeft({ store }: Emulator, name = 'app'): string[] {
  return store
    .versions('acme', name)
    .flatMap(({ tags }) => tags)
    .sort()
}

/** The digests that are left in a package of `acme`. */
export function digestsLeft({ store }: Emulator, name = 'app'): Set<string> {
  return new Set(store.versions('acme', name).map(({ digest }) => digest))
}

/** The digests that stay: after a live run those that are left, after a dry run those that a live one would leave. */
export function digestsStaying(emulator: Emulator, { plan }: ActionRun, name = 'app'): Set<string> {
  const left = digestsLeft(emulator, name)
  if (!plan.dryRun) return left
  expect(deletesAsked(emulator)).toBe(0)
  const { deletions, versions } = plan.packages.find((entry) => entry.name === name) ?? {}
  const going = new Set(deletions?.map(({ id }) => id))
  for (const { id, digest } of versions ?? []) if (going.has(id)) left.delete(digest)
  return left
}

/** The id of the version behind a tag or a digest in a package of `acme`. */
export function idOf({ store }: Emulator, reference: string, name = 'app'): number {
  const version = store.version('acme', name, reference)
  if (version === undefined) throw new Error(`no ${reference} in ${name}`)
  return version.id
}

/** `name:id,name:id`, as the outputs list versions, in a fixed order. */
export function listed(list: string | undefined): string[] {
  return list === undefined || list === '' ? [] : list.split(',').sort()
}

/** A summary as it is read: Markdown whose character references are resolved. */
export function readable({ summary }: Pick<ActionRun, 'summary'>): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>' }
  return summary.replace(/&(?:#(\d+)|(amp|lt|gt));/g, (_, code?: string, name?: string) =>
    code === undefined ? (names[name ?? ''] ?? '') : String.fromCharCode(Number(code)),
  )
}

/** What the plan file says of the version behind a tag or a digest. */
export function decisionOn({ plan }: ActionRun, reference: string, name = 'app') {
  const versions = plan.packages.find((entry) => entry.name === name)?.versions ?? []
  return versions.find(({ digest, tags }) => digest === reference || tags.includes(reference))
}

/** Everything a client pulling every tag of a package cannot get. */
export async function broken({ registryUrl }: Emulator, name = 'app'): Promise<readonly string[]> {
  return (await pullEverything(registryUrl, `acme/${name}`, tokens.classic)).broken
}

/** Requests that change something. */
export function writes({ requests }: Pick<Emulator, 'requests'>): string[] {
  return requests
    .filter(({ method }) => !['GET', 'HEAD'].includes(method))
    .map(({ method, path }) => `${method} ${path}`)
}

/** How many deletes were asked for. */
export function deletesAsked(emulator: Emulator): number {
  return emulator.requests.filter(({ method }) => method === 'DELETE').length
}

/** The line of the log about the image whose tags begin so. */
export function lineOf({ log }: Pick<ActionRun, 'log'>, tags: string): string {
  const lines = log.split('\n')
  return lines.find((line) => /^(?:keep  |delete)  /.test(line) && line.startsWith(tags, 8)) ?? ''
}

/** All digests of a tree. */
export function digestsOf(tree: Tree): string[] {
  return [tree.digest, ...tree.children.flatMap(digestsOf)]
}
