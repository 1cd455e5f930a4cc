import { describe, expect, test } from '@jest/globals'
import { buildGraph, isKnownLeaf, kindOf, reach, tangled, type Node } from '../../src/graph.js'
import type { Child, Digest } from '../../src/model.js'
import { artifact, digest, image, index, snapshot, tagOf, type Item } from './kit.js'

/** Draws the graph of items and finds its nodes by the names of the items. */
function draw(items: readonly Item[]) {
  const { versions, manifests } = snapshot(items)
  const graph = buildGraph(versions, manifests)
  const names = new Map(items.map((item) => [item.version.digest, item.name]))
  const nameOf = (of: Digest) => names.get(of) ?? 'unknown'
  const namesOf = (nodes: Iterable<Node>) => [...nodes].map((node) => nameOf(node.version.digest))
  const node = (name: string) => {
    const found = graph.byDigest.get(digest(name))
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }
  return { graph, node, namesOf }
}

/** Every edge of a graph, seen from both ends, and everything that is not there. */
function relations(items: readonly Item[]): string[] {
  const { graph, namesOf } = draw(items)
  return graph.nodes.flatMap((node) => {
    const [name] = namesOf([node])
    return [
      ...namesOf(node.contains).map((child) => `${name} contains ${child}`),
      ...namesOf(node.containedIn).map((parent) => `${name} is in ${parent}`),
      ...namesOf(node.attachments).map((attachment) => `${name} has ${attachment}`),
      ...namesOf(node.attachedTo).map((subject) => `${name} is on ${subject}`),
      ...node.missing.map((gone) => `${name} misses child ${gone.slice(0, 19)}`),
      ...node.missingSubjects.map((gone) => `${name} misses subject ${gone.slice(0, 19)}`),
    ]
  })
}

describe('edges', () => {
  const gone = digest('gone').slice(0, 19)
  const unread = { unread: true } as const
  const cases: [story: string, items: Item[], edges: string[]][] = [
    ['an image alone has none', [image('a')], []],
    ['what was not read has none', [image('a', unread)], []],
    [
      'an index contains its children, each once',
      [index('i', ['a', 'b', 'a']), image('a'), image('b')],
      ['i contains a', 'i contains b', 'a is in i', 'b is in i'],
    ],
    [
      'a child that the package lacks is missing',
      [index('i', ['gone'])],
      [`i misses child ${gone}`],
    ],
    [
      'an entry that is no manifest is a child when it is there, and not missing when it is not',
      [
        index('i', [
          { of: 'a', kind: 'other' },
          { of: 'gone', kind: 'other' },
        ]),
        image('a'),
      ],
      ['i contains a', 'a is in i'],
    ],
    [
      'a subject and an attachment tag that name the same are one edge',
      [image('a'), artifact('s', { subject: 'a', tags: [tagOf('a', '.sig'), tagOf('a', '.att')] })],
      ['a has s', 's is on a'],
    ],
    [
      'a subject and an attachment tag may name two',
      [image('a'), image('b'), artifact('s', { subject: 'a', tags: ['v1', tagOf('b')] })],
      ['a has s', 'b has s', 's is on a', 's is on b'],
    ],
    [
      'a subject that the package lacks is missing',
      [artifact('s', { subject: 'gone' })],
      [`s misses subject ${gone}`],
    ],
    ['nothing is attached to itself', [image('a', { tags: [tagOf('a', '.sig')] })], []],
    [
      'a SOCI index is attached to the image that names it',
      [image('a', { soci: 's' }), artifact('s')],
      ['a has s', 's is on a'],
    ],
    ['a SOCI index that the package lacks is nothing', [image('a', { soci: 'gone' })], []],
    [
      'an unread child is attached to what its entry says it attests',
      [index('i', ['a', { of: 'n', attests: 'a' }]), image('a'), artifact('n', unread)],
      ['i contains a', 'i contains n', 'a is in i', 'a has n', 'n is in i', 'n is on a'],
    ],
    [
      'a child that was read is attached only by its own word',
      [index('i', ['a', { of: 'n', attests: 'a' }]), image('a'), artifact('n')],
      ['i contains a', 'i contains n', 'a is in i', 'n is in i'],
    ],
    [
      'a child that attests what the package lacks is a child',
      [index('i', [{ of: 'n', attests: 'gone' }]), artifact('n', unread)],
      ['i contains n', 'n is in i'],
    ],
  ]
  test.each(cases)('%s', (_story, items, edges) => {
    expect(relations(items)).toEqual(edges)
  })
})

describe('an index entry', () => {
  const entry: Child = { digest: digest('a'), mediaType: 'x', kind: 'image' }
  const platform = 'linux/amd64'
  const attests = digest('b')
  test.each<[story: string, entry: Child, tellsAll: boolean]>([
    ['with a platform tells all', { ...entry, platform }, true],
    ['that attests something tells all', { ...entry, attests }, true],
    ['with neither does not', entry, false],
    ['of an index does not', { ...entry, kind: 'index', platform }, false],
    ['that is no manifest does not', { ...entry, kind: 'other', platform }, false],
    ['of a child that has more to say does not', { ...entry, platform, opaque: true }, false],
  ])('%s', (_story, child, tellsAll) => {
    expect(isKnownLeaf(child)).toBe(tellsAll)
  })

  const bare = { of: 'leaf' }
  const whole = { of: 'leaf', platform: 'linux/arm64' }
  test.each([
    ['the only one', [bare], undefined],
    ['the fuller one after another', [bare, whole], 'linux/arm64'],
    ['the fuller one before another', [whole, bare], 'linux/arm64'],
  ])('describes a child that was not read: %s', (_story, entries, expected) => {
    const { node } = draw([index('i', entries), image('leaf', { unread: true })])
    expect(node('leaf').descriptor).toMatchObject({ digest: digest('leaf'), kind: 'image' })
    expect(node('leaf').descriptor?.platform).toBe(expected)
  })
})

test.each<
  [story: string, item: Item, entry: { attests?: string; platform?: string }, kind: string]
>([
  ['what was read, by its manifest', artifact('a'), { platform: 'linux/amd64' }, 'artifact'],
  ['a platform image by its entry', image('a', { unread: true }), { platform: 'any' }, 'image'],
  ['an attestation by its entry', image('a', { unread: true }), { attests: 'b' }, 'artifact'],
])('the kind of a node: %s', (_story, item, entry, kind) => {
  const { node } = draw([index('i', [{ of: 'a', ...entry }]), item])
  expect(kindOf(node('a'))).toBe(kind)
})

describe('the search', () => {
  const items = [
    index('outer', [{ of: 'inner', kind: 'index' }, 'shared'], { tags: ['v1'] }),
    index('inner', ['leaf', 'shared']),
    image('leaf'),
    image('shared'),
    artifact('bundle', { subject: 'leaf' }),
    image('other'),
  ]

  test('reaches children at any depth and what is attached to them, by the nearest way', () => {
    const { node, namesOf } = draw(items)
    const steps = [...reach([node('outer')])].map(([to, step]) => [
      ...namesOf([to]),
      ...(step === undefined ? [] : [step.relation, ...namesOf([step.from])]),
    ])
    expect(steps).toEqual([
      ['outer'],
      ['inner', 'contained in', 'outer'],
      ['shared', 'contained in', 'outer'],
      ['leaf', 'contained in', 'inner'],
      ['bundle', 'attached to', 'leaf'],
    ])
  })

  test('leaves what it started from without a step', () => {
    const { node } = draw(items)
    const reached = reach([node('outer'), node('shared')])
    expect(reached.has(node('shared'))).toBe(true)
    expect(reached.get(node('shared'))).toBeUndefined()
  })
})

describe('tangled', () => {
  /** A circle: an index that is attached to its own child. */
  const circle = (name: string, children: string[] = []) => [
    index(name, [`${name} child`, ...children], { tags: [tagOf(`${name} child`, '.sig')] }),
    image(`${name} child`),
  ]
  const cases: [story: string, items: Item[], found: string[]][] = [
    ['is nothing in a tree', [index('i', ['a', 'b']), image('a'), image('b')], []],
    [
      'is nothing where parts are shared',
      [index('i', ['a']), index('j', ['a']), image('a'), artifact('s', { subject: 'a' })],
      [],
    ],
    ['is a circle', circle('a'), ['a', 'a child']],
    [
      'is not what lies above a circle, be it shared',
      [
        index('top', ['middle']),
        index('top too', ['middle']),
        index('middle', ['a']),
        ...circle('a'),
      ],
      ['a', 'a child'],
    ],
    [
      'is not what lies below a circle, be it shared',
      [...circle('a', ['below']), index('j', ['below']), index('below', ['leaf']), image('leaf')],
      ['a', 'a child'],
    ],
    [
      'is what lies between two circles',
      [...circle('a', ['between']), index('between', ['b', 'leaf']), ...circle('b'), image('leaf')],
      ['a', 'a child', 'between', 'b', 'b child'],
    ],
  ]
  test.each(cases)('%s', (_story, items, found) => {
    const { graph, namesOf } = draw(items)
    expect(namesOf(tangled(graph))).toEqual(found)
  })
})
