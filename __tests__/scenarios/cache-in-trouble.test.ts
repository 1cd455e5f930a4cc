import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator, FaultAction } from '../../src/emulator/index.js'
import {
  cacheEnvironment,
  calls,
  remembered,
  replaceRemembered,
  runWithCache,
  shown,
} from './cache-kit.js'
import { push, registry, runAction } from './kit.js'

/** A package that a run has looked at and remembers. */
async function known(): Promise<Emulator> {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'kept' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'kept' }), { tags: ['v2'], daysAgo: 1 })
  expect((await runWithCache(emulator)).reads).toHaveLength(2)
  return emulator
}

describe('a memory that is not as it was written is read anew, and replaced', () => {
  test.each<[string, (text: string) => string | Uint8Array]>([
    ['no archive at all', () => Buffer.from('nonsense')],
    ['an archive that was cut off', (text) => gzipSync(text).subarray(0, 100)],
    ['a text that was cut off', (text) => text.slice(0, -20)],
    ['an empty text', () => ''],
    ['one character that is another', (text) => text.replace('"children":[{', '"children":[ {')],
    ['a child that is missing', (text) => text.replace(/\{"digest":[^}]*\},/, '')],
    ['another version', (text) => text.replace(/^ghcr-retention [\d.]+/, 'ghcr-retention 0.0.1')],
  ])('%s', async (_, altered) => {
    const emulator = await known()
    const before = remembered(emulator)
    expect(altered(before)).not.toEqual(before)
    replaceRemembered(emulator, altered(before))

    const run = await runWithCache(emulator)

    expect(run.exitCode).toBe(0)
    expect(run.reads).toHaveLength(2)
    expect(shown(run).filter((line) => /^::(?:warning|error)/.test(line))).toEqual([])
    expect(run.cache).toEqual([...calls.hit, ...calls.save])
    expect(remembered(emulator)).toBe(before)
    expect((await runWithCache(emulator)).reads).toEqual([])
  })
})

describe('a service in trouble costs reads and nothing else', () => {
  /** The run without any cache, whose log shows nothing of one. */
  async function expectUnimpressed(emulator: Emulator, action: FaultAction, path?: RegExp) {
    const plain = await runAction(emulator)
    emulator.faults.add({
      service: 'cache',
      times: Infinity,
      action,
      ...(path === undefined ? {} : { path }),
    })
    // A tenth of the budget may go into waiting at the begin.
    const run = await runWithCache(emulator, { 'time-budget': '10s' })
    expect(run.exitCode).toBe(0)
    expect(shown(run)).toEqual(shown(plain))
    return run
  }

  test.each<[string, FaultAction]>([
    ['that answers 500', { status: 500 }],
    ['that answers 429', { status: 429, headers: { 'retry-after': '60' } }],
    ['that answers with nonsense', { body: 'nonsense' }],
    ['that breaks its connections', 'reset'],
    ['that never answers', 'hang'],
  ])('%s', async (_, action) => {
    const run = await expectUnimpressed(await known(), action)
    expect(run.reads).toHaveLength(2)
    expect(run.cache).not.toContain('CreateCacheEntry')
  })

  test.each<[string, FaultAction]>([
    ['that never comes', 'hang'],
    ['that breaks off', 'truncate'],
    ['that is forbidden', { status: 403 }],
  ])('a download %s', async (_, action) => {
    const run = await expectUnimpressed(await known(), action, /^\/storage/)
    expect(run.reads).toHaveLength(2)
  })

  test.each<[string, FaultAction]>([
    ['that never ends', 'hang'],
    ['that fails', { status: 403 }],
  ])('an upload %s', async (_, action) => {
    const emulator = await known()
    push(emulator, image({ seed: 'more' }), { tags: ['v3'], daysAgo: 1 })
    emulator.faults.add({ service: 'cache', method: 'PUT', times: Infinity, action })

    const run = await runWithCache(emulator, { 'time-budget': '15s', 'log-level': 'debug' })

    expect(run.exitCode).toBe(0)
    expect(run.reads).toHaveLength(1)
    expect(run.log).toMatch(/^Manifests could not be kept for the next run: /m)
    expect(run.log).not.toMatch(/^::(?:warning|error)/m)
    expect(emulator.cache.entries).toHaveLength(1)
  })

  test('a token that may only read', async () => {
    const emulator = await known()
    emulator.cache.readOnly = true
    push(emulator, image({ seed: 'more' }), { tags: ['v3'], daysAgo: 1 })
    const run = await runWithCache(emulator)
    expect(run.exitCode).toBe(0)
    expect(shown(run).filter((line) => /cache|::warning|::error/i.test(line))).toEqual([])
    expect((await runWithCache(emulator)).reads).toHaveLength(1)
  })
})

test('a restore that takes too long is given up, and the run ends soon', async () => {
  const emulator = await known()
  emulator.faults.add({ service: 'cache', times: Infinity, action: 'hang' })
  const started = Date.now()
  const run = await runWithCache(emulator, { 'log-level': 'debug' })
  expect(run.exitCode).toBe(0)
  expect(run.log).toContain('Manifests of earlier runs could not be fetched: it took too long.')
  expect(Date.now() - started).toBeLessThan(40_000)
})

test('what the service says reaches the log of a run in no other form than one harmless line', async () => {
  const emulator = await known()
  const msg =
    'no\n::error::acme\n::set-output name=deleted::all\u001b[31m https://x.example/?sig=abc'
  emulator.faults.add({
    service: 'cache',
    times: Infinity,
    action: { status: 400, body: JSON.stringify({ code: 'invalid_argument', msg }) },
  })
  const run = await runWithCache(emulator, { 'log-level': 'debug' })
  expect(run.exitCode).toBe(0)
  expect(run.log).toMatch(/^Manifests of earlier runs could not be fetched: Failed to restore: /m)
  expect(run.log).not.toMatch(/^::(?:error|set-output)|\u001b|sig=abc/m)
})

/** A tar archive, compressed, of one file with this path, as a poisoned cache would hold it. */
function archiveOf(path: string, content: string): Uint8Array {
  const header = Buffer.alloc(512)
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, '0')
  const fields: [number, string][] = [
    [0, path],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(0, 12)],
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar'],
  ]
  for (const [at, text] of fields) header.write(text, at)
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
  )
  const body = Buffer.alloc(512)
  body.write(content)
  return gzipSync(Buffer.concat([header, body, Buffer.alloc(1024)]))
}

test('an archive that somebody put there is not unpacked, wherever its paths lead', async () => {
  const emulator = await known()
  const folder = await mkdtemp(join(tmpdir(), 'elsewhere-'))
  const target = join(folder, 'overwritten')
  try {
    replaceRemembered(emulator, archiveOf(target, 'poison'))
    const run = await runWithCache(emulator)
    expect(run.exitCode).toBe(0)
    expect(run.reads).toHaveLength(2)
    expect(existsSync(target)).toBe(false)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a run that is cancelled while it waits for the cache ends at once', async () => {
  const emulator = await known()
  const debug = { 'log-level': 'debug' }
  let cancel: (() => void) | undefined
  emulator.faults.add({
    service: 'cache',
    times: Infinity,
    action: { hang: true, run: () => cancel?.() },
  })
  const run = await runAction(emulator, debug, cacheEnvironment(emulator), (kill) => {
    cancel = () => {
      kill('SIGINT')
    }
  })
  expect(run.exitCode).toBe(130)
  expect(run.log).toContain('could not be fetched: ')
  expect(run.log).not.toContain('it took too long')
})
