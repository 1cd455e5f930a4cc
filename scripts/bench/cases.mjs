/** What is measured. Every case tells what it saw in a few lines, and what the usual client would take. */
import { pathToFileURL } from 'node:url'
import { figuresOf, rateOf, round, within } from './figures.mjs'
import { measurePlanner } from './planner.mjs'
import { bundled, stage } from './stage.mjs'

const minute = 60_000

/** The usual client: one page after the other, then every manifest, then one delete a second. Seconds. */
function usualClient(versions, deletes) {
  return round(Math.ceil(versions / 100) * 0.3 + versions * 0.06 + deletes)
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

function succeeded(run) {
  if (run.exitCode !== 0) throw new Error(`exit code ${run.exitCode}:\n${run.log}`)
  return run
}

const share = (part, whole, digits = 0) => `${round((100 * part) / whole, digits)} %`

/** 200 multi-arch images of five versions, half to go. */
function multiArch(inputs, pace) {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 100, young: 100 })
    const run = succeeded(await prune(inputs))
    const { api, done, deletes, lists, perMinute, reads, limited, mostPoints } = figuresOf(
      await ask('report'),
    )
    const first = done.slice(0, 150)
    const whole = 10 + deletes.length
    const beyond = api.length - whole
    const free = api.filter(({ status }) => status === 304).length
    return {
      lines: [
        `${done.length} deletes at ${round(perMinute, 1)} a minute, in ${round(run.seconds)} s with everything`,
        `${reads.length} manifest reads`,
        `${api.length - deletes.length - lists.length} requests that are neither list nor delete ` +
          `(${share(api.length - deletes.length - lists.length, api.length, 1)})`,
        `${beyond} beyond one listing and the deletes (${share(beyond, whole, 1)}), of which ${free} cost no quota ` +
          `(304), so ${share(beyond - free, whole, 1)} of it`,
        `the first 150: ${within(first, 10_000)} in 10 s (an even pace: ${round(pace / 6)}), ${round(rateOf(first), 1)} a minute`,
        `at most ${mostPoints} points in any minute, ${limited.length} limited answers`,
      ],
      usual: usualClient(1000, 500),
    }
  })
}

/** A limit that is lower than the published one all the time. */
function lowerLimit() {
  return on(25, async ({ ask, prune }) => {
    await ask('fill', { old: 240, young: 5 })
    await ask('limit', { pointsPerMinute: 450 })
    succeeded(await prune({}))
    const { done, limited } = figuresOf(await ask('report'))
    const settled = Math.max(...limited.map(({ at }) => at)) + minute
    const rate = rateOf(done.filter(({ at }) => at >= settled))
    return {
      lines: [
        `${limited.length} limited answers, then ${round(rate, 1)} deletes a minute: ` +
          `${share(rate, 90)} of the 90 that are allowed`,
      ],
    }
  })
}

/** 450 points a minute from the third minute to the fifteenth. */
function changingLimit() {
  return on(25, async ({ ask, prune }) => {
    await ask('fill', { old: 800, young: 5 })
    await ask('limitLater', { pointsPerMinute: 450, after: 3 * minute })
    await ask('limitLater', { pointsPerMinute: 900, after: 15 * minute })
    succeeded(await prune({}))
    const { done, limited } = figuresOf(await ask('report'))
    const [{ at: begun }] = done
    const settled = Math.max(...limited.map(({ at }) => at - begun)) + minute
    const rate = (from, to) =>
      done.filter(({ at }) => at - begun >= from && at - begun < to).length / ((to - from) / minute)
    const low = rate(settled, 15 * minute)
    const minutes = Array.from({ length: 20 }, (_, at) => 15 + at)
    const full = minutes.find((at) => rate(at * minute, (at + 1) * minute) >= 147)
    return {
      lines: [
        `${limited.length} limited answers, the last ${round((settled - minute) / minute - 3, 1)} min after the change`,
        `from then on ${round(low, 1)} deletes a minute: ${share(low, 90)} of the 90 that are allowed`,
        full === undefined
          ? 'the full pace is not back within 20 min'
          : `the full pace is back in minute ${full - 15 + 1} after the low limit's end`,
      ],
    }
  })
}

function listing() {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 6000, young: 6000 })
    const run = succeeded(await prune({ 'dry-run': 'true', 'log-level': 'warn' }))
    const { lists, reads, limited } = figuresOf(await ask('report'))
    const took = (lists.at(-1).at - lists[0].at) / 1000 + 0.3
    return {
      lines: [
        `600 pages, and page 1 once more, in ${round(took, 1)} s; ${limited.length} limited answers`,
        `the whole dry run with ${reads.length} manifest reads and the plan ${round(run.seconds)} s`,
      ],
      usual: usualClient(60_000, 0),
    }
  })
}

/** 3,000 deletes with 1,000 requests an hour: runs an hour apart until nothing is left. */
function workflowToken() {
  return on(25, async ({ ask, prune }) => {
    await ask('fill', { old: 600, young: 20 })
    const lines = []
    const asked = []
    for (let left = 1; left > 0;) {
      const run = succeeded(await prune({ token: 'ghs_emulator_workflow' }))
      const { api, deletes, lists } = figuresOf(await ask('report'))
      asked.push(...deletes.map(({ path }) => path))
      left = Number(run.outputs['remaining-count'])
      const paid = api.filter(({ status }) => status !== 304).length
      const told = /can go on at \d\d:\d\d UTC/.test(run.log) ? ', and told when to come back' : ''
      lines.push(
        `exit 0, ${run.outputs['deleted-count']} deleted with ${paid} requests of the quota ` +
          `(${lists.length} for pages)${left > 0 ? `, ${left} left${told}` : ''}`,
      )
      await ask('pass', { milliseconds: 60 * minute })
    }
    return { lines: [...lines, `${asked.length - new Set(asked).size} versions deleted twice`] }
  })
}

function timeBudget() {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 1800, young: 20 })
    const run = succeeded(await prune({ 'time-budget': '5m' }))
    const { 'deleted-count': deleted, 'remaining-count': remaining } = run.outputs
    return {
      lines: [
        `ended after ${Math.floor(run.seconds / 60)} min ${round(run.seconds % 60, 1)} s, exit 0`,
        `${deleted} deleted, ${remaining} remaining, ${await ask('versions')} of 9100 versions still there`,
      ],
    }
  })
}

/** A second run on a package in which nothing has changed, and a third after one push. */
function memory() {
  return on(1, async ({ ask, prune }) => {
    await ask('fill', { old: 100, young: 100 })
    const line = async (what) => {
      const { seconds } = succeeded(await prune({ 'dry-run': 'true' }))
      const { reads } = figuresOf(await ask('report'))
      return `${what}: ${reads.length} manifest reads, ${round(seconds, 1)} s`
    }
    const lines = [await line('the first run'), await line('the second run')]
    await ask('push')
    return { lines: [...lines, await line('after one push')], usual: usualClient(1000, 0) }
  })
}

/** What a listing would cost a second run that had kept the pages of the first. */
function conditional() {
  return on(10, async ({ ask, prune }) => {
    await ask('fill', { old: 100, young: 100 })
    await ask('askAgain')
    const words = async (when) => {
      const { pages, same } = await ask('askAgain')
      return `${when}: ${same} of ${pages} pages`
    }
    const unchanged = await words('nothing happened')
    succeeded(await prune({ 'dry-run': 'true' }))
    succeeded(await prune({}))
    const pruned = await words('after a run that deleted the older half')
    await ask('push')
    return {
      lines: [`the same as before, ${unchanged}; ${pruned}; ${await words('after one push')}`],
    }
  })
}

async function planner() {
  const { rows, exponent } = await measurePlanner()
  const ofMany = await measurePlanner([100_000, 1_000_000], 20)
  const words = ({ versions, seconds, peakMegabytes, inputMegabytes }) =>
    `${versions} versions: ${round(seconds, 2)} s, ${round(peakMegabytes)} MB (${round(inputMegabytes)} MB before it began)`
  return {
    lines: [
      ...rows.map(words),
      `time grows as versions to the power of ${round(exponent, 2)}`,
      ...ofMany.rows.map((row) => `20 rules of every kind, ${words(row)}`),
    ],
  }
}

async function reads() {
  const { measureReads } = await import(pathToFileURL(await bundled('reads.mjs')))
  const { versions, needed, made, worst } = await measureReads()
  return {
    lines: [
      `${versions} versions in 200 packages: ${needed} manifests had to be read, ${made} were ` +
        `(${share(made - needed, needed, 1)} more; the worst package ${share(worst, 1)} more)`,
    ],
  }
}

/**
 * By name: what is measured, what it should reach, and how. Cases that mostly wait may go side by side; the others want
 * the machine for themselves.
 */
export const cases = {
  'multi-arch': {
    what: '200 multi-arch images, half to go: 1,000 versions, 500 deletes',
    aim: '≥ 145 deletes a minute, ≤ 205 manifest reads, ≤ 2 % requests beyond list and delete, none limited',
    measure: () => multiArch({}, 150),
    mostlyWaits: true,
  },
  'multi-arch-175': {
    what: 'The same with `deletes-per-minute: 175`',
    aim: '≥ 170 deletes a minute, none limited',
    measure: () => multiArch({ 'deletes-per-minute': '175' }, 175),
    mostlyWaits: true,
  },
  'time-budget': {
    what: '`time-budget: 5m` with an hour of work',
    aim: 'Ends within 5 min 10 s, whole, outputs written',
    measure: timeBudget,
    mostlyWaits: true,
  },
  'lower-limit': {
    what: '450 points a minute instead of the published 900, on clocks 25 times as fast',
    aim: 'A handful of limited answers, then ≥ 85 % of what is allowed',
    measure: lowerLimit,
  },
  'changing-limit': {
    what: '900 points a minute, from minute 3 to 15 only 450, on clocks 25 times as fast',
    aim: 'The same, and it recovers',
    measure: changingLimit,
  },
  'workflow-token': {
    what: '`GITHUB_TOKEN` with 1,000 requests an hour and 3,000 versions to delete, runs an hour apart, on clocks 25 times as fast',
    aim: 'The reserve of 100 stays, exit 0, the next runs finish it, nothing twice',
    measure: workflowToken,
  },
  memory: {
    what: 'Dry runs on 1,000 versions, one after the other, with manifests remembered in the cache',
    aim: 'The second run reads no manifest',
    measure: memory,
  },
  listing: {
    what: '60,000 versions listed',
    aim: '600 pages in ≤ 20 s',
    measure: listing,
  },
  planner: {
    what: 'The plan and its second look alone, each size in a process of its own',
    aim: '100,000 versions in ≤ 1 s and ≤ 300 MB, 1,000,000 in ≤ 15 s and ≤ 2 GB, no worse than n log n',
    measure: planner,
  },
  conditional: {
    what: 'Pages that a later run would get for nothing, had it kept those of an earlier one (1,000 versions)',
    aim: 'To decide; page 1 within a run is the only one that is asked for in this way',
    measure: conditional,
  },
  reads: {
    what: 'Manifest reads on random packages of 20 to 400 pushes, with answers that take randomly long',
    aim: '≤ 5 % more than had to be',
    measure: reads,
  },
}
