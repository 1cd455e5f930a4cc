import { createHash } from 'node:crypto'
import { minimatch } from 'minimatch'
import type { Child, Digest, Manifest, PackageVersion, Refs, Snapshot } from '../../src/model.js'
import { parseDuration } from '../../src/policy/durations.js'
import { mistakeText, readPolicyFile } from '../../src/policy/file/read-policy.js'
import { Policies } from '../../src/policies.js'
import type { PolicySet } from '../../src/policy/policy.js'
import { branchSlugs } from '../../src/policy/refs.js'
import { lookupIn, reasonText } from '../../src/report/words.js'
import { plan } from '../../src/selector.js'
import {
  codeIn,
  isCode,
  sectionsOf,
  type Code,
  type Part,
  type Section,
  type Table,
} from './markdown.js'

/** One worked example: the registry before, the policy, the registry after. */
export interface Example {
  readonly title: string
  readonly policy: string
  readonly packages: readonly ExamplePackage[]
  /** Files of the checkout, by path. */
  readonly files: ReadonlyMap<string, string>
  readonly refs: Refs
}

export interface ExamplePackage {
  readonly name: string
  readonly images: readonly ExampleImage[]
  readonly after: readonly Outcome[]
  /** Where the table of what becomes of it begins, counted from 0. */
  readonly line: number
}

/** One row of a registry. */
export interface ExampleImage {
  /** As the row calls it: its tags, or its digest. */
  readonly name: string
  readonly version: PackageVersion
  readonly manifest: Manifest
  readonly label: string | undefined
}

/** What becomes of an image. */
export interface Outcome {
  readonly name: string
  readonly verdict: string
  readonly why: string
}

/** The time at which a page says that its examples happen. */
export function timeOfPage(markdown: string): number {
  return Date.parse(/`(\d{4}-\d\d-\d\dT[\d:]+Z)`/.exec(markdown)?.[1] ?? '')
}

/** All examples of a page. A section with a table of verdicts is one. */
export function examplesIn(markdown: string): Example[] {
  const now = timeOfPage(markdown)
  return sectionsOf(markdown)
    .filter(({ parts }) => tablesOf(parts).some(isAfter))
    .map((section) => readExample(section, now))
}

function readExample({ title, parts }: Section, now: number): Example {
  const text = parts.map((part) => ('text' in part ? part.text : '')).join('\n')
  const policies = parts.filter(isPolicy)
  const [policy] = policies
  if (policy === undefined || policies.length > 1) throw new Error(`${title}: not one policy`)
  const tables = tablesOf(parts)
  const packages = tables.filter(isAfter).map((after): ExamplePackage => {
    const before = tables.find((table) => !isAfter(table) && table.head[0] === after.head[0])
    if (before === undefined) throw new Error(`${title}: no table before ${after.head[0] ?? ''}`)
    return {
      name: codeIn(before.head[0] ?? '')[0] ?? '',
      images: imagesIn(before, text, now),
      after: after.rows.map(([name = '', verdict = '', why = '']) => ({
        name,
        verdict,
        why: codeIn(why)[0] ?? why,
      })),
      line: after.line,
    }
  })
  return { title, policy: policy.text, packages, files: filesIn(parts), refs: refsIn(parts) }
}

export function isPolicy(part: Part): part is Code {
  return isCode(part) && part.language === 'yaml' && part.text.startsWith('version: 1\n')
}

function tablesOf(parts: readonly Part[]): Table[] {
  return parts.filter((part) => part.kind === 'table')
}

function isAfter({ head }: Table): boolean {
  return head[1] === 'Verdict'
}

/** A block under a path is a file of the checkout. */
function filesIn(parts: readonly Part[]): Map<string, string> {
  const files = parts.filter(isCode).filter(({ label }) => /^`[^`]+`$/.test(label))
  return new Map(files.map(({ label, text }) => [codeIn(label)[0] ?? '', text]))
}

/** `Open pull requests: #12` and `Branches: \`main\``; `not known` where the look-up fails. */
function refsIn(parts: readonly Part[]): Refs {
  const texts = parts.map((part) => (part.kind === 'text' ? part.text : ''))
  const after = (start: string) => texts.find((text) => text.startsWith(start)) ?? ''
  const pulls = after('Open pull requests:')
  const numbers = [...pulls.matchAll(/#(\d+)/g)].map(([, number]) => Number(number))
  return {
    openPullRequests: pulls.endsWith('not known')
      ? { why: 'GitHub did not answer' }
      : new Set(numbers),
    branches: branchSlugs(codeIn(after('Branches:'))),
  }
}

export function imagesIn(table: Table, text: string, now: number): ExampleImage[] {
  const digests = digestsIn(table, text)
  const highest = 1000 + table.rows.length
  return table.rows.map((cells, row) => {
    const cell = (column: string) => cells[table.head.indexOf(column)] ?? ''
    const name = cells[0] ?? ''
    const [createdAt, updatedAt] = timesOf(cell('Pushed') || cell('Age'), now)
    const tags = codeIn(name).filter((code) => !code.startsWith('sha256:'))
    const version: PackageVersion = {
      // Of two images of one age the upper row is the newer.
      id: highest - row,
      digest: digests.of(name),
      tags: tags.map(whole),
      createdAt,
      updatedAt,
    }
    const manifest = manifestOf(cell('Kind'), digests.of)
    const label = /label `[^=]+=([^`]+)`/.exec(cell('Kind'))?.[1]
    return { name, version, manifest, label }
  })
}

/** What a row or another cell calls an image, as a digest. */
function digestsIn(table: Table, text: string) {
  const rows = table.rows.map(([name = '']) => name)
  const of = (name: string): Digest => {
    const [code = name] = codeIn(name)
    if (code.startsWith('sha256:')) return wholeDigest(code, text)
    const row = rows.find((other) => codeIn(other).includes(code)) ?? name
    return `sha256:${createHash('sha256').update(row).digest('hex')}`
  }
  return { of }
}

/** A short digest stands for the one that the example writes out somewhere, or for one with zeros. */
function wholeDigest(short: string, text: string): Digest {
  const hex = short.slice('sha256:'.length)
  const found = new RegExp(`\\b${hex}[0-9a-f]{${64 - hex.length}}\\b`).exec(text)?.[0]
  return `sha256:${found ?? hex.padEnd(64, '0')}`
}

/** `sha256-1234….sig` is a tag with a digest in it. */
function whole(tag: string): string {
  return tag.replace(/^sha256-([0-9a-f]+)…/, (_, hex: string) => `sha256-${hex.padEnd(64, '0')}`)
}

/** `40d`, `40d, changed 2d`, or `2026-06-30 03:00`. */
function timesOf(cell: string, now: number): [createdAt: number, updatedAt: number] {
  if (/^\d{4}-/.test(cell)) {
    const time = Date.parse(`${cell.replace(' ', 'T')}Z`)
    return [time, time]
  }
  const [created = '', changed = created] = cell.split(', changed ')
  return [now - lengthOf(created), now - lengthOf(changed)]
}

function lengthOf(text: string): number {
  const length = parseDuration(text)
  if (length === undefined) throw new Error(`"${text}" is no age`)
  return length
}

const ociIndex = 'application/vnd.oci.image.index.v1+json'
const ociImage = 'application/vnd.oci.image.manifest.v1+json'
const artifactTypes: Readonly<Record<string, string>> = {
  chart: 'application/vnd.cncf.helm.config.v1+json',
  WebAssembly: 'application/vnd.wasm.config.v0+json',
}

/** What the column Kind says of an image. */
function manifestOf(kind: string, digestOf: (name: string) => Digest): Manifest {
  const [what = ''] = kind.split(',')
  const names = codeIn(what)
  const lifetime = /, `[^=`]+=([^`]+)`/.exec(kind)?.[1]
  const base = {
    mediaType: ociImage,
    children: [],
    ...(lifetime === undefined ? {} : { lifetime }),
  }
  if (what.startsWith('index of '))
    return { ...base, kind: 'index', mediaType: ociIndex, children: names.map(childOf) }
  if (what.startsWith('signature of '))
    return {
      ...base,
      kind: 'artifact',
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      subject: digestOf(names[0] ?? ''),
    }
  const artifactType = artifactTypes[what] ?? names[0]
  if (artifactType !== undefined) return { ...base, kind: 'artifact', artifactType }
  if (what !== '' && what !== 'image') throw new Error(`"${kind}" is no kind`)
  return { ...base, kind: 'image' }

  function childOf(name: string): Child {
    return { digest: digestOf(name), mediaType: ociImage, kind: 'image', platform: 'linux/amd64' }
  }
}

/** A package as a run sees it. */
export function snapshotOf({ name, images }: Pick<ExamplePackage, 'name' | 'images'>): Snapshot {
  const labels = images.filter(({ label }) => label !== undefined)
  return {
    package: { account: 'acme', name },
    versions: images.map(({ version }) => version),
    manifests: new Map(images.map(({ version, manifest }) => [version.digest, manifest])),
    lifetimes: new Map(labels.map(({ version, label = '' }) => [version.digest, label])),
    refusals: [],
  }
}

/** What the policy does to a package, in the words of the log. */
export async function outcomeOf(
  example: Example,
  one: ExamplePackage,
  now: number,
): Promise<Outcome[]> {
  const policies = policiesOf(example)
  const found = policies.policyOf(one.name)
  const policy = found && { ...found, refs: await policies.refsFor(one.name) }
  if (policy === undefined) return one.images.map(({ name }) => ({ name, ...leftAlone }))
  const { decisions } = plan(snapshotOf(one), policy, now)
  const lookup = lookupIn(decisions)
  return one.images.map(({ name, version: { digest } }) => {
    const decision = lookup(digest)
    if (decision === undefined) throw new Error(`no decision on ${name}`)
    const verdict = decision.verdict.action === 'delete' ? 'goes' : 'stays'
    return { name, verdict, why: reasonText(decision, lookup) }
  })
}

/** No plan is made for a package that no entry matches. */
const leftAlone = { verdict: 'stays', why: 'no entry matches this package' }

/** The policies of an example, with all that a run looks up for them. */
function policiesOf({ policy, files, refs }: Example): Policies {
  const set = compile(policy)
  const entries = set.entries.map((entry) => ({ ...entry, repository: 'acme/app' }))
  const patterns = entries.flatMap(({ protectFrom }) => protectFrom.map(({ source }) => source))
  const sourcesOf = (path: string) => patterns.filter((source) => minimatch(path, source))
  return new Policies(
    { ...set, entries },
    {
      files: [...files].map(([path, text]) => ({ path, text, sources: new Set(sourcesOf(path)) })),
      images: { registry: 'ghcr.io', account: 'acme' },
      lookUpRefs: () => Promise.resolve(refs),
      warned: () => undefined,
    },
  )
}

/** What a policy on a page says. @throws Error that tells its mistakes */
export function compile(text: string): PolicySet {
  const read = readPolicyFile(text, 'policy.yml')
  if ('mistakes' in read) throw new Error(read.mistakes.map(mistakeText).join('\n'))
  return read.set
}

/** The page with the reasons that the tool gives. Its verdicts stay as they are. */
export async function withReasons(markdown: string): Promise<string> {
  const lines = markdown.split('\n')
  const now = timeOfPage(markdown)
  for (const example of examplesIn(markdown))
    for (const one of example.packages)
      for (const [row, { name, why }] of (await outcomeOf(example, one, now)).entries()) {
        const written = one.after[row]
        const told = why === leftAlone.why ? why : `\`${why}\``
        if (written?.name === name)
          lines[one.line + 2 + row] = `| ${name} | ${written.verdict} | ${told} |`
      }
  return lines.join('\n')
}
