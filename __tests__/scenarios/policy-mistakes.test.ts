import { describe, expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import { byPolicy, checkout, policyFile, push, readable, registry, runAction } from './kit.js'

const good = 'version: 1\nkeep-latest: 1\n'

async function oneImage(): Promise<Emulator> {
  const emulator = await registry()
  push(emulator, image(), { tags: ['old'] })
  return emulator
}

/** Runs on what cannot be right: nothing may be requested. */
async function refused(
  env: Record<string, string>,
  inputs: Partial<Record<InputName, string>> = {},
) {
  const emulator = await oneImage()
  const run = await runAction(emulator, { ...byPolicy, ...inputs }, env)
  expect(run.exitCode).toBe(1)
  expect(emulator.requests).toEqual([])
  expect(run.plan.failure?.code).toBe('package-unreachable')
  return run
}

/** The lines of an error, as the runner shows them. */
const errorLines = (log: string) =>
  log
    .split('\n')
    .flatMap((line) => (line.startsWith('::error::') ? line.slice(9).split('%0A') : []))

test('every mistake in inputs and file is told at once, with its place', async () => {
  const text = `version: 1
packages:
  - match: app
    rules:
      - name: old
        delete: { tagged: true }
        when: { older_than: 30d }
      - name: pulled
        delete: { tagged: true }
        when: { not-pulled-since: 90d }
      - name: first
        delete: { tags: ["!v1"] }
        when: { newest: 3 }
`
  const run = await refused(await policyFile(text), {
    'cut-off': '30d',
    'image-tags': 'pr-*',
    'keep-n-most-recent': '3',
    'dry-run': 'perhaps',
  })

  const lines = errorLines(run.log)
  expect(lines[0]).toBe('4 inputs are wrong, and policy.yml has 4 mistakes:')
  const told = lines.slice(1, 9)
  expect(
    told.filter((line) => /^ {2}(?:cut-off|image-tags|keep-n-most-recent|dry-run): /.test(line)),
  ).toHaveLength(4)
  expect(told[4]).toMatch(
    /^ {2}policy\.yml:7:17 packages\[0\]\.rules\[0\]\.when\.older_than: .*older-than\?$/,
  )
  expect(told[5]).toMatch(
    /policy\.yml:10:17 .*GHCR does not tell when or how often an image was pulled/,
  )
  expect(told[6]).toMatch(/policy\.yml:12:26 .*not-tags/)
  expect(told[7]).toMatch(/policy\.yml:13:17 .*beyond-newest/)
  expect(readable(run)).toContain('older-than?')
})

describe('a file that cannot be read', () => {
  test('is not there: the hint is to check the repository out', async () => {
    const { log } = await refused({ GITHUB_WORKSPACE: await checkout() })
    expect(errorLines(log)[1]).toBe(
      '  policy: policy.yml is not there; in a workflow, check the repository out before this step',
    )
  })

  test('is a directory', async () => {
    const env = { GITHUB_WORKSPACE: await checkout({ 'policy.yml/inner': '' }) }
    const { log } = await refused(env)
    expect(log).toContain('policy: policy.yml is no file; it takes the path of one')
  })

  test('is too large', async () => {
    const { log } = await refused(await policyFile(`${good}#${'x'.repeat(1024 * 1024)}`))
    expect(log).toContain('policy: policy.yml is larger than 1 MiB')
  })

  test.each([
    ['broken YAML', 'version: 1\nkeep-latest: [1\n', /policy\.yml:\d+:\d+:? /],
    ['a list', '- 1\n', /policy\.yml:1:1:? /],
    ['empty', '', /policy\.yml:1:1:? /],
    ['no policy', 'on: push\njobs: {}\n', /policy\.yml:1:1 version: is missing/],
    ['of a version to come', 'version: 2\nkeep-latest: 1\n', /policy\.yml:1:10 version: /],
    ['nothing that deletes', 'version: 1\ndefaults: { protect: [x] }\n', /policy\.yml:\d.*delete/],
  ])('is %s', async (_, text, words) => {
    const { log } = await refused(await policyFile(text))
    const [heading, ...lines] = errorLines(log)
    expect(heading).toMatch(/^policy\.yml has \d mistakes?:$/)
    expect(lines[0]).toMatch(words)
  })
})

test('protect-from that leads to no file is an error that tells what there is', async () => {
  const text = `version: 1
defaults:
  protect-from: ["deploy/**/*.yaml", compose.yml]
  keep-latest: 1
`
  const run = await refused(
    await policyFile(text, { 'deploy/app.yml': '', 'docker-compose.yml': '' }),
  )
  expect(run.log).toContain(
    'protect-from "deploy/**/*.yaml" matches no file; "deploy" has "app.yml"',
  )
  expect(run.log).toContain('protect-from "compose.yml" matches no file')
})
