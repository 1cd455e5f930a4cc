import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { node, push, registry, tokens } from './kit.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memory-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Runs the built command line, and tells how many manifests it read. */
function prune(emulator: Emulator, ...args: string[]) {
  return pruneWith('dist/cli.js', emulator, ...args)
}

async function pruneWith(
  program: string,
  { apiUrl, registryUrl, requests }: Emulator,
  ...args: string[]
) {
  const before = requests.length
  const usual = ['--account', 'acme', '--image-names', 'app', '--cut-off', '30d']
  const run = await node(
    program,
    ['prune', ...usual, '--registry', registryUrl, '--log-level', 'debug', ...args],
    { GITHUB_TOKEN: tokens.classic, GITHUB_API_URL: apiUrl, XDG_CACHE_HOME: join(folder, 'usual') },
  )
  const reads = requests
    .slice(before)
    .filter(({ method, kind }) => method === 'GET' && kind === 'manifest').length
  return { ...run, reads }
}

async function twoImages(): Promise<Emulator> {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'one' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'two' }), { tags: ['v2'], daysAgo: 1 })
  return emulator
}

test('what was read is kept in the given folder, for its owner only, and not read again', async () => {
  const emulator = await twoImages()
  const memory = join(folder, 'memory')
  const first = await prune(emulator, '--memory-folder', memory)
  expect([first.exitCode, first.reads]).toEqual([0, 2])

  const files = await readdir(memory)
  expect(files).toHaveLength(1)
  expect((await stat(join(memory, files[0] ?? ''))).mode & 0o777).toBe(0o600)
  expect((await prune(emulator, '--memory-folder', memory)).reads).toBe(0)
  expect(existsSync(join(folder, 'usual'))).toBe(false)
})

test('without a folder it is kept among the caches of the account', async () => {
  const emulator = await twoImages()
  await prune(emulator, '--dry-run')
  expect(await readdir(join(folder, 'usual', 'ghcr-retention'))).toHaveLength(1)
  expect((await prune(emulator)).reads).toBe(0)
})

test('switched off, nothing is kept', async () => {
  const emulator = await twoImages()
  await prune(emulator, '--remember-manifests', 'false')
  expect(await readdir(folder)).toEqual([])
})

test('a file that is not as it was written is read anew, and replaced', async () => {
  const emulator = await twoImages()
  await prune(emulator, '--memory-folder', folder)
  const [name = ''] = await readdir(folder)
  const text = await readFile(join(folder, name), 'utf8')
  await writeFile(join(folder, name), text.replace('image', 'index'))

  const run = await prune(emulator, '--memory-folder', folder)

  expect([run.exitCode, run.reads]).toEqual([0, 2])
  expect(run.log).toContain('Manifests of earlier runs cannot be used: its seal does not fit.')
  expect(await readFile(join(folder, name), 'utf8')).toBe(text)
  expect(await readdir(folder)).toEqual([name])
})

test.each([
  ['a file', (own: string) => join(own, 'file')],
  ['in a file', (own: string) => join(own, 'file', 'memory')],
  ['in no folder', (own: string) => join(own, 'mistyped', 'memory')],
  ['nothing', () => ''],
  ['among what only looks like files', () => '/proc/nope'],
])('a folder that is %s is a mistake, before anything is asked for', async (_, path) => {
  const emulator = await twoImages()
  await writeFile(join(folder, 'file'), '')
  const run = await prune(emulator, '--memory-folder', path(folder))
  expect(run.exitCode).toBe(1)
  expect(run.log).toMatch(
    /^error: memory-folder: ".*" is no folder that can be written to\. Nothing was requested\.$/m,
  )
  expect(emulator.requests).toEqual([])
})

test('what is in the way of the usual folder costs reads and nothing else', async () => {
  const emulator = await twoImages()
  await writeFile(join(folder, 'usual'), '')
  const run = await prune(emulator)
  expect([run.exitCode, run.reads]).toEqual([0, 2])
  expect(run.log).not.toMatch(/^(?:error|warning):/m)
})

test('a memory that never comes to its end is not waited for', async () => {
  const emulator = await twoImages()
  await prune(emulator, '--memory-folder', folder)
  const [name = ''] = await readdir(folder)
  await rm(join(folder, name))
  execFileSync('mkfifo', [join(folder, name)])

  const run = await prune(emulator, '--memory-folder', folder)

  expect([run.exitCode, run.reads]).toEqual([0, 2])
  expect(run.log).toMatch(/Manifests of earlier runs could not be fetched: .* is no file\./)
})

test('another build believes no memory but its own: it may read documents in another way', async () => {
  const emulator = await twoImages()
  expect((await prune(emulator)).reads).toBe(2)
  const other = join(folder, 'cli.mjs')
  await writeFile(other, `${await readFile('dist/cli.js', 'utf8')}\n// Built anew.\n`)
  expect((await pruneWith(other, emulator)).reads).toBe(2)
  expect((await pruneWith(other, emulator)).reads).toBe(0)
})
