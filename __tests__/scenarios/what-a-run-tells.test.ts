import { expect, test } from '@jest/globals'
import {
  cosignSignature,
  fallbackIndex,
  image,
  multiArchImage,
  referrer,
} from '../../src/emulator/images.js'
import { outputDefinitions } from '../../src/report/outputs.js'
import {
  broken,
  decisionOn,
  digestsLeft,
  digestsOf,
  idOf,
  listed,
  push,
  readable,
  registry,
  runAction,
  tagsLeft,
  tokens,
  writes,
} from './kit.js'

/** One image to go, with everything that may belong to one, one that stays, and another package. */
async function packages() {
  const emulator = await registry()
  const old = push(emulator, multiArchImage({ attestations: true, seed: 'old' }), {
    tags: ['pr-1', 'pr-1-debug'],
  })
  const signature = push(emulator, cosignSignature(old))
  const fallback = push(emulator, fallbackIndex(old, [referrer(old)]))
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'team/web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'team/web' })
  const doomed = [old, signature, fallback].flatMap((tree) => digestsOf(tree))
  return { emulator, old, doomed }
}

const both = { 'image-names': 'app, team/web' }

test('every output is there, with its list and its count', async () => {
  const { emulator, doomed } = await packages()
  const expected = [
    ...doomed.map((digest) => `app:${idOf(emulator, digest)}`),
    `team/web:${idOf(emulator, 'pr-1', 'team/web')}`,
  ].sort()

  const run = await runAction(emulator, both)

  expect(run.exitCode).toBe(0)
  expect(Object.keys(run.outputs).sort()).toEqual(Object.keys(outputDefinitions).sort())
  expect(listed(run.outputs.deleted)).toEqual(expected)
  expect(listed(run.outputs.planned)).toEqual(expected)
  expect(run.outputs).toMatchObject({
    failed: '',
    retained: '',
    'skipped-packages': '',
    'deleted-count': '9',
    'failed-count': '0',
    'kept-count': '2',
    'remaining-count': '0',
  })
  const decided = run.plan.packages.map(({ name, versions }) => [name, versions.length])
  expect(decided).toEqual([
    ['app', 9],
    ['team/web', 2],
  ])
})

test('the dry run tells the same plan, in the same words, and deletes nothing', async () => {
  const { emulator } = await packages()

  const dry = await runAction(emulator, { ...both, 'dry-run': 'true' })
  expect(writes(emulator)).toEqual([])
  const live = await runAction(emulator, both)

  expect(dry.outputs).toMatchObject({ deleted: '', 'deleted-count': '0', 'remaining-count': '0' })
  expect(dry.outputs.planned).toBe(live.outputs.planned)
  expect(dry.plan.packages.map(({ versions }) => versions.map(({ why }) => why))).toEqual(
    live.plan.packages.map(({ versions }) => versions.map(({ why }) => why)),
  )
  const planOf = (log: string) =>
    log.split('\n').filter((line) => /^(?:delete|keep)|[├└]/.test(line))
  expect(planOf(dry.log)).toHaveLength(11)
  expect(planOf(dry.log)).toEqual(planOf(live.log))
  expect(dry.log).toContain('This is a dry run: nothing will be changed.')
  expect(dry.summary).toContain('(dry run)')
  expect(dry.summary).not.toContain('How to restore')
})

test('the log shows the policy, and an image with its parts and the reason', async () => {
  const { emulator, old } = await packages()
  const [platform] = old.children
  if (!platform) throw new Error('an index with platforms')

  const run = await runAction(emulator, { 'image-tags': 'pr-*, !prod' })

  const lines = run.log.split('\n')
  expect(lines).toContain(
    'Delete tagged images whose every tag matches pr-*, 30d or more after their last update.',
  )
  expect(lines).toContain('Keep every image with a tag that matches prod.')
  expect(lines).toContain('::group::acme/app: 8 of 9 versions will go, 1 stay')
  const at = lines.findIndex((line) => line.startsWith('delete  pr-1, pr-1-debug'))
  expect(lines[at]).toMatch(
    /^delete {2}pr-1, pr-1-debug {2}40d old {2}OCI index {2}linux\/amd64 linux\/arm64 {2}older than 30d: 40d \(rule "tagged"\)$/,
  )
  const parts = lines.slice(at + 1, at + 8).map((line) => line.replace(/ {2}sha256:.*/, '').trim())
  expect(parts).toEqual([
    '├ OCI image linux/amd64',
    '├ OCI image linux/arm64',
    '├ attestation of linux/amd64',
    '├ attestation of linux/arm64',
    '├ signature of pr-1, pr-1-debug',
    '├ Sigstore bundle of pr-1, pr-1-debug',
    '└ referrers index of pr-1, pr-1-debug',
  ])
  expect(lines.find((line) => line.startsWith('keep    v1 '))).toMatch(/no rule asks for it to go$/)
  expect(run.log).toMatch(/^acme\/app: 8 deleted in \d+s\.$/m)
})

test('the summary has the totals, a table for each package and the way back', async () => {
  const { emulator } = await packages()

  const run = await runAction(emulator, both)

  const text = readable(run)
  expect(text).toContain('✅ **9 of 11 versions were to go, 2 stay.** 9 deleted.')
  expect(text).toContain('| <code>app</code> | 9 | 8 | 8 | 0 | 0 | 0 | 0 | 1 |')
  expect(text).toContain('| <code>team/web</code> | 2 | 1 | 1 | 0 | 0 | 0 | 0 | 1 |')
  expect(text).toContain(
    '| <code>pr-1, pr-1-debug</code> | 40d | OCI index linux/amd64 linux/arm64 | 8 | older than 30d: 40d (rule "tagged") |',
  )
  expect(text).toContain(
    'gh api --method POST "/orgs/acme/packages/container/app/versions/$id/restore"',
  )
  expect(text).toContain('"/orgs/acme/packages/container/team%2Fweb/versions/$id/restore"')
})

test('restoring by the ids of the summary brings the image back whole, and never half an image', async () => {
  const { emulator, old, doomed } = await packages()
  const before = digestsLeft(emulator)
  const run = await runAction(emulator)
  expect(digestsLeft(emulator).size).toBe(1)

  const path = /gh api --method POST "([^"]*)"/.exec(run.summary)?.[1] ?? ''
  const ids = [...run.summary.matchAll(/^restore ([\d ]+) #/gm)].flatMap(([, line = '']) =>
    line.split(' '),
  )
  expect(ids).toHaveLength(doomed.length)
  for (const id of ids) {
    const answer = await fetch(`${emulator.apiUrl}${path.replace('$id', id)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.classic}` },
    })
    expect(answer.status).toBe(204)
    expect(await broken(emulator)).toEqual([])
  }

  expect(digestsLeft(emulator)).toEqual(before)
  expect(tagsLeft(emulator)).toContain('pr-1-debug')
  expect(decisionOn(run, old.digest)?.tags).toEqual(['pr-1', 'pr-1-debug'])
})

test('a package in which nothing goes, and an empty one', async () => {
  const emulator = await registry()
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  emulator.store.addPackage({ account: 'acme', package: 'empty' })

  const run = await runAction(emulator, { 'image-names': 'app empty' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs).toMatchObject({ planned: '', 'kept-count': '1' })
  expect(run.log).toContain('acme/app: 0 of 1 versions will go, 1 stay')
  expect(run.log).toContain('acme/empty: no versions')
  expect(run.summary).toContain('Everything stays.')
  expect(run.summary).not.toContain('How to restore')
})
