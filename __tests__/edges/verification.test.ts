import { expect, test } from '@jest/globals'
import { verifyDeletions } from '../../src/verification.js'
import { artifact, digest, image, index, snapshot, tagOf, type Item } from '../core/kit.js'

/** Looks after these versions went, in a registry that besides them lacks some others. */
async function verify(items: Item[], gone: string[], lacking: string[] = []) {
  const asked: string[] = []
  const names = new Map(items.map(({ name, version }) => [version.digest, name]))
  const ids = items.filter(({ name }) => gone.includes(name)).map(({ version }) => version.id)
  const { checked, losses } = await verifyDeletions(snapshot(items), new Set(ids), {
    hasManifest: (wanted) => {
      const name = names.get(wanted) ?? ''
      asked.push(name)
      return Promise.resolve(!lacking.includes(name))
    },
  })
  const found = losses.map(
    ({ whole, tie, part }) => `${names.get(whole) ?? ''} ${tie} ${names.get(part) ?? ''}`,
  )
  return { asked: asked.sort(), checked, found, losses }
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
  const { asked, checked, found } = await verify(shared(), ['old', 'alone'])
  expect(asked).toEqual(['bundle', 'kept', 'leaf', 'outer', 'own', 'signature'])
  expect(checked).toBe(6)
  expect(found).toEqual([])
})

test.each([
  ['leaf', 'kept contains leaf'],
  ['own', 'kept contains own'],
  ['kept', 'outer contains kept'],
  ['signature', 'leaf subject signature'],
  ['bundle', 'signature subject bundle'],
])('misses %s', async (lacking, loss) => {
  const { found, losses } = await verify(shared(), ['old', 'alone'], [lacking])
  expect(found).toEqual([loss])
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
