import { expect, test } from '@jest/globals'
import type { Outcome } from '../../src/model.js'
import { verifyDeletions } from '../../src/verification.js'
import { artifact, digest, image, index, snapshot, tagOf, type Item } from '../core/kit.js'

/**
 * Looks after these versions went, in a registry that besides them lacks some others and gives no answer for some.
 *
 * @param goingAfter what somebody else deletes right after a version was asked for
 */
async function verify(
  items: Item[],
  gone: string[],
  lacking: string[] = [],
  silent: string[] = [],
  goingAfter: Partial<Record<string, string[]>> = {},
) {
  const absent = new Set(lacking)
  const asked: string[] = []
  const names = new Map(items.map(({ name, version }) => [version.digest, name]))
  const outcomes = items
    .filter(({ name }) => gone.includes(name))
    .map(({ name, version }): Outcome => {
      const status = name.startsWith('foreign') ? 'already-gone' : 'deleted'
      return { version, result: { status } }
    })
  const { there, losses, unknown } = await verifyDeletions(snapshot(items), outcomes, {
    hasManifest: (wanted) => {
      const name = names.get(wanted) ?? ''
      asked.push(name)
      if (silent.includes(name)) return Promise.reject(new Error('no answer'))
      const found = !absent.has(name)
      for (const other of goingAfter[name] ?? []) absent.add(other)
      return Promise.resolve(found)
    },
  })
  const found = losses.map(
    ({ whole, tie, part }) => `${names.get(whole) ?? ''} ${tie} ${names.get(part) ?? ''}`,
  )
  return { asked: asked.sort(), there, found, losses, unknown }
}

const shared = () => [
  index('old', ['leaf', 'alone'], { tags: ['pr-1'] }),
  index('outer', ['kept'], { tags: ['v1'] }),
  index('kept', ['leaf', 'own']),
  image('leaf'),
  image('own'),
  image('alone'),
  artifact('signature', { tags: [tagOf('leaf', '.sig')] }),
  artifact('bundle', { subject: 'signature' }),
  index('other', ['far'], { tags: ['v2'] }),
  image('far'),
]

test('asks for everything that shares a tree with what went, up and down, and for nothing else', async () => {
  const { asked, there, found } = await verify(shared(), ['old', 'alone'])
  expect(asked).toEqual(['bundle', 'kept', 'leaf', 'outer', 'own', 'signature'])
  expect(there).toBe(6)
  expect(found).toEqual([])
})

test.each([
  ['leaf', 'kept contains leaf'],
  ['own', 'kept contains own'],
  ['kept', 'outer contains kept'],
  ['signature', 'leaf subject signature'],
  ['bundle', 'signature subject bundle'],
])('misses %s', async (lacking, loss) => {
  const { found, losses, there } = await verify(shared(), ['old', 'alone'], [lacking])
  expect(found).toEqual([loss])
  expect(there).toBe(5)
  expect(losses[0]?.deletedByRun).toBe(false)
})

test('what the run itself took from something that stays is a loss without a question', async () => {
  const { asked, found, losses } = await verify(shared(), ['old', 'leaf'])
  expect(found).toEqual(['kept contains leaf'])
  expect(losses[0]).toMatchObject({ part: digest('leaf'), deletedByRun: true })
  expect(asked).not.toContain('leaf')
})

test('a SOCI index and an attestation that only an annotation names belong to their image too', async () => {
  const items = [
    index('old', ['leaf', { of: 'note', attests: 'leaf' }], { tags: ['pr-1'] }),
    { ...image('leaf', { tags: ['v1'], soci: 'soci' }) },
    { ...artifact('note'), unread: true },
    artifact('soci'),
  ]
  const { found } = await verify(items, ['old'], ['note', 'soci'])
  expect(found.sort()).toEqual(['leaf accelerated soci', 'leaf attested note'])
})

test('what was never there, and what went whole, is no loss', async () => {
  const items = [
    index('old', ['leaf'], { tags: ['pr-1'] }),
    image('leaf', { tags: ['v1'] }),
    index('partial', ['leaf', 'absent'], { tags: ['v2'] }),
  ]
  const whole = await verify(items, ['old'])
  expect(whole.found).toEqual([])
  const goneElsewhere = await verify(items, ['old'], ['partial'])
  expect(goneElsewhere.found).toEqual([])
})

test('what goes whole while it is looked at, by the hand of another run, is no loss', async () => {
  const elsewhere = { outer: ['outer', 'kept', 'own'] }
  const { found, there } = await verify(shared(), ['old', 'alone'], [], [], elsewhere)
  expect(found).toEqual([])
  expect(there).toBe(3)

  const onlyParts = await verify(shared(), ['old', 'alone'], [], [], { outer: ['own'] })
  expect(onlyParts.found).toEqual(['kept contains own'])
})

test('who took a part is told apart: this run, or somebody else before its delete came', async () => {
  const items = [
    index('foreign', ['leaf'], { tags: ['pr-1'] }),
    index('kept', ['foreign', 'leaf'], { tags: ['v1'] }),
    image('leaf'),
  ]
  const { losses } = await verify(items, ['foreign', 'leaf'])
  const told = losses.map(({ part, deletedByRun }) => [part, deletedByRun])
  expect(told).toEqual([
    [digest('foreign'), false],
    [digest('leaf'), true],
  ])
})

test('a question without an answer ends the questions, and what was found is told all the same', async () => {
  const many = Array.from({ length: 100 }, (_, at) => image(`own ${at}`))
  const items = [
    index('old', ['leaf', 'alone'], { tags: ['pr-1'] }),
    image('leaf'),
    image('alone'),
    ...many,
    index('kept', ['leaf', ...many.map(({ name }) => name)], { tags: ['v1'] }),
  ]
  const { asked, found, unknown } = await verify(items, ['old', 'alone', 'leaf'], [], ['own 0'])
  expect(found).toEqual(['kept contains leaf'])
  expect(unknown).toBe('no answer')
  expect(asked.length).toBeLessThan(70)
})
