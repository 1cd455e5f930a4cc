import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readNames } from '../../src/input-readers.js'
import { mostJobs, shardsOf } from '../../src/sharding.js'

const names = (count: number) => Array.from({ length: count }, (_, i) => `team/p${i}`)

test.each([0, 1, 2, 255, 256])('%i packages are as many jobs with one name each', (count) => {
  expect(shardsOf(names(count))).toEqual(names(count))
})

test('a matrix never has more than 256 jobs, none is empty, and each name is in one of them, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), (count) => {
      const jobs = shardsOf(names(count)).map(readNames)
      const inJobs = jobs.map((read) => (read.kind === 'exact' ? read.names : []))
      const sizes = inJobs.map(({ length }) => length)
      expect(jobs.length).toBeLessThanOrEqual(mostJobs)
      expect(inJobs.flat()).toEqual(names(count))
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
    { numRuns: 30 },
  )
})
