import { expect, test } from '@jest/globals'
import {
  cosignSignature,
  fallbackIndex,
  image,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import { broken, decisionOn, digestsLeft, digestsOf, dryThenLive, push, registry } from './kit.js'

test('a listed index stays with its platforms, attestations, signatures and referrers', async () => {
  const emulator = await registry()
  const listed = push(emulator, multiArchImage({ attestations: true, seed: 'listed' }), {
    tags: ['pr-1'],
  })
  const signature = push(emulator, cosignSignature(listed))
  const fallback = push(emulator, fallbackIndex(listed, [referrer(listed)]))
  push(emulator, multiArchImage({ seed: 'other' }), { tags: ['pr-2'] })

  const run = await dryThenLive(emulator, { 'skip-shas': listed.digest })

  expect(digestsLeft(emulator)).toEqual(
    new Set([listed, signature, fallback].flatMap((tree) => digestsOf(tree))),
  )
  expect(decisionOn(run, listed.digest)?.why).toBe('its digest is listed in skip-shas')
  expect(run.outputs).toMatchObject({ 'deleted-count': '3', 'kept-count': '8' })
  expect(await broken(emulator)).toEqual([])
})

test('a listed platform stays alone, with what is attached to it', async () => {
  const emulator = await registry()
  const index = push(emulator, multiArchImage({ seed: 'index' }), { tags: ['pr-1'] })
  const [platform, other] = index.children
  if (!platform || !other) throw new Error('an index of two platforms')
  const signature = push(emulator, cosignSignature(platform))
  push(emulator, cosignSignature(other))
  const release = push(emulator, image({ seed: 'release' }), { tags: ['v1'], daysAgo: 1 })

  const run = await dryThenLive(emulator, { 'skip-shas': platform.digest })

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(
    new Set([platform.digest, signature.digest, release.digest]),
  )
})

test('several digests, without their prefix, under the other name of the input', async () => {
  const emulator = await registry()
  const [a, b] = ['a', 'b', 'c', 'd'].map((seed) =>
    push(emulator, image({ seed }), { tags: [seed] }),
  )
  if (!a || !b) throw new Error('four were pushed')

  await dryThenLive(emulator, { 'shas-to-skip': `${a.digest}\n${b.digest.slice(7)} # the second` })

  expect(digestsLeft(emulator)).toEqual(new Set([a.digest, b.digest]))
})
