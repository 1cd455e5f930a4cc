import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { image } from '../../src/emulator/images.js'
import { testClock } from '../edges/clock.js'
import { hour, registry } from '../scenarios/kit.js'
import { wholeRun } from './in-process.js'

const policy = `version: 1
repository: acme/app
defaults:
  rules:
    - name: closed
      delete: { tags: 'pr-{number}' }
      when: { ref: gone }
`

/** The packages `app` and `web`, each with an old image of `main` and of ten pull requests, all of them closed. */
async function closedPullRequests() {
  const clock = testClock()
  const emulator = await registry({ now: clock.now, limits: false })
  const { store } = emulator
  const repository = store.addRepository({ repository: 'acme/app', visibility: 'public' })
  const put = (name: string, tag: string) => {
    const manifest = image({ seed: `${name} ${tag}` }).body
    store.push({
      account: 'acme',
      package: name,
      manifest,
      tags: [tag],
      at: clock.time - 1000 * hour,
    })
  }
  const numbers = Array.from({ length: 10 }, (_, at) => at + 1)
  for (const name of ['app', 'web'])
    for (const tag of ['main', ...numbers.map((number) => `pr-${number}`)]) put(name, tag)
  for (const number of numbers) {
    repository.openPull({ number })
    repository.closePull(number)
  }
  return { clock, emulator, repository }
}

test.each([
  ['before the second package is listed', /web\/versions/, 0],
  ['while the deletes go on', /^.*$/, 30],
])('a pull request that is opened again %s keeps its image', async (_story, path, after) => {
  const { clock, emulator, repository } = await closedPullRequests()
  const run = () => {
    clock.time += 3 * hour
    repository.reopenPull(5)
  }
  emulator.faults.add({ path, after, action: { run } })
  const folder = await mkdtemp(join(tmpdir(), 'policy-'))
  const file = join(folder, 'policy.yml')
  await writeFile(file, policy)

  const { exitCode } = await wholeRun(emulator, clock, {
    'image-names': 'app web',
    policy: file,
    'cut-off': '',
  })
  await rm(folder, { recursive: true })

  expect(exitCode).toBe(0)
  const left = emulator.store.versions('acme', 'web').flatMap(({ tags }) => tags)
  expect(left.sort()).toEqual(['main', 'pr-5'])
})
