import { describe, expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator, FaultAction } from '../../src/emulator/index.js'
import {
  broken,
  day,
  deletesAsked,
  digestsOf,
  digestsStaying,
  hurried,
  veryHurried,
  listed,
  liveAndDry,
  push,
  registry,
  runAction,
  tagsLeft,
  type ActionRun,
} from './kit.js'

const pageTwo = /packages\/container\/app\/versions\?.*\bpage=2\b/
const thePackage = /packages\/container\/app$/

/**
 * 100 old images with the tags pr-1 to pr-100, which are page one, and on page two a release: an index, older than
 * them all, with its children. An index that slips through the listing leaves children that look like untagged images.
 */
async function twoPages(pages = 2) {
  const emulator = await registry()
  for (let i = 1; i <= 100 * (pages - 1); i++) {
    push(emulator, image({ seed: `pr-${i}` }), { tags: [`pr-${i}`], daysAgo: 40 })
  }
  const release = push(emulator, multiArchImage({ seed: 'release' }), { tags: ['v1'], daysAgo: 50 })
  emulator.store.setTimestamps('acme', 'app', 'v1', {
    createdAt: emulator.store.now() - 45 * day,
  })
  return { emulator, release }
}

/** The tags of every version that the plan decides about, sorted. */
function decided({ plan }: ActionRun): string[] {
  return plan.packages.flatMap(({ versions }) => versions.map(({ tags }) => tags.join())).sort()
}

function listRequests(emulator: Emulator, page: number): number {
  const pattern = new RegExp(`versions\\?.*\\bpage=${page}\\b`)
  return emulator.requests.filter(({ path }) => pattern.test(path)).length
}

describe.each(liveAndDry)('%s', (_way, way) => {
  const inputs = { 'image-tags': 'pr-*', ...way }

  test('a row that leaves page one while page two is fetched takes no index out of the listing', async () => {
    const { emulator, release } = await twoPages()
    emulator.faults.add({
      path: pageTwo,
      action: {
        run: (store) => {
          store.deleteVersion('acme', 'app', 'pr-50')
        },
      },
    })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set(digestsOf(release)))
    expect(listed(run.outputs.planned)).toHaveLength(99)
    expect(listRequests(emulator, 2)).toBe(2)
    expect(await broken(emulator)).toEqual([])
  })

  test('a push between two pages is noticed, and the listing starts anew', async () => {
    const { emulator, release } = await twoPages()
    const fresh = multiArchImage({ seed: 'fresh' })
    emulator.faults.add({
      path: pageTwo,
      action: {
        run: () => {
          push(emulator, fresh, { tags: ['pr-new'], daysAgo: 0 })
        },
      },
    })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set([release, fresh].flatMap(digestsOf)))
    expect(listRequests(emulator, 2)).toBe(2)
  })

  test('a row that leaves page two while page three is fetched takes no index out either', async () => {
    const { emulator, release } = await twoPages(3)
    emulator.faults.add({
      path: /versions\?.*\bpage=3\b/,
      action: {
        run: (store) => {
          store.deleteVersion('acme', 'app', 'pr-50')
        },
      },
    })

    const run = await runAction(emulator, { ...inputs, 'cut-off': '41d' })

    expect(run.exitCode).toBe(0)
    const images = Array.from({ length: 200 }, (_, i) => `pr-${i + 1}`)
    expect(decided(run)).toEqual(
      [...images.filter((tag) => tag !== 'pr-50'), 'v1', ...release.children.map(() => '')].sort(),
    )
    expect(listRequests(emulator, 1)).toBe(4)
  })

  test('a push and a delete at once, which leave the count as it was', async () => {
    const { emulator, release } = await twoPages()
    const fresh = image({ seed: 'fresh' })
    emulator.faults.add({
      path: pageTwo,
      action: {
        run: (store) => {
          store.deleteVersion('acme', 'app', 'pr-50')
          push(emulator, fresh, { tags: ['pr-new'], daysAgo: 0 })
        },
      },
    })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set([...digestsOf(release), fresh.digest]))
    expect(listRequests(emulator, 2)).toBe(2)
  })

  test('a listing that never settles is refused', async () => {
    const { emulator } = await twoPages()
    let pushed = 0
    emulator.faults.add({
      path: pageTwo,
      times: Infinity,
      action: {
        run: () => {
          pushed += 1
          push(emulator, image({ seed: `fresh ${pushed}` }), { daysAgo: 0 })
        },
      },
    })

    const run = await runAction(emulator, inputs, veryHurried)

    expect(run.exitCode).toBe(1)
    expect(run.outputs).toMatchObject({ 'skipped-packages': 'app', 'deleted-count': '0' })
    expect(run.log).toMatch(
      /::error::acme\/app: left alone.*the listing of versions did not settle.*page 1 changed/,
    )
    expect(deletesAsked(emulator)).toBe(0)
  })

  test.each<FaultAction>([
    { status: 500 },
    { status: 502 },
    { status: 401 },
    { status: 429 },
    'reset',
    'truncate',
    'hang',
  ])('%j on page two, once', async (action) => {
    const { emulator, release } = await twoPages()
    emulator.faults.add({ path: pageTwo, action })

    const run = await runAction(emulator, inputs, hurried)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set(digestsOf(release)))
    expect(emulator.requests.filter(({ faults }) => faults.length > 0)).toHaveLength(1)
  })

  test.each([404, 422])('an error page (%i) is no end of the listing', async (status) => {
    const { emulator } = await twoPages()
    emulator.faults.add({ path: pageTwo, times: Infinity, action: { status } })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(1)
    expect(run.log).toMatch(new RegExp(`::error::acme/app: left alone.* ${status} `))
    expect(deletesAsked(emulator)).toBe(0)
  })

  test.each(['{"message":"fine"}', '[{"id":1}]', '<html>'])(
    'a page that is %s is no list of versions',
    async (body) => {
      const { emulator } = await twoPages()
      emulator.faults.add({ path: pageTwo, times: Infinity, action: { body } })

      const run = await runAction(emulator, inputs)

      expect(run.exitCode).toBe(1)
      expect(run.log).toMatch(/::error::acme\/app: left alone.*a shape that is not GitHub's/)
      expect(deletesAsked(emulator)).toBe(0)
    },
  )

  test('a page that is empty once', async () => {
    const { emulator, release } = await twoPages()
    emulator.faults.add({ path: pageTwo, action: { body: '[]' } })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set(digestsOf(release)))
  })

  test.each([2, 3])('page two of %i that is always empty is not believed', async (pages) => {
    const { emulator } = await twoPages(pages)
    emulator.faults.add({ path: pageTwo, times: Infinity, action: { body: '[]' } })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(1)
    expect(run.outputs['skipped-packages']).toBe('app')
    expect(deletesAsked(emulator)).toBe(0)
  })

  test('a count that lags behind: two listings that agree win', async () => {
    const { emulator, release } = await twoPages()
    emulator.faults.add({
      path: thePackage,
      times: Infinity,
      action: { body: (text) => text.replace(/"version_count":\d+/, '"version_count":99') },
    })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run)).toEqual(new Set(digestsOf(release)))
    expect(listRequests(emulator, 2)).toBe(2)
  })

  test('a count that differs from listings that differ too', async () => {
    const emulator = await registry()
    push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
    push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
    let hidden = 0
    emulator.faults.add({
      path: /versions\?/,
      times: Infinity,
      action: {
        body: (text) => {
          hidden += 1
          const rows = JSON.parse(text) as unknown[]
          return JSON.stringify(rows.slice(hidden % 2, 1 + (hidden % 2)))
        },
      },
    })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(1)
    expect(run.log).toContain('it has 1 versions, and the package counts 2')
    expect(tagsLeft(emulator)).toEqual(['pr-1', 'v1'])
  })

  test('a digest that is listed twice is ambiguous', async () => {
    const emulator = await registry()
    push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
    push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
    emulator.faults.add({
      path: /versions\?/,
      times: Infinity,
      action: {
        body: (text) =>
          text.replace(/("name":"sha256:[0-9a-f]+)(.*)"name":"sha256:[0-9a-f]+/s, '$1$2$1'),
      },
    })

    const run = await runAction(emulator, inputs)

    expect(run.exitCode).toBe(1)
    expect(run.log).toContain('the listing names one digest in two versions')
    expect(deletesAsked(emulator)).toBe(0)
  })
})
