import type { Child, Digest, PackageVersion, Plan, Snapshot } from '../../src/model.js'
import type { Policy } from '../../src/policy/policy.js'

/**
 * Says what is wrong with a plan, from the raw documents and by brute force: no graph, no search, and nothing of the
 * code that makes plans. An empty list means that every promise it knows of is kept.
 */
export function violations(snapshot: Snapshot, policy: Policy, now: number, plan: Plan): string[] {
  return [
    ...brokenImages(snapshot, plan),
    ...plan.deletions.flatMap(({ version }) => forbidden(version, policy, now)),
    ...undecided(snapshot, plan),
    ...refusedByGitHub(snapshot, plan),
  ]
}

/** P1: what a kept version contains stays, and so does what is attached to it. */
function brokenImages(snapshot: Snapshot, plan: Plan): string[] {
  const going = new Set(plan.deletions.map(({ version }) => version.digest))
  return relations(snapshot)
    .filter(([parent, child]) => !going.has(parent) && going.has(child))
    .map(([parent, child]) => `P1: ${child} goes, ${parent} stays`)
}

/** P2 and P5: what the policy does not condemn, protects or finds too young. */
function forbidden(version: PackageVersion, policy: Policy, now: number): string[] {
  const { digest, tags, createdAt = Infinity, updatedAt = Infinity } = version
  const own = tags.filter((tag) => !/^sha256-[0-9a-f]{64}/.test(tag))
  const rules = policy.deleteRules.filter(({ select }) => select === 'tagged')
  const condemned = (tag: string) =>
    rules.some((rule) => rule.tags?.some((pattern) => pattern.matches(tag)) ?? true)
  const shielded = own.some((tag) => policy.protect.some((pattern) => pattern.matches(tag)))
  const age = now - (policy.ageBy === 'updated' ? updatedAt : createdAt)
  const limit = Math.min(...rules.map(({ olderThan }) => olderThan))
  const wrongs: [boolean, string][] = [
    [!own.every(condemned), 'P2: has a tag that no rule names'],
    [shielded, 'P2: has a protected tag'],
    [policy.keepDigests.has(digest), 'P2: is listed to stay'],
    [own.length > 0 && age < limit, 'P2: is too young for every rule'],
    [now - Math.max(createdAt, updatedAt) < policy.grace, 'P5: is in flight'],
  ]
  return wrongs.filter(([wrong]) => wrong).map(([, words]) => `${digest} goes and ${words}`)
}

/** P12: one decision for each version, and it says what the plan does. */
function undecided({ versions }: Snapshot, { decisions, deletions }: Plan): string[] {
  const going = new Set(deletions.map(({ version }) => version.id))
  const decided = decisions.map(({ version }) => version.id)
  const complete = decided.length === versions.length && new Set(decided).size === versions.length
  const wrong = decisions.filter(
    ({ version, verdict }) => (verdict.action === 'delete') !== going.has(version.id),
  )
  return [
    ...(complete ? [] : ['P12: not exactly one decision for each version']),
    ...wrong.map(({ version }) => `P12: ${version.digest} is decided one way and planned another`),
  ]
}

/** GitHub does not let the last tagged version go. */
function refusedByGitHub({ versions }: Snapshot, { deletions }: Plan): string[] {
  const going = new Set(deletions.map(({ version }) => version.id))
  const tagged = versions.filter(({ tags }) => tags.length > 0)
  return tagged.length > 0 && tagged.every(({ id }) => going.has(id))
    ? ['the last tagged version goes']
    : []
}

/** What could be broken when a run stops: after a delete, a version that is still there misses a part. */
export function brokenMoments(snapshot: Snapshot, plan: Plan): string[] {
  const turn = new Map(plan.deletions.map(({ version }, at) => [version.digest, at]))
  return relations(snapshot)
    .filter(([parent, child]) => (turn.get(child) ?? Infinity) < (turn.get(parent) ?? Infinity))
    .map(([parent, child]) => `${child} goes while ${parent} is still there`)
}

/** Every pair of listed versions of which the second belongs to the first. */
function relations({ versions, manifests }: Snapshot): [Digest, Digest][] {
  const listed = new Set(versions.map(({ digest }) => digest))
  const pairs = versions.flatMap(({ digest, tags }): [Digest, Digest | undefined][] => {
    const { children = [], subject, sociIndex } = manifests.get(digest) ?? {}
    return [
      ...children.map((child): [Digest, Digest] => [digest, child.digest]),
      ...tags.map((tag): [Digest, Digest] => [subjectOf(tag) ?? digest, digest]),
      [subject ?? digest, digest],
      [digest, sociIndex],
      ...children.map((child): [Digest, Digest] => [
        attestedBy(child, manifests) ?? digest,
        child.digest,
      ]),
    ]
  })
  return pairs.filter(
    (pair): pair is [Digest, Digest] =>
      pair[1] !== undefined &&
      pair[0] !== pair[1] &&
      pair.every((each) => each && listed.has(each)),
  )
}

/** An annotation is a word of its index; only what was not read may have a subject that says the same. */
function attestedBy(child: Child, manifests: Snapshot['manifests']): Digest | undefined {
  return manifests.has(child.digest) ? undefined : child.attests
}

function subjectOf(tag: string): Digest | undefined {
  const hex = /^sha256-([0-9a-f]{64})(\..+)?$/.exec(tag)?.[1]
  return hex === undefined ? undefined : `sha256:${hex}`
}
