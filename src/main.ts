import { setTimeout } from 'node:timers/promises'
import { deleteAll } from './deleter.js'
import { fetchFor, through, type Fetch } from './fetching.js'
import type { Host } from './host.js'
import { parseInputs, type Settings } from './inputs.js'
import { isGone, type Outcome, type Refusal } from './model.js'
import { PackagesClient, type Account } from './packages.js'
import { Pacer } from './pacing.js'
import { describePolicy } from './policy/describe.js'
import { formatDuration } from './policy/durations.js'
import type { Policy } from './policy/policy.js'
import { isOutOfTime, makePlan, refusalOf } from './planning.js'
import { ProgressTeller, type Work } from './progress.js'
import type { Clock, ManifestProbe, VersionDeleter } from './ports.js'
import { PackageRecheck } from './recheck.js'
import { RegistryClient } from './registry.js'
import { Remembering, type PackageMemory } from './remembering.js'
import type { AgeView } from './report/lines.js'
import { outputsOf } from './report/outputs.js'
import { planFile } from './report/plan-file.js'
import {
  emptyPackage,
  hasFailed,
  sum,
  type PackageReport,
  type RunReport,
} from './report/report.js'
import { shardPackages } from './sharding.js'
import { summaryOf } from './report/summary.js'
import { lookupIn, nameOf } from './report/words.js'
import {
  announce,
  closingWords,
  showPlan,
  tellOutcome,
  tellRefusals,
  tellUnverified,
  tellVerification,
} from './run-log.js'
import { verifyDeletions } from './verification.js'

/** What every step of a run needs. */
interface Run {
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
}

/** Real time; a sleep ends early when the run is cancelled. */
function systemClock(cancelled: AbortSignal): Clock {
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
/** How much of that is for looking at what stays; the rest is for the report. */
const verifyShare = 0.6
/** What a shell expects of a program that Ctrl-C has ended. */
export const cancelledCode = 130

/**
 * A whole run: read the inputs, and for each package list, read, judge, show, delete; then tell. Outputs, summary and
 * plan file are written whatever happens.
 *
 * @returns the exit code: 1 for bad input, a package left alone or a failed delete, 130 when cancelled, else 0
 */
export async function main(
  host: Host,
  clock: Clock = systemClock(host.cancelled),
): Promise<number> {
  const started = clock.now()
  host.hide(host.inputs.token?.trim() ?? '')
  let settings: Settings | undefined
  let report: RunReport
  try {
    settings = parseInputs(host.inputs, host.environment, host.unknownInputs)
    if (settings.mode === 'packages') return await tellPackages(settings, host, clock, started)
    report = await runAll(settings, host, clock, started)
  } catch (error) {
    const refusal = refusalOf(error)
    const late = isLate(error, settings)
    if (late) host.log.warn(`Nothing was looked at: ${refusal.message}.`)
    else host.log.error(`${refusal.message}\n${refusal.hint}`)
    report = emptyRun(host, settings, late ? undefined : refusal)
  }
  await finish(host, settings, report, clock.now())
  if (host.cancelled.aborted) return cancelledCode
  return hasFailed(report) ? 1 : 0
}

/**
 * Whether a run ended without a failure before it began. Without any quota from the start it has failed: it might never
 * get any. And a matrix that waits for names must not begin without them.
 */
function isLate(error: unknown, settings: Settings | undefined): boolean {
  return isOutOfTime(error) && error.code === 'out-of-time' && settings?.mode !== 'packages'
}

function emptyRun(
  host: Host,
  settings: Settings | undefined,
  failure: Refusal | undefined,
): RunReport {
  const given = settings?.account ?? host.inputs.account ?? ''
  const account = given.trim() === '' ? 'an unknown account' : given.trim()
  return { account, route: '', dryRun: settings?.dryRun ?? false, packages: [], failure }
}

/** Mode `packages`: only the names. */
async function tellPackages(
  settings: Settings,
  host: Host,
  clock: Clock,
  started: number,
): Promise<number> {
  begin(settings, host)
  const list = async () => {
    const run = await prepare(settings, host, clock, started)
    return { account: run.account.login, names: await chooseNames(run) }
  }
  await host.finish(await shardPackages(settings.packages, host, list))
  return 0
}

function begin({ logLevel, warnings }: Settings, host: Host): void {
  host.setLevel(logLevel)
  for (const warning of warnings) host.log.warn(warning)
}

async function runAll(
  settings: Settings,
  host: Host,
  clock: Clock,
  started: number,
): Promise<RunReport> {
  begin(settings, host)
  const run = await prepare(settings, host, clock, started)
  const names = await chooseNames(run)
  announce(host, settings, run.account.login, names)

  const memory = new Remembering({ settings, host, clock, account: run.account.login, names })
  const packages: PackageReport[] = []
  for (const name of names) {
    packages.push(await runPackage(run, name, memory))
  }
  const { timeBudget } = settings
  await memory.save(packages, timeBudget === undefined ? undefined : started + timeBudget)
  for (const source of unusedPatterns(settings.policy, packages)) {
    host.log.warn(`image-tags: ${source} matches no tag of ${names.join(', ')}`)
  }
  const { login, route } = run.account
  return { account: login, route, dryRun: settings.dryRun, packages, failure: undefined }
}

async function prepare(
  settings: Settings,
  host: Host,
  clock: Clock,
  started: number,
): Promise<Run> {
  const { apiUrl, registryUrl, token, timeBudget, pace } = settings
  const { cancelled } = host
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
  const fetch = fetchFor(apiUrl)
  const client = new PackagesClient({ apiUrl, token, fetch, clock, pacer, told, cancelled })
  const account = await client.findAccount(settings.account)
  const registryFetch = through(pacer.registry, fetchFor(registryUrl))
  return { settings, host, clock, pacer, progress, closingTime, client, registryFetch, account }
}

async function chooseNames({ settings, client, account }: Run): Promise<readonly string[]> {
  const { packages } = settings
  if (packages.kind === 'exact') return packages.names
  const { include, exclude } = packages.patterns
  const names = await client.listPackageNames(account)
  return names
    .filter((name) => include.length === 0 || include.some((pattern) => pattern.matches(name)))
    .filter((name) => !exclude.some((pattern) => pattern.matches(name)))
    .sort()
}

/** One package from its listing to its last delete. What goes wrong in it is its own matter. */
async function runPackage(run: Run, name: string, memory: Remembering): Promise<PackageReport> {
  const { account, host } = run
  const label = `${account.login}/${name}`
  try {
    return await prunePackage(run, name, memory.of(name))
  } catch (error) {
    const refusal = refusalOf(error)
    if (isOutOfTime(error)) {
      const why = host.cancelled.aborted ? 'the run was cancelled' : error.message
      host.log.warn(`${label}: not looked at: ${why}.`)
      return emptyPackage(account.login, name, { notReached: why })
    }
    tellRefusals(host, label, [refusal])
    return emptyPackage(account.login, name, { refusal })
  }
}

/** List, read, judge, mark, sweep, look again, show; and unless it is a dry run, delete. */
async function prunePackage(run: Run, name: string, memory: PackageMemory): Promise<PackageReport> {
  const { settings, host, clock, account, client, progress } = run
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
    policy: settings.policy,
    now,
    heard: (known: number, total: number) => {
      progress.show({ package: label, what: 'manifests known', asks: 'manifest', total }, known)
    },
  }
  const planned = await makePlan(source).finally(() => {
    progress.end()
  })
  const { plan: made, snapshot } = planned
  const { versions, manifests } = snapshot
  const known = `${manifests.size - memory.reads} manifests remembered, ${memory.reads} read`
  host.log.debug(`${label}: ${versions.length} versions, ${known}.`)
  const report = { name, plan: made, outcomes: [], notReached: undefined }
  showPlan(host, settings, made, now)
  if (settings.dryRun || made.deletions.length === 0) return report

  const begun = clock.now()
  const recheck = new PackageRecheck(source, planned, clock)
  const done = await carryOut(run, report, packages, recheck)
  host.log.info(`${label}: ${closingWords(done, clock.now() - begun)}`)
  return settings.verify ? verify(run, done, recheck, registry) : done
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

/** Patterns that no tag of the run matches: most often a mistake, and as an exclusion a dangerous one. */
function unusedPatterns(policy: Policy, packages: readonly PackageReport[]): string[] {
  const decisions = packages.flatMap(({ plan: made }) => made.decisions)
  const tags = decisions.flatMap(({ version }) => version.tags)
  const named = policy.deleteRules.flatMap((rule) => rule.tags ?? [])
  const unused = [...named, ...policy.protect].filter(({ matches }) => !tags.some(matches))
  return tags.length === 0 ? [] : unused.map(({ source }) => source)
}

/** Deletes what is planned. Whatever goes wrong, what was done until then is in the report. */
async function carryOut(
  { host, pacer, progress, clock, account }: Run,
  report: PackageReport,
  deleter: VersionDeleter,
  recheck: PackageRecheck,
): Promise<PackageReport> {
  const { name, plan: made } = report
  const outcomes: Outcome[] = []
  const lookup = lookupIn(made.decisions)
  const label = `${account.login}/${name}`
  const total = made.deletions.length
  const work: Work = { package: label, what: 'deletes done', asks: 'delete', total }
  const told = (outcome: Outcome) => {
    outcomes.push(outcome)
    const decision = lookup(outcome.version.digest)
    tellOutcome(host, `${name} ${decision === undefined ? '' : nameOf(decision)}`, outcome)
    if (outcome.result.status !== 'remaining') progress.show(work, outcomes.length)
  }
  progress.show(work, 0)
  const options = { deleter, recheck, pacer, clock, random: Math.random, told }
  const unforeseen = await deleteAll(made.deletions, options).then(
    () => [],
    (error: unknown) => [refusalOf(error)],
  )
  progress.end()
  const refusals = [...recheck.refusals, ...unforeseen]
  tellRefusals(host, label, refusals, 'its deletes ended early, what is left stays')
  return { ...report, outcomes, plan: { ...made, refusals } }
}

/** After deletes, looks whether what stays is whole. That it could not be looked at is told, and is no failure. */
async function verify(
  { host, pacer, account, closingTime }: Run,
  report: PackageReport,
  recheck: PackageRecheck,
  registry: ManifestProbe,
): Promise<PackageReport> {
  if (!report.outcomes.some(({ result }) => isGone(result))) return report
  const { package: ref } = report.plan
  try {
    const verification = await pacer.closing(closingTime * verifyShare, async () => {
      const { snapshot, restored } = await recheck.latest()
      const still = report.outcomes.filter(({ version }) => !restored.has(version.id))
      return verifyDeletions(snapshot, still, registry)
    })
    tellVerification(host, ref, account.route, verification)
    return { ...report, verification }
  } catch (error) {
    tellUnverified(host, ref, refusalOf(error).message)
    return report
  }
}

async function finish(
  host: Host,
  settings: Settings | undefined,
  report: RunReport,
  now: number,
): Promise<void> {
  const view: AgeView = { now, by: settings?.policy.ageBy ?? 'updated' }
  const sentences = settings === undefined ? [] : describePolicy(settings.policy)
  const planPath = await host.writePlan(planFile(report, now)).catch((error: unknown) => {
    host.log.error(`plan.json could not be written: ${refusalOf(error).message}`)
    return undefined
  })
  const outputs = outputsOf(report, planPath)
  await host.finish({ outputs, summary: summaryOf(report, sentences, view) })
  if (report.packages.length < 2) return
  const { listed, planned, kept, deleted } = sum(report.packages)
  const done = report.dryRun ? `${planned} would go` : `${deleted} of ${planned} planned deleted`
  host.log.info(`${report.packages.length} packages, ${listed} versions: ${done}, ${kept} stay.`)
}
