import { expect, test } from '@jest/globals'
import type { Digest } from '../../src/model.js'
import { belongings } from '../../src/relations.js'
import { artifact, digest, image, index, snapshot, tagOf, type Item } from './kit.js'

const unread = { unread: true } as const
const names = new Map<Digest, string>(
  ['a', 'i', 'n', 's', 'gone'].map((name) => [digest(name), name]),
)

test.each<[story: string, items: Item[], said: string[]]>([
  ['of an image alone', [image('a')], []],
  ['of what was not read', [image('a', unread)], []],
  [
    'of a child, as often as it is listed',
    [index('i', ['a', 'a'])],
    ['i contains a', 'i contains a'],
  ],
  ['of an entry that is no manifest', [index('i', [{ of: 'a', kind: 'other' }])], ['i contains a']],
  [
    'of an attestation, by the word of its index',
    [index('i', [{ of: 'n', attests: 'a' }]), artifact('n', unread)],
    ['i contains n', 'a attested n'],
  ],
  [
    'of an attestation that was read',
    [index('i', [{ of: 'n', attests: 'a' }]), artifact('n')],
    ['i contains n'],
  ],
  ['of a SOCI index', [image('a', { soci: 's' })], ['a accelerated s']],
  [
    'of a subject and of attachment tags, each once',
    [artifact('s', { subject: 'a', tags: [tagOf('a', '.sig'), 'v1', tagOf('gone')] })],
    ['a subject s', 'gone subject s'],
  ],
])('documents and tags tell %s', (_story, items, said) => {
  const told = [...belongings(snapshot(items))].map(
    ({ whole, tie, part }) => `${names.get(whole)} ${tie} ${names.get(part)}`,
  )
  expect(told).toEqual(said)
})
