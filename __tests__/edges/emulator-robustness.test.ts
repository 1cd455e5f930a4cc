import { connect } from 'node:net'
import { getOctokit } from '@actions/github'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { image, pushTree } from '../../src/emulator/images.js'
import { startEmulator } from '../../src/emulator/index.js'
import { read, stage, tokens, type Row, type Stage } from './emulator-kit.js'

const place = { account: 'acme', package: 'api' }

const word = fc.constantFrom(
  ...['orgs', 'users', 'user', 'organizations', 'acme', '77', 'packages', 'container', 'api'],
  ...['versions', 'restore', 'v2', 'manifests', 'blobs', 'uploads', 'tags', 'list', 'referrers'],
  ...[
    'token',
    '_blob-storage',
    '-',
    '%',
    '%2F',
    '%00',
    '..',
    '',
    'rate_limit',
    'latest',
    '460000001',
  ],
)
const question = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  path: fc.array(word, { maxLength: 8 }).map((words) => `/${words.join('/')}`),
  query: fc.constantFrom(
    '',
    '?page=-1',
    '?per_page=x&page=1e9',
    '?digest=x&mount=y&from=z',
    '?n=x&%',
  ),
  token: fc.constantFrom('', tokens.all, tokens.workflow, 'Bearer'),
  service: fc.constantFrom('api', 'registry'),
  body: fc.option(fc.oneof(fc.json(), fc.string()), { nil: undefined }),
})

test('no request, however odd, brings out a bug', async () => {
  const scene = await stage({ limits: false })
  pushTree(scene.store, { ...place, tree: image(), tags: ['latest'] })
  await fc.assert(
    fc.asyncProperty(question, async ({ method, path, query, token, service, body }) => {
      const origin = service === 'api' ? scene.apiUrl : scene.registryUrl
      const credentials = service === 'api' ? `token ${token}` : `Bearer ${btoa(token)}`
      const takesBody = method !== 'GET' && method !== 'HEAD' && body !== undefined
      const response = await fetch(origin + path + query, {
        method,
        redirect: 'manual',
        headers: token === '' ? {} : { authorization: credentials },
        ...(takesBody ? { body } : {}),
      })
      await response.arrayBuffer()
      expect(response.status).toBeLessThan(500)
    }),
    { numRuns: 500 },
  )
})

/** Sends these bytes and breaks off. */
async function sendAndLeave({ apiUrl }: Stage, text: string): Promise<void> {
  const socket = connect(Number(new URL(apiUrl).port), '127.0.0.1')
  await new Promise<void>((resolve) =>
    socket.write(text, () => {
      resolve()
    }),
  )
  socket.destroy()
}

test("a client that breaks off is no bug, and stands in nobody's way", async () => {
  const scene = await stage({ limits: { maxConcurrent: 1 }, latency: () => 5 })
  await sendAndLeave(scene, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf')
  await sendAndLeave(
    scene,
    `GET /user HTTP/1.1\r\nhost: x\r\nauthorization: token ${tokens.all}\r\n\r\n`,
  )
  await sendAndLeave(scene, 'no HTTP at all\r\n\r\n')
  while (!scene.requests.some((one) => one.path === '/user')) await new Promise(setImmediate)
  const statuses: number[] = []
  while (statuses.at(-1) !== 200) statuses.push((await scene.api('/user')).status)
  expect(statuses.length).toBeLessThan(100)
})

test('a taken port is an error, and leaves nothing open', async () => {
  const { registryUrl } = await stage()
  const registryPort = Number(new URL(registryUrl).port)
  await expect(startEmulator({ registryPort })).rejects.toThrow(/EADDRINUSE/)
})

test('an emulator goes on at the same addresses, from the state and by the clock of one that was closed', async () => {
  const { close, store, apiUrl, registryUrl } = await stage()
  pushTree(store, { ...place, tree: image(), tags: ['latest'] })
  await close()
  const port = (url: string) => Number(new URL(url).port)

  const ports = { apiPort: port(apiUrl), registryPort: port(registryUrl) }
  const next = await startEmulator({ store, ...ports })

  const headers = { authorization: `token ${tokens.all}` }
  const answer = await fetch(`${apiUrl}/orgs/acme/packages/container/api`, { headers })
  expect(await answer.json()).toMatchObject({ name: 'api', version_count: 1 })
  expect(answer.headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 GMT')
  expect(next).toMatchObject({ apiUrl, registryUrl, requests: [{ status: 200 }] })
  await next.close()
})

test('Octokit lists page by page, deletes and restores', async () => {
  const { store, apiUrl } = await stage()
  for (const seed of 'abcde') {
    pushTree(store, { account: 'acme', package: 'team/api', tree: image({ seed }), tags: [seed] })
  }
  const octokit = getOctokit(tokens.workflow, { baseUrl: apiUrl })
  const where = { org: 'acme', package_type: 'container', package_name: 'team/api' } as const
  const { packages } = octokit.rest
  const rows = await octokit.paginate(packages.getAllPackageVersionsForPackageOwnedByOrg, {
    ...where,
    per_page: 2,
  })
  expect(rows.map((row) => row.metadata?.container?.tags)).toEqual([
    ['e'],
    ['d'],
    ['c'],
    ['b'],
    ['a'],
  ])
  const version = { ...where, package_version_id: rows[0]?.id ?? 0 }
  expect((await packages.deletePackageVersionForOrg(version)).status).toBe(204)
  await expect(packages.deletePackageVersionForOrg(version)).rejects.toThrow(
    'Package version not found. - https://docs.github.com/rest/packages/packages#delete-package-version-for-an-organization',
  )
  expect((await packages.restorePackageVersionForOrg(version)).status).toBe(204)
  expect(store.versions('acme', 'team/api')).toHaveLength(5)
})

test('a version that was just listed may be gone at the delete', async () => {
  const { store, api, faults } = await stage()
  const { id } = pushTree(store, { ...place, tree: image() })
  const path = '/orgs/acme/packages/container/api/versions'
  faults.add({
    path: /versions/,
    action: {
      runAfter: () => {
        store.removeRow('acme', 'api', id)
      },
    },
  })
  expect(await read<Row[]>(api(path))).toHaveLength(1)
  expect((await api(`${path}/${id}`, { method: 'DELETE' })).status).toBe(404)
})
