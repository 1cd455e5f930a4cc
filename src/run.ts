import { setTimeout } from 'node:timers/promises'
import { RetentionError } from './errors.js'
import { fetchFor, through, type Fetch } from './fetching.js'
import type { Host, Log } from './host.js'
import { readPolicy } from './input-policy.js'
import { parseInputs, type Settings } from './inputs.js'
import type { Refusal } from './model.js'
import { PackagesClient, type Account } from './packages.js'
import { Pacer } from './pacing.js'
import { formatDuration } from './policy/durations.js'
import { Policies } from './policies.js'
import { readPolicyText } from './policy-text.js'
import type { Policy, PolicySet } from './policy/policy.js'
import { makePlan, refusalOf, type Planned, type PlanSource } from './planning.js'
import type { Clock, VersionDeleter, VersionLister } from './ports.js'
import { ProgressTeller } from './progress.js'
import { RegistryClient } from './registry.js'
import type { PackageMemory } from './remembering.js'
import { RepositoryClient } from './repositories.js'
import { readWorkspaceFiles, type WorkspaceFiles } from './workspace.js'

/** What every step of a run needs. */
export interface Run {
  readonly settings: Settings
  readonly host: Host
  readonly clock: Clock
  readonly pacer: Pacer
  readonly progress: ProgressTeller
  /** Milliseconds that are kept back from the time budget. */
  readonly closingTime: number
  readonly client: PackagesClient
  readonly registryFetch: Fetch
  readonly account: Account
  readonly policies: Policies
  readonly warnings: Warnings
}

/** Real time; a sleep ends early when the run is cancelled. */
export function systemClock(cancelled: AbortSignal): Clock {
  return {
    now: Date.now,
    sleep: (milliseconds) =>
      setTimeout(Math.min(milliseconds, longestSleep), undefined, { signal: cancelled }).catch(
        () => undefined,
      ),
  }
}

/** Milliseconds; a timer that is set for longer goes off at once. */
const longestSleep = 2 ** 31 - 1
/** Milliseconds that are kept back from the time budget, if it is not short, for what comes after the deletes. */
const longestClosingTime = 5000

/** Warnings about a whole run or package: told at once and only once, and kept for the report. */
export class Warnings {
  readonly #log: Log
  readonly #all = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  get all(): readonly string[] {
    return [...this.#all]
  }

  readonly tell = (message: string): void => {
    if (this.#all.has(message)) return
    this.#all.add(message)
    this.#log.warn(message)
  }
}

/** What a run was asked to do, with the files of the checkout that its policy names. */
export interface Asked {
  readonly settings: Settings
  readonly checkout: WorkspaceFiles
  readonly warnings: Warnings
}

/** What is told first, and how much from then on. */
export function begin({ settings, warnings }: Asked, host: Host): void {
  host.setLevel(settings.logLevel)
  for (const warning of settings.warnings) warnings.tell(warning)
}

/**
 * Reads the inputs, the policy file and the files that it names, before anything is asked of GitHub.
 *
 * @throws RetentionError `bad-input` that names every mistake
 */
export async function readSettings(host: Host): Promise<Asked> {
  const { inputs, environment, unknownInputs, log } = host
  const path = inputs.policy?.trim() ?? ''
  const { workspace } = environment
  const policy = readPolicy(path === '' ? undefined : await readPolicyText(workspace, path))
  const [checkout] = await Promise.allSettled([filesFor(policy.set, workspace)])
  try {
    const settings = parseInputs(inputs, environment, unknownInputs, policy)
    if (checkout.status === 'rejected') throw checkout.reason
    return { settings, checkout: checkout.value, warnings: new Warnings(log) }
  } catch (error) {
    if (checkout.status === 'fulfilled' || error === checkout.reason) throw error
    throw bothOf(refusalOf(error), refusalOf(checkout.reason))
  }
}

function filesFor(set: PolicySet | undefined, workspace: string): Promise<WorkspaceFiles> {
  const patterns = set?.entries.flatMap(({ protectFrom }) => protectFrom) ?? []
  return readWorkspaceFiles(workspace, patterns)
}

function bothOf(inputs: Refusal, files: Refusal): RetentionError {
  return new RetentionError('bad-input', `${inputs.message}\n${files.message}`, inputs.hint)
}

/** Finds the account, and makes ready what every step needs. */
export async function prepare(
  { settings, checkout, warnings }: Asked,
  host: Host,
  clock: Clock,
  started: number,
): Promise<Run> {
  const { apiUrl, registryUrl, token, timeBudget, pace } = settings
  const { cancelled } = host
  for (const path of checkout.skipped)
    warnings.tell(`${path} leads out of the checkout; what files there name is not protected.`)
  const closingTime = Math.min(longestClosingTime, (timeBudget ?? Infinity) / 10)
  const deadline = timeBudget === undefined ? undefined : started + timeBudget - closingTime
  const waiting = () => {
    progress.tell()
  }
  const pacer = new Pacer({ clock, ...pace, deadline, cancelled, waiting })
  const progress = new ProgressTeller(host, clock, pacer)
  const told = (message: string) => {
    host.log.warn(message)
  }
  const options = { apiUrl, token, fetch: fetchFor(apiUrl), clock, pacer, told, cancelled }
  const client = new PackagesClient(options)
  const account = await client.findAccount(settings.account)
  const repositories = new RepositoryClient(options)
  const registry = new URL(registryUrl).host
  const policies = new Policies(settings.policies, {
    files: checkout.files,
    images: { registry, account: account.login, repository: host.environment.repository },
    lookUpRefs: (repository, needs) => repositories.lookUp(repository, needs),
    warned: warnings.tell,
  })
  const registryFetch = through(pacer.registry, fetchFor(registryUrl))
  const tools = { clock, pacer, progress, closingTime, client, registryFetch }
  return { settings, host, account, policies, warnings, ...tools }
}

/** The packages to look at, in a fixed order. */
export async function chooseNames(run: Run): Promise<readonly string[]> {
  const { settings, client, account, policies, host } = run
  const { packages } = settings
  if (packages.kind === 'exact') return packages.names
  const { include, exclude } = packages.patterns
  const names = await client.listPackageNames(account)
  const chosen = names
    .filter((name) => include.length === 0 || include.some((pattern) => pattern.matches(name)))
    .filter((name) => !exclude.some((pattern) => pattern.matches(name)))
    .sort()
  const others = chosen.filter((name) => !policies.isAbout(name))
  if (others.length > 0)
    host.log.info(
      `The policy says nothing of ${others.length} of ${chosen.length} packages, which are left alone: ${others.slice(0, 10).join(', ')}${others.length > 10 ? ', …' : ''}.`,
    )
  return chosen.filter((name) => policies.isAbout(name))
}

/** A package with its plan, and what the plan was made from. */
export interface PlannedPackage extends Planned {
  readonly source: PlanSource
  readonly packages: VersionLister & VersionDeleter
  readonly registry: RegistryClient
}

/**
 * Lists, reads and plans one package, and changes nothing.
 *
 * @throws RetentionError when it cannot be listed, or when there is no time left
 */
export async function planPackage(
  run: Run,
  name: string,
  policy: Policy,
  memory: PackageMemory,
): Promise<PlannedPackage> {
  const { host, clock, account, client, progress } = run
  const label = `${account.login}/${name}`
  // The age of a version is judged as of the moment before it was listed: what grows old meanwhile is not old yet.
  const now = clock.now()
  const packages = client.openPackage(account, name, (pages, total) => {
    progress.show({ package: label, what: 'pages of versions listed', asks: 'page', total }, pages)
  })
  const registry = openRegistry(run, name)
  const source = {
    package: { account: account.login, name },
    lister: packages,
    reader: memory.learning(registry),
    remembered: memory.remembered,
    labels: registry,
    labelMemory: memory,
    policy,
    refs: () => run.policies.refsFor(name),
    now,
    heard: (known: number, total: number) => {
      progress.show({ package: label, what: 'manifests known', asks: 'manifest', total }, known)
    },
    heardLabels: (known: number, total: number) => {
      const what = 'images whose labels are known'
      progress.show({ package: label, what, asks: 'manifest', total }, known)
    },
    warned: (message: string) => {
      run.warnings.tell(`${label}: ${message}.`)
    },
  }
  const planned = await makePlan(source).finally(() => {
    progress.end()
  })
  const { versions, manifests } = planned.snapshot
  const known = `${manifests.size - memory.reads} manifests remembered, ${memory.reads} read`
  host.log.debug(`${label}: ${versions.length} versions, ${known}.`)
  return { ...planned, source, packages, registry }
}

function openRegistry(run: Run, name: string) {
  const { settings, host, account, clock, pacer, registryFetch } = run
  const label = `${account.login}/${name}`
  return new RegistryClient(label, {
    registryUrl: settings.registryUrl,
    token: settings.token,
    fetch: registryFetch,
    clock,
    random: Math.random,
    slowDown: (wait) => {
      const isNews = pacer.registry.slowDown(wait)
      if (isNews && wait < 1000) host.log.debug(`${label}: the registry asks for a moment.`)
      else if (isNews)
        host.log.warn(`The registry asks to slow down; waiting ${formatDuration(wait)}.`)
    },
    hasTimeFor: (wait) => pacer.hasTimeFor(wait),
  })
}
