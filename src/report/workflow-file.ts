import { formatDuration } from '../policy/durations.js'
import { needsListing } from '../policy/patterns.js'
import { refNeeds } from '../policy/policy-set.js'
import type { PolicySet } from '../policy/policy.js'
import { isOnTheHour, scheduleText } from '../policy/schedule.js'

/** What a workflow is written for. */
export interface WorkflowOptions {
  readonly set: PolicySet
  /** Where the policy file is, from the root of the repository. */
  readonly policyPath: string
  /** This action, as `uses:` takes it. */
  readonly actionRef: string
  /** Where the workflow is going to be, from the root of the repository. */
  readonly workflowPath?: string
  /** Milliseconds. */
  readonly timeBudget?: number
}

const usualWorkflowPath = '.github/workflows/retention.yml'
/** An odd minute of a quiet hour. */
const usualSchedule = '17 3 * * *'
const usualTimeBudget = 55 * 60_000
/** What a job needs beside the run: to start, to check out, to upload. */
const minutesAround = 5

const checkout = 'actions/checkout@v7'
const upload = 'actions/upload-artifact@v7'
/** A pull request can change the workflow, so what it is given cannot delete. */
const secrets = { preview: 'PACKAGES_READ_TOKEN', prune: 'PACKAGES_TOKEN' }

/** What the parts of a workflow have in common. */
interface Scene {
  readonly actionRef: string
  readonly policy: string
  readonly workflow: string
  readonly schedule: string | undefined
  readonly timeBudget: number
  /** Whether packages have to be listed, which `GITHUB_TOKEN` may not. */
  readonly needsSecret: boolean
  /** What rules ask for beside packages. */
  readonly refs: readonly ('pull requests' | 'branches')[]
  /** Where the policy says that it is. */
  readonly repositories: readonly string[]
}

/**
 * A GitHub Actions workflow for a policy file: it prunes by the policy's schedule and by hand, and shows in pull requests
 * what a changed policy would do.
 *
 * @throws Error in words for the reader when a path cannot stand in a workflow
 */
export function workflowFile(options: WorkflowOptions): string {
  const { set, policyPath, actionRef, workflowPath = usualWorkflowPath } = options
  const scene: Scene = {
    actionRef,
    policy: policyIn(policyPath),
    workflow: pathInRepository(workflowPath),
    schedule: set.schedule,
    timeBudget: options.timeBudget ?? usualTimeBudget,
    needsSecret: set.entries.some(({ names }) => names.some(needsListing)),
    refs: refsAskedFor(set),
    repositories: repositoriesAsked(set),
  }
  const parts = [heading, triggers, previewJob, pruneJob].map((part) => part(scene).join('\n'))
  return `${parts.join('\n\n')}\n`
}

/** GitHub would take a policy among the workflows for one, and report it as broken at every push. */
function policyIn(path: string): string {
  const clean = pathInRepository(path)
  if (!/^\.github\/workflows\/[^/]*\.ya?ml$/i.test(clean)) return clean
  throw new Error(
    `${JSON.stringify(path)} is where GitHub expects workflows, and would be taken for one; move the policy, to ".github/retention.yml" for example`,
  )
}

/** Nothing outside of the checkout is there when the workflow runs. */
function pathInRepository(path: string): string {
  const clean = path.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '')
  const fail = (why: string) => {
    throw new Error(
      `${JSON.stringify(path)} ${why}; it takes a path from the root of the repository, such as "retention.yml"`,
    )
  }
  if (clean === '') fail('names no file')
  if (/^(?:\/|[A-Za-z]:\/)/.test(clean)) fail('is an absolute path')
  if (clean.split('/').includes('..')) fail('leads to another folder')
  if (/\p{C}/u.test(clean) || clean.includes('${{')) fail('cannot stand in a workflow')
  return clean
}

function repositoriesAsked({ entries }: PolicySet): string[] {
  const asking = entries.filter(({ policy }) => {
    const { pulls, branches } = refNeeds(policy)
    return pulls || branches
  })
  return [...new Set(asking.flatMap(({ repository }) => repository ?? []))]
}

function refsAskedFor({ entries }: PolicySet): Scene['refs'] {
  const needs = entries.map(({ policy }) => refNeeds(policy))
  return [
    ...(needs.some(({ pulls }) => pulls) ? (['pull requests'] as const) : []),
    ...(needs.some(({ branches }) => branches) ? (['branches'] as const) : []),
  ]
}

function heading(scene: Scene): string[] {
  const { policy, workflow, needsSecret } = scene
  return [
    `# Written by "ghcr-retention workflow" for ${policy}. Save it as ${workflow}.`,
    '# Tags such as v1 can be moved to other code; where that matters, name actions by their commits.',
    ...(needsSecret ? ['#', ...secretsNeeded(scene)] : otherRepositories(scene)),
    'name: Retention',
  ]
}

function secretsNeeded({ policy, refs }: Scene): string[] {
  return [
    `# ${policy} has patterns for package names, and GITHUB_TOKEN may not list packages. So this`,
    '# needs two secrets, classic personal access tokens of somebody who administers the packages:',
    `#   ${secrets.prune} with read:packages and delete:packages`,
    `#   ${secrets.preview} with read:packages alone, for pull requests`,
    ...(refs.length > 0
      ? [
          `# In a private repository both need repo as well, to look up ${refs.join(' and ')}. What cannot`,
          '# be looked up counts as there.',
        ]
      : []),
  ]
}

/** https://docs.github.com/en/actions/tutorials/authenticate-with-github_token */
function otherRepositories({ repositories, refs }: Scene): string[] {
  if (repositories.length === 0) return []
  return [
    '#',
    `# This looks up ${refs.join(' and ')} of ${repositories.join(', ')}. GITHUB_TOKEN sees those of its own`,
    '# repository and of public ones; others take a token. What cannot be looked up counts as there.',
  ]
}

function triggers(scene: Scene): string[] {
  return [
    'on:',
    '  schedule:',
    ...scheduleLines(scene),
    '  workflow_dispatch:',
    '    inputs:',
    '      dry-run:',
    '        description: Only show the plan, as on all branches but the default one',
    '        type: boolean',
    '        default: true',
    '  pull_request:',
    '    paths:',
    `      - ${yamlText(pathFilter(scene.policy))}`,
    `      - ${yamlText(pathFilter(scene.workflow))}`,
    '',
    '# Each job is given what it needs, and nothing else.',
    'permissions: {}',
  ]
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule */
function scheduleLines({ schedule, policy }: Scene): string[] {
  const cron = schedule ?? usualSchedule
  const when = scheduleText(cron)
  return [
    ...(schedule === undefined
      ? [`    # ${policy} has no schedule; this one is ${when}.`]
      : [
          `    # ${policy} says: ${when}.`,
          '    # GitHub reads the line below and not the policy, so change both together.',
        ]),
    ...(isOnTheHour(cron)
      ? [
          '    # GitHub is busy at the start of an hour: a run may be late or left out. Choose another minute.',
        ]
      : []),
    '    # In a public repository GitHub stops schedules after 60 days without activity.',
    `    - cron: '${cron}'`,
  ]
}

function previewJob(scene: Scene): string[] {
  return [
    'jobs:',
    '  # Shows in its summary what the policy of a pull request would delete. It may only read.',
    '  preview:',
    '    name: Preview',
    ...previewCondition(scene),
    ...machine(scene),
    ...permissions(scene, 'read'),
    '    concurrency:',
    '      group: retention-preview-${{ github.event.pull_request.number }}',
    '      cancel-in-progress: true',
    ...checkoutSteps,
    ...runStep(scene, secrets.preview, 'true'),
  ]
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflows-in-forked-repositories */
function previewCondition({ needsSecret }: Scene): string[] {
  if (!needsSecret)
    return [
      '    # For pull requests from forks too: their token can read, and this needs no more.',
      "    if: github.event_name == 'pull_request'",
    ]
  return [
    '    # Not for pull requests from forks and from Dependabot: GitHub gives them no secrets.',
    '    if: >-',
    "      github.event_name == 'pull_request' &&",
    '      github.event.pull_request.head.repo.full_name == github.repository &&',
    "      github.event.pull_request.user.login != 'dependabot[bot]'",
  ]
}

function pruneJob(scene: Scene): string[] {
  const isElsewhere =
    "github.ref != format('refs/heads/{0}', github.event.repository.default_branch)"
  const dryRun = `\${{ github.event_name == 'workflow_dispatch' && (inputs.dry-run || ${isElsewhere}) }}`
  return [
    '  prune:',
    '    name: Prune',
    "    if: github.event_name != 'pull_request'",
    ...(scene.needsSecret ? environmentAdvice : []),
    ...machine(scene),
    ...permissions(scene, 'write'),
    '    # Runs share the limits of the token, so one waits for the other.',
    '    concurrency:',
    '      group: retention',
    '      cancel-in-progress: false',
    ...checkoutSteps,
    ...runStep(scene, secrets.prune, dryRun, 'retention'),
    '      # Every version with its decision and its reason, as long as what was deleted can be restored.',
    `      - uses: ${upload}`,
    "        if: always() && steps.retention.outputs.plan != ''",
    '        with:',
    '          name: plan',
    '          path: ${{ steps.retention.outputs.plan }}',
    '          retention-days: 30',
  ]
}

const environmentAdvice = [
  '    # Whoever can push a branch can use the secrets of a repository. Safer is a secret of an environment',
  '    # that only the default branch may use: name it here with "environment: <name>".',
]

function machine({ timeBudget }: Scene): string[] {
  const minutes = Math.ceil(timeBudget / 60_000) + minutesAround
  return [
    '    runs-on: ubuntu-latest',
    `    timeout-minutes: ${minutes} # longer than time-budget, so that the run can end by itself`,
  ]
}

function permissions({ policy, needsSecret, refs }: Scene, packages: 'read' | 'write'): string[] {
  const own = needsSecret ? [] : refs
  const branches = own.includes('branches') ? ', and which branches there are' : ''
  const admin =
    packages === 'write' ? ' # with the Admin role of this repository on each package' : ''
  return [
    '    permissions:',
    `      contents: read # ${policy}${branches}`,
    ...(needsSecret ? [] : [`      packages: ${packages}${admin}`]),
    ...(own.includes('pull requests')
      ? ['      pull-requests: read # which of them are open']
      : []),
  ]
}

const checkoutSteps = [
  '    steps:',
  `      - uses: ${checkout}`,
  '        with:',
  '          persist-credentials: false',
]

function runStep(scene: Scene, secret: string, dryRun: string, id?: string): string[] {
  const { actionRef, policy, needsSecret, timeBudget } = scene
  return [
    ...(id === undefined
      ? [`      - uses: ${actionRef}`]
      : [`      - id: ${id}`, `        uses: ${actionRef}`]),
    '        with:',
    `          policy: ${yamlText(policy)}`,
    ...(needsSecret ? [`          token: \${{ secrets.${secret} }}`] : []),
    `          dry-run: ${dryRun}`,
    `          time-budget: ${formatDuration(timeBudget)}`,
  ]
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet */
function pathFilter(path: string): string {
  return path.replace(/[*?+[\]]|^!/g, '\\$&')
}

/** Text as a YAML value: quoted, unless nobody could read it as anything else. */
function yamlText(text: string): string {
  return /^[\w.][\w./-]*\.(?:ya?ml|json)$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`
}
