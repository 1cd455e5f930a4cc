import type { Placed } from '../../model.js'
import type { Pattern } from '../patterns.js'
import type { Rule } from '../policy.js'

/** Something odd about a policy: where, why it matters, and what to do about it. */
export interface Finding {
  /** `policy.yml:14` */
  readonly place: string
  readonly message: string
}

/** Each finding once, in the order of the file. */
export function inFileOrder(findings: readonly Finding[]): Finding[] {
  const known = new Map(findings.map((finding) => [JSON.stringify(finding), finding]))
  return [...known.values()].sort((a, b) => lineOf(a) - lineOf(b))
}

/** What was not written in a file comes first. */
export function lineOf({ place }: Placed): number {
  return Number(/:(\d+)$/.exec(place)?.[1] ?? 0)
}

/** The rule that a finding is about, at the beginning of its message. */
export function titleOf({ name }: Rule): string {
  return `Rule ${quote(name)}`
}

/** The same within a sentence. */
export function ruleText({ name }: Rule): string {
  return `rule ${quote(name)}`
}

/** A rule that stands somewhere else. */
export function otherRule(rule: Rule): string {
  return `${ruleText(rule)} (${rule.origin.place})`
}

export function quote(text: string): string {
  return `"${text}"`
}

/** Patterns are what readers look for, so more of them are named. */
export function quoted(patterns: readonly Pattern[]): string {
  return listed(
    patterns.map(({ source }) => quote(source)),
    20,
  )
}

/** A list in words, cut where nobody would read on. */
export function listed(texts: readonly string[], most = 3): string {
  const rest = texts.length - most
  return conjunction.format(rest > 0 ? [...texts.slice(0, most), `${rest} more`] : texts)
}

/** British English has no comma before the last one. */
const conjunction = new Intl.ListFormat('en-GB', { type: 'conjunction' })

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
