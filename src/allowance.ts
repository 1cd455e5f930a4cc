const minute = 60_000
/** A second more than the minute that is counted: requests do not all travel equally long. */
const counted = 61_000
/** After a limit, so much of what turned out to be allowed is used. */
const caution = 0.95
/** Above this share of the pace, what was spent says only that the limit has become lower, and not how low. */
const fullPace = 0.9
/** The share of the published limit that comes back in a minute, once a lowered pace has held for long enough. */
const growth = 0.1
/** Milliseconds that a lowered pace is held before more is tried; each try that fails doubles them. */
const firstCalm = 10 * minute
const longestCalm = 40 * minute
const slowest = 25
/** Milliseconds; a shorter wait is asked for because of a moment's crowd, and tells nothing of a minute. */
const shortestLesson = 1000
/** Milliseconds after a lesson in which further limited answers are part of it. */
const lessonTime = 20_000

/**
 * How many points a minute a service allows, and how many were spent. It begins with what is published, learns from
 * every limited answer, and slowly tries more again: a try that fails costs a pause. Knows no clock: every call says
 * when it is, in milliseconds.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
export class Allowance {
  readonly #published: number
  /** Points a minute as learned from the last limited answer. */
  #learned: number
  #calm = firstCalm
  #calmUntil = -Infinity
  #learnedAt = -Infinity
  #pausedUntil = -Infinity
  /** What was spent in the last minute, oldest first, and the sum of it. */
  readonly #spent: { at: number; points: number }[] = []
  #sum = 0

  /** @param published points a minute */
  constructor(published: number) {
    this.#published = published
    this.#learned = published
  }

  /** Until when the service has asked to be left alone. */
  get pausedUntil(): number {
    return this.#pausedUntil
  }

  /** Points a minute that may be spent at the moment. */
  perMinute(now: number): number {
    const minutes = Math.max(0, now - this.#calmUntil) / minute
    return Math.min(this.#published, this.#learned + this.#published * growth * minutes)
  }

  /** When so many points may be spent: now, or when the pause is over, or when enough has grown too old to count. */
  earliest(points: number, now: number): number {
    if (now < this.#pausedUntil) return this.#pausedUntil
    this.#forget(now)
    let excess = this.#sum + points - this.perMinute(now)
    if (excess <= 0) return now
    let last = now - counted
    for (const { at, points: old } of this.#spent) {
      excess -= old
      last = at
      if (excess <= 0) break
    }
    return last + counted
  }

  spend(points: number, now: number): void {
    this.#spent.push({ at: now, points })
    this.#sum += points
  }

  /**
   * The service refused a request because of its limits. Nothing may be spent before the wait is over, and then less a
   * minute than before: what was spent in the minute before is what it allows, unless that much was thought to be safe.
   *
   * @returns false when a pause was on already: those that were on their way together are limited together
   */
  limited(wait: number, now: number): boolean {
    const isNews = now >= this.#pausedUntil
    if (isNews && wait >= shortestLesson && now >= this.#learnedAt + lessonTime) this.#learn(now)
    this.#pausedUntil = Math.max(this.#pausedUntil, now + wait)
    if (this.#learned < this.#published) this.#calmUntil = this.#pausedUntil + this.#calm
    return isNews
  }

  #learn(now: number): void {
    this.#forget(now)
    const before = this.perMinute(now)
    const isTooSoon = now < this.#calmUntil
    const isUnmeasured = isTooSoon && this.#sum >= fullPace * before
    const measured = isUnmeasured ? 0 : caution * Math.min(this.#sum, before)
    if (!isTooSoon && this.#learned < this.#published)
      this.#calm = Math.min(longestCalm, 2 * this.#calm)
    this.#learned = Math.min(before, Math.max(slowest, before / 2, measured))
    this.#learnedAt = now
  }

  #forget(now: number): void {
    for (let [oldest] = this.#spent; oldest !== undefined; [oldest] = this.#spent) {
      if (oldest.at > now - counted) return
      this.#sum -= oldest.points
      this.#spent.shift()
    }
  }
}
