import { describe, expect, test } from '@jest/globals'
import { fetch, Response } from 'undici'
import { image, index, multiArchImage, pushTree, type Tree } from '../../src/emulator/images.js'
import { RegistryClient } from '../../src/registry.js'
import type { Digest } from '../../src/model.js'
import { testClock } from './clock.js'
import { newYear, stage, tokens } from './emulator-kit.js'

/** A registry with one release in `acme/team/api`, and a client for it whose time passes only in sleep. */
async function registryWithRelease(token = tokens.all) {
  const emulator = await stage({ limits: false })
  const clock = testClock(newYear)
  const release = multiArchImage({ attestations: true })
  pushTree(emulator.store, { account: 'acme', package: 'team/api', tree: release, tags: ['v1'] })
  const client = new RegistryClient('Acme/Team/API', {
    registryUrl: emulator.registryUrl,
    token,
    fetch,
    clock,
    random: () => 0.5,
    slowDown: () => undefined,
    hasTimeFor: () => true,
  })
  const manifests = () =>
    emulator.requests.filter(({ method, path }) => method === 'GET' && path.includes('/manifests/'))
  return { emulator, clock, client, manifests, digest: release.digest as Digest, release }
}

test('reads a manifest with the token of the registry, and asks for one token only', async () => {
  const { client, digest, emulator, release } = await registryWithRelease()
  const read = await client.readManifest(digest)
  expect(read).toMatchObject({ kind: 'index', mediaType: release.mediaType })
  expect(read.children.map((child) => child.digest)).toEqual(release.children.map((c) => c.digest))
  await Promise.all(read.children.map((child) => client.readManifest(child.digest)))
  expect(emulator.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1)
})

test('a token that has run out is renewed once for all reads that wait', async () => {
  const { client, digest, emulator, release } = await registryWithRelease()
  await client.readManifest(digest)
  emulator.faults.add({ method: 'GET', path: /manifests/, times: 4, action: { status: 401 } })
  await Promise.all(release.children.map((child) => client.readManifest(child.digest as Digest)))
  expect(emulator.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2)
})

describe('what may pass is tried again', () => {
  test.each([
    ['a server error', { status: 500 }],
    ['a limit', { status: 429 }],
    ['a lost connection', 'reset' as const],
    ['a cut-off body', 'truncate' as const],
    ['a time-out', { status: 408 }],
  ])('%s, with waits that double', async (_story, action) => {
    const { client, digest, emulator, clock } = await registryWithRelease()
    emulator.faults.add({ method: 'GET', path: /manifests/, times: 3, action })
    expect((await client.readManifest(digest)).kind).toBe('index')
    expect(clock.sleeps).toEqual([1000, 2000, 4000])
  })

  test('for as long as a header or a Go duration in the message asks', async () => {
    const { client, digest, emulator, clock } = await registryWithRelease()
    const body =
      '{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 12.5ms, allowed: 44000/minute"}]}'
    emulator.faults.add({ method: 'GET', path: /manifests/, action: { status: 429, body } })
    emulator.faults.add({
      method: 'GET',
      path: /manifests/,
      after: 1,
      action: { status: 429, headers: { 'retry-after': '7' } },
    })
    emulator.faults.add({
      method: 'GET',
      path: /manifests/,
      after: 2,
      action: { status: 429, body: body.replace('12.5ms', '900µs') },
    })
    await client.readManifest(digest)
    expect(clock.sleeps).toEqual([112.5, 7100, 100.9])
  })

  test('a manifest that the registry does not know yet, for up to half a minute', async () => {
    const { client, digest, emulator, clock, manifests } = await registryWithRelease()
    emulator.faults.add({ method: 'GET', path: /manifests/, times: 4, action: { status: 404 } })
    expect((await client.readManifest(digest)).kind).toBe('index')
    expect(clock.time - newYear).toBe(15_000)
    expect(manifests()).toHaveLength(5)
  })
})

describe('what does not pass is an error in words', () => {
  const never = Infinity
  test.each([
    ['missing for good', { status: 404 }, 'manifest-unreadable', 'lists it and does not have it'],
    [
      'failing for good',
      { status: 503 },
      'unavailable',
      'after 5 tries: the registry answered 503',
    ],
    ['resetting', 'reset' as const, 'unavailable', 'after 5 tries'],
    ['denied', { status: 403 }, 'permission', 'does not let this token read the manifest'],
    [
      'another content',
      { body: '{}' },
      'manifest-unreadable',
      'its content hashes to sha256:44136f',
    ],
  ])('%s', async (_story, action, code, words) => {
    const { client, digest, emulator } = await registryWithRelease()
    emulator.faults.add({ method: 'GET', path: /manifests/, times: never, action })
    const error: unknown = await client.readManifest(digest).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) as unknown })
    expect(error).toMatchObject({ message: expect.stringContaining(digest) as unknown })
  })

  test('a document that means two things', async () => {
    const { client, emulator } = await registryWithRelease()
    const body = JSON.stringify({ schemaVersion: 2, manifests: [], layers: [] })
    const { digest } = emulator.store.push({
      account: 'acme',
      package: 'team/api',
      manifest: body,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    })
    await expect(client.readManifest(digest as Digest)).rejects.toThrow('two different things')
  })

  test('a token that the registry does not take', async () => {
    const { client, digest, emulator } = await registryWithRelease('ghp_nobody_knows')
    emulator.store.addPackage({ account: 'acme', package: 'team/api', visibility: 'private' })
    await expect(client.readManifest(digest)).rejects.toMatchObject({ code: 'permission' })
  })

  test('a size that no manifest has', async () => {
    const { client, digest, emulator } = await registryWithRelease()
    emulator.faults.add({
      method: 'GET',
      path: /manifests/,
      times: never,
      action: { body: new Uint8Array(9 * 1024 * 1024) },
    })
    await expect(client.readManifest(digest)).rejects.toThrow('larger than any manifest')
  })
})

describe('the token', () => {
  const authorized = (requests: { authorization: string | undefined }[]) =>
    requests.filter(({ authorization }) => authorization !== undefined)

  test('is not sent to a realm on another host', async () => {
    const { client, digest, emulator } = await registryWithRelease()
    const other = await stage()
    emulator.faults.add({
      method: 'HEAD',
      path: /manifests/,
      times: Infinity,
      action: {
        headers: { 'www-authenticate': `Bearer realm="${other.registryUrl}/token",service="x"` },
      },
    })
    await expect(client.readManifest(digest)).rejects.toThrow('which is another host')
    expect(other.requests).toEqual([])
  })

  test('is not sent along with a redirect to another host, whose content is still checked', async () => {
    const { client, digest, emulator } = await registryWithRelease()
    const other = await stage({ limits: false })
    const tree = multiArchImage({ attestations: true })
    pushTree(other.store, { account: 'acme', package: 'team/api', tree, tags: ['v1'] })
    const location = `${other.registryUrl}/v2/acme/team/api/manifests/${digest}`
    emulator.faults.add({
      method: 'GET',
      path: /manifests/,
      times: 9,
      action: { redirect: location },
    })
    await expect(client.readManifest(digest)).rejects.toMatchObject({ code: 'permission' })
    expect(other.requests.length).toBeGreaterThan(0)
    expect(authorized(other.requests)).toEqual([])
  })

  test('stays where it is when the registry redirects in a circle', async () => {
    const { client, digest, emulator } = await registryWithRelease()
    const location = `${emulator.registryUrl}/v2/acme/team/api/manifests/${digest}`
    emulator.faults.add({
      method: 'GET',
      path: /manifests/,
      times: Infinity,
      action: { redirect: location },
    })
    await expect(client.readManifest(digest)).rejects.toThrow('redirects in a circle')
  })

  test('is not needed where the registry asks for none', async () => {
    const { client, digest, emulator } = await registryWithRelease()
    emulator.faults.add({ method: 'HEAD', times: Infinity, action: { status: 200 } })
    const child = index([image()])
    emulator.faults.add({
      method: 'GET',
      path: /manifests/,
      times: Infinity,
      action: { status: 200, body: child.body, headers: { 'content-type': child.mediaType } },
    })
    expect((await client.readManifest(child.digest as Digest)).kind).toBe('index')
    await expect(client.readManifest(digest)).rejects.toThrow('its content hashes')
    expect(authorized(emulator.requests)).toEqual([])
  })

  test('goes as Basic to a registry that asks for that', async () => {
    const { client, digest, emulator } = await registryWithRelease()
    emulator.faults.add({
      method: 'HEAD',
      times: Infinity,
      action: { headers: { 'www-authenticate': 'Basic realm="x"' } },
    })
    await client.readManifest(digest).catch(() => undefined)
    const schemes = emulator.requests.map(({ authorization }) => authorization)
    expect(new Set(schemes)).toEqual(new Set([undefined, 'basic']))
  })
})

test('a token endpoint that fails or sends nonsense is tried again, then told', async () => {
  const { client, digest, emulator, clock } = await registryWithRelease()
  emulator.faults.add({ path: /^\/token/, action: { status: 502 } })
  emulator.faults.add({ path: /^\/token/, after: 1, action: { body: '{"no":"token"}' } })
  expect((await client.readManifest(digest)).kind).toBe('index')
  expect(clock.sleeps).toEqual([1000, 2000])
  emulator.faults.add({ method: 'GET', path: /manifests/, action: { status: 401 } })
  emulator.faults.add({ path: /^\/token/, times: Infinity, action: { body: '{"no":"token"}' } })
  await expect(client.readManifest(digest)).rejects.toThrow('sent no token')
})

describe('the lifetime that an image states', () => {
  const labels = { 'quay.expires-after': '2d' }

  /** The registry with one more image, and how to read from it. */
  async function registryWithImage(tree: Tree = image({ labels })) {
    const scene = await registryWithRelease()
    pushTree(scene.emulator.store, { account: 'acme', package: 'team/api', tree, tags: ['pr-1'] })
    const read = () => scene.client.readLifetime(tree.digest as Digest)
    const asked = () =>
      scene.emulator.requests
        .filter(({ method }) => method === 'GET')
        .map(({ path }) => /manifests|blobs|storage/.exec(path)?.[0])
        .filter((kind) => kind !== undefined)
    return { ...scene, read, asked }
  }

  test('is read from the labels of its config, behind a redirect', async () => {
    const { read, asked } = await registryWithImage()
    expect(await read()).toBe('2d')
    expect(asked()).toEqual(['manifests', 'blobs', 'storage'])
  })

  test.each([
    ['of Docker as well', image({ labels, docker: true }), '2d'],
    ['and none is stated', image({ labels: { other: '1' } }), undefined],
    ['and there are no labels', image(), undefined],
  ])('%s', async (_story, tree, lifetime) => {
    const { read } = await registryWithImage(tree)
    expect(await read()).toBe(lifetime)
  })

  test('is not looked for in labels where an annotation states it', async () => {
    const { read, asked } = await registryWithImage(
      image({ labels, annotations: { ...labels, 'ghcr-retention.expires-after': 'never' } }),
    )
    expect(await read()).toBe('never')
    expect(asked()).toEqual(['manifests'])
  })

  test('is not looked for in labels of what cannot run', async () => {
    const { client, digest, asked } = await registryWithImage()
    expect(await client.readLifetime(digest)).toBeUndefined()
    expect(asked()).toEqual(['manifests'])
  })

  test('is read with the token, which the storage on another host does not get', async () => {
    const tree = image({ labels })
    const { read, emulator } = await registryWithImage(tree)
    const storage = await stage()
    storage.faults.add({ times: Infinity, action: { status: 200, body: tree.blobs[0] ?? '' } })
    const redirect = `${storage.registryUrl}/storage/config`
    emulator.faults.add({ path: /\/blobs\//, action: { redirect } })
    expect(await read()).toBe('2d')
    const blobs = emulator.requests.filter(({ path }) => path.includes('/blobs/'))
    expect(blobs.map(({ authorization }) => authorization)).toEqual(['bearer'])
    expect(storage.requests.map(({ authorization }) => authorization)).toEqual([undefined])
  })

  test('is read although the token runs out, the registry fails and the storage does too', async () => {
    const { read, emulator, clock } = await registryWithImage()
    emulator.faults.add({ path: /\/blobs\//, action: { status: 401 } })
    emulator.faults.add({ path: /\/blobs\//, after: 1, action: { status: 429 } })
    emulator.faults.add({ path: /_blob-storage/, action: { status: 503 } })
    expect(await read()).toBe('2d')
    expect(emulator.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2)
    expect(clock.sleeps).toEqual([0, 2000, 4000])
  })

  test.each<
    [story: string, path: RegExp, action: object, waited: number, error: object, words: string]
  >([
    [
      'is missing',
      /blobs/,
      { status: 404 },
      3000,
      { code: 'unexpected-answer' },
      'does not have it (404)',
    ],
    [
      'has another content',
      /storage/,
      { body: '{}' },
      0,
      { code: 'unexpected-answer' },
      'its content hashes to sha256:44136f',
    ],
    [
      'is too large',
      /storage/,
      { body: new Uint8Array(5 * 1024 * 1024) },
      0,
      { code: 'unexpected-answer' },
      'larger than any config may be',
    ],
    [
      'is denied',
      /blobs/,
      { status: 403 },
      0,
      { code: 'permission' },
      'does not let this token read the config',
    ],
    [
      'fails for good',
      /storage/,
      { status: 500 },
      15_000,
      { code: 'unavailable' },
      'after 5 tries: the registry answered 500',
    ],
  ])(
    'is an error in words when the config %s',
    async (_story, path, action, waited, code, words) => {
      const tree = image({ labels })
      const { read, emulator, clock } = await registryWithImage(tree)
      emulator.faults.add({ path, times: Infinity, action })
      const error: unknown = await read().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ ...code, message: expect.stringContaining(words) as unknown })
      const { config } = JSON.parse(tree.body) as { config: { digest: string } }
      expect(error).toMatchObject({ message: expect.stringContaining(config.digest) as unknown })
      expect(clock.time - newYear).toBe(waited)
    },
  )
})

test('a body that does not say how large it is, is given up when it is too large', async () => {
  const sent: number[] = []
  const endless = new ReadableStream({
    pull: (controller) => {
      sent.push(1)
      controller.enqueue(new Uint8Array(1024 * 1024))
    },
  })
  const client = new RegistryClient('acme/app', {
    registryUrl: 'https://registry.example',
    token: tokens.all,
    fetch: () => Promise.resolve(new Response(endless)),
    clock: testClock(newYear),
    random: () => 0.5,
    slowDown: () => undefined,
    hasTimeFor: () => true,
  })
  await expect(client.readManifest(image().digest as Digest)).rejects.toThrow(
    'larger than any manifest',
  )
  expect(sent.length).toBeLessThan(12)
})
