import { expect, test } from '@jest/globals'
import { nearest } from '../../src/nearest.js'

test.each<[word: string, candidates: string[], found: string | undefined]>([
  ['grace', ['registry', 'grace'], 'grace'],
  ['GRACE', ['grace'], 'grace'],
  ['grave', ['grace'], 'grace'],
  ['grrace', ['grace'], 'grace'],
  ['ace', ['grace'], 'grace'],
  ['gra', ['grace'], 'grace'],
  ['xxgrace', ['grace'], 'grace'],
  ['gracexx', ['grace'], 'grace'],
  ['gr', ['grace'], undefined],
  ['ce', ['grace'], undefined],
  ['xxxgrace', ['grace'], undefined],
  ['gracexxx', ['grace'], undefined],
  ['xxgracexx', ['grace'], undefined],
  // One letter in three may be wrong in a long word.
  ['rust-logxxx', ['rust-log'], 'rust-log'],
  ['xxxrust-log', ['rust-log'], 'rust-log'],
  ['rust-logxxxx', ['rust-log'], 'rust-log'],
  ['rust-logxxxxx', ['rust-log'], undefined],
  ['image-nams', ['image-tags', 'image-names'], 'image-names'],
  ['bat', ['cat', 'hat'], 'cat'],
  ['grace', [], undefined],
])('the nearest to %j of %j is %j', (word, candidates, found) => {
  expect(nearest(word, candidates)).toBe(found)
})
