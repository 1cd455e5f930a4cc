import { describe, expect, test } from '@jest/globals'
import type { EmulatorOptions } from '../../src/emulator/index.js'
import { digestOf, image, mediaTypes, multiArchImage, pushTree } from '../../src/emulator/images.js'
import { errorOf, read, stage, tokens, type Row, type Stage } from './emulator-kit.js'

const place = { account: 'acme', package: 'team/api' }
const repository = '/v2/acme/team/api'
const manifestPath = `${repository}/manifests/latest`
const accept = { accept: `${mediaTypes.index}, ${mediaTypes.image}` }
const whole = multiArchImage()

async function prepared(options: EmulatorOptions = {}): Promise<Stage> {
  const scene = await stage(options)
  pushTree(scene.store, { ...place, tree: whole, tags: ['1.0', 'latest'] })
  return scene
}

describe('reading manifests', () => {
  test.each(['latest', '1.0', whole.digest])('by %s', async (reference) => {
    const { registry } = await prepared()
    const path = `${repository}/manifests/${reference}`
    const got = await registry(path, { headers: accept })
    expect(await got.text()).toBe(whole.body)
    const headers = {
      'content-type': mediaTypes.index,
      'content-length': String(whole.body.length),
      'docker-content-digest': whole.digest,
      etag: `"${whole.digest}"`,
      vary: 'Accept-Encoding',
    }
    const head = await registry(path, { method: 'HEAD', headers: accept })
    for (const response of [got, head]) {
      expect(Object.fromEntries(response.headers)).toMatchObject(headers)
    }
    expect(await head.text()).toBe('')
  })

  test.each([
    [whole, '*/*', 'OCI index found, but Accept header does not support OCI indexes'],
    [whole, mediaTypes.image, 'OCI index found, but Accept header does not support OCI indexes'],
    [
      image(),
      mediaTypes.index,
      'OCI manifest found, but Accept header does not support OCI manifests',
    ],
  ])('an OCI type that is not accepted is not found', async (tree, accepted, message) => {
    const { store, registry } = await prepared()
    pushTree(store, { ...place, tree, tags: ['it'] })
    const response = await registry(`${repository}/manifests/it`, { headers: { accept: accepted } })
    expect(await errorOf(response)).toEqual([404, 'MANIFEST_UNKNOWN', message])
  })

  test("Docker's types come whatever is accepted", async () => {
    const { store, registry } = await prepared()
    pushTree(store, { ...place, tree: multiArchImage({ docker: true }), tags: ['docker'] })
    const response = await registry(`${repository}/manifests/docker`)
    expect(response.headers.get('content-type')).toBe(mediaTypes.dockerList)
  })

  test('a lost manifest is unknown though its version is listed', async () => {
    const { store, registry, api } = await prepared()
    store.dropManifest('acme', 'team/api', 'latest')
    const response = await registry(manifestPath, { headers: accept })
    expect(await errorOf(response)).toEqual([404, 'MANIFEST_UNKNOWN', 'manifest unknown'])
    const rows = await read<Row[]>(api('/orgs/acme/packages/container/team%2Fapi/versions'))
    expect(rows.map((row) => row.name)).toContain(whole.digest)
  })

  test('a damaged manifest is served under its old digest', async () => {
    const { store, registry } = await prepared()
    store.corruptManifest('acme', 'team/api', 'latest', '{}')
    const response = await registry(manifestPath, { headers: accept })
    expect(response.headers.get('docker-content-digest')).toBe(whole.digest)
    expect(await response.text()).toBe('{}')
  })

  test('only GET counts as a download', async () => {
    const { store, registry } = await prepared()
    await registry(manifestPath, { method: 'HEAD', headers: accept })
    await registry(manifestPath, { headers: accept })
    expect(store.version('acme', 'team/api', 'latest')?.downloads).toBe(1)
  })
})

describe('pushing manifests', () => {
  /** Sent as bytes, because fetch would give a string a Content-Type. */
  const put = (scene: Stage, reference: string, body: string, token: string = tokens.all) =>
    scene.registry(`/v2/acme/fresh/manifests/${reference}`, {
      method: 'PUT',
      body: Buffer.from(body),
      token,
    })

  test('makes package and version; a second tag makes no second version', async () => {
    const scene = await stage()
    const { body, digest } = image()
    const first = await put(scene, 'one', body)
    expect([first.status, first.headers.get('docker-content-digest')]).toEqual([201, digest])
    expect(first.headers.get('location')).toBe(`/v2/acme/fresh/manifests/${digest}`)
    expect(first.headers.has('oci-subject')).toBe(false)
    scene.clock.now += 60_000
    await put(scene, 'two', body)
    const rows = await read<Row[]>(scene.api('/orgs/acme/packages/container/fresh/versions'))
    expect(rows).toMatchObject([
      {
        name: digest,
        metadata: { container: { tags: ['one', 'two'] } },
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:01:00Z',
      },
    ])
  })

  test('a tag moves and leaves the old version untagged', async () => {
    const scene = await stage()
    await put(scene, 'it', image({ seed: 'a' }).body)
    await put(scene, 'it', image({ seed: 'b' }).body)
    expect(scene.store.versions('acme', 'fresh').map((row) => row.tags)).toEqual([['it'], []])
  })

  test('by digest makes an untagged version', async () => {
    const scene = await stage()
    const { body, digest } = image()
    expect((await put(scene, digest, body)).status).toBe(201)
    expect(scene.store.versions('acme', 'fresh').map((row) => row.tags)).toEqual([[]])
  })

  const descriptor = { mediaType: 'a/b', digest: digestOf(''), size: 0 }
  const imageOf = (more: object) =>
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.image, ...more })
  test.each([
    ['no JSON', 'it', '{', 400, 'MANIFEST_INVALID'],
    ['no object', 'it', '[]', 400, 'MANIFEST_INVALID'],
    ['null', 'it', 'null', 400, 'MANIFEST_INVALID'],
    ['nothing', 'it', '', 400, 'MANIFEST_INVALID'],
    ['no media type', 'it', '{"schemaVersion":2}', 400, 'MANIFEST_INVALID'],
    ['an odd media type', 'it', '{"schemaVersion":2,"mediaType":7}', 400, 'MANIFEST_INVALID'],
    ['no config', 'it', imageOf({ layers: [] }), 400, 'MANIFEST_INVALID'],
    ['odd layers', 'it', imageOf({ config: descriptor, layers: {} }), 400, 'MANIFEST_INVALID'],
    ['an odd layer', 'it', imageOf({ config: descriptor, layers: [7] }), 400, 'MANIFEST_INVALID'],
    ['schema 3', 'it', imageOf({ schemaVersion: 3 }), 400, 'MANIFEST_INVALID'],
    ['an odd tag', '-it', image().body, 400, 'MANIFEST_INVALID'],
    ['another digest', digestOf('other'), image().body, 400, 'DIGEST_INVALID'],
    ['an odd digest', 'sha256:7', image().body, 400, 'DIGEST_INVALID'],
    ['too much', 'it', 'x'.repeat(4 * 1024 * 1024 + 1), 413, 'MANIFEST_INVALID'],
    ['no layers', 'it', imageOf({ config: descriptor, layers: [] }), 201, undefined],
    [
      'an artifact manifest',
      'it',
      JSON.stringify({ mediaType: mediaTypes.artifact, blobs: [descriptor] }),
      201,
      undefined,
    ],
    [
      'schema 1',
      'it',
      JSON.stringify({ schemaVersion: 1, mediaType: mediaTypes.schema1 }),
      201,
      undefined,
    ],
    ['an odd descriptor', 'it', imageOf({ config: {}, layers: [] }), 400, 'MANIFEST_INVALID'],
    [
      'no children',
      'it',
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }),
      201,
      undefined,
    ],
  ])('%s', async (_, reference, body, status, code) => {
    const scene = await stage()
    const response = await put(scene, reference, body)
    expect(response.status).toBe(status)
    if (code !== undefined) expect((await errorOf(response))[1]).toBe(code)
  })

  test('a media type in the header has to agree with the one inside', async () => {
    const { registry } = await stage()
    const response = await registry('/v2/acme/fresh/manifests/it', {
      method: 'PUT',
      body: image().body,
      headers: { 'content-type': mediaTypes.index },
    })
    expect((await errorOf(response))[1]).toBe('MANIFEST_INVALID')
  })

  test.each([
    [tokens.reader, 'permission_denied: write_package'],
    [tokens.readOnlyWorkflow, 'installation not allowed to Create organization package'],
    [tokens.roleless, 'installation not allowed to Create organization package'],
  ])('%s may not', async (token, message) => {
    const response = await put(await stage(), 'it', image().body, token)
    expect(await errorOf(response)).toEqual([403, 'DENIED', message])
  })

  test('what was just pushed may take its time to appear', async () => {
    const scene = await stage({ readAfterWriteLag: 2000 })
    await put(scene, 'it', image().body)
    const ask = () => scene.registry('/v2/acme/fresh/manifests/it', { headers: accept })
    expect((await ask()).status).toBe(404)
    scene.clock.now += 2000
    expect((await ask()).status).toBe(200)
  })

  test('references are looked at when asked for', async () => {
    const scene = await stage({ checkReferences: true })
    expect((await errorOf(await put(scene, 'it', image().body)))[1]).toBe('MANIFEST_BLOB_UNKNOWN')
    expect((await errorOf(await put(scene, 'it', whole.body)))[1]).toBe('MANIFEST_UNKNOWN')
    pushTree(scene.store, { account: 'acme', package: 'fresh', tree: image() })
    expect((await put(scene, 'it', image().body)).status).toBe(201)
  })
})

describe('blobs', () => {
  const content = 'some bytes'
  const digest = digestOf(content)
  const start = `${repository}/blobs/uploads/`

  test('are read by redirect to an address that needs no token and runs out', async () => {
    const { store, registry, registryUrl, clock } = await prepared()
    store.addBlob('acme', 'team/api', content)
    const response = await registry(`${repository}/blobs/${digest}`, { redirect: 'manual' })
    const location = response.headers.get('location') ?? ''
    expect([response.status, location.startsWith(`${registryUrl}/_blob-storage/`)]).toEqual([
      307,
      true,
    ])
    expect(await (await fetch(location)).text()).toBe(content)
    expect((await fetch(location, { method: 'HEAD' })).status).toBe(403)
    expect((await fetch(`${location}0`)).status).toBe(403)
    clock.now += 5 * 60_000
    expect((await fetch(location)).status).toBe(403)
  })

  test('HEAD tells their size, and only in packages that have them', async () => {
    const { store, registry } = await prepared()
    store.addBlob('acme', 'team/api', content)
    const head = await registry(`${repository}/blobs/${digest}`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10'])
    const elsewhere = await registry(`/v2/acme/other/blobs/${digest}`, { method: 'HEAD' })
    expect(elsewhere.status).toBe(404)
  })

  test('are uploaded in pieces', async () => {
    const { registry, store } = await prepared()
    const opened = await registry(start, { method: 'POST' })
    const location = opened.headers.get('location') ?? ''
    expect(opened.status).toBe(202)
    const piece = (body: string, range: string) =>
      registry(location, { method: 'PATCH', body, headers: { 'content-range': range } })
    expect((await piece('some ', '0-4')).headers.get('range')).toBe('0-4')
    expect((await piece('bytes', '7-11')).status).toBe(416)
    expect((await registry(location)).status).toBe(204)
    expect((await piece('bytes', '5-9')).status).toBe(202)
    const done = await registry(`${location}?digest=${digest}`, { method: 'PUT' })
    expect([done.status, done.headers.get('docker-content-digest')]).toEqual([201, digest])
    expect(Buffer.from(store.blob(digest) ?? []).toString()).toBe(content)
    expect((await registry(location, { method: 'DELETE' })).status).toBe(405)
  })

  test('are uploaded whole, checked, and mounted', async () => {
    const { registry } = await prepared()
    const post = (query: string, body?: string) =>
      registry(`${start}?${query}`, { method: 'POST', ...(body === undefined ? {} : { body }) })
    expect((await post(`digest=${digest}`, 'other bytes')).status).toBe(400)
    expect((await post(`digest=${digest}`, content)).status).toBe(201)
    const mounts = '/v2/acme/other/blobs/uploads/'
    const mount = (from: string) =>
      registry(`${mounts}?mount=${digest}&from=${from}`, { method: 'POST' })
    expect((await mount('acme/none')).status).toBe(202)
    expect((await mount('acme/team/api')).status).toBe(201)
    expect((await registry(`/v2/acme/other/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200)
  })
})

describe('tags', () => {
  const list = `${repository}/tags/list`

  test('come in order, a hundred at a time, or as many as asked', async () => {
    const { store, registry, registryUrl } = await stage()
    const names = Array.from({ length: 150 }, (_, n) => `v${String(n).padStart(3, '0')}`)
    store.push({ ...place, manifest: image().body, tags: names.toReversed() })
    const first = await registry(list)
    expect(await read(first)).toEqual({ name: 'acme/team/api', tags: names.slice(0, 100) })
    const next = /^<([^>]*)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
    expect(new URL(next, registryUrl).searchParams.get('last')).toBe('v099')
    const second = await registry(next)
    expect(await read(second)).toMatchObject({ tags: names.slice(100) })
    expect(second.headers.has('link')).toBe(false)
    expect(await read(registry(`${list}?n=10000`))).toMatchObject({ tags: names })
    expect(await read(registry(`${list}?n=2&last=v003`))).toMatchObject({ tags: ['v004', 'v005'] })
  })

  test('of a package that is not there are unknown', async () => {
    const { registry } = await stage()
    expect((await errorOf(await registry('/v2/acme/none/tags/list')))[1]).toBe('NAME_UNKNOWN')
  })
})

describe('what GHCR does not do', () => {
  test.each([manifestPath, `${repository}/blobs/${digestOf('')}`])('DELETE %s', async (path) => {
    const { registry } = await prepared()
    const response = await registry(path, { method: 'DELETE' })
    const words = 'The operation is unsupported.'
    expect(await errorOf(response)).toEqual([405, 'UNSUPPORTED', words])
  })

  test('referrers lead to a page that is not there, and take no token along', async () => {
    const { registry, apiUrl, requests } = await prepared()
    const path = `${repository}/referrers/${whole.digest}`
    const response = await registry(path, { redirect: 'manual' })
    expect(response.status).toBe(303)
    const name = `acme%2Fteam%2Fapi%2Freferrers%2F${encodeURIComponent(whole.digest)}`
    expect(response.headers.get('location')).toBe(
      `${apiUrl}/-/v2/packages/container/package/${name}`,
    )
    const followed = await registry(path)
    expect([followed.status, followed.headers.get('content-type')]).toEqual([
      404,
      'text/html; charset=utf-8',
    ])
    expect(requests.at(-1)).toMatchObject({ service: 'api', authorization: undefined })
  })

  test.each([
    ['/v2/Acme/api/manifests/1', 400],
    ['/v2/acme/manifests/1', 400],
    ['/v2/acme/api/elsewhere', 404],
    ['/elsewhere', 404],
    ['/v2/', 200],
  ])('%s is %i', async (path, status) => {
    const { registry } = await prepared()
    expect((await registry(path)).status).toBe(status)
  })
})
