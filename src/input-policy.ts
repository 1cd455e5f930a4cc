import type { PackageSelection } from './input-readers.js'
import { defaultOf, type InputName } from './input-table.js'
import type { Environment, ParsedInputs } from './inputs.js'
import type { Digest } from './model.js'
import { mistakeText } from './policy/file/mistakes.js'
import { readPolicyFile } from './policy/file/read-policy.js'
import { needsListing, type Pattern, type PatternList } from './policy/patterns.js'
import { refNeeds } from './policy/policy-set.js'
import {
  defaultGrace,
  inputPlace,
  type AgeBy,
  type Origin,
  type Policy,
  type PolicyEntry,
  type PolicySet,
  type Rule,
  type TagTest,
} from './policy/policy.js'

/** The policy file that an input names, as far as it could be read. */
export type PolicyText =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly problem: string }

/** A policy file as it was read; without one, nothing of it. */
export interface ReadPolicy {
  readonly path: string | undefined
  /** Undefined without a file, and when it has mistakes. */
  readonly set: PolicySet | undefined
  /** Why there is no text. */
  readonly problem: string | undefined
  /** With their places. */
  readonly mistakes: readonly string[]
  /** Whether the file says which packages it is about; one with mistakes is taken to. */
  readonly namesPackages: boolean
}

/** There is no policy file. */
export const noPolicy: ReadPolicy = {
  ...{ path: undefined, set: undefined, problem: undefined },
  ...{ mistakes: [], namesPackages: false },
}

/** Reads the text of a policy file, if there is one. */
export function readPolicy(file: PolicyText | undefined): ReadPolicy {
  if (file === undefined) return noPolicy
  const broken = { ...noPolicy, path: file.path, namesPackages: true }
  if ('problem' in file) return { ...broken, problem: file.problem }
  const read = readPolicyFile(file.text, file.path)
  if ('mistakes' in read) return { ...broken, mistakes: read.mistakes.map(mistakeText) }
  const isForAll = read.set.entries.some(({ match }) => match === undefined)
  return { ...noPolicy, path: file.path, set: read.set, namesPackages: !isForAll }
}

/** Mistakes of inputs that are given together with a policy file, and what the file lacks beside them. */
export function besidePolicy(
  given: Record<string, string>,
  { path, set, problem }: ReadPolicy,
  environment: Environment,
): string[] {
  if (path === undefined) return []
  return [
    ...(problem === undefined ? [] : [`policy: ${problem}`]),
    ...policyInstead(given, path),
    ...homeless(set, environment),
  ]
}

/** Inputs whose work the policy file does; any other value than that of an unset input is a contradiction. */
const insteadOfPolicy = [
  ...(['image-tags', 'cut-off', 'keep-n-most-recent'] as const),
  ...(['tag-selection', 'timestamp-to-use'] as const),
] satisfies InputName[]

function policyInstead(given: Record<string, string>, path: string): string[] {
  return insteadOfPolicy
    .filter((input) => (given[input] ?? defaultOf(input)).toLowerCase() !== defaultOf(input))
    .map((input) => `${input}: cannot be set together with policy; say it in a rule of ${path}`)
}

/** A rule about pull requests or branches has to know whose. */
function homeless(set: PolicySet | undefined, environment: Environment): string[] {
  const isHomeless = ({ policy, repository = environment.repository }: PolicyEntry) => {
    const { pulls, branches } = refNeeds(policy)
    return repository === undefined && (pulls || branches)
  }
  return (set?.entries ?? [])
    .filter(isHomeless)
    .map(
      ({ origin: { place } }) =>
        `policy: ${place}: a rule with "ref" asks for pull requests or branches, and outside a workflow nothing tells of which repository; write repository: owner/name there`,
    )
}

/** Inputs as the one policy of all packages. */
function onlyPolicy(policy: Policy): PolicySet {
  const entry = { match: undefined, names: [], origin, policy, protectFrom: [] }
  return { entries: [{ ...entry, repository: undefined }], schedule: undefined }
}

/** The packages that a file is about: by name, or when a pattern is among them, by a listing of all. */
export function namesOf({ set }: ReadPolicy): PackageSelection {
  const names = (set?.entries ?? []).flatMap((entry) =>
    entry.names.map((name) => name.toLowerCase()),
  )
  if (!names.some(needsListing)) return { kind: 'exact', names: [...new Set(names)] }
  return { kind: 'patterns', patterns: { include: [], exclude: [] } }
}

/** What stays and what goes, by inputs or by file. */
export function policiesOf(inputs: ParsedInputs, { set }: ReadPolicy): PolicySet {
  return set === undefined ? onlyPolicy(compilePolicy(inputs)) : tightened(set, inputs)
}

/** A file's policies with what inputs add: they can only make them more careful. */
function tightened(set: PolicySet, inputs: ParsedInputs): PolicySet {
  const { grace = 0 } = inputs
  const listed = digestsOf(inputs)
  const ceiling = inputs['max-deletions']
  const tighten = (policy: Policy): Policy => ({
    ...policy,
    grace: Math.max(policy.grace, grace),
    maxDeletions: [...policy.maxDeletions, ...(ceiling === undefined ? [] : [ceiling])],
    keepDigests: new Map([...listed, ...policy.keepDigests]),
  })
  const entries = set.entries.map((entry) => ({
    ...entry,
    policy: tighten(entry.policy),
  }))
  return { ...set, entries }
}

function compilePolicy(inputs: ParsedInputs): Policy {
  const tags = inputs['image-tags']
  const selection = inputs['tag-selection']
  return {
    protect: (tags?.exclude ?? []).map((pattern) => ({ pattern, origin })),
    grace: inputs.grace ?? defaultGrace,
    maxDeletions: inputs['max-deletions'] === undefined ? [] : [inputs['max-deletions']],
    keepDigests: digestsOf(inputs),
    rules: rulesOf(inputs).filter(({ name }) => selection === 'both' || selection === name),
    unmatched: 'keep',
    spareNewest: inputs['keep-n-most-recent'],
    ageBy: ageByOf(inputs),
    uses: new Map(),
    readsLabels: false,
    refs: undefined,
  }
}

const origin = { place: inputPlace }

function digestsOf(inputs: ParsedInputs): Map<Digest, Origin> {
  const digests = inputs['skip-shas'] ?? inputs['shas-to-skip'] ?? []
  return new Map(digests.map((digest) => [digest, origin]))
}

/** Only mode `packages` comes without a cut-off, and then no rule is there that could delete. */
function rulesOf(inputs: ParsedInputs): (Rule & { name: 'tagged' | 'untagged' })[] {
  const olderThan = inputs['cut-off']
  if (olderThan === undefined) return []
  const include = positives(inputs['image-tags'])
  const tag = include && { include, exclude: [], semver: undefined }
  const when = { by: ageByOf(inputs), olderThan }
  const rule = (name: 'tagged' | 'untagged', asked: TagTest | undefined) => {
    const select = { kinds: new Set([name]), tag: asked, digests: undefined, types: undefined }
    return { name, origin, action: 'delete' as const, select, when }
  }
  return [rule('tagged', tag), rule('untagged', undefined)]
}

/** Which timestamp an input chooses. */
export function ageByOf(inputs: ParsedInputs): AgeBy {
  return inputs['timestamp-to-use'] === 'updated_at' ? 'updated' : 'created'
}

function positives(tags: PatternList | undefined): readonly Pattern[] | undefined {
  return tags === undefined || tags.include.length === 0 ? undefined : tags.include
}
