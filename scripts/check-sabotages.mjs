/**
 * Checks that what the sabotages take out still stands in the source, and that their stories are there. Whether they
 * turn red is what sabotage.mjs proves, which takes minutes.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bundle.mjs'
import { sabotages } from './sabotages.mjs'

const wrong = sabotages.flatMap(({ what, defects, stories }) => [
  ...defects.flatMap(({ file, text }) => {
    const times = readFileSync(join(root, file), 'utf8').split(text).length - 1
    return times === 1 ? [] : [`${what}: ${file} has this ${times} times and not once: ${text}`]
  }),
  ...stories
    .filter((story) => !existsSync(join(root, `__tests__/scenarios/${story}.test.ts`)))
    .map((story) => `${what}: there is no story ${story}`),
])
for (const line of wrong) console.error(line)
if (wrong.length > 0) process.exit(1)
console.log(`${sabotages.length} sabotages can be done.`)
