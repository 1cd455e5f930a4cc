import { describe, expect, test } from '@jest/globals'
import {
  acceptedMediaTypes,
  parseLabels,
  parseLifetimeSource,
  parseManifest,
  subjectOfTag,
} from '../../src/oci.js'
import { digest } from './kit.js'

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  image: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerImage: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerOld: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSigned: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  ociArtifact: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
}

const parse = (document: unknown, contentType?: string) =>
  parseManifest(JSON.stringify(document), contentType)

const platform = { os: 'linux', architecture: 'amd64' }

describe('an index', () => {
  test('lists its children with what their entries say', () => {
    const manifest = parse({
      schemaVersion: 2,
      mediaType: types.index,
      manifests: [
        { mediaType: types.image, digest: digest('a'), size: 1, platform },
        {
          mediaType: types.image,
          digest: digest('b'),
          size: 1,
          platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
        },
        {
          mediaType: types.image,
          digest: digest('note'),
          size: 1,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.digest': digest('a') },
        },
        { mediaType: types.index, digest: digest('nested'), size: 1, artifactType: 'x/y' },
        { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest('layer'), size: 1 },
      ],
    })
    expect(manifest).toStrictEqual({
      kind: 'index',
      mediaType: types.index,
      children: [
        { digest: digest('a'), mediaType: types.image, kind: 'image', platform: 'linux/amd64' },
        { digest: digest('b'), mediaType: types.image, kind: 'image', platform: 'linux/arm/v7' },
        {
          digest: digest('note'),
          mediaType: types.image,
          kind: 'image',
          attests: digest('a'),
        },
        {
          digest: digest('nested'),
          mediaType: types.index,
          kind: 'index',
          artifactType: 'x/y',
          opaque: true,
        },
        {
          digest: digest('layer'),
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          kind: 'other',
        },
      ],
    })
  })

  test('has entries that may not tell all: artifacts, accelerated images, images beside a SOCI index', () => {
    const entry = (name: string, extra = {}) => ({
      mediaType: types.image,
      digest: digest(name),
      platform,
      ...extra,
    })
    const nydus = entry('nydus', {
      platform: { ...platform, 'os.features': ['nydus.remoteimage.v1'] },
    })
    const soci = entry('soci', { artifactType: 'application/vnd.amazon.soci.index.v2+json' })
    const opaque = (manifests: unknown[]) =>
      parse({ mediaType: types.index, manifests }).children.map((child) => child.opaque ?? false)
    expect(opaque([entry('a'), nydus, entry('b', { artifactType: 'x/y' })])).toEqual([
      false,
      true,
      true,
    ])
    expect(opaque([entry('a'), soci])).toEqual([true, true])
    const nameless = entry('n', { platform: { os: '', architecture: 'amd64' } })
    expect(
      parse({ mediaType: types.index, manifests: [nameless] }).children[0]?.platform,
    ).toBeUndefined()
  })

  test('may be empty, a Docker list, and have a subject', () => {
    const manifest = parse({
      mediaType: types.dockerList,
      manifests: [],
      subject: { digest: digest('a') },
    })
    expect(manifest).toEqual({
      kind: 'index',
      mediaType: types.dockerList,
      children: [],
      subject: digest('a'),
    })
  })

  test.each([
    [`${types.index}; charset=utf-8`, types.index],
    [`${types.index} ; charset=utf-8`, types.index],
    [types.index, types.index],
    [undefined, ''],
  ])('that names no media type is what the registry calls it: %j', (contentType, mediaType) => {
    expect(parse({ manifests: [] }, contentType)).toMatchObject({ kind: 'index', mediaType })
  })

  test('has a type of its own or none, whatever else it holds', () => {
    expect(parse({ manifests: [], artifactType: 'a/b' }).artifactType).toBe('a/b')
    const odd = parse({ manifests: [], config: { mediaType: types.empty } })
    expect([odd.kind, odd.artifactType]).toEqual(['index', undefined])
  })

  test.each<[mediaType: string, kind: string]>([
    [types.index, 'index'],
    [types.dockerList, 'index'],
    [types.image, 'image'],
    [types.dockerImage, 'image'],
    [types.dockerOld, 'image'],
    [types.dockerSigned, 'image'],
    [types.ociArtifact, 'image'],
    [types.config, 'other'],
  ])('has entries of %s that count as %s', (mediaType, kind) => {
    const { children } = parse({ manifests: [{ mediaType, digest: digest('a') }] })
    expect(children).toStrictEqual([{ digest: digest('a'), mediaType, kind }])
  })
})

describe('everything else', () => {
  const layered = (mediaType: string) => ({
    config: { mediaType: types.config },
    layers: [{ mediaType }],
  })

  test.each([
    ['an OCI image', { config: { mediaType: types.config }, layers: [] }, 'image', undefined],
    ['a Docker image', { config: { mediaType: types.dockerConfig } }, 'image', undefined],
    [
      'an OCI image with layers',
      layered('application/vnd.oci.image.layer.v1.tar'),
      'image',
      undefined,
    ],
    [
      'a Docker image with layers',
      layered('application/vnd.docker.image.rootfs.diff.tar.gzip'),
      'image',
      undefined,
    ],
    [
      'a signature that looks like an image but for its layer',
      layered('application/vnd.dev.cosign.simplesigning.v1+json'),
      'artifact',
      'application/vnd.dev.cosign.simplesigning.v1+json',
    ],
    [
      'a layer that only ends like one of an image',
      layered('x-application/vnd.oci.image.layer.v1.tar'),
      'artifact',
      'x-application/vnd.oci.image.layer.v1.tar',
    ],
    ['layers without a config', { layers: [{ mediaType: 'a/b' }] }, 'artifact', 'a/b'],
    [
      'a chart',
      { config: { mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
      'artifact',
      'application/vnd.cncf.helm.config.v1+json',
    ],
    [
      'an artifact with a type',
      { artifactType: 'a/b', config: { mediaType: types.empty } },
      'artifact',
      'a/b',
    ],
    [
      'an image that calls itself an artifact',
      { artifactType: 'a/b', config: { mediaType: types.config } },
      'artifact',
      'a/b',
    ],
    ['a schema 1 manifest', { schemaVersion: 1, fsLayers: [] }, 'artifact', undefined],
    [
      'null where a field may be absent',
      { artifactType: null, manifests: null, config: null },
      'artifact',
      undefined,
    ],
  ])('%s', (_story, document, kind, artifactType) => {
    const manifest = parse(document, types.image)
    expect([manifest.kind, manifest.artifactType, manifest.children]).toEqual([
      kind,
      artifactType,
      [],
    ])
  })

  test('names its subject and its SOCI index', () => {
    const manifest = parse({
      mediaType: types.image,
      subject: { mediaType: types.image, digest: digest('a'), size: 1 },
      annotations: { 'com.amazon.soci.index-digest': digest('soci') },
    })
    expect(manifest).toMatchObject({ subject: digest('a'), sociIndex: digest('soci') })
  })
})

const own = 'ghcr-retention.expires-after'
const quay = 'quay.expires-after'

/** Texts as annotations or labels hold them, and the lifetime that they state. */
const stated: [
  story: string,
  texts: Record<string, string> | null | undefined,
  lifetime: string | undefined,
][] = [
  ['none at all', undefined, undefined],
  ['null', null, undefined],
  ['others only', { 'org.opencontainers.image.title': '2d' }, undefined],
  ['our own', { [own]: '2d' }, '2d'],
  ["Quay's", { [quay]: '3w' }, '3w'],
  ['both, and our own counts', { [quay]: '3w', [own]: 'never' }, 'never'],
  ['the empty text, which is a statement too', { [own]: '', [quay]: '3w' }, ''],
  ['as much as is kept', { [quay]: ' '.repeat(62) + '1d' }, ' '.repeat(62) + '1d'],
  [
    'more than is kept, so that it is no duration',
    { [quay]: '1d'.repeat(33) },
    '1d'.repeat(32) + '…',
  ],
]

describe('a lifetime is stated', () => {
  test.each(stated)('by annotations: %s', (_story, annotations, lifetime) => {
    const expected = lifetime === undefined ? {} : { lifetime }
    const index = parse({ mediaType: types.index, manifests: [], annotations })
    expect(index).toStrictEqual({
      kind: 'index',
      mediaType: types.index,
      children: [],
      ...expected,
    })
    const image = { mediaType: types.image, config: { mediaType: types.config }, annotations }
    expect(parse(image).lifetime).toBe(lifetime)
  })

  test.each(stated)('by labels: %s', (_story, Labels, lifetime) => {
    expect(parseLabels(JSON.stringify({ config: { Labels } }))).toBe(lifetime)
  })

  test('by no label of an image without a configuration', () => {
    expect(parseLabels('{}')).toBeUndefined()
    expect(parseLabels('{"config":null}')).toBeUndefined()
  })

  test('by no label that cannot be read', () => {
    expect(() => parseLabels('not JSON')).toThrow('it is not JSON')
    expect(() => parseLabels('[]')).toThrow('it is no JSON object')
    const labels = JSON.stringify({ config: { Labels: { [own]: 2, other: 3 } } })
    expect(() => parseLabels(labels)).toThrow(`its field config.Labels.${own} is no config's`)
  })
})

describe('labels are looked for', () => {
  const source = (document: unknown) => parseLifetimeSource(JSON.stringify(document), types.image)
  const config = (mediaType: string) => ({ mediaType, digest: digest('config') })

  test('in the config of what can run', () => {
    for (const mediaType of [types.config, types.dockerConfig])
      expect(source({ config: config(mediaType) }).config).toBe(digest('config'))
  })

  test.each<[string, object]>([
    ['an index', { manifests: [], config: config(types.config) }],
    ['an artifact', { artifactType: 'a/b', config: config(types.config) }],
    ['a chart', { config: config('application/vnd.cncf.helm.config.v1+json') }],
    ['what has no config', { layers: [] }],
  ])('in none of %s, which may have an annotation all the same', (_story, document) => {
    expect(source(document)).toEqual({ lifetime: undefined, config: undefined })
    const annotations = { [own]: '1d' }
    expect(source({ ...document, annotations }).lifetime).toBe('1d')
  })

  test('in none that cannot be named, which is no harm to the manifest', () => {
    for (const odd of [undefined, null, 7, 'sha256:short']) {
      const document = { config: { mediaType: types.config, digest: odd } }
      expect(parse(document).kind).toBe('image')
      expect(() => source(document)).toThrow(/^its config (?:has no|is a) digest/)
    }
  })
})

describe('unknown is never childless', () => {
  test.each([
    ['{', 'not JSON'],
    ['', 'not JSON'],
    ['[]', 'no JSON object'],
    ['"text"', 'no JSON object'],
    ['{"manifests":{}}', 'manifests'],
    ['{"manifests":[{}]}', 'manifests.0'],
    ['{"manifests":[{"mediaType":"x","digest":"md5:1"}]}', 'cannot be looked up: md5:1'],
    [
      `{"manifests":[{"mediaType":"x","digest":"sha512:${'0'.repeat(128)}"}]}`,
      'cannot be looked up',
    ],
    ['{"subject":{"digest":"sha256:short"}}', 'its subject is a digest that cannot be looked up'],
    ['{"subject":{}}', 'subject.digest'],
    ['{"manifests":[],"layers":[]}', 'two different things'],
    [`{"mediaType":"${types.index}"}`, 'lists no manifests'],
    ['{"annotations":{"com.amazon.soci.index-digest":"x"}}', 'cannot be looked up'],
    ['{"annotations":{"a":1}}', 'annotations.a'],
  ])('%s', (text, words) => {
    expect(() => parseManifest(text, undefined)).toThrow(words)
  })
})

test.each([
  [`sha256-${'a'.repeat(64)}`, `sha256:${'a'.repeat(64)}`],
  [`sha256-${'0'.repeat(64)}.sig`, `sha256:${'0'.repeat(64)}`],
  [`sha256-${'0'.repeat(64)}.cosign.att`, `sha256:${'0'.repeat(64)}`],
  [`sha256-${'0'.repeat(63)}`, undefined],
  [`sha256-${'0'.repeat(65)}`, undefined],
  [`sha256-${'A'.repeat(64)}`, undefined],
  [`x-sha256-${'0'.repeat(64)}`, undefined],
  [`sha256-${'0'.repeat(64)}-sig`, undefined],
  ['latest', undefined],
])('the tag %j is attached to %j', (tag, subject) => {
  expect(subjectOfTag(tag)).toBe(subject)
})

test('the Accept header takes indexes and images of both families', () => {
  const { index, image, dockerList, dockerImage, dockerOld, dockerSigned, ociArtifact } = types
  expect(acceptedMediaTypes.split(', ')).toEqual([
    index,
    dockerList,
    image,
    dockerImage,
    dockerOld,
    dockerSigned,
    ociArtifact,
  ])
})
