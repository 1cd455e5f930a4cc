import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { memoryFile } from '../cache-archive.js'
import type { TextStore } from '../host.js'

/** What the process that talks to the cache service gets to know: how to reach it, and no token of the run's. */
const handedOn =
  /^(?:ACTIONS_(?:RUNTIME_TOKEN|RESULTS_URL|CACHE_\w+|ORCHESTRATION_ID)|GITHUB_SERVER_URL|(?:HTTPS?|ALL|NO)_PROXY|NODE_(?:EXTRA_CA_CERTS|USE_ENV_PROXY)|SSL_CERT_\w+|PATH|SYSTEMROOT|TE?MP)$/i
/** Characters of what that process says that are looked at. */
const mostWords = 20_000

/**
 * Keeps texts in the cache of GitHub Actions, in entries of this version of the program. Entries cannot be changed, so
 * every run that has something new saves one of its own, and the newest is restored.
 *
 * @param program the path of the bundle of `src/cache.ts`
 * @returns undefined where there is no such cache
 */
export function cacheStore(
  env: NodeJS.ProcessEnv,
  program: string,
  cancelled: AbortSignal,
): TextStore | undefined {
  if (!env.ACTIONS_RUNTIME_TOKEN) return undefined
  const environment = Object.fromEntries(
    Object.entries(env).filter(([name]) => handedOn.test(name)),
  )
  const prefixOf = (scope: string) => `ghcr-retention-${packageJson.version}-${scope}-`

  const talk = (folder: string, args: readonly string[], limit: number) =>
    run(program, args, {
      // A folder of its own for all that the library writes, so that nothing stays behind when it is given up.
      cwd: folder,
      env: { ...environment, GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder },
      timeout: Math.max(1, Math.round(limit)),
      killSignal: 'SIGKILL',
      signal: cancelled,
    })

  const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
    const folder = await mkdtemp(join(env.RUNNER_TEMP ?? tmpdir(), 'ghcr-retention-'))
    return work(folder).finally(() => rm(folder, { recursive: true, force: true }))
  }

  return {
    restore: (scope, limit) =>
      inFolder(async (folder) => {
        const prefix = prefixOf(scope)
        await talk(folder, ['restore', prefix + runOf(env), prefix], limit)
        return readFile(join(folder, memoryFile), 'utf8').catch(() => undefined)
      }),
    save: (scope, text, limit) =>
      inFolder(async (folder) => {
        await writeFile(join(folder, memoryFile), text)
        const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
        await talk(folder, ['save', `${prefixOf(scope)}${runOf(env)}-${hash}`], limit)
      }),
  }
}

/** An entry that was begun and never finished blocks its key for good, so no other run tries the same one. */
function runOf({ GITHUB_RUN_ID: id = '0', GITHUB_RUN_ATTEMPT: attempt = '1' }: NodeJS.ProcessEnv) {
  return `${id}-${attempt}`
}

/** Runs the program to its end. @throws Error when it takes too long, or says that it failed */
function run(
  program: string,
  args: readonly string[],
  options: Parameters<typeof spawn>[2],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { ...options, stdio: 'pipe' })
    let words = ''
    const hear = (chunk: Buffer) => {
      if (words.length < mostWords) words += chunk.toString('utf8')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.stdin.end()
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const trouble = troubleIn(words)
      if (signal === 'SIGKILL') reject(new Error('it took too long'))
      else if (trouble !== undefined) reject(new Error(trouble))
      else if (code !== 0) reject(new Error(`its process ended with ${String(code)}`))
      else resolve()
    })
  })
}

/** Why it failed. The library never throws but writes it for the runner; addresses in it may be signed. */
function troubleIn(words: string): string | undefined {
  const [, trouble] = /^(?:::\w+::)?(Failed.*)$/m.exec(words) ?? []
  return trouble?.replace(/https?:\/\/\S+/g, '…').trim()
}
