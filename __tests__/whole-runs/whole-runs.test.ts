import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { changes, plant } from './changes.js'
import { openStage, run, type Stage } from './kit.js'
import { hopeless, unhindered } from './oracle.js'
import { policies } from './policies.js'
import { histories } from './registries.js'
import {
  again,
  decisionsOf,
  endAt,
  ends,
  setUp,
  stillThere,
  unfinished,
  watched,
  writesOf,
} from './scene.js'
import { troubles } from './troubles.js'

const { WHOLE_RUNS: cases = '60', PROPERTY_SEED: seed = '1' } = process.env
const numRuns = Number(cases)
/** Milliseconds; long enough to make a failing case small. What is found until then is told. */
const timeout = Math.max(300_000, numRuns * 3000)
const parameters = {
  ...{ numRuns, seed: Number(seed) },
  ...{ interruptAfterTimeLimit: timeout * 0.9, markInterruptAsFailure: true },
}

/**
 * A property of whole runs. They spend most of their time in waiting for timers, so properties are tried side by side,
 * each on a stage of its own. A failure tells its seed and path, and its case as small as it can be.
 */
function property<Case extends unknown[]>(
  sentence: string,
  of: fc.Arbitrary<Case>,
  holds: (stage: Stage, ...values: Case) => Promise<void>,
  isPatient = false,
): void {
  const tried = async () => {
    const stage = await openStage(isPatient)
    const checked = fc.asyncProperty(of, (values) => holds(stage, ...values))
    try {
      await fc.assert(checked, parameters)
      expect(stage.emulator.errors).toEqual([])
    } finally {
      await stage.emulator.close()
    }
  }
  test.concurrent(sentence, tried, timeout)
}

const one = fc.tuple(histories(40))
const two = fc.tuple(histories(40), histories(40))
const oneOrTwo = fc.oneof({ weight: 5, arbitrary: one }, { weight: 1, arbitrary: two })
const anything = troubles('passing', 'blind', 'local', 'ending', 'foreign')

property(
  'whatever goes wrong, nothing that stays loses a part at any moment, and the run tells the truth',
  fc.tuple(oneOrTwo, policies, anything),
  async (stage, past, asked, all) => {
    const { wrong } = await watched(setUp(stage, past, asked), all)
    expect(wrong).toEqual([])
  },
)

property(
  'a run that meets passing trouble only does what the dry run showed, and leaves nothing to the next',
  fc.tuple(one, policies, troubles('passing')),
  async (stage, past, asked, all) => {
    const scene = setUp(stage, past, asked)
    const { time } = stage.clock
    const dry = await run(stage, { ...scene.inputs, 'dry-run': 'true' })
    expect(writesOf(dry)).toEqual([])

    const { done, watch, wrong } = await watched(scene, all)
    expect(wrong).toEqual([])
    expect(decisionsOf(done)).toEqual(decisionsOf(dry))
    expect(unfinished(done, 'deleted')).toEqual([])
    expect(stillThere(hopeless(done, scene), watch)).toEqual([])

    // Nothing has grown old enough meanwhile.
    stage.clock.time = time
    const next = await run(stage, scene.inputs)
    expect(writesOf(next)).toEqual([])
  },
)

property(
  'a delete that fails for good stops nothing but what belongs to its version',
  fc.tuple(fc.tuple(histories(6)), policies, troubles('local')),
  async (stage, past, asked, all) => {
    const scene = setUp(stage, past, asked)
    const { done, watch, troubled, wrong } = await watched(scene, all)
    expect(wrong).toEqual([])
    expect(stillThere(unhindered(done, scene, troubled), watch)).toEqual([])
  },
)

property(
  'a run that ends at any moment, and the one after it, keep every promise',
  fc.tuple(oneOrTwo, policies, fc.nat({ max: 30 }), fc.constantFrom(...ends)),
  async (stage, past, asked, after, how) => {
    const scene = setUp(stage, past, asked)
    const first = await watched(scene, [], endAt(scene, after, how))
    expect(first.wrong).toEqual([])

    stage.emulator.store.addToken({ token: scene.inputs.token ?? '', kind: 'classic' })
    const second = await watched(again(scene))
    expect(second.wrong).toEqual([])
  },
)

const graceful = policies.filter(({ grace }) => grace > 0)

property(
  'what changes a minute before a delete costs no image',
  fc.tuple(fc.tuple(histories(40)), graceful, changes, fc.constantFrom('1', '2', '5')),
  async (stage, past, asked, change, pace) => {
    const scene = setUp(stage, past, asked, { 'deletes-per-minute': pace })
    const { done, wrong } = await watched(scene, [], undefined, (watch) => {
      plant(scene, watch, change)
    })
    expect(wrong).toEqual([])
    expect(unfinished(done, 'deleted', 'changed', 'retained')).toEqual([])
  },
  true,
)
