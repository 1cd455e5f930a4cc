import { RetentionError } from './errors.js'
import { readManifests } from './manifests.js'
import type { PackageRef, PackageVersion, Plan, Refusal, RefusalCode, Snapshot } from './model.js'
import type { Policy } from './policy/policy.js'
import type { ManifestReader, VersionLister } from './ports.js'
import { secondLook } from './second-look.js'
import { plan, refuse, undecided } from './selector.js'

/** A package, where it can be seen, and what is wanted of it. */
export interface PlanSource {
  readonly package: PackageRef
  readonly lister: VersionLister
  readonly reader: ManifestReader
  readonly policy: Policy
  /** The time by which ages are judged. */
  readonly now: number
}

/** A plan with the picture that it was made from. */
export interface Planned {
  readonly plan: Plan
  readonly snapshot: Snapshot
}

/**
 * Lists and reads a package, and plans. The plan has passed the second look and leaves nothing undecided.
 *
 * @throws RetentionError when the package cannot be listed, or when there is no time left
 */
export async function makePlan(source: PlanSource): Promise<Planned> {
  const versions = await source.lister.listVersions()
  const { manifests, refusals } = await read(source, versions)
  return settle(source, { package: source.package, versions, manifests, refusals }, source.policy)
}

/**
 * Plans once more what was planned, now that some of the versions are known better. Nothing goes by this plan that did
 * not go by the first; what has been deleted meanwhile counts as if it were there, so that what belongs to it shares
 * its fate.
 *
 * @param first the plan that is being carried out, with the latest picture
 * @param current the package as it is now
 * @throws RetentionError when there is no time left
 */
export async function planAgain(
  source: PlanSource,
  first: Planned,
  current: readonly PackageVersion[],
): Promise<Planned> {
  const before = new Set(first.snapshot.versions.map(({ digest }) => digest))
  const now = new Set(current.map(({ digest }) => digest))
  const gone = first.snapshot.versions.filter(({ digest }) => !now.has(digest))
  const newcomers = current.filter(({ digest }) => !before.has(digest))
  const versions = [...current, ...gone]
  const { manifests, refusals } = await read(source, newcomers)
  const all = new Map([...first.snapshot.manifests, ...manifests])
  const snapshot = { package: source.package, versions, manifests: all, refusals }
  return settle(source, snapshot, keepingTheRest(first.plan, versions, source.policy))
}

/** The same policy, under which everything stays that a plan does not delete. */
function keepingTheRest(
  { deletions }: Plan,
  versions: readonly PackageVersion[],
  policy: Policy,
): Policy {
  const planned = new Set(deletions.map(({ version }) => version.id))
  const others = versions.filter(({ id }) => !planned.has(id)).map(({ digest }) => digest)
  const keepDigests = new Set([...policy.keepDigests, ...others])
  return { ...policy, keepDigests, spareNewest: 0, maxDeletions: undefined }
}

/** Reads what a plan leaves undecided, and plans again until nothing is left open; then looks a second time. */
async function settle(source: PlanSource, seen: Snapshot, policy: Policy): Promise<Planned> {
  const { now } = source
  let snapshot = seen
  let made = plan(snapshot, policy, now)
  for (let open = undecided(made, snapshot); open.length > 0; open = undecided(made, snapshot)) {
    const more = await read(source, open)
    const manifests = new Map([...snapshot.manifests, ...more.manifests])
    snapshot = { ...snapshot, manifests, refusals: [...snapshot.refusals, ...more.refusals] }
    made = plan(snapshot, policy, now)
  }
  return { plan: refuse(made, secondLook(snapshot, policy, now, made.deletions)), snapshot }
}

/** What the registry says of versions; what cannot be read becomes a refusal. */
async function read(
  { reader }: PlanSource,
  versions: readonly PackageVersion[],
): Promise<Pick<Snapshot, 'manifests' | 'refusals'>> {
  const { manifests, failure } = await readManifests(versions, reader)
  if (isOutOfTime(failure)) throw failure
  return { manifests, refusals: failure === undefined ? [] : [refusalOf(failure)] }
}

/** Whether a run ended before something could be done, which is nobody's fault. */
export function isOutOfTime(error: unknown): error is RetentionError {
  return error instanceof RetentionError && error.code === 'out-of-time'
}

/** What was thrown, as words for the reader. Anything unforeseen is a defect, and said to be one. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof RetentionError)) {
    const message = error instanceof Error ? error.message : String(error)
    const hint = 'This is unforeseen; please report it with the debug log.'
    return { code: 'package-unreachable', message, hint }
  }
  const codes: Partial<Record<RetentionError['code'], RefusalCode>> = {
    'listing-not-whole': 'listing-not-whole',
    'manifest-unreadable': 'manifest-unreadable',
  }
  const { code, message, hint } = error
  return { code: codes[code] ?? 'package-unreachable', message, hint }
}
