import { expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import { day, decisionOn, dryThenLive, hour, push, registry, tagsLeft } from './kit.js'

test.each([
  ['2w 3d', ['d10', 'd16']],
  ['1 week 9 days', ['d10']],
  ['1M', ['d10', 'd16', 'd18', 'd30']],
  ['720h', ['d10', 'd16', 'd18']],
])('cut-off %s leaves %j', async (cutOff, left) => {
  const emulator = await registry()
  for (const daysAgo of [10, 16, 18, 30, 31]) {
    push(emulator, image({ seed: String(daysAgo) }), { tags: [`d${daysAgo}`], daysAgo })
  }

  const run = await dryThenLive(emulator, { 'cut-off': cutOff })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(left)
})

test('an old image that got a new tag lately is as young as its change, unless created_at counts', async () => {
  const emulator = await registry()
  const moved = push(emulator, image({ seed: 'moved' }), { tags: ['pr-1'] })
  emulator.store.setTimestamps('acme', 'app', moved.digest, {
    updatedAt: emulator.store.now() - 2 * day,
  })
  push(emulator, image({ seed: 'new' }), { tags: ['pr-2'], daysAgo: 2 })

  const byUpdate = await dryThenLive(emulator)
  expect(byUpdate.outputs['deleted-count']).toBe('0')
  expect(decisionOn(byUpdate, 'pr-1')?.why).toBe('younger than 30d: 2d (rule "tagged")')

  const byCreation = await dryThenLive(emulator, { 'timestamp-to-use': 'created_at' })
  expect(byCreation.outputs['deleted-count']).toBe('1')
  expect(tagsLeft(emulator)).toEqual(['pr-2'])
})

test('created_at does not lift the grace of what was changed a moment ago', async () => {
  const emulator = await registry()
  const moved = push(emulator, image({ seed: 'moved' }), { tags: ['pr-1'] })
  emulator.store.setTimestamps('acme', 'app', moved.digest, {
    updatedAt: emulator.store.now() - hour / 2,
  })
  push(emulator, image({ seed: 'other' }), { tags: ['pr-2'] })
  // Without this one, what changed last would stay as the last tagged version.
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

  const run = await dryThenLive(emulator, { 'timestamp-to-use': 'created_at' })

  expect(tagsLeft(emulator)).toEqual(['pr-1', 'v1'])
  expect(decisionOn(run, 'pr-1')?.why).toMatch(/^pushed or changed 30m.* ago; grace is 1h$/)
})
