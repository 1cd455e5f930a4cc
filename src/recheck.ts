import type { Recheck } from './deleter.js'
import type { PackageVersion, Refusal, Snapshot } from './model.js'
import { isOutOfTime, planAgain, refusalOf, type Planned, type PlanSource } from './planning.js'
import type { Clock } from './ports.js'
import { lookupIn, reasonText } from './report/words.js'

/**
 * Looks at a package again while its plan is carried out, so that a change on GitHub a minute before a delete costs no
 * image: a tag that came to a planned version, or a new index around old children. What changed is planned again, and
 * only what both plans delete goes.
 */
export class PackageRecheck implements Recheck {
  /** Ten seconds less than the minute that is promised: the time in which a delete arrives. */
  readonly freshFor = 50_000
  readonly #source: PlanSource
  readonly #clock: Clock
  /** The plan that is carried out, with the latest picture. */
  #planned: Planned
  #current: readonly PackageVersion[]
  /** Of versions that are there, when they were looked at. */
  #seenAt: Map<number, number>
  #objections = new Map<number, string>()
  #refusals: readonly Refusal[] = []

  constructor(source: PlanSource, planned: Planned, clock: Clock) {
    this.#source = source
    this.#clock = clock
    this.#planned = planned
    this.#current = planned.snapshot.versions
    this.#seenAt = new Map(this.#current.map(({ id }) => [id, source.now]))
  }

  /** Why the package could not be looked at, or must be left alone from now on. */
  get refusals(): readonly Refusal[] {
    return this.#refusals
  }

  /** What is not there any more cannot change; its delete will tell. */
  isFresh({ id }: PackageVersion): boolean {
    return this.#clock.now() - (this.#seenAt.get(id) ?? Infinity) < this.freshFor
  }

  objection({ id }: PackageVersion): string | undefined {
    return this.#objections.get(id)
  }

  async lookAgain(
    next: readonly PackageVersion[],
    gone: ReadonlySet<number>,
  ): Promise<string | undefined> {
    try {
      await this.#look(next, gone)
    } catch (error) {
      if (isOutOfTime(error)) return error.message
      this.#refusals = [refusalOf(error)]
    }
    return this.#refusals[0]?.message
  }

  /**
   * The package with what is gone as if it were there, and with its newcomers, unless there is no quota to ask for them.
   *
   * @throws RetentionError when it cannot be looked at
   */
  async latest(gone: ReadonlySet<number>): Promise<Snapshot> {
    await this.#look([], gone).catch((error: unknown) => {
      if (!isOutOfTime(error)) throw error
    })
    return this.#planned.snapshot
  }

  async #look(next: readonly PackageVersion[], gone: ReadonlySet<number>): Promise<void> {
    const at = this.#clock.now()
    const known = this.#current.filter(({ id }) => !gone.has(id))
    const wanted = new Set(next.map(({ id }) => id))
    const { versions, seen } = await this.#source.lister.listAgain(known, wanted)
    if (hasChanged(known, versions)) await this.#planAgain(versions)
    const before = this.#seenAt
    const seenAt = (id: number) => (seen.has(id) ? at : (before.get(id) ?? at))
    this.#seenAt = new Map(versions.map(({ id }) => [id, seenAt(id)]))
    this.#current = versions
  }

  async #planAgain(versions: readonly PackageVersion[]): Promise<void> {
    const { plan, snapshot } = await planAgain(this.#source, this.#planned, versions)
    const lookup = lookupIn(plan.decisions)
    this.#planned = { ...this.#planned, snapshot }
    this.#refusals = plan.refusals
    if (plan.refusals.length > 0) return
    this.#objections = new Map(
      plan.decisions
        .filter(({ verdict }) => verdict.action === 'keep')
        .map((decision) => [decision.version.id, reasonText(decision, lookup)]),
    )
  }
}

function hasChanged(before: readonly PackageVersion[], after: readonly PackageVersion[]): boolean {
  return before.length !== after.length || before.some((row, at) => isOther(row, after[at]))
}

function isOther(before: PackageVersion, after: PackageVersion | undefined): boolean {
  return before !== after && JSON.stringify(before) !== JSON.stringify(after)
}
