import { expect, test } from '@jest/globals'
import { image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  deletesAsked,
  dryThenLive,
  idOf,
  listed,
  push,
  registry,
  tagsLeft,
  tokens,
  writes,
} from './kit.js'

/** An old image to go and a young one to stay, in each of these packages. */
function fill(emulator: Emulator, names: readonly string[]): void {
  for (const name of names) {
    push(emulator, multiArchImage({ seed: `old ${name}` }), { tags: ['old'], name })
    push(emulator, image({ seed: `new ${name}` }), { tags: ['new'], daysAgo: 1, name })
  }
}

test('exact names, slashes in them too, work with GITHUB_TOKEN', async () => {
  const emulator = await registry()
  fill(emulator, ['api', 'team/api', 'team/a/b', 'web'])
  const doomed = ['api', 'team/api', 'team/a/b'].map(
    (name) => `${name}:${idOf(emulator, 'old', name)}`,
  )

  const run = await dryThenLive(emulator, { 'image-names': 'api\nTeam/API, team/a/b api' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('9')
  for (const version of doomed) expect(listed(run.outputs.deleted)).toContain(version)
  expect(tagsLeft(emulator, 'team/api')).toEqual(['new'])
  expect(tagsLeft(emulator, 'team/a/b')).toEqual(['new'])
  expect(tagsLeft(emulator, 'web')).toEqual(['new', 'old'])
  expect(run.log).toContain('3 packages, 12 versions: 9 of 9 planned deleted, 3 stay.')
})

test('globs choose among all packages of the account, and an exclamation mark takes some out', async () => {
  const emulator = await registry()
  fill(emulator, ['team/api', 'team/web', 'team/base', 'tools', 'tool'])
  fill(emulator, ['x'])

  const run = await dryThenLive(emulator, {
    token: tokens.classic,
    'image-names': 'team/*, tool?, !*/base',
  })

  expect(run.exitCode).toBe(0)
  expect(run.plan.packages.map(({ name }) => name)).toEqual(['team/api', 'team/web', 'tools'])
  expect(run.outputs['deleted-count']).toBe('9')
  for (const name of ['team/base', 'tool', 'x']) {
    expect(tagsLeft(emulator, name)).toEqual(['new', 'old'])
  }
})

test('nothing but an exclusion means all the others, over every page of the list', async () => {
  const emulator = await registry()
  const names = Array.from({ length: 101 }, (_, i) => `p${i}`)
  for (const name of names) push(emulator, image({ seed: 'same' }), { tags: ['v1'], name })
  push(emulator, image({ seed: 'last' }), { tags: ['v2'], name: 'zz', daysAgo: 1 })
  push(emulator, image({ seed: 'old' }), { tags: ['v1'], name: 'zz' })

  const run = await dryThenLive(emulator, { token: tokens.classic, 'image-names': '!p*' })

  expect(run.plan.packages.map(({ name }) => name)).toEqual(['zz'])
  expect(tagsLeft(emulator, 'zz')).toEqual(['v2'])
})

test('a glob that GITHUB_TOKEN cannot answer is a clear error before anything is done', async () => {
  const emulator = await registry()
  fill(emulator, ['api'])

  const run = await dryThenLive(emulator, { 'image-names': 'a*' })

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('A pattern in image-names needs a classic personal access token')
  expect(run.log).toContain('With GITHUB_TOKEN, give exact names.')
  expect(writes(emulator)).toEqual([])
  expect(run.outputs).toMatchObject({ deleted: '', 'deleted-count': '0' })
  expect(run.summary).toContain('> [!CAUTION]')
})

test('a glob that no package matches is told, and is no failure', async () => {
  const emulator = await registry()
  fill(emulator, ['api'])

  const run = await dryThenLive(emulator, { token: tokens.classic, 'image-names': 'web-*' })

  expect(run.exitCode).toBe(0)
  expect(run.log).toContain('No package of acme matches image-names.')
  expect(deletesAsked(emulator)).toBe(0)
})

test('a package that is not there is told, the others are pruned, and the run fails', async () => {
  const emulator = await registry()
  fill(emulator, ['api', 'web'])

  const run = await dryThenLive(emulator, { 'image-names': 'api, nope, web' })

  expect(run.exitCode).toBe(1)
  expect(run.outputs).toMatchObject({ 'skipped-packages': 'nope', 'deleted-count': '6' })
  expect(run.log).toMatch(
    /::error::acme\/nope: left alone.*\(Package not found\.\).*Check account and image-names/,
  )
  expect(run.log).not.toContain('::group::acme/nope')
  expect(run.summary).toContain('Left alone: <code>nope</code>.')
  expect(tagsLeft(emulator, 'api')).toEqual(['new'])
  expect(tagsLeft(emulator, 'web')).toEqual(['new'])
})
