import { describe, expect, test } from '@jest/globals'
import { image, multiArchImage, pushTree } from '../../src/emulator/images.js'
import { newYear, read, stage, tokens, type Row } from './emulator-kit.js'

const place = { account: 'acme', package: 'api' }
const api = '/orgs/acme/packages/container/api'
const day = 86_400_000

describe('listing versions', () => {
  test('newest push first; a new tag on an old digest moves nothing', async () => {
    const { store, api: ask } = await stage()
    const old = pushTree(store, { ...place, tree: image({ seed: 'a' }), at: newYear - 2 * day })
    const young = pushTree(store, { ...place, tree: image({ seed: 'b' }), tags: ['b'] })
    store.push({ ...place, manifest: image({ seed: 'a' }).body, tags: ['again'] })

    const rows = await read<Row[]>(ask(`${api}/versions`))

    expect(rows.map((row) => [row.id, row.metadata.container.tags])).toEqual([
      [young.id, ['b']],
      [old.id, ['again']],
    ])
    expect(rows[1]).toMatchObject({
      created_at: '2025-12-30T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
    })
  })

  test('a row has the fields and addresses that GitHub gives', async () => {
    const { store, api: ask, apiUrl } = await stage()
    const name = 'team/api'
    const { id, digest } = store.push({
      account: 'acme',
      package: name,
      manifest: image().body,
      tags: ['1.0'],
    })
    const rows = await read<Row[]>(ask('/orgs/acme/packages/container/team%2Fapi/versions'))
    expect(rows).toEqual([
      {
        id,
        name: digest,
        url: `${apiUrl}/orgs/acme/packages/container/team%2Fapi/versions/${id}`,
        package_html_url: `${apiUrl}/orgs/acme/packages/container/package/team%2Fapi`,
        html_url: `${apiUrl}/orgs/acme/packages/container/team%2Fapi/${id}`,
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        metadata: { package_type: 'container', container: { tags: ['1.0'] } },
      },
    ])
    expect((await ask('/orgs/acme/packages/container/team/api/versions')).status).toBe(404)
    expect((await ask('/orgs/acme/packages/container/team%2Fapi/versions/')).status).toBe(404)
  })

  test.each([
    ['page=1', 2, 'next=2 last=3'],
    ['page=2', 2, 'prev=1 next=3 last=3 first=1'],
    ['page=3', 1, 'prev=2 first=1'],
    ['page=9', 0, 'prev=3 last=3 first=1'],
  ])('%s of three pages has %i rows and links %s', async (page, count, links) => {
    const { store, api: ask, apiUrl } = await stage()
    for (const seed of 'abcde') pushTree(store, { ...place, tree: image({ seed }) })
    const response = await ask(`${api}/versions?per_page=2&${page}`)
    const header = response.headers.get('link') ?? ''
    const found = [...header.matchAll(/<([^>]*)\?per_page=2&page=(\d+)>; rel="(\w+)"/g)]
    expect(found.map(([, , number, rel]) => `${rel ?? ''}=${number ?? ''}`).join(' ')).toBe(links)
    expect(new Set(found.map(([, url]) => url))).toEqual(
      new Set([`${apiUrl}/organizations/77/packages/container/api/versions`]),
    )
    expect(await read<Row[]>(response)).toHaveLength(count)
  })

  test('links can be followed, for organizations and users, and there is none for one page', async () => {
    const { store, api: ask } = await stage()
    const users = { account: 'octo', package: 'tool' }
    for (const seed of 'abc') {
      pushTree(store, { ...place, tree: image({ seed }) })
      pushTree(store, { ...users, tree: image({ seed }) })
    }
    for (const start of [
      api,
      '/users/octo/packages/container/tool',
      '/user/packages/container/tool',
    ]) {
      const first = await ask(`${start}/versions?per_page=2`)
      const next = /<([^>]*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
      const second = await fetch(next, { headers: { authorization: `token ${tokens.all}` } })
      expect(await read<Row[]>(second)).toHaveLength(1)
      expect((await ask(`${start}/versions`)).headers.get('link')).toBeNull()
    }
  })

  test('per_page is 30 unless given and never above 100', async () => {
    const { store, api: ask } = await stage()
    for (let n = 0; n < 120; n++) {
      store.push({ ...place, manifest: image({ seed: String(n) }).body })
    }
    const lengthOf = async (query: string) =>
      (await read<Row[]>(ask(`${api}/versions?${query}`))).length
    expect(await lengthOf('')).toBe(30)
    expect(await lengthOf('per_page=500')).toBe(100)
    expect(await lengthOf('per_page=0')).toBe(30)
  })

  test('the same API answers under /api/v3, and its addresses stay there', async () => {
    const { store, api: ask, apiUrl } = await stage()
    pushTree(store, { ...place, tree: multiArchImage() })
    const response = await ask(`/api/v3${api}/versions?per_page=1`)
    expect(response.headers.get('link')).toContain(`<${apiUrl}/api/v3/organizations/77/`)
    const [row] = await read<{ url: string }[]>(response)
    expect(row?.url).toMatch(`${apiUrl}/api/v3/orgs/acme/`)
  })
})

describe('packages', () => {
  test('are listed with their counts, by visibility, for classic tokens', async () => {
    const { store, api: ask } = await stage()
    pushTree(store, { ...place, tree: multiArchImage() })
    store.addPackage({
      account: 'acme',
      package: 'open',
      visibility: 'public',
      repository: 'acme/open',
    })
    const list = await read<{ name: string; version_count: number }[]>(
      ask('/orgs/acme/packages?package_type=container'),
    )
    expect(list.map((one) => [one.name, one.version_count])).toEqual([
      ['api', 3],
      ['open', 0],
    ])
    const open = await read<unknown[]>(
      ask('/orgs/acme/packages?package_type=container&visibility=public'),
    )
    expect(open).toMatchObject([{ name: 'open', repository: { full_name: 'acme/open' } }])
    expect(await read(ask('/orgs/acme/packages?package_type=npm'))).toEqual([])
  })

  test('a page too far is refused', async () => {
    const { api: ask } = await stage()
    const response = await ask('/orgs/acme/packages?package_type=container&page=101&per_page=100')
    expect(response.status).toBe(400)
    expect(await read(response)).toMatchObject({
      message: 'The value of `per_page` multiplied by `page` cannot be greater than 10000.',
    })
  })

  test('go with all they hold, and come back', async () => {
    const { store, api: ask } = await stage()
    pushTree(store, { ...place, tree: multiArchImage(), tags: ['1'] })
    expect((await ask(api, { method: 'DELETE' })).status).toBe(204)
    expect((await ask(`${api}/versions`)).status).toBe(404)
    expect((await ask(`${api}/restore`, { method: 'POST' })).status).toBe(204)
    expect(await read<Row[]>(ask(`${api}/versions`))).toHaveLength(3)
  })

  test('cannot come back when the name is taken or 30 days are over', async () => {
    const { store, api: ask, clock } = await stage()
    pushTree(store, { ...place, tree: image(), tags: ['1'] })
    store.deletePackage('acme', 'api')
    pushTree(store, { ...place, tree: image(), tags: ['2'] })
    expect((await ask(`${api}/restore`, { method: 'POST' })).status).toBe(404)
    store.deletePackage('acme', 'api')
    clock.now += 31 * day
    expect((await ask(`${api}/restore`, { method: 'POST' })).status).toBe(404)
  })
})

describe('deleting and restoring versions', () => {
  test('a deleted version leaves the list and the registry, and is found among the deleted', async () => {
    const { store, api: ask, registry } = await stage()
    const { id } = pushTree(store, { ...place, tree: image({ seed: 'a' }), tags: ['a'] })
    pushTree(store, { ...place, tree: image({ seed: 'b' }), tags: ['b'] })

    expect((await ask(`${api}/versions/${id}`, { method: 'DELETE' })).status).toBe(204)

    expect(await read<Row[]>(ask(`${api}/versions`))).toHaveLength(1)
    expect((await ask(`${api}/versions/${id}`)).status).toBe(404)
    expect((await ask(`${api}/versions/${id}`, { method: 'DELETE' })).status).toBe(404)
    const accept = { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } }
    expect((await registry('/v2/acme/api/manifests/a', accept)).status).toBe(404)
    expect(await read<Row[]>(ask(`${api}/versions?state=deleted`))).toMatchObject([
      { id, deleted_at: '2026-01-01T00:00:00Z' },
    ])

    expect((await ask(`${api}/versions/${id}/restore`, { method: 'POST' })).status).toBe(204)
    expect((await registry('/v2/acme/api/manifests/a', accept)).status).toBe(200)
  })

  test('restore ends after 30 days', async () => {
    const { store, api: ask, clock } = await stage()
    const { id } = pushTree(store, { ...place, tree: image() })
    store.deleteVersion('acme', 'api', id)
    clock.now += 30 * day + 1
    expect((await ask(`${api}/versions/${id}/restore`, { method: 'POST' })).status).toBe(404)
    expect(await read<Row[]>(ask(`${api}/versions?state=deleted`))).toEqual([])
  })

  test('deleting an index leaves its children', async () => {
    const { store, api: ask } = await stage()
    const { id } = pushTree(store, { ...place, tree: multiArchImage(), tags: ['1'] })
    pushTree(store, { ...place, tree: image({ seed: 'other' }), tags: ['2'] })
    await ask(`${api}/versions/${id}`, { method: 'DELETE' })
    expect(store.versions('acme', 'api')).toHaveLength(3)
  })

  test('the last tagged version stays, untagged ones may all go', async () => {
    const { store, api: ask } = await stage()
    const tagged = pushTree(store, { ...place, tree: image({ seed: 'a' }), tags: ['a'] })
    const untagged = pushTree(store, { ...place, tree: image({ seed: 'b' }) })
    expect((await ask(`${api}/versions/${tagged.id}`, { method: 'DELETE' })).status).toBe(400)
    expect((await ask(`${api}/versions/${untagged.id}`, { method: 'DELETE' })).status).toBe(204)
    store.setTags('acme', 'api', tagged.id, [])
    expect((await ask(`${api}/versions/${tagged.id}`, { method: 'DELETE' })).status).toBe(204)
  })

  test('more than 5,000 downloads protect a public version, and no private one', async () => {
    const { store, api: ask } = await stage()
    const { id } = pushTree(store, { ...place, tree: image() })
    const deletion = async () => (await ask(`${api}/versions/${id}`, { method: 'DELETE' })).status
    store.addPackage({ ...place, visibility: 'public' })
    store.setDownloads('acme', 'api', id, 5001)
    expect(await deletion()).toBe(400)
    expect((await ask(api, { method: 'DELETE' })).status).toBe(400)
    store.addPackage({ ...place, visibility: 'private' })
    expect(await deletion()).toBe(204)
  })
})

describe('accounts', () => {
  test.each([
    ['/users/acme', 'Organization', 77],
    ['/users/OCTO', 'User', 88],
    ['/orgs/acme', 'Organization', 77],
    ['/user', 'User', 88],
  ])('%s is a %s', async (path, type, id) => {
    const { api: ask } = await stage()
    expect(await read(ask(path))).toMatchObject({ type, id })
  })

  test('are not found under the other kind of path', async () => {
    const { store, api: ask } = await stage()
    pushTree(store, { ...place, tree: image() })
    expect((await ask('/users/acme/packages/container/api/versions')).status).toBe(404)
    expect((await ask('/orgs/octo')).status).toBe(404)
    expect((await ask('/users/nobody')).status).toBe(404)
  })
})

test('a conditional GET of an unchanged list is 304 and free', async () => {
  const { store, api: ask } = await stage()
  pushTree(store, { ...place, tree: image() })
  const first = await ask(`${api}/versions`)
  const etag = first.headers.get('etag') ?? ''
  const second = await ask(`${api}/versions`, { headers: { 'if-none-match': etag } })
  expect([second.status, second.headers.get('x-ratelimit-used')]).toEqual([304, '1'])
  pushTree(store, { ...place, tree: image({ seed: 'more' }) })
  const third = await ask(`${api}/versions`, { headers: { 'if-none-match': etag } })
  expect([third.status, third.headers.get('x-ratelimit-used')]).toEqual([200, '2'])
})

test('sixty thousand versions are filled, listed and deleted in little time', async () => {
  const { store, api: ask } = await stage({ limits: false })
  const started = performance.now()
  const ids: number[] = []
  for (let n = 0; n < 60_000; n++) {
    const manifest = `{"schemaVersion":2,"config":{"digest":"x","mediaType":"x","size":${n}},"layers":[]}`
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    ids.push(store.push({ ...place, manifest, mediaType, at: newYear + (n % 1000) }).id)
  }
  const seen = new Set<number>()
  for (let page = 1; page <= 600; page++) {
    const rows = await read<Row[]>(ask(`${api}/versions?per_page=100&page=${page}`))
    for (const row of rows) seen.add(row.id)
  }
  for (const id of ids.slice(0, 10_000)) store.deleteVersion('acme', 'api', id)
  expect([seen.size, store.versions('acme', 'api').length]).toEqual([60_000, 50_000])
  // Seconds on a slow machine; anything quadratic takes minutes.
  expect(performance.now() - started).toBeLessThan(30_000)
}, 60_000)
