/**
 * Tries the properties of the plans and of whole runs with far more cases than the tests do. It prints the command that
 * repeats it before it starts, because the same seed and number of cases find the same failure again.
 *
 * Usage: npm run soak -- [--cases <number>] [--seed <number>]
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const files = [
  '__tests__/core/properties.test.ts',
  '__tests__/whole-runs/whole-runs.test.ts',
  '__tests__/whole-runs/two-runs.test.ts',
]
/** A whole run takes about as long as so many plans. */
const plansPerRun = 100

function options() {
  try {
    const { values } = parseArgs({
      options: {
        cases: { type: 'string', default: '100000' },
        seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      },
    })
    return { cases: wholeNumber('cases', values.cases), seed: wholeNumber('seed', values.seed) }
  } catch (error) {
    console.error(error.message)
    process.exit(2)
  }
}

function wholeNumber(name, text) {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new Error(`--${name} takes a whole number above 0, and got "${text}".`)
}

const { cases, seed } = options()
const runs = Math.max(1, Math.round(cases / plansPerRun))

console.log(`npm run soak -- --seed ${seed} --cases ${cases}`)
console.log(`${cases} cases of each property of plans, ${runs} of each property of whole runs.`)
const { status } = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js'), ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PROPERTY_CASES: String(cases),
      PROPERTY_SEED: String(seed),
      WHOLE_RUNS: String(runs),
    },
  },
)
process.exitCode = status ?? 1
