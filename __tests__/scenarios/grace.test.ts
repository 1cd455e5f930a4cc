import { expect, test } from '@jest/globals'
import { cosignSignature, image, index, multiArchImage } from '../../src/emulator/images.js'
import {
  broken,
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  hour,
  push,
  registry,
} from './kit.js'

const now = 0
const hours = hour / day

test('nothing young goes, not even with cut-off 0s', async () => {
  const emulator = await registry()
  const young = push(emulator, multiArchImage({ seed: 'young' }), { tags: ['pr-2'], daysAgo: now })
  const untagged = push(emulator, image({ seed: 'untagged' }), { daysAgo: hours / 2 })
  push(emulator, multiArchImage({ seed: 'older' }), { tags: ['pr-1'], daysAgo: 2 * hours })

  const run = await dryThenLive(emulator, { 'cut-off': '0s' })

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([...digestsOf(young), untagged.digest]))
  expect(decisionOn(run, untagged.digest)?.why).toMatch(
    /^pushed or changed 30m.* ago; grace is 1h$/,
  )
})

test.each([{ tags: ['v2'] }, { tags: [] }])(
  'a young index with tags $tags keeps its old children',
  async ({ tags }) => {
    const emulator = await registry()
    const children = ['linux/amd64', 'linux/arm64'].map((platform) =>
      push(emulator, image({ platform, seed: 'old' })),
    )
    const young = push(emulator, index(children), { tags, daysAgo: now })
    push(emulator, image({ seed: 'untagged' }))

    const run = await dryThenLive(emulator, { 'cut-off': '0s' })

    expect(run.outputs['deleted-count']).toBe('1')
    expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(young)))
    expect(await broken(emulator)).toEqual([])
  },
)

test('an old image that was signed a moment ago stays', async () => {
  const emulator = await registry()
  const signed = push(emulator, image({ seed: 'signed' }), { tags: ['pr-1'] })
  const signature = push(emulator, cosignSignature(signed), { daysAgo: now })
  push(emulator, image({ seed: 'unsigned' }), { tags: ['pr-2'] })

  await dryThenLive(emulator)

  expect(digestsLeft(emulator)).toEqual(new Set([signed.digest, signature.digest]))
})

test('grace can be longer, and it can be none', async () => {
  const emulator = await registry()
  for (const daysAgo of [0, 1, 2, 3]) {
    push(emulator, image({ seed: String(daysAgo) }), { tags: [`d${daysAgo}`], daysAgo })
  }
  const left = () => emulator.store.versions('acme', 'app').flatMap(({ tags }) => tags)

  await dryThenLive(emulator, { 'cut-off': '0s', grace: '36h' })
  expect(left()).toEqual(['d0', 'd1'])

  const run = await dryThenLive(emulator, { 'cut-off': '0s', grace: '0s' })
  expect(left()).toEqual(['d0'])
  expect(decisionOn(run, 'd0')?.why).toBe('last tagged version, which GitHub does not let go')
  expect(run.log).toContain('There is no grace period')
})
