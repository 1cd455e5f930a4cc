import { expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import { push, registry, runAction, tagsLeft, tokens } from './kit.js'

/** What a backtracking matcher would need years for, on tags of nothing but the letter a. */
const globs = [
  '*a'.repeat(120),
  '?*'.repeat(120),
  '{a,*}'.repeat(9),
  '[a-z]*'.repeat(40),
  '*'.repeat(250),
  '*{a,aa,aaa}*{a,aa,aaa}*{a,aa,aaa}*',
].map((glob) => `${glob}b`)

const expressions = [
  '(a+)+b',
  '(a|a)*b',
  '(a*)*(a*)*(a*)*b',
  '(.*a){30}b',
  `${'('.repeat(8)}a*${')*'.repeat(8)}b`,
  '(?:a?){100}a{100}b',
].map((body) => `/${body}/`)

const tooLarge = {
  '{a..z}{a..z}{a..z}': 'stands for more than 1000 alternatives',
  ['{a,b}'.repeat(10)]: 'stands for more than 1000 alternatives',
  '/(a{1,1000}){1,1000}/': 'is not a regular expression in RE2 syntax',
  ['a*'.repeat(129)]: 'is longer than 256 characters',
}

/** A run that hangs is ended, and then its exit code is not 0. */
function endAfter(seconds: number) {
  return (kill: () => void) => {
    setTimeout(kill, seconds * 1000).unref()
  }
}

test.each(['', '!'])(
  'as patterns for tags, "%s" in front',
  async (mark) => {
    const emulator = await registry()
    for (let i = 0; i < 200; i++) {
      push(emulator, image({ seed: `${i}` }), { tags: ['a'.repeat(120) + String(i)] })
    }
    push(emulator, image({ seed: 'b' }), { tags: ['a'.repeat(127) + 'b'] })
    push(emulator, image({ seed: 'v1' }), { tags: ['v1'], daysAgo: 1 })
    const patterns = [...globs, ...expressions].map((pattern) => mark + pattern).join(' ')

    const inputs = { 'image-tags': patterns, 'dry-run': 'true' }
    const run = await runAction(emulator, inputs, {}, endAfter(10))

    expect(run.exitCode).toBe(0)
    expect(run.outputs.planned?.split(',')).toHaveLength(mark === '' ? 1 : 200)
  },
  20_000,
)

test('as patterns for names', async () => {
  const emulator = await registry()
  for (const name of ['a'.repeat(200), 'a'.repeat(199) + 'b']) {
    push(emulator, image({ seed: 'old' }), { tags: ['old'], name })
    push(emulator, image({ seed: 'new' }), { tags: ['new'], daysAgo: 1, name })
  }

  const inputs = { token: tokens.classic, 'image-names': globs.join(' ') }
  const run = await runAction(emulator, inputs, {}, endAfter(10))

  expect(run.exitCode).toBe(0)
  expect(run.plan.packages.map(({ name }) => name)).toEqual(['a'.repeat(199) + 'b'])
}, 20_000)

test.each(Object.entries(tooLarge))(
  '%s is refused',
  async (pattern, words) => {
    const emulator = await registry()

    const run = await runAction(emulator, { 'image-tags': pattern }, {}, endAfter(10))

    expect(run.exitCode).toBe(1)
    expect(run.log).toContain(words)
    expect(emulator.requests).toEqual([])
  },
  20_000,
)

test('a range of numbers is as long as it says, and costs nothing', async () => {
  const emulator = await registry()
  for (const tag of ['pr-1', 'pr-4711', 'pr-99999', 'pr-100001', 'pr-x']) {
    push(emulator, image({ seed: tag }), { tags: [tag] })
  }

  const inputs = { 'image-tags': '!pr-{1..100000}' }
  const run = await runAction(emulator, inputs, {}, endAfter(10))

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['pr-1', 'pr-4711', 'pr-99999'])
})
