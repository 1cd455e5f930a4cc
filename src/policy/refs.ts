import type { NotKnown, Refs } from '../model.js'
import type { RefName, TagPattern } from './policy.js'

const placeholders = ['{number}', '{branch}'] as const
const longestTemplate = 256
/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests: the most that a tag can have. */
const longestTag = 128
/** Characters from which on a text may be the beginning of a longer name that was cut off. */
const shortestCut = 20

/** A template taken apart: literal text, what stands between, literal text, and perhaps anything after it. */
interface Template {
  readonly prefix: string
  readonly placeholder: (typeof placeholders)[number]
  readonly suffix: string
  readonly isOpen: boolean
}

/** Whether a tag pattern names pull requests or branches, or means to. */
export function hasPlaceholder(source: string): boolean {
  return /\{(?:number|branch)\}/i.test(source)
}

/**
 * Compiles a template such as `pr-{number}` or `{branch}-*`: literal text around one placeholder, and perhaps one `*` at
 * its end. A tag that can be read in several ways stands for all of them.
 *
 * @throws Error in words for the reader that name the template
 */
export function compileRefPattern(source: string): Required<TagPattern> {
  const template = readTemplate(source)
  const refsOf = (tag: string) =>
    textsAt(template, tag).flatMap((text) => refOf(template.placeholder, text))
  return { source, refsOf, matches: (tag) => refsOf(tag).length > 0 }
}

function readTemplate(source: string): Template {
  if (source.length > longestTemplate)
    throw new Error(`"${source.slice(0, 40)}…" is longer than ${longestTemplate} characters`)
  if (source.startsWith('/'))
    throw new Error(`"${source}" is a regular expression; a placeholder stands in literal text`)
  const placeholder = placeholderOf(source)
  const [prefix = '', rest = ''] = source.split(placeholder)
  const isOpen = rest.endsWith('*')
  const suffix = isOpen ? rest.slice(0, -1) : rest
  checkLiteral(source, prefix, suffix)
  return { prefix, placeholder, suffix, isOpen }
}

function placeholderOf(source: string): Template['placeholder'] {
  const [first, second] = source.match(/\{[^{}]*\}/g) ?? []
  if (first === undefined)
    throw new Error(`"${source}" names nothing to look up: it takes {number} or {branch}`)
  if (second !== undefined)
    throw new Error(`"${source}" has ${first} and ${second}; it takes one placeholder`)
  const known = placeholders.find((each) => each === first)
  if (known === undefined)
    throw new Error(
      `"${source}" has ${first}; there are {number} for a pull request and {branch} for a branch`,
    )
  return known
}

function checkLiteral(source: string, prefix: string, suffix: string): void {
  const odd = /[^\w.-]/.exec(prefix + suffix)?.[0]
  if (odd === undefined) {
    if (!/^[.-]/.test(prefix)) return
    throw new Error(`"${source}" can never match: no tag begins with "${prefix.charAt(0)}"`)
  }
  if (odd === '*') throw new Error(`"${source}" takes a "*" only once, at its end`)
  if (odd === '!') throw new Error(`"${source}" cannot exclude; that is what not-tags is for`)
  throw /[?[\]{}\\^,]/.test(odd)
    ? new Error(`"${source}" has a "${odd}"; around the placeholder stands literal text`)
    : new Error(`"${source}" can never match: no tag has a "${odd}" in it`)
}

/** What may stand in the placeholder's place, longest first. */
function textsAt({ prefix, suffix, isOpen }: Template, tag: string): string[] {
  if (tag.length > longestTag || !tag.startsWith(prefix)) return []
  const last = tag.length - suffix.length
  const first = isOpen ? prefix.length + 1 : Math.max(last, prefix.length + 1)
  const texts: string[] = []
  for (let end = last; end >= first; end--) {
    if (tag.startsWith(suffix, end)) texts.push(tag.slice(prefix.length, end))
  }
  return texts
}

function refOf(placeholder: Template['placeholder'], text: string): RefName[] {
  if (placeholder === '{branch}') return [{ kind: 'branch', slug: text }]
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0
  return number > 0 ? [{ kind: 'pull request', number }] : []
}

/**
 * A branch name as most tools write it into a tag: lower case, accents dropped, a dash for every run of anything but
 * letters and digits, none at the ends.
 */
export function refSlug(branchName: string): string {
  return branchName
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/**
 * Every form in which tags may hold the names of branches, to be asked by {@link refState}. Tools differ in what they
 * put in the place of other characters, whether they put anything there, and where they cut a name off; so only letters
 * and digits count, and a long beginning is as good as the whole.
 */
export function branchSlugs(branchNames: Iterable<string>): Set<string> {
  const slugs = new Set<string>()
  for (const name of branchNames) {
    for (const whole of new Set(spellingsOf(name).map(pressed))) {
      slugs.add(whole)
      for (let cut = 0; cut < whole.length; cut++) slugs.add(beginning(whole.slice(0, cut)))
    }
  }
  return slugs
}

/** Some tools write an accented letter without its accent, others take it for no letter at all. */
function spellingsOf(name: string): string[] {
  const normal = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => name.normalize(form))
  return [name, ...normal].flatMap((spelling) => [spelling, spelling.toLowerCase()])
}

/** How a set of slugs holds that a name begins so and goes on. */
function beginning(text: string): string {
  return `${text}*`
}

/** What every tool leaves of a name. */
function pressed(text: string): string {
  return text.replace(/[^a-z0-9]+/gi, '').toLowerCase()
}

/** What is known of the pull requests or branches that a tag may name. */
export interface RefState {
  readonly state: 'gone' | 'exists' | 'unknown'
  /** For the reader, such as `pull request 12 is closed`. */
  readonly words: string
}

/** Whether what a tag names is there. It is gone only when all that the tag may name is gone. */
export function refState(refs: Refs | undefined, names: readonly RefName[]): RefState {
  const there = names.find((name) => isThere(refs, name) === true)
  if (there !== undefined) return { state: 'exists', words: `${nameOf(there)} ${thereOf(there)}` }
  const [unknown] = names.filter((name) => isThere(refs, name) === undefined)
  if (unknown !== undefined) {
    const words = `whether ${nameOf(unknown)} ${thereOf(unknown)} is not known`
    return { state: 'unknown', words }
  }
  return names.length === 0
    ? { state: 'unknown', words: 'the tag names no pull request and no branch' }
    : { state: 'gone', words: goneWords(names) }
}

function isThere(refs: Refs | undefined, name: RefName): boolean | undefined {
  if (name.kind === 'pull request') return hasAny(refs?.openPullRequests, [name.number])
  const { slug } = name
  const cut = slug.length < shortestCut ? [] : [beginning(pressed(slug))]
  return hasAny(refs?.branches, [refSlug(slug), pressed(slug), ...cut])
}

/** Undefined where it could not be looked up. */
function hasAny<T>(
  known: ReadonlySet<T> | NotKnown | undefined,
  wanted: readonly T[],
): boolean | undefined {
  if (known === undefined || 'why' in known) return undefined
  return wanted.some((each) => known.has(each))
}

function nameOf(name: RefName): string {
  return name.kind === 'pull request' ? `pull request ${name.number}` : `branch ${name.slug}`
}

function thereOf({ kind }: RefName): string {
  return kind === 'pull request' ? 'is open' : 'is there'
}

/** British English has no comma before the last one. */
const all = new Intl.ListFormat('en-GB', { type: 'conjunction' })
const mostNamed = 3

function goneWords(names: readonly RefName[]): string {
  if (names.length > mostNamed) return `all ${names.length} that the tag may name are gone`
  const isGone = ({ kind }: RefName) => (kind === 'pull request' ? 'is closed' : 'is gone')
  return all.format(names.map((name) => `${nameOf(name)} ${isGone(name)}`))
}
