import { z } from 'zod'
import { RetentionError } from './errors.js'
import { isDigest, type Digest } from './model.js'
import { nearest } from './nearest.js'
import { durationForm, parseDuration } from './policy/durations.js'
import {
  compileNamePatterns,
  compileTagPatterns,
  needsListing,
  splitList,
  type Pattern,
  type PatternList,
} from './policy/patterns.js'
import type { DeleteRule, Policy } from './policy/policy.js'

/** One input as users see it; `action.yml`, the command line's flags and the README are held to this table. */
export interface InputDefinition {
  readonly description: string
  /** The value when unset; an expression in `action.yml`, found out from the environment elsewhere. */
  readonly default?: string
  readonly required?: true
  /** The command line's placeholder for the value; a flag without one takes none. */
  readonly placeholder?: string
}

/** Every input, in the order in which the documentation shows them. */
export const inputDefinitions = {
  account: {
    description:
      'Organization or user that owns the packages. `user` stands for the account of the token itself.',
    default: '${{ github.repository_owner }}',
    placeholder: 'login',
  },
  token: {
    description:
      'Classic personal access token with `read:packages` and `delete:packages`, or `GITHUB_TOKEN` of a repository with the Admin role on the package.',
    default: '${{ github.token }}',
    placeholder: 'token',
  },
  'image-names': {
    description:
      'Packages to look at: exact names, or globs with `*`, and `!` to exclude. Globs need a token that may list packages, so not `GITHUB_TOKEN`. Unset: the name of the repository.',
    placeholder: 'list',
  },
  'image-tags': {
    description:
      'Tagged images only: globs, `/regular expressions/` that match a whole tag, and `!` to keep. With patterns that do not start with `!`, every tag of an image must match one of them.',
    placeholder: 'list',
  },
  'cut-off': {
    description: 'Only images at least this old may go: `2w 3d`, `1h30m`, `1 day 2 hours`, `0s`.',
    required: true,
    placeholder: 'duration',
  },
  'tag-selection': {
    description: 'Which images may go: `tagged`, `untagged` or `both`.',
    default: 'both',
    placeholder: 'kind',
  },
  'keep-n-most-recent': {
    description: 'Of the tagged images that would go, the newest this many stay in each package.',
    default: '0',
    placeholder: 'number',
  },
  'timestamp-to-use': {
    description: 'What an image is as old as: `updated_at` or `created_at`.',
    default: 'updated_at',
    placeholder: 'timestamp',
  },
  'skip-shas': {
    description: 'Digests (`sha256:…`) to keep, with everything that belongs to them.',
    placeholder: 'list',
  },
  'shas-to-skip': { description: 'Another name for `skip-shas`.', placeholder: 'list' },
  'dry-run': {
    description: 'Show the plan and change nothing.',
    default: 'false',
  },
  'log-level': {
    description: 'How much to tell: `error`, `warn`, `info` or `debug`.',
    default: 'info',
    placeholder: 'level',
  },
  'rust-log': {
    description: 'Accepted from users of another action and translated to `log-level`.',
    placeholder: 'directives',
  },
  grace: {
    description: 'Nothing pushed or changed within this time is deleted, whatever else is set.',
    default: '1h',
    placeholder: 'duration',
  },
  'max-deletions': {
    description:
      'A package in which more versions than this would go is left alone, and the run fails.',
    placeholder: 'number',
  },
  'time-budget': {
    description: 'Stop cleanly before this much time has passed; the next run goes on.',
    placeholder: 'duration',
  },
  'deletes-per-minute': {
    description:
      'The fastest pace of deletion; github.com bears at most 180. The run slows down by itself when GitHub asks for it.',
    default: '150',
    placeholder: 'number',
  },
  registry: {
    description:
      'The container registry. Unset: `ghcr.io`, or the one of the GitHub server that the workflow runs on.',
    placeholder: 'host',
  },
} as const satisfies Record<string, InputDefinition>

export type InputName = keyof typeof inputDefinitions

/** Input values as they came; an empty text is an unset input. */
export type RawInputs = Partial<Record<InputName, string>>

/** What a run needs to know of its surroundings. */
export interface Environment {
  readonly repository: string | undefined
  readonly apiUrl: string
  readonly serverUrl: string
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Which packages to look at. Only patterns need the account's packages to be listed. */
export type PackageSelection =
  | { readonly kind: 'exact'; readonly names: readonly string[] }
  | { readonly kind: 'patterns'; readonly patterns: PatternList }

/** Everything a run was asked to do, checked. */
export interface Settings {
  /** A login, or undefined for the token's own account. */
  readonly account: string | undefined
  readonly token: string
  readonly packages: PackageSelection
  readonly policy: Policy
  readonly dryRun: boolean
  readonly logLevel: LogLevel
  /** Milliseconds, or undefined for no end. */
  readonly timeBudget: number | undefined
  readonly deletesPerMinute: number
  readonly apiUrl: string
  readonly registryUrl: string
  /** Where people look at packages, for links. */
  readonly serverUrl: string
  /** What the reader should know although the run can go on. */
  readonly warnings: readonly string[]
}

/**
 * Reads all inputs.
 *
 * @throws RetentionError `bad-input` that names every mistake at once: the input, what it got and what it takes
 */
export function parseInputs(
  raw: RawInputs,
  environment: Environment,
  unknown: readonly string[] = [],
): Settings {
  const given = Object.fromEntries(
    Object.entries(withDefaults(raw, environment)).filter(([, value]) => value.trim() !== ''),
  )
  const parsed = inputsSchema(environment).safeParse(given)
  const mistakes = [
    ...unknown.map(unknownInput),
    ...(parsed.success
      ? contradictions(parsed.data, environment)
      : parsed.error.issues.map(mistakeOf)),
  ]
  if (!parsed.success || mistakes.length > 0) throw badInput(mistakes)
  return toSettings(parsed.data, environment)
}

/** Unset inputs get the value of the table, or what the environment tells. */
function withDefaults(raw: RawInputs, { repository }: Environment): Record<string, string> {
  const [owner, name] = (repository ?? '').split('/')
  const found: RawInputs = { account: owner ?? '', 'image-names': name?.toLowerCase() ?? '' }
  const names = Object.keys(inputDefinitions) as InputName[]
  return Object.fromEntries(
    names.map((input) => {
      const given = raw[input]?.trim() ?? ''
      return [input, given === '' ? (found[input] ?? defaultOf(input)) : given]
    }),
  )
}

/** The value of an unset input; an expression is for the runner alone. */
function defaultOf(input: InputName): string {
  const definition: InputDefinition = inputDefinitions[input]
  const { default: value = '' } = definition
  return value.startsWith('${{') ? '' : value
}

/** A field that a reader function turns into a value; what the reader throws becomes the mistake's words. */
function field<T>(read: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return read(text)
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error))
      return z.NEVER
    }
  })
}

/** The readers of all inputs, each with the words for what it takes. */
function inputsSchema(environment: Environment) {
  return z.object({
    account: field(readAccount),
    token: field(readToken),
    'image-names': field(readNames),
    'image-tags': field(readTags).optional(),
    'cut-off': field(readDuration),
    'tag-selection': field(oneOf('both', 'tagged', 'untagged')),
    'keep-n-most-recent': field(wholeNumber(0, 1_000_000)),
    'timestamp-to-use': field(oneOf('updated_at', 'created_at')),
    'skip-shas': field(readDigests).optional(),
    'shas-to-skip': field(readDigests).optional(),
    'dry-run': field(readSwitch),
    'log-level': field(oneOf('error', 'warn', 'info', 'debug')),
    'rust-log': field(readRustLog).optional(),
    grace: field(readDuration),
    'max-deletions': field(wholeNumber(0, 10_000_000)).optional(),
    'time-budget': field(readTimeBudget).optional(),
    'deletes-per-minute': field(wholeNumber(1, 10_000)),
    registry: field(readRegistry).default(registryOf(environment.serverUrl)),
  })
}

type ParsedInputs = z.infer<ReturnType<typeof inputsSchema>>

const neededFrom: Partial<Record<string, string>> = {
  account: 'an organization or user login; it is only found out by itself inside a workflow',
  token: 'a token; set GITHUB_TOKEN or pass one',
  'image-names': 'package names; they are only found out by themselves inside a workflow',
  'cut-off': durationForm,
}

function mistakeOf(issue: z.core.$ZodIssue): string {
  const input = issue.path.map(String).join('.')
  if (issue.code === 'custom') return `${input}: ${issue.message}`
  return `${input}: is missing; it takes ${neededFrom[input] ?? 'a value'}`
}

function unknownInput(name: string): string {
  const near = nearest(name, Object.keys(inputDefinitions))
  return `${name}: is no input of this action${near === undefined ? '' : `; did you mean ${near}?`}`
}

/** Mistakes that no input makes alone. */
function contradictions(inputs: ParsedInputs, environment: Environment): string[] {
  const mistakes: string[] = []
  if (inputs.account === undefined && inputs.token.startsWith('ghs_')) {
    mistakes.push(
      'account: "user" stands for the account of the token, and GITHUB_TOKEN and App tokens have none; give the login',
    )
  }
  const unsafe = unsafeAddress(environment.apiUrl)
  if (unsafe !== undefined) mistakes.push(`GITHUB_API_URL: ${unsafe}`)
  if (inputs['skip-shas'] !== undefined && inputs['shas-to-skip'] !== undefined) {
    mistakes.push('shas-to-skip: is another name for skip-shas; set one of the two')
  }
  return mistakes
}

function badInput(mistakes: readonly string[]): RetentionError {
  const heading =
    mistakes.length === 1 ? 'One input is wrong' : `${mistakes.length} inputs are wrong`
  return new RetentionError(
    'bad-input',
    [`${heading}:`, ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'),
    'Nothing was requested and nothing was changed. The README describes every input.',
  )
}

function toSettings(inputs: ParsedInputs, environment: Environment): Settings {
  const level = inputs['log-level']
  return {
    account: inputs.account,
    token: inputs.token,
    packages: inputs['image-names'],
    policy: compilePolicy(inputs),
    dryRun: inputs['dry-run'],
    logLevel: level === 'info' ? (inputs['rust-log'] ?? level) : level,
    timeBudget: inputs['time-budget'],
    deletesPerMinute: inputs['deletes-per-minute'],
    apiUrl: environment.apiUrl.replace(/\/+$/, ''),
    registryUrl: inputs.registry,
    serverUrl: environment.serverUrl.replace(/\/+$/, ''),
    warnings: warningsOf(inputs, environment),
  }
}

function warningsOf(inputs: ParsedInputs, environment: Environment): string[] {
  const warnings: string[] = []
  if (!/^gh[ps]_/.test(inputs.token)) {
    warnings.push(
      'The token is neither a classic personal access token (ghp_) nor a GITHUB_TOKEN or App token (ghs_). GitHub documents no other kind for packages; it is tried all the same.',
    )
  }
  const names = inputs['image-names'].kind === 'exact' ? inputs['image-names'].names : []
  const doubled = names.find((name) => name.startsWith(`${inputs.account?.toLowerCase() ?? ''}/`))
  if (doubled !== undefined) {
    warnings.push(
      `image-names: "${doubled}" begins with the account; a package is named by what comes after it. If that is not its name, leave the account out.`,
    )
  }
  if (inputs['keep-n-most-recent'] > 0 && inputs['tag-selection'] === 'untagged') {
    warnings.push(
      'keep-n-most-recent counts tagged images only; with tag-selection "untagged" it does nothing.',
    )
  }
  if (inputs['deletes-per-minute'] > 180 && environment.apiUrl === 'https://api.github.com') {
    warnings.push(
      'github.com allows at most 180 deletions a minute; a higher deletes-per-minute will be slowed down.',
    )
  }
  return warnings
}

function compilePolicy(inputs: ParsedInputs): Policy {
  const tags = inputs['image-tags']
  const selection = inputs['tag-selection']
  const olderThan = inputs['cut-off']
  const tagged: DeleteRule = { name: 'tagged', select: 'tagged', tags: positives(tags), olderThan }
  const untagged: DeleteRule = { name: 'untagged', select: 'untagged', tags: undefined, olderThan }
  return {
    protect: tags?.exclude ?? [],
    grace: inputs.grace,
    maxDeletions: inputs['max-deletions'],
    keepDigests: new Set(inputs['skip-shas'] ?? inputs['shas-to-skip'] ?? []),
    deleteRules: [tagged, untagged].filter(
      (rule) => selection === 'both' || selection === rule.select,
    ),
    spareNewest: inputs['keep-n-most-recent'],
    ageBy: inputs['timestamp-to-use'] === 'updated_at' ? 'updated' : 'created',
  }
}

function positives(tags: PatternList | undefined): readonly Pattern[] | undefined {
  return tags === undefined || tags.include.length === 0 ? undefined : tags.include
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

function readAccount(text: string): string | undefined {
  if (text === 'user') return undefined
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(text)) return text
  throw new Error(
    `${quote(text)} is not an account; it takes a login, or "user" for the token's own`,
  )
}

/** The text is never quoted back: it is a secret. */
function readToken(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new Error('the value has spaces or other characters that no token has; it takes one token')
}

const nameForm =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

/** Names follow https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
function readNames(text: string): PackageSelection {
  const entries = nonEmptyList(text, 'package names').map((entry) => entry.toLowerCase())
  for (const entry of entries) {
    if (/^!?(?:[a-z]+:\/\/|ghcr\.io\/|containers\.)/.test(entry)) {
      throw new Error(
        `${quote(entry)} has a registry in front; it takes only the name after the account`,
      )
    }
  }
  if (entries.some(needsListing))
    return { kind: 'patterns', patterns: compileNamePatterns(entries) }
  const bad = entries.find((entry) => !nameForm.test(entry))
  if (bad !== undefined) {
    throw new Error(
      `${quote(bad)} is not a package name; it takes names such as "api" or "team/api", or globs`,
    )
  }
  return { kind: 'exact', names: [...new Set(entries)] }
}

function readTags(text: string): PatternList {
  return compileTagPatterns(nonEmptyList(text, 'tag patterns'))
}

function readDigests(text: string): Digest[] {
  return nonEmptyList(text, 'digests').map((entry) => {
    const digest = entry.startsWith('sha256:') ? entry : `sha256:${entry}`
    if (isDigest(digest)) return digest
    throw new Error(
      `${quote(entry)} is not a digest; it takes "sha256:" and 64 lower-case hex digits`,
    )
  })
}

/** A value that holds only comments or quotes is a mistake, not a wish for everything. */
function nonEmptyList(text: string, what: string): string[] {
  const entries = splitList(text)
  if (entries.length === 0)
    throw new Error(`${quote(text)} holds no entry; it takes a list of ${what}`)
  return entries
}

function readDuration(text: string): number {
  const duration = parseDuration(text)
  if (duration !== undefined) return duration
  throw new Error(`${quote(text)} is not a duration; it takes ${durationForm}`)
}

function readTimeBudget(text: string): number {
  const duration = readDuration(text)
  if (duration > 0) return duration
  throw new Error(`${quote(text)} leaves no time at all; it takes a duration above zero`)
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
    if (value >= least && value <= most) return value
    throw new Error(`${quote(text)} is not a whole number from ${least} to ${most}`)
  }
}

function oneOf<const T extends string>(...words: T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text.toLowerCase())
    if (word !== undefined) return word
    throw new Error(`${quote(text)} is not one of ${words.join(', ')}`)
  }
}

function readSwitch(text: string): boolean {
  return oneOf('true', 'false')(text) === 'true'
}

/** https://docs.rs/env_logger: `level`, or `module=level` pieces joined by commas. */
function readRustLog(text: string): LogLevel {
  const pieces = text.split(',').map((piece) => piece.trim().split('='))
  const own = pieces.find(
    ([module, level]) => level !== undefined && module === 'container_retention_policy',
  )
  const bare = pieces.find(([, level]) => level === undefined)
  const level = (own?.[1] ?? bare?.[0] ?? 'info').toLowerCase()
  const levels = {
    off: 'error',
    error: 'error',
    warn: 'warn',
    info: 'info',
    debug: 'debug',
    trace: 'debug',
  } as const
  const known = Object.entries(levels).find(([name]) => name === level)
  if (known !== undefined) return known[1]
  throw new Error(`${quote(text)} has no log level; it takes error, warn, info, debug or trace`)
}

/** Accepts a host or a URL. */
function readRegistry(text: string): string {
  const url = parseUrl(/^https?:\/\//.test(text) ? text : `https://${text}`)
  if (url?.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new Error(`${quote(text)} is not a registry; it takes a host such as ghcr.io`)
  }
  const unsafe = unsafeAddress(url.href)
  if (unsafe !== undefined) throw new Error(unsafe)
  return url.origin
}

/** Plain http would show the token to the network, so only this machine may be spoken to like that. */
function unsafeAddress(address: string): string | undefined {
  const url = parseUrl(address)
  if (url === undefined) return `${quote(address)} is not an address; it takes an https URL`
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback)
    ? undefined
    : `${quote(address)} would send the token unencrypted; it takes an https address`
}

/** https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry */
function registryOf(serverUrl: string): string {
  const host = parseUrl(serverUrl)?.hostname ?? 'github.com'
  return host === 'github.com' ? 'https://ghcr.io' : `https://containers.${host}`
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
