import type { Host, Log } from './host.js'
import type { Holdup, Pacer, RequestKind } from './pacing.js'
import { formatDuration } from './policy/durations.js'
import type { Clock } from './ports.js'

/** Milliseconds between two lines about one long piece of work. */
const lineEvery = 30_000
/** Milliseconds over which a rate is measured. */
const rateOver = 60_000
/** Milliseconds in which nothing can be measured yet. */
const tooSoon = 2000

/** What of a host hears of progress. */
type Told = Pick<Host, 'progress'> & { readonly log: Pick<Log, 'info'> }

/** A piece of work that may take long: what of which package, as in "api: 300 of 3000 deletes done". */
export interface Work {
  readonly package: string
  readonly what: string
  /** May become known better on the way. */
  readonly total: number
  /** What it asks for. Deletes have a pace of their own. */
  readonly asks: RequestKind
}

/**
 * Tells how far a run has come in what takes long: on a terminal a bar, in a log a line every half minute, also while
 * nothing may go on.
 */
export class ProgressTeller {
  readonly #host: Told
  readonly #clock: Clock
  readonly #pacer: Pacer
  #work: Work | undefined
  #done = 0
  #toldAt = 0
  /** What was done when, within the time over which the rate is measured. */
  #marks: { readonly at: number; readonly done: number }[] = []

  constructor(host: Told, clock: Clock, pacer: Pacer) {
    this.#host = host
    this.#clock = clock
    this.#pacer = pacer
  }

  /** So much is done of a piece of work, which may be another one than before. */
  show(work: Work, done: number): void {
    if (this.#work?.package !== work.package || this.#work.what !== work.what) this.#begin(work)
    this.#work = work
    this.#done = done
    this.tell()
  }

  end(): void {
    if (this.#work !== undefined) this.#host.progress.stop()
    this.#work = undefined
  }

  #begin(work: Work): void {
    this.end()
    this.#toldAt = this.#clock.now()
    this.#marks = [{ at: this.#toldAt, done: 0 }]
    this.#host.progress.start(work.total, `${work.package}: ${work.what}`)
  }

  /** Shows where things stand, if anything is going on and it is time for it. */
  tell(): void {
    const work = this.#work
    if (work === undefined) return
    const { progress, log } = this.#host
    const now = this.#clock.now()
    this.#mark(now)
    if (progress.isShown) progress.update(this.#done, work.total, this.#outlook(work, now))
    else if (now - this.#toldAt >= lineEvery) {
      this.#toldAt = now
      const share = Math.floor((100 * this.#done) / Math.max(1, work.total))
      const done = `${this.#done} of ${work.total} ${work.what} (${share} %)`
      const outlook = this.#outlook(work, now)
      log.info(`${work.package}: ${done}${outlook === '' ? '' : `, ${outlook}`}`)
    }
  }

  #mark(now: number): void {
    const last = this.#marks.at(-1)
    if (last === undefined || now - last.at >= 1000) this.#marks.push({ at: now, done: this.#done })
    while (this.#marks.length > 2 && now - (this.#marks[0]?.at ?? now) > rateOver)
      this.#marks.shift()
  }

  /** Done a minute, as measured; of deletes in a pause, and at the very beginning, what is meant to be. */
  #perMinute({ asks }: Work, now: number, isPaused: boolean): number {
    const [first] = this.#marks
    const measuredOver = first === undefined ? 0 : now - first.at
    const isMeasured = measuredOver >= tooSoon
    const measured = isMeasured ? (60_000 * (this.#done - (first?.done ?? 0))) / measuredOver : 0
    return asks === 'delete' && (measured === 0 || isPaused) ? this.#pacer.perMinute : measured
  }

  #outlook(work: Work, now: number): string {
    const left = work.total - this.#done
    const pause = this.#pacer.pauseOf(work.asks)
    const rate = this.#perMinute(work, now, pause !== undefined)
    const waiting = pause === undefined ? 0 : pause.at - now
    const time = [`about ${formatDuration((left / rate) * 60_000 + waiting)} left`]
    const words = rate === 0 ? [] : [`${Math.round(rate)} a minute`, ...time]
    if (pause !== undefined) words.push(`paused until ${timeWords(pause)}`)
    const end = work.asks === 'delete' ? this.#pacer.endBefore(left) : undefined
    if (end !== undefined) words.push(`will stop at ${timeWords(end)}`)
    return words.join(', ')
  }
}

function timeWords({ at, why }: Holdup): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC (${why})`
}
