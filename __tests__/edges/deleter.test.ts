import { describe, expect, test } from '@jest/globals'
import { deleteAll, type Recheck } from '../../src/deleter.js'
import type { Deletion, PackageVersion } from '../../src/model.js'
import { Pacer } from '../../src/pacing.js'
import type { DeleteAnswer } from '../../src/ports.js'
import { digest } from '../core/kit.js'
import { testClock } from './clock.js'

const deletion = (id: number, ...after: number[]): Deletion => ({
  version: { id, digest: digest(String(id)), tags: [], createdAt: 0, updatedAt: 0 },
  after,
})

/** A recheck for tests whose subject is another: everything is always fresh. */
const alwaysFresh: Recheck = {
  freshFor: 50_000,
  isFresh: () => true,
  lookAgain: () => Promise.resolve(undefined),
  went: () => undefined,
  objection: () => undefined,
}

const usual = { pointsPerMinute: 900, quotaReserve: 0.1 }

/** Carries deletions out against scripted answers, the last of which repeats; the default answer is that it worked. */
async function carryOut(
  deletions: Deletion[],
  answers: Record<number, DeleteAnswer | DeleteAnswer[]> = {},
  { recheck = alwaysFresh, deadline }: { recheck?: Recheck; deadline?: number } = {},
  clock = testClock(),
) {
  const pacer = new Pacer({ ...usual, clock, deletesPerMinute: 60, deadline })
  const asked: number[] = []
  const told: number[] = []
  const deleter = {
    deleteVersion: ({ id }: PackageVersion): Promise<DeleteAnswer> => {
      const script = [answers[id] ?? []].flat()
      const times = asked.filter((other) => other === id).length
      asked.push(id)
      return Promise.resolve(script[Math.min(times, script.length - 1)] ?? { status: 'deleted' })
    },
  }
  const outcomes = await deleteAll(deletions, {
    deleter,
    recheck,
    pacer,
    clock,
    random: () => 0.5,
    told: ({ version }) => told.push(version.id),
  })
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
      1: { status: 'limited', wait: undefined, why: 'quota used up' },
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

describe('what may pass', () => {
  const passing: DeleteAnswer = { status: 'passing', why: 'HTTP 500', hint: 'wait' }
  const limited: DeleteAnswer = { status: 'limited', wait: 60_000, why: 'slow down' }

  test('is asked for again after a wait that grows, and the others go on meanwhile', async () => {
    const run = await carryOut(
      [deletion(1), deletion(2, 1), deletion(3), deletion(4), deletion(5)],
      {
        1: [passing, passing, { status: 'deleted' }],
      },
    )
    expect(run.asked).toEqual([1, 3, 1, 4, 5, 1, 2])
    expect(Object.values(run.statuses)).toEqual(Array(5).fill('deleted'))
    expect(run.clock.time - testClock().time).toBe(6500)
  })

  test('fails after five tries, and what belongs to it stays', async () => {
    const run = await carryOut([deletion(1), deletion(2, 1)], { 1: passing })
    expect(run.asked).toEqual([1, 1, 1, 1, 1])
    expect(run.statuses).toEqual({ 1: 'failed', 2: 'remaining' })
    expect(run.clock.time - testClock().time).toBe(30_000)
  })

  test('is left to the next run when no time is left for another try', async () => {
    const deadline = testClock().time + 5000
    const run = await carryOut([deletion(1)], { 1: passing }, { deadline })
    expect(run.asked).toEqual([1, 1])
    expect(run.outcomes[0]?.result).toEqual({
      status: 'remaining',
      why: 'HTTP 500, and the run ended before another try',
    })
  })

  test('ends the run when ten deletes in a row fail, but not when one works between them', async () => {
    const many = Array.from({ length: 100 }, (_, at) => deletion(at + 1))
    const all = Object.fromEntries(many.map(({ version }) => [version.id, passing]))
    const down = await carryOut(many, all)
    const failed = Object.values(down.statuses).filter((status) => status === 'failed')
    expect(failed.length).toBeGreaterThanOrEqual(10)
    expect(failed.length).toBeLessThan(20)
    expect(down.outcomes[99]?.result).toEqual({
      status: 'remaining',
      why: '10 deletes in a row failed: HTTP 500',
    })

    const some = Object.fromEntries(
      many.filter((_, at) => at % 3 > 0).map(({ version }) => [version.id, passing]),
    )
    const up = await carryOut(many, some)
    expect(Object.values(up.statuses)).not.toContain('remaining')
  })

  test('a limit is waited for, and ends the run when it does not pass', async () => {
    const once = await carryOut([deletion(1), deletion(2)], { 1: [limited, { status: 'deleted' }] })
    expect(once.asked).toEqual([1, 2, 1])
    expect(once.statuses).toEqual({ 1: 'deleted', 2: 'deleted' })
    const always = await carryOut([deletion(1), deletion(2, 1)], { 1: limited })
    expect(always.asked).toHaveLength(5)
    expect(always.statuses).toEqual({ 1: 'remaining', 2: 'remaining' })
  })

  test('a run that has ended asks for nothing again', async () => {
    const denied: DeleteAnswer = { status: 'denied', everywhere: true, why: '', hint: '' }
    const run = await carryOut([deletion(1), deletion(2)], { 1: passing, 2: denied })
    expect(run.asked).toEqual([1, 2])
    expect(run.statuses).toEqual({ 1: 'remaining', 2: 'failed' })
  })
})

describe('before a delete the package is looked at again', () => {
  /** A recheck that is good for ten seconds, and what it was asked. */
  function lookingOften(answer: { ends?: string; objections?: Record<number, string> } = {}) {
    const clock = testClock()
    let seen = clock.time
    const looks: { next: number[]; gone: number[] }[] = []
    const gone: number[] = []
    const recheck: Recheck = {
      freshFor: 10_000,
      isFresh: () => clock.time - seen < 10_000,
      went: ({ id }) => gone.push(id),
      lookAgain: (next) => {
        looks.push({ next: next.map(({ id }) => id), gone: [...gone] })
        seen = clock.time
        return Promise.resolve(answer.ends)
      },
      objection: ({ id }) => (looks.length > 0 ? answer.objections?.[id] : undefined),
    }
    return { clock, looks, recheck }
  }
  const thirty = Array.from({ length: 30 }, (_, at) => deletion(at + 1))

  test('when the last look is too old, with what is gone and what is next', async () => {
    const { clock, looks, recheck } = lookingOften()
    const { statuses } = await carryOut(thirty, {}, { recheck }, clock)
    expect(Object.values(statuses)).toEqual(Array(30).fill('deleted'))
    expect(looks.map(({ next }) => next[0])).toEqual([11, 21])
    expect(looks[0]?.next).toHaveLength(11)
    expect(looks[1]?.gone).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  })

  test('when it has to be asked for again after a wait', async () => {
    const { clock, looks, recheck } = lookingOften()
    const limited: DeleteAnswer = { status: 'limited', wait: 20_000, why: '' }
    await carryOut([deletion(1)], { 1: [limited, { status: 'deleted' }] }, { recheck }, clock)
    expect(looks).toEqual([{ next: [1], gone: [] }])
  })

  test('what stays by that look stays, with what belongs to it', async () => {
    const { clock, recheck } = lookingOften({ objections: { 12: 'tag latest is protected' } })
    const all = [...thirty, deletion(31, 12)]
    const { asked, outcomes } = await carryOut(all, {}, { recheck }, clock)
    expect(asked).not.toContain(12)
    expect(outcomes[11]?.result).toEqual({ status: 'changed', why: 'tag latest is protected' })
    expect(outcomes[30]?.result).toMatchObject({ status: 'changed' })
    expect(asked).toHaveLength(29)
  })

  test('a look that fails ends the run', async () => {
    const { clock, recheck } = lookingOften({ ends: 'page 2 cannot be read' })
    const { asked, outcomes } = await carryOut(thirty, {}, { recheck }, clock)
    expect(asked).toHaveLength(10)
    expect(outcomes[10]?.result).toEqual({ status: 'remaining', why: 'page 2 cannot be read' })
    expect(outcomes[29]?.result).toEqual({ status: 'remaining', why: 'page 2 cannot be read' })
  })

  test('looks that are out of date at once end the run', async () => {
    const looks: number[] = []
    const lookAgain: Recheck['lookAgain'] = ([next]) => {
      looks.push(next?.id ?? 0)
      return Promise.resolve(undefined)
    }
    const recheck = { ...alwaysFresh, isFresh: () => false, lookAgain }
    const { asked, statuses } = await carryOut([deletion(1), deletion(2)], {}, { recheck })
    expect(looks).toEqual([1, 1, 1])
    expect(asked).toEqual([])
    expect(statuses).toEqual({ 1: 'remaining', 2: 'remaining' })
  })
})

test('once one has worked a few deletes are on their way at once, but never a part before its image', async () => {
  const clock = testClock()
  const pacer = new Pacer({ ...usual, clock, deletesPerMinute: 10_000, deadline: undefined })
  const open = new Map<number, (answer: DeleteAnswer) => void>()
  const waitUntil = async (condition: () => boolean) => {
    for (let turns = 0; turns < 1000 && !condition(); turns++) await new Promise(setImmediate)
    expect(condition()).toBe(true)
  }
  const running = deleteAll(
    [deletion(5), deletion(1), deletion(2, 1), deletion(3), deletion(4, 3)],
    {
      deleter: { deleteVersion: ({ id }) => new Promise((resolve) => open.set(id, resolve)) },
      recheck: alwaysFresh,
      pacer,
      clock,
      random: () => 0.5,
      told: () => undefined,
    },
  )
  await waitUntil(() => open.size === 1)
  open.get(5)?.({ status: 'deleted' })
  await waitUntil(() => open.size === 3)
  expect([...open.keys()]).toEqual([5, 1, 3])
  open.get(3)?.({ status: 'deleted' })
  await waitUntil(() => open.size === 4)
  expect([...open.keys()]).toEqual([5, 1, 3, 4])
  open.get(1)?.({ status: 'deleted' })
  await waitUntil(() => open.size === 5)
  open.get(4)?.({ status: 'deleted' })
  open.get(2)?.({ status: 'deleted' })
  expect((await running).every(({ result }) => result.status === 'deleted')).toBe(true)
})
