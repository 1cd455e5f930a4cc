import { describe, expect, test } from '@jest/globals'
import { Pacer } from '../../src/pacing.js'
import { testClock } from './clock.js'

const minute = 60_000
const start = Date.UTC(2026, 0, 1)

function pacer(options: { deletesPerMinute?: number; deadline?: number } = {}) {
  const clock = testClock(start)
  const { deletesPerMinute = 150, deadline } = options
  return { clock, pacer: new Pacer({ clock, deletesPerMinute, deadline }) }
}

const quota = (remaining: number, limit = 1000) => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(start / 1000 + 3600),
})

describe('the pace', () => {
  test('is even: the first delete at once, then one every 400 ms at 150 a minute', async () => {
    const { clock, pacer: pace } = pacer()
    for (let i = 0; i < 151; i++) await pace.turn()
    expect(clock.time - start).toBe(minute)
    expect(clock.sleeps.every((sleep) => sleep === 400)).toBe(true)
  })

  test('does not catch up with a burst after a pause', async () => {
    const { clock, pacer: pace } = pacer()
    await pace.turn()
    clock.time += 10 * minute
    await pace.turn()
    await pace.turn()
    expect(clock.sleeps).toEqual([400])
  })

  test('halves when GitHub asks to slow down, after the wait, and recovers slowly', async () => {
    const { clock, pacer: pace } = pacer()
    await pace.turn()
    pace.slowDown(2 * minute)
    expect(pace.perMinute).toBe(75)
    await pace.turn()
    expect(clock.time - start).toBe(2 * minute)
    await pace.turn()
    expect(clock.sleeps.at(-1)).toBe(800)
    pace.settled(false)
    expect(pace.perMinute).toBe(75)
    pace.settled(true)
    expect(pace.perMinute).toBe(78)
    for (let i = 0; i < 100; i++) pace.settled(true)
    expect(pace.perMinute).toBe(150)
  })

  test('halves once for those that were limited together', () => {
    const { pacer: pace } = pacer()
    for (let i = 0; i < 10; i++) pace.slowDown(minute)
    expect(pace.perMinute).toBe(75)
  })

  test.each([
    [150, 5],
    [2, 2],
  ])('never falls below a floor: from %d to %d', (deletesPerMinute, floor) => {
    const { pacer: pace } = pacer({ deletesPerMinute })
    for (let i = 0; i < 10; i++) pace.slowDown(0)
    expect(pace.perMinute).toBe(floor)
  })
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
    const options = { deletesPerMinute: 60, deadline: undefined, cancelled: controller.signal }
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
    pace.settled(true)
    expect(await pace.turn()).toBeUndefined()
    pace.observe(quota(100))
    pace.observe(quota(103))
    expect(await pace.turn()).toMatchObject({ reason: 'quota' })
  })

  test('but the next hour has a quota of its own', async () => {
    const { pacer: pace } = pacer()
    pace.observe(quota(0))
    pace.observe({ ...quota(1000), 'x-ratelimit-reset': String(start / 1000 + 7200) })
    expect(await pace.turn()).toBeUndefined()
  })
})

test('a service without limits sends no headers, and nothing stops', async () => {
  const { pacer: pace } = pacer()
  pace.observe({})
  pace.observe({ 'x-ratelimit-limit': 'none' })
  expect(await pace.turn()).toBeUndefined()
  expect(pace.hasTimeFor(1e9)).toBe(true)
})
