import type { Clock } from './ports.js'

/** Limits that a pacer keeps. Durations in milliseconds. */
export interface PacerOptions {
  readonly clock: Clock
  /** The ceiling; the pace adapts below it. */
  readonly deletesPerMinute: number
  /** When no new delete may start any more, or undefined. */
  readonly deadline: number | undefined
  /** Aborted when a person or the runner ends the run; nothing new may start then. */
  readonly cancelled?: AbortSignal
}

/** What the API's headers tell of the hourly quota. */
interface Quota {
  readonly limit: number
  readonly remaining: number
  /** Epoch seconds. */
  readonly reset: number
}

/** Why a run comes to its end before its work does. */
export interface Stop {
  readonly reason: 'time-budget' | 'quota' | 'cancelled'
  /** For the reader: what ran out and when the next run can go on. */
  readonly why: string
}

/** The part of the hourly quota that is left to the other workflows of the repository. */
const reservedShare = 0.1
/** After a secondary limit the pace comes back by this share of the ceiling with every delete that succeeds. */
const recovery = 0.02
const slowestPerMinute = 5
/** Epoch seconds; a later reset is no date. */
const latestReset = 1e11

/**
 * Decides when the next delete may start: evenly spaced at the pace, later after GitHub asked to wait, and not at all
 * when the quota or the time would not last. One pacer serves all packages of a run.
 *
 * Limits: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export class Pacer {
  readonly #clock: Clock
  readonly #ceiling: number
  #deadline: number | undefined
  readonly #cancelled: AbortSignal | undefined
  #perMinute: number
  #nextTurn = 0
  #pausedUntil = 0
  #quota: Quota | undefined
  /** Turns that were given out and have not settled yet: each will still take from the quota. */
  #open = 0

  constructor({ clock, deletesPerMinute, deadline, cancelled }: PacerOptions) {
    this.#clock = clock
    this.#ceiling = deletesPerMinute
    this.#perMinute = deletesPerMinute
    this.#deadline = deadline
    this.#cancelled = cancelled
  }

  /** Deletes a minute at the moment. */
  get perMinute(): number {
    return this.#perMinute
  }

  /** Whether the run goes on and its time budget bears a wait of so many milliseconds. */
  hasTimeFor(wait: number): boolean {
    if (this.#cancelled?.aborted) return false
    return this.#deadline === undefined || this.#clock.now() + wait < this.#deadline
  }

  /** Why nothing may be asked of the API any more, or undefined to go on. */
  stop(): Stop | undefined {
    return this.#tooLate(this.#clock.now()) ?? this.#outOfQuota()
  }

  /** Does work in the time that is kept back from the deletes for what comes after them. */
  async closing<T>(extra: number, work: () => Promise<T>): Promise<T> {
    const deadline = this.#deadline
    this.#deadline = deadline === undefined ? undefined : deadline + extra
    try {
      return await work()
    } finally {
      this.#deadline = deadline
    }
  }

  /** Waits until the next delete may start. @returns why none may start any more, or undefined to go on */
  async turn(): Promise<Stop | undefined> {
    const now = this.#clock.now()
    const start = Math.max(now, this.#nextTurn)
    const stop = this.#tooLate(start) ?? this.#outOfQuota()
    if (stop !== undefined) return stop
    this.#nextTurn = start + 60_000 / this.#perMinute
    if (start > now) await this.#clock.sleep(start - now)
    const late = this.#tooLate(start) ?? this.#outOfQuota()
    if (late === undefined) this.#open++
    return late
  }

  /** Takes note of the quota that an answer of the API tells in its headers. */
  observe(headers: Readonly<Record<string, string | number | undefined>>): void {
    const limit = Number(headers['x-ratelimit-limit'] ?? NaN)
    const remaining = Number(headers['x-ratelimit-remaining'] ?? NaN)
    const reset = Number(headers['x-ratelimit-reset'] ?? NaN)
    if (!Number.isFinite(limit + remaining) || !(reset > 0 && reset < latestReset)) return
    // Answers overtake each other: within one window the quota never grows.
    const known = this.#quota?.reset === reset ? this.#quota.remaining : Infinity
    this.#quota = { limit, remaining: Math.min(remaining, known), reset }
  }

  /** A turn has come to its end. After a delete the pace recovers slowly towards the ceiling. */
  settled(deleted: boolean): void {
    this.#open--
    if (!deleted) return
    this.#perMinute = Math.min(this.#ceiling, this.#perMinute + this.#ceiling * recovery)
  }

  /**
   * GitHub asked to slow down: nothing starts before the wait is over, then at half the pace.
   *
   * @returns false when a pause was on already: those that were on their way together are limited together
   */
  slowDown(wait: number): boolean {
    const now = this.#clock.now()
    const isNews = now >= this.#pausedUntil
    if (isNews)
      this.#perMinute = Math.max(Math.min(slowestPerMinute, this.#ceiling), this.#perMinute / 2)
    this.#pausedUntil = Math.max(this.#pausedUntil, now + wait)
    this.#nextTurn = Math.max(this.#nextTurn, this.#pausedUntil)
    return isNews
  }

  #outOfQuota(): Stop | undefined {
    if (this.#quota === undefined) return undefined
    const { limit, remaining, reset } = this.#quota
    return remaining - this.#open <= limit * reservedShare
      ? outOfQuota(remaining, limit, reset)
      : undefined
  }

  #tooLate(start: number): Stop | undefined {
    if (this.#cancelled?.aborted) return { reason: 'cancelled', why: 'the run was cancelled' }
    if (this.#deadline === undefined || start < this.#deadline) return undefined
    return {
      reason: 'time-budget',
      why: 'the time budget is used up; the next run goes on from here',
    }
  }
}

function outOfQuota(remaining: number, limit: number, reset: number): Stop {
  const at = new Date(reset * 1000).toISOString().slice(11, 16)
  return {
    reason: 'quota',
    why: `${remaining} of ${limit} API requests are left this hour and are reserved for other workflows; the next run can go on at ${at} UTC`,
  }
}
