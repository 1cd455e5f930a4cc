import { expect, test } from '@jest/globals'
import { compileGroupBy } from '../../src/policy/group-by.js'

test.each(['major', 'minor'])('%s stands for a part of the version', (source) => {
  expect(compileGroupBy(source)).toEqual({ kind: source })
})

test.each<[source: string, tag: string, key: string | undefined]>([
  ['/(.+)-\\d+/', 'main-12', 'main'],
  ['/(.+)-\\d+/', 'release-2-7', 'release-2'],
  ['/(.+)-\\d+/', 'main', undefined],
  ['/(.+)-\\d+/', 'main-12-debug', undefined],
  ['/v(?P<line>\\d+)(?:\\.\\d+)*/', 'v12.4', '12'],
  ['/a(b)?/', 'ab', 'b'],
  ['/a(b)?/', 'a', undefined],
  ['/a(b*)/', 'a', ''],
])('%j takes of %j the key %j', (source, tag, key) => {
  const groupBy = compileGroupBy(source)
  expect(groupBy).toMatchObject({ kind: 'expression', source })
  expect(groupBy.kind === 'expression' && groupBy.keyOf(tag)).toBe(key)
})

test.each([
  ['patch', '"patch" is nothing to group by; it takes major, minor, or an expression'],
  ['(.+)-\\d+', 'is nothing to group by'],
  ['/a/', '"/a/" has no group; it takes exactly one'],
  ['/(?:a)/', 'has no group'],
  ['/(a)(b)/', '"/(a)(b)/" has 2 groups; it takes exactly one'],
  ['/(a/', 'is not a regular expression in RE2 syntax'],
  ['/(a)', 'does not end like one'],
  ['/', 'does not end like one'],
  [`/(${'a'.repeat(256)})/`, 'is longer than 256 characters'],
])('nothing can be grouped by %j', (source, words) => {
  expect(() => compileGroupBy(source)).toThrow(words)
})
