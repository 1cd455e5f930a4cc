import { deleteAll } from './deleter.js'
import { isOutOfTime } from './errors.js'
import type { Host } from './host.js'
import type { PackageSelection } from './input-readers.js'
import type { Settings } from './inputs.js'
import { isGone, type Outcome, type Refusal } from './model.js'
import { entryFor } from './policy/policy-set.js'
import { inputPlace, type PolicySet } from './policy/policy.js'
import { refusalOf } from './planning.js'
import type { Work } from './progress.js'
import { explainerOf } from './looking.js'
import type { Clock, ManifestProbe, VersionDeleter } from './ports.js'
import { PackageRecheck } from './recheck.js'
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
import {
  begin,
  chooseNames,
  planPackage,
  prepare,
  readSettings,
  systemClock,
  type Asked,
  type Run,
} from './run.js'
import { shardPackages } from './sharding.js'
import { summaryOf } from './report/summary.js'
import { lookupIn, nameOf } from './report/words.js'
import {
  announce,
  closingWords,
  policyLines,
  showPlan,
  tellOutcome,
  tellRefusals,
  tellVerification,
  tellWhy,
  unverified,
} from './run-log.js'
import { verifyDeletions } from './verification.js'

/** How much of the closing time is for looking at what stays; the rest is for the report. */
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
  const asked = await readSettings(host).catch(refusalOf)
  if ('code' in asked) {
    host.log.error(`${asked.message}\n${asked.hint}`)
    const { account } = host.inputs
    return finish(host, undefined, emptyRun(account, false, { failure: asked }), clock.now())
  }
  let report: RunReport
  try {
    if (asked.settings.mode === 'packages') return await tellPackages(asked, host, clock, started)
    report = await runAll(asked, host, clock, started)
  } catch (error) {
    report = withoutPackages(asked, host, error)
  }
  return finish(host, asked.settings, report, clock.now())
}

/** What is left of a run that ended before it came to a package. */
function withoutPackages({ settings, warnings }: Asked, { log }: Host, error: unknown): RunReport {
  const refusal = refusalOf(error)
  const late = isLate(error, settings)
  if (late) warnings.tell(`Nothing was looked at: ${refusal.message}.`)
  else log.error(`${refusal.message}\n${refusal.hint}`)
  const failure = late ? undefined : refusal
  return emptyRun(settings.account, settings.dryRun, { failure, warnings: warnings.all })
}

/**
 * Whether a run ended without a failure before it began. Without any quota from the start it has failed: it might never
 * get any. And a matrix that waits for names must not begin without them.
 */
function isLate(error: unknown, { mode }: Settings): boolean {
  return isOutOfTime(error) && error.code === 'out-of-time' && mode !== 'packages'
}

function emptyRun(
  given: string | undefined,
  dryRun: boolean,
  { failure, warnings = [] }: { failure: Refusal | undefined; warnings?: readonly string[] },
): RunReport {
  const trimmed = given?.trim() ?? ''
  const account = trimmed === '' ? 'an unknown account' : trimmed
  return { account, route: '', dryRun, packages: [], failure, warnings }
}

/** Mode `packages`: only the names. */
async function tellPackages(
  asked: Asked,
  host: Host,
  clock: Clock,
  started: number,
): Promise<number> {
  begin(asked, host)
  const { packages, policies } = asked.settings
  const list = async () => {
    const run = await prepare(asked, host, clock, started)
    return { account: run.account.login, names: await chooseNames(run) }
  }
  await host.finish(await shardPackages(ofPolicy(packages, policies), host, list))
  return 0
}

/** Of exact names those that a policy says anything of. */
function ofPolicy(selection: PackageSelection, policies: PolicySet): PackageSelection {
  if (selection.kind !== 'exact') return selection
  const names = selection.names.filter((name) => entryFor(policies, name) !== undefined)
  return { kind: 'exact', names }
}

async function runAll(asked: Asked, host: Host, clock: Clock, started: number): Promise<RunReport> {
  const { settings } = asked
  begin(asked, host)
  const run = await prepare(asked, host, clock, started)
  const names = await chooseNames(run)
  announce(run, names)

  const memory = new Remembering({ settings, host, clock, account: run.account.login, names })
  const packages: PackageReport[] = []
  for (const name of names) {
    packages.push(await runPackage(run, name, memory))
  }
  const { timeBudget } = settings
  await memory.save(packages, timeBudget === undefined ? undefined : started + timeBudget)
  for (const words of unusedPatterns(settings.policies, packages))
    run.warnings.tell(`${words} matches no tag of ${names.join(', ')}`)
  const { login, route } = run.account
  const { dryRun } = settings
  const warnings = run.warnings.all
  return { account: login, route, dryRun, packages, failure: undefined, warnings }
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
  const { settings, host, clock, account } = run
  const label = `${account.login}/${name}`
  const policy = run.policies.policyOf(name)
  if (policy === undefined) return withoutPolicy(run, name)
  const planned = await planPackage(run, name, policy, memory)
  const { plan: made, source, packages, registry } = planned
  const report = { name, plan: made, outcomes: [], notReached: undefined }
  showPlan(host, settings, made, source.now)
  const isJudged = made.refusals.every(({ code }) => code === 'max-deletions')
  if (isJudged && host.log.isDebug()) tellWhy(host, label, explainerOf(run, planned))
  if (settings.dryRun || made.deletions.length === 0) return report

  const begun = clock.now()
  const recheck = new PackageRecheck(source, planned, clock)
  const done = await carryOut(run, report, packages, recheck)
  host.log.info(`${label}: ${closingWords(done, clock.now() - begun)}`)
  return settings.verify ? verify(run, done, recheck, registry) : done
}

/** A package that nobody has said anything of is left alone. */
function withoutPolicy({ host, account: { login } }: Run, name: string): PackageReport {
  const why = 'no entry of the policy matches it'
  host.log.warn(`${login}/${name}: left alone: ${why}.`)
  return emptyPackage(login, name, { notReached: why })
}

/**
 * Patterns that no tag of the run matches: most often a mistake, and of what protects a dangerous one. Of the rules of a
 * file, which is for many packages, `lint` tells.
 */
function unusedPatterns({ entries }: PolicySet, packages: readonly PackageReport[]): string[] {
  const decisions = packages.flatMap(({ plan: made }) => made.decisions)
  const tags = decisions.flatMap(({ version }) => version.tags)
  if (tags.length === 0) return []
  const words = entries.flatMap(({ origin: { place }, policy: { rules, protect } }) => {
    const isFile = place !== inputPlace
    const named = isFile ? [] : rules.flatMap(({ select }) => select.tag?.include ?? [])
    const protections = protect.map(({ pattern, origin }) => ({ pattern, place: origin.place }))
    return [...named.map((pattern) => ({ pattern, place })), ...protections]
      .filter(({ pattern }) => !tags.some((tag) => pattern.matches(tag)))
      .map(({ pattern: { source }, place: at }) =>
        isFile ? `${at}: protect: ${source}` : `image-tags: ${source}`,
      )
  })
  return [...new Set(words)]
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
  { host, pacer, account, closingTime, warnings }: Run,
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
    if (verification.unknown !== undefined) warnings.tell(unverified(ref, verification.unknown))
    return { ...report, verification }
  } catch (error) {
    warnings.tell(unverified(ref, refusalOf(error).message))
    return report
  }
}

/** Hands over everything that was found out. @returns the exit code */
async function finish(
  host: Host,
  settings: Settings | undefined,
  report: RunReport,
  now: number,
): Promise<number> {
  const view: AgeView = { now, by: settings?.ageBy ?? 'updated' }
  const sentences = settings === undefined ? [] : policyLines(settings.policies)
  const planPath = await host.writePlan(planFile(report, now)).catch((error: unknown) => {
    host.log.error(`plan.json could not be written: ${refusalOf(error).message}`)
    return undefined
  })
  const outputs = outputsOf(report, planPath)
  await host.finish({ outputs, summary: summaryOf(report, sentences, view) })
  tellTotals(host, report)
  if (host.cancelled.aborted) return cancelledCode
  return hasFailed(report) ? 1 : 0
}

/** The last line; a live run of one package has said it already. */
function tellTotals({ log }: Host, report: RunReport): void {
  const count = report.packages.length
  if (count === 0 || (count === 1 && !report.dryRun)) return
  const { listed, planned, kept, deleted } = sum(report.packages)
  const done = report.dryRun ? `${planned} would go` : `${deleted} of ${planned} planned deleted`
  const packages = count === 1 ? '1 package' : `${count} packages`
  log.info(`${packages}, ${listed} versions: ${done}, ${kept} stay.`)
}
