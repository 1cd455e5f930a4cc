import { setMaxListeners } from 'node:events'
import { shortestToken, type LogLevel } from '../input-readers.js'
import { markdownText } from '../report/escape.js'

const levels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug']

/** Knows which levels are shown; `info` until it is told otherwise. */
export function levelFilter() {
  let shown = levels.indexOf('info')
  return {
    set: (level: LogLevel) => {
      shown = levels.indexOf(level)
    },
    shows: (level: LogLevel) => levels.indexOf(level) <= shown,
  }
}

/** Keeps secrets out of texts: in the clear, escaped for Markdown, and in the registry's base64 forms. */
export function hiding() {
  const hidden = new Set<string>()
  return {
    hide: (secret: string) => {
      if (secret.length < shortestToken) return
      hidden.add(secret)
      hidden.add(Buffer.from(secret).toString('base64'))
      hidden.add(Buffer.from(`token:${secret}`).toString('base64'))
      hidden.add(markdownText(secret))
    },
    conceal: (text: string) => {
      let safe = text
      for (const secret of hidden) safe = safe.replaceAll(secret, '***')
      return safe
    },
  }
}

/** Characters that are written to a file at once. */
const chunkLength = 100_000

/** Joins many small pieces to fewer larger ones, each made safe to write. */
export function* inChunks(
  pieces: Iterable<string>,
  conceal: (text: string) => string,
): Generator<string> {
  let chunk = ''
  for (const piece of pieces) {
    chunk += piece
    if (chunk.length < chunkLength) continue
    yield conceal(chunk)
    chunk = ''
  }
  yield conceal(chunk)
}

/**
 * Hears the first request to end the run, by Ctrl-C or by the runner; a second one ends the process at once.
 * https://docs.github.com/en/actions/reference/workflow-cancellation-reference
 */
export function cancellation(): AbortSignal {
  const controller = new AbortController()
  // Every sleep of the run listens; their number is no leak.
  setMaxListeners(0, controller.signal)
  const cancel = () => {
    controller.abort()
    process.off('SIGINT', cancel).off('SIGTERM', cancel)
  }
  process.on('SIGINT', cancel).on('SIGTERM', cancel)
  return controller.signal
}

/** A reader that went away (`… | head`) must not end a run in the middle of its deletes. */
export function surviveClosedPipe(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
