import { describe, expect, test } from '@jest/globals'
import { referencesIn, type ImageNames } from '../../src/references.js'

const images: ImageNames = { registry: 'ghcr.io', account: 'acme', repository: 'acme/shop' }

describe('a file that nobody wrote by hand', () => {
  const filled = (text: string) => text.repeat((64 * 1024) / text.length)

  test.each([
    'a',
    '$',
    '${',
    '${A:-',
    '{{',
    '${{ ',
    '{%',
    '#{',
    '$(',
    '%a',
    '<a',
    '[',
    '{"a":',
    '- ',
    '? ',
    ': ',
    '! ',
    '"',
    "'",
    '\\',
    '\n',
    '---\n',
    'a:\n',
    'a: |\n',
    '&a ',
    '*a ',
    'ghcr.io/',
    'ghcr.io/acme/',
    'ghcr.io/acme/a:',
    'ghcr.io/acme/a:${',
    '${A}',
    '$A/acme/',
    'name: ghcr.io/acme/a\n',
    'repository: ghcr.io/acme/a\ntag: 1\n',
    'A=$A$A\n',
    'A=1 ',
    '{{ x }}',
    '{{ x }}\n',
    '"\\u0041" ',
    'oci://ghcr.io/acme/a ',
    'oci://ghcr.io/acme/a \\\n',
    '<<: *a\n',
    '- <<: [*a, *a]\n',
    'sha256:',
    'FROM ${A}/a:1\n',
    '--set a.tag=1,',
    '--set "${{ ',
    '--set=a\\\n',
    '- { name: a.tag, value: 1 }\n',
  ])('is read within seconds when it is full of %j', (text) => {
    const start = performance.now()
    for (const file of ['values.yaml', 'Dockerfile'])
      for (const before of ['', 'image: ', 'a: &a { repository: ghcr.io/acme/api }\nb:\n  '])
        referencesIn(before + filled(text), file, images)
    expect(performance.now() - start).toBeLessThan(20_000)
  })
})
