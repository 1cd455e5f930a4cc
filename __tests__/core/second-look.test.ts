import { describe, expect, test } from '@jest/globals'
import type { Deletion } from '../../src/model.js'
import type { Policy } from '../../src/policy/policy.js'
import { secondLook } from '../../src/second-look.js'
import {
  artifact,
  decide,
  digest,
  image,
  index,
  now,
  policy,
  snapshot,
  tagOf,
  type Item,
} from './kit.js'

/** Takes the named items for planned, in this order, and tells what the second look finds. */
function findings(items: readonly Item[], planned: readonly string[], chosen: Policy = policy()) {
  const deletions = planned.flatMap((name): Deletion[] =>
    items.filter((item) => item.name === name).map(({ version }) => ({ version, after: [] })),
  )
  return secondLook(snapshot(items), chosen, now, deletions).map(({ message }) => message)
}

test('a sound plan passes', () => {
  const items = [
    index('gone', ['leaf', { of: 'note', attests: 'leaf' }], { tags: ['pr-1'] }),
    image('leaf', { soci: 'soci' }),
    artifact('soci'),
    artifact('note'),
    artifact('bundle', { subject: 'gone' }),
    index('kept', ['other'], { tags: ['v1'], age: 2 }),
    image('other'),
  ]
  const { plan } = decide(items)
  expect(plan.deletions).toHaveLength(5)
  expect(secondLook(snapshot(items), policy(), now, plan.deletions)).toEqual([])
})

describe('finds a delete that would break what stays', () => {
  const cases: [story: string, items: Item[], planned: string[], words: string][] = [
    [
      'a child of a kept index',
      [index('kept', ['leaf']), image('leaf')],
      ['leaf'],
      `while ${digest('kept')}, which contains it, is still there`,
    ],
    [
      'a referrer of a kept image',
      [image('kept'), artifact('bundle', { subject: 'kept' })],
      ['bundle'],
      `while ${digest('kept')}, its subject, is still there`,
    ],
    [
      'a signature of a kept image',
      [image('kept'), artifact('signature', { tags: [tagOf('kept', '.sig')] })],
      ['signature'],
      `while ${digest('kept')}, its subject, is still there`,
    ],
    [
      'an attestation of a kept platform image',
      [
        index('gone', ['leaf', { of: 'note', attests: 'leaf' }]),
        image('leaf'),
        artifact('note', { unread: true }),
      ],
      ['gone', 'note'],
      `while ${digest('leaf')}, which it may be attached to, is still there`,
    ],
    [
      'the SOCI index of a kept image',
      [image('kept', { soci: 'soci' }), artifact('soci')],
      ['soci'],
      `while ${digest('kept')}, which it accelerates, is still there`,
    ],
  ]
  test.each(cases)('%s', (_story, items, planned, words) => {
    const found = findings(items, planned)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(words)
  })
})

describe('finds a delete that the policy does not ask for', () => {
  const cases: [story: string, item: Item, chosen: Policy, words: string][] = [
    [
      'a protected tag',
      image('old', { tags: ['prod'] }),
      policy({ protectTags: 'prod' }),
      'its tag prod is protected',
    ],
    [
      'a tag that no rule names',
      image('old', { tags: ['pr-1', 'v1'] }),
      policy({ tags: 'pr-*' }),
      'no rule names its tag v1',
    ],
    [
      'a listed digest',
      image('old'),
      policy({ keepDigests: new Set([digest('old')]) }),
      'its digest is listed to stay',
    ],
    [
      'a tagged image that is too young for every rule',
      image('old', { tags: ['pr-1'], age: 40, updated: 20 }),
      policy(),
      'too young for every rule',
    ],
    ['a new push', image('old', { age: 0.01, updated: 9 }), policy(), 'younger than grace'],
    ['a new tag', image('old', { updated: 0.01 }), policy(), 'younger than grace'],
  ]
  test.each(cases)('%s', (_story, item, chosen, words) => {
    const found = findings([item], ['old'], chosen)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(words)
  })

  test.each(['createdAt', 'updatedAt'])('an unknown %s', (field) => {
    const { version } = image('old')
    const unknown = { ...version, [field]: undefined }
    const found = secondLook(snapshot([]), policy(), now, [{ version: unknown, after: [] }])
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('its age is unknown'),
    ])
  })
})

test('finds a delete that comes before what contains it', () => {
  const items = [index('gone', ['leaf']), image('leaf')]
  const { plan } = decide(items)
  const found = secondLook(snapshot(items), policy(), now, plan.deletions.toReversed())
  expect(found.map(({ code }) => code)).toEqual(['second-look'])
  expect(found[0]?.message).toContain('which contains it, is still there')
})
