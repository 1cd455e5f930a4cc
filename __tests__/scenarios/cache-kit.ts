import { gunzipSync, gzipSync } from 'node:zlib'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import { runAction, type ActionRun } from './kit.js'

let lastRun = 0

/** What the runner tells a step of the cache service, and which run it is. */
export function cacheEnvironment({ cacheUrl }: Pick<Emulator, 'cacheUrl'>): Record<string, string> {
  lastRun += 1
  return {
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ACTIONS_RESULTS_URL: `${cacheUrl}/`,
    ACTIONS_RUNTIME_TOKEN: 'emulator_runtime',
    GITHUB_RUN_ID: String(lastRun),
  }
}

/** What one run asked for. */
export interface Asked {
  /** Digests of the manifests that were read. */
  reads: string[]
  /** Calls of the cache service, and requests to its storage by their method. */
  cache: string[]
}

/** Runs the built action with a cache at hand, and tells what this run alone asked for. */
export async function runWithCache(
  emulator: Emulator,
  inputs: Partial<Record<InputName, string>> = {},
): Promise<ActionRun & Asked> {
  const before = emulator.requests.length
  const run = await runAction(emulator, inputs, cacheEnvironment(emulator))
  const requests = emulator.requests.slice(before)
  const reads = requests
    .filter(({ method, kind }) => method === 'GET' && kind === 'manifest')
    .map(({ path }) => path.replace(/^.*\//, ''))
  const cache = requests
    .filter(({ service }) => service === 'cache')
    .map(({ method, path }) => /CacheService\/(\w+)$/.exec(path)?.[1] ?? method)
  return { ...run, reads, cache }
}

/** What a run asks of the cache when it finds something there, and when it saves something. */
export const calls = {
  miss: ['GetCacheEntryDownloadURL'],
  hit: ['GetCacheEntryDownloadURL', 'GET'],
  save: ['CreateCacheEntry', 'PUT', 'FinalizeCacheEntryUpload'],
}

/** The text that was saved last. */
export function remembered({ cache }: Emulator): string {
  const entry = cache.entries.at(-1)
  return entry === undefined ? '' : gunzipSync(cache.contentOf(entry)).toString('utf8')
}

/** Puts another text, or other bytes, where the last one was saved. */
export function replaceRemembered({ cache }: Emulator, content: string | Uint8Array): void {
  const entry = cache.entries.at(-1)
  if (entry === undefined) throw new Error('nothing was saved')
  cache.alter(entry, typeof content === 'string' ? gzipSync(content) : content)
}

/** What a reader sees of a log: the runner shows debug lines only when asked for them. */
export function shown({ log }: ActionRun): string[] {
  return log.split('\n').filter((line) => !line.startsWith('::debug::'))
}
