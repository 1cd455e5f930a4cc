import { expect, test } from '@jest/globals'
import { image, index, multiArchImage, referrer } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import {
  broken,
  digestsLeft,
  digestsOf,
  hurried,
  listed,
  push,
  registry,
  runAction,
  tagsLeft,
  tokens,
  type ActionRun,
} from './kit.js'

type Inputs = Partial<Record<InputName, string>>

/** Two jobs in processes of their own, with a token each. Nothing goes before both have asked for a delete. */
async function atOnce(emulator: Emulator, ...jobs: [Inputs, Inputs]): Promise<ActionRun[]> {
  const askers = new Set<string | undefined>()
  emulator.faults.add({
    method: 'DELETE',
    times: Infinity,
    when: ({ headers }) => askers.add(headers.authorization).size > 0,
    action: { until: () => askers.size === 2, delay: 10 },
  })
  const [one, other] = jobs
  return Promise.all([
    runAction(emulator, one),
    runAction(emulator, { ...other, token: tokens.classic }),
  ])
}

/** How often each version's delete was asked for, and how often the answer was that it is not there. */
function deletesOf({ requests }: Emulator) {
  const deletes = requests.filter(({ method }) => method === 'DELETE')
  const times = new Map<string, number>()
  for (const { path } of deletes) times.set(path, (times.get(path) ?? 0) + 1)
  return {
    most: Math.max(...times.values()),
    missed: deletes.filter((d) => d.status === 404).length,
  }
}

test('two jobs with one policy delete together what one would, count nothing twice, and neither fails', async () => {
  const emulator = await registry()
  for (let i = 0; i < 12; i++)
    push(emulator, multiArchImage({ seed: `${i}` }), { tags: [`pr-${i}`], daysAgo: 50 + i })
  const release = push(emulator, multiArchImage({ seed: 'release' }), { tags: ['v1'] })

  const jobs = await atOnce(emulator, { 'image-tags': 'pr-*' }, { 'image-tags': 'pr-*' })

  expect(jobs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(digestsLeft(emulator)).toEqual(new Set(digestsOf(release)))
  expect(await broken(emulator)).toEqual([])
  const [one = [], two = []] = jobs.map(({ outputs }) => listed(outputs.deleted))
  expect(new Set([...one, ...two]).size).toBe(36)
  expect(one.length + two.length).toBe(36)
  const { most, missed } = deletesOf(emulator)
  expect(most).toBe(2)
  expect(missed).toBe(36)
  for (const { log, outputs } of jobs) {
    const mine = listed(outputs.deleted).length
    const gone = mine === 36 ? '' : `, ${36 - mine} already gone`
    expect(log).toContain(`acme/app: ${mine} deleted${gone} in`)
    expect(outputs).toMatchObject({ 'failed-count': '0', 'remaining-count': '0' })
  }
})

test('two jobs with policies of their own break nothing that stays, whatever the one takes from the other', async () => {
  const emulator = await registry()
  const shared = image({ seed: 'shared' })
  const around = (name: string) => index([shared, image({ seed: name })], { annotations: { name } })
  for (const tag of ['pr-1', 'ci-1', 'v1']) push(emulator, around(tag), { tags: [tag] })
  for (const tag of ['pr-2', 'ci-2', 'v2']) {
    const tree = push(emulator, multiArchImage({ seed: tag }), { tags: [tag] })
    push(emulator, referrer(tree))
  }

  const jobs = await atOnce(emulator, { 'image-tags': 'pr-*' }, { 'image-tags': 'ci-*' })

  expect(jobs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
  expect(await broken(emulator)).toEqual([])
  expect(digestsLeft(emulator).size).toBe(3 + 4)
  for (const { plan } of jobs) expect(JSON.stringify(plan)).toContain('"losses":[]')
})

test('a job that begins while another deletes takes what went meanwhile for no trouble', async () => {
  const emulator = await registry()
  for (let i = 0; i < 12; i++)
    push(emulator, image({ seed: `${i}` }), { tags: [`pr-${i}`], daysAgo: 50 + i })
  push(emulator, image({ seed: 'release' }), { tags: ['v1'] })
  const { store } = emulator
  // The other job deletes the oldest image after this one has listed it and before it has read it.
  const run = () => {
    store.deleteVersion('acme', 'app', 'pr-11')
  }
  emulator.faults.add({ service: 'registry', method: 'GET', path: /manifests/, action: { run } })

  const job = await runAction(emulator, { 'image-tags': 'pr-*' }, hurried)

  expect(job.exitCode).toBe(0)
  expect(job.outputs).toMatchObject({ 'deleted-count': '11', 'skipped-packages': '' })
  expect(tagsLeft(emulator)).toEqual(['v1'])
})
