import { formatDuration } from '../durations.js'
import type { Pattern } from '../patterns.js'
import type { Ceiling, Policy, PolicyEntry, PolicySet, Rule } from '../policy.js'
import { anything, covers, isLiteral } from './covering.js'
import { inFileOrder, listed, otherRule, quote, quoted, type Finding } from './findings.js'
import { ruleFlaws } from './rule-checks.js'
import { asksForKinds, isDelete, isDeleting } from './traits.js'

/** What is odd about the policies of a file, as far as the file alone shows it. */
export function lintSet(set: PolicySet): Finding[] {
  return inFileOrder([
    ...hidden(set.entries),
    ...set.entries.flatMap(harmless),
    ...set.entries.flatMap((entry) => emptying(entry) ?? []),
    ...set.entries.flatMap(({ policy }) => protectedTwice(policy)),
    ...ruleFlaws(set).map(({ rule, message }) => ({ place: rule.origin.place, message })),
  ])
}

/** An entry with the names of its packages in lower case, as they are compared. */
interface Named {
  readonly place: string
  readonly include: readonly Pattern[]
  readonly exclude: readonly Pattern[]
}

function named({ match, origin: { place } }: PolicyEntry): Named {
  const lower = ({ source, matches }: Pattern) => ({ source: source.toLowerCase(), matches })
  const include = match?.include.map(lower) ?? []
  const exclude = match?.exclude.map(lower) ?? []
  return { place, include: include.length === 0 ? [anything] : include, exclude }
}

function hidden(entries: readonly PolicyEntry[]): Finding[] {
  const before = new Earlier()
  return entries.map(named).flatMap((entry) => {
    const { place } = entry
    const message = whyHidden(entry, before)
    before.add(entry)
    return message === undefined ? [] : [{ place, message }]
  })
}

function whyHidden({ include, exclude }: Named, before: Earlier): string | undefined {
  const wanted = include.filter((name) => !exclude.some((pattern) => covers(pattern, name)))
  if (wanted.length === 0)
    return 'No package gets here: all that "match" names is left out by its own "!". Correct the names, or take the entry out.'
  const taken = wanted.filter((name) => before.takerOf(name, exclude) !== undefined)
  if (taken.length === 0) return undefined
  const takers = new Set(taken.map((name) => before.takerOf(name, exclude)?.place ?? ''))
  const [entries, match] = takers.size === 1 ? ['entry', 'matches'] : ['entries', 'match']
  const why = `the ${entries} of ${listed([...takers])} ${match} before it, and the first match counts`
  if (taken.length === wanted.length)
    return `No package gets here: ${why}. Move this entry up, or take it out.`
  return `${quoted(taken)} of "match" ${taken.length === 1 ? 'does' : 'do'} not count here: ${why}. Move this entry up, or take that out.`
}

/** The entries before one, most of which name single packages. */
class Earlier {
  readonly #single = new Map<string, Named>()
  readonly #wide: Named[] = []

  add(entry: Named): void {
    if (!entry.include.every(isLiteral)) this.#wide.push(entry)
    for (const name of entry.include.filter(isLiteral))
      if (!this.#single.has(name.source) && takes(entry, name, []))
        this.#single.set(name.source, entry)
  }

  /** An entry that matches every package of that name that is not excluded. */
  takerOf(name: Pattern, excluded: readonly Pattern[]): Named | undefined {
    const wide = this.#wide.find((entry) => takes(entry, name, excluded))
    return wide ?? this.#single.get(name.source)
  }
}

function takes({ include, exclude }: Named, name: Pattern, excluded: readonly Pattern[]): boolean {
  return (
    include.some((pattern) => covers(pattern, name)) &&
    exclude.every(
      (pattern) => excluded.some((other) => covers(other, pattern)) || areApart(pattern, name),
    )
  )
}

/** Whether two patterns surely match nothing in common. */
function areApart(a: Pattern, b: Pattern): boolean {
  return (isLiteral(a) && !b.matches(a.source)) || (isLiteral(b) && !a.matches(b.source))
}

/** That may be meant, so it is only told. */
function harmless({ origin: { place }, policy }: PolicyEntry): Finding[] {
  const finding = (why: string, remedy: string) => [
    {
      place,
      message: `Nothing ever goes from these packages: ${why}. That is right if they are to stay whole; otherwise ${remedy}.`,
    },
  ]
  if (!isDeleting(policy))
    return finding('they have no delete rule and no "unmatched: delete"', 'add a delete rule')
  if (policy.maxDeletions.some(allowsNothing))
    return finding('max-deletions allows no deletion', 'raise it')
  return []
}

/** What takes every tagged image without waiting, where nothing is said to stay. */
export function emptying({
  origin: { place },
  policy,
  protectFrom,
}: PolicyEntry): Finding | undefined {
  const { unmatched, rules, protect, keepDigests, grace } = policy
  const why =
    unmatched === 'keep'
      ? rules.filter(takesAll).map(otherRule)[0]
      : `"unmatched: delete" (${unmatched.place})`
  const isSafe =
    rules.some(({ action, select }) => action === 'keep' && select.kinds.has('tagged')) ||
    protect.length + protectFrom.length + keepDigests.size > 0
  if (why === undefined || isSafe) return undefined
  const message = `Every tagged image of these packages but the last one goes as soon as grace (${formatDuration(grace)}) is over: ${why} takes it, and nothing keeps any. Add a keep rule, unless that is meant.`
  return { place, message }
}

/** A delete rule for all tagged images that holds at once. */
function takesAll(rule: Rule): boolean {
  const isAboutAll = rule.select.kinds.has('tagged') && asksForKinds(rule)
  const isAtOnce = Object.keys(rule.when).every((key) => key === 'by' || key === 'beyondNewest')
  return isDelete(rule) && isAboutAll && isAtOnce && (rule.when.beyondNewest ?? 0) === 0
}

function allowsNothing(ceiling: Ceiling): boolean {
  return ('count' in ceiling ? ceiling.count : ceiling.percent) === 0
}

function protectedTwice({ protect }: Policy): Finding[] {
  const places = new Map<string, string>()
  return protect.flatMap(({ pattern: { source }, origin: { place } }) => {
    const before = places.get(source)
    places.set(source, before ?? place)
    if (before === undefined) return []
    return [
      { place, message: `${quote(source)} is protected already (${before}). Once is enough.` },
    ]
  })
}
