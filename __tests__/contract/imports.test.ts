import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => file.replaceAll('\\', '/'))

/** What a source file imports: our own files by their path below src, packages by name. */
function importsOf(file: string): string[] {
  const text = readFileSync(join('src', file), 'utf8')
  const sources = text.matchAll(/^(?:import|export)\s(?:[^;'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm)
  return [...sources].map(([, source = '']) =>
    source.startsWith('.')
      ? normalize(join(dirname(file), source)).replace(/\.js$/, '.ts')
      : source,
  )
}

const isCore = (file: string) =>
  /^(?:policy|references|report)\//.test(file) ||
  [
    'model.ts',
    'errors.ts',
    'oci.ts',
    'graph.ts',
    'images.ts',
    'image-reference.ts',
    'decisions.ts',
    'selector.ts',
    'second-look.ts',
    'relations.ts',
    'ports.ts',
    'nearest.ts',
    'references.ts',
  ].includes(file)
const edges = ['packages.ts', 'repositories.ts', 'registry.ts', 'manifests.ts', 'deleter.ts']
const room = (file: string) => (file.includes('/') ? `${file.split('/')[0] ?? ''}/` : file)

describe('imports run one way', () => {
  test.each(files.filter(isCore))(
    '%s is pure: it imports the core and pure libraries only',
    (file) => {
      const pure = ['zod', 'ms', 'minimatch', 're2js', 'semver', 'yaml']
      const foreign = importsOf(file).filter((source) => !isCore(source) && !pure.includes(source))
      expect(foreign).toEqual([])
    },
  )

  test.each(files.filter(isCore))('%s reads no clock and no environment', (file) => {
    const text = readFileSync(join('src', file), 'utf8')
    expect(text).not.toMatch(
      /\bDate\.now\b|\bnew Date\(\)|\bprocess\.|\bMath\.random\b|\bconsole\./,
    )
  })

  test.each(edges)('the edge %s knows no other edge', (file) => {
    const others = importsOf(file).filter(
      (source) =>
        source !== file && (edges.includes(source) || /^(?:hosts|emulator|demo)\//.test(source)),
    )
    expect(others).toEqual([])
  })

  test('only the entries, the demonstration and the command line import main', () => {
    const users = files.filter((file) => importsOf(file).includes('main.ts')).sort()
    expect(users).toEqual(['cli.ts', 'command-line.ts', 'demo/demo.ts', 'index.ts'])
  })

  test.each(files.filter((file) => file.startsWith('emulator/')))('%s stands alone', (file) => {
    const others = importsOf(file).filter(
      (source) => source.endsWith('.ts') && room(source) !== 'emulator/',
    )
    expect(others).toEqual([])
  })
})
