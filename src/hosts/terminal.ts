import { writeFile } from 'node:fs/promises'
import { Presets, SingleBar } from 'cli-progress'
import type { Host, Progress, TextStore } from '../host.js'
import type { LogLevel } from '../input-readers.js'
import type { Environment, RawInputs } from '../inputs.js'
import { logLine } from '../report/escape.js'
import { cancellation, hiding, inChunks, levelFilter } from './telling.js'

export interface TerminalOptions {
  readonly inputs: RawInputs
  readonly environment: Environment
  /** Where to keep the plan file, or undefined. */
  readonly planPath: string | undefined
  /** Keeps manifests between runs, or undefined. */
  readonly memory: TextStore | undefined
  readonly out: NodeJS.WriteStream
  readonly err: NodeJS.WriteStream
}

/** A terminal as a host: plain lines, and a progress bar where a person is watching. */
export function terminalHost(options: TerminalOptions): Host {
  const { inputs, environment, planPath, memory, out, err } = options
  const secrets = hiding()
  const level = levelFilter()
  let indent = ''
  const progress = progressBar(err)
  const write = (stream: NodeJS.WriteStream, lead: string, message: string) => {
    progress.clear()
    for (const line of message.split('\n')) {
      stream.write(`${indent}${lead}${logLine(secrets.conceal(line))}\n`)
    }
  }
  return {
    inputs,
    unknownInputs: [],
    cancelled: cancellation(),
    memory,
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
      isDebug: () => level.shows('debug'),
      group: (title) => {
        if (level.shows('info')) write(out, '', title)
        indent = '  '
      },
      endGroup: () => {
        indent = ''
      },
    },
    progress,
    writePlan: async (pieces) => {
      if (planPath !== undefined) await writeFile(planPath, inChunks(pieces, secrets.conceal))
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
function progressBar(stream: NodeJS.WriteStream): Progress & { clear: () => void } {
  const bar = new SingleBar(
    {
      stream,
      format: '{what} {bar} {value}/{total} {outlook}',
      barsize: 15,
      hideCursor: true,
      clearOnComplete: true,
      noTTYOutput: false,
    },
    Presets.shades_classic,
  )
  return {
    isShown: stream.isTTY,
    // The bar draws itself again under whatever was written in its place.
    clear: () => {
      if (stream.isTTY && bar.isActive) stream.write('\r\u001b[K')
    },
    start: (total, what) => {
      if (stream.isTTY) bar.start(total, 0, { what, outlook: '' })
    },
    update: (done, total, outlook) => {
      if (!stream.isTTY) return
      bar.setTotal(total)
      bar.update(done, { outlook })
    },
    stop: () => {
      if (stream.isTTY) bar.stop()
    },
  }
}
