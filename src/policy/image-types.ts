import { nearest } from '../nearest.js'
import { compileTypeGlob } from './patterns.js'
import type { Typed, TypePattern } from './policy.js'

/** What people call kinds of images, and how they are told. */
const words: Record<string, (image: Typed) => boolean> = {
  image: ({ isRunnable }) => isRunnable,
  // https://helm.sh/docs/topics/registries/#helm-chart-manifest
  chart: ({ types }) => types.some((type) => type.startsWith('application/vnd.cncf.helm.')),
  // https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/, and those from before it
  wasm: ({ types }) => types.some((type) => /[/.+]wasm(?:[.+]|$)/.test(type)),
}

/** The words that stand for a kind of image, for messages. */
export const typeWords = Object.keys(words)

/**
 * Compiles a word such as `chart`, or a glob of media types and artifact types. `*` matches slashes too.
 *
 * @throws Error in words for the reader
 */
export function compileTypePattern(source: string): TypePattern {
  const byWord = Object.hasOwn(words, source) ? words[source] : undefined
  if (byWord !== undefined) return { source, matches: byWord }
  if (!/[/*?[{]/.test(source)) throw new Error(unknownWord(source))
  const glob = compileTypeGlob(source)
  return { source, matches: ({ types }) => types.some((type) => glob.matches(type)) }
}

function unknownWord(source: string): string {
  const near = nearest(source, typeWords)
  const meant = near === undefined ? '' : `; did you mean ${near}?`
  return `"${source}" is no type; it takes ${typeWords.join(', ')}, or a glob such as "application/vnd.cncf.helm.*"${meant}`
}
