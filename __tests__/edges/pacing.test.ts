import { describe, expect, test } from '@jest/globals'
import { Pacer } from '../../src/pacing.js'
import { testClock } from './clock.js'

const minute = 60_000
const start = Date.UTC(2026, 0, 1)
const usual = { pointsPerMinute: 900, quotaReserve: 0.1 }

function pacer(options: { deletesPerMinute?: number; deadline?: number } = {}) {
  const clock = testClock(start)
  const { deletesPerMinute = 150, deadline } = options
  return { clock, pacer: new Pacer({ ...usual, clock, deletesPerMinute, deadline }) }
}

const quota = (remaining: number, hours = 1, limit = 1000) =>
  new Headers({
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(start / 1000 + 3600 * hours),
  })

/** The most points that any minute holds. */
function mostInAMinute(spent: readonly { at: number; points: number }[]): number {
  let [sum, most, first] = [0, 0, 0]
  for (const { at, points } of spent) {
    sum += points
    for (; (spent[first]?.at ?? at) <= at - minute; first++) sum -= spent[first]?.points ?? 0
    most = Math.max(most, sum)
  }
  return most
}

describe('the pace', () => {
  test('is even: the first delete at once, then one every 400 ms at 150 a minute', async () => {
    const { clock, pacer: pace } = pacer()
    for (let i = 0; i < 151; i++) await pace.turn()
    expect(clock.time - start).toBe(minute)
    expect(clock.sleeps.every((sleep) => sleep === 400)).toBe(true)
  })

  test('makes up for what it lost within seconds, at twice the pace, and not for what it lost in minutes', async () => {
    const { clock, pacer: pace } = pacer()
    await pace.turn()
    clock.time += 1000
    const late = clock.time
    await pace.turn()
    await pace.turn()
    await pace.turn()
    expect(clock.time - late).toBe(400)
    await pace.turn()
    expect(clock.time - start).toBe(4 * 400)
    clock.time += 10 * minute
    const later = clock.time
    for (let i = 0; i < 40; i++) await pace.turn()
    expect(clock.time - later).toBe(40 * 400 - 3000 - 400)
  })

  test('leaves room for the reads of the same minute', async () => {
    const { clock, pacer: pace } = pacer({ deletesPerMinute: 175 })
    for (let i = 0; i < 600; i++) {
      await pace.api.enter()
      pace.api.leave()
    }
    expect(clock.time).toBe(start)
    for (let i = 0; i < 61; i++) await pace.turn()
    expect(clock.time - start).toBe(61_000)
  })

  test('comes down when GitHub asks to slow down, after the wait, and nothing of the pause is made up for', async () => {
    const { clock, pacer: pace } = pacer()
    await pace.turn()
    expect(pace.slowDown(2 * minute)).toBe(true)
    expect(pace.slowDown(minute)).toBe(false)
    expect(pace.perMinute).toBe(90)
    await pace.turn()
    expect(clock.time - start).toBe(2 * minute)
    await pace.turn()
    expect(clock.time - start).toBeCloseTo(2 * minute + 60_000 / 90)
  })

  test('is the one that was asked for where more is allowed', () => {
    const { pacer: pace } = pacer({ deletesPerMinute: 2 })
    pace.slowDown(0)
    expect(pace.perMinute).toBe(2)
  })

  test('keeps an hour of deletes under the published points, whatever reads there are between them', async () => {
    const { clock, pacer: pace } = pacer({ deletesPerMinute: 1000 })
    const spent: { at: number; points: number }[] = []
    while (clock.time < start + 60 * minute) {
      await pace.turn()
      spent.push({ at: clock.time, points: 5 })
      pace.settled()
      if (spent.length % 7 > 0) continue
      await pace.api.enter()
      spent.push({ at: clock.time, points: 1 })
      pace.api.leave()
    }
    expect(mostInAMinute(spent)).toBeLessThanOrEqual(900)
    expect(spent.length).toBeGreaterThan(0.98 * 59 * (880 / 5))
  })
})

describe('reads', () => {
  test('go out a few at once, and the next when one is over', async () => {
    const { pacer: pace } = pacer()
    let entered = 0
    const all = Array.from({ length: 40 }, () => pace.api.enter().then(() => entered++))
    await new Promise(setImmediate)
    expect(entered).toBe(32)
    expect(pace.api.inFlight).toBe(32)
    pace.api.leave()
    await new Promise(setImmediate)
    expect(entered).toBe(33)
    for (let i = 0; i < 39; i++) pace.api.leave()
    await Promise.all(all)
    expect(pace.api.inFlight).toBe(0)
  })

  test('wait for a pause to end, of their own service only', async () => {
    const { clock, pacer: pace } = pacer()
    pace.slowDown(minute)
    await pace.registry.enter()
    expect(clock.time).toBe(start)
    await pace.api.enter()
    expect(clock.time - start).toBe(minute)
    pace.registry.slowDown(minute)
    await pace.registry.enter()
    expect(clock.time - start).toBe(2 * minute)
  })

  test('do not wait for what comes after the deadline, and leave their place to others', async () => {
    const { clock, pacer: pace } = pacer({ deadline: start + minute })
    pace.registry.slowDown(2 * minute)
    pace.slowDown(2 * minute)
    await expect(pace.registry.enter()).rejects.toMatchObject({ code: 'out-of-time' })
    await expect(pace.api.enter()).rejects.toMatchObject({ code: 'out-of-time' })
    expect(clock.time).toBe(start)
    expect([pace.api.inFlight, pace.registry.inFlight]).toEqual([0, 0])
  })

  test('of the API stop at the reserve of the quota, those on their way counted; those of the registry do not', async () => {
    const { pacer: pace } = pacer()
    pace.observe(quota(102))
    await pace.api.enter()
    await pace.api.enter()
    await expect(pace.api.enter()).rejects.toMatchObject({
      code: 'out-of-time',
      message: expect.stringMatching(/^102 of 1000 API requests are left/) as unknown,
    })
    await pace.registry.enter()
    pace.api.leave()
    await pace.api.enter()
  })

  test('are not begun when the quota does not bear them all', () => {
    const { pacer: pace } = pacer()
    pace.afford(1_000_000)
    pace.observe(quota(400))
    pace.afford(300)
    expect(() => {
      pace.afford(301)
    }).toThrow(
      /^listing it takes 301 more requests: 400 of 1000 API requests are left this hour, and 100 are reserved for other workflows; the next run can go on at 01:00 UTC$/,
    )
    expect(() => {
      pace.afford(901)
    }).toThrow(
      /^listing it takes 901 more requests, and this token has 1000 an hour, of which 100 are/,
    )
  })
})

describe('what lies ahead', () => {
  test('a pause, and why', async () => {
    const { clock, pacer: pace } = pacer()
    expect(pace.pauseOf('delete')).toBeUndefined()
    pace.slowDown(minute)
    const asked = { at: start + minute, why: 'GitHub asked to slow down' }
    expect([pace.pauseOf('delete'), pace.pauseOf('page')]).toEqual([asked, asked])
    expect(pace.pauseOf('manifest')).toBeUndefined()
    clock.time += minute
    expect(pace.pauseOf('delete')).toBeUndefined()
    pace.registry.slowDown(minute)
    expect(pace.pauseOf('manifest')).toMatchObject({ why: 'the registry asked to slow down' })
    expect(pace.pauseOf('delete')).toBeUndefined()
    for (let i = 0; i < 450; i++) {
      await pace.api.enter()
      pace.api.leave()
    }
    const why = 'GitHub allows 450 points a minute, and they are spent'
    const empty = { at: clock.time + 61_000, why }
    expect(pace.pauseOf('delete')).toEqual(empty)
  })

  test('the end of the time budget or of the quota, whichever comes first, if it comes before the last delete', () => {
    const { pacer: pace } = pacer({ deadline: start + 10 * minute })
    expect(pace.endBefore(1500)).toBeUndefined()
    expect(pace.endBefore(1501)).toEqual({ at: start + 10 * minute, why: 'time-budget' })
    pace.observe(quota(400))
    expect(pace.endBefore(300)).toBeUndefined()
    expect(pace.endBefore(301)).toEqual({
      at: start + 2 * minute,
      why: '400 of 1000 API requests are left this hour',
    })
    pace.observe(quota(1000, 2))
    expect(pace.endBefore(1000)).toMatchObject({ at: start + 6 * minute })
  })

  test('a quota that begins anew before it is used up ends nothing', () => {
    const { clock, pacer: pace } = pacer({ deletesPerMinute: 10 })
    clock.time += 45 * minute
    pace.observe(quota(400))
    expect(pace.endBefore(3000)).toBeUndefined()
  })
})

test('a clock that is set back makes nobody wait for as long as that', async () => {
  const { clock, pacer: pace } = pacer()
  await pace.turn()
  clock.time -= 60 * minute
  const before = clock.time
  await pace.turn()
  expect(clock.time - before).toBe(400)
})

test('a pause that the time budget does not last for is told as such', async () => {
  const { pacer: pace } = pacer({ deadline: start + 10 * minute })
  pace.slowDown(15 * minute)
  expect(await pace.turn()).toEqual({
    reason: 'time-budget',
    why: 'nothing may be asked for before 00:15 UTC, and the time budget does not last until then; the next run goes on from here',
  })
})

test('a long wait gives a sign of life every half minute', async () => {
  const clock = testClock(start)
  const signs: number[] = []
  const waiting = () => signs.push(clock.time - start)
  const pace = new Pacer({ ...usual, clock, deletesPerMinute: 60, deadline: undefined, waiting })
  pace.slowDown(100_000)
  await pace.turn()
  expect(signs).toEqual([30_000, 60_000, 90_000])
})

describe('no delete starts', () => {
  test('after the deadline, nor when its turn would come only then', async () => {
    const { clock, pacer: pace } = pacer({ deletesPerMinute: 1, deadline: start + minute })
    expect(await pace.turn()).toBeUndefined()
    expect(await pace.turn()).toMatchObject({ reason: 'time-budget' })
    expect(clock.sleeps).toEqual([])
    expect(pace.hasTimeFor(minute - 1)).toBe(true)
    expect(pace.hasTimeFor(minute)).toBe(false)
  })

  test('once the run is cancelled, not even one that waits for its turn', async () => {
    const clock = testClock(start)
    const controller = new AbortController()
    const options = {
      ...usual,
      deletesPerMinute: 60,
      deadline: undefined,
      cancelled: controller.signal,
    }
    const sleep = (milliseconds: number) => {
      controller.abort()
      return clock.sleep(milliseconds)
    }
    const pace = new Pacer({ clock: { ...clock, now: clock.now, sleep }, ...options })
    expect(await pace.turn()).toBeUndefined()
    expect(await pace.turn()).toMatchObject({ reason: 'cancelled' })
    expect(pace.hasTimeFor(0)).toBe(false)
  })

  test('when only the reserved tenth of the quota is left, and the reader hears until when', async () => {
    const { pacer: pace } = pacer()
    pace.observe(quota(101))
    expect(await pace.turn()).toBeUndefined()
    pace.observe(quota(100))
    expect(await pace.turn()).toEqual({
      reason: 'quota',
      why: expect.stringMatching(/^100 of 1000 API requests .* can go on at 01:00 UTC$/) as unknown,
    })
  })

  test('when those on their way will use up the rest, and answers that overtake each other change nothing', async () => {
    const { pacer: pace } = pacer()
    pace.observe(quota(103))
    expect(await pace.turn()).toBeUndefined()
    expect(await pace.turn()).toBeUndefined()
    expect(await pace.turn()).toBeUndefined()
    expect(await pace.turn()).toMatchObject({ reason: 'quota' })
    pace.settled()
    expect(await pace.turn()).toBeUndefined()
    pace.observe(quota(100))
    pace.observe(quota(103))
    expect(await pace.turn()).toMatchObject({ reason: 'quota' })
  })

  test('nor before a reserve of another size is left', async () => {
    const clock = testClock(start)
    const options = { ...usual, clock, deletesPerMinute: 60, deadline: undefined }
    const pace = new Pacer({ ...options, quotaReserve: 0.5 })
    pace.observe(quota(501))
    expect(await pace.turn()).toBeUndefined()
    pace.observe(quota(500))
    expect(await pace.turn()).toMatchObject({ reason: 'quota' })
    const greedy = new Pacer({ ...options, quotaReserve: 0 })
    greedy.observe(quota(1))
    expect(await greedy.turn()).toBeUndefined()
    expect(await greedy.turn()).toMatchObject({ reason: 'quota' })
  })

  test('once the hour of a used-up quota is over, it may go on, also when that is only at its turn', async () => {
    const { clock, pacer: pace } = pacer()
    pace.observe(quota(100))
    expect(await pace.turn()).toMatchObject({ reason: 'quota' })
    clock.time += 60 * minute
    expect(await pace.turn()).toBeUndefined()
    pace.afford(1000)

    const { pacer: other, clock: time } = pacer()
    time.time += 59 * minute
    other.observe(quota(100))
    other.slowDown(2 * minute)
    expect(await other.turn()).toBeUndefined()
  })

  test('what an answer of the hour before tells is of no interest', async () => {
    const { pacer: pace } = pacer()
    pace.observe(quota(1000, 2))
    pace.observe(quota(0, 1))
    expect(await pace.turn()).toBeUndefined()
  })

  test('but the next hour has a quota of its own', async () => {
    const { pacer: pace } = pacer()
    pace.observe(quota(0))
    pace.observe(quota(1000, 2))
    expect(await pace.turn()).toBeUndefined()
  })
})

test('a service without limits sends no headers, and nothing stops', async () => {
  const { pacer: pace } = pacer()
  pace.observe(new Headers())
  pace.observe(new Headers({ 'x-ratelimit-limit': 'none' }))
  expect(await pace.turn()).toBeUndefined()
  expect(pace.hasTimeFor(1e9)).toBe(true)
})
