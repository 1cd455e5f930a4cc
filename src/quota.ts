import { outOfTime, RetentionError } from './errors.js'

/** What the API's headers tell of the hourly quota. Requests, and when it begins anew, in epoch milliseconds. */
interface Told {
  readonly limit: number
  readonly remaining: number
  readonly reset: number
}

/** Milliseconds by which answers of the same hour may differ about its end. */
const slack = 5000
/** Epoch milliseconds; a later reset is no date. */
const latestReset = 1e14

/**
 * The hourly quota of the API, as its answers tell it, and the share of it that is left to others. Unknown until an
 * answer tells it, and unknown again when its hour is over.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit
 */
export class Quota {
  readonly #share: number
  #told: Told | undefined

  /** @param share from 0 to 1, for whatever else uses the token */
  constructor(share: number) {
    this.#share = share
  }

  /** Takes note of what an answer tells in its headers. */
  observe(headers: { readonly get: (name: string) => string | null }): void {
    const numberOf = (name: string) => Number(headers.get(`x-ratelimit-${name}`) ?? NaN)
    const [limit, remaining] = [numberOf('limit'), numberOf('remaining')]
    const reset = 1000 * numberOf('reset')
    if (!Number.isFinite(limit + remaining) || !(reset > 0 && reset < latestReset)) return
    const known = this.#told
    // Answers overtake each other: one of the hour before tells nothing, and within one hour the quota never grows.
    if (known !== undefined && reset < known.reset - slack) return
    const isSameHour = known !== undefined && reset <= known.reset + slack
    this.#told = {
      limit,
      remaining: isSameHour ? Math.min(remaining, known.remaining) : remaining,
      reset,
    }
  }

  /** Requests that may be made by then before only the reserve is left; infinitely many where no quota is known. */
  spare(at: number): number {
    const told = this.#at(at)
    return told === undefined ? Infinity : told.remaining - this.#reserved(told)
  }

  /** How it stands, for the reader, or undefined where nothing is known. */
  words(at: number): string | undefined {
    const told = this.#at(at)
    return told && leftWords(told)
  }

  /** When it begins anew, or never. */
  endsAt(at: number): number {
    return this.#at(at)?.reset ?? Infinity
  }

  /** Why nothing may be asked any more, when only the reserve is left. */
  shortage(at: number): string {
    const told = this.#at(at)
    if (told === undefined) return 'the quota is unknown'
    const left = `${leftWords(told)}, and ${this.#reserved(told)} are reserved for other workflows`
    return `${left}; the next run can go on at ${resetOf(told)}`
  }

  /**
   * The error for a listing that takes more requests than there are.
   *
   * @returns `out-of-time` when a later hour has enough of them, `permission` when none has
   */
  tooLittleFor(requests: number, at: number): RetentionError {
    const told = this.#at(at)
    if (told === undefined || requests <= told.limit - this.#reserved(told))
      return outOfTime(`listing it takes ${requests} more requests: ${this.shortage(at)}`)
    const has = `this token has ${told.limit} an hour, of which ${this.#reserved(told)} are reserved`
    return new RetentionError(
      'permission',
      `listing it takes ${requests} more requests, and ${has}`,
      'Use a classic personal access token, which has 5,000 an hour, or a smaller quota-reserve.',
    )
  }

  #at(at: number): Told | undefined {
    return this.#told !== undefined && at < this.#told.reset ? this.#told : undefined
  }

  #reserved({ limit }: Told): number {
    return Math.ceil(limit * this.#share)
  }
}

function leftWords({ remaining, limit }: Told): string {
  return `${remaining} of ${limit} API requests are left this hour`
}

function resetOf({ reset }: Told): string {
  return `${new Date(reset).toISOString().slice(11, 16)} UTC`
}
