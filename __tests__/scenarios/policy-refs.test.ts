import { describe, expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import {
  byPolicy,
  decisionOn,
  dryThenLive,
  lineOf,
  policyFile,
  push,
  registry,
  runAction,
  tagsLeft,
} from './kit.js'

const policy = (more = '') => `version: 1
${more}defaults:
  rules:
    - { name: closed, delete: { tags: "pr-{number}*" }, when: { ref: gone } }
    - { name: merged, delete: { tags: "branch-{branch}" }, when: { ref: gone, older-than: 7d } }
`

/** Pull requests 1 (closed) and 2 (open) and the branches main and feature/x, with images of all and of more. */
async function repository(visibility: 'public' | 'private' = 'public'): Promise<Emulator> {
  const emulator = await registry()
  const spec = {
    repository: 'acme/app',
    visibility,
    branches: ['main', 'feature/x'],
    pulls: [1, 2],
  }
  emulator.store.addRepository(spec).closePull(1)
  for (const tag of [
    'pr-1',
    'pr-1-debug',
    'pr-2',
    'branch-main',
    'branch-feature-x',
    'branch-feature-y',
  ])
    push(emulator, image({ seed: tag }), { tags: [tag] })
  push(emulator, image({ seed: 'young' }), { tags: ['branch-feature-z'], daysAgo: 2 })
  return emulator
}

/** What was asked of repositories. */
const lookups = ({ requests }: Emulator) =>
  requests.map(({ path }) => path).filter((path) => /^\/repos(?:itories)?\//.test(path))

test('images of closed pull requests and deleted branches go, with a request for each list', async () => {
  const emulator = await repository()

  const run = await dryThenLive(emulator, byPolicy, await policyFile(policy()))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual([
    'branch-feature-x',
    'branch-feature-z',
    'branch-main',
    'pr-2',
  ])
  expect(lookups(emulator).map((path) => path.replace(/\?.*/, ''))).toEqual([
    '/repos/acme/app/pulls',
    '/repos/acme/app/branches',
  ])
  expect(lineOf(run, 'pr-1 ')).toMatch(/^delete .*#?1.* \(rule "closed", policy.yml:4\)$/)
  expect(lineOf(run, 'pr-2')).toMatch(/^keep .*2.*open.*\(rule "closed", policy.yml:4\)$/)
  expect(lineOf(run, 'branch-feature-y')).toMatch(/^delete .*older than 7d: 40d \(rule "merged"/)
  expect(lineOf(run, 'branch-feature-z')).toMatch(/^keep .*younger than 7d: 2d \(rule "merged"/)
})

test('each package asks the repository of its entry, and what is the same costs nothing of the quota', async () => {
  const emulator = await repository()
  emulator.store.addRepository({ repository: 'acme/web', visibility: 'public', pulls: [1] })
  for (const name of ['api', 'web'])
    for (const tag of ['pr-1', 'pr-2'])
      push(emulator, image({ seed: name + tag }), { name, tags: [tag] })
  const env = await policyFile(`version: 1
defaults:
  rules:
    - { name: closed, delete: { tags: "pr-{number}" }, when: { ref: gone } }
packages:
  - match: [app, api]
    repository: acme/app
  - match: web
    repository: acme/web
`)

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator, 'api')).toEqual(['pr-2'])
  expect(tagsLeft(emulator, 'web')).toEqual(['pr-1'])
  const asked = emulator.requests.filter(({ path }) => path.includes('/pulls'))
  expect(asked.map(({ path, status }) => [path.split('/')[3], status])).toEqual([
    ['app', 200],
    ['app', 304],
    ['web', 200],
  ])
  expect(run.log).toContain('Pull requests and branches are those of acme/web.')
})

describe('a lookup that fails: what the rule is about stays, and the run warns', () => {
  test.each([
    ['the repository is not there', 404, /is not known, so it stays: .*no repository acme\/app/],
    ['the job does not permit it', 403, /is not known, so it stays: .*"pull-requests: read"/],
    ['GitHub answers with rubbish', 200, /is not known, so it stays: /],
  ])('%s', async (_, status, words) => {
    const emulator = await repository()
    const body = status === 200 ? '{"rows":[]}' : undefined
    const action = body === undefined ? { status } : { status, body }
    emulator.faults.add({ path: /^\/repos\//, times: Infinity, action })
    const before = tagsLeft(emulator)

    const run = await dryThenLive(emulator, byPolicy, await policyFile(policy()))

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator)).toEqual(before)
    const warnings = run.log.split('\n').filter((line) => line.startsWith('::warning::'))
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(words)
    expect(run.summary).toMatch(/^⚠️ .*\n\n> \[!WARNING\]\n> What is gone from/m)
    expect(run.plan.warnings).toEqual(warnings.map((line) => line.slice('::warning::'.length)))
    expect(decisionOn(run, 'pr-1')?.why).toContain('not known')
  })

  test('of several packages that share a repository it is told once', async () => {
    const emulator = await repository()
    push(emulator, image({ seed: 'web' }), { name: 'web', tags: ['pr-1'] })
    emulator.faults.add({ path: /\/pulls/, times: Infinity, action: { status: 404 } })
    const inputs = { ...byPolicy, 'image-names': 'app web', 'dry-run': 'true' }

    const run = await runAction(
      emulator,
      inputs,
      await policyFile(policy('repository: acme/app\n')),
    )

    expect(run.log.match(/^::warning::What is gone from acme\/app/gm)).toHaveLength(1)
    expect(run.summary.match(/What is gone from acme/g)).toHaveLength(1)
    expect(decisionOn(run, 'pr-1', 'web')?.why).toContain('not known')
  })

  test('only the list that failed counts as unknown', async () => {
    const emulator = await repository('private')
    emulator.store.addToken({
      token: 'ghs_emulator_pulls',
      kind: 'workflow',
      repository: 'acme/app',
      repositoryPermissions: { 'pull-requests': 'read' },
    })
    const inputs = { ...byPolicy, token: 'ghs_emulator_pulls' }

    const run = await dryThenLive(emulator, inputs, await policyFile(policy()))

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator)).toEqual([
      'branch-feature-x',
      'branch-feature-y',
      'branch-feature-z',
      'branch-main',
      'pr-2',
    ])
    expect(run.log).toMatch(/::warning::What is gone from acme\/app is not known.*"contents: read"/)
  })
})

test('ref: exists keeps while the pull request is open', async () => {
  const emulator = await repository()
  const env = await policyFile(`version: 1
defaults:
  rules:
    - { name: open, keep: { tags: "pr-{number}" }, when: { ref: exists } }
    - { name: old, delete: { tagged: true }, when: { older-than: 30d } }
`)

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(tagsLeft(emulator)).toEqual(['branch-feature-z', 'pr-2'])
  expect(lineOf(run, 'pr-2')).toMatch(/^keep .*\(rule "open", policy.yml:4\)$/)
})

test('a policy without such a rule asks nothing of a repository', async () => {
  const emulator = await repository()
  await runAction(emulator, byPolicy, await policyFile('version: 1\nkeep-latest: 1\n'))
  expect(lookups(emulator)).toEqual([])
})

test('a package that is not called like the repository keeps what is named after pull requests', async () => {
  const emulator = await repository()
  for (const tag of ['pr-1', 'pr-2'])
    push(emulator, image({ seed: tag }), { name: 'web', tags: [tag] })

  const inputs = { ...byPolicy, 'image-names': 'app web' }
  const run = await dryThenLive(emulator, inputs, await policyFile(policy()))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator, 'web')).toEqual(['pr-1', 'pr-2'])
  expect(tagsLeft(emulator)).not.toContain('pr-1')
  expect(run.log).toContain('::warning::Which pull requests and branches the tags of web mean')
})
