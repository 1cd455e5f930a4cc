import type { Decision, Outcome, OutcomeResult, Plan } from '../model.js'
import { markdownCode, markdownText } from './escape.js'
import { ageOf, type AgeView } from './lines.js'
import {
  hasFailed,
  sum,
  totalsOf,
  type PackageReport,
  type RunReport,
  type Totals,
} from './report.js'
import { treesOf, type ImageTree } from './tree.js'
import {
  lookupIn,
  lossText,
  nameOf,
  reasonText,
  restorePath,
  typeOf,
  wouldGo,
  type Lookup,
} from './words.js'

/** The runner drops a summary above 1 MiB, so this one ends before that. */
const largestSummary = 1_000_000
const mostRows = 300
const mostWarnings = 20

/** The job summary as GitHub-flavoured Markdown. */
export function summaryOf(report: RunReport, policy: readonly string[], view: AgeView): string {
  const sections = [
    heading(report),
    warningSection(report.warnings),
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
  const state = hasFailed(report) ? '❌' : isIncomplete(report) ? '⚠️' : '✅'
  return `${title}\n\n${[state, ...headlines(report)].join(' ')}`
}

/** Whether somebody should read on although nothing failed. */
function isIncomplete({ warnings, packages }: RunReport): boolean {
  return warnings.length > 0 || packages.some(({ notReached }) => notReached !== undefined)
}

/** The run in three sentences at most. */
function headlines({ dryRun, packages }: RunReport): string[] {
  const totals = sum(packages)
  const alone = packages
    .filter(({ plan, outcomes }) => plan.refusals.length > 0 && outcomes.length === 0)
    .map(({ name }) => name)
  const fate = `${dryRun ? 'would go' : 'were to go'}, ${number(totals.kept)} stay`
  return [
    `**${number(totals.planned)} of ${number(totals.listed)} versions ${fate}.**`,
    dryRun ? 'Nothing was changed.' : doneWords(totals),
    ...(alone.length > 0 ? [`Left alone: ${alone.map(markdownCode).join(', ')}.`] : []),
  ]
}

/** What became of the plan; what did not occur is not told. */
function doneWords(totals: Totals): string {
  const parts: [number, string][] = [
    [totals.alreadyGone, 'already gone'],
    [totals.retained, 'retained by GitHub'],
    [totals.changed, 'changed meanwhile'],
    [totals.failed, 'failed'],
    [totals.remaining, 'not tried'],
  ]
  const told = parts
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${number(count)} ${words}`)
  return `${[`${number(totals.deleted)} deleted`, ...told].join(', ')}.`
}

function warningSection(warnings: readonly string[]): string {
  if (warnings.length === 0) return ''
  const left = warnings.length - mostWarnings
  const more = left > 0 ? [`${number(left)} more warnings are in the log and in plan.json.`] : []
  return block('WARNING', [...warnings.slice(0, mostWarnings), ...more])
}

function policySection(sentences: readonly string[]): string {
  return sentences
    .map((sentence) => {
      const [, indent = '', words = ''] = /^(\s*)(.*)$/s.exec(sentence) ?? []
      return `${indent}- ${markdownText(words)}`
    })
    .join('\n')
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
  const fate = outcomes.length > 0 ? 'Its deletes ended early' : 'Left alone'
  const parts = [
    ...lossSection(entry, report),
    ...plan.refusals.map(({ message, hint }) => caution(`${fate}: ${message}`, hint)),
    outcomeSection('Retained by GitHub', outcomes, 'retained', lookup),
    outcomeSection('Changed meanwhile, so they stay', outcomes, 'changed', lookup),
    outcomeSection('Failed', outcomes, 'failed', lookup),
    outcomeSection('Not tried', outcomes, 'remaining', lookup),
    goingSection(plan, report.dryRun, view),
    restoreSection(entry, report),
  ].filter((part) => part !== '')
  return [title, ...(parts.length > 0 ? parts : ['Everything stays.'])].join('\n\n')
}

/** What stays and is not whole: above everything else, each with the command that mends it. */
function lossSection({ name, verification }: PackageReport, { route }: RunReport): string[] {
  const losses = verification?.losses ?? []
  return losses
    .slice(0, mostRows)
    .map((loss) =>
      caution(
        lossText(loss),
        `Restore it: gh api --method POST ${restorePath(route, name, loss.id)}`,
      ),
    )
}

function goingSection(plan: Plan, dryRun: boolean, view: AgeView): string {
  const lookup = lookupIn(plan.decisions)
  const going = treesOf(plan.decisions).filter(({ image }) => goes(image))
  if (going.length === 0) return ''
  const rows = going.slice(0, mostRows).map((tree) => goingRow(tree, lookup, view))
  const fate =
    plan.deletions.length === 0 ? 'would have gone' : dryRun ? 'would go' : 'planned to go'
  const title = `${number(going.length)} ${going.length === 1 ? 'image' : 'images'} ${fate}`
  return details(
    title,
    table(['Image', 'Age', 'Type', 'Versions', 'Why'], rows),
    going.length - rows.length,
  )
}

function goes(decision: Decision): boolean {
  return decision.verdict.action === 'delete' || wouldGo(decision)
}

function goingRow({ image, parts }: ImageTree, lookup: Lookup, view: AgeView): string[] {
  return [
    markdownCode(nameOf(image)),
    ageOf(image, view),
    markdownText([typeOf(image), ...image.platforms].join(' ')),
    number(parts.filter(goes).length + 1),
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
    const hint = 'hint' in result ? `. ${result.hint}` : ''
    return [
      markdownCode(decision === undefined ? version.digest : nameOf(decision)),
      String(version.id),
      markdownText(why + hint),
    ]
  })
  const heading = `${title}: ${number(concerned.length)}`
  return details(heading, table(['Version', 'Id', 'Why'], rows), concerned.length - rows.length)
}

/** Commands that bring back what was deleted. */
function restoreSection({ name, plan, outcomes }: PackageReport, { route }: RunReport): string {
  const deleted = new Set(
    outcomes.filter(({ result }) => result.status === 'deleted').map(({ version }) => version.id),
  )
  if (deleted.size === 0) return ''
  const turns = new Map(plan.deletions.map(({ version }, turn) => [version.id, turn]))
  const path = restorePath(route, name, '$id')
  const lines = treesOf(plan.decisions).flatMap(({ image, parts }) => {
    const gone = [image, ...parts].map(({ version }) => version.id).filter((id) => deleted.has(id))
    // In the opposite order of the deletes, so that a restore that is cut off leaves no hollow image either.
    gone.sort((a, b) => (turns.get(b) ?? 0) - (turns.get(a) ?? 0))
    return gone.length > 0 ? [`restore ${gone.join(' ')} # ${shellComment(nameOf(image))}`] : []
  })
  const command = [
    `restore() { for id in "$@"; do gh api --method POST "${path}"; done; }`,
    ...lines.slice(0, mostRows),
  ].join('\n')
  const intro = 'GitHub keeps deleted versions for 30 days. One line restores one image whole:'
  return details(
    'How to restore',
    `${intro}\n\n\`\`\`sh\n${command}\n\`\`\``,
    lines.length - mostRows,
  )
}

/** Tags as a comment in a code block: nothing in them can end the line or the block. */
function shellComment(text: string): string {
  return text.replace(/[^\w.,: -]/g, '?')
}

function details(title: string, body: string, leftOut: number): string {
  const more = leftOut > 0 ? `\n\n_${number(leftOut)} more are in plan.json._` : ''
  return `<details><summary>${title}</summary>\n\n${body}${more}\n\n</details>`
}

function caution(message: string, hint: string): string {
  return block('CAUTION', [...message.split('\n'), hint])
}

/**
 * A box with a paragraph for each line.
 * https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
 */
function block(kind: 'CAUTION' | 'WARNING', lines: readonly string[]): string {
  const paragraphs = lines.map((line) => `> ${markdownText(line.trim())}`)
  return [`> [!${kind}]`, paragraphs.join('\n>\n')].join('\n')
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
