import jestConfig from './jest.config.mjs'

/**
 * Mutation testing of the pure core. The tables alone have to find every mutant: properties and hostile texts would find
 * many of them by luck, and cost seconds for each.
 */
export default {
  mutate: [
    'src/{allowance,decisions,graph,image-reference,images,listing,nearest,oci,references,relations,second-look,selector}.ts',
    'src/policy/**/*.ts',
    'src/references/*.ts',
    'src/report/*.ts',
  ],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules'],
  jest: {
    config: {
      ...jestConfig,
      testMatch: [
        '<rootDir>/__tests__/core/**/!(*properties|*hostile).test.ts',
        '<rootDir>/__tests__/contract/action.test.ts',
        '<rootDir>/__tests__/edges/{allowance,listing}.test.ts',
      ],
    },
  },
  // A test runner that loads modules as ECMAScript ones never gives their memory back.
  maxTestRunnerReuse: 50,
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // Endless loops are told by a counter; this only has to be longer than a slow test on a busy machine.
  timeoutMS: 20_000,
  incremental: true,
  incrementalFile: 'reports/mutation/incremental.json',
  tempDirName: 'reports/stryker-tmp',
  ignorePatterns: ['/coverage', '/reports'],
  reporters: ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 98, low: 95, break: 95 },
}
