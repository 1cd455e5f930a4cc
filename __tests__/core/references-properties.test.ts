import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { referencesIn, usesOf, type ImageNames } from '../../src/references.js'

const images: ImageNames = { registry: 'ghcr.io', account: 'acme', repository: 'acme/shop' }
const { PROPERTY_CASES: cases = '1000', PROPERTY_SEED: seed } = process.env
const numRuns = Number(cases)
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

describe('whatever a file holds', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/)
  const name = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)
  const junk = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'image: ',
          'tag: ',
          'repository: ',
          '- ',
          '  ',
          '{',
          '}',
          '[',
          ']',
          '"',
          "'",
          '{{',
          '}}',
          '${',
          '$A',
          '$(',
          ')',
          'A=',
          '<',
          '>',
          ':',
          '@',
          '/',
          '#',
          '&a ',
          '*a',
          '<<: *a',
          '|',
          '>-',
          '---',
          'ghcr.io/',
          'ghcr.io/acme/',
          'oci://',
          'FROM ',
          digest,
          '\r',
          '\t',
          '\\',
          ',',
          'newName: ',
          'version: ',
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join(''))
  const file = fc.constantFrom('a.yml', 'a.json', 'Dockerfile', 'a.txt')

  test('it never fails, and no line is beyond the end', () => {
    fc.assert(
      fc.property(fc.array(junk), file, (lines, path) => {
        for (const { line, reference } of referencesIn(lines.join('\n'), path, images)) {
          expect(line).toBeLessThanOrEqual(lines.length)
          expect(reference.length).toBeLessThanOrEqual(200)
        }
      }),
      { numRuns },
    )
  })

  test('a plain reference is found, at its line', () => {
    const reference = fc.record({ name, tag: fc.option(tag), pinned: fc.boolean() })
    const frame = fc.constantFrom(
      ['', ''],
      ['image: ', ''],
      ['- "', '"'],
      ['# ', ' # x'],
      ["FROM --platform=$P '", "' AS x"],
      ['{"image":"', '"}'],
      ['x=', ',y'],
      ['`', '`'],
      ['docker://', ' '],
    )
    fc.assert(
      fc.property(
        fc.array(junk),
        reference,
        fc.array(junk),
        frame,
        file,
        (before, one, after, [left, right], path) => {
          const text = `ghcr.io/acme/${one.name}${one.tag === null ? '' : `:${one.tag}`}${one.pinned ? `@${digest}` : ''}`
          const lines = [...before, `${left}${text}${right}`, ...after].join('\n')
          const line = before.join('\n').split('\n').length + (before.length === 0 ? 0 : 1)
          const found = referencesIn(lines, path, images).filter((each) => each.line === line)
          const { uses } = usesOf(found, one.name)
          if (one.pinned) expect(uses.has(digest)).toBe(true)
          if (one.tag !== null) expect(uses.has(one.tag)).toBe(true)
          if (one.tag === null && !one.pinned)
            expect(found.map((each) => each.package)).toContain(one.name)
        },
      ),
      { numRuns },
    )
  })

  test('a reference in parts is found, whatever the order of its keys', () => {
    const parts = fc.record({
      name,
      tag,
      pinned: fc.boolean(),
      split: fc.boolean(),
      seed: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
    })
    const style = fc.constantFrom('block', 'flow', 'json')
    fc.assert(
      fc.property(parts, style, fc.constantFrom('a.yml', 'a.txt'), (one, how, path) => {
        const fields: [string, string][] = [
          ['repository', one.split ? `acme/${one.name}` : `ghcr.io/acme/${one.name}`],
          ['tag', one.tag],
          ['pullPolicy', 'Always'],
          ...(one.split ? ([['registry', 'ghcr.io']] as [string, string][]) : []),
          ...(one.pinned ? ([['digest', digest]] as [string, string][]) : []),
        ]
        const shuffled = fields
          .map((entry, index) => ({ entry, key: one.seed[index] ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ entry }) => entry)
        const block = shuffled.map(([key, value]) => `  ${key}: "${value}"`).join('\n')
        const json = JSON.stringify(
          { image: Object.fromEntries(shuffled) },
          null,
          how === 'json' ? 2 : 0,
        )
        const text = how === 'block' ? `image:\n${block}\n` : json
        fc.pre(how !== 'flow' || path === 'a.yml')
        const { uses, unknown } = usesOf(referencesIn(text, path, images), one.name)
        expect([...uses.keys()]).toContain(one.tag)
        expect(uses.has(digest)).toBe(one.pinned)
        expect(unknown).toEqual([])
        expect(uses.has('latest') && one.tag !== 'latest').toBe(false)
      }),
      { numRuns },
    )
  })
})
