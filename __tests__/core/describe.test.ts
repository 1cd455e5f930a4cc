import { describe, expect, test } from '@jest/globals'
import type { Use } from '../../src/model.js'
import { describePolicy, describeSet } from '../../src/policy/describe.js'
import { compileNamePatterns, compileTagPatterns } from '../../src/policy/patterns.js'
import type {
  Conditions,
  ImageKind,
  Policy,
  PolicyEntry,
  Rule,
  Selector,
} from '../../src/policy/policy.js'
import { compileSemver } from '../../src/policy/versions.js'
import { day, digest, listed, policy, protections, tagged, when } from './kit.js'

const place = 'policy.yml:14'
const origin = { place }

/** What a rule of a file asks for, as far as a story is about it. */
interface Asked {
  kinds?: ImageKind[]
  tags?: string[]
  notTags?: string[]
  semver?: string
  prerelease?: boolean
  digests?: string[]
  types?: string[]
  when?: Partial<Conditions>
}

function rule(action: 'keep' | 'delete', asked: Asked): Rule {
  const { when: conditions, ...selected } = asked
  return {
    name: 'this',
    origin,
    action,
    select: selector(action, selected),
    when: { by: 'updated', ...conditions },
  }
}

function selector(action: 'keep' | 'delete', asked: Asked): Selector {
  const { kinds = ['tagged'], tags, notTags, semver, prerelease, digests, types } = asked
  const hasSemver = semver !== undefined || prerelease !== undefined
  return {
    kinds: new Set(kinds),
    tag:
      tags === undefined && notTags === undefined && !hasSemver
        ? undefined
        : {
            include: tags?.map((source) => ({ source, matches: () => true })),
            exclude: compileTagPatterns(notTags ?? []).include,
            semver: hasSemver ? compileSemver(semver, prerelease, action) : undefined,
          },
    digests: digests && new Set(digests.map(digest)),
    types: types?.map((source) => ({ source, matches: () => true })),
  }
}

/** The sentence of a rule without the words that every such sentence ends with. */
function sentence(action: 'keep' | 'delete', asked: Asked, overrides: Partial<Policy> = {}) {
  const rules = [rule(action, asked), rule('delete', { kinds: ['untagged'] })]
  const [first = ''] = describePolicy(policy({ rules, ...overrides }))
  expect(first).toMatch(/ \(rule "this", policy\.yml:14\)\.$/)
  return first.replace(/ \(rule .*$/, '')
}

const kinds: ImageKind[] = ['tagged', 'untagged', 'orphan']

describe('a rule of a file in a sentence', () => {
  test.each<[asked: Asked, words: string]>([
    [
      {
        semver: '>=1.0.0',
        prerelease: false,
        when: {
          groups: { by: { kind: 'minor' }, newestGroups: 3, newestPerGroup: 2 },
        },
      },
      'images whose version is >=1.0.0, without pre-releases, in the newest 3 minor groups, the newest 2 of each',
    ],
    [{ semver: '1.x || 2.x' }, 'images whose version is 1.x || 2.x'],
    [{ semver: '*' }, 'images with a version'],
    [{ semver: '^1.2', prerelease: true }, 'images whose version is a pre-release in ^1.2'],
    [{ prerelease: true }, 'images whose version is a pre-release'],
    [{ prerelease: false }, 'images whose version is no pre-release'],
    [{ tags: ['v*', 'prod', 'qa'] }, 'images with a tag that matches v*, prod or qa'],
    [{ notTags: ['v*', 'qa'] }, 'images with a tag that does not match v* or qa'],
    [
      { tags: ['v*'], notTags: ['v0*'], semver: '<2', prerelease: false },
      'images with a tag that matches v*, does not match v0* and states a version that is <2, without pre-releases',
    ],
    [{ tags: ['v*'], semver: '*' }, 'images with a tag that matches v* and states a version'],
    [{ kinds: ['tagged'] }, 'tagged images'],
    [{ kinds: ['untagged', 'orphan'] }, 'untagged images and orphaned attachments'],
    [
      { kinds: ['tagged', 'untagged'], types: ['chart', 'wasm'] },
      'tagged and untagged images of type chart or wasm',
    ],
    [{ kinds, digests: ['a'] }, `images with the digest ${digest('a')}`],
    [{ kinds, digests: ['a', 'b'] }, 'images with one of 2 listed digests'],
    [{ kinds: ['untagged'], digests: ['a'] }, `untagged images with the digest ${digest('a')}`],
    [{ kinds, types: ['*'] }, 'tagged and untagged images and orphaned attachments of type *'],
    [{ when: { newest: 5 } }, 'tagged images, among the newest 5 of them'],
    [
      { when: { newest: 5, by: 'created' } },
      'tagged images, among the newest 5 of them by first push',
    ],
    [
      { when: { newest: 5, newerThan: 7 * day } },
      'tagged images, among the newest 5 of them, and less than 7d after their last update',
    ],
    [
      { when: { groups: { by: { kind: 'major' }, newestGroups: 1, newestPerGroup: undefined } } },
      'tagged images, in the newest major group',
    ],
    [
      {
        when: {
          by: 'created',
          groups: { by: { kind: 'major' }, newestGroups: undefined, newestPerGroup: 1 },
        },
      },
      'tagged images, the newest of each major group',
    ],
    [
      {
        when: {
          by: 'created',
          groups: {
            by: { kind: 'expression', source: '/(.*)-.*/', keyOf: () => undefined },
            newestGroups: 2,
            newestPerGroup: 1,
          },
        },
      },
      'tagged images, in the newest 2 groups by /(.*)-.*/, the newest of each by first push',
    ],
    [
      {
        when: {
          groups: {
            by: { kind: 'expression', source: '/(.*)-.*/', keyOf: () => undefined },
            newestGroups: undefined,
            newestPerGroup: 4,
          },
        },
      },
      'tagged images, the newest 4 of each group by /(.*)-.*/',
    ],
    [
      { when: { calendar: { yearly: 1, daily: 7, hourly: 2, weekly: 4, monthly: 6 } } },
      'tagged images, the newest of each of the last 2 hours, 7 days, 4 weeks, 6 months and 1 year with any (UTC), and the oldest while there are fewer',
    ],
    [
      { tags: ['pr-{number}'], when: { ref: 'exists' } },
      'images with a tag that matches pr-{number}, while there is such an open pull request',
    ],
    [
      { tags: ['{branch}-*'], when: { ref: 'exists' } },
      'images with a tag that matches {branch}-*, while there is such a branch',
    ],
  ])('to keep: %j', (asked, words) => {
    expect(sentence('keep', asked)).toBe(`Keep ${words}`)
  })

  test.each<[asked: Asked, words: string]>([
    [{}, 'tagged images, whatever their tags, at any age'],
    [{ kinds: ['untagged'] }, 'untagged images, at any age'],
    [{ kinds: ['orphan'] }, 'orphaned attachments, at any age'],
    [
      { kinds: ['tagged', 'untagged'], types: ['chart'] },
      'tagged and untagged images of type chart, whatever their tags, at any age',
    ],
    [{ kinds, digests: ['a'] }, `images with the digest ${digest('a')}, at any age`],
    [{ tags: ['nightly-*'] }, 'images whose tags match nightly-*, at any age'],
    [
      { notTags: ['v*', 'nightly-*'], when: { olderThan: 30 * day } },
      'images whose tags do not match v* or nightly-*, 30d or more after their last update',
    ],
    [
      { tags: ['v*'], notTags: ['v0*'], semver: '<2' },
      'images whose tags match v*, do not match v0* and state a version that is <2, at any age',
    ],
    [
      { tags: ['/ci-\\d+/'], when: { beyondNewest: 10, olderThan: 14 * day } },
      'images whose tags match /ci-\\d+/, beyond the newest 10 of them, and 14d or more after their last update',
    ],
    [
      { when: { by: 'created', beyondNewest: 20, olderThan: 1.5 * day } },
      'tagged images, whatever their tags, beyond the newest 20 of them by first push, and 1d 12h or more after their first push',
    ],
    [
      { tags: ['a'], when: { beyondNewest: 0, olderThan: 0 } },
      'images whose tags match a, at any age',
    ],
    [
      { tags: ['pr-{number}', '{branch}'], when: { ref: 'gone', newerThan: day } },
      'images whose tags match pr-{number} or {branch}, when there is no such open pull request or branch, and less than 1d after their last update',
    ],
    [
      { kinds: ['tagged', 'untagged'], types: ['*'], when: { lifetimeOver: true } },
      'tagged and untagged images of type *, whatever their tags, when the lifetime in their annotations is over, counted from their last update',
    ],
  ])('to delete: %j', (asked, words) => {
    expect(sentence('delete', asked)).toBe(`Delete ${words}`)
  })

  test('says that labels are read for lifetimes where they are', () => {
    const asked = { when: { by: 'created', lifetimeOver: true } } as const
    expect(sentence('delete', asked, { readsLabels: true })).toBe(
      'Delete tagged images, whatever their tags, when the lifetime in their annotations or labels is over, counted from their first push',
    )
  })
})

const always =
  'Keep everything that a kept image contains or that is attached to it, and everything else.'

describe('a policy of a file in sentences', () => {
  test('has its rules in their order, how they go together, and then the rest', () => {
    const use = (file: string): Use => ({ reference: 'x', file, line: 1 })
    const chosen = policy({
      rules: [
        rule('delete', { tags: ['pr-*'], when: { olderThan: day } }),
        rule('keep', { tags: ['v*'] }),
      ],
      protect: protections('latest', 'prod-*'),
      uses: new Map([
        ['v1', [use('a.yml'), use('b.yml')]],
        [digest('a'), [use('a.yml')]],
      ]),
      keepDigests: listed('a', 'b'),
      maxDeletions: [{ count: 500 }, { percent: 50 }],
      grace: 1.5 * day,
    })
    expect(describePolicy(chosen)).toEqual([
      `Delete images whose tags match pr-*, 1d or more after their last update (rule "this", ${place}).`,
      `Keep images with a tag that matches v* (rule "this", ${place}).`,
      'A tagged image goes only when delete rules hold for each of its tags.',
      'What a keep rule keeps stays.',
      'Keep every image with a tag that matches latest or prod-*.',
      'Keep every image that a.yml and b.yml name: 2 references.',
      'Keep 2 listed digests and all that belongs to them.',
      'Leave a package alone if more than 500 versions would go.',
      'Leave a package alone if more than 50 % of its versions would go.',
      'Never delete anything younger than 1d 12h.',
      always,
    ])
  })

  test('says what becomes of images that no rule names', () => {
    const rules = [rule('keep', { when: { newest: 5 } }), rule('delete', { tags: ['pr-*'] })]
    const chosen = policy({ rules, unmatched: { place: 'policy.yml:30' } })
    expect(describePolicy(chosen)).toEqual([
      `Keep tagged images, among the newest 5 of them (rule "this", ${place}).`,
      `Delete images whose tags match pr-*, at any age (rule "this", ${place}).`,
      'Delete every tagged image that nothing keeps, whatever its tags and its age (unmatched, policy.yml:30).',
      'What a keep rule keeps stays.',
      'Never delete anything younger than 1h.',
      always,
    ])
  })

  test('has no more to say where nothing deletes', () => {
    const rules = [rule('keep', { tags: ['v*'] })]
    expect(describePolicy(policy({ rules }))).toEqual(['Delete nothing.'])
    expect(describePolicy(policy({ rules, unmatched: origin }))).not.toContain('Delete nothing.')
  })

  test.each([
    [['a'], 'a names: 1 reference'],
    [['a', 'b', 'c'], 'a, b and c name: 3 references'],
    [['a', 'b', 'c', 'd'], 'a, b, c and 1 other file name: 4 references'],
    [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2 other files name: 5 references'],
  ])('names the files that protect, and not too many: %j', (files, words) => {
    const uses = files.map((file): [string, Use[]] => [file, [{ reference: 'x', file, line: 1 }]])
    expect(describePolicy(policy({ uses: new Map(uses) }))).toContain(
      `Keep every image that ${words}.`,
    )
  })

  test('made of inputs says nothing of rules, places or how they go together', () => {
    const rules = [when(tagged('pr-*', 'ci-*'), { olderThan: 0 })]
    expect(describePolicy(policy({ rules }))).toEqual([
      'Delete tagged images whose every tag matches pr-* or ci-*, at any age.',
      'Never delete anything younger than 1h.',
      always,
    ])
  })
})

function entry(names: string[], overrides: Partial<PolicyEntry> = {}): PolicyEntry {
  return {
    match: names.length === 0 ? undefined : compileNamePatterns(names),
    names,
    origin,
    policy: policy(),
    protectFrom: [],
    repository: undefined,
    ...overrides,
  }
}

describe('a policy file in sentences', () => {
  test.each([
    [[], 'All packages:'],
    [['api'], 'Package api:'],
    [['api', 'web'], 'Packages api and web:'],
    [['tmp/**'], 'Packages matching tmp/**:'],
    [
      ['api', 'web-*', '!web-base', '!web-x'],
      'Packages matching api or web-* but not matching web-base or web-x:',
    ],
    [['!base-*'], 'Packages not matching base-*:'],
  ])('says which packages a block is about: %j', (names, title) => {
    const entries = [entry(names)]
    expect(describeSet({ entries, schedule: undefined })).toEqual([
      { title, sentences: describePolicy(policy()) },
    ])
  })

  test('says that the first block that matches wins', () => {
    const entries = [entry(['api']), entry(['tmp/**']), entry(['*'])]
    const titles = describeSet({ entries, schedule: undefined }).map(({ title }) => title)
    expect(titles).toEqual([
      'Package api:',
      'Packages matching tmp/**, where no entry above matches:',
      'Packages matching *, where no entry above matches:',
    ])
  })

  test('says which files protect, and whose pull requests and branches count', () => {
    const asks = rule('delete', { tags: ['pr-{number}'], when: { ref: 'gone' } })
    const protectFrom = ['deploy/**', 'k8s/*.yml'].map((source) => ({ source, origin }))
    const found = entry([], {
      policy: policy({ rules: [asks] }),
      protectFrom,
      repository: 'acme/app',
    })
    const [only] = describeSet({ entries: [found], schedule: undefined })
    expect(only?.sentences.slice(2, 4)).toEqual([
      'Keep every image that a file matching deploy/** or k8s/*.yml names.',
      'Pull requests and branches are those of acme/app.',
    ])
  })

  test('names no repository where no rule asks for pull requests or branches', () => {
    const [only] = describeSet({
      entries: [entry([], { repository: 'acme/app' })],
      schedule: undefined,
    })
    expect(only?.sentences.join(' ')).not.toContain('acme/app')
  })
})
