import { expect, test } from '@jest/globals'
import { multiArchImage } from '../../src/emulator/images.js'
import { broken, deletesAsked, listed, push, registry, runAction, tagsLeft } from './kit.js'

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a run cleanly: nothing new is deleted, and what was done is told',
  async (signal) => {
    const emulator = await registry()
    for (const i of [1, 2, 3, 4]) {
      const old = multiArchImage({ seed: `pr-${i}` })
      push(emulator, old, { tags: [`pr-${i}`], daysAgo: 50 - i })
    }
    push(emulator, multiArchImage({ seed: 'v1' }), { tags: ['v1'] })
    let kill: (signal: NodeJS.Signals) => unknown = () => undefined
    emulator.faults.add({
      method: 'DELETE',
      after: 3,
      action: { run: () => kill(signal) },
    })

    const inputs = { 'image-tags': 'pr-*', 'deletes-per-minute': '300' }
    const run = await runAction(emulator, inputs, {}, (killer) => {
      kill = killer
    })

    expect(run.exitCode).toBe(130)
    const done = listed(run.outputs.deleted).length
    expect(done).toBe(deletesAsked(emulator))
    expect(run.outputs).toMatchObject({
      'deleted-count': String(done),
      'remaining-count': String(12 - done),
    })
    expect(run.log).toContain(`${done} deleted, ${12 - done} not tried in`)
    expect(run.log).toContain('(the run was cancelled)')
    expect(run.summary).toContain('How to restore')
    expect(await broken(emulator)).toEqual([])

    const next = await runAction(emulator, inputs)
    expect(next.outputs['deleted-count']).toBe(String(12 - done))
    expect(tagsLeft(emulator)).toEqual(['v1'])
  },
)

test('a run that waits for GitHub to come back is ended at once, and tells what it did before', async () => {
  const emulator = await registry()
  for (const name of ['app', 'web']) {
    push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'], name })
    push(emulator, multiArchImage({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name })
  }
  let kill: (signal: NodeJS.Signals) => unknown = () => undefined
  let killed = 0
  emulator.faults.add({
    path: /web\/versions/,
    times: Infinity,
    action: {
      status: 502,
      run: () => {
        killed ||= Date.now()
        kill('SIGTERM')
      },
    },
  })

  const run = await runAction(emulator, { 'image-names': 'app web' }, {}, (killer) => {
    kill = killer
  })

  expect(run.exitCode).toBe(130)
  // GitHub's runner kills a process ten seconds after it has asked it to end.
  expect(Date.now() - killed).toBeLessThan(5000)
  expect(run.log).toContain('acme/web: not looked at: the run was cancelled.')
  expect(run.outputs).toMatchObject({ 'deleted-count': '3', 'skipped-packages': 'web' })
})
