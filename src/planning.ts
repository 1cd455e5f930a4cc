import { isOutOfTime, RetentionError, type ErrorCode } from './errors.js'
import { labelsWanted } from './images.js'
import { readLifetimes } from './lifetimes.js'
import { readManifests } from './manifests.js'
import type {
  Digest,
  Manifest,
  PackageRef,
  PackageVersion,
  Plan,
  Refusal,
  RefusalCode,
  Refs,
  Snapshot,
} from './model.js'
import type { Policy } from './policy/policy.js'
import type { LabelReader, LifetimeMemory, ManifestReader, VersionLister } from './ports.js'
import { secondLook } from './second-look.js'
import { plan, refuse, undecided } from './selector.js'

/** A package, where it can be seen, and what is wanted of it. */
export interface PlanSource {
  readonly package: PackageRef
  readonly lister: VersionLister
  readonly reader: ManifestReader
  /** Manifests that need no read: what a digest stands for never changes. */
  readonly remembered: Promise<ReadonlyMap<Digest, Manifest>>
  /** For the lifetimes that images state in labels. */
  readonly labels: LabelReader
  readonly labelMemory: LifetimeMemory
  readonly policy: Policy
  /** What is there now of that tags are named after; undefined where no rule asks. */
  readonly refs: () => Promise<Refs | undefined>
  /** The time by which ages are judged. */
  readonly now: number
  /** Hears of how many of the versions the manifest is known or not needed, while they are read. */
  readonly heard: (known: number, of: number) => void
  /** Hears of how many images the labels are known, while they are read. */
  readonly heardLabels: (known: number, of: number) => void
  /** Hears of what could not be read and harms nothing. */
  readonly warned: (message: string) => void
}

/** A plan with the picture that it was made from. */
export interface Planned {
  readonly plan: Plan
  readonly snapshot: Snapshot
  /** With what was looked up for it. */
  readonly policy: Policy
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
  const snapshot = { package: source.package, versions, manifests, refusals }
  const lifetimes = await lifetimesIn(source, snapshot)
  // After the listing, so that whatever a listed image is named after is looked up later than the image was there.
  const refs = await source.refs()
  return settle(source, { ...snapshot, lifetimes }, { ...source.policy, refs })
}

async function lifetimesIn(
  { labels, labelMemory, policy, heardLabels, warned }: PlanSource,
  snapshot: Snapshot,
): Promise<ReadonlyMap<Digest, string>> {
  const wanted = snapshot.refusals.length > 0 ? [] : labelsWanted(snapshot, policy)
  const { lifetimes, warnings } = await readLifetimes(
    snapshot,
    wanted,
    labels,
    labelMemory,
    heardLabels,
  )
  for (const warning of warnings) warned(warning)
  return lifetimes
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
 * @param refs what is there now of that tags are named after
 * @throws RetentionError when the package must be left alone from now on, or there is no time left
 */
export async function planAgain(
  source: PlanSource,
  first: Planned,
  current: readonly PackageVersion[],
  restored: ReadonlySet<number>,
  refs: Refs | undefined,
): Promise<Planned> {
  const before = new Set(first.snapshot.versions.map(({ digest }) => digest))
  const now = new Set(current.map(({ digest }) => digest))
  const gone = first.snapshot.versions.filter(({ digest }) => !now.has(digest))
  // A tag makes an image of what its index explained until now, and rules may ask for more than that.
  const { manifests: known } = first.snapshot
  const newcomers = current.filter(
    ({ digest, tags }) => !before.has(digest) || (tags.length > 0 && !known.has(digest)),
  )
  const versions = [...current, ...gone]
  const { manifests, refusals } = await read(source, newcomers)
  const all = new Map([...known, ...manifests])
  const { lifetimes = new Map<Digest, string>() } = first.snapshot
  const snapshot = { package: source.package, versions, manifests: all, lifetimes, refusals }
  const ids = first.plan.deletions.map(({ version }) => version.id)
  const planned = new Set(ids.filter((id) => !restored.has(id)))
  const policy = keepingAllBut(planned, versions, { ...source.policy, refs })
  const again = await settle(source, snapshot, policy, new Set(gone))
  const [refusal] = again.plan.refusals
  if (refusal !== undefined) throw errorOf(refusal)
  return again
}

const firstPlan = { place: 'the first plan' }

/** The same policy, under which everything stays but the versions with these ids. */
function keepingAllBut(
  ids: ReadonlySet<number>,
  versions: readonly PackageVersion[],
  policy: Policy,
): Policy {
  const others = versions.filter(({ id }) => !ids.has(id)).map(({ digest }) => digest)
  const pinned = others.map((digest) => [digest, firstPlan] as const)
  const keepDigests = new Map([...pinned, ...policy.keepDigests])
  return { ...policy, keepDigests, spareNewest: 0, maxDeletions: [] }
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
  return { plan: refuse(made, secondLook(snapshot, policy, now, made)), snapshot, policy }
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
