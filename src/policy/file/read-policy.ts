import type { PolicySet } from '../policy.js'
import { compileFile } from './compile.js'
import { canDelete, contradictions } from './consistency.js'
import { locate, plainOf, readDocument, type Located } from './document.js'
import { tooMuchEffort } from './effort.js'
import { findingsOf } from './issues.js'
import { pathText, positionsIn, type Finding, type Mistake, type Path } from './mistakes.js'
import { fileSchema } from './schema.js'

export { mistakeText, type Mistake } from './mistakes.js'

/** What a policy file says, or everything that is wrong with it. */
export type ReadPolicy = { readonly set: PolicySet } | { readonly mistakes: readonly Mistake[] }

/**
 * Reads a policy file.
 *
 * @param path as the user names the file; it is in every mistake and in the origin of every rule
 */
export function readPolicyFile(text: string, path: string): ReadPolicy {
  const file = new PolicyText(text, path)
  const { root, findings } = readDocument(file.text)
  if (root === undefined) return file.answer(findings)
  const effort = tooMuchEffort(root)
  if (effort !== undefined) return file.answer([...findings, effort], root)
  const raw = plainOf(root)
  const lineOf = (to: Path) => file.lineOf(root, to)
  const parsed = fileSchema.safeParse(raw)
  const issues = parsed.success ? [] : findingsOf(parsed.error.issues, root)
  const hidden = new Set(findings.filter(({ hides }) => hides).map(({ path }) => pathText(path)))
  const all = [
    ...findings,
    ...issues.filter(({ path }) => !hidden.has(pathText(path))),
    ...contradictions(raw, lineOf),
  ]
  const nothing = canDelete(raw) || all.some(hidesRules) ? [] : [cannotDelete]
  if (!parsed.success || all.length + nothing.length > 0)
    return file.answer([...all, ...nothing], root)
  return { set: compileFile(parsed.data, (to) => ({ place: `${path}:${lineOf(to)}` })) }
}

const mostMistakes = 100

const cannotDelete: Finding = {
  path: [],
  message:
    'nothing in this file can ever delete an image; it takes a delete rule, keep-latest, untagged-ttl, or "unmatched: delete"',
}

const aboutRules =
  /(?:^|\.)(?:rules|unmatched|keep[-_]latest|untagged[-_]ttl)(?:[.[]|$)|^(?:defaults|retention|packages(?:\[\d+\])?)?$/

/** Where something about the rules is wrong, a rule that deletes may be meant by it. */
function hidesRules({ path, message }: Finding): boolean {
  return aboutRules.test(pathText(path)) || message.startsWith('is no key')
}

/** The text of a file, and where in it is what. */
class PolicyText {
  readonly text: string
  readonly #path: string
  readonly #positions: ReturnType<typeof positionsIn>

  constructor(text: string, path: string) {
    // A byte order mark takes no column in any editor.
    this.text = text.replace(/^\ufeff/, '')
    this.#path = path
    this.#positions = positionsIn(this.text)
  }

  lineOf(root: Located, path: Path): number {
    const { offset, keyOffset } = locate(root, path)
    return this.#positions(typeof path.at(-1) === 'string' ? keyOffset : offset).line
  }

  /** The mistakes in the order of the file, each once. */
  answer(findings: readonly Finding[], root?: Located): ReadPolicy {
    const mistakes = new Map<string, Mistake>()
    const placed = findings
      .map((finding) => ({ ...finding, offset: offsetOf(finding, root) }))
      .sort((a, b) => a.offset - b.offset)
    for (const finding of placed) {
      const mistake = this.#mistake(finding)
      // What an alias repeats is told once.
      const { offset, path, message } = finding
      const known = JSON.stringify([offset, path.at(-1), message])
      if (!mistakes.has(known)) mistakes.set(known, mistake)
      if (mistakes.size > mostMistakes) {
        const { file, line, column } = mistake
        return { mistakes: [...mistakes.values()].with(-1, { file, line, column, ...further }) }
      }
    }
    return { mistakes: [...mistakes.values()] }
  }

  #mistake({ path, message, suggestion, offset }: Finding & { readonly offset: number }): Mistake {
    return {
      file: this.#path,
      ...this.#positions(offset),
      path: pathText(path),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }
  }
}

const further = {
  path: '',
  message: `from here on there are further mistakes; the first ${mostMistakes} are told`,
}

function offsetOf({ path, at }: Finding, root: Located | undefined): number {
  if (typeof at === 'number') return at
  if (root === undefined) return 0
  const { offset, keyOffset } = locate(root, path)
  return at === 'key' ? keyOffset : offset
}
