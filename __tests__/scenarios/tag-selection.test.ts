import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import { broken, digestsLeft, digestsOf, dryThenLive, push, registry } from './kit.js'

/** An old and a young image with a tag, an old and a young one without. */
async function fourImages() {
  const emulator = await registry()
  const images = {
    oldTagged: push(emulator, multiArchImage({ seed: 'old tagged' }), { tags: ['v1'] }),
    youngTagged: push(emulator, image({ seed: 'young tagged' }), { tags: ['v2'], daysAgo: 3 }),
    oldUntagged: push(emulator, multiArchImage({ seed: 'old untagged' })),
    youngUntagged: push(emulator, multiArchImage({ seed: 'young untagged' }), { daysAgo: 3 }),
  }
  return { emulator, images }
}

test.each([
  ['tagged', ['youngTagged', 'oldUntagged', 'youngUntagged'], '3'],
  ['untagged', ['oldTagged', 'youngTagged', 'youngUntagged'], '3'],
  ['both', ['youngTagged', 'youngUntagged'], '6'],
  ['Both', ['youngTagged', 'youngUntagged'], '6'],
] as const)('tag-selection %s leaves %j', async (selection, stays, deleted) => {
  const { emulator, images } = await fourImages()

  const run = await dryThenLive(emulator, { 'tag-selection': selection })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe(deleted)
  expect(digestsLeft(emulator)).toEqual(new Set(stays.flatMap((name) => digestsOf(images[name]))))
  expect(await broken(emulator)).toEqual([])
})
