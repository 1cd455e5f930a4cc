import { z } from 'zod'
import { RetentionError } from './errors.js'
import {
  oneOf,
  readAccount,
  readDigests,
  readDuration,
  readNames,
  readRegistry,
  readRustLog,
  readShare,
  readSwitch,
  readTags,
  readTimeBudget,
  readToken,
  registryOf,
  unsafeAddress,
  wholeNumber,
  type LogLevel,
  type PackageSelection,
} from './input-readers.js'
import { inputDefinitions, type InputDefinition, type InputName } from './input-table.js'
import { nearest } from './nearest.js'
import { durationForm } from './policy/durations.js'
import type { Pattern, PatternList } from './policy/patterns.js'
import type { DeleteRule, Policy } from './policy/policy.js'

/** Input values as they came; an empty text is an unset input. */
export type RawInputs = Partial<Record<InputName, string>>

/** What a run needs to know of its surroundings. */
export interface Environment {
  readonly repository: string | undefined
  readonly apiUrl: string
  readonly serverUrl: string
}

const modes = ['prune', 'packages'] as const

/** Everything a run was asked to do, checked. */
export interface Settings {
  readonly mode: (typeof modes)[number]
  /** A login, or undefined for the token's own account. */
  readonly account: string | undefined
  readonly token: string
  readonly packages: PackageSelection
  readonly policy: Policy
  readonly dryRun: boolean
  /** Whether what stays is asked for after the deletes. */
  readonly verify: boolean
  /** Whether manifests that were read once are kept for the next run. */
  readonly rememberManifests: boolean
  readonly logLevel: LogLevel
  /** Milliseconds, or undefined for no end. */
  readonly timeBudget: number | undefined
  readonly pace: {
    readonly deletesPerMinute: number
    /** What the API is known to allow; a delete takes 5. */
    readonly pointsPerMinute: number
    /** The share of the API's hourly quota that this run leaves to others. */
    readonly quotaReserve: number
  }
  readonly apiUrl: string
  readonly registryUrl: string
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
  const parsed = inputsSchema(environment, given.mode?.toLowerCase() === 'prune').safeParse(given)
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

/**
 * The readers of all inputs, each with the words for what it takes. Mode `packages` reads them all as well, so that a
 * mistake is told once and before the matrix, not by each of its jobs.
 */
function inputsSchema(environment: Environment, isPruning: boolean) {
  const cutOff = field(readDuration)
  return z.object({
    mode: field(oneOf(...modes)),
    account: field(readAccount),
    token: field(readToken),
    'image-names': field(readNames),
    'image-tags': field(readTags).optional(),
    'cut-off': isPruning ? cutOff : cutOff.optional(),
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
    verify: field(readSwitch),
    'remember-manifests': field(readSwitch),
    'time-budget': field(readTimeBudget).optional(),
    'deletes-per-minute': field(wholeNumber(1, 10_000)),
    'quota-reserve': field(readShare),
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
    mode: inputs.mode,
    account: inputs.account,
    token: inputs.token,
    packages: inputs['image-names'],
    policy: compilePolicy(inputs),
    dryRun: inputs['dry-run'],
    verify: inputs.verify,
    rememberManifests: inputs['remember-manifests'],
    logLevel: level === 'info' ? (inputs['rust-log'] ?? level) : level,
    timeBudget: inputs['time-budget'],
    pace: {
      deletesPerMinute: inputs['deletes-per-minute'],
      pointsPerMinute: pointsOf(inputs, environment),
      quotaReserve: inputs['quota-reserve'],
    },
    apiUrl: environment.apiUrl.replace(/\/+$/, ''),
    registryUrl: inputs.registry,
    warnings: warningsOf(inputs, environment),
  }
}

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits */
const publishedPoints = 900

/** GitHub publishes its limits. A server of one's own may have none, which a pace above GitHub's asks for. */
function pointsOf(inputs: ParsedInputs, { apiUrl }: Environment): number {
  const wanted = 6 * inputs['deletes-per-minute']
  return isFasterThanGitHub(inputs) && !isGitHubs(apiUrl) ? wanted : publishedPoints
}

function isFasterThanGitHub(inputs: ParsedInputs): boolean {
  return 5 * inputs['deletes-per-minute'] > publishedPoints
}

/** Whether GitHub itself runs the server: github.com or GHE.com. */
function isGitHubs(apiUrl: string): boolean {
  return /^https:\/\/api\.(?:github|[^/.]+\.ghe)\.com\/*$/.test(apiUrl)
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
  if (isFasterThanGitHub(inputs) && isGitHubs(environment.apiUrl)) {
    warnings.push(
      'GitHub allows at most 180 deletions a minute; a higher deletes-per-minute will be slowed down.',
    )
  }
  return warnings
}

function compilePolicy(inputs: ParsedInputs): Policy {
  const tags = inputs['image-tags']
  const selection = inputs['tag-selection']
  // Only mode `packages` comes without a cut-off, and then no rule is there that could delete.
  const olderThan = inputs['cut-off']
  const rules: DeleteRule[] =
    olderThan === undefined
      ? []
      : [
          { name: 'tagged', select: 'tagged', tags: positives(tags), olderThan },
          { name: 'untagged', select: 'untagged', tags: undefined, olderThan },
        ]
  return {
    protect: tags?.exclude ?? [],
    grace: inputs.grace,
    maxDeletions: inputs['max-deletions'],
    keepDigests: new Set(inputs['skip-shas'] ?? inputs['shas-to-skip'] ?? []),
    deleteRules: rules.filter((rule) => selection === 'both' || selection === rule.select),
    spareNewest: inputs['keep-n-most-recent'],
    ageBy: inputs['timestamp-to-use'] === 'updated_at' ? 'updated' : 'created',
  }
}

function positives(tags: PatternList | undefined): readonly Pattern[] | undefined {
  return tags === undefined || tags.include.length === 0 ? undefined : tags.include
}
