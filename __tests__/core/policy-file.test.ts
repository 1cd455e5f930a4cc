import { describe, expect, test } from '@jest/globals'
import { readPolicyFile } from '../../src/policy/file/read-policy.js'
import { entryOf, goodFiles, rulesOf, setOf, sources } from './policy-files.js'

const hour = 3_600_000
const day = 24 * hour
const tour = goodFiles['the tour of the language']
const every = goodFiles['every key']

describe('the tour of the language', () => {
  test('has three entries, each with what defaults say', () => {
    const { entries, schedule } = setOf(tour)
    expect(schedule).toBeUndefined()
    expect(entries.map(({ names, origin }) => [names, origin.place])).toEqual([
      [['api'], 'policy.yml:11'],
      [['tmp/**'], 'policy.yml:27'],
      [['*'], 'policy.yml:31'],
    ])
    for (const { policy } of entries) {
      expect(policy).toMatchObject({
        grace: day,
        maxDeletions: [{ count: 500 }],
        spareNewest: 0,
        ageBy: 'updated',
        readsLabels: false,
        refs: undefined,
      })
      expect(policy.protect.map(({ pattern, origin }) => [pattern.source, origin.place])).toEqual([
        ['latest', 'policy.yml:3'],
        ['main', 'policy.yml:3'],
        ['prod-*', 'policy.yml:3'],
      ])
      expect([policy.uses.size, policy.keepDigests.size]).toEqual([0, 0])
    }
  })

  test('says for api what stays and what goes', () => {
    expect(rulesOf(tour)).toEqual([
      {
        name: 'untagged-ttl',
        line: 7,
        delete: { kinds: 'untagged' },
        when: { by: 'updated', olderThan: 7 * day },
      },
      {
        name: 'last-3-minors',
        line: 13,
        keep: { kinds: 'tagged', semver: '>=1.0.0', prerelease: false },
        when: {
          by: 'updated',
          groups: { by: { kind: 'minor' }, newestGroups: 3, newestPerGroup: 2 },
        },
      },
      {
        name: 'nightly-thinning',
        line: 16,
        keep: { kinds: 'tagged', tags: ['nightly-*'] },
        when: { by: 'updated', calendar: { daily: 7, weekly: 4, monthly: 6 } },
      },
      {
        name: 'nightlies',
        line: 19,
        delete: { kinds: 'tagged', tags: ['nightly-*'] },
        when: { by: 'updated' },
      },
      {
        name: 'ci',
        line: 21,
        delete: { kinds: 'tagged', tags: ['/ci-\\d+/'] },
        when: { by: 'updated', beyondNewest: 10, olderThan: 14 * day },
      },
      {
        name: 'the-rest',
        line: 24,
        delete: { kinds: 'tagged', notTags: ['v*', 'nightly-*'] },
        when: { by: 'updated', olderThan: 30 * day },
      },
    ])
  })

  test('says for tmp/** that what no rule names goes, and where that is written', () => {
    expect(entryOf(tour, 1).policy.unmatched).toEqual({ place: 'policy.yml:28' })
    expect(entryOf(tour, 0).policy.unmatched).toBe('keep')
    expect(rulesOf(tour, 1).map(({ name }) => name)).toEqual(['untagged-ttl', 'newest-5'])
  })

  test('changes the rule of defaults by a short form of its name', () => {
    expect(rulesOf(tour, 2)).toEqual([
      {
        name: 'untagged-ttl',
        line: 33,
        delete: { kinds: 'untagged' },
        when: { by: 'updated', olderThan: 7 * day },
      },
      {
        name: 'keep-latest',
        line: 32,
        delete: { kinds: 'tagged' },
        when: { by: 'updated', beyondNewest: 20 },
      },
    ])
  })
})

describe('a file with every key', () => {
  test('is compiled key by key', () => {
    const { match, names, protectFrom, repository, policy } = entryOf(every)
    expect(setOf(every).schedule).toBe('17 3 * * *')
    expect([sources(match?.include ?? []), sources(match?.exclude ?? [])]).toEqual([
      ['team/*'],
      ['team/base'],
    ])
    expect(names).toEqual(['team/*', '!team/base'])
    expect(protectFrom).toEqual([
      { source: 'deploy/**/*.yaml', origin: { place: 'policy.yml:6' } },
      { source: 'compose.yml', origin: { place: 'policy.yml:6' } },
    ])
    expect(repository).toBe('acme/team')
    expect(policy).toMatchObject({
      grace: 2 * hour,
      maxDeletions: [{ percent: 50 }],
      unmatched: 'keep',
      readsLabels: true,
      keepDigests: new Map([[`sha256:${'a'.repeat(64)}`, { place: 'policy.yml:7' }]]),
    })
  })

  test('has its rules, without the one that is switched off', () => {
    expect(rulesOf(every).map(({ line, ...rule }) => [line, rule])).toEqual([
      [
        16,
        {
          name: 'artifacts',
          delete: {
            kinds: 'tagged untagged orphan',
            digests: [`sha256:${'b'.repeat(64)}`],
            types: ['chart', 'application/vnd.example.*'],
          },
          when: { by: 'updated' },
        },
      ],
      [
        19,
        {
          name: 'lifetimes',
          delete: { kinds: 'tagged' },
          when: { by: 'created', lifetimeOver: true },
        },
      ],
      [
        20,
        {
          name: 'closed',
          delete: { kinds: 'tagged', tags: ['pr-{number}', 'pr-{number}-*'] },
          when: { by: 'updated', ref: 'gone' },
        },
      ],
      [
        21,
        {
          name: 'open',
          keep: { kinds: 'tagged', tags: ['{branch}'] },
          when: { by: 'updated', ref: 'exists', newerThan: 365.25 * day },
        },
      ],
      [
        22,
        {
          name: 'thinning',
          keep: { kinds: 'tagged', tags: ['nightly-*'], notTags: ['*-debug'] },
          when: {
            by: 'updated',
            calendar: { hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 3 },
          },
        },
      ],
      [
        25,
        {
          name: 'builds',
          keep: { kinds: 'tagged', semver: undefined, prerelease: true },
          when: {
            by: 'updated',
            groups: {
              by: {
                kind: 'expression',
                source: '/(.+)-[0-9]+/',
                keyOf: expect.any(Function),
              },
              newestGroups: 2,
              newestPerGroup: undefined,
            },
          },
        },
      ],
      [
        13,
        {
          name: 'keep-latest',
          delete: { kinds: 'tagged' },
          when: { by: 'updated', beyondNewest: 10 },
        },
      ],
      [
        14,
        {
          name: 'untagged-ttl',
          delete: { kinds: 'untagged' },
          when: { by: 'updated', olderThan: 7 * day },
        },
      ],
    ])
  })

  test('reads placeholders of tags as what they stand for', () => {
    const closed = entryOf(every).policy.rules.find(({ name }) => name === 'closed')
    expect(closed?.select.tag?.include?.[0]?.refsOf?.('pr-12')).toEqual([
      { kind: 'pull request', number: 12 },
    ])
  })
})

test.each([
  [{ tags: 'a' }, 'tagged'],
  [{ 'not-tags': 'a' }, 'tagged'],
  [{ semver: '1.x', tagged: true }, 'tagged'],
  [{ prerelease: true }, 'tagged'],
  [{ tags: 'a', digests: 'a'.repeat(64) }, 'tagged'],
  [{ digests: 'a'.repeat(64) }, 'tagged untagged orphan'],
  [{ artifact: 'chart' }, 'tagged untagged'],
  [{ artifact: 'chart', orphans: true }, 'orphan'],
  [{ tagged: true, untagged: true }, 'tagged untagged'],
  [{ untagged: true, orphans: true }, 'untagged orphan'],
  [{ untagged: true, digests: 'a'.repeat(64) }, 'untagged'],
])('%j selects images that are %s', (select, kinds) => {
  const file = { version: 1, defaults: { rules: [{ name: 'it', delete: select }] } }
  expect(rulesOf(JSON.stringify(file))).toMatchObject([{ delete: { kinds } }])
})

test('a partial version is judged by the kind of the rule', () => {
  const file = (action: string) =>
    `version: 1\nkeep-latest: 1\ndefaults: { rules: [{ name: it, ${action}: { semver: ">=1.2.5" } }] }`
  const matches = (action: string) =>
    entryOf(file(action)).policy.rules[0]?.select.tag?.semver?.matches('1.2')
  expect([matches('keep'), matches('delete')]).toEqual([true, false])
})

describe('short forms', () => {
  test('hold in every package when a file has no list of packages', () => {
    const entry = entryOf(goodFiles['short forms at the top'])
    expect(entry).toMatchObject({ match: undefined, names: [], origin: { place: 'policy.yml:1' } })
    expect(entry.policy).toMatchObject({ grace: hour, maxDeletions: [], unmatched: 'keep' })
    expect(rulesOf(goodFiles['short forms at the top'])).toMatchObject([
      { name: 'keep-latest', line: 2, when: { beyondNewest: 5 } },
      { name: 'untagged-ttl', line: 3, when: { olderThan: 7 * day } },
    ])
  })

  test('may stand as the block of a deployment tool', () => {
    const file = goodFiles['the block of a deployment tool']
    expect(setOf(file).schedule).toBe('17 3 * * 1')
    expect(rulesOf(file)).toMatchObject([
      { name: 'keep-latest', line: 2, when: { beyondNewest: 20 } },
      { name: 'untagged-ttl', line: 3, when: { olderThan: 7 * day } },
    ])
  })

  test('may be written in JSON, with tabs', () => {
    expect(rulesOf(goodFiles.JSON)).toMatchObject([
      { name: 'untagged-ttl', line: 3, when: { olderThan: 30 * day } },
    ])
  })
})

describe('an entry of packages', () => {
  const merged = (own: string) =>
    rulesOf(`version: 1
defaults:
  rules:
    - { name: old, delete: { tags: "ci-*" }, when: { older-than: 30d } }
    - { name: newest, keep: { tagged: true }, when: { newest: 3 } }
packages:
  - match: api
    rules:
      - ${own}
      - { name: ci, delete: { tags: "ci-*" } }
`)

  test('changes when a rule of defaults holds, and keeps what it is about', () => {
    expect(merged('{ name: old, when: { older-than: 1d, by: created } }')).toMatchObject([
      {
        name: 'old',
        line: 9,
        delete: { tags: ['ci-*'] },
        when: { by: 'created', olderThan: day },
      },
      { name: 'newest', line: 5 },
      { name: 'ci', line: 10 },
    ])
  })

  test('changes what it is about, and keeps when it holds', () => {
    expect(merged('{ name: old, delete: { untagged: true } }')[0]).toEqual({
      name: 'old',
      line: 9,
      delete: { kinds: 'untagged' },
      when: { by: 'updated', olderThan: 30 * day },
    })
  })

  test('replaces deleting by keeping', () => {
    expect(merged('{ name: old, keep: { tags: "v*" } }')[0]).toMatchObject({
      keep: { tags: ['v*'] },
      when: { olderThan: 30 * day },
    })
  })

  test('switches a rule off, and another entry does not see it', () => {
    const file = `version: 1
untagged-ttl: 1d
packages:
  - { match: a, rules: [{ name: untagged-ttl, enabled: false }] }
  - { match: b }
`
    expect([rulesOf(file, 0).length, rulesOf(file, 1).length]).toEqual([0, 1])
  })

  test('switches a rule on that defaults have switched off', () => {
    const file = `version: 1
defaults: { rules: [{ name: old, delete: { tagged: true }, when: { older-than: 1y }, enabled: false }] }
packages:
  - { match: a, rules: [{ name: old, enabled: true }] }
  - { match: b }
`
    expect([rulesOf(file, 0).length, rulesOf(file, 1).length]).toEqual([1, 0])
  })

  test('changes a rule that is switched off, and leaves it so', () => {
    const file = `version: 1
keep-latest: 1
defaults: { rules: [{ name: old, delete: { tagged: true }, enabled: false }] }
packages: [{ match: a, rules: [{ name: old, when: { older-than: 1y } }] }]
`
    expect(rulesOf(file).map(({ name }) => name)).toEqual(['keep-latest'])
  })

  test('lets go what no rule names where defaults do', () => {
    const file = 'version: 1\ndefaults:\n  unmatched:\n    delete\npackages: [{ match: a }]\n'
    expect(entryOf(file).policy.unmatched).toEqual({ place: 'policy.yml:3' })
  })

  test('adds to what is protected, and replaces what can be only once', () => {
    const { policy, protectFrom, repository } = entryOf(`version: 1
repository: acme/top
untagged-ttl: 1d
defaults:
  { protect: a, protect-from: a.yml, protect-digests: "${'a'.repeat(64)}",
    grace: 2h, max-deletions: 5, unmatched: delete, read-labels: true, repository: acme/near }
packages:
  - match: x
    protect: b
    protect-from: b.yml
    protect-digests: ["sha256:${'b'.repeat(64)}"]
    grace: 0s
    max-deletions: 0
    unmatched: keep
    read-labels: false
`)
    expect(policy.protect.map(({ pattern, origin }) => [pattern.source, origin.place])).toEqual([
      ['a', 'policy.yml:5'],
      ['b', 'policy.yml:9'],
    ])
    expect(protectFrom.map(({ source }) => source)).toEqual(['a.yml', 'b.yml'])
    expect([...policy.keepDigests].map(([digest, { place }]) => [digest, place])).toEqual([
      [`sha256:${'a'.repeat(64)}`, 'policy.yml:5'],
      [`sha256:${'b'.repeat(64)}`, 'policy.yml:11'],
    ])
    expect(policy).toMatchObject({
      grace: 0,
      maxDeletions: [{ count: 0 }],
      unmatched: 'keep',
      readsLabels: false,
    })
    expect(repository).toBe('acme/near')
  })

  test('may keep everything while another deletes', () => {
    const file = 'version: 1\npackages: [{ match: a, keep-latest: 3 }, { match: "*", protect: x }]'
    expect(rulesOf(file, 1)).toEqual([])
  })
})

test('values are shared by anchors and merged by merge keys', () => {
  const file = goodFiles['anchors and merge keys']
  expect(rulesOf(file)[1]).toEqual({
    name: 'ci',
    line: 9,
    delete: { kinds: 'tagged', tags: ['latest', 'v*'] },
    when: { by: 'updated', olderThan: day },
  })
  expect(entryOf(file, 1).policy).toMatchObject({ grace: 3 * day })
  expect(rulesOf(file, 1)).toMatchObject([{ name: 'old', line: 5 }])
})

test.each(Object.entries(goodFiles))('%s: lines end in CRLF, or begin with a mark', (_, text) => {
  const plain = JSON.stringify(setOf(text), asText)
  expect(JSON.stringify(setOf(text.replaceAll('\n', '\r\n')), asText)).toBe(plain)
  expect(JSON.stringify(setOf(`\ufeff${text}`), asText)).toBe(plain)
})

test.each(Object.entries(goodFiles))('%s: reading it again says the same', (_, text) => {
  const [once, again] = [1, 2].map(() => readPolicyFile(text, 'policy.yml'))
  expect(JSON.stringify(again, asText)).toBe(JSON.stringify(once, asText))
})

function asText(_: string, value: unknown): unknown {
  return value instanceof Set || value instanceof Map ? [...(value as Iterable<unknown>)] : value
}
