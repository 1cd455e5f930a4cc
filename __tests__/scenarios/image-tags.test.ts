import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import {
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  push,
  registry,
  tagsLeft,
  writes,
} from './kit.js'

/** A package with one old image for each list of tags. */
async function packageWith(...images: string[][]) {
  const emulator = await registry()
  for (const tags of images) push(emulator, image({ seed: tags.join() }), { tags })
  return emulator
}

test('an image goes only when all of its tags match; what matches in part stays and is told', async () => {
  const emulator = await packageWith(['pr-1', 'ci-1'], ['pr-2'], ['pr-3', 'v3'], ['v4'])

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-* ci-*' })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['pr-3', 'v3', 'v4'])
  const why = 'matched by pr-3, but not by its other tags: v3'
  expect(decisionOn(run, 'v3')?.why).toBe(why)
  expect(run.log).toContain(why)
  expect(decisionOn(run, 'v4')?.why).toBe('no rule asks for it to go')
})

test('an exclamation mark protects the whole version, whatever its other tags match', async () => {
  const emulator = await packageWith(['pr-1'], ['pr-2', 'stable'], ['pr-3', 'pr-stable'])

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*, stable, !*stable' })

  expect(tagsLeft(emulator)).toEqual(['pr-2', 'pr-3', 'pr-stable', 'stable'])
  expect(decisionOn(run, 'pr-2')?.why).toBe('tag stable is protected by !*stable')
})

test('with nothing but exclusions every other image may go, the untagged too', async () => {
  const emulator = await packageWith(['latest'], ['main', 'edge'], ['pr-1'], [])

  const run = await dryThenLive(emulator, { 'image-tags': '!latest !main' })

  expect(tagsLeft(emulator)).toEqual(['edge', 'latest', 'main'])
  expect(run.outputs['deleted-count']).toBe('2')
})

test('patterns for tags are no concern of untagged images', async () => {
  const emulator = await packageWith(['v1'], ['pr-1'])
  const untagged = push(emulator, multiArchImage({ seed: 'untagged' }))

  await dryThenLive(emulator, { 'image-tags': 'pr-*', 'tag-selection': 'tagged' })
  expect(digestsLeft(emulator).size).toBe(1 + digestsOf(untagged).length)

  await dryThenLive(emulator, { 'image-tags': 'pr-*' })
  expect(tagsLeft(emulator)).toEqual(['v1'])
  expect(digestsLeft(emulator).size).toBe(1)
})

test('a regular expression must match the whole tag', async () => {
  const emulator = await packageWith(
    ['1.0.0-rc1'],
    ['1.0.0-rc1-fix'],
    ['v1.0.0-rc1'],
    ['10.20.30-rc4'],
    ['1.0.0'],
  )

  await dryThenLive(emulator, { 'image-tags': String.raw`/\d+\.\d+\.\d+-rc\d{1,2}/` })

  expect(tagsLeft(emulator)).toEqual(['1.0.0', '1.0.0-rc1-fix', 'v1.0.0-rc1'])
})

test('lists take commas, spaces, new lines, quotes and comments', async () => {
  const emulator = await packageWith(['a1'], ['b1'], ['c1'], ['d1'], ['e1'], ['f1'], ['keep'])
  const tags = `
    # what pull requests leave behind
    "a*", 'b*'   # both quoted
    c*,d{1,2}
    # e*
    "/f\\d/"
    "!keep"
  `

  await dryThenLive(emulator, { 'image-tags': tags })

  expect(tagsLeft(emulator)).toEqual(['e1', 'keep'])
})

test('tags match with their case', async () => {
  const emulator = await packageWith(['PR-1'], ['pr-1'], ['v1'])

  await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(tagsLeft(emulator)).toEqual(['PR-1', 'v1'])
})

test('a list of nothing but comments is a mistake, not a wish for everything', async () => {
  const emulator = await packageWith(['pr-1'], ['pr-2'])

  const run = await dryThenLive(emulator, { 'image-tags': '# pr-*' })

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('image-tags: "# pr-*" holds no entry; it takes a list of tag patterns')
  expect(writes(emulator)).toEqual([])
})
