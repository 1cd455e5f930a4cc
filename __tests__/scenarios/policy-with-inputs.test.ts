import { describe, expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import {
  byPolicy,
  decisionOn,
  deletesAsked,
  digestsLeft,
  digestsOf,
  dryThenLive,
  lineOf,
  policyFile,
  push,
  readable,
  registry,
  runAction,
  tagsLeft,
  writes,
} from './kit.js'

/** Images by tag, so many days old. */
async function imagesOf(ages: Record<string, number>) {
  const emulator = await registry()
  for (const [tag, daysAgo] of Object.entries(ages))
    push(emulator, image({ seed: tag }), { tags: [tag], daysAgo })
  return emulator
}

const tenImages = () =>
  imagesOf(Object.fromEntries([...Array(10).keys()].map((n) => [`b-${n}`, 10 + n])))

describe('the grace of the file and of the input: the longer one holds', () => {
  test.each([
    ['2d', '', ['b-0', 'b-1', 'v1']],
    ['2d', '1h', ['b-0', 'b-1', 'v1']],
    ['2d', '4d', ['b-0', 'b-1', 'b-3', 'v1']],
    ['4d', '2d', ['b-0', 'b-1', 'b-3', 'v1']],
    ['0s', '', ['v1']],
    ['0s', '1h', ['b-0', 'v1']],
    ['0s', '2d', ['b-0', 'b-1', 'v1']],
  ])('file %s, input %j', async (grace, input, left) => {
    const emulator = await imagesOf({ v1: 0.5, 'b-0': 0.02, 'b-1': 1, 'b-3': 3, 'b-5': 5 })
    const env = await policyFile(`version: 1
defaults:
  grace: ${grace}
  rules:
    - { name: builds, delete: { tags: "b-*" } }
`)

    const run = await dryThenLive(emulator, { ...byPolicy, grace: input }, env)

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator)).toEqual(left)
    if (left.length > 1) expect(lineOf(run, 'b-0')).toMatch(/^keep .*; grace is \d[dh]/)
  })
})

describe('max-deletions', () => {
  const keeping = (keep: number, ceiling: string) => `version: 1
defaults:
  max-deletions: ${ceiling}
  keep-latest: ${keep}
`

  test.each([
    ['50%', '', 5, true],
    ['50%', '', 4, false],
    ['50%', '5', 5, true],
    ['50%', '4', 5, false],
    ['4', '9', 5, false],
    ['0%', '', 9, false],
    ['0', '', 10, true],
  ])('%s in the file, %j as input, keep-latest %d', async (ceiling, input, keep, goes) => {
    const emulator = await tenImages()
    const env = await policyFile(keeping(keep, ceiling))

    const run = await dryThenLive(emulator, { ...byPolicy, 'max-deletions': input }, env)

    expect(run.exitCode).toBe(goes ? 0 : 1)
    expect(tagsLeft(emulator)).toHaveLength(goes ? keep : 10)
    expect(deletesAsked(emulator)).toBe(goes ? 10 - keep : 0)
    if (!goes) expect(run.outputs['skipped-packages']).toBe('app')
  })

  test('names the ceiling that was passed, and shows what would have gone', async () => {
    const emulator = await tenImages()

    const run = await runAction(emulator, byPolicy, await policyFile(keeping(4, '50%')))

    expect(run.plan.packages[0]?.refusals).toMatchObject([{ code: 'max-deletions' }])
    expect(run.log).toContain(
      '::error::acme/app: left alone, nothing in it is deleted: 6 versions would go, and max-deletions allows 50 %25 of 10, which is 5.',
    )
    expect(run.log).toContain('::group::acme/app: 6 of 10 versions would have gone, all stay')
    expect(readable(run)).toMatch(/6 images would have gone/)
    expect(decisionOn(run, 'b-9')?.why).toMatch(
      /^would go: .*\(rule "keep-latest", policy.yml:4\); package left alone/,
    )
  })
})

test('skip-shas is added to what the file protects, each with its tree', async () => {
  const emulator = await registry()
  const trees = ['a', 'b', 'c'].map((seed) => multiArchImage({ seed }))
  for (const tree of trees) push(emulator, tree)
  const [a, b, c] = trees.map(({ digest }) => digest)
  const env = await policyFile(`version: 1
defaults:
  protect-digests: [${a ?? ''}]
  untagged-ttl: 7d
`)

  const run = await dryThenLive(emulator, { ...byPolicy, 'skip-shas': b ?? '' }, env)

  expect(run.exitCode).toBe(0)
  expect(digestsLeft(emulator)).toEqual(new Set(trees.slice(0, 2).flatMap(digestsOf)))
  expect(decisionOn(run, b ?? '')?.why).toBe('its digest is listed in skip-shas')
  expect(decisionOn(run, a ?? '')?.why).toBe(
    'its digest is listed in protect-digests (policy.yml:3)',
  )
  expect(decisionOn(run, c ?? '')?.action).toBe('delete')
})

test('a change of the policy shows in a dry run with a token that can only read', async () => {
  const emulator = await tenImages()
  const token = 'ghs_emulator_read_only'
  emulator.store.addToken({ token, kind: 'workflow', permission: 'read' })
  const inputs = { ...byPolicy, token, 'dry-run': 'true' }
  const text = (keep: number) => `version: 1\nkeep-latest: ${keep}\n`

  const before = await runAction(emulator, inputs, await policyFile(text(9)))
  const after = await runAction(emulator, inputs, await policyFile(text(7)))

  for (const run of [before, after]) expect(run.exitCode).toBe(0)
  expect(before.outputs.planned?.split(',')).toHaveLength(1)
  expect(after.outputs.planned?.split(',')).toHaveLength(3)
  expect(after.summary).toContain('(dry run)')
  expect(writes(emulator)).toEqual([])
  expect(tagsLeft(emulator)).toHaveLength(10)
})

describe('at log-level debug', () => {
  test('a group says why, image by image and rule by rule', async () => {
    const emulator = await imagesOf({ latest: 50, old: 40, young: 10 })
    const env = await policyFile(`version: 1
defaults:
  protect: latest
  rules:
    - { name: newest, keep: { tagged: true }, when: { newest: 1 } }
    - { name: aged, delete: { tagged: true }, when: { older-than: 30d } }
`)

    const run = await runAction(emulator, { ...byPolicy, 'log-level': 'debug' }, env)

    const [, group = ''] = /^::group::acme\/app: why\n(.*?)^::endgroup::$/ms.exec(run.log) ?? []
    const lines = group.split('\n').map((line) => line.replace('::debug::', ''))
    expect(lines.filter((line) => /^\S/.test(line))).toHaveLength(3)
    const at = lines.findIndex((line) => line.startsWith('latest '))
    expect(lines[at]).toMatch(/^latest \(sha256:[0-9a-f]{64}\), version \d+, stays$/)
    expect(lines.slice(at + 2, at + 7)).toEqual([
      '  Because: tag latest is protected (policy.yml:3)',
      '  Overruled: older than 30d: 50d (rule "aged", policy.yml:6)',
      '  Rules:',
      '    does not hold  keep rule "newest" (policy.yml:5): rank 3 of 3, newest is 1',
      '    holds          delete rule "aged" (policy.yml:6): older than 30d: 50d',
    ])
  })

  test('it is not there at other levels', async () => {
    const emulator = await imagesOf({ old: 40, young: 10 })
    const { log } = await runAction(emulator, { 'dry-run': 'true' })
    expect(log).not.toContain(': why')
  })
})
