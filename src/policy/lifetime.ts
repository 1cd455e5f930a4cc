import { parseDuration } from './durations.js'

/**
 * Reads the lifetime that an image states: a duration. Quay takes whole numbers of s, m, h, d or w, which are durations
 * too, and to Quay anything else means never (people write `never`), and so does zero:
 * https://github.com/quay/quay/blob/master/util/timedeltastring.py
 *
 * @returns milliseconds, or undefined when the image states no end
 */
export function parseLifetime(text: string): number | undefined {
  const lifetime = parseDuration(text)
  return lifetime === 0 ? undefined : lifetime
}
