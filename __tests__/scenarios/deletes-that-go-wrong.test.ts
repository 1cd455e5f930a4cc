import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { FaultSpec } from '../../src/emulator/faults.js'
import {
  broken,
  deletesAsked,
  digestsLeft,
  digestsOf,
  dryThenLive,
  idOf,
  listed,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

/** Four old images, pr-1 the oldest, and one to stay. */
async function fourToGo() {
  const emulator = await registry()
  for (const i of [4, 3, 2, 1]) {
    push(emulator, image({ seed: `pr-${i}` }), { tags: [`pr-${i}`], daysAgo: 50 - i })
  }
  push(emulator, image({ seed: 'v1' }), { tags: ['v1'], daysAgo: 1 })
  const ids = [1, 2, 3, 4].map((i) => idOf(emulator, `pr-${i}`))
  return { emulator, ids, all: ids.map((id) => `app:${id}`).sort() }
}

/** The ids of the summary's restore commands. */
function restorable(summary: string): string[] {
  return [...summary.matchAll(/^restore ([\d ]+) #/gm)]
    .flatMap(([, ids = '']) => ids.split(' '))
    .sort()
}

test('a delete that worked and whose answer was lost counts as deleted and can be restored', async () => {
  const { emulator, ids, all } = await fourToGo()
  emulator.faults.add({
    method: 'DELETE',
    path: new RegExp(`/${ids[1] ?? ''}$`),
    action: 'lostAnswer',
  })
  const gateway = { lostAnswer: 502 }
  emulator.faults.add({ method: 'DELETE', path: new RegExp(`/${ids[2] ?? ''}$`), action: gateway })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1'])
  expect(listed(run.outputs.deleted)).toEqual(all)
  expect(restorable(run.summary)).toEqual(ids.map(String).sort())
})

test('server errors are tried again, and one that fails makes no other wait longer', async () => {
  const { emulator, ids, all } = await fourToGo()
  for (const id of ids) {
    const path = new RegExp(`/${id}$`)
    emulator.faults.add({ method: 'DELETE', path, action: { status: 500 } })
  }

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(listed(run.outputs.deleted)).toEqual(all)
  expect(deletesAsked(emulator)).toBe(8)
  const times = emulator.requests.filter(({ method }) => method === 'DELETE').map(({ at }) => at)
  // The first wait is one second, and the second would be four.
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(3500)
})

test('a version that somebody else deleted meanwhile is already gone, which is no failure', async () => {
  const { emulator } = await fourToGo()
  emulator.faults.add({
    method: 'DELETE',
    action: {
      run: (store) => {
        store.deleteVersion('acme', 'app', 'pr-3')
      },
    },
  })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1'])
  expect(run.outputs).toMatchObject({ 'deleted-count': '3', failed: '', 'remaining-count': '0' })
  expect(run.log).toContain('3 deleted, 1 already gone')
})

test('when all are gone already nobody speaks of a missing role', async () => {
  const { emulator } = await fourToGo()
  emulator.faults.add({
    method: 'DELETE',
    action: {
      run: (store) => {
        for (const tag of ['pr-1', 'pr-2', 'pr-3', 'pr-4']) store.deleteVersion('acme', 'app', tag)
      },
    },
  })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(run.outputs).toMatchObject({ 'deleted-count': '0', failed: '' })
  expect(run.log).toContain('0 deleted, 4 already gone')
})

test.each([422, 403])(
  'one delete that fails for good (%i) does not stop the rest, and the run fails at its end',
  async (status) => {
    const { emulator, ids } = await fourToGo()
    const [, second] = ids
    emulator.faults.add({
      method: 'DELETE',
      path: new RegExp(`/${second ?? ''}$`),
      times: Infinity,
      action: { status, body: '{"message":"Not this one."}' },
    })

    const run = await dryThenLive(emulator, { 'deletes-per-minute': '600' })

    expect(run.exitCode).toBe(1)
    expect(tagsLeft(emulator)).toEqual(['pr-2', 'v1'])
    expect(run.outputs).toMatchObject({
      failed: `app:${second ?? ''}`,
      'failed-count': '1',
      'deleted-count': '3',
      'remaining-count': '0',
    })
    expect(run.log).toMatch(
      new RegExp(`::error::failed: app pr-2 .*GitHub answered ${status} \\(Not this one\\.\\)`),
    )
    expect(run.summary).toContain('<summary>Failed: 1</summary>')
  },
)

test('what belongs to an index that could not be deleted stays with it', async () => {
  const emulator = await registry()
  const stuck = push(emulator, multiArchImage({ seed: 'stuck' }), { tags: ['pr-1'], daysAgo: 50 })
  push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-2'], daysAgo: 49 })
  const kept = push(emulator, image({ seed: 'v1' }), { tags: ['v1'], daysAgo: 1 })
  emulator.faults.add({
    method: 'DELETE',
    path: new RegExp(`/${idOf(emulator, 'pr-1')}$`),
    times: Infinity,
    action: { status: 422 },
  })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(1)
  expect(digestsLeft(emulator)).toEqual(new Set([...digestsOf(stuck), kept.digest]))
  expect(run.outputs).toMatchObject({
    'deleted-count': '3',
    'failed-count': '1',
    'remaining-count': '2',
  })
  expect(await broken(emulator)).toEqual([])
})

test('a 401 in the middle of a run that worked passes', async () => {
  const { emulator, all } = await fourToGo()
  emulator.faults.add({ method: 'DELETE', after: 1, action: { status: 401 } })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(listed(run.outputs.deleted)).toEqual(all)
})

const secondaryLimit =
  '{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'

test('GitHub asks to slow down, in any of its ways: the run waits and goes on', async () => {
  const ways: FaultSpec[] = [
    { method: 'DELETE', action: { status: 403, body: secondaryLimit } },
    { method: 'DELETE', action: { status: 429, body: secondaryLimit } },
    { method: 'DELETE', action: { status: 429, body: '{"message":"Too many requests"}' } },
    { path: /versions\?/, action: { status: 403, body: secondaryLimit } },
  ]

  const runs = ways.map(async (way) => {
    const { emulator, all } = await fourToGo()
    emulator.faults.add(way)
    emulator.faults.add({ ...way, action: { headers: { 'retry-after': '1' } } })
    return { run: await runAction(emulator), all }
  })

  for (const { run, all } of await Promise.all(runs)) {
    expect(run.exitCode).toBe(0)
    expect(listed(run.outputs.deleted)).toEqual(all)
    expect(run.log).toMatch(/::warning::GitHub .*waiting 1 s, then at most \d+ deletes a minute\./)
  }
})
