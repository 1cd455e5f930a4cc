import fc from 'fast-check'
import { isKnownLeaf } from '../../src/graph.js'
import type { Digest } from '../../src/model.js'
import type { Policy } from '../../src/policy/policy.js'
import {
  artifact,
  digest,
  hour,
  image,
  index,
  listed,
  tagOf,
  type Entry,
  type Item,
} from './kit.js'
import type { SaidPolicy } from './oracle.js'
import { policies as writtenPolicies, rarely, surroundings, tagNames } from './policy-arbitrary.js'
import { compiled } from './policy-kit.js'
import type { Around, Written, WrittenRule } from './policy-oracle.js'

/** Ages in days around the limits of the policies below: in flight, young, on the edge, old. */
const age = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(30, 31, 60, 400) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 0.01, 1, 29) },
)
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
  lifetime: string | undefined
  lost: boolean
  unread: boolean
}

const position = fc.nat({ max: 30 })
const seed: fc.Arbitrary<Seed> = fc.record({
  kind: fc.constantFrom(...kinds),
  age,
  updated: age,
  children: fc.array(
    fc.record({ at: position, form: fc.constantFrom(...entryForms), attests: position }),
    { maxLength: 4 },
  ),
  subject: rarely<number | undefined>(3, undefined, position),
  attachedByTag: rarely<number | undefined>(6, undefined, position),
  soci: rarely<number | undefined>(12, undefined, position),
  lifetime: rarely<string | undefined>(4, undefined, fc.constantFrom('1d', '52w', 'never')),
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
    fc.array(fc.record({ tag: fc.constantFrom(...tagNames), at: position }), { maxLength: 12 }),
  )
  .map(([seeds, tags]) => {
    const owners = new Map(tags.map(({ tag, at }) => [tag, at % seeds.length]))
    const tagsAt = (at: number) =>
      [...owners].filter(([, owner]) => owner === at).map(([tag]) => tag)
    const items = seeds.map((each, at) => itemOf(each, at, seeds.length, tagsAt(at)))
    return items.map((item, at) => ({
      ...withLifetime(item, seeds[at]?.lifetime),
      unread: !!seeds[at]?.unread && needsNoRead(item, items),
    }))
  })

function withLifetime(item: Item, lifetime: string | undefined): Item {
  return lifetime === undefined ? item : { ...item, manifest: { ...item.manifest, lifetime } }
}

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

/** The file that says it, and what only inputs say. */
const said = (written: Written, around: Around, inputs: Partial<Policy>): SaidPolicy => ({
  ...compiled(written, around),
  ...inputs,
  ...{ written, around },
})

const rules = [
  { name: 'pr', delete: { tags: ['pr-*'] } },
  { name: 'pr or v', delete: { tags: ['pr-*', 'v*'] } },
  { name: 'tagged', delete: { tagged: true } },
  { name: 'untagged', delete: { untagged: true } },
] as const

const theRest = { name: 'rest', delete: { tagged: true, untagged: true, orphans: true } } as const
const when = { 'beyond-newest': 3 }

/** Policies as inputs say them. */
const plain: fc.Arbitrary<Written> = fc
  .record({
    some: fc.subarray([...rules], { minLength: 1 }),
    older: fc.constantFrom('0h', '30d'),
    by: fc.constantFrom('updated' as const, 'created' as const),
    protect: fc.subarray(['latest', 'main', 'v*']),
  })
  .map(({ some, older, by, protect }) => ({
    protect,
    unmatched: 'keep',
    rules: some.map((rule) => ({ ...rule, when: { 'older-than': older, by } })),
  }))

/** Policies as files say them, mostly with a rule that deletes what the others leave over. */
const ofFiles = fc
  .tuple(
    writtenPolicies,
    rarely<readonly WrittenRule[]>(4, [theRest], fc.constantFrom([], [{ ...theRest, when }])),
  )
  .map(([written, rest]): Written => ({ ...written, rules: [...written.rules, ...rest] }))

/** Policies as inputs or files say them. */
export const policies: fc.Arbitrary<SaidPolicy> = fc
  .record({
    written: fc.oneof(plain, ofFiles),
    around: surroundings,
    used: rarely<string[]>(4, [], fc.constantFrom(['latest'], [digest('v1')], [digest('v2')])),
    grace: fc.constantFrom(0, hour, 48 * hour),
    kept: rarely<number[]>(4, [], fc.array(fc.nat({ max: 13 }), { maxLength: 2 })),
    spareNewest: fc.constantFrom(0, 0, 1, 2, 5),
    ageBy: fc.constantFrom('updated' as const, 'created' as const),
  })
  .map(({ written, around, used, grace, kept, spareNewest, ageBy }) =>
    said(
      written,
      { ...around, used: [...around.used, ...used] },
      { grace, keepDigests: listed(...kept.map((at) => `v${at}`)), spareNewest, ageBy },
    ),
  )
