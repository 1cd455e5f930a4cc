import { expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { deletesAsked, hurried, push, registry, runAction, tagsLeft, tokens } from './kit.js'

/** So many old images, and a young one. */
function fill(emulator: Emulator, count: number): void {
  for (let i = 0; i < count; i++) push(emulator, image({ seed: `${i}` }), { tags: [`pr-${i}`] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
}

const progress = (log: string) =>
  log.split('\n').filter((line) => / of \d+ .* \(\d+ %\)/.test(line))

test('a log hears every half minute how far the deletes have come, and in a pause why nothing happens', async () => {
  const emulator = await registry()
  fill(emulator, 100)
  const body = '{"message":"You have exceeded a secondary rate limit."}'
  const headers = { 'retry-after': '70' }
  emulator.faults.add({ method: 'DELETE', after: 50, action: { status: 403, body, headers } })

  const run = await runAction(
    emulator,
    { 'deletes-per-minute': '60', token: tokens.classic },
    hurried,
  )

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1'])
  expect(deletesAsked(emulator)).toBe(101)
  const lines = progress(run.log)
  expect(lines[0]).toMatch(
    /^acme\/app: (2|3)\d of 100 deletes done \(\d+ %\), (5|6)\d a minute, about 1m( \d+s)? left$/,
  )
  expect(run.log).toMatch(
    /::warning::GitHub asks to slow down \(403\); waiting 70 s, then at most \d+ deletes a minute/,
  )
  expect(lines.filter((line) => line.includes('GitHub asked to slow down')).length).toBe(2)
  expect(lines).toContainEqual(
    expect.stringMatching(
      /: 5\d of 100 deletes done .* paused until \d\d:\d\d:\d\d UTC \(GitHub asked to slow down\)$/,
    ),
  )
})

test('a log hears beforehand that the quota will not last', async () => {
  const emulator = await registry({ limits: { requestsPerHour: { workflow: 100 } } })
  fill(emulator, 99)

  const run = await runAction(emulator, { 'deletes-per-minute': '60' }, hurried)

  expect(run.exitCode).toBe(0)
  expect(progress(run.log)[0]).toMatch(
    /will stop at \d\d:\d\d:\d\d UTC \(\d+ of 100 API requests are left this hour\)$/,
  )
})

test('a package whose listing alone would eat into the reserve is not listed, and the others are', async () => {
  const emulator = await registry({ limits: { requestsPerHour: { workflow: 20 } } })
  for (let i = 0; i < 1700; i++) push(emulator, image({ seed: `${i}` }), {})
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })

  const run = await runAction(emulator, { 'image-names': 'app web' })

  expect(run.exitCode).toBe(0)
  expect(run.log).toMatch(
    /acme\/app: not looked at: listing it takes 17 more requests: 17 of 20 API requests are left this hour, and 2 are reserved for other workflows; the next run can go on at \d\d:\d\d UTC\./,
  )
  expect(run.outputs).toMatchObject({ 'skipped-packages': 'app', 'deleted-count': '1' })
})

test('a package that no hour of the token is enough for is an error', async () => {
  const emulator = await registry({ limits: { requestsPerHour: { workflow: 10 } } })
  for (let i = 0; i < 1001; i++) push(emulator, image({ seed: `${i}` }), {})

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain(
    '::error::acme/app: left alone, nothing in it is deleted: listing it takes 11 more requests, and this token has 10 an hour, of which 1 are reserved. Use a classic personal access token, which has 5,000 an hour, or a smaller quota-reserve.',
  )
})

test('the reserve is as large as it is wanted', async () => {
  const emulator = await registry({ limits: { requestsPerHour: { workflow: 100 } } })
  fill(emulator, 99)

  const run = await runAction(emulator, { 'quota-reserve': '50%', verify: 'false' })

  expect(run.exitCode).toBe(0)
  const asked = emulator.requests.filter(({ service }) => service === 'api').length
  expect(asked).toBeGreaterThan(45)
  expect(asked).toBeLessThanOrEqual(50)
})
