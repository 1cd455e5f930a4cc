import type { OutcomeResult } from '../model.js'
import { sum, type RunReport } from './report.js'

/** Every output with its description; `action.yml` and the README are held to this table. */
export const outputDefinitions = {
  deleted: 'Deleted versions, as comma-separated `image-name:version-id`.',
  failed: 'Versions whose deletion failed, in the same form.',
  planned:
    'Versions that the plan deletes, in the same form; in dry-run these are what a live run would delete.',
  retained:
    'Versions that GitHub refused to delete (last tagged version, more than 5,000 downloads), in the same form, with what belongs to them.',
  'skipped-packages': 'Comma-separated names of packages that were left alone or not reached.',
  'deleted-count': 'How many versions were deleted.',
  'failed-count': 'How many deletions failed.',
  'kept-count':
    'How many versions stay: what the plan keeps, and what changed on GitHub after the listing.',
  'remaining-count': 'How many planned deletions are left for the next run.',
  plan: 'Path of `plan.json`: every version with its decision and reason, and what became of it.',
  packages:
    'In mode `packages`: the names as a JSON array for a matrix, each entry a value for `image-names`; `[]` for none.',
} as const

export type OutputName = keyof typeof outputDefinitions

/** GitHub allows 1 MB for the outputs of a job; a longer list is cut here and whole in the plan file. */
const longestOutput = 900_000

/** The values of all outputs, written also when the run fails. */
export function outputsOf(
  report: RunReport,
  planPath: string | undefined,
): Record<OutputName, string> {
  const totals = sum(report.packages)
  const skipped = report.packages.filter(
    ({ plan, outcomes, notReached }) =>
      notReached !== undefined || (plan.refusals.length > 0 && outcomes.length === 0),
  )
  return {
    deleted: withStatus(report, 'deleted'),
    failed: withStatus(report, 'failed'),
    planned: planned(report),
    retained: withStatus(report, 'retained'),
    'skipped-packages': cut(skipped.map(({ name }) => name)),
    'deleted-count': String(totals.deleted),
    'failed-count': String(totals.failed),
    'kept-count': String(totals.kept),
    'remaining-count': String(totals.remaining),
    plan: planPath ?? '',
    packages: '',
  }
}

function withStatus({ packages }: RunReport, status: OutcomeResult['status']): string {
  return cut(
    packages.flatMap(({ name, outcomes }) =>
      outcomes
        .filter(({ result }) => result.status === status)
        .map(({ version }) => `${name}:${version.id}`),
    ),
  )
}

function planned({ packages }: RunReport): string {
  return cut(
    packages.flatMap(({ name, plan }) =>
      plan.deletions.map(({ version }) => `${name}:${version.id}`),
    ),
  )
}

/** Joins entries; a list that is too long ends, after a whole entry, with an ellipsis. */
function cut(entries: readonly string[]): string {
  const whole = entries.join(',')
  if (whole.length <= longestOutput) return whole
  return `${whole.slice(0, whole.lastIndexOf(',', longestOutput - 2))},…`
}
