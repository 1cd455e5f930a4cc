import type { Digest, Loss, Snapshot, Verification } from './model.js'
import type { ManifestProbe } from './ports.js'
import { belongings, type Belonging } from './relations.js'

const mostInFlight = 32

/**
 * Looks whether everything that stays and was near a delete is still whole: whatever a deleted version named, or was
 * named by, with all that belongs to it and all that it belongs to. What is not related to a delete is not asked for.
 *
 * @param snapshot the package as it was seen last, with what was deleted
 * @param gone ids of what is not there any more
 * @throws RetentionError when the registry does not answer
 */
export async function verifyDeletions(
  snapshot: Snapshot,
  gone: ReadonlySet<number>,
  registry: ManifestProbe,
): Promise<Verification> {
  const listed = new Map(snapshot.versions.map((version) => [version.digest, version]))
  const isGone = (digest: Digest) => gone.has(listed.get(digest)?.id ?? 0)
  const edges = [...belongings(snapshot)].filter(
    ({ whole, part }) => whole !== part && listed.has(whole) && listed.has(part),
  )
  const near = nearDeletions(edges, isGone)
  const missing = await findMissing([...near], isGone, registry)
  const losses = edges
    .filter(({ whole, part }) => near.has(whole) && !missing.has(whole) && missing.has(part))
    .map(({ whole, part, tie }): Loss => {
      const tags = listed.get(whole)?.tags ?? []
      const id = listed.get(part)?.id ?? 0
      return { whole, tags, part, tie, id, deletedByRun: gone.has(id) }
    })
  return { checked: near.size, losses }
}

/** Related digests that stay, upwards to the images that they are part of, and downwards to all that these need. */
function nearDeletions(
  edges: readonly Belonging[],
  isGone: (digest: Digest) => boolean,
): Set<Digest> {
  const staying = edges.filter(({ whole }) => !isGone(whole))
  const touched = edges.flatMap(({ whole, part }) =>
    isGone(whole) === isGone(part) ? [] : [isGone(whole) ? part : whole],
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

/** What the registry does not have, and without a question what is known to be gone. */
async function findMissing(
  digests: readonly Digest[],
  isGone: (digest: Digest) => boolean,
  registry: ManifestProbe,
): Promise<Set<Digest>> {
  const missing = new Set<Digest>()
  const queue = digests.values()
  const work = async () => {
    for (const digest of queue)
      if (isGone(digest) || !(await registry.hasManifest(digest))) missing.add(digest)
  }
  await Promise.all(Array.from({ length: Math.min(mostInFlight, digests.length) }, work))
  return missing
}
