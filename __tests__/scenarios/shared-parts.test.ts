import { expect, test } from '@jest/globals'
import { cosignSignature, image, index, multiArchImage } from '../../src/emulator/images.js'
import {
  broken,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  hour,
  day,
  listed,
  push,
  registry,
} from './kit.js'

/** Two indexes around the very same platforms; only their annotations tell them apart. */
function twins(seed: string) {
  return ['first', 'second'].map((name) => multiArchImage({ seed, annotations: { name } })) as [
    ReturnType<typeof multiArchImage>,
    ReturnType<typeof multiArchImage>,
  ]
}

test('children that two deleted indexes share go once, after both', async () => {
  const emulator = await registry()
  const [first, second] = twins('shared')
  push(emulator, first, { tags: ['pr-1'], daysAgo: 50 })
  push(emulator, second, { tags: ['pr-2'], daysAgo: 40 })
  const release = push(emulator, image({ seed: 'release' }), { tags: ['v1'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([release.digest]))
  expect(new Set(listed(run.outputs.deleted)).size).toBe(4)
  expect(listed(run.outputs.deleted)).toHaveLength(4)
  const [entry] = run.plan.packages
  const idOfDigest = (digest: string) => entry?.versions.find((one) => one.digest === digest)?.id
  for (const { digest } of first.children) {
    const deletion = entry?.deletions.find(({ id }) => id === idOfDigest(digest))
    expect(deletion?.after.toSorted()).toEqual([first, second].map((one) => idOfDigest(one.digest)))
  }
})

test.each([
  ['younger than grace', hour / 2 / day],
  ['older than grace and younger than the cut-off', 3],
])('an untagged index that is %s keeps the children that an old one shares', async (_, daysAgo) => {
  const emulator = await registry()
  const [old, young] = twins('shared')
  push(emulator, old, { tags: ['pr-1'] })
  const signatures = old.children.map((child) => push(emulator, cosignSignature(child)))
  push(emulator, young, { daysAgo })
  push(emulator, image({ seed: 'release' }), { tags: ['v1'], daysAgo: 1 })

  const run = await dryThenLive(emulator)

  expect(run.outputs['deleted-count']).toBe('1')
  const left = digestsLeft(emulator)
  expect(left.has(old.digest)).toBe(false)
  for (const { digest } of [young, ...young.children, ...signatures]) expect(left).toContain(digest)
  expect(decisionOn(run, old.children[0]?.digest ?? '')?.why).toMatch(
    /^contained in sha256:[0-9a-f]{12}, which stays$/,
  )
})

test('an index that stays deep inside a kept one stays whole when another tree around it goes', async () => {
  const emulator = await registry()
  const [shared, own] = twins('inner')
  const kept = push(emulator, index([index([shared])], { annotations: { of: 'v1' } }), {
    tags: ['v1'],
  })
  push(emulator, index([shared, own, image({ seed: 'lone', platform: 'linux/s390x' })]), {
    tags: ['pr-1'],
  })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.outputs['deleted-count']).toBe('3')
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(kept)))
  expect(await broken(emulator)).toEqual([])
})

test('a platform that a kept index holds too keeps its attachments, those of its siblings go', async () => {
  const emulator = await registry()
  const amd64 = image({ seed: 'same' })
  const arm64 = image({ seed: 'old', platform: 'linux/arm64' })
  push(emulator, index([amd64, arm64]), { tags: ['pr-1'] })
  const kept = push(emulator, index([amd64]), { tags: ['v1'] })
  const signature = push(emulator, cosignSignature(amd64))
  push(emulator, cosignSignature(arm64))

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.outputs['deleted-count']).toBe('3')
  expect(digestsLeft(emulator)).toEqual(new Set([...digestsOf(kept), signature.digest]))
})
