import { describe, expect, test } from '@jest/globals'
import { image, pushTree } from '../../src/emulator/images.js'
import { read, stage, tokens } from './emulator-kit.js'

const docs = 'https://docs.github.com/rest/packages/packages'
const one = '/orgs/acme/packages/container/api'
const list = '/orgs/acme/packages?package_type=container'
const readOnly = 'ghp_emulator_reader'

async function prepared() {
  const scene = await stage()
  const place = { account: 'acme', package: 'api' }
  pushTree(scene.store, { ...place, tree: image({ seed: 'a' }), tags: ['a'] })
  const popular = pushTree(scene.store, { ...place, tree: image({ seed: 'b' }), tags: ['b'] })
  pushTree(scene.store, { account: 'octo', package: 'tool', tree: image(), tags: ['x'] })
  scene.store.setDownloads('acme', 'api', popular.id, 6000)
  scene.store.addToken({
    token: 'ghp_emulator_elsewhere',
    kind: 'classic',
    login: 'stranger',
    packages: { 'acme/other': 'admin' },
  })
  scene.store.addToken({
    token: 'ghs_emulator_reading_role',
    kind: 'workflow',
    packages: { 'acme/api': 'read' },
  })
  return { ...scene, popular }
}

describe('what GitHub answers, by token, request, status, message', () => {
  test.each([
    ['', 'GET', list, 401, 'Requires authentication'],
    ['ghp_emulator_unknown', 'GET', list, 401, 'Bad credentials'],
    ['ghp_emulator_unknown', 'GET', '/rate_limit', 401, 'Bad credentials'],

    [tokens.scopeless, 'GET', list, 403, 'You need at least read:packages scope to list packages.'],
    [tokens.scopeless, 'GET', one, 403, 'You need at least read:packages scope to get a package.'],
    [
      tokens.scopeless,
      'GET',
      `${one}/versions`,
      403,
      "You need at least read:packages scope to get a package's versions.",
    ],
    [
      readOnly,
      'DELETE',
      `${one}/versions/1`,
      403,
      'You need at least delete:packages and read:packages scopes to delete a package version.',
    ],
    [
      readOnly,
      'DELETE',
      '/orgs/nobody/packages/container/none/versions/1',
      403,
      'You need at least delete:packages and read:packages scopes to delete a package version.',
    ],
    [
      readOnly,
      'DELETE',
      one,
      403,
      'You need at least delete:packages and read:packages scopes to delete a package.',
    ],

    [tokens.workflow, 'GET', list, 400, 'Invalid argument.'],
    [tokens.fineGrained, 'GET', list, 400, 'Invalid argument.'],
    [tokens.app, 'GET', list, 400, 'Invalid argument.'],
    [tokens.fineGrained, 'GET', one, 403, 'Resource not accessible by personal access token'],
    [tokens.app, 'GET', one, 404, 'Package not found.'],
    [
      tokens.workflow,
      'GET',
      '/user/packages/container/tool/versions',
      403,
      'Resource not accessible by integration',
    ],
    [tokens.workflow, 'GET', '/user', 403, 'Resource not accessible by integration'],
    [
      tokens.readOnlyWorkflow,
      'DELETE',
      `${one}/versions/1`,
      403,
      'Resource not accessible by integration',
    ],
    [tokens.roleless, 'GET', `${one}/versions`, 404, 'Package not found.'],
    ['ghs_emulator_reading_role', 'DELETE', `${one}/versions/1`, 404, 'Package not found.'],
    ['ghp_emulator_elsewhere', 'GET', `${one}/versions`, 404, 'Package not found.'],

    [tokens.all, 'GET', '/orgs/acme/packages/container/none', 404, 'Package not found.'],
    [tokens.all, 'GET', '/orgs/acme/packages/npm/api', 404, 'Package not found.'],
    [tokens.all, 'GET', '/orgs/nobody/packages?package_type=container', 404, 'Not Found'],
    [tokens.all, 'GET', '/orgs/acme/packages', 400, 'Invalid argument.'],
    [tokens.all, 'GET', `${one}/versions/1`, 404, 'Package version not found.'],
    [tokens.all, 'DELETE', `${one}/versions/1`, 404, 'Package version not found.'],
    [
      tokens.all,
      'DELETE',
      `${one}/versions/abc`,
      400,
      'The version_id parameter must be an integer.',
    ],
    [tokens.all, 'GET', '/orgs/acme/repos', 404, 'Not Found'],
    [tokens.all, 'PATCH', one, 404, 'Not Found'],
  ])('%s %s %s: %i %s', async (token, method, path, status, message) => {
    const { api } = await prepared()
    const response = await api(path, { token, method })
    expect(response.status).toBe(status)
    const body = await read<{ documentation_url: string }>(response)
    expect(body).toEqual({
      message,
      status: String(status),
      documentation_url: expect.stringMatching(/^https:\/\/docs\.github\.com\/rest/),
    })
  })

  test.each([
    [`${one}/versions`, 'list-package-versions-for-a-package-owned-by-an-organization'],
    [list, 'list-packages-for-an-organization'],
    [
      '/users/octo/packages/container/tool/versions',
      'list-package-versions-for-a-package-owned-by-a-user',
    ],
    [
      '/user/packages/container/tool/versions',
      'list-package-versions-for-a-package-owned-by-the-authenticated-user',
    ],
  ])('errors of %s point to %s', async (path, anchor) => {
    const { api } = await prepared()
    const body = await read(api(path, { token: tokens.scopeless }))
    expect(body).toMatchObject({ documentation_url: `${docs}#${anchor}` })
  })
})

describe('the rules of business, as recorded', () => {
  const anchor = `${docs}#delete-package-version-for-an-organization`

  test('more than 5,000 downloads', async () => {
    const { store, api, popular } = await prepared()
    store.addPackage({ account: 'acme', package: 'api', visibility: 'public' })
    const response = await api(`${one}/versions/${popular.id}`, { method: 'DELETE' })
    expect(response.status).toBe(400)
    expect(await read(response)).toEqual({
      message:
        'Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.',
      documentation_url: anchor,
      status: '400',
    })
  })

  test('the last tagged version', async () => {
    const { store, api, popular } = await prepared()
    store.setTags('acme', 'api', 'a', [])
    const response = await api(`${one}/versions/${popular.id}`, { method: 'DELETE' })
    expect(response.status).toBe(400)
    expect(await read(response)).toEqual({
      message:
        'You cannot delete the last tagged version of a package. You must delete the package instead.',
      documentation_url: anchor,
      status: '400',
    })
  })
})

test('a workflow token reads and deletes versions of a named package', async () => {
  const { api, popular } = await prepared()
  const token = tokens.workflow
  expect((await api(`${one}/versions`, { token })).status).toBe(200)
  const deletion = await api(`${one}/versions/${popular.id}`, { token, method: 'DELETE' })
  expect(deletion.status).toBe(204)
})

test('a public package is readable without a role, and not deletable', async () => {
  const { store, api } = await prepared()
  store.addPackage({ account: 'acme', package: 'api', visibility: 'public' })
  const token = 'ghs_emulator_roleless'
  expect((await api(`${one}/versions`, { token })).status).toBe(200)
  expect((await api(`${one}/versions/1`, { token, method: 'DELETE' })).status).toBe(404)
})

test('classic tokens are told their scopes, others are not', async () => {
  const { api } = await prepared()
  const classic = await api(`${one}/versions`, { token: readOnly })
  expect(classic.headers.get('x-oauth-scopes')).toBe('read:packages')
  expect(classic.headers.get('x-accepted-oauth-scopes')).toBe('read:packages')
  const workflow = await api(`${one}/versions`, { token: tokens.workflow })
  expect(workflow.headers.get('x-oauth-scopes')).toBeNull()
})

test('the token may come as Bearer and as the password of Basic', async () => {
  const { api } = await prepared()
  for (const authorization of [
    `Bearer ${tokens.all}`,
    `Basic ${btoa(`anyone:${tokens.all}`)}`,
    `token ${tokens.all}`,
  ]) {
    const response = await api(one, { token: '', headers: { authorization } })
    expect([authorization.split(' ')[0], response.status]).toEqual([
      authorization.split(' ')[0],
      200,
    ])
  }
})

test('a revoked token is bad credentials', async () => {
  const { store, api } = await prepared()
  store.revokeToken(tokens.all)
  expect((await api(one)).status).toBe(401)
})

test('every answer has a request id, and no two the same', async () => {
  const { api } = await prepared()
  const ids = await Promise.all([1, 2, 3].map(async () => (await api(one)).headers))
  expect(new Set(ids.map((headers) => headers.get('x-github-request-id'))).size).toBe(3)
})
