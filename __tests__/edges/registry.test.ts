import { describe, expect, test } from '@jest/globals'
import { fetch } from 'undici'
import { image, index, multiArchImage, pushTree } from '../../src/emulator/images.js'
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
