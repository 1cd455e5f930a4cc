import { spawnSync } from 'node:child_process'
import { describe, test } from '@jest/globals'

/**
 * A `describe` for tests that need real clients. These are no dependency: where one is missing, the tests say so and
 * pass over. With REQUIRE_REAL_CLIENTS=1 they fail instead, so that no pipeline loses them unnoticed.
 */
export function describeWith(
  ...tools: ('buildah' | 'skopeo')[]
): (name: string, tests: () => void) => void {
  const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0).join(' ')
  if (missing === '') return describe
  if (process.env.REQUIRE_REAL_CLIENTS !== '1') {
    // Jest shows no console output of a file whose tests are all skipped.
    process.stderr.write(`tests with real clients are skipped; not installed: ${missing}\n`)
    return describe.skip
  }
  return (name) => {
    test(`${name}: needs real clients`, () => {
      throw new Error(
        `REQUIRE_REAL_CLIENTS=1 and not installed: ${missing}; on Debian: apt-get install --no-install-recommends ${missing}`,
      )
    })
  }
}
