import { RetentionError, type ErrorCode } from './errors.js'
import { readManifests } from './manifests.js'
import type {
  Digest,
  Manifest,
  PackageRef,
  PackageVersion,
  Plan,
  Refusal,
  RefusalCode,
  Snapshot,
} from './model.js'
import type { Policy } from './policy/policy.js'
import type { ManifestReader, VersionLister } from './ports.js'
import { secondLook } from './second-look.js'
import { plan, refuse, undecided } from './selector.js'

/** A package, where it can be seen, and what is wanted of it. */
export interface PlanSource {
  readonly package: PackageRef
  readonly lister: VersionLister
  readonly reader: ManifestReader
  /** Manifests that need no read: what a digest stands for never changes. */
  readonly remembered: Promise<ReadonlyMap<Digest, Manifest>>
  readonly policy: Policy
  /** The time by which ages are judged. */
  readonly now: number
  /** Hears of how many of the versions the manifest is known or not needed, while they are read. */
  readonly heard: (known: number, of: number) => void
}

/** A plan with the picture that it was made from. */
export interface Planned {
  readonly plan: Plan
  readonly snapshot: Snapshot
}

/** How often a package is listed anew because something that was listed has been deleted before it was read. */
const mostFreshStarts = 5

/**
 * Lists and reads a package, and plans, also while somebody else deletes from it: what cannot be read because it is no
 * longer there is no unknown. The plan has passed the second look and leaves nothing undecided.
 *
 * @throws RetentionError when the package cannot be listed, or when there is no time left
 */
export async function makePlan(source: PlanSource): Promise<Planned> {
  let versions = await source.lister.listVersions()
  for (let starts = 0; ; starts++) {
    const planned = await planListed(source, versions)
    if (!isUnreadable(planned) || starts === mostFreshStarts) return planned
    const there = await source.lister.listVersions()
    const ids = new Set(there.map(({ id }) => id))
    if (versions.every(({ id }) => ids.has(id))) return planned
    versions = there
  }
}

async function planListed(
  source: PlanSource,
  versions: readonly PackageVersion[],
): Promise<Planned> {
  const { manifests, refusals } = await read(source, versions)
  return settle(source, { package: source.package, versions, manifests, refusals }, source.policy)
}

function isUnreadable({ snapshot }: Planned): boolean {
  return snapshot.refusals.some(({ code }) => code === 'manifest-unreadable')
}

/**
 * Plans once more what was planned, now that some of the versions are known better. Nothing goes by this plan that did
 * not go by the first; what has been deleted meanwhile counts as if it were there, so that what belongs to it shares
 * its fate.
 *
 * @param first the plan that is being carried out, with the latest picture
 * @param current the package as it is now
 * @param restored ids of what was deleted and is there again: it stays
 * @throws RetentionError when the package must be left alone from now on, or there is no time left
 */
export async function planAgain(
  source: PlanSource,
  first: Planned,
  current: readonly PackageVersion[],
  restored: ReadonlySet<number>,
): Promise<Planned> {
  const before = new Set(first.snapshot.versions.map(({ digest }) => digest))
  const now = new Set(current.map(({ digest }) => digest))
  const gone = first.snapshot.versions.filter(({ digest }) => !now.has(digest))
  const newcomers = current.filter(({ digest }) => !before.has(digest))
  const versions = [...current, ...gone]
  const { manifests, refusals } = await read(source, newcomers)
  const all = new Map([...first.snapshot.manifests, ...manifests])
  const snapshot = { package: source.package, versions, manifests: all, refusals }
  const ids = first.plan.deletions.map(({ version }) => version.id)
  const planned = new Set(ids.filter((id) => !restored.has(id)))
  const policy = keepingAllBut(planned, versions, source.policy)
  const again = await settle(source, snapshot, policy, new Set(gone))
  const [refusal] = again.plan.refusals
  if (refusal !== undefined) throw errorOf(refusal)
  return again
}

/** The same policy, under which everything stays but the versions with these ids. */
function keepingAllBut(
  ids: ReadonlySet<number>,
  versions: readonly PackageVersion[],
  policy: Policy,
): Policy {
  const others = versions.filter(({ id }) => !ids.has(id)).map(({ digest }) => digest)
  const keepDigests = new Set([...policy.keepDigests, ...others])
  return { ...policy, keepDigests, spareNewest: 0, maxDeletions: undefined }
}

/**
 * Reads what a plan leaves undecided, and plans again until nothing is left open; then looks a second time. What is gone
 * cannot be read, and nothing depends on it any more.
 */
async function settle(
  source: PlanSource,
  seen: Snapshot,
  policy: Policy,
  gone: ReadonlySet<PackageVersion> = new Set(),
): Promise<Planned> {
  const { now } = source
  let snapshot = seen
  let made = plan(snapshot, policy, now)
  const open = () => undecided(made, snapshot).filter((version) => !gone.has(version))
  for (let unread = open(); unread.length > 0; unread = open()) {
    const more = await read(source, unread)
    const manifests = new Map([...snapshot.manifests, ...more.manifests])
    snapshot = { ...snapshot, manifests, refusals: [...snapshot.refusals, ...more.refusals] }
    made = plan(snapshot, policy, now)
  }
  return { plan: refuse(made, secondLook(snapshot, policy, now, made)), snapshot }
}

/** What the registry says of versions; what cannot be read becomes a refusal. */
async function read(
  { reader, remembered, heard }: PlanSource,
  versions: readonly PackageVersion[],
): Promise<Pick<Snapshot, 'manifests' | 'refusals'>> {
  const { manifests, failure } = await readManifests(versions, reader, await remembered, heard)
  if (isOutOfTime(failure)) throw failure
  return { manifests, refusals: failure === undefined ? [] : [refusalOf(failure)] }
}

/** Whether time or quota ended something before it could be done, which is nobody's fault. */
export function isOutOfTime(error: unknown): error is RetentionError {
  return error instanceof RetentionError && ['out-of-time', 'out-of-quota'].includes(error.code)
}

/** A refusal of a plan that is being carried out already. */
function errorOf({ code, message, hint }: Refusal): RetentionError {
  return new RetentionError(code, message, hint)
}

/** What was thrown, as words for the reader. Anything unforeseen is a defect, and said to be one. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof RetentionError)) {
    const message = error instanceof Error ? error.message : String(error)
    const hint = 'This is unforeseen; please report it with the debug log.'
    return { code: 'package-unreachable', message, hint }
  }
  const { code, message, hint } = error
  return { code: isRefusalCode(code) ? code : 'package-unreachable', message, hint }
}

const refusalCodes: readonly string[] = [
  'listing-not-whole',
  'manifest-unreadable',
  'manifest-unread',
  'timestamp-unknown',
  'second-look',
] satisfies RefusalCode[]

function isRefusalCode(code: ErrorCode): code is RefusalCode {
  return refusalCodes.includes(code)
}
