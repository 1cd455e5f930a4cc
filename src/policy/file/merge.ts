import type { Path } from './mistakes.js'

/**
 * A rule as a block says it, or as an entry says it together with `defaults`. Each part keeps the way to where it is
 * written. What the parts are is open here, so that what was not checked yet is merged by the same code.
 */
export interface WrittenRule<Select, When> {
  readonly name: string | undefined
  readonly path: Path
  readonly action: 'keep' | 'delete' | undefined
  readonly select: Part<Select> | undefined
  readonly when: Part<When> | undefined
  readonly enabled: boolean | undefined
  /** The rule of `defaults` that this one changes. */
  readonly onto?: WrittenRule<Select, When>
}

interface Part<Value> {
  readonly value: Value
  readonly path: Path
}

/** A file as far as rules are concerned. */
export interface RulesOfFile<Select, When, Value> extends ShortForms<Value> {
  readonly retention?: ShortForms<Value> | undefined
  readonly defaults?: RulesOfBlock<Select, When, Value> | undefined
  readonly packages?: readonly RulesOfBlock<Select, When, Value>[] | undefined
}

interface RulesOfBlock<Select, When, Value> extends ShortForms<Value> {
  readonly rules?: readonly RuleText<Select, When>[] | undefined
}

interface RuleText<Select, When> {
  readonly name?: string | undefined
  readonly keep?: Select | undefined
  readonly delete?: Select | undefined
  readonly when?: When | undefined
  readonly enabled?: boolean | undefined
}

const shortNames = ['keep-latest', 'untagged-ttl'] as const
const spellings = {
  'keep-latest': ['keep-latest', 'keep_latest'],
  'untagged-ttl': ['untagged-ttl', 'untagged_ttl'],
} as const

type ShortForms<Value> = Readonly<
  Partial<Record<(typeof spellings)[(typeof shortNames)[number]][number], Value | undefined>>
>

interface ShortForm<Value> {
  readonly name: (typeof shortNames)[number]
  readonly value: Value
  readonly path: Path
}

/** The short forms of a map, in either spelling. */
export function shortFormsOf<Value>(map: ShortForms<Value>, path: Path): ShortForm<Value>[] {
  return shortNames.flatMap((name) =>
    spellings[name].flatMap((key) => {
      const value = map[key]
      return value === undefined ? [] : [{ name, value, path: [...path, key] }]
    }),
  )
}

/** Everywhere that the short forms of `defaults` may stand. */
export function defaultShortForms<Value>(
  file: RulesOfFile<unknown, unknown, Value>,
): ShortForm<Value>[] {
  return [
    ...shortFormsOf(file, []),
    ...shortFormsOf(file.retention ?? {}, ['retention']),
    ...shortFormsOf(file.defaults ?? {}, ['defaults']),
  ]
}

type ShortSelect = { readonly tagged: true } | { readonly untagged: true }
type ShortWhen<Value> = { readonly 'beyond-newest': Value } | { readonly 'older-than': Value }

/** The rule that a short form stands for. */
function shortRule<Value>(form: ShortForm<Value>): WrittenRule<ShortSelect, ShortWhen<Value>> {
  const { name, value, path } = form
  const [select, when] =
    name === 'keep-latest'
      ? [{ tagged: true } as const, { 'beyond-newest': value }]
      : [{ untagged: true } as const, { 'older-than': value }]
  return {
    name,
    path,
    action: 'delete',
    select: { value: select, path },
    when: { value: when, path },
    enabled: undefined,
  }
}

/** The rules that a file writes for every package. */
export function defaultRules<Select, When, Value>(
  file: RulesOfFile<Select, When, Value>,
): WrittenRule<Select | ShortSelect, When | ShortWhen<Value>>[] {
  return [
    ...(file.defaults?.rules ?? []).map((rule, at) => written(rule, ['defaults', 'rules', at])),
    ...defaultShortForms(file).map(shortRule),
  ]
}

/** The rules that an entry of `packages` writes itself. */
export function ownRules<Select, When, Value>(
  block: RulesOfBlock<Select, When, Value>,
  path: Path,
): WrittenRule<Select | ShortSelect, When | ShortWhen<Value>>[] {
  return [
    ...(block.rules ?? []).map((rule, at) => written(rule, [...path, 'rules', at])),
    ...shortFormsOf(block, path).map(shortRule),
  ]
}

function written<Select, When>(
  rule: RuleText<Select, When>,
  path: Path,
): WrittenRule<Select, When> {
  const part = <Value>(key: string, value: Value | undefined) =>
    value === undefined ? undefined : { value, path: [...path, key] }
  const action = rule.keep !== undefined ? 'keep' : rule.delete !== undefined ? 'delete' : undefined
  return {
    name: rule.name,
    path,
    action,
    select: part('keep', rule.keep) ?? part('delete', rule.delete),
    when: part('when', rule.when),
    enabled: rule.enabled,
  }
}

/** The rules of an entry together with those of `defaults`: rules of one name become one. */
export function mergeRules<Select, When>(
  defaults: readonly WrittenRule<Select, When>[],
  own: readonly WrittenRule<Select, When>[],
): readonly WrittenRule<Select, When>[] {
  if (own.length === 0) return defaults
  const changes = new Map(own.map((rule) => [rule.name, rule]))
  const names = new Set(defaults.map(({ name }) => name))
  return [
    ...defaults.map((rule) => mergeRule(rule, changes.get(rule.name))),
    ...own.filter(({ name }) => name === undefined || !names.has(name)),
  ]
}

function mergeRule<Select, When>(
  rule: WrittenRule<Select, When>,
  change: WrittenRule<Select, When> | undefined,
): WrittenRule<Select, When> {
  if (change?.name === undefined) return rule
  const { select, action } = change.select === undefined ? rule : change
  const when = change.when ?? rule.when
  const enabled = change.enabled ?? rule.enabled
  return { ...change, select, action, when, enabled, onto: rule }
}
