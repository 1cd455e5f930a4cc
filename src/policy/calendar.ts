import { periods, type Calendar, type Period } from './policy.js'

/** A period that an image is kept for: it is the newest one in it, or the oldest of all while there is room. */
export interface Kept {
  readonly period: Period
  /** `2026-11-20`, `2026-W47`; undefined for the oldest image of all. */
  readonly label: string | undefined
  /** Which of the wanted periods it takes, from 1. */
  readonly place: number
  readonly of: number
}

/** Most images are kept for nothing; they share this. */
const nothing: readonly Kept[] = []

/**
 * Thins by the calendar as backup tools do (https://restic.readthedocs.io/en/stable/060_forget.html): the newest image of
 * each of the last so many periods that have one stays. While a count is not used up, the oldest of all stays as well.
 * Periods are those of UTC, and weeks those of ISO 8601.
 *
 * @param times newest first
 * @returns for each time what it is kept for
 */
export function thin(times: readonly number[], calendar: Calendar): (readonly Kept[])[] {
  const kept = times.map(() => nothing)
  for (const period of periods) {
    const of = calendar[period]
    if (of !== undefined) thinBy(period, of, times, kept)
  }
  return kept
}

function thinBy(
  period: Period,
  of: number,
  times: readonly number[],
  kept: (readonly Kept[])[],
): void {
  let last: string | undefined
  let place = 0
  for (const [at, time] of times.entries()) {
    if (place === of) return
    const label = labelOf(time, period)
    const isOldest = at === times.length - 1
    if (label === last && !isOldest) continue
    place += 1
    kept[at] = [
      ...(kept[at] ?? nothing),
      { period, label: label === last ? undefined : label, place, of },
    ]
    last = label
  }
}

const day = 86_400_000
const lengths: Readonly<Record<Exclude<Period, 'weekly'>, number>> = {
  hourly: '2026-11-20T14'.length,
  daily: '2026-11-20'.length,
  monthly: '2026-11'.length,
  yearly: '2026'.length,
}

function labelOf(time: number, period: Period): string {
  if (period === 'weekly') return weekOf(time)
  return new Date(time).toISOString().slice(0, lengths[period])
}

/** The week that has the Thursday of a day's week: https://en.wikipedia.org/wiki/ISO_week_date */
function weekOf(time: number): string {
  const weekday = (new Date(time).getUTCDay() + 6) % 7
  const thursday = new Date(time + (3 - weekday) * day)
  const year = thursday.getUTCFullYear()
  const days = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / day)
  return `${year}-W${String(1 + Math.floor(days / 7)).padStart(2, '0')}`
}
