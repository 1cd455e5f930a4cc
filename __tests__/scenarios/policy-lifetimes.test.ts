import { expect, test } from '@jest/globals'
import { image, index, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import { cacheEnvironment } from './cache-kit.js'
import {
  broken,
  byPolicy,
  day,
  decisionOn,
  dryThenLive,
  lineOf,
  listed,
  policyFile,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

const policy = (readLabels: boolean) => `version: 1
defaults:
  read-labels: ${readLabels}
  rules:
    - { name: expired, delete: { tagged: true }, when: { lifetime: over } }
`
const own = (time: string) => ({ 'ghcr-retention.expires-after': time })
const quay = (time: string) => ({ 'quay.expires-after': time })

/** Images of so many tags: what they state in annotations or labels, and for how long they have lived. */
async function images(): Promise<Emulator> {
  const emulator = await registry()
  const pushed = {
    'annotated-over': image({ seed: '1', annotations: own('30d') }),
    'annotated-not-over': image({ seed: '2', annotations: own('60d') }),
    'index-annotated': index([image({ seed: '3' })], { annotations: quay('2w') }),
    'labelled-over': image({ seed: '4', labels: quay('5w') }),
    'labelled-not-over': image({ seed: '5', labels: own('50d') }),
    'index-labelled': multiArchImage({ seed: '6', labels: quay('1d') }),
    'not-understood': image({ seed: '7', annotations: own('soon') }),
    'says-nothing': image({ seed: '8' }),
  }
  for (const [tag, tree] of Object.entries(pushed)) push(emulator, tree, { tags: [tag] })
  return emulator
}

const blobsRead = ({ requests }: Emulator, from = 0) =>
  requests.slice(from).filter(({ path }) => path.includes('/blobs/')).length

test('an annotation is enough for a lifetime, and costs no request', async () => {
  const emulator = await images()

  const run = await dryThenLive(emulator, byPolicy, await policyFile(policy(false)))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(
    [
      ...['annotated-not-over', 'index-labelled', 'labelled-not-over', 'labelled-over'],
      ...['not-understood', 'says-nothing'],
    ].sort(),
  )
  expect(blobsRead(emulator)).toBe(0)
  expect(lineOf(run, 'annotated-over')).toMatch(
    /^delete .*lifetime of 30d is over: 40d \(rule "expired", policy.yml:5\)$/,
  )
  expect(lineOf(run, 'annotated-not-over')).toMatch(/lifetime of 60d is not over: 40d/)
  expect(lineOf(run, 'not-understood')).toMatch(/not understood: soon \(rule "expired"/)
  expect(lineOf(run, 'says-nothing')).toMatch(/states no lifetime/)
  expect(await broken(emulator)).toEqual([])
})

test('with read-labels a label counts too, and a second run reads none again', async () => {
  const emulator = await images()
  const env = { ...(await policyFile(policy(true))), ...cacheEnvironment(emulator) }
  const runIt = (inputs: Partial<Record<InputName, string>>) =>
    runAction(emulator, { ...byPolicy, ...inputs }, { ...env, ...cacheEnvironment(emulator) })

  const dry = await runIt({ 'dry-run': 'true' })
  const afterDry = emulator.requests.length
  const live = await runIt({})

  for (const run of [dry, live]) expect(run.exitCode).toBe(0)
  // What states nothing in an annotation: three images and the two platforms of an index.
  expect(blobsRead(emulator) - blobsRead(emulator, afterDry)).toBe(5)
  expect(blobsRead(emulator, afterDry)).toBe(0)
  expect(listed(live.outputs.deleted)).toEqual(listed(dry.outputs.planned))
  expect(tagsLeft(emulator)).toEqual([
    ...['annotated-not-over', 'labelled-not-over', 'not-understood', 'says-nothing'],
  ])
  expect(decisionOn(live, 'index-labelled')?.why).toBe(
    'lifetime of 1d is over: 40d (rule "expired", policy.yml:5)',
  )
  expect(live.log).toContain('annotations or labels')
  expect(await broken(emulator)).toEqual([])
})

test('a label that cannot be read states nothing: its image stays, and the run warns', async () => {
  const emulator = await images()
  emulator.faults.add({ path: /\/blobs\//, times: Infinity, action: { status: 404 } })

  const run = await dryThenLive(emulator, byPolicy, await policyFile(policy(true)))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toHaveLength(6)
  expect(run.log).toMatch(
    /::warning::acme\/app: the labels of 4 images could not be read, so they state no lifetime/,
  )
})

test.each([
  ['updated', ['moved', 'young']],
  ['created', ['young']],
])('a lifetime begins when the image was %s', async (by, left) => {
  const emulator = await registry()
  for (const [tag, daysAgo] of [
    ['old', 40],
    ['moved', 40],
    ['young', 20],
  ] as const)
    push(emulator, image({ seed: tag, annotations: own('30d') }), { tags: [tag], daysAgo })
  const updatedAt = emulator.store.now() - 5 * day
  emulator.store.setTimestamps('acme', 'app', 'moved', { updatedAt })
  const env = await policyFile(policy(false).replace('over }', `over, by: ${by} }`))

  await dryThenLive(emulator, byPolicy, env)

  expect(tagsLeft(emulator)).toEqual(left)
})
