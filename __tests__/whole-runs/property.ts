import { test } from '@jest/globals'
import fc from 'fast-check'

const { WHOLE_RUNS: cases = '60', PROPERTY_SEED: seed = '1' } = process.env
const numRuns = Number(cases)
/** Milliseconds; long enough to make a failing case small. What is found until then is told. */
const timeout = Math.max(300_000, numRuns * 3000)
const parameters = {
  ...{ numRuns, seed: Number(seed) },
  ...{ interruptAfterTimeLimit: timeout * 0.9, markInterruptAsFailure: true },
}

/**
 * A property of whole runs. They spend most of their time in waiting for timers, so properties are tried side by side,
 * each on a stage of its own. A failure tells its seed and path, and its case as small as it can be.
 */
export function property<Stage extends { readonly close: () => Promise<void> }, Case>(
  sentence: string,
  open: () => Promise<Stage>,
  of: fc.Arbitrary<Case>,
  holds: (stage: Stage, values: Case) => Promise<void>,
): void {
  const tried = async () => {
    const stage = await open()
    try {
      await fc.assert(
        fc.asyncProperty(of, (values) => holds(stage, values)),
        parameters,
      )
    } finally {
      await stage.close()
    }
  }
  test.concurrent(sentence, tried, timeout)
}
