import { Command, Option } from 'commander'
import { flagOf, flagsOf, given, memoryFolderText, self } from './flags.js'
import type { Host } from './host.js'
import { defaultFolder, folderStore } from './hosts/folder-store.js'
import { terminalHost } from './hosts/terminal.js'
import { inputDefinitions, type InputDefinition, type InputName } from './input-table.js'
import { readPolicy } from './input-policy.js'
import type { RawInputs } from './inputs.js'
import { explain, lint, tellFindings } from './looking.js'
import { lintSet } from './policy/lint/lint-set.js'
import type { PolicySet } from './policy/policy.js'
import { readPolicyText } from './policy-text.js'
import { logLine } from './report/escape.js'
import { workflowFile } from './report/workflow-file.js'
import { policyLines } from './run-log.js'
import packageJson from '../package.json' with { type: 'json' }

/** The action that a workflow uses: its newest version of this major one. */
const actionRef = `ghcr-retention/ghcr-retention@v${packageJson.version.split('.')[0] ?? ''}`

/**
 * The commands about policies, none of which changes anything.
 *
 * @param ended hears the exit code
 */
export function policyCommands(ended: (exitCode: number) => void): Command[] {
  return [
    explainCommand(ended),
    lintCommand(ended),
    fileCommand('describe', 'Say a policy file in plain sentences.', ended, (set) =>
      policyLines(set).map(logLine).join('\n'),
    ),
    fileCommand(
      'workflow',
      'Print a workflow that prunes by a policy file, and shows in pull requests what would go.',
      ended,
      (set, policyPath) => workflowFile({ set, policyPath, actionRef }).trimEnd(),
    ),
  ]
}

function explainCommand(ended: (exitCode: number) => void): Command {
  const command = new Command('explain')
    .description('Say why tags or digests stay or go: every reason, rule and relation.')
    .argument(
      '<tag-or-digest...>',
      'What to explain: tags, digests or the beginnings of such, or references such as ghcr.io/acme/api:v1.',
    )
    .exitOverride()
  for (const name of lookingFlags) command.addOption(flagOf(name, inputDefinitions[name]))
  command.option('--memory-folder <path>', memoryFolderText)
  command.addHelpText(
    'after',
    `
Example:
  $ ${self} explain v2.1.0 --account acme --image-names api --policy policy.yml`,
  )
  return command.action(async (references: string[]) => {
    ended(await withHost(command, {}, (host) => explain(host, references)))
  })
}

function lintCommand(ended: (exitCode: number) => void): Command {
  const command = fileArgument(
    new Command('lint').description(
      'Say what is odd in a policy file; with --account also by what the packages hold.',
    ),
  )
  for (const name of lookingFlags)
    if (!policyInputs.includes(name)) command.addOption(flagOf(name, inputDefinitions[name]))
  command.option('--memory-folder <path>', memoryFolderText)
  return command.action(async (given?: string) => {
    const path = fileGiven(command, given)
    const options = Object.keys(command.opts()).filter((name) => name !== 'policy')
    const isListing = options.includes('account')
    if (!isListing && options.length > 0) {
      process.stderr.write(
        'error: without --account only the file is read; leave the options out\n',
      )
      ended(1)
      return
    }
    ended(isListing ? await withHost(command, { policy: path }, lint) : await lintFile(path))
  })
}

const deletingInputs: readonly string[] = [
  ...(['dry-run', 'verify', 'deletes-per-minute', 'max-deletions'] as const),
] satisfies InputName[]

/** What says what stays and what goes. */
const policyInputs: readonly string[] = [
  ...(['policy', 'image-tags', 'cut-off', 'tag-selection'] as const),
  ...(['keep-n-most-recent', 'timestamp-to-use'] as const),
] satisfies InputName[]

/** The flags of `prune` that matter to a command that only looks. */
const lookingFlags = (Object.keys(inputDefinitions) as InputName[]).filter((name) => {
  const definition: InputDefinition = inputDefinitions[name]
  return definition.actionOnly === undefined && !deletingInputs.includes(name)
})

/** Runs something that looks, with the flags of its command. */
async function withHost(
  command: Command,
  more: RawInputs,
  look: (host: Host) => Promise<number>,
): Promise<number> {
  const { 'memory-folder': folder, ...flags } = flagsOf(command)
  const { inputs, environment } = given(flags)
  const memory = folderStore(typeof folder === 'string' ? folder : defaultFolder(process.env))
  return look(
    terminalHost({
      ...{ inputs: { ...inputs, ...more, 'dry-run': 'true' }, environment, memory },
      ...{ planPath: undefined, out: process.stdout, err: process.stderr },
    }),
  )
}

/** A command that makes a text of a policy file. */
function fileCommand(
  name: string,
  description: string,
  ended: (exitCode: number) => void,
  textOf: (set: PolicySet, path: string) => string,
): Command {
  const command = fileArgument(new Command(name).description(description))
  return command.action(async (given?: string) => {
    const path = fileGiven(command, given)
    ended(
      await withSet(path, (set) => {
        process.stdout.write(`${textOf(set, path)}\n`)
      }),
    )
  })
}

/** A policy file, which may also be given in the way that `prune` takes it. */
function fileArgument(command: Command): Command {
  return command
    .argument('[policy]', 'The path of the policy file.')
    .usage('[options] <policy>')
    .addOption(new Option('--policy <path>').hideHelp())
    .exitOverride()
}

/** @throws CommanderError when no file is given, or two are */
function fileGiven(command: Command, argument: string | undefined): string {
  const { policy } = command.opts<{ policy?: string }>()
  const path = argument ?? policy
  if (path === undefined) return command.error("error: missing required argument 'policy'")
  if (argument !== undefined && policy !== undefined)
    return command.error('error: one policy file is read; two are given')
  return path
}

function lintFile(path: string): Promise<number> {
  return withSet(path, (set) => {
    tellFindings((line) => process.stdout.write(`${logLine(line)}\n`), lintSet(set))
  })
}

/** Does something with the policies of a file. @returns the exit code: 1 when it has mistakes, which are told */
async function withSet(path: string, use: (set: PolicySet) => void): Promise<number> {
  const { set, problem, mistakes } = readPolicy(await readPolicyText(process.cwd(), path))
  const told = problem === undefined ? mistakes : [problem]
  try {
    if (set !== undefined) use(set)
    for (const mistake of told) process.stderr.write(`error: ${logLine(mistake)}\n`)
    return set === undefined ? 1 : 0
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`error: ${logLine(message)}\n`)
    return 1
  }
}
