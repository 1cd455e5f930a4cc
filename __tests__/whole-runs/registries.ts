import fc from 'fast-check'
import { mediaTypes } from '../../src/emulator/images.js'
import type { Store } from '../../src/emulator/store.js'
import {
  absentDigest,
  attestation,
  entryFor,
  image,
  index,
  oddDocument,
  type Document,
  type EntryForm,
} from './documents.js'

const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** Something pushed earlier, by its position modulo how many there are, or something that never was. */
type Reference = number | 'absent'

interface Times {
  /** Milliseconds before the run. */
  readonly created: number
  readonly updated: number
}

interface Entry {
  readonly of: Reference
  readonly form: EntryForm
  readonly attests: Reference
}

/** One document, or the several that a tool pushes together. */
type Push = Times &
  (
    | {
        readonly push: 'image' | 'artifact'
        readonly docker: boolean
        readonly silent: boolean
        readonly subject: Reference | undefined
        readonly soci: Reference | undefined
      }
    | {
        readonly push: 'index'
        readonly docker: boolean
        readonly silent: boolean
        readonly subject: Reference | undefined
        readonly entries: readonly Entry[]
      }
    | {
        readonly push: 'buildx'
        readonly platforms: number
        readonly attestations: 'none' | 'older' | 'newer'
      }
    | { readonly push: 'odd'; readonly mediaType: string; readonly subject: Reference | undefined }
    | { readonly push: 'fallback'; readonly of: Reference; readonly referrers: readonly Entry[] }
    | { readonly push: 'signature'; readonly of: Reference; readonly suffix: string }
  )

/** How a package came to be: what was pushed, then tagged, then lost. */
export interface History {
  readonly pushes: readonly Push[]
  readonly tags: readonly { readonly tag: string; readonly at: number }[]
  /** Attachment tags on anything and for anything. */
  readonly attached: readonly { readonly at: number; readonly of: Reference; suffix: string }[]
  /** Versions that were deleted long ago, whatever needed them. */
  readonly lost: readonly number[]
  /** So many further images, so that the listing has several pages. */
  readonly crowd: number
}

/** A version as it is pushed. */
interface Version extends Times {
  readonly document: Document
  readonly tags: string[]
}

/** Ages around the limits of the policies: old, just old enough, just too young, still on its way. */
const age = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(60 * day, 30 * day, 400 * day) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[30 * day - minute, 2 * day, 2 * day - minute, day, hour, hour - minute, 0, -hour],
    ),
  },
)
const times = { created: age, updated: age }

/** As the patterns of the policies tell them apart; the last only looks like an attachment's. */
const ownTags = ['pr-1', 'pr-2', 'ci-1', 'v1', 'v2', 'latest', 'sha256-abc'] as const
const suffix = fc.constantFrom('.sig', '', '.att', '.sbom')

const position = fc.nat({ max: 30 })
const reference: fc.Arbitrary<Reference> = fc.oneof(
  { weight: 11, arbitrary: position },
  { weight: 1, arbitrary: fc.constant('absent' as const) },
)
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, nothings: number) =>
  fc.oneof({ weight: nothings, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const rare = fc.integer({ min: 0, max: 9 }).map((at) => at === 9)

const entry: fc.Arbitrary<Entry> = fc.record({
  of: reference,
  form: fc.constantFrom<EntryForm>(
    ...(['platform', 'platform', 'bare', 'attests', 'typed'] as const),
    ...(['features', 'blob', 'strange media type'] as const),
  ),
  attests: reference,
})

const lone = fc.record({
  ...times,
  push: fc.constantFrom('image' as const, 'artifact' as const),
  docker: rare,
  silent: rare,
  subject: sometimes(reference, 2),
  soci: sometimes(reference, 12),
})
const listing = fc.record({
  ...times,
  push: fc.constant('index' as const),
  docker: rare,
  silent: rare,
  subject: sometimes(reference, 5),
  entries: fc.array(entry, { maxLength: 4 }),
})
const buildx = fc.record({
  ...times,
  push: fc.constant('buildx' as const),
  platforms: fc.integer({ min: 1, max: 3 }),
  attestations: fc.constantFrom('none' as const, 'older' as const, 'newer' as const),
})
const odd = fc.record({
  ...times,
  push: fc.constant('odd' as const),
  mediaType: fc.constantFrom(
    ...['application/vnd.example.odd+json', mediaTypes.artifact, mediaTypes.schema1],
  ),
  subject: sometimes(reference, 1),
})
const fallback = fc.record({
  ...times,
  push: fc.constant('fallback' as const),
  of: reference,
  referrers: fc.array(entry, { maxLength: 2 }),
})
const signature = fc.record({
  ...times,
  push: fc.constant('signature' as const),
  of: reference,
  suffix,
})

/**
 * Packages of every shape that real clients, and time, could leave behind. One in so many is crowded: it has several
 * pages, and more to delete than can be on its way at once.
 */
export const histories = (crowded: number): fc.Arbitrary<History> =>
  fc.record({
    pushes: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: lone },
        { weight: 4, arbitrary: listing },
        { weight: 2, arbitrary: buildx },
        { weight: 1, arbitrary: odd },
        { weight: 1, arbitrary: fallback },
        { weight: 1, arbitrary: signature },
      ),
      { minLength: 1, maxLength: 9 },
    ),
    tags: fc.uniqueArray(fc.record({ tag: fc.constantFrom(...ownTags), at: position }), {
      selector: ({ tag }) => tag,
    }),
    attached: fc.array(fc.record({ at: position, of: reference, suffix }), { maxLength: 2 }),
    lost: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(position, { maxLength: 2 }) },
    ),
    crowd: fc.oneof(
      { weight: crowded - 1, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 85, max: 230 }) },
    ),
  })

/** Lets a history happen to a package. Its documents only ever name earlier ones, as hashes force it. */
export function happen(store: Store, account: string, name: string, history: History): void {
  const versions = versionsOf(history)
  const now = store.now()
  for (const { document, tags } of versions) {
    const { body: manifest, mediaType } = document
    store.push({ account, package: name, manifest, mediaType, tags, at: now - 500 * day })
  }
  for (const { document, created, updated } of versions) {
    const at = { createdAt: now - created, updatedAt: now - updated }
    store.setTimestamps(account, name, document.digest, at)
  }
  for (const at of history.lost) {
    const { digest } = nth(versions, at).document
    if (store.version(account, name, digest)) store.removeRow(account, name, digest)
  }
}

function versionsOf({ pushes, tags, attached, crowd }: History): Version[] {
  const versions: Version[] = []
  for (const push of pushes) versions.push(...versionsOfPush(push, versions))
  for (const { tag, at } of tags) nth(versions, at).tags.push(tag)
  for (const { at, of, suffix: end } of attached)
    nth(versions, at).tags.push(attachmentTag(digestAt(versions, of), end))
  // Most of a crowd stays, because deletes take longer than anything else.
  const extras = Array.from({ length: crowd }, (_, at) => ({
    ...(at % 8 === 0 ? { created: 60 * day, updated: 60 * day } : { created: 0, updated: 0 }),
    document: image({ seed: 1000 + at }),
    tags: at % 3 === 0 ? [`pr-crowd-${at}`] : [],
  }))
  return [...versions, ...extras]
}

function versionsOfPush(push: Push, earlier: readonly Version[]): Version[] {
  const { created, updated } = push
  return documentsOf(push, earlier).map((document) => ({
    ...{ document, created, updated },
    tags: tagsOf(push, earlier),
  }))
}

function tagsOf(push: Push, earlier: readonly Version[]): string[] {
  if (push.push === 'fallback') return [attachmentTag(digestAt(earlier, push.of), '')]
  if (push.push !== 'signature') return []
  return [attachmentTag(digestAt(earlier, push.of), push.suffix)]
}

function documentsOf(push: Push, earlier: readonly Version[]): Document[] {
  const seed = earlier.length
  const digest = (of: Reference | undefined) =>
    of === undefined ? undefined : digestAt(earlier, of)
  switch (push.push) {
    case 'image': {
      const { docker, silent, subject, soci } = push
      return [image({ seed, docker, silent, subject: digest(subject), soci: digest(soci) })]
    }
    case 'artifact': {
      const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
      return [image({ seed, artifactType, subject: digest(push.subject) })]
    }
    case 'index': {
      const { docker, silent, subject, entries } = push
      return [
        index(entriesOf(entries, earlier), { seed, docker, silent, subject: digest(subject) }),
      ]
    }
    case 'buildx':
      return buildxDocuments(push, seed)
    case 'odd':
      return [oddDocument(push.mediaType, { seed, subject: digest(push.subject) })]
    case 'fallback':
      return [index(entriesOf(push.referrers, earlier), { seed })]
    case 'signature':
      return [image({ seed })]
  }
}

function buildxDocuments(
  { platforms, attestations }: Extract<Push, { push: 'buildx' }>,
  seed: number,
): Document[] {
  const images = Array.from({ length: platforms }, (_, at) => image({ seed: seed + at / 10 }))
  const notes =
    attestations === 'none'
      ? []
      : images.map((of, at) => attestation(of, attestations === 'newer', seed + 0.5 + at / 10))
  const entries = [
    ...images.map((one) => entryFor(one, 'platform', '')),
    ...notes.map((note, at) => entryFor(note, 'attests', images[at]?.digest ?? '')),
  ]
  return [...images, ...notes, index(entries, { seed })]
}

function entriesOf(entries: readonly Entry[], earlier: readonly Version[]): object[] {
  return entries.map(({ of, form, attests }, at) => {
    const document =
      of === 'absent' || earlier.length === 0
        ? { ...image({ seed: 0 }), digest: absentDigest(at) }
        : nth(earlier, of).document
    return entryFor(document, form, digestAt(earlier, attests))
  })
}

function digestAt(versions: readonly Version[], at: Reference): string {
  if (at === 'absent' || versions.length === 0) return absentDigest('')
  return nth(versions, at).document.digest
}

function nth<T>(all: readonly T[], at: number): T {
  const found = all[at % all.length]
  if (found === undefined) throw new Error('nothing was pushed')
  return found
}

function attachmentTag(digest: string, end: string): string {
  return `${digest.replace(':', '-')}${end}`
}
