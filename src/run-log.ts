import type { Host } from './host.js'
import type { Settings } from './inputs.js'
import type { Outcome, PackageRef, Plan, Refusal, Verification } from './model.js'
import { describePolicy, describeSet } from './policy/describe.js'
import { inputPlace, type PolicySet } from './policy/policy.js'
import { formatDuration } from './policy/durations.js'
import type { Explainer } from './report/explain.js'
import type { Run } from './run.js'
import { planLines, type AgeView } from './report/lines.js'
import { totalsOf, type PackageReport } from './report/report.js'
import { lossText, restorePath } from './report/words.js'

/** Says what is about to happen, before anything does. */
export function announce(
  { host: { log }, settings, account: { login }, warnings }: Run,
  names: readonly string[],
): void {
  for (const line of policyLines(settings.policies)) log.info(line)
  const mode = settings.dryRun ? ' This is a dry run: nothing will be changed.' : ''
  if (names.length === 0) {
    warnings.tell(`No package of ${login} matches ${whatNames(settings)}.${mode}`)
  } else {
    log.info(`Packages of ${login}: ${names.join(', ')}.${mode}`)
  }
}

/** A policy that was put together from inputs holds for all packages, and needs no title. */
export function policyLines(set: PolicySet): string[] {
  const [first] = set.entries
  if (first?.origin.place === inputPlace) return describePolicy(first.policy)
  return describeSet(set).flatMap(({ title, sentences }) => [
    title,
    ...sentences.map((sentence) => `  ${sentence}`),
  ])
}

/** Which input or file says which packages to look at. */
function whatNames({ policies }: Settings): string {
  const isFile = policies.entries.some(({ match }) => match !== undefined)
  return isFile ? 'image-names and the policy' : 'image-names'
}

/** One group with a line for every image, and the refusals after it, where they cannot be overlooked. */
export function showPlan(host: Host, settings: Settings, plan: Plan, now: number): void {
  const { account, name } = plan.package
  const label = `${account}/${name}`
  const { listed, planned, refused, kept } = totalsOf({ plan, outcomes: [] })
  const verb = settings.dryRun ? 'would go' : 'will go'
  const view: AgeView = { now, by: settings.ageBy }
  if (listed > 0) {
    const counts =
      refused > 0
        ? `${refused} of ${listed} versions would have gone, all stay`
        : `${planned} of ${listed} versions ${verb}, ${kept} stay`
    host.log.group(`${label}: ${counts}`)
    for (const line of planLines(plan, view)) host.log.info(line)
    host.log.endGroup()
  } else if (plan.refusals.length === 0) host.log.info(`${label}: no versions`)
  tellRefusals(host, label, plan.refusals)
}

/** One group at debug with everything that led to the decision on each image. */
export function tellWhy({ log }: Host, label: string, explainer: Explainer): void {
  log.group(`${label}: why`)
  for (const line of explainer.explainImages()) log.debug(line)
  log.endGroup()
}

/** Why a package is left alone, as errors. */
export function tellRefusals(
  { log }: Host,
  label: string,
  refusals: readonly Refusal[],
  fate = 'left alone, nothing in it is deleted',
): void {
  for (const { message, hint } of refusals) {
    log.error(`${label}: ${fate}: ${message}. ${hint}`)
  }
}

/** What became of one delete; what went as planned only at debug. */
export function tellOutcome({ log }: Host, label: string, { version, result }: Outcome): void {
  const what = `${label} (version ${version.id}, ${version.digest})`
  switch (result.status) {
    case 'deleted':
    case 'already-gone':
      log.debug(`${result.status}: ${what}`)
      return
    case 'retained':
      log.warn(`retained: ${what}: ${result.why}`)
      return
    case 'changed':
      log.info(`stays after a change on GitHub: ${what}: ${result.why}`)
      return
    case 'failed':
      log.error(
        `failed: ${what}: ${result.why}. It stays with all that belongs to it. ${result.hint}`,
      )
      return
    case 'remaining':
      log.debug(`remaining: ${what}: ${result.why}`)
  }
}

/** One line for a package whose deletes have ended. */
export function closingWords(report: PackageReport, took: number): string {
  const { deleted, alreadyGone, retained, changed, failed, remaining } = totalsOf(report)
  const counts = [
    `${deleted} deleted`,
    ...(alreadyGone > 0 ? [`${alreadyGone} already gone`] : []),
    ...(retained > 0 ? [`${retained} retained by GitHub`] : []),
    ...(changed > 0 ? [`${changed} changed meanwhile`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(remaining > 0 ? [`${remaining} not tried`] : []),
  ]
  const why = report.outcomes.map(({ result }) => result).find((r) => r.status === 'remaining')?.why
  return `${counts.join(', ')} in ${formatDuration(took)}${why === undefined ? '' : ` (${why})`}.`
}

/** What a look after the deletes found: one line for each thing that is missing, with what brings it back. */
export function tellVerification(
  host: Host,
  ref: PackageRef,
  route: string,
  { there, losses, unknown }: Verification,
): void {
  const label = `${ref.account}/${ref.name}`
  for (const loss of losses) {
    const command = `gh api --method POST ${restorePath(route, ref.name, loss.id)}`
    host.log.error(`${label}: ${lossText(loss)}. Restore it within 30 days: ${command}`)
  }
  if (unknown === undefined && losses.length === 0) {
    const versions = `${there} ${there === 1 ? 'version' : 'versions'}`
    const found = there === 0 ? 'nothing that stays is' : `${versions} can be pulled that are`
    host.log.info(`${label}: verified: ${found} related to what went.`)
  }
}

/** That not everything could be asked for is no failure. */
export function unverified({ account, name }: PackageRef, why: string): string {
  return `${account}/${name}: what stays could not all be looked at after the deletes: ${why}.`
}
