import { describe, expect, test } from '@jest/globals'
import { Allowance } from '../../src/allowance.js'

const minute = 60_000

/** A service that refuses what is above so many points in any 60 s, and then everything for a minute. */
function service(pointsAt: (now: number) => number) {
  const spent: { at: number; points: number }[] = []
  let blockedUntil = 0
  return {
    spent,
    refused: [] as number[],
    ask(points: number, now: number): boolean {
      const sum = spent.filter(({ at }) => at > now - minute).reduce((s, e) => s + e.points, 0)
      if (now >= blockedUntil && sum + points <= pointsAt(now)) {
        spent.push({ at: now, points })
        return true
      }
      blockedUntil = Math.max(blockedUntil, now >= blockedUntil ? now + minute : 0)
      this.refused.push(now)
      return false
    },
    between(from: number, to: number): number {
      return spent.filter(({ at }) => at >= from && at < to).reduce((s, e) => s + e.points, 0)
    },
  }
}

/** Asks for deletes of 5 points at the pace that the allowance gives, but never above 150 a minute. */
function run(pointsAt: (now: number) => number, minutes: number) {
  const allowance = new Allowance(900)
  const server = service(pointsAt)
  for (let now = 0; now < minutes * minute;) {
    const start = allowance.earliest(5, now)
    if (start > now) {
      now = start
      continue
    }
    allowance.spend(5, now)
    if (!server.ask(5, now)) allowance.limited(minute, now)
    now += Math.max(400, (5 * minute) / allowance.perMinute(now))
  }
  return server
}

/** An allowance of 900 that was limited at each of these minutes, with so many points spent at that moment. */
function taught(...lessons: [spent: number, minutes: number][]): Allowance {
  const allowance = new Allowance(900)
  for (const [spent, minutes] of lessons) {
    allowance.spend(spent, minutes * minute)
    allowance.limited(minute, minutes * minute)
  }
  return allowance
}

describe('points a minute', () => {
  test('may be spent at once, and then only when they have grown old', () => {
    const allowance = new Allowance(900)
    for (let i = 0; i < 900; i++) {
      expect(allowance.earliest(1, i)).toBe(i)
      allowance.spend(1, i)
    }
    expect(allowance.earliest(1, 900)).toBe(61_000)
    expect(allowance.earliest(5, 900)).toBe(61_004)
    expect(allowance.earliest(1, 61_000)).toBe(61_000)
  })

  test('are counted over a second more than a minute, because requests do not all travel equally long', () => {
    const allowance = new Allowance(10)
    allowance.spend(10, 0)
    expect(allowance.earliest(1, minute)).toBe(61_000)
  })

  test('never stay forbidden: what costs more than a whole minute allows waits until nothing else counts', () => {
    const allowance = new Allowance(3)
    expect(allowance.earliest(5, 7)).toBe(7)
    allowance.spend(1, 7)
    expect(allowance.earliest(5, 8)).toBe(61_007)
  })

  test('stay exact over many thousands', () => {
    const allowance = new Allowance(900)
    let now = 0
    for (let i = 0; i < 10_000; i++) {
      now = allowance.earliest(1, now)
      allowance.spend(1, now)
    }
    // Eleven full minutes, and the 100 points that do not fit into them.
    expect(now).toBe(11 * 61_000)
  })
})

describe('a limited answer', () => {
  test('forbids everything until its wait is over', () => {
    const allowance = new Allowance(900)
    allowance.limited(minute, 1000)
    expect(allowance.earliest(1, 1000)).toBe(1000 + minute)
    expect(allowance.pausedUntil).toBe(1000 + minute)
  })

  test('is news once: those that were on their way together are limited together', () => {
    const allowance = new Allowance(900)
    expect(allowance.limited(minute, 0)).toBe(true)
    expect(allowance.limited(2 * minute, 10)).toBe(false)
    expect(allowance.perMinute(10)).toBe(450)
    expect(allowance.pausedUntil).toBe(10 + 2 * minute)
    expect(allowance.limited(minute, 10 + 2 * minute)).toBe(true)
  })

  test('counts what is less than 61 seconds old, and nothing else', () => {
    for (const [age, then] of [
      [60_999, 570],
      [61_000, 450],
    ] as const) {
      const allowance = new Allowance(900)
      allowance.spend(600, 0)
      allowance.limited(minute, age)
      expect(allowance.perMinute(age)).toBe(then)
    }
  })

  test('teaches once in twenty seconds, however often it comes', () => {
    const allowance = new Allowance(900)
    for (let now = 0; now < 20_000; now += 1000) allowance.limited(1000, now)
    expect(allowance.perMinute(20_000)).toBe(450)
    allowance.limited(1000, 20_000)
    expect(allowance.perMinute(20_000)).toBe(225)
  })

  test('that asks for less than a second is about a moment, and teaches nothing of a minute', () => {
    const allowance = new Allowance(900)
    expect(allowance.limited(999, 0)).toBe(true)
    expect(allowance.earliest(1, 0)).toBe(999)
    expect(allowance.perMinute(999)).toBe(900)
  })

  test('never shortens a pause', () => {
    const allowance = new Allowance(900)
    allowance.limited(2 * minute, 0)
    allowance.limited(1000, 10)
    expect(allowance.pausedUntil).toBe(2 * minute)
  })

  test.each([
    ['nothing was spent, so half is tried', 0, 450],
    ['little was spent, so half is tried', 300, 450],
    ['what was spent is what is allowed, and a little less is used', 600, 570],
    ['everything was spent that was thought to be allowed', 900, 855],
  ])('%s', (_, spent, then) => {
    const allowance = new Allowance(900)
    allowance.spend(spent, 0)
    allowance.limited(minute, 1000)
    expect(allowance.perMinute(1000)).toBe(then)
  })

  test('soon after another, at a pace that was thought to be safe, halves it', () => {
    expect(taught([900, 0], [850, 2]).perMinute(2 * minute)).toBe(855 / 2)
  })

  test('just when a lowered pace has held for long enough does not halve it', () => {
    expect(taught([900, 0], [855, 11]).perMinute(11 * minute)).toBeCloseTo(0.95 * 855)
  })

  test('soon after another at nine tenths of the pace is no measure of what is allowed', () => {
    expect(taught([0, 0], [405, 2]).perMinute(2 * minute)).toBe(225)
  })

  test('is over when its wait is, and then the minute counts again', () => {
    const allowance = new Allowance(900)
    allowance.spend(450, 59_000)
    allowance.limited(minute, 0)
    expect(allowance.earliest(1, minute)).toBe(59_000 + 61_000)
  })

  test('after a pause measures anew what is allowed', () => {
    expect(taught([900, 0], [500, 2]).perMinute(2 * minute)).toBe(475)
  })

  test('a hundred times in a row leaves a little', () => {
    const allowance = new Allowance(900)
    for (let i = 0; i < 100; i++) allowance.limited(minute, i * minute)
    expect(allowance.perMinute(100 * minute)).toBe(25)
  })

  test('does not raise a pace that is lower than the least', () => {
    const allowance = new Allowance(10)
    allowance.limited(minute, 0)
    expect(allowance.perMinute(0)).toBe(10)
  })
})

describe('a lowered pace', () => {
  const lowered = () => taught([500, 0])

  test('holds for ten minutes after the pause, then grows by a tenth a minute up to what is published', () => {
    const allowance = lowered()
    expect(allowance.perMinute(11 * minute)).toBe(475)
    expect(allowance.perMinute(13 * minute)).toBe(655)
    expect(allowance.perMinute(60 * minute)).toBe(900)
  })

  test('holds twice as long after a try that failed, and at most forty minutes', () => {
    const allowance = lowered()
    let now = 0
    for (const calm of [20, 40, 40]) {
      now = allowance.pausedUntil + (calm === 20 ? 11 : calm + 1) * minute
      allowance.spend(500, now)
      allowance.limited(minute, now)
      const held = allowance.perMinute(now)
      expect(allowance.perMinute(allowance.pausedUntil + calm * minute)).toBe(held)
      expect(allowance.perMinute(allowance.pausedUntil + calm * minute + 1)).toBeGreaterThan(held)
    }
  })
})

describe('against a service whose limit nobody knows', () => {
  test.each([150, 300, 450, 600, 749])(
    '%d points a minute: a handful of limited answers, and then 85 %% of it over an hour',
    (limit) => {
      const server = run(() => limit, 60)
      const settled = Math.max(...server.refused.filter((at) => at < 10 * minute)) + minute
      const used =
        server.between(settled, 60 * minute) / ((limit * (60 * minute - settled)) / minute)
      expect(server.refused.length).toBeLessThanOrEqual(6)
      expect(used).toBeGreaterThanOrEqual(0.85)
    },
  )

  test('published limits are never touched', () => {
    expect(run(() => 900, 60).refused).toEqual([])
  })

  test('a limit that becomes lower in the middle is found again, and its end is noticed', () => {
    const server = run((now) => (now > 10 * minute && now < 30 * minute ? 400 : 900), 60)
    expect(server.refused.length).toBeLessThanOrEqual(5)
    expect(server.between(16 * minute, 21 * minute)).toBeGreaterThanOrEqual(0.85 * 5 * 400)
    expect(server.between(50 * minute, 60 * minute)).toBeGreaterThanOrEqual(0.98 * 10 * 750)
  })
})
