import { Minimatch } from 'minimatch'
import { RE2JS } from 're2js'

/** A compiled pattern. Matching takes time linear in the text, whatever the pattern is. */
export interface Pattern {
  /** As the user wrote it, without a leading `!`. */
  readonly source: string
  readonly matches: (text: string) => boolean
}

/** A list of patterns split at the exclusion mark. */
export interface PatternList {
  readonly include: readonly Pattern[]
  readonly exclude: readonly Pattern[]
}

const longestPattern = 256
const mostAlternatives = 1000

/**
 * Splits a list at commas, spaces and new lines, but not inside `{…}` or `/…/`. Quotes around an entry are
 * dropped; `#` at the start of an entry begins a comment that ends with its line.
 */
export function splitList(text: string): string[] {
  const withoutComments = text.replace(/(?:^|[\s,])#[^\n]*/g, '')
  const entries = withoutComments.match(
    /["']?!?["']?\/[^\s/]+\/["']?(?=[\s,]|$)|(?:\{(?:[^{}\s]|\{[^{}\s]*\})*\}|[^\s,])+/g,
  )
  return (entries ?? []).map(dropQuotes).filter((entry) => entry !== '')
}

function dropQuotes(entry: string): string {
  const outer = entry.replace(/^["']+|["']+$/g, '')
  return outer.startsWith('!') ? `!${outer.slice(1).replace(/^["']+/, '')}` : outer
}

/**
 * Compiles tag patterns: globs, and `/regular expressions/` that must match a whole tag.
 *
 * @throws Error in words for the reader that name the entry
 */
export function compileTagPatterns(entries: readonly string[]): PatternList {
  return compileList(entries, compileTagPattern)
}

/**
 * Compiles package name globs. `*` matches any characters, slashes too, as in the actions this one replaces.
 *
 * @throws Error in words for the reader that name the entry
 */
export function compileNamePatterns(entries: readonly string[]): PatternList {
  return compileList(entries, compileNamePattern)
}

/** Whether a package name entry can only be answered by listing the account's packages. */
export function needsListing(entry: string): boolean {
  return entry.startsWith('!') || /[*?[\]{}]/.test(entry)
}

function compileList(
  entries: readonly string[],
  compile: (source: string) => Pattern,
): PatternList {
  const include = entries.filter((entry) => !entry.startsWith('!')).map(compile)
  const exclude = entries.filter((entry) => entry.startsWith('!'))
  return { include, exclude: exclude.map((entry) => compile(entry.slice(1))) }
}

/**
 * Compiles one tag pattern, which excludes nothing.
 *
 * @throws Error in words for the reader that name the entry
 */
export function compileTagPattern(source: string): Pattern {
  checkSize(source)
  if (source.startsWith('/')) return compileExpression(source)
  checkGlob(source, 'tag', /[^\w.\-*?[\]{},!^\\]/)
  return compileGlob(source, source)
}

function compileNamePattern(source: string): Pattern {
  checkSize(source)
  if (source.startsWith('/'))
    throw new Error(`"${source}" starts with a slash; names have globs only`)
  checkGlob(source, 'package name', /[^\w.\-/*?[\]{},!^\\]/)
  return compileFlatGlob(source)
}

/**
 * Compiles a glob of media types and artifact types, https://www.rfc-editor.org/rfc/rfc6838#section-4.2.
 *
 * @throws Error in words for the reader that name the entry
 */
export function compileTypeGlob(source: string): Pattern {
  checkSize(source)
  checkGlob(source, 'type', /[^\w.\-+/*?[\]{},!#$&^\\]/)
  return compileFlatGlob(source)
}

/** A slash separates nothing here, so it is matched like any other character. */
function compileFlatGlob(source: string): Pattern {
  const flat = (text: string) => text.toLowerCase().replaceAll('/', '\0')
  const glob = compileGlob(source, flat(source))
  return { source, matches: (text) => glob.matches(flat(text)) }
}

function checkSize(source: string): void {
  if (source === '') throw new Error('an exclusion mark "!" has nothing after it')
  if (source.startsWith('!')) throw new Error(`"!${source}" has two exclusion marks`)
  if (source.length > longestPattern) {
    throw new Error(`"${source.slice(0, 40)}…" is longer than ${longestPattern} characters`)
  }
}

const brackets = [
  ['{', '}'],
  ['[', ']'],
] as const

/** A glob that can never match is a mistake: as an exclusion it would silently protect nothing. */
function checkGlob(source: string, what: string, impossible: RegExp): void {
  const odd = impossible.exec(source)?.[0]
  if (odd !== undefined) {
    throw new Error(`"${source}" can never match: no ${what} has a "${odd}" in it`)
  }
  checkOutside(source, what)
  const empty = /\{\}|\[\](?!.*\])/.exec(source)?.[0]
  if (empty !== undefined)
    throw new Error(`"${source}" can never match: "${empty}" stands for nothing`)
  const count = (bracket: string) => source.split(bracket).length
  for (const [open, close] of brackets) {
    if (count(open) !== count(close)) {
      throw new Error(
        `"${source}" opens and closes "${open}" unequally; a list inside braces has no spaces`,
      )
    }
  }
}

/** What only means something inside brackets is, outside of them, a character that nothing has. */
function checkOutside(source: string, what: string): void {
  const single = /\{(?:(?!\.\.)[^{},])+\}/.exec(source)?.[0]
  if (single !== undefined)
    throw new Error(
      `"${source}" can never match: "${single}" is one alternative, so leave the braces out`,
    )
  const escape = /\\[A-Za-z0-9]/.exec(source)?.[0]
  if (escape !== undefined)
    throw new Error(
      `"${source}" has "${escape}" as regular expressions do; those stand between slashes, and match a whole ${what}`,
    )
  const outside = source.replace(/\[[^\]]*\]|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, '')
  const odd = /[,!^]/.exec(outside)?.[0]
  if (odd === undefined) return
  const entries = source.split(',').map((entry) => `"${entry.trim()}"`)
  const instead = odd === ',' ? `; write ${entries.join(' and ')} as entries of their own` : ''
  throw new Error(`"${source}" can never match: no ${what} has a "${odd}" in it${instead}`)
}

/** Minimatch 11 runs a glob as an automaton; alternatives are the one thing that must be bounded. */
function compileGlob(source: string, glob: string): Pattern {
  const braceExpandMax = mostAlternatives + 1
  const compiled = new Minimatch(glob, { dot: true, nonegate: true, braceExpandMax })
  if (compiled.globSet.length > mostAlternatives) {
    throw new Error(`"${source}" stands for more than ${mostAlternatives} alternatives`)
  }
  return { source, matches: (text) => compiled.match(text) }
}

function compileExpression(source: string): Pattern {
  const compiled = readExpression(source)
  return { source, matches: (text) => compiled.matches(text) }
}

/**
 * Compiles `/an expression/`. RE2 syntax has no look-around and no back-references, and in return no pattern that hangs.
 *
 * @throws Error in words for the reader that name the entry
 */
export function readExpression(source: string): RE2JS {
  checkSize(source)
  const body = source.slice(1, -1)
  if (body === '' || !source.endsWith('/'))
    throw new Error(`"${source}" starts like /a regular expression/ but does not end like one`)
  try {
    return RE2JS.compile(body)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`"${source}" is not a regular expression in RE2 syntax: ${why}`)
  }
}
