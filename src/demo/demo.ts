import { startEmulator, type Emulator } from '../emulator/index.js'
import type { Host } from '../host.js'
import { terminalHost } from '../hosts/terminal.js'
import type { RawInputs } from '../inputs.js'
import { main } from '../main.js'
import { demoAccount, demoToken, fillRegistry } from './content.js'
import { pullEverything, type PullReport } from './pull.js'

const packages = ['api', 'team/web']

const inputs: RawInputs = {
  account: demoAccount,
  token: demoToken,
  'image-names': packages.join(' '),
  'image-tags': 'pr-* nightly-* !nightly',
  'cut-off': '14d',
  'keep-n-most-recent': '3',
  'deletes-per-minute': '10000',
}

/**
 * The main job before the reader's eyes: fills an emulated registry, shows a dry run, prunes, and pulls everything that
 * is left.
 *
 * @returns the exit code: 0 when every remaining image can be pulled whole
 */
export async function demo(): Promise<number> {
  const emulator = await startEmulator({ limits: false })
  try {
    fillRegistry(emulator.store, Date.now())
    return await play(emulator)
  } finally {
    await emulator.close()
  }
}

async function play(emulator: Emulator): Promise<number> {
  title('A registry as it grows in half a year')
  const before = await pullAll(emulator)
  say(
    `${versions(emulator)} versions in ${packages.length} packages, ${stored(emulator).toFixed(1)} MB.`,
  )

  title('What a policy would delete: the dry run')
  say(`with: ${JSON.stringify({ ...inputs, token: '***' })}\n`)
  const dry = await main(host(emulator, { ...inputs, 'dry-run': 'true' }))

  title('The same for real')
  const [countBefore, storedBefore] = [versions(emulator), stored(emulator)]
  const live = await main(withoutPlan(host(emulator, inputs)))

  title('Pulling every remaining tag and all it contains')
  const after = await pullAll(emulator)
  say(`Before: ${pulledWords(before)}`)
  say(`After:  ${pulledWords(after)}`)
  const broken = after.flatMap((report) => report.broken)
  for (const line of broken) say(`broken: ${line}`)
  const freed = countBefore - versions(emulator)
  say(
    `\nFreed: ${freed} of ${countBefore} versions, ${(storedBefore - stored(emulator)).toFixed(1)} of ${storedBefore.toFixed(1)} MB. ${broken.length} broken.`,
  )
  return dry + live + broken.length === 0 ? 0 : 1
}

function host({ apiUrl, registryUrl }: Emulator, given: RawInputs): Host {
  return terminalHost({
    inputs: { ...given, registry: registryUrl },
    environment: { repository: undefined, workspace: '.', apiUrl, serverUrl: 'https://github.com' },
    planPath: undefined,
    memory: undefined,
    out: process.stdout,
    err: process.stderr,
  })
}

/** The live run would show the plan of the dry run again. */
function withoutPlan(shown: Host): Host {
  let inPlan = false
  const { log } = shown
  return {
    ...shown,
    log: {
      ...log,
      group: () => {
        inPlan = true
      },
      info: (message) => {
        if (!inPlan) log.info(message)
      },
      endGroup: () => {
        inPlan = false
      },
    },
  }
}

function pullAll({ registryUrl }: Emulator): Promise<PullReport[]> {
  return Promise.all(
    packages.map((name) => pullEverything(registryUrl, `${demoAccount}/${name}`, demoToken)),
  )
}

function pulledWords(reports: readonly PullReport[]): string {
  const total = (key: 'tags' | 'manifests' | 'blobs') =>
    reports.reduce((sum, report) => sum + report[key], 0)
  return `${total('tags')} tags, ${total('manifests')} manifests, ${total('blobs')} blobs pulled and checked.`
}

function versions({ store }: Emulator): number {
  return packages.reduce((sum, name) => sum + store.versions(demoAccount, name).length, 0)
}

/** Megabytes. */
function stored({ store }: Emulator): number {
  return store.storedBytes(demoAccount) / 1_000_000
}

function title(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(3, 76 - text.length))}\n`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
