import { expect, test } from '@jest/globals'
import {
  buildCacheImage,
  buildCacheIndex,
  helmChart,
  image,
  index,
  mediaTypes,
  multiArchImage,
  type Tree,
} from '../../src/emulator/images.js'
import {
  broken,
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  push,
  registry,
  tagsLeft,
} from './kit.js'

/** Builders of one kind of image each; another seed is another image. */
const shapes: Record<string, (seed: string) => Tree> = {
  'an index in an index': (seed) =>
    index([multiArchImage({ seed }), image({ platform: 'windows/amd64', seed })]),
  'an index three deep': (seed) => index([index([multiArchImage({ seed })])]),
  'a Docker manifest list': (seed) => multiArchImage({ docker: true, seed }),
  'a Docker image': (seed) => image({ docker: true, seed }),
  'a build cache of the older form': (seed) => buildCacheIndex({ seed }),
  'a build cache of the newer form': (seed) => buildCacheImage({ seed }),
  'a Helm chart': (seed) => helmChart({ name: seed }),
  'an empty index': (seed) => index([], { annotations: { seed } }),
}

test.each(Object.keys(shapes))('%s goes whole and stays whole', async (name) => {
  const shape = shapes[name]
  if (!shape) throw new Error(name)
  const emulator = await registry()
  const old = push(emulator, shape('old'), { tags: ['pr-1'] })
  push(emulator, shape('old and untagged'))
  const kept = push(emulator, shape('kept'), { tags: ['v1'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe(String(2 * digestsOf(old).length))
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(kept)))
  expect(decisionOn(run, 'v1')?.why).toBe('no rule asks for it to go')
})

/** An old index whose first platform has a tag of its own. */
async function sharedPlatform(attestations: true | 'subject') {
  const emulator = await registry()
  const old = push(emulator, multiArchImage({ attestations, seed: 'old' }), { tags: ['pr-1'] })
  const [platform, , attestation] = old.children
  if (!platform || !attestation) throw new Error('an index with platforms and attestations')
  emulator.store.setTags('acme', 'app', platform.digest, ['amd64'])
  emulator.store.setTimestamps('acme', 'app', platform.digest, {
    updatedAt: Date.now() - 40 * day,
  })
  return { emulator, platform, attestation }
}

test('a child with a tag of its own stays when its index goes, with what names it as subject', async () => {
  const { emulator, platform, attestation } = await sharedPlatform('subject')

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([platform.digest, attestation.digest]))
  expect(tagsLeft(emulator)).toEqual(['amd64'])
  expect(await broken(emulator)).toEqual([])
})

test('an attestation that only the index connected with the child goes with the index', async () => {
  const { emulator, platform } = await sharedPlatform(true)

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([platform.digest]))
})

test('an index whose children are gone, all or in part, is judged like any other and said to be hollow', async () => {
  const emulator = await registry()
  const ghost = push(emulator, multiArchImage({ seed: 'ghost' }), { tags: ['v1'] })
  for (const { digest } of ghost.children) emulator.store.removeRow('acme', 'app', digest)
  const partial = push(emulator, multiArchImage({ seed: 'partial' }), { tags: ['v2'] })
  const [lost] = partial.children
  if (!lost) throw new Error('an index with platforms')
  emulator.store.removeRow('acme', 'app', lost.digest)
  push(emulator, image({ seed: 'young' }), { tags: ['v3'], daysAgo: 1 })

  const kept = await dryThenLive(emulator, { 'image-tags': 'v3' })
  expect(kept.exitCode).toBe(0)
  expect(decisionOn(kept, 'v1')?.why).toBe(
    'no rule asks for it to go; ghost: all of its children are gone',
  )
  expect(decisionOn(kept, 'v2')?.why).toBe(
    'no rule asks for it to go; partial: 1 of its 2 children are gone',
  )

  const swept = await dryThenLive(emulator)
  expect(swept.exitCode).toBe(0)
  expect(swept.outputs['deleted-count']).toBe('3')
  expect(tagsLeft(emulator)).toEqual(['v3'])
})

test('a manifest of schema 1 and one of an unknown kind are images like any other', async () => {
  const emulator = await registry()
  const at = emulator.store.now() - 40 * 86_400_000
  const place = { account: 'acme', package: 'app', at }
  const schema1 = (tag: string) => ({ schemaVersion: 1, name: 'acme/app', tag, fsLayers: [] })
  for (const tag of ['pr-1', 'v1']) {
    emulator.store.push({
      ...place,
      manifest: schema1(tag),
      mediaType: mediaTypes.schema1Signed,
      tags: [tag],
    })
  }
  const unknown = { schemaVersion: 2, mediaType: mediaTypes.artifact, artifactType: 'a/b' }
  emulator.store.push({ ...place, manifest: { ...unknown, n: 1 }, tags: ['pr-2'] })
  emulator.store.push({ ...place, manifest: { ...unknown, n: 2 }, tags: ['v2'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
})
