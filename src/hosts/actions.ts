import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import type { Host } from '../host.js'
import { shortestToken, type LogLevel } from '../input-readers.js'
import { inputDefinitions } from '../input-table.js'
import type { RawInputs } from '../inputs.js'
import { logLine } from '../report/escape.js'
import { cacheStore } from './cache-store.js'
import { cancellation, hiding, inChunks, levelFilter } from './telling.js'

/**
 * The Actions runner as a host: inputs from `INPUT_…`, outputs and summary to the runner's files.
 *
 * @param cacheProgram the path of the bundle that talks to the cache
 */
export function actionsHost(env: NodeJS.ProcessEnv, cacheProgram: string): Host {
  const secrets = hiding()
  const safe = (text: string) => logLine(secrets.conceal(text))
  const level = levelFilter()
  const lines = (message: string) => message.split('\n').map(safe)
  const cancelled = cancellation()
  return {
    inputs: readInputs(),
    unknownInputs: unknownInputs(env),
    cancelled,
    memory: cacheStore(env, cacheProgram, cancelled),
    environment: {
      repository: env.GITHUB_REPOSITORY === '' ? undefined : env.GITHUB_REPOSITORY,
      workspace: env.GITHUB_WORKSPACE ?? process.cwd(),
      apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
      serverUrl: env.GITHUB_SERVER_URL ?? 'https://github.com',
    },
    log: {
      error: (message) => {
        core.error(lines(message).join('\n'))
      },
      warn: (message) => {
        if (level.shows('warn')) core.warning(lines(message).join('\n'))
      },
      info: (message) => {
        if (level.shows('info')) core.info(safe(message))
      },
      // Without log-level debug, the runner itself decides: it shows these when a run is repeated with debug logging.
      debug: (message) => {
        if (level.shows('debug')) core.info(safe(message))
        else core.debug(safe(message))
      },
      isDebug: () => level.shows('debug') || core.isDebug(),
      group: (title) => {
        if (level.shows('info')) core.startGroup(safe(title))
      },
      endGroup: () => {
        if (level.shows('info')) core.endGroup()
      },
    },
    progress: { isShown: false, start: nothing, update: nothing, stop: nothing },
    writePlan: async (pieces) => {
      const folder = await mkdtemp(join(env.RUNNER_TEMP ?? tmpdir(), 'ghcr-retention-'))
      const path = join(folder, 'plan.json')
      await writeFile(path, inChunks(pieces, secrets.conceal))
      return path
    },
    finish: async ({ outputs, summary }) => {
      for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
      if (env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(secrets.conceal(summary)).write()
    },
    hide: (secret) => {
      if (secret === '') return
      if (secret.length >= shortestToken) core.setSecret(secret)
      secrets.hide(secret)
    },
    setLevel: (chosen: LogLevel) => {
      level.set(chosen)
    },
  }
}

function readInputs(): RawInputs {
  const names = Object.keys(inputDefinitions) as (keyof typeof inputDefinitions)[]
  return Object.fromEntries(names.map((name) => [name, core.getInput(name)]))
}

/** The runner only warns of an input that does not exist, and passes it on. */
function unknownInputs(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((key) => key.startsWith('INPUT_'))
    .map((key) => key.slice('INPUT_'.length).toLowerCase())
    .filter((name) => !Object.hasOwn(inputDefinitions, name))
}

function nothing(): void {
  // The log has lines of its own for progress.
}
