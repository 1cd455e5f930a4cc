import { imagesOf } from '../../src/images.js'
import { tracer } from '../../src/policy/judge.js'
import type { LookedAt } from '../../src/policy/lint/lint-use.js'
import { entryFor } from '../../src/policy/policy-set.js'
import type { Policy, PolicySet } from '../../src/policy/policy.js'
import { plan } from '../../src/selector.js'
import { now, snapshot, type Item } from './kit.js'

/** A package as the commands look at it, with what was looked up for it. */
export function lookedAt(
  set: PolicySet,
  name: string,
  items: readonly Item[],
  lookedUp: Pick<Partial<Policy>, 'uses' | 'refs'> = {},
): LookedAt {
  const entry = entryFor(set, name)
  if (entry === undefined) throw new Error(`no entry for ${name}`)
  const policy = { ...entry.policy, ...lookedUp }
  const seen = snapshot(items)
  const images = imagesOf(seen)
  const trace = tracer(policy, images, now)
  return { name, entry, policy, plan: plan(seen, policy, now), images, trace }
}
