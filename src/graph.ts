import { subjectOfTag } from './oci.js'
import type { Child, Digest, Manifest, ManifestKind, PackageVersion, Relation } from './model.js'

/** One version of the package with what it contains, what contains it, and what is attached. */
export interface Node {
  readonly version: PackageVersion
  /** Undefined when it was not read: then `descriptor` says what it is. */
  readonly manifest: Manifest | undefined
  /** The index entry that says most about it. */
  readonly descriptor: Child | undefined
  /** Its tags without the attachment tags, which name a subject and make no image. */
  readonly ownTags: readonly string[]
  readonly contains: ReadonlySet<Node>
  readonly containedIn: ReadonlySet<Node>
  readonly attachments: ReadonlySet<Node>
  readonly attachedTo: ReadonlySet<Node>
  /** Children that the package does not have. */
  readonly missing: readonly Digest[]
  /** Subjects that the package does not have. */
  readonly missingSubjects: readonly Digest[]
}

/** The package as a graph: index → child and subject → attachment. */
export interface Graph {
  readonly nodes: readonly Node[]
  readonly byDigest: ReadonlyMap<Digest, Node>
}

/** How a node was reached; undefined for a node that the search started from. */
export type Step = { readonly from: Node; readonly relation: Relation } | undefined

type Building = { -readonly [K in keyof Node]: Node[K] } & {
  contains: Set<Node>
  containedIn: Set<Node>
  attachments: Set<Node>
  attachedTo: Set<Node>
  missing: Digest[]
  missingSubjects: Digest[]
}

/**
 * Draws the graph of a package. Manifests may be missing; see {@link isKnown}.
 * Digests that the package does not have never become nodes.
 */
export function buildGraph(
  versions: readonly PackageVersion[],
  manifests: ReadonlyMap<Digest, Manifest>,
): Graph {
  const nodes = versions.map((version) => newNode(version, manifests.get(version.digest)))
  const byDigest = new Map(nodes.map((node) => [node.version.digest, node]))
  for (const node of nodes) drawChildren(node, byDigest)
  for (const node of nodes) drawSubjects(node, byDigest)
  return { nodes, byDigest }
}

function newNode(version: PackageVersion, manifest: Manifest | undefined): Building {
  return {
    version,
    manifest,
    descriptor: undefined,
    ownTags: version.tags.filter((tag) => subjectOfTag(tag) === undefined),
    contains: new Set(),
    containedIn: new Set(),
    attachments: new Set(),
    attachedTo: new Set(),
    missing: [],
    missingSubjects: [],
  }
}

function drawChildren(node: Building, byDigest: ReadonlyMap<Digest, Building>): void {
  for (const entry of node.manifest?.children ?? []) {
    const child = byDigest.get(entry.digest)
    if (child === undefined) {
      if (entry.kind !== 'other') node.missing.push(entry.digest)
      continue
    }
    if (child.descriptor === undefined || isKnownLeaf(entry)) child.descriptor = entry
    connect(node.contains, node, child, child.containedIn)
    drawAnnotation(entry, child, byDigest)
  }
}

/**
 * What an entry says its child attests. It holds as long as its index stays, and then the index keeps the child anyway;
 * but a child that was not read may say the same by a subject of its own, so it counts as attached.
 */
function drawAnnotation(
  { attests }: Child,
  child: Building,
  byDigest: ReadonlyMap<Digest, Building>,
): void {
  const attested = attests && byDigest.get(attests)
  if (attested && child.manifest === undefined)
    connect(attested.attachments, attested, child, child.attachedTo)
}

function drawSubjects(node: Building, byDigest: ReadonlyMap<Digest, Building>): void {
  for (const digest of subjectsOf(node)) {
    const subject = byDigest.get(digest)
    if (subject === undefined) node.missingSubjects.push(digest)
    else connect(subject.attachments, subject, node, node.attachedTo)
  }
  const soci = node.manifest?.sociIndex
  const accelerator = soci && byDigest.get(soci)
  if (accelerator) connect(node.attachments, node, accelerator, accelerator.attachedTo)
}

/** Everything that a version itself names as its subject: in its manifest and by its tags. */
function subjectsOf(node: Building): Set<Digest> {
  const named = node.version.tags.map(subjectOfTag)
  return new Set([node.manifest?.subject, ...named].filter((digest) => digest !== undefined))
}

/** Draws one edge, never from a node to itself. The sets hold it once however often it is named. */
function connect(targets: Set<Node>, source: Node, target: Node, sources: Set<Node>): void {
  if (source === target) return
  targets.add(target)
  sources.add(source)
}

/** A version with a tag of its own, or one that nothing present contains and that is attached to nothing present. */
export function isRoot(node: Node): boolean {
  return node.ownTags.length > 0 || (node.containedIn.size === 0 && node.attachedTo.size === 0)
}

/** A root that no tag of its own makes an image: an attachment tag whose subject is not in the package. */
export function isOrphanAttachment(node: Node): boolean {
  return isRoot(node) && node.ownTags.length === 0 && node.version.tags.length > 0
}

/**
 * Whether an index entry says all there is to know about its child, so that the child needs no read: it lists
 * nothing itself, and it either names a platform or is an attestation whose subject the entry names.
 */
export function isKnownLeaf(entry: Child): boolean {
  const { kind, opaque = false, platform, attests } = entry
  return kind === 'image' && !opaque && (platform !== undefined || attests !== undefined)
}

/** Whether the graph knows what a node contains and what it is attached to. */
export function isKnown(node: Node): boolean {
  if (node.manifest !== undefined) return true
  return node.descriptor !== undefined && isKnownLeaf(node.descriptor)
}

/** What a node is, from its manifest or from the index entry that names it. */
export function kindOf(node: Node): ManifestKind {
  if (node.manifest !== undefined) return node.manifest.kind
  return node.descriptor?.platform === undefined ? 'artifact' : 'image'
}

/**
 * Everything reachable from the given nodes, themselves included: children at any depth, attachments of
 * every node, children of attachments. Each with the step that reached it first. Cycles are harmless.
 */
export function reach(starts: Iterable<Node>): Map<Node, Step> {
  const reached = new Map<Node, Step>()
  for (const start of starts) reached.set(start, undefined)
  // A Map yields the entries that are added while it is walked, so it is its own queue.
  for (const [from] of reached) {
    for (const node of from.contains) addStep(reached, node, { from, relation: 'contained in' })
    for (const node of from.attachments) addStep(reached, node, { from, relation: 'attached to' })
  }
  return reached
}

function addStep(reached: Map<Node, Step>, node: Node, step: Step): void {
  if (!reached.has(node)) reached.set(node, step)
}

/**
 * Nodes that lie on a cycle or between two. Content addressing rules cycles out for children and
 * subjects, but tags and annotations can be set to anything, and a cycle has no safe order of deletion.
 */
export function tangled(graph: Graph): Set<Node> {
  const downwards = peel(graph.nodes, parentsOf, partsOf)
  return peel([...downwards], partsOf, parentsOf)
}

/**
 * What is left after taking away, again and again, every node that nothing left comes before. What comes before one of
 * the given nodes has to be among them.
 */
function peel(
  nodes: readonly Node[],
  before: (node: Node) => Set<Node>,
  after: (node: Node) => Set<Node>,
): Set<Node> {
  const left = new Set(nodes)
  const waiting = new Map(nodes.map((node) => [node, before(node).size]))
  const free = nodes.filter((node) => waiting.get(node) === 0)
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    left.delete(node)
    for (const next of after(node)) {
      const count = (waiting.get(next) ?? 0) - 1
      waiting.set(next, count)
      if (count === 0) free.push(next)
    }
  }
  return left
}

/** What a node contains and what is attached to it. */
export function partsOf(node: Node): Set<Node> {
  return new Set([...node.contains, ...node.attachments])
}

/** What contains a node and what it is attached to. */
export function parentsOf(node: Node): Set<Node> {
  return new Set([...node.containedIn, ...node.attachedTo])
}
