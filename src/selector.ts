import { decisionOn, none, partOf } from './decisions.js'
import {
  buildGraph,
  countDown,
  isKnown,
  isOrphanAttachment,
  isRoot,
  parentsOf,
  partsOf,
  queueUp,
  reach,
  tangled,
  type Graph,
  type Node,
  type Step,
} from './graph.js'
import { candidatesOf, newestFirst, timesOf, youngestTime, type Lifetimes } from './images.js'
import type {
  Decision,
  DeleteReason,
  Deletion,
  Digest,
  KeepReason,
  PackageVersion,
  Plan,
  Refusal,
  RefusalCode,
  Snapshot,
  Verdict,
} from './model.js'
import { timeOf } from './policy/candidate.js'
import { inUse, judgeAll, type Judgement } from './policy/judge.js'
import type { Ceiling, Policy } from './policy/policy.js'

/** What floors and rules say of the nodes, before the graph has its say. */
interface Judged {
  /** Nodes that stay by their own right, with every reason; the first is the one that is told. */
  readonly kept: Map<Node, readonly KeepReason[]>
  /** Images that delete rules condemn, whether or not something keeps them, with every reason. */
  readonly condemned: Map<Node, readonly DeleteReason[]>
}

/** What kept nodes reach, and what goes. The two never overlap. */
interface Swept {
  readonly marked: ReadonlyMap<Node, Step>
  readonly doomed: ReadonlyMap<Node, Step>
}

/**
 * Decides about every version of a package by mark and sweep: what the policy does not condemn is kept, what a
 * kept version reaches is marked, and what is condemned and unmarked goes with its tree.
 *
 * Pure: the same snapshot, policy and time give the same plan, whatever the order of the listing.
 */
export function plan(snapshot: Snapshot, policy: Policy, now: number): Plan {
  const graph = buildGraph(newestFirst(snapshot.versions), snapshot.manifests)
  const unknown = [...snapshot.refusals, ...findUnknown(snapshot, graph)]
  const [first] = unknown
  if (first !== undefined) return refusedPlan(snapshot, graph, first.code, unknown)

  const judged = judgeNodes(graph, policy, now, snapshot.lifetimes ?? new Map())
  for (const [node, reason] of newestToSpare(judged, policy)) judged.kept.set(node, [reason])
  const swept = sweep(judged)
  const last = lastTagged(graph, swept)
  if (last === undefined) return finish(snapshot, graph, judged, swept, policy)
  judged.kept.set(last, [{ code: 'last-tagged' }])
  return finish(snapshot, graph, judged, sweep(judged), policy)
}

function sweep(judged: Judged): Swept {
  const marked = reach(judged.kept.keys())
  const doomed = reach(unmarked(judged.condemned.keys(), marked))
  for (const node of marked.keys()) doomed.delete(node)
  return { marked, doomed }
}

/** Everything that makes the picture untrustworthy: one such thing, and the package is left alone. */
function findUnknown(snapshot: Snapshot, graph: Graph): Refusal[] {
  const refusals: Refusal[] = []
  if (graph.byDigest.size < graph.nodes.length) refusals.push(ambiguousListing)
  for (const node of graph.nodes) {
    const { digest, createdAt, updatedAt } = node.version
    if (createdAt === undefined || updatedAt === undefined) {
      refusals.push({
        code: 'timestamp-unknown',
        message: `${digest} has a timestamp that is missing or cannot be read, so its age is unknown`,
        hint: 'GitHub sends two timestamps with every version; if this persists, report it to GitHub Support.',
      })
    }
    if (!isKnown(node) && snapshot.refusals.length === 0) {
      refusals.push({
        code: 'manifest-unread',
        message: `the manifest of ${digest} was not read, so what it contains is unknown`,
        hint: 'This is a defect of this tool; please report it with the debug log.',
      })
    }
  }
  return refusals
}

const ambiguousListing: Refusal = {
  code: 'listing-not-whole',
  message: 'the listing names one digest in two versions, so it is unclear which one is current',
  hint: 'Run again when nothing else pushes to or deletes from this package.',
}

/**
 * Versions that a plan keeps by the word of an index alone, which says that they attest something. Their own manifests
 * tell whether they do; with these read, the plan has to be made again.
 */
export function undecided({ decisions }: Plan, { manifests }: Snapshot): PackageVersion[] {
  return decisions
    .filter(({ version, verdict: { action, reason } }) => {
      const byWord =
        reason.code === 'part-of' ? reason.relation === 'attached to' : reason.code === 'cycle'
      return action === 'keep' && byWord && !manifests.has(version.digest)
    })
    .map(({ version }) => version)
}

/** The same plan with nothing to do: what would have gone stays, and still says why it would have. */
export function refuse(plan: Plan, refusals: readonly Refusal[]): Plan {
  const [first] = refusals
  if (first === undefined) return plan
  const verdict: Verdict = { action: 'keep', reason: { code: 'refused', refusal: first.code } }
  const decisions = plan.decisions.map((decision): Decision =>
    decision.verdict.action === 'keep'
      ? decision
      : { ...decision, verdict, also: none, overruled: reasonsToDelete(decision) },
  )
  return { ...plan, decisions, deletions: [], refusals: [...plan.refusals, ...refusals] }
}

function reasonsToDelete({ verdict, also }: Decision): readonly DeleteReason[] {
  return [verdict.reason, ...also].filter(isDeleteReason)
}

function isDeleteReason(reason: KeepReason | DeleteReason): reason is DeleteReason {
  return ['delete-rule', 'unmatched', 'part-of'].includes(reason.code)
}

function refusedPlan(
  snapshot: Snapshot,
  graph: Graph,
  refusal: RefusalCode,
  refusals: readonly Refusal[],
): Plan {
  const reason: KeepReason = { code: 'refused', refusal }
  const decisions = graph.nodes.map((node) => decisionOn(node, { action: 'keep', reason }))
  return { package: snapshot.package, decisions, deletions: [], refusals }
}

function judgeNodes(graph: Graph, policy: Policy, now: number, lifetimes: Lifetimes): Judged {
  const judged: Judged = { kept: new Map(), condemned: new Map() }
  const images = candidatesOf(graph.nodes.filter(isRoot), lifetimes)
  const judgements = judgeAll(policy, images, now)
  const knots = tangled(graph)
  const named = namedByKeepRules(policy)
  for (const node of graph.nodes) {
    const judgement = isRoot(node) ? (judgements.next().value ?? undefined) : undefined
    const floors = floorsOf(node, policy, now, judgement)
    if (judgement === undefined) floors.push(...(named.get(node.version.digest) ?? none))
    if (knots.has(node)) floors.push(knotted)
    if (judgement !== undefined) judgeRoot(node, floors, judgement, judged)
    else if (floors.length > 0) judged.kept.set(node, floors)
  }
  return judged
}

const knotted: KeepReason = { code: 'cycle' }

function judgeRoot(
  node: Node,
  floors: readonly KeepReason[],
  { keeps, condemned, otherwise }: Judgement,
  judged: Judged,
): void {
  if (condemned.length > 0) judged.condemned.set(node, condemned)
  const reasons = keeps.length === 0 ? [...floors] : [...floors, ...keeps]
  if (condemned.length === 0 && reasons.length === 0) reasons.push(otherwise)
  if (reasons.length > 0) judged.kept.set(node, reasons)
}

/** What keeps any version, image or not, whatever the rules say. */
function floorsOf(
  node: Node,
  policy: Policy,
  now: number,
  judgement: Judgement | undefined,
): KeepReason[] {
  const { digest } = node.version
  const floors: KeepReason[] = []
  const listed = policy.keepDigests.get(digest)
  if (listed !== undefined) floors.push({ code: 'listed-digest', place: listed.place })
  const uses = policy.uses.get(digest)
  if (uses !== undefined) floors.push(inUse(digest, uses))
  // Only a rule that asks for orphans, or for this digest, condemns such a version.
  if (isOrphanAttachment(node) && judgement?.condemned.length === 0)
    floors.push({ code: 'orphan-attachment', subjects: node.missingSubjects })
  const age = now - youngestTime(node)
  if (age < policy.grace) floors.push({ code: 'in-flight', age, grace: policy.grace })
  else if (node.attachments.length > 0) floors.push(...newcomerOf(node, policy.grace, now))
  return floors
}

/** A keep rule that names a digest means that version, also where it is a part of an image. */
function namedByKeepRules({ rules }: Policy): Map<Digest, KeepReason[]> {
  const named = new Map<Digest, KeepReason[]>()
  for (const { action, name, origin, select } of rules) {
    const isPlain = select.tag === undefined && select.types === undefined
    if (action === 'delete' || !isPlain) continue
    const reason: KeepReason = { code: 'keep-rule', rule: name, place: origin.place, evidence: '' }
    for (const digest of select.digests ?? none)
      named.set(digest, [...(named.get(digest) ?? none), reason])
  }
  return named
}

/** An image that was signed or attested a moment ago is in use: taking it would leave the newcomer an orphan. */
function newcomerOf(node: Node, grace: number, now: number): KeepReason[] {
  if (!isRoot(node)) return []
  // What was not read is attached by the word of its index alone, and is as old as that.
  const newcomer = node.attachments.find(
    (attachment) => attachment.manifest !== undefined && now - youngestTime(attachment) < grace,
  )
  if (newcomer === undefined) return []
  const age = now - youngestTime(newcomer)
  return [{ code: 'in-flight', age, grace, newcomer: newcomer.version.digest }]
}

/**
 * Of the tagged images that would go, the newest stay. What the graph keeps anyway takes no place, neither through
 * images that stay by themselves nor through those that are spared here.
 */
function newestToSpare(judged: Judged, policy: Policy): [Node, KeepReason][] {
  const keep = policy.spareNewest
  if (keep === 0) return []
  const timeOfNode = ({ version }: Node) => timeOf(timesOf(version), policy.ageBy)
  const going = unmarked(judged.condemned.keys(), reach(judged.kept.keys()))
    .filter((node) => node.ownTags.length > 0)
    .sort((a, b) => timeOfNode(b) - timeOfNode(a) || b.version.id - a.version.id)
  const spared: Node[] = []
  const reached = new Set<Node>()
  for (const node of going) {
    if (spared.length === keep) break
    if (reached.has(node)) continue
    spared.push(node)
    for (const part of reach([node]).keys()) reached.add(part)
  }
  const of = going.length
  return spared.map((node, index) => [node, { code: 'newest', rank: index + 1, of, keep }])
}

/**
 * GitHub refuses to delete the last tagged version of a package, so one tagged version stays by plan: the newest
 * image, or the newest attachment where no image has a tag. Untagged versions do not count.
 */
function lastTagged(graph: Graph, { doomed }: Swept): Node | undefined {
  const tagged = graph.nodes.filter((node) => node.version.tags.length > 0)
  if (tagged.some((node) => !doomed.has(node))) return undefined
  return tagged.toSorted(newestImageFirst)[0]
}

function newestImageFirst(a: Node, b: Node): number {
  const images = Number(b.ownTags.length > 0) - Number(a.ownTags.length > 0)
  const times = timesOf(b.version).updatedAt - timesOf(a.version).updatedAt
  return images || times || b.version.id - a.version.id
}

function unmarked(nodes: Iterable<Node>, marked: ReadonlyMap<Node, Step>): Node[] {
  return [...nodes].filter((node) => !marked.has(node))
}

function finish(
  snapshot: Snapshot,
  graph: Graph,
  judged: Judged,
  swept: Swept,
  policy: Policy,
): Plan {
  const made = {
    package: snapshot.package,
    decisions: graph.nodes.map((node) => decide(node, judged, swept)),
    deletions: inSafeOrder(swept.doomed),
    refusals: [],
  }
  return refuse(made, tooMany(swept.doomed.size, graph.nodes.length, policy))
}

function tooMany(count: number, listed: number, { maxDeletions }: Policy): Refusal[] {
  const exceeded = maxDeletions.find((ceiling) => count > allowed(ceiling, listed))
  if (exceeded === undefined) return []
  const limit =
    'count' in exceeded
      ? String(exceeded.count)
      : `${exceeded.percent} % of ${listed}, which is ${allowed(exceeded, listed)}`
  return [
    {
      code: 'max-deletions',
      message: `${count} versions would go, and max-deletions allows ${limit}`,
      hint: 'Look at the plan; if it is what you want, raise max-deletions for one run, where it is set.',
    },
  ]
}

function allowed(ceiling: Ceiling, listed: number): number {
  return 'count' in ceiling ? ceiling.count : Math.floor((listed * ceiling.percent) / 100)
}

function decide(node: Node, judged: Judged, { marked, doomed }: Swept): Decision {
  const condemned = judged.condemned.get(node) ?? none
  if (doomed.has(node)) {
    const reason = condemned[0] ?? partOf(node, doomed)
    return decisionOn(node, { action: 'delete', reason }, rest(condemned))
  }
  const own = judged.kept.get(node) ?? none
  const reason = own[0] ?? partOf(node, marked)
  return decisionOn(node, { action: 'keep', reason }, rest(own), condemned)
}

function rest<T>(reasons: readonly T[]): readonly T[] {
  return reasons.length > 1 ? reasons.slice(1) : none
}

/**
 * Orders deletions so that a stop at any moment leaves no image broken: an image before what it contains, that
 * before what is attached. Oldest images first, and one tree is finished before the next is begun.
 */
function inSafeOrder(doomed: ReadonlyMap<Node, Step>): Deletion[] {
  // Whatever a doomed node belongs to is doomed as well: were it kept, it would have marked the node.
  const { waiting, free } = queueUp(doomed.keys(), parentsOf)
  free.sort(youngestFirst)
  const ordered: Deletion[] = []
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    const after = parentsOf(node).map((parent) => parent.version.id)
    ordered.push({ version: node.version, after })
    for (const part of partsOf(node).toReversed()) if (countDown(waiting, part)) free.push(part)
  }
  return ordered
}

function youngestFirst(a: Node, b: Node): number {
  return youngestTime(b) - youngestTime(a) || b.version.id - a.version.id
}
