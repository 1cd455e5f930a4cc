import type { Conditions, Policy, Rule } from '../policy.js'

/** Whether anything can ever go. */
export function isDeleting({ unmatched, rules }: Policy): boolean {
  return unmatched !== 'keep' || rules.some(isDelete)
}

export function isDelete({ action }: Rule): boolean {
  return action === 'delete'
}

/** Whether a rule asks for kinds of images alone, so that nothing in it can be mistyped. */
export function asksForKinds({ select: { tag, digests, types } }: Rule): boolean {
  return tag === undefined && digests === undefined && types === undefined
}

/** Whether a rule holds for some of the images that it is about only. */
export function hasConditions(when: Conditions): boolean {
  return Object.keys(when).some((key) => key !== 'by')
}
