import { expect, test } from '@jest/globals'
import {
  attachmentTag,
  cosignSignature,
  digestOf,
  image,
  index,
  mediaTypes,
  multiArchImage,
  type Tree,
} from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  broken,
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  push,
  registry,
} from './kit.js'

/** Puts a document into `app`, 40 days ago, under the given tags and media type. Gives its digest. */
function pushDocument(
  { store }: Emulator,
  document: object,
  { tags = [], mediaType = mediaTypes.index }: { tags?: string[]; mediaType?: string } = {},
): string {
  const at = store.now() - 40 * day
  return store.push({ account: 'acme', package: 'app', manifest: document, mediaType, tags, at })
    .digest
}

const descriptorOf = ({ digest, mediaType, body }: Tree) => ({
  digest,
  mediaType,
  size: Buffer.byteLength(body),
})

test('documents that do not name their media type are what the registry calls them', async () => {
  const emulator = await registry()
  const children = ['kept', 'old'].map((seed) => push(emulator, image({ seed })))
  const nameless = (child: Tree) => ({ schemaVersion: 2, manifests: [descriptorOf(child)] })
  const [kept, old] = children.map((child, i) =>
    pushDocument(emulator, nameless(child), { tags: [['v1', 'pr-1'][i] ?? ''] }),
  )
  const bare = JSON.parse(image({ seed: 'bare' }).body) as Record<string, unknown>
  delete bare.mediaType
  pushDocument(emulator, bare, { tags: ['pr-2'], mediaType: mediaTypes.image })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('3')
  expect(digestsLeft(emulator)).toEqual(new Set([kept, children[0]?.digest]))
  expect(digestsLeft(emulator)).not.toContain(old)
})

test('an index that names one child twice', async () => {
  const emulator = await registry()
  const twice = (seed: string) => {
    const child = image({ seed })
    return index([child, child])
  }
  const kept = push(emulator, twice('kept'), { tags: ['v1'] })
  push(emulator, twice('old'), { tags: ['pr-1'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('2')
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(kept)))
})

test('entries of an unknown media type, and blobs that are versions too, stay with their index', async () => {
  const emulator = await registry()
  const withEntries = (seed: string, tag: string) => {
    const parts = ['application/vnd.example.future+json', mediaTypes.layer].map((mediaType) => {
      const part = push(emulator, image({ seed: `${seed} ${mediaType}` }))
      return { ...descriptorOf(part), mediaType }
    })
    const blob = { mediaType: mediaTypes.layer, digest: digestOf(seed), size: 1 }
    const document = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...parts, blob] }
    const whole = pushDocument(emulator, document, { tags: [tag] })
    return [whole, ...parts.map(({ digest }) => digest)]
  }
  const kept = withEntries('kept', 'v1')
  withEntries('old', 'pr-1')

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('3')
  expect(digestsLeft(emulator)).toEqual(new Set(kept))
  expect(decisionOn(run, 'v1')?.why).toBe('no rule asks for it to go')
})

test('an index with a subject shares its fate, and brings what it contains', async () => {
  const emulator = await registry()
  const attached = (seed: string, tag: string) => {
    const subject = push(emulator, multiArchImage({ seed }), { tags: [tag] })
    const reports = index([image({ seed: `report ${seed}` })], { subject, artifactType: 'a/b' })
    return [...digestsOf(subject), ...digestsOf(push(emulator, reports))]
  }
  const kept = attached('kept', 'v1')
  attached('old', 'pr-1')

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('5')
  expect(digestsLeft(emulator)).toEqual(new Set(kept))
})

test('attestations inside an index that name their platform as subject too go with it and stay with it', async () => {
  const emulator = await registry()
  const built = (seed: string) => multiArchImage({ attestations: 'subject', seed })
  const kept = push(emulator, built('kept'), { tags: ['v1'] })
  push(emulator, built('old'), { tags: ['pr-1'] })
  const untagged = push(emulator, built('untagged'))

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(digestsOf(untagged)).toHaveLength(5)
  expect(run.outputs['deleted-count']).toBe('10')
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(kept)))
  expect(await broken(emulator)).toEqual([])
})

const circle = 'it is part of a circle of references, which has no safe end'

test('two versions whose tags make each the signature of the other stay', async () => {
  const emulator = await registry()
  const [a, b] = ['a', 'b'].map((seed) => push(emulator, image({ seed })))
  if (!a || !b) throw new Error('two were pushed')
  emulator.store.setTags('acme', 'app', a.digest, [attachmentTag(b.digest, 'sig'), 'pr-1'])
  emulator.store.setTags('acme', 'app', b.digest, [attachmentTag(a.digest, 'sig'), 'pr-2'])
  for (const { digest } of [a, b]) {
    emulator.store.setTimestamps('acme', 'app', digest, { updatedAt: Date.now() - 40 * day })
  }
  push(emulator, image({ seed: 'old' }), { tags: ['pr-3'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([a.digest, b.digest]))
  expect(decisionOn(run, 'pr-1')?.why).toBe(circle)
})

test('an index that is tagged as the signature of its own child stays whole', async () => {
  const emulator = await registry()
  const own = multiArchImage({ seed: 'own' })
  const [child, other] = own.children
  if (!child || !other) throw new Error('an index with platforms')
  push(emulator, own, { tags: [attachmentTag(child.digest)] })
  const signature = push(emulator, cosignSignature(other))
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([...digestsOf(own), signature.digest]))
  expect(decisionOn(run, own.digest)?.why).toContain(circle)
  expect(await broken(emulator)).toEqual([])
})

test('a version that its tag makes the signature of itself is an image like any other', async () => {
  const emulator = await registry()
  const selfish = push(emulator, image({ seed: 'selfish' }), { tags: ['pr-1'] })
  emulator.store.setTags('acme', 'app', selfish.digest, ['pr-1', attachmentTag(selfish.digest)])
  emulator.store.setTimestamps('acme', 'app', 'pr-1', { updatedAt: Date.now() - 40 * day })
  const young = push(emulator, image({ seed: 'young' }), { tags: ['v1'], daysAgo: 1 })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([young.digest]))
})
