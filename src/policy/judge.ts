import type { ByRule, DeleteReason, KeepReason, Use } from '../model.js'
import type { Candidate } from './candidate.js'
import {
  conditionsOf,
  dueTags,
  refWords,
  standings,
  type Condition,
  type Standing,
  type StandingOf,
} from './conditions.js'
import type { Policy, Rule } from './policy.js'

/** What the rules alone say of an image. */
export interface Judgement {
  /** Every keep that holds; any one keeps. */
  readonly keeps: readonly KeepReason[]
  /** Why delete rules condemn the whole image; empty when they do not. */
  readonly condemned: readonly DeleteReason[]
  /** Why it stays although nothing protects it; only meaningful when it is not condemned. */
  readonly otherwise: KeepReason
}

/** What one rule says of one image that it selects. */
interface Hit {
  readonly rule: Rule
  readonly conditions: readonly Condition[]
  readonly reasons: Reasons
  /** Tags for which the rule holds. */
  readonly due: readonly string[]
  /** Whether it holds for the image at all. */
  readonly holds: boolean
  readonly standing: Standing
}

/** A rule that is ready to be asked about one image after the other. */
interface Prepared {
  readonly rule: Rule
  readonly conditions: readonly Condition[]
  readonly reasons: Reasons
  readonly standingOf: StandingOf
}

/** Makes the reasons that a rule gives, from the evidence. */
interface Reasons {
  readonly keep: ReasonOf<'keep-rule'>
  readonly delete: ReasonOf<'delete-rule'>
  readonly wait: ReasonOf<'not-due'>
}

type ReasonOf<Code extends string> = (evidence: string) => ByRule<Code>

const none: readonly never[] = []

/**
 * Applies the rules to all images of a package at once, because a rule may count them. One judgement for each image, in
 * the same order; one after the other, because all of them together would take much memory.
 */
export function* judgeAll(
  policy: Policy,
  images: readonly Candidate[],
  now: number,
): Generator<Judgement, void> {
  const prepared = policy.rules.map((rule) => prepare(rule, images, now))
  for (const [at, image] of images.entries())
    yield judgement(policy, image, hitsOf(policy, prepared, image, at))
}

/** What one rule says of one image, in words. */
export interface RuleTrace {
  readonly rule: Rule
  readonly says: 'holds' | 'does not hold' | 'is not about it'
  /** What was found; empty where nothing was asked. */
  readonly evidence: string
}

/** Asks every rule about single images, for people who want to know. The images are all of the package. */
export function tracer(
  policy: Policy,
  images: readonly Candidate[],
  now: number,
): (image: Candidate) => RuleTrace[] {
  const prepared = policy.rules.map((rule) => prepare(rule, images, now))
  const places = new Map(images.map((image, at) => [image, at]))
  return (image) => {
    const all = hitsOf(policy, prepared, image, places.get(image) ?? -1)
    const hits = new Map(all.map((hit) => [hit.rule, hit]))
    return policy.rules.map((rule): RuleTrace => {
      const hit = hits.get(rule)
      if (hit === undefined) return { rule, says: 'is not about it', evidence: '' }
      const says = hit.holds ? 'holds' : 'does not hold'
      return { rule, says, evidence: evidenceOf(policy, hit) }
    })
  }
}

function prepare(rule: Rule, images: readonly Candidate[], now: number): Prepared {
  const standingOf = standings(rule, images, now)
  const reasons: Reasons = {
    keep: sharing('keep-rule', rule),
    delete: sharing('delete-rule', rule),
    wait: sharing('not-due', rule),
  }
  return { rule, conditions: conditionsOf(rule), reasons, standingOf }
}

/** Many images have the same evidence; they share the reason, so that a large plan takes little memory. */
function sharing<Code extends string>(code: Code, { name, origin }: Rule): ReasonOf<Code> {
  const known = new Map<string, ByRule<Code>>()
  return (evidence) => {
    const reason = known.get(evidence) ?? { code, rule: name, place: origin.place, evidence }
    if (known.size < mostShared) known.set(evidence, reason)
    return reason
  }
}

/** Evidence that says a rank is different for every image, and not worth to be kept. */
const mostShared = 50_000

function hitsOf(
  policy: Policy,
  prepared: readonly Prepared[],
  image: Candidate,
  at: number,
): Hit[] {
  const hits: Hit[] = []
  for (const { rule, conditions, reasons, standingOf } of prepared) {
    const standing = standingOf(image, at)
    if (standing === undefined) continue
    const due = dueTags(rule, standing.tags, policy.refs)
    const isDue = due.length > 0 || standing.tags.length === 0
    const holds = isDue && conditions.every((condition) => condition.holds(standing))
    hits.push({ rule, conditions, reasons, due, holds, standing })
  }
  return hits
}

function judgement(policy: Policy, image: Candidate, hits: readonly Hit[]): Judgement {
  const keeps = keepsOf(policy, image, hits)
  const deletes = hits.filter(({ rule }) => rule.action === 'delete')
  const condemned = condemnation(policy, image, keeps, deletes)
  const otherwise =
    condemned.length > 0 || keeps.length > 0 ? unasked : whyNot(policy, image, deletes)
  return { keeps, condemned, otherwise }
}

const unasked: KeepReason = { code: 'not-selected' }

function keepsOf(policy: Policy, image: Candidate, hits: readonly Hit[]): readonly KeepReason[] {
  const keeps: KeepReason[] = []
  for (const tag of image.tags) {
    const protection = policy.protect.find(({ pattern }) => pattern.matches(tag))
    if (protection !== undefined) {
      const { pattern, origin } = protection
      keeps.push({ code: 'protected-tag', tag, pattern: pattern.source, place: origin.place })
    }
    const uses = policy.uses.get(tag)
    if (uses !== undefined) keeps.push(inUse(tag, uses))
  }
  for (const hit of hits)
    if (hit.holds && hit.rule.action === 'keep')
      keeps.push(withTags(hit.reasons.keep(evidenceOf(policy, hit)), hit, hit.due))
  return keeps.length === 0 ? none : keeps
}

/** What a file of the checkout names stays. */
export function inUse(name: string, uses: readonly Use[]): KeepReason {
  return { code: 'in-use', name, uses }
}

/** All reasons to delete an image, those first that are reason enough alone. */
function condemnation(
  policy: Policy,
  image: Candidate,
  keeps: readonly KeepReason[],
  deletes: readonly Hit[],
): readonly DeleteReason[] {
  const holding = deletes.filter(({ holds }) => holds)
  const isCondemned = (tag: string) => holding.some(({ due }) => due.includes(tag))
  const isWhole = holding.length > 0 && image.tags.every(isCondemned)
  const reasons: DeleteReason[] = isWhole
    ? [...holding.filter(isEnough), ...holding.filter((hit) => !isEnough(hit))].map((hit) =>
        withTags(hit.reasons.delete(evidenceOf(policy, hit)), hit, hit.due),
      )
    : []
  const { unmatched } = policy
  if (unmatched !== 'keep' && keeps.length === 0 && image.tags.length > 0)
    reasons.push({ code: 'unmatched', place: unmatched.place })
  return reasons.length === 0 ? none : reasons
}

function isEnough({ due, standing }: Hit): boolean {
  return due.length === standing.image.tags.length
}

function whyNot(policy: Policy, image: Candidate, deletes: readonly Hit[]): KeepReason {
  if (deletes.length === 0) return unasked
  const matched = image.tags.filter((tag) =>
    deletes.some(({ standing }) => standing.tags.includes(tag)),
  )
  const blocking = image.tags.filter((tag) => !matched.includes(tag))
  if (blocking.length > 0) return { code: 'partly-matched', matched, blocking }
  const isCondemned = (tag: string) => deletes.some(({ holds, due }) => holds && due.includes(tag))
  const open = image.tags.find((tag) => !isCondemned(tag))
  const hit = deletes.find(({ standing }) => open === undefined || standing.tags.includes(open))
  if (hit === undefined) return unasked
  const waiting = hit.standing.tags.filter((tag) => !isCondemned(tag))
  return withTags(hit.reasons.wait(evidenceOf(policy, { ...hit, holds: false })), hit, waiting)
}

/** A reason that is about some of the tags of an image says which. */
function withTags<Code extends string>(
  reason: ByRule<Code>,
  { standing }: Hit,
  tags: readonly string[],
): ByRule<Code> {
  return tags.length === standing.image.tags.length ? reason : { ...reason, tags }
}

/** What was found, in words: of a rule that holds everything it asks for, of another what does not hold. */
function evidenceOf({ refs }: Policy, { rule, conditions, holds, due, standing }: Hit): string {
  const told = conditions.filter((condition) => condition.holds(standing) === holds)
  const words = told.map((condition) => condition.words(standing))
  if (rule.when.ref === undefined) return words.join('; ')
  const tags = holds ? due : standing.tags.filter((tag) => !due.includes(tag))
  return [...refWords(rule, tags, refs), ...words].join('; ')
}
