import type { Decision, Outcome, OutcomeResult } from '../model.js'
import { markdownCode, markdownText } from './escape.js'
import { ageOf, type AgeView } from './lines.js'
import { hasFailed, sum, totalsOf, type PackageReport, type RunReport } from './report.js'
import { treesOf, type ImageTree } from './tree.js'
import { lookupIn, nameOf, reasonText, typeOf, type Lookup } from './words.js'

/** The runner drops a summary above 1 MiB, so this one ends before that. */
const largestSummary = 1_000_000
const mostRows = 300
const mostIds = 1000

/** The job summary as GitHub-flavoured Markdown. */
export function summaryOf(report: RunReport, policy: readonly string[], view: AgeView): string {
  const sections = [
    heading(report),
    policySection(policy),
    overview(report),
    ...report.packages.map((entry) => packageSection(entry, report, view)),
  ]
  return fit(sections.filter((section) => section !== ''))
}

/** As many whole sections as fit; what is left out is said. */
function fit(sections: readonly string[]): string {
  const encoder = new TextEncoder()
  const fitting: string[] = []
  let size = 0
  for (const section of sections) {
    size += encoder.encode(section).length + 2
    if (size > largestSummary) {
      const left = sections.length - fitting.length
      fitting.push(`_${left} more sections do not fit here; plan.json has everything._`)
      break
    }
    fitting.push(section)
  }
  return `${fitting.join('\n\n')}\n`
}

function heading(report: RunReport): string {
  const { account, dryRun, failure } = report
  const title = `## Image retention for ${markdownText(account)}${dryRun ? ' (dry run)' : ''}`
  if (failure !== undefined) return `${title}\n\n${caution(failure.message, failure.hint)}`
  const state = hasFailed(report) ? '❌' : '✅'
  return `${title}\n\n${[state, ...headlines(report)].join(' ')}`
}

/** The run in three sentences at most. */
function headlines({ dryRun, packages }: RunReport): string[] {
  const totals = sum(packages)
  const alone = packages.filter(({ plan }) => plan.refusals.length > 0).map(({ name }) => name)
  const fate = `${dryRun ? 'would go' : 'were to go'}, ${number(totals.kept)} stay`
  return [
    `**${number(totals.planned)} of ${number(totals.listed)} versions ${fate}.**`,
    dryRun
      ? 'Nothing was changed.'
      : `${number(totals.deleted)} deleted, ${number(totals.failed)} failed, ${number(totals.remaining)} left for the next run.`,
    ...(alone.length > 0 ? [`Left alone: ${alone.map(markdownCode).join(', ')}.`] : []),
  ]
}

function policySection(sentences: readonly string[]): string {
  return sentences.map((sentence) => `- ${markdownText(sentence)}`).join('\n')
}

function overview({ packages, dryRun }: RunReport): string {
  if (packages.length === 0) return ''
  const columns = dryRun
    ? ['Package', 'Versions', 'Would go', 'Stay']
    : [
        'Package',
        'Versions',
        'Planned',
        'Deleted',
        'Already gone',
        'Retained',
        'Failed',
        'Remaining',
        'Stay',
      ]
  const rows = packages.map((entry) => {
    const t = totalsOf(entry)
    const counts = dryRun
      ? [t.listed, t.planned, t.kept]
      : [t.listed, t.planned, t.deleted, t.alreadyGone, t.retained, t.failed, t.remaining, t.kept]
    return [markdownCode(entry.name), ...counts.map(number)]
  })
  return table(columns, rows)
}

function packageSection(entry: PackageReport, report: RunReport, view: AgeView): string {
  const { plan, outcomes, notReached } = entry
  const title = `### ${markdownText(`${report.account}/${entry.name}`)}`
  if (notReached !== undefined) return `${title}\n\nNot looked at: ${markdownText(notReached)}.`
  const lookup = lookupIn(plan.decisions)
  const parts = [
    ...plan.refusals.map(({ message, hint }) => caution(`Left alone: ${message}`, hint)),
    outcomeSection('Retained by GitHub', outcomes, 'retained', lookup),
    outcomeSection('Failed', outcomes, 'failed', lookup),
    outcomeSection('Left for the next run', outcomes, 'remaining', lookup),
    goingSection(plan.decisions, report.dryRun, view),
    restoreSection(entry, report),
  ].filter((part) => part !== '')
  return [title, ...(parts.length > 0 ? parts : ['Everything stays.'])].join('\n\n')
}

function goingSection(decisions: readonly Decision[], dryRun: boolean, view: AgeView): string {
  const lookup = lookupIn(decisions)
  const going = treesOf(decisions).filter(({ image }) => image.verdict.action === 'delete')
  if (going.length === 0) return ''
  const rows = going.slice(0, mostRows).map((tree) => goingRow(tree, lookup, view))
  const title = `${number(going.length)} ${going.length === 1 ? 'image' : 'images'} ${dryRun ? 'would go' : 'planned to go'}`
  return details(
    title,
    table(['Image', 'Age', 'Type', 'Versions', 'Why'], rows),
    going.length - rows.length,
  )
}

function goingRow({ image, parts }: ImageTree, lookup: Lookup, view: AgeView): string[] {
  const going = parts.filter(({ verdict }) => verdict.action === 'delete').length + 1
  return [
    markdownCode(nameOf(image)),
    ageOf(image, view),
    markdownText([typeOf(image), ...image.platforms].join(' ')),
    number(going),
    markdownText(reasonText(image, lookup)),
  ]
}

function outcomeSection(
  title: string,
  outcomes: readonly Outcome[],
  status: OutcomeResult['status'],
  lookup: Lookup,
): string {
  const concerned = outcomes.filter(({ result }) => result.status === status)
  if (concerned.length === 0) return ''
  const rows = concerned.slice(0, mostRows).map(({ version, result }) => {
    const decision = lookup(version.digest)
    const why = 'why' in result ? result.why : ''
    const hint = 'hint' in result ? ` ${result.hint}` : ''
    return [
      markdownCode(decision === undefined ? version.digest : nameOf(decision)),
      String(version.id),
      markdownText(why + hint),
    ]
  })
  const heading = `${title}: ${number(concerned.length)}`
  return details(heading, table(['Version', 'Id', 'Why'], rows), concerned.length - rows.length)
}

/** https://docs.github.com/en/packages/learn-github-packages/deleting-and-restoring-a-package: within 30 days. */
function restoreSection({ name, outcomes }: PackageReport, { route }: RunReport): string {
  // Children first, so that a restore that is cut off leaves no hollow image either.
  const ids = outcomes
    .filter(({ result }) => result.status === 'deleted')
    .map(({ version }) => version.id)
    .reverse()
  if (ids.length === 0) return ''
  const path = `${route}/packages/container/${encodeURIComponent(name)}/versions/$id/restore`
  const command = [
    `for id in ${ids.slice(0, mostIds).join(' ')}; do`,
    `  gh api --method POST "${path}"`,
    'done',
  ].join('\n')
  const intro =
    'GitHub keeps deleted versions for 30 days. Restore an image together with everything that was deleted with it:'
  return details('How to restore', `${intro}\n\n\`\`\`sh\n${command}\n\`\`\``, ids.length - mostIds)
}

function details(title: string, body: string, leftOut: number): string {
  const more = leftOut > 0 ? `\n\n_${number(leftOut)} more are in plan.json._` : ''
  return `<details><summary>${title}</summary>\n\n${body}${more}\n\n</details>`
}

/** A warning block; every line of the message becomes one of its own. */
function caution(message: string, hint: string): string {
  const lines = [...message.split('\n'), hint].map((line) => `> ${markdownText(line.trim())}`)
  return ['> [!CAUTION]', lines.join('\n>\n')].join('\n')
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
