import { describe, expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import { attacks, expectHarmlessLog, mark, runHarmlessly } from './hostile-kit.js'
import {
  byPolicy,
  checkout,
  day,
  node,
  policyFile,
  push,
  readable,
  registry,
  tagsLeft,
  tokens,
} from './kit.js'

const inputs = { ...byPolicy, 'log-level': 'debug' }

/** An expression that matches a tag, or a text. */
const expression = (tag: string, text: string) =>
  `/${tag}|${text.replace(/[^\w\s:;=@<>#]/g, '[$&]')}/`

/** How often the mark of the attacks is in a text. */
const marks = (text: string) => text.split(mark).length - 1

test('tags and lifetimes that rules look at', async () => {
  const emulator = await registry()
  const times = { updatedAt: emulator.store.now() - 40 * day }
  for (const text of attacks) {
    const lifetime = { 'quay.expires-after': text }
    const old = push(emulator, image({ seed: text }))
    const kept = push(emulator, image({ seed: `kept ${text}`, annotations: lifetime }))
    emulator.store.setTags('acme', 'app', old.digest, [text])
    emulator.store.setTags('acme', 'app', kept.digest, [`v1 ${text}`])
    for (const { digest } of [old, kept]) emulator.store.setTimestamps('acme', 'app', digest, times)
  }
  const env = await policyFile(`version: 1
defaults:
  rules:
    - { name: grouped, keep: { tags: "/(?s)v1.*/" }, when: { group-by: "/(?s)v1 (.*)/", newest-groups: 99 } }
    - { name: expired, delete: { tags: "/(?s)v1.*/" }, when: { lifetime: over } }
    - { name: others, delete: { tags: "/(?s).*/" }, when: { older-than: 30d } }
`)

  const run = await runHarmlessly(emulator, inputs, env)

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe(String(attacks.length))
  expect(marks(run.log)).toBeGreaterThan(6 * attacks.length)
})

test('expressions, which may have anything in them', async () => {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }), { tags: ['old'] })
  push(emulator, image({ seed: 'new' }), { tags: ['new'], daysAgo: 1 })
  const expressions = attacks.map((text) => expression('new', text))
  const policy = {
    version: 1,
    defaults: {
      protect: expressions,
      rules: [
        { name: 'kept', keep: { tags: expressions } },
        { name: 'all', delete: { tags: ['old', 'new'] } },
      ],
    },
  }

  const run = await runHarmlessly(emulator, inputs, await policyFile(JSON.stringify(policy)))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['new'])
  expect(marks(run.log)).toBeGreaterThan(2 * attacks.length)
  expect(marks(readable(run))).toBeGreaterThan(2 * attacks.length)
})

test('whatever a file may not have, in its mistakes', async () => {
  const emulator = await registry()
  push(emulator, image(), { tags: ['old'] })
  const file = {
    version: 1,
    [attacks[2] ?? '']: 1,
    defaults: {
      grace: attacks[3],
      'protect-from': attacks,
      protect: attacks.map((text) => `/(${text}/`),
      rules: attacks.map((text) => ({ name: text, delete: { [text]: text }, when: { by: text } })),
    },
    packages: attacks.map((match) => ({ match, repository: match })),
  }

  const run = await runHarmlessly(emulator, inputs, await policyFile(JSON.stringify(file)))

  expect(run.exitCode).toBe(1)
  expect(emulator.requests).toEqual([])
  expect(marks(run.log)).toBeGreaterThan(3 * attacks.length)
  expect(marks(readable(run))).toBeGreaterThan(3 * attacks.length)
})

test.each(attacks.map((text) => [text]))('the path of the file itself: %j', async (path) => {
  const emulator = await registry()
  const run = await runHarmlessly(emulator, { ...inputs, policy: path }, await policyFile(''))
  expect(run.exitCode).toBe(1)
  expect(emulator.requests).toEqual([])
  expect(marks(run.log)).toBeGreaterThan(0)
})

test('names of files and what is written in them', async () => {
  const emulator = await registry()
  const at = `${new URL(emulator.registryUrl).host}/acme/app`
  // A slash would begin another folder.
  const files = Object.fromEntries(
    attacks.map((text, i) => [
      `deploy/${i}${text.replaceAll('/', '-')}`,
      `x: ${at}:v${i}\ny: ${at}:\${${text}}\nz: "${at}:v${i} ${text}"\n`,
    ]),
  )
  for (const i of attacks.keys()) push(emulator, image({ seed: `${i}` }), { tags: [`v${i}`] })
  push(emulator, image({ seed: 'old' }), { tags: ['old'] })
  const env = await policyFile(
    `version: 1
defaults:
  protect-from: deploy/**
  rules: [{ name: all, delete: { tagged: true } }]
`,
    files,
  )

  const run = await runHarmlessly(emulator, inputs, env)

  expect(run.exitCode).toBe(0)
  // A reference whose tag cannot be known keeps every tag, the old one too.
  expect(tagsLeft(emulator)).toHaveLength(attacks.length + 1)
  expect(marks(run.log)).toBeGreaterThan(2 * attacks.length)
})

test('branches and what GitHub says when it does not tell them', async () => {
  for (const text of attacks.slice(0, 9)) {
    const emulator = await registry()
    push(emulator, image(), { tags: ['pr-1', 'branch-x'] })
    const body = JSON.stringify({ message: text })
    const action = { status: 422, body }
    emulator.faults.add({ path: /^\/repos\//, times: Infinity, action })
    const env = await policyFile(`version: 1
defaults:
  rules:
    - { name: gone, delete: { tags: ["pr-{number}", "branch-{branch}"] }, when: { ref: gone } }
`)

    const run = await runHarmlessly(emulator, inputs, env)

    expect(run.exitCode).toBe(0)
    expect(tagsLeft(emulator)).toEqual(['branch-x', 'pr-1'])
    expect(marks(run.log)).toBeGreaterThan(0)
  }
}, 60_000)

describe('what the commands about a policy print', () => {
  const policy = {
    version: 1,
    defaults: {
      protect: attacks.map((text) => expression('old', text)),
      rules: [{ name: 'all', delete: { tagged: true } }],
    },
    packages: [{ match: 'app' }],
  }

  test.each([
    ['describe', policy, 0],
    ['lint', policy, 0],
    ['describe', { ...policy, [attacks[7] ?? '']: attacks }, 1],
    ['lint', { ...policy, [attacks[2] ?? '']: attacks }, 1],
    ['workflow', { ...policy, schedule: attacks[2] }, 1],
  ])('%s', async (command, file, exitCode) => {
    const folder = await checkout({ 'policy.yml': JSON.stringify(file) })
    const run = await node('dist/cli.js', [command, 'policy.yml'], {}, undefined, folder)
    expect(run.exitCode).toBe(exitCode)
    expectHarmlessLog(run)
    if (command !== 'lint' || exitCode === 1) expect(marks(run.log)).toBeGreaterThan(0)
  })

  test('explain, of tags and of names that nothing has', async () => {
    const { apiUrl, registryUrl, store } = await registry()
    const at = store.now() - 40 * day
    for (const text of attacks) {
      const annotations = { 'quay.expires-after': text }
      const manifest = image({ seed: text, annotations }).body
      const { id } = store.push({ account: 'acme', package: 'app', manifest, at })
      store.setTags('acme', 'app', id, [text])
    }
    const folder = await checkout({ 'policy.yml': JSON.stringify(policy) })
    const lost = attacks.map((text) => `${text} lost`)
    const flags = ['--account', 'acme', '--registry', registryUrl, '--policy', 'policy.yml']

    const run = await node(
      'dist/cli.js',
      ['explain', ...flags, '--', ...attacks, ...lost],
      { GITHUB_TOKEN: tokens.classic, GITHUB_API_URL: apiUrl, XDG_CACHE_HOME: folder },
      undefined,
      folder,
    )

    expect(run.exitCode).toBe(1)
    expect(run.log.match(/none of the packages that were looked at/g)).toHaveLength(attacks.length)
    expect(run.log.match(/What it is: /g)).toHaveLength(attacks.length)
    expectHarmlessLog(run)
  })
})
