import { isDigest, type Digest } from '../model.js'
import { placeholderAt, unknown } from './placeholders.js'

/** How images of this account are named in files. */
export interface ImageNames {
  /** The registry's host, with a port if it has one: `ghcr.io`. */
  readonly registry: string
  readonly account: string
  /** The repository of the run, `owner/name`, which `${{ github.repository }}` stands for. */
  readonly repository?: string | undefined
}

/** What one text says of an image. In its parts `*` stands for what is not known. */
export interface ImageText {
  /** What the package may be called, without the account; several when only a part of the name is known. */
  readonly packages: readonly string[]
  /** Undefined when none is written. */
  readonly tag: string | undefined
  /** `unknown` when one is written that cannot be read. */
  readonly digest: Digest | 'unknown' | undefined
}

const longestRun = 600
const plain = /[\w.\-/:@+]+/y

/** Where a reference ends that begins at a place of a text: at the first character that no reference has. */
export function endOfRun(text: string, start: number): number {
  const piece = text.slice(start, start + longestRun)
  let at = 0
  while (at < piece.length) {
    plain.lastIndex = at
    const next = plain.test(piece) ? plain.lastIndex : placeholderEnd(piece, at)
    if (next === undefined) break
    at = next
  }
  return start + at
}

/** `<tag>` is a placeholder where a part of a reference begins; elsewhere it is markup. */
function placeholderEnd(text: string, at: number): number | undefined {
  if (text[at] === '<' && !/[:/@.v-]/.test(text.charAt(at - 1))) return undefined
  return placeholderAt(text, at)?.end
}

/** Reads an expanded text as the name of an image. @returns undefined when it is none of this account */
export function readImage(text: string, images: ImageNames): ImageText | undefined {
  const [body, digest] = split(text, text.indexOf('@'))
  const [name, rest] = split(body, body.indexOf(':', Math.max(0, body.indexOf('/'))))
  const packages = packagesOf(name, images)
  if (packages.length === 0) return undefined
  return { packages, tag: readTag(rest, name), digest: readDigest(digest) }
}

function split(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** Whether a tag is written in a name; what comes before the last slash is a port. */
export function hasTag(name: string): boolean {
  return name.lastIndexOf(':') > name.lastIndexOf('/')
}

/** A name that ends in something unknown may hold the tag there. */
function readTag(rest: string | undefined, name: string): string | undefined {
  const [tag = ''] = (rest ?? '').split(/[:/]/)
  if (tag !== '') return starred(tag)
  return name.endsWith(unknown) ? '*' : undefined
}

/** Reads what is written for a digest. */
export function readDigest(text: string | undefined): ImageText['digest'] {
  if (text === undefined || text === '') return undefined
  const digest = /^sha256:[0-9a-f]+/i.exec(text)?.[0].toLowerCase() ?? ''
  return isDigest(digest) ? digest : 'unknown'
}

/** Writes `*` for what is not known. */
export function starred(text: string): string {
  return text.replace(/[\ue000*]+/g, '*')
}

/** What remains of a name after registry and account, which may hide in an unknown part. */
function packagesOf(name: string, { registry, account }: ImageNames): string[] {
  const host = `${registry}/`.toLowerCase()
  const whole = name.toLowerCase()
  // A mirror has the name of what it mirrors after its own.
  const own = whole.slice(whole.lastIndexOf(`/${host}`) + 1)
  const rests = new Set(remainders(own, `${host}${account}/`.toLowerCase()))
  return [...rests].map((rest) => starred(rest.replace(/[/.:_-]+$/, ''))).filter(isName)
}

/** Where a name is not known, whether it is one can not be said. */
function isName(text: string): boolean {
  return /^(?:[a-z0-9]|\*)[a-z0-9._/*-]*$/.test(text)
}

/** Every text that can follow a prefix in a text of which parts are unknown. */
function remainders(text: string, prefix: string): string[] {
  let states = new Set([0])
  for (const character of prefix) {
    const next = new Set<number>()
    for (const start of states) {
      let at = start
      for (; text[at] === unknown; at += 1) next.add(at)
      if (text[at] === character) next.add(at + 1)
    }
    states = next
  }
  return [...states].map((at) => text.slice(at))
}

/** Whether a text can be what a text with `*` stands for. Takes time linear in both. */
export function fits(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.pop()
  if (tail === undefined) return pattern === text
  if (!text.startsWith(head) || text.length < head.length + tail.length || !text.endsWith(tail))
    return false
  const limit = text.length - tail.length
  let at = head.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0 || found + piece.length > limit) return false
    at = found + piece.length
  }
  return true
}
