import { expect, test } from '@jest/globals'
import { image, index, multiArchImage } from '../../src/emulator/images.js'
import { broken, decisionOn, hurried, idOf, push, registry, runAction, tagsLeft } from './kit.js'

/** `app` with images that go for a minute and a half of the run's hurried clock, two of a kind to be saved at their end. */
async function longRun() {
  // The emulator's own clock goes at its usual pace, and so would its limits.
  const emulator = await registry({ limits: false })
  for (let i = 1; i <= 180; i++) {
    push(emulator, image({ seed: `${i}` }), { tags: [`pr-${i}`], daysAgo: 400 - i })
  }
  const old = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-old'], daysAgo: 60 })
  push(emulator, image({ seed: 'moved' }), { tags: ['pr-moved'], daysAgo: 50 })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  return { emulator, old, inputs: { 'image-tags': 'pr-*', 'deletes-per-minute': '120' } }
}

test('what is tagged and what is built upon while a long run deletes stays whole', async () => {
  const { emulator, old, inputs } = await longRun()
  const id = idOf(emulator, 'pr-moved')
  const change = () => {
    emulator.store.setTags('acme', 'app', 'pr-moved', ['pr-moved', 'production'])
    push(emulator, index(old.children, { annotations: { built: 'again' } }), {
      tags: ['v2'],
      daysAgo: 0,
    })
  }
  emulator.faults.add({ method: 'DELETE', after: 40, action: { runAfter: change } })

  const run = await runAction(emulator, inputs, hurried)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['pr-moved', 'production', 'v1', 'v2'])
  expect(await broken(emulator)).toEqual([])
  expect(run.outputs).toMatchObject({ 'deleted-count': '181', 'failed-count': '0' })
  expect(run.log).toMatch(
    new RegExp(`stays after a change on GitHub: app pr-moved \\(version ${id}, `),
  )
  expect(run.summary).toContain('<summary>Changed meanwhile, so they stay: 3</summary>')
})

test('a dry run has no meanwhile: it shows the plan of its listing', async () => {
  const { emulator, inputs } = await longRun()

  const run = await runAction(emulator, { ...inputs, 'dry-run': 'true' }, hurried)

  expect(run.outputs.planned?.split(',')).toHaveLength(184)
  expect(decisionOn(run, 'pr-moved')?.action).toBe('delete')
  const pages = emulator.requests.filter(({ path }) => path.includes('/versions?'))
  expect(pages.map(({ path }) => /&page=(\d)/.exec(path)?.[1])).toEqual(['1', '2', '1'])
})
