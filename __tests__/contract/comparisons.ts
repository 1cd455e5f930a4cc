import { codeIn, isCode, sectionsOf, type Part, type Table } from './markdown.js'
import { registries, type TheirImage, type TheirRule } from './other-registries.js'
import {
  imagesIn,
  isPolicy,
  outcomeOf,
  type Example,
  type ExampleImage,
} from './policy-examples.js'

/** A rule of another registry, ours beside it, and what both do to small packages. */
export interface Comparison {
  readonly title: string
  readonly rules: readonly TheirRule[]
  readonly ours: Example
  readonly packages: readonly ComparedPackage[]
}

interface ComparedPackage {
  readonly name: string
  readonly table: Table
  /** What the page says. */
  readonly written: readonly Compared[]
}

/** What becomes of one image, there and here. */
interface Compared {
  readonly name: string
  readonly there: string
  readonly here: string
}

/** Every section of a page that has a table with the columns There and Here. */
export function comparisonsIn(markdown: string): Comparison[] {
  return sectionsOf(markdown)
    .filter(({ parts }) => parts.some(isComparison))
    .map(({ title, parts }) => ({
      title,
      rules: parts.filter(isCode).filter(({ label }) => label.startsWith('There')),
      ours: {
        title,
        policy: parts.find(isPolicy)?.text ?? '',
        packages: [],
        files: new Map(),
        refs: { openPullRequests: new Set(), branches: new Set() },
      },
      packages: parts.filter(isComparison).map(comparedPackage),
    }))
}

function isComparison(part: Part): part is Table {
  return part.kind === 'table' && part.head.includes('There')
}

function comparedPackage(table: Table): ComparedPackage {
  const at = (column: string) => table.head.indexOf(column)
  const written = table.rows.map((row) => ({
    name: row[0] ?? '',
    there: row[at('There')] ?? '',
    here: row[at('Here')] ?? '',
  }))
  return { name: codeIn(table.head[0] ?? '')[0] ?? '', table, written }
}

/** What both really do to a package. */
export async function foundOf(
  { title, rules, ours }: Comparison,
  { name, table }: ComparedPackage,
  now: number,
): Promise<Compared[]> {
  const registry = registries[title.split(':')[0] ?? '']
  if (registry === undefined) throw new Error(`${title}: whose rule is this?`)
  const images = imagesIn(table, ours.policy, now)
  const theirs = images.map((image) => theirImage(image, images, now))
  const gone = new Set(registry(rules, theirs, name).map((image) => image.name))
  const outcomes = await outcomeOf(ours, { name, images, after: [], line: table.line }, now)
  return outcomes.map((outcome) => ({
    name: outcome.name,
    there: gone.has(outcome.name) ? 'goes' : 'stays',
    here: outcome.verdict,
  }))
}

const day = 24 * 3_600_000

function theirImage(
  { name, version, manifest }: ExampleImage,
  all: readonly ExampleImage[],
  now: number,
): TheirImage {
  const { subject } = manifest
  return {
    name,
    tags: version.tags,
    pushed: (now - (version.createdAt ?? now)) / day,
    changed: (now - (version.updatedAt ?? now)) / day,
    orphan: subject !== undefined && !all.some((other) => other.version.digest === subject),
  }
}
