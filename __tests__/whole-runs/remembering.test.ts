import { describe, expect, test } from '@jest/globals'
import { image, index, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { TextStore } from '../../src/host.js'
import type { RawInputs } from '../../src/inputs.js'
import { testClock } from '../edges/clock.js'
import { push, registry, tagsLeft } from '../scenarios/kit.js'
import { wholeRun } from './in-process.js'

const minute = 60_000

/** Keeps one text, and notes how long it would have been waited for. */
function notebook() {
  const limits: { restore: number[]; save: number[] } = { restore: [], save: [] }
  let kept: string | undefined
  const store: TextStore = {
    restore: (_scope, limit) => {
      limits.restore.push(limit)
      return Promise.resolve(kept)
    },
    save: (_scope, text, limit) => {
      limits.save.push(limit)
      kept = text
      return Promise.resolve()
    },
  }
  return { store, limits }
}

/** A package of a few young images, and a way to run over it that tells what was read. */
async function scene(memory: TextStore) {
  const clock = testClock()
  const emulator = await registry({ now: clock.now })
  push(emulator, multiArchImage({ seed: 'kept' }), { tags: ['v1'], daysAgo: 1 })
  const prune = async (inputs: RawInputs = {}, cancelled = new AbortController().signal) => {
    const before = emulator.requests.length
    const run = await wholeRun(emulator, clock, inputs, cancelled, memory)
    return { ...run, reads: readsOf(emulator, before) }
  }
  return { emulator, clock, prune }
}

/** Lets something happen right after the first manifest was read. */
function afterRead({ faults }: Emulator, change: () => void): void {
  faults.add({ method: 'GET', path: /\/manifests\//, action: { runAfter: change } })
}

function readsOf({ requests }: Emulator, before: number): number {
  return requests
    .slice(before)
    .filter(({ method, kind }) => method === 'GET' && kind === 'manifest').length
}

test('what was pushed while a run deleted is remembered as well', async () => {
  const { store } = notebook()
  const { emulator, prune } = await scene(store)
  for (let i = 1; i <= 200; i++)
    push(emulator, image({ seed: `${i}` }), { tags: [`pr-${i}`], daysAgo: 400 - i })
  const late = index([image({ seed: '150' }), image({ seed: 'late' })])
  emulator.faults.add({
    method: 'DELETE',
    after: 30,
    action: { runAfter: () => void push(emulator, late, { tags: ['late'], daysAgo: 0 }) },
  })

  const first = await prune({ 'deletes-per-minute': '60' })
  expect(first.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toContain('late')

  expect(await prune({ 'dry-run': 'true' })).toMatchObject({ exitCode: 0, reads: 0 })
})

describe('a run waits for its memory', () => {
  test('no longer than ten seconds at its begin and at its end', async () => {
    const { store, limits } = notebook()
    const { prune } = await scene(store)
    await prune()
    expect(limits).toEqual({ restore: [10_000], save: [10_000] })
  })

  test('no longer than the time budget bears', async () => {
    const { store, limits } = notebook()
    const { prune } = await scene(store)
    await prune({ 'time-budget': '8s' })
    expect(limits.restore).toEqual([800])
    expect(limits.save[0]).toBeGreaterThan(200)
    expect(limits.save[0]).toBeLessThanOrEqual(4000)
  })

  test('not at its end when the time budget is used up', async () => {
    const { store, limits } = notebook()
    const { emulator, clock, prune } = await scene(store)
    afterRead(emulator, () => {
      clock.time += minute
    })
    expect((await prune({ 'time-budget': '1m' })).reads).toBe(1)
    expect(limits.save).toEqual([])
  })

  test('not at its end when it was cancelled', async () => {
    const { store, limits } = notebook()
    const { emulator, prune } = await scene(store)
    const controller = new AbortController()
    afterRead(emulator, () => {
      controller.abort()
    })
    expect(await prune({}, controller.signal)).toMatchObject({ exitCode: 130, reads: 1 })
    expect(limits.save).toEqual([])
  })
})

test('a store that fails either way costs reads, and is told at debug only', async () => {
  const broken: TextStore = {
    restore: () => Promise.reject(new Error('no way in')),
    save: () => Promise.reject(new Error('no way out')),
  }
  const { prune } = await scene(broken)
  const run = await prune()
  expect(run).toMatchObject({ exitCode: 0, reads: 1 })
  expect(run.log.filter((line) => line.includes('no way'))).toEqual([
    'debug: Manifests of earlier runs could not be fetched: no way in.',
  ])

  const { store } = notebook()
  const half = await scene({ ...store, save: broken.save })
  const later = await half.prune()
  expect(later).toMatchObject({ exitCode: 0, reads: 1 })
  expect(later.log.filter((line) => line.includes('no way'))).toEqual([
    'debug: Manifests could not be kept for the next run: no way out.',
  ])
})
