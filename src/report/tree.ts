import type { Decision } from '../model.js'
import { lookupIn, type Lookup } from './words.js'

/** An image with everything that is shown under it. Every version of a package is shown exactly once. */
export interface ImageTree {
  readonly image: Decision
  readonly parts: readonly Decision[]
}

/** Groups the decisions of a plan by image, in the order of the plan. */
export function treesOf(decisions: readonly Decision[]): ImageTree[] {
  const lookup = lookupIn(decisions)
  const images = decisions.filter(({ role }) => role === 'image' || role === 'orphan')
  const trees = new Map(images.map((image): [Decision, Decision[]] => [image, []]))
  for (const decision of decisions) {
    const home = homeOf(decision, lookup)
    const parts = trees.get(home) ?? []
    if (home !== decision) parts.push(decision)
    trees.set(home, parts)
  }
  return [...trees].map(([image, parts]) => ({ image, parts: parts.sort(asPushed) }))
}

/** What an image contains comes before what is attached, each in the order in which it was pushed. */
function asPushed(a: Decision, b: Decision): number {
  const attachments = Number(a.role === 'attachment') - Number(b.role === 'attachment')
  return attachments || a.version.id - b.version.id
}

/** The image that a version is shown under: the one whose fate it shares, else the first it belongs to. */
function homeOf(decision: Decision, lookup: Lookup): Decision {
  const seen = new Set<Decision>()
  let home = decision
  while (home.role === 'child' || home.role === 'attachment') {
    if (seen.has(home)) return decision
    seen.add(home)
    home = lookup(upwards(home)) ?? home
  }
  return home
}

function upwards(decision: Decision) {
  const { reason } = decision.verdict
  if (reason.code === 'part-of') return reason.root
  return decision.belongsTo[0]?.digest ?? decision.version.digest
}
