import { expect, test } from '@jest/globals'
import { attachmentTag } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { day, digestsLeft, registry, runAction } from '../scenarios/kit.js'
import { describeWith } from './clients.js'
import { Machine } from './machine.js'

describeWith('buildah', 'skopeo')('a run that is cut off in the middle of its deletes', () => {
  test('leaves every image whole, and the next run goes on', async () => {
    let daysAgo = 45
    const emulator = await registry({ now: () => Date.now() - daysAgo * day })
    const machine = new Machine(emulator)

    // In the registry: old pull requests, one of which shares a platform with a release; the release, signed.
    const condemned = {
      'pr-1': await machine.release('app:pr-1'),
      'pr-2': await machine.release('app:pr-2', { amd64: 'same' }),
      'pr-3': await machine.release('app:pr-3'),
    }
    const v2 = await machine.release('app:v2', { amd64: 'same' })
    expect(v2.amd64).toBe(condemned['pr-2'].amd64)
    const signature = await machine.sign('app:v2')
    const kept = { v2, [attachmentTag(v2.whole, 'sig')]: { whole: signature } }
    daysAgo = 0

    // Of eight deletes two are done, then four more. Whatever tag is left each time can be pulled as it was pushed.
    for (const [deletes, versions] of [
      [2, 10],
      [4, 6],
    ] as const) {
      await runCutOff(emulator, deletes)
      expect(digestsLeft(emulator).size).toBe(versions)
      const left = await machine.pullEverything('app')
      expect(left).toMatchObject(kept)
      expect({ ...kept, ...condemned }).toMatchObject(left)
    }

    const last = await runAction(emulator, { 'image-tags': 'pr-*' })
    expect(last).toMatchObject({ exitCode: 0, outputs: { 'deleted-count': '2' } })
    expect(await machine.pullEverything('app')).toEqual(kept)
    expect(digestsLeft(emulator)).toEqual(new Set([...Object.values(v2), signature]))
  }, 60_000)
})

/** After so many deletes every connection is reset; and the runner is gone, or the run would go on trying. */
async function runCutOff(emulator: Emulator, deletes: number): Promise<void> {
  let seen = 0
  let endRunner: () => void = () => undefined
  emulator.faults.add({
    times: Infinity,
    when: ({ method }) => (method === 'DELETE' ? ++seen : seen) > deletes,
    action: {
      reset: true,
      run: () => {
        endRunner()
      },
    },
  })
  await runAction(emulator, { 'image-tags': 'pr-*' }, {}, (kill) => {
    endRunner = kill
  })
  emulator.faults.clear()
}
