import { periods } from '../policy.js'
import { compileRefPattern, hasPlaceholder } from '../refs.js'
import { mapIn, type Loose } from './loose.js'
import type { WrittenRule } from './merge.js'
import { quote, wordsOf, type Path } from './mistakes.js'

/** A rule of which no more is known than what keys it has. */
export type LooseRule = WrittenRule<unknown, unknown>

/** Something wrong with a rule, in one of its parts. */
export interface Flaw {
  readonly part: 'select' | 'when' | 'rule'
  readonly keys: Path
  readonly message: string
  readonly at?: 'key'
}

/** What is wrong with the parts of a rule together. */
export function flawsOf(rule: LooseRule): Flaw[] {
  const select = mapIn(rule.select?.value)
  const when = mapIn(rule.when?.value)
  return [
    ...(rule.select === undefined ? [] : selectorFlaws(rule.select.value)),
    ...(rule.when === undefined ? [] : emptyFlaws(rule.when.value)),
    ...conditionFlaws(when),
    ...(rule.action === undefined ? [] : actionFlaws(rule.action, when)),
    ...(rule.select === undefined ? [] : placeholderFlaws(select, when.ref !== undefined)),
    ...(rule.action === 'delete' ? bareTemplateFlaws(select, when) : []),
  ]
}

const tagKeys = ['tags', 'not-tags', 'semver', 'prerelease']

function selectorFlaws(value: unknown): Flaw[] {
  const select = mapIn(value)
  const part = 'select'
  if (select === value && Object.keys(select).length === 0)
    return [
      {
        part,
        keys: [],
        message:
          'is empty and would select nothing; all images are { tagged: true, untagged: true }',
      },
    ]
  const asked = tagKeys.filter((key) => select[key] !== undefined)
  const others = ['untagged', 'orphans'].filter((key) => select[key] !== undefined)
  if (asked.length === 0) return []
  return others.map((key) => ({
    part,
    keys: [key],
    at: 'key',
    message: `cannot stand beside ${asked.join(' and ')}: only images with tags have such tags; ${key} takes a rule of its own`,
  }))
}

/** In an entry it would take the conditions away that the rule has in `defaults`. */
function emptyFlaws(value: unknown): Flaw[] {
  const isEmpty = mapIn(value) === value && Object.keys(mapIn(value)).length === 0
  return isEmpty
    ? [{ part: 'when', keys: [], message: 'is empty; a rule without conditions has no "when"' }]
    : []
}

function conditionFlaws(when: Loose): Flaw[] {
  const flaw = (key: string, message: string): Flaw => ({
    part: 'when',
    keys: [key],
    at: 'key',
    message,
  })
  const counts = ['newest-groups', 'newest-per-group'].filter((key) => when[key] !== undefined)
  const isGrouped = when['group-by'] !== undefined
  return [
    ...(isGrouped && counts.length === 0
      ? [
          flaw(
            'group-by',
            'says nothing by itself; it takes newest-groups, newest-per-group, or both beside it',
          ),
        ]
      : []),
    ...(isGrouped
      ? []
      : counts.map((key) => flaw(key, 'takes group-by beside it, which says what the groups are'))),
    ...(Object.keys(when).join() === 'by'
      ? [flaw('by', 'is no condition by itself; it says which time the others go by')]
      : []),
  ]
}

/** Conditions that are the wrong way round in one kind of rule, and what they would do there. */
const onlyIn: Readonly<
  Record<'keep' | 'delete', Readonly<Record<string, (value: string) => string>>>
> = {
  keep: {
    newest: (value) =>
      `would delete the newest; to delete all but the newest, write beyond-newest: ${value}`,
    'group-by': () =>
      'would delete the newest of the groups; it belongs into a keep rule, beside a rule that deletes the rest',
    ...Object.fromEntries(
      periods.map((period) => [
        period,
        () =>
          'would delete what is to be left of the thinning; it belongs into a keep rule, beside a rule that deletes the rest',
      ]),
    ),
  },
  delete: {
    'beyond-newest': (value) =>
      `would keep all but the newest; to keep the newest, write newest: ${value}`,
    lifetime: () =>
      'would keep images because their lifetime is over; it belongs into a delete rule',
  },
}

function actionFlaws(action: 'keep' | 'delete', when: Loose): Flaw[] {
  const wrong = onlyIn[action === 'keep' ? 'delete' : 'keep']
  const flaws = Object.entries(when).flatMap(([key, value]): Flaw[] => {
    const words = Object.hasOwn(wrong, key) ? wrong[key] : undefined
    const message = words?.(typeof value === 'number' ? String(value) : 'N')
    return message === undefined ? [] : [{ part: 'when', keys: [key], at: 'key', message }]
  })
  const ref = { keep: 'gone', delete: 'exists' }[action]
  if (when.ref !== ref) return flaws
  const message =
    action === 'keep'
      ? 'would keep what is named after something gone; a keep rule takes ref: exists'
      : 'would delete what is named after something that is there; a delete rule takes ref: gone'
  return [...flaws, { part: 'when', keys: ['ref'], message }]
}

/** `ref` and placeholders need each other. */
function placeholderFlaws(select: Loose, asksForRefs: boolean): Flaw[] {
  const { tags } = select
  const list = Array.isArray(tags) ? tags : [tags]
  const texts = list.flatMap((text, at): [string, Path][] =>
    typeof text === 'string' ? [[text, Array.isArray(tags) ? ['tags', at] : ['tags']]] : [],
  )
  if (asksForRefs && tags === undefined)
    return [
      {
        part: 'when',
        keys: ['ref'],
        at: 'key',
        message:
          'takes tags that say what to look up: tags: "pr-{number}" or tags: "branch-{branch}"',
      },
    ]
  return texts.flatMap(([text, keys]) => {
    const message = asksForRefs ? refMistake(text) : strayPlaceholder(text)
    return message === undefined || text.startsWith('!') ? [] : [{ part: 'select', keys, message }]
  })
}

/** Every release may look like the name of a branch that is gone, and every date like a closed pull request. */
function bareTemplateFlaws(select: Loose, when: Loose): Flaw[] {
  const { tags } = select
  const list: readonly unknown[] = Array.isArray(tags) ? tags : [tags]
  const bare = list.find((text) => typeof text === 'string' && /^\{(?:number|branch)\}/.test(text))
  if (when.ref !== 'gone' || typeof bare !== 'string' || select['not-tags'] !== undefined) return []
  return [
    {
      part: 'select',
      keys: ['tags'],
      message: `${quote(bare)} would take tags that mean something else too, such as releases; it takes text in front, as in "pr-{number}" and "branch-{branch}", or not-tags beside it that say which tags are meant otherwise`,
    },
  ]
}

function refMistake(text: string): string | undefined {
  try {
    compileRefPattern(text)
    return undefined
  } catch (error) {
    return wordsOf(error, text)
  }
}

function strayPlaceholder(text: string): string | undefined {
  return hasPlaceholder(text)
    ? `${quote(text)} has a placeholder, which means something only beside the condition "ref": gone or exists`
    : undefined
}
