/**
 * Proves that the stories notice when a promise is broken: for each row of sabotages.mjs it builds the action without
 * what the row takes out, and expects every story file that the row names to turn red. It takes some minutes.
 *
 *   npm run sabotage              all rows
 *   npm run sabotage -- P1 grace  rows of a promise, or with one of these in their words or stories
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBroken } from './broken-bundle.mjs'
import { root } from './bundle.mjs'
import { sabotages } from './sabotages.mjs'

const jest = join(root, 'node_modules/jest/bin/jest.js')
const folder = await mkdtemp(join(tmpdir(), 'sabotage-'))

/** Runs story files with an action in which these defects are. Gives their tests by file name. */
async function runStories(stories, defects, name) {
  const action = join(folder, `${name}.mjs`)
  const report = join(folder, `${name}.json`)
  await buildBroken(action, defects)
  const files = stories.map((story) => `__tests__/scenarios/${story}.test.ts`)
  const args = ['--silent', '--json', `--outputFile=${report}`, '--runTestsByPath', ...files]
  const env = {
    ...process.env,
    NODE_OPTIONS: '--experimental-vm-modules',
    ACTION_BUNDLE: action,
    MORE_DEFECTS: JSON.stringify(defects),
  }
  await new Promise((resolve, reject) => {
    spawn(process.execPath, [jest, ...args], { cwd: root, env, stdio: 'ignore' })
      .once('error', reject)
      .once('close', resolve)
  })
  const { testResults } = JSON.parse(await readFile(report, 'utf8'))
  return new Map(files.map((file, at) => [stories[at], testsOf(testResults, file)]))
}

function testsOf(results, file) {
  const tests = results.find((result) => result.name.endsWith(file))?.assertionResults ?? []
  const titles = (status) =>
    tests.filter((one) => one.status === status).map(({ fullName }) => fullName)
  return { red: titles('failed'), green: titles('passed') }
}

/**
 * Why a row proves nothing, or undefined. Where every test is red, the action may have become unable to run at all, so
 * among all the stories of a row one test has to stay green.
 */
function weakness(tests) {
  const unmoved = [...tests].filter(([, { red }]) => red.length === 0).map(([story]) => story)
  if (unmoved.length > 0) return `${unmoved.join(', ')} stayed green`
  if ([...tests.values()].every(({ green }) => green.length === 0)) return 'nothing stayed green'
  return undefined
}

function chosen(words) {
  if (words.length === 0) return sabotages
  return sabotages.filter(({ promise, what, stories }) =>
    words.some((word) => promise === word || [what, ...stories].join('\n').includes(word)),
  )
}

/** Red stories prove nothing when they are red without any sabotage. */
async function expectSound(rows) {
  const stories = [...new Set(rows.flatMap((row) => row.stories))].sort()
  const tests = await runStories(stories, [], 'sound')
  const red = [...tests].filter(([, one]) => one.red.length > 0 || one.green.length === 0)
  for (const [story, one] of red) console.error(`${story} is red already: ${one.red.join('; ')}`)
  if (red.length > 0) process.exit(1)
  console.log(`${stories.length} story files are green without sabotage.\n`)
}

async function prove({ promise, what, defects, stories }, number) {
  const tests = await runStories(stories, defects, String(number)).catch(({ message }) => message)
  const why = typeof tests === 'string' ? tests : weakness(tests)
  console.log(`${why === undefined ? 'red  ' : 'WEAK '} ${promise.padEnd(3)} ${what}`)
  if (why !== undefined) console.log(`          ${why}`)
  if (typeof tests === 'string') return false
  for (const [story, { red, green }] of tests) {
    const count = `${red.length} of ${red.length + green.length}`
    console.log(`          ${story}: ${count}${red.length > 0 ? `, such as "${red[0]}"` : ''}`)
  }
  return why === undefined
}

try {
  const rows = chosen(process.argv.slice(2))
  await expectSound(rows)
  let weak = 0
  for (const [at, row] of rows.entries()) if (!(await prove(row, at + 1))) weak += 1
  console.log(`\n${rows.length - weak} of ${rows.length} sabotages were noticed.`)
  process.exitCode = weak > 0 || rows.length === 0 ? 1 : 0
} finally {
  await rm(folder, { recursive: true })
}
