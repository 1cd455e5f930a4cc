import { isDigest, type Use } from './model.js'
import type { Protection } from './policy/policy.js'
import { chartPlaces, compositions } from './references/compositions.js'
import { fieldsIn } from './references/fields.js'
import { fits, type ImageNames } from './references/image-text.js'
import { readComposition, type Meaning } from './references/meanings.js'
import { scopeOf, type Scope } from './references/placeholders.js'
import { literal, templated, type Reading } from './references/written.js'

export type { ImageNames } from './references/image-text.js'

/** What a file says of an image of this account, and where. */
export type Reference = Use & Meaning

const longestShown = 200

/**
 * Finds references to images of this account in a text file of any kind: in plain text, with placeholders that the file
 * itself fills in, and in mappings that say name, tag and digest under separate keys. Never fails; takes time
 * linear in the text. What is not known is told as such, and never guessed.
 *
 * @param file its path, as it is to be shown
 */
export function referencesIn(text: string, file: string, images: ImageNames): Reference[] {
  const reading = { text, images, scope: scopeFor(text, images), useAt: usesAt(text, file) }
  const { groups, escaped } = fieldsIn(text, file)
  const places = chartPlaces(groups, images)
  const parts = groups
    .flatMap((group) => compositions(group, images, places))
    .map((composition) => ({
      composition,
      meant: readComposition(composition, images, reading.scope),
    }))
  const replaced = parts.filter(({ composition }) => composition.replaces)
  const isReplaced = within(replaced.map(({ composition }) => composition))
  const named = [
    ...[...literal(reading), ...templated(reading)]
      .filter(({ isBare, start }) => !isBare || !isReplaced(start))
      .map(({ reference }) => reference),
    ...parts.flatMap(({ composition, meant }) =>
      meant.map(({ written, ...what }) => ({
        ...reading.useAt(written, composition.start),
        ...what,
      })),
    ),
    ...escaped.flatMap(({ value, start }) => {
      const meant = { ...reading, text: value, useAt: (one: string) => reading.useAt(one, start) }
      return literal(meant).map(({ reference }) => reference)
    }),
  ]
  return inOrder([...named, ...digestsAlone(reading, named)])
}

/** Whether a place is in one of some pieces of the text, which do not overlap. */
function within(pieces: readonly { start: number; end: number }[]): (at: number) => boolean {
  const sorted = [...pieces].sort((a, b) => a.start - b.start)
  const starts = sorted.map(({ start }) => start)
  return (at) => at < (sorted[countUpTo(starts, at) - 1]?.end ?? 0)
}

/** A digest is the name of one manifest only, so it counts wherever a file has it, such as in a lock file. */
function digestsAlone({ text, useAt }: Reading, named: readonly Reference[]): Reference[] {
  const known = new Set<string | undefined>(named.map(({ digest }) => digest))
  return [...text.matchAll(/\bsha256:[0-9a-f]{64}(?![0-9a-f])/gi)].flatMap(
    ({ 0: found, index }) => {
      const digest = found.toLowerCase()
      if (!isDigest(digest) || known.has(digest)) return []
      return [{ package: '*', digest, ...useAt(found, index) }]
    },
  )
}

function inOrder(references: readonly Reference[]): Reference[] {
  return distinct(references, (one) => JSON.stringify([one, one.tags?.source])).sort(
    (a, b) => a.line - b.line,
  )
}

/** What the tags and digests of one package are used by, and where. */
export interface Uses {
  /** By tag and by digest. */
  readonly uses: ReadonlyMap<string, readonly Use[]>
  /** Where a part of a tag is known, or a range of versions: every tag that fits may be meant. */
  readonly protect: readonly Protection[]
  /** These may mean the package, and what they mean cannot be known. */
  readonly unknown: readonly Use[]
}

/** What references say of one package. */
export function usesOf(references: readonly Reference[], packageName: string): Uses {
  const name = packageName.toLowerCase()
  const about = references.filter((reference) => fits(reference.package, name))
  const uses = new Map<string, Use[]>()
  for (const reference of about)
    for (const key of [reference.tag, reference.digest]) {
      if (key === undefined) continue
      const list = uses.get(key) ?? []
      if (list.length === 0) uses.set(key, list)
      list.push(useOf(reference))
    }
  const protect = about.flatMap(({ tags, file, line }) =>
    tags === undefined ? [] : [{ pattern: tags, origin: { place: `${file}:${line}` } }],
  )
  return {
    uses: new Map([...uses].map(([key, list]) => [key, distinct(list)])),
    protect: distinct(protect, ({ pattern, origin }) => `${pattern.source} ${origin.place}`),
    unknown: distinct(about.filter((reference) => reference.unknown).map(useOf)),
  }
}

function useOf({ reference, file, line }: Reference): Use {
  return { reference, file, line }
}

function distinct<T>(
  list: readonly T[],
  keyOf: (one: T) => string = (one) => JSON.stringify(one),
): T[] {
  return [...new Map(list.map((one) => [keyOf(one), one])).values()]
}

function scopeFor(text: string, { account, repository }: ImageNames): Scope {
  const expressions = new Map([['github.repository_owner', account]])
  if (repository !== undefined) expressions.set('github.repository', repository)
  return scopeOf(text, expressions)
}

function usesAt(text: string, file: string): Reading['useAt'] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (written, start) => {
    const shown = written.replace(/\s+/g, ' ').replace(/[.:@/+]+$/, '')
    return { reference: shown.slice(0, longestShown), file, line: countUpTo(starts, start) }
  }
}

/** How many numbers of a sorted list are not above a limit. */
function countUpTo(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
