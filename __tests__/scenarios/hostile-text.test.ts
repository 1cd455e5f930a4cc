import { expect, test } from '@jest/globals'
import { artifact, image, mediaTypes } from '../../src/emulator/images.js'
import {
  attacks,
  expectHarmlessLog,
  expectHarmlessSummary,
  mark,
  runHarmlessly,
} from './hostile-kit.js'
import { day, push, readable, registry, runAction, tagsLeft, tokens } from './kit.js'

test('as a tag of an image that goes, and of one that stays', async () => {
  const emulator = await registry()
  const times = { updatedAt: emulator.store.now() - 40 * day }
  for (const text of attacks) {
    const old = push(emulator, image({ seed: `old ${text}` }))
    const kept = push(emulator, image({ seed: `kept ${text}` }))
    emulator.store.setTags('acme', 'app', old.digest, [text])
    emulator.store.setTags('acme', 'app', kept.digest, [`${text} kept`, `v1 ${text}`])
    for (const { digest } of [old, kept]) emulator.store.setTimestamps('acme', 'app', digest, times)
  }

  const run = await runHarmlessly(emulator, {
    'image-tags': '/(?s).*/, !/(?s)v1.*/',
    'log-level': 'debug',
  })

  expect(run.exitCode).toBe(0)
  const count = String(attacks.length)
  expect(run.outputs).toMatchObject({ 'deleted-count': count, 'kept-count': count })
  expect(run.log.split(mark).length).toBeGreaterThan(4 * attacks.length)
  expect(readable(run).split(mark).length).toBeGreaterThan(attacks.length)
})

test('as an artifact type, a media type, a platform and a child digest', async () => {
  const emulator = await registry()
  for (const [i, text] of attacks.entries()) {
    const typed = artifact({ artifactType: text, seed: `${i}` })
    push(emulator, typed, { tags: [`a${i}`] })
    push(emulator, artifact({ configType: text, seed: `${i}` }), { tags: [`c${i}`] })
    push(emulator, image({ platform: `${text}/amd64`, seed: `${i}` }), { tags: [`i${i}`] })
    const at = emulator.store.now() - 40 * day
    const place = { account: 'acme', package: 'app', mediaType: mediaTypes.index, at }
    const platform = { os: text, architecture: text }
    const child = { mediaType: text, digest: typed.digest, size: 1, platform, artifactType: text }
    const manifest = { schemaVersion: 2, mediaType: text, manifests: [child], artifactType: text }
    emulator.store.push({ ...place, manifest, tags: [`x${i}`] })
  }
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

  const run = await runHarmlessly(emulator, { 'log-level': 'debug' })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1'])
  expect(run.log).toContain(mark)
})

test('as annotations, labels and the subject of documents, which none of it can be', async () => {
  const emulator = await registry()
  const place = { account: 'acme', at: emulator.store.now() - 40 * day }
  const names = attacks.flatMap((text, i) => {
    const annotations = Object.fromEntries(
      ['vnd.docker.reference.digest', 'com.amazon.soci.index-digest', text].map((key) => [
        key,
        text,
      ]),
    )
    const child = { mediaType: mediaTypes.image, digest: `sha256:${'0'.repeat(64)}`, size: 1 }
    const documents: object[] = [
      { manifests: [{ ...child, annotations }] },
      { manifests: [{ ...child, digest: text }] },
      { manifests: [], annotations },
      { manifests: [], subject: { ...child, digest: text } },
      { manifests: { [text]: text } },
    ]
    // Every attack in every other place is enough, and every place meets every other attack.
    const chosen = documents.filter((_, n) => (i + n) % 2 === 0)
    return chosen.map((document, n) => {
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.index, ...document }
      const name = `p${i}-${n}`
      emulator.store.push({ ...place, package: name, manifest, mediaType: mediaTypes.index })
      return name
    })
  })

  const run = await runHarmlessly(emulator, { 'image-names': names.join(), 'log-level': 'debug' })

  expect(run.exitCode).toBe(1)
  expect(run.outputs['skipped-packages']?.split(',')).toEqual(names)
  expect(run.log.split(mark).length).toBeGreaterThan(attacks.length)
  expect(readable(run).split(mark).length).toBeGreaterThan(attacks.length)
})

test('as what GitHub says when it refuses a package or a delete', async () => {
  const emulator = await registry()
  for (const [i, text] of attacks.entries()) {
    const old = push(emulator, image({ seed: text }), { tags: [`pr-${i}`] })
    const action = { status: 422, body: JSON.stringify({ message: text }) }
    const id = emulator.store.version('acme', 'app', old.digest)?.id ?? 0
    emulator.faults.add({ path: new RegExp(`/${id}$`), times: Infinity, action })
    emulator.faults.add({
      path: new RegExp(`container/nope-${i}/versions`),
      times: Infinity,
      action,
    })
  }
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

  const names = ['app', ...attacks.map((_, i) => `nope-${i}`)].join()
  const run = await runAction(emulator, { 'image-names': names })

  expect(run.exitCode).toBe(1)
  expect(run.outputs['failed-count']).toBe(String(attacks.length))
  expect(run.log.split(mark).length).toBeGreaterThan(2 * attacks.length)
  expect(readable(run).split(mark).length).toBeGreaterThan(2 * attacks.length)
  expectHarmlessLog(run)
  expectHarmlessSummary(run)
})

test('as names of packages and of the account', async () => {
  const emulator = await registry()
  const rows = attacks.map((name) => ({ name }))
  emulator.faults.add({
    path: /\/packages\?/,
    times: Infinity,
    action: { status: 200, body: JSON.stringify(rows) },
  })
  emulator.faults.add({
    path: /\/users\/acme$/,
    times: Infinity,
    action: { body: (text) => text.replace('"acme"', JSON.stringify(attacks[2])) },
  })

  const run = await runHarmlessly(emulator, { token: tokens.classic, 'image-names': '*' })

  expect(run.exitCode).toBe(1)
  expect(run.plan.packages).toHaveLength(attacks.length)
})

test('as a value of an input', async () => {
  const emulator = await registry()

  const run = await runHarmlessly(emulator, {
    account: attacks[2] ?? '',
    'cut-off': attacks[6] ?? '',
  })

  expect(run.exitCode).toBe(1)
})
