import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from '@jest/globals'
import {
  artifact,
  cosignSignature,
  image,
  index,
  multiArchImage,
} from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import {
  deletesAsked,
  digestsLeft,
  dryThenLive,
  hour,
  day,
  push,
  registry,
  tagsLeft,
} from './kit.js'

const folder = mkdtempSync(join(tmpdir(), 'broken-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** One piece of the product's source, and what is put in its place. */
type Defect = [file: string, text: string, replacement: string]

let built = 0

/** Builds the action from the real source with one defect in it. */
async function actionWith(defect: Defect | []): Promise<string> {
  built += 1
  const action = join(folder, `${built}.mjs`)
  await promisify(execFile)(process.execPath, ['scripts/broken-bundle.mjs', action, ...defect])
  return action
}

/** `app`, in which every defect finds something that must not go, and `web`, where there is nothing to find. */
function fill(emulator: Emulator) {
  const shared = image({ seed: 'shared' })
  const lone = (seed: string) => image({ seed, platform: 'linux/arm64' })
  push(emulator, index([shared, lone('pr-1')]), { tags: ['pr-1'], daysAgo: 41 })
  push(emulator, index([shared, lone('v1')]), { tags: ['v1'] })
  const signature = push(emulator, cosignSignature(shared))
  const inner = multiArchImage({ seed: 'inner' })
  const nested = push(emulator, index([inner]), { tags: ['v2'] })
  const report = push(emulator, artifact({ artifactType: 'a/report', subject: nested }))
  const [child] = push(emulator, multiArchImage({ seed: 'pr-2' }), { tags: ['pr-2'] }).children
  if (!child) throw new Error('an index with platforms')
  emulator.store.setTags('acme', 'app', child.digest, ['amd64'])
  emulator.store.setTimestamps('acme', 'app', 'amd64', { updatedAt: Date.now() - 40 * day })
  const mixed = push(emulator, image({ seed: 'mixed' }), { tags: ['pr-3', 'v3'] })
  const listed = push(emulator, image({ seed: 'listed' }), { tags: ['pr-4'] })
  const stable = push(emulator, image({ seed: 'stable' }), { tags: ['pr-5-stable'] })
  const recent = push(emulator, image({ seed: 'recent' }), { tags: ['pr-6'], daysAgo: 5 })
  const young = push(emulator, image({ seed: 'young' }), {
    tags: ['pr-7'],
    daysAgo: hour / day / 2,
  })
  push(emulator, image({ seed: 'old' }), { tags: ['pr-1'], name: 'web' })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1, name: 'web' })
  const precious = { shared, signature, inner, report, child, mixed, listed, stable, recent, young }
  const inputs = {
    'image-names': 'app, web',
    'image-tags': 'pr-*, !*-stable',
    'skip-shas': listed.digest,
  }
  return { precious, inputs }
}

/** Source that plans the deletion of whatever is doomed, and of what a condition holds for. */
function planOf(condition: string): string {
  return `graph.nodes.filter((node) => swept.doomed.has(node) || ${condition}).map((node) => ({ version: node.version, after: [] }))`
}

type Precious = keyof ReturnType<typeof fill>['precious']

test.each<[string, Defect, Precious, string, Partial<Record<InputName, string>>?]>([
  [
    'one index counts as empty',
    [
      'src/graph.ts',
      'contain(node, child)',
      "if (!node.ownTags.includes('v1')) contain(node, child)",
    ],
    'shared',
    'which contains it, is still there',
  ],
  [
    'what is marked goes all the same',
    ['src/selector.ts', 'inSafeOrder(swept.doomed)', planOf('swept.marked.get(node)')],
    'shared',
    'which contains it, is still there',
  ],
  [
    'an attachment of what is marked goes',
    [
      'src/selector.ts',
      'inSafeOrder(swept.doomed)',
      planOf('node.ownTags.length < node.version.tags.length'),
    ],
    'signature',
    'its subject, is still there',
  ],
  [
    'a subject is not looked at',
    ['src/graph.ts', 'const subject = manifest?.subject', 'const subject = undefined'],
    'report',
    'its subject, is still there',
  ],
  [
    'an index in an index is not looked into',
    ['src/graph.ts', 'contain(node, child)', "if (entry.kind !== 'index') contain(node, child)"],
    'inner',
    'which contains it, is still there',
  ],
  [
    'the order is reversed',
    ['src/selector.ts', '  return ordered\n}', '  return ordered.reverse()\n}'],
    'shared',
    'which contains it, is still there',
    { 'image-tags': 'pr-1, v1' },
  ],
  [
    'a tag of its own makes no image of a child',
    ['src/graph.ts', 'node.ownTags.length > 0 || (node.containedIn', '(node.containedIn'],
    'child',
    'no rule names its tag amd64',
  ],
  [
    'only the first tag counts',
    [
      'src/graph.ts',
      'tags.filter((tag) => subjectOfTag(tag) === undefined)',
      'tags.filter((tag) => subjectOfTag(tag) === undefined).slice(0, 1)',
    ],
    'mixed',
    'no rule names its tag v3',
  ],
  [
    'a listed digest does not count',
    ['src/selector.ts', 'if (listed !== undefined)', 'if (false)'],
    'listed',
    'its digest is listed to stay',
  ],
  [
    'a protected tag does not count',
    ['src/selector.ts', '[...floors, ...keeps]', '[...floors]'],
    'stable',
    'its tag pr-5-stable is protected',
  ],
  [
    'ages are not looked at',
    ['src/images.ts', '...timesOf(node.version),', 'createdAt: 0,\n      updatedAt: 0,'],
    'recent',
    'no rule that names its tag pr-6 holds for it',
  ],
  [
    'grace is not looked at',
    ['src/selector.ts', 'if (age < policy.grace) floors', 'if (age < 0) floors'],
    'young',
    'it is younger than grace',
    { 'cut-off': '0s' },
  ],
])('%s: the package is refused, nothing in it goes, and the others go on', async (...row) => {
  const [, defect, victim, words, more = {}] = row
  const emulator = await registry()
  const { precious, inputs } = fill(emulator)
  const before = digestsLeft(emulator)
  const { digest } = precious[victim]

  const action = await actionWith(defect)
  const run = await dryThenLive(emulator, { ...inputs, ...more }, { ACTION_BUNDLE: action })

  expect(run.exitCode).toBe(1)
  expect(run.outputs['skipped-packages']).toBe('app')
  const [app] = run.plan.packages
  expect(app?.refusals.map(({ code }) => code)).toContain('second-look')
  const lines = run.log
    .split('\n')
    .filter((line) => line.startsWith('::error::acme/app: left alone'))
  const told = lines.find((line) => line.includes(`last check: ${digest} would go`))
  expect(told).toContain(words)
  expect(digestsLeft(emulator)).toEqual(before)
  expect(deletesAsked(emulator)).toBe(1)
  expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
})

test('without a defect the very same package is pruned, and what is precious stays', async () => {
  const emulator = await registry()
  const { precious, inputs } = fill(emulator)

  const run = await dryThenLive(emulator, inputs, { ACTION_BUNDLE: await actionWith([]) })

  expect(run.exitCode).toBe(0)
  expect(run.outputs['deleted-count']).toBe('5')
  for (const { digest } of Object.values(precious)) expect(digestsLeft(emulator)).toContain(digest)
})

test('a defect whose place in the source has changed is told, and builds nothing', async () => {
  const nowhere: Defect = ['src/selector.ts', 'no such text', '']
  await expect(actionWith(nowhere)).rejects.toThrow('has this 0 times and not once')
  const elsewhere: Defect = ['src/cli.ts', 'import', '']
  await expect(actionWith(elsewhere)).rejects.toThrow('src/cli.ts is no part of the action')
})
