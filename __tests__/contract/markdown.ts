/** A part of a page: what the tests of the documentation look at. */
export type Part =
  | { readonly kind: 'heading'; readonly text: string; readonly depth: number }
  | { readonly kind: 'text'; readonly text: string }
  | Code
  | Table

/** A fenced block. */
export interface Code {
  readonly kind: 'code'
  readonly language: string
  readonly text: string
  /** What the line above it says, up to a colon at its end. */
  readonly label: string
}

export interface Table {
  readonly kind: 'table'
  /** Counted from 0. */
  readonly line: number
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What stands under one heading, up to the next. */
export interface Section {
  readonly title: string
  readonly parts: readonly Part[]
}

/** Splits a page at its headings. */
export function sectionsOf(markdown: string): Section[] {
  const sections: { title: string; parts: Part[] }[] = []
  for (const part of partsOf(markdown)) {
    if (part.kind === 'heading') sections.push({ title: part.text, parts: [] })
    else sections.at(-1)?.parts.push(part)
  }
  return sections
}

/** Reads as much Markdown as these pages use: headings, paragraphs, fenced blocks, tables. */
function partsOf(markdown: string): Part[] {
  const lines = markdown.split('\n')
  const parts: Part[] = []
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? ''
    const form = forms.find(({ starts }) => starts.test(line)) ?? paragraph
    const length = form.length(lines.slice(at))
    const part = form.read(lines.slice(at, at + length), at, parts)
    if (part !== undefined) parts.push(part)
    at += length
  }
  return parts
}

interface Form {
  readonly starts: RegExp
  readonly length: (lines: readonly string[]) => number
  readonly read: (
    lines: readonly string[],
    line: number,
    before: readonly Part[],
  ) => Part | undefined
}

/** How many lines there are until one that does not belong to it any more. */
function until(end: RegExp): Form['length'] {
  return (lines) => {
    const at = lines.findIndex((line, index) => index > 0 && end.test(line))
    return at === -1 ? lines.length : at
  }
}

const paragraph: Form = {
  starts: /./,
  length: until(/^$|^```|^\||^#/),
  read: (lines) => ({ kind: 'text', text: lines.join(' ') }),
}

const forms: readonly Form[] = [
  { starts: /^$/, length: () => 1, read: () => undefined },
  {
    starts: /^#+ /,
    length: () => 1,
    read: ([line = '']) => ({
      kind: 'heading',
      text: line.replace(/^#+ /, ''),
      depth: line.indexOf(' '),
    }),
  },
  {
    starts: /^```/,
    length: (lines) => until(/^```$/)(lines) + 1,
    read: (lines, _line, before) => ({
      kind: 'code',
      language: (lines[0] ?? '').slice(3),
      text: lines.slice(1, -1).join('\n'),
      label: labelIn(before.at(-1)),
    }),
  },
  {
    starts: /^\|/,
    length: until(/^(?!\|)/),
    read: ([head = '', , ...rows], line) => ({
      kind: 'table',
      line,
      head: cellsOf(head),
      rows: rows.map(cellsOf),
    }),
  },
]

/** A paragraph that ends in a colon says what the block after it is. */
function labelIn(part: Part | undefined): string {
  return part?.kind === 'text' && part.text.endsWith(':') ? part.text.slice(0, -1) : ''
}

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

/** What stands in code spans. */
export function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code)
}

export function isCode(part: Part): part is Code {
  return part.kind === 'code'
}
