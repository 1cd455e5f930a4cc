import { Allowance } from './allowance.js'
import { outOfTime } from './errors.js'
import type { Clock } from './ports.js'
import { Quota } from './quota.js'

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
/** Milliseconds by which a timer may go off too early. */
const timerSlack = 100

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
  readonly #quota: Quota
  readonly #cancelled: AbortSignal | undefined
  readonly #waiting: () => void
  #deadline: number | undefined
  /** Turns that were given out and have not settled yet: each will still take from the quota. */
  #open = 0
  /** When the next delete is due by an even pace, and before when it must not start. */
  #due: number | undefined
  #notBefore = 0

  constructor(options: PacerOptions) {
    const clock = steady(options.clock)
    this.#clock = clock
    this.#ceiling = options.deletesPerMinute
    this.#quota = new Quota(options.quotaReserve)
    this.#deadline = options.deadline
    this.#cancelled = options.cancelled
    this.#waiting = options.waiting ?? (() => undefined)
    const waitUntil = (at: number) => this.#waitUntil(at)
    const toApi = (at: number) => {
      this.#mustHaveTime(at)
      this.#mustHaveQuota(at)
    }
    const toRegistry = (at: number) => {
      this.#mustHaveTime(at)
    }
    const api = { perMinute: options.pointsPerMinute, atOnce: apiRequestsAtOnce }
    const registry = { perMinute: registryReadsPerMinute, atOnce: registryReadsAtOnce }
    this.api = new Gate(api, clock, toApi, waitUntil)
    this.registry = new Gate(registry, clock, toRegistry, waitUntil)
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
    const now = this.#clock.now()
    if (this.#spare(now) < requests) throw this.#quota.tooLittleFor(requests, now)
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
      const due = Math.max(this.#notBefore, this.#due ?? 0)
      const start = Math.max(now, due, this.api.allowance.earliest(pointsOfDelete, now))
      const stop = this.#tooLate(start) ?? this.#outOfQuota(start, 1)
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
    this.#quota.observe(headers)
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
    const service = kind === 'manifest' ? 'the registry' : 'GitHub'
    if (now < allowance.pausedUntil) return { at, why: `${service} asked to slow down` }
    const allowed = Math.floor(allowance.perMinute(now))
    const what = kind === 'manifest' ? 'reads' : 'points'
    return { at, why: `${service} allows ${allowed} ${what} a minute, and they are spent` }
  }

  /** What will end the run before its deletes are done, when so many are left. */
  endBefore(deletes: number): Holdup | undefined {
    const now = this.#clock.now()
    const after = (count: number) => now + (count * 60_000) / this.perMinute
    const done = after(deletes)
    const ends: Holdup[] = []
    if (this.#deadline !== undefined) ends.push({ at: this.#deadline, why: 'time-budget' })
    const why = this.#quota.words(now)
    const at = after(this.#spare(now))
    if (why !== undefined && at < this.#quota.endsAt(now)) ends.push({ at, why })
    return ends.filter(({ at }) => at < done).sort((a, b) => a.at - b.at)[0]
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
      if (this.#clock.now() - now >= longestSilence - timerSlack) this.#waiting()
    }
  }

  #mustHaveTime(at: number): void {
    const late = this.#tooLate(at)
    if (late !== undefined) throw outOfTime(late.why)
  }

  /** A read has its place already, and so is counted among those on their way. */
  #mustHaveQuota(at: number): void {
    const stop = this.#outOfQuota(at, 0)
    if (stop !== undefined) throw outOfTime(stop.why)
  }

  /** Requests that may still be made before only the reserve is left, without those on their way. */
  #spare(at: number): number {
    return this.#quota.spare(at) - this.#open - this.api.inFlight
  }

  #outOfQuota(at: number, requests: number): Stop | undefined {
    if (this.#spare(at) >= requests) return undefined
    return { reason: 'quota', why: this.#quota.shortage(at) }
  }

  #tooLate(start: number): Stop | undefined {
    if (this.#cancelled?.aborted) return { reason: 'cancelled', why: 'the run was cancelled' }
    if (this.#deadline === undefined || start < this.#deadline) return undefined
    const paused = Math.max(this.api.allowance.pausedUntil, this.registry.allowance.pausedUntil)
    const until = new Date(start).toISOString().slice(11, 16)
    const ended =
      this.#clock.now() < paused
        ? `nothing may be asked for before ${until} UTC, and the time budget does not last until then`
        : 'the time budget is used up'
    return { reason: 'time-budget', why: `${ended}; the next run goes on from here` }
  }
}

/** A clock that is never set back: what waits by it would wait for as long as that. */
function steady({ now, sleep }: Clock): Clock {
  let last = now()
  let setBack = 0
  return {
    sleep,
    now: () => {
      const time = now()
      setBack += Math.max(0, last - time)
      last = time
      return time + setBack
    },
  }
}
