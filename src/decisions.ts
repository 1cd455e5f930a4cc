import { isRoot, kindOf, type Node, type Step } from './graph.js'
import type {
  Belonging,
  Child,
  Decision,
  DeleteReason,
  PartOf,
  Relation,
  Role,
  Verdict,
} from './model.js'

/** Most decisions have no other reasons; they share this, so that a large plan takes little memory. */
export const none: readonly never[] = []

/** What a node belongs to and the image whose fate it shares, by the way it was reached. */
export function partOf(node: Node, reached: ReadonlyMap<Node, Step>): PartOf {
  const step = reached.get(node)
  return {
    code: 'part-of',
    relation: step?.relation ?? 'contained in',
    of: (step?.from ?? node).version.digest,
    root: (step?.root ?? node).version.digest,
  }
}

/** Everything that is told of a version, with what becomes of it. */
export function decisionOn(
  node: Node,
  verdict: Verdict,
  also: Decision['also'] = none,
  overruled: readonly DeleteReason[] = none,
): Decision {
  const artifactType = node.manifest?.artifactType ?? node.descriptor?.artifactType
  const decision: { -readonly [K in keyof Decision]: Decision[K] } = {
    version: node.version,
    role: roleOf(node),
    kind: kindOf(node),
    mediaType: node.manifest?.mediaType ?? node.descriptor?.mediaType ?? '',
    platforms: platformsOf(node),
    belongsTo: belongingsOf(node),
    children: node.contains.length + node.missing.length,
    missing: node.missing,
    missingSubjects: node.missingSubjects,
    verdict,
    also,
    overruled,
  }
  // Spread into the object instead, it would take as long as all of the other fields together.
  if (artifactType !== undefined) decision.artifactType = artifactType
  return decision
}

function belongingsOf({ containedIn, attachedTo }: Node): readonly Belonging[] {
  if (containedIn.length === 0 && attachedTo.length === 0) return none
  return [
    ...containedIn.map((node) => belonging('contained in', node)),
    ...attachedTo.map((node) => belonging('attached to', node)),
  ]
}

function belonging(relation: Relation, { version: { digest } }: Node): Belonging {
  return { relation, digest }
}

function roleOf(node: Node): Role {
  if (isRoot(node)) {
    return node.ownTags.length === 0 && node.missingSubjects.length > 0 ? 'orphan' : 'image'
  }
  return node.attachedTo.length > 0 ? 'attachment' : 'child'
}

function platformsOf({ manifest, descriptor }: Node): readonly string[] {
  const entries = manifest?.children ?? none
  const own = descriptor?.platform
  if (entries.length === 0) return own === undefined ? none : [own]
  const named = entries.map(({ platform }: Child) => platform)
  return [...new Set(named.filter((platform) => platform !== undefined))]
}
