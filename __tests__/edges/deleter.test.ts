import { describe, expect, test } from '@jest/globals'
import { deleteAll } from '../../src/deleter.js'
import type { Deletion } from '../../src/model.js'
import { Pacer } from '../../src/pacing.js'
import type { DeleteAnswer } from '../../src/ports.js'
import { digest } from '../core/kit.js'
import { testClock } from './clock.js'

const deletion = (id: number, ...after: number[]): Deletion => ({
  version: { id, digest: digest(String(id)), tags: [], createdAt: 0, updatedAt: 0 },
  after,
})

/** Carries deletions out against scripted answers; the default answer is that it worked. */
async function carryOut(deletions: Deletion[], answers: Record<number, DeleteAnswer> = {}) {
  const clock = testClock()
  const pacer = new Pacer({ clock, deletesPerMinute: 60, deadline: undefined })
  const asked: number[] = []
  const told: number[] = []
  const outcomes = await deleteAll(
    deletions,
    {
      deleteVersion: ({ id }) => {
        asked.push(id)
        return Promise.resolve(answers[id] ?? { status: 'deleted' })
      },
    },
    pacer,
    ({ version }) => told.push(version.id),
  )
  const statuses = Object.fromEntries(
    outcomes.map(({ version, result }) => [version.id, result.status]),
  )
  return { asked, told, outcomes, statuses, clock }
}

test('deletes in order and tells every outcome once', async () => {
  const run = await carryOut([deletion(1), deletion(2, 1), deletion(3, 1, 2)])
  expect(run.asked).toEqual([1, 2, 3])
  expect(run.told).toEqual([1, 2, 3])
  expect(run.statuses).toEqual({ 1: 'deleted', 2: 'deleted', 3: 'deleted' })
})

test('a version that was gone already frees what it contained', async () => {
  const run = await carryOut([deletion(1), deletion(2, 1)], { 1: { status: 'already-gone' } })
  expect(run.statuses).toEqual({ 1: 'already-gone', 2: 'deleted' })
})

describe('what stays keeps what belongs to it', () => {
  test('retained by GitHub', async () => {
    const run = await carryOut(
      [deletion(1), deletion(2), deletion(3, 1, 2), deletion(4, 3), deletion(5, 2)],
      { 1: { status: 'retained', why: 'downloads' } },
    )
    expect(run.asked).toEqual([1, 2, 5])
    expect(run.statuses).toEqual({
      1: 'retained',
      2: 'deleted',
      3: 'retained',
      4: 'retained',
      5: 'deleted',
    })
  })

  test('failed', async () => {
    const run = await carryOut([deletion(1), deletion(2, 1), deletion(3)], {
      1: { status: 'failed', why: 'HTTP 500', hint: '' },
    })
    expect(run.asked).toEqual([1, 3])
    expect(run.statuses).toEqual({ 1: 'failed', 2: 'remaining', 3: 'deleted' })
  })
})

describe('the end of a run', () => {
  test('a denied delete fails, and no other is tried', async () => {
    const run = await carryOut([deletion(1), deletion(2), deletion(3)], {
      1: { status: 'denied', everywhere: true, why: 'HTTP 404', hint: 'Admin role' },
    })
    expect(run.statuses).toEqual({ 1: 'failed', 2: 'remaining', 3: 'remaining' })
    expect(run.asked).toEqual([1])
  })

  test('one version that is denied says nothing of the others, five and no success say all', async () => {
    const denied: DeleteAnswer = { status: 'denied', everywhere: false, why: 'HTTP 404', hint: '' }
    const seven = [1, 2, 3, 4, 5, 6, 7].map((id) => deletion(id))
    expect((await carryOut(seven, { 1: denied })).statuses).toMatchObject({
      1: 'failed',
      2: 'deleted',
    })
    const all = Object.fromEntries(seven.map(({ version }) => [version.id, denied]))
    expect((await carryOut(seven, all)).asked).toEqual([1, 2, 3, 4, 5])
  })

  test('a denied delete after others that worked is the failure of that one alone', async () => {
    const run = await carryOut([deletion(1), deletion(2), deletion(3)], {
      2: { status: 'denied', everywhere: true, why: 'HTTP 403', hint: '' },
    })
    expect(run.statuses).toEqual({ 1: 'deleted', 2: 'failed', 3: 'deleted' })
  })

  test('an exhausted limit fails nothing', async () => {
    const run = await carryOut([deletion(1), deletion(2)], {
      1: { status: 'limited', why: 'quota used up' },
    })
    expect(run.outcomes.map(({ result }) => result)).toEqual([
      { status: 'remaining', why: 'quota used up' },
      { status: 'remaining', why: 'quota used up' },
    ])
  })

  test('a deletion that waits for something outside the plan is left alone', async () => {
    const run = await carryOut([deletion(1, 99), deletion(2)])
    expect(run.statuses).toEqual({ 1: 'remaining', 2: 'deleted' })
  })
})

test('a few deletes are on their way at once, but never a part before its image', async () => {
  const clock = testClock()
  const pacer = new Pacer({ clock, deletesPerMinute: 10_000, deadline: undefined })
  const open = new Map<number, (answer: DeleteAnswer) => void>()
  const waitUntil = async (condition: () => boolean) => {
    for (let turns = 0; turns < 1000 && !condition(); turns++) await new Promise(setImmediate)
    expect(condition()).toBe(true)
  }
  const running = deleteAll(
    [deletion(1), deletion(2, 1), deletion(3), deletion(4, 3)],
    { deleteVersion: ({ id }) => new Promise((resolve) => open.set(id, resolve)) },
    pacer,
    () => undefined,
  )
  await waitUntil(() => open.size === 2)
  expect([...open.keys()]).toEqual([1, 3])
  open.get(3)?.({ status: 'deleted' })
  await waitUntil(() => open.size === 3)
  expect([...open.keys()]).toEqual([1, 3, 4])
  open.get(1)?.({ status: 'deleted' })
  await waitUntil(() => open.size === 4)
  open.get(4)?.({ status: 'deleted' })
  open.get(2)?.({ status: 'deleted' })
  expect((await running).every(({ result }) => result.status === 'deleted')).toBe(true)
})
