import type { Clock } from '../../src/ports.js'

/** A clock whose time only passes in sleep, and then at once. */
export interface TestClock extends Clock {
  time: number
  readonly sleeps: number[]
}

export function testClock(start = Date.UTC(2026, 0, 1)): TestClock {
  const clock: TestClock = {
    time: start,
    sleeps: [],
    now: () => clock.time,
    sleep: (milliseconds) => {
      clock.sleeps.push(milliseconds)
      clock.time += milliseconds
      return Promise.resolve()
    },
  }
  return clock
}
