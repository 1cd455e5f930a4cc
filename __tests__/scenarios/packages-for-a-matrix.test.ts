import { describe, expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import { splitList } from '../../src/policy/patterns.js'
import { node, push, registry, runAction, tagsLeft, tokens } from './kit.js'

async function packages(...names: string[]): Promise<Emulator> {
  const emulator = await registry()
  for (const name of names) push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name })
  return emulator
}

/** The first job of a sharded workflow. */
const shard = (emulator: Emulator, inputs: Partial<Record<InputName, string>> = {}) =>
  runAction(emulator, { token: tokens.classic, mode: 'packages', 'cut-off': '', ...inputs })

/** The command of the same name. Its line of JSON is all that may be on standard output. */
const print = ({ apiUrl }: Emulator, ...args: string[]) =>
  node('dist/cli.js', ['packages', '--account', 'acme', ...args], {
    GITHUB_TOKEN: tokens.classic,
    GITHUB_API_URL: apiUrl,
  })

/** Requests for anything but the account and the names of its packages. */
const others = ({ requests }: Emulator) =>
  requests.filter(({ method, path }) => method !== 'GET' || /\/versions|^\/(v2|token)/.test(path))

const entriesOf = (json: string | undefined) => JSON.parse(json ?? '') as string[]

test('the names that match come sorted as one line of JSON, and nothing else is asked or done', async () => {
  const emulator = await packages('web', 'team/web', 'base', 'team/api')

  const run = await shard(emulator, { 'image-names': '* !base' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs.packages).toBe('["team/api","team/web","web"]')
  expect(run.outputs).toMatchObject({ deleted: '', 'deleted-count': '0', plan: '' })
  expect(run.log).toContain('3 packages: team/api, team/web, web\n')
  expect(run.summary).toContain('3 packages.\n\n- <code>team/api</code>\n')
  expect(others(emulator)).toEqual([])
  expect(tagsLeft(emulator, 'web')).toEqual(['pr-1'])
})

test('each entry is a value for image-names with which a job prunes its package', async () => {
  const emulator = await packages('web', 'team/api')
  for (const name of ['web', 'team/api'])
    push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name })

  const { outputs } = await shard(emulator, { 'image-names': '*' })
  for (const entry of entriesOf(outputs.packages))
    expect((await runAction(emulator, { 'image-names': entry })).exitCode).toBe(0)

  expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
  expect(tagsLeft(emulator, 'team/api')).toEqual(['v1'])
})

test('more packages than a matrix has jobs come in groups of nearly the same size, each once', async () => {
  const names = Array.from({ length: 600 }, (_, i) => `p${i}`)
  const emulator = await packages(...names)

  const run = await shard(emulator, { 'image-names': 'p*' })

  const groups = entriesOf(run.outputs.packages).map(splitList)
  expect(groups).toHaveLength(256)
  expect([...new Set(groups.map((group) => group.length))].sort()).toEqual([2, 3])
  expect(groups.flat()).toEqual(names.sort())
  expect(run.log).toContain(
    '600 packages, in 256 groups of 2 or 3 because a matrix has at most 256 jobs: p0, p1, p10',
  )
  expect(run.log).toContain('and 580 more\n')
  expect(run.summary).toContain('_156 more are in the output._')
})

test('no package is an empty array and a warning', async () => {
  const emulator = await packages('web')

  const run = await shard(emulator, { 'image-names': 'api-*' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs.packages).toBe('[]')
  expect(run.log).toContain('::warning::No package matches image-names.')
})

test('exact names need no request, so that GITHUB_TOKEN will do', async () => {
  const emulator = await packages()

  const token = tokens.workflow
  const run = await shard(emulator, { token, 'image-names': 'web, Team/API, web, gone' })

  expect(run.exitCode).toBe(0)
  expect(run.outputs.packages).toBe('["gone","team/api","web"]')
  expect(emulator.requests).toEqual([])
})

test('a token that may not list fails the job, so that no matrix begins without names', async () => {
  const emulator = await packages('web')

  const run = await shard(emulator, { token: tokens.workflow, 'image-names': '*' })

  expect(run.exitCode).toBe(1)
  expect(run.outputs.packages).toBe('')
  expect(run.log).toContain('A pattern in image-names needs a classic personal access token')
})

test('time that runs out before the names are known fails the job', async () => {
  const emulator = await packages('web')
  emulator.faults.add({ path: /\/users\//, action: { delay: 1500 } })

  const run = await shard(emulator, { 'image-names': '*', 'time-budget': '1s' })

  expect(run.exitCode).toBe(1)
  expect(run.outputs.packages).toBe('')
})

test('inputs for pruning are taken, and mistakes in them are told before the matrix begins', async () => {
  const emulator = await packages('web')
  const names = { 'image-names': 'we*' }

  const good = await shard(emulator, { ...names, 'cut-off': '30d', 'dry-run': 'true', grace: '2h' })
  expect(good.outputs.packages).toBe('["web"]')

  emulator.requests.length = 0
  const bad = await shard(emulator, { ...names, 'cut-off': '30', 'max-deletions': 'many' })
  expect(bad.exitCode).toBe(1)
  expect(bad.log).toContain('cut-off: "30" is not a duration')
  expect(bad.log).toContain('max-deletions: "many" is neither a whole number')
  expect(emulator.requests).toEqual([])
})

test('a name that image-names would not take is left out and told', async () => {
  const emulator = await packages('web')
  const body = JSON.stringify([
    { name: 'web' },
    { name: 'two words' },
    { name: 'x::error::\u202e' },
  ])
  emulator.faults.add({ path: /\/packages\?/, action: { body } })

  const run = await shard(emulator, { 'image-names': '*' })

  expect(run.outputs.packages).toBe('["web"]')
  expect(run.log).toContain('::warning::"two words" is left out')
  expect(run.log).not.toContain('\u202e')
})

describe('on the command line', () => {
  test('the JSON alone is on standard output, at every level', async () => {
    const emulator = await packages('web', 'api', 'gone')

    for (const level of ['error', 'info', 'debug']) {
      const { exitCode, out } = await print(
        emulator,
        ...['--image-names', '* !gone', '--log-level', level],
      )
      expect(exitCode).toBe(0)
      expect(out).toBe('["api","web"]\n')
    }
    expect(others(emulator)).toEqual([])
  })

  test('nothing is printed when the names cannot be found out', async () => {
    const emulator = await packages('web')
    emulator.store.revokeToken(tokens.classic)

    const { exitCode, out, log } = await print(emulator, '--image-names', '*')

    expect(exitCode).toBe(1)
    expect(out).toBe('')
    expect(log).toContain('error: ')
  })
})
