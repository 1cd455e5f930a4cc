import type { Host, Results } from './host.js'
import { readNames, type PackageSelection } from './input-readers.js'
import { markdownCode, markdownText } from './report/escape.js'
import { outputsOf } from './report/outputs.js'

/**
 * The most jobs of one matrix.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
 */
export const mostJobs = 256
/** How many names the log shows in its one line. */
const namesInLog = 20
/** How many jobs the summary shows. */
const jobsInSummary = 100

/**
 * Mode `packages`: the matched names in a form that a workflow matrix takes. Exact names are taken at their word, because
 * `GITHUB_TOKEN` may not list and each job finds out by itself whether its package is there.
 *
 * @param list asks GitHub for the names that patterns match; not called for exact names
 */
export async function shardPackages(
  selection: PackageSelection,
  { log }: Pick<Host, 'log'>,
  list: () => Promise<{ account: string; names: readonly string[] }>,
): Promise<Results> {
  const found = selection.kind === 'exact' ? { account: '', names: selection.names } : await list()
  const names = found.names.filter(isImageName).sort()
  for (const name of found.names.filter((one) => !isImageName(one)))
    log.warn(`${JSON.stringify(name)} is left out: image-names does not take it as a name.`)
  const jobs = shardsOf(names)
  const sentence = countWords(names.length, jobs.length)
  if (names.length === 0)
    log.warn('No package matches image-names. The output packages is [], and a matrix needs one.')
  else log.info(`${sentence}: ${listWords(names)}`)
  const report = { account: found.account, route: '', dryRun: true, packages: [], warnings: [] }
  const outputs = outputsOf({ ...report, failure: undefined }, undefined)
  return {
    outputs: { ...outputs, packages: JSON.stringify(jobs) },
    summary: summaryOf(sentence, jobs),
  }
}

/** Whether `image-names` reads a text as this one exact name. */
function isImageName(name: string): boolean {
  try {
    const read = readNames(name)
    return read.kind === 'exact' && read.names.length === 1 && read.names[0] === name
  } catch {
    return false
  }
}

/** One name for each job, or, where a matrix cannot have so many, groups whose sizes differ by one at most. */
export function shardsOf(names: readonly string[]): string[] {
  const jobs = Math.min(names.length, mostJobs)
  const start = (job: number) => Math.floor((job * names.length) / jobs)
  return Array.from({ length: jobs }, (_, job) => names.slice(start(job), start(job + 1)).join(' '))
}

function countWords(names: number, jobs: number): string {
  const packages = `${names} ${names === 1 ? 'package' : 'packages'}`
  if (names === jobs) return packages
  const sizes = [...new Set([Math.floor(names / jobs), Math.ceil(names / jobs)])].join(' or ')
  return `${packages}, in ${jobs} groups of ${sizes} because a matrix has at most ${mostJobs} jobs`
}

function listWords(names: readonly string[]): string {
  const shown = names.slice(0, namesInLog).join(', ')
  return names.length > namesInLog ? `${shown} and ${names.length - namesInLog} more` : shown
}

function summaryOf(sentence: string, jobs: readonly string[]): string {
  const items = jobs.slice(0, jobsInSummary).map((names) => `- ${markdownCode(names)}`)
  const left = jobs.length - items.length
  const more = left > 0 ? ['', `_${left} more are in the output._`] : []
  return ['## Packages for a matrix', '', `${markdownText(sentence)}.`, '', ...items, ...more]
    .join('\n')
    .concat('\n')
}
