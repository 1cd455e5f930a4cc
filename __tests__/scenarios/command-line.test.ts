import { readFile } from 'node:fs/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { inputDefinitions } from '../../src/input-table.js'
import { node, push, registry, tagsLeft, tokens, writes, type PlanFile } from './kit.js'

const folder = mkdtempSync(join(tmpdir(), 'command-line-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Runs the built command line as a person would, with the token in the environment. */
const cli = (args: string[], env: Record<string, string> = {}) =>
  node('dist/cli.js', args, { XDG_CACHE_HOME: folder, ...env })

const prune = ({ apiUrl, registryUrl }: Emulator, ...args: string[]) =>
  cli(['prune', '--account', 'acme', '--image-names', 'app', '--registry', registryUrl, ...args], {
    GITHUB_TOKEN: tokens.classic,
    GITHUB_API_URL: apiUrl,
  })

async function twoImages(): Promise<Emulator> {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, multiArchImage({ seed: 'kept' }), { tags: ['v1'] })
  return emulator
}

describe('prune', () => {
  test('with --dry-run shows the plan, writes the plan file and deletes nothing', async () => {
    const emulator = await twoImages()
    const file = join(folder, 'plan.json')

    const { exitCode, log } = await prune(
      emulator,
      '--image-tags',
      'pr-*',
      '--cut-off',
      '30d',
      '--dry-run',
      '--plan-file',
      file,
    )

    expect(exitCode).toBe(0)
    expect(log).toContain('acme/app: 3 of 6 versions would go, 3 stay')
    expect(log).toMatch(/^ {2}delete {2}pr-1 {2}40d old {2}OCI index {2}linux\/amd64 linux\/arm64/m)
    expect(writes(emulator)).toEqual([])
    const plan = JSON.parse(await readFile(file, 'utf8')) as PlanFile
    expect(plan.packages[0]?.versions.filter(({ action }) => action === 'delete')).toHaveLength(3)
  })

  test('deletes, in plain lines where no terminal is', async () => {
    const emulator = await twoImages()
    const { exitCode, log } = await prune(
      emulator,
      '--image-tags',
      'pr-*',
      '--cut-off',
      '30d',
      '--deletes-per-minute',
      '10000',
    )
    expect(exitCode).toBe(0)
    expect(log).toContain('acme/app: 3 deleted in')
    expect(log).not.toContain('\u001b')
    expect(tagsLeft(emulator)).toEqual(['v1'])
  })

  test('with a mistake names it, and exits 1 without a request', async () => {
    const emulator = await twoImages()
    const { exitCode, log } = await prune(emulator, '--cut-off', '30')
    expect(exitCode).toBe(1)
    expect(log).toContain('cut-off: "30" is not a duration')
    expect(emulator.requests).toEqual([])
  })

  test('without a token says where to put one', async () => {
    const { exitCode, log } = await cli([
      'prune',
      '--account',
      'acme',
      '--image-names',
      'a',
      '--cut-off',
      '1d',
    ])
    expect(exitCode).toBe(1)
    expect(log).toContain('token: is missing; it takes a token; set GITHUB_TOKEN or pass one')
  })
})

describe('help', () => {
  test('names every input as a flag, but for the mode, which is the command', async () => {
    const { exitCode, log } = await cli(['prune', '--help'])
    expect(exitCode).toBe(0)
    const names = Object.keys(inputDefinitions).filter((name) => name !== 'mode')
    for (const name of names) expect(log).toContain(`--${name}`)
    expect(log).not.toContain('--mode')
  })

  test('names the commands', async () => {
    const { exitCode, log } = await cli(['--help'])
    expect(exitCode).toBe(0)
    expect(log).toMatch(/prune.*\n.*packages.*\n.*demo.*\n.*emulator/s)
  })

  test.each([
    [['prune', '--cutoff', '1d'], "unknown option '--cutoff'"],
    [['purge'], "unknown command 'purge'"],
    [['packages', '--cut-off', '1d'], "unknown option '--cut-off'"],
    [['emulator', '--api-port', 'x'], 'It takes a number from 0 to 65535.'],
  ])('%j is a mistake', async (args, words) => {
    const { exitCode, log } = await cli(args)
    expect(exitCode).toBe(1)
    expect(log).toContain(words)
  })

  test('the version is that of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
    expect((await cli(['--version'])).log.trim()).toBe(version)
  })
})

test('demo does the whole job, breaks nothing, and prints what the README shows', async () => {
  const { exitCode, log } = await cli(['demo'])
  expect(exitCode).toBe(0)
  expect(log).toMatch(/Freed: \d+ of \d+ versions, .* 0 broken\.\n$/)
  const readme = await readFile('README.md', 'utf8')
  const shown = /From `npm start`, shortened:\n\n```text\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const lines = shown.split('\n').filter((line) => line.trim() !== '…')
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.filter((line) => !log.includes(line))).toEqual([])
}, 60_000)
