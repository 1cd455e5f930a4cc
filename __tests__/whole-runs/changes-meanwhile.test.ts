import { expect, test } from '@jest/globals'
import { image, index, multiArchImage, referrer } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { RawInputs } from '../../src/inputs.js'
import { testClock } from '../edges/clock.js'
import {
  broken,
  day,
  digestsLeft,
  digestsOf,
  idOf,
  push,
  registry,
  tagsLeft,
} from '../scenarios/kit.js'
import { wholeRun } from './in-process.js'

/**
 * A package in which so many old images go, from `pr-1` on, one a second by the clock; and a young one that stays.
 * What is pushed before is older than all of them and what is pushed as `last` goes last.
 */
async function longRun(count = 200) {
  const clock = testClock()
  const emulator = await registry({ now: clock.now })
  for (let i = 1; i <= count; i++)
    push(emulator, image({ seed: `${i}` }), { tags: [`pr-${i}`], daysAgo: 400 - i })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  const prune = (inputs: RawInputs = {}) =>
    wholeRun(emulator, clock, { 'deletes-per-minute': '60', ...inputs })
  return { emulator, prune }
}

/** Lets something happen on GitHub right after so many deletes of the run. */
function afterDeletes({ faults }: Emulator, count: number, change: () => void): void {
  faults.add({ method: 'DELETE', after: count - 1, action: { runAfter: change } })
}

/** Requests that only look again: pages of versions after the first delete. */
function looks({ requests }: Emulator): number {
  const first = requests.findIndex(({ method }) => method === 'DELETE')
  return requests
    .slice(first)
    .filter(({ method, service }) => method === 'GET' && service === 'api').length
}

test('a tag that comes to a planned version keeps it, and the rest goes', async () => {
  const { emulator, prune } = await longRun()
  const id = idOf(emulator, 'pr-110')
  afterDeletes(emulator, 45, () => {
    emulator.store.setTags('acme', 'app', 'pr-110', ['pr-110', 'production'])
  })

  const run = await prune({ 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['pr-110', 'production', 'v1'])
  expect(run.outputs).toMatchObject({
    'deleted-count': '199',
    'kept-count': '2',
    'remaining-count': '0',
    failed: '',
  })
  expect(run.log.join('\n')).toMatch(
    new RegExp(`info: stays after a change on GitHub: app .*version ${id}, sha256:\\w+\\): `),
  )
  expect(run.summary).toContain('Changed meanwhile, so they stay: 1')
})

test('looking again costs at most one request for ten deletes, and nothing when the run is short', async () => {
  const long = await longRun()
  await long.prune()
  expect(looks(long.emulator)).toBeGreaterThan(3)
  expect(looks(long.emulator)).toBeLessThanOrEqual(20)

  const short = await longRun(40)
  await short.prune({ verify: 'false' })
  expect(looks(short.emulator)).toBe(0)
})

test('page 1 costs nothing of the quota until the deletes come to it', async () => {
  const { emulator, prune } = await longRun()
  await prune()
  const firstPages = emulator.requests.filter(({ path }) => /[?&]page=1&/.test(`${path}&`))
  expect(firstPages.map(({ status }) => status)).toEqual([200, 304, 304, 200, 200, 200])
})

test('a new index around old children keeps them', async () => {
  const { emulator, prune } = await longRun()
  const old = push(emulator, multiArchImage({ seed: 'shared' }), { tags: ['pr-last'], daysAgo: 50 })
  const around = index(old.children, { annotations: { built: 'again' } })
  afterDeletes(emulator, 100, () => {
    push(emulator, around, { tags: ['v2'], daysAgo: 0 })
  })

  const run = await prune()

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
  expect(await broken(emulator)).toEqual([])
  expect(run.outputs).toMatchObject({ 'deleted-count': '201', 'kept-count': '3' })
})

test('children pushed again long before their index comes are kept when it has come', async () => {
  const { emulator, prune } = await longRun()
  const [child, other] = ['linux/amd64', 'linux/arm64'].map((platform) =>
    push(emulator, image({ seed: 'untagged', platform }), { daysAgo: 60 }),
  )
  if (child === undefined || other === undefined) throw new Error('two children were pushed')
  afterDeletes(emulator, 30, () => push(emulator, child, { daysAgo: 0 }))
  afterDeletes(emulator, 90, () => push(emulator, index([child]), { tags: ['v2'], daysAgo: 0 }))

  await prune()

  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
  expect(digestsLeft(emulator).has(child.digest)).toBe(true)
  expect(digestsLeft(emulator).has(other.digest)).toBe(false)
  expect(await broken(emulator)).toEqual([])
})

test('an image that is pushed again after its index went keeps its children', async () => {
  const { emulator, prune } = await longRun(20)
  const image = push(emulator, multiArchImage({ seed: 'again' }), { tags: ['pr-0'], daysAgo: 500 })
  // What GitHub limits has its turn a minute later.
  const body = '{"message":"You have exceeded a secondary rate limit."}'
  emulator.faults.add({ method: 'DELETE', after: 1, times: 10, action: { status: 403, body } })
  afterDeletes(emulator, 1, () => push(emulator, image, { tags: ['v2'], daysAgo: 0 }))

  await prune()

  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
  expect(await broken(emulator)).toEqual([])
})

test('an image that is signed meanwhile stays with its signature', async () => {
  const { emulator, prune } = await longRun()
  const image = push(emulator, multiArchImage({ seed: 'signed' }), {
    tags: ['pr-last'],
    daysAgo: 50,
  })
  afterDeletes(emulator, 100, () => push(emulator, referrer(image), { daysAgo: 0 }))

  const run = await prune()

  expect(tagsLeft(emulator)).toEqual(['pr-last', 'v1'])
  expect(digestsOf(image).every((digest) => digestsLeft(emulator).has(digest))).toBe(true)
  expect(run.outputs['deleted-count']).toBe('200')
})

test('what somebody else deletes or brings back in the middle of the rows is noticed', async () => {
  const { emulator, prune } = await longRun()
  const hidden = index([image({ seed: 'child' })])
  push(emulator, hidden, { tags: ['v0'], daysAgo: 100 })
  const { store } = emulator
  store.deleteVersion('acme', 'app', 'v0')
  afterDeletes(emulator, 30, () => {
    store.deleteVersion('acme', 'app', 'pr-150')
    const row = store.deletedVersions('acme', 'app').find(({ digest }) => digest === hidden.digest)
    if (row !== undefined) store.package('acme', 'app')?.restore(row, store.now())
  })

  const run = await prune()

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v0', 'v1'])
  expect(await broken(emulator)).toEqual([])
  expect(run.outputs).toMatchObject({ 'deleted-count': '199' })
  expect(run.log.join('\n')).toContain('1 already gone')
})

/** Many old images that stay, so that there are pages between others. */
function keep(emulator: Emulator, count: number, daysAgo: number): void {
  for (let i = 0; i < count; i++)
    push(emulator, image({ seed: `kept ${i}` }), { tags: [`v1.${i}`], daysAgo: daysAgo + i / 1000 })
}

/** Brings a deleted version back, as its owner can for 30 days. */
function restore({ store }: Emulator, digest: string, tags?: string[]): void {
  const row = store.deletedVersions('acme', 'app').find((version) => version.digest === digest)
  if (row === undefined) throw new Error('it was deleted')
  store.package('acme', 'app')?.restore(row, store.now())
  if (tags !== undefined) store.setTags('acme', 'app', row.id, tags)
}

test('a subject that is brought back far from its referrer keeps it', async () => {
  const { emulator, prune } = await longRun()
  const subject = push(emulator, image({ seed: 'subject' }), { tags: ['v0'], daysAgo: 1000 })
  keep(emulator, 150, 900)
  const bundle = push(emulator, referrer(subject), { daysAgo: 100 })
  emulator.store.deleteVersion('acme', 'app', 'v0')
  afterDeletes(emulator, 10, () => {
    restore(emulator, subject.digest)
  })

  await prune({ 'image-tags': 'pr-*' })

  expect(tagsLeft(emulator)).toContain('v0')
  expect(digestsLeft(emulator).has(bundle.digest)).toBe(true)
})

test('a planned version that is deleted and brought back with another tag stays', async () => {
  const { emulator, prune } = await longRun()
  const last = push(emulator, image({ seed: 'last' }), { tags: ['pr-last'], daysAgo: 1000 })
  const changed = emulator.store.now() - 31 * day
  emulator.store.setTimestamps('acme', 'app', 'pr-last', { updatedAt: changed })
  keep(emulator, 150, 900)
  afterDeletes(emulator, 10, () => {
    emulator.store.deleteVersion('acme', 'app', 'pr-last')
    emulator.store.deleteVersion('acme', 'app', 'pr-190')
  })
  afterDeletes(emulator, 70, () => {
    restore(emulator, last.digest, ['production'])
  })

  await prune({ 'image-tags': 'pr-*' })

  expect(tagsLeft(emulator)).toContain('production')
})

test('an index that this run deleted and somebody brought back keeps its children', async () => {
  const { emulator, prune } = await longRun(20)
  const tree = push(emulator, multiArchImage({ seed: 'again' }), { tags: ['pr-0'], daysAgo: 500 })
  const id = idOf(emulator, 'pr-0')
  const limit = {
    status: 403,
    body: '{"message":"You have exceeded a secondary rate limit."}',
    headers: { 'retry-after': '90' },
  }
  emulator.faults.add({ method: 'DELETE', after: 1, times: 10, action: limit })
  afterDeletes(emulator, 1, () => {
    restore(emulator, tree.digest)
    // It is not known whether GitHub calls it changed.
    const updatedAt = emulator.store.now() - 500 * day
    emulator.store.setTimestamps('acme', 'app', id, { updatedAt })
  })

  const run = await prune()

  expect(tagsLeft(emulator)).toEqual(['pr-0', 'v1'])
  expect(await broken(emulator)).toEqual([])
  expect(run.outputs).toMatchObject({ 'kept-count': '3', 'failed-count': '0' })
})

test('a newcomer that is taken away again before it can be read ends nothing', async () => {
  const { emulator, prune } = await longRun()
  const passing = image({ seed: 'passing' })
  afterDeletes(emulator, 45, () => push(emulator, passing, { tags: ['tmp'], daysAgo: 0 }))
  const path = new RegExp(`manifests/${passing.digest}`)
  const takeAway = () => {
    emulator.store.deleteVersion('acme', 'app', 'tmp')
  }
  emulator.faults.add({ method: 'GET', path, action: { run: takeAway } })

  const run = await prune()

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('200')
})

test('a newcomer whose manifest cannot be read ends the deletes of its package', async () => {
  const { emulator, prune } = await longRun()
  const newcomer = image({ seed: 'unreadable' })
  afterDeletes(emulator, 30, () => {
    push(emulator, newcomer, { tags: ['v2'], daysAgo: 0 })
    emulator.store.dropManifest('acme', 'app', 'v2')
  })

  const run = await prune()

  expect(run.exitCode).toBe(1)
  expect(run.outputs).toMatchObject({ 'deleted-count': '55', 'remaining-count': '145' })
  expect(run.log.join('\n')).toContain(
    `error: acme/app: its deletes ended early, what is left stays: the manifest of ${newcomer.digest} cannot be used`,
  )
  expect(run.summary).toContain('Its deletes ended early')
})

test('nothing goes by an old look: a pause that GitHub asks for is followed by a new one', async () => {
  const { emulator, prune } = await longRun(40)
  const limit = {
    status: 403,
    body: '{"message":"You have exceeded a secondary rate limit."}',
    headers: { 'retry-after': '90' },
  }
  emulator.faults.add({ method: 'DELETE', after: 5, action: limit })
  afterDeletes(emulator, 5, () => {
    emulator.store.setTags('acme', 'app', 'pr-6', ['pr-6', 'production'])
    emulator.store.setTags('acme', 'app', 'pr-30', ['pr-30', 'latest'])
  })

  const run = await prune({ 'image-tags': 'pr-*' })

  expect(tagsLeft(emulator)).toEqual(['latest', 'pr-30', 'pr-6', 'production', 'v1'])
  expect(run.outputs['deleted-count']).toBe('38')
})
