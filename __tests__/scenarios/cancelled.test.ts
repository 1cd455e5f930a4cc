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
