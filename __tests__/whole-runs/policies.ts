import fc from 'fast-check'
import type { RawInputs } from '../../src/inputs.js'
import { day, hour } from './registries.js'

/** Inputs together with what they mean, said a second time and without the code that reads them. */
export interface Asked {
  readonly inputs: RawInputs
  /** Whether `image-tags` lets an image with this one tag go. */
  readonly names: (tag: string) => boolean
  readonly selection: 'both' | 'tagged' | 'untagged'
  readonly cutOff: number
  readonly grace: number
  readonly by: 'created' | 'updated'
  readonly spared: number
  readonly most: number
  /** Positions of versions whose digests are in `skip-shas`. */
  readonly skipped: readonly number[]
}

/** Lists for `image-tags`, each with its meaning. */
const tagLists = {
  '': () => true,
  'pr-*': (tag: string) => tag.startsWith('pr-'),
  '{pr,ci}-*, v?': (tag: string) => /^(pr|ci)-|^v.$/.test(tag),
  '!latest': (tag: string) => tag !== 'latest',
  '* !pr-2 !/v[0-9]+/': (tag: string) => tag !== 'pr-2' && !/^v[0-9]+$/.test(tag),
  '/pr-.*|sha256-abc/': (tag: string) => tag.startsWith('pr-') || tag === 'sha256-abc',
} as const

const durations = { '0s': 0, '1h': hour, '2d': 2 * day, '30d': 30 * day } as const

const often = <T>(usual: T, cases: number, ...others: readonly T[]) =>
  fc.oneof(
    { weight: cases, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  )

/** Policies of every combination that the inputs can say. */
export const policies: fc.Arbitrary<Asked> = fc
  .record({
    tags: often<keyof typeof tagLists>(
      '',
      1,
      ...(Object.keys(tagLists) as (keyof typeof tagLists)[]),
    ),
    cutOff: often<keyof typeof durations>('30d', 2, '0s'),
    grace: often<keyof typeof durations>('1h', 1, '0s', '2d'),
    selection: often<Asked['selection']>('both', 2, 'tagged', 'untagged'),
    by: often<Asked['by']>('updated', 2, 'created'),
    spared: often(0, 2, 1, 2, 5),
    most: often(Infinity, 9, 0, 3, 1000),
    skipped: often<readonly number[]>([], 3, [0], [1, 2], [7]),
  })
  .map(({ tags, cutOff, grace, ...rest }) => ({
    ...rest,
    names: tagLists[tags],
    cutOff: durations[cutOff],
    grace: durations[grace],
    inputs: {
      ...{ 'image-tags': tags, 'cut-off': cutOff, grace },
      ...{ 'tag-selection': rest.selection, 'timestamp-to-use': `${rest.by}_at` },
      'keep-n-most-recent': String(rest.spared),
      'max-deletions': rest.most === Infinity ? '' : String(rest.most),
    },
  }))
