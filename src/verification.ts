import {
  isGone,
  type Digest,
  type Loss,
  type Outcome,
  type OutcomeResult,
  type Snapshot,
  type Verification,
} from './model.js'
import type { ManifestProbe } from './ports.js'
import { belongings, type Belonging } from './relations.js'
import { sideBySide } from './side-by-side.js'

const mostInFlight = 32

/**
 * Looks whether everything that stays and was near a delete is still whole: whatever a deleted version named, or was
 * named by, with all that belongs to it and all that it belongs to. What is not related to a delete is not asked for.
 *
 * @param snapshot the package as it was seen last, with what is gone
 */
export async function verifyDeletions(
  snapshot: Snapshot,
  outcomes: readonly Outcome[],
  registry: ManifestProbe,
): Promise<Verification> {
  const ids = (having: (result: OutcomeResult) => boolean) =>
    new Set(outcomes.filter(({ result }) => having(result)).map(({ version }) => version.id))
  const [gone, deleted] = [ids(isGone), ids(({ status }) => status === 'deleted')]
  const listed = new Map(snapshot.versions.map((version) => [version.digest, version]))
  const idOf = (digest: Digest) => listed.get(digest)?.id ?? 0
  const wasGone = (digest: Digest) => gone.has(idOf(digest))
  const edges = belongings(snapshot).filter(
    ({ whole, part }) => whole !== part && listed.has(whole) && listed.has(part),
  )
  const near = nearDeletions(edges, wasGone)
  const seen = await probe([...near], wasGone, registry)
  const lacking = () =>
    edges.filter(
      ({ whole, part }) => near.has(whole) && !seen.missing.has(whole) && seen.missing.has(part),
    )
  await forgetWhatWent(seen, () => lacking().map(({ whole }) => whole), registry)
  const { there, unknown } = seen
  const losses = lacking().map(({ whole, part, tie }): Loss => {
    const id = idOf(part)
    const tags = listed.get(whole)?.tags ?? []
    return { whole, tags, part, tie, id, deletedByRun: deleted.has(id) }
  })
  return { there: there.size, losses, ...(unknown === undefined ? {} : { unknown }) }
}

/** Related digests that stay, upwards to the images that they are part of, and downwards to all that these need. */
function nearDeletions(
  edges: readonly Belonging[],
  wasGone: (digest: Digest) => boolean,
): Set<Digest> {
  const staying = edges.filter(({ whole }) => !wasGone(whole))
  const touched = edges.flatMap(({ whole, part }) =>
    wasGone(whole) === wasGone(part) ? [] : [wasGone(whole) ? part : whole],
  )
  const images = closure(touched, staying, ({ part, whole }) => [part, whole])
  return closure(images, staying, ({ whole, part }) => [whole, part])
}

/** Everything that can be reached along the edges in one direction, the starts included. */
function closure(
  starts: Iterable<Digest>,
  edges: readonly Belonging[],
  direction: (edge: Belonging) => [from: Digest, to: Digest],
): Set<Digest> {
  const next = new Map<Digest, Digest[]>()
  for (const [from, to] of edges.map(direction)) {
    const others = next.get(from)
    if (others === undefined) next.set(from, [to])
    else others.push(to)
  }
  const reached = new Set(starts)
  // A Set yields what is added while it is walked.
  for (const digest of reached) for (const to of next.get(digest) ?? []) reached.add(to)
  return reached
}

/** What a registry was found to have and not to have. */
interface Seen {
  readonly there: Set<Digest>
  readonly missing: Set<Digest>
  unknown: string | undefined
}

/** What was there a moment ago and lacks a part now may have gone since as a whole, by somebody else's delete. */
async function forgetWhatWent(
  seen: Seen,
  incomplete: () => Digest[],
  registry: ManifestProbe,
): Promise<void> {
  const asked = new Set<Digest>()
  const doubtful = () => [...new Set(incomplete())].filter((digest) => !asked.has(digest))
  for (let digests = doubtful(); digests.length > 0; digests = doubtful()) {
    const again = await probe(digests, () => false, registry)
    seen.unknown ??= again.unknown
    for (const digest of digests) asked.add(digest)
    for (const digest of again.missing) {
      seen.missing.add(digest)
      seen.there.delete(digest)
    }
  }
}

/** What the registry has and what not, without a question for what is known to be gone, until a question fails. */
async function probe(
  digests: readonly Digest[],
  wasGone: (digest: Digest) => boolean,
  registry: ManifestProbe,
): Promise<Seen> {
  const there = new Set<Digest>()
  const missing = new Set(digests.filter(wasGone))
  const asked = digests.filter((digest) => !missing.has(digest))
  const unknown = await sideBySide(asked, mostInFlight, async (digest) => {
    const found = (await registry.hasManifest(digest)) ? there : missing
    found.add(digest)
  }).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return { there, missing, unknown }
}
