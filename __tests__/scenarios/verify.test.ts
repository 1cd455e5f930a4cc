import { expect, test } from '@jest/globals'
import { cosignSignature, image, index, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { broken, hurried, idOf, push, registry, runAction, tagsLeft, tokens } from './kit.js'

/** Requests to the registry for single manifests without their content, after the first delete. */
function probes({ requests }: Emulator): string[] {
  const first = requests.findIndex(({ method }) => method === 'DELETE')
  return requests
    .slice(first)
    .filter(({ method, path }) => method === 'HEAD' && path.includes('/manifests/'))
    .map(({ path }) => path.split('/').at(-1) ?? '')
}

/** An old index and a kept one that share a platform image, which is signed; and old images of their own. */
async function sharedChild() {
  const emulator = await registry()
  const shared = image({ seed: 'shared' })
  const own = image({ seed: 'own', platform: 'linux/arm64' })
  push(emulator, index([shared, image({ seed: 'old', platform: 'linux/arm64' })]), {
    tags: ['pr-1'],
  })
  const kept = push(emulator, index([shared, own]), { tags: ['v1'], daysAgo: 1 })
  const mark = push(emulator, cosignSignature(shared))
  for (const tag of ['pr-2', 'pr-3']) push(emulator, multiArchImage({ seed: tag }), { tags: [tag] })
  return { emulator, kept, related: [kept, shared, own, mark].map(({ digest }) => digest) }
}

test('what stays and is related to a deleted version is asked for, and nothing else', async () => {
  const { emulator, related } = await sharedChild()

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(expect.arrayContaining(['v1']))
  expect(new Set(probes(emulator))).toEqual(new Set(related))
  expect(run.log).toContain(
    'acme/app: verified: 4 versions can be pulled that are related to what went.',
  )
})

test('where nothing that stays is related to what went, nothing is asked for', async () => {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, multiArchImage({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

  const run = await runAction(emulator)

  expect(probes(emulator)).toEqual([])
  expect(run.log).toContain('acme/app: verified: nothing that stays is related to what went.')
})

test('a part that was lost fails the run, and the line says what to restore', async () => {
  const { emulator, kept } = await sharedChild()
  const [shared] = kept.children
  const id = idOf(emulator, shared?.digest ?? '')
  emulator.faults.add({
    method: 'DELETE',
    action: {
      run: (store) => {
        store.deleteVersion('acme', 'app', id)
      },
    },
  })

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain(
    `::error::acme/app: v1 (${kept.digest}) is broken: ${shared?.digest ?? ''}, which it contains, is gone (version ${id}; not this run deleted it). Restore it within 30 days: gh api --method POST /orgs/acme/packages/container/app/versions/${id}/restore`,
  )
  expect(run.summary).toContain('is broken')
  expect(run.plan.packages[0]).toMatchObject({ verification: { losses: [{ id }] } })
})

test('an index that is pushed around a child at the very moment of its delete is found broken', async () => {
  const emulator = await registry()
  const children = ['linux/amd64', 'linux/arm64'].map((platform) =>
    push(emulator, image({ seed: 'old', platform })),
  )
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  const ids = children.map(({ digest }) => idOf(emulator, digest))
  const around = index(children)
  emulator.faults.add({
    method: 'DELETE',
    action: {
      runAfter: () => {
        push(emulator, { ...around, children: [] }, { tags: ['v2'], daysAgo: 0 })
      },
    },
  })

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(1)
  expect(await broken(emulator)).not.toEqual([])
  const losses = run.log.match(
    /::error::acme\/app: v2 \(sha256:\w+\) is broken: .*this run deleted/g,
  )
  expect(losses).toHaveLength(2)

  const path = '/orgs/acme/packages/container/app/versions'
  for (const id of ids) {
    expect(run.log).toContain(`gh api --method POST ${path}/${id}/restore`)
    await fetch(`${emulator.apiUrl}${path}/${id}/restore`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.classic}` },
    })
  }
  expect(await broken(emulator)).toEqual([])
})

test('verify: false asks for nothing, and a dry run has nothing to ask for', async () => {
  const { emulator } = await sharedChild()

  const dry = await runAction(emulator, { 'dry-run': 'true' })
  expect(dry.log).not.toContain('verified')
  const run = await runAction(emulator, { verify: 'false' })

  expect(run.exitCode).toBe(0)
  expect(probes(emulator)).toEqual([])
  expect(run.log).not.toContain('verified')
})

test('that what stays could not be looked at is a warning', async () => {
  const { emulator } = await sharedChild()
  emulator.faults.add({ method: 'HEAD', after: 1, times: Infinity, action: { status: 403 } })

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(0)
  expect(run.log).toMatch(
    /::warning::acme\/app: what stays could not all be looked at after the deletes: .*answered 403/,
  )
  expect(run.summary).toMatch(/^> \[!WARNING\]\n> .*what stays could not all be looked at/m)
})

test('a newcomer that cannot be read is no reason to say that all is well', async () => {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }))
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  const newcomer = image({ seed: 'newcomer' })
  emulator.faults.add({
    method: 'DELETE',
    action: { runAfter: () => push(emulator, newcomer, { tags: ['v2'], daysAgo: 0 }) },
  })
  const path = new RegExp(`manifests/${newcomer.digest}`)
  emulator.faults.add({ path, times: Infinity, action: { status: 503 } })

  const run = await runAction(emulator, {}, hurried)

  expect(run.outputs['deleted-count']).toBe('1')
  expect(run.log).not.toContain('verified')
  expect(run.log).toContain(
    `::warning::acme/app: what stays could not all be looked at after the deletes: the manifest of ${newcomer.digest} could not be read`,
  )
})
