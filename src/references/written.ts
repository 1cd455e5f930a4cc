import type { Use } from '../model.js'
import { endOfRun, hasTag, readImage, starred, type ImageNames } from './image-text.js'
import { meanings, type Meaning } from './meanings.js'
import { expand, placeholderAt, unknown, type Scope } from './placeholders.js'

/** A file that is read. */
export interface Reading {
  readonly text: string
  readonly images: ImageNames
  readonly scope: Scope
  /** What is written at a place of the text, as a use of an image. */
  readonly useAt: (written: string, start: number) => Use
}

/** A reference that stands in the text in one piece. */
export interface Found {
  readonly reference: Use & Meaning
  readonly start: number
  /** Neither a tag nor a digest is written with the name. */
  readonly isBare: boolean
}

/** References that have the registry in front. */
export function literal(reading: Reading): Found[] {
  const { text, images } = reading
  const host = new RegExp(`(?<![\\w.-])${escaped(images.registry)}/`, 'gi')
  const account = new RegExp(`${escaped(images.account)}/|[\${%#<]`, 'iy')
  const found: Found[] = []
  for (let match = host.exec(text); match !== null; match = host.exec(text)) {
    account.lastIndex = host.lastIndex
    if (!account.test(text)) continue
    const end = endOfRun(text, match.index)
    const version = versionBeside(text, match.index, end)
    found.push(...read(reading, match.index, end, () => true, version))
    // A placeholder may hold another reference.
    const rest = text.slice(host.lastIndex, end).search(/[${%#<]/)
    host.lastIndex = rest < 0 ? Math.max(host.lastIndex, end) : host.lastIndex + rest
  }
  return found
}

function escaped(text: string): string {
  return text.replace(/[^\w]/g, '\\$&')
}

/** `helm pull oci://… --version 1.2.3`: what the command line says of the tag of a chart. */
function versionBeside(text: string, start: number, end: number): string | undefined {
  if (!/oci:\/\/$/i.test(text.slice(Math.max(0, start - 6), start))) return undefined
  const [line = ''] = text.slice(end, end + 300).split(/(?<!\\)\r?\n/)
  const version = /--version[\s=]+["']?/.exec(line)
  if (version === null) return unknown
  const from = end + version.index + version[0].length
  return text.slice(from, endOfRun(text, from))
}

/** References that begin with a placeholder, such as `${REGISTRY}/acme/api:1.0`. */
export function templated(reading: Reading): Found[] {
  const { text, images } = reading
  const marks = /(?<![\w.\-/:@+$])[$%]|(?<![\w.\-/:@+${])\{\{|(?<=[a-z]:\/\/)(?:[$%]|\{\{)/g
  const found: Found[] = []
  for (let match = marks.exec(text); match !== null; match = marks.exec(text)) {
    if (placeholderAt(text, match.index) === undefined) continue
    const end = endOfRun(text, match.index)
    const isPlace = isPlaceOfImage(text, match.index)
    found.push(...read(reading, match.index, end, (one) => mayBeImage(one, isPlace, images)))
    marks.lastIndex = end
  }
  return found
}

/** What begins with something unknown is taken for an image only where an image is asked for, or with the account. */
function mayBeImage(expanded: string, isPlace: boolean, { account }: ImageNames): boolean {
  if (!expanded.startsWith(unknown)) return true
  if (expanded.toLowerCase().includes(`/${account.toLowerCase()}/`)) return true
  return isPlace && /^[^:@]*[a-z0-9]|[:@][^\ue000]+$/i.test(expanded)
}

/** Whether what follows is an image by the words in front of it. */
function isPlaceOfImage(text: string, start: number): boolean {
  const before =
    text
      .slice(Math.max(0, start - 120), start)
      .split('\n')
      .at(-1) ?? ''
  return (
    /(?:image|container|from|repository|newname|uses)["']?\s*[:=]\s*["']?(?:[a-z-]+:\/\/)?$/i.test(
      before,
    ) || /^\s*from\s+(?:--platform=\S*\s+)?["']?$/i.test(before)
  )
}

function read(
  reading: Reading,
  start: number,
  end: number,
  accept: (expanded: string) => boolean,
  version?: string,
): Found[] {
  const { text, scope, images } = reading
  const written = text.slice(start, end)
  const use = reading.useAt(written, start)
  return expand(written, scope)
    .filter(accept)
    .flatMap((one) => {
      const image = readImage(one, images)
      if (image === undefined) return []
      const isBare = !hasTag(one) && image.digest === undefined
      const tags = isBare && version !== undefined ? expand(version, scope) : [undefined]
      const meant = tags.flatMap((tag) =>
        meanings(tag === undefined ? image : { ...image, tag: starred(tag) }),
      )
      return meant.map((what) => ({ reference: { ...use, ...what }, start, isBare }))
    })
}
