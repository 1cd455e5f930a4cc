import {
  listWhole,
  pageSize,
  readPages,
  versionOf,
  type ListingSource,
  type VersionBody,
} from './listing.js'
import type { PackageVersion } from './model.js'
import type { Relisting } from './ports.js'

/** How often pages next to those that were read are tried for rows that are not where they should be. */
const mostSteps = 4
/** A package of so many pages is read whole when its count tells of rows that were not seen. */
const fewPages = 10

/**
 * Looks at a package again without listing it whole: at its newest rows, and at the places where the wanted rows must be
 * by now. Rows that came or went in between are noticed where it looks; elsewhere the length of the listing tells, by its
 * last page or by the package's own count, and a small package is then read whole.
 *
 * @param known what should still be there, in the order of the listing
 * @param wanted ids of versions whose state matters
 * @param overlooked ids of rows that a listing may still show although they are gone
 * @throws RetentionError as listing does
 */
export async function listAgain(
  source: ListingSource,
  known: readonly PackageVersion[],
  wanted: ReadonlySet<number>,
  overlooked: ReadonlySet<number>,
): Promise<Relisting> {
  const look = new Look(source, known, overlooked)
  const isRead = await look.readNewest()
  await look.readAround(wanted)
  const count = look.length() ?? (await source.count())
  if (look.current().length < count) await look.readRest(count)
  if (isRead && look.hasFound(wanted) && look.isInOrder()) {
    return { versions: look.current(), seen: look.seen() }
  }
  // What was wanted and is not in a whole listing is gone, and that was seen as well.
  const whole = await listWhole(source)
  const versions = whole.filter(({ id }) => !overlooked.has(id))
  return { versions, seen: new Set([...versions.map(({ id }) => id), ...wanted]) }
}

/** Pages that follow one another, and the first and last place in the known order that they show. */
interface Stretch {
  readonly first: number
  readonly last: number
  readonly from: number
  readonly to: number
}

/** The pages of one look, laid over the order in which the rows were known. */
class Look {
  readonly #source: ListingSource
  readonly #known: readonly PackageVersion[]
  readonly #overlooked: ReadonlySet<number>
  readonly #places: ReadonlyMap<number, number>
  /** By page the rows that count, and how many it has in all. */
  readonly #pages = new Map<number, { rows: readonly VersionBody[]; size: number }>()

  constructor(
    source: ListingSource,
    known: readonly PackageVersion[],
    overlooked: ReadonlySet<number>,
  ) {
    this.#source = source
    this.#known = known
    this.#overlooked = overlooked
    this.#places = new Map(known.map(({ id }, place) => [id, place]))
  }

  /** Reads from the first page on until a row is known. @returns false when pages come again, which has no end */
  async readNewest(): Promise<boolean> {
    const ids = new Set<number>()
    this.#keep(1, await this.#source.firstAgain())
    for (let page = 1; ; page++) {
      await this.#read([page])
      const { rows, size } = this.#page(page)
      if (size < pageSize || rows.some(({ id }) => this.#places.has(id))) return true
      if (rows.some(({ id }) => ids.has(id))) return false
      for (const { id } of rows) ids.add(id)
    }
  }

  /** Reads the pages on which the wanted rows should be, and those next to them while that is not so. */
  async readAround(wanted: ReadonlySet<number>): Promise<void> {
    const shift = this.#newcomers().length
    const places = [...wanted].flatMap((id) => this.#places.get(id) ?? [])
    await this.#read(places.map((place) => Math.floor((place + shift) / pageSize) + 1))
    for (let step = 0; step < mostSteps && !this.hasFound(wanted); step++) {
      const seen = this.seen()
      const stretches = this.#stretches()
      const missing = [...wanted].filter((id) => !seen.has(id))
      const sought = missing.flatMap((id) => this.#places.get(id) ?? [])
      await this.#read(sought.map((place) => nextPage(place, stretches)))
    }
  }

  /** Reads everything else of a small package. */
  async readRest(count: number): Promise<void> {
    const pages = Math.ceil(count / pageSize)
    if (pages <= fewPages) await this.#read(Array.from({ length: pages }, (_, at) => at + 1))
  }

  /** How many rows the listing has, if its last page was read: the one that is not full. */
  length(): number | undefined {
    const last = this.#numbers().find((page) => this.#page(page).size < pageSize)
    if (last === undefined) return undefined
    const { size } = this.#page(last)
    // An empty page may be far behind the end.
    return size > 0 || last === 1 ? (last - 1) * pageSize + size : undefined
  }

  hasFound(wanted: ReadonlySet<number>): boolean {
    const seen = this.seen()
    return [...wanted].every((id) => seen.has(id))
  }

  /** Whether the rows are in the order in which they were known, each once. */
  isInOrder(): boolean {
    const rows = this.#rows()
    const places = rows.flatMap(({ id }) => this.#places.get(id) ?? [])
    const isRising = places.every((place, at) => at === 0 || place > (places[at - 1] ?? 0))
    return isRising && new Set(rows.map(({ id }) => id)).size === rows.length
  }

  seen(): Set<number> {
    return new Set(this.#rows().map(({ id }) => id))
  }

  /** The package as it is now, as far as it was looked at: newcomers first, and without what went between rows seen. */
  current(): PackageVersion[] {
    const stretches = this.#stretches()
    const seen = new Map(this.#rows().map((row) => [row.id, versionOf(row)]))
    const isCovered = (place: number) =>
      stretches.some(({ from, to }) => from < place && place < to)
    const still = this.#known.flatMap((version, place) => {
      const fresh = seen.get(version.id)
      return fresh === undefined && isCovered(place) ? [] : [fresh ?? version]
    })
    return [...this.#newcomers().map(versionOf), ...still]
  }

  async #read(pages: readonly number[]): Promise<void> {
    const unread = [...new Set(pages)].filter((page) => page > 0 && !this.#pages.has(page))
    const read = await readPages(this.#source, unread)
    for (const [at, { data }] of read.entries()) this.#keep(unread[at] ?? 0, data)
  }

  #keep(page: number, data: readonly VersionBody[]): void {
    const rows = data.filter(({ id }) => !this.#overlooked.has(id))
    this.#pages.set(page, { rows, size: data.length })
  }

  #page(page: number): { rows: readonly VersionBody[]; size: number } {
    return this.#pages.get(page) ?? { rows: [], size: 0 }
  }

  /** The numbers of the pages that were read, in their order. */
  #numbers(): number[] {
    return [...this.#pages.keys()].sort((a, b) => a - b)
  }

  #rows(): VersionBody[] {
    return this.#numbers().flatMap((page) => this.#page(page).rows)
  }

  #newcomers(): VersionBody[] {
    return this.#rows().filter(({ id }) => !this.#places.has(id))
  }

  #stretches(): Stretch[] {
    const groups: number[][] = []
    for (const page of this.#numbers()) {
      const group = groups.at(-1)
      if (group?.at(-1) === page - 1) group.push(page)
      else groups.push([page])
    }
    return groups.flatMap((pages): Stretch[] => {
      const rows = pages.flatMap((page) => this.#page(page).rows)
      const places = rows.flatMap(({ id }) => this.#places.get(id) ?? [])
      const [from, to] = [places[0], places.at(-1)]
      const [first, last] = [pages[0], pages.at(-1)]
      if (from === undefined || to === undefined) return []
      return first === undefined || last === undefined ? [] : [{ first, last, from, to }]
    })
  }
}

/** The page next to what was read, on the side on which a place must be. */
function nextPage(place: number, stretches: readonly Stretch[]): number {
  const before = stretches.findLast(({ to }) => to < place)
  const behind = stretches.find(({ from }) => from > place)
  const toBefore = before === undefined ? Infinity : place - before.to
  const toBehind = behind === undefined ? Infinity : behind.from - place
  return toBefore <= toBehind ? (before?.last ?? 0) + 1 : (behind?.first ?? 0) - 1
}
