import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { FaultSpec } from '../../src/emulator/faults.js'
import type { Emulator } from '../../src/emulator/index.js'
import { deletesAsked, digestsLeft, idOf, push, registry, runAction, tagsLeft } from './kit.js'

/** `app`, in which something stays broken for good, and `web`, whose turn comes after it. */
async function twoPackages(): Promise<Emulator> {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
  return emulator
}

/** Makes these requests fail for good. */
function fail({ faults }: Emulator, which: Pick<FaultSpec, 'method' | 'path'>, status: number) {
  faults.add({ ...which, times: Infinity, action: { status } })
}

const both = { 'image-names': 'app, web' }

// The patience of the clients is real time, so everything that outlasts it is told at once.
test('what outlasts all patience is told, and the rest goes on', async () => {
  const lost = await twoPackages()
  const digest = lost.store.version('acme', 'app', 'pr-1')?.digest ?? ''
  lost.store.dropManifest('acme', 'app', 'pr-1')
  const unreadable = await twoPackages()
  const manifest = new RegExp(`manifests/${digest}`)
  fail(unreadable, { method: 'GET', path: manifest }, 503)
  const unlistable = await twoPackages()
  fail(unlistable, { path: /app\/versions\?/ }, 500)
  const undeletable = await twoPackages()
  const index = idOf(undeletable, 'pr-1')
  fail(undeletable, { method: 'DELETE', path: new RegExp(`/${index}$`) }, 500)
  const emulators = [lost, unreadable, unlistable, undeletable] as const

  const runs = await Promise.all([
    runAction(lost, both),
    runAction(unreadable, both),
    runAction(unlistable, both),
    runAction(undeletable, both),
  ])

  for (const [i, emulator] of emulators.entries()) {
    expect(runs[i]).toMatchObject({ exitCode: 1, outputs: { 'deleted-count': '1' } })
    expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
    expect(digestsLeft(emulator).size).toBe(4)
  }
  const [a, b, c, d] = runs
  expect(a.log).toContain(
    `::error::acme/app: left alone, nothing in it is deleted: the manifest of ${digest} cannot be used: the registry lists it and does not have it (404).`,
  )
  expect(b.log).toContain(`the manifest of ${digest} could not be read after 5 tries`)
  expect(c.log).toMatch(/::error::acme\/app: left alone.* 500 .*\(Server Error\)/)
  for (const { outputs } of [a, b, c]) expect(outputs['skipped-packages']).toBe('app')
  for (const emulator of emulators.slice(0, 3)) expect(deletesAsked(emulator)).toBe(1)
  expect(d.log).toMatch(/::error::failed: app pr-1 .*GitHub answered 500 \(Server Error\)/)
  expect(d.outputs).toMatchObject({ failed: `app:${index}`, 'remaining-count': '2' })
}, 90_000)
