/** One field of a cron expression. */
interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  /** Names of the values from {@link least} on. */
  readonly words: readonly string[]
  /** The values that it takes, for messages. */
  readonly form: string
}

const months = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const weekdays = 'SUN MON TUE WED THU FRI SAT'.split(' ')

/** https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule */
const fields = [
  { name: 'minute', least: 0, most: 59, words: [], form: '0-59' },
  { name: 'hour', least: 0, most: 23, words: [], form: '0-23' },
  { name: 'day of the month', least: 1, most: 31, words: [], form: '1-31' },
  { name: 'month', least: 1, most: 12, words: months, form: '1-12 or JAN-DEC' },
  {
    name: 'day of the week',
    least: 0,
    most: 6,
    words: weekdays,
    form: '0-6 or SUN-SAT (Sunday is 0)',
  },
] as const satisfies readonly Field[]

/** GitHub starts nothing more often; what it does with such a schedule is not documented. */
const shortestInterval = 5
const longestText = 256

/** A field as it was written, and the values that it stands for in ascending order. */
interface FieldValues {
  readonly text: string
  readonly values: readonly number[]
}

interface Schedule {
  /** The whole expression, normalised. */
  readonly text: string
  readonly minute: FieldValues
  readonly hour: FieldValues
  readonly day: FieldValues
  readonly month: FieldValues
  readonly weekday: FieldValues
}

/**
 * Checks a cron expression as GitHub Actions takes them: five fields with numbers or names, lists, ranges and steps, in
 * UTC.
 *
 * @returns the expression with one space between fields, names in capitals, and numbers without leading zeros
 * @throws Error in words for the reader that name the field, what was found and what it takes
 */
export function readSchedule(text: string): string {
  const schedule = parse(text)
  const { minute, day, month, weekday } = schedule
  if (weekday.text === '*' && !hasSuchADay(day.values, month.values))
    throw new Error(
      `${quote(schedule.text)} never comes: there is no day ${day.text} in month ${month.text}`,
    )
  if (isTooOften(schedule))
    throw new Error(
      `${quote(schedule.text)} comes more often than every ${shortestInterval} minutes, which GitHub does not do; look at its minute, ${quote(minute.text)}`,
    )
  return schedule.text
}

/** When a valid schedule comes, as words that can follow "It runs". */
export function scheduleText(cron: string): string {
  const schedule = parse(cron)
  const days = daysText(schedule)
  const times = timesText(schedule)
  if (days === undefined || times === undefined) return `by the schedule ${schedule.text} (UTC)`
  const isHourly = !times.startsWith('at')
  return isHourly && days === 'every day' ? times : `${days}${isHourly ? ',' : ''} ${times}`
}

/** Whether a valid schedule comes at the start of an hour, when GitHub is at its busiest. */
export function isOnTheHour(cron: string): boolean {
  return parse(cron).minute.values.includes(0)
}

function parse(text: string): Schedule {
  const found = text.trim().split(/\s+/)
  checkWhole(text, found)
  const [minute, hour, day, month, weekday] = fields.map((field, at) =>
    readField(field, found[at] ?? ''),
  ) as [FieldValues, FieldValues, FieldValues, FieldValues, FieldValues]
  const normalised = [minute, hour, day, month, weekday].map((field) => field.text).join(' ')
  return { text: normalised, minute, hour, day, month, weekday }
}

const namesOfFields = 'minute, hour, day of the month, month and day of the week'
const example = 'such as "17 3 * * *"'

function checkWhole(text: string, found: readonly string[]): void {
  const [first = ''] = found
  const fail = (why: string) => {
    throw new Error(`${quote(text)} ${why}; it takes 5 fields ${example}: ${namesOfFields}`)
  }
  if (text.length > longestText) fail(`is longer than ${longestText} characters`)
  if (first === '') fail('is empty')
  if (first.startsWith('@')) fail(`has ${quote(first)}, and GitHub takes no such names`)
  if (/^(?:CRON_)?TZ=/i.test(first)) fail('names a time zone, and schedules are in UTC')
  if (found.length === 6) fail('has 6 fields, and GitHub takes no seconds and no years')
  if (found.length !== 5) fail(`has ${found.length} field${found.length === 1 ? '' : 's'}`)
}

function readField(field: Field, text: string): FieldValues {
  const values = text.split(',').flatMap((part) => readPart(field, part))
  const normalised = text.toUpperCase().replace(/\d+/g, (digits) => String(Number(digits)))
  return { text: normalised, values: [...new Set(values)].sort((a, b) => a - b) }
}

const partForm = /^(?:\*|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d+))?$/

/** One entry of a list: every value, one value or a range of them, with or without a step. */
function readPart(field: Field, part: string): number[] {
  const groups = partForm.exec(part)?.groups
  if (groups === undefined) throw notOne(field, part)
  const { from, to, step } = groups
  const first = from === undefined ? field.least : valueOf(field, from, part)
  // "20/15" begins at 20 and goes on to the end, as "20-59/15" does.
  const open = from === undefined || step !== undefined ? field.most : first
  const last = to === undefined ? open : valueOf(field, to, part)
  if (last < first) throw notOne(field, part, 'runs backwards and')
  const by = Number(step ?? 1)
  if (by < 1 || by > field.most) throw notOne(field, part, `has a step outside 1-${field.most} and`)
  return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, at) => first + at * by)
}

function valueOf(field: Field, text: string, part: string): number {
  const named = field.words.indexOf(text.toUpperCase())
  const value = named === -1 ? Number(/^\d+$/.test(text) ? text : NaN) : named + field.least
  if (value >= field.least && value <= field.most) return value
  throw notOne(field, part)
}

function notOne({ name, form }: Field, part: string, why = ''): Error {
  return new Error(
    `${quote(part)} ${why === '' ? '' : `${why} `}is no ${name}; it takes ${form}, "*", lists such as "1,4", ranges such as "1-4" and steps such as "*/2"`,
  )
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** In a leap year. */
const lengthOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function hasSuchADay(days: readonly number[], among: readonly number[]): boolean {
  return among.some((month) => days.some((day) => day <= (lengthOfMonth[month - 1] ?? 0)))
}

function isTooOften({ minute, hour, day, month, weekday }: Schedule): boolean {
  const isDaily = [day, month, weekday].every(({ text }) => text === '*')
  const hours = isDaily && hour.values[0] === 0 ? [...hour.values, 24] : hour.values
  const isHourAfterHour = hours.some((value) => hours.includes(value + 1))
  const [first = 0, ...others] = minute.values
  const minutes = [first, ...others, ...(isHourAfterHour ? [first + 60] : [])]
  return minutes.some((value, at) => value - (minutes[at - 1] ?? -Infinity) < shortestInterval)
}

/** British English has no comma before the last one. */
const list = new Intl.ListFormat('en-GB', { type: 'conjunction' })
const mostInWords = 4

function daysText({ day, month, weekday }: Schedule): string | undefined {
  if (month.text !== '*') return undefined
  if (day.text === '*') return weekdaysText(weekday.values)
  if (weekday.text !== '*' || day.values.length > mostInWords) return undefined
  const days = list.format(day.values.map(String))
  return `on day${day.values.length === 1 ? '' : 's'} ${days} of every month`
}

const weekdayNames = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

function weekdaysText(values: readonly number[]): string {
  if (values.length === weekdayNames.length) return 'every day'
  const names = values.map((value) => `${weekdayNames[value] ?? ''}s`)
  const [first = 0] = values
  const isRun = values.length > 2 && values.every((value, at) => value === first + at)
  return isRun ? `${names[0] ?? ''} to ${names.at(-1) ?? ''}` : list.format(names)
}

function timesText({ minute, hour }: Schedule): string | undefined {
  const [at] = minute.values
  if (at === undefined || minute.values.length > 1) return undefined
  const past = String(at).padStart(2, '0')
  if (hour.values.length === 24) return `every hour at ${past} minutes past (UTC)`
  if (hour.values.length > mostInWords) return undefined
  const times = hour.values.map((value) => `${String(value).padStart(2, '0')}:${past}`)
  return `at ${list.format(times)} UTC`
}
