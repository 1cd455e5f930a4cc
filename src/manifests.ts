import { isKnownLeaf } from './graph.js'
import type { Child, Digest, Manifest, PackageVersion } from './model.js'
import type { ManifestReader } from './ports.js'
import { sideBySide } from './side-by-side.js'

/** The registry bears far more; this many hide the latency. */
const mostInFlight = 32
/** A lane with fewer versions than this would cut more trees than it saves time. */
const shortestLane = 8

/**
 * Reads the manifests that are needed to draw the graph of a package, and no others. A child whose index says all
 * about it is not read. Tagged versions come first; untagged ones newest first, because an index is younger than its
 * children, so that most children are known before their turn.
 *
 * What is remembered is not read again. It comes before everything else, so that no child is read that a remembered index
 * explains.
 *
 * @returns the manifests by digest, and the first failure; after it no new read starts
 */
export async function readManifests(
  versions: readonly PackageVersion[],
  reader: ManifestReader,
  remembered: ReadonlyMap<Digest, Manifest> = new Map(),
  heard: (known: number, of: number) => void = () => undefined,
): Promise<{ manifests: Map<Digest, Manifest>; failure: unknown }> {
  const reading = new Reading(versions, reader, heard)
  reading.takeOver(remembered)
  await reading.inParallel(versions.filter(({ tags }) => tags.length > 0))
  const untagged = versions.filter(
    ({ digest, tags }) => tags.length === 0 && !reading.knows(digest),
  )
  await reading.inLanes(untagged)
  return { manifests: reading.manifests, failure: reading.failure }
}

/** One pass over a package. What it knows only grows. */
class Reading {
  readonly manifests = new Map<Digest, Manifest>()
  failure: unknown
  readonly #reader: ManifestReader
  readonly #listed: ReadonlyMap<Digest, PackageVersion>
  readonly #known = new Set<Digest>()
  readonly #heard: (known: number, of: number) => void

  constructor(
    versions: readonly PackageVersion[],
    reader: ManifestReader,
    heard: (known: number, of: number) => void,
  ) {
    this.#reader = reader
    this.#heard = heard
    this.#listed = new Map(versions.map((version) => [version.digest, version]))
  }

  /** Whether a version is known, is being read, or needs no read. */
  knows(digest: Digest): boolean {
    return this.#known.has(digest)
  }

  /** Knows what was read before, and all that it explains, without a read. */
  takeOver(remembered: ReadonlyMap<Digest, Manifest>): void {
    for (const digest of this.#listed.keys()) {
      const manifest = remembered.get(digest)
      if (manifest === undefined) continue
      this.#known.add(digest)
      this.manifests.set(digest, manifest)
      for (const child of manifest.children)
        if (this.#isExplained(child)) this.#known.add(child.digest)
    }
  }

  /** Reads versions that have to be read in any case. */
  async inParallel(versions: readonly PackageVersion[]): Promise<void> {
    await sideBySide(versions, mostInFlight, ({ digest }) => this.#read(digest))
  }

  /** Reads versions that may turn out to be children of each other: every lane from its newest to its oldest. */
  async inLanes(versions: readonly PackageVersion[]): Promise<void> {
    await sideBySide(cutIntoLanes(versions), mostInFlight, async (lane) => {
      for (const { digest } of lane) await this.#read(digest)
    })
  }

  /** Reads one manifest, and what it lists and does not explain. */
  async #read(digest: Digest): Promise<void> {
    if (this.#known.has(digest) || this.failure !== undefined) return
    this.#known.add(digest)
    try {
      const manifest = await this.#reader.readManifest(digest)
      this.manifests.set(digest, manifest)
      this.#heard(this.#known.size, this.#listed.size)
      for (const child of manifest.children) await this.#learn(child)
    } catch (error) {
      this.failure ??= error
    }
  }

  async #learn(child: Child): Promise<void> {
    if (this.#isExplained(child)) this.#known.add(child.digest)
    else if (!isKnownLeaf(child) && this.#listed.has(child.digest)) await this.#read(child.digest)
  }

  /** Whether an index says enough of a listed child; one with tags is read in any case. */
  #isExplained(child: Child): boolean {
    return this.#listed.get(child.digest)?.tags.length === 0 && isKnownLeaf(child)
  }
}

/**
 * Cuts versions into stretches that can be read side by side. A cut goes where the pause between two pushes is longest,
 * so that an index and its children, which are pushed together, share a lane.
 */
export function cutIntoLanes(versions: readonly PackageVersion[]): PackageVersion[][] {
  const sorted = versions.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0) || b.id - a.id)
  const lanes = Math.min(mostInFlight, Math.floor(sorted.length / shortestLane))
  if (lanes < 2) return sorted.length === 0 ? [] : [sorted]
  const width = sorted.length / lanes
  const cuts = Array.from({ length: lanes - 1 }, (_, i) =>
    longestPause(sorted, Math.round((i + 0.5) * width) + 1, Math.round((i + 1.5) * width)),
  )
  return [...cuts, sorted.length].map((end, i) => sorted.slice(cuts[i - 1] ?? 0, end))
}

/** The place in a stretch where the row before is the furthest away in time. */
function longestPause(sorted: readonly PackageVersion[], from: number, to: number): number {
  let best = from
  let longest = -1
  for (let i = from; i <= to; i++) {
    const pause = (sorted[i - 1]?.createdAt ?? 0) - (sorted[i]?.createdAt ?? 0)
    if (pause > longest) [best, longest] = [i, pause]
  }
  return best
}
