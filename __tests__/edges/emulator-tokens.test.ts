import { expect, test } from '@jest/globals'
import type { EmulatorOptions } from '../../src/emulator/index.js'
import { mediaTypes, multiArchImage, pushTree } from '../../src/emulator/images.js'
import { errorOf, read, stage, tokens, type Stage } from './emulator-kit.js'

const repository = '/v2/acme/team/api'
const manifestPath = `${repository}/manifests/latest`
const place = { account: 'acme', package: 'team/api' }

async function prepared(options: EmulatorOptions = {}): Promise<Stage> {
  const scene = await stage(options)
  pushTree(scene.store, { ...place, tree: multiArchImage(), tags: ['latest'] })
  return scene
}

const basic = (password: string) => `Basic ${btoa(`anyone:${password}`)}`

/** A request with exactly this Authorization header. */
async function withHeader(scene: Stage, path: string, authorization: string): Promise<Response> {
  const headers = { accept: mediaTypes.index, authorization }
  return scene.registry(path, { token: '', headers })
}

/** A request to /token for a scope, anonymous unless there is a password. */
async function tokenFor(scene: Stage, scope: string, password?: string): Promise<Response> {
  const query = new URLSearchParams({ service: 'ghcr.io', scope })
  const path = `/token?${query.toString()}`
  return password === undefined
    ? scene.registry(path, { token: '' })
    : withHeader(scene, path, basic(password))
}

test.each([
  ['GET', '/v2/', 'user/image:pull'],
  ['GET', manifestPath, 'acme/team/api:pull'],
  ['PUT', manifestPath, 'acme/team/api:pull,push'],
  ['POST', `${repository}/blobs/uploads/`, 'acme/team/api:pull,push'],
])('%s %s without one asks for %s', async (method, path, scope) => {
  const scene = await prepared()
  const response = await scene.registry(path, { token: '', method })
  expect(response.headers.get('www-authenticate')).toBe(
    `Bearer realm="${scene.registryUrl}/token",service="ghcr.io",scope="repository:${scope}"`,
  )
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0')
  expect(response.headers.get('content-length')).toBe('73')
  expect(await errorOf(response)).toEqual([401, 'UNAUTHORIZED', 'authentication required'])
})

test('the issued token opens what it was asked for and nothing else', async () => {
  const scene = await prepared()
  const issued = await tokenFor(scene, 'repository:acme/team/api:pull', tokens.workflow)
  const { token } = await read<{ token: string }>(issued)
  expect(token).toMatch(/^djE6/)
  expect((await withHeader(scene, manifestPath, `Bearer ${token}`)).status).toBe(200)
  const other = await withHeader(scene, '/v2/acme/other/manifests/1', `Bearer ${token}`)
  expect(other.status).toBe(401)
  expect(other.headers.get('www-authenticate')).toContain('acme/other')
})

test.each([
  ['anonymous, private', 'acme/team/api', undefined, 403],
  ['anonymous, not there', 'acme/none', undefined, 403],
  ['anonymous, public', 'acme/open', undefined, 200],
  ['unknown token, public', 'acme/open', 'ghp_emulator_unknown', 403],
  ['no role, private', 'acme/team/api', tokens.roleless, 403],
  ['no role, public', 'acme/open', tokens.roleless, 200],
  ['no scopes, private', 'acme/team/api', tokens.scopeless, 403],
  ['reader, private', 'acme/team/api', tokens.reader, 200],
  ['fine-grained, private', 'acme/team/api', tokens.fineGrained, 403],
  ['fine-grained, public', 'acme/open', tokens.fineGrained, 200],
])('%s', async (_, name, password, status) => {
  const scene = await prepared()
  scene.store.addPackage({ account: 'acme', package: 'open', visibility: 'public' })
  const response = await tokenFor(scene, `repository:${name}:pull`, password)
  expect(response.status).toBe(status)
  if (status === 403) {
    const words = 'requested access to the resource is denied'
    expect(await errorOf(response)).toEqual([403, 'DENIED', words])
  }
})

test('a GitHub token as Bearer is refused at /token', async () => {
  const scene = await prepared()
  const response = await withHeader(scene, '/token', `Bearer ${tokens.all}`)
  expect((await errorOf(response)).slice(0, 2)).toEqual([401, 'UNAUTHORIZED'])
})

test('an issued token runs out, and the challenge is back', async () => {
  const scene = await prepared({ expireRegistryTokensAfter: 60_000 })
  const issued = await tokenFor(scene, 'repository:acme/team/api:pull', tokens.all)
  const { token } = await read<{ token: string }>(issued)
  scene.clock.now += 59_999
  expect((await withHeader(scene, manifestPath, `Bearer ${token}`)).status).toBe(200)
  scene.clock.now += 1
  const late = await withHeader(scene, manifestPath, `Bearer ${token}`)
  expect([late.status, late.headers.has('www-authenticate')]).toEqual([401, true])
})

test.each([
  ['base64 of the token', `Bearer ${btoa(tokens.all)}`, 200],
  ['base64 of user and token', `Bearer ${btoa(`me:${tokens.all}`)}`, 200],
  ['the bare token', `Bearer ${tokens.all}`, 403],
  ['an unknown one', `Bearer ${btoa('ghp_emulator_unknown')}`, 403],
  ['Basic', basic(tokens.all), 403],
])('directly with %s', async (_, authorization, status) => {
  const scene = await prepared()
  const response = await withHeader(scene, manifestPath, authorization)
  expect([response.status, response.headers.has('www-authenticate')]).toEqual([status, false])
  if (status === 403) {
    expect(await errorOf(response)).toEqual([403, 'DENIED', 'invalid token'])
  }
})

test('QQ== is anybody: public packages only', async () => {
  const scene = await prepared()
  expect((await withHeader(scene, manifestPath, 'Bearer QQ==')).status).toBe(403)
  scene.store.addPackage({ ...place, visibility: 'public' })
  expect((await withHeader(scene, manifestPath, 'Bearer QQ==')).status).toBe(200)
})
