/**
 * Measures what it takes to plan packages of 10,000 to 1,000,000 versions: the plan and the second look, without
 * listing and reading. Every measurement is made three times, each in a process of its own.
 *
 * Usage: node scripts/bench/planner.mjs [<versions> …]
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { root } from '../bundle.mjs'
import { believablePackage } from './believable.mjs'

const self = fileURLToPath(import.meta.url)
const sizes = [10_000, 30_000, 100_000, 300_000, 1_000_000]
const runs = 3

/**
 * @typedef {object} PlannerRow the median of three runs
 * @property {number} versions
 * @property {number} seconds for the plan and the second look, in a process that has done nothing before
 * @property {number} peakMegabytes the most memory that the whole process had, its input included
 * @property {number} inputMegabytes what the process had before it began to plan
 * @property {number} deletions
 */

/**
 * @param {number[]} counts of versions
 * @returns {Promise<{ rows: PlannerRow[], exponent: number }>} time grows as versions to the power of the exponent
 */
export async function measurePlanner(counts = sizes) {
  const folder = await mkdtemp(join(tmpdir(), 'planner-bench-'))
  try {
    const bundle = join(folder, 'planner.mjs')
    await bundlePlanner(bundle)
    const rows = []
    for (const count of counts) rows.push(await measureMedian(bundle, count))
    return { rows, exponent: exponentOf(rows) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function bundlePlanner(outfile) {
  const contents = `
    export { plan, refuse, undecided } from './src/selector.js'
    export { secondLook } from './src/second-look.js'
    export { compileTagPatterns } from './src/policy/patterns.js'`
  const stdin = { contents, resolveDir: root, sourcefile: 'planner.ts', loader: 'ts' }
  await build({ stdin, outfile, bundle: true, platform: 'node', target: 'node20', format: 'esm' })
}

async function measureMedian(bundle, count) {
  const measured = []
  for (let run = 0; run < runs; run++) {
    const args = ['--expose-gc', self, '--one', bundle, String(count)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    measured.push(JSON.parse(stdout))
  }
  const median = (key) => measured.map((one) => one[key]).sort((a, b) => a - b)[runs >> 1]
  return Object.fromEntries(Object.keys(measured[0]).map((key) => [key, median(key)]))
}

/** One run in this process: what `settle` of src/planning.ts does when nothing is left to read. */
async function measureOnce(bundle, count) {
  const planner = await import(pathToFileURL(bundle).href)
  const { snapshot, now, cutOff } = believablePackage(count)
  const policy = policyOf(planner, cutOff)
  globalThis.gc()
  const inputMegabytes = megabytes(process.memoryUsage.rss())
  const start = performance.now()
  const made = planner.plan(snapshot, policy, now)
  const unread = planner.undecided(made, snapshot)
  const checked = planner.refuse(made, planner.secondLook(snapshot, policy, now, made))
  const seconds = (performance.now() - start) / 1000
  if (unread.length > 0 || checked.refusals.length > 0) throw new Error('the plan is not settled')
  const peakMegabytes = megabytes(process.resourceUsage().maxRSS * 1024)
  const deletions = checked.deletions.length
  return { versions: snapshot.versions.length, seconds, peakMegabytes, inputMegabytes, deletions }
}

/** Everything that is old goes, unless it has a tag that is excluded. */
function policyOf({ compileTagPatterns }, olderThan) {
  const { include, exclude } = compileTagPatterns(['sha-*', '/v\\d+/', '!stable-*', '!latest'])
  const origin = { place: 'inputs' }
  const rule = (kind, tag) => ({
    name: kind,
    origin,
    action: 'delete',
    select: { kinds: new Set([kind]), tag, digests: undefined, types: undefined },
    when: { by: 'updated', olderThan },
  })
  return {
    protect: exclude.map((pattern) => ({ pattern, origin })),
    grace: 3_600_000,
    maxDeletions: [],
    keepDigests: new Map(),
    rules: [rule('tagged', { include, exclude: [], semver: undefined }), rule('untagged')],
    unmatched: 'keep',
    spareNewest: 0,
    ageBy: 'updated',
    uses: new Map(),
    readsLabels: false,
    refs: undefined,
  }
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6)
}

/** The slope of a straight line through the points, both axes in logarithms. */
function exponentOf(rows) {
  const points = rows.map(({ versions, seconds }) => [Math.log(versions), Math.log(seconds)])
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const both = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return both / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}

function print({ rows, exponent }) {
  const number = (value) => value.toLocaleString('en-US')
  console.log('  versions  deletions  seconds   peak MB  of which input')
  for (const { versions, deletions, seconds, peakMegabytes, inputMegabytes } of rows) {
    const cells = [versions, deletions].map((value) => number(value).padStart(10))
    const memory = [peakMegabytes, inputMegabytes].map((value) => number(value).padStart(9))
    console.log(`${cells.join(' ')} ${seconds.toFixed(2).padStart(8)} ${memory.join(' ')}`)
  }
  if (rows.length > 1) console.log(`Time grows as versions^${exponent.toFixed(2)}.`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [first, ...rest] = process.argv.slice(2)
  if (first === '--one') console.log(JSON.stringify(await measureOnce(rest[0], Number(rest[1]))))
  else print(await measurePlanner(first === undefined ? sizes : [first, ...rest].map(Number)))
}
