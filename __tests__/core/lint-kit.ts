import { tracer } from '../../src/policy/judge.js'
import type { LookedAt } from '../../src/policy/lint/lint-use.js'
import { entryFor } from '../../src/policy/policy-set.js'
import type { PolicySet } from '../../src/policy/policy.js'
import { imagesOf, plan } from '../../src/selector.js'
import { now, snapshot, type Item } from './kit.js'

/** A package as the commands look at it. */
export function lookedAt(set: PolicySet, name: string, items: readonly Item[]): LookedAt {
  const entry = entryFor(set, name)
  if (entry === undefined) throw new Error(`no entry for ${name}`)
  const { policy } = entry
  const seen = snapshot(items)
  const images = imagesOf(seen)
  const trace = tracer(policy, images, now)
  return { name, entry, policy, plan: plan(seen, policy, now), images, trace }
}
