import { formatDuration } from './durations.js'
import type { Pattern } from './patterns.js'
import type { DeleteRule, Policy } from './policy.js'

/** A policy as sentences, for the log: a misread input shows here, not in the damage. */
export function describePolicy(policy: Policy): string[] {
  const by = policy.ageBy === 'updated' ? 'last update' : 'first push'
  return [
    ...policy.deleteRules.map((rule) => describeRule(rule, by)),
    ...describeKeeps(policy),
    policy.grace > 0
      ? `Never delete anything younger than ${formatDuration(policy.grace)}.`
      : 'There is no grace period: even what was pushed a moment ago may be deleted.',
    'Keep everything that a kept image contains or that is attached to it, and everything else.',
  ]
}

function describeRule(rule: DeleteRule, by: string): string {
  const anyTag = rule.select === 'tagged' ? ', whatever their tags' : ''
  const tags = rule.tags === undefined ? anyTag : ` whose every tag matches ${anyOf(rule.tags)}`
  const age =
    rule.olderThan > 0
      ? `${formatDuration(rule.olderThan)} or more after their ${by}`
      : 'at any age'
  return `Delete ${rule.select} images${tags}, ${age}.`
}

function describeKeeps(policy: Policy): string[] {
  const { protect, keepDigests, spareNewest, maxDeletions } = policy
  return [
    ...(protect.length > 0 ? [`Keep every image with a tag that matches ${anyOf(protect)}.`] : []),
    ...(keepDigests.size > 0
      ? [`Keep ${plural(keepDigests.size, 'listed digest')} and all that belongs to them.`]
      : []),
    ...(spareNewest > 0
      ? [`Of the tagged images that would go, keep the newest ${spareNewest} in each package.`]
      : []),
    ...(maxDeletions !== undefined
      ? [`Leave a package alone if more than ${plural(maxDeletions, 'version')} would go.`]
      : []),
  ]
}

/** British English has no comma before the last one. */
const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' })

function anyOf(patterns: readonly Pattern[]): string {
  return alternatives.format(patterns.map(({ source }) => source))
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
