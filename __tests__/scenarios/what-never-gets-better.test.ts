import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  deletesAsked,
  digestsLeft,
  digestsOf,
  idOf,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

/** `app`, in which something stays broken for good, and `web`, whose turn comes after it. */
async function twoPackages(): Promise<Emulator> {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
  return emulator
}

const both = { 'image-names': 'app, web' }

// The patience of the clients is real time, so everything that outlasts it is told at once.
test('what outlasts all patience is told, and the rest goes on', async () => {
  const [lost, unreadable, unlistable, undeletable] = await Promise.all([
    twoPackages(),
    twoPackages(),
    twoPackages(),
    twoPackages(),
  ])
  const digest = lost.store.version('acme', 'app', 'pr-1')?.digest ?? ''
  lost.store.dropManifest('acme', 'app', 'pr-1')
  unreadable.faults.add({
    service: 'registry',
    path: new RegExp(`manifests/${digest}`),
    method: 'GET',
    times: Infinity,
    action: { status: 503 },
  })
  unlistable.faults.add({
    path: /app\/versions\?/,
    times: Infinity,
    action: { status: 500 },
  })
  const index = idOf(undeletable, 'pr-1')
  undeletable.faults.add({
    method: 'DELETE',
    path: new RegExp(`/${index}$`),
    times: Infinity,
    action: { status: 500 },
  })

  const runs = await Promise.all(
    [lost, unreadable, unlistable, undeletable].map((emulator) => runAction(emulator, both)),
  )

  for (const [i, emulator] of [lost, unreadable, unlistable, undeletable].entries()) {
    expect(runs[i]?.exitCode).toBe(1)
    expect(runs[i]?.outputs['deleted-count']).toBe('1')
    expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
    expect(digestsLeft(emulator).size).toBe(4)
  }
  const [a, b, c, d] = runs
  expect(a?.log).toContain(
    `::error::acme/app: left alone, nothing in it was deleted: the manifest of ${digest} cannot be used: the registry lists it and does not have it (404).`,
  )
  expect(b?.log).toContain(`the manifest of ${digest} could not be read after 5 tries`)
  expect(c?.log).toMatch(/::error::acme\/app: left alone.*versions was answered with 500/)
  expect(d?.log).toMatch(/::error::failed: app pr-1 .*GitHub answers 500 \(Server Error\)/)
  for (const run of [a, b, c]) expect(run?.outputs['skipped-packages']).toBe('app')
  for (const emulator of [lost, unreadable, unlistable]) expect(deletesAsked(emulator)).toBe(1)
  expect(d?.outputs).toMatchObject({ failed: `app:${index}`, 'remaining-count': '2' })
  expect(digestsOf(multiArchImage({ seed: 'old' }))[0]).toBe(digest)
}, 90_000)
