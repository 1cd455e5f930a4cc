import { expect, test } from '@jest/globals'
import { image, index, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  digestsLeft,
  digestsOf,
  dryThenLive,
  listed,
  push,
  registry,
  tagsLeft,
  tokens,
} from './kit.js'

/** How often each page of versions was asked for. */
function pagesAsked({ requests }: Emulator): Map<number, number> {
  const asked = new Map<number, number>()
  for (const { path } of requests) {
    const page = Number(/\/versions\?.*\bpage=(\d+)/.exec(path)?.[1] ?? 0)
    if (page > 0) asked.set(page, (asked.get(page) ?? 0) + 1)
  }
  return asked
}

test('thousands of versions, in which children are many pages away from their indexes', async () => {
  const emulator = await registry()
  const tags = Array.from({ length: 900 }, (_, i) => (i % 30 === 0 ? `pr-${i}` : `v${i}`))
  const images = tags.map((seed) => multiArchImage({ seed }))
  for (const { children } of images) {
    for (const child of children) push(emulator, child, { daysAgo: 400 })
  }
  const kept = images.filter((whole, i) => {
    push(emulator, whole, { tags: [tags[i] ?? ''], daysAgo: 40 })
    return tags[i]?.startsWith('v')
  })
  // Platforms that an index of today took over from what goes, 27 pages further down.
  const [gone] = images
  const rebuilt = push(emulator, index(gone?.children ?? [], { annotations: { of: 'today' } }), {
    tags: ['today'],
    daysAgo: 0,
  })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(pagesAsked(emulator).size).toBe(28)
  expect(run.outputs['deleted-count']).toBe(String(30 * 3 - 2))
  const whole = [...kept, rebuilt].flatMap(digestsOf)
  expect(digestsLeft(emulator)).toEqual(new Set(whole))
}, 30_000)

test('a package whose last page is full to the last row', async () => {
  const emulator = await registry()
  for (let i = 0; i < 197; i++) push(emulator, image({ seed: `${i}` }), { tags: [`v${i}`] })
  const old = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'], daysAgo: 400 })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(listed(run.outputs.deleted)).toHaveLength(digestsOf(old).length)
  expect(tagsLeft(emulator)).toHaveLength(197)
})

test('names that a careless reader of page links would take for a direction', async () => {
  const emulator = await registry()
  const names = ['next', 'prev', 'last', 'first', 'next/last', 'rel-next/page-2']
  for (const name of names) {
    for (let i = 0; i < 100; i++) {
      push(emulator, image({ seed: `${i}` }), { tags: [`v${i}`], name, daysAgo: 1 })
    }
    push(emulator, multiArchImage({ seed: 'release' }), { tags: ['release'], name, daysAgo: 50 })
    push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'], name, daysAgo: 400 })
  }

  const run = await dryThenLive(emulator, {
    token: tokens.classic,
    'image-names': '*',
    'image-tags': 'pr-*',
    verify: 'false',
  })

  expect(run.exitCode).toBe(0)
  expect(run.plan.packages.map(({ name }) => name)).toEqual(names.toSorted())
  expect(run.outputs['deleted-count']).toBe(String(3 * names.length))
  for (const name of names) {
    expect(tagsLeft(emulator, name)).toHaveLength(101)
    expect(digestsLeft(emulator, name).size).toBe(100 + 3)
  }
  expect([...pagesAsked(emulator).keys()].sort()).toEqual([1, 2])
})
