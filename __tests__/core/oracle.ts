import type { Child, Digest, Manifest, PackageVersion, Plan, Snapshot } from '../../src/model.js'
import type { Candidate } from '../../src/policy/candidate.js'
import type { ImageKind, Policy } from '../../src/policy/policy.js'
import { truths, type Around, type Written } from './policy-oracle.js'

/** A policy with the words that it was made from. */
export interface SaidPolicy extends Policy {
  readonly written: Written
  readonly around: Around
}

/**
 * Says what is wrong with a plan, from the raw documents and by brute force: no graph, no search, and nothing of the
 * code that makes plans. An empty list means that every promise it knows of is kept.
 */
export function violations(
  snapshot: Snapshot,
  policy: SaidPolicy,
  now: number,
  plan: Plan,
): string[] {
  return [
    ...brokenImages(snapshot, plan),
    ...uncondemned(snapshot, policy, now, plan),
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

/** P2: images that the policy does not let go, and parts of no image that goes. */
function uncondemned(
  snapshot: Snapshot,
  { written, around }: SaidPolicy,
  now: number,
  plan: Plan,
): string[] {
  const images = imagesIn(snapshot)
  const fates = truths(written, around, images, now)
  const stays = new Set(images.filter((_, at) => !fates[at]?.goes).map(({ digest }) => digest))
  const going = plan.deletions.map(({ version }) => version.digest)
  const condemned = images.map(({ digest }) => digest).filter((digest) => !stays.has(digest))
  const reached = new Set(condemned.filter((digest) => going.includes(digest)))
  const pairs = relations(snapshot)
  // As often as the longest way can be.
  for (const [whole, part] of going.flatMap(() => pairs)) if (reached.has(whole)) reached.add(part)
  return [
    ...going.filter((digest) => stays.has(digest)).map((digest) => `P2: ${digest} is an image`),
    ...going.filter((digest) => !reached.has(digest)).map((digest) => `P2: ${digest} is no part`),
  ]
}

/** P2 and P5: what is listed to stay, and what is too young. */
function forbidden(version: PackageVersion, policy: SaidPolicy, now: number): string[] {
  const { digest, createdAt = Infinity, updatedAt = Infinity } = version
  const wrongs: [boolean, string][] = [
    [policy.keepDigests.has(digest), 'P2: is listed to stay'],
    [policy.around.used.includes(digest), 'P2: is in use'],
    [now - Math.max(createdAt, updatedAt) < policy.grace, 'P5: is in flight'],
  ]
  return wrongs.filter(([wrong]) => wrong).map(([, words]) => `${digest} goes and ${words}`)
}

/** What rules are about: versions with a tag of their own, and those that belong to nothing that is listed. */
function imagesIn(snapshot: Snapshot): Candidate[] {
  const parts = new Set(relations(snapshot).map(([, part]) => part))
  return snapshot.versions
    .filter(({ digest, tags }) => tags.some(isOwn) || !parts.has(digest))
    .map((version) => imageOf(version, snapshot))
}

function isOwn(tag: string): boolean {
  return subjectOf(tag) === undefined
}

function imageOf(version: PackageVersion, { versions, manifests }: Snapshot): Candidate {
  const { id, digest, tags, createdAt = Infinity, updatedAt = Infinity } = version
  const manifest = manifests.get(digest)
  const { mediaType, artifactType, subject, lifetime } = manifest ?? {}
  const isOrphan = subject !== undefined && versions.every((other) => other.digest !== subject)
  return {
    ...{ id, digest, createdAt, updatedAt, lifetime },
    tags: tags.filter(isOwn),
    kinds: new Set(kindsOf(tags, isOrphan)),
    types: [mediaType, artifactType].filter((type) => type !== undefined),
    isRunnable: manifest !== undefined && isRunnable(manifest),
  }
}

function kindsOf(tags: readonly string[], isOrphan: boolean): ImageKind[] {
  if (tags.some(isOwn)) return ['tagged']
  if (tags.length > 0) return ['orphan']
  return isOrphan ? ['untagged', 'orphan'] : ['untagged']
}

function isRunnable({ kind, artifactType, children }: Manifest): boolean {
  if (kind !== 'index') return kind === 'image'
  const isOfOtherThings = children.length > 0 && children.every((child) => child.kind === 'other')
  return artifactType === undefined && !isOfOtherThings
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
