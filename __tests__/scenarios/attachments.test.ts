import { expect, test } from '@jest/globals'
import {
  artifact,
  attachmentTag,
  cosignSignature,
  fallbackIndex,
  image,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import {
  broken,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  push,
  registry,
  tagsLeft,
} from './kit.js'

const missing = `sha256:${'0123456789abcdef'.repeat(4)}`

test('an attachment tag whose subject is gone stays and is reported', async () => {
  const emulator = await registry()
  const signature = push(emulator, cosignSignature(missing))
  const sbom = image({ seed: 'sbom of an image that is gone' })
  const fallback = push(emulator, fallbackIndex(missing, [sbom]))
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([signature.digest, ...digestsOf(fallback)]))
  const why =
    'what it signs or attests may be stored elsewhere; orphan: sha256:0123456789ab, which it is attached to, is not in this package'
  expect(decisionOn(run, attachmentTag(missing, 'sig'))?.why).toBe(why)
  expect(decisionOn(run, attachmentTag(missing))?.why).toBe(why)
  expect(run.log).toContain(why)
})

test('an attachment tag makes no image: no pattern matches it, no rule for tags takes it', async () => {
  const emulator = await registry()
  const release = push(emulator, image({ seed: 'release' }), { tags: ['v1'] })
  push(emulator, cosignSignature(release))
  push(emulator, cosignSignature(missing))

  const run = await dryThenLive(emulator, { 'image-tags': 'sha256-*' })

  expect(run.outputs['deleted-count']).toBe('0')
  expect(tagsLeft(emulator)).toHaveLength(3)
})

test('an untagged referrer whose subject is gone goes as an orphan', async () => {
  const emulator = await registry()
  const gone = image({ seed: 'gone' })
  const orphan = push(emulator, referrer(gone))
  const young = push(emulator, referrer(image({ seed: 'gone too' })), { daysAgo: 1 })
  const release = push(emulator, image({ seed: 'release' }), { tags: ['v1'], daysAgo: 1 })

  const run = await dryThenLive(emulator)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set([young.digest, release.digest]))
  expect(decisionOn(run, orphan.digest)?.why).toMatch(
    /^older than 30d: 40d \(rule "untagged"\); orphan: sha256:[0-9a-f]{12}, which it is attached to, is not in this package$/,
  )
})

test('referrers of referrers share the fate of the image at their end', async () => {
  const emulator = await registry()
  const chain = (seed: string, tag: string) => {
    const subject = push(emulator, multiArchImage({ seed }), { tags: [tag] })
    const sbom = push(emulator, artifact({ artifactType: 'application/spdx+json', subject, seed }))
    const signature = push(emulator, referrer(sbom, { seed }))
    const fallback = push(emulator, fallbackIndex(sbom, [signature]))
    const countersigned = push(emulator, cosignSignature(signature, { seed }))
    return [...digestsOf(subject), sbom.digest, ...digestsOf(fallback), countersigned.digest]
  }
  const release = chain('release', 'v1')
  const old = chain('old', 'pr-1')

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.outputs['deleted-count']).toBe(String(new Set(old).size))
  expect(digestsLeft(emulator)).toEqual(new Set(release))
  expect(await broken(emulator)).toEqual([])
})

test('a signature on one platform of a kept index stays, whatever its age', async () => {
  const emulator = await registry()
  const release = push(emulator, multiArchImage({ seed: 'release' }), { tags: ['v1'], daysAgo: 1 })
  const attached = release.children.flatMap((platform) => [
    push(emulator, cosignSignature(platform), { daysAgo: 90 }),
    push(emulator, referrer(platform), { daysAgo: 90 }),
  ])

  const run = await dryThenLive(emulator, { 'cut-off': '1d 12h' })

  expect(run.outputs['deleted-count']).toBe('0')
  expect(digestsLeft(emulator)).toEqual(
    new Set([...digestsOf(release), ...attached.map(({ digest }) => digest)]),
  )
})

test('what GitHub attests in a fallback index with terse entries goes and stays with its image', async () => {
  const emulator = await registry()
  const attested = (seed: string, tag: string) => {
    const subject = push(emulator, image({ seed }), { tags: [tag] })
    const terse = { terse: true }
    const fallback = push(emulator, fallbackIndex(subject, [referrer(subject)], terse))
    return [subject.digest, ...digestsOf(fallback)]
  }
  const kept = attested('kept', 'v1')
  attested('old', 'pr-1')

  await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(digestsLeft(emulator)).toEqual(new Set(kept))
})

test('an attachment that got a tag of its own outlives its subject', async () => {
  const emulator = await registry()
  const old = push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
  const sbom = push(emulator, referrer(old), { tags: ['sbom-of-pr-1'] })

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.outputs['deleted-count']).toBe('1')
  expect(digestsLeft(emulator)).toEqual(new Set([sbom.digest]))
})

test('cosign tags on every platform and referrers of one go with their index', async () => {
  const emulator = await registry()
  const signed = (seed: string, tag: string) => {
    const whole = push(emulator, multiArchImage({ attestations: true, seed }), { tags: [tag] })
    const signatures = [whole, ...whole.children].flatMap((part) =>
      (['sig', 'att', 'sbom'] as const).map((suffix) =>
        push(emulator, cosignSignature(part, { suffix, seed })),
      ),
    )
    const [platform] = whole.children
    if (!platform) throw new Error('an index with platforms')
    const fallback = push(emulator, fallbackIndex(platform, [referrer(platform, { seed })]))
    return [whole, ...signatures, fallback].flatMap(digestsOf)
  }
  const kept = signed('kept', 'v1')
  signed('old', 'pr-1')

  const run = await dryThenLive(emulator, { 'image-tags': 'pr-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe(String(kept.length))
  expect(kept).toHaveLength(5 + 15 + 2)
  expect(digestsLeft(emulator)).toEqual(new Set(kept))
  expect(await broken(emulator)).toEqual([])
})
