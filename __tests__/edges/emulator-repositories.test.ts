import { expect, test } from '@jest/globals'
import type { EmulatorOptions } from '../../src/emulator/index.js'
import { read, stage, tokens, type Stage } from './emulator-kit.js'

const repos = {
  private: 'ghp_emulator_repo',
  job: 'ghs_emulator_job',
  closedJob: 'ghs_emulator_closed_job',
  foreignJob: 'ghs_emulator_foreign_job',
  granted: 'github_pat_emulator_granted',
  refused: 'github_pat_emulator_refused',
}

/** A private repository `acme/app` and a public one `acme/open`, and tokens that may see them or may not. */
async function prepared(options: EmulatorOptions = {}): Promise<Stage> {
  const scene = await stage(options)
  const { store } = scene
  const all = { contents: 'read', 'pull-requests': 'read' } as const
  const repository = 'acme/App'
  store.addToken({ token: repos.private, kind: 'classic', login: 'octo', scopes: ['repo'] })
  store.addToken({ token: repos.job, kind: 'workflow', repository, repositoryPermissions: all })
  store.addToken({ token: repos.closedJob, kind: 'workflow', repository })
  store.addToken({
    token: repos.foreignJob,
    kind: 'workflow',
    repository: 'acme/other',
    repositoryPermissions: all,
  })
  store.addToken({
    token: repos.granted,
    kind: 'fine-grained',
    repository,
    repositoryPermissions: all,
  })
  store.addToken({ token: repos.refused, kind: 'fine-grained', repository })
  store.addRepository({ repository, branches: ['main', 'feature/x'], pulls: [12, 7] })
  store.addRepository({ repository: 'acme/open', visibility: 'public' })
  return scene
}

/** The numbers or names that a list has, and its status when it has none. */
async function listed(scene: Stage, path: string, token = repos.private) {
  const response = await scene.api(path, { token })
  if (response.status !== 200) return response.status
  const rows = await read<{ number?: number; name?: string }[]>(response)
  return rows.map(({ number, name }) => number ?? name)
}

test('open pull requests are listed newest first, and in the order that is asked for', async () => {
  const scene = await prepared()
  const app = scene.store.addRepository({ repository: 'acme/app' })
  const later = () => (scene.clock.now += 60_000)
  later()
  const third = app.openPull()
  later()
  app.closePull(12)
  later()
  app.reopenPull(12)
  app.openPull({ number: 99, branch: 'gone-again' })
  app.closePull(99)

  const pulls = '/repos/acme/app/pulls'
  expect(third).toBe(13)
  expect(await listed(scene, pulls)).toEqual([13, 12, 7])
  expect(await listed(scene, `${pulls}?sort=created&direction=asc`)).toEqual([7, 12, 13])
  expect(await listed(scene, `${pulls}?sort=updated`)).toEqual([7, 13, 12])
  expect(await listed(scene, `${pulls}?state=closed`)).toEqual([99])
  expect(await listed(scene, `${pulls}?state=all&direction=asc`)).toEqual([7, 12, 13, 99])
  expect(() => {
    app.closePull(1)
  }).toThrow('no pull request 1 in acme/App')
})

test('branches are listed by name, as many as there are', async () => {
  const scene = await prepared()
  const app = scene.store.addRepository({ repository: 'ACME/app', branches: ['b', 'Z'] })
  expect(await listed(scene, '/repos/acme/app/branches')).toEqual(['Z', 'b', 'feature/x', 'main'])
  app.deleteBranch('main')
  expect(await listed(scene, '/repos/acme/app/branches')).toEqual(['Z', 'b', 'feature/x'])
  expect(() => {
    app.deleteBranch('main')
  }).toThrow('no branch main in acme/App')
})

test('rows have the fields and addresses that GitHub gives', async () => {
  const scene = await prepared()
  const { apiUrl } = scene
  const [branch] = await read<object[]>(
    scene.api('/repos/acme/app/branches', { token: repos.private }),
  )
  expect(branch).toEqual({
    name: 'feature/x',
    commit: {
      sha: expect.stringMatching(/^[0-9a-f]{40}$/) as unknown,
      url: expect.stringContaining(`${apiUrl}/repos/acme/App/commits/`) as unknown,
    },
    protected: false,
  })
  const [pull] = await read<object[]>(scene.api('/repos/acme/app/pulls', { token: repos.private }))
  expect(pull).toMatchObject({
    url: `${apiUrl}/repos/acme/App/pulls/12`,
    number: 12,
    state: 'open',
    created_at: '2026-01-01T00:00:00Z',
    closed_at: null,
    user: { login: 'acme' },
    head: { ref: 'patch-12', label: 'acme:patch-12', repo: { private: true } },
    base: { ref: 'main', repo: { full_name: 'acme/App' } },
  })
})

test('links name the repository by its number, can be followed, and stay under /api/v3', async () => {
  const scene = await prepared()
  const many = Array.from({ length: 5 }, (_, at) => `branch-${at}`)
  const { id } = scene.store.addRepository({ repository: 'acme/app', branches: many })
  for (const prefix of ['', '/api/v3']) {
    const path = `${prefix}/repos/acme/app/branches?per_page=3`
    const first = await scene.api(path, { token: repos.private })
    const address = `${scene.apiUrl}${prefix}/repositories/${id}/branches?per_page=3&page=`
    expect(first.headers.get('link')).toBe(`<${address}2>; rel="next", <${address}3>; rel="last"`)
    const last = await scene.api(`${prefix}/repositories/${id}/branches?per_page=3&page=3`, {
      token: repos.private,
    })
    expect(await read(last)).toMatchObject([{ name: 'main' }])
    expect(last.headers.get('link')).toBe(`<${address}2>; rel="prev", <${address}1>; rel="first"`)
  }
})

test.each<[who: string, token: string, app: number, open: number]>([
  ['nobody', '', 404, 200],
  ['a classic token with the scope repo', repos.private, 200, 200],
  ['a classic token without it', tokens.all, 404, 200],
  ['a classic token without any', tokens.scopeless, 404, 200],
  ['a job that permits both', repos.job, 200, 200],
  ['a job that permits packages only', repos.closedJob, 403, 200],
  ['a job of another repository', repos.foreignJob, 404, 200],
  ['a fine-grained token that was granted both', repos.granted, 200, 200],
  ['a fine-grained token that was granted neither', repos.refused, 403, 200],
  ['a token that is none', 'ghp_emulator_unknown', 401, 401],
])('%s', async (_who, token, app, open) => {
  const scene = await prepared()
  for (const list of ['pulls', 'branches']) {
    const answers = await Promise.all([
      scene.api(`/repos/acme/app/${list}`, { token }),
      scene.api(`/repos/acme/open/${list}`, { token }),
      scene.api(`/repos/acme/none/${list}`, { token }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([app, open, open === 401 ? 401 : 404])
  }
})

test.each([
  ['pulls', 'pulls/pulls#list-pull-requests', 'pull_requests=read'],
  ['branches', 'branches/branches#list-branches', 'contents=read'],
])('a refusal of %s says what it is about', async (list, anchor, needed) => {
  const scene = await prepared()
  const documentation_url = `https://docs.github.com/rest/${anchor}`
  const path = `/repos/acme/app/${list}`
  const refusal = await scene.api(path, { token: repos.closedJob })
  expect(refusal.headers.get('x-accepted-github-permissions')).toBe(needed)
  const message = 'Resource not accessible by integration'
  expect(await read(refusal)).toEqual({ message, documentation_url, status: '403' })
  expect(await read(scene.api(path, { token: repos.refused }))).toMatchObject({
    message: 'Resource not accessible by personal access token',
  })
  const missing = await read(scene.api(path, { token: tokens.all }))
  expect(missing).toEqual({ message: 'Not Found', documentation_url, status: '404' })
})

test.each([
  '/repos/acme/app',
  '/repos/acme/app/tags',
  '/repos/acme/app/branches/main',
  '/repos/acme/branches',
  '/repositories/1/branches',
  '/repositories/x/pulls',
])('%s is not there', async (path) => {
  const scene = await prepared()
  expect(await listed(scene, path)).toBe(404)
})

test('lists count against the limits and the quota like everything else, and a 304 does not', async () => {
  const scene = await prepared({ limits: { pointsPerMinute: 3 } })
  const path = '/repos/acme/app/pulls'
  const first = await scene.api(path, { token: repos.private })
  expect(first.headers.get('x-ratelimit-used')).toBe('1')
  const headers = { 'if-none-match': first.headers.get('etag') ?? '' }
  const again = await scene.api(path, { token: repos.private, headers })
  expect([again.status, again.headers.get('x-ratelimit-used')]).toEqual([304, '1'])
  expect(await listed(scene, '/repos/acme/app/branches')).toHaveLength(2)
  expect(await listed(scene, path)).toBe(403)
  expect(scene.requests.map(({ kind, points }) => [kind, points])).toEqual(
    Array.from({ length: 4 }, () => ['list', 1]),
  )
})

test('a fault befalls a list like everything else', async () => {
  const scene = await prepared()
  scene.faults.add({
    path: /branches/,
    action: { runAfter: (store) => store.addRepository({ repository: 'acme/app', pulls: [500] }) },
  })
  scene.faults.add({ path: /pulls/, action: { status: 502 } })
  expect(await listed(scene, '/repos/acme/app/branches')).toHaveLength(2)
  expect(await listed(scene, '/repos/acme/app/pulls')).toBe(502)
  expect(await listed(scene, '/repos/acme/app/pulls')).toEqual([500, 12, 7])
})
