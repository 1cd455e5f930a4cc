import { describe, expect, test } from '@jest/globals'
import { image, pushTree } from '../../src/emulator/images.js'
import { goDuration } from '../../src/emulator/limits.js'
import { newYear, read, stage, tokens } from './emulator-kit.js'

const versions = '/orgs/acme/packages/container/api/versions'

/** How often a status came, as in `200 x 3, 403 x 1`. */
function tally(responses: readonly Response[]): string {
  const counts = new Map<number, number>()
  for (const { status } of responses) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${status} x ${count}`).join(', ')
}

async function repeat(times: number, ask: () => Promise<Response>): Promise<Response[]> {
  const responses: Response[] = []
  for (let n = 0; n < times; n++) responses.push(await ask())
  return responses
}

describe('points per minute', () => {
  test('180 deletes fit into 900 points and the next is refused', async () => {
    const { api, requests } = await stage()
    const remove = () => api(`${versions}/1`, { method: 'DELETE' })
    expect(tally(await repeat(180, remove))).toBe('404 x 180')
    const refused = await remove()
    expect(refused.status).toBe(403)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(Number(refused.headers.get('x-ratelimit-remaining'))).toBeGreaterThan(0)
    const requestId = refused.headers.get('x-github-request-id') ?? ''
    expect(await read(refused)).toEqual({
      documentation_url:
        'https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
      message: `You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID ${requestId}`,
    })
    expect(requests.reduce((sum, one) => sum + one.points, 0)).toBe(905)
  })

  test('a refusal lasts for its retry-after, for every request of that token', async () => {
    const { api, clock } = await stage({ limits: { pointsPerMinute: 3, retryAfterSeconds: 90 } })
    await repeat(4, () => api(versions))
    clock.now += 60_001
    const later = await api(versions)
    expect([later.status, later.headers.get('retry-after')]).toEqual([403, '30'])
    expect((await api(versions, { token: tokens.workflow })).status).toBe(404)
    clock.now += 30_000
    expect((await api(versions)).status).toBe(404)
  })

  test('it may come as 429 and without retry-after', async () => {
    const { api } = await stage({
      limits: { pointsPerMinute: 1, secondaryStatus: 429, retryAfterSeconds: undefined },
    })
    const [, refused] = await repeat(2, () => api(versions))
    expect([refused?.status, refused?.headers.has('retry-after')]).toEqual([429, false])
  })

  test('a steady pace below the limit goes on for ever', async () => {
    const { api, clock } = await stage({ limits: { requestsPerHour: { classic: 1e6 } } })
    const paced = () => {
      clock.now += 400
      return api(`${versions}/1`, { method: 'DELETE' })
    }
    expect(tally(await repeat(1500, paced))).toBe('404 x 1500')
  })
})

describe('the hourly quota', () => {
  test.each([
    [tokens.workflow, 1000],
    [tokens.all, 5000],
    ['', 60],
  ])('%s has %i requests', async (token, limit) => {
    const { api } = await stage()
    const headers = (await api('/users/acme', { token })).headers
    const names = ['limit', 'remaining', 'used', 'reset', 'resource']
    expect(names.map((name) => headers.get(`x-ratelimit-${name}`))).toEqual([
      String(limit),
      String(limit - 1),
      '1',
      String(newYear / 1000 + 3600),
      'core',
    ])
  })

  test('ends in its own refusal and begins anew after the hour', async () => {
    const { api, clock } = await stage({ limits: { requestsPerHour: { workflow: 2 } } })
    const ask = () => api('/users/acme', { token: tokens.workflow })
    const responses = await repeat(3, ask)
    expect(tally(responses)).toBe('200 x 2, 403 x 1')
    const refused = responses.at(-1)
    expect(refused?.headers.get('x-ratelimit-remaining')).toBe('0')
    expect(refused && (await read(refused))).toMatchObject({
      message: expect.stringMatching(/^API rate limit exceeded for installation ID \d+\./),
    })
    clock.now += 3_600_000
    expect((await ask()).status).toBe(200)
  })

  test('is shared by the tokens of one user and by those of one repository', async () => {
    const { api, store } = await stage()
    store.addToken({ token: 'ghs_emulator_1', kind: 'workflow', repository: 'acme/api' })
    store.addToken({ token: 'ghs_emulator_2', kind: 'workflow', repository: 'acme/api' })
    const used = async (token: string) =>
      (await api('/users/acme', { token })).headers.get('x-ratelimit-used')
    expect([await used(tokens.all), await used(tokens.reader)]).toEqual(['1', '2'])
    expect([await used('ghs_emulator_1'), await used('ghs_emulator_2')]).toEqual(['1', '2'])
  })

  test('/rate_limit tells it for free, and newer API versions leave `rate` out', async () => {
    const { api } = await stage()
    await api('/users/acme')
    const core = {
      limit: 5000,
      used: 1,
      remaining: 4999,
      reset: newYear / 1000 + 3600,
    }
    expect(await read(api('/rate_limit'))).toMatchObject({ resources: { core }, rate: core })
    const headers = { 'x-github-api-version': '2026-03-10' }
    expect(await read(api('/rate_limit', { headers }))).not.toHaveProperty('rate')
  })
})

test('more than the allowed number at the same time is refused', async () => {
  const { api } = await stage({ limits: { maxConcurrent: 5 }, latency: () => 300 })
  const responses = await Promise.all(Array.from({ length: 8 }, () => api('/users/acme')))
  expect(tally(responses).split(', ').sort().join(', ')).toBe('200 x 5, 403 x 3')
  expect((await api('/users/acme')).status).toBe(200)
})

test('without limits there are no headers about them either', async () => {
  const { api } = await stage({ limits: false })
  const responses = await repeat(1000, () => api('/users/acme', { token: '' }))
  expect(tally(responses)).toBe('200 x 1000')
  expect(responses[0]?.headers.has('x-ratelimit-limit')).toBe(false)
  expect((await api('/rate_limit')).status).toBe(404)
})

describe('the registry', () => {
  test('refuses reads beyond its own limit with a hint in its message', async () => {
    const { store, registry, clock } = await stage({ limits: { registryReadsPerMinute: 100 } })
    pushTree(store, { account: 'acme', package: 'api', tree: image(), tags: ['1'] })
    const ask = () => registry('/v2/acme/api/tags/list')
    expect(tally(await repeat(100, ask))).toBe('200 x 100')
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(await read(refused)).toEqual({
      errors: [{ code: 'TOOMANYREQUESTS', message: 'retry-after: 600ms, allowed: 100/minute' }],
    })
    clock.now += 600
    expect((await ask()).status).toBe(200)
  })

  test.each([
    [0.25, '250µs'],
    [12.5, '12.5ms'],
    [1500, '1.5s'],
    [65_000, '1m5s'],
  ])('%d ms is %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text)
  })
})
