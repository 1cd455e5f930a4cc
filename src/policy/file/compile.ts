import type { Digest } from '../../model.js'
import { compileNamePatterns } from '../patterns.js'
import {
  defaultGrace,
  periods,
  type Calendar,
  type Conditions,
  type FilePattern,
  type Groups,
  type ImageKind,
  type Origin,
  type Policy,
  type PolicyEntry,
  type PolicySet,
  type Protection,
  type Rule,
  type Selector,
  type TagTest,
} from '../policy.js'
import { compileRefPattern } from '../refs.js'
import { compileSemver } from '../versions.js'
import type { TagText } from './fields.js'
import { defaultRules, mergeRules, ownRules, type WrittenRule } from './merge.js'
import type { Path } from './mistakes.js'
import type { BlockText, ConditionsText, PolicyFile, SelectorText } from './schema.js'

type RuleText = WrittenRule<SelectorText, ConditionsText>

/** Told where something is written by the way to it. */
export type OriginOf = (path: Path) => Origin

/** Compiles a file in which everything is known to be right. */
export function compileFile(file: PolicyFile, originOf: OriginOf): PolicySet {
  return {
    entries: new Compiler(file, originOf).entries(),
    schedule: file.schedule ?? file.retention?.schedule,
  }
}

/** A block and the way to it. */
interface Block {
  readonly text: BlockText
  readonly path: Path
}

class Compiler {
  readonly #file: PolicyFile
  readonly #originOf: OriginOf
  readonly #defaults: Block
  readonly #defaultRules: readonly RuleText[]
  /** Entries share the rules of `defaults` that they do not change. */
  readonly #compiled = new Map<RuleText, Rule>()

  constructor(file: PolicyFile, originOf: OriginOf) {
    this.#file = file
    this.#originOf = originOf
    this.#defaults = { text: file.defaults ?? {}, path: ['defaults'] }
    this.#defaultRules = defaultRules(file)
  }

  entries(): PolicyEntry[] {
    const { packages } = this.#file
    if (packages === undefined) {
      const path = this.#file.defaults === undefined ? [] : ['defaults']
      return [this.#entry([this.#defaults], undefined, this.#defaultRules, path)]
    }
    return packages.map((text, at) => {
      const path = ['packages', at]
      const rules = mergeRules(this.#defaultRules, ownRules(text, path))
      return this.#entry([this.#defaults, { text, path }], text.match, rules, path)
    })
  }

  /** @param blocks the nearest last */
  #entry(
    blocks: readonly Block[],
    names: readonly string[] | undefined,
    rules: readonly RuleText[],
    path: Path,
  ): PolicyEntry {
    return {
      match: names && compileNamePatterns(names),
      names: names ?? [],
      origin: this.#originOf(path),
      policy: this.#policy(blocks, rules),
      protectFrom: blocks.flatMap((block) => this.#files(block)),
      repository: nearest(blocks, 'repository') ?? this.#file.repository,
    }
  }

  #policy(blocks: readonly Block[], rules: readonly RuleText[]): Policy {
    const ceiling = nearest(blocks, 'max-deletions')
    return {
      protect: blocks.flatMap((block) => this.#protections(block)),
      grace: nearest(blocks, 'grace') ?? defaultGrace,
      maxDeletions: ceiling === undefined ? [] : [ceiling],
      keepDigests: new Map(blocks.flatMap((block) => this.#digests(block))),
      rules: rules.filter(({ enabled }) => enabled !== false).flatMap((rule) => this.#rule(rule)),
      unmatched: this.#unmatched(blocks),
      spareNewest: 0,
      ageBy: 'updated',
      uses: new Map(),
      readsLabels: nearest(blocks, 'read-labels') ?? false,
      refs: undefined,
    }
  }

  #protections({ text, path }: Block): Protection[] {
    return (text.protect ?? []).map((pattern, at) => ({
      pattern,
      origin: this.#originOf([...path, 'protect', at]),
    }))
  }

  #digests({ text, path }: Block): [Digest, Origin][] {
    return (text['protect-digests'] ?? []).map((digest, at) => [
      digest,
      this.#originOf([...path, 'protect-digests', at]),
    ])
  }

  #files({ text, path }: Block): FilePattern[] {
    return (text['protect-from'] ?? []).map((source, at) => ({
      source,
      origin: this.#originOf([...path, 'protect-from', at]),
    }))
  }

  #unmatched(blocks: readonly Block[]): Policy['unmatched'] {
    const said = blocks.findLast(({ text }) => text.unmatched !== undefined)
    return said?.text.unmatched === 'delete' ? this.#originOf([...said.path, 'unmatched']) : 'keep'
  }

  #rule(rule: RuleText): Rule[] {
    const { name, action, select, when } = rule
    if (name === undefined || action === undefined || select === undefined) return []
    const compiled = this.#compiled.get(rule) ?? {
      name,
      origin: this.#originOf(rule.path),
      action,
      select: compileSelector(select.value, action, when?.value.ref !== undefined),
      when: compileConditions(when?.value ?? {}),
    }
    this.#compiled.set(rule, compiled)
    return [compiled]
  }
}

function nearest<Key extends keyof BlockText>(
  blocks: readonly Block[],
  key: Key,
): BlockText[Key] | undefined {
  return blocks.findLast(({ text }) => text[key] !== undefined)?.text[key]
}

function compileSelector(
  text: SelectorText,
  action: Rule['action'],
  asksForRefs: boolean,
): Selector {
  const { digests, artifact } = text
  const tag = compileTagTest(text, action, asksForRefs)
  return {
    kinds: kindsOf(text, tag),
    tag,
    digests: digests && new Set(digests),
    types: artifact,
  }
}

function kindsOf(text: SelectorText, tag: TagTest | undefined): ReadonlySet<ImageKind> {
  const asked: ImageKind[] = [
    ...(text.tagged ? (['tagged'] as const) : []),
    ...(text.untagged ? (['untagged'] as const) : []),
    ...(text.orphans ? (['orphan'] as const) : []),
  ]
  if (tag !== undefined) return new Set(['tagged'])
  if (asked.length > 0) return new Set(asked)
  return new Set(
    text.digests === undefined ? ['tagged', 'untagged'] : ['tagged', 'untagged', 'orphan'],
  )
}

function compileTagTest(
  { tags, 'not-tags': exclude, semver, prerelease }: SelectorText,
  action: Rule['action'],
  asksForRefs: boolean,
): TagTest | undefined {
  const asks = tags ?? exclude ?? semver ?? prerelease
  if (asks === undefined) return undefined
  return {
    include: tags?.map((text) => compileTag(text, asksForRefs)),
    exclude: exclude ?? [],
    semver:
      semver === undefined && prerelease === undefined
        ? undefined
        : compileSemver(semver, prerelease, action),
  }
}

function compileTag({ source, pattern }: TagText, asksForRefs: boolean) {
  return asksForRefs || pattern === undefined ? compileRefPattern(source) : pattern
}

function compileConditions(text: ConditionsText): Conditions {
  const groups = groupsOf(text)
  const calendar = calendarOf(text)
  return {
    by: text.by ?? 'updated',
    ...given('olderThan', text['older-than']),
    ...given('newerThan', text['newer-than']),
    ...given('newest', text.newest),
    ...given('beyondNewest', text['beyond-newest']),
    ...given('groups', groups),
    ...given('calendar', calendar),
    ...given('ref', text.ref),
    ...given('lifetimeOver', text.lifetime && (true as const)),
  }
}

function given<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>)
}

function groupsOf(text: ConditionsText): Groups | undefined {
  const by = text['group-by']
  if (by === undefined) return undefined
  return { by, newestGroups: text['newest-groups'], newestPerGroup: text['newest-per-group'] }
}

function calendarOf(text: ConditionsText): Calendar | undefined {
  const counts = periods.flatMap((period) =>
    text[period] === undefined ? [] : [[period, text[period]]],
  )
  return counts.length === 0 ? undefined : (Object.fromEntries(counts) as Calendar)
}
