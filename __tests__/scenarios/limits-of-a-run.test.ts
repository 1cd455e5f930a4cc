import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { broken, deletesAsked, digestsLeft, push, registry, runAction, tagsLeft } from './kit.js'

/** So many old images, and a young one. */
function fill(emulator: Emulator, count: number, name = 'app'): void {
  for (let i = 0; i < count; i++) {
    push(emulator, image({ seed: `${name} ${i}` }), { tags: [`pr-${i}`], name })
  }
  push(emulator, image({ seed: `${name} new` }), { tags: ['v1'], daysAgo: 1, name })
}

test('more deletions than max-deletions: the package is refused, the others go on', async () => {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  fill(emulator, 2, 'web')

  const run = await runAction(emulator, { 'image-names': 'app web', 'max-deletions': '2' })

  expect(run.exitCode).toBe(1)
  expect(digestsLeft(emulator).size).toBe(4)
  expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
  expect(run.outputs).toMatchObject({ 'skipped-packages': 'app', 'deleted-count': '2' })
  expect(run.log).toContain(
    '::error::acme/app: left alone, nothing in it is deleted: 3 versions would go, and max-deletions allows 2.',
  )
  expect(run.plan.packages.map(({ refusals }) => refusals.map(({ code }) => code))).toEqual([
    ['max-deletions'],
    [],
  ])
})

test('max-deletions refuses in a dry run too, so that the preview shows it', async () => {
  const emulator = await registry()
  fill(emulator, 3)

  const run = await runAction(emulator, { 'max-deletions': '2', 'dry-run': 'true' })

  expect(run.exitCode).toBe(1)
  expect(run.outputs['skipped-packages']).toBe('app')
})

test('max-deletions 0 allows a package in which nothing would go', async () => {
  const emulator = await registry()
  fill(emulator, 0)

  const run = await runAction(emulator, { 'max-deletions': '0' })

  expect(run.exitCode).toBe(0)
})

test('a time budget stops cleanly between two deletes, and the next run goes on', async () => {
  const emulator = await registry()
  for (const i of [1, 2, 3]) {
    push(emulator, multiArchImage({ seed: `${i}` }), { tags: [`pr-${i}`], daysAgo: 50 - i })
  }
  fill(emulator, 1, 'web')
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

  const run = await runAction(emulator, {
    'image-names': 'app, web',
    'time-budget': '8s',
    'deletes-per-minute': '6',
  })

  expect(run.exitCode).toBe(0)
  expect(deletesAsked(emulator)).toBe(1)
  expect(tagsLeft(emulator)).toEqual(['pr-2', 'pr-3', 'v1'])
  expect(tagsLeft(emulator, 'web')).toEqual(['pr-0', 'v1'])
  expect(run.outputs).toMatchObject({
    'deleted-count': '1',
    'failed-count': '0',
    'remaining-count': '9',
    'skipped-packages': '',
  })
  expect(run.log).toContain('the time budget is used up; the next run goes on from here')
  expect(run.summary).toContain('<summary>Not tried: 8</summary>')
  expect(await broken(emulator)).toEqual([])

  const next = await runAction(emulator, { 'image-names': 'app, web' })
  expect(next.outputs).toMatchObject({ 'deleted-count': '9', 'remaining-count': '0' })
  expect(digestsLeft(emulator).size).toBe(1)
})

test('a time budget that is used up before a package has its turn', async () => {
  const emulator = await registry()
  fill(emulator, 1)
  fill(emulator, 1, 'web')
  emulator.faults.add({ path: /app\/versions\?/, action: { delay: 1000 } })

  const run = await runAction(emulator, { 'image-names': 'app, web', 'time-budget': '1s' })

  expect(run.exitCode).toBe(0)
  expect(deletesAsked(emulator)).toBe(0)
  expect(run.outputs).toMatchObject({ 'skipped-packages': 'app,web', 'remaining-count': '0' })
  expect(run.log).toContain('acme/web: not looked at: the time budget is used up')
  expect(run.summary).toContain('Not looked at')
})

/** An emulator with an hourly quota of 100, of which 10 are kept back, and slow deletes. */
async function withQuota(): Promise<Emulator> {
  const emulator = await registry({
    limits: { requestsPerHour: { workflow: 100 } },
    latency: ({ kind }) => (kind === 'delete' ? 30 : 0),
  })
  fill(emulator, 97)
  return emulator
}

test('the hourly quota: a reserve stays for the other workflows, and the run says when to come back', async () => {
  const emulator = await withQuota()

  const run = await runAction(emulator)

  const asked = emulator.requests.filter(({ service }) => service === 'api').length
  const deleted = Number(run.outputs['deleted-count'])
  expect(run.exitCode).toBe(0)
  expect(asked).toBeLessThanOrEqual(90)
  expect(deleted).toBeGreaterThanOrEqual(80)
  expect(deleted).toBe(deletesAsked(emulator))
  expect(run.outputs).toMatchObject({
    'failed-count': '0',
    'remaining-count': String(97 - deleted),
  })
  expect(tagsLeft(emulator)).toHaveLength(98 - deleted)
  expect(run.log).toMatch(
    /of 100 API requests are left this hour, and 10 are reserved for other workflows; the next run can go on at \d\d:\d\d UTC/,
  )
})

test('what the quota does not allow any more is not even listed, so that the reserve stays whole', async () => {
  const emulator = await withQuota()
  fill(emulator, 1, 'web')
  // Other workflows take what is above the reserve while this run deletes.
  const headers = { 'x-ratelimit-remaining': '10' }
  emulator.faults.add({ method: 'DELETE', action: { headers } })

  const run = await runAction(emulator, { 'image-names': 'app web', verify: 'false' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['skipped-packages']).toBe('web')
  expect(run.log).toContain('acme/web: not looked at: 10 of 100 API requests are left this hour')
  expect(emulator.requests.filter(({ path }) => path.includes('/web/versions'))).toEqual([])
})

test('a quota that is used up in the middle of the deletes leaves the rest to the next run', async () => {
  const emulator = await registry({ limits: { requestsPerHour: { workflow: 5 } } })
  fill(emulator, 6)
  const hideQuota = { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '900' }
  emulator.faults.add({ times: 5, service: 'api', action: { headers: hideQuota } })

  const run = await runAction(emulator, { 'deletes-per-minute': '600' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs).toMatchObject({ 'deleted-count': '2', 'remaining-count': '4' })
  expect(run.log).toMatch(/quota|left this hour/)
})

test('a quota that is used up from the start', async () => {
  const emulator = await registry({ limits: { requestsPerHour: { workflow: 0 } } })
  fill(emulator, 1)

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('The hourly quota is used up; run again in the next hour.')
  expect(emulator.requests).toHaveLength(1)
})

test('a server without limits, as GHES has none, under its own path', async () => {
  const emulator = await registry({ limits: false })
  fill(emulator, 3)

  const run = await runAction(emulator, {}, { GITHUB_API_URL: `${emulator.apiUrl}/api/v3` })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('3')
})

test('a pause that GitHub asks for and the time budget does not bear ends the run cleanly', async () => {
  const emulator = await registry()
  fill(emulator, 3)
  const body = '{"message":"You have exceeded a secondary rate limit."}'
  const headers = { 'retry-after': '60' }
  emulator.faults.add({ method: 'DELETE', after: 1, action: { status: 403, body, headers } })

  const run = await runAction(emulator, { 'time-budget': '50s', 'deletes-per-minute': '300' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs).toMatchObject({
    'deleted-count': '1',
    'failed-count': '0',
    'remaining-count': '2',
  })
  expect(deletesAsked(emulator)).toBe(2)
  expect(run.log).toContain(
    '::warning::GitHub asks to slow down (403) and to wait 60 s, for which the time budget does not last.',
  )
  expect(run.log).toMatch(/2 not tried in \d+s \(GitHub asks to wait 1m\)/)
})

test('a pause of days is not waited for, whatever the time budget', async () => {
  const emulator = await registry()
  fill(emulator, 3)
  const headers = { 'retry-after': '3000000' }
  emulator.faults.add({ method: 'DELETE', after: 1, action: { status: 429, headers } })

  const run = await runAction(emulator, { 'deletes-per-minute': '600' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('1')
  expect(run.log).toMatch(/2 not tried in \d+s \(GitHub asks to wait 34d 17h\)/)
})
