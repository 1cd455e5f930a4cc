import { expect } from '@jest/globals'
import fc from 'fast-check'
import { run } from './kit.js'
import { policies, type Asked } from './policies.js'
import { property } from './property.js'
import { histories } from './registries.js'
import { asking, setUp, stillThere, unfinished, type Scene } from './scene.js'
import {
  begunAt,
  courses,
  openDoubleStage,
  plannedBy,
  refusalsOf,
  sideBySide,
  type DoubleStage,
  type Half,
} from './two-runs.js'

const slow = fc.constantFrom('2', '5', '30')
const packages = fc.tuple(histories(40))

/** Half of all policies take everything that no tag and no number keeps, so that there is much to do. */
const eager = policies.map((asked): Asked => {
  const inputs = { ...asked.inputs, 'cut-off': '0s', grace: '0s', 'max-deletions': '' }
  return { ...asked, cutOff: 0, grace: 0, most: Infinity, inputs }
})
const anyPolicy = fc.oneof(policies, eager)

/** Digests that one run alone would delete if it began at that time. */
async function alone({ first }: DoubleStage, scene: Scene, at: number): Promise<string[]> {
  const { time } = first.clock
  first.clock.time = at
  const dry = await run(first, { ...scene.inputs, 'dry-run': 'true' })
  first.clock.time = time
  return digestsOf(scene, plannedBy(dry))
}

function digestsOf({ pictures }: Scene, ids: readonly number[]): string[] {
  const wanted = new Set(ids)
  const versions = pictures.flatMap((picture) => picture.versions)
  return versions.filter(({ id }) => wanted.has(id)).map(({ digest }) => digest)
}

property(
  'two runs with one policy delete together what one would, nothing else, and neither fails',
  () => openDoubleStage(),
  fc.tuple(packages, anyPolicy, courses),
  async (stage, [past, asked, course]) => {
    const scene = setUp(stage.first, past, asked)
    const begun = stage.first.clock.time
    const planned = await alone(stage, scene, begun)

    const other = { ...scene, stage: stage.second }
    const [one, two] = await sideBySide(scene, other, course)

    expect([...one.wrong, ...two.wrong]).toEqual([])
    const wanted = planned.length > 0 ? plannedBy(one.done) : []
    expect(stillThere(wanted, one.watch)).toEqual([])
    for (const { done } of [one, two]) {
      expect(unfinished(done, 'deleted', 'already-gone')).toEqual([])
      expect(refusalsOf(done, 'max-deletions')).toEqual([])
    }

    // The same packages once more, as they were, for the time at which the other run looked at them.
    stage.first.clock.time = begun
    const twin = setUp(stage.first, past, asked)
    const later = await alone(stage, twin, begunAt(two.done))
    const gone = digestsOf(scene, [...one.watch.deleted, ...two.watch.deleted])
    expect(gone.filter((digest) => !planned.includes(digest) && !later.includes(digest))).toEqual(
      [],
    )
  },
)

property(
  'two runs with policies of their own break nothing that stays, and neither tells what is not so',
  () => openDoubleStage(),
  fc.tuple(packages, anyPolicy, anyPolicy, courses),
  async (stage, [past, asked, otherwise, course]) => {
    const scene = setUp(stage.first, past, asked)
    const other = asking({ ...scene, stage: stage.second }, otherwise)
    keepTheirPromises(await sideBySide(scene, other, course))
  },
)

property(
  'two runs that each look again while the other deletes keep every promise',
  () => openDoubleStage(true),
  fc.tuple(packages, eager, fc.oneof(eager, fc.constant(undefined)), courses, slow, slow),
  async (stage, [past, asked, otherwise, course, pace, otherPace]) => {
    const scene = setUp(stage.first, past, asked, { 'deletes-per-minute': pace })
    const other = asking({ ...scene, stage: stage.second }, otherwise ?? asked)
    const inputs = { ...other.inputs, 'deletes-per-minute': otherPace }
    keepTheirPromises(await sideBySide(scene, { ...other, inputs }, course))
  },
)

/** Whatever the other does: nothing breaks, nothing is told that is not so, and nothing is given up. */
function keepTheirPromises(runs: readonly Half[]): void {
  for (const { done, wrong } of runs) {
    expect(wrong).toEqual([])
    expect(unfinished(done, 'deleted', 'already-gone', 'retained')).toEqual([])
    expect(refusalsOf(done, 'max-deletions')).toEqual([])
    const losses = done.plan.packages.flatMap(({ verification }) => verification?.losses ?? [])
    expect(losses).toEqual([])
  }
}
