import { z } from 'zod'
import { RetentionError } from './errors.js'
import {
  oneOf,
  readAccount,
  readCeiling,
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
import {
  ageByOf,
  besidePolicy,
  namesOf,
  policiesOf,
  noPolicy,
  type ReadPolicy,
} from './input-policy.js'
import { defaultOf, inputDefinitions, type InputName } from './input-table.js'
import { nearest } from './nearest.js'
import { durationForm } from './policy/durations.js'
import type { AgeBy, PolicySet } from './policy/policy.js'

/** Input values as they came; an empty text is an unset input. */
export type RawInputs = Partial<Record<InputName, string>>

/** What a run needs to know of its surroundings. */
export interface Environment {
  readonly repository: string | undefined
  /** The folder that paths of files are relative to. */
  readonly workspace: string
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
  /** What stays and what goes, by package. */
  readonly policies: PolicySet
  /** Which timestamp the ages that are told go by. */
  readonly ageBy: AgeBy
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
 * Reads all inputs, beside the policy file if there is one.
 *
 * @throws RetentionError `bad-input` that names every mistake at once: the input, or the place in the file, what it got
 * and what it takes
 */
export function parseInputs(
  raw: RawInputs,
  environment: Environment,
  unknown: readonly string[] = [],
  policy: ReadPolicy = noPolicy,
): Settings {
  const given = givenInputs(raw, environment, policy)
  const parsed = inputsSchema(environment, needsOf(given, policy)).safeParse(given)
  const mistakes = [
    ...unknown.map(unknownInput),
    ...(parsed.success
      ? contradictions(parsed.data, environment)
      : parsed.error.issues.map(mistakeOf)),
    ...besidePolicy(given, policy, environment),
  ]
  const all = [...mistakes, ...policy.mistakes]
  if (!parsed.success || all.length > 0) throw badInput(mistakes.length, all, policy.path)
  return toSettings(parsed.data, environment, policy)
}

/** Which inputs must have a value; a policy file takes the place of some. */
function needsOf(given: Record<string, string>, policy: ReadPolicy) {
  const isPruning = given.mode?.toLowerCase() === 'prune'
  return { cutOff: isPruning && policy.path === undefined, names: !policy.namesPackages }
}

/** Inputs that have a value: their own, that of the table, or what the environment tells. */
function givenInputs(
  raw: RawInputs,
  environment: Environment,
  policy: ReadPolicy,
): Record<string, string> {
  const values = Object.entries(withDefaults(raw, environment, policy))
  return Object.fromEntries(values.filter(([, value]) => value.trim() !== ''))
}

/** Unset inputs get the value of the table, or what the environment tells. */
function withDefaults(
  raw: RawInputs,
  { repository }: Environment,
  policy: ReadPolicy,
): Record<string, string> {
  const [owner, name] = (repository ?? '').split('/')
  const ownName = policy.namesPackages ? undefined : name?.toLowerCase()
  const found: RawInputs = { account: owner ?? '', 'image-names': ownName ?? '' }
  const names = Object.keys(inputDefinitions) as InputName[]
  return Object.fromEntries(
    names.map((input) => {
      const given = raw[input]?.trim() ?? ''
      return [input, given === '' ? (found[input] ?? defaultOf(input)) : given]
    }),
  )
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
function inputsSchema(environment: Environment, needs: { cutOff: boolean; names: boolean }) {
  const cutOff = field(readDuration)
  return z.object({
    mode: field(oneOf(...modes)),
    account: field(readAccount),
    token: field(readToken),
    'image-names': needs.names ? field(readNames) : field(readNames).optional(),
    'image-tags': field(readTags).optional(),
    'cut-off': needs.cutOff ? cutOff : cutOff.optional(),
    'tag-selection': field(oneOf('both', 'tagged', 'untagged')),
    'keep-n-most-recent': field(wholeNumber(0, 1_000_000)),
    'timestamp-to-use': field(oneOf('updated_at', 'created_at')),
    'skip-shas': field(readDigests).optional(),
    'shas-to-skip': field(readDigests).optional(),
    'dry-run': field(readSwitch),
    'log-level': field(oneOf('error', 'warn', 'info', 'debug')),
    'rust-log': field(readRustLog).optional(),
    grace: field(readDuration).optional(),
    'max-deletions': field(readCeiling).optional(),
    verify: field(readSwitch),
    'remember-manifests': field(readSwitch),
    'time-budget': field(readTimeBudget).optional(),
    'deletes-per-minute': field(wholeNumber(1, 10_000)),
    'quota-reserve': field(readShare),
    registry: field(readRegistry).default(registryOf(environment.serverUrl)),
  })
}

/** What the readers make of the inputs. */
export type ParsedInputs = z.infer<ReturnType<typeof inputsSchema>>

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

function badInput(inputs: number, mistakes: readonly string[], path?: string): RetentionError {
  const inFile = mistakes.length - inputs
  const heading = [
    ...(inputs > 0 ? [inputs === 1 ? 'One input is wrong' : `${inputs} inputs are wrong`] : []),
    ...(inFile > 0 ? [`${path ?? 'the policy'} has ${plural(inFile, 'mistake')}`] : []),
  ].join(', and ')
  return new RetentionError(
    'bad-input',
    [`${heading}:`, ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'),
    'Nothing was requested and nothing was changed. The README describes every input.',
  )
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function toSettings(inputs: ParsedInputs, environment: Environment, policy: ReadPolicy): Settings {
  const level = inputs['log-level']
  return {
    mode: inputs.mode,
    account: inputs.account,
    token: inputs.token,
    packages: inputs['image-names'] ?? namesOf(policy),
    policies: policiesOf(inputs, policy),
    ageBy: policy.set === undefined ? ageByOf(inputs) : 'updated',
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
  const named = inputs['image-names']
  const names = named?.kind === 'exact' ? named.names : []
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
