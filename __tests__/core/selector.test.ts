import { describe, expect, test } from '@jest/globals'
import { mistakeText, readPolicyFile } from '../../src/policy/file/read-policy.js'
import { plan, undecided } from '../../src/selector.js'
import {
  artifact,
  day,
  decide,
  digest,
  hour,
  image,
  index,
  listed,
  now,
  policy,
  snapshot,
  tagged,
  tagOf,
  untagged,
  when,
  type Item,
} from './kit.js'

/** An image that always stays, so that the rule about the last tagged version plays no part. */
const fresh = () => image('fresh', { tags: ['fresh'], age: 1 })

describe('what goes', () => {
  const cases: [story: string, items: () => Item[], deleted: string[]][] = [
    ['an old tagged image', () => [image('old', { tags: ['pr-1'] })], ['old']],
    ['an old untagged image', () => [image('old')], ['old']],
    [
      'an index before its children, those before what is attached',
      () => [
        index('release', ['amd64', { of: 'note', attests: 'amd64' }], { tags: ['v1'] }),
        image('amd64'),
        artifact('note'),
        artifact('signature', { tags: [tagOf('release', '.sig')] }),
      ],
      ['release', 'amd64', 'note', 'signature'],
    ],
    [
      'nested indexes to any depth',
      () => [
        index('outer', [{ of: 'middle', kind: 'index' }]),
        index('middle', [{ of: 'inner', kind: 'index' }]),
        index('inner', ['leaf']),
        image('leaf'),
      ],
      ['outer', 'middle', 'inner', 'leaf'],
    ],
    [
      'a child that two deleted indexes share, once and after both',
      () => [index('a', ['shared'], { age: 50 }), index('b', ['shared']), image('shared')],
      ['a', 'b', 'shared'],
    ],
    [
      'referrers of referrers',
      () => [
        image('subject'),
        artifact('bundle', { subject: 'subject' }),
        artifact('countersignature', { subject: 'bundle' }),
      ],
      ['subject', 'bundle', 'countersignature'],
    ],
    [
      'a fallback index with its referrers',
      () => [
        image('subject'),
        index('fallback', [{ of: 'bundle' }], { tags: [tagOf('subject')] }),
        artifact('bundle', { subject: 'subject' }),
      ],
      ['subject', 'fallback', 'bundle'],
    ],
    [
      'an attestation that only its deleted index connects with a kept image',
      () => [
        index('gone', ['shared', { of: 'note', attests: 'shared' }]),
        index('kept', ['shared'], { tags: ['v1'], age: 5 }),
        image('shared'),
        artifact('note'),
      ],
      ['gone', 'note'],
    ],
    ['an untagged orphan', () => [artifact('bundle', { subject: 'gone' })], ['bundle']],
    ['a ghost', () => [index('ghost', ['gone', 'gone too'])], ['ghost']],
    [
      'an index that names the same child twice',
      () => [index('twice', ['leaf', 'leaf']), image('leaf')],
      ['twice', 'leaf'],
    ],
    [
      'the image that changed longest ago first, whenever it was pushed',
      () => [image('changed later', { age: 60, updated: 35 }), image('old', { age: 45 })],
      ['old', 'changed later'],
    ],
    [
      'of images that changed at one time, the one with the smallest id first',
      () => [image('a', { age: 45, updated: 40 }), image('b', { age: 60, updated: 40 })],
      ['a', 'b'],
    ],
  ]
  test.each(cases)('%s', (_story, items, deleted) => {
    expect(decide([fresh(), ...items()]).deleted).toEqual(deleted)
  })
})

describe('what stays, and why', () => {
  const cases: [story: string, items: () => Item[], kept: Record<string, string>][] = [
    [
      'what a kept image contains, at any depth',
      () => [
        index('outer', [{ of: 'inner', kind: 'index' }], { tags: ['v1'], age: 5 }),
        index('inner', ['leaf']),
        image('leaf'),
      ],
      { outer: 'not-due', inner: 'part-of', leaf: 'part-of' },
    ],
    [
      'what is attached to a kept image or to one of its children',
      () => [
        index('release', ['amd64'], { tags: ['v1'], age: 5 }),
        image('amd64'),
        artifact('signature', { tags: [tagOf('amd64', '.sig')] }),
        index('fallback', [{ of: 'bundle' }], { tags: [tagOf('release')] }),
        artifact('bundle'),
      ],
      { signature: 'part-of', fallback: 'part-of', bundle: 'part-of' },
    ],
    [
      'a child that a deleted index shares with a kept one',
      () => [
        index('gone', ['shared']),
        index('kept', ['shared'], { tags: ['v1'], age: 5 }),
        image('shared'),
      ],
      { shared: 'part-of' },
    ],
    [
      'a child with a tag of its own that the policy does not condemn',
      () => [index('gone', ['child']), image('child', { tags: ['v1'], age: 5 })],
      { child: 'not-due' },
    ],
    [
      'an unread attestation of a kept platform image, for it may have a subject',
      () => [
        index('gone', ['shared', { of: 'note', attests: 'shared' }]),
        index('kept', ['shared'], { tags: ['v1'], age: 5 }),
        image('shared'),
        artifact('note', { unread: true }),
      ],
      { note: 'part-of' },
    ],
    [
      'an attestation with a subject, though only a deleted index lists it',
      () => [
        index('gone', ['shared', { of: 'note', attests: 'shared' }]),
        index('kept', ['shared'], { tags: ['v1'], age: 5 }),
        image('shared'),
        artifact('note', { subject: 'shared' }),
      ],
      { note: 'part-of' },
    ],
    [
      'an attachment tag whose subject is gone',
      () => [artifact('signature', { tags: [tagOf('gone', '.sig')] })],
      { signature: 'orphan-attachment' },
    ],
    [
      'the old children of an untagged index that is too young to go',
      () => [index('young', ['leaf'], { age: 5 }), image('leaf')],
      { young: 'not-due', leaf: 'part-of' },
    ],
    [
      'a SOCI index that a kept image names',
      () => [
        image('app', { tags: ['v1'], age: 5, soci: 'soci' }),
        artifact('soci', { type: 'application/vnd.amazon.soci.index.v2+json' }),
      ],
      { soci: 'part-of' },
    ],
    [
      'a version that an index entry of unknown kind names',
      () => [
        index('kept', [{ of: 'odd', kind: 'other', mediaType: 'application/x-odd' }], {
          tags: ['v1'],
          age: 5,
        }),
        image('odd'),
      ],
      { odd: 'part-of' },
    ],
  ]
  test.each(cases)('%s', (_story, items, kept) => {
    const { why, deleted } = decide([fresh(), ...items()])
    expect(Object.fromEntries(Object.keys(kept).map((name) => [name, why(name)]))).toEqual(kept)
    expect(deleted.filter((name) => name in kept)).toEqual([])
  })
})

describe('floors', () => {
  test('nothing younger than grace goes, by the later of its timestamps', () => {
    const { deleted, why } = decide(
      [
        fresh(),
        image('pushed now', { age: 0.01 }),
        image('tagged now', { age: 90, updated: 0.01 }),
      ],
      policy({ rules: [when(untagged, { olderThan: 0 })] }),
    )
    expect(deleted).toEqual([])
    expect([why('pushed now'), why('tagged now')]).toEqual(['in-flight', 'in-flight'])
  })

  test('what is exactly as old as grace may go', () => {
    const chosen = policy({ grace: day, rules: [when(untagged, { olderThan: 0 })] })
    const signature = artifact('signature', { subject: 'signed', age: 1 })
    const items = [fresh(), image('old', { age: 1 }), image('signed'), signature]
    expect(decide(items, chosen).deleted).toEqual(['signed', 'signature', 'old'])
  })

  test('a created_at in the future is in flight, too', () => {
    const { deleted } = decide(
      [fresh(), image('ahead', { age: -1, updated: 90 })],
      policy({ grace: 0, rules: [when(untagged, { olderThan: 0 })] }),
    )
    expect(deleted).toEqual([])
  })

  test('a young child stays although its old index goes', () => {
    const { deleted, why } = decide([
      fresh(),
      index('old', ['young']),
      image('young', { age: 0.01 }),
    ])
    expect(deleted).toEqual(['old'])
    expect(why('young')).toBe('in-flight')
  })

  test('an image that was signed a moment ago stays with its signature', () => {
    const signature = artifact('signature', { tags: [tagOf('old', '.sig')], age: 0.01 })
    const { deleted, decision } = decide([fresh(), image('old'), signature])
    expect(deleted).toEqual([])
    expect(decision('old').verdict.reason).toEqual({
      code: 'in-flight',
      age: 0.01 * day,
      grace: hour,
      newcomer: digest('signature'),
    })
  })

  test('an image is not in use by the word of an index alone', () => {
    const { deleted, why } = decide([
      fresh(),
      index('old', ['leaf', { of: 'note', attests: 'leaf' }]),
      image('leaf', { tags: ['pr-1'] }),
      artifact('note', { age: 0.01, unread: true }),
    ])
    expect(deleted).toEqual(['old', 'leaf'])
    expect(why('note')).toBe('in-flight')
  })

  test('one protected tag shields the whole version and its tree', () => {
    const { deleted, why, decision } = decide(
      [fresh(), index('old', ['leaf'], { tags: ['pr-1', 'prod-eu'] }), image('leaf')],
      policy({ protectTags: 'prod-*' }),
    )
    expect(deleted).toEqual([])
    expect(why('old')).toBe('protected-tag')
    expect(decision('old').overruled).toMatchObject([{ code: 'delete-rule', rule: 'tagged' }])
  })

  test('a listed digest keeps an index with its tree, and a child without its index', () => {
    const items = () => [fresh(), index('old', ['leaf', 'other']), image('leaf'), image('other')]
    const keep = (name: string) => policy({ keepDigests: listed(name) })
    expect(decide(items(), keep('old')).deleted).toEqual([])
    expect(decide(items(), keep('leaf')).deleted).toEqual(['old', 'other'])
  })

  test('every reason that keeps an image is told', () => {
    const { decision } = decide(
      [image('old', { tags: ['prod', 'prod-2'], updated: 0.01 })],
      policy({ protectTags: 'prod*', keepDigests: listed('old') }),
    )
    const { verdict, also } = decision('old')
    expect([verdict.reason, ...also].map(({ code }) => code)).toEqual([
      'listed-digest',
      'in-flight',
      'protected-tag',
      'protected-tag',
    ])
  })

  test('versions that refer to each other in a circle stay', () => {
    const { deleted, why } = decide([
      fresh(),
      index('a', ['b'], { tags: [tagOf('b', '.sig')] }),
      image('b'),
    ])
    expect(deleted).toEqual([])
    expect([why('a'), why('b')]).toEqual(['cycle', 'cycle'])
  })

  test('a tagged image inside a circle stays, whatever the rules say', () => {
    const { deleted } = decide([
      fresh(),
      index('a', ['b'], { tags: ['pr-1', tagOf('b', '.sig')] }),
      image('b'),
    ])
    expect(deleted).toEqual([])
  })
})

describe('tags', () => {
  test('an image goes only when every tag is matched; the others are named', () => {
    const { deleted, decision } = decide(
      [
        fresh(),
        image('both', { tags: ['pr-1', 'pr-2'] }),
        image('mixed', { tags: ['pr-3', 'v1', 'v1.0'] }),
        image('none', { tags: ['v2'] }),
      ],
      policy({ tags: 'pr-*' }),
    )
    expect(deleted).toEqual(['both'])
    expect(decision('none').verdict.reason).toEqual({ code: 'not-selected' })
    expect(decision('mixed').verdict.reason).toEqual({
      code: 'partly-matched',
      matched: ['pr-3'],
      blocking: ['v1', 'v1.0'],
    })
  })

  test('an attachment tag matches no pattern and blocks none', () => {
    const items = [fresh(), image('old', { tags: ['pr-1', tagOf('gone', '.sig')] })]
    expect(decide(items, policy({ tags: 'pr-*' })).deleted).toEqual(['old'])
    expect(decide(items, policy({ tags: 'sha256-*' })).deleted).toEqual([])
  })

  test('rules for one kind leave the other alone', () => {
    const items = [fresh(), image('tagged', { tags: ['pr-1'] }), image('bare')]
    expect(decide(items, policy({ rules: [tagged()] })).deleted).toEqual(['tagged'])
    expect(decide(items, policy({ rules: [untagged] })).deleted).toEqual(['bare'])
  })

  test('an image goes when several rules together match its tags', () => {
    const rules = [tagged('pr-*'), { ...tagged('ci-*'), name: 'second' }]
    const { deleted } = decide(
      [fresh(), image('old', { tags: ['pr-1', 'ci-1'] })],
      policy({ rules: rules }),
    )
    expect(deleted).toEqual(['old'])
  })

  test('an image is as old as the chosen timestamp says', () => {
    const items = [fresh(), image('retagged', { age: 90, updated: 10 })]
    expect(decide(items).deleted).toEqual([])
    expect(decide(items, policy({ ageBy: 'created' })).deleted).toEqual(['retagged'])
  })
})

describe('the newest that would go', () => {
  const builds = () =>
    [60, 50, 40, 35].map((age) => image(`build ${age}`, { tags: [`pr-${age}`], age }))

  test('stay, counted among the tagged images that would go', () => {
    const { deleted, decision } = decide(
      [fresh(), ...builds(), image('bare', { age: 31 })],
      policy({ spareNewest: 2 }),
    )
    expect(deleted.sort()).toEqual(['bare', 'build 50', 'build 60'])
    expect(decision('build 40').verdict.reason).toEqual({
      code: 'newest',
      rank: 2,
      of: 4,
      keep: 2,
    })
  })

  test('are not those that stay anyway', () => {
    const kept = image('protected', { tags: ['prod'], age: 31 })
    const contained = image('contained', { tags: ['pr-32'], age: 32 })
    const { deleted } = decide(
      [fresh(), ...builds(), kept, contained, index('young', ['contained'], { age: 2 })],
      policy({ spareNewest: 3, protectTags: 'prod' }),
    )
    expect(deleted).toEqual(['build 60'])
  })

  test('are not the parts of another that is spared', () => {
    const items = [
      fresh(),
      image('v1', { tags: ['v1'], age: 60 }),
      index('v2', ['v2-amd64'], { tags: ['v2'], age: 40 }),
      image('v2-amd64', { tags: ['v2-amd64'], age: 41 }),
      image('v0', { tags: ['v0'], age: 80 }),
    ]
    expect(decide(items, policy({ spareNewest: 2 })).deleted).toEqual(['v0'])
  })

  const spared: [story: string, first: object, second: object, ageBy: 'updated' | 'created'][] = [
    ['by the last update', { age: 45, updated: 40 }, { age: 60, updated: 35 }, 'updated'],
    ['by the first push, where that counts', { age: 60, updated: 35 }, { age: 45 }, 'created'],
    [
      'by id when their times are equal',
      { age: 45, updated: 40 },
      { age: 60, updated: 40 },
      'updated',
    ],
  ]
  test.each(spared)('are chosen %s', (_story, first, second, ageBy) => {
    const items = [
      fresh(),
      image('first', { tags: ['pr-1'], ...first }),
      image('second', { tags: ['pr-2'], ...second }),
    ]
    expect(decide(items, policy({ spareNewest: 1, ageBy })).deleted).toEqual(['first'])
  })
})

describe('the last tagged version', () => {
  test('stays with its tree, because GitHub lets no delete empty a package of tags', () => {
    const { deleted, why } = decide([
      index('newer', ['leaf'], { tags: ['v2'], age: 40 }),
      image('leaf'),
      image('older', { tags: ['v1'], age: 50 }),
    ])
    expect(deleted).toEqual(['older'])
    expect([why('newer'), why('leaf')]).toEqual(['last-tagged', 'part-of'])
  })

  test('is not counted where another tag remains, even one of an attachment', () => {
    const orphan = artifact('signature', { tags: [tagOf('gone', '.sig')] })
    expect(decide([image('old', { tags: ['v1'] }), orphan]).deleted).toEqual(['old'])
  })

  test('is an image rather than the signature that goes with it', () => {
    const signature = artifact('signature', { tags: [tagOf('old', '.sig')], age: 35 })
    const { why } = decide([image('old', { tags: ['v1'] }), signature])
    expect([why('old'), why('signature')]).toEqual(['last-tagged', 'part-of'])
  })

  const groups: [story: string, items: Item[]][] = [
    [
      'an image even where an attachment changed later',
      [
        image('kept', { tags: ['v1'] }),
        artifact('other', { tags: [tagOf('kept', '.sig')], age: 50, updated: 35 }),
      ],
    ],
    [
      'the image that changed last, whenever it was pushed',
      [
        image('kept', { tags: ['v1'], age: 60, updated: 35 }),
        image('other', { tags: ['v2'], age: 45 }),
      ],
    ],
    [
      'the image with the greatest id of those that changed at one time',
      [
        image('other', { tags: ['v2'], age: 45, updated: 40 }),
        image('kept', { tags: ['v1'], age: 60, updated: 40 }),
      ],
    ],
    [
      'the newest attachment where no image has a tag',
      [
        image('old'),
        artifact('other', { tags: [tagOf('old', '.sig')], age: 50 }),
        artifact('kept', { tags: [tagOf('old', '.att')], age: 45 }),
      ],
    ],
  ]
  test.each(groups)('is %s', (_story, items) => {
    const { why, decision } = decide(items)
    expect(why('kept')).toBe('last-tagged')
    expect(decision('other').verdict.reason.code).not.toBe('last-tagged')
  })

  test('untagged versions go even when none remains', () => {
    expect(decide([image('a'), image('b')]).deleted.sort()).toEqual(['a', 'b'])
  })
})

describe('refusals', () => {
  const codes = (items: Item[], change = {}) => {
    const made = plan({ ...snapshot(items), ...change }, policy(), now)
    return { codes: made.refusals.map(({ code }) => code), made }
  }

  test('more deletions than allowed: nothing goes, and the plan still shows what would', () => {
    const items = [fresh(), image('a'), image('b')]
    expect(decide(items, policy({ maxDeletions: [{ count: 2 }] })).deleted).toHaveLength(2)
    const { plan: made, decision } = decide(items, policy({ maxDeletions: [{ count: 1 }] }))
    expect(made.deletions).toEqual([])
    expect(made.refusals).toEqual([
      {
        code: 'max-deletions',
        message: '2 versions would go, and max-deletions allows 1',
        hint: 'Look at the plan; if it is what you want, raise max-deletions for one run, where it is set.',
      },
    ])
    expect(decision('a')).toMatchObject({
      verdict: { action: 'keep', reason: { code: 'refused' } },
      overruled: [{ code: 'delete-rule' }],
    })
    expect(decision('fresh').verdict.reason.code).toBe('not-due')
  })

  test.each(['createdAt', 'updatedAt'] as const)(
    'an unknown %s: the package is left alone',
    (field) => {
      const old = image('old')
      const unknown = { ...old, version: { ...old.version, [field]: undefined } }
      const { codes: found, made } = codes([unknown, image('other')])
      expect(found).toEqual(['timestamp-unknown'])
      expect(made.deletions).toEqual([])
      const verdict = { action: 'keep', reason: { code: 'refused', refusal: 'timestamp-unknown' } }
      expect(made.decisions.map((decision) => decision.verdict)).toEqual([verdict, verdict])
      expect(made.refusals[0]).toMatchObject({
        message: `${digest('old')} has a timestamp that is missing or cannot be read, so its age is unknown`,
        hint: 'GitHub sends two timestamps with every version; if this persists, report it to GitHub Support.',
      })
    },
  )

  test('a manifest that was not read and that no index explains', () => {
    const { made } = codes([image('old', { unread: true })])
    expect(made.refusals).toEqual([
      {
        code: 'manifest-unread',
        message: `the manifest of ${digest('old')} was not read, so what it contains is unknown`,
        hint: 'This is a defect of this tool; please report it with the debug log.',
      },
    ])
    expect(made.deletions).toEqual([])
    expect(made.decisions).toMatchObject([{ mediaType: '', platforms: [] }])
  })

  test('an index entry without platform explains nothing', () => {
    const { codes: found } = codes([
      index('old', [{ of: 'leaf' }]),
      image('leaf', { unread: true }),
    ])
    expect(found).toEqual(['manifest-unread'])
  })

  test('the entry that says most about a child counts, whichever index has it', () => {
    const leaf = image('leaf', { unread: true })
    expect(codes([index('a', [{ of: 'leaf' }]), index('b', ['leaf']), leaf]).codes).toEqual([])
    expect(codes([index('a', ['leaf']), index('b', [{ of: 'leaf' }]), leaf]).codes).toEqual([])
  })

  test('one digest in two versions', () => {
    const old = image('old')
    const twin = { ...old, version: { ...old.version, id: 7 } }
    expect(codes([old, twin]).made.refusals).toEqual([
      {
        code: 'listing-not-whole',
        message:
          'the listing names one digest in two versions, so it is unclear which one is current',
        hint: 'Run again when nothing else pushes to or deletes from this package.',
      },
    ])
  })

  test('what the edges could not know, told once', () => {
    const refusal = { code: 'manifest-unreadable', message: 'gone', hint: '' } as const
    const { codes: found } = codes([image('old', { unread: true })], { refusals: [refusal] })
    expect(found).toEqual(['manifest-unreadable'])
  })
})

describe('what a plan leaves undecided', () => {
  const unread = { unread: true } as const
  /** Two indexes list the image; the one with an attestation of it goes. */
  const shared = (note: Item, kept = 5) => [
    index('gone', ['shared', { of: 'note', attests: 'shared' }]),
    index('kept', ['shared'], { tags: ['v1'], age: kept }),
    image('shared'),
    note,
  ]
  const cases: [story: string, items: Item[], names: string[]][] = [
    ['an attestation that only an index calls one', shared(artifact('note', unread)), ['note']],
    ['not one that was read', shared(artifact('note', { subject: 'shared' })), []],
    ['not one that goes', shared(artifact('note', unread), 40), []],
    [
      'not one that goes with what it is attached to',
      [
        index('gone', ['shared', { of: 'note', attests: 'shared' }], { age: 50 }),
        image('shared', { tags: ['pr-1'] }),
        artifact('note', unread),
      ],
      [],
    ],
    ['not one that stays anyway', shared(artifact('note', { ...unread, age: 0.01 })), []],
    [
      'not a child that was not read',
      [index('kept', ['leaf'], { tags: ['v1'], age: 5 }), image('leaf', unread)],
      [],
    ],
    [
      'a circle that closes only by the word of an index',
      [
        index('old', ['a', { of: 'note', attests: 'a' }]),
        image('a', { tags: [tagOf('note', '.sig')] }),
        artifact('note', unread),
      ],
      ['note'],
    ],
  ]
  test.each(cases)('%s', (_story, items, names) => {
    const listed = snapshot([fresh(), ...items])
    const open = undecided(plan(listed, policy(), now), listed)
    expect(open.map((version) => version.digest)).toEqual(names.map((name) => digest(name)))
  })
})

describe('the plan', () => {
  const items = () => [
    index('gone', ['leaf', 'shared'], { tags: ['pr-1'] }),
    image('leaf'),
    image('shared'),
    index('kept', ['shared'], { tags: ['v1'], age: 3 }),
    artifact('signature', { tags: [tagOf('gone', '.sig')] }),
  ]

  test('decides on every version exactly once, newest first', () => {
    const { plan: made } = decide(items())
    expect(made.decisions.map(({ version }) => version.digest)).toEqual(
      ['kept', 'signature', 'shared', 'leaf', 'gone'].map(digest),
    )
  })

  test('is the same whatever the order of the listing', () => {
    const listed = snapshot(items())
    const shuffled = { ...listed, versions: listed.versions.toReversed() }
    expect(plan(shuffled, policy(), now)).toEqual(plan(listed, policy(), now))
  })

  test('names what each delete has to wait for', () => {
    const { plan: made, deleted } = decide(items())
    const ids = made.deletions.map(({ version }) => version.id)
    expect(deleted).toEqual(['gone', 'leaf', 'signature'])
    expect(made.deletions.map(({ after }) => after)).toEqual([[], [ids[0]], [ids[0]]])
  })

  test('tells roles, platforms and what belongs to what', () => {
    const { decision } = decide([
      ...items(),
      artifact('orphan', { subject: 'missing' }),
      index('partial', ['leaf', 'lost'], { tags: ['v2'], age: 2 }),
    ])
    expect(decision('kept')).toMatchObject({
      role: 'image',
      kind: 'index',
      platforms: ['linux/amd64'],
      belongsTo: [],
    })
    expect(decision('shared')).toMatchObject({ role: 'child', kind: 'image' })
    expect(
      decision('shared')
        .belongsTo.map(({ digest: of }) => of)
        .sort(),
    ).toEqual([digest('gone'), digest('kept')].sort())
    expect(decision('signature')).toMatchObject({
      role: 'attachment',
      belongsTo: [{ relation: 'attached to', digest: digest('gone') }],
    })
    expect(decision('orphan')).toMatchObject({
      role: 'orphan',
      missingSubjects: [digest('missing')],
    })
    expect(decision('partial')).toMatchObject({ children: 2, missing: [digest('lost')] })
  })

  test.each([
    ['goes', 40],
    ['stays', 5],
  ])('tells the image that a part belongs to when it %s', (_fate, age) => {
    const { decision } = decide([
      fresh(),
      index('outer', [{ of: 'inner', kind: 'index' }], { age }),
      index('inner', ['leaf']),
      image('leaf', { unread: true }),
      artifact('bundle', { subject: 'leaf' }),
    ])
    const [leaf, inner, root] = ['leaf', 'inner', 'outer'].map(digest)
    const reasonOf = (name: string) => decision(name).verdict.reason
    const part = { code: 'part-of', root }
    expect(reasonOf('inner')).toEqual({ ...part, relation: 'contained in', of: root })
    expect(reasonOf('leaf')).toEqual({ ...part, relation: 'contained in', of: inner })
    expect(reasonOf('bundle')).toEqual({ ...part, relation: 'attached to', of: leaf })
  })

  test('tells everything about a version', () => {
    const { decision } = decide([
      index('kept', ['leaf', { of: 'note', attests: 'leaf' }, 'lost'], { tags: ['v1'], age: 5 }),
      image('leaf'),
      artifact('note'),
      index('old', [{ of: 'thing', platform: 'any', artifactType: 'a/b' }], { tags: ['pr-1'] }),
      image('thing', { unread: true }),
    ])
    expect(decision('kept')).toStrictEqual({
      version: decision('kept').version,
      role: 'image',
      kind: 'index',
      mediaType: 'application/vnd.oci.image.index.v1+json',
      platforms: ['linux/amd64'],
      belongsTo: [],
      children: 3,
      missing: [digest('lost')],
      missingSubjects: [],
      verdict: {
        action: 'keep',
        reason: {
          code: 'not-due',
          rule: 'tagged',
          place: 'inputs',
          evidence: 'younger than 30d: 5d',
        },
      },
      also: [],
      overruled: [],
    })
    expect(decision('thing')).toStrictEqual({
      version: decision('thing').version,
      role: 'child',
      kind: 'image',
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'a/b',
      platforms: ['any'],
      belongsTo: [{ relation: 'contained in', digest: digest('old') }],
      children: 0,
      missing: [],
      missingSubjects: [],
      verdict: {
        action: 'delete',
        reason: {
          code: 'part-of',
          relation: 'contained in',
          of: digest('old'),
          root: digest('old'),
        },
      },
      also: [],
      overruled: [],
    })
    expect(decision('leaf').platforms).toEqual(['linux/amd64'])
    expect(decision('note').artifactType).toContain('sigstore')
  })

  test.each<[role: string, story: string, items: Item[]]>([
    ['image', 'a tagged version', [image('a', { tags: ['v1'] })]],
    [
      'image',
      'a tagged version whose subject is gone',
      [image('a', { tags: ['v1'], subject: 'gone' })],
    ],
    ['image', 'an untagged version of its own', [image('a')]],
    ['orphan', 'an untagged version whose subject is gone', [image('a', { subject: 'gone' })]],
    ['child', 'what an index lists', [image('a'), index('i', ['a'])]],
    [
      'attachment',
      'what is attached to something, listed or not',
      [image('a', { subject: 'b' }), index('i', ['a', 'b']), image('b')],
    ],
  ])('calls %s: %s', (role, _story, items) => {
    expect(decide(items).decision('a').role).toBe(role)
  })

  test('changes neither the snapshot nor the policy', () => {
    const freeze = <T>(value: T): T => {
      if (typeof value === 'object' && value !== null)
        Object.values(Object.freeze(value)).forEach(freeze)
      return value
    }
    const listed = freeze(snapshot(items()))
    expect(() => plan(listed, freeze(policy({ grace: 2 * hour })), now + day)).not.toThrow()
  })
})

describe('what a policy file can ask for', () => {
  const asked = (rule: string) => {
    const read = readPolicyFile(
      `version: 1\ndefaults:\n  grace: 0s\n  unmatched: delete\n  untagged-ttl: 1h\n  rules:\n    - ${rule}\n`,
      'policy.yml',
    )
    if ('mistakes' in read) throw new Error(read.mistakes.map(mistakeText).join('\n'))
    const [entry] = read.set.entries
    if (entry === undefined) throw new Error('no entry')
    return entry.policy
  }

  test('a keep rule that names a digest keeps that version where it is a part, too', () => {
    const items = [
      index('old', ['child', 'other'], { tags: ['pr-1'] }),
      image('child'),
      image('other'),
      artifact('signature', { subject: 'old' }),
      image('new', { tags: ['v1'] }),
    ]
    const keep = (name: string) => asked(`{ name: this, keep: { digests: ${digest(name)} } }`)
    expect(decide(items, keep('child')).why('child')).toBe('keep-rule')
    expect(decide(items, keep('child')).deleted).toContain('other')
    expect(decide(items, keep('signature')).why('signature')).toBe('keep-rule')
  })

  test('an index of artifacts alone is no image', () => {
    const items = [
      index('charts', [{ of: 'chart', artifactType: 'a/chart' }], { tags: ['v1'] }),
      artifact('chart'),
      index('images', ['one'], { tags: ['v2'] }),
      image('one'),
    ]
    const { why } = decide(items, asked('{ name: images, keep: { artifact: image } }'))
    expect([why('images'), why('charts')]).toEqual(['keep-rule', 'unmatched'])
  })
})
