/**
 * Texts in files that are filled in later: `${TAG}` of shells and Compose, `{{ .Values.tag }}` of Helm, `${{ … }}` of
 * workflows. What the same file says about them is used; what it does not say stays unknown.
 */

/** Stands in an expanded text for what only another place knows. */
export const unknown = '\ue000'

/** A part of a text that is filled in later. */
interface Placeholder {
  readonly end: number
  readonly kind: 'variable' | 'expression' | 'template' | 'other'
  /** What is between its marks. */
  readonly inner: string
}

/** What placeholders of one file can stand for. */
export interface Scope {
  readonly valuesOf: (placeholder: Placeholder) => readonly string[]
}

const longestPlaceholder = 300
const mostAlternatives = 16
const longestValue = 200
const deepest = 8

type Form = readonly [start: string, form: RegExp, kind: Placeholder['kind']]

/** No form can be matched in two ways, and each looks at a short piece of text only. */
const forms: readonly Form[] = [
  ['${{', /^\$\{\{(.*?)\}\}/, 'expression'],
  ['${', /^\$\{((?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*)\}/, 'variable'],
  ['$(', /^\$\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)/, 'variable'],
  ['$', /^\$([A-Za-z_]\w*)/, 'variable'],
  ['{{', /^\{\{(.*?)\}\}/, 'template'],
  ['%', /^%([A-Za-z_]\w*)%?/, 'variable'],
  ['#{', /^#\{([^{}\n]*)\}#?/, 'other'],
  ['<', /^<(\w[\w .-]*)>/, 'other'],
]

/** The placeholder that begins at a place of a text, if one does. */
export function placeholderAt(text: string, at: number): Placeholder | undefined {
  if (!'${%#<'.includes(text[at] ?? ' ')) return undefined
  const piece = text.slice(at, at + longestPlaceholder)
  for (const [start, form, kind] of forms) {
    const found = piece.startsWith(start) ? form.exec(piece) : null
    if (found !== null) return { end: at + found[0].length, kind, inner: (found[1] ?? '').trim() }
  }
  return undefined
}

/**
 * The texts that a text with placeholders can stand for, with {@link unknown} where the file does not say it. When
 * there are too many, what makes them many is unknown.
 */
export function expand(text: string, scope: Scope): string[] {
  let made = ['']
  for (let at = 0; at < text.length;) {
    const placeholder = placeholderAt(text, at)
    const end = placeholder?.end ?? literalEnd(text, at)
    const values = placeholder === undefined ? [text.slice(at, end)] : scope.valuesOf(placeholder)
    const few = made.length * values.length > mostAlternatives ? [unknown] : values
    made = made.flatMap((before) => few.map((value) => before + value))
    at = end
  }
  return [...new Set(made.map((one) => one.replace(/\ue000+/g, unknown)))]
}

function literalEnd(text: string, at: number): number {
  const next = text.slice(at + 1).search(/[${%#<]/)
  return next < 0 ? text.length : at + 1 + next
}

/**
 * Reads what a file says about its own variables.
 *
 * @param expressions what is known of `${{ … }}` from elsewhere
 */
export function scopeOf(text: string, expressions: ReadonlyMap<string, string>): Scope {
  const assigned = assignments(text)
  const environment = text.includes('$') ? environmentOf(text) : new Map<string, Set<string>>()
  const known = new Map<string, readonly string[]>()
  let depth = 0
  const resolve = (key: string, raw: ReadonlySet<string>): readonly string[] => {
    const done = known.get(key)
    if (done !== undefined) return done
    if (depth >= deepest) return [unknown]
    known.set(key, [unknown]) // What refers to itself stays unknown.
    depth += 1
    const values = [...new Set([...raw].flatMap((value) => expand(value, scope)))]
    depth -= 1
    known.set(key, values)
    return values
  }
  const variable = (inner: string) => {
    const [, name, mark = '', word = ''] = /^(\w+)(?:(:?[-=+?])(.*))?$/s.exec(inner) ?? []
    if (name === undefined) return [unknown]
    if (mark.endsWith('+')) return [...expand(word, scope), '']
    const raw = assigned.get(name) ?? environment.get(name)
    const values = raw === undefined ? [] : resolve(name, raw)
    const otherwise = /[-=]$/.test(mark) ? expand(word, scope) : []
    return values.length + otherwise.length === 0 ? [unknown] : [...values, ...otherwise]
  }
  const expression = (inner: string) => {
    const stated = expressions.get(inner)
    if (stated !== undefined) return [stated]
    const raw = environment.get(/^env\.(\w+)$/.exec(inner)?.[1] ?? '')
    return raw === undefined ? (fallback(inner) ?? [unknown]) : resolve(inner, raw)
  }
  const scope: Scope = {
    valuesOf: ({ kind, inner }) => {
      if (kind === 'variable') return variable(inner)
      if (kind === 'expression') return expression(inner)
      return (kind === 'template' ? fallback(inner) : undefined) ?? [unknown]
    },
  }
  return scope
}

/** `{{ .Values.tag | default "1.2" }}`, `{{ "1.2" }}`, `${{ inputs.tag || '1.2' }}`: the text when nothing else is said. */
function fallback(inner: string): readonly string[] | undefined {
  const [, , word] =
    /(?:\bdefault\s*\(?\s*|\|\|\s*)(["'`])([^"'`]*)\1/.exec(inner) ??
    /^-?\s*(["'`])([^"'`]*)\1\s*-?$/.exec(inner) ??
    []
  return word === undefined ? undefined : [word]
}

/** `ARG TAG=1.2`, `ENV TAG 1.2`, `export TAG="1.2"`, `TAG := 1.2`: each value that a line gives a variable. */
function assignments(text: string): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>()
  for (const line of shortLines(text)) {
    const start =
      /^\s*(?:(?:export|local|readonly|arg|env)\s+)?(?=\w+\s{0,9}(?::{0,2}|[?+])=)/i.exec(line)
    const [, name = '', value = ''] = /^\s*env\s+(\w+)\s+([^\s=]+)\s*$/i.exec(line) ?? []
    if (name !== '') add(values, name, value)
    if (start === null) continue
    const pairs = line.slice(start[0].length)
    const pair =
      /\s*(\w+)\s{0,9}(?:::?|[?+])?=\s{0,9}(?:"([^"]*)"|'([^']*)'|((?:\$\{\{.*?\}\}|\$\([^()]*\)|\S)*))/y
    for (const [, key = '', double, single, bare] of allOf(pair, pairs))
      add(values, key, double ?? single ?? bare ?? '')
  }
  return values
}

function allOf(form: RegExp, text: string): RegExpExecArray[] {
  const found: RegExpExecArray[] = []
  for (let next = form.exec(text); next !== null; next = form.exec(text)) found.push(next)
  return found
}

/** `TAG: 1.2` in a workflow, of which `${{ env.TAG }}` speaks. */
function environmentOf(text: string): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>()
  for (const line of shortLines(text)) {
    const [, name, value = ''] = /^\s*([A-Za-z_]\w*):\s+(\S.*)$/.exec(line) ?? []
    if (name === undefined || /^[|>]/.test(value)) continue
    add(values, name, unquoted(value))
  }
  return values
}

/** A value as YAML and its like write it on one line, without quotes, comment and comma. */
export function unquoted(value: string): string {
  const mark = value.charAt(0)
  if (mark === '"' || mark === "'") {
    let end = 1
    while (end < value.length && value[end] !== mark)
      end = placeholderAt(value, end)?.end ?? end + 1
    return value.slice(1, end)
  }
  const comment = value.search(/\s#(?!\{)/)
  return (comment < 0 ? value : value.slice(0, comment)).trim().replace(/,$/, '')
}

function* shortLines(text: string): Generator<string> {
  for (const line of text.split('\n')) if (line.length <= longestValue * 4) yield line.trimEnd()
}

function add(values: Map<string, Set<string>>, name: string, value: string): void {
  const before = values.get(name) ?? new Set()
  values.set(name, before.add(value.length > longestValue ? unknown : value))
}
