import type { TokenKind } from './tokens.js'

/**
 * The limits of both services.
 * @see https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export interface Limits {
  /** REST points in any 60 s (GET, HEAD, OPTIONS 1; all others 5), per token over all endpoints. */
  pointsPerMinute: number
  /** REST requests open at the same time, per token. */
  maxConcurrent: number
  /** Hourly REST quota by kind of token. */
  requestsPerHour: Record<TokenKind | 'anonymous', number>
  /** GitHub documents both for both kinds of limit. */
  primaryStatus: 403 | 429
  secondaryStatus: 403 | 429
  /** How long a secondary limit lasts, and the value of `retry-after`; undefined: 60 s and no header. */
  retryAfterSeconds: number | undefined
  /** Registry requests a minute, as its own refusals state them. */
  registryReadsPerMinute: number
  registryWritesPerMinute: number
}

/** GitHub's documented and observed limits. */
const defaultLimits: Limits = {
  pointsPerMinute: 900,
  maxConcurrent: 100,
  requestsPerHour: {
    anonymous: 60,
    classic: 5000,
    'fine-grained': 5000,
    app: 5000,
    workflow: 1000,
  },
  primaryStatus: 403,
  secondaryStatus: 403,
  retryAfterSeconds: 60,
  registryReadsPerMinute: 44_000,
  registryWritesPerMinute: 2000,
}

/** Limits to change; `requestsPerHour` may name only some kinds. */
export type LimitOptions = Partial<Omit<Limits, 'requestsPerHour'>> & {
  requestsPerHour?: Partial<Limits['requestsPerHour']>
}

/** The hourly quota of one owner, as `x-ratelimit-*` tells it. */
export interface Quota {
  limit: number
  used: number
  /** Epoch ms at which it starts anew. */
  resetsAt: number
}

/** Why a request is refused; `retryAfter` in seconds, when the answer should carry it. */
export type Refusal =
  { kind: 'primary' } | { kind: 'secondary'; retryAfter: number | undefined } | undefined

/** Whose request it is, and what it weighs. */
export interface Claim {
  quotaKey: string
  kind: TokenKind | 'anonymous'
  points: number
  /** `GET /rate_limit` does not count against the hourly quota. */
  free: boolean
}

interface Usage {
  quota: Quota
  /** Spent points, oldest first; entries before `start` are outside of the window. */
  spent: { at: number; points: number }[]
  start: number
  sum: number
  open: number
  blockedUntil: number
}

const minute = 60_000
const hour = 3_600_000

/**
 * Counts requests against GitHub's limits. How GitHub counts is not published in detail; here the minute slides,
 * a secondary limit refuses everything until its time is over, and refused requests weigh nothing.
 */
export class RateLimiter {
  private readonly usages = new Map<string, Usage>()

  constructor(
    readonly limits: Limits,
    private readonly now: () => number,
  ) {}

  /** Counts a request in, or says why not. Every call is followed by one `leave`. */
  enter(claim: Claim): Refusal {
    const usage = this.usageOf(claim)
    usage.open += 1
    const refusal = this.judge(usage, claim)
    if (refusal) return refusal
    usage.spent.push({ at: this.now(), points: claim.points })
    usage.sum += claim.points
    if (!claim.free) usage.quota.used += 1
    return undefined
  }

  /** The request was answered, or its connection is gone. */
  leave(claim: Claim): void {
    this.usageOf(claim).open -= 1
  }

  /** Gives one request back: a 304 costs no quota. */
  refund(claim: Claim): void {
    const { quota } = this.usageOf(claim)
    if (!claim.free && quota.used > 0) quota.used -= 1
  }

  /** The hourly quota as it stands. */
  quota(claim: Claim): Quota {
    return this.usageOf(claim).quota
  }

  private judge(usage: Usage, claim: Claim): Refusal {
    const now = this.now()
    if (!claim.free && usage.quota.used >= usage.quota.limit) return { kind: 'primary' }
    if (now < usage.blockedUntil) return this.secondary(usage)
    if (usage.open > this.limits.maxConcurrent) return this.secondary(usage)
    this.forget(usage, now)
    if (usage.sum + claim.points <= this.limits.pointsPerMinute) return undefined
    usage.blockedUntil = now + (this.limits.retryAfterSeconds ?? 60) * 1000
    return this.secondary(usage)
  }

  private secondary(usage: Usage): Refusal {
    const { retryAfterSeconds } = this.limits
    if (retryAfterSeconds === undefined) return { kind: 'secondary', retryAfter: undefined }
    const left = Math.ceil((usage.blockedUntil - this.now()) / 1000)
    return { kind: 'secondary', retryAfter: left > 0 ? left : retryAfterSeconds }
  }

  private forget(usage: Usage, now: number): void {
    for (;;) {
      const oldest = usage.spent[usage.start]
      if (!oldest || oldest.at > now - minute) break
      usage.sum -= oldest.points
      usage.start += 1
    }
    if (usage.start < 1000) return
    usage.spent.splice(0, usage.start)
    usage.start = 0
  }

  private usageOf(claim: Claim): Usage {
    const known = this.usages.get(claim.quotaKey)
    if (known && this.now() >= known.quota.resetsAt) known.quota = this.freshQuota(claim)
    if (known) return known
    const quota = this.freshQuota(claim)
    const usage = { quota, spent: [], start: 0, sum: 0, open: 0, blockedUntil: 0 }
    this.usages.set(claim.quotaKey, usage)
    return usage
  }

  private freshQuota(claim: Claim): Quota {
    return {
      limit: this.limits.requestsPerHour[claim.kind],
      used: 0,
      resetsAt: (Math.floor(this.now() / 1000) + hour / 1000) * 1000,
    }
  }
}

/**
 * The registry's limiter: tokens flow in evenly, a minute's worth may be spent at once
 * (its refusals hint at milliseconds, as such a limiter would).
 */
export class RegistryLimiter {
  private readonly nextSlot = new Map<string, number>()

  constructor(
    private readonly limits: Limits,
    private readonly now: () => number,
  ) {}

  /** Counts a request; gives the refusal's message when there were too many. */
  enter(owner: string, write: boolean): string | undefined {
    const allowed = write ? this.limits.registryWritesPerMinute : this.limits.registryReadsPerMinute
    const interval = minute / allowed
    const key = `${write ? 'write' : 'read'} ${owner}`
    const now = this.now()
    const slot = Math.max(this.nextSlot.get(key) ?? 0, now)
    const wait = slot + interval - (now + minute)
    if (wait > 0.0005) return `retry-after: ${goDuration(wait)}, allowed: ${allowed}/minute`
    this.nextSlot.set(key, slot + interval)
    return undefined
  }
}

/** Milliseconds in the notation of Go's time.Duration: `1m5s`, `1.5s`, `12.5ms`, `250µs`. */
export function goDuration(ms: number): string {
  const digits = (value: number) => String(Math.round(value * 1000) / 1000)
  if (ms < 1) return `${digits(ms * 1000)}µs`
  if (ms < 1000) return `${digits(ms)}ms`
  if (ms < minute) return `${digits(ms / 1000)}s`
  return `${Math.floor(ms / minute)}m${digits((ms % minute) / 1000)}s`
}

/** Options over defaults; an explicit `retryAfterSeconds: undefined` counts. */
export function settleLimits(options: LimitOptions): Limits {
  const requestsPerHour = { ...defaultLimits.requestsPerHour, ...options.requestsPerHour }
  return { ...defaultLimits, ...options, requestsPerHour }
}
