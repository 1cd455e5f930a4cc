/**
 * Measures what it takes to plan packages of 10,000 to 1,000,000 versions: the plan and the second look, without
 * listing and reading. Every measurement is made three times, each in a process of its own.
 *
 * Usage: node scripts/bench/planner.mjs [--rules 20] [<versions> …]
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
 * @param {2 | 20} rules
 * @returns {Promise<{ rows: PlannerRow[], exponent: number }>} time grows as versions to the power of the exponent
 */
export async function measurePlanner(counts = sizes, rules = 2) {
  const folder = await mkdtemp(join(tmpdir(), 'planner-bench-'))
  try {
    const bundle = join(folder, 'planner.mjs')
    await bundlePlanner(bundle)
    const rows = []
    for (const count of counts) rows.push(await measureMedian(bundle, count, rules))
    return { rows, exponent: exponentOf(rows) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function bundlePlanner(outfile) {
  const contents = `
    export { plan, refuse, undecided } from './src/selector.js'
    export { secondLook } from './src/second-look.js'
    export { readPolicyFile } from './src/policy/file/read-policy.js'`
  const stdin = { contents, resolveDir: root, sourcefile: 'planner.ts', loader: 'ts' }
  const js =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
  const options = { bundle: true, platform: 'node', target: 'node20', format: 'esm' }
  await build({ stdin, outfile, banner: { js }, ...options })
}

async function measureMedian(bundle, count, rules) {
  const measured = []
  for (let run = 0; run < runs; run++) {
    const args = ['--expose-gc', self, '--one', bundle, String(count), String(rules)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    measured.push(JSON.parse(stdout))
  }
  const median = (key) => measured.map((one) => one[key]).sort((a, b) => a - b)[runs >> 1]
  return Object.fromEntries(Object.keys(measured[0]).map((key) => [key, median(key)]))
}

/** One run in this process: what `settle` of src/planning.ts does when nothing is left to read. */
async function measureOnce(bundle, count, rules) {
  const planner = await import(pathToFileURL(bundle).href)
  const { snapshot, now, cutOff } = believablePackage(count)
  const policy = policyOf(planner, rules, cutOff)
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

/** Both policies say the same of this package: everything that is old goes, unless it is stable. */
function policyOf({ readPolicyFile }, rules, cutOff) {
  const age = `${Math.ceil(cutOff / 1000)}s`
  const text = rules === 2 ? twoRules(age) : twentyRules(age)
  const { set, mistakes } = readPolicyFile(text, 'policy.yml')
  if (mistakes !== undefined) throw new Error(JSON.stringify(mistakes))
  const [{ policy }] = set.entries
  if (policy.rules.length !== rules) throw new Error(`there are ${policy.rules.length} rules`)
  return policy
}

const twoRules = (age) => `version: 1
defaults:
  protect: ['stable-*', latest]
  rules:
    - { name: tagged, delete: { tags: ['sha-*', '/v\\d+/'] }, when: { older-than: ${age} } }
    - { name: untagged, delete: { untagged: true }, when: { older-than: ${age} } }
`

/** Of every kind: globs and expressions, versions, counts, groups and the calendar. */
const twentyRules = (age) => `version: 1
defaults:
  rules:
    - { name: stable, keep: { tags: ['stable-*', latest] } }
    - { name: newest, keep: { tags: ['stable-*'] }, when: { newest: 100 } }
    - { name: thinned, keep: { tags: ['stable-*'] }, when: { daily: 7, weekly: 8, monthly: 12, yearly: 9 } }
    - { name: groups, keep: { tags: ['/stable-\\d+/'] }, when: { group-by: '/stable-(\\d)\\d*/', newest-groups: 3, newest-per-group: 9 } }
    - { name: young, keep: { tags: ['sha-*'] }, when: { newer-than: ${age} } }
    - { name: releases, keep: { semver: '>=1.0.0', prerelease: false }, when: { group-by: minor, newest-groups: 3 } }
    - { name: charts, keep: { artifact: chart } }
    - { name: lines, keep: { tags: ['release-*', '/v\\d+\\.\\d+/'] } }
    - { name: digits, delete: { tags: ['sha-[0-4]*'] }, when: { older-than: ${age} } }
    - { name: more-digits, delete: { tags: ['sha-{5,6,7}*'] }, when: { older-than: ${age} } }
    - { name: letters, delete: { tags: ['/sha-[89a-f].*/'] }, when: { older-than: ${age} } }
    - { name: many, delete: { tags: ['sha-*'] }, when: { beyond-newest: 1000, older-than: ${age} } }
    - { name: the-rest, delete: { not-tags: ['stable-*', latest] }, when: { older-than: ${age} } }
    - { name: old-versions, delete: { semver: '<1.0.0' }, when: { older-than: ${age} } }
    - { name: nightlies, delete: { tags: ['nightly-*', '*-nightly'] }, when: { older-than: ${age} } }
    - { name: pull-requests, delete: { tags: ['pr-*'], not-tags: ['pr-keep-*'] }, when: { older-than: ${age} } }
    - { name: builds, delete: { tags: ['/ci-\\d+/'] }, when: { older-than: ${age} } }
    - { name: pushed, delete: { tagged: true, artifact: wasm }, when: { older-than: ${age}, by: created } }
    - { name: leftovers, delete: { untagged: true }, when: { older-than: ${age} } }
    - { name: images, delete: { untagged: true, artifact: image }, when: { older-than: ${age}, beyond-newest: 10 } }
`

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
  if (first === '--one')
    console.log(JSON.stringify(await measureOnce(rest[0], Number(rest[1]), Number(rest[2]))))
  else if (first === '--rules')
    print(await measurePlanner(countsOf(rest.slice(1)), Number(rest[0])))
  else print(await measurePlanner(countsOf(process.argv.slice(2))))
}

function countsOf(texts) {
  return texts.length === 0 ? sizes : texts.map(Number)
}
