import type { Decision } from '../model.js'
import type { PackageReport, RunReport } from './report.js'
import { lookupIn, nameOf, reasonText, typeOf } from './words.js'

/** Raised when a reader of plan.json would have to change. */
const schemaVersion = 1

/**
 * The whole plan with every reason and outcome, for programs and for the archive. What is undefined is left out, as JSON
 * does it.
 */
export function planFile(report: RunReport, now: number): string {
  const { account, dryRun, failure } = report
  const document = {
    schema: schemaVersion,
    generatedAt: new Date(now).toISOString(),
    account,
    dryRun,
    failure,
    packages: report.packages.map(packageEntry),
  }
  return `${JSON.stringify(document, null, 1)}\n`
}

function packageEntry({ name, plan, outcomes, notReached, verification }: PackageReport) {
  const lookup = lookupIn(plan.decisions)
  const results = new Map(outcomes.map(({ version, result }) => [version.id, result]))
  return {
    name,
    notReached,
    refusals: plan.refusals,
    verification,
    deletions: plan.deletions.map(({ version, after }) => ({ id: version.id, after })),
    versions: plan.decisions.map((decision) => ({
      ...versionEntry(decision),
      action: decision.verdict.action,
      why: reasonText(decision, lookup),
      reason: decision.verdict.reason,
      also: unlessEmpty(decision.also),
      overruled: decision.overruled,
      outcome: results.get(decision.version.id),
    })),
  }
}

function versionEntry(decision: Decision) {
  const { version, role, mediaType, artifactType, platforms, belongsTo } = decision
  return {
    id: version.id,
    digest: version.digest,
    name: nameOf(decision),
    tags: version.tags,
    createdAt: isoTime(version.createdAt),
    updatedAt: isoTime(version.updatedAt),
    role,
    type: typeOf(decision),
    mediaType,
    artifactType,
    platforms: unlessEmpty(platforms),
    belongsTo: unlessEmpty(belongsTo),
  }
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined
}

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
