import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { policyJsonSchema } from '../../src/policy/file/json-schema.js'
import { parseDuration } from '../../src/policy/durations.js'
import { goodFiles, mistakesOf } from './policy-files.js'

const validate = new Ajv({ strict: true, strictRequired: false }).compile(policyJsonSchema())
const isValid = (text: string) => validate(parse(text, { merge: true }))

test('the schema beside the code says what the code says', () => {
  const file: unknown = JSON.parse(readFileSync('schema/policy.schema.json', 'utf8'))
  expect(file).toEqual(JSON.parse(JSON.stringify(policyJsonSchema())))
})

test('it is of the draft that the YAML language server checks by, and has a name', () => {
  expect(policyJsonSchema()).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: expect.stringMatching(/^https:.*\/policy\.schema\.json$/),
    title: expect.any(String),
  })
})

test.each(Object.entries(goodFiles))('it takes %s', (_, text) => {
  expect([isValid(text), validate.errors]).toEqual([true, null])
})

describe('it refuses, as the code does,', () => {
  const bare = 'version: 1\nkeep-latest: 5\n'
  const block = (keys: string) => `${bare}defaults: { ${keys} }\n`
  const rule = (text: string) => block(`rules: [{ ${text} }]`)
  const selector = (text: string) => rule(`name: it, delete: { ${text} }`)
  const when = (text: string) => rule(`name: it, keep: { tags: a }, when: { ${text} }`)

  test.each([
    ['a file without a version', 'keep-latest: 5\n'],
    ['another version', 'version: 2\nkeep-latest: 5\n'],
    ['a list', '- version: 1\n'],
    ['an unknown key', `${bare}grace: 1d\n`],
    ['a bare number for a duration', block('grace: 30')],
    ['an unknown unit', block('grace: 2 fortnights')],
    ['a number for a pattern', block('protect: [1.10]')],
    ['a share of more than all', block('max-deletions: 101%')],
    ['a negative ceiling', block('max-deletions: -1')],
    ['an unknown word', block('unmatched: remove')],
    ['a word for true', block('read-labels: "yes"')],
    ['half a repository', block('repository: acme')],
    ['a short digest', block('protect-digests: "sha256:abc"')],
    ['an empty list of packages', 'version: 1\npackages: []\n'],
    ['an entry without a match', 'version: 1\npackages: [{ keep-latest: 1 }]\n'],
    ['a rule without a name', rule('delete: { tagged: true }')],
    ['a name with a slash', rule('name: a/b, delete: { tagged: true }')],
    ['a rule that keeps and deletes', rule('name: it, delete: { tags: a }, keep: { tags: b }')],
    ['a condition beside "when"', rule('name: it, delete: { tagged: true }, older-than: 1d')],
    ['an empty selector', selector('')],
    ['no conditions', when('')],
    ['a kind that is not asked for', selector('tagged: false')],
    ['an empty list of tags', selector('tags: []')],
    ['a fraction', when('newest: 1.5')],
    ['a count of none', when('newest: 0')],
    ['a grouping without a count', when('group-by: major')],
    ['a count of groups without a grouping', when('newest-groups: 2')],
    ['a part of a version that nothing is grouped by', when('group-by: patch, newest-groups: 1')],
    ['a question that GHCR does not answer', when('last-pulled: 30d')],
    [
      'empty conditions',
      'version: 1\ndefaults: { rules: [{ name: a, delete: { tags: a }, when: }]}',
    ],
  ])('%s', (_, text) => {
    expect(isValid(text)).toBe(false)
    expect(mistakesOf(text)).not.toEqual([])
  })
})

test('every key has a description', () => {
  const lacking: string[] = []
  const visit = (schema: unknown, path: string) => {
    if (typeof schema !== 'object' || schema === null) return
    const { properties } = schema as { properties?: Record<string, { description?: string }> }
    for (const [key, value] of Object.entries(properties ?? {})) {
      if (!/^[A-Z`].{19}.*\.$/s.test(value.description ?? '')) lacking.push(`${path}.${key}`)
    }
    for (const [key, value] of Object.entries(schema)) visit(value, `${path}.${key}`)
  }
  visit(policyJsonSchema(), '')
  expect(lacking).toEqual([])
})

test.each([
  '0s',
  '30d',
  '2w 3d',
  '1h30m',
  '1 day 2 hours',
  ' 4w ',
  '168h0m0s',
  '6M',
  '3 years 1 week',
  '1sec',
  '',
  '30',
  'd',
  '-1d',
  '1.5h',
  '1D',
  '5Min',
  '10ms',
  '1 fortnight',
  '1d,2h',
  '1d 30',
  '1e3d',
  '9999999999d',
  '12 hrs',
  '1 wk',
  '2 mins',
  '1 secs',
  '1 yr',
])('its pattern of durations takes %j if and only if the code does', (text) => {
  const file = JSON.stringify({ version: 1, 'untagged-ttl': text })
  expect(isValid(file)).toBe(parseDuration(text) !== undefined)
})
