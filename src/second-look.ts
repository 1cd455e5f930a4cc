import type { Deletion, Digest, PackageVersion, Refusal, Snapshot } from './model.js'
import { subjectOfTag } from './oci.js'
import type { Policy } from './policy/policy.js'

/**
 * Checks a plan once more, right before the first delete, by other means than the selector's: no graph, no reach,
 * only the documents and the rules. Any finding means a defect, and the package must be left alone.
 */
export function secondLook(
  snapshot: Snapshot,
  policy: Policy,
  now: number,
  deletions: readonly Deletion[],
): Refusal[] {
  const going = new Set(deletions.map(({ version }) => version.digest))
  const staying = new Set(
    snapshot.versions.map(({ digest }) => digest).filter((digest) => !going.has(digest)),
  )
  const findings = [
    ...brokenByContent(snapshot, going, staying),
    ...brokenByAttachment(snapshot, going, staying),
    ...deletions.flatMap(({ version }) => [...spoken(version, policy, now)]),
    ...outOfOrder(deletions),
  ]
  return findings.map(refusal)
}

function* brokenByContent(
  snapshot: Snapshot,
  going: ReadonlySet<Digest>,
  staying: ReadonlySet<Digest>,
): Generator<string> {
  for (const [digest, manifest] of snapshot.manifests) {
    for (const child of manifest.children) {
      if (staying.has(digest) && going.has(child.digest)) {
        yield `${child.digest} would go although ${digest}, which contains it, stays`
      }
      const unread = !snapshot.manifests.has(child.digest)
      if (unread && child.attests && staying.has(child.attests) && going.has(child.digest)) {
        yield `${child.digest} would go although ${child.attests}, which it may be attached to, stays`
      }
    }
  }
}

function* brokenByAttachment(
  snapshot: Snapshot,
  going: ReadonlySet<Digest>,
  staying: ReadonlySet<Digest>,
): Generator<string> {
  for (const { digest, tags } of snapshot.versions) {
    const manifest = snapshot.manifests.get(digest)
    const accelerator = manifest?.sociIndex
    if (accelerator && staying.has(digest) && going.has(accelerator)) {
      yield `${accelerator} would go although ${digest}, which it accelerates, stays`
    }
    if (!going.has(digest)) continue
    for (const subject of [manifest?.subject, ...tags.map(subjectOfTag)]) {
      if (subject && staying.has(subject))
        yield `${digest} would go although ${subject}, its subject, stays`
    }
  }
}

/** What protects one version by itself: its tags, its digest, its age. */
function* spoken(version: PackageVersion, policy: Policy, now: number): Generator<string> {
  const { digest, tags, createdAt, updatedAt } = version
  const own = tags.filter((tag) => subjectOfTag(tag) === undefined)
  const rules = policy.deleteRules.filter((rule) => rule.select === 'tagged')
  for (const tag of own) {
    if (policy.protect.some((pattern) => pattern.matches(tag)))
      yield `${digest} would go although its tag ${tag} is protected`
    if (!rules.some((rule) => rule.tags?.some((pattern) => pattern.matches(tag)) ?? true))
      yield `${digest} would go although no rule names its tag ${tag}`
  }
  if (policy.keepDigests.has(digest))
    yield `${digest} would go although its digest is listed to stay`
  if (createdAt === undefined || updatedAt === undefined)
    yield `${digest} would go although its age is unknown`
  else if (now - createdAt < policy.grace || now - updatedAt < policy.grace)
    yield `${digest} would go although it is younger than grace`
}

function* outOfOrder(deletions: readonly Deletion[]): Generator<string> {
  const before = new Set<number>()
  for (const { version, after } of deletions) {
    if (after.some((id) => !before.has(id)))
      yield `${version.digest} would go before a version that it is part of`
    before.add(version.id)
  }
}

function refusal(finding: string): Refusal {
  return {
    code: 'second-look',
    message: `the plan failed its last check: ${finding}`,
    hint: 'This is a defect of this tool and nothing was deleted; please report it with plan.json.',
  }
}
