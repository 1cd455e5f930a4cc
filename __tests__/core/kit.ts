import { createHash } from 'node:crypto'
import type {
  Child,
  Decision,
  Digest,
  Manifest,
  PackageVersion,
  Plan,
  Snapshot,
} from '../../src/model.js'
import { compileTagPatterns, type Pattern } from '../../src/policy/patterns.js'
import {
  inputPlace,
  type Conditions,
  type Policy,
  type Protection,
  type Rule,
} from '../../src/policy/policy.js'
import { plan } from '../../src/selector.js'

export const hour = 3_600_000
export const day = 24 * hour
export const now = Date.UTC(2026, 0, 1)

const ociIndex = 'application/vnd.oci.image.index.v1+json'
const ociImage = 'application/vnd.oci.image.manifest.v1+json'

/** The digest that stands for a name in these tests. */
export function digest(name: string): Digest {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`
}

/** `sha256-<hex>` with an optional suffix: the tag that attaches a version to a named one. */
export function tagOf(name: string, suffix = ''): string {
  return `${digest(name).replace(':', '-')}${suffix}`
}

/** A version of the package with its manifest. */
export interface Item {
  readonly name: string
  readonly version: PackageVersion
  readonly manifest: Manifest
  /** The manifest is there but was not read. */
  readonly unread: boolean
}

interface ItemOptions {
  tags?: string[]
  /** Days since the first push and, unless `updated` says otherwise, the last change. */
  age?: number
  updated?: number
  subject?: string
  soci?: string
  /** The manifest was not read. */
  unread?: true
}

let lastId = 1000

function item(name: string, options: ItemOptions, manifest: Partial<Manifest>): Item {
  const { tags = [], age = 40, updated = age, subject, soci, unread = false } = options
  const version: PackageVersion = {
    id: ++lastId,
    digest: digest(name),
    tags,
    createdAt: now - age * day,
    updatedAt: now - updated * day,
  }
  const whole: Manifest = {
    kind: 'image',
    mediaType: ociImage,
    children: [],
    ...(subject === undefined ? {} : { subject: digest(subject) }),
    ...(soci === undefined ? {} : { sociIndex: digest(soci) }),
    ...manifest,
  }
  return { name, version, manifest: whole, unread }
}

/** An image for one platform. */
export function image(name: string, options: ItemOptions = {}): Item {
  return item(name, options, {})
}

/** An artifact such as a signature or an attestation. */
export function artifact(name: string, options: ItemOptions & { type?: string } = {}): Item {
  const { type = 'application/vnd.dev.sigstore.bundle.v0.3+json' } = options
  return item(name, options, { kind: 'artifact', artifactType: type })
}

/** One entry of an index: a name stands for a platform image. */
export type Entry = string | ({ of: string; attests?: string } & Partial<Omit<Child, 'attests'>>)

/** An index with its entries. */
export function index(name: string, entries: readonly Entry[], options: ItemOptions = {}): Item {
  return item(name, options, {
    kind: 'index',
    mediaType: ociIndex,
    children: entries.map(childOf),
  })
}

function childOf(entry: Entry): Child {
  if (typeof entry === 'string') {
    return { digest: digest(entry), mediaType: ociImage, kind: 'image', platform: 'linux/amd64' }
  }
  const { of, attests, ...rest } = entry
  return {
    digest: digest(of),
    mediaType: rest.kind === 'index' ? ociIndex : ociImage,
    kind: 'image',
    ...(attests === undefined ? {} : { attests: digest(attests) }),
    ...rest,
  }
}

/** A whole package. */
export function snapshot(items: readonly Item[]): Snapshot {
  const read = items
    .filter(({ unread }) => !unread)
    .map(({ version, manifest }): [Digest, Manifest] => [version.digest, manifest])
  return {
    package: { account: 'acme', name: 'app' },
    versions: items.map(({ version }) => version),
    manifests: new Map(read),
    refusals: [],
  }
}

/** Everything 30 days old or older goes, tagged or not, unless a test says otherwise. */
export function policy(
  overrides: Partial<Policy> & { protectTags?: string; tags?: string } = {},
): Policy {
  const { protectTags, tags, ageBy = 'updated', ...rest } = overrides
  return {
    protect: protectTags === undefined ? [] : protections(protectTags),
    grace: hour,
    maxDeletions: [],
    keepDigests: new Map(),
    rules: [tagged(tags), untagged].map((rule) => when(rule, { by: ageBy })),
    unmatched: 'keep',
    spareNewest: 0,
    ageBy,
    uses: new Map(),
    readsLabels: false,
    refs: undefined,
    ...rest,
  }
}

const origin = { place: inputPlace }

/** These versions by their names, as if `skip-shas` listed them. */
export function listed(...names: string[]): Policy['keepDigests'] {
  return new Map(names.map((name) => [digest(name), origin]))
}

export function protections(...patterns: string[]): Protection[] {
  return compileTagPatterns(patterns).include.map((pattern) => ({ pattern, origin }))
}

/** The rule for tagged images; without a pattern, for all of them. */
export function tagged(...patterns: (string | undefined)[]): Rule {
  const given = patterns.filter((pattern) => pattern !== undefined)
  return deleteRule('tagged', given.length === 0 ? undefined : compileTagPatterns(given).include)
}

/** The same rule for another age, or by another timestamp. */
export function when(rule: Rule, conditions: Partial<Conditions>): Rule {
  return { ...rule, when: { ...rule.when, ...conditions } }
}

function deleteRule(kind: 'tagged' | 'untagged', include: readonly Pattern[] | undefined): Rule {
  return {
    name: kind,
    origin,
    action: 'delete',
    select: {
      kinds: new Set([kind]),
      tag: include && { include, exclude: [], semver: undefined },
      digests: undefined,
      types: undefined,
    },
    when: { by: 'updated', olderThan: 30 * day },
  }
}

export const untagged: Rule = deleteRule('untagged', undefined)

/** A plan in the names of the items. */
export interface Named {
  readonly plan: Plan
  /** In the order of deletion. */
  readonly deleted: string[]
  readonly decision: (name: string) => Decision
  /** The code of the reason of a decision. */
  readonly why: (name: string) => string
}

/** Plans for items, and tells the result in their names. */
export function decide(items: readonly Item[], chosen: Policy = policy()): Named {
  const made = plan(snapshot(items), chosen, now)
  const names = new Map(items.map(({ name, version }) => [version.id, name]))
  const nameOf = ({ id }: PackageVersion) => names.get(id) ?? 'unknown'
  const decision = (name: string) => {
    const found = made.decisions.find(({ version }) => nameOf(version) === name)
    if (found === undefined) throw new Error(`no decision on ${name}`)
    return found
  }
  return {
    plan: made,
    deleted: made.deletions.map(({ version }) => nameOf(version)),
    decision,
    why: (name) => decision(name).verdict.reason.code,
  }
}
