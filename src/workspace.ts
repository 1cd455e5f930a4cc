import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { GLOBSTAR, Minimatch } from 'minimatch'
import { RetentionError } from './errors.js'
import type { FilePattern } from './policy/policy.js'

/** A file of the checkout. */
export interface WorkspaceFile {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  /** The patterns that match it, as they are written. */
  readonly sources: ReadonlySet<string>
}

/** What patterns of files lead to. */
export interface WorkspaceFiles {
  /** Each file once, in the order of the paths. */
  readonly files: readonly WorkspaceFile[]
  /** Folders that are links out of the root, in which patterns could match; they are not followed. */
  readonly skipped: readonly string[]
}

const mebibyte = 1024 * 1024
const largestFile = 5 * mebibyte
const largestTotal = 256 * mebibyte
const mostFiles = 20_000
const mostEntries = 500_000
const mostMistakes = 20
const mostNames = 8
const longestPattern = 256
const mostAlternatives = 100
const onlyWhenNamed = ['.git', 'node_modules']

/**
 * Reads the text files that patterns name. A pattern that leads to no file is an error, for what it should protect
 * would be deleted; so is a file that cannot be read as text.
 *
 * @param root the checkout, to which the patterns are relative
 * @throws RetentionError `bad-input` that tells everything that is wrong
 */
export async function readWorkspaceFiles(
  root: string,
  patterns: readonly FilePattern[],
): Promise<WorkspaceFiles> {
  if (patterns.length === 0) return { files: [], skipped: [] }
  const globs = distinct(patterns).map(compile)
  failOn(globs.flatMap((glob) => (typeof glob === 'string' ? glob : [])))
  const valid = globs.filter((glob) => typeof glob !== 'string')
  const walk = await walkFrom(root, valid)
  if (!walk.isWhole) failOn(walk.mistakes)
  const mistakes = [...walk.mistakes]
  for (const glob of valid)
    if (!walk.matched.has(glob)) mistakes.push(await whyNothing(root, glob, walk.skipped))
  const files = await readAll(walk.found, mistakes)
  failOn(mistakes)
  return { files, skipped: walk.skipped }
}

interface Glob {
  readonly pattern: FilePattern
  readonly source: string
  readonly compiled: Minimatch
}

/** A file that globs match. */
interface Match {
  readonly path: string
  readonly real: string
  readonly size: number
  readonly by: readonly Glob[]
}

/** Patterns that many entries of a policy share are looked up, and told of, once. */
function distinct(patterns: readonly FilePattern[]): FilePattern[] {
  return [...new Map(patterns.map((one) => [`${one.source} ${one.origin.place}`, one])).values()]
}

function saidOf({ source, origin }: FilePattern, what: string): string {
  return `${origin.place}: protect-from ${JSON.stringify(source)} ${what}`
}

function compile(pattern: FilePattern): Glob | string {
  const source = pattern.source.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '')
  const why = whyNotAPattern(pattern.source, source)
  if (why !== undefined) return saidOf(pattern, why)
  const braceExpandMax = mostAlternatives + 1
  const compiled = new Minimatch(source, {
    dot: true,
    nonegate: true,
    nocomment: true,
    braceExpandMax,
  })
  if (compiled.globSet.length > mostAlternatives)
    return saidOf(pattern, `stands for more than ${mostAlternatives} alternatives`)
  if (compiled.set.flat().includes('..')) return saidOf(pattern, leadsOut)
  return { pattern, source, compiled }
}

const leadsAway = 'is a link that leads out of the working directory'
const leadsOut = 'leads out of the working directory with ".."; files are read only below it'

function whyNotAPattern(written: string, source: string): string | undefined {
  if (source === '' || source === '.') return 'names no file; it takes a glob such as "deploy/**"'
  if (source.length > longestPattern) return `is longer than ${longestPattern} characters`
  if (/^[\\/~]|^[A-Za-z]:[\\/]|^file:/.test(written))
    return 'is absolute; it takes a glob relative to the working directory, such as "deploy/**"'
  if (written.startsWith('!')) return 'is an exclusion; files can only be added'
  return source.split(/[\\/]/).includes('..') ? leadsOut : undefined
}

function failOn(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return
  const heading =
    mistakes.length === 1
      ? 'A file to protect from is wrong'
      : `${mistakes.length} files to protect from are wrong`
  const more = mistakes.length - mostMistakes
  const told = [...mistakes.slice(0, mostMistakes), ...(more > 0 ? [`… and ${more} more`] : [])]
  throw new RetentionError(
    'bad-input',
    [`${heading}:`, ...told.map((mistake) => `  ${mistake}`)].join('\n'),
    'Nothing was changed. Check the repository out before this step (actions/checkout), and see that the pattern fits its files.',
  )
}

/** What a walk has come by. */
interface Walk {
  readonly found: Match[]
  /** Globs that something matches, if only what cannot be read. */
  readonly matched: Set<Glob>
  readonly skipped: string[]
  readonly mistakes: string[]
  /** Everything was looked at. */
  isWhole: boolean
}

interface Folder {
  /** From the root; empty for the root. */
  readonly path: string
  /** The real folders from the root to here: a link to one of them leads in a circle. */
  readonly chain: readonly string[]
}

async function walkFrom(root: string, globs: readonly Glob[]): Promise<Walk> {
  const walk: Walk = { found: [], matched: new Set(), skipped: [], mistakes: [], isWhole: false }
  const [first] = globs
  const real = await realpath(root).catch(() => undefined)
  if (real === undefined || first === undefined) {
    if (first !== undefined)
      walk.mistakes.push(
        saidOf(first.pattern, 'cannot be looked up: there is no working directory'),
      )
    return walk
  }
  const folders: Folder[] = [{ path: '', chain: [real] }]
  let entries = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const inside = await entriesOf(folder, globs, walk)
    entries += inside.length
    for (const entry of inside) {
      const next = await look(folder, entry, globs, walk)
      if (next !== undefined) folders.push(next)
    }
    if (entries <= mostEntries && walk.found.length <= mostFiles) continue
    walk.mistakes.push(tooMany(globs, walk))
    return walk
  }
  walk.isWhole = true
  walk.found.sort((a, b) => (a.path < b.path ? -1 : 1))
  walk.skipped.sort()
  return walk
}

/** The pattern that matches most files is the one to narrow. */
function tooMany(globs: readonly Glob[], { found }: Walk): string {
  const counted = globs.map((glob) => ({
    glob,
    count: found.filter(({ by }) => by.includes(glob)).length,
  }))
  const [most] = counted.sort((a, b) => b.count - a.count)
  const what =
    found.length > mostFiles
      ? `matches more than ${mostFiles} files`
      : `has more than ${mostEntries} files and folders to look at`
  return most === undefined
    ? what
    : saidOf(most.glob.pattern, `${what}; a narrower one reads only what deploys`)
}

async function entriesOf(folder: Folder, globs: readonly Glob[], walk: Walk): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder.chain.at(-1) ?? '', { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    for (const glob of globs)
      if (folder.path === '' || leadsBelow(glob, folder.path))
        walk.mistakes.push(unreadable(glob, folder.path || '.', error))
    return []
  }
}

function unreadable({ pattern }: Glob, path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'for an unknown reason'
  return saidOf(pattern, `matches ${JSON.stringify(path)}, which cannot be read (${code})`)
}

/** Looks at one entry of a folder. @returns the folder that it is, when globs can match below it */
async function look(
  folder: Folder,
  entry: Dirent,
  globs: readonly Glob[],
  walk: Walk,
): Promise<Folder | undefined> {
  const path = [folder.path, entry.name].filter((part) => part !== '').join('/')
  const allowed = globs.filter(
    (glob) => !onlyWhenNamed.includes(entry.name) || names(glob, entry.name),
  )
  const by = entry.isDirectory() ? [] : allowed.filter(({ compiled }) => compiled.match(path))
  const leads = canLead(entry) && allowed.some((glob) => leadsBelow(glob, path))
  if (by.length === 0 && !leads) return undefined
  try {
    const here = join(folder.chain.at(-1) ?? '', entry.name)
    const real = entry.isSymbolicLink() ? await realpath(here) : here
    const status = await stat(real)
    const isInside = real.startsWith(withSeparator(folder.chain[0] ?? ''))
    if (status.isDirectory()) return leads ? below(path, real, isInside, folder, walk) : undefined
    add({ path, real, size: status.size, by }, whyNotRead(status.isFile(), isInside), walk)
  } catch (error) {
    for (const glob of by) walk.matched.add(glob)
    walk.mistakes.push(...by.slice(0, 1).map((glob) => unreadable(glob, path, error)))
  }
  return undefined
}

function canLead(entry: Dirent): boolean {
  return entry.isDirectory() || entry.isSymbolicLink()
}

/** Whether a glob can match something in a folder. */
function leadsBelow({ compiled }: Glob, folder: string): boolean {
  const depth = folder.split('/').length
  const isDeeper = compiled.set.some((parts) => parts.length > depth || parts.includes(GLOBSTAR))
  return isDeeper && compiled.match(folder, true)
}

function names({ compiled }: Glob, name: string): boolean {
  return compiled.set.some((parts) => parts.includes(name))
}

function add(match: Match, why: string | undefined, walk: Walk): void {
  const [first] = match.by
  if (first === undefined) return
  for (const glob of match.by) walk.matched.add(glob)
  if (why === undefined) walk.found.push(match)
  else
    walk.mistakes.push(saidOf(first.pattern, `matches ${JSON.stringify(match.path)}, which ${why}`))
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep
}

function below(
  path: string,
  real: string,
  isInside: boolean,
  { chain }: Folder,
  walk: Walk,
): Folder | undefined {
  if (chain.includes(real)) return undefined
  if (isInside) return { path, chain: [...chain, real] }
  walk.skipped.push(path)
  return undefined
}

function whyNotRead(isFile: boolean, isInside: boolean): string | undefined {
  if (!isInside) return leadsAway
  return isFile ? undefined : 'is not a regular file'
}

/** Why a pattern matches nothing: what there is where it leads. */
async function whyNothing(root: string, glob: Glob, skipped: readonly string[]): Promise<string> {
  const { pattern, compiled, source } = glob
  const link = skipped.find((path) => leadsBelow(glob, path))
  if (link !== undefined)
    return saidOf(pattern, `matches no file; ${JSON.stringify(link)} ${leadsAway}`)
  const [parts = []] = compiled.set
  let folder = ''
  for (const part of parts) {
    if (typeof part !== 'string') break
    const next = folder === '' ? part : `${folder}/${part}`
    const isFolder = await readdir(join(root, next)).then(
      () => true,
      () => false,
    )
    if (!isFolder) break
    folder = next
  }
  if (folder === source)
    return saidOf(pattern, `is a folder; "${source}/**" stands for the files in it`)
  return saidOf(pattern, `matches no file; ${await contents(root, folder)}`)
}

async function contents(root: string, folder: string): Promise<string> {
  const entries = (await readdir(join(root, folder)).catch(() => [])).sort()
  const where = folder === '' ? 'the working directory' : JSON.stringify(folder)
  if (entries.length === 0) return `${where} is empty`
  const more = entries.length - mostNames
  const shown = entries.slice(0, mostNames).map((name) => JSON.stringify(name))
  return `${where} has ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Reads one file after the other, and adds to the mistakes what cannot be read as text. */
async function readAll(matches: readonly Match[], mistakes: string[]): Promise<WorkspaceFile[]> {
  const files: WorkspaceFile[] = []
  let total = 0
  for (const match of matches) {
    const [first] = match.by
    if (first === undefined) continue
    if (match.size <= largestFile) total += match.size
    if (total > largestTotal) {
      const what = `and the patterns before it match more than ${largestTotal / mebibyte} MiB`
      mistakes.push(saidOf(first.pattern, `${what}; a narrower one reads only what deploys`))
      break
    }
    const read = await readText(match).catch((error: unknown) => ({
      why: unreadable(first, match.path, error),
    }))
    const sources = new Set(match.by.map(({ pattern }) => pattern.source))
    if ('text' in read) files.push({ path: match.path, text: read.text, sources })
    else mistakes.push(read.why)
  }
  return files
}

async function readText({
  path,
  real,
  size,
  by: [first],
}: Match): Promise<{ text: string } | { why: string }> {
  const why = (what: string) => ({
    why:
      first === undefined
        ? what
        : saidOf(first.pattern, `matches ${JSON.stringify(path)}, which ${what}`),
  })
  if (size > largestFile) return why(`is larger than ${largestFile / mebibyte} MiB`)
  const bytes = await readFile(real)
  if (bytes.length > largestFile) return why(`is larger than ${largestFile / mebibyte} MiB`)
  if (bytes.includes(0)) return why('is no text: it has NUL bytes in it')
  return { text: new TextDecoder().decode(bytes) }
}
