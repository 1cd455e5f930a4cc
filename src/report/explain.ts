import type { Decision, Digest, Plan } from '../model.js'
import type { Candidate } from '../policy/candidate.js'
import type { RuleTrace } from '../policy/judge.js'
import { ageOf, type AgeView } from './lines.js'
import { lookupIn, nameOf, placeText, reasonOf, typeOf, type Lookup } from './words.js'

/** What an explanation is made from. */
export interface Evidence {
  readonly plan: Plan
  /** Every image as rules see it. */
  readonly images: readonly Candidate[]
  /** What each rule says of an image. */
  readonly trace: (image: Candidate) => RuleTrace[]
  readonly view: AgeView
}

/** Explains decisions: one by one, everything that led to each. */
export class Explainer {
  readonly #evidence: Evidence
  readonly #lookup: Lookup
  readonly #images: ReadonlyMap<Digest, Candidate>

  constructor(evidence: Evidence) {
    this.#evidence = evidence
    this.#lookup = lookupIn(evidence.plan.decisions)
    this.#images = new Map(evidence.images.map((image) => [image.digest, image]))
  }

  /** The decision that a tag, a digest or the beginning of one names; several for a beginning that is not enough. */
  find(reference: string): Decision[] {
    const { decisions } = this.#evidence.plan
    const tagged = decisions.filter(({ version }) => version.tags.includes(reference))
    if (tagged.length > 0) return tagged
    const start = reference.startsWith('sha256:') ? reference : `sha256:${reference}`
    const isLongEnough = start.length >= shortestStart
    return decisions.filter(({ version }) => isLongEnough && version.digest.startsWith(start))
  }

  /** Lines about all images; what belongs to them shares their fate, and is shown with the plan. */
  *explainImages(): Generator<string> {
    for (const decision of this.#evidence.plan.decisions)
      if (this.#images.has(decision.version.digest)) yield* this.explain(decision)
  }

  /** Lines about one decision: what it is, why it stays or goes, and what every rule says of its image. */
  explain(decision: Decision): string[] {
    const { also, overruled } = decision
    const { action } = decision.verdict
    const { id } = decision.version
    const image = this.#images.get((this.#chain(decision).at(-1) ?? decision).version.digest)
    return [
      `${fullName(decision)}, version ${id}, ${fateOf(decision)}`,
      `  What it is: ${this.#nature(decision)}`,
      ...this.#because(decision),
      ...also.map((reason) => `  Also: ${reasonOf(reason, action, this.#lookup)}`),
      ...overruled.map((reason) => `  Overruled: ${reasonOf(reason, 'delete', this.#lookup)}`),
      ...(image === undefined ? [] : rulesAbout(this.#evidence.trace(image))),
    ]
  }

  #nature(decision: Decision): string {
    const { platforms, version, missing, children } = decision
    const { createdAt, updatedAt } = version
    const parts = [
      [typeOf(decision), ...platforms].join(' '),
      `pushed ${dayOf(createdAt)}, changed ${dayOf(updatedAt)} (${ageOf(decision, this.#evidence.view)} old)`,
      ...(children > 0 ? [`${children - missing.length} of ${children} children are here`] : []),
    ]
    return parts.join('; ')
  }

  /** The reason, and for a part of something the way up to the image whose fate it shares. */
  #because(decision: Decision): string[] {
    const { action, reason } = decision.verdict
    const chain = this.#chain(decision)
    if (chain.length === 0) return [`  Because: ${reasonOf(reason, action, this.#lookup)}`]
    const top = chain.at(-1)
    const steps = chain.map(
      (step, at) => `${relationOf(chain[at - 1] ?? decision)} ${step.kind} ${fullName(step)}`,
    )
    const end =
      top === undefined
        ? ''
        : `, which ${fateOf(top)}: ${reasonOf(top.verdict.reason, top.verdict.action, this.#lookup)}`
    return [`  Because: ${steps.join(', ')}${end}`]
  }

  /** From what a version directly belongs to up to the image that decides. */
  #chain(decision: Decision): Decision[] {
    const chain: Decision[] = []
    const above = ({ verdict: { reason } }: Decision) =>
      reason.code === 'part-of' ? this.#lookup(reason.of) : undefined
    for (let at = above(decision); at !== undefined && !chain.includes(at); at = above(at))
      chain.push(at)
    return chain
  }
}

/** By its tags and its digest, whole, so that it can be looked up. */
function fullName(decision: Decision): string {
  const { digest } = decision.version
  const name = nameOf(decision)
  return digest.startsWith(name) ? digest : `${name} (${digest})`
}

/** Fewer digits than these are more likely a mistyped tag. */
const shortestStart = 'sha256:'.length + 6

function relationOf({ verdict }: Decision): string {
  return verdict.reason.code === 'part-of' ? verdict.reason.relation : ''
}

function fateOf({ verdict }: Decision): string {
  return verdict.action === 'delete' ? 'goes' : 'stays'
}

function rulesAbout(traces: readonly RuleTrace[]): string[] {
  const width = Math.max(...traces.map(({ says }) => says.length))
  const lines = traces.map(({ rule, says, evidence }) => {
    const what = `${rule.action} rule "${rule.name}"${placeText(rule.origin)}`
    return `    ${says.padEnd(width)}  ${what}${evidence === '' ? '' : `: ${evidence}`}`
  })
  return lines.length === 0 ? [] : ['  Rules:', ...lines]
}

function dayOf(time: number | undefined): string {
  return time === undefined
    ? 'at an unknown time'
    : new Date(time).toISOString().slice(0, 16).replace('T', ' ')
}
