import { expect, test } from '@jest/globals'
import { attachmentTag } from '../../src/emulator/images.js'
import type { Emulator, FaultAction } from '../../src/emulator/index.js'
import {
  day,
  deletesAsked,
  digestsLeft,
  hurried,
  registry,
  revive,
  runAction,
} from '../scenarios/kit.js'
import { describeWith } from './clients.js'
import { Machine } from './machine.js'

/** Fills `app` with a signed and attested release and old pull requests that share parts with it. */
async function fill(emulator: Emulator, at: { daysAgo: number }) {
  const machine = new Machine(emulator)
  const condemned = {
    'pr-1': await machine.release('app:pr-1'),
    'pr-2': await machine.release('app:pr-2', { amd64: 'same' }),
    'pr-3': await machine.release('app:pr-3'),
  }
  const oldSignature = await machine.sign('app:pr-1')
  const v2 = await machine.release('app:v2', { amd64: 'same' })
  const signature = await machine.sign('app:v2')
  const { fallback, bundle } = await machine.attest('app:v2')
  at.daysAgo = 0
  const oldTag = attachmentTag(condemned['pr-1'].whole, 'sig')
  return {
    machine,
    kept: {
      v2,
      [attachmentTag(v2.whole, 'sig')]: { whole: signature },
      [attachmentTag(v2.whole)]: { whole: fallback },
    },
    condemned: { ...condemned, [oldTag]: { whole: oldSignature } },
    /** A signature is the last of its image to go. Left without it, it is an orphan, and orphans with a tag stay. */
    litter: (tags: object) =>
      oldTag in tags && !('pr-1' in tags) ? { [oldTag]: { whole: oldSignature } } : {},
    staying: new Set([...Object.values(v2), signature, fallback, bundle]),
  }
}

/** Closes the emulator, breaking every connection, at the delete after so many; before it is carried out, or after. */
function killAt(emulator: Emulator, deletes: number, when: 'before' | 'after'): Promise<void> {
  return new Promise((resolve) => {
    const kill = () => void emulator.close().then(resolve)
    const action: FaultAction =
      when === 'before' ? { run: kill, reset: true } : { runAfter: kill, lostAnswer: true }
    emulator.faults.add({ method: 'DELETE', after: deletes, action })
  })
}

describeWith('buildah', 'skopeo')('a registry that is killed in the middle of the deletes', () => {
  test.each([
    [0, 'before'],
    [1, 'after'],
    [5, 'before'],
  ] as const)(
    'after %i deletes, %s the next is carried out: every image is whole, and the next run finishes',
    async (deletes, when) => {
      const at = { daysAgo: 45 }
      const emulator = await registry({ now: () => Date.now() - at.daysAgo * day })
      const { machine, kept, condemned, litter, staying } = await fill(emulator, at)
      const killed = killAt(emulator, deletes, when)

      const run = await runAction(emulator, { 'image-tags': 'pr-*' }, hurried)

      await killed
      expect(run.exitCode).toBe(1)
      expect(run.log).toMatch(/::error::.*GitHub gave no answer/)
      const back = await revive(emulator)
      const left = await machine.pullEverything('app')
      expect(left).toMatchObject(kept)
      expect({ ...kept, ...condemned }).toMatchObject(left)
      const orphans = litter(left)
      for (const { whole } of Object.values(orphans)) staying.add(whole)
      const rest = digestsLeft(back).size - staying.size
      expect(rest).toBeGreaterThan(0)

      const next = await runAction(back, { 'image-tags': 'pr-*' })

      expect(next).toMatchObject({ exitCode: 0, outputs: { 'deleted-count': String(rest) } })
      expect(digestsLeft(back)).toEqual(staying)
      expect(await machine.pullEverything('app')).toEqual({ ...kept, ...orphans })
    },
    60_000,
  )

  test('and is back at once: the run goes on and finishes by itself', async () => {
    const at = { daysAgo: 45 }
    const emulator = await registry({ now: () => Date.now() - at.daysAgo * day })
    const { machine, kept, staying } = await fill(emulator, at)
    const back = killAt(emulator, 3, 'after').then(() => revive(emulator))

    const run = await runAction(emulator, { 'image-tags': 'pr-*' })

    expect(run).toMatchObject({
      exitCode: 0,
      outputs: { 'deleted-count': '9', 'failed-count': '0' },
    })
    expect(deletesAsked(await back)).toBeGreaterThan(0)
    expect(digestsLeft(emulator)).toEqual(staying)
    expect(await machine.pullEverything('app')).toEqual(kept)
  }, 60_000)
})
