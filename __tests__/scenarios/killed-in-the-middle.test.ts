import { expect, test } from '@jest/globals'
import {
  cosignSignature,
  fallbackIndex,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import { broken, deletesAsked, digestsLeft, digestsOf, push, registry, runAction } from './kit.js'

test.each([1, 4, 11])(
  'killed at delete %i: what stays is whole, the next run finishes, and then nothing is left to do',
  async (deathAt) => {
    const emulator = await registry()
    for (const i of [1, 2, 3]) {
      const old = multiArchImage({ attestations: true, seed: `pr-${i}` })
      push(emulator, old, { tags: [`pr-${i}`], daysAgo: 50 - i })
    }
    const shared = multiArchImage({ seed: 'pr-1', attestations: true, annotations: { v: '1' } })
    const release = push(emulator, shared, { tags: ['v1'] })
    const signature = push(emulator, cosignSignature(release))
    const fallback = push(emulator, fallbackIndex(release, [referrer(release)]))
    const kept = new Set([release, signature, fallback].flatMap(digestsOf))
    let kill = (): void => undefined
    const disarm = emulator.faults.add({
      method: 'DELETE',
      after: deathAt - 1,
      times: Infinity,
      action: {
        run: () => {
          kill()
        },
      },
    })
    const inputs = { 'image-tags': 'pr-*', 'deletes-per-minute': '2000' }

    const run = await runAction(emulator, inputs, {}, (killer) => {
      kill = killer
    })
    disarm()

    expect(run.exitCode).toBe(-1)
    expect(deletesAsked(emulator)).toBe(deathAt)
    expect([...kept].filter((digest) => !digestsLeft(emulator).has(digest))).toEqual([])
    expect(await broken(emulator)).toEqual([])

    const next = await runAction(emulator, inputs)
    expect(next.exitCode).toBe(0)
    expect(next.outputs['deleted-count']).toBe(String(11 - deathAt))
    expect(digestsLeft(emulator)).toEqual(kept)

    const third = await runAction(emulator, inputs)
    expect(third.outputs).toMatchObject({ planned: '', 'deleted-count': '0' })
    expect(await broken(emulator)).toEqual([])
  },
)
