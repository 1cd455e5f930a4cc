import { expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import { dryThenLive, push, registry, tagsLeft, tokens } from './kit.js'

/** The same four exclusions, as they are found in workflows. */
const spellings = {
  'with commas': '!latest,!main,!release/1,!v*',
  'with spaces': '  !latest   !main !release/1  !v* ',
  'one a line': '!latest\n!main\n!release/1\n!v*\n',
  'one a line, of Windows': '!latest\r\n!main\r\n!release/1\r\n!v*\r\n',
  'with commas and new lines': '!latest,\n!main,\n!release/1,\n!v*,\n',
  'with tabs': '!latest\t!main\t!release/1\t!v*',
  'in double quotes': '"!latest" "!main", "!release/1"\n"!v*"',
  'in single quotes': "'!latest','!main','!release/1','!v*'",
  'in quotes after the mark': '!"latest" !\'main\' !"release/1", !"v*"',
  'with comments':
    '# these stay\n!latest # the newest\n#!pr-*\n!main !release/1\n  # and\n!v* #, *',
  'as one text in quotes': '"!latest !main !release/1 !v*"',
}

test.each(Object.entries(spellings))('exclusions of tags %s', async (_, spelling) => {
  const emulator = await registry()
  for (const tag of ['latest', 'main', 'v1', 'pr-1', 'lates', 'domain']) {
    push(emulator, image({ seed: tag }), { tags: [tag] })
  }

  const tags = spelling.replaceAll('release/1', 'release-1')
  const run = await dryThenLive(emulator, { 'image-tags': tags })

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['latest', 'main', 'v1'])
})

test.each(['one a line, of Windows', 'in quotes after the mark', 'with comments'] as const)(
  'exclusions of packages %s',
  async (spelling) => {
    const emulator = await registry()
    const names = ['latest', 'main', 'release/1', 'v1', 'pr-1', 'domain']
    for (const name of names) push(emulator, image({ seed: 'old' }), { tags: ['old'], name })

    const inputs = { token: tokens.classic, 'image-names': spellings[spelling] }
    const run = await dryThenLive(emulator, inputs)

    expect(run.exitCode).toBe(0)
    expect(run.plan.packages.map(({ name }) => name)).toEqual(['domain', 'pr-1'])
  },
)
