import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { demo } from './demo/demo.js'
import { startEmulator } from './emulator/index.js'
import { demoAccount, demoToken, fillRegistry, welcome } from './demo/content.js'
import { flagOf, flagsOf, given, memoryFolderText, self, type Flags } from './flags.js'
import type { Results } from './host.js'
import { defaultFolder, folderStore } from './hosts/folder-store.js'
import { terminalHost } from './hosts/terminal.js'
import { inputDefinitions, type InputDefinition, type InputName } from './input-table.js'
import { main } from './main.js'
import { policyCommands } from './policy-commands.js'
import packageJson from '../package.json' with { type: 'json' }

/**
 * The command line. Flags have the names of the action's inputs.
 *
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('ghcr-retention')
    .description(
      'Prune old container images from GitHub Container Registry, and never break an image that stays.',
    )
    .version(packageJson.version)
    .helpCommand(false)
    .exitOverride()
  program.addCommand(
    pruneCommand(async (options) => {
      exitCode = await prune(options)
    }),
  )
  program.addCommand(
    packagesCommand(async (options) => {
      exitCode = await packages(options)
    }),
  )
  for (const command of policyCommands((code) => {
    exitCode = code
  }))
    program.addCommand(command)
  program
    .command('demo')
    .description('Show the whole job on an emulated registry: dry run, prune, pull what is left.')
    .action(async () => {
      exitCode = await demo()
    })
  program.addCommand(emulatorCommand())
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'port') process.stderr.write(`error: ${error.message}\n`)
    return error.exitCode
  }
  return exitCode
}

function pruneCommand(action: (flags: Flags) => Promise<void>): Command {
  const command = new Command('prune')
    .description('Delete old images by a retention policy, or with --dry-run show what would go.')
    .exitOverride()
  for (const [name, definition] of Object.entries<InputDefinition>(inputDefinitions)) {
    if (definition.actionOnly === undefined) command.addOption(flagOf(name, definition))
  }
  command.option(
    '--plan-file <path>',
    'Write plan.json here: every version with its decision and reason.',
  )
  command.option('--memory-folder <path>', memoryFolderText)
  command.addHelpText('after', examples)
  return command.action(() => action(flagsOf(command)))
}

/** The flags of `prune` that say which packages there are to look at, and how to find out. */
const flagsForNames = [
  ...(['account', 'token', 'image-names'] as const),
  ...(['log-level', 'rust-log', 'time-budget', 'quota-reserve'] as const),
] satisfies InputName[]

function packagesCommand(action: (flags: Flags) => Promise<void>): Command {
  const command = new Command('packages')
    .description(
      'Print the packages that image-names matches as one line of JSON, and do nothing else.',
    )
    .exitOverride()
  for (const name of flagsForNames) command.addOption(flagOf(name, inputDefinitions[name]))
  command.addHelpText(
    'after',
    `
Example:
  $ ${self} packages --account acme --image-names 'team/*' | jq -r '.[]'`,
  )
  return command.action(() => action(flagsOf(command)))
}

const examples = `
Examples:
  $ export GITHUB_TOKEN=…            a classic token with read:packages and delete:packages
  $ ${self} prune --account acme --image-names api --image-tags 'pr-*' --cut-off 30d --dry-run
  $ ${self} prune --account acme --image-names 'api web-*' --image-tags 'pr-* !pr-demo' --cut-off 2w`

async function prune(options: Flags): Promise<number> {
  const { 'plan-file': planPath, 'memory-folder': memoryFolder, ...flags } = options
  if (typeof planPath === 'string' && !(await canHold(planPath))) {
    process.stderr.write(
      `error: plan-file: ${planPath} cannot be written. Nothing was requested.\n`,
    )
    return 1
  }
  if (typeof memoryFolder === 'string' && !(await isUsable(memoryFolder))) {
    process.stderr.write(
      `error: memory-folder: "${memoryFolder}" is no folder that can be written to. Nothing was requested.\n`,
    )
    return 1
  }
  return main(
    terminalHost({
      ...given(flags),
      planPath: typeof planPath === 'string' ? planPath : undefined,
      memory: folderStore(
        typeof memoryFolder === 'string' ? memoryFolder : defaultFolder(process.env),
      ),
      out: process.stdout,
      err: process.stderr,
    }),
  )
}

/** Only the JSON goes to standard output, so that it can be piped; all that is told goes to standard error. */
async function packages(flags: Flags): Promise<number> {
  const { inputs, environment } = given(flags)
  const host = terminalHost({
    ...{ inputs: { ...inputs, mode: 'packages' }, environment, planPath: undefined },
    ...{ memory: undefined, out: process.stderr, err: process.stderr },
  })
  const finish = ({ outputs }: Results) => {
    if (outputs.packages !== '') process.stdout.write(`${outputs.packages}\n`)
    return Promise.resolve()
  }
  return main({ ...host, finish })
}

/** Whether a file may be made or replaced there. A plan must not get lost after the deletes. */
async function canHold(path: string): Promise<boolean> {
  const place = await stat(path).then(
    (found) => (found.isFile() ? path : undefined),
    () => dirname(path),
  )
  if (place === undefined) return false
  return access(place, constants.W_OK).then(
    () => true,
    () => false,
  )
}

/** Whether a folder can be written to. It is made if it is not there, but not those around it. */
async function isUsable(folder: string): Promise<boolean> {
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined)
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder && (await canHold(join(folder, 'memory')))
}

function emulatorCommand(): Command {
  return new Command('emulator')
    .description(
      "Run a stand-in for GitHub's Packages API and ghcr.io on this machine, to try things out.",
    )
    .option('--api-port <port>', 'Port of the API; any free one when unset.', port)
    .option('--registry-port <port>', 'Port of the registry; any free one when unset.', port)
    .option('--empty', 'Start without the images of the demonstration.')
    .exitOverride()
    .action(serve)
}

async function serve(options: {
  apiPort?: number
  registryPort?: number
  empty?: boolean
}): Promise<void> {
  const { apiPort = 0, registryPort = 0, empty = false } = options
  const emulator = await startEmulator({ apiPort, registryPort }).catch((error: unknown) => {
    throw new CommanderError(1, 'port', error instanceof Error ? error.message : String(error))
  })
  if (empty) welcome(emulator.store)
  else fillRegistry(emulator.store, Date.now())
  process.stdout.write(`${emulatorWords(emulator.apiUrl, emulator.registryUrl)}\n`)
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await emulator.close()
}

function emulatorWords(apiUrl: string, registryUrl: string): string {
  return `API       ${apiUrl}
Registry  ${registryUrl}
Account   ${demoAccount}
Token     ${demoToken}

Try it from another terminal:
  export GITHUB_API_URL=${apiUrl} GITHUB_TOKEN=${demoToken}
  ${self} prune --account ${demoAccount} --image-names '*' --image-tags 'pr-*' --cut-off 30d --registry ${registryUrl} --dry-run

Stop with Ctrl-C.`
}

function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (value >= 0 && value <= 65_535) return value
  throw new InvalidArgumentError('It takes a number from 0 to 65535.')
}
