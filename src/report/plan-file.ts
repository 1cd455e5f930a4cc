import type { Decision } from '../model.js'
import type { PackageReport, RunReport } from './report.js'
import { lookupIn, nameOf, reasonText, typeOf } from './words.js'

/** Raised when a reader of plan.json would have to change. */
const schemaVersion = 1

/**
 * The whole plan with every reason and outcome, for programs and for the archive, as JSON with a line for every version.
 * What is undefined is left out, as JSON does it.
 *
 * @returns the text in pieces: that of a large package may be longer than any string can be
 */
export function* planFile(report: RunReport, now: number): Generator<string> {
  const { account, dryRun, failure } = report
  const warnings = unlessEmpty(report.warnings)
  const generatedAt = new Date(now).toISOString()
  yield opened({ schema: schemaVersion, generatedAt, account, dryRun, failure, warnings })
  yield '"packages": ['
  for (const [at, entry] of report.packages.entries()) {
    yield at === 0 ? '\n' : ',\n'
    yield* packageEntry(entry)
  }
  yield '\n]}\n'
}

function* packageEntry(report: PackageReport): Generator<string> {
  const { name, plan, outcomes, notReached, verification } = report
  const lookup = lookupIn(plan.decisions)
  const results = new Map(outcomes.map(({ version, result }) => [version.id, result]))
  yield opened({ name, notReached, refusals: plan.refusals, verification })
  yield* list('deletions', plan.deletions, ({ version, after }) => ({ id: version.id, after }))
  yield ',\n'
  yield* list('versions', plan.decisions, (decision) => ({
    ...versionEntry(decision),
    action: decision.verdict.action,
    why: reasonText(decision, lookup),
    reason: decision.verdict.reason,
    also: unlessEmpty(decision.also),
    overruled: unlessEmpty(decision.overruled),
    outcome: results.get(decision.version.id),
  }))
  yield '}'
}

/** An object that goes on. */
function opened(head: object): string {
  return `${JSON.stringify(head).slice(0, -1)},\n`
}

function* list<T>(
  name: string,
  items: readonly T[],
  entry: (item: T) => object,
): Generator<string> {
  yield `"${name}": [`
  for (const [at, item] of items.entries())
    yield `${at === 0 ? '' : ','}\n${JSON.stringify(entry(item))}`
  yield '\n]'
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
