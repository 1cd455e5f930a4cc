import { expect, test } from '@jest/globals'
import { cosignSignature, fallbackIndex, image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

/** Pull request images, one for each age in days. */
function pullRequests(emulator: Emulator, ages: readonly number[], name = 'app') {
  return ages.map((daysAgo) =>
    push(emulator, image({ seed: `${name} ${daysAgo}` }), {
      tags: [`pr-${daysAgo}`],
      daysAgo,
      name,
    }),
  )
}

test('of the images that would go, the newest stay', async () => {
  const emulator = await registry()
  pullRequests(emulator, [5, 31, 32, 33, 34])

  const run = await dryThenLive(emulator, { 'keep-n-most-recent': '2' })

  expect(tagsLeft(emulator)).toEqual(['pr-31', 'pr-32', 'pr-5'])
  expect(run.outputs).toMatchObject({ 'deleted-count': '2', 'kept-count': '3' })
  expect(decisionOn(run, 'pr-32')?.why).toBe('newest 2 of 4 that would go; keep-n-most-recent is 2')
})

test('what is excluded, listed, untagged or a signature takes no place', async () => {
  const emulator = await registry()
  const [first, , listed] = pullRequests(emulator, [31, 32, 33, 34, 35, 36])
  if (!first || !listed) throw new Error('six were pushed')
  emulator.store.setTags('acme', 'app', 'pr-31', ['pr-31', 'keep-31'])
  emulator.store.setTimestamps('acme', 'app', 'pr-31', {
    updatedAt: emulator.store.now() - 31 * day,
  })
  push(emulator, cosignSignature(first), { daysAgo: 31 })
  push(emulator, image({ seed: 'untagged' }), { daysAgo: 31 })

  const run = await dryThenLive(emulator, {
    'keep-n-most-recent': '2',
    'image-tags': '!keep-*',
    'skip-shas': listed.digest,
  })

  const signature = `${first.digest.replace(':', '-')}.sig`
  expect(tagsLeft(emulator)).toEqual(['keep-31', 'pr-31', 'pr-32', 'pr-33', 'pr-34', signature])
  expect(run.outputs['deleted-count']).toBe('3')
})

test('signatures of images that are long gone take no place, be they ever so young', async () => {
  const emulator = await registry()
  pullRequests(emulator, [31, 32, 33])
  for (const hex of ['a', 'b', 'c']) {
    push(emulator, cosignSignature(`sha256:${hex.repeat(64)}`), { daysAgo: 30.5 })
    push(emulator, fallbackIndex(`sha256:${hex.repeat(64)}`, []), { daysAgo: 30.5 })
  }

  const run = await dryThenLive(emulator, { 'keep-n-most-recent': '2' })

  expect(run.outputs['deleted-count']).toBe('1')
  const images = tagsLeft(emulator).filter((tag) => !tag.startsWith('sha256-'))
  expect(images).toEqual(['pr-31', 'pr-32'])
})

test('every package keeps its own', async () => {
  const emulator = await registry()
  pullRequests(emulator, [31, 32, 33], 'api')
  pullRequests(emulator, [41, 42, 43], 'web')

  await dryThenLive(emulator, { 'image-names': 'api, web', 'keep-n-most-recent': '1' })

  expect(tagsLeft(emulator, 'api')).toEqual(['pr-31'])
  expect(tagsLeft(emulator, 'web')).toEqual(['pr-41'])
})

test('the newest by the timestamp that was asked for, with all that belongs to them', async () => {
  const emulator = await registry()
  const createdLast = push(emulator, multiArchImage({ seed: 'created last' }), {
    tags: ['a'],
    daysAgo: 50,
  })
  const changedLast = push(emulator, multiArchImage({ seed: 'changed last' }), {
    tags: ['b'],
    daysAgo: 60,
  })
  emulator.store.setTimestamps('acme', 'app', 'b', { updatedAt: emulator.store.now() - 40 * day })
  const inputs = { 'keep-n-most-recent': '1', 'dry-run': 'true' }

  const byUpdate = await runAction(emulator, inputs)
  expect(decisionOn(byUpdate, 'a')?.action).toBe('delete')
  expect(decisionOn(byUpdate, 'b')?.action).toBe('keep')

  await dryThenLive(emulator, { 'keep-n-most-recent': '1', 'timestamp-to-use': 'created_at' })
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(createdLast)))
  expect(digestsOf(changedLast)).toHaveLength(3)
})
