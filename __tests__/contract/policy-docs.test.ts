import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { keysOf, type MapKind } from '../../src/policy/file/schema.js'
import { policyLines } from '../../src/run-log.js'
import { comparisonsIn, foundOf } from './comparisons.js'
import { codeIn, isCode, sectionsOf, type Part } from './markdown.js'
import {
  compile,
  examplesIn,
  isPolicy,
  outcomeOf,
  timeOfPage,
  withReasons,
} from './policy-examples.js'

/** Verdicts are written by people; UPDATE_EXAMPLES=1 writes down the reasons that the tool gives for them. */
if (process.env.UPDATE_EXAMPLES === '1')
  writeFileSync('docs/policy.md', await withReasons(readFileSync('docs/policy.md', 'utf8')))

const page = readFileSync('docs/policy.md', 'utf8')
const otherPage = readFileSync('docs/policy/other-registries.md', 'utf8')
const now = timeOfPage(page)
const sections = [page, otherPage].flatMap(sectionsOf)
const examples = examplesIn(page)

describe('the examples of docs/policy.md', () => {
  test.each(examples)('$title', async (example) => {
    for (const one of example.packages)
      expect(await outcomeOf(example, one, now)).toEqual(one.after)
  })

  test('are said in sentences as `describe` says them', () => {
    const described = sections.flatMap(({ parts }) => {
      const said = parts.filter(isCode).find(({ label }) => label.includes('describe'))
      const policy = parts.filter(isCode).find(isPolicy)
      return said && policy ? [{ said: said.text, policy: policy.text }] : []
    })
    expect(described).not.toEqual([])
    for (const { said, policy } of described)
      expect(policyLines(compile(policy)).join('\n')).toBe(said)
  })

  test('show every key that decides something', () => {
    const shown = examples.map(({ policy }) => policy).join('\n')
    const keys = new Set(Object.values(keysOf).flat())
    // These two decide nothing.
    for (const key of ['schedule', 'retention']) keys.delete(key)
    expect([...keys].filter((key) => !new RegExp(`[\\s{]${key}:`).test(shown))).toEqual([])
  })
})

describe('every policy on the pages', () => {
  const policies = sections.flatMap(({ title, parts }) =>
    parts.flatMap((part, at) =>
      isPolicy(part) ? [{ title, text: part.text, mistakes: mistakesIn(parts[at + 1]) }] : [],
    ),
  )

  test.each(policies.filter(({ mistakes }) => mistakes === undefined))(
    'is read without mistakes: $title',
    ({ text }) => {
      expect(compile(text).entries).not.toEqual([])
    },
  )

  test.each(policies.filter(({ mistakes }) => mistakes !== undefined))(
    'has the mistakes that are told beneath it: $title',
    ({ text, mistakes }) => {
      expect(() => compile(text)).toThrow(new Error(mistakes))
    },
  )

  test('is YAML that begins with its version', () => {
    const blocks = sections.flatMap(({ parts }) => parts).filter(isCode)
    const texts = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text)
    const known = /^(?:version: 1\n|# yaml-language-server:|- uses:|retention:|containers:)/
    expect(texts.filter((text) => !known.test(text))).toEqual([])
  })
})

/** A block of plain text under a policy says what is wrong with it. */
function mistakesIn(part: Part | undefined): string | undefined {
  return part !== undefined && isCode(part) && part.language === 'text' ? part.text : undefined
}

describe('the table of keys', () => {
  const table = sectionsOf(page).find(({ title }) => title === 'Keys')?.parts[0]
  const rows = table?.kind === 'table' ? table.rows : []

  test.each(Object.keys(keysOf) as MapKind[])('names the keys of %s', (kind) => {
    const named = rows.filter(([, where = '']) => where.split(', ').includes(kind))
    const keys = named.map(([key = '']) => codeIn(key)[0])
    expect(keys.toSorted()).toEqual(keysOf[kind].toSorted())
  })
})

describe('what other registries say', () => {
  test.each(comparisonsIn(otherPage))('$title', async (comparison) => {
    for (const one of comparison.packages)
      expect(await foundOf(comparison, one, timeOfPage(otherPage))).toEqual(one.written)
  })
})

describe('the policies in examples/', () => {
  const schemaLine =
    '# yaml-language-server: $schema=https://raw.githubusercontent.com/ghcr-retention/ghcr-retention/v1/schema/policy.schema.json'

  test.each(readdirSync('examples'))('%s is ready to use', (file) => {
    const text = readFileSync(`examples/${file}`, 'utf8')
    expect(text.split('\n')[0]).toBe(schemaLine)
    expect(compile(text).entries).not.toEqual([])
  })
})
