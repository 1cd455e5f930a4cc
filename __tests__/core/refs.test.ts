import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { Refs } from '../../src/model.js'
import {
  branchSlugs,
  compileRefPattern,
  hasPlaceholder,
  refSlug,
  refState,
} from '../../src/policy/refs.js'

/** What a tag names by a template: numbers of pull requests, and branches as they stand in the tag. */
function named(template: string, tag: string): (string | number)[] {
  const { refsOf, matches } = compileRefPattern(template)
  const names = refsOf(tag)
  expect(matches(tag)).toBe(names.length > 0)
  return names.map((name) => (name.kind === 'branch' ? name.slug : name.number))
}

describe('a template', () => {
  test.each<[template: string, tag: string, names: (string | number)[]]>([
    ['pr-{number}', 'pr-12', [12]],
    ['pr-{number}', 'pr-0012', [12]],
    ['pr-{number}', 'pr-', []],
    ['pr-{number}', 'pr-0', []],
    ['pr-{number}', 'pr-12a', []],
    ['pr-{number}', 'pr-12-amd64', []],
    ['pr-{number}', 'PR-12', []],
    ['pr-{number}', 'xpr-12', []],
    ['pr-{number}', 'pr-12345678901', []],
    ['{number}', '7', [7]],
    ['{number}-pr', '7-pr', [7]],
    ['{number}-pr', '7-pr-pr', []],
    ['pr-{number}-*', 'pr-12-amd64', [12]],
    ['pr-{number}-*', 'pr-12-34-56', [12]],
    ['pr-{number}-*', 'pr-12-', [12]],
    ['pr-{number}-*', 'pr-12', []],
    ['pr-{number}*', 'pr-12', [12, 1]],
    ['pr-{number}*', 'pr-12-amd64', [12, 1]],
    ['pr-{number}0', 'pr-1200', [120]],
    ['{branch}', 'feature-x', ['feature-x']],
    ['{branch}', 'Feature_X.1', ['Feature_X.1']],
    ['br-{branch}', 'br-', []],
    ['br-{branch}.arm', 'br-x.arm', ['x']],
    ['br-{branch}.arm', 'br-x.amd', []],
    ['{branch}-*', 'a-b-c', ['a-b', 'a']],
    ['{branch}-*', 'a', []],
    ['{branch}*', 'abc', ['abc', 'ab', 'a']],
    ['a.b-{branch}', 'axb-x', []],
    ['aa{branch}aa', 'aaa', []],
    ['aa{branch}aa*', 'aaa', []],
  ])('%s reads %s as %j', (template, tag, names) => {
    expect(named(template, tag)).toEqual(names)
  })

  test('says what it looks for', () => {
    const kinds = ['pr-{number}', '{branch}'].map((template) =>
      compileRefPattern(template)
        .refsOf('pr-1')
        .map(({ kind }) => kind),
    )
    expect(kinds).toEqual([['pull request'], ['branch']])
    expect(compileRefPattern('pr-{number}').source).toBe('pr-{number}')
  })

  test.each([
    ['latest', '"latest" names nothing to look up: it takes {number} or {branch}'],
    ['pr-*', 'names nothing to look up'],
    ['pr-{pr}', '"pr-{pr}" has {pr}; there are {number} for a pull request and {branch}'],
    ['pr-{Number}', 'has {Number}; there are {number}'],
    ['pr-{}', 'has {}; there are'],
    ['{branch}-{number}', 'has {branch} and {number}; it takes one placeholder'],
    ['{number}-{number}', 'has {number} and {number}; it takes one'],
    ['{branch}-{v1,v2}', 'has {branch} and {v1,v2}; it takes one'],
    ['/pr-{number}/', '"/pr-{number}/" is a regular expression'],
    ['!pr-{number}', '"!pr-{number}" cannot exclude; that is what not-tags is for'],
    ['*-{number}', 'takes a "*" only once, at its end'],
    ['pr-{number}-*-x', 'takes a "*" only once, at its end'],
    ['pr-{number}**', 'takes a "*" only once, at its end'],
    ['pr-{number}?', 'has a "?"; around the placeholder stands literal text'],
    ['pr-[ab]{number}', 'has a "["; around the placeholder stands literal text'],
    ['{pr-{number}', 'has a "{"; around the placeholder stands literal text'],
    ['pr/{number}', '"pr/{number}" can never match: no tag has a "/" in it'],
    ['pr {number}', 'can never match: no tag has a " " in it'],
    ['-{branch}', 'can never match: no tag begins with "-"'],
    [`${'x'.repeat(257)}{branch}`, `"${'x'.repeat(40)}…" is longer than 256 characters`],
  ])('%s is refused: %s', (template, words) => {
    expect(() => compileRefPattern(template)).toThrow(words)
  })

  test('finds any number and any text again that it was made with', () => {
    const literal = fc.stringMatching(/^[\w.-]{0,20}$/)
    const placed = fc.oneof(
      fc.nat({ max: 999_999 }).map((number) => ['{number}', String(number + 1)] as const),
      fc.stringMatching(/^[\w.-]{1,60}$/).map((text) => ['{branch}', text] as const),
    )
    const property = fc.property(
      literal,
      placed,
      literal,
      fc.boolean(),
      (a, [name, is], b, open) => {
        const names = named(`x${a}${name}${b}${open ? '*' : ''}`, `x${a}${is}${b}${open ? b : ''}`)
        expect(names.map(String)).toContain(is)
      },
    )
    fc.assert(property)
  })

  test('takes no time over a tag as long as a book', () => {
    const started = performance.now()
    expect(named('{branch}a*', 'a'.repeat(1_000_000))).toEqual([])
    expect(named('{branch}a*', 'a'.repeat(128))).toHaveLength(127)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

test.each([
  ['pr-{number}', true],
  ['{branch}-*', true],
  ['{Branch}', true],
  ['v{1,2}', false],
  ['{number,branch}', false],
  ['branch', false],
])('%s has a placeholder: %s', (source, has) => {
  expect(hasPlaceholder(source)).toBe(has)
})

test.each([
  ['main', 'main'],
  ['feature/Login_Page', 'feature-login-page'],
  ['-x--#5.', 'x-5'],
  ['crème-brûlée', 'creme-brulee'],
  ['修复', ''],
])('the branch %s is %j in a tag', (branch, slug) => {
  expect(refSlug(branch)).toBe(slug)
})

/** A repository with these open pull requests and branches. */
const repository = (pulls: number[], branches: string[]): Refs => ({
  openPullRequests: new Set(pulls),
  branches: branchSlugs(branches),
})
const pull = (number: number) => ({ kind: 'pull request', number }) as const
const branch = (slug: string) => ({ kind: 'branch', slug }) as const
const long =
  'renovate/Major-React_monorepo/with a-very-long-name/that-no-tool-leaves-whole-as-it-is'

describe('a branch counts as there', () => {
  const sanitizings: [how: string, sanitize: (name: string) => string][] = [
    ['as it is', (name) => name],
    ['with each odd character as a dash', (name) => name.replace(/[^\w.-]/g, '-')],
    ['with a run of odd characters as a dash', (name) => name.replace(/[^\w.-]+/g, '-')],
    ['with slashes as underscores', (name) => name.replaceAll('/', '_').replace(/[^\w.-]+/g, '-')],
    ['with slashes as dots', (name) => name.replaceAll('/', '.').replace(/[^\w.-]+/g, '-')],
    ['without what is odd', (name) => name.replace(/[^\w.-]/g, '')],
    ['with letters and digits only', (name) => name.replace(/[^a-z0-9]/gi, '')],
    ['in lower case', (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-')],
    ['trimmed', (name) => name.replace(/[^a-z0-9]+/gi, '-').replace(/^-+|-+$/g, '')],
    ['without accents', (name) => name.normalize('NFKD').replace(/[^\w/.-]/g, '')],
    ['in small letters', (name) => name.toLowerCase().replace(/[^\w.-]/g, '')],
  ]
  const names = ['main', 'feature/x', 'Fix/#12__b', 'a--b', 'crème/brûlée', 'v1.2', '修复', long]

  test.each(sanitizings)('%s', (_how, sanitize) => {
    for (const name of names) {
      const { state } = refState(repository([], [name]), [branch(sanitize(name))])
      expect([name, state]).toEqual([name, 'exists'])
    }
  })

  test.each([
    ['a\u0300x', 'ax'],
    ['\u00e0x', 'ax'],
    ['\u00e0x', 'x'],
    ['a\u0300x', 'x'],
    ['\u212ax', 'x'],
    ['\u212ax', 'kx'],
    ['\uff38y', 'xy'],
    ['\uff38y', 'y'],
    ['\u0130\u00e0x', 'ix'],
  ])('%s as %s, whatever a tool makes of other letters', (name, tag) => {
    expect(refState(repository([], [name]), [branch(tag)]).state).toBe('exists')
  })

  test.each([20, 40, 53, 63, 64, 80])('when it was cut off after %d characters', (at) => {
    const refs = repository([], [long])
    for (const [, sanitize] of sanitizings) {
      expect(refState(refs, [branch(sanitize(long).slice(0, at))]).state).toBe('exists')
    }
  })

  test('however any of these tools writes any name', () => {
    const anyName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
    const anyTool = fc.constantFrom(...sanitizings.map(([, sanitize]) => sanitize))
    const property = fc.property(anyName, anyTool, fc.constantFrom(63, 128), (name, tool, at) => {
      const { state } = refState(repository([], [name]), [branch(tool(name).slice(0, at))])
      expect(state).toBe('exists')
    })
    fc.assert(property)
  })

  test.each([
    ['a short beginning of another name', 'feature/x2', 'feature-x'],
    ['a longer name', 'feature/x', 'feature-x2'],
    ['another name of the same length', long, `${long.slice(0, -1)}x`],
    ['nothing', '', 'feature-x'],
  ])('but not by %s', (_story, name, tag) => {
    const branches = name === '' ? [] : [name]
    expect(refState(repository([], branches), [branch(tag)])).toEqual({
      state: 'gone',
      words: `branch ${tag} is gone`,
    })
  })
})

describe('what a tag names', () => {
  const refs = repository([12, 13], ['feature/x'])
  const halfKnown: Refs = { ...refs, openPullRequests: { why: 'GitHub answered 403' } }

  test.each([
    ['is open', [pull(12)], 'exists', 'pull request 12 is open'],
    ['is closed', [pull(14)], 'gone', 'pull request 14 is closed'],
    ['is there', [branch('feature-x')], 'exists', 'branch feature-x is there'],
    ['is gone', [branch('x')], 'gone', 'branch x is gone'],
    ['is partly open', [pull(1), pull(12)], 'exists', 'pull request 12 is open'],
    [
      'are two',
      [pull(14), branch('pr-14')],
      'gone',
      'pull request 14 is closed and branch pr-14 is gone',
    ],
    [
      'are three',
      [branch('a-b-c'), branch('a-b'), branch('a')],
      'gone',
      'branch a-b-c is gone, branch a-b is gone and branch a is gone',
    ],
    [
      'are many',
      [4, 3, 2, 1].map((at) => branch('a'.repeat(at))),
      'gone',
      'all 4 that the tag may name are gone',
    ],
    ['is nothing', [], 'unknown', 'the tag names no pull request and no branch'],
  ] as const)('%s', (_story, names, state, words) => {
    expect(refState(refs, names)).toEqual({ state, words })
  })

  test('is not known where it could not be looked up, which does not concern the other kind', () => {
    expect(refState(halfKnown, [pull(12)])).toEqual({
      state: 'unknown',
      words: 'whether pull request 12 is open is not known',
    })
    expect(refState(halfKnown, [branch('x')]).state).toBe('gone')
    expect(refState(undefined, [branch('x')])).toEqual({
      state: 'unknown',
      words: 'whether branch x is there is not known',
    })
  })

  test('is found by a slug alone', () => {
    const byHand: Refs = { ...refs, branches: new Set([refSlug('fix/Y')]) }
    expect(refState(byHand, [branch('Fix_Y')]).state).toBe('exists')
  })

  test('is never gone while one of it may be there', () => {
    expect(refState(halfKnown, [branch('x'), pull(14)]).state).toBe('unknown')
    expect(refState(halfKnown, [pull(14), branch('feature-x')]).state).toBe('exists')
  })
})
