import { expect, test } from '@jest/globals'
import { cosignSignature, image, multiArchImage } from '../../src/emulator/images.js'
import {
  broken,
  decisionOn,
  deletesAsked,
  digestsLeft,
  digestsOf,
  dryThenLive,
  idOf,
  listed,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

test('the last tagged version stays by plan, whole, and nobody asks GitHub for it', async () => {
  const emulator = await registry()
  const newest = push(emulator, multiArchImage({ seed: 'newest' }), { tags: ['c'], daysAgo: 40 })
  push(emulator, multiArchImage({ seed: 'middle' }), { tags: ['b'], daysAgo: 50 })
  push(emulator, image({ seed: 'oldest' }), { tags: ['a'], daysAgo: 60 })
  push(emulator, image({ seed: 'untagged' }), { daysAgo: 35 })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(newest)))
  expect(deletesAsked(emulator)).toBe(5)
  expect(run.outputs).toMatchObject({ 'deleted-count': '5', retained: '', failed: '' })
  const why = 'last tagged version, which GitHub does not let go'
  expect(decisionOn(run, 'c')?.why).toBe(why)
  expect(run.log).toContain(why)
})

test('an image with more than 5,000 downloads is retained with its parts, and the others go', async () => {
  const emulator = await registry()
  const popular = push(emulator, multiArchImage({ seed: 'popular' }), { tags: ['v1'] })
  const signature = push(emulator, cosignSignature(popular))
  push(emulator, multiArchImage({ seed: 'other' }), { tags: ['v2'] })
  const young = push(emulator, image({ seed: 'young' }), { tags: ['v3'], daysAgo: 1 })
  emulator.store.addPackage({ account: 'acme', package: 'app', visibility: 'public' })
  emulator.store.setDownloads('acme', 'app', 'v1', 5001)
  const retained = [...digestsOf(popular), signature.digest]

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([...retained, young.digest]))
  expect(await broken(emulator)).toEqual([])
  expect(listed(run.outputs.retained)).toEqual(
    retained.map((digest) => `app:${idOf(emulator, digest)}`).sort(),
  )
  expect(run.outputs).toMatchObject({ 'deleted-count': '3', failed: '', 'remaining-count': '0' })
  expect(run.log).toMatch(/::warning::retained: app v1 .*more than 5000 downloads/)
  expect(run.summary).toContain('Retained by GitHub: 4')
})

test('a popular platform is retained alone when its index is gone', async () => {
  const emulator = await registry()
  const index = push(emulator, multiArchImage({ seed: 'index' }), { tags: ['v1'] })
  const [popular] = index.children
  if (!popular) throw new Error('an index with platforms')
  push(emulator, image({ seed: 'young' }), { tags: ['v2'], daysAgo: 1 })
  emulator.store.addPackage({ account: 'acme', package: 'app', visibility: 'public' })
  emulator.store.setDownloads('acme', 'app', popular.digest, 90_000)

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v2'])
  expect(run.outputs).toMatchObject({
    'deleted-count': '2',
    retained: `app:${idOf(emulator, popular.digest)}`,
  })

  const again = await dryThenLive(emulator)
  expect(again.exitCode).toBe(0)
  expect(again.outputs).toMatchObject({ 'deleted-count': '0', retained: run.outputs.retained })
})

test('a tag that moves while the run goes on makes another version the last tagged one', async () => {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'young' }), { tags: ['main'], daysAgo: 1 })
  emulator.faults.add({
    method: 'DELETE',
    action: {
      run: (store) => {
        store.setTags('acme', 'app', 'main', [])
      },
    },
  })

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['pr-1'])
  expect(run.outputs.retained).toBe(`app:${idOf(emulator, 'pr-1')}`)
  expect(run.log).toContain('You cannot delete the last tagged version of a package.')
})
