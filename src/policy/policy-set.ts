import type { Policy, PolicyEntry, PolicySet } from './policy.js'

/** What holds in a package: the first entry that matches its name, or undefined when none does. */
export function entryFor({ entries }: PolicySet, name: string): PolicyEntry | undefined {
  return entries.find(({ match }) => {
    if (match === undefined) return true
    const { include, exclude } = match
    const isIncluded = include.length === 0 || include.some((pattern) => pattern.matches(name))
    return isIncluded && !exclude.some((pattern) => pattern.matches(name))
  })
}

/** Which lists of a repository the rules of a policy ask for. */
export function refNeeds({ rules }: Policy): { pulls: boolean; branches: boolean } {
  const asking = rules.filter(({ when }) => when.ref !== undefined)
  const patterns = asking.flatMap(({ select }) => select.tag?.include ?? [])
  const needs = (placeholder: string) => patterns.some(({ source }) => source.includes(placeholder))
  return { pulls: needs('{number}'), branches: needs('{branch}') }
}
