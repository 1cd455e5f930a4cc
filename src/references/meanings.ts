import type { Digest } from '../model.js'
import type { Pattern } from '../policy/patterns.js'
import { compileSemver } from '../policy/versions.js'
import type { Composition } from './compositions.js'
import {
  fits,
  hasTag,
  readDigest,
  readImage,
  starred,
  type ImageNames,
  type ImageText,
} from './image-text.js'
import { expand, unknown, type Scope } from './placeholders.js'

/** Which image a reference means, as far as its file says it. */
export interface Meaning {
  /** The name after the account, lower case. `*` stands for what is not known of it. */
  readonly package: string
  readonly tag?: string
  readonly digest?: Digest
  /** The tags that may be meant, where a part of the tag is known or it is a range of versions. */
  readonly tags?: Pattern
  /** Which image is meant cannot be known from the file alone. */
  readonly unknown?: true
}

const tagForm = /^\w[\w.-]{0,127}$/

/** What the text of a reference means, in each package that it can be about. */
export function meanings({ packages, tag, digest }: ImageText): Meaning[] {
  const texts = tag === undefined ? [] : meaningsOfTag(tag)
  const exact = texts.filter((one) => one.tag !== undefined)
  if (digest === undefined) return inEach(packages, tag === undefined ? [{ tag: 'latest' }] : texts)
  // The digest alone says what is pulled; the tag tells the reader.
  const pinned = digest === 'unknown' ? { unknown: true as const } : { digest }
  return inEach(packages, exact.length > 0 ? exact.map((one) => ({ ...one, ...pinned })) : [pinned])
}

type MeaningOfTag = Omit<Meaning, 'package'>

function inEach(packages: readonly string[], meant: readonly MeaningOfTag[]): Meaning[] {
  return packages.flatMap((name) => meant.map((one) => ({ package: name, ...narrowed(name, one) })))
}

/** A part of a tag says too little where nothing is known of the name. */
function narrowed(name: string, { tags, ...meaning }: MeaningOfTag): MeaningOfTag {
  if (tags === undefined) return meaning
  return /[a-z0-9]/.test(name) ? { ...meaning, tags } : { ...meaning, unknown: true }
}

/** Tags have no `+`; Helm writes `_` for it. A full stop at the end may be that of a sentence. */
function meaningsOfTag(text: string): MeaningOfTag[] {
  const tag = text.replaceAll('+', '_')
  if (tag.includes('*'))
    return [/[a-z0-9]/i.test(tag) ? { tags: patternOf(tag) } : { unknown: true }]
  const tags = [tag, tag.replace(/\.+$/, '')].filter((one) => tagForm.test(one))
  return tags.length === 0 ? [{ unknown: true }] : [...new Set(tags)].map((one) => ({ tag: one }))
}

function patternOf(source: string): Pattern {
  return { source, matches: (tag) => fits(source, tag) }
}

/** A meaning, and the text that the keys of a mapping make together. */
export type Composed = Meaning & { readonly written: string }

/** What the keys of a mapping mean together. */
export function readComposition(
  composition: Composition,
  images: ImageNames,
  scope: Scope,
): Composed[] {
  const { name } = composition
  return expand(name, scope).flatMap((one) => {
    const image = readImage(one, images)
    if (image === undefined) return []
    const others =
      hasTag(one) || image.digest !== undefined ? [] : besides(composition, image.packages, scope)
    if (others.length > 0) return others
    return meanings(image).map((what) => ({ ...what, written: name }))
  })
}

/** What the other keys say of a name without tag and digest. */
function besides(
  { name, tags, digests, ranges, lacksTag }: Composition,
  packages: readonly string[],
  scope: Scope,
): Composed[] {
  const [digest] = digests
  const written = (what: string[], image: Omit<ImageText, 'packages'>) =>
    meanings({ packages, ...image }).map((one) => ({ ...one, written: [name, ...what].join('') }))
  const pins = digest === undefined ? [undefined] : expand(digest, scope)
  const suffix = digest === undefined ? [] : [`@${digest}`]
  const ofTags = tags.flatMap((tag) =>
    pins.flatMap((pin) =>
      expand(tag, scope).flatMap((one) =>
        written([`:${tag}`, ...suffix], { tag: starred(one), digest: readDigest(pin) }),
      ),
    ),
  )
  const ofDigests = digests
    .slice(tags.length > 0 ? 1 : 0)
    .flatMap((text) =>
      expand(text, scope).flatMap((one) =>
        written([`@${text}`], { tag: undefined, digest: readDigest(one) }),
      ),
    )
  const ofRanges = ranges.flatMap((range) =>
    inEach(packages, [meaningOfRange(range)]).map((one) => ({
      ...one,
      written: `${name} ${range}`,
    })),
  )
  const latest = lacksTag ? inEach(packages, [{ tag: 'latest', unknown: true }]) : []
  const all = [...ofTags, ...ofDigests, ...ofRanges]
  return [...all, ...latest.map((one) => ({ ...one, written: name }))]
}

/** Helm has a comma where npm has a space. */
function meaningOfRange(range: string): MeaningOfTag {
  if (expand(range, { valuesOf: () => [unknown] }).some((one) => one.includes(unknown)))
    return { unknown: true }
  try {
    const { matches } = compileSemver(range.replaceAll(',', ' '), undefined, 'keep')
    return { tags: { source: range, matches } }
  } catch {
    return { unknown: true }
  }
}
