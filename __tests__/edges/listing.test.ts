import { describe, expect, test } from '@jest/globals'
import { listWhole, readLinks, versionPage } from '../../src/listing.js'
import { listAgain } from '../../src/relisting.js'
import { digest } from '../core/kit.js'

const row = (id: number, extra = {}) => ({
  id,
  name: digest(String(id)),
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-02T00:00:00Z',
  metadata: { container: { tags: [] } },
  ...extra,
})
const rows = (count: number, from = 1) => Array.from({ length: count }, (_, at) => row(from + at))

/** A package of pages; every pass over it may see another state. */
function source(
  passes: { pages: ReturnType<typeof rows>[]; count: number; links?: boolean }[],
  meanwhile: (asked: string) => void = () => undefined,
  patience = 0,
) {
  const asked: string[] = []
  const pauses: number[] = []
  let pass = -1
  const seen = (what: string) => {
    asked.push(what)
    meanwhile(what)
  }
  const now = () => passes[Math.min(Math.max(pass, 0), passes.length - 1)]
  const page = (number: number) => {
    if (number === 1 && asked.at(-1) !== `page ${now()?.pages.length ?? 0}`) pass++
    seen(`page ${number}`)
    const { pages = [], links = true } = now() ?? {}
    const data = versionPage.parse(pages[number - 1] ?? [])
    const more = links && number < pages.length
    return Promise.resolve({
      data,
      next: more ? number + 1 : undefined,
      last: more ? pages.length : undefined,
    })
  }
  return {
    asked,
    pauses,
    pause: (milliseconds: number) => {
      if (pauses.length === patience) return Promise.resolve(false)
      pauses.push(milliseconds)
      return Promise.resolve(true)
    },
    page,
    firstAgain: async () => (await page(1)).data,
    count: () => {
      seen('count')
      return Promise.resolve(now()?.count ?? 0)
    },
    afford: () => undefined,
  }
}

describe('a listing is whole', () => {
  test('with one page and its count, in two requests', async () => {
    const listed = source([{ pages: [rows(3)], count: 3 }])
    expect((await listWhole(listed)).map(({ id }) => id)).toEqual([1, 2, 3])
    expect(listed.asked).toEqual(['page 1', 'count'])
  })

  test('with several pages, the count asked after the first, the first looked at again', async () => {
    const listed = source([{ pages: [rows(100), rows(100, 101), rows(5, 201)], count: 205 }])
    expect(await listWhole(listed)).toHaveLength(205)
    expect(listed.asked).toEqual(['page 1', 'count', 'page 2', 'page 3', 'page 1'])
  })

  test('with a full last page and no link, when the count is the same', async () => {
    const listed = source([{ pages: [rows(100)], count: 100 }])
    expect(await listWhole(listed)).toHaveLength(100)
    expect(listed.asked).toEqual(['page 1', 'count'])
  })

  test.each([99, 101])(
    'or when the page after it is empty, though the count is %d',
    async (count) => {
      const listed = source([{ pages: [rows(100)], count }])
      expect(await listWhole(listed)).toHaveLength(100)
      expect(listed.asked.slice(0, 3)).toEqual(['page 1', 'count', 'page 2'])
    },
  )

  test('and goes on after a full page that no link continues', async () => {
    const listed = source([{ pages: [rows(100), rows(3, 101)], count: 103, links: false }])
    expect(await listWhole(listed)).toHaveLength(103)
  })

  test('only when page 1 is the same at its end, although the count fits', async () => {
    const pages = [rows(100), rows(3, 101)]
    const retag = (asked: string) => {
      if (asked === 'page 2') pages[0]?.splice(0, 1, row(1, { updated_at: '2026-01-03T00:00:00Z' }))
    }
    const listed = source([{ pages, count: 103 }], retag)
    expect((await listWhole(listed))[0]?.updatedAt).toBe(Date.UTC(2026, 0, 3))
    expect(listed.asked).toHaveLength(8)
  })

  test('when two in a row agree although the count lags', async () => {
    const listed = source([{ pages: [rows(3)], count: 4 }])
    expect(await listWhole(listed)).toHaveLength(3)
    expect(listed.asked).toHaveLength(4)
  })
})

describe('while somebody else deletes', () => {
  /** So many passes that each see one row less and its count one less again, and then one that sees the end of it. */
  const shrinking = (passes: number) =>
    Array.from({ length: passes + 1 }, (_, at) => ({
      pages: [rows(100 - at)],
      count: at === passes ? 100 - at : 99 - at,
    }))

  test('a listing pauses and goes on, longer each time, until it is whole', async () => {
    const listed = source(shrinking(9), undefined, 9)
    expect(await listWhole(listed)).toHaveLength(91)
    expect(listed.pauses).toEqual([5000, 10_000, 20_000])
  })

  test('it is refused after five minutes, or as soon as there is no time to wait', async () => {
    const patient = source(shrinking(100), undefined, 100)
    await expect(listWhole(patient)).rejects.toMatchObject({ code: 'listing-not-whole' })
    expect(patient.pauses).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 160_000])

    const hurried = source(shrinking(100), undefined, 1)
    await expect(listWhole(hurried)).rejects.toThrow('did not settle in 6 attempts')
  })
})

describe('a listing is refused', () => {
  test('when its rows never settle, at once where the package counts the same all the time', async () => {
    const passes = [1, 2, 3, 4, 5].map((count) => ({ pages: [rows(count)], count: 9 }))
    const listed = source(passes, undefined, 9)
    await expect(listWhole(listed)).rejects.toMatchObject({
      code: 'listing-not-whole',
      message: expect.stringContaining('the package counts 9') as unknown,
    })
    expect(listed.pauses).toEqual([])
  })

  test.each([
    ['a version comes twice', [rows(100), rows(3, 100)], 'came twice'],
    [
      'a page before the last is short',
      [rows(100), rows(60, 101), rows(3, 161)],
      'page 2 has 60 rows',
    ],
    ['a page that a link names is empty', [rows(100), []], 'page 2 is empty'],
  ])('when %s', async (_story, pages, words) => {
    const count = pages.flat().length
    await expect(listWhole(source([{ pages, count }]))).rejects.toThrow(words)
  })
})

describe('a second look at a listing', () => {
  const inPages = (all: ReturnType<typeof rows>) =>
    Array.from({ length: Math.ceil(all.length / 100) }, (_, at) =>
      all.slice(at * 100, at * 100 + 100),
    )

  /** A package that had so many rows as it is now; looks for the rows of these ids. */
  async function look(
    now: ReturnType<typeof rows>,
    wanted: number[],
    { had = 250, count = now.length, gone = [] as number[] } = {},
  ) {
    const known = await listWhole(source([{ pages: inPages(rows(had)), count: had }]))
    const still = known.filter(({ id }) => !gone.includes(id))
    const listed = source([{ pages: inPages(now), count }])
    const { versions, seen } = await listAgain(listed, still, new Set(wanted), new Set(gone))
    const asked = listed.asked.filter((what) => what !== 'count')
    const hasCounted = listed.asked.includes('count')
    return { asked, hasCounted, ids: versions.map(({ id }) => id), versions, seen }
  }
  const without = (...ids: number[]) => rows(250).filter(({ id }) => !ids.includes(id))

  test('reads the first page and those where the wanted rows must be', async () => {
    const retagged = row(240, { metadata: { container: { tags: ['latest'] } } })
    const now = rows(250).map((each) => (each.id === 240 ? retagged : each))
    const { asked, versions, seen } = await look(now, [230, 240])
    expect(asked).toEqual(['page 1', 'page 3'])
    expect(versions[239]?.tags).toEqual(['latest'])
    expect([seen.has(1), seen.has(150), seen.has(230)]).toEqual([true, false, true])
  })

  test('asks for the count only where it has not seen the last page', async () => {
    expect(await look(rows(250), [230])).toMatchObject({ hasCounted: false })
    expect(await look(rows(250), [150])).toMatchObject({ hasCounted: true })
    expect(await look(rows(200), [150], { had: 200 })).toMatchObject({ hasCounted: true })
    expect(await look(rows(99), [50], { had: 99 })).toMatchObject({ hasCounted: false })
  })

  test('notices by the last page what came back on a page that it does not read', async () => {
    const without150 = { had: 250, gone: [150] }
    const { asked, ids, hasCounted } = await look(rows(250), [230], without150)
    expect([asked, hasCounted]).toEqual([['page 1', 'page 3', 'page 2'], false])
    expect(ids).not.toContain(150)
  })

  test('finds newcomers, which move all others on', async () => {
    const { asked, ids, seen } = await look([row(901), row(900), ...rows(250)], [99])
    expect(asked).toEqual(['page 1', 'page 2'])
    expect(ids.slice(0, 3)).toEqual([901, 900, 1])
    expect(seen.has(901)).toBe(true)
  })

  test('reads on while a page has nothing but newcomers', async () => {
    const { asked, ids } = await look([...rows(150, 1001), ...rows(250)], [1])
    expect(asked).toEqual(['page 1', 'page 2'])
    expect(ids).toHaveLength(400)
  })

  test('follows rows that others moved on by deleting', async () => {
    const { asked, seen, ids } = await look(without(3, 150), [201, 230])
    expect(asked).toEqual(['page 1', 'page 3', 'page 2'])
    expect([seen.has(201), seen.has(230)]).toEqual([true, true])
    expect(ids).not.toContain(3)
    expect(ids).not.toContain(150)
  })

  test('overlooks rows that are gone and still shown', async () => {
    const { asked, ids } = await look(rows(250), [120], { gone: [240, 241], count: 248 })
    expect(asked).toEqual(['page 1', 'page 2'])
    expect(ids).toHaveLength(248)
  })

  test('reads a small package whole when its count tells of a row that was not seen', async () => {
    const restored = [...rows(149), row(900), ...rows(101, 150)]
    const { asked, ids } = await look(restored, [230])
    expect(asked).toEqual(['page 1', 'page 3', 'page 2'])
    expect(ids).toHaveLength(251)
    expect(ids).toContain(900)
  })

  test('does not read a large package whole for that', async () => {
    const restored = [...rows(549), row(900_000), ...rows(551, 550)]
    const { asked } = await look(restored, [230], { had: 1100 })
    expect(asked).toEqual(['page 1', 'page 3'])
  })

  test.each([
    ['a wanted row is gone', without(230), 'page 2'],
    ['rows changed places', [...rows(238), row(240), row(239), ...rows(10, 241)], 'page 2'],
  ])('is a whole listing when %s', async (_story, now, page) => {
    const { asked, ids, seen } = await look(now, [230])
    expect(asked).toContain(page)
    expect(ids).toEqual(now.map(({ id }) => id))
    expect(seen.has(230)).toBe(true)
  })

  test('does not go on for ever where every page is the same', async () => {
    const same = rows(100, 1001)
    const data = versionPage.parse(same)
    const listed = {
      page: () => Promise.resolve({ data, next: undefined, last: undefined }),
      firstAgain: () => Promise.resolve(data),
      count: () => Promise.resolve(101),
      afford: () => undefined,
      pause: () => Promise.resolve(false),
    }
    const known = await listWhole(source([{ pages: [rows(3)], count: 3 }]))
    await expect(listAgain(listed, known, new Set([1]), new Set())).rejects.toMatchObject({
      code: 'listing-not-whole',
    })
  })
})

describe('times', () => {
  test.each([
    ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1)],
    ['2026-01-01T01:00:00+01:00', Date.UTC(2026, 0, 1)],
    [null, undefined],
    ['', undefined],
    ['yesterday', undefined],
    ['1', undefined],
    ['2026-01-01', undefined],
    ['0001-01-01T00:00:00Z', undefined],
  ])('%j is read as %j', (created_at, expected) => {
    const [parsed] = versionPage.parse([row(1, { created_at })])
    expect(parsed?.created_at).toBe(expected)
  })
})

describe('links', () => {
  const base = 'https://api.github.com/organizations/1/packages/container/'
  test.each([
    [undefined, undefined, undefined],
    ['', undefined, undefined],
    [
      `<${base}a/versions?page=2&per_page=100>; rel="next", <${base}a/versions?page=7>; rel="last"`,
      2,
      7,
    ],
    [
      `<${base}next/versions?page=1>; rel="prev", <${base}last/versions?per_page=1&page=3>; rel=next`,
      3,
      undefined,
    ],
    [`<${base}a?page=2>; title="x"; rel="next"`, 2, undefined],
    [`<${base}a?page=12>;rel="next", <${base}a?page=345>;   REL=last`, 12, 345],
    [`<${base}a?page=1>; rel="first"`, undefined, undefined],
  ])('%j', (header, next, last) => {
    expect(readLinks(header)).toEqual({ next, last })
  })

  test.each(['<https://x/?after=abc>; rel="next"', '<https://x/?page=0>; rel="next"'])(
    'a next page without a number is no end: %s',
    (header) => {
      expect(() => readLinks(header)).toThrow('cannot be followed')
    },
  )
})
