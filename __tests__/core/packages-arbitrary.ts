import fc from 'fast-check'
import { isKnownLeaf } from '../../src/graph.js'
import type { Digest } from '../../src/model.js'
import { compileTagPatterns } from '../../src/policy/patterns.js'
import type { Policy } from '../../src/policy/policy.js'
import {
  artifact,
  digest,
  hour,
  image,
  index,
  policy,
  tagOf,
  tagged,
  untagged,
  type Entry,
  type Item,
} from './kit.js'

/** Ages in days around the limits of the policies below: in flight, young, on the edge, old. */
const age = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(30, 31, 60, 400) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 0.01, 1, 29) },
)
const tagNames = ['pr-1', 'pr-2', 'ci-1', 'v1', 'v2', 'latest', 'prod'] as const
const kinds = ['image', 'image', 'index', 'index', 'artifact'] as const
const entryForms = ['platform', 'bare', 'attests', 'other'] as const

interface Seed {
  kind: (typeof kinds)[number]
  age: number
  updated: number
  /** Positions of other versions, taken modulo how many there are. */
  children: { at: number; form: (typeof entryForms)[number]; attests: number }[]
  subject: number | undefined
  /** A position: this version has the attachment tag of that one, or of one that is not there. */
  attachedByTag: number | undefined
  soci: number | undefined
  lost: boolean
  unread: boolean
}

const position = fc.nat({ max: 30 })
/** A position in one of so many cases. */
const rarely = (cases: number): fc.Arbitrary<number | undefined> =>
  fc.oneof(
    { weight: cases - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: position },
  )

const seed: fc.Arbitrary<Seed> = fc.record({
  kind: fc.constantFrom(...kinds),
  age,
  updated: age,
  children: fc.array(
    fc.record({ at: position, form: fc.constantFrom(...entryForms), attests: position }),
    { maxLength: 4 },
  ),
  subject: rarely(3),
  attachedByTag: rarely(6),
  soci: rarely(12),
  lost: fc.boolean(),
  unread: fc.boolean(),
})

/**
 * Packages of every shape: nested and shared children, referrers of referrers, attestations, fallback and signature
 * tags, absent children and subjects, circles through tags. Contents only ever name earlier versions, as hashes force
 * it; tags and annotations name anything.
 */
export const packages: fc.Arbitrary<Item[]> = fc
  .tuple(
    fc.array(seed, { minLength: 1, maxLength: 14 }),
    fc.array(fc.record({ tag: fc.constantFrom(...tagNames), at: position }), { maxLength: 8 }),
  )
  .map(([seeds, tags]) => {
    const owners = new Map(tags.map(({ tag, at }) => [tag, at % seeds.length]))
    const tagsAt = (at: number) =>
      [...owners].filter(([, owner]) => owner === at).map(([tag]) => tag)
    const items = seeds.map((each, at) => itemOf(each, at, seeds.length, tagsAt(at)))
    return items.map((item, at) => ({
      ...item,
      unread: !!seeds[at]?.unread && needsNoRead(item, items),
    }))
  })

/** Whether an index says all about a plain image, or all but the subject of an attestation. */
function needsNoRead({ version, manifest }: Item, items: readonly Item[]): boolean {
  const entries = items
    .flatMap((other) => other.manifest.children)
    .filter((child) => child.digest === version.digest && isKnownLeaf(child))
  const { kind, subject, sociIndex } = manifest
  const says = (attests: Digest | undefined) => subject === undefined || subject === attests
  const hidesNothing = entries.every(({ attests }) => says(attests)) && sociIndex === undefined
  return kind !== 'index' && version.tags.length === 0 && entries.length > 0 && hidesNothing
}

function itemOf(each: Seed, at: number, count: number, ownTags: string[]): Item {
  const earlier = (reference: number) => (at === 0 ? 'absent' : `v${reference % at}`)
  const anyone = (reference: number) =>
    reference % (count + 1) === count ? 'absent' : `v${reference % (count + 1)}`
  const attached =
    each.attachedByTag === undefined ? [] : [tagOf(anyone(each.attachedByTag), '.sig')]
  const options = {
    tags: [...ownTags, ...attached],
    age: each.age,
    updated: each.updated,
    ...(each.subject === undefined ? {} : { subject: earlier(each.subject) }),
    ...(each.soci === undefined ? {} : { soci: earlier(each.soci) }),
  }
  if (each.kind === 'image') return image(`v${at}`, options)
  if (each.kind === 'artifact') return artifact(`v${at}`, options)
  const entries = each.children.map((child): Entry => {
    const of = earlier(child.at)
    if (child.form === 'platform') return of
    if (child.form === 'attests') return { of, attests: anyone(child.attests) }
    return child.form === 'other' ? { of, kind: 'other', mediaType: 'application/x-layer' } : { of }
  })
  return index(`v${at}`, each.lost ? [...entries, `lost ${at}`] : entries, options)
}

/** Policies of every combination. */
export const policies: fc.Arbitrary<Policy> = fc
  .record({
    rules: fc.subarray([tagged('pr-*'), tagged('{pr,ci,v}*'), tagged(), untagged], {
      minLength: 1,
    }),
    olderThan: fc.constantFrom(0, 30 * 24 * hour),
    grace: fc.constantFrom(0, hour, 48 * hour),
    protect: fc.subarray(['latest', 'prod', 'v*']),
    keep: fc.oneof(
      { weight: 3, arbitrary: fc.constant<number[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.nat({ max: 13 }), { maxLength: 2 }) },
    ),
    spareNewest: fc.constantFrom(0, 0, 1, 2, 5),
    ageBy: fc.constantFrom('updated' as const, 'created' as const),
  })
  .map(({ rules, olderThan, grace, protect, keep, spareNewest, ageBy }) =>
    policy({
      deleteRules: rules.map((rule) => ({ ...rule, olderThan })),
      grace,
      protect: compileTagPatterns(protect).include,
      keepDigests: new Set(keep.map((at) => digest(`v${at}`))),
      spareNewest,
      ageBy,
    }),
  )
