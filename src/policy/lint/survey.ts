import type { Decision, KeepReason, Plan } from '../../model.js'
import { selectedTags, type Candidate } from '../candidate.js'
import { dueTags } from '../conditions.js'
import { groupPlaces, type Picked } from '../groups.js'
import type { RuleTrace } from '../judge.js'
import type { Pattern } from '../patterns.js'
import type { Policy, PolicyEntry, Rule } from '../policy.js'
import { isDelete, isDeleting } from './traits.js'

/** A package, with all that is known of it. */
export interface LookedAt {
  readonly name: string
  /** What the file says of it. */
  readonly entry: PolicyEntry
  /** The same, with what was looked up. */
  readonly policy: Policy
  readonly plan: Plan
  readonly images: readonly Candidate[]
  /** What every rule says of an image. */
  readonly trace: (image: Candidate) => RuleTrace[]
}

/** So many images, and one of them as an example. */
export interface Some {
  readonly count: number
  readonly example: string
}

/** What was seen of a rule, or of a pattern. */
export interface Seen {
  /** The packages that it was looked for in. */
  readonly packages: string[]
}

export interface SeenRule extends Seen {
  isSelected: boolean
  /** Images that it selects and that are in none of its groups. */
  groupless: Some | undefined
}

export interface SeenPattern extends Seen {
  isMatched: boolean
}

/** A delete rule that is about a tag, or about an image without any. */
export interface Claim {
  readonly rule: Rule
  /** It holds by now. */
  readonly isDue: boolean
}

/** Images that are all alike in what rules can change about them. */
export interface Case {
  count: number
  /** Keep rules that hold. */
  readonly keeps: readonly Rule[]
  /** For each tag, or for an image without any, what delete rules say. Equal ones are there once. */
  readonly claims: readonly (readonly Claim[])[]
  /** It stays whatever the rules say, and not for its age alone. */
  readonly isShielded: boolean
  /** `unmatched: delete` takes it where nothing keeps it. */
  readonly isUnmatched: boolean
}

/** What packages show of the policies that hold in them. Images are counted, not kept. */
export class Survey {
  readonly rules = new Map<Rule, SeenRule>()
  readonly patterns = new Map<Pattern, SeenPattern>()
  /** Images of which only some tags are what delete rules are about. */
  readonly partly = new Map<PolicyEntry, Some>()
  /** Packages with several tagged images, of which the policy keeps none. */
  readonly emptied = new Map<PolicyEntry, string[]>()
  readonly #cases = new Map<string, Case>()
  readonly #numbers = new Map<Rule, number>()

  get cases(): readonly Case[] {
    return [...this.#cases.values()]
  }

  /** Those of the patterns that match no tag in any package that they were looked for in. */
  unmatched<P extends Pattern>(patterns: readonly P[]): P[] {
    return patterns.filter((pattern) => this.patterns.get(pattern)?.isMatched === false)
  }

  look(looked: LookedAt): void {
    const { name, policy, images, trace } = looked
    for (const rule of policy.rules) this.#ruleSeen(rule).packages.push(name)
    this.#matchPatterns(looked)
    const shields = shieldsIn(looked.plan)
    const grouped = new Map<Rule, Picked[]>()
    for (const image of images) {
      const about = trace(image).filter(({ says }) => says !== 'is not about it')
      for (const { rule } of about) {
        this.#ruleSeen(rule).isSelected = true
        if (rule.when.groups === undefined) continue
        const picked = grouped.get(rule) ?? []
        picked.push(pickedBy(rule, image))
        grouped.set(rule, picked)
      }
      if (isDeleting(policy)) this.#addCase(looked, image, about, shields)
    }
    for (const [rule, picked] of grouped) this.#countGroupless(rule, picked, name)
    this.#countPartly(looked)
    if (isEmptied(looked.plan)) this.#noteEmptied(looked)
  }

  #ruleSeen(rule: Rule): SeenRule {
    const seen = this.rules.get(rule) ?? { packages: [], isSelected: false, groupless: undefined }
    this.rules.set(rule, seen)
    return seen
  }

  #matchPatterns({ name, entry, images }: LookedAt): void {
    const open = new Map<Pattern, SeenPattern>()
    for (const pattern of patternsOf(entry.policy)) {
      const seen = this.patterns.get(pattern) ?? { packages: [], isMatched: false }
      this.patterns.set(pattern, seen)
      seen.packages.push(name)
      if (!seen.isMatched) open.set(pattern, seen)
    }
    for (const { tags } of images) {
      if (open.size === 0) return
      for (const [pattern, seen] of open) {
        seen.isMatched = tags.some((tag) => pattern.matches(tag))
        if (seen.isMatched) open.delete(pattern)
      }
    }
  }

  #addCase(
    { policy }: LookedAt,
    image: Candidate,
    about: readonly RuleTrace[],
    shields: ReadonlySet<number>,
  ): void {
    if (about.length === 0) return
    const keeps = about.filter(({ rule, says }) => !isDelete(rule) && says === 'holds')
    this.#count({
      keeps: keeps.map(({ rule }) => rule),
      claims: claimsOn(image, about, policy),
      isShielded: shields.has(image.id),
      isUnmatched: policy.unmatched !== 'keep' && image.tags.length > 0,
    })
  }

  #count({ keeps, claims, ...flags }: Omit<Case, 'count'>): void {
    const keyOf = (rules: readonly Claim[]) =>
      rules.map(({ rule, isDue }) => `${this.#numberOf(rule)}${isDue ? '!' : ''}`).join()
    const parts = new Map(claims.map((rules) => [keyOf(rules), rules]))
    const kept = keeps.map((rule) => this.#numberOf(rule)).join()
    const key = [kept, ...[...parts.keys()].sort(), ...Object.values(flags)].join(';')
    const known = this.#cases.get(key)
    if (known !== undefined) known.count += 1
    else this.#cases.set(key, { count: 1, keeps, claims: [...parts.values()], ...flags })
  }

  #numberOf(rule: Rule): number {
    const number = this.#numbers.get(rule) ?? this.#numbers.size
    this.#numbers.set(rule, number)
    return number
  }

  #countGroupless(rule: Rule, picked: readonly Picked[], name: string): void {
    const { groups, by } = rule.when
    if (groups === undefined) return
    const places = groupPlaces(picked, groups.by, by)
    const seen = this.#ruleSeen(rule)
    for (const one of picked)
      if (!places.has(one.image))
        seen.groupless = oneMore(seen.groupless, () => called(name, one.image))
  }

  #noteEmptied({ name, entry }: LookedAt): void {
    const names = this.emptied.get(entry) ?? []
    this.emptied.set(entry, names)
    names.push(name)
  }

  #countPartly({ name, entry, plan }: LookedAt): void {
    for (const { verdict } of plan.decisions) {
      if (verdict.reason.code !== 'partly-matched') continue
      const [matched = '', blocking = ''] = [verdict.reason.matched[0], verdict.reason.blocking[0]]
      const some = oneMore(
        this.partly.get(entry),
        () => `${name}:${matched}, which is also ${blocking}`,
      )
      this.partly.set(entry, some)
    }
  }
}

/** What only its ceiling saves, or that the last tagged version never goes, would go by its policy. */
function isEmptied({ decisions }: Plan): boolean {
  const tagged = decisions.filter(({ version }) => version.tags.length > 0)
  return (
    tagged.length > 1 &&
    tagged.every(
      ({ verdict: { action, reason }, overruled }) =>
        action === 'delete' ||
        reason.code === 'last-tagged' ||
        (reason.code === 'refused' && overruled.length > 0),
    )
  )
}

/** What delete rules say of each tag of an image, or of an image without any. */
function claimsOn(image: Candidate, about: readonly RuleTrace[], { refs }: Policy): Claim[][] {
  const claiming = about
    .filter(({ rule }) => isDelete(rule))
    .map(({ rule, says }) => {
      const { tags } = pickedBy(rule, image)
      const holds = says === 'holds'
      return { rule, holds, tags, due: holds && tags.length > 1 ? dueTags(rule, tags, refs) : tags }
    })
  if (image.tags.length === 0) return [claiming.map(({ rule, holds }) => ({ rule, isDue: holds }))]
  return image.tags.map((tag) =>
    claiming
      .filter(({ tags }) => tags.includes(tag))
      .map(({ rule, holds, due }) => ({ rule, isDue: holds && due.includes(tag) })),
  )
}

/** By which tags a rule selects an image; that it does is known. */
function pickedBy({ select }: Rule, image: Candidate): Picked {
  const isPlain = image.tags.length < 2 || select.tag === undefined
  return { image, tags: isPlain ? image.tags : (selectedTags(select, image) ?? []) }
}

function* patternsOf({ protect, rules }: Policy): Iterable<Pattern> {
  for (const { pattern } of protect) yield pattern
  for (const { select } of rules) {
    yield* select.tag?.include ?? []
    yield* select.tag?.exclude ?? []
  }
}

const shielding: readonly KeepReason['code'][] = [
  'protected-tag',
  'in-use',
  'listed-digest',
  'cycle',
]

function shieldsIn({ decisions }: Plan): Set<number> {
  const isShielded = ({ verdict, also }: Decision) =>
    [verdict.reason, ...also].some(({ code }) => shielding.some((each) => each === code))
  return new Set(decisions.filter(isShielded).map(({ version }) => version.id))
}

function oneMore(some: Some | undefined, example: () => string): Some {
  return { count: (some?.count ?? 0) + 1, example: some?.example ?? example() }
}

const digits = 'sha256:'.length + 12

function called(name: string, { tags, digest }: Candidate): string {
  const [tag] = tags
  return tag === undefined ? `${name}@${digest.slice(0, digits)}` : `${name}:${tag}`
}
