import { describe, expect, test } from '@jest/globals'
import { image, pushTree } from '../../src/emulator/images.js'
import type { FaultAction } from '../../src/emulator/index.js'
import { read, stage, type Row } from './emulator-kit.js'

const versions = '/orgs/acme/packages/container/api/versions'
const place = { account: 'acme', package: 'api' }

async function prepared() {
  const scene = await stage()
  const ids = ['a', 'b', 'c'].map(
    (seed) => pushTree(scene.store, { ...place, tree: image({ seed }), tags: [seed] }).id,
  )
  const [first = 0] = ids
  return { ...scene, first, count: () => scene.store.versions('acme', 'api').length }
}

describe('one fault', () => {
  test.each<[string, FaultAction, number | 'broken', number]>([
    ['a status performs nothing', { status: 502 }, 502, 3],
    ['a reset performs nothing', 'reset', 'broken', 3],
    ['a lost answer performs and breaks', 'lostAnswer', 'broken', 2],
    ['a lost answer may come as an error', { lostAnswer: 500 }, 500, 2],
    ['a body alone performs', { body: 'no content' }, 204, 2],
    ['a delay performs', { delay: 5 }, 204, 2],
    ['headers alone perform', { headers: { 'x-extra': '1' } }, 204, 2],
  ])('%s', async (_, action, outcome, left) => {
    const { api, faults, requests, first, count } = await prepared()
    faults.add({ name: 'the fault', method: 'DELETE', path: /versions/, action })
    const answer = api(`${versions}/${first}`, { method: 'DELETE' }).then(
      ({ status }) => status,
      () => 'broken' as const,
    )
    expect(await answer).toBe(outcome)
    expect(count()).toBe(left)
    expect(requests.at(-1)).toMatchObject({
      method: 'DELETE',
      kind: 'delete',
      points: 5,
      authorization: 'token',
      status: outcome === 'broken' ? undefined : outcome,
      faults: ['the fault'],
    })
  })

  test('a truncated body announces more than it brings', async () => {
    const { api, faults } = await prepared()
    faults.add({ action: 'truncate' })
    const response = await api(versions)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  })

  test('a redirect leads where it says', async () => {
    const { api, apiUrl, faults } = await prepared()
    faults.add({ path: /versions/, action: { redirect: `${apiUrl}/users/acme` } })
    expect(await read(api(versions))).toMatchObject({ login: 'acme' })
  })

  test('a hanging request ends with close', async () => {
    const { api, faults, close, requests } = await prepared()
    faults.add({ action: 'hang' })
    const answer = api(versions).then(
      () => 'answered',
      () => 'broken',
    )
    while (requests.length === 0) await new Promise(setImmediate)
    await close()
    expect(await answer).toBe('broken')
  })

  test('a request waits for what must happen first, and performs nothing until then', async () => {
    const { api, faults, first, count, requests } = await prepared()
    const isRead = () => requests.some(({ method }) => method === 'GET')
    faults.add({ method: 'DELETE', action: { until: isRead } })
    const deleted = api(`${versions}/${first}`, { method: 'DELETE' })
    while (requests.length === 0) await new Promise(setImmediate)
    expect(count()).toBe(3)
    expect(await read(api(versions))).toHaveLength(3)
    expect((await deleted).status).toBe(204)
    expect(count()).toBe(2)
  })

  test('a request that waits for ever ends with close', async () => {
    const { api, faults, close, requests } = await prepared()
    faults.add({ action: { until: () => false } })
    const answer = api(versions).catch(() => 'broken')
    while (requests.length === 0) await new Promise(setImmediate)
    await close()
    expect(await answer).toBe('broken')
  })

  test('a held answer does not hold up close', async () => {
    const { close, api, requests } = await stage({ latency: () => 3_600_000 })
    const answer = api(versions).catch(() => 'broken')
    while (requests.length === 0) await new Promise(setImmediate)
    await close()
    expect(await answer).toBe('broken')
  })

  test('the body may be made from the true one', async () => {
    const { api, faults } = await prepared()
    faults.add({ action: { body: (original) => original.replace('created_at', 'created') } })
    const [row] = await read<Row[]>(api(versions))
    expect(row).not.toHaveProperty('created_at')
  })

  test('errors are worded as the service words them', async () => {
    const { api, registry, faults } = await prepared()
    faults.add({ times: 2, action: { status: 500 } })
    expect(await read(api(versions))).toMatchObject({ message: 'Server Error', status: '500' })
    expect(await read(registry('/v2/'))).toMatchObject({ errors: [{ message: 'Server Error' }] })
  })
})

describe('which requests', () => {
  const statuses = async (asks: (() => Promise<Response>)[]) => {
    const found: number[] = []
    for (const ask of asks) found.push((await ask()).status)
    return found
  }

  test('after so many, so many times', async () => {
    const { api, faults } = await prepared()
    faults.add({ path: /page=/, after: 1, times: 2, action: { status: 500 } })
    const ask = () => api(`${versions}?page=1`)
    expect(await statuses([ask, () => api(versions), ask, ask, ask])).toEqual([
      200, 200, 500, 500, 200,
    ])
  })

  test('of one service, or those that a question picks', async () => {
    const { api, registry, faults } = await prepared()
    faults.add({ service: 'registry', times: Infinity, action: { status: 503 } })
    const stop = faults.add({
      when: (ask) => ask.query.get('page') === '2',
      times: Infinity,
      action: { status: 500 },
    })
    const second = () => api(`${versions}?page=2`)
    expect(await statuses([() => api(versions), () => registry('/v2/'), second])).toEqual([
      200, 503, 500,
    ])
    stop()
    expect(await statuses([second])).toEqual([200])
    faults.clear()
    expect(await statuses([() => registry('/v2/')])).toEqual([200])
  })
})

describe('several faults', () => {
  test('befall one request together', async () => {
    const { api, faults, requests, count, first } = await prepared()
    faults.add({ name: 'slow', action: { delay: 5 } })
    faults.add({
      name: 'moved',
      action: {
        run: (store) => {
          store.setTags('acme', 'api', 'a', ['z'])
        },
      },
    })
    faults.add({ name: 'lost', action: { lostAnswer: 502, headers: { 'x-extra': '1' } } })
    const response = await api(`${versions}/${first}`, { method: 'DELETE' })
    expect([response.status, response.headers.get('x-extra'), count()]).toEqual([502, '1', 2])
    expect(requests.at(-1)?.faults).toEqual(['slow', 'moved', 'lost'])
  })

  test('a row that comes between two pages shifts the second', async () => {
    const { api, faults, store } = await prepared()
    faults.add({
      path: /[?&]page=2/,
      action: { run: () => pushTree(store, { ...place, tree: image({ seed: 'new' }) }) },
    })
    const one = await read<Row[]>(api(`${versions}?per_page=2&page=1`))
    const two = await read<Row[]>(api(`${versions}?per_page=2&page=2`))
    expect(two[0]?.id).toBe(one[1]?.id)
  })
})

test('a bug of the emulator answers 500 and is kept', async () => {
  const { api, faults, errors, requests } = await prepared()
  const bug = new Error('bug')
  faults.add({
    action: {
      run: () => {
        throw bug
      },
    },
  })
  const response = await api(versions)
  expect(response.status).toBe(500)
  expect(errors.splice(0)).toEqual([bug])
  expect(requests.at(-1)?.status).toBe(500)
})

test('the log keeps no token, wherever it came', async () => {
  const { api, registry, requests } = await prepared()
  await api(`${versions}?token=ghp_emulator_all`, { method: 'POST' })
  await registry('/v2/', { token: 'ghp_emulator_all' })
  await api('/user', { token: '', headers: { authorization: 'ghp_emulator_all' } })
  expect(JSON.stringify(requests)).not.toContain('ghp_emulator_all')
  expect(JSON.stringify(requests)).not.toContain(btoa('ghp_emulator_all'))
})

test('latency is asked for each kind of request', async () => {
  const asked: string[] = []
  const latency = ({ service, kind }: { service: string; kind: string }) => {
    asked.push(`${service} ${kind}`)
    return 0
  }
  const { api, registry } = await stage({ latency })
  await api(versions)
  await api(`${versions}/1`, { method: 'DELETE' })
  await registry('/v2/acme/api/manifests/x')
  await registry('/token', { token: '' })
  expect(asked).toEqual(['api list', 'api delete', 'registry manifest', 'registry other'])
})
