import { describe, expect, test } from '@jest/globals'
import { cosignSignature, image, multiArchImage } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { checkout, node, push, registry, tagsLeft, tokens, writes } from './kit.js'

const policy = `version: 1
schedule: "30 4 * * 1"
defaults:
  protect: [latest]
  rules:
    - name: newest
      keep: { tagged: true }
      when: { newest: 1 }
    - name: old
      delete: { tagged: true, untagged: true }
      when: { older-than: 30d }
packages:
  - match: app
`

/** Runs the built command line in a folder with files. */
async function cli(
  args: string[],
  files: Record<string, string>,
  env: Record<string, string> = {},
) {
  const folder = await checkout(files)
  const cache = { XDG_CACHE_HOME: `${folder}/cache` }
  return node('dist/cli.js', args, { ...cache, ...env }, undefined, folder)
}

/** A command that looks at packages, with a token and, unless told otherwise, the policy. */
function look(emulator: Emulator, args: string[], text = policy, env: Record<string, string> = {}) {
  const { apiUrl, registryUrl } = emulator
  return cli(
    [...args, '--account', 'acme', '--registry', registryUrl],
    { 'policy.yml': text },
    { GITHUB_TOKEN: tokens.classic, GITHUB_API_URL: apiUrl, ...env },
  )
}

const byFile = ['--policy', 'policy.yml']

/** One image that goes with its platforms and signature, and two that stay. */
async function images() {
  const emulator = await registry()
  const old = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['old', 'v1'] })
  const signature = push(emulator, cosignSignature(old))
  push(emulator, image({ seed: 'latest' }), { tags: ['latest'], daysAgo: 50 })
  push(emulator, image({ seed: 'new' }), { tags: ['new'], daysAgo: 3 })
  return { emulator, old, signature }
}

test('prune takes a policy from the folder where it runs', async () => {
  const { emulator } = await images()

  const run = await look(emulator, ['prune', ...byFile, '--deletes-per-minute', '10000'])

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['latest', 'new'])
  expect(run.log).toContain('older than 30d: 40d (rule "old", policy.yml:9)')
})

test('a rule with "ref" has to know of which repository, outside a workflow', async () => {
  const { emulator } = await images()
  const text = (more = '') => `version: 1
${more}defaults:
  rules:
    - { name: closed, delete: { tags: "pr-{number}" }, when: { ref: gone } }
packages: [{ match: app }]
`

  const unset = await look(emulator, ['prune', ...byFile], text())
  expect(unset.exitCode).toBe(1)
  expect(unset.log).toContain('policy: policy.yml:5: a rule with "ref" asks for pull requests')
  expect(unset.log).toContain('write repository: owner/name there')
  expect(emulator.requests).toEqual([])

  const set = await look(emulator, ['prune', ...byFile], text('repository: acme/code\n'))
  expect(set.exitCode).toBe(0)
  expect(emulator.requests.filter(({ path }) => path.startsWith('/repos/acme/code/'))).not.toEqual(
    [],
  )
})

describe('explain', () => {
  test('says of a tag what it is, why it goes, and what every rule says', async () => {
    const { emulator } = await images()
    const before = tagsLeft(emulator)

    const { exitCode, log } = await look(emulator, ['explain', 'v1', ...byFile])

    expect(exitCode).toBe(0)
    const lines = log.split('\n').map((line) => line.trim())
    const at = lines.indexOf('acme/app:')
    expect(lines[at + 1]).toMatch(
      /^(?:old, v1|v1, old) \(sha256:[0-9a-f]{64}\), version \d+, goes$/,
    )
    expect(lines[at + 2]).toMatch(
      /^What it is: OCI index linux\/amd64 linux\/arm64; .*2 of 2 children/,
    )
    expect(lines.slice(at + 3, at + 7)).toEqual([
      'Because: older than 30d: 40d (rule "old", policy.yml:9)',
      'Rules:',
      'does not hold  keep rule "newest" (policy.yml:6): rank 2 of 3, newest is 1',
      'holds          delete rule "old" (policy.yml:9): older than 30d: 40d',
    ])
    expect(writes(emulator)).toEqual([])
    expect(tagsLeft(emulator)).toEqual(before)
  })

  test('takes the beginning of a digest, and tells of a part the way up to its image', async () => {
    const { emulator, old, signature } = await images()
    const [child] = old.children
    const parts = [child?.digest.slice(0, 20) ?? '', signature.digest.slice(7, 20)]

    const { exitCode, log } = await look(emulator, ['explain', ...parts, ...byFile])

    expect(exitCode).toBe(0)
    const reasons = log.split('\n').filter((line) => line.includes('Because: '))
    expect(reasons).toHaveLength(2)
    expect(reasons[0]).toMatch(
      /Because: contained in index old, v1 \(sha256:[0-9a-f]{64}\), which goes: older than 30d: 40d \(rule "old"/,
    )
    expect(reasons[1]).toMatch(
      /Because: attached to index old, v1 \(sha256:[0-9a-f]{64}\), which goes/,
    )
  })

  test('says that nothing has such a name, and exits 1', async () => {
    const { emulator } = await images()

    const { exitCode, log } = await look(emulator, ['explain', 'nope', 'v1', ...byFile])

    expect(exitCode).toBe(1)
    expect(log).toContain(
      'error: nope: none of the packages that were looked at has a version with this tag',
    )
    expect(log).toContain('Because: older than 30d')
  })

  test('takes references as they stand elsewhere, and asks whether another tag was meant', async () => {
    const { emulator } = await images()
    const asked = ['ghcr.io/acme/app:v1', 'web:v1', 'acme/app:latset']

    const { exitCode, log } = await look(emulator, ['explain', ...asked, ...byFile])

    expect(exitCode).toBe(1)
    expect(log.match(/^acme\/app:$/gm)).toHaveLength(1)
    expect(log).toContain(
      'error: web:v1: web is none of the packages that were looked at. Name it with image-names.',
    )
    expect(log).toContain(
      'error: acme/app:latset: acme/app has no version with this tag, or with a digest that begins like this. Did you mean latest?',
    )
  })

  test('says of a package that no entry matches that it was not looked at', async () => {
    const { emulator } = await images()
    push(emulator, image(), { name: 'other', tags: ['there'] })

    const args = ['explain', 'there', ...byFile, '--image-names', 'other']
    const { exitCode, log } = await look(emulator, args)

    expect(exitCode).toBe(1)
    expect(log).toContain('error: acme/other: no entry of the policy matches it.')
  })

  test('works by inputs as well', async () => {
    const { emulator } = await images()
    const inputs = ['--image-names', 'app', '--image-tags', '!latest', '--cut-off', '45d']

    const { exitCode, log } = await look(emulator, ['explain', 'latest', 'old', ...inputs])

    expect(exitCode).toBe(0)
    expect(log).toContain('Because: tag latest is protected')
    expect(log).toContain('Overruled: older than 45d: 50d (rule "tagged")')
    expect(log).toContain('Because: younger than 45d: 40d (rule "tagged")')
    expect(log).toContain('is not about it  delete rule "untagged"')
  })

  test('tells mistakes of the policy as prune does', async () => {
    const { emulator } = await images()
    const text = 'version: 1\nkeep-lates: 3\n'

    const { exitCode, log } = await look(emulator, ['explain', 'v1', ...byFile], text)

    expect(exitCode).toBe(1)
    expect(log).toMatch(/error: +policy\.yml:2:1 keep-lates: .*did you mean keep-latest\?/)
    expect(emulator.requests).toEqual([])
  })
})

describe('describe', () => {
  test('says a file in plain sentences, without a token or a request', async () => {
    const { exitCode, out } = await cli(['describe', 'policy.yml'], { 'policy.yml': policy })

    expect(exitCode).toBe(0)
    expect(out.split('\n').slice(0, 4)).toEqual([
      'Package app:',
      '  Keep tagged images, among the newest 1 of them (rule "newest", policy.yml:6).',
      '  Delete tagged and untagged images, whatever their tags, 30d or more after their last update (rule "old", policy.yml:9).',
      '  What a keep rule keeps stays.',
    ])
  })
})

describe('workflow', () => {
  test('prints a workflow that runs by the policy at its schedule', async () => {
    const files = { '.github/retention.yml': policy }
    const { exitCode, out } = await cli(['workflow', '.github/retention.yml'], files)

    expect(exitCode).toBe(0)
    expect(out).toContain('30 4 * * 1')
    expect(out).toMatch(/^ +policy: '?\.github\/retention\.yml'?$/m)
    expect(out).toMatch(/uses: actions\/checkout@/)
    expect(out).toMatch(/packages: write/)
  })
})

test('workflow says of a path that cannot stand in a workflow what it takes', async () => {
  const path = 'a${{b.yml'
  const { exitCode, log, out } = await cli(['workflow', path], { [path]: policy })
  expect([exitCode, out]).toEqual([1, ''])
  expect(log).toMatch(/^error: "a\$\{\{b\.yml" cannot stand in a workflow; it takes a path .*\n$/)
})

describe('lint', () => {
  test('finds nothing odd in a good file, without a token or a request', async () => {
    const { exitCode, out } = await cli(['lint', 'policy.yml'], { 'policy.yml': policy })
    expect(exitCode).toBe(0)
    expect(out).toBe('Nothing is odd in what was looked at.\n')
  })

  test('finds by the file alone what cannot have been meant, and is no failure', async () => {
    const text = `version: 1
defaults:
  protect: [latest, "v*"]
  grace: 2d
packages:
  - match: "*"
    protect: latest
    rules:
      - { name: releases, delete: { tags: v1.* }, when: { older-than: 30d } }
      - { name: quick, delete: { tags: "pr-*" }, when: { older-than: 1d } }
  - match: app
    keep-latest: 1
`
    const { exitCode, out } = await cli(['lint', 'policy.yml'], { 'policy.yml': text })

    expect(exitCode).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^policy\.yml:7: "latest" is protected already \(policy\.yml:3\)/),
      expect.stringMatching(
        /^policy\.yml:9: Rule "releases" can never delete anything: .*protected/,
      ),
      expect.stringMatching(
        /^policy\.yml:10: Rule "quick" waits longer than it says: .*2d of grace/,
      ),
      expect.stringMatching(/^policy\.yml:11: No package gets here: the entry of policy\.yml:6/),
    ])
  })

  test('with an account also finds what shows only in the packages, and deletes nothing', async () => {
    const { emulator } = await images()
    push(emulator, image({ seed: 'both' }), { tags: ['pr-1', 'demo'] })
    const text = `version: 1
defaults:
  protect: [latets]
  rules:
    - { name: previews, delete: { tags: ["pr-*", "preview-*"] }, when: { older-than: 7d } }
    - { name: nightlies, delete: { tags: "nigthly-*" } }
packages:
  - match: app
`

    const { exitCode, out } = await look(emulator, ['lint', 'policy.yml'], text)

    expect(exitCode).toBe(0)
    const about = (line: number) =>
      out.split('\n').filter((text) => text.startsWith(`policy.yml:${line}: `))
    expect(about(3)).toEqual([expect.stringMatching(/"latets" of protect matches no tag in app/)])
    expect(about(5)).toContainEqual(expect.stringMatching(/"preview-\*" of tags .* no tag in app/))
    expect(about(6)).toEqual([
      expect.stringMatching(/"nightlies" is about no image in app: .*"nigthly-\*"/),
    ])
    expect(about(8)).toEqual([
      expect.stringMatching(/1 image stays because .* some of the tags only/),
    ])
    expect(writes(emulator)).toEqual([])
    expect(tagsLeft(emulator)).toContain('old')
  })
})

describe.each(['lint', 'describe', 'workflow'])('the file of %s', (command) => {
  test('has every mistake told with its place, on standard error', async () => {
    const text = `version: 1
defaults:
  rules:
    - { name: old, delete: { taged: true }, when: { older-than: 30 } }
`
    const { exitCode, log, out } = await cli([command, 'policy.yml'], { 'policy.yml': text })
    expect(exitCode).toBe(1)
    expect(out).toBe('')
    expect(log).toMatch(/^error: policy\.yml:4:\d+ .*did you mean tagged\?$/m)
    expect(log).toMatch(/^error: policy\.yml:4:\d+ .*older-than: .*30/m)
  })

  test('is said not to be there', async () => {
    const { exitCode, log, out } = await cli([command, 'nope.yml'], {})
    expect([exitCode, out]).toEqual([1, ''])
    expect(log).toContain('error: nope.yml is not there')
  })

  test('is named with --policy too, as for the other commands', async () => {
    const files = { 'policy.yml': policy }
    const { exitCode, out } = await cli([command, '--policy', 'policy.yml'], files)
    expect([exitCode, out]).toEqual([0, (await cli([command, 'policy.yml'], files)).out])
    expect(out.length).toBeGreaterThan(10)
  })

  test.each([
    [[], "error: missing required argument 'policy'"],
    [['policy.yml', '--policy', 'other.yml'], 'error: one policy file is read; two are given'],
  ])('takes one file, not %j', async (files, words) => {
    const { exitCode, log } = await cli([command, ...files], { 'policy.yml': policy })
    expect([exitCode, log.trim()]).toEqual([1, words])
  })
})
