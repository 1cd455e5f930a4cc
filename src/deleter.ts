import {
  isGone,
  type Deletion,
  type Outcome,
  type OutcomeResult,
  type PackageVersion,
} from './model.js'
import type { Pacer } from './pacing.js'
import type { Clock, DeleteAnswer, VersionDeleter } from './ports.js'

/**
 * As many deletes may be on their way at once, so that the latency of one does not eat the pace; until one has worked,
 * one alone, so that a token that may not delete asks for little.
 */
const mostInFlight = 10
/** So many denied deletes, and not one that worked, mean that the token may not delete here. */
const enoughDenials = 5
/** So many deletes in a row that failed in all of their tries mean that none will work. */
const enoughFailures = 10
/** How often one delete is asked for when what hinders it may pass. */
const tries = 5
/** How often the package is looked at for one delete, when looking takes so long that it is out of date at once. */
const mostLooks = 3

/** Tells before each delete whether the plan still holds. */
export interface Recheck {
  /** Milliseconds for which a look at the package is good enough to delete by. */
  readonly freshFor: number
  /** Whether a version was seen so lately that it may be deleted by what was seen. */
  readonly isFresh: (version: PackageVersion) => boolean
  /**
   * Looks at the package again. No delete is on its way meanwhile.
   *
   * @param next what is to be deleted next, in order
   * @returns why no further delete may start, or undefined
   */
  readonly lookAgain: (next: readonly PackageVersion[]) => Promise<string | undefined>
  /** Hears that a version is gone. */
  readonly went: (version: PackageVersion) => void
  /** Why a planned version stays by what was seen since, or undefined. */
  readonly objection: (version: PackageVersion) => string | undefined
}

export interface DeletionOptions {
  readonly deleter: VersionDeleter
  readonly recheck: Recheck
  readonly pacer: Pacer
  readonly clock: Clock
  /** A number from 0 to 1 for the jitter between tries. */
  readonly random: () => number
  /** Hears of every outcome as soon as it is known. */
  readonly told: (outcome: Outcome) => void
}

/**
 * Carries out the deletions of one package in their order, a few at a time. A version is touched only when everything
 * that contains it, or that it is attached to, is gone, and when it was looked at lately; where one thing stays, what
 * belongs to it stays. No failure stops the rest.
 *
 * @returns one outcome for every deletion
 */
export async function deleteAll(
  deletions: readonly Deletion[],
  options: DeletionOptions,
): Promise<Outcome[]> {
  const run = new DeletionRun(deletions, options)
  await run.carryOut()
  return deletions.map(({ version }) => ({ version, result: run.resultFor(version) }))
}

class DeletionRun {
  readonly #options: DeletionOptions
  /** The next one is the last: taken from the front, each would move all that are behind it. */
  readonly #waiting: Deletion[]
  readonly #results = new Map<number, OutcomeResult>()
  readonly #inFlight = new Set<Promise<void>>()
  /** Of deletes that are to be asked for again: how often they were, and when they may be. */
  readonly #tried = new Map<number, { times: number; notBefore: number }>()
  /** Why no further delete may start, once something has said so. */
  #ended: string | undefined
  #anyDeleted = false
  #denials = 0
  #failuresInARow = 0

  constructor(deletions: readonly Deletion[], options: DeletionOptions) {
    this.#waiting = deletions.toReversed()
    this.#options = options
  }

  resultFor({ id }: PackageVersion): OutcomeResult {
    return this.#results.get(id) ?? { status: 'remaining', why: 'its turn never came' }
  }

  async carryOut(): Promise<void> {
    while (this.#waiting.length > 0 || this.#inFlight.size > 0) {
      const room = this.#anyDeleted ? mostInFlight : 1
      const ready = this.#inFlight.size < room ? this.#takeReady() : undefined
      if (ready !== undefined) await this.#start(ready)
      else if (this.#inFlight.size > 0) await Promise.race(this.#inFlight)
      else await this.#waitForRetry()
    }
  }

  /** The first deletion that everything it waits for has made free. */
  #takeReady(): Deletion | undefined {
    const { clock, pacer } = this.#options
    const isOver = this.#ended !== undefined || !pacer.hasTimeFor(0)
    const now = isOver ? Infinity : clock.now()
    const at = this.#waiting.findLastIndex(
      ({ version, after }) =>
        (this.#tried.get(version.id)?.notBefore ?? 0) <= now &&
        after.every((id) => this.#results.has(id)),
    )
    return at === -1 ? undefined : this.#waiting.splice(at, 1)[0]
  }

  /** With nothing ready and nothing on its way: the next retry is due later, or what is left waits for each other. */
  async #waitForRetry(): Promise<void> {
    const { clock, pacer } = this.#options
    const times = this.#waiting.flatMap(({ version }) => this.#tried.get(version.id) ?? [])
    const stuck = times.length === 0 ? this.#waiting.pop() : undefined
    if (stuck !== undefined) this.#settle(stuck.version, stillThere)
    else await pacer.wait(Math.min(...times.map(({ notBefore }) => notBefore)) - clock.now())
  }

  /** Starts one delete when its turn has come and it still is to go, or settles it untouched. */
  async #start(deletion: Deletion): Promise<void> {
    const { version, after } = deletion
    const reason = this.#untouched(after) ?? this.#objection(version) ?? (await this.#turn(version))
    if (reason !== undefined) {
      this.#settle(version, reason)
      return
    }
    const flight = this.#delete(deletion).finally(() => this.#inFlight.delete(flight))
    this.#inFlight.add(flight)
  }

  /** Waits for the turn of a delete, and then sees whether the plan still holds. */
  async #turn(version: PackageVersion): Promise<OutcomeResult | undefined> {
    const { pacer } = this.#options
    if (this.#ended !== undefined) return this.#remaining()
    const stop = await pacer.turn()
    // A delete on its way may have ended the run while this one waited.
    this.#ended ??= stop?.why
    if (stop !== undefined) return this.#remaining()
    await this.#confirm(version)
    const reason = this.#remaining() ?? this.#objection(version)
    if (reason !== undefined) pacer.settled()
    return reason
  }

  /** Makes sure that what is known of a version is recent; what happens to it must not rest on an old look. */
  async #confirm(version: PackageVersion): Promise<void> {
    const { recheck } = this.#options
    for (let look = 0; !recheck.isFresh(version) && this.#ended === undefined; look++) {
      if (look === mostLooks) {
        this.#ended = 'looking at the package took too long to delete by what was seen'
        return
      }
      await Promise.all(this.#inFlight)
      this.#ended ??= await recheck.lookAgain(this.#next(version))
    }
  }

  /** What will be deleted while one look at the package is good. */
  #next(version: PackageVersion): PackageVersion[] {
    const { pacer, recheck } = this.#options
    const count = Math.ceil((pacer.perMinute * recheck.freshFor) / 60_000)
    const waiting = this.#waiting.slice(-count).toReversed()
    return [version, ...waiting.map((deletion) => deletion.version)]
  }

  #remaining(): OutcomeResult | undefined {
    return this.#ended === undefined ? undefined : { status: 'remaining', why: this.#ended }
  }

  #objection(version: PackageVersion): OutcomeResult | undefined {
    const why = this.#options.recheck.objection(version)
    return why === undefined ? undefined : { status: 'changed', why }
  }

  async #delete(deletion: Deletion): Promise<void> {
    const { deleter, pacer } = this.#options
    const { version } = deletion
    const answer = await deleter.deleteVersion(version)
    pacer.settled()
    if (answer.status === 'deleted') {
      this.#anyDeleted = true
      this.#failuresInARow = 0
    }
    if (answer.status === 'denied' && this.#isHopeless(answer.everywhere))
      this.#ended ??= notAllowed
    if (this.#mayTryAgain(version, answer)) this.#waiting.push(deletion)
    else this.#settle(version, this.#resultOf(version, answer))
  }

  /** Notes when to ask again for what may pass, unless patience or time has come to its end. */
  #mayTryAgain({ id }: PackageVersion, answer: DeleteAnswer): boolean {
    if (answer.status !== 'passing' && answer.status !== 'limited') return false
    const { clock, pacer, random } = this.#options
    const times = (this.#tried.get(id)?.times ?? 0) + 1
    const backoff = 1000 * times ** 2 * (0.75 + random() / 2)
    const wait = answer.status === 'passing' ? backoff : answer.wait
    this.#tried.set(id, { times, notBefore: clock.now() + (wait ?? 0) })
    return (
      wait !== undefined && times < tries && this.#ended === undefined && pacer.hasTimeFor(wait)
    )
  }

  #resultOf({ id }: PackageVersion, answer: DeleteAnswer): OutcomeResult {
    if (answer.status === 'denied') return { status: 'failed', why: answer.why, hint: answer.hint }
    if (answer.status === 'limited') {
      this.#ended ??= answer.why
      return { status: 'remaining', why: answer.why }
    }
    if (answer.status !== 'passing') return answer
    // Without another try it has not failed: the next run goes on.
    if (this.#tried.get(id)?.times !== tries)
      return { status: 'remaining', why: `${answer.why}, and the run ended before another try` }
    this.#failuresInARow++
    if (this.#failuresInARow === enoughFailures)
      this.#ended ??= `${enoughFailures} deletes in a row failed: ${answer.why}`
    return { status: 'failed', why: answer.why, hint: answer.hint }
  }

  /** One denied version says nothing of the others; several, and none that worked, say that the right is missing. */
  #isHopeless(everywhere: boolean): boolean {
    this.#denials++
    return !this.#anyDeleted && (everywhere || this.#denials >= enoughDenials)
  }

  #settle(version: PackageVersion, result: OutcomeResult): void {
    this.#results.set(version.id, result)
    if (isGone(result)) this.#options.recheck.went(version)
    this.#options.told({ version, result })
  }

  /** Why a version must not be touched: something that contains it, or that it belongs to, is still there. */
  #untouched(after: readonly number[]): OutcomeResult | undefined {
    const results = after.map((id) => this.#results.get(id))
    if (results.some((result) => result?.status === 'retained')) return withRetained
    if (results.some((result) => result?.status === 'changed')) return withChanged
    return results.every((result) => result !== undefined && isGone(result))
      ? undefined
      : stillThere
  }
}

const notAllowed = 'the token may not delete from this package'
const withRetained: OutcomeResult = {
  status: 'retained',
  why: 'it belongs to a version that GitHub did not let go',
}
const withChanged: OutcomeResult = {
  status: 'changed',
  why: 'it belongs to a version that stays',
}
const stillThere: OutcomeResult = {
  status: 'remaining',
  why: 'it belongs to a version that is still there',
}
