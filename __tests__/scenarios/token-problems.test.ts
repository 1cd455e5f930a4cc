import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { TokenSpec } from '../../src/emulator/tokens.js'
import {
  deletesAsked,
  digestsLeft,
  digestsOf,
  idOf,
  push,
  registry,
  runAction,
  tagsLeft,
  writes,
  type ActionRun,
} from './kit.js'

/** Slow enough that the first answer is there before the second delete would start. */
const unhurried = { 'deletes-per-minute': '300' }

/** An emulator with old images to go, and the token that the run gets. */
async function packageFor(spec: Omit<TokenSpec, 'token'> | undefined) {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'a' }), { tags: ['pr-1'] })
  push(emulator, multiArchImage({ seed: 'b' }), { tags: ['pr-2'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  const token = spec?.kind === 'classic' ? 'ghp_of_the_story' : 'ghs_of_the_story'
  if (spec) emulator.store.addToken({ ...spec, token })
  return { emulator, token }
}

/** What holds of every run that its token stopped: nothing is gone, and everything is written. */
function expectNothingDone(emulator: Emulator, run: ActionRun): void {
  expect(run.exitCode).toBe(1)
  expect(tagsLeft(emulator)).toEqual(['pr-1', 'pr-2', 'v1'])
  expect(digestsLeft(emulator).size).toBe(7)
  expect(run.outputs).toMatchObject({ deleted: '', 'deleted-count': '0' })
  expect(run.outputs.plan).toMatch(/plan\.json$/)
  expect(run.summary).toContain('## Image retention for acme')
}

test('a token that GitHub does not know', async () => {
  const { emulator, token } = await packageFor(undefined)

  const run = await runAction(emulator, { token })

  expectNothingDone(emulator, run)
  expect(run.log).toContain('Bad credentials')
  expect(run.log).toMatch(/token.*(?:expired|revoked)/)
  expect(emulator.requests).toHaveLength(1)
  expect(run.summary).toContain('> [!CAUTION]')
})

test('a classic token that may not read packages', async () => {
  const { emulator, token } = await packageFor({ kind: 'classic', scopes: [] })

  const run = await runAction(emulator, { token })

  expectNothingDone(emulator, run)
  expect(run.log).toContain("You need at least read:packages scope to get a package's versions.")
  expect(run.log).toContain('A classic token needs read:packages and delete:packages')
  expect(run.outputs['skipped-packages']).toBe('app')
  expect(deletesAsked(emulator)).toBe(0)
})

test('a classic token that may not list packages', async () => {
  const { emulator, token } = await packageFor({ kind: 'classic', scopes: [] })

  const run = await runAction(emulator, { token, 'image-names': 'a*' })

  expectNothingDone(emulator, run)
  expect(run.log).toContain('You need at least read:packages scope to list packages.')
  expect(run.log).toContain('A classic token needs read:packages and delete:packages')
})

test('a classic token that may not delete packages', async () => {
  const { emulator, token } = await packageFor({ kind: 'classic', scopes: ['read:packages'] })
  const first = idOf(emulator, 'pr-1')

  const run = await runAction(emulator, { ...unhurried, token })

  expectNothingDone(emulator, run)
  expect(deletesAsked(emulator)).toBe(1)
  expect(run.outputs).toMatchObject({ failed: `app:${first}`, 'remaining-count': '5' })
  expect(run.log).toContain('You need at least delete:packages and read:packages scopes')
  expect(run.log).toContain('A classic token needs read:packages and delete:packages')
})

test('a repository without the Admin role on the package', async () => {
  const { emulator, token } = await packageFor({ kind: 'workflow', defaultRole: 'write' })

  const run = await runAction(emulator, { ...unhurried, token })

  expectNothingDone(emulator, run)
  expect(deletesAsked(emulator)).toBe(2)
  expect(run.outputs).toMatchObject({ 'failed-count': '2', 'remaining-count': '4' })
  expect(run.log).toContain('Give the repository the Admin role in the package settings')
  expect(run.summary).toContain('Admin role')
})

test('a repository that has no access to a private package', async () => {
  const { emulator, token } = await packageFor({ kind: 'workflow', defaultRole: 'none' })

  const run = await runAction(emulator, { token })

  expectNothingDone(emulator, run)
  expect(deletesAsked(emulator)).toBe(0)
  expect(run.log).toContain('the token may not see it')
})

test('a job without any permission for packages', async () => {
  const { emulator, token } = await packageFor({ kind: 'workflow', permission: 'none' })

  const run = await runAction(emulator, { token })

  expectNothingDone(emulator, run)
  expect(deletesAsked(emulator)).toBe(0)
  expect(run.log).toContain('Resource not accessible by integration')
  expect(run.log).toContain('GITHUB_TOKEN needs "packages: write"')
})

test('a job that may only read packages', async () => {
  const { emulator, token } = await packageFor({ kind: 'workflow', permission: 'read' })

  const run = await runAction(emulator, { ...unhurried, token })

  expectNothingDone(emulator, run)
  expect(deletesAsked(emulator)).toBe(1)
  expect(run.log).toContain('GITHUB_TOKEN needs "packages: write"')
})

test.each([
  { kind: 'workflow', permission: 'read', defaultRole: 'read' } as const,
  { kind: 'classic', scopes: ['read:packages'], defaultRole: 'read' } as const,
])('reading is enough for a dry run, as in a pull request from a fork: %j', async (spec) => {
  const { emulator, token } = await packageFor(spec)

  const run = await runAction(emulator, { token, 'dry-run': 'true' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs.planned?.split(',')).toHaveLength(6)
  expect(run.outputs).toMatchObject({ deleted: '', 'kept-count': '1', 'remaining-count': '0' })
  expect(run.log).toContain('acme/app: 6 of 7 versions would go, 1 stay')
  expect(writes(emulator)).toEqual([])
})

test('a token of another kind is tried, with a warning', async () => {
  const emulator = await registry()
  const token = 'github_pat_of_the_story'
  emulator.store.addToken({ kind: 'fine-grained', token })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })

  const run = await runAction(emulator, { token })

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('::warning::The token is neither a classic personal access token')
  expect(run.log).toContain('Resource not accessible by personal access token')
  expect(tagsLeft(emulator)).toEqual(['pr-1'])
})

test('rights on one package do not help another, and the run goes on to it', async () => {
  const emulator = await registry()
  const token = 'ghs_of_the_story'
  const packages = { 'acme/api': 'read', 'acme/web': 'admin' } as const
  emulator.store.addToken({ kind: 'workflow', token, packages })
  const old = multiArchImage({ seed: 'old' })
  for (const name of ['api', 'web']) {
    push(emulator, old, { tags: ['old'], name })
    push(emulator, image({ seed: 'new' }), { tags: ['new'], daysAgo: 1, name })
  }

  const run = await runAction(emulator, { ...unhurried, token, 'image-names': 'api web' })

  expect(run.exitCode).toBe(1)
  expect(run.outputs).toMatchObject({ 'deleted-count': '3', 'failed-count': '1' })
  expect(digestsLeft(emulator, 'api').size).toBe(digestsOf(old).length + 1)
  expect(tagsLeft(emulator, 'web')).toEqual(['new'])
})
