import { expect, test } from '@jest/globals'
import { Pacer } from '../../src/pacing.js'
import { ProgressTeller, type Work } from '../../src/progress.js'
import { testClock } from './clock.js'

const second = 1000
const minute = 60 * second

/** A run on a log, or on a terminal where a person watches; its time passes only here. */
function watched({ isShown = false, deadline }: { isShown?: boolean; deadline?: number } = {}) {
  const clock = testClock(Date.UTC(2026, 0, 1))
  const limits = { deletesPerMinute: 60, pointsPerMinute: 900, quotaReserve: 0.1 }
  const pacer = new Pacer({ ...limits, clock, deadline })
  const lines: string[] = []
  const shown: string[] = []
  const host = {
    log: { info: (line: string) => lines.push(line) },
    progress: {
      isShown,
      start: (total: number, what: string) => shown.push(`${total} ${what}`),
      update: (done: number, total: number, outlook: string) =>
        shown.push(`${done}/${total} ${outlook}`),
      stop: () => shown.push('stop'),
    },
  }
  return { clock, pacer, lines, shown, progress: new ProgressTeller(host, clock, pacer) }
}

const deletes: Work = { package: 'acme/api', what: 'deletes done', total: 120, asks: 'delete' }

test('a log has a line every half minute: how much is done, how fast, and how long it will take', () => {
  const { clock, lines, progress } = watched()
  progress.show(deletes, 0)
  for (let done = 1; done <= 75; done++) {
    clock.time += second
    progress.show(deletes, done)
  }
  expect(lines).toEqual([
    'acme/api: 30 of 120 deletes done (25 %), 60 a minute, about 1m 30s left',
    'acme/api: 60 of 120 deletes done (50 %), 60 a minute, about 1m left',
  ])
})

test('the rate is measured over the last minute', () => {
  const { clock, lines, progress } = watched()
  const many = { ...deletes, total: 1000 }
  progress.show(many, 0)
  for (let done = 1; done <= 60; done++) {
    clock.time += second
    progress.show(many, done)
  }
  for (let done = 61; done <= 90; done++) {
    clock.time += 4 * second
    progress.show(many, done)
  }
  expect(lines.at(-1)).toBe(
    'acme/api: 84 of 1000 deletes done (8 %), 15 a minute, about 1h 1m left',
  )
})

test('a pause is told with its end and its reason, also while nothing happens', () => {
  const { clock, lines, pacer, progress } = watched()
  progress.show(deletes, 0)
  for (let done = 1; done <= 20; done++) {
    clock.time += second
    progress.show(deletes, done)
  }
  pacer.slowDown(minute)
  clock.time += 10 * second
  progress.tell()
  expect(lines).toEqual([
    'acme/api: 20 of 120 deletes done (16 %), 60 a minute, about 2m 30s left, paused until 00:01:20 UTC (GitHub asked to slow down)',
  ])
})

test('what will end the run before it is done is told beforehand', () => {
  const start = Date.UTC(2026, 0, 1)
  const { clock, lines, progress } = watched({ deadline: start + minute })
  progress.show(deletes, 0)
  clock.time += 30 * second
  progress.show(deletes, 30)
  expect(lines).toEqual([
    'acme/api: 30 of 120 deletes done (25 %), 60 a minute, about 1m 30s left, will stop at 00:01:00 UTC (time-budget)',
  ])
})

test('a total that becomes known on the way counts from then on', () => {
  const { clock, lines, progress } = watched()
  const listing = { package: 'acme/api', what: 'pages listed', asks: 'page' as const }
  progress.show({ ...listing, total: 1 }, 0)
  progress.show({ ...listing, total: 600 }, 1)
  clock.time += 30 * second
  progress.show({ ...listing, total: 600 }, 300)
  expect(lines).toEqual(['acme/api: 300 of 600 pages listed (50 %), 600 a minute, about 30s left'])
})

test('where nothing can be foreseen, nothing is', () => {
  const { clock, lines, progress } = watched()
  const listing: Work = { package: 'acme/api', what: 'pages listed', total: 3, asks: 'page' }
  progress.show(listing, 3)
  clock.time += 2 * minute
  progress.tell()
  clock.time += minute
  progress.tell()
  expect(lines.at(-1)).toBe('acme/api: 3 of 3 pages listed (100 %)')
})

test('where a person watches, every step is shown, and the log has no lines', () => {
  const { clock, lines, shown, progress } = watched({ isShown: true })
  progress.show(deletes, 0)
  clock.time += second
  progress.show(deletes, 1)
  clock.time += minute
  progress.show(deletes, 2)
  progress.show({ ...deletes, package: 'acme/web' }, 0)
  progress.end()
  progress.tell()
  expect(lines).toEqual([])
  expect(shown).toEqual([
    '120 acme/api: deletes done',
    '0/120 60 a minute, about 2m left',
    '1/120 60 a minute, about 1m 59s left',
    '2/120 1 a minute, about 1h 58m left',
    'stop',
    '120 acme/web: deletes done',
    '0/120 60 a minute, about 2m left',
    'stop',
  ])
})
