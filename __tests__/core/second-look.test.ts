import { describe, expect, test } from '@jest/globals'
import type { Deletion, Refs } from '../../src/model.js'
import type { Policy, Rule } from '../../src/policy/policy.js'
import { mistakeText, readPolicyFile } from '../../src/policy/file/read-policy.js'
import { compileRefPattern } from '../../src/policy/refs.js'
import { secondLook } from '../../src/second-look.js'
import {
  artifact,
  day,
  decide,
  digest,
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

/** Takes the named items for planned, in this order, and tells what the second look finds. */
function findings(items: readonly Item[], planned: readonly string[], chosen: Policy = policy()) {
  const deletions = planned.flatMap((name): Deletion[] =>
    items.filter((item) => item.name === name).map(({ version }) => ({ version, after: [] })),
  )
  return secondLook(snapshot(items), chosen, now, { decisions: [], deletions }).map(
    ({ message }) => message,
  )
}

const refs: Refs = { openPullRequests: new Set([7]), branches: new Set() }

/** A rule about pull requests, and where it keeps, one that deletes all the rest. */
function asking(action: Rule['action'], ref: 'gone' | 'exists', known: Refs): Policy {
  const tag = { include: [compileRefPattern('pr-{number}')], exclude: [], semver: undefined }
  const rule = { ...when(tagged(), { ref }), name: 'pulls', action }
  const select = { ...rule.select, tag }
  const rules = action === 'keep' ? [tagged()] : []
  return { ...policy({ rules: [{ ...rule, select }, ...rules] }), refs: known }
}

/** The policy of a file with these lines under `defaults`. */
function written(...lines: string[]): Policy {
  const text = ['version: 1', 'defaults:', ...lines.map((line) => `  ${line}`)].join('\n')
  const found = readPolicyFile(text, 'policy.yml')
  if ('mistakes' in found) throw new Error(found.mistakes.map(mistakeText).join('\n'))
  const [entry] = found.set.entries
  if (entry === undefined) throw new Error('no entry')
  return entry.policy
}

/** The policy of these rules. */
function ruled(...rules: string[]): Policy {
  return written('rules:', ...rules.map((rule) => `  - { ${rule} }`))
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
  expect(secondLook(snapshot(items), policy(), now, plan)).toEqual([])
})

describe('a sound plan passes', () => {
  const unread = { unread: true } as const
  const cases: [story: string, items: Item[], chosen: Policy, deleted: string[]][] = [
    [
      'with an unread attestation that goes after what it attests',
      [
        index('old', ['leaf', { of: 'note', attests: 'leaf' }]),
        image('leaf'),
        artifact('note', unread),
      ],
      policy(),
      ['old', 'leaf', 'note'],
    ],
    [
      'with what belongs to something that is not there',
      [
        index('old', ['gone', { of: 'note', attests: 'gone' }], { subject: 'gone' }),
        artifact('note', unread),
        artifact('bundle', { subject: 'gone' }),
      ],
      policy(),
      ['old', 'note', 'bundle'],
    ],
    [
      'with a signature, which no rule has to name',
      [image('old', { tags: ['pr-1'] }), artifact('sig', { tags: [tagOf('old', '.sig')] })],
      policy({ tags: 'pr-*' }),
      ['old', 'sig'],
    ],
    [
      'with an image of a closed pull request',
      [image('old', { tags: ['pr-8'] })],
      asking('delete', 'gone', refs),
      ['old'],
    ],
    [
      'with an image of a closed pull request, which a rule for open ones does not keep',
      [image('old', { tags: ['pr-8'] })],
      asking('keep', 'exists', refs),
      ['old'],
    ],
    [
      'with an attachment tag that names its own version',
      [image('old', { tags: ['pr-1', tagOf('old')] })],
      policy(),
      ['old'],
    ],
    [
      'with tags that one rule of several names, by one pattern of several',
      [image('old', { tags: ['ci-1', 'v1'] })],
      policy({ rules: [tagged('pr-*', 'ci-*'), tagged('v*')] }),
      ['old'],
    ],
    [
      'on the day that an image is old enough',
      [image('old', { tags: ['pr-1'], age: 30 })],
      policy(),
      ['old'],
    ],
    [
      'when an image is old enough for one rule of several',
      [image('old', { tags: ['pr-1'] })],
      policy({ rules: [when(tagged(), { olderThan: 90 * day }), tagged()] }),
      ['old'],
    ],
    [
      'when an image is old by its first push, which counts',
      [image('old', { tags: ['pr-1'], updated: 10 })],
      policy({ ageBy: 'created' }),
      ['old'],
    ],
    [
      'in the moment that grace ends',
      [image('old', { age: 1 })],
      policy({ grace: day, rules: [when(untagged, { olderThan: 0 })] }),
      ['old'],
    ],
  ]
  test.each(cases)('%s', (_story, items, chosen, deleted) => {
    const whole = [...items, image('fresh', { tags: ['fresh'], age: 0 })]
    const made = decide(whole, chosen)
    expect(made.deleted).toEqual(deleted)
    expect(secondLook(snapshot(whole), chosen, now, made.plan)).toEqual([])
  })
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
      policy({ keepDigests: listed('old') }),
      'its digest is listed to stay',
    ],
    [
      'a tagged image whose first push is too young for every rule',
      image('old', { tags: ['pr-1'], age: 20, updated: 40 }),
      policy({ ageBy: 'created' }),
      'no rule that names its tag pr-1 holds for it',
    ],
    [
      'a tagged image that is too young for every rule',
      image('old', { tags: ['pr-1'], age: 40, updated: 20 }),
      policy(),
      'no rule that names its tag pr-1 holds for it',
    ],
    [
      'an image of an open pull request, named by a rule for closed ones',
      image('old', { tags: ['pr-7'] }),
      asking('delete', 'gone', refs),
      'no rule that names its tag pr-7 holds for it',
    ],
    [
      'an image of a pull request of which nothing is known',
      image('old', { tags: ['pr-8'] }),
      asking('delete', 'gone', { ...refs, openPullRequests: { why: 'no answer' } }),
      'no rule that names its tag pr-8 holds for it',
    ],
    [
      'an image that a rule for open pull requests keeps',
      image('old', { tags: ['pr-7'] }),
      asking('keep', 'exists', refs),
      'the rule "pulls" keeps it',
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
    const found = secondLook(snapshot([]), policy(), now, {
      decisions: [],
      deletions: [{ version: unknown, after: [] }],
    })
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('its age is unknown'),
    ])
  })
})

test('finds a delete that comes before what contains it', () => {
  const items = [index('gone', ['leaf']), image('leaf')]
  const { plan } = decide(items)
  const found = secondLook(snapshot(items), policy(), now, {
    ...plan,
    deletions: plan.deletions.toReversed(),
  })
  const [leaf, gone] = [digest('leaf'), digest('gone')]
  expect(found).toEqual([
    {
      code: 'second-look',
      message: `the plan failed its last check: ${leaf} would go while ${gone}, which contains it, is still there`,
      hint: 'This is a defect of this tool and nothing was deleted; please report it with plan.json.',
    },
  ])
})

test('finds a decision that is not carried out, and a delete that was not decided', () => {
  const { plan } = decide([
    image('old', { tags: ['pr-1'] }),
    image('new', { tags: ['v1'], age: 1 }),
  ])
  const [kept] = plan.decisions.filter(({ verdict }) => verdict.action === 'keep')
  if (kept === undefined) throw new Error('the new one stays')
  const words = (deletions: readonly Deletion[]) =>
    secondLook(snapshot([]), policy({ grace: -Infinity }), now, { ...plan, deletions })
      .map(({ message }) => message)
      .filter((message) => message.includes('decided'))
  expect(words(plan.deletions)).toEqual([])
  expect(words([])).toEqual([
    `the plan failed its last check: ${digest('old')} is decided to go and has no place in the order`,
  ])
  expect(words([...plan.deletions, { version: kept.version, after: [] }])).toEqual([
    `the plan failed its last check: ${digest('new')} would go although it is decided to stay`,
  ])
})

describe('tagged images, which only rules condemn', () => {
  const tagged = (tags: string, age = 40) => image('old', { tags: tags.split(' '), age })
  const all = 'name: all, delete: { tagged: true }'
  const v1 = tagged('v1')
  const unnamed = ['no rule names its tag v1']
  const notDue = ['no rule that names its tag v1 holds for it']
  const kept = ['the rule "k" keeps it']
  const use = [{ reference: 'ghcr.io/acme/app:v1', file: 'k8s.yml', line: 1 }]

  const cases: [story: string, item: Item, chosen: Policy, found: string[]][] = [
    ['named by a rule', v1, ruled(all), []],
    [
      'whose tag a file names',
      v1,
      { ...ruled(all), uses: new Map([['v1', use]]) },
      ['a file names its tag v1'],
    ],
    [
      'whose digest a file names',
      v1,
      { ...ruled(all), uses: new Map([[digest('old'), use]]) },
      ['a file names its digest'],
    ],
    ['in the range', v1, ruled('name: r, delete: { semver: "1" }'), []],
    ['out of the range', tagged('v1'), ruled('name: r, delete: { semver: ">=2" }'), unnamed],
    ['left out', v1, ruled('name: r, delete: { tags: "*", not-tags: "v*" }'), unnamed],
    ['not left out', v1, ruled('name: r, delete: { tags: "*", not-tags: "pr-*" }'), []],
    ['named by digest', v1, ruled(`name: r, delete: { digests: ${digest('old')} }`), []],
    ['not named by digest', v1, ruled(`name: r, delete: { digests: ${digest('new')} }`), unnamed],
    ['beside a rule for untagged ones', v1, ruled('name: r, delete: { untagged: true }'), unnamed],
    [
      'named by a keep rule that does not hold',
      v1,
      ruled(
        'name: k, keep: { tags: "v*" }, when: { newer-than: 1d }',
        'name: r, delete: { tags: x }',
      ),
      unnamed,
    ],
    ['of the age', v1, ruled(`${all}, when: { older-than: 40d }`), []],
    ['too young', v1, ruled(`${all}, when: { older-than: 41d }`), notDue],
    ['young enough', v1, ruled(`${all}, when: { newer-than: 41d }`), []],
    ['too old', v1, ruled(`${all}, when: { newer-than: 40d }`), notDue],
    ['that a keep rule keeps', v1, ruled(all, 'name: k, keep: { tags: "v*" }'), kept],
    [
      'that a keep rule keeps by one tag',
      tagged('x v1'),
      ruled(all, 'name: k, keep: { tags: v1 }'),
      kept,
    ],
    ['that a keep rule is not about', v1, ruled(all, 'name: k, keep: { tags: "x*" }'), []],
    ['that a keep rule keeps by version', v1, ruled(all, 'name: k, keep: { semver: "*" }'), kept],
    [
      'that a keep rule keeps by age',
      v1,
      ruled(all, 'name: k, keep: { tagged: true }, when: { newer-than: 41d }'),
      kept,
    ],
    ['that nothing names, which unmatched takes', v1, written('unmatched: delete'), []],
    [
      'that a rule names which is not due, and unmatched takes',
      v1,
      written('unmatched: delete', `rules: [{ ${all}, when: { older-than: 1y } }]`),
      [],
    ],
    [
      'that a keep rule keeps from unmatched',
      v1,
      written('unmatched: delete', 'rules: [{ name: k, keep: { tags: v1 } }]'),
      kept,
    ],
    // What it does not look into itself counts for neither side.
    ['with a keep rule for a type', v1, ruled(all, 'name: k, keep: { artifact: chart }'), []],
    [
      'with a keep rule for groups',
      v1,
      ruled(all, 'name: k, keep: { semver: "*" }, when: { group-by: major, newest-groups: 1 }'),
      [],
    ],
    [
      'with a keep rule for days',
      v1,
      ruled(all, 'name: k, keep: { tagged: true }, when: { daily: 1 }'),
      [],
    ],
    [
      'with a keep rule that counts more than tags',
      v1,
      ruled(all, 'name: k, keep: { tagged: true, untagged: true }, when: { newest: 5 }'),
      [],
    ],
    [
      'with a delete rule that counts more than tags',
      v1,
      ruled('name: r, delete: { tagged: true, untagged: true }, when: { beyond-newest: 5 }'),
      [],
    ],
    [
      'with a delete rule that counts types',
      v1,
      ruled('name: r, delete: { tagged: true, artifact: image }, when: { beyond-newest: 5 }'),
      [],
    ],
  ]
  test.each(cases)('%s', (_story, item, chosen, found) => {
    const start = `the plan failed its last check: ${digest('old')} would go although `
    const words = found.map((each) => start + each)
    expect(findings([item], ['old'], chosen)).toEqual(words)
  })
})

describe('counted images', () => {
  const items = [
    image('a', { tags: ['v4'], age: 10, updated: 2 }),
    image('b', { tags: ['v3'], age: 20, updated: 20 }),
    image('c', { tags: ['v2'], age: 20, updated: 20 }),
    image('d', { tags: ['v1'], age: 5, updated: 5 }),
    image('e', { tags: ['pr-1'], age: 3 }),
    artifact('sig', { tags: [tagOf('b', '.sig')], age: 3 }),
    image('bare', { age: 3 }),
  ]
  const beyond = (count: number, more = '') =>
    ruled(`name: r, delete: { tags: "v*" }, when: { beyond-newest: ${count}${more} }`)
  const newest = (count: number, more = '') =>
    ruled(
      'name: all, delete: { tagged: true }',
      `name: k, keep: { tags: "v*" }, when: { newest: ${count}${more} }`,
    )

  test.each<[story: string, chosen: Policy, going: string[]]>([
    ['beyond none', beyond(0), ['a', 'b', 'c', 'd']],
    ['beyond the newest', beyond(1), ['b', 'c', 'd']],
    ['beyond the newest two', beyond(2), ['b', 'c']],
    ['beyond the newest three, of which equally old ones count by id', beyond(3), ['b']],
    ['beyond the newest four', beyond(4), []],
    ['beyond the newest by their first push', beyond(2, ', by: created'), ['b', 'c']],
    ['beyond the newest one by its first push', beyond(1, ', by: created'), ['a', 'b', 'c']],
    [
      'beyond all of any tag',
      ruled('name: r, delete: { tagged: true }, when: { beyond-newest: 3 }'),
      ['b', 'c'],
    ],
    ['but the newest', newest(1), ['b', 'c', 'd']],
    ['but the newest three', newest(3), ['b']],
    ['but the newest by their first push', newest(1, ', by: created'), ['a', 'b', 'c']],
  ])('%s', (_story, chosen, going) => {
    const passing = ['a', 'b', 'c', 'd'].filter(
      (name) => findings(items, [name], chosen).length === 0,
    )
    expect(passing).toEqual(going)
  })
})
