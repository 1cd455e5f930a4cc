import { expect, test } from '@jest/globals'
import {
  cosignSignature,
  fallbackIndex,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import { broken, digestsLeft, digestsOf, dryThenLive, push, registry } from './kit.js'

test('an image goes with its platforms, attestations and signatures, and the others stay whole', async () => {
  const emulator = await registry()
  const old = push(emulator, multiArchImage({ attestations: true, seed: 'old' }), {
    tags: ['pr-1'],
  })
  push(emulator, cosignSignature(old))
  push(emulator, fallbackIndex(old, [referrer(old)]))
  const release = multiArchImage({ attestations: 'subject', seed: 'release' })
  push(emulator, release, { tags: ['v1.0.0', 'latest'] })
  const signature = push(emulator, cosignSignature(release))

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs).toMatchObject({
    'deleted-count': '8',
    'failed-count': '0',
    'kept-count': '6',
  })
  expect(digestsLeft(emulator)).toEqual(new Set([...digestsOf(release), signature.digest]))
  expect(await broken(emulator)).toEqual([])
})

test('children that a kept index shares with a deleted one stay', async () => {
  const emulator = await registry()
  const candidate = multiArchImage({ seed: 'same', annotations: { stage: 'candidate' } })
  const release = multiArchImage({ seed: 'same', annotations: { stage: 'release' } })
  push(emulator, candidate, { tags: ['pr-7'] })
  push(emulator, release, { tags: ['v7'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.outputs['deleted-count']).toBe('1')
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(release)))
})
