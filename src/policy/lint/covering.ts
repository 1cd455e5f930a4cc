import type { Pattern } from '../patterns.js'
import { hasPlaceholder } from '../refs.js'

/** Stands for all texts, where no pattern was written. */
export const anything: Pattern = { source: '*', matches: () => true }

/** Whether a pattern surely matches all that another one matches; false also where that is hard to tell. */
export function covers(wide: Pattern, narrow: Pattern): boolean {
  if (isLiteral(narrow)) return wide.matches(narrow.source)
  if (wide.source === narrow.source) return !hasPlaceholder(wide.source)
  const start = /^([\w./-]*)\*+$/.exec(wide.source)?.[1]
  return start !== undefined && literalStart(narrow.source).startsWith(start)
}

/** Whether a pattern matches one text only: itself. */
export function isLiteral({ source }: Pattern): boolean {
  return !source.startsWith('/') && literalStart(source) === source
}

function literalStart(source: string): string {
  return /^[\w./-]*/.exec(source)?.[0] ?? ''
}
