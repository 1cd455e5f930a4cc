import { describe, expect, test } from '@jest/globals'
import { RetentionError } from '../../src/errors.js'
import { readLifetimes } from '../../src/lifetimes.js'
import type { Digest } from '../../src/model.js'
import { parseLifetime } from '../../src/policy/lifetime.js'
import { artifact, day, digest, hour, image, index, snapshot, type Item } from './kit.js'

describe('a lifetime', () => {
  test.each([
    ['90s', 90_000],
    ['5m', 5 * 60_000],
    ['20h', 20 * hour],
    ['2d', 2 * day],
    ['3w', 21 * day],
    ['3 w', 21 * day],
    ['1 week 2 days', 9 * day],
    ['1y', 365.25 * day],
  ])('of %j is %d ms', (text, length) => {
    expect(parseLifetime(text)).toBe(length)
  })

  test.each(['never', 'Never', '', '0', '0d', '0h 0m', '2', '-1d', '2W', '1 fortnight', '1d…'])(
    'of %j has no end',
    (text) => {
      expect(parseLifetime(text)).toBeUndefined()
    },
  )
})

/** What labels state, by the name of the image; an error stands for what cannot be read. */
type Labels = Record<string, string | Error | undefined>

/** Reads the lifetimes of images of a package whose labels are these, and tells them by name. */
async function lifetimesOf(
  roots: readonly string[],
  items: readonly Item[],
  labels: Labels,
  known = new Map<Digest, string>(),
) {
  const names = new Map(
    [...items.map(({ name }) => name), ...Object.keys(labels)].map((name) => [digest(name), name]),
  )
  const nameOf = (image: Digest) => names.get(image) ?? 'unknown'
  const read: string[] = []
  const seen = snapshot(items)
  const reader = {
    readLifetime: (image: Digest) => {
      read.push(nameOf(image))
      const stated = labels[nameOf(image)]
      return stated instanceof Error ? Promise.reject(stated) : Promise.resolve(stated)
    },
  }
  const memory = {
    recallLifetime: (image: Digest) => Promise.resolve(known.get(image)),
    learnLifetime: (image: Digest, lifetime: string) => void known.set(image, lifetime),
  }
  const named = (map: ReadonlyMap<Digest, string>) =>
    Object.fromEntries([...map].map(([image, lifetime]) => [nameOf(image), lifetime]))
  const found = readLifetimes(seen, roots.map(digest), reader, memory)
  return {
    found: await found
      .then(({ lifetimes, warnings }) => ({ lifetimes: named(lifetimes), warnings }))
      .catch((error: unknown) => ({ error })),
    read,
    learned: named(known),
  }
}

const annotated = (item: Item, lifetime: string): Item => ({
  ...item,
  manifest: { ...item.manifest, lifetime },
})
const nothingWrong = { warnings: [] }

describe('labels state a lifetime', () => {
  test('of an image, as they write it', async () => {
    const items = [image('a'), image('b'), image('c'), image('d')]
    const labels = { a: '2d', b: 'never', c: undefined, d: '' }
    const { found, learned } = await lifetimesOf(['a', 'b', 'c', 'd'], items, labels)
    expect(found).toEqual({ ...nothingWrong, lifetimes: { a: '2d', b: 'never' } })
    expect(learned).toEqual({ a: '2d', b: 'never', c: '', d: '' })
  })

  test('of an index: the longest of its platforms', async () => {
    const items = [index('app', ['amd', 'arm', 's390']), image('amd'), image('arm'), image('s390')]
    const labels = { amd: '30h', arm: '1w', s390: '2d' }
    const { found, learned } = await lifetimesOf(['app'], items, labels)
    expect(found).toEqual({ ...nothingWrong, lifetimes: { app: '1w' } })
    expect(learned).toEqual({ app: '1w' })
  })

  test.each<[string, string | undefined, object, string[]]>([
    ['states none', undefined, {}, ['amd', 'arm']],
    ['has no end', 'never', { app: 'never' }, ['amd', 'arm']],
  ])(
    'of no index one of whose platforms %s; then no other is read',
    async (_story, arm, lifetimes, reads) => {
      const items = [
        index('app', ['amd', 'arm', 's390']),
        image('amd'),
        image('arm'),
        image('s390'),
      ]
      const { found, read } = await lifetimesOf(['app'], items, { amd: '1h', arm, s390: '2d' })
      expect(found).toEqual({ ...nothingWrong, lifetimes })
      expect(read).toEqual(reads)
    },
  )

  test('of an index of indexes, whatever else is in them', async () => {
    const items = [
      index('all', [
        { of: 'app', kind: 'index' },
        { of: 'sbom', artifactType: 'a/b', opaque: true },
      ]),
      index('app', [
        'amd',
        { of: 'note', attests: 'amd' },
        { of: 'plain' },
        { of: 'layer', kind: 'other' },
        { of: 'signature' },
      ]),
      image('amd', { unread: true }),
      image('plain'),
      artifact('note', { unread: true }),
      artifact('signature'),
      artifact('sbom'),
    ]
    const { found, read } = await lifetimesOf(['all'], items, { amd: '1d', plain: '2d' })
    expect(found).toEqual({ ...nothingWrong, lifetimes: { all: '2d' } })
    expect(read.sort()).toEqual(['amd', 'plain'])
  })

  test('of no image a part of which is not in the package, without a look', async () => {
    const items = [
      index('partial', ['amd', 'gone']),
      index('ghost', ['gone']),
      index('half', ['amd', { of: 'nested', kind: 'index' }]),
      image('amd'),
    ]
    const labels = { amd: '1h', gone: '1h', nested: '1h' }
    const { found, read, learned } = await lifetimesOf(['partial', 'ghost', 'half'], items, labels)
    expect({ found, read, learned }).toEqual({
      found: { ...nothingWrong, lifetimes: {} },
      read: [],
      learned: {},
    })
  })

  test('of an image that lacks nothing but what cannot run', async () => {
    const note = { of: 'lost note', attests: 'amd' }
    const sbom = { of: 'lost sbom', artifactType: 'a/b', opaque: true as const }
    const items = [index('app', ['amd', note, sbom, { of: 'layer', kind: 'other' }]), image('amd')]
    const { found } = await lifetimesOf(['app'], items, { amd: '1d' })
    expect(found).toEqual({ ...nothingWrong, lifetimes: { app: '1d' } })
  })

  test('of nothing that cannot run; it takes no room in the memory either', async () => {
    const items = [artifact('chart'), index('cache', [{ of: 'layer', kind: 'other' }])]
    const labels = { chart: '1h', layer: '1h', cache: '1h' }
    const looked = await lifetimesOf(['chart', 'cache'], items, labels)
    expect(looked).toEqual({ found: { ...nothingWrong, lifetimes: {} }, read: [], learned: {} })
  })
})

describe('no label is read', () => {
  test('of what says by an annotation how long it stays', async () => {
    const items = [
      annotated(image('a'), '1d'),
      annotated(image('b'), ''),
      annotated(index('c', ['a']), 'never'),
    ]
    const { found, read } = await lifetimesOf(['a', 'b', 'c'], items, { a: '9d', b: '9d' })
    expect([found, read]).toEqual([{ ...nothingWrong, lifetimes: {} }, []])
  })

  test('of a platform that was read and says so itself', async () => {
    const items = [index('app', ['amd', 'arm']), annotated(image('amd'), '1d'), image('arm')]
    const { found, read } = await lifetimesOf(['app'], items, { amd: '9d', arm: '2h' })
    expect([found, read]).toEqual([{ ...nothingWrong, lifetimes: { app: '1d' } }, ['arm']])
  })

  test('twice: neither of a platform that several indexes share, nor of what is remembered', async () => {
    const items = [
      index('one', ['amd']),
      index('two', ['amd']),
      image('amd'),
      image('old'),
      image('mute'),
    ]
    const known = new Map([
      [digest('old'), '5d'],
      [digest('mute'), ''],
    ])
    const roots = ['one', 'two', 'old', 'mute']
    const { found, read } = await lifetimesOf(
      roots,
      items,
      { amd: '1d', old: '9d', mute: '9d' },
      known,
    )
    expect(found).toEqual({ ...nothingWrong, lifetimes: { one: '1d', two: '1d', old: '5d' } })
    expect(read).toEqual(['amd'])
    const again = await lifetimesOf(roots, items, {}, known)
    expect([again.found, again.read]).toEqual([found, []])
  })

  test('of any image that nobody asks for', async () => {
    const { found, read } = await lifetimesOf([], [image('a')], { a: '1d' })
    expect([found, read]).toEqual([{ ...nothingWrong, lifetimes: {} }, []])
  })
})

test('how far the look has come is heard, without the images that need none', async () => {
  const items = [image('a'), image('b'), annotated(image('c'), '1d'), image('d')]
  const heard: [number, number][] = []
  const reader = { readLifetime: () => Promise.reject(new Error('odd')) }
  const memory = {
    recallLifetime: () => Promise.resolve(undefined),
    learnLifetime: () => undefined,
  }
  const names = ['a', 'b', 'c', 'd'].map(digest)
  await readLifetimes(snapshot(items), names, reader, memory, (known, of) => {
    heard.push([known, of])
  })
  expect(heard).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ])
})

describe('labels that cannot be read', () => {
  const broken = (why: string) => new RetentionError('unexpected-answer', why, '')

  test('state no lifetime, are told, and are looked for again', async () => {
    const items = [image('a'), index('app', ['amd', 'arm']), image('amd'), image('arm'), image('z')]
    const labels = { a: '1d', amd: '2d', arm: broken('the config is gone'), z: broken('odd') }
    const { found, learned } = await lifetimesOf(['a', 'app', 'z'], items, labels)
    expect(found).toEqual({
      lifetimes: { a: '1d' },
      warnings: ['the labels of 2 images could not be read, so they state no lifetime: odd'],
    })
    expect(learned).toEqual({ a: '1d' })
  })

  test('of one image are told as one', async () => {
    const { found } = await lifetimesOf(['a'], [image('a')], { a: broken('odd') })
    expect(found).toMatchObject({
      warnings: [expect.stringContaining('the labels of 1 image could')],
    })
  })

  const many = Array.from({ length: 100 }, (_, at) => `image ${at}`)
  const all = (state: string | Error) => Object.fromEntries(many.map((name) => [name, state]))

  test.each(['unavailable', 'permission'] as const)(
    'because the registry fails or refuses (%s) end the look; what is known still counts',
    async (code) => {
      const items = many.map((name) => image(name))
      const known = new Map([[digest('image 99'), '5d']])
      const failing = all(new RetentionError(code, 'the registry is down', ''))
      const { found, read } = await lifetimesOf(many, items, failing, known)
      const untried = 99 - read.length
      expect(read.length).toBeLessThan(70)
      expect(found).toEqual({
        lifetimes: { 'image 99': '5d' },
        warnings: [
          `the labels of 99 images could not be read, so they state no lifetime (${untried} of them were not tried any more): the registry is down`,
        ],
      })
    },
  )

  test('for their own reasons do not end the look', async () => {
    const items = many.map((name) => image(name))
    const { read } = await lifetimesOf(many, items, all(broken('odd')))
    expect(read).toHaveLength(100)
  })

  test('because time is up, end everything; what was read is remembered', async () => {
    for (const code of ['out-of-time', 'out-of-quota'] as const) {
      const late = new RetentionError(code, 'late', '')
      const items = [image('a'), image('b')]
      const { found, learned } = await lifetimesOf(['a', 'b'], items, { a: '1d', b: late })
      expect(found).toEqual({ error: late })
      expect(learned).toEqual({ a: '1d' })
    }
  })
})
