import { expect, test } from '@jest/globals'
import { fetch } from 'undici'
import { image } from '../../src/emulator/images.js'
import { PackagesClient } from '../../src/packages.js'
import { Pacer } from '../../src/pacing.js'
import { push, registry, tokens } from '../scenarios/kit.js'
import { testClock } from './clock.js'

const minute = 60_000

/** A package of so many rows, and a client of it; the time of both passes only when the client sleeps. */
async function packageOf(rows: number, options: { deadline?: number; points?: number } = {}) {
  const clock = testClock()
  const emulator = await registry({ now: clock.now })
  for (let i = 0; i < rows; i++) push(emulator, image({ seed: `${i}` }))
  const deadline = options.deadline === undefined ? undefined : clock.time + options.deadline
  const limits = {
    deletesPerMinute: 150,
    pointsPerMinute: options.points ?? 900,
    quotaReserve: 0.1,
  }
  const pacer = new Pacer({ ...limits, clock, deadline })
  const told: string[] = []
  const client = new PackagesClient({
    apiUrl: emulator.apiUrl,
    token: tokens.classic,
    fetch,
    clock,
    pacer,
    told: (message) => told.push(message),
    cancelled: new AbortController().signal,
  })
  const account = await client.findAccount('acme')
  const pages: string[] = []
  const versions = client.openPackage(account, 'app', (done, of) => pages.push(`${done}/${of}`))
  return { clock, emulator, pacer, told, versions, pages, start: clock.time }
}

test('what a plugin repeats is counted as well', async () => {
  const { emulator, versions, clock, pacer } = await packageOf(1)
  emulator.faults.add({ path: /versions/, action: { status: 502 } })
  await versions.listVersions()
  expect(emulator.requests).toHaveLength(4)
  const left = 900 - 4
  for (let i = 0; i < left; i++) {
    await pacer.api.enter()
    pacer.api.leave()
  }
  const before = clock.time
  await pacer.api.enter()
  expect(clock.time - before).toBe(61_000)
})

test.each([403, 429])(
  'a limit of %d is waited for on the clock of the run, once for all that were on their way',
  async (status) => {
    const { emulator, versions, clock, told, start } = await packageOf(350)
    const body = '{"message":"You have exceeded a secondary rate limit."}'
    const headers = { 'retry-after': '90' }
    emulator.faults.add({ path: /page=2/, action: { status, body, headers } })
    emulator.faults.add({ path: /page=3/, action: { status, body, headers } })

    expect(await versions.listVersions()).toHaveLength(350)

    // The second answer may come when the clock has jumped into the pause already.
    expect(clock.time - start).toBeGreaterThanOrEqual(90_000)
    expect(clock.time - start).toBeLessThanOrEqual(180_000)
    expect(emulator.requests.filter(({ status: answered }) => answered === status)).toHaveLength(2)
    expect(emulator.requests).toHaveLength(1 + 4 + 1 + 1 + 2)
    expect(told).toEqual([
      `GitHub asks to slow down (${status}); waiting 90 s, then at most 90 deletes a minute.`,
    ])
  },
)

test('a limit that the time budget does not bear is the end of the run, and no fault of the package', async () => {
  const { emulator, versions, clock, told, start } = await packageOf(350, { deadline: minute })
  const headers = { 'retry-after': '90' }
  emulator.faults.add({ path: /page=2/, action: { status: 429, headers } })
  await expect(versions.listVersions()).rejects.toMatchObject({ code: 'out-of-time' })
  expect(clock.time).toBe(start)
  expect(told).toEqual([
    'GitHub asks to slow down (429) and to wait 90 s, for which the time budget does not last.',
  ])
})

test('a listing keeps to the points of a minute, and goes on in the next', async () => {
  const { emulator, versions, clock, start, pages } = await packageOf(1500, { points: 10 })
  expect(await versions.listVersions()).toHaveLength(1500)
  expect(clock.time - start).toBe(61_000)
  expect(emulator.requests.filter(({ at }) => at === start).length).toBeLessThanOrEqual(10)
  expect(emulator.requests).toHaveLength(1 + 15 + 1 + 1)
  expect([pages[0], pages.at(-1)]).toEqual(['1/15', '15/15'])
})

test('a run whose time would be over before the next minute ends at once, and asks for nothing more', async () => {
  const { emulator, versions, clock, start } = await packageOf(1500, {
    points: 10,
    deadline: minute,
  })
  await expect(versions.listVersions()).rejects.toMatchObject({ code: 'out-of-time' })
  expect(clock.time).toBe(start)
  await new Promise(setImmediate)
  expect(emulator.requests).toHaveLength(10)
})
