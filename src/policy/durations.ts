import ms from 'ms'

const day = ms('1d')

/** Months and years have no fixed length; these are the averages of the Gregorian calendar, as other tools take them. */
const units: readonly (readonly [names: readonly string[], length: number])[] = [
  [['s', 'sec', 'secs', 'second', 'seconds'], ms('1s')],
  [['m', 'min', 'mins', 'minute', 'minutes'], ms('1m')],
  [['h', 'hr', 'hrs', 'hour', 'hours'], ms('1h')],
  [['d', 'day', 'days'], day],
  [['w', 'wk', 'wks', 'week', 'weeks'], ms('1w')],
  [['M', 'month', 'months'], 30.44 * day],
  [['y', 'yr', 'yrs', 'year', 'years'], 365.25 * day],
]

const wholeUnits = [
  ['y', 365.25 * day],
  ['M', 30.44 * day],
] as const

const lengths = new Map<string | undefined, number>(
  units.flatMap(([names, length]) => names.map((name) => [name, length])),
)

/** What a duration may look like, for messages. */
export const durationForm =
  'a duration such as "2w 3d", "1h30m", "1 day 2 hours" or "0s"; units are s, m, h, d, w, M (month) and y'

/** What {@link parseDuration} takes, as an expression for editors. */
export const durationPattern = `^\\s*(\\d{1,9}\\s*(${units.flatMap(([names]) => names).join('|')})\\s*)+$`

/**
 * Reads a duration: whole numbers with units, added up. Case matters only for `m` (minute) and `M` (month).
 *
 * @returns milliseconds, or undefined when the text is anything else; a bare number is not a duration
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (!/^(?:\d{1,9}\s*[A-Za-z]+\s*)+$/.test(trimmed)) return undefined
  let total = 0
  for (const [, count, name] of trimmed.matchAll(/(\d+)\s*([A-Za-z]+)/g)) {
    const length = lengths.get(name)
    if (length === undefined) return undefined
    total += Number(count) * length
  }
  return total
}

/**
 * A duration for people: at most two units, nothing below a second: `41d`, `1h 30m`. Days are the largest unit, but for
 * whole months and years that are no whole days, which somebody will have written so.
 */
export function formatDuration(duration: number): string {
  if (duration < 0) return `-${formatDuration(-duration)}`
  const written = wholeUnits.find(([, length]) => duration > 0 && duration % length === 0)
  if (written !== undefined && duration % day !== 0) return `${duration / written[1]}${written[0]}`
  const seconds = Math.floor(duration / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return '0s'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${String(count)}${unit}`)
    .join(' ')
}
