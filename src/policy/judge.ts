import type { DeleteReason, KeepReason } from '../model.js'
import { formatDuration } from './durations.js'
import type { AgeBy, DeleteRule, Policy } from './policy.js'

/** What rules look at: an image by itself, without the graph around it. */
export interface Candidate {
  /** Tags that make it an image; attachment tags are not among them. */
  readonly tags: readonly string[]
  readonly createdAt: number
  readonly updatedAt: number
}

/** What the rules alone say of an image. */
export interface Judgement {
  /** Every keep that holds; any one keeps. */
  readonly keeps: readonly KeepReason[]
  /** Set when delete rules condemn the whole image. */
  readonly condemned: DeleteReason | undefined
  /** Why it stays although nothing protects it; only meaningful when it is not condemned. */
  readonly otherwise: KeepReason
}

/** Applies keep and delete rules to one image. */
export function judge(policy: Policy, image: Candidate, now: number): Judgement {
  const age = now - timeOf(image, policy.ageBy)
  const kind = image.tags.length > 0 ? 'tagged' : 'untagged'
  const rules = policy.deleteRules.filter((rule) => rule.select === kind)
  const ripe = rules.filter((rule) => age >= rule.olderThan)
  return {
    keeps: keepsOf(policy, image),
    condemned: condemnation(ripe, image, age),
    otherwise: whyNot(rules, ripe, image, age),
  }
}

/** The timestamp that rules measure an image's age from. */
export function timeOf(image: Pick<Candidate, 'createdAt' | 'updatedAt'>, by: AgeBy): number {
  return by === 'updated' ? image.updatedAt : image.createdAt
}

function keepsOf(policy: Policy, image: Candidate): KeepReason[] {
  const keeps: KeepReason[] = []
  for (const tag of image.tags) {
    const pattern = policy.protect.find((candidate) => candidate.matches(tag))
    if (pattern !== undefined) keeps.push({ code: 'protected-tag', tag, pattern: pattern.source })
  }
  return keeps
}

function condemnation(
  ripe: readonly DeleteRule[],
  image: Candidate,
  age: number,
): DeleteReason | undefined {
  if (matchedTags(ripe, image).length < image.tags.length) return undefined
  const rule = ripe.find(
    (candidate) => matchedTags([candidate], image).length === image.tags.length,
  )
  const first = rule ?? ripe[0]
  if (first === undefined) return undefined
  const evidence = `older than ${formatDuration(first.olderThan)}: ${formatDuration(age)}`
  return { code: 'delete-rule', rule: first.name, evidence }
}

function whyNot(
  rules: readonly DeleteRule[],
  ripe: readonly DeleteRule[],
  image: Candidate,
  age: number,
): KeepReason {
  const matched = matchedTags(rules, image)
  const blocking = image.tags.filter((tag) => !matched.includes(tag))
  if (matched.length > 0 && blocking.length > 0)
    return { code: 'partly-matched', matched, blocking }
  const young = rules.find((rule) => !ripe.includes(rule) && blocking.length === 0)
  if (young === undefined) return { code: 'not-selected' }
  return { code: 'too-young', rule: young.name, age, olderThan: young.olderThan }
}

/** The tags that at least one of the rules names. */
function matchedTags(rules: readonly DeleteRule[], image: Candidate): string[] {
  return image.tags.filter((tag) =>
    rules.some(({ tags }) => tags === undefined || tags.some((pattern) => pattern.matches(tag))),
  )
}
