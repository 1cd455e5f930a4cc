import { braceExpand } from 'minimatch'
import type { Located } from './document.js'
import type { Finding, Path } from './mistakes.js'

/** What all patterns of a file may come to, in characters; two thousand rules of honest ones come to a tenth. */
const most = 10_000_000
const longestPattern = 256

/**
 * A short pattern may stand for very much, as `{1..1000}` does, and a file has room for many of them. What they come to
 * is estimated before any is compiled.
 *
 * @returns where it is too much
 */
export function tooMuchEffort(root: Located): Finding | undefined {
  let total = 0
  for (const [text, path] of textsIn(root, [])) {
    total += effortOf(text)
    if (total > most)
      return {
        path,
        message:
          'up to here the patterns of the file stand for more than a run could try; it takes fewer braces and repetitions',
      }
  }
  return undefined
}

function* textsIn(value: Located, path: Path): Generator<[text: string, path: Path]> {
  if (value.kind === 'scalar' && typeof value.value === 'string') yield [value.value, path]
  if (value.kind === 'list')
    for (const [index, item] of value.items.entries()) yield* textsIn(item, [...path, index])
  if (value.kind === 'map')
    for (const [key, entry] of value.entries) yield* textsIn(entry.value, [...path, key])
}

function effortOf(text: string): number {
  if (text.length > longestPattern) return 0
  if (text.startsWith('/')) return effortOfExpression(text)
  if (!text.includes('{')) return text.length
  return text.length * braceExpand(text, { braceExpandMax: 1001 }).length
}

/** RE2 repeats nothing more than a thousand times, and classes of Unicode are long. */
function effortOfExpression(text: string): number {
  const classes = text.match(/\\p/gi)?.length ?? 0
  const counts = [...text.matchAll(/\{\d*,?(\d*)\}/g)].map(([all, last]) =>
    Number(last === '' ? /\d+/.exec(all)?.[0] : last),
  )
  const repeats = counts.reduce((product, count) => product * Math.max(count || 1, 1), 1)
  return (text.length + 100 * classes) * Math.min(repeats, 1000)
}
