import { z } from 'zod'
import { isDigest, type Digest } from '../../model.js'
import { durationForm, durationPattern, parseDuration } from '../durations.js'
import { compileGroupBy } from '../group-by.js'
import { compileTypePattern, typeWords } from '../image-types.js'
import { compileNamePatterns, compileTagPattern, needsListing, type Pattern } from '../patterns.js'
import { hasPlaceholder } from '../refs.js'
import { readSchedule } from '../schedule.js'
import { compileSemver } from '../versions.js'
import { quote, wordsOf } from './mistakes.js'

/**
 * A text that a reader turns into a value. What the reader throws is the mistake's message.
 *
 * @param takes completes "it takes …" and "… is not …" when it is no text at all
 */
function text<T>(takes: string, read: (text: string) => T) {
  return z.string({ error: () => takes }).transform((value, context): T => {
    try {
      if (value.trim() === '') throw new Error(`the text is empty; it takes ${takes}`)
      return read(value)
    } catch (error) {
      context.addIssue(wordsOf(error, value))
      return z.NEVER
    }
  })
}

/** One value or a list of such; always a list afterwards. */
function oneOrMore<T>(item: z.ZodType<T, string>, takes: string, least = 1) {
  const list = z.array(item, { error: () => takes }).min(least, { error: () => takes })
  return z.union([item, list], { error: () => takes }).transform((value) => [value].flat() as T[])
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]) {
  const takes = words.length === 1 ? quote(words[0] ?? '') : `one of ${words.join(', ')}`
  return z.enum(words, { error: () => takes })
}

/** How many. */
export function count(least: number, most = 1_000_000) {
  const error = () => `a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

/** `true` or `false`. */
export function choice() {
  return z.boolean({ error: () => 'true or false' })
}

/** A kind of images: it is asked for, or it is not mentioned. */
export function wish() {
  return z.literal(true, { error: () => 'true, the one value that may stand here' })
}

/** Milliseconds. */
export function duration() {
  return text(durationForm, readDuration).meta({ pattern: durationPattern })
}

function readDuration(value: string): number {
  const duration = parseDuration(value)
  if (duration !== undefined) return duration
  throw new Error(`${quote(value)} is not a duration; it takes ${durationForm}`)
}

const digestForm = '"sha256:" and 64 lower-case hex digits'

/** A digest, with or without `sha256:` in front. */
function digest() {
  return text(digestForm, readDigest).meta({ pattern: '^(sha256:)?[0-9a-f]{64}$' })
}

function readDigest(value: string): Digest {
  const digest = value.startsWith('sha256:') ? value : `sha256:${value}`
  if (isDigest(digest)) return digest
  throw new Error(`${quote(value)} is not a digest; it takes ${digestForm}`)
}

const ruleNamePattern = /^[A-Za-z0-9._-](?:[A-Za-z0-9._ -]{0,98}[A-Za-z0-9._-])?$/
const ruleNameForm = 'a name of letters, digits, dots, dashes and spaces, 100 at most'

/** What a rule is called in the log, and by which entries of `packages` change it. */
export function ruleName() {
  return text(ruleNameForm, (value) => {
    if (ruleNamePattern.test(value)) return value
    throw new Error(`${quote(value)} is not a name; it takes ${ruleNameForm}`)
  }).meta({ pattern: ruleNamePattern.source })
}

/** https://docs.github.com/en/get-started/using-github/github-glossary: a login and a name. */
const repositoryPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/[A-Za-z0-9._-]{1,100}$/
const repositoryForm = 'a repository such as "acme/api"'

/** `owner/name`. */
export function repository() {
  return text(repositoryForm, (value) => {
    if (repositoryPattern.test(value)) return value
    throw new Error(`${quote(value)} is not a repository; it takes ${repositoryForm}`)
  }).meta({ pattern: repositoryPattern.source })
}

/** As much of a package as may go: a count, or a share of the listed versions. */
export function ceiling() {
  const takes = 'a whole number of versions such as 500, or a share of them such as "50%"'
  const percent = text(takes, (value) => {
    const share = /^\d{1,3}%$/.test(value) ? parseInt(value, 10) : NaN
    if (share <= 100) return { percent: share }
    throw new Error(`${quote(value)} is not ${takes}`)
  }).meta({ pattern: '^(\\d{1,2}|100)%$' })
  const error = () => takes
  const versions = z.int({ error }).min(0, { error }).max(10_000_000, { error })
  return z.union([versions.transform((count) => ({ count })), percent], { error })
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const packageName =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const packageForm = 'names of packages such as "api" or "team/api", or globs'

/** Names of packages or globs of them; `!` in front leaves out what matches. */
export function packageNames() {
  return oneOrMore(text('the name of a package, or a glob of such', readPackageName), packageForm)
}

function readPackageName(value: string): string {
  if (/^!?(?:[a-z]+:\/\/|ghcr\.io\/|containers\.[^/]+\/)/i.test(value))
    throw new Error(
      `${quote(value)} has a registry in front; it takes only the name after the account`,
    )
  compileNamePatterns([value])
  if (needsListing(value) || packageName.test(value.toLowerCase())) return value
  throw new Error(`${quote(value)} is not a package name; it takes ${packageForm}`)
}

/** A tag pattern of a rule. One with a placeholder is compiled only when it is known what it stands for. */
export interface TagText {
  readonly source: string
  readonly pattern: Pattern | undefined
}

const tagForm = 'tag patterns such as "v*" or "/ci-\\d+/"'
const oneTag = 'a tag pattern such as "v*" or "/ci-\\d+/"'

/** What one of an image's tags must be like. */
export function tagTexts() {
  const read = (source: string): TagText => {
    if (source.startsWith('!'))
      throw new Error(`${quote(source)} excludes nothing here; what is left out stands in not-tags`)
    return { source, pattern: hasPlaceholder(source) ? undefined : compileTagPattern(source) }
  }
  return oneOrMore(text(oneTag, read), tagForm)
}

/** Patterns that stand for themselves: no `!`, no placeholder. */
export function tagPatterns(least = 1) {
  return oneOrMore(text(oneTag, readTagPattern), tagForm, least)
}

function readTagPattern(source: string): Pattern {
  if (source.startsWith('!'))
    throw new Error(`${quote(source)} has an exclusion mark, which this list does not take`)
  if (hasPlaceholder(source))
    throw new Error(
      `${quote(source)} has a placeholder; only "tags" of a rule with the condition "ref" takes one`,
    )
  return compileTagPattern(source)
}

/** Digests of images. */
export function digests(least = 1) {
  return oneOrMore(digest(), `digests of ${digestForm}`, least)
}

const longestFileGlob = 256
const fileForm = 'globs of files in the checkout such as "deploy/**/*.yaml"'

/** Globs of files, from the root of the checkout. */
export function fileGlobs() {
  return oneOrMore(text('a glob of files in the checkout', readFileGlob), fileForm, 0)
}

function readFileGlob(value: string): string {
  const is = (why: string) => new Error(`${quote(value)} ${why}; it takes ${fileForm}`)
  if (value.length > longestFileGlob) throw is(`is longer than ${longestFileGlob} characters`)
  if (value.startsWith('!')) throw is('has an exclusion mark')
  if (/^(?:\/|\\|~|[a-z]:)|(?:^|\/)\.\.(?:\/|$)/i.test(value)) throw is('leads out of the checkout')
  return value
}

/** A range of versions. What it compiles to depends on the rule. */
export function range() {
  return text('a range of versions such as ">=1.0.0"', (source) => {
    compileSemver(source, undefined, 'keep')
    return source
  })
}

/** Types of images, by words or globs. */
export function imageTypes() {
  const takes = `${typeWords.join(', ')}, or globs of types such as "application/vnd.cncf.helm.*"`
  return oneOrMore(text(`one of ${takes}`, compileTypePattern), takes)
}

/** What images are grouped by. */
export function grouping() {
  return text('major, minor, or an expression such as "/(.+)-\\d+/"', compileGroupBy).meta({
    pattern: '^(major|minor|/.+/)$',
  })
}

/** When a workflow is to run. */
export function cron() {
  return text('a schedule such as "17 3 * * *"', readSchedule)
}
