import { describe, expect, test } from '@jest/globals'
import { RetentionError } from '../../src/errors.js'
import { parseInputs, type RawInputs, type Settings } from '../../src/inputs.js'
import type { Policy } from '../../src/policy/policy.js'
import { day, digest, hour, tagged, untagged } from './kit.js'

const environment = {
  repository: 'Acme/My-App',
  workspace: '.',
  apiUrl: 'https://api.github.com',
  serverUrl: 'https://github.com',
}
const token = 'ghp_plainly_fake'

const parse = (raw: RawInputs, around = {}): Settings =>
  parseInputs({ token, 'cut-off': '30d', ...raw }, { ...environment, ...around })

/** The policy that inputs make, which holds for every package. */
function policyOf({ policies: { entries } }: Settings): Policy {
  const [only] = entries
  if (only === undefined || entries.length > 1) throw new Error('not exactly one policy')
  return only.policy
}

/** The words of a refused input. */
function refusal(raw: RawInputs, around = {}): string {
  try {
    parse(raw, around)
  } catch (error) {
    if (error instanceof RetentionError && error.code === 'bad-input') return error.message
    throw error
  }
  throw new Error('nothing was refused')
}

test('unset inputs have the defaults of the table', () => {
  const { policies, ...settings } = parse({})
  expect(settings).toEqual({
    mode: 'prune',
    account: 'Acme',
    token,
    packages: { kind: 'exact', names: ['my-app'] },
    dryRun: false,
    verify: true,
    rememberManifests: true,
    logLevel: 'info',
    timeBudget: undefined,
    ageBy: 'updated',
    pace: { deletesPerMinute: 150, pointsPerMinute: 900, quotaReserve: 0.1 },
    apiUrl: 'https://api.github.com',
    registryUrl: 'https://ghcr.io',
    warnings: [],
  })
  expect(policies.entries.map(({ policy }) => policy)).toEqual([
    {
      protect: [],
      grace: hour,
      maxDeletions: [],
      keepDigests: new Map(),
      rules: [tagged(), untagged],
      unmatched: 'keep',
      spareNewest: 0,
      ageBy: 'updated',
      uses: new Map(),
      readsLabels: false,
      refs: undefined,
    },
  ])
})

test('mode packages needs no cut-off, and has then no rule by which anything could go', () => {
  const settings = parse({ mode: 'packages', 'cut-off': '' })
  expect(settings.mode).toBe('packages')
  expect(policyOf(settings).rules).toEqual([])
})

describe('a good value', () => {
  const names = (settings: Settings) =>
    settings.packages.kind === 'exact' ? settings.packages.names : settings.packages.kind
  const rules = (settings: Settings) =>
    policyOf(settings).rules.flatMap(({ select }) => [...select.kinds])
  const tags = (settings: Settings) => ({
    rule: policyOf(settings).rules[0]?.select.tag?.include?.map(({ source }) => source),
    protect: policyOf(settings).protect.map(({ pattern }) => pattern.source),
  })
  const a = digest('a')

  const rows: [RawInputs, (settings: Settings) => unknown, unknown][] = [
    [{ account: 'octo-org' }, (s) => s.account, 'octo-org'],
    [{ account: 'octo_acme' }, (s) => s.account, 'octo_acme'],
    [{ account: 'user' }, (s) => s.account, undefined],
    [{ token: '  ghs_fake \n', account: 'acme' }, (s) => s.token, 'ghs_fake'],
    [{ 'image-names': 'api, team/web\napi' }, names, ['api', 'team/web']],
    [{ 'image-names': '"API"' }, names, ['api']],
    [{ 'image-names': 'containers.core' }, names, ['containers.core']],
    [{ 'image-names': 'api*' }, names, 'patterns'],
    [{ 'image-names': '!api' }, names, 'patterns'],
    [{ 'image-tags': 'pr-* !prod' }, tags, { rule: ['pr-*'], protect: ['prod'] }],
    [{ 'image-tags': '!prod !qa' }, tags, { rule: undefined, protect: ['prod', 'qa'] }],
    [{ 'cut-off': '2w 3d' }, (s) => policyOf(s).rules[0]?.when.olderThan, 17 * day],
    [{ 'cut-off': '0s' }, (s) => policyOf(s).rules[0]?.when.olderThan, 0],
    [{ 'tag-selection': 'tagged' }, rules, ['tagged']],
    [{ 'tag-selection': 'untagged' }, rules, ['untagged']],
    [{ 'tag-selection': 'Both' }, rules, ['tagged', 'untagged']],
    [{ 'keep-n-most-recent': '5' }, (s) => policyOf(s).spareNewest, 5],
    [{ 'timestamp-to-use': 'created_at' }, (s) => policyOf(s).ageBy, 'created'],
    [{ 'skip-shas': `${a}, ${a}` }, (s) => [...policyOf(s).keepDigests.keys()], [a]],
    [{ 'skip-shas': a.slice(7) }, (s) => [...policyOf(s).keepDigests.keys()], [a]],
    [{ 'shas-to-skip': a }, (s) => [...policyOf(s).keepDigests.keys()], [a]],
    [{ 'dry-run': 'true' }, (s) => s.dryRun, true],
    [{ 'dry-run': 'False' }, (s) => s.dryRun, false],
    [{ 'remember-manifests': 'false' }, (s) => s.rememberManifests, false],
    [{ 'log-level': 'debug' }, (s) => s.logLevel, 'debug'],
    [{ 'rust-log': 'container_retention_policy=debug,hyper=info' }, (s) => s.logLevel, 'debug'],
    [{ 'rust-log': 'warn' }, (s) => s.logLevel, 'warn'],
    [{ 'rust-log': 'trace' }, (s) => s.logLevel, 'debug'],
    [{ 'rust-log': 'hyper=debug' }, (s) => s.logLevel, 'info'],
    [{ 'rust-log': 'off', 'log-level': 'warn' }, (s) => s.logLevel, 'warn'],
    [{ grace: '0s' }, (s) => policyOf(s).grace, 0],
    [{ grace: '1d' }, (s) => policyOf(s).grace, day],
    [{ 'max-deletions': '0' }, (s) => policyOf(s).maxDeletions, [{ count: 0 }]],
    [{ 'max-deletions': '500' }, (s) => policyOf(s).maxDeletions, [{ count: 500 }]],
    [{ 'max-deletions': '50%' }, (s) => policyOf(s).maxDeletions, [{ percent: 50 }]],
    [{ 'time-budget': '5m' }, (s) => s.timeBudget, 300_000],
    [{ 'deletes-per-minute': '60' }, (s) => s.pace.deletesPerMinute, 60],
    [{ 'quota-reserve': '25%' }, (s) => s.pace.quotaReserve, 0.25],
    [{ 'quota-reserve': '5' }, (s) => s.pace.quotaReserve, 0.05],
    [{ 'quota-reserve': '0 %' }, (s) => s.pace.quotaReserve, 0],
    [{ 'quota-reserve': '90%' }, (s) => s.pace.quotaReserve, 0.9],
    [
      { registry: 'containers.example.com' },
      (s) => s.registryUrl,
      'https://containers.example.com',
    ],
    [{ registry: 'https://ghcr.io/' }, (s) => s.registryUrl, 'https://ghcr.io'],
    [{ registry: 'http://127.0.0.1:5000' }, (s) => s.registryUrl, 'http://127.0.0.1:5000'],
    [{ registry: 'http://[::1]:5000' }, (s) => s.registryUrl, 'http://[::1]:5000'],
    [{ registry: 'localhost:5000' }, (s) => s.registryUrl, 'https://localhost:5000'],
  ]
  test.each(rows)('%j', (raw, look, expected) => {
    expect(look(parse(raw))).toEqual(expected)
  })
})

describe('a bad value names the input, what it got and what it takes', () => {
  const rows: [RawInputs, string][] = [
    [{ account: 'a/b' }, 'account: "a/b" is not an account; it takes a login'],
    [{ account: 'user', token: 'ghs_fake' }, 'account: "user" stands for the account of the token'],
    [{ token: 'two tokens' }, 'token: the value has spaces'],
    [
      { 'image-names': 'ghcr.io/acme/api' },
      'image-names: "ghcr.io/acme/api" has a registry in front',
    ],
    [{ 'image-names': 'https://ghcr.io/x' }, 'has a registry in front'],
    [{ 'image-names': 'containers.example.com/acme/api' }, 'has a registry in front'],
    [{ 'image-names': 'a b$c' }, 'image-names: "b$c" is not a package name'],
    [
      { 'image-names': '# none' },
      'image-names: "# none" holds no entry; it takes a list of package names',
    ],
    [{ 'image-names': '/a+/ *' }, 'globs only'],
    [{ 'image-tags': '# none' }, 'image-tags: "# none" holds no entry'],
    [{ 'image-tags': 'a ! b' }, 'image-tags: an exclusion mark "!" has nothing after it'],
    [{ 'image-tags': '/(/' }, 'image-tags: "/(/" is not a regular expression'],
    [{ 'cut-off': '30' }, 'cut-off: "30" is not a duration; it takes a duration such as'],
    [{ 'cut-off': '' }, 'cut-off: is missing; it takes a duration such as'],
    [{ 'cut-off': 'x'.repeat(200) }, `cut-off: "${'x'.repeat(80)}…" is not a duration`],
    [{ 'tag-selection': 'all' }, 'tag-selection: "all" is not one of both, tagged, untagged'],
    [{ 'keep-n-most-recent': 'five' }, 'keep-n-most-recent: "five" is not a whole number from 0'],
    [{ 'keep-n-most-recent': '-1' }, 'keep-n-most-recent: "-1" is not a whole number'],
    [{ 'keep-n-most-recent': '1.5' }, 'keep-n-most-recent: "1.5" is not a whole number'],
    [{ 'timestamp-to-use': 'pushed_at' }, 'timestamp-to-use: "pushed_at" is not one of updated_at'],
    [{ 'skip-shas': 'sha256:12' }, 'skip-shas: "sha256:12" is not a digest'],
    [
      { 'skip-shas': digest('a'), 'shas-to-skip': digest('b') },
      'shas-to-skip: is another name for skip-shas',
    ],
    [{ 'shas-to-skip': 'latest' }, 'shas-to-skip: "latest" is not a digest'],
    [{ 'dry-run': 'yes' }, 'dry-run: "yes" is not one of true, false'],
    [{ 'remember-manifests': '1' }, 'remember-manifests: "1" is not one of true, false'],
    [{ 'log-level': 'loud' }, 'log-level: "loud" is not one of error, warn, info, debug'],
    [{ 'rust-log': 'loud' }, 'rust-log: "loud" has no log level'],
    [{ grace: 'soon' }, 'grace: "soon" is not a duration'],
    [{ 'max-deletions': '101%' }, 'max-deletions: "101%" is neither a whole number'],
    [{ 'max-deletions': '1.5%' }, 'max-deletions: "1.5%" is neither a whole number'],
    [{ 'time-budget': '0s' }, 'time-budget: "0s" leaves no time at all'],
    [{ 'time-budget': '5' }, 'time-budget: "5" is not a duration'],
    [{ 'quota-reserve': '91%' }, 'quota-reserve: "91%" is not a whole percentage from 0% to 90%'],
    [{ 'quota-reserve': '-1%' }, 'quota-reserve: "-1%" is not a whole percentage'],
    [{ 'quota-reserve': 'a tenth' }, 'quota-reserve: "a tenth" is not a whole percentage'],
    [{ 'quota-reserve': '12.5%' }, 'quota-reserve: "12.5%" is not a whole percentage'],
    [{ 'quota-reserve': '1e1%' }, 'quota-reserve: "1e1%" is not a whole percentage'],
    [
      { 'deletes-per-minute': '0' },
      'deletes-per-minute: "0" is not a whole number from 1 to 10000',
    ],
    [
      { registry: 'http://ghcr.io' },
      'registry: "http://ghcr.io/" would send the token unencrypted',
    ],
    [{ registry: 'ghcr.io/acme' }, 'registry: "ghcr.io/acme" is not a registry'],
    [{ registry: 'https://me@ghcr.io' }, 'registry: "https://me@ghcr.io" is not a registry'],
    [{ registry: 'not a host' }, 'registry: "not a host" is not a registry'],
  ]
  test.each(rows)('%j', (raw, words) => {
    expect(refusal(raw)).toContain(words)
  })

  test('never the token itself', () => {
    expect(refusal({ token: 'ghp_fake with spaces' })).not.toContain('ghp_fake')
  })

  test.each([
    ['image-tag', 'image-tag: is no input of this action; did you mean image-tags?'],
    ['keep-n-most-recents', 'did you mean keep-n-most-recent?'],
    ['cutoff', 'did you mean cut-off?'],
    ['something-else', 'something-else: is no input of this action'],
  ])('an input that does not exist: %s', (name, words) => {
    expect(() => parseInputs({ token, 'cut-off': '1d' }, environment, [name])).toThrow(words)
  })

  test('all mistakes at once', () => {
    const words = refusal({
      'cut-off': '30',
      'dry-run': 'yes',
      'keep-n-most-recent': 'x',
      token: '',
    })
    expect(words).toContain('4 inputs are wrong')
    expect(
      words
        .match(/^ {2}\S+:/gm)
        ?.map((start) => start.trim())
        .sort(),
    ).toEqual(['cut-off:', 'dry-run:', 'keep-n-most-recent:', 'token:'])
  })

  test.each(['http://git.example.org/api/v3', 'ftp://127.0.0.1', 'nonsense'])(
    'an API address that is not safe: %s',
    (apiUrl) => {
      expect(refusal({}, { apiUrl })).toContain(`GITHUB_API_URL: "${apiUrl}"`)
    },
  )

  test('a mode that does not exist, without asking for what only one of the modes needs', () => {
    const words = refusal({ mode: 'package', 'cut-off': '' })
    expect(words).toContain('mode: "package" is not one of prune, packages')
    expect(words).not.toContain('cut-off')
  })

  test('outside a workflow, what only the workflow knows is missing', () => {
    const words = refusal({}, { repository: undefined })
    expect(words).toContain('account: is missing')
    expect(words).toContain('image-names: is missing')
  })
})

test.each([
  ['https://github.com', 'https://ghcr.io'],
  ['https://octo.ghe.com', 'https://containers.octo.ghe.com'],
  ['https://git.example.org/', 'https://containers.git.example.org'],
  ['nonsense', 'https://ghcr.io'],
])('the registry of %s is %s', (serverUrl, registryUrl) => {
  expect(parse({}, { serverUrl }).registryUrl).toBe(registryUrl)
})

test.each<[RawInputs, string]>([
  [{ token: 'github_pat_fake' }, 'The token is neither'],
  [
    { account: 'acme', 'image-names': 'acme/api' },
    'image-names: "acme/api" begins with the account',
  ],
  [{ 'keep-n-most-recent': '2', 'tag-selection': 'untagged' }, 'keep-n-most-recent counts tagged'],
  [{ 'deletes-per-minute': '300' }, 'GitHub allows at most 180'],
])('%j is allowed with a warning', (raw, words) => {
  expect(parse(raw).warnings).toEqual([expect.stringContaining(words)])
})

test('other servers may be faster than github.com', () => {
  const around = { apiUrl: 'https://git.example.org/api/v3/' }
  const settings = parse({ 'deletes-per-minute': '300' }, around)
  expect(settings.warnings).toEqual([])
  expect(settings.apiUrl).toBe('https://git.example.org/api/v3')
})

test.each([
  ['https://api.github.com', '180', 900, 0],
  ['https://api.github.com', '181', 900, 1],
  ['https://api.acme.ghe.com', '1000', 900, 1],
  ['https://git.example.org/api/v3', '180', 900, 0],
  ['https://git.example.org/api/v3', '1000', 6000, 0],
  ['https://api.github.com.example.org', '1000', 6000, 0],
])(
  'GitHub’s published limit holds where GitHub runs the server: %s at %s',
  (apiUrl, pace, points, warnings) => {
    const settings = parse({ 'deletes-per-minute': pace }, { apiUrl })
    expect(settings.pace.pointsPerMinute).toBe(points)
    expect(settings.warnings).toHaveLength(warnings)
  },
)
