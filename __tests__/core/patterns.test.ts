import { describe, expect, test } from '@jest/globals'
import {
  compileNamePatterns,
  compileTagPatterns,
  needsListing,
  splitList,
} from '../../src/policy/patterns.js'

describe('a list', () => {
  test.each<[text: string, entries: string[]]>([
    ['a,b c\nd\r\ne\tf', ['a', 'b', 'c', 'd', 'e', 'f']],
    [' , a ,, b , ', ['a', 'b']],
    ['"prod-*" \'qa-*\'', ['prod-*', 'qa-*']],
    ['"prod-* qa-*"', ['prod-*', 'qa-*']],
    ['!prod !"qa-*"', ['!prod', '!qa-*']],
    ['"!prod"', ['!prod']],
    ['pr-* # pull requests\n# nightlies, too\nnightly-*', ['pr-*', 'nightly-*']],
    ['{a,b}-* c', ['{a,b}-*', 'c']],
    ['!{a,{b,c}},d', ['!{a,{b,c}}', 'd']],
    ['/ci-\\d{1,3}/ x', ['/ci-\\d{1,3}/', 'x']],
    ['!/a,b/,c', ['!/a,b/', 'c']],
    ['/a,b/ c', ['/a,b/', 'c']],
    ['c /a,b/', ['c', '/a,b/']],
    ['"/a,b/" \'!/c,d/\'', ['/a,b/', '!/c,d/']],
    ['/a/b,c', ['/a/b', 'c']],
    ['""a"" !""b""', ['a', '!b']],
    ["it's !it's", ["it's", "!it's"]],
    ['a #,b\n#\n#c\nd,#e', ['a', 'd']],
    ['a#b', ['a#b']],
    ['# only a comment', []],
    ['""', []],
    ['', []],
  ])('%j holds %j', (text, entries) => {
    expect(splitList(text)).toEqual(entries)
  })
})

describe('a tag pattern', () => {
  const matches = (pattern: string, tag: string) =>
    compileTagPatterns([pattern]).include[0]?.matches(tag)

  test.each<[pattern: string, hits: string[], misses: string[]]>([
    ['latest', ['latest'], ['Latest', 'latest-1', 'xlatest']],
    ['pr-*', ['pr-1', 'pr-'], ['xpr-1', 'pr']],
    ['*', ['v1', '_dev', 'a.b-c', '.hidden'], []],
    ['[!v]*', ['x', 'latest'], ['v1']],
    ['v?.[0-9]', ['v1.2'], ['v10.2', 'v1.x']],
    ['{pr,ci}-*', ['pr-1', 'ci-1'], ['qa-1']],
    ['b{1..100000}', ['b1', 'b500', 'b100000'], ['b0', 'b100001']],
    ['/ci-\\d+/', ['ci-12'], ['ci-12-x', 'my-ci-12', 'ci-']],
    ['/a|b/', ['a', 'b'], ['ab', 'ax']],
    ['/(?i)RC.*/', ['rc1', 'RC2'], ['1rc']],
  ])('%j', (pattern, hits, misses) => {
    expect(hits.filter((tag) => matches(pattern, tag) !== true)).toEqual([])
    expect(misses.filter((tag) => matches(pattern, tag) !== false)).toEqual([])
  })

  test('with ! is an exclusion', () => {
    const { include, exclude } = compileTagPatterns(['!prod-*', 'pr-*', '!/v\\d+/'])
    expect(include.map(({ source }) => source)).toEqual(['pr-*'])
    expect(exclude.map(({ source }) => source)).toEqual(['prod-*', '/v\\d+/'])
    expect(exclude[1]?.matches('v12')).toBe(true)
  })

  test('with two ! is a mistake', () => {
    expect(() => compileTagPatterns(['!!prod'])).toThrow('"!!prod" has two exclusion marks')
  })

  test('may be long and stand for many', () => {
    expect(matches('a'.repeat(256), 'a'.repeat(256))).toBe(true)
    expect(matches('{a,b,c,d,e,f,g,h,i,j}'.repeat(3), 'jaj')).toBe(true)
  })

  test.each([
    ['!', 'has nothing after it'],
    ['!{latest', 'opens and closes "{" unequally'],
    ['prod}', 'opens and closes "{" unequally'],
    ['v[0-9', 'opens and closes "[" unequally'],
    ['!(latest|prod)', 'no tag has a "(" in it'],
    ['app:latest', 'no tag has a ":" in it'],
    ['!ghcr.io/x', 'no tag has a "/" in it'],
    ['/unclosed', 'does not end like one'],
    ['/', 'does not end like one'],
    ['/(/', 'not a regular expression'],
    ['/(?=x)y/', 'not a regular expression'],
    ['/(a)\\1/', 'not a regular expression'],
    ['//', 'does not end like one'],
    ['a'.repeat(257), `"${'a'.repeat(40)}…" is longer than 256`],
    ['{a,b}'.repeat(12), 'more than 1000 alternatives'],
  ])('%j is refused: %s', (pattern, words) => {
    expect(() => compileTagPatterns([pattern])).toThrow(words)
  })

  test.each([
    '*a'.repeat(40) + 'b',
    '/(a+)+b/',
    '/(a|aa)+$/',
    '/(.*)(.*)(.*)(.*)(.*)(.*)(.*)x/',
    '{a,aa}*'.repeat(9) + 'b',
  ])('%j cannot hang', (pattern) => {
    const started = process.cpuUsage()
    for (let i = 0; i < 20; i++) matches(pattern, 'a'.repeat(128))
    // Processor time, which a busy machine does not stretch.
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000)
  })
})

describe('a package name pattern', () => {
  test.each<[pattern: string, hits: string[], misses: string[]]>([
    ['*', ['api', 'team/api', 'a/b/c'], []],
    ['team/*', ['team/api', 'team/a/b'], ['api', 'teams/x']],
    ['tmp/**', ['tmp/a', 'tmp/a/b'], ['tmp', 'x/tmp/a']],
    ['*-dev', ['api-dev', 'team/api-dev'], ['dev', 'api-dev-2']],
    ['API-*', ['api-1'], ['web-1']],
  ])('%j', (pattern, hits, misses) => {
    const [compiled] = compileNamePatterns([pattern]).include
    expect(hits.filter((name) => compiled?.matches(name) !== true)).toEqual([])
    expect(misses.filter((name) => compiled?.matches(name) !== false)).toEqual([])
  })

  test('is never a regular expression', () => {
    expect(() => compileNamePatterns(['/a+/'])).toThrow('globs only')
    expect(() => compileNamePatterns(['/api'])).toThrow('globs only')
    expect(() => compileNamePatterns(['api/'])).not.toThrow()
  })

  test('is refused when it can never match', () => {
    expect(() => compileNamePatterns(['a(b)'])).toThrow('no package name has a "(" in it')
  })

  test.each([
    ['api', false],
    ['team/api', false],
    ['!api', true],
    ['a*', true],
    ['a?', true],
    ['[ab]', true],
    ['{a,b}', true],
  ])('%j needs a listing: %j', (entry, expected) => {
    expect(needsListing(entry)).toBe(expected)
  })
})

test.each(['[]', 'pr-[]', '{}', 'pr-{}', '!{}'])('%s stands for nothing and is refused', (glob) => {
  expect(() => compileTagPatterns([glob])).toThrow('can never match')
})

test.each(['v[0-9]', '{a,}', 'v[!0-9]'])('%s stands for something', (glob) => {
  expect(() => compileTagPatterns([glob])).not.toThrow()
})

test.each([
  ['latest,v*', 'write "latest" and "v*" as entries of their own'],
  ['{latest}', 'is one alternative'],
  ['^v1', 'has a "^" in it'],
  ['a!b', 'has a "!" in it'],
  ['v\\d', 'stand between slashes'],
])('%s is a slip that would protect nothing, and is refused', (glob, words) => {
  expect(() => compileTagPatterns([glob])).toThrow(words)
})

test.each(['{a,b}', '{a,{b,c}}-*', 'v{1..3}', '[,]', '[^a]'])('%s is as it has to be', (glob) => {
  expect(() => compileTagPatterns([glob])).not.toThrow()
})
