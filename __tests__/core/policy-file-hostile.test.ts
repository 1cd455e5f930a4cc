import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { mistakeText, readPolicyFile } from '../../src/policy/file/read-policy.js'
import { goodFiles, mistakesOf, setOf } from './policy-files.js'

/** Whatever a file holds, it is a policy, or every mistake is at a place that the file has. */
function expectAnAnswer(text: string): void {
  const read = readPolicyFile(text, 'policy.yml')
  if ('set' in read) {
    expect(read.set.entries.length).toBeGreaterThan(0)
    return
  }
  const lines = text.replace(/^\ufeff/, '').split('\n')
  const odd = read.mistakes.filter(({ line, column, message }) => {
    const width = lines[line - 1]?.length ?? -1
    return column < 1 || column > width + 1 || message === '' || message.length > 900
  })
  expect(odd.map(mistakeText)).toEqual([])
  expect(read.mistakes.length).toBeGreaterThan(0)
}

const texts = Object.values(goodFiles)
const words = texts.flatMap((text) => text.match(/[\w.*/-]+|[^\w\s]|\s+/g) ?? [])

/** One change: some characters are replaced by a word of a policy, by a mark of YAML or by anything. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 12 }),
  text: fc.oneof(
    fc.constantFrom(...words),
    fc.constantFrom(
      '\t',
      '\n',
      ' ',
      '- ',
      ': ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '#',
      '&a ',
      '*a',
      '<<: ',
      '!',
      '|\n',
      '>',
      '%',
      '---\n',
      '? ',
      '~',
      '0',
      '-1',
      '1.5',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constant(''),
  ),
})

const changedFile = fc
  .tuple(fc.constantFrom<string>(...texts), fc.array(change, { minLength: 1, maxLength: 6 }))
  .map(([text, changes]) =>
    changes.reduce((before, { at, length, text: inserted }) => {
      const from = Math.floor(at * before.length)
      return before.slice(0, from) + inserted + before.slice(from + length)
    }, text),
  )

test('a file with random changes is a policy, or its mistakes are told where they are', () => {
  fc.assert(fc.property(changedFile, expectAnAnswer), { numRuns: 1500 })
})

test('so is any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectAnAnswer), {
    numRuns: 500,
  })
})

/** Any value where the language has keys. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom<unknown>(
      ...words,
      1,
      0,
      5,
      -1,
      1.5,
      true,
      false,
      null,
      '30d',
      'pr-{number}',
      'gone',
      'over',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'version',
        'defaults',
        'packages',
        'match',
        'rules',
        'name',
        'keep',
        'delete',
        'when',
        'tags',
        'untagged',
        'ref',
        'older-than',
        'newest',
        'keep_latest',
        'retention',
        'protect',
        'unmatched',
        '__proto__',
      ),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value

test('so is any value, in the place of any other', () => {
  const rule = { name: 'it', delete: anything, when: anything }
  const file = fc.oneof(
    anything,
    fc.record({ version: fc.constant(1), defaults: anything, packages: anything }),
    fc.record({
      version: fc.constant(1),
      defaults: fc.record({
        rules: fc.array(fc.record({ ...rule, name: fc.constant('it') }), { maxLength: 3 }),
      }),
      packages: fc.array(
        fc.record({ match: anything, rules: fc.array(anything, { maxLength: 2 }) }),
        { maxLength: 2 },
      ),
    }),
  )
  fc.assert(
    fc.property(file, (value) => {
      expectAnAnswer(JSON.stringify(value, undefined, 1) + '\n')
    }),
    { numRuns: 1000 },
  )
})

/** Fills a file up to the size that is still read. */
const full = (before: string, part: string, after = '') =>
  before + part.repeat(Math.floor((1_000_000 - before.length) / part.length)) + after

describe('files that stand for more than they look are bounded:', () => {
  const nested = (level: number) => `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`
  const bomb = ['a0: &a0 x', ...Array.from({ length: 40 }, (_, at) => nested(at + 1))].join('\n')
  const keys = Array.from({ length: 2000 }, (_, at) => `k${at}: 1`).join(', ')
  const protect = (pattern: string) =>
    full('version: 1\ndefaults: { protect: [', `${pattern},`, ']}\n')

  test.each<[name: string, text: string, mistake: RegExp]>([
    ['aliases of aliases', bomb, /^1:1: the file stands for more than 200000 values$/],
    [
      'merge keys',
      `a: &a { ${keys} }\nb: { <<: [${'*a,'.repeat(2000)}] }\n`,
      /more than 200000 values/,
    ],
    ['deep lists', full('', '['), /nested more than 64 levels deep/],
    ['deep maps', full('', '{a: '), /nested more than 64 levels deep/],
    ['deep block lists', full('', '- '), /nested more than 64 levels deep/],
    ['many keys', full('', 'a: 1\n'), /longer than any policy/],
    ['many documents', full('', '---\n'), /longer than any policy/],
    ['many syntax errors', full('', '}'), /further mistakes; the first 100 are told$/],
    [
      'braces in globs',
      protect('"{1..1000}"'),
      /defaults\.protect\[\d+\]: up to here the patterns/,
    ],
    ['globs of many forms', protect(`"${'{a,b}'.repeat(9)}"`), /up to here the patterns/],
    ['repetitions', protect(`'/${'a{1000}'.repeat(30)}/'`), /up to here the patterns/],
    ['classes of Unicode', protect(`'/${'\\pL'.repeat(80)}/'`), /up to here the patterns/],
    ['size', 'x'.repeat(1024 * 1024 + 1), /^1:1: the file is longer than 1 MiB/],
  ])('%s', (_, text, mistake) => {
    expect(mistakesOf(text).join('\n')).toMatch(mistake)
  })

  test('entries that each have all rules of defaults', () => {
    const rules = Array.from({ length: 5000 }, (_, at) => `{name: r${at}, keep: {tags: a}},`)
    const entries = Array.from({ length: 5000 }, (_, at) => `{match: p${at}, keep-latest: 1},`)
    const text = `version: 1\ndefaults: { rules: [${rules.join('')}] }\npackages: [${entries.join('')}]\n`
    expect(mistakesOf(text)).toEqual([
      '3:1 packages: the rules of all entries, each with those of "defaults", are 25005000; 200000 is the most',
    ])
  })

  test('and where there are very many mistakes, the first hundred are told', () => {
    const text = `version: 1\n${Array.from({ length: 3000 }, (_, at) => `key${at}: 1\n`).join('')}`
    const mistakes = mistakesOf(text)
    expect(mistakes).toHaveLength(101)
    expect(mistakes[99]).toMatch(/^101:1 key99: is no key/)
    expect(mistakes[100]).toBe(
      '102:1: from here on there are further mistakes; the first 100 are told',
    )
  })
})

test('two thousand rules are read in well under a second', () => {
  const rule = (at: number) =>
    `    - name: rule ${at}\n      delete: { tags: ["ci-${at}-*", "/pr-${at}-\\\\d+/"] }\n      when: { older-than: ${at}d }\n`
  const text = `version: 1\ndefaults:\n  rules:\n${Array.from({ length: 2000 }, (_, at) => rule(at)).join('')}`
  setOf(text)
  const before = process.cpuUsage()
  expect(setOf(text).entries[0]?.policy.rules).toHaveLength(2000)
  const { user, system } = process.cpuUsage(before)
  // What the processor worked, so that a busy machine says nothing of it; this is some times of what it takes.
  expect((user + system) / 1e6).toBeLessThan(3)
})
