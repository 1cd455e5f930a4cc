/** A stage for one case: the emulator in one process, the built action in another. */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from '../bundle.mjs'

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** Bundles one of the files beside this one, which import the product's source. @returns where it is */
export async function bundled(name) {
  const outfile = join(folder, name)
  await build({
    entryPoints: [join(root, 'scripts/bench', name)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  })
  return outfile
}

const service = await bundled('service.mjs')

/** What makes a process live faster than time does, and agree with others that do. */
function hurrying(factor, since) {
  return factor === 1
    ? { args: [], env: {} }
    : {
        args: ['--import', pathToFileURL(join(root, 'scripts/hurry.mjs')).href],
        env: { HURRY_FACTOR: String(factor), HURRY_SINCE: String(since) },
      }
}

/**
 * Starts an emulator of its own for one case.
 * @param {number} factor how much faster all clocks of the case go
 */
export async function stage(factor = 1) {
  const since = Date.now()
  const { args, env } = hurrying(factor, since)
  const child = fork(service, { execArgv: args, env: { ...process.env, ...env } })
  const answer = async () => (await once(child, 'message'))[0].answer
  const place = await answer()
  return {
    factor,
    /** Asks the emulator for something; see service.mjs. */
    ask: (wish, wanted) => {
      child.send({ wish, with: wanted })
      return answer()
    },
    prune: (inputs) => prune(place, inputs, args, env),
    close: async () => {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

let runs = 0

/** Runs the built action to its end, with a cache at hand. Seconds are real ones, whatever the clocks say. */
async function prune({ apiUrl, registryUrl, cacheUrl }, inputs, args, env) {
  const output = join(folder, `output-${Math.random()}`)
  writeFileSync(output, '')
  const given = {
    account: 'acme',
    token: 'ghp_emulator_all',
    'image-names': 'app',
    'image-tags': 'pr-*',
    'cut-off': '30d',
    registry: registryUrl,
    ...inputs,
  }
  const entries = Object.entries(given).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ])
  const child = spawn(process.execPath, [...args, join(root, 'dist/index.js')], {
    env: {
      PATH: process.env.PATH,
      ...env,
      GITHUB_API_URL: apiUrl,
      GITHUB_OUTPUT: output,
      GITHUB_RUN_ID: String(++runs),
      ACTIONS_CACHE_SERVICE_V2: 'True',
      ACTIONS_RESULTS_URL: `${cacheUrl}/`,
      ACTIONS_RUNTIME_TOKEN: 'emulator_runtime',
      RUNNER_TEMP: folder,
      ...Object.fromEntries(entries),
    },
  })
  const begun = performance.now()
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text))
  const [exitCode] = await once(child, 'close')
  const seconds = (performance.now() - begun) / 1000
  return { exitCode, log, seconds, outputs: readOutputs(readFileSync(output, 'utf8')) }
}

function readOutputs(text) {
  const entries = text.matchAll(/^(\S+)<<(\S+)\n([\s\S]*?)\n?^\2$/gm)
  return Object.fromEntries([...entries].map(([, name, , value]) => [name, value.trim()]))
}
