import type { Deletion, Outcome, OutcomeResult, PackageVersion } from './model.js'
import type { Pacer } from './pacing.js'
import type { DeleteAnswer, VersionDeleter } from './ports.js'

/** As many deletes may be on their way at once, so that the latency of one does not eat the pace. */
const mostInFlight = 10
/** So many denied deletes, and not one that worked, mean that the token may not delete here. */
const enoughDenials = 5

/**
 * Carries out the deletions of one package in their order, a few at a time. A version is touched only when everything
 * that contains it, or that it is attached to, is gone; where that stays, it stays. No failure stops the rest.
 *
 * @param told hears of every outcome as soon as it is known
 * @returns one outcome for every deletion
 */
export async function deleteAll(
  deletions: readonly Deletion[],
  deleter: VersionDeleter,
  pacer: Pacer,
  told: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const run = new DeletionRun(deleter, pacer, told)
  await run.carryOut(deletions)
  return deletions.map(({ version }) => ({ version, result: run.resultFor(version) }))
}

class DeletionRun {
  readonly #deleter: VersionDeleter
  readonly #pacer: Pacer
  readonly #told: (outcome: Outcome) => void
  readonly #results = new Map<number, OutcomeResult>()
  readonly #inFlight = new Set<Promise<void>>()
  /** Why no further delete may start, once something has said so. */
  #ended: string | undefined
  #anyDeleted = false
  #denials = 0

  constructor(deleter: VersionDeleter, pacer: Pacer, told: (outcome: Outcome) => void) {
    this.#deleter = deleter
    this.#pacer = pacer
    this.#told = told
  }

  resultFor({ id }: PackageVersion): OutcomeResult {
    return this.#results.get(id) ?? { status: 'remaining', why: 'its turn never came' }
  }

  async carryOut(deletions: readonly Deletion[]): Promise<void> {
    const waiting = [...deletions]
    while (waiting.length > 0) {
      const next = waiting.findIndex(({ after }) => after.every((id) => this.#results.has(id)))
      if (this.#inFlight.size > 0 && (next === -1 || this.#inFlight.size >= mostInFlight)) {
        await Promise.race(this.#inFlight)
        continue
      }
      const [deletion] = waiting.splice(Math.max(next, 0), 1)
      if (deletion !== undefined) await this.#start(deletion, next === -1)
    }
    await Promise.all(this.#inFlight)
  }

  /** Starts one delete when its turn has come, or settles it untouched. */
  async #start({ version, after }: Deletion, stuck: boolean): Promise<void> {
    const reason = stuck ? stillThere : (this.#untouched(after) ?? (await this.#turn()))
    if (reason !== undefined) {
      this.#settle(version, reason)
      return
    }
    const flight = this.#delete(version).finally(() => this.#inFlight.delete(flight))
    this.#inFlight.add(flight)
  }

  async #turn(): Promise<OutcomeResult | undefined> {
    if (this.#ended === undefined) {
      const stop = await this.#pacer.turn()
      // A delete on its way may have ended the run while this one waited.
      this.#ended ??= stop?.why
    }
    return this.#ended === undefined ? undefined : { status: 'remaining', why: this.#ended }
  }

  async #delete(version: PackageVersion): Promise<void> {
    const answer = await this.#deleter.deleteVersion(version)
    this.#pacer.settled(answer.status === 'deleted')
    if (answer.status === 'deleted') this.#anyDeleted = true
    if (answer.status === 'denied' && this.#isHopeless(answer.everywhere))
      this.#ended ??= notAllowed
    if (answer.status === 'limited') this.#ended ??= answer.why
    this.#settle(version, resultOf(answer))
  }

  /** One denied version says nothing of the others; several, and none that worked, say that the right is missing. */
  #isHopeless(everywhere: boolean): boolean {
    this.#denials++
    return !this.#anyDeleted && (everywhere || this.#denials >= enoughDenials)
  }

  #settle(version: PackageVersion, result: OutcomeResult): void {
    this.#results.set(version.id, result)
    this.#told({ version, result })
  }

  /** Why a version must not be touched: something that contains it, or that it belongs to, is still there. */
  #untouched(after: readonly number[]): OutcomeResult | undefined {
    const statuses = after.map((id) => this.#results.get(id)?.status)
    if (statuses.includes('retained')) return withRetained
    return statuses.every((status) => status === 'deleted' || status === 'already-gone')
      ? undefined
      : stillThere
  }
}

const notAllowed = 'the token may not delete from this package'
const withRetained: OutcomeResult = {
  status: 'retained',
  why: 'it belongs to a version that GitHub did not let go',
}
const stillThere: OutcomeResult = {
  status: 'remaining',
  why: 'it belongs to a version that is still there',
}

function resultOf(answer: DeleteAnswer): OutcomeResult {
  if (answer.status === 'denied') return { status: 'failed', why: answer.why, hint: answer.hint }
  if (answer.status === 'limited') return { ...answer, status: 'remaining' }
  return answer
}
