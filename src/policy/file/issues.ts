import type { z } from 'zod'
import { nearest } from '../../nearest.js'
import { durationForm } from '../durations.js'
import { locate, type Located, type LocatedScalar } from './document.js'
import { quote, short, type Finding, type Path } from './mistakes.js'
import { keysOf, type MapKind } from './schema.js'

/** No more of what is wrong in a file is put into words. */
const most = 1000

/** What is wrong with single values and keys, in words. The schema's messages say what each value takes. */
export function findingsOf(issues: readonly z.core.$ZodIssue[], root: Located): Finding[] {
  return issues.slice(0, most).flatMap((issue) => findingsOfIssue(issue, issue.path as Path, root))
}

function findingsOfIssue(issue: z.core.$ZodIssue, path: Path, root: Located): Finding[] {
  if (issue.code === 'custom') return [{ path, message: issue.message }]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, most).map((key) => unknownKey(issue.message, key, path))
  const inside = issue.code === 'invalid_union' ? insideOf(issue, path, root) : undefined
  if (inside !== undefined) return inside
  const { value } = locate(root, path)
  const takes = isMapKind(issue.message) ? mapForms[issue.message] : issue.message
  return [
    value?.kind === 'scalar' && value.value !== null
      ? unfitScalar(value, path, takes, wantsText(issue))
      : unfit(value, path, takes),
  ]
}

/** Whether the value should have been a text, or a list of texts. */
function wantsText(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'invalid_union')
    return issue.errors.every((form) =>
      form.some(
        (inner) =>
          inner.code === 'invalid_type' && (inner.expected === 'array' || wantsText(inner)),
      ),
    )
  return issue.code === 'invalid_type' && issue.expected === 'string'
}

function isMapKind(message: string): message is MapKind {
  return Object.hasOwn(mapForms, message)
}

/** Where a value is of the right kind for one of several forms, what is wrong inside of it says more. */
function insideOf(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  root: Located,
): Finding[] | undefined {
  const isOfItsKind = (issues: readonly z.core.$ZodIssue[]) =>
    !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0)
  return issue.errors
    .find(isOfItsKind)
    ?.flatMap((inner) => findingsOfIssue(inner, [...path, ...(inner.path as Path)], root))
}

function unfit(value: Located | undefined, path: Path, takes: string): Finding {
  if (value === undefined) return { path, message: `is missing; it takes ${takes}` }
  if (value.kind === 'list' && value.items.length === 0)
    return { path, message: `is an empty list; it takes ${takes}` }
  if (value.kind !== 'scalar')
    return { path, message: `a ${value.kind} is not what it takes: ${takes}` }
  return value.source === ''
    ? { path, at: 'key', message: `is empty; it takes ${takes}` }
    : { path, message: `${short(value.source)} says nothing; it takes ${takes}` }
}

function unfitScalar(
  { value, source }: LocatedScalar,
  path: Path,
  takes: string,
  isTextWanted: boolean,
): Finding {
  if (typeof value === 'string')
    return { path, message: `${quote(value)} is not ${takes}`, suggestion: meantBy(value, takes) }
  const found = short(source)
  if (takes === durationForm && typeof value === 'number')
    return { path, message: `${found} has no unit; it takes ${takes}` }
  if (!isTextWanted) return { path, message: `${found} is not ${takes}` }
  const message = `${found} is no text to YAML but a ${typeof value}; it takes ${takes}`
  const isPlain = /pattern|range|name/.test(takes)
  return { path, message, suggestion: isPlain ? quote(source) : undefined }
}

/** YAML 1.1 had more words for these two. */
const switches: Readonly<Record<string, string>> = {
  yes: 'true',
  on: 'true',
  no: 'false',
  off: 'false',
}

function meantBy(text: string, takes: string): string | undefined {
  if (takes === 'true or false') return switches[text.toLowerCase()]
  return takes.startsWith('one of ')
    ? nearest(text.slice(0, 100), takes.slice('one of '.length).split(', '))
    : undefined
}

const mapForms: Readonly<Record<MapKind, string>> = {
  file: 'a map with "version: 1" and what may be deleted',
  retention: 'a map with keep_latest, untagged_ttl or schedule',
  defaults: 'a map with keys such as protect, grace and rules',
  package: 'a map with match and keys such as protect, grace and rules',
  rule: 'a map with name, keep or delete, and when',
  selector: 'a map such as { tags: "nightly-*" } or { untagged: true }',
  conditions: 'a map such as { older-than: 30d }; without conditions it is left out',
}

const mapNames: Readonly<Record<MapKind, string>> = {
  file: 'of a policy file',
  retention: 'of "retention"',
  defaults: 'of "defaults"',
  package: 'of an entry of "packages"',
  rule: 'of a rule',
  selector: 'of what a rule keeps or deletes',
  conditions: 'of "when"',
}

/** Where keys are looked for that are not known where they stand, and the words for that place. */
const homes: Readonly<Record<MapKind, readonly (readonly [kind: MapKind, place: string])[]>> = {
  file: [
    ['defaults', 'under "defaults", or in an entry of "packages"'],
    ['package', 'in an entry of "packages"'],
  ],
  retention: [['defaults', 'under "defaults"']],
  defaults: [
    ['package', 'in an entry of "packages"; what stands in "defaults" holds in every package'],
    ['file', 'at the top level'],
    ['selector', 'under "keep" or "delete" of a rule'],
    ['conditions', 'under "when" of a rule'],
  ],
  package: [
    ['file', 'at the top level'],
    ['rule', 'in an entry of "rules"'],
    ['selector', 'under "keep" or "delete" of a rule'],
    ['conditions', 'under "when" of a rule'],
  ],
  rule: [
    ['selector', 'under "keep" or "delete"'],
    ['conditions', 'under "when"'],
    ['package', 'beside "rules"'],
  ],
  selector: [
    ['conditions', 'under "when", beside "keep" or "delete"'],
    ['rule', 'beside "keep" or "delete"'],
  ],
  conditions: [
    ['selector', 'under "keep" or "delete"'],
    ['rule', 'beside "when"'],
  ],
}

function unknownKey(kind: string, key: string, parent: Path): Finding {
  const finding = { path: [...parent, key], at: 'key' as const }
  if (/pull|download/i.test(key) && !/request/i.test(key))
    return {
      ...finding,
      message:
        'GHCR does not tell when or how often an image was pulled, so no rule can ask for it; "older-than" asks for its age',
    }
  if (key === 'schedule')
    return {
      ...finding,
      message: 'a schedule stands at the top level: one run serves all packages',
    }
  if (!isMapKind(kind)) return { ...finding, message: 'is no key here' }
  const dashed = key.replaceAll('_', '-')
  const home = homes[kind].find(([other]) => keysOf[other].includes(dashed))
  const isKnown = keysOf[kind].includes(dashed)
  if (home !== undefined && !isKnown)
    return { ...finding, message: `is no key ${mapNames[kind]}; it stands ${home[1]}` }
  const near = key.length > 100 ? undefined : nearest(dashed, keysOf[kind])
  const message = `is no key ${mapNames[kind]}, which takes ${keysOf[kind].join(', ')}`
  return { ...finding, message, suggestion: near }
}
