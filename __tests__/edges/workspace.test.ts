import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { RetentionError } from '../../src/errors.js'
import { readWorkspaceFiles } from '../../src/workspace.js'

const base = mkdtempSync(join(tmpdir(), 'workspace-'))
let root = base
let count = 0

beforeEach(() => {
  count += 1
  root = join(base, String(count), 'checkout')
  mkdirSync(root, { recursive: true })
})
afterAll(() => {
  rmSync(base, { recursive: true })
})

function write(...paths: string[]): void {
  for (const path of paths) content(path, `text of ${path}\n`)
}

function content(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  symlinkSync(target, join(root, path))
}

const asPatterns = (sources: readonly string[]) =>
  sources.map((source, index) => ({ source, origin: { place: `policy.yml:${index + 1}` } }))

const read = (...sources: string[]) => readWorkspaceFiles(root, asPatterns(sources))

async function paths(...sources: string[]): Promise<string[]> {
  return (await read(...sources)).files.map(({ path }) => path)
}

/** What is said when patterns are wrong, without the heading and the hint. */
async function mistakes(...sources: string[]): Promise<string[]> {
  const error: unknown = await read(...sources).catch((thrown: unknown) => thrown)
  if (!(error instanceof RetentionError)) throw new Error('nothing was wrong')
  expect(error.code).toBe('bad-input')
  expect(error.hint).toMatch(/Check the repository out before this step/)
  return error.message.split('\n  ').slice(1)
}

describe('files of the checkout', () => {
  test.each<[patterns: string[], found: string[]]>([
    [['deploy/api.yml'], ['deploy/api.yml']],
    [['./deploy/api.yml'], ['deploy/api.yml']],
    [['deploy/*.yml'], ['deploy/api.yml', 'deploy/web.yml']],
    [['deploy/**'], ['deploy/.env', 'deploy/api.yml', 'deploy/eu/api.yml', 'deploy/web.yml']],
    [['**/api.yml'], ['deploy/api.yml', 'deploy/eu/api.yml']],
    [['{deploy,.github}/*/*.yml'], ['.github/workflows/ci.yml', 'deploy/eu/api.yml']],
    [
      ['deploy/[aw]*.yml', '**/web.yml'],
      ['deploy/api.yml', 'deploy/web.yml'],
    ],
    [
      ['Dockerfile', 'deploy/web.yml'],
      ['Dockerfile', 'deploy/web.yml'],
    ],
    [
      ['.git/config', '**/node_modules/x/*.yml'],
      ['.git/config', 'node_modules/x/api.yml'],
    ],
    [['*'], ['Dockerfile']],
  ])('that %j names are read', async (patterns, found) => {
    write('Dockerfile', 'deploy/web.yml', 'deploy/api.yml', 'deploy/eu/api.yml', 'deploy/.env')
    write('.github/workflows/ci.yml', '.git/config', '.git/api.yml', 'node_modules/x/api.yml')
    expect(await paths(...patterns)).toEqual(found)
  })

  test('come with their text, each once, in the order of their paths', async () => {
    content('b.yml', '\ufeffé\r\n')
    content('a/z.yml', '')
    content('B.yml', 'x')
    expect(await read('**/*.yml', './b.yml')).toEqual({
      files: [
        { path: 'B.yml', text: 'x', sources: new Set(['**/*.yml']) },
        { path: 'a/z.yml', text: '', sources: new Set(['**/*.yml']) },
        { path: 'b.yml', text: 'é\r\n', sources: new Set(['**/*.yml', './b.yml']) },
      ],
      skipped: [],
    })
  })

  test('are not asked for when there is no pattern', async () => {
    expect(await readWorkspaceFiles('/does/not/exist', [])).toEqual({ files: [], skipped: [] })
  })

  test('are found without a look into folders that they cannot be in', async () => {
    write('deploy/api.yml', 'closed/x.yml')
    chmodSync(join(root, 'closed'), 0)
    write('x.yml')
    expect(await paths('deploy/**', '*.yml', '*')).toEqual(['deploy/api.yml', 'x.yml'])
    chmodSync(join(root, 'closed'), 0o700)
  })
})

describe('links', () => {
  test('within the checkout are followed, and never in a circle', async () => {
    write('releases/3/api.yml')
    link('current', 'releases/3')
    link('releases/3/up', '../..')
    link('releases/3/self', '.')
    link('one.yml', 'releases/3/api.yml')
    expect(await paths('**/*.yml')).toEqual(['current/api.yml', 'one.yml', 'releases/3/api.yml'])
    expect(await paths('current/*.yml')).toEqual(['current/api.yml'])
  })

  test('to folders outside are not followed, and told', async () => {
    mkdirSync(join(root, '../checkout-2'))
    writeFileSync(join(root, '../checkout-2/api.yml'), 'x')
    link('out', '../checkout-2')
    write('in/api.yml')
    expect(await read('**/api.yml')).toMatchObject({
      files: [{ path: 'in/api.yml' }],
      skipped: ['out'],
    })
    write('api.yml')
    expect(await read('*.yml', '*')).toMatchObject({ files: [{ path: 'api.yml' }], skipped: [] })
    expect(await mistakes('out/*.yml')).toEqual([
      'policy.yml:1: protect-from "out/*.yml" matches no file; "out" is a link that leads out of the working directory',
    ])
  })

  test('to files outside, or to nothing, are mistakes', async () => {
    writeFileSync(join(root, '../secret.yml'), 'x')
    link('a.yml', '../secret.yml')
    link('b.yml', 'gone.yml')
    link('c.txt', 'gone.txt')
    expect(await mistakes('*.yml')).toEqual([
      'policy.yml:1: protect-from "*.yml" matches "a.yml", which is a link that leads out of the working directory',
      'policy.yml:1: protect-from "*.yml" matches "b.yml", which cannot be read (ENOENT)',
    ])
  })
})

describe('a mistake', () => {
  test.each<[pattern: string, what: string]>([
    ['/etc/passwd', 'is absolute'],
    ['~/x.yml', 'is absolute'],
    ['C:\\x.yml', 'is absolute'],
    ['file:///x.yml', 'is absolute'],
    ['../x.yml', 'leads out of the working directory with ".."'],
    ['deploy/../../x.yml', 'leads out of the working directory with ".."'],
    ['deploy\\..\\x.yml', 'leads out of the working directory with ".."'],
    ['{deploy,..}/x.yml', 'leads out of the working directory with ".."'],
    ['!deploy/x.yml', 'is an exclusion'],
    ['', 'names no file'],
    ['./', 'names no file'],
    ['a'.repeat(257), 'is longer than 256 characters'],
    ['{a,b,c,d,e}{a,b,c,d,e}{a,b,c,d,e}.yml', 'stands for more than 100 alternatives'],
    ['nope/*.yml', 'matches no file; the working directory has "Dockerfile", "deploy"'],
    [
      'deploy/*.json',
      'matches no file; "deploy" has "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7" and 3 more',
    ],
    ['deploy', 'is a folder; "deploy/**" stands for the files in it'],
    ['deploy/eu/', 'is a folder; "deploy/eu/**" stands for the files in it'],
    ['deploy/eu/*', 'matches no file; "deploy/eu" is empty'],
  ])('is the pattern %j', async (pattern, what) => {
    write('Dockerfile', ...[...Array(10).keys()].map((index) => `deploy/a${index}`))
    mkdirSync(join(root, 'deploy/eu'))
    const [told, ...more] = await mistakes(pattern)
    expect(told).toMatch(`policy.yml:1: protect-from ${JSON.stringify(pattern)} ${what}`)
    expect(more).toEqual([])
  })

  test('is a checkout that was forgotten', async () => {
    expect(await mistakes('deploy/**', 'Dockerfile')).toEqual([
      'policy.yml:1: protect-from "deploy/**" matches no file; the working directory is empty',
      'policy.yml:2: protect-from "Dockerfile" matches no file; the working directory is empty',
    ])
  })

  test('is a working directory that is not there', async () => {
    root = join(root, 'gone')
    expect(await mistakes('deploy/**')).toEqual([
      'policy.yml:1: protect-from "deploy/**" cannot be looked up: there is no working directory',
    ])
  })

  test('is a file that is no text, or too large, and each is told', async () => {
    write('good.yml')
    content('binary.yml', new Uint8Array([0x7f, 0x45, 0, 1]))
    content('large.yml', 'x'.repeat(5 * 1024 * 1024 + 1))
    content('huge.yml', '')
    truncateSync(join(root, 'huge.yml'), 3 * 1024 ** 3)
    content('utf16.yml', Buffer.from('image: x', 'utf16le'))
    expect(await mistakes('*.yml', 'nope/**')).toEqual([
      'policy.yml:2: protect-from "nope/**" matches no file; the working directory has "binary.yml", "good.yml", "huge.yml", "large.yml", "utf16.yml"',
      'policy.yml:1: protect-from "*.yml" matches "binary.yml", which is no text: it has NUL bytes in it',
      'policy.yml:1: protect-from "*.yml" matches "huge.yml", which is larger than 5 MiB',
      'policy.yml:1: protect-from "*.yml" matches "large.yml", which is larger than 5 MiB',
      'policy.yml:1: protect-from "*.yml" matches "utf16.yml", which is no text: it has NUL bytes in it',
    ])
  })

  test('is never the largest file that may be', async () => {
    content('large.yml', 'x'.repeat(5 * 1024 * 1024))
    expect(await paths('large.yml')).toEqual(['large.yml'])
  })

  test('is more files than a deployment has', async () => {
    write(...[...Array(200).keys()].map((index) => `d0/${index}`))
    for (let index = 1; index <= 100; index += 1) link(`d${index}`, 'd0')
    expect(await mistakes('**', 'd1/*')).toEqual([
      'policy.yml:1: protect-from "**" matches more than 20000 files; a narrower one reads only what deploys',
    ])
    expect(await paths('d1/*')).toHaveLength(200)
  })

  test('is told once, however many entries of a policy share it', async () => {
    const patterns = asPatterns(['deploy/**'])
    const shared = readWorkspaceFiles(root, [...patterns, ...patterns])
    await expect(shared).rejects.toThrow(/^A file to protect from is wrong:\n {2}[^\n]*$/)
  })

  test('is told with the others, as many as can be read', async () => {
    const all = await mistakes(...[...Array(30).keys()].map((index) => `/${index}`))
    expect(all).toHaveLength(21)
    expect(all.at(-1)).toBe('… and 10 more')
  })
})
