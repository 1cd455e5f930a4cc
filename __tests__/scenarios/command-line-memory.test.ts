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
async function prune({ apiUrl, registryUrl, requests }: Emulator, ...args: string[]) {
  const before = requests.length
  const usual = ['--account', 'acme', '--image-names', 'app', '--cut-off', '30d']
  const run = await node(
    'dist/cli.js',
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
  const memory = join(folder, 'deeper', 'memory')
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

test('a folder that cannot be one costs reads and nothing else', async () => {
  const emulator = await twoImages()
  const file = join(folder, 'file')
  await writeFile(file, '')
  const run = await prune(emulator, '--memory-folder', join(file, 'memory'))
  expect([run.exitCode, run.reads]).toEqual([0, 2])
  expect(run.log).not.toMatch(/^(?:error|warning):/m)
})
