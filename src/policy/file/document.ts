import {
  Composer,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  Scalar,
  type Document,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { positionsIn, quote, short, type Finding, type Path, type Positions } from './mistakes.js'

/** A value of a YAML file and where it is written. What an alias stands for is the very value of its anchor. */
export type Located = LocatedMap | LocatedList | LocatedScalar

interface LocatedMap {
  readonly kind: 'map'
  readonly offset: number
  readonly size: number
  readonly entries: ReadonlyMap<string, LocatedEntry>
}

interface LocatedList {
  readonly kind: 'list'
  readonly offset: number
  readonly size: number
  readonly items: readonly Located[]
}

export interface LocatedScalar {
  readonly kind: 'scalar'
  readonly offset: number
  readonly size: 1
  readonly value: unknown
  /** As it stands in the file, without quotes. */
  readonly source: string
}

interface LocatedEntry {
  readonly keyOffset: number
  readonly value: Located
}

/** What could be read of a text, and what is wrong with it as YAML. Without a root there is nothing to go on with. */
export interface ReadDocument {
  readonly root: Located | undefined
  readonly findings: readonly Finding[]
}

const longestFile = 1024 * 1024
const deepestNesting = 64
/** Words and marks. A file of two thousand rules has less than half of it. */
const mostLexemes = 250_000
const mostErrors = 1000
/** With everything counted as often as aliases repeat it. */
const mostValues = 200_000

/** Everything outside of https://yaml.org/spec/1.2.2/#51-character-set, and what stands for bytes that are no UTF-8. */
const impossible = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]/u

/** Reads a text as one YAML 1.2 document of the core schema, with aliases and merge keys resolved. */
export function readDocument(text: string): ReadDocument {
  if (text.length > longestFile)
    return broken(0, 'the file is longer than 1 MiB; nobody writes so much by hand')
  const odd = impossible.exec(text)
  if (odd !== null) return broken(odd.index, oddCharacter(odd[0]))
  const documents = compose(text)
  if ('findings' in documents) return documents
  const [document, second] = documents
  const errors = documents.flatMap(({ errors }) => syntaxFindings(errors))
  if (second !== undefined)
    errors.push({
      at: second.range[0],
      path: [],
      message: 'a second document begins here; a policy file is one document',
    })
  if (errors.length > 0) return { root: undefined, findings: errors }
  if (document === undefined || isEmpty(document))
    return broken(0, 'the file is empty; it takes "version: 1" and what may be deleted')
  return locateValues(document, text)
}

function broken(at: number, message: string): ReadDocument & { readonly root: undefined } {
  return { root: undefined, findings: [{ at, path: [], message }] }
}

function oddCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `the character U+${code} is in no YAML file; it takes text in UTF-8`
}

function isEmpty(document: Document.Parsed): boolean {
  const { contents } = document
  return contents === null || (isScalar(contents) && contents.source === '')
}

/** Nesting is bounded while the text is taken apart: all that comes later is recursive. */
function compose(text: string): Document.Parsed[] | (ReadDocument & { readonly root: undefined }) {
  const parser = new Parser()
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: 'error',
  })
  const documents: Document.Parsed[] = []
  let lexemes = 0
  let errors = 0
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      documents.push(...composer.next(token))
      if (token.type === 'error') errors++
    }
    // So many are no slips of somebody who writes a policy.
    if (errors > mostErrors) break
    if (parser.stack.length > deepestNesting)
      return broken(parser.offset, `is nested more than ${deepestNesting} levels deep`)
    if (++lexemes > mostLexemes)
      return broken(parser.offset, `the file is longer than any policy: ${mostLexemes} words`)
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end(true, text.length))
  return documents
}

/** What the library says in words of the specification. */
const plainWords: readonly (readonly [RegExp, string])[] = [
  [/^Alias cannot be an empty/, 'a text that begins with * takes quotes, as in "*"'],
  [
    /^Plain value cannot start with (?:reserved|directive indicator) character (.)/,
    'a text that begins with $1 takes quotes',
  ],
  [/^Tabs/, 'a tab stands where YAML takes spaces only'],
  [/must be sufficiently indented and end with a (.)/, 'the bracket is not closed by "$1"'],
  [
    /^(?:Nested mappings|Implicit keys|Implicit map keys)/,
    'a key stands where none can be: a line is indented too far, or a text with ": " needs quotes, or quotes are not closed',
  ],
  [/^Unexpected flow-(?:map|seq)-end/, 'a closing bracket has no opening one'],
  [
    /^Unexpected \S+ at node end/,
    'something follows a value that is at its end; a "," is missing, or quotes around all of it',
  ],
  [
    /^Missing , (?:or : )?between flow/,
    'a "," is missing between brackets, or a text with a bracket in it needs quotes, such as "pr-{number}"',
  ],
  [/^Missing closing/, 'a text that begins with a quote does not end with one'],
  [/^Missing directives-end/, 'a line "---" is missing after the directives'],
  [/^All mapping items must/, 'the keys of a map do not stand in one column'],
  [/^All sequence items must/, 'the items of a list do not stand in one column'],
]

/** The first of what is wrong at one place; the others come of it. */
function syntaxFindings(errors: readonly YAMLError[]): Finding[] {
  const first = new Map<number, string>()
  for (const { message, pos } of errors) if (!first.has(pos[0])) first.set(pos[0], message)
  return [...first].map(([at, message]) => ({ at, path: [], message: syntaxWords(message) }))
}

function syntaxWords(message: string): string {
  const known = plainWords.find(([form]) => form.test(message))
  const found = known && message.match(known[0])
  const words = known
    ? known[1].replace('$1', found?.[1] ?? '')
    : message.charAt(0).toLowerCase() + message.slice(1)
  return `is not YAML: ${short(words, 200)}`
}

const misreadExclusion =
  'is a tag of YAML, which means nothing here; a text that begins with ! takes quotes'

function locateValues(document: Document.Parsed, text: string): ReadDocument {
  const locator = new Locator(positionsIn(text))
  const root = locator.value(document.contents, [], 0)
  const warnings = document.warnings.map(({ pos }) => ({
    at: pos[0],
    path: [],
    message: `${quote(text.slice(...pos))} ${text[pos[0]] === '!' ? misreadExclusion : 'means nothing here; a policy file takes no directives'}`,
  }))
  const findings = [...warnings, ...locator.findings]
  if (root.size <= mostValues) return { root, findings }
  return broken(0, `the file stands for more than ${mostValues} values`)
}

/** Turns nodes of the library into located values, in the order of the file. */
class Locator {
  readonly findings: Finding[] = []
  readonly #anchors = new Map<string, Located>()
  /** Anchors around the value that is being read: an alias for one of them would have no end. */
  readonly #open = new Set<string>()
  readonly #positions: Positions
  #merged = 0

  constructor(positions: Positions) {
    this.#positions = positions
  }

  value(node: unknown, path: Path, fallback: number): Located {
    if (isAlias(node)) return this.#alias(node.source, offsetOf(node) ?? fallback, path)
    const anchor = (isMap(node) || isSeq(node) || isScalar(node)) && node.anchor
    if (!anchor) return this.#plain(node, path, fallback)
    this.#open.add(anchor)
    const value = this.#plain(node, path, fallback)
    this.#open.delete(anchor)
    this.#anchors.set(anchor, value)
    return value
  }

  #alias(name: string, offset: number, path: Path): Located {
    const value = this.#anchors.get(name)
    if (value !== undefined && !this.#open.has(name)) return value
    const quoted = short(name)
    const why = this.#open.has(name)
      ? `"*${quoted}" stands inside of what it names`
      : `no anchor "&${quoted}" comes before *${quoted}; as a pattern it takes quotes: "*${quoted}"`
    this.findings.push({ at: offset, path, message: why, hides: true })
    return nothing(offset)
  }

  #plain(node: unknown, path: Path, fallback: number): Located {
    const offset = offsetOf(node) ?? fallback
    if (isMap(node)) return this.#map(node, path, offset)
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.value(item, [...path, index], offset))
      return { kind: 'list', offset, size: sizeOf(items), items }
    }
    if (!isScalar(node) || (node.value === null && !node.source)) return nothing(fallback)
    const { value, source = String(value) } = node
    return { kind: 'scalar', offset, size: 1, value, source }
  }

  #map(node: YAMLMap, path: Path, offset: number): LocatedMap {
    const entries = new Map<string, LocatedEntry>()
    const merged: LocatedEntry[] = []
    const keys = new Map<string, number>()
    for (const pair of node.items) {
      const [key, keyOffset] = this.#key(pair, path, offset)
      if (key === undefined) continue
      const first = keys.get(key)
      const value = this.value(pair.value, [...path, key], keyOffset)
      if (first !== undefined) this.#duplicate([...path, key], keyOffset, first)
      else if (isMergeKey(pair)) merged.push({ keyOffset, value })
      else entries.set(key, { keyOffset, value })
      keys.set(key, first ?? keyOffset)
    }
    const size = sizeOf([...entries.values(), ...merged].map(({ value }) => value))
    for (const entry of merged) this.#merge(entries, entry, path)
    return { kind: 'map', offset, size, entries }
  }

  #key({ key }: Pair, path: Path, fallback: number): [key: string | undefined, offset: number] {
    const at = offsetOf(key) ?? fallback
    const text = isScalar(key) ? key.source : undefined
    if (isScalar(key) && typeof key.value === 'string') return [key.value, at]
    if (text) return [text, at]
    this.findings.push({ at, path, message: 'a key that is no text means nothing here' })
    return [undefined, at]
  }

  #duplicate(path: Path, at: number, first: number): void {
    const { line } = this.#positions(first)
    this.findings.push({ at, path, message: `is written twice in one map, before in line ${line}` })
  }

  /** https://yaml.org/type/merge.html: keys that are there win, and of several maps the earlier. */
  #merge(entries: Map<string, LocatedEntry>, { keyOffset, value }: LocatedEntry, path: Path): void {
    for (const map of value.kind === 'list' ? value.items : [value]) {
      if (map.kind === 'map') {
        this.#merged += map.size
        // The size of the whole tells of it.
        if (this.#merged > mostValues) return
        for (const [key, entry] of map.entries) if (!entries.has(key)) entries.set(key, entry)
      } else {
        const message = 'takes an alias of a map, or a list of such'
        this.findings.push({ at: keyOffset, path: [...path, '<<'], message })
      }
    }
  }
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && key.type === Scalar.PLAIN
}

function nothing(offset: number): LocatedScalar {
  return { kind: 'scalar', offset, size: 1, value: null, source: '' }
}

function sizeOf(values: readonly Located[]): number {
  return values.reduce((total, { size }) => total + size, 1)
}

/** A value as plain data. Objects have no prototype, so that every key is one. */
export function plainOf(value: Located, known = new Map<Located, unknown>()): unknown {
  if (value.kind === 'scalar') return value.value
  const before = known.get(value)
  if (before !== undefined) return before
  const plain = value.kind === 'list' ? value.items.map((item) => plainOf(item, known)) : mapOf()
  function mapOf() {
    const map = Object.create(null) as Record<string, unknown>
    if (value.kind === 'map')
      for (const [key, entry] of value.entries) map[key] = plainOf(entry.value, known)
    return map
  }
  known.set(value, plain)
  return plain
}

/** Where a path leads; where it leads nowhere, the last that is there. */
export function locate(
  root: Located,
  path: Path,
): { readonly value: Located | undefined; readonly offset: number; readonly keyOffset: number } {
  let value = root
  let keyOffset = root.offset
  for (const step of path) {
    const entry =
      value.kind === 'map' && typeof step === 'string' ? value.entries.get(step) : undefined
    const item =
      value.kind === 'list' && typeof step === 'number' ? value.items[step] : entry?.value
    if (item === undefined) return { value: undefined, offset: value.offset, keyOffset }
    keyOffset = entry?.keyOffset ?? item.offset
    value = item
  }
  return { value, offset: value.offset, keyOffset }
}
