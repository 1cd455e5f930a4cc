import { deleteAll } from './deleter.js'
import { RetentionError } from './errors.js'
import { fetchFor, type Fetch } from './fetching.js'
import type { Host } from './host.js'
import { parseInputs, type Settings } from './inputs.js'
import { readManifests } from './manifests.js'
import type { Outcome, PackageVersion, Refusal, RefusalCode, Snapshot } from './model.js'
import { PackagesClient, type Account } from './packages.js'
import { Pacer } from './pacing.js'
import { describePolicy } from './policy/describe.js'
import { formatDuration } from './policy/durations.js'
import type { Clock, VersionDeleter, VersionLister } from './ports.js'
import { RegistryClient } from './registry.js'
import { planLines, type AgeView } from './report/lines.js'
import { outputsOf } from './report/outputs.js'
import { planFile } from './report/plan-file.js'
import {
  emptyPackage,
  hasFailed,
  sum,
  totalsOf,
  type PackageReport,
  type RunReport,
} from './report/report.js'
import { summaryOf } from './report/summary.js'
import { lookupIn, nameOf } from './report/words.js'
import { secondLook } from './second-look.js'
import { plan } from './selector.js'

/** What every step of a run needs. */
interface Run {
  readonly settings: Settings
  readonly host: Host
  readonly clock: Clock
  readonly pacer: Pacer
  readonly client: PackagesClient
  readonly registryFetch: Fetch
  readonly account: Account
  /** When no new package may be begun, or undefined. */
  readonly deadline: number | undefined
}

const systemClock: Clock = {
  now: Date.now,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
}

/** Time that is kept back from the time budget for deletes on their way and for the report. */
const closingTime = 5000
const progressEvery = 30_000

/**
 * A whole run: read the inputs, and for each package list, read, judge, show, delete; then tell. Outputs, summary and
 * plan file are written whatever happens.
 *
 * @returns the exit code: 1 for bad input, a package left alone or a failed delete, else 0
 */
export async function main(host: Host, clock: Clock = systemClock): Promise<number> {
  const started = clock.now()
  host.hide(host.inputs.token ?? '')
  let settings: Settings | undefined
  let report: RunReport
  try {
    settings = parseInputs(host.inputs, host.environment)
    report = await runAll(settings, host, clock, started)
  } catch (error) {
    const refusal = refusalOf(error)
    host.log.error(`${refusal.message}\n${refusal.hint}`)
    report = failedRun(host, settings, refusal)
  }
  await finish(host, settings, report, clock.now())
  return hasFailed(report) ? 1 : 0
}

function failedRun(host: Host, settings: Settings | undefined, failure: Refusal): RunReport {
  const given = settings?.account ?? host.inputs.account ?? ''
  const account = given.trim() === '' ? 'an unknown account' : given.trim()
  return { account, route: '', dryRun: settings?.dryRun ?? false, packages: [], failure }
}

async function runAll(
  settings: Settings,
  host: Host,
  clock: Clock,
  started: number,
): Promise<RunReport> {
  host.setLevel(settings.logLevel)
  for (const warning of settings.warnings) host.log.warn(warning)
  const run = await prepare(settings, host, clock, started)
  const names = await chooseNames(run)
  announce(run, names)

  const packages: PackageReport[] = []
  for (const name of names) {
    packages.push(isLate(run) ? notReached(run, name) : await runPackage(run, name))
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
  const { apiUrl, registryUrl, token, deletesPerMinute, timeBudget } = settings
  const deadline =
    timeBudget === undefined
      ? undefined
      : started + timeBudget - Math.min(closingTime, timeBudget / 10)
  const pacer = new Pacer({ clock, deletesPerMinute, deadline })
  const told = (message: string) => {
    host.log.warn(message)
  }
  const client = new PackagesClient({ apiUrl, token, fetch: fetchFor(apiUrl), clock, pacer, told })
  const account = await client.findAccount(settings.account)
  const registryFetch = fetchFor(registryUrl)
  return { settings, host, clock, pacer, client, registryFetch, account, deadline }
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

function announce({ settings, host, account }: Run, names: readonly string[]): void {
  for (const sentence of describePolicy(settings.policy)) host.log.info(sentence)
  const mode = settings.dryRun ? ' This is a dry run: nothing will be changed.' : ''
  if (names.length === 0) {
    host.log.warn(`No package of ${account.login} matches image-names.${mode}`)
  } else {
    host.log.info(`Packages of ${account.login}: ${names.join(', ')}.${mode}`)
  }
}

function isLate({ deadline, clock }: Run): boolean {
  return deadline !== undefined && clock.now() >= deadline
}

function notReached({ account, host }: Run, name: string): PackageReport {
  const why = 'the time budget was used up before its turn'
  host.log.warn(`${account.login}/${name}: not looked at, ${why}.`)
  return emptyPackage(account.login, name, { notReached: why })
}

/** List, read, judge, mark, sweep, show; and unless it is a dry run, look again and delete. */
async function runPackage(run: Run, name: string): Promise<PackageReport> {
  const { settings, host, clock, account } = run
  const source = run.client.openPackage(account, name)
  const snapshot = await takeSnapshot(run, name, source)
  const now = clock.now()
  const made = plan(snapshot, settings.policy, now)
  const report = { name, plan: made, outcomes: [], notReached: undefined }
  show(run, report, now)
  if (settings.dryRun || made.deletions.length === 0) return report

  const findings = secondLook(snapshot, settings.policy, now, made.deletions)
  if (findings.length > 0) {
    tellRefusals(run, name, findings)
    return { ...report, plan: { ...made, deletions: [], refusals: findings } }
  }
  const outcomes = await carryOut(run, report, source)
  const done = { ...report, outcomes }
  host.log.info(`${account.login}/${name}: ${closingWords(done, clock.now() - now)}`)
  return done
}

/** What GitHub and the registry know of a package; what cannot be known becomes a refusal. */
async function takeSnapshot(run: Run, name: string, lister: VersionLister): Promise<Snapshot> {
  const { settings, account, clock, registryFetch } = run
  const ref = { account: account.login, name }
  let versions: PackageVersion[]
  try {
    versions = await lister.listVersions()
  } catch (error) {
    return { package: ref, versions: [], manifests: new Map(), refusals: [refusalOf(error)] }
  }
  const { registryUrl, token } = settings
  const options = { registryUrl, token, fetch: registryFetch, clock, random: Math.random }
  const registry = new RegistryClient(`${account.login}/${name}`, options)
  const { manifests, failure } = await readManifests(versions, registry)
  run.host.log.debug(`${ref.account}/${name}: ${versions.length} listed, ${manifests.size} read.`)
  const refusals = failure === undefined ? [] : [refusalOf(failure)]
  return { package: ref, versions, manifests, refusals }
}

/** What was thrown, as words for the reader. Anything unforeseen is a defect, and said to be one. */
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof RetentionError)) {
    const message = error instanceof Error ? error.message : String(error)
    const hint = 'This is unforeseen; please report it with the debug log.'
    return { code: 'package-unreachable', message, hint }
  }
  const codes: Partial<Record<RetentionError['code'], RefusalCode>> = {
    'listing-not-whole': 'listing-not-whole',
    'manifest-unreadable': 'manifest-unreadable',
  }
  const { code, message, hint } = error
  return { code: codes[code] ?? 'package-unreachable', message, hint }
}

function show({ settings, host, account }: Run, report: PackageReport, now: number): void {
  const { name, plan: made } = report
  const { listed, planned, kept } = totalsOf(report)
  const verb = settings.dryRun ? 'would go' : 'will go'
  const view: AgeView = { now, by: settings.policy.ageBy }
  if (listed > 0) {
    const counts = `${planned} of ${listed} versions ${verb}, ${kept} stay`
    host.log.group(`${account.login}/${name}: ${counts}`)
    for (const line of planLines(made, view)) host.log.info(line)
    host.log.endGroup()
  } else if (made.refusals.length === 0) host.log.info(`${account.login}/${name}: no versions`)
  tellRefusals({ host, account }, name, made.refusals)
}

function tellRefusals(
  { host, account }: Pick<Run, 'host' | 'account'>,
  name: string,
  refusals: readonly Refusal[],
): void {
  for (const { message, hint } of refusals) {
    host.log.error(
      `${account.login}/${name}: left alone, nothing in it was deleted: ${message}. ${hint}`,
    )
  }
}

async function carryOut(
  { host, pacer, clock }: Run,
  { name, plan: { decisions, deletions } }: PackageReport,
  deleter: VersionDeleter,
): Promise<Outcome[]> {
  const lookup = lookupIn(decisions)
  let done = 0
  let lastLine = clock.now()
  host.progress.start(deletions.length)
  const told = (outcome: Outcome) => {
    host.progress.update(++done, pacer.perMinute)
    const decision = lookup(outcome.version.digest)
    tellOutcome(host, `${name} ${decision === undefined ? '' : nameOf(decision)}`, outcome)
    if (clock.now() - lastLine < progressEvery) return
    lastLine = clock.now()
    const left = formatDuration(((deletions.length - done) / pacer.perMinute) * 60_000)
    host.log.info(
      `${name}: ${done} of ${deletions.length} done, ${Math.round(pacer.perMinute)} a minute, about ${left} left`,
    )
  }
  const outcomes = await deleteAll(deletions, deleter, pacer, told)
  host.progress.stop()
  return outcomes
}

function tellOutcome({ log }: Host, label: string, { version, result }: Outcome): void {
  const what = `${label} (version ${version.id}, ${version.digest})`
  switch (result.status) {
    case 'deleted':
    case 'already-gone':
      log.debug(`${result.status}: ${what}`)
      return
    case 'retained':
      log.warn(`retained: ${what}: ${result.why}`)
      return
    case 'failed':
      log.error(`failed: ${what}: ${result.why}. ${result.hint}`)
      return
    case 'remaining':
      log.debug(`remaining: ${what}: ${result.why}`)
  }
}

function closingWords(report: PackageReport, took: number): string {
  const { deleted, alreadyGone, retained, failed, remaining } = totalsOf(report)
  const counts = [
    `${deleted} deleted`,
    ...(alreadyGone > 0 ? [`${alreadyGone} already gone`] : []),
    ...(retained > 0 ? [`${retained} retained by GitHub`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(remaining > 0 ? [`${remaining} left for the next run`] : []),
  ]
  const why = report.outcomes.map(({ result }) => result).find((r) => r.status === 'remaining')?.why
  return `${counts.join(', ')} in ${formatDuration(took)}${why === undefined ? '' : ` (${why})`}.`
}

async function finish(
  host: Host,
  settings: Settings | undefined,
  report: RunReport,
  now: number,
): Promise<void> {
  const view: AgeView = { now, by: settings?.policy.ageBy ?? 'updated' }
  const sentences = settings === undefined ? [] : describePolicy(settings.policy)
  const planPath = await host.writePlan(planFile(report, now))
  await host.finish({
    outputs: outputsOf(report, planPath),
    summary: summaryOf(report, sentences, view),
  })
  if (report.packages.length < 2) return
  const { listed, planned, kept, deleted } = sum(report.packages)
  const done = report.dryRun ? `${planned} would go` : `${deleted} of ${planned} planned deleted`
  host.log.info(`${report.packages.length} packages, ${listed} versions: ${done}, ${kept} stay.`)
}
