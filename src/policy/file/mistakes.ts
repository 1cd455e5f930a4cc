/** The way to a value of the file: keys of maps and, from 0, places in lists. */
export type Path = readonly (string | number)[]

/** Something that is wrong, before it is known in which line. */
export interface Finding {
  readonly path: Path
  readonly message: string
  readonly suggestion?: string | undefined
  /** The offset in the text. Otherwise the value that the path leads to, or its key, or where that would be. */
  readonly at?: number | 'key'
  /** Nothing else is to be told of the value. */
  readonly hides?: true
}

/** Something in a policy file that cannot be taken as it is. */
export interface Mistake {
  readonly file: string
  /** Counted from 1, like the column. */
  readonly line: number
  readonly column: number
  /** `packages[1].rules[0].when.older-than`; empty for the file as a whole. */
  readonly path: string
  /** What was found, and what it takes. */
  readonly message: string
  /** What was probably meant. */
  readonly suggestion?: string
}

/** A mistake as one line: `policy.yml:14:21 packages[1].match: …`. */
export function mistakeText({ file, line, column, path, message, suggestion }: Mistake): string {
  const place = [`${file}:${line}:${column}`, path].filter((part) => part !== '').join(' ')
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
  return `${place}: ${message}${meant}`
}

/** A path as people write it. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      if (!/^[\w.<-]{1,80}$/.test(step)) return `[${quote(step)}]`
      return index === 0 ? step : `.${step}`
    })
    .join('')
}

const longestQuote = 80

/** The beginning of a text that is too long to be shown. */
export function short(text: string, length = longestQuote): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** A text as it was found. */
export function quote(text: string): string {
  return JSON.stringify(short(text))
}

/** What a reader threw, with the text that it quotes cut. */
export function wordsOf(error: unknown, text: string): string {
  const words = error instanceof Error ? error.message : String(error)
  return words.replace(text, () => short(text))
}

/** Line and column of an offset in a text, both from 1. */
export type Positions = (offset: number) => { readonly line: number; readonly column: number }

export function positionsIn(text: string): Positions {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return (offset) => {
    const within = Math.min(Math.max(offset, 0), text.length)
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= within) low = middle
      else high = middle
    }
    return { line: low + 1, column: within - (starts[low] ?? 0) + 1 }
  }
}
