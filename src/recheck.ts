import { isDeepStrictEqual } from 'node:util'
import type { Recheck } from './deleter.js'
import { isOutOfTime } from './errors.js'
import type { PackageVersion, Refs, Refusal, Snapshot } from './model.js'
import { planAgain, refusalOf, type Planned, type PlanSource } from './planning.js'
import type { Clock } from './ports.js'
import { lookupIn, reasonText } from './report/words.js'

/** Milliseconds for which a listing may still show what is gone; what it shows later was restored. */
const longestLag = 60_000

/**
 * Looks at a package again while its plan is carried out, so that a change on GitHub a minute before a delete costs no
 * image: a tag that came to a planned version, or a new index around old children. What changed is planned again, and
 * only what both plans delete goes.
 */
export class PackageRecheck implements Recheck {
  /** Five seconds less than the minute that is promised: the time in which a delete arrives. */
  readonly freshFor = 55_000
  readonly #source: PlanSource
  readonly #clock: Clock
  /** The plan that is carried out, with the latest picture. */
  #planned: Planned
  #current: readonly PackageVersion[]
  /** When a version was looked at, or was seen to be gone. */
  #seenAt: Map<number, number>
  /** Of versions that are gone, when they went. */
  readonly #wentAt = new Map<number, number>()
  /** Ids of what was deleted and is there again. */
  #restored: ReadonlySet<number> = new Set()
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

  /** A clock that was set back makes nothing fresh. */
  isFresh({ id }: PackageVersion): boolean {
    const age = this.#clock.now() - (this.#seenAt.get(id) ?? -Infinity)
    return age >= 0 && age < this.freshFor
  }

  objection({ id }: PackageVersion): string | undefined {
    return this.#objections.get(id)
  }

  went({ id }: PackageVersion): void {
    this.#wentAt.set(id, this.#clock.now())
  }

  async lookAgain(next: readonly PackageVersion[]): Promise<string | undefined> {
    try {
      await this.#lookTwice(next)
    } catch (error) {
      if (isOutOfTime(error)) return error.message
      this.#refusals = [refusalOf(error)]
    }
    return this.#refusals[0]?.message
  }

  /**
   * The package with what is gone as if it were there, and with its newcomers, unless there is no quota to ask for them.
   *
   * @returns it, and the ids of what was deleted and is there again
   * @throws RetentionError when it cannot be looked at
   */
  async latest(): Promise<{ snapshot: Snapshot; restored: ReadonlySet<number> }> {
    await this.#lookTwice([]).catch((error: unknown) => {
      if (!isOutOfTime(error)) throw error
    })
    return { snapshot: this.#planned.snapshot, restored: this.#restored }
  }

  /** A newcomer that cannot be read may be gone again, as when a tag is taken off by pushing something else over it. */
  async #lookTwice(next: readonly PackageVersion[]): Promise<void> {
    await this.#look(next).catch(async (error: unknown) => {
      if (refusalOf(error).code !== 'manifest-unreadable') throw error
      await this.#look(next)
    })
  }

  async #look(next: readonly PackageVersion[]): Promise<void> {
    const at = this.#clock.now()
    const gone = this.#wentAt
    const known = this.#current.filter(({ id }) => !gone.has(id) || this.#restored.has(id))
    const wanted = new Set(next.map(({ id }) => id))
    const lag = new Set([...gone].filter(([, went]) => at - went < longestLag).map(([id]) => id))
    const { versions, seen } = await this.#source.lister.listAgain(known, wanted, lag)
    const restored = new Set(versions.map(({ id }) => id).filter((id) => gone.has(id)))
    // Where nothing is to go next, nothing depends on what tags are named after.
    const { policy } = this.#planned
    const refs = next.length > 0 ? await this.#source.refs() : policy.refs
    if (hasChanged(known, versions) || !isDeepStrictEqual(refs, policy.refs))
      await this.#planAgain(versions, restored, refs)
    this.#current = versions
    this.#restored = restored
    const before = this.#seenAt
    const there = versions.map(({ id }): [number, number] => [id, before.get(id) ?? at])
    this.#seenAt = new Map([...there, ...[...seen].map((id): [number, number] => [id, at])])
  }

  async #planAgain(
    versions: readonly PackageVersion[],
    restored: ReadonlySet<number>,
    refs: Refs | undefined,
  ): Promise<void> {
    const again = await planAgain(this.#source, this.#planned, versions, restored, refs)
    const { plan, snapshot, policy } = again
    const lookup = lookupIn(plan.decisions)
    this.#planned = { ...this.#planned, snapshot, policy }
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
