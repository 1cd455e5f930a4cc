import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fetch } from 'undici'
import type { FaultSpec } from '../../src/emulator/faults.js'
import type { TokenSpec } from '../../src/emulator/tokens.js'
import type { Refs } from '../../src/model.js'
import { Pacer } from '../../src/pacing.js'
import { refState } from '../../src/policy/refs.js'
import { RepositoryClient } from '../../src/repositories.js'
import { registry } from '../scenarios/kit.js'
import { testClock } from './clock.js'

const minute = 60_000

/** plugin-retry waits on timers of its own: half a minute until it gives up, and here half a second. */
const timers = { setTimeout: globalThis.setTimeout }
beforeAll(() => {
  const hurried = (...[run, ms = 0, ...rest]: Parameters<typeof setTimeout>) =>
    timers.setTimeout(run, ms / 60, ...rest)
  globalThis.setTimeout = hurried as typeof globalThis.setTimeout
})
afterAll(() => {
  globalThis.setTimeout = timers.setTimeout
})
const both = { pulls: true, branches: true }
const classic: TokenSpec = { token: 'ghp_emulator_repo', kind: 'classic', scopes: ['repo'] }
const job = { token: 'ghs_emulator_job', kind: 'workflow', repository: 'acme/app' } as const

/** The private repository `acme/app`, and a client that asks for it; time passes only when the client sleeps. */
async function prepared({
  token = classic,
  perHour = 5000,
  reserve = 0.1,
  deadline,
}: { token?: TokenSpec; perHour?: number; reserve?: number; deadline?: number } = {}) {
  const clock = testClock()
  const requestsPerHour = { classic: perHour, workflow: perHour }
  const emulator = await registry({ now: clock.now, limits: { requestsPerHour } })
  emulator.store.addToken(token)
  const app = emulator.store.addRepository({ repository: 'acme/app' })
  const cancel = new AbortController()
  const told: string[] = []
  const pacer = new Pacer({
    clock,
    deletesPerMinute: 150,
    pointsPerMinute: 900,
    quotaReserve: reserve,
    deadline: deadline === undefined ? undefined : clock.time + deadline,
    cancelled: cancel.signal,
  })
  const client = new RepositoryClient({
    apiUrl: emulator.apiUrl,
    token: token.token,
    fetch,
    clock,
    pacer,
    told: (message) => told.push(message),
    cancelled: cancel.signal,
  })
  const asked = () => emulator.requests.map(({ path }) => path.replace('/repos/acme/app/', ''))
  const pages = () => asked().map((path) => Number(/[?&]page=(\d+)/.exec(path)?.[1]))
  return { app, cancel, client, clock, emulator, told, asked, pages }
}

/** So many open pull requests, from number 1 on, opened a second apart. */
function openPulls({ app, clock }: Awaited<ReturnType<typeof prepared>>, count: number) {
  for (let i = 0; i < count; i++) {
    clock.time += 1000
    app.openPull()
  }
}

/** Names that fill pages of 100 and sort as they count. */
const branchNames = (count: number) =>
  Array.from({ length: count }, (_, at) => `b${String(at).padStart(5, '0')}`)

const numbersOf = ({ openPullRequests: pulls }: Refs) => ('why' in pulls ? pulls.why : [...pulls])
const stateOf = (refs: Refs, slug: string) => refState(refs, [{ kind: 'branch', slug }]).state

test('open pull requests and branches are looked up, with one request each', async () => {
  const { app, client, asked } = await prepared()
  for (const number of [7, 12, 13]) app.openPull({ number })
  app.closePull(12)
  app.addBranch('feature/Login')
  const refs = await client.lookUp('acme/app', both)
  expect(numbersOf(refs)).toEqual([7, 13])
  expect(
    ['main', 'feature-login', 'Feature_Login', 'login'].map((tag) => stateOf(refs, tag)),
  ).toEqual(['exists', 'exists', 'exists', 'gone'])
  expect(asked()).toEqual([
    'pulls?state=open&sort=created&direction=asc&per_page=100&page=1',
    'branches?per_page=100&page=1',
  ])
})

test('asked again, they cost nothing of the quota as long as nothing has changed', async () => {
  const { app, client, emulator } = await prepared()
  app.openPull({ number: 7 })
  await client.lookUp('acme/app', both)
  const again = await client.lookUp('acme/app', both)
  expect(emulator.requests.map(({ status }) => status)).toEqual([200, 200, 304, 304])
  expect([numbersOf(again), stateOf(again, 'main')]).toEqual([[7], 'exists'])

  app.closePull(7)
  app.openPull({ number: 8 })
  app.addBranch('x')
  const changed = await client.lookUp('acme/app', both)
  expect([numbersOf(changed), stateOf(changed, 'x')]).toEqual([[8], 'exists'])
})

test.each([
  [{ pulls: true, branches: false }, ['pulls']],
  [{ pulls: false, branches: true }, ['branches']],
  [{ pulls: false, branches: false }, []],
])('only what rules ask for is looked up: %j', async (needs, lists) => {
  const { client, asked } = await prepared()
  const refs = await client.lookUp('acme/app', needs)
  expect(asked().map((path) => path.split('?')[0])).toEqual(lists)
  expect(['why' in refs.openPullRequests, 'why' in refs.branches]).toEqual([
    !needs.pulls,
    !needs.branches,
  ])
})

test('a repository without open pull requests has none, and one without any branch is not believed', async () => {
  const { app, client } = await prepared()
  app.deleteBranch('main')
  const refs = await client.lookUp('acme/app', both)
  expect(numbersOf(refs)).toEqual([])
  expect(refs.branches).toEqual({ why: 'GitHub names not one branch' })
})

test.each([
  ['straße', 'how a tag spells the branch straße cannot be known'],
  ['Привет-мир', 'how a tag spells the branch Привет-мир cannot be known'],
  ['élan', undefined],
])(
  'branches are not known where tools spell the name of one in different ways: %s',
  async (branch, why) => {
    const { app, client } = await prepared()
    app.addBranch(branch)
    const { branches } = await client.lookUp('acme/app', both)
    expect('why' in branches ? branches.why : undefined).toBe(why)
  },
)

describe('a list of several pages', () => {
  test('is read forwards and backwards, and the second time costs nothing of the quota', async () => {
    const scene = await prepared()
    openPulls(scene, 250)
    const refs = await scene.client.lookUp('acme/app', { pulls: true, branches: false })
    expect(numbersOf(refs)).toHaveLength(250)
    expect(scene.pages()).toEqual([1, 2, 3, 3, 2, 1])
    expect(scene.emulator.requests.map(({ status }) => status)).toEqual([
      ...[200, 200, 200],
      ...[304, 304, 304],
    ])
  })

  test('goes on after a full page that no link continues', async () => {
    const scene = await prepared()
    for (const name of branchNames(230)) scene.app.addBranch(name)
    scene.emulator.faults.add({ times: Infinity, action: { headers: { link: '' } } })
    const refs = await scene.client.lookUp('acme/app', both)
    expect(stateOf(refs, 'b00229')).toBe('exists')
    expect(stateOf(refs, 'main')).toBe('exists')
  })

  test('is followed by its numbers, so that no link leads to somebody else', async () => {
    const scene = await prepared()
    openPulls(scene, 150)
    const link = '<https://elsewhere.example/pulls?page=2>; rel="next"'
    scene.emulator.faults.add({ path: /page=1$/, action: { headers: { link } } })
    const refs = await scene.client.lookUp('acme/app', { pulls: true, branches: false })
    expect(numbersOf(refs)).toHaveLength(150)
    expect(scene.pages()).toEqual([1, 2, 2, 1])
  })

  /** What somebody does just before the request after so many is answered. */
  type Meanwhile = [after: number, what: 'closePull' | 'reopenPull', number: number]

  test.each<[story: string, changes: Meanwhile[]]>([
    ['closes one on a page that was read', [[1, 'closePull', 3]]],
    ['reopens one while it is read backwards', [[4, 'reopenPull', 150]]],
    [
      'closes, reopens and closes one again',
      [
        [1, 'closePull', 3],
        [3, 'reopenPull', 3],
        [4, 'closePull', 3],
      ],
    ],
    [
      'closes one and reopens another, each in the worst moment',
      [
        [1, 'closePull', 3],
        [4, 'reopenPull', 150],
      ],
    ],
    [
      'reopens one in each pass',
      [
        [4, 'reopenPull', 150],
        [6, 'reopenPull', 151],
        [11, 'reopenPull', 50],
      ],
    ],
  ])('has all that was there all the time, although somebody %s', async (_story, changes) => {
    const scene = await prepared()
    openPulls(scene, 250)
    const closed = [50, 150, 151]
    for (const number of closed) scene.app.closePull(number)
    for (const [after, what, number] of changes) {
      const run = () => {
        scene.app[what](number)
      }
      scene.emulator.faults.add({ after, action: { run } })
    }
    const refs = await scene.client.lookUp('acme/app', { pulls: true, branches: false })
    const changed = new Set([...closed, ...changes.map(([, , number]) => number)])
    const numbers = scene.app.pulls().map(({ number }) => number)
    const throughout = numbers.filter((number) => !changed.has(number))
    expect(numbersOf(refs)).toEqual(expect.arrayContaining(throughout))
  })

  test('is read until two passes agree, but not for ever', async () => {
    const scene = await prepared()
    openPulls(scene, 150)
    const change = {
      run: () => {
        scene.app.openPull()
      },
    }
    const stop = scene.emulator.faults.add({ times: Infinity, action: change })
    await scene.client.lookUp('acme/app', { pulls: true, branches: false })
    expect(scene.pages()).toEqual([1, 2, 2, 1, 1, 2, 2, 1])

    stop()
    scene.emulator.requests.length = 0
    await scene.client.lookUp('acme/app', { pulls: true, branches: false })
    expect(scene.pages()).toEqual([1, 2, 2, 1])
  })

  test.each<[story: string, fault: FaultSpec['action']]>([
    ['is an error', { status: 502 }],
    ['is no list', { body: '{"message":"Server Error"}' }],
    ['has a row that is none', { body: '[{"number":"7"}]' }],
    ['is cut off', 'truncate'],
    ['breaks', 'reset'],
    ['names itself as the next', { headers: { link: '</x?page=2>; rel="next"' } }],
    ['leaves pages out', { headers: { link: '</x?page=4>; rel="next"' } }],
    ['names a next page without a number', { headers: { link: '</x?after=abc>; rel="next"' } }],
  ])('does not end at a page that %s', async (_story, action) => {
    const scene = await prepared()
    openPulls(scene, 250)
    scene.emulator.faults.add({ path: /pulls.*page=2$/, times: Infinity, action })
    const refs = await scene.client.lookUp('acme/app', both)
    expect(numbersOf(refs)).toEqual(expect.any(String))
    expect(stateOf(refs, 'x')).toBe('gone')
  })
})

describe('what cannot be looked up is not known, and the reader is told what to do', () => {
  const permissions = (repositoryPermissions: TokenSpec['repositoryPermissions']) =>
    ({ ...job, repositoryPermissions }) as TokenSpec
  const pullsDenied =
    'GitHub answered 403 to GET /repos/acme/app/pulls (Resource not accessible by integration). Reading pull requests takes "pull-requests: read" among the permissions of the job for GITHUB_TOKEN, and the scope "repo" for private repositories on a classic token'
  const branchesDenied =
    'GitHub answered 403 to GET /repos/acme/app/branches (Resource not accessible by integration). Reading branches takes "contents: read" among the permissions of the job for GITHUB_TOKEN, and the scope "repo" for private repositories on a classic token'

  test.each<[story: string, token: TokenSpec, pulls: unknown, branches: unknown]>([
    [
      'a job that permits both',
      permissions({ contents: 'read', 'pull-requests': 'read' }),
      expect.any(Set),
      expect.any(Set),
    ],
    [
      'a job that permits contents only',
      permissions({ contents: 'read' }),
      { why: pullsDenied },
      expect.any(Set),
    ],
    [
      'a job that permits pull requests only',
      permissions({ 'pull-requests': 'write' }),
      expect.any(Set),
      { why: branchesDenied },
    ],
    ['a job that permits neither', permissions({}), { why: pullsDenied }, { why: branchesDenied }],
  ])('%s', async (_story, token, pulls, branches) => {
    const { client } = await prepared({ token })
    expect(await client.lookUp('acme/app', both)).toEqual({ openPullRequests: pulls, branches })
  })

  test('a classic token without the scope for private repositories', async () => {
    const { client } = await prepared({ token: { ...classic, scopes: ['read:packages'] } })
    expect(numbersOf(await client.lookUp('acme/app', both))).toBe(
      'GitHub answered 404 to GET /repos/acme/app/pulls (Not Found). Either there is no repository acme/app, or the token may not see it: GITHUB_TOKEN sees its own repository and public ones, a classic token needs the scope "repo" for private ones',
    )
  })

  test('a token that GitHub does not know', async () => {
    const { client, emulator } = await prepared()
    emulator.store.revokeToken(classic.token)
    expect(numbersOf(await client.lookUp('acme/app', both))).toContain('GitHub does not know this')
  })

  test('a service that is down, for the one list and not for the other', async () => {
    const { client, emulator } = await prepared()
    emulator.faults.add({ path: /branches/, times: Infinity, action: { status: 503 } })
    const refs = await client.lookUp('acme/app', both)
    expect(numbersOf(refs)).toEqual([])
    expect(refs.branches).toMatchObject({
      why: expect.stringContaining(
        'GitHub answered 503 to GET /repos/acme/app/branches',
      ) as unknown,
    })
  })

  test('a quota that is too small in every hour', async () => {
    const scene = await prepared({ perHour: 10, reserve: 0.5 })
    openPulls(scene, 450)
    const refs = await scene.client.lookUp('acme/app', { pulls: true, branches: false })
    expect(numbersOf(refs)).toContain('this token has 10 an hour, of which 5 are reserved')
    expect(scene.pages()).toEqual([1])
  })
})

test('what passes is waited for', async () => {
  const { client, emulator, clock, told } = await prepared()
  const start = clock.time
  const headers = { 'retry-after': '90' }
  emulator.faults.add({ path: /pulls/, action: { status: 502 } })
  emulator.faults.add({ path: /branches/, action: { status: 429, headers } })
  const refs = await client.lookUp('acme/app', both)
  expect(numbersOf(refs)).toEqual([])
  expect(stateOf(refs, 'main')).toBe('exists')
  expect(clock.time - start).toBeGreaterThanOrEqual(90_000)
  expect(told).toHaveLength(1)
})

describe('the end of a run is no answer', () => {
  test('when time runs out', async () => {
    const { client, emulator } = await prepared({ deadline: minute })
    const headers = { 'retry-after': '90' }
    emulator.faults.add({ action: { status: 429, headers } })
    await expect(client.lookUp('acme/app', both)).rejects.toMatchObject({ code: 'out-of-time' })
  })

  test('when the quota is used up', async () => {
    const { client, emulator } = await prepared({ perHour: 0 })
    await expect(client.lookUp('acme/app', both)).rejects.toMatchObject({ code: 'out-of-quota' })
    expect(emulator.requests).toHaveLength(1)
  })

  test('when only the reserve of the quota is left', async () => {
    const { client } = await prepared({ perHour: 3, reserve: 0.5 })
    await client.lookUp('acme/app', { pulls: true, branches: false })
    await expect(client.lookUp('acme/app', both)).rejects.toMatchObject({ code: 'out-of-time' })
  })

  test('when it is cancelled in the middle', async () => {
    const { client, emulator, cancel } = await prepared()
    const run = () => {
      cancel.abort()
    }
    emulator.faults.add({ path: /pulls/, action: { run } })
    await expect(client.lookUp('acme/app', both)).rejects.toMatchObject({
      code: 'out-of-time',
      message: 'the run was cancelled',
    })
  })
})
