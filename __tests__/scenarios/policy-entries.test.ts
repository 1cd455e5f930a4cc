import { describe, expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  byPolicy,
  dryThenLive,
  lineOf,
  policyFile,
  push,
  readable,
  registry,
  runAction,
  tagsLeft,
  tokens,
} from './kit.js'

/** In each package an image that was pushed 40 days ago, and one of today. */
async function packages(...names: string[]): Promise<Emulator> {
  const emulator = await registry()
  for (const name of names) {
    push(emulator, image({ seed: `${name} old` }), { name, tags: ['old'] })
    push(emulator, image({ seed: `${name} new` }), { name, tags: ['new'], daysAgo: 2 })
  }
  return emulator
}

const listsAsked = ({ requests }: Emulator) =>
  requests.filter(({ path }) => path.includes('/packages?')).length

describe('how an entry is merged onto the defaults', () => {
  const defaults = `version: 1
defaults:
  protect: stable
  rules:
    - { name: tagged, delete: { tagged: true }, when: { older-than: 30d } }
    - { name: untagged, delete: { untagged: true }, when: { older-than: 7d } }
packages:
`

  test('a rule can be switched off for some packages', async () => {
    const emulator = await packages('api', 'web')
    for (const name of ['api', 'web'])
      push(emulator, image({ seed: `${name} untagged` }), { name, daysAgo: 8 })
    const env = await policyFile(`${defaults}  - match: api
    rules:
      - { name: tagged, enabled: false }
  - match: web
`)

    const run = await dryThenLive(emulator, byPolicy, env)

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator, 'api')).toEqual(['new', 'old'])
    expect(tagsLeft(emulator, 'web')).toEqual(['new'])
    expect(run.outputs['deleted-count']).toBe('3')
    expect(run.log).toContain(
      'Package api:\n  Delete untagged images, 7d or more after their last update (rule "untagged", policy.yml:6).\n  Keep every image with a tag that matches stable.\n',
    )
  })

  test('a rule keeps what the entry does not give anew, and protection adds up', async () => {
    const emulator = await packages('api')
    const ages = { stable: 400, release: 400, 'b-20': 20, 'b-5': 5 }
    for (const [tag, daysAgo] of Object.entries(ages))
      push(emulator, image({ seed: tag }), { name: 'api', tags: [tag], daysAgo })
    const env = await policyFile(`${defaults}  - match: api
    protect: [release]
    rules:
      - { name: tagged, when: { older-than: 10d } }
`)

    const run = await dryThenLive(emulator, byPolicy, env)

    expect(tagsLeft(emulator, 'api')).toEqual(['b-5', 'new', 'release', 'stable'])
    expect(lineOf(run, 'b-20')).toMatch(/older than 10d: 20d \(rule "tagged", policy.yml:11\)$/)
    expect(lineOf(run, 'release')).toMatch(/tag release is protected \(policy.yml:9\)$/)
    expect(lineOf(run, 'stable')).toMatch(/tag stable is protected \(policy.yml:3\)$/)
  })

  test('an entry that only keeps beside one that deletes is legal, and says so', async () => {
    const emulator = await packages('api', 'web')
    const env = await policyFile(`version: 1
packages:
  - match: api
  - match: web
    keep-latest: 1
`)

    const run = await dryThenLive(emulator, byPolicy, env)

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator, 'api')).toEqual(['new', 'old'])
    expect(tagsLeft(emulator, 'web')).toEqual(['new'])
    expect(run.log).toContain('Package api:\n  Delete nothing.\n')
  })

  test('the first entry that matches a package is the only one that counts in it', async () => {
    const emulator = await packages('team/api', 'team/web', 'team/old')
    const env = await policyFile(`version: 1
packages:
  - match: ["team/*", "!team/old"]
    keep-latest: 2
  - match: team/web
    keep-latest: 1
  - match: "*"
    keep-latest: 1
`)

    const run = await dryThenLive(emulator, { ...byPolicy, token: tokens.classic }, env)

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator, 'team/api')).toEqual(['new', 'old'])
    expect(tagsLeft(emulator, 'team/web')).toEqual(['new', 'old'])
    expect(tagsLeft(emulator, 'team/old')).toEqual(['new'])
    expect(run.log).toContain('Packages matching team/* but not matching team/old:')
  })
})

describe('which packages are looked at', () => {
  const exact = `version: 1
packages:
  - { match: api, keep-latest: 1 }
  - { match: [team/web, api], keep-latest: 1 }
`
  const patterns = `version: 1
packages:
  - { match: api, keep-latest: 1 }
  - { match: "team/*", keep-latest: 1 }
`

  test('exact names of the file are enough for a workflow token, and nothing is listed', async () => {
    const emulator = await packages('api', 'team/web', 'other')

    const run = await dryThenLive(emulator, byPolicy, await policyFile(exact))

    expect(run.exitCode).toBe(0)
    expect(run.plan.packages.map(({ name }) => name)).toEqual(['api', 'team/web'])
    expect(tagsLeft(emulator, 'team/web')).toEqual(['new'])
    expect(tagsLeft(emulator, 'other')).toEqual(['new', 'old'])
    expect(listsAsked(emulator)).toBe(0)
  })

  test('a pattern asks for a listing, and what no entry matches is left alone', async () => {
    const emulator = await packages('api', 'team/web', 'other', 'third')

    const run = await dryThenLive(
      emulator,
      { ...byPolicy, token: tokens.classic },
      await policyFile(patterns),
    )

    expect(run.exitCode).toBe(0)
    expect(run.plan.packages.map(({ name }) => name)).toEqual(['api', 'team/web'])
    expect(tagsLeft(emulator, 'other')).toEqual(['new', 'old'])
    expect(run.log).toContain(
      'The policy says nothing of 2 of 4 packages, which are left alone: other, third.',
    )
  })

  test('a pattern in the file with a workflow token says what it takes', async () => {
    const emulator = await packages('api', 'team/web')

    const run = await runAction(emulator, byPolicy, await policyFile(patterns))

    expect(run.exitCode).toBe(1)
    expect(run.log).toMatch(/::error::.*(?:list|exact names)/)
    expect(tagsLeft(emulator, 'api')).toEqual(['new', 'old'])
  })

  test('image-names narrows the file down, also a pattern of it', async () => {
    const emulator = await packages('api', 'team/web')
    const inputs = { ...byPolicy, 'image-names': 'team/web' }

    const run = await dryThenLive(emulator, inputs, await policyFile(patterns))

    expect(run.exitCode).toBe(0)
    expect(run.plan.packages.map(({ name }) => name)).toEqual(['team/web'])
    expect(tagsLeft(emulator, 'api')).toEqual(['new', 'old'])
    expect(listsAsked(emulator)).toBe(0)
  })

  test('a package of image-names that no entry matches is left alone, and told of', async () => {
    const emulator = await packages('api', 'other')
    const inputs = { ...byPolicy, 'image-names': 'api, other' }

    const run = await runAction(emulator, inputs, await policyFile(exact))

    expect(run.exitCode).toBe(0)
    expect(run.outputs['skipped-packages']).toBe('other')
    expect(tagsLeft(emulator, 'api')).toEqual(['new'])
    expect(tagsLeft(emulator, 'other')).toEqual(['new', 'old'])
    expect(run.log).toContain(
      '::warning::acme/other: left alone: no entry of the policy matches it.',
    )
    expect(run.summary).toContain('\n⚠️ **1 of 2 versions were to go')
    expect(readable(run)).toContain('no entry of the policy matches it')
    const other = run.plan.packages.find(({ name }) => name === 'other')
    expect(other).toMatchObject({ notReached: 'no entry of the policy matches it', versions: [] })
    expect(emulator.requests.filter(({ path }) => path.includes('other'))).toEqual([])
  })

  test('a name in capitals is that of the same package, which is looked at once', async () => {
    const emulator = await packages('api')
    const env = await policyFile('version: 1\npackages: [{ match: [API, api], keep-latest: 1 }]\n')

    const run = await dryThenLive(emulator, byPolicy, env)

    expect(run.exitCode).toBe(0)
    expect(run.plan.packages.map(({ name }) => name)).toEqual(['api'])
    expect(tagsLeft(emulator, 'api')).toEqual(['new'])
  })

  test('a file without entries is about the package of the repository', async () => {
    const emulator = await packages('app', 'other')

    const run = await dryThenLive(
      emulator,
      byPolicy,
      await policyFile('version: 1\nkeep-latest: 1\n'),
    )

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator, 'app')).toEqual(['new'])
    expect(tagsLeft(emulator, 'other')).toEqual(['new', 'old'])
    expect(run.log).toContain('All packages:')
  })

  test('mode packages gives the names that the file is about', async () => {
    const emulator = await packages('api', 'team/web', 'other')
    const inputs = { ...byPolicy, mode: 'packages' }

    const named = await runAction(emulator, inputs, await policyFile(exact))
    const matched = await runAction(
      emulator,
      { ...inputs, token: tokens.classic },
      await policyFile(patterns),
    )

    for (const run of [named, matched]) {
      expect(run.exitCode).toBe(0)
      expect(run.outputs.packages).toBe('["api","team/web"]')
    }
    expect(emulator.requests.filter(({ path }) => path.includes('/versions'))).toEqual([])
  })
})
