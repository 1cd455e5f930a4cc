import { isOutOfTime, RetentionError } from './errors.js'
import type { Child, Digest, Snapshot } from './model.js'
import { parseLifetime } from './policy/lifetime.js'
import type { LabelReader, LifetimeMemory } from './ports.js'
import { sideBySide } from './side-by-side.js'

/** As many as the registry is asked for manifests at once. */
const mostInFlight = 32
/** When the registry has failed or refused so many images, the others are not tried. */
const mostRefused = 32

/** What the labels of images state. */
export interface Lifetimes {
  /** As it is written there, by image; images that state nothing are left out. */
  readonly lifetimes: ReadonlyMap<Digest, string>
  /** What could not be read, in words for the reader. */
  readonly warnings: readonly string[]
}

/** What of a package is looked at. */
type Seen = Pick<Snapshot, 'versions' | 'manifests'>

/**
 * Looks for the lifetimes that images state in labels. An index states one when all that it contains and that can run
 * does: the longest. What an annotation states is known without a look, what was found before is not read again, and what
 * cannot be read states none.
 *
 * @param images the images that matter
 * @param heard hears of how many of them it is known what their labels state
 * @throws RetentionError when there is no time left; the memory has what was read until then
 */
export async function readLifetimes(
  seen: Seen,
  images: readonly Digest[],
  reader: LabelReader,
  memory: LifetimeMemory,
  heard: (known: number, of: number) => void = () => undefined,
): Promise<Lifetimes> {
  const lifetimes = new Map<Digest, string>()
  let known = 0
  const silent = images.filter((image) => seen.manifests.get(image)?.lifetime === undefined)
  if (silent.length === 0) return { lifetimes, warnings: [] }
  const reading = new Reading(seen, reader, memory)
  await sideBySide(silent, mostInFlight, async (image) => {
    const lifetime = (await memory.recallLifetime(image)) ?? (await reading.read(image))
    if (lifetime) lifetimes.set(image, lifetime)
    heard(++known, silent.length)
  })
  return { lifetimes, warnings: reading.warnings }
}

/** One look at the labels of a package. */
class Reading {
  readonly #seen: Seen
  readonly #listed: ReadonlySet<Digest>
  readonly #reader: LabelReader
  readonly #memory: LifetimeMemory
  /** By platform image: indexes may share some. */
  readonly #stated = new Map<Digest, Promise<string | undefined>>()
  /** The first one in words. */
  #failure: string | undefined
  #failed = 0
  #refused = 0
  #untried = 0

  constructor(seen: Seen, reader: LabelReader, memory: LifetimeMemory) {
    this.#seen = seen
    this.#listed = new Set(seen.versions.map(({ digest }) => digest))
    this.#reader = reader
    this.#memory = memory
  }

  /** What could not be read, as one text however much it was. */
  get warnings(): string[] {
    if (this.#failure === undefined) return []
    const count = this.#failed + this.#untried
    const many = count === 1 ? '1 image' : `${count} images`
    const untried = this.#untried === 0 ? '' : ` (${this.#untried} of them were not tried any more)`
    return [
      `the labels of ${many} could not be read, so they state no lifetime${untried}: ${this.#failure}`,
    ]
  }

  /** What an image states, or undefined; what was read is learned. */
  async read(image: Digest): Promise<string | undefined> {
    const platforms = runnableIn(image, this.#seen)
    if (platforms.length === 0 || !platforms.every((digest) => this.#listed.has(digest)))
      return undefined
    if (this.#refused >= mostRefused) {
      this.#untried++
      return undefined
    }
    try {
      const lifetime = await this.#readAll(platforms)
      this.#memory.learnLifetime(image, lifetime ?? '')
      return lifetime
    } catch (error) {
      if (isOutOfTime(error)) throw error
      this.#fail(error)
      return undefined
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error.message : String(error)
    this.#failed++
    if (isRefused(error)) this.#refused++
  }

  /** The longest lifetime, or what says that one of them has no end. After that nothing more is read. */
  async #readAll(platforms: readonly Digest[]): Promise<string | undefined> {
    let longest: string | undefined
    let most = -1
    for (const platform of platforms) {
      const text = await this.#read(platform)
      const length = parseLifetime(text ?? '')
      if (length === undefined) return text
      if (length > most) [longest, most] = [text, length]
    }
    return longest
  }

  #read(platform: Digest): Promise<string | undefined> {
    const annotated = this.#seen.manifests.get(platform)?.lifetime
    const known = this.#stated.get(platform)
    if (known !== undefined) return known
    const stated =
      annotated === undefined ? this.#reader.readLifetime(platform) : Promise.resolve(annotated)
    this.#stated.set(platform, stated)
    return stated
  }
}

/** What can run of an image: itself, or everything of that kind in an index, at any depth. Attestations cannot. */
function runnableIn(image: Digest, { manifests }: Seen): Digest[] {
  const found: Digest[] = []
  // A Set yields what is added while it is walked.
  const walked = new Set([image])
  for (const digest of walked) {
    const { kind = 'image', children = [] } = manifests.get(digest) ?? {}
    if (kind === 'image') found.push(digest)
    for (const child of children) if (mayRun(child)) walked.add(child.digest)
  }
  return found
}

/** Whether an entry of an index may be runnable or contain what is; its manifest, where it was read, knows better. */
function mayRun({ kind, artifactType, attests }: Child): boolean {
  return kind === 'index' || (kind === 'image' && (attests ?? artifactType) === undefined)
}

/** Whether other images are likely to fare no better. */
function isRefused(error: unknown): boolean {
  return error instanceof RetentionError && ['unavailable', 'permission'].includes(error.code)
}
