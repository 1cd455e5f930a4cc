import { expect, test } from '@jest/globals'
import { attachmentTag, mediaTypes } from '../../src/emulator/images.js'
import { day, digestsLeft, listed, registry, runAction, writes } from '../scenarios/kit.js'
import { describeWith } from './clients.js'
import { Machine } from './machine.js'

describeWith('buildah', 'skopeo')('a registry filled by buildah and skopeo', () => {
  test.each([
    ['oci', mediaTypes.index],
    ['docker', mediaTypes.dockerList],
  ] as const)(
    'keeps whole what stays: %s media types',
    async (format, indexType) => {
      let daysAgo = 60
      const emulator = await registry({ now: () => Date.now() - daysAgo * day })
      const machine = new Machine(emulator)

      // In the registry: a release, signed, attested, under a second tag and copied to another package;
      const v1 = await machine.release('app:v1.0.0', { format })
      expect((await machine.describe('app:v1.0.0')).mediaType).toBe(indexType)
      const signature = await machine.sign('app:v1.0.0')
      const attestation = await machine.attest('app:v1.0.0')
      await machine.copy('app:v1.0.0', 'app:stable')
      await machine.copy('app:v1.0.0', 'team/mirror:v1.0.0')

      // an old pull request with all of that;
      daysAgo = 45
      const pr1 = await machine.release('app:pr-1', { format })
      const oldSignature = await machine.sign('app:pr-1')
      const oldAttestation = await machine.attest('app:pr-1')
      await machine.copy('app:pr-1', 'team/mirror:pr-1')

      // one of which a platform has a tag of its own, and one that was promoted;
      const pr2 = await machine.release('app:pr-2', { format })
      await machine.copy(`app@${pr2.arm64}`, 'app:debug-arm64')
      const pr3 = await machine.release('app:pr-3', { format })
      await machine.copy('app:pr-3', 'app:v2.0.0-rc')

      // one that shares a platform with a release;
      const pr7 = await machine.release('app:pr-7', { format, amd64: 'unchanged' })
      const v7 = await machine.release('app:v7.0.0', { format, amd64: 'unchanged' })
      expect(v7.amd64).toBe(pr7.amd64)

      // and one that is young.
      daysAgo = 2
      const pr9 = await machine.release('app:pr-9', { format })
      daysAgo = 0

      const kept = {
        'v1.0.0': v1,
        stable: v1,
        [attachmentTag(v1.whole, 'sig')]: { whole: signature },
        [attachmentTag(v1.whole)]: { whole: attestation.fallback },
        'debug-arm64': { whole: pr2.arm64 },
        'pr-3': pr3,
        'v2.0.0-rc': pr3,
        'v7.0.0': v7,
        'pr-9': pr9,
      }

      // The dry run of "old pull-request images go" leaves everything where it is.
      const pushes = writes(emulator)
      const inputs = { 'image-names': 'app, team/mirror', 'image-tags': 'pr-*', 'cut-off': '30d' }
      const dry = await runAction(emulator, { ...inputs, 'dry-run': 'true' })
      expect(dry).toMatchObject({ exitCode: 0, outputs: { 'deleted-count': '0' } })
      expect(writes(emulator)).toEqual(pushes)
      expect(await machine.pullEverything('app')).toEqual({
        ...kept,
        'pr-1': pr1,
        [attachmentTag(pr1.whole, 'sig')]: { whole: oldSignature },
        [attachmentTag(pr1.whole)]: { whole: oldAttestation.fallback },
        'pr-2': pr2,
        'pr-7': pr7,
      })
      expect(await machine.pullEverything('team/mirror')).toEqual({ 'v1.0.0': v1, 'pr-1': pr1 })

      const live = await runAction(emulator, inputs)
      expect(live).toMatchObject({
        exitCode: 0,
        outputs: { 'deleted-count': '13', 'failed-count': '0', 'kept-count': '19' },
      })
      expect(listed(live.outputs.deleted)).toEqual(listed(dry.outputs.planned))

      // What stays can be pulled, tag by tag and platform by platform, …
      expect(await machine.pullEverything('app')).toEqual(kept)
      expect(await machine.pullEverything('team/mirror')).toEqual({ 'v1.0.0': v1 })
      expect(await machine.pull(`app@${attestation.bundle}`)).toBe(attestation.bundle)

      // … and what went cannot, by tag or by digest.
      const gone = [
        'app:pr-1',
        'app:pr-2',
        'app:pr-7',
        `app:${attachmentTag(pr1.whole, 'sig')}`,
        `app:${attachmentTag(pr1.whole)}`,
        ...[pr1.whole, pr1.amd64, pr1.arm64, oldSignature].map((digest) => `app@${digest}`),
        ...[oldAttestation.fallback, oldAttestation.bundle].map((digest) => `app@${digest}`),
        ...[pr2.whole, pr2.amd64, pr7.whole, pr7.arm64].map((digest) => `app@${digest}`),
        'team/mirror:pr-1',
        ...[pr1.whole, pr1.amd64, pr1.arm64].map((digest) => `team/mirror@${digest}`),
      ]
      await Promise.all(
        gone.map((name) => expect(machine.pull(name)).rejects.toThrow('manifest unknown')),
      )
    },
    60_000,
  )

  test('the leftovers of a moved tag go, and what the tag names now stays', async () => {
    let daysAgo = 50
    const emulator = await registry({ now: () => Date.now() - daysAgo * day })
    const machine = new Machine(emulator)
    const first = await machine.release('team/app:latest', { amd64: 'same', arm64: 'first' })
    daysAgo = 40
    const second = await machine.release('team/app:latest', { amd64: 'same', arm64: 'second' })
    daysAgo = 0
    expect(second.whole).not.toBe(first.whole)
    expect(second.amd64).toBe(first.amd64)
    expect(await machine.pull(`team/app@${first.whole}`)).toBe(first.whole)

    const run = await runAction(emulator, {
      'image-names': 'team/app',
      'tag-selection': 'untagged',
      'cut-off': '30d',
    })

    expect(run).toMatchObject({ exitCode: 0, outputs: { 'deleted-count': '2' } })
    expect(await machine.pullEverything('team/app')).toEqual({ latest: second })
    expect(digestsLeft(emulator, 'team/app')).toEqual(new Set(Object.values(second)))
    for (const digest of [first.whole, first.arm64]) {
      await expect(machine.pull(`team/app@${digest}`)).rejects.toThrow('manifest unknown')
    }
  }, 60_000)
})
