import type { Decision, Plan } from '../model.js'
import { formatDuration } from '../policy/durations.js'
import type { AgeBy } from '../policy/policy.js'
import { subjectOfTag } from '../oci.js'
import { treesOf, type ImageTree } from './tree.js'
import { lookupIn, nameOf, reasonText, shortDigest, typeOf, type Lookup } from './words.js'

/** What ages are told from and measured by. */
export interface AgeView {
  readonly now: number
  readonly by: AgeBy
}

const widestName = 44

/** A plan as log lines: one aligned line for each image, and what belongs to it underneath. */
export function planLines({ decisions }: Plan, view: AgeView): string[] {
  const lookup = lookupIn(decisions)
  const rows = treesOf(decisions)
    .sort((a, b) => timeIn(view, b.image) - timeIn(view, a.image))
    .map((tree) => ({ tree, cells: imageCells(tree.image, view) }))
  const widths = [0, 1, 2, 3, 4].map((column) =>
    rows.reduce((widest, { cells }) => Math.max(widest, cells[column]?.length ?? 0), 0),
  )
  return rows.flatMap(({ tree, cells }) => {
    const aligned = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0))
    const line = [...aligned, reasonText(tree.image, lookup)].join('  ')
    return [line, ...partLines(tree, lookup)]
  })
}

function imageCells(image: Decision, view: AgeView): string[] {
  return [
    image.verdict.action.padEnd('delete'.length),
    shorten(imageName(image)),
    timeIn(view, image) === Infinity ? 'age unknown' : `${ageOf(image, view)} old`,
    typeOf(image),
    image.platforms.join(' '),
  ]
}

/** An image without a tag of its own says so, and an orphan says that it is one. */
function imageName(image: Decision): string {
  if (image.role === 'orphan') return `orphan ${nameOf(image)}`
  return isTagged(image) ? nameOf(image) : `untagged ${nameOf(image)}`
}

function isTagged({ version }: Decision): boolean {
  return version.tags.some((tag) => subjectOfTag(tag) === undefined)
}

function shorten(name: string): string {
  return name.length > widestName ? `${name.slice(0, widestName - 1)}…` : name
}

/** The timestamp that ages are told from; an unknown one sorts as the newest. */
function timeIn({ by }: AgeView, { version }: Decision): number {
  return (by === 'updated' ? version.updatedAt : version.createdAt) ?? Infinity
}

/** The age of a version in words; a missing timestamp is said, not guessed. */
export function ageOf(decision: Decision, view: AgeView): string {
  const time = timeIn(view, decision)
  if (time === Infinity) return 'unknown'
  return formatDuration(Math.max(0, view.now - time)).replace(/ .*/, '')
}

function partLines({ parts }: ImageTree, lookup: Lookup): string[] {
  return parts.map((part, index) => {
    const branch = index === parts.length - 1 ? '└' : '├'
    const shares = ['part-of', 'refused'].includes(part.verdict.reason.code)
    const fate = shares ? '' : `  ${part.verdict.action}: ${reasonText(part, lookup)}`
    return `        ${branch} ${partName(part, lookup)}  ${shortDigest(part.version.digest)}${fate}`
  })
}

/** What a part is to its image: a platform, or an attachment with what it is attached to. */
function partName(part: Decision, lookup: Lookup): string {
  const type = typeOf(part)
  const subject = part.belongsTo.find(({ relation }) => relation === 'attached to')
  const decision = subject && lookup(subject.digest)
  if (decision === undefined) return [type, ...part.platforms].join(' ')
  const [platform] = decision.kind === 'index' ? [] : decision.platforms
  return `${type} of ${platform ?? nameOf(decision)}`
}
