import { expect, test } from '@jest/globals'
import { image, pushTree } from '../../src/emulator/images.js'
import { wholeRun } from './in-process.js'
import { account, openStage, type Stage } from './kit.js'
import { day } from './registries.js'

/** So many old images in a package, and a young one that stays. */
function fill({ emulator, clock }: Stage, name: string, count: number): void {
  const push = (seed: string, tag: string, daysAgo: number) => {
    const at = clock.now() - daysAgo * day
    pushTree(emulator.store, { account, package: name, tree: image({ seed }), tags: [tag], at })
  }
  for (let i = 1; i <= count; i++) push(`${i}`, `pr-${i}`, 400 - i)
  push('new', 'v1', 1)
}

/** Two jobs of a matrix, each with a package of its own, on the points and the quota of one token. */
async function twoJobs(pace: string) {
  const stage = await openStage({ isPatient: true, limits: {} })
  const { emulator, clock } = stage
  const { token, names } = stage.newCase()
  for (const name of names) fill(stage, name, 150)
  const begun = clock.now()
  const jobs = await Promise.all(
    names.map((name) =>
      wholeRun(emulator, clock, { token, 'image-names': name, 'deletes-per-minute': pace }),
    ),
  )
  const deletes = emulator.requests.filter(({ method }) => method === 'DELETE')
  const limited = emulator.requests.filter(({ status }) => status === 403 || status === 429)
  const left = names.map((name) => emulator.store.versions(account, name).length)
  await stage.close()
  return { jobs, deletes, limited, left, seconds: (clock.now() - begun) / 1000 }
}

test('two jobs at half the pace each meet no limit', async () => {
  const { jobs, deletes, limited, left, seconds } = await twoJobs('75')

  expect(jobs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(left).toEqual([1, 1])
  expect(limited).toEqual([])
  expect(deletes).toHaveLength(300)
  expect(seconds).toBeLessThan(125)
}, 120_000)

test('two jobs at full pace are slowed down by GitHub, do all their work, and are no faster', async () => {
  const { jobs, deletes, limited, left, seconds } = await twoJobs('150')

  expect(jobs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(left).toEqual([1, 1])
  expect(limited.length).toBeGreaterThan(0)
  expect(deletes.filter(({ status }) => status === 204)).toHaveLength(300)
  expect(seconds).toBeGreaterThan(120)
}, 120_000)
