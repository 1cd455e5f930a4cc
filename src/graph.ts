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
  readonly contains: readonly Node[]
  readonly containedIn: readonly Node[]
  readonly attachments: readonly Node[]
  readonly attachedTo: readonly Node[]
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
export type Step =
  | {
      readonly from: Node
      readonly relation: Relation
      /** The node that the search started from to come here. */
      readonly root: Node
    }
  | undefined

type Building = { -readonly [K in keyof Node]: Node[K] } & {
  contains: Node[]
  containedIn: Node[]
  attachments: Node[]
  attachedTo: Node[]
  missing: Digest[]
  missingSubjects: Digest[]
}

/** Most lists of most nodes are empty; they share this one, so that a large package takes little memory. */
const none: never[] = []

/**
 * Draws the graph of a package. Manifests may be missing; see {@link isKnown}.
 * Digests that the package does not have never become nodes.
 */
export function buildGraph(
  versions: readonly PackageVersion[],
  manifests: ReadonlyMap<Digest, Manifest>,
): Graph {
  const nodes = versions.map((version) => newNode(version, manifests.get(version.digest)))
  const byDigest = new Map<Digest, Building>()
  for (const node of nodes) byDigest.set(node.version.digest, node)
  for (const node of nodes) drawChildren(node, byDigest)
  for (const node of nodes) drawSubjects(node, byDigest)
  return { nodes, byDigest }
}

function newNode(version: PackageVersion, manifest: Manifest | undefined): Building {
  return {
    version,
    manifest,
    descriptor: undefined,
    ownTags: ownTagsOf(version),
    contains: none,
    containedIn: none,
    attachments: none,
    attachedTo: none,
    missing: none,
    missingSubjects: none,
  }
}

function ownTagsOf({ tags }: PackageVersion): readonly string[] {
  return tags.length === 0 ? tags : tags.filter((tag) => subjectOfTag(tag) === undefined)
}

function drawChildren(node: Building, byDigest: ReadonlyMap<Digest, Building>): void {
  for (const entry of node.manifest?.children ?? []) {
    const child = byDigest.get(entry.digest)
    if (child === undefined) {
      if (entry.kind !== 'other') node.missing = withItem(node.missing, entry.digest)
      continue
    }
    if (child.descriptor === undefined || isKnownLeaf(entry)) child.descriptor = entry
    contain(node, child)
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
  if (attested && child.manifest === undefined) attach(attested, child)
}

function drawSubjects(node: Building, byDigest: ReadonlyMap<Digest, Building>): void {
  for (const digest of subjectsOf(node)) {
    const subject = byDigest.get(digest)
    if (subject === undefined) node.missingSubjects = withItem(node.missingSubjects, digest)
    else attach(subject, node)
  }
  const soci = node.manifest?.sociIndex
  const accelerator = soci && byDigest.get(soci)
  if (accelerator) attach(node, accelerator)
}

/** Everything that a version itself names as its subject: in its manifest and by its tags. */
function subjectsOf({ version: { tags }, manifest }: Building): Iterable<Digest> {
  const subject = manifest?.subject
  if (tags.length === 0) return subject === undefined ? none : [subject]
  const named = [subject, ...tags.map(subjectOfTag)]
  return new Set(named.filter((digest) => digest !== undefined))
}

function contain(index: Building, child: Building): void {
  if (isDrawn(index, index.contains, child, child.containedIn)) return
  index.contains = withItem(index.contains, child)
  child.containedIn = withItem(child.containedIn, index)
}

function attach(subject: Building, attachment: Building): void {
  if (isDrawn(subject, subject.attachments, attachment, attachment.attachedTo)) return
  subject.attachments = withItem(subject.attachments, attachment)
  attachment.attachedTo = withItem(attachment.attachedTo, subject)
}

/**
 * Whether an edge has nothing to add: it is drawn once however often it is named, and never from a node to itself. Both
 * of its ends list it, so the shorter list tells.
 */
function isDrawn(
  above: Node,
  lower: readonly Node[],
  below: Node,
  upper: readonly Node[],
): boolean {
  if (above === below) return true
  return lower.length < upper.length ? lower.includes(below) : upper.includes(above)
}

/** A list with one more item: the same list, unless it is the empty one that everybody shares. */
function withItem<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item]
  list.push(item)
  return list
}

/** A version with a tag of its own, or one that nothing present contains and that is attached to nothing present. */
export function isRoot(node: Node): boolean {
  return node.ownTags.length > 0 || (node.containedIn.length === 0 && node.attachedTo.length === 0)
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
  for (const [from, step] of reached) {
    const root = step?.root ?? from
    addAll(reached, from.contains, { from, relation: 'contained in', root })
    addAll(reached, from.attachments, { from, relation: 'attached to', root })
  }
  return reached
}

function addAll(reached: Map<Node, Step>, nodes: readonly Node[], step: Step): void {
  for (const node of nodes) if (!reached.has(node)) reached.set(node, step)
}

/**
 * Nodes that lie on a cycle or between two. Content addressing rules cycles out for children and
 * subjects, but tags and annotations can be set to anything, and a cycle has no safe order of deletion.
 */
export function tangled(graph: Graph): Set<Node> {
  const downwards = peel(graph.nodes, parentsOf, partsOf)
  return peel(downwards, partsOf, parentsOf)
}

/**
 * What is left after taking away, again and again, every node that nothing left comes before. What comes before one of
 * the given nodes has to be among them.
 */
function peel(
  nodes: Iterable<Node>,
  before: (node: Node) => readonly Node[],
  after: (node: Node) => readonly Node[],
): Set<Node> {
  const { waiting, free } = queueUp(nodes, before)
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    for (const next of after(node)) if (countDown(waiting, next)) free.push(next)
  }
  return new Set(waiting.keys())
}

/** How many others each node waits for, and which nodes wait for none. */
export function queueUp(
  nodes: Iterable<Node>,
  before: (node: Node) => readonly Node[],
): { waiting: Map<Node, number>; free: Node[] } {
  const waiting = new Map<Node, number>()
  const free: Node[] = []
  for (const node of nodes) {
    const count = before(node).length
    if (count === 0) free.push(node)
    else waiting.set(node, count)
  }
  return { waiting, free }
}

/** Takes one off what a node waits for. Whether that was the last, and it waits no more. */
export function countDown(waiting: Map<Node, number>, node: Node): boolean {
  const count = waiting.get(node)
  if (count === undefined) return false
  if (count > 1) waiting.set(node, count - 1)
  else waiting.delete(node)
  return count === 1
}

/** What a node contains and what is attached to it. */
export function partsOf(node: Node): readonly Node[] {
  return union(node.contains, node.attachments)
}

/** What contains a node and what it is attached to. */
export function parentsOf(node: Node): readonly Node[] {
  return union(node.containedIn, node.attachedTo)
}

/** Both lists as one without repetition; most often one of them is empty. */
function union(a: readonly Node[], b: readonly Node[]): readonly Node[] {
  if (b.length === 0) return a
  return a.length === 0 ? b : [...new Set([...a, ...b])]
}
