import { z } from 'zod'
import { RetentionError } from './errors.js'
import { unreadableLink } from './github-errors.js'
import { isDigest, type PackageVersion } from './model.js'
import { sideBySide } from './side-by-side.js'

/** https://docs.github.com/en/rest/packages/packages: the most rows that a page may have. */
export const pageSize = 100
const pagesAtOnce = 16
const firstAttempts = 4
/** Two that agree are enough. */
const furtherAttempts = 2
/** Milliseconds between rounds of attempts while the package goes on changing, each pause twice the one before. */
const firstPause = 5000
const longestPause = 160_000
const time = z.string().nullish().transform(timeOf)
const versionBody = z.object({
  id: z.number().int(),
  name: z.string().refine(isDigest, 'is not a sha256 digest'),
  created_at: time,
  updated_at: time,
  metadata: z.object({ container: z.object({ tags: z.array(z.string()) }) }),
})
export const versionPage = z.array(versionBody)

export type VersionBody = z.infer<typeof versionBody>
/** One page of a list with what its links say. */
export interface Page<T> {
  readonly data: T
  readonly next: number | undefined
  readonly last: number | undefined
}

/** Only a full ISO time counts, and none from before GitHub: a zero time is unknown, not old. */
function timeOf(text: string | null | undefined): number | undefined {
  const milliseconds = /^\d{4}-\d\d-\d\dT/.test(text ?? '') ? Date.parse(text ?? '') : NaN
  return milliseconds > Date.UTC(2008) ? milliseconds : undefined
}

/** One package's pages of versions, and its own count of them. */
export interface ListingSource {
  readonly page: (number: number) => Promise<Page<VersionBody[]>>
  /** The rows of page 1, when it was read before; they cost nothing of the quota as long as they have not changed. */
  readonly firstAgain: () => Promise<readonly VersionBody[]>
  readonly count: () => Promise<number>
  /** Hears how many more requests a whole listing takes. Throws when there is no quota for them. */
  readonly afford: (requests: number) => void
  /** Waits before the package is listed once more. @returns false when there is no time for that */
  readonly pause: (milliseconds: number) => Promise<boolean>
}

/**
 * Every version of a package. A listing counts only when its first page is unchanged at its end, no row came twice,
 * and its length is the package's own count, or when two listings in a row agree although the count differs. While
 * somebody else pushes or deletes, as the package's own count tells, there are pauses and further attempts.
 *
 * @throws RetentionError `listing-not-whole` when it never settles, `permission` when the package cannot be seen
 */
export async function listWhole(source: ListingSource): Promise<PackageVersion[]> {
  let attempts = 0
  for (let pause = firstPause; ; pause *= 2) {
    const more = attempts === 0 ? firstAttempts : furtherAttempts
    const tried = await tryToList(source, more)
    if (tried.rows !== undefined) return tried.rows.map(versionOf)
    attempts += more
    if (tried.counts.size > 1 && pause <= longestPause && (await source.pause(pause))) continue
    throw new RetentionError(
      'listing-not-whole',
      `the listing of versions did not settle in ${attempts} attempts: ${tried.problem}`,
      'Run again when nothing else pushes to or deletes from this package.',
    )
  }
}

/** What a round of attempts came to, with all that the package counted meanwhile. */
interface Round {
  readonly rows: VersionBody[] | undefined
  readonly problem: string
  readonly counts: ReadonlySet<number>
}

async function tryToList(source: ListingSource, attempts: number): Promise<Round> {
  let previous: string | undefined
  let problem = ''
  const counts = new Set<number>()
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { rows, count } = await listOnce(source)
    counts.add(count)
    if (typeof rows === 'string') {
      problem = rows
      previous = undefined
      continue
    }
    if (rows.length === count) return { rows, problem, counts }
    const fingerprint = JSON.stringify(rows)
    if (fingerprint === previous) return { rows, problem, counts }
    previous = fingerprint
    problem = `it has ${rows.length} versions, and the package counts ${count}`
  }
  return { rows: undefined, problem, counts }
}

/**
 * One pass over all pages. The count is asked for after page 1: a push after that changes page 1, and a delete after
 * that makes the rows too few, so that the two cannot hide each other.
 *
 * @returns the rows, or in words why the pass cannot be trusted, and the package's own count of them
 */
async function listOnce(
  source: ListingSource,
): Promise<{ rows: VersionBody[] | string; count: number }> {
  const first = await source.page(1)
  const count = await source.count()
  const pages = [first]
  const others = Array.from({ length: (first.last ?? 1) - 1 }, (_, at) => at + 2)
  // The other pages, and page 1 once more.
  if (others.length > 0) source.afford(others.length + 1)
  pages.push(...(await readPages(source, others)))
  await followOn(pages, source, count)
  if (pages.length > 1) {
    const again = await source.firstAgain()
    if (JSON.stringify(again) !== JSON.stringify(first.data))
      return { rows: 'page 1 changed meanwhile', count }
  }
  return { rows: joinPages(pages), count }
}

/** Reads pages, a few at once. @returns them in the order of their numbers */
export async function readPages(
  source: ListingSource,
  numbers: readonly number[],
): Promise<Page<VersionBody[]>[]> {
  const read = new Map<number, Page<VersionBody[]>>()
  await sideBySide(numbers, pagesAtOnce, async (number) => {
    read.set(number, await source.page(number))
  })
  return numbers.flatMap((number) => read.get(number) ?? [])
}

/**
 * Reads on while there may be more: a link names the next page, or no link does and the last page is full although the
 * package has another count. A page that comes a second time would come for ever; its rows tell that the listing cannot
 * be trusted.
 */
async function followOn(
  pages: Page<VersionBody[]>[],
  source: ListingSource,
  count: number,
): Promise<void> {
  const firstIds = new Set(pages.map(({ data }) => data[0]?.id))
  for (let last = pages.at(-1); last !== undefined; last = pages.at(-1)) {
    const isMissing = last.data.length === pageSize && pages.length * pageSize !== count
    if (last.next === undefined && !isMissing) return
    const page = await source.page(last.next ?? pages.length + 1)
    if (last.next === undefined && page.data.length === 0) return
    pages.push(page)
    const firstId = page.data[0]?.id
    if (firstIds.has(firstId)) return
    firstIds.add(firstId)
  }
}

export function versionOf(body: VersionBody): PackageVersion {
  return {
    id: body.id,
    digest: body.name,
    tags: body.metadata.container.tags,
    createdAt: body.created_at,
    updatedAt: body.updated_at,
  }
}

/** Rows that moved between pages show as a row that came twice or as a page of another length than the rest. */
function joinPages(pages: readonly Page<VersionBody[]>[]): VersionBody[] | string {
  const full = pages[0]?.data.length
  const short = pages.findIndex(
    ({ data }, index) => index < pages.length - 1 && data.length !== full,
  )
  if (short !== -1)
    return `page ${short + 1} has ${pages[short]?.data.length ?? 0} rows, and the first has ${full ?? 0}`
  const empty = pages.findIndex(({ data }, index) => index > 0 && data.length === 0)
  if (empty !== -1) return `page ${empty + 1} is empty although the page before it names it`
  const rows = pages.flatMap(({ data }) => data)
  if (new Set(rows.map(({ id }) => id)).size < rows.length)
    return 'a version came twice, so rows moved between pages'
  return rows
}

/**
 * Page numbers by the `rel` of their link.
 * https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
 *
 * @throws RetentionError `unexpected-answer` when there is a next page whose number cannot be read
 */
export function readLinks(header: string | undefined): {
  next: number | undefined
  last: number | undefined
} {
  const links = [...(header ?? '').matchAll(/<([^<>]*)>([^,<]*)/g)]
  const pages = new Map(
    links.map(([, address = '', parameters = '']) => linkOf(address, parameters)),
  )
  const [next, last] = [pages.get('next'), pages.get('last')]
  if (next !== undefined && !(next > 1)) throw unreadableLink(header ?? '')
  return { next, last: Number.isNaN(last) ? undefined : last }
}

/** The `rel` of a link and the page number in its address, NaN when there is none. */
function linkOf(address: string, parameters: string): [rel: string, page: number] {
  const rel = /;\s*rel="?([a-z]+)"?/i.exec(parameters)?.[1] ?? ''
  return [rel.toLowerCase(), Number(/[?&]page=(\d+)/.exec(address)?.[1])]
}
