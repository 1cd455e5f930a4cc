import type { LogLevel } from '../inputs.js'

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

/** Keeps secrets out of texts, in the clear and as the registry's base64 forms. */
export function hiding() {
  const hidden = new Set<string>()
  return {
    hide: (secret: string) => {
      if (secret === '') return
      hidden.add(secret)
      hidden.add(Buffer.from(secret).toString('base64'))
      hidden.add(Buffer.from(`token:${secret}`).toString('base64'))
    },
    conceal: (text: string) => {
      let safe = text
      for (const secret of hidden) safe = safe.replaceAll(secret, '***')
      return safe
    },
  }
}
