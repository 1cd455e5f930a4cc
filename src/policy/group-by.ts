import { RE2JS } from 're2js'
import { readExpression } from './patterns.js'
import type { GroupBy } from './policy.js'

/**
 * Compiles what images are grouped by: `major`, `minor`, or an expression that captures a part of a whole tag.
 *
 * @throws Error in words for the reader
 */
export function compileGroupBy(source: string): GroupBy {
  if (source === 'major' || source === 'minor') return { kind: source }
  if (!source.startsWith('/'))
    throw new Error(
      `"${source}" is nothing to group by; it takes major, minor, or an expression such as "/(.+)-\\d+/"`,
    )
  const expression = readExpression(source)
  const groups = expression.groupCount()
  if (groups !== 1)
    throw new Error(
      `"${source}" has ${groups === 0 ? 'no group' : `${groups} groups`}; it takes exactly one, around what images have in common; others are written (?:…)`,
    )
  return { kind: 'expression', source, keyOf: (tag) => captured(expression, tag) }
}

function captured(expression: RE2JS, tag: string): string | undefined {
  const matcher = expression.matcher(tag)
  return matcher.matches() ? (matcher.group(1) ?? undefined) : undefined
}
