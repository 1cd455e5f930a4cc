import { expect } from '@jest/globals'
import fc from 'fast-check'
import { changes, plant } from './changes.js'
import { openStage, run } from './kit.js'
import { hopeless, unhindered } from './oracle.js'
import { policies } from './policies.js'
import { property } from './property.js'
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

const stage = () => openStage()

const one = fc.tuple(histories(40))
const two = fc.tuple(histories(40), histories(40))
const oneOrTwo = fc.oneof({ weight: 5, arbitrary: one }, { weight: 1, arbitrary: two })
const anything = troubles('passing', 'blind', 'local', 'ending', 'foreign')

property(
  'whatever goes wrong, nothing that stays loses a part at any moment, and the run tells the truth',
  stage,
  fc.tuple(oneOrTwo, policies, anything),
  async (stage, [past, asked, all]) => {
    const { wrong } = await watched(setUp(stage, past, asked), all)
    expect(wrong).toEqual([])
  },
)

property(
  'a run that meets passing trouble only does what the dry run showed, and leaves nothing to the next',
  stage,
  fc.tuple(one, policies, troubles('passing')),
  async (stage, [past, asked, all]) => {
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
  stage,
  fc.tuple(fc.tuple(histories(6)), policies, troubles('local')),
  async (stage, [past, asked, all]) => {
    const scene = setUp(stage, past, asked)
    const { done, watch, troubled, wrong } = await watched(scene, all)
    expect(wrong).toEqual([])
    expect(stillThere(unhindered(done, scene, troubled), watch)).toEqual([])
  },
)

property(
  'a run that ends at any moment, and the one after it, keep every promise',
  stage,
  fc.tuple(oneOrTwo, policies, fc.nat({ max: 30 }), fc.constantFrom(...ends)),
  async (stage, [past, asked, after, how]) => {
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
  () => openStage({ isPatient: true }),
  fc.tuple(fc.tuple(histories(40)), graceful, changes, fc.constantFrom('1', '2', '5')),
  async (stage, [past, asked, change, pace]) => {
    const scene = setUp(stage, past, asked, { 'deletes-per-minute': pace })
    const { done, wrong } = await watched(scene, [], undefined, (watch) => {
      plant(scene, watch, change)
    })
    expect(wrong).toEqual([])
    expect(unfinished(done, 'deleted', 'changed', 'retained')).toEqual([])
  },
)
