import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Composer,
  Parser,
  visit,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { unknown, unquoted } from './placeholders.js'
import { groupedByPath, settingsIn } from './settings.js'

/** One key of a mapping and the text under it. */
export interface Field {
  readonly key: string
  readonly value: string
  /** Where the value stands in the file, without quotes. */
  readonly start: number
  readonly end: number
  /** Written without quotes, so that YAML may take it for a number. */
  readonly isPlain: boolean
}

/** What a file says in mappings, and in texts that are not written as they are meant. */
export interface Fields {
  readonly groups: readonly (readonly Field[])[]
  readonly escaped: readonly Field[]
}

/** Only such keys can tell of an image. */
const telling =
  /(?:repository|repo|image|name|url|chart|container|registry|tag|digest|sha256|sha|version|revision|semver)$/i
const mostFields = 1000
/** A file in which mappings merge more than this is not read for the sake of its merges. */
const mostMerged = 100_000

/**
 * Reads the mappings of a file. What is no YAML, such as most templates, is read line by line: keys of one depth that
 * follow each other are a mapping.
 */
export function fieldsIn(text: string, file: string): Fields {
  const read = isYaml(file) ? fromYaml(text) : undefined
  const lines = read?.isWhole === true ? [] : fromLines(text, isYaml(file))
  return {
    groups: [...(read?.groups ?? []), ...lines, ...settingsIn(text).map(tellingOnes)],
    escaped: read?.escaped ?? [],
  }
}

function tellingOnes(fields: readonly Field[]): readonly Field[] {
  return fields.filter(({ key }) => telling.test(key))
}

function isYaml(file: string): boolean {
  return /\.(?:ya?ml|json[c5]?)(?:\.\w+)*$|\.(?:tpl|gotmpl|tmpl|j2)$/i.test(file)
}

const longestYaml = 1024 * 1024
const deepest = 400
const options = {
  uniqueKeys: false,
  strict: false,
  prettyErrors: false,
  schema: 'failsafe',
  logLevel: 'silent',
} as const

/** @returns undefined for what is no YAML, as far as its tokens show it */
function fromYaml(text: string): (Fields & { isWhole: boolean }) | undefined {
  if (text.length > longestYaml) return undefined
  const tokens = [...new Parser().parse(withoutTemplates(text))]
  if (tokens.some(({ type }) => type === 'error') || isDeeper(tokens, deepest)) return undefined
  const groups: (readonly Field[])[] = []
  const escaped: Field[] = []
  let isWhole = true
  for (const document of new Composer(options).compose(tokens)) {
    if (document.errors.length > 0) isWhole = false
    else readDocument(document, text, groups, escaped)
  }
  return { groups, escaped, isWhole }
}

/** Documents are composed by recursion, which nothing can catch when it goes too deep. */
function isDeeper(tokens: readonly unknown[], limit: number): boolean {
  const waiting = tokens.map((part) => ({ part, depth: 0 }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { part, depth } = next
    if (depth > limit) return true
    if (typeof part !== 'object' || part === null) continue
    const { key, value, items } = part as { key?: unknown; value?: unknown; items?: unknown }
    const inside = [key, value, ...(Array.isArray(items) ? (items as unknown[]) : [])]
    for (const one of inside)
      if (typeof one === 'object') waiting.push({ part: one, depth: depth + 1 })
  }
  return false
}

/** The same text with templates that YAML takes for plain words, and without those that stand alone on their lines. */
function withoutTemplates(text: string): string {
  const parts: string[] = []
  let done = 0
  let wasAlone = true
  for (const [start, end] of templates(text)) {
    const before = text.slice(done, start)
    const line = before.lastIndexOf('\n') + 1
    const isFirst: boolean = before.slice(line).trim() === '' && (wasAlone || line > 0)
    const isAlone: boolean = isFirst && restOfTemplates.test(text.slice(end, end + 200))
    parts.push(before, (isAlone ? ' ' : unknown).repeat(end - start))
    wasAlone = isAlone
    done = end
  }
  return [...parts, text.slice(done)].join('')
}

const longestTemplate = 2000
/** Nothing but templates up to the end of the line. */
const restOfTemplates = /^(?:[^\S\n]|\{\{[^{}\n]*\}\})*(?:\n|$)/

function* templates(text: string): Generator<[start: number, end: number]> {
  const open = /\{\{|\{%/g
  const ends = new Map<string, number>()
  for (let found = open.exec(text); found !== null; found = open.exec(text)) {
    const mark = found[0] === '{{' ? '}}' : '%}'
    const known = ends.get(mark) ?? -1
    const end = known > found.index + 1 ? known : text.indexOf(mark, found.index + 2)
    ends.set(mark, end < 0 ? Infinity : end)
    if (end < 0 || end - found.index > longestTemplate) continue
    const inner = text.slice(found.index, end)
    if (inner.includes('\n') && !/^\{\{-?\s*\/\*/.test(inner)) continue
    yield [found.index, end + 2]
    open.lastIndex = end + 2
  }
}

function readDocument(
  document: Document,
  text: string,
  groups: (readonly Field[])[],
  escaped: Field[],
): void {
  const anchors = new Map<string, Node>()
  const maps: YAMLMap[] = []
  const lists: YAMLSeq[] = []
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node)
      if (isMap(node)) maps.push(node)
      if (isSeq(node)) lists.push(node)
      if (
        isScalar(node) &&
        node.type === 'QUOTE_DOUBLE' &&
        text.slice(...(node.range ?? [])).includes('\\')
      )
        escaped.push(field('', node, text))
    },
  })
  const reader = new MappingReader(text, anchors)
  for (const map of maps) groups.push(reader.fieldsOf(map))
  for (const list of lists) groups.push(...reader.namedIn(list))
}

/** Reads each mapping once, however often others merge it into theirs. */
class MappingReader {
  private readonly known = new Map<YAMLMap, readonly Field[]>()
  private merges = 0

  constructor(
    private readonly text: string,
    private readonly anchors: ReadonlyMap<string, Node>,
  ) {}

  fieldsOf(map: YAMLMap): readonly Field[] {
    const known = this.known.get(map)
    if (known !== undefined) return known
    this.known.set(map, []) // A mapping cannot merge itself.
    const own = map.items.flatMap((pair) => this.own(pair))
    const keys = new Set(own.map(({ key }) => key))
    const merged = map.items.flatMap((pair) => this.merged(pair))
    const all = [...own, ...merged.filter(({ key }) => !keys.has(key))].slice(0, mostFields)
    this.known.set(map, all)
    return all
  }

  /** Argo CD, Helmfile and Kubernetes list names and values: `- { name: image.tag, value: 1.2.3 }`. */
  namedIn({ items }: YAMLSeq): readonly (readonly Field[])[] {
    const settings = items.flatMap((item) => {
      const map = this.resolve(item)
      if (!isMap(map)) return []
      const [name, value] = ['name', 'value'].map((key) => this.resolve(map.get(key, true)))
      if (!isScalar(name) || !isScalar(value)) return []
      return [{ path: String(name.value), field: field('', value, this.text) }]
    })
    return groupedByPath(settings.slice(0, mostFields)).map(tellingOnes)
  }

  private own({ key, value }: Pair): readonly Field[] {
    const name = isScalar(key) ? String(key.value) : ''
    const node = this.resolve(value)
    if (isScalar(node) && telling.test(name)) return [field(name, node, this.text)]
    if (name === 'tags' && isSeq(node))
      return node.items.filter(isScalar).map((item) => field('tag', item, this.text))
    // Flux says beside the address of an artifact in `ref` which one it is.
    return name === 'ref' && isMap(node) ? this.fieldsOf(node) : []
  }

  private merged({ key, value }: Pair): readonly Field[] {
    if (!isScalar(key) || key.value !== '<<') return []
    const node = this.resolve(value)
    const sources = isSeq(node) ? node.items.map((item) => this.resolve(item)) : [node]
    if (this.merges > mostMerged) return []
    const fields = sources.flatMap((source) => (isMap(source) ? this.fieldsOf(source) : []))
    this.merges += fields.length
    return fields
  }

  private resolve(node: unknown): unknown {
    return isAlias(node) ? this.anchors.get(node.source) : node
  }
}

/** The text of a scalar as the file has it, so that templates in it can be read. */
function field(key: string, node: Scalar, text: string): Field {
  const [from = 0, to = from] = node.range ?? []
  const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
  const isBlock = node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL'
  const start = isBlock ? firstWord(text, text.indexOf('\n', from), to) : from + Number(isQuoted)
  const end = Math.max(start, to - Number(isQuoted))
  const source = text.slice(start, end)
  const isAsMeant = !isBlock && !/[\\\n]/.test(source)
  const value = isAsMeant || typeof node.value !== 'string' ? source : node.value
  return { key, value: value.trim(), start, end, isPlain: !isQuoted && !isBlock }
}

function firstWord(text: string, from: number, to: number): number {
  const found = text.slice(Math.max(0, from), to).search(/\S/)
  return Math.max(0, from) + Math.max(0, found)
}

interface Open {
  readonly depth: number
  readonly fields: Field[]
}

interface Line {
  /** How far the key is from the edge; undefined for an empty line. */
  readonly depth: number | undefined
  readonly beginsItem: boolean
  readonly beginsSection: boolean
  readonly field: Field | undefined
}

const longestLine = 1000

function* fromLines(text: string, isYaml: boolean): Generator<readonly Field[]> {
  const open: Open[] = []
  let at = 0
  for (const whole of text.split('\n')) {
    const line = readLine(whole.slice(0, longestLine), at, isYaml)
    for (let last = open.at(-1); last !== undefined && isOver(last, line); last = open.at(-1)) {
      yield last.fields
      open.pop()
    }
    if (line.field !== undefined && line.depth !== undefined) {
      if (open.at(-1)?.depth !== line.depth) open.push({ depth: line.depth, fields: [] })
      const fields = open.at(-1)?.fields ?? []
      if (fields.length < mostFields) fields.push(line.field)
    }
    at += whole.length + 1
  }
  for (const { fields } of open) yield fields
}

function readLine(text: string, at: number, isYaml: boolean): Line {
  const beginsSection = /^\s*\[/.test(text)
  const [, indent = '', dash = '', key, rest = ''] =
    /^(\s*)((?:-\s+)*)(?:export\s+)?["']?([\w.-]{1,100})["']?\s*[:=]\s*([^]*)$/.exec(text) ?? []
  if (key === undefined) {
    const depth = text.search(/\S/)
    return {
      depth: depth < 0 ? undefined : depth,
      beginsItem: false,
      beginsSection,
      field: undefined,
    }
  }
  const end = at + text.length
  const value = unquoted(rest)
  const isPlain = isYaml && !/^["']/.test(rest)
  const field = { key, value, start: end - rest.length, end, isPlain }
  return {
    depth: indent.length + dash.length,
    beginsItem: dash !== '',
    beginsSection,
    field: telling.test(key) ? field : undefined,
  }
}

function isOver(group: Open, { depth, beginsItem, beginsSection }: Line): boolean {
  if (depth === undefined) return false
  return beginsSection || group.depth > depth || (beginsItem && group.depth === depth)
}
