import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { isRecord, readManifest } from '../../src/emulator/documents.js'
import * as images from '../../src/emulator/images.js'
import type { Tree } from '../../src/emulator/images.js'
import { Store } from '../../src/emulator/store.js'

const { image, index, multiArchImage } = images
const app = image({ seed: 'app' })
const place = { account: 'acme', package: 'api' }

/** The document as it would be read from the registry. */
function documentOf(node: Tree): Record<string, unknown> {
  const value: unknown = JSON.parse(node.body)
  if (!isRecord(value)) throw new Error('no object')
  return value
}

const every: [string, Tree][] = [
  ['image', app],
  ['image with all options', image({ platform: 'linux/arm/v7', labels: { a: 'b' }, subject: app })],
  ['docker image', image({ docker: true })],
  ['index', index([app], { annotations: { a: 'b' }, artifactType: 'x/y' })],
  ['nested index', index([index([app]), image({ seed: 'b' })])],
  ['empty index', index([])],
  ['multi-arch', multiArchImage({ attestations: true })],
  ['multi-arch, newer', multiArchImage({ attestations: 'subject' })],
  ['docker multi-arch', multiArchImage({ docker: true })],
  ['signature', images.cosignSignature(app)],
  ['cosign attestation', images.cosignSignature(app, { suffix: 'att' })],
  ['referrer', images.referrer(app)],
  ['fallback index', images.fallbackIndex(app, [images.referrer(app)])],
  ['chart', images.helmChart()],
  ['cache index', images.buildCacheIndex()],
  ['cache image', images.buildCacheImage()],
  ['artifact', images.artifact({ artifactType: 'application/vnd.example' })],
]

describe.each(every)('%s', (_, tree) => {
  test('is a document that the registry takes, and describes itself', () => {
    expect(readManifest(Buffer.from(tree.body), '').mediaType).toBe(tree.mediaType)
    expect(tree.descriptor).toMatchObject({
      mediaType: tree.mediaType,
      digest: images.digestOf(tree.body),
      size: Buffer.byteLength(tree.body),
    })
  })

  test('refers only to what is there after a push', () => {
    const store = new Store()
    const { ids } = images.pushTree(store, { ...place, tree })
    const state = store.package('acme', 'api')
    for (const digest of ids.keys()) {
      const bytes = state?.manifests.get(digest)?.bytes ?? Buffer.of()
      const { blobs, children } = readManifest(bytes, '')
      for (const blob of blobs) expect(state?.blobs.has(blob)).toBe(true)
      for (const child of children) {
        expect(ids.has(child) || state?.blobs.has(child)).toBe(true)
      }
    }
    expect(state?.versionCount).toBe(ids.size)
    expect(store.version('acme', 'api', tree.digest)?.tags).toEqual(tree.tags)
  })
})

test('seeds, platforms and labels make different images; equal options make equal ones', () => {
  const digests = [
    image(),
    image(),
    image({ seed: 'b' }),
    image({ platform: 'linux/arm64' }),
    image({ labels: { a: 'b' } }),
    image({ docker: true }),
  ].map((one) => one.digest)
  expect(new Set(digests).size).toBe(5)
})

test('the layer is an archive whose digest the config names', () => {
  const [config = '', layer = ''] = app.blobs
  const tar = gunzipSync(Buffer.from(layer))
  expect(JSON.parse(String(config))).toMatchObject({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { diff_ids: [images.digestOf(tar)] },
  })
  expect(tar.toString('latin1', 257, 262)).toBe('ustar')
})

test('a payload makes a layer of that size, and of its own for every seed', () => {
  const [one, again, other] = ['a', 'a', 'b'].map((seed) => image({ seed, payload: 30_000 }))
  const layers = [one, again, other].map((node) => node?.blobs[1] ?? '')
  expect(layers.map((layer) => layer.length > 30_000 && layer.length < 33_000)).toEqual([
    true,
    true,
    true,
  ])
  expect(new Set(layers.map((layer) => images.digestOf(layer))).size).toBe(2)
  expect(JSON.parse(String(one?.blobs[0]))).toMatchObject({
    rootfs: { diff_ids: [images.digestOf(gunzipSync(Buffer.from(layers[0] ?? '')))] },
  })
})

test('a push sends children first, all at the same time, and tags only the top', () => {
  const store = new Store(() => 5000)
  const tree = multiArchImage({ attestations: true })
  const { id } = images.pushTree(store, { ...place, tree, tags: ['1', '2'], at: 3000 })
  const rows = store.versions('acme', 'api')
  expect(rows).toHaveLength(5)
  expect(rows[0]).toMatchObject({ id, tags: ['1', '2'], createdAt: 3000, updatedAt: 3000 })
  expect(rows.slice(1).every((row) => row.tags.length === 0 && row.createdAt === 3000)).toBe(true)
})

describe('what is attached says to what', () => {
  const tag = app.digest.replace(':', '-')

  test('by tag', () => {
    expect(images.attachmentTag(app.digest)).toBe(tag)
    expect(images.cosignSignature(app).tags).toEqual([`${tag}.sig`])
    expect(images.cosignSignature(app.digest, { suffix: 'sbom' }).tags).toEqual([`${tag}.sbom`])
    expect(images.fallbackIndex(app, []).tags).toEqual([tag])
  })

  test('by subject', () => {
    const { mediaType, digest, descriptor } = app
    const subject = { mediaType, digest, size: descriptor.size }
    expect(documentOf(images.referrer(app))).toMatchObject({
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      subject,
    })
    expect(documentOf(image({ subject: app }))).toMatchObject({ subject })
  })

  test.each(['plain', 'subject'] as const)('inside an index, %s', (form) => {
    const note = images.attestation(app, { form })
    expect(note.descriptor).toMatchObject({
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': app.digest,
      },
    })
    expect('subject' in documentOf(note)).toBe(form === 'subject')
  })

  test('a terse fallback index tells no types', () => {
    const node = images.referrer(app)
    const manifests = (terse: boolean) =>
      documentOf(images.fallbackIndex(app, [node], { terse })).manifests
    expect(manifests(false)).toMatchObject([{ artifactType: images.sigstoreBundle }])
    expect(manifests(true)).toEqual([
      { mediaType: node.mediaType, digest: node.digest, size: node.descriptor.size },
    ])
  })
})

describe('the store', () => {
  test('says when a test asks for what is not there', () => {
    const store = new Store()
    expect(() => {
      store.setTags('acme', 'api', 'none', [])
    }).toThrow('no version none in acme/api')
    expect(() => {
      store.push({ ...place, manifest: app.body, tags: ['not a tag'] })
    }).toThrow('not a tag')
    expect(() => {
      store.push({ ...place, manifest: 'not a manifest' })
    }).toThrow('manifest is not JSON')
    expect(() => store.addAccount({ login: 'ACME', type: 'User' })).toThrow('exists already')
  })

  test('keeps the order when timestamps change', () => {
    const store = new Store(() => 10_000)
    const [a, b, c] = ['a', 'b', 'c'].map(
      (seed) => images.pushTree(store, { ...place, tree: image({ seed }) }).id,
    )
    const order = () => store.versions('acme', 'api').map((row) => row.id)
    expect(order()).toEqual([c, b, a])
    store.setTimestamps('acme', 'api', a ?? 0, { createdAt: 20_000 })
    store.setTimestamps('acme', 'api', c ?? 0, { createdAt: 1000, updatedAt: 2000 })
    expect(order()).toEqual([a, b, c])
    store.removeRow('acme', 'api', b ?? 0)
    expect(order()).toEqual([a, c])
    expect(store.deletedVersions('acme', 'api')).toEqual([])
  })

  test('a restored version gets back only the tags that are free', () => {
    const store = new Store(() => 10_000)
    const { id } = images.pushTree(store, { ...place, tree: app, tags: ['1', '2'] })
    const state = store.package('acme', 'api')
    const row = state?.version(id)
    store.deleteVersion('acme', 'api', id)
    images.pushTree(store, { ...place, tree: image({ seed: 'b' }), tags: ['1'] })
    if (row) state?.restore(row, 11_000)
    expect(store.version('acme', 'api', id)?.tags).toEqual(['2'])
    expect(store.version('acme', 'api', '1')?.id).not.toBe(id)
  })

  test('a deleted digest that is pushed again is a new version', () => {
    const store = new Store()
    const first = images.pushTree(store, { ...place, tree: app })
    store.deleteVersion('acme', 'api', first.id)
    const second = images.pushTree(store, { ...place, tree: app })
    expect(second.id).toBeGreaterThan(first.id)
  })
})
