import { expect, test } from '@jest/globals'
import type { InputName } from '../../src/input-table.js'
import { image } from '../../src/emulator/images.js'
import { push, readable, registry, runAction, tagsLeft } from './kit.js'

const wrong: Partial<Record<InputName, string>> = {
  account: 'ac me',
  'image-names': 'ghcr.io/acme/app',
  'image-tags': '/v(/',
  'cut-off': '30',
  'tag-selection': 'some',
  'keep-n-most-recent': '-1',
  'timestamp-to-use': 'pushed_at',
  'skip-shas': 'sha256:abc',
  'dry-run': 'yes',
  'log-level': 'loud',
  grace: '1 fortnight',
  'max-deletions': 'many',
  'time-budget': '0s',
  'deletes-per-minute': '0',
  registry: 'http://registry.example',
  mode: 'list',
}

const takes: Partial<Record<InputName, string>> = {
  account: 'it takes a login, or "user"',
  'image-names': 'it takes only the name after the account',
  'image-tags': 'is not a regular expression in RE2 syntax',
  'cut-off': 'it takes a duration such as "2w 3d"',
  'tag-selection': 'is not one of both, tagged, untagged',
  'keep-n-most-recent': 'is not a whole number from 0',
  'timestamp-to-use': 'is not one of updated_at, created_at',
  'skip-shas': 'it takes "sha256:" and 64 lower-case hex digits',
  'dry-run': 'is not one of true, false',
  'log-level': 'is not one of error, warn, info, debug',
  grace: 'it takes a duration',
  'max-deletions': 'is neither a whole number from 0',
  'time-budget': 'it takes a duration above zero',
  'deletes-per-minute': 'is not a whole number from 1',
  registry: 'it takes an https address',
  mode: 'is not one of prune, packages',
}

test('all mistakes are told at once, with input, value and what it takes, before any request', async () => {
  const emulator = await registry()

  const run = await runAction(emulator, wrong)

  expect(run.exitCode).toBe(1)
  expect(emulator.requests).toEqual([])
  const lines = run.log.replaceAll('%0A', '\n').split('\n')
  expect(lines).toContain('::error::16 inputs are wrong:')
  for (const [input, value] of Object.entries(wrong)) {
    const line = lines.find((text) => text.startsWith(`  ${input}: `))
    expect(line).toContain(value)
    expect(line).toContain(takes[input as InputName])
  }
  expect(run.outputs).toEqual({
    deleted: '',
    failed: '',
    planned: '',
    retained: '',
    'skipped-packages': '',
    'deleted-count': '0',
    'failed-count': '0',
    'kept-count': '0',
    'remaining-count': '0',
    plan: expect.stringMatching(/plan\.json$/),
    packages: '',
  })
  expect(readable(run)).toContain('tag-selection: "some" is not one of both, tagged, untagged')
})

test.each<[string, Partial<Record<InputName, string>>, string]>([
  ['no cut-off', { 'cut-off': '' }, 'cut-off: is missing; it takes a duration'],
  ['no token', { token: '' }, 'token: is missing; it takes a token; set GITHUB_TOKEN or pass one'],
  [
    'both names of one input',
    { 'skip-shas': `sha256:${'a'.repeat(64)}`, 'shas-to-skip': `sha256:${'b'.repeat(64)}` },
    'shas-to-skip: is another name for skip-shas; set one of the two',
  ],
  ['an unknown unit', { 'cut-off': '5x' }, 'cut-off: "5x" is not a duration'],
  ['a negative age', { 'cut-off': '-1d' }, 'cut-off: "-1d" is not a duration'],
])('%s', async (_, inputs, message) => {
  const emulator = await registry()

  const run = await runAction(emulator, inputs)

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('One input is wrong:')
  expect(run.log).toContain(message)
  expect(emulator.requests).toEqual([])
})

test('a token with a space is never quoted back', async () => {
  const emulator = await registry()

  const run = await runAction(emulator, { token: 'ghp_one ghp_two' })

  expect(run.exitCode).toBe(1)
  const told = [run.log.replace(/::add-mask::.*/g, ''), readable(run), JSON.stringify(run.plan)]
  for (const text of told) expect(text).not.toMatch(/ghp_one|ghp_two/)
})

test.each([
  ['container_retention_policy=debug', true],
  ['debug', true],
  ['container_retention_policy=info,hyper=trace', false],
])('rust-log %s is accepted', async (level, showsDebug) => {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })

  const run = await runAction(emulator, { 'rust-log': level })

  expect(run.exitCode).toBe(0)
  expect(/^deleted: app pr-1/m.test(run.log)).toBe(showsDebug)
})

test.each([
  ['error', /^$/],
  ['warn', /^::warning::keep-n-most-recent counts tagged images only.*\n$/],
])('log-level %s tells no more than that', async (level, told) => {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }))

  const run = await runAction(emulator, {
    'log-level': level,
    'keep-n-most-recent': '1',
    'tag-selection': 'untagged',
  })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual([])
  expect(run.log.replace(/^::(?:add-mask|debug)::.*\n/gm, '')).toMatch(told)
})
