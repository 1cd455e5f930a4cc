import { expect, test } from '@jest/globals'
import { inputDefinitions, type InputName } from '../../src/input-table.js'
import { image } from '../../src/emulator/images.js'
import { push, readable, registry, runAction, tagsLeft } from './kit.js'

const inputNames = Object.keys(inputDefinitions) as InputName[]
/** Inputs that may hold names or patterns, which rubbish can look like. */
const ofText: InputName[] = ['account', 'image-names', 'image-tags', 'registry']
/** Beside a policy file some inputs are wrong whatever they say. */
const checked = inputNames.filter((name) => name !== 'token' && name !== 'policy')

/** A run whose every input but token and policy is the same rubbish; gives the inputs that it calls wrong. */
async function runOn(rubbish: string) {
  const emulator = await registry()
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'] })
  const inputs = Object.fromEntries(checked.map((name) => [name, rubbish]))

  const run = await runAction(emulator, inputs)

  expect(run.exitCode).toBe(1)
  expect(emulator.requests).toEqual([])
  expect(tagsLeft(emulator)).toEqual(['pr-1'])
  expect(run.outputs).toMatchObject({ deleted: '', 'deleted-count': '0' })
  expect(run.log).not.toContain('unforeseen')
  expect(run.log.length).toBeLessThan(5000)
  const lines = run.log.replaceAll('%0A', '\n').split('\n')
  const wrong = checked.filter((name) => lines.some((line) => line.startsWith(`  ${name}: `)))
  for (const name of wrong) expect(readable(run)).toContain(`${name}: `)
  return wrong
}

const rubbishTexts = [
  '/',
  '#',
  '%00',
  '\u202e💥',
  '../../etc/nothing',
  '::error::x',
  '${{ inputs.forgotten }}',
  '<script>alert(1)</script>',
]

test.each(rubbishTexts)('every input refuses %j', async (rubbish) => {
  expect(await runOn(rubbish)).toEqual(checked)
})

test.each(rubbishTexts)('%j is no policy file', async (policy) => {
  const emulator = await registry()

  const run = await runAction(emulator, { policy, 'cut-off': '' })

  expect(run.exitCode).toBe(1)
  expect(readable(run)).toContain('policy: ')
  expect(run.log).not.toContain('unforeseen')
  expect(emulator.requests).toEqual([])
})

const rubbishNames = [
  'null',
  'undefined',
  'NaN',
  '0x10',
  '1e9',
  '-1',
  '1.5',
  '99999999999999999999',
  'yes',
  '[]',
  '{}',
  '[object Object]',
  '__proto__',
  'constructor',
  'a'.repeat(60_000),
]

test.each(rubbishNames.map((rubbish) => [rubbish.slice(0, 20), rubbish]))(
  'every input that takes no name refuses %s',
  async (_, rubbish) => {
    const strict = checked.filter((name) => !ofText.includes(name))
    expect(await runOn(rubbish)).toEqual(expect.arrayContaining(strict))
  },
)

test.each(['INPUT', 'cut-of', 'image_tags', 'DRYRUN', 'constructor', '__proto__'])(
  'an input that does not exist, %s, is a mistake too',
  async (name) => {
    const emulator = await registry()

    const run = await runAction(emulator, {}, { [`INPUT_${name.toUpperCase()}`]: '1' })

    expect(run.exitCode).toBe(1)
    expect(run.log).toContain(`${name.toLowerCase()}: is no input of this action`)
    expect(emulator.requests).toEqual([])
  },
)

test.each(['*', '!', '$(id)', '"', '1d;', '{}', '[]', 'a..b', '-a', 'ghcr.io/acme'])(
  '%s is no registry',
  async (value) => {
    const emulator = await registry()

    const run = await runAction(emulator, { registry: value })

    expect(run.log).toContain('registry: ')
    expect(emulator.requests).toEqual([])
  },
)

test.each(['[]', '1', '{', '"'])(
  'what is too short for a token, %s, is not hidden',
  async (token) => {
    const emulator = await registry()

    const run = await runAction(emulator, { token })

    expect(run.exitCode).toBe(1)
    expect(run.log).toContain('token: the value is shorter than any token is; it takes one token')
    expect(run.log).not.toContain('add-mask')
    expect(run.plan.failure).toMatchObject({ code: 'package-unreachable' })
  },
)
