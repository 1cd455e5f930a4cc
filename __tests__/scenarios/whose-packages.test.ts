import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import { dryThenLive, push, registry, tokens, writes } from './kit.js'

/** The packages of the user `octo`, whom the classic token belongs to. */
async function packagesOfOcto() {
  const emulator = await registry()
  push(emulator, multiArchImage({ seed: 'old' }), { account: 'octo', tags: ['old'] })
  push(emulator, image({ seed: 'new' }), { account: 'octo', tags: ['new'], daysAgo: 1 })
  const tags = () => emulator.store.versions('octo', 'app').flatMap((version) => version.tags)
  const deletes = () => new Set(writes(emulator).map((line) => line.replace(/\d+$/, '<id>')))
  return { emulator, tags, deletes }
}

test('the packages of a user are found by the login alone', async () => {
  const { emulator, tags, deletes } = await packagesOfOcto()

  const run = await dryThenLive(emulator, { account: 'octo' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('3')
  expect(tags()).toEqual(['new'])
  expect(deletes()).toEqual(new Set(['DELETE /users/octo/packages/container/app/versions/<id>']))
})

test('"user" stands for the account of the token', async () => {
  const { emulator, tags, deletes } = await packagesOfOcto()

  const run = await dryThenLive(emulator, {
    account: 'user',
    token: tokens.classic,
    'image-names': '*',
  })

  expect(run.exitCode).toBe(0)
  expect(tags()).toEqual(['new'])
  expect(deletes()).toEqual(new Set(['DELETE /user/packages/container/app/versions/<id>']))
  expect(run.summary).toContain('/user/packages/container/app/versions/$id/restore')
})

test('"user" with GITHUB_TOKEN, which has no account, is a mistake', async () => {
  const { emulator } = await packagesOfOcto()

  const run = await dryThenLive(emulator, { account: 'user' })

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('account: "user" stands for the account of the token')
  expect(emulator.requests).toEqual([])
})

test('an account in other letters than GitHub writes it', async () => {
  const emulator = await registry()
  emulator.store.addAccount({ login: 'BigCorp', type: 'Organization' })
  push(emulator, image({ seed: 'old' }), { account: 'BigCorp', tags: ['old'] })
  push(emulator, image({ seed: 'new' }), { account: 'BigCorp', tags: ['new'], daysAgo: 1 })

  const run = await dryThenLive(emulator, { account: 'bigcorp' })

  expect(run.exitCode).toBe(0)
  expect(emulator.store.versions('BigCorp', 'app').flatMap(({ tags }) => tags)).toEqual(['new'])
  expect(run.log).toContain('BigCorp/app: 1 of 2 versions will go, 1 stay')
})

test('without account and names it is the repository the workflow runs in', async () => {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }), { tags: ['old'] })
  push(emulator, image({ seed: 'new' }), { tags: ['new'], daysAgo: 1 })

  const env = { GITHUB_REPOSITORY: 'acme/App', INPUT_ACCOUNT: '' }
  const run = await dryThenLive(emulator, { 'image-names': '' }, env)

  expect(run.exitCode).toBe(0)
  expect(emulator.store.versions('acme', 'app').flatMap(({ tags }) => tags)).toEqual(['new'])
})

test('a login that nobody has', async () => {
  const emulator = await registry()

  const run = await dryThenLive(emulator, { account: 'acmee' })

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('there is no user or organization "acmee"')
  expect(run.log).toContain('Check the account input')
  expect(run.outputs).toMatchObject({ deleted: '', failed: '', 'deleted-count': '0' })
  expect(run.outputs.plan).toMatch(/plan\.json$/)
  expect(run.summary).toContain('> [!CAUTION]')
  expect(emulator.requests.map(({ path }) => path)).toEqual(['/users/acmee'])
})
