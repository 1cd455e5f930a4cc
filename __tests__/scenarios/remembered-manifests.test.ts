import { createHmac } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  artifact,
  cosignSignature,
  fallbackIndex,
  image,
  index,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  cacheEnvironment,
  calls,
  remembered,
  replaceRemembered,
  runWithCache,
  shown,
} from './cache-kit.js'
import {
  broken,
  digestsLeft,
  digestsOf,
  push,
  registry,
  runAction,
  tagsLeft,
  tokens,
  type ActionRun,
} from './kit.js'

/** Images of many shapes: old ones with all that may belong to one, and young ones that share a part with them. */
async function manyShapes(): Promise<Emulator> {
  const emulator = await registry()
  const shared = image({ seed: 'shared' })
  const old = push(emulator, multiArchImage({ attestations: true, seed: 'old' }), {
    tags: ['pr-1'],
  })
  push(emulator, cosignSignature(old))
  push(emulator, fallbackIndex(old, [referrer(old)]))
  push(emulator, index([shared, image({ seed: 'other' })]), { tags: ['pr-2'] })
  push(emulator, index([index([shared])]), { tags: ['v2'], daysAgo: 2 })
  push(emulator, multiArchImage({ attestations: true, seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'untagged' }), { daysAgo: 3 })
  return emulator
}

const decided = ({ plan }: ActionRun) =>
  plan.packages.flatMap(({ versions }) =>
    versions.map(({ id, action, reason }) => [id, action, reason.code]),
  )

test('a second run on an unchanged package reads nothing and plans the same', async () => {
  const emulator = await manyShapes()
  const plain = await runAction(emulator, { 'dry-run': 'true' })

  const first = await runWithCache(emulator, { 'dry-run': 'true' })
  expect(first.reads.length).toBeGreaterThan(5)
  expect(first.cache).toEqual([...calls.miss, ...calls.save])

  const second = await runWithCache(emulator, { 'dry-run': 'true', 'log-level': 'debug' })
  expect(second.reads).toEqual([])
  expect(second.log).toContain(`${first.reads.length} manifests remembered, 0 read.`)
  expect(decided(first)).toEqual(decided(plain))
  expect(decided(second)).toEqual(decided(plain))

  const live = await runWithCache(emulator)
  expect(live.reads).toEqual([])
  expect(live.outputs.planned).toBe(plain.outputs.planned)
  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
  expect(await broken(emulator)).toEqual([])
})

test('what has not changed is not saved again', async () => {
  const emulator = await manyShapes()
  await runWithCache(emulator, { 'dry-run': 'true' })
  const again = await runWithCache(emulator, { 'dry-run': 'true' })
  expect(again.cache).toEqual(calls.hit)
  expect(emulator.cache.entries).toHaveLength(1)
})

test('a new image costs its own reads only', async () => {
  const emulator = await manyShapes()
  await runWithCache(emulator, { 'dry-run': 'true' })
  const news = push(emulator, multiArchImage({ attestations: true, seed: 'news' }), {
    tags: ['v3'],
    daysAgo: 0,
  })
  const next = await runWithCache(emulator, { 'dry-run': 'true' })
  expect(next.reads).toEqual([news.digest])
  expect((await runWithCache(emulator, { 'dry-run': 'true' })).reads).toEqual([])
})

test('what a run deletes, and what somebody else deleted, is forgotten', async () => {
  const emulator = await manyShapes()
  const other = push(emulator, image({ seed: 'somebody else' }), { tags: ['v9'], daysAgo: 1 })
  await runWithCache(emulator, { 'dry-run': 'true' })
  const before = remembered(emulator)
  const staying = digestsLeft(emulator)
  expect(before).toContain(other.digest)

  emulator.store.deleteVersion('acme', 'app', 'v9')
  await runWithCache(emulator)

  const left = digestsLeft(emulator)
  const known = Object.keys(packagesIn(remembered(emulator))[0] ?? {})
  expect(known.length).toBeGreaterThan(3)
  expect(known.filter((digest) => !left.has(digest))).toEqual([])
  expect(staying.size).toBeGreaterThan(left.size)
})

/** What is known of each package, by digest. */
function packagesIn(text: string): object[] {
  return Object.values(JSON.parse(text.split('\n')[1] ?? '{}') as Record<string, object>)
}

test('nothing is kept but digests, media types, platforms and subjects', async () => {
  const emulator = await registry()
  const annotations = { source: 'https://example.com/private', password: 'ghp_emulator_secret' }
  const main = image({ annotations, labels: annotations, payload: 10 })
  push(emulator, index([main], { annotations }), { tags: ['secret-tag'], daysAgo: 1 })
  push(emulator, artifact({ subject: main, annotations }), { daysAgo: 1 })
  push(emulator, multiArchImage({ attestations: true, annotations }), { daysAgo: 1 })

  await runWithCache(emulator)

  const text = remembered(emulator)
  expect(text).not.toMatch(/secret|password|example|annotation|acme|"app"|layers|config"/)
  const leaves: string[] = []
  JSON.parse(text.split('\n')[1] ?? '', (key, value: unknown) => {
    if (typeof value === 'string') leaves.push(`${key}=${value}`)
    return value
  })
  const forms = [
    /^kind=(?:index|image|artifact|other)$/,
    /^(?:mediaType|artifactType)=application\/[\w.+-]+$/,
    /^platform=linux\/(?:amd64|arm64)$/,
    /^(?:digest|subject|attests)=sha256:[0-9a-f]{64}$/,
  ]
  expect(leaves.length).toBeGreaterThan(10)
  expect(leaves.filter((leaf) => !forms.some((form) => form.test(leaf)))).toEqual([])
})

describe('with several packages', () => {
  async function twoPackages(): Promise<Emulator> {
    const emulator = await registry()
    push(emulator, multiArchImage({ seed: 'app' }), { tags: ['v1'], daysAgo: 1 })
    push(emulator, multiArchImage({ seed: 'web' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
    return emulator
  }

  test('one that could not be looked at keeps what was known of it', async () => {
    const emulator = await twoPackages()
    const both = { 'image-names': 'app web' }
    await runWithCache(emulator, both)
    push(emulator, image({ seed: 'more' }), { tags: ['v2'], daysAgo: 1 })
    const stop = emulator.faults.add({
      path: /container\/web/,
      times: Infinity,
      action: { status: 403 },
    })

    const half = await runWithCache(emulator, both)
    expect(half.outputs['skipped-packages']).toBe('web')
    expect(half.reads).toHaveLength(1)

    stop()
    expect((await runWithCache(emulator, both)).reads).toEqual([])
  })

  test('one that is gone is forgotten', async () => {
    const emulator = await twoPackages()
    const all = { 'image-names': '*', token: tokens.classic }
    await runWithCache(emulator, all)
    expect(packagesIn(remembered(emulator))).toHaveLength(2)
    emulator.store.deletePackage('acme', 'web')
    await runWithCache(emulator, all)
    expect(packagesIn(remembered(emulator))).toHaveLength(1)
  })

  test('the jobs of a matrix do not overwrite what the others keep', async () => {
    const emulator = await twoPackages()
    for (const name of ['app', 'web']) await runWithCache(emulator, { 'image-names': name })
    for (const name of ['app', 'web']) {
      expect((await runWithCache(emulator, { 'image-names': name })).reads).toEqual([])
    }
    expect(emulator.cache.entries).toHaveLength(2)
  })
})

/** The memory as an attacker would like it: nothing contains anything, under a seal that needs no secret. */
function withoutChildren(text: string): string {
  const [head = '', body = ''] = text.split('\n')
  const [, version = ''] = head.split(' ')
  const lie = body.replace(/"children":\[[^\]]*\]/g, '"children":[]')
  expect(lie).not.toBe(body)
  const code = createHmac('sha256', '').update(`${version}\n${lie}`).digest('hex')
  return `ghcr-retention ${version} ${code}\n${lie}\n`
}

test('with a personal access token, a memory that somebody else made up is not believed', async () => {
  const emulator = await registry()
  const kept = push(emulator, multiArchImage({ seed: 'kept' }), { tags: ['v1'] })
  const inputs = { token: tokens.classic, 'image-tags': 'pr-*' }
  await runWithCache(emulator, { ...inputs, 'dry-run': 'true' })
  replaceRemembered(emulator, withoutChildren(remembered(emulator)))

  const run = await runWithCache(emulator, { ...inputs, 'log-level': 'debug' })

  expect(run.exitCode).toBe(0)
  expect(run.log).toContain('Manifests of earlier runs cannot be used: its seal does not fit.')
  expect(run.reads).toEqual([kept.digest])
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(kept)))
})

test('whoever talks to the cache gets the token of the cache and no other', async () => {
  const emulator = await manyShapes()
  const folder = await mkdtemp(join(tmpdir(), 'beside-'))
  try {
    const [action, seen] = [join(folder, 'index.js'), join(folder, 'seen')]
    await copyFile(process.env.ACTION_BUNDLE ?? 'dist/index.js', action)
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const spy = `import { writeFileSync } from 'node:fs'
      writeFileSync(${JSON.stringify(seen)}, JSON.stringify([process.argv, process.env]))`
    await writeFile(join(folder, 'cache.js'), spy)

    const environment = { ...cacheEnvironment(emulator), ACTION_BUNDLE: action, NPM_TOKEN: 'none' }
    const run = await runAction(emulator, { token: tokens.classic }, environment)

    expect(run.exitCode).toBe(0)
    const told = await readFile(seen, 'utf8')
    expect(told).toContain('emulator_runtime')
    expect(told).not.toMatch(/INPUT_|ghp_|NPM_TOKEN/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a run with another kind of token has a memory of its own', async () => {
  const emulator = await manyShapes()
  await runWithCache(emulator, { 'dry-run': 'true', token: tokens.classic })
  const other = await runWithCache(emulator, { 'dry-run': 'true' })
  expect(other.cache).toEqual([...calls.miss, ...calls.save])
})

test('switched off, the cache is not asked for anything', async () => {
  const emulator = await manyShapes()
  const inputs = { 'dry-run': 'true', 'remember-manifests': 'false' }
  const runs = [await runWithCache(emulator, inputs), await runWithCache(emulator, inputs)]
  expect(runs.map(({ cache }) => cache)).toEqual([[], []])
  expect(runs[1]?.reads).toHaveLength(runs[0]?.reads.length ?? 0)
})

test('where there is no cache service, a run does without', async () => {
  const emulator = await manyShapes()
  const environment = { ACTIONS_RUNTIME_TOKEN: 'emulator_runtime' }
  const run = await runAction(emulator, { 'dry-run': 'true' }, environment)
  const plain = await runAction(emulator, { 'dry-run': 'true' })
  expect(run.exitCode).toBe(0)
  expect(shown(run)).toEqual(shown(plain))
})

test('a mistyped input is a mistake before anything is restored', async () => {
  const emulator = await manyShapes()
  const run = await runWithCache(emulator, { 'remember-manifests': 'yes' })
  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('remember-manifests: "yes" is not one of true, false')
  expect(emulator.requests).toEqual([])
})
