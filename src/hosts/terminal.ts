import { writeFile } from 'node:fs/promises'
import { Presets, SingleBar } from 'cli-progress'
import type { Host, Progress } from '../host.js'
import type { Environment, LogLevel, RawInputs } from '../inputs.js'
import { logLine } from '../report/escape.js'
import { hiding, levelFilter } from './telling.js'

export interface TerminalOptions {
  readonly inputs: RawInputs
  readonly environment: Environment
  /** Where to keep the plan file, or undefined. */
  readonly planPath: string | undefined
  readonly out: NodeJS.WriteStream
  readonly err: NodeJS.WriteStream
}

/** A terminal as a host: plain lines, and a progress bar where a person is watching. */
export function terminalHost({ inputs, environment, planPath, out, err }: TerminalOptions): Host {
  const secrets = hiding()
  const level = levelFilter()
  let indent = ''
  const write = (stream: NodeJS.WriteStream, lead: string, message: string) => {
    for (const line of message.split('\n')) {
      stream.write(`${indent}${lead}${logLine(secrets.conceal(line))}\n`)
    }
  }
  return {
    inputs,
    environment,
    log: {
      error: (message) => {
        write(err, 'error: ', message)
      },
      warn: (message) => {
        if (level.shows('warn')) write(err, 'warning: ', message)
      },
      info: (message) => {
        if (level.shows('info')) write(out, '', message)
      },
      debug: (message) => {
        if (level.shows('debug')) write(out, '', message)
      },
      group: (title) => {
        if (level.shows('info')) write(out, '', title)
        indent = '  '
      },
      endGroup: () => {
        indent = ''
      },
    },
    progress: progressBar(err),
    writePlan: async (text) => {
      if (planPath !== undefined) await writeFile(planPath, secrets.conceal(text))
      return planPath
    },
    finish: () => Promise.resolve(),
    hide: (secret) => {
      secrets.hide(secret)
    },
    setLevel: (chosen: LogLevel) => {
      level.set(chosen)
    },
  }
}

/** A bar on a terminal; elsewhere the log's own lines have to do. */
function progressBar(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar(
    {
      stream,
      format: '{bar} {value}/{total} deleted, {rate} a minute, {eta_formatted} left',
      hideCursor: true,
      clearOnComplete: true,
      noTTYOutput: false,
    },
    Presets.shades_classic,
  )
  return {
    start: (total) => {
      if (stream.isTTY) bar.start(total, 0, { rate: '-' })
    },
    update: (done, rate) => {
      if (stream.isTTY) bar.update(done, { rate: Math.round(rate) })
    },
    stop: () => {
      if (stream.isTTY) bar.stop()
    },
  }
}
