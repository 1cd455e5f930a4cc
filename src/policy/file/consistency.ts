import { nearest } from '../../nearest.js'
import { listIn, mapIn, step } from './loose.js'
import {
  defaultRules,
  defaultShortForms,
  mergeRules,
  ownRules,
  shortFormsOf,
  type RulesOfFile,
} from './merge.js'
import { pathText, quote, type Finding, type Path } from './mistakes.js'
import { flawsOf, type Flaw, type LooseRule } from './rule-flaws.js'

/**
 * What keys must be like together. It is asked of plain data, before anything else is known of it, so that it is told
 * also where single values are wrong.
 */

type LooseFile = RulesOfFile<unknown, unknown, unknown>

/** Told a line of the file by the way to it. */
export type LineOf = (path: Path) => number

export function contradictions(raw: unknown, lineOf: LineOf): Finding[] {
  const file = loosen(raw)
  const defaults = defaultRules(file)
  const entries = (file.packages ?? []).map((block, at) => ownRules(block, ['packages', at]))
  const tooMany = tooManyRules(defaults.length, entries)
  return [
    ...saidTwice(file, lineOf),
    ...defaults.flatMap((rule) => [...checkForm(rule, raw), ...checkRule(rule)]),
    ...sameNames(defaults, lineOf),
    ...entries.flatMap((own) => sameNames(own, lineOf)),
    ...(tooMany ?? entries.flatMap((own) => checkEntry(defaults, own, raw))),
  ]
}

const mostRules = 200_000

/** Every entry has all rules of `defaults`, so a short file can stand for very many. */
function tooManyRules(defaults: number, entries: readonly LooseRule[][]): Finding[] | undefined {
  const total = entries.reduce((sum, own) => sum + defaults + own.length, 0)
  if (total <= mostRules) return undefined
  return [
    {
      path: ['packages'],
      at: 'key',
      message: `the rules of all entries, each with those of "defaults", are ${total}; ${mostRules} is the most`,
    },
  ]
}

/** Whether any rule of a file could ever delete anything. */
export function canDelete(raw: unknown): boolean {
  const file = loosen(raw)
  const defaults = defaultRules(file)
  const isDelete = ({ action, enabled }: LooseRule) => action === 'delete' && enabled !== false
  const { unmatched } = mapIn(mapIn(raw).defaults)
  const blocks = listIn(mapIn(raw).packages)
  if (file.packages === undefined) return unmatched === 'delete' || defaults.some(isDelete)
  return file.packages.some(
    (block, at) =>
      (mapIn(blocks[at]).unmatched ?? unmatched) === 'delete' ||
      mergeRules(defaults, ownRules(block, ['packages', at])).some(isDelete),
  )
}

/** What can be told of the rules, whatever the file holds. */
function loosen(raw: unknown): LooseFile {
  const file = mapIn(raw)
  return {
    ...file,
    retention: mapIn(file.retention),
    defaults: loosenBlock(file.defaults),
    packages: Array.isArray(file.packages) ? file.packages.map(loosenBlock) : undefined,
  }
}

function loosenBlock(raw: unknown) {
  const block = mapIn(raw)
  return { ...block, rules: listIn(block.rules).map(loosenRule) }
}

function loosenRule(raw: unknown) {
  const { name, enabled, ...rule } = mapIn(raw)
  return {
    ...rule,
    name: typeof name === 'string' ? name : undefined,
    enabled: typeof enabled === 'boolean' ? enabled : undefined,
  }
}

/** The same thing in two spellings or in two places, and no saying which of them is meant. */
function saidTwice(file: LooseFile, lineOf: LineOf): Finding[] {
  const schedules = [['schedule'], ['retention', 'schedule']].filter(
    (path) => path.reduce<unknown>(step, file) !== undefined,
  )
  const groups = [
    schedules.map((path) => ({ name: 'schedule', path })),
    defaultShortForms(file),
    ...(file.packages ?? []).map((block, at) => shortFormsOf(block, ['packages', at])),
  ]
  return groups.flatMap((said) => repeatedIn(said, lineOf))
}

function repeatedIn(
  said: readonly { readonly name: string; readonly path: Path }[],
  lineOf: LineOf,
): Finding[] {
  const first = new Map<string, Path>()
  const findings: Finding[] = []
  for (const { name, path } of inOrder(said, lineOf)) {
    const before = first.get(name)
    first.set(name, before ?? path)
    if (before !== undefined) {
      const message = `says what ${pathText(before)} in line ${lineOf(before)} says already; it is said once`
      findings.push({ path, at: 'key', message })
    }
  }
  return findings
}

/** In the order of the file. */
function inOrder<T extends { readonly path: Path }>(parts: readonly T[], lineOf: LineOf): T[] {
  return parts.toSorted((a, b) => lineOf(a.path) - lineOf(b.path))
}

function sameNames(rules: readonly LooseRule[], lineOf: LineOf): Finding[] {
  // Two short forms of one name are said twice, which is told as such.
  const isShort = (path: Path) => typeof path.at(-1) === 'string'
  const first = new Map<string, Path>()
  const findings: Finding[] = []
  for (const { name, path } of inOrder(rules, lineOf)) {
    const before = name === undefined ? undefined : first.get(name)
    if (name !== undefined) first.set(name, before ?? path)
    if (before === undefined || (isShort(path) && isShort(before))) continue
    findings.push({
      path: isShort(path) ? path : [...path, 'name'],
      message: `${quote(name ?? '')} is the name of the rule in line ${lineOf(before)} too; rules of one block have different names`,
    })
  }
  return findings
}

function checkEntry(
  defaults: readonly LooseRule[],
  own: readonly LooseRule[],
  raw: unknown,
): Finding[] {
  if (own.length === 0) return []
  const names = defaults.flatMap(({ name }) => name ?? [])
  const untouched = new Set(defaults)
  const spelling = new Map(names.map((name) => [plain(name), name]))
  return mergeRules(defaults, own)
    .filter((rule) => !untouched.has(rule))
    .flatMap((rule) => [
      ...(rule.onto === undefined ? almostNamed(rule, spelling) : []),
      ...checkForm(rule, raw, names),
      ...(rule.onto === undefined
        ? checkRule(rule)
        : [...turnedAround(rule, rule.onto), ...checkMerged(rule, rule.onto)]),
    ])
}

/** A name without what is easily mistaken in it. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/g, '')
}

/** A rule that is named almost like one of `defaults` was most likely meant to change that. */
function almostNamed(
  { name, action, path }: LooseRule,
  spelling: ReadonlyMap<string, string>,
): Finding[] {
  const meant = name === undefined ? undefined : spelling.get(plain(name))
  // Without keep and delete it can only have been meant so, and is told as such.
  if (meant === undefined || action === undefined) return []
  const message = `${quote(name ?? '')} is another rule than ${quote(meant)} of "defaults", which holds too; write the name in the same way to change that one, or take another name`
  return [{ path: typeof path.at(-1) === 'string' ? path : [...path, 'name'], message }]
}

/** Exactly one of keep and delete, unless `defaults` say which. */
function checkForm(rule: LooseRule, raw: unknown, names?: readonly string[]): Finding[] {
  const found = rule.path.reduce<unknown>(step, raw)
  const text = mapIn(found)
  if (text.keep !== undefined && text.delete !== undefined)
    return [
      {
        path: [...rule.path, 'delete'],
        at: 'key',
        message: 'stands beside "keep"; a rule either keeps or deletes, so these are two rules',
      },
    ]
  if (rule.action !== undefined || text !== found) return []
  const takes = 'has neither keep nor delete, so it says of no image what becomes of it'
  if (names === undefined || rule.name === undefined) return [{ path: rule.path, message: takes }]
  return [
    {
      path: rule.path,
      message: `${takes}, and "defaults" has no rule of the name ${quote(rule.name)} that it could change`,
      suggestion: nearest(rule.name, names),
    },
  ]
}

function checkRule(rule: LooseRule): Finding[] {
  return flawsOf(rule).map(({ part, keys, message, at }) => ({
    path: [...partOf(rule, part), ...keys],
    message,
    ...(at === undefined ? {} : { at }),
  }))
}

function partOf(rule: LooseRule, part: Flaw['part']): Path {
  return (part === 'rule' ? undefined : rule[part]?.path) ?? rule.path
}

/** Whoever wrote the keep rule of `defaults` relies on it; that a name happens to be the same must not end that. */
function turnedAround(rule: LooseRule, onto: LooseRule): Finding[] {
  if (rule.action !== 'delete' || onto.action !== 'keep') return []
  return [
    {
      path: rule.path,
      at: 'key',
      message: `would turn the keep rule ${quote(rule.name ?? '')} of "defaults" into one that deletes; give it another name, and switch the other off with enabled: false if it is not wanted here`,
    },
  ]
}

/** Of a merged rule only what comes of the merging; what is wrong with the rule of `defaults` alone is told there. */
function checkMerged(rule: LooseRule, onto: LooseRule): Finding[] {
  const known = new Set(flawsOf(onto).map(({ keys, message }) => JSON.stringify([keys, message])))
  const isOwn = ({ part }: Flaw) =>
    part === 'rule' || partOf(rule, part).slice(0, 2).join() === rule.path.slice(0, 2).join()
  return flawsOf(rule)
    .filter(({ keys, message }) => !known.has(JSON.stringify([keys, message])))
    .map((flaw) => {
      const { part, keys, message, at } = flaw
      if (isOwn(flaw))
        return { path: [...partOf(rule, part), ...keys], message, ...(at ? { at } : {}) }
      const what = keys.length === 0 ? '' : ` ${keys.join('.')}`
      return {
        path: rule.path,
        message: `with the rule of "defaults" that it changes:${what} ${message}`,
      }
    })
}
