import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  readMemory,
  writeMemory,
  type Manifests,
  type Memory,
  type Remembered,
} from '../../src/memory.js'
import type { Digest, Manifest } from '../../src/model.js'
import { PackageMemory } from '../../src/remembering.js'
import { emptyPackage } from '../../src/report/report.js'
import { digest } from '../core/kit.js'

const seal = { version: '1.2.3', secret: 'ghp_emulator_all' }

/** Every field that there is. */
const whole: Remembered = {
  kind: 'index',
  mediaType: 'application/vnd.oci.image.index.v1+json',
  artifactType: 'application/x',
  children: [
    {
      digest: digest('child'),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      kind: 'image',
      platform: 'linux/arm64/v8',
      artifactType: 'application/y',
      attests: digest('other'),
      opaque: true,
    },
    { digest: digest('layer'), mediaType: 'application/z', kind: 'other' },
  ],
  subject: digest('subject'),
  sociIndex: digest('accelerator'),
  lifetime: '2d',
  labelled: '',
}
const plain: Manifest = { kind: 'image', mediaType: '"\n</script>\ud800', children: [] }
const memory: Memory = new Map([
  ['app', new Map([[digest('whole'), whole]])],
  ['web', new Map([[digest('plain'), plain]])],
])

test('a memory comes back as it was, with every field', () => {
  expect(readMemory(writeMemory(memory, seal), seal)).toEqual(memory)
})

test('the same memory is the same text, in whatever order it was learned', () => {
  const entries = ['1', '2', '3'].map((name): [Digest, Manifest] => [digest(name), plain])
  const one: Memory = new Map([['a', new Map(entries)], ...memory])
  const reversed: [string, Manifests][] = [...memory].reverse()
  const other: Memory = new Map([...reversed, ['a', new Map([...entries].reverse())]])
  expect(writeMemory(other, seal)).toBe(writeMemory(one, seal))
})

test('a package without manifests takes no room', () => {
  const more = new Map([...memory, ['empty', new Map()]])
  expect(writeMemory(more, seal)).toBe(writeMemory(memory, seal))
})

describe('cannot be read', () => {
  const text = writeMemory(memory, seal)

  test('under another seal', () => {
    for (const other of [
      { ...seal, version: '1.2.4' },
      { ...seal, secret: '' },
      { ...seal, secret: 'ghp_emulator_other' },
    ]) {
      expect(() => readMemory(text, other)).toThrow('its seal does not fit')
    }
  })

  test('when it was cut off, or any character is another', () => {
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.boolean(), (at, cut) => {
        const character = text[at] === 'x' ? 'y' : 'x'
        const broken = cut ? text.slice(0, at) : text.slice(0, at) + character + text.slice(at + 1)
        expect(() => readMemory(broken, seal)).toThrow('its seal does not fit')
      }),
    )
  })

  test.each<[string, object]>([
    ['a manifest of no known kind', { ...plain, kind: 'other' }],
    ['a manifest without children', { kind: 'index', mediaType: 'x' }],
    ['a child without a digest', { ...plain, children: [{ mediaType: 'x', kind: 'image' }] }],
    ['a subject that is no digest', { ...plain, subject: 'sha256:abc' }],
    ['a lifetime that is no text', { ...plain, lifetime: 2 }],
    ['a field that nobody knows', { ...plain, annotations: {} }],
  ])('with %s', (_, manifest) => {
    const odd = new Map([['app', new Map([[digest('odd'), manifest as Manifest]])]])
    expect(() => readMemory(writeMemory(odd, seal), seal)).toThrow()
  })

  test('with a key that is no digest', () => {
    const odd = new Map([['app', new Map([['latest' as 'sha256:', plain]])]])
    expect(() => readMemory(writeMemory(odd, seal), seal)).toThrow()
  })
})

describe('what labels were found to state', () => {
  /** The memory of one package in the run after the one that had the given memory. */
  async function nextRun(before: PackageMemory): Promise<PackageMemory> {
    const kept = await before.after(emptyPackage('acme', 'app', { notReached: 'time is up' }))
    const read = readMemory(writeMemory(new Map([['app', kept]]), seal), seal)
    return new PackageMemory(Promise.resolve(read.get('app') ?? new Map()))
  }

  const reader = { readManifest: () => Promise.resolve(plain) }
  const recalled = (memory: PackageMemory) =>
    Promise.all(['mortal', 'mute', 'stranger'].map((name) => memory.recallLifetime(digest(name))))

  test('is remembered with the manifest of the image, in this run and the next', async () => {
    const first = new PackageMemory(Promise.resolve(new Map([[digest('mute'), plain]])))
    expect(await recalled(first)).toEqual([undefined, undefined, undefined])
    await first.learning(reader).readManifest(digest('mortal'))
    first.learnLifetime(digest('mortal'), '2d')
    first.learnLifetime(digest('mute'), '')
    first.learnLifetime(digest('stranger'), '1h')
    expect(await recalled(first)).toEqual(['2d', '', '1h'])
    expect(first.reads).toBe(1)

    const second = await nextRun(first)
    expect(await recalled(second)).toEqual(['2d', '', undefined])
    const third = await nextRun(second)
    expect(await recalled(third)).toEqual(['2d', '', undefined])
    expect(await third.remembered).toEqual(
      new Map([
        [digest('mortal'), { ...plain, labelled: '2d' }],
        [digest('mute'), { ...plain, labelled: '' }],
      ]),
    )
  })

  test('is learned anew when it was learned otherwise', async () => {
    const memory = new PackageMemory(
      Promise.resolve(new Map([[digest('mortal'), { ...plain, labelled: '2d' }]])),
    )
    memory.learnLifetime(digest('mortal'), '3d')
    expect((await recalled(await nextRun(memory)))[0]).toBe('3d')
  })
})
