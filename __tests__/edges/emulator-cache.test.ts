import { describe, expect, test } from '@jest/globals'
import { read, stage, type Stage } from './emulator-kit.js'

interface Reply {
  ok: boolean
  signed_upload_url: string
  signed_download_url: string
  matched_key: string
  code: string
}

const call = ({ cacheUrl }: Stage, name: string, body: object, token = 'emulator_runtime') =>
  fetch(`${cacheUrl}/twirp/github.actions.results.api.v1.CacheService/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })

const reply = (scene: Stage, name: string, body: object) => read<Reply>(call(scene, name, body))

const version = 'v'

async function reserve(scene: Stage, key: string): Promise<string> {
  return (await reply(scene, 'CreateCacheEntry', { key, version })).signed_upload_url
}

async function put(address: string, body: string, query = ''): Promise<number> {
  const headers = { 'x-ms-blob-type': 'BlockBlob' }
  return (await fetch(address + query, { method: 'PUT', headers, body })).status
}

async function save(scene: Stage, key: string, content: string): Promise<Reply> {
  await put(await reserve(scene, key), content)
  const size_bytes = String(content.length)
  return reply(scene, 'FinalizeCacheEntryUpload', { key, version, size_bytes })
}

const find = (scene: Stage, key: string, restore_keys: string[] = [], of = version) =>
  reply(scene, 'GetCacheEntryDownloadURL', { key, restore_keys, version: of })

describe('entries', () => {
  test('are found by their whole key, or by the beginning of one, the newest first', async () => {
    const scene = await stage()
    for (const key of ['a-1', 'a-2', 'b-1']) await save(scene, key, `content of ${key}`)

    expect(await find(scene, 'a-1', ['a-'])).toMatchObject({ ok: true, matched_key: 'a-1' })
    const { matched_key, signed_download_url } = await find(scene, 'a-9', ['x-', 'a-'])
    expect(matched_key).toBe('a-2')
    expect(await (await fetch(signed_download_url)).text()).toBe('content of a-2')
  })

  test('of another version, or not finished, are not found', async () => {
    const scene = await stage()
    await save(scene, 'a', 'content')
    await reserve(scene, 'b')
    expect(await find(scene, 'a', [], 'another')).toEqual({ ok: false })
    expect(await find(scene, 'b')).toEqual({ ok: false })
  })

  test('never change, and block their key even when they are never finished', async () => {
    const scene = await stage()
    await save(scene, 'a', 'content')
    await reserve(scene, 'b')
    for (const key of ['a', 'b']) {
      const refused = await call(scene, 'CreateCacheEntry', { key, version })
      expect([refused.status, (await read<Reply>(refused)).code]).toEqual([409, 'already_exists'])
    }
  })

  test('need an upload of the size that is told', async () => {
    const scene = await stage()
    await put(await reserve(scene, 'a'), 'content')
    const told = { key: 'a', version, size_bytes: '8' }
    expect((await call(scene, 'FinalizeCacheEntryUpload', told)).status).toBe(400)
    expect(scene.cache.entries).toEqual([])
  })

  test('cannot be saved by a token that may only read', async () => {
    const scene = await stage()
    scene.cache.readOnly = true
    const refused = await call(scene, 'CreateCacheEntry', { key: 'a', version })
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('cache write denied:')
  })

  test('are nothing to whoever has no token', async () => {
    expect((await call(await stage(), 'GetCacheEntryDownloadURL', {}, '')).status).toBe(401)
  })
})

describe('the storage', () => {
  test('takes a blob in blocks, in the order of their list', async () => {
    const scene = await stage()
    const address = await reserve(scene, 'a')
    expect(await put(address, 'world', '&comp=block&blockid=Mg==')).toBe(201)
    expect(await put(address, 'hello ', '&comp=block&blockid=MQ==')).toBe(201)
    const list = '<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>'
    expect(await put(address, list, '&comp=blocklist')).toBe(201)
    await reply(scene, 'FinalizeCacheEntryUpload', { key: 'a', version, size_bytes: '11' })

    const [entry] = scene.cache.entries
    expect(entry && Buffer.from(scene.cache.contentOf(entry)).toString()).toBe('hello world')
  })

  test('gives a blob whole, its length alone, or a stretch of it', async () => {
    const scene = await stage()
    await save(scene, 'a', 'hello world')
    const { signed_download_url: address } = await find(scene, 'a')
    const head = await fetch(address, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe('11')
    const part = await fetch(address, { headers: { range: 'bytes=6-99' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 6-10/11'])
    expect(await part.text()).toBe('world')
  })

  test('wants a signed address, for this blob and this use, that has not run out', async () => {
    const scene = await stage()
    const upload = await reserve(scene, 'a')
    await save(scene, 'b', 'content')
    const { signed_download_url: download } = await find(scene, 'b')
    expect(await put(download, 'other')).toBe(403)
    expect((await fetch(upload)).status).toBe(403)
    expect((await fetch(download.replace(/sig=.*/, ''))).status).toBe(403)
    scene.clock.now += 11 * 60_000
    expect((await fetch(download)).status).toBe(403)
  })
})

test('faults strike the cache like the other services, and its signatures stay out of the log', async () => {
  const scene = await stage()
  scene.faults.add({ service: 'cache', action: { status: 503 } })
  const refused = await call(scene, 'CreateCacheEntry', { key: 'a', version })
  expect([refused.status, await read<Reply>(refused)]).toEqual([
    503,
    { code: 'internal', msg: 'Server Error' },
  ])
  await save(scene, 'a', 'content')
  expect(scene.requests.map(({ service }) => service)).toEqual(Array(4).fill('cache'))
  expect(scene.requests[2]?.path).toMatch(/&sig=\*\*\*$/)
})
