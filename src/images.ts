import { buildGraph, isRoot, type Node } from './graph.js'
import type { Child, Digest, PackageVersion, Snapshot } from './model.js'
import { selectedTags, type Candidate } from './policy/candidate.js'
import type { ImageKind, Policy } from './policy/policy.js'

/** How long images are to live, as the labels of their configs say; annotations are in the manifests. */
export type Lifetimes = ReadonlyMap<Digest, string>

/** The images whose labels have to be read before rules about their lifetimes can be asked. */
export function labelsWanted(snapshot: Snapshot, policy: Policy): Digest[] {
  const asking = policy.rules.filter(({ when }) => when.lifetimeOver)
  if (!policy.readsLabels || asking.length === 0) return []
  return imagesOf(snapshot)
    .filter((image) => asking.some(({ select }) => selectedTags(select, image) !== undefined))
    .map(({ digest }) => digest)
}

/** Every image of a package, as rules see it. */
export function imagesOf({ versions, manifests, lifetimes = new Map() }: Snapshot): Candidate[] {
  const { nodes } = buildGraph(newestFirst(versions), manifests)
  return candidatesOf(nodes.filter(isRoot), lifetimes)
}

/** One order for whatever order the listing came in, so that equal packages get equal plans. */
export function newestFirst(versions: readonly PackageVersion[]): PackageVersion[] {
  return versions.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0) || b.id - a.id)
}

/** The later of the two timestamps, so that neither a new push nor a new tag counts as old. */
export function youngestTime({ version }: Node): number {
  const { createdAt, updatedAt } = timesOf(version)
  return Math.max(createdAt, updatedAt)
}

/** Unknown times have refused the package before any rule looks; as a floor they are never old. */
export function timesOf(version: Node['version']): { createdAt: number; updatedAt: number } {
  return { createdAt: version.createdAt ?? Infinity, updatedAt: version.updatedAt ?? Infinity }
}

/** Images as rules see them. There are few kinds of them, so they share the lists of their types. */
export function candidatesOf(roots: readonly Node[], lifetimes: Lifetimes): Candidate[] {
  const known = new Map<string, readonly string[]>()
  return roots.map((node) => {
    const { id, digest } = node.version
    const { mediaType, artifactType, lifetime } = node.manifest ?? {}
    const types = [mediaType, artifactType].filter((type) => type !== undefined)
    const shared = known.get(types.join()) ?? types
    known.set(types.join(), shared)
    return {
      id,
      digest,
      tags: node.ownTags,
      kinds: kindsOf(node),
      ...timesOf(node.version),
      types: shared,
      isRunnable: isRunnable(node),
      lifetime: lifetime ?? lifetimes.get(digest),
    }
  })
}

const kinds = {
  tagged: new Set<ImageKind>(['tagged']),
  untagged: new Set<ImageKind>(['untagged']),
  orphan: new Set<ImageKind>(['orphan']),
  untaggedOrphan: new Set<ImageKind>(['untagged', 'orphan']),
}

/** What a root without a tag of its own has attachment tags for is not here, so that it is an orphan. */
function kindsOf(node: Node): ReadonlySet<ImageKind> {
  if (node.ownTags.length > 0) return kinds.tagged
  if (node.version.tags.length > 0) return kinds.orphan
  return node.missingSubjects.length > 0 ? kinds.untaggedOrphan : kinds.untagged
}

/** An index of nothing that may run, such as a build cache or charts, is none. */
function isRunnable({ manifest }: Node): boolean {
  if (manifest?.kind !== 'index') return manifest?.kind === 'image'
  const { artifactType, children } = manifest
  return artifactType === undefined && (children.length === 0 || children.some(mayRun))
}

function mayRun({ kind, artifactType, attests }: Child): boolean {
  return kind === 'index' || (kind === 'image' && (artifactType ?? attests) === undefined)
}
