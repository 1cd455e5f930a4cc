import { Allowance } from './allowance.js'
import { outOfTime, RetentionError } from './errors.js'
import type { Clock } from './ports.js'

/** Limits that a pacer keeps. Durations in milliseconds. */
export interface PacerOptions {
  readonly clock: Clock
  /** The ceiling; the pace adapts below it. */
  readonly deletesPerMinute: number
  /** Points a minute that the API is known to allow. */
  readonly pointsPerMinute: number
  /** The share of the hourly quota that is left to whatever else uses the token. */
  readonly quotaReserve: number
  /** When nothing new may start any more, or undefined. */
  readonly deadline: number | undefined
  /** Aborted when a person or the runner ends the run; nothing new may start then. */
  readonly cancelled?: AbortSignal
  /** Hears that a wait goes on, about every half minute. */
  readonly waiting?: () => void
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

/** What a run asks for, by what it waits for. */
export type RequestKind = 'page' | 'manifest' | 'delete'

/** What will hold a run up: a moment in epoch milliseconds, and the reason in words. */
export interface Holdup {
  readonly at: number
  readonly why: string
}

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit */
const pointsOfDelete = 5
const pointsOfRead = 1
/** GHCR states this number when it refuses a read; nobody is known to have documented it. */
const registryReadsPerMinute = 44_000
/** GitHub bears 100 at once from everything that uses the token. */
const apiRequestsAtOnce = 32
const registryReadsAtOnce = 32
/** Milliseconds of lost time that deletes make up for afterwards, at twice the pace. */
const mostCatchingUp = 3000
/** Milliseconds; a shorter wait is part of the pace. */
const shortestPause = 5000
/** Milliseconds between two signs of life in a long wait. */
const longestSilence = 30_000
/** Epoch seconds; a later reset is no date. */
const latestReset = 1e11

/** Lets the requests to one service out: a few at once, no more points a minute than it allows, and none in a pause. */
export class Gate {
  readonly allowance: Allowance
  readonly #room: number
  readonly #mayStart: (at: number) => void
  readonly #waitUntil: (at: number) => Promise<void>
  readonly #clock: Clock
  readonly #queue: (() => void)[] = []
  #inFlight = 0

  /**
   * @param limits points a minute, and how many requests may be open at once
   * @param mayStart throws when no request may start any more, or not as late as then
   */
  constructor(
    limits: { readonly perMinute: number; readonly atOnce: number },
    clock: Clock,
    mayStart: (at: number) => void,
    waitUntil: (at: number) => Promise<void>,
  ) {
    this.allowance = new Allowance(limits.perMinute)
    this.#room = limits.atOnce
    this.#clock = clock
    this.#mayStart = mayStart
    this.#waitUntil = waitUntil
  }

  /** Requests that are open, and those that wait for nothing but their allowance. */
  get inFlight(): number {
    return this.#inFlight
  }

  /**
   * Waits until a read may go out. Every call that returns is followed by one {@link leave}.
   *
   * @throws RetentionError `out-of-time` when it may not go out in this run any more
   */
  async enter(): Promise<void> {
    if (this.#inFlight >= this.#room) await new Promise<void>((go) => this.#queue.push(go))
    else this.#inFlight++
    try {
      await this.#allowed()
    } catch (error) {
      this.leave()
      throw error
    }
  }

  /** A read has its answer, or never gets one. Its place goes to the next that waits. */
  leave(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#inFlight--
    else next()
  }

  /** The service asked to slow down. @returns whether that is news; see {@link Allowance.limited} */
  slowDown(wait: number): boolean {
    return this.allowance.limited(wait, this.#clock.now())
  }

  async #allowed(): Promise<void> {
    for (;;) {
      const now = this.#clock.now()
      const start = this.allowance.earliest(pointsOfRead, now)
      this.#mayStart(start)
      if (start <= now) {
        this.allowance.spend(pointsOfRead, now)
        return
      }
      await this.#waitUntil(start)
    }
  }
}

/**
 * Decides when anything may be asked of the two services. Reads go out as their service allows; deletes one by one,
 * evenly spaced. Nothing starts in a pause that GitHub asked for, nor when the quota or the time would not last. One
 * pacer serves all packages of a run.
 *
 * Limits: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export class Pacer {
  readonly api: Gate
  readonly registry: Gate
  readonly #clock: Clock
  readonly #ceiling: number
  readonly #reserve: number
  readonly #cancelled: AbortSignal | undefined
  readonly #waiting: () => void
  #deadline: number | undefined
  #quota: Quota | undefined
  /** Turns that were given out and have not settled yet: each will still take from the quota. */
  #open = 0
  /** When the next delete is due by an even pace, and before when it must not start. */
  #due: number | undefined
  #notBefore = 0

  constructor(options: PacerOptions) {
    const { clock, deletesPerMinute, pointsPerMinute } = options
    this.#clock = clock
    this.#ceiling = deletesPerMinute
    this.#reserve = options.quotaReserve
    this.#deadline = options.deadline
    this.#cancelled = options.cancelled
    this.#waiting = options.waiting ?? (() => undefined)
    const waitUntil = (at: number) => this.#waitUntil(at)
    const api = { perMinute: pointsPerMinute, atOnce: apiRequestsAtOnce }
    this.api = new Gate(
      api,
      clock,
      (at) => {
        this.#mustGoOn(at, 0)
      },
      waitUntil,
    )
    const registry = { perMinute: registryReadsPerMinute, atOnce: registryReadsAtOnce }
    this.registry = new Gate(
      registry,
      clock,
      (at) => {
        this.#mustHaveTime(at)
      },
      waitUntil,
    )
  }

  /** Deletes a minute at the moment. */
  get perMinute(): number {
    const allowed = this.api.allowance.perMinute(this.#clock.now())
    return Math.min(this.#ceiling, allowed / pointsOfDelete)
  }

  /** Whether the run goes on and its time budget bears a wait of so many milliseconds. */
  hasTimeFor(wait: number): boolean {
    return this.#tooLate(this.#clock.now() + wait) === undefined
  }

  /**
   * Makes sure, before a listing is begun, that so many more requests leave the reserve of the quota untouched.
   *
   * @throws RetentionError `out-of-time` when they would not; `permission` when they would in no hour
   */
  afford(requests: number): void {
    const quota = this.#quota
    if (quota === undefined || this.#spare(quota) >= requests) return
    const reserved = this.#reserved(quota)
    if (requests > quota.limit - reserved) throw neverEnough(requests, quota.limit, reserved)
    const left = `of the ${quota.remaining} that are left this hour ${reserved} are reserved`
    throw outOfTime(
      `listing it takes ${requests} more requests, and ${left}; the next run can go on at ${resetOf(quota)}`,
    )
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
    for (;;) {
      const now = this.#clock.now()
      const start = Math.max(now, this.#nextTurn(), this.#earliestDelete(now))
      const stop = this.#tooLate(start) ?? this.#outOfQuota(1)
      if (stop !== undefined) return stop
      if (start <= now) {
        this.#take(now)
        return undefined
      }
      await this.#waitUntil(start)
    }
  }

  /** A turn has come to its end. */
  settled(): void {
    this.#open--
  }

  /** Waits so many milliseconds, or until the run is cancelled. */
  async wait(milliseconds: number): Promise<void> {
    await this.#waitUntil(this.#clock.now() + milliseconds)
  }

  /** Takes note of the quota that an answer of the API tells in its headers. */
  observe(headers: { readonly get: (name: string) => string | null }): void {
    const numberOf = (name: string) => Number(headers.get(`x-ratelimit-${name}`) ?? NaN)
    const [limit, remaining, reset] = [numberOf('limit'), numberOf('remaining'), numberOf('reset')]
    if (!Number.isFinite(limit + remaining) || !(reset > 0 && reset < latestReset)) return
    // Answers overtake each other: within one window the quota never grows.
    const known = this.#quota?.reset === reset ? this.#quota.remaining : Infinity
    this.#quota = { limit, remaining: Math.min(remaining, known), reset }
  }

  /** GitHub asked to slow down. @returns whether that is news */
  slowDown(wait: number): boolean {
    const isNews = this.api.slowDown(wait)
    // What was lost in a pause is not made up for.
    this.#due = this.api.allowance.pausedUntil
    return isNews
  }

  /** What holds requests of a kind up at the moment, beyond an even pace. */
  pauseOf(kind: RequestKind): Holdup | undefined {
    const now = this.#clock.now()
    const { allowance } = kind === 'manifest' ? this.registry : this.api
    const at = allowance.earliest(kind === 'delete' ? pointsOfDelete : pointsOfRead, now)
    if (at - now < shortestPause) return undefined
    const asked = now < allowance.pausedUntil
    const service = kind === 'manifest' ? 'the registry' : 'GitHub'
    return { at, why: asked ? `${service} asked to slow down` : 'the minute has no points left' }
  }

  /** What will end the run before its deletes are done, when so many are left. */
  endBefore(deletes: number): Holdup | undefined {
    const now = this.#clock.now()
    const after = (count: number) => now + (count * 60_000) / this.perMinute
    const done = after(deletes)
    const ends: Holdup[] = []
    if (this.#deadline !== undefined) ends.push({ at: this.#deadline, why: 'time-budget' })
    const quota = this.#quota
    if (quota !== undefined) {
      const at = after(this.#spare(quota))
      const why = `${quota.remaining} of ${quota.limit} API requests are left this hour`
      if (at < quota.reset * 1000) ends.push({ at, why })
    }
    return ends.filter(({ at }) => at < done).sort((a, b) => a.at - b.at)[0]
  }

  #nextTurn(): number {
    return Math.max(this.#notBefore, this.#due ?? 0)
  }

  #earliestDelete(now: number): number {
    return this.api.allowance.earliest(pointsOfDelete, now)
  }

  /** Even spacing: a delete that starts late makes the next ones come closer together, but for a while only. */
  #take(now: number): void {
    const interval = 60_000 / this.perMinute
    this.#due = Math.max(this.#due ?? now, now - mostCatchingUp) + interval
    this.#notBefore = now + interval / 2
    this.api.allowance.spend(pointsOfDelete, now)
    this.#open++
  }

  async #waitUntil(at: number): Promise<void> {
    for (let now = this.#clock.now(); now < at; now = this.#clock.now()) {
      if (this.#cancelled?.aborted) return
      await this.#clock.sleep(Math.min(at - now, longestSilence))
      if (this.#clock.now() - now >= longestSilence) this.#waiting()
    }
  }

  #mustGoOn(at: number, requests: number): void {
    this.#mustHaveTime(at)
    const quota = this.#outOfQuota(requests)
    if (quota !== undefined) throw outOfTime(quota.why)
  }

  #mustHaveTime(at: number): void {
    const late = this.#tooLate(at)
    if (late !== undefined) throw outOfTime(late.why)
  }

  /** Requests that may still be made before only the reserve is left, those on their way not counted. */
  #spare(quota: Quota): number {
    const { remaining } = quota
    const onTheirWay = this.#open + this.api.inFlight
    return remaining - onTheirWay - this.#reserved(quota)
  }

  #reserved({ limit }: Quota): number {
    return Math.ceil(limit * this.#reserve)
  }

  #outOfQuota(requests: number): Stop | undefined {
    const quota = this.#quota
    if (quota === undefined || this.#spare(quota) >= requests) return undefined
    return { reason: 'quota', why: quotaWords(quota) }
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

function quotaWords(quota: Quota): string {
  const left = `${quota.remaining} of ${quota.limit} API requests are left this hour`
  return `${left} and are reserved for other workflows; the next run can go on at ${resetOf(quota)}`
}

function resetOf({ reset }: Quota): string {
  return `${new Date(reset * 1000).toISOString().slice(11, 16)} UTC`
}

function neverEnough(requests: number, limit: number, reserved: number): RetentionError {
  return new RetentionError(
    'permission',
    `listing it takes ${requests} more requests, and this token has ${limit} an hour, of which ${reserved} are reserved`,
    'Use a classic personal access token, which has 5,000 an hour, or a smaller quota-reserve.',
  )
}
