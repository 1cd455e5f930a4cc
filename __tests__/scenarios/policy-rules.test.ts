import { describe, expect, test } from '@jest/globals'
import {
  cosignSignature,
  fallbackIndex,
  helmChart,
  image,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  broken,
  byPolicy,
  day,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  lineOf,
  policyFile,
  push,
  registry,
  tagsLeft,
} from './kit.js'

async function imagesOf(ages: Record<string, number>): Promise<Emulator> {
  const emulator = await registry()
  for (const [tag, daysAgo] of Object.entries(ages))
    push(emulator, image({ seed: tag }), { tags: [tag], daysAgo })
  return emulator
}

describe('unmatched: delete', () => {
  const policy = (more = '') => `version: 1
defaults:
  unmatched: delete
  protect: prod
  rules:
    - { name: releases, keep: { tags: "v*" } }
${more}`

  test('takes every tagged image that nothing keeps, and no untagged one', async () => {
    const emulator = await imagesOf({ prod: 90, v1: 90, 'pr-1': 90, 'pr-2': 1 })
    const both = push(emulator, multiArchImage({ seed: 'both' }), { tags: ['v2', 'pr-3'] })
    const untagged = push(emulator, multiArchImage({ seed: 'untagged' }))
    const going = push(emulator, multiArchImage({ seed: 'going' }), { tags: ['pr-4'] })
    const signature = push(emulator, cosignSignature(going))

    const run = await dryThenLive(emulator, byPolicy, await policyFile(policy()))

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator)).toEqual(['pr-3', 'prod', 'v1', 'v2'])
    const left = digestsLeft(emulator)
    for (const tree of [both, untagged])
      expect(digestsOf(tree).filter((digest) => !left.has(digest))).toEqual([])
    for (const digest of [...digestsOf(going), signature.digest]) expect(left).not.toContain(digest)
    expect(lineOf(run, 'pr-2')).toMatch(
      /no keep rule holds for it \(unmatched: delete, policy.yml:3\)$/,
    )
    expect(await broken(emulator)).toEqual([])
  })

  test('an untagged image goes when a rule says so', async () => {
    const emulator = await imagesOf({ v1: 90 })
    const untagged = push(emulator, multiArchImage({ seed: 'untagged' }))
    const rule = '    - { name: litter, delete: { untagged: true }, when: { older-than: 7d } }\n'

    await dryThenLive(emulator, byPolicy, await policyFile(policy(rule)))

    const left = digestsLeft(emulator)
    expect(digestsOf(untagged).filter((digest) => left.has(digest))).toEqual([])
    expect(tagsLeft(emulator)).toEqual(['v1'])
  })
})

test('calendar thinning keeps the newest of each period, and the oldest while there are fewer', async () => {
  const emulator = await registry()
  const now = new Date(emulator.store.now())
  /** Noon of a day so many months ago. */
  const pushAt = (months: number, date: number) => {
    const at = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, date, 12)
    const tag = `nightly-${months}-${date}`
    push(emulator, image({ seed: tag }), {
      tags: [tag],
      daysAgo: (emulator.store.now() - at) / day,
    })
  }
  for (const months of [2, 3, 4, 5]) for (const date of [3, 17]) pushAt(months, date)
  pushAt(14, 9)
  const policy = (months: number) => `version: 1
defaults:
  rules:
    - { name: thin, keep: { tags: "nightly-*" }, when: { monthly: ${months} } }
    - { name: nightlies, delete: { tags: "nightly-*" } }
`
  const newest = ['nightly-2-17', 'nightly-3-17', 'nightly-4-17', 'nightly-5-17']

  const first = await dryThenLive(emulator, byPolicy, await policyFile(policy(9)))
  expect(tagsLeft(emulator)).toEqual(['nightly-14-9', ...newest])
  expect(lineOf(first, 'nightly-4-17')).toMatch(/\(monthly 3 of 9\) \(rule "thin", policy.yml:4\)$/)
  expect(lineOf(first, 'nightly-4-3')).toMatch(
    /^delete .* named by rule "nightlies", policy.yml:5$/,
  )

  await dryThenLive(emulator, byPolicy, await policyFile(policy(2)))
  expect(tagsLeft(emulator)).toEqual(newest.slice(0, 2))
})

test('the last three minors stay, by version and not by age', async () => {
  const emulator = await imagesOf({
    ...{ 'v1.0.9': 1, 'v1.9.0': 90, 'v1.9.1': 80, 'v1.9.2': 70, 'v1.10.0': 60, 'v1.10.1-rc.1': 50 },
    ...{ 'v2.0.0': 40, latest: 2, '1.2': 100 },
  })
  push(emulator, image({ seed: 'moving' }), { tags: ['v1.10.2', 'v1.10', 'v1'], daysAgo: 30 })
  const env = await policyFile(`version: 1
defaults:
  rules:
    - name: last-3-minors
      keep: { semver: ">=1.0.0", prerelease: false }
      when: { group-by: minor, newest-groups: 3, newest-per-group: 2 }
    - name: versions
      delete: { semver: "*" }
`)

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(tagsLeft(emulator)).toEqual(
    ['1.2', 'latest', 'v1.10', 'v1.10.0', 'v1.10.2', 'v1', 'v1.9.1', 'v1.9.2', 'v2.0.0'].sort(),
  )
  expect(decisionOn(run, 'v1.0.9')?.why).toBe('named by rule "versions", policy.yml:7')
  expect(lineOf(run, 'v1.9.1')).toMatch(/rank 2 of 3 in 1\.9, group 3 of \d; newest-groups is 3/)
})

test('a chart and its image under one name have rules of their own', async () => {
  const emulator = await imagesOf({ '1.0.0': 90, '1.1.0': 80 })
  for (const [version, daysAgo] of Object.entries({ '2.0.0': 70, '2.1.0': 60, '2.2.0': 50 }))
    push(emulator, helmChart({ version }), { tags: [version], daysAgo })
  const env = await policyFile(`version: 1
defaults:
  rules:
    - { name: charts, delete: { artifact: chart }, when: { beyond-newest: 2 } }
`)

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(tagsLeft(emulator)).toEqual(['1.0.0', '1.1.0', '2.1.0', '2.2.0'])
  expect(lineOf(run, '2.0.0')).toMatch(
    /^delete .*Helm chart.*rank 3 of 3, beyond-newest is 2 \(rule "charts", policy.yml:4\)$/,
  )
  expect(lineOf(run, '1.0.0')).toMatch(/no rule asks for it to go$/)
})

describe('orphans', () => {
  /** A signature, a fallback index and a bundle whose subject is gone; and those of an image that is there. */
  async function orphans() {
    const emulator = await registry()
    const gone = multiArchImage({ seed: 'gone' })
    const tagged = [cosignSignature(gone), fallbackIndex(gone, [referrer(gone)])]
    const untagged = referrer(gone, { seed: 'alone' })
    for (const tree of [...tagged, untagged]) push(emulator, tree)
    const here = push(emulator, multiArchImage({ seed: 'here' }), { tags: ['v1'] })
    const attached = push(emulator, cosignSignature(here))
    return { emulator, tagged, untagged, staying: [...digestsOf(here), attached.digest] }
  }
  const rule = (select: string) => `version: 1
defaults:
  rules:
    - { name: litter, delete: { ${select} }, when: { older-than: 30d } }
`

  test('with an attachment tag stay and are told of, unless a rule names them', async () => {
    const { emulator, tagged, untagged, staying } = await orphans()

    const run = await dryThenLive(emulator, byPolicy, await policyFile(rule('untagged: true')))

    expect(run.exitCode).toBe(0)
    expect(digestsLeft(emulator)).toEqual(new Set([...tagged.flatMap(digestsOf), ...staying]))
    expect(decisionOn(run, untagged.digest)?.why).toMatch(/; orphan: sha256:/)
    for (const { digest } of tagged)
      expect(decisionOn(run, digest)?.why).toMatch(/^what it signs or attests may be stored else/)
  })

  test('of every kind go by orphans: true, with all that belongs to them', async () => {
    const { emulator, tagged, untagged, staying } = await orphans()

    const run = await dryThenLive(emulator, byPolicy, await policyFile(rule('orphans: true')))

    expect(run.exitCode).toBe(0)
    expect(digestsLeft(emulator)).toEqual(new Set(staying))
    for (const { digest } of [...tagged, untagged])
      expect(decisionOn(run, digest)?.why).toMatch(
        /^older than 30d: 40d \(rule "litter", policy.yml:4\); orphan: sha256:/,
      )
    expect(await broken(emulator)).toEqual([])
  })
})
