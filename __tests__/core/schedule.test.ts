import { describe, expect, test } from '@jest/globals'
import { isOnTheHour, readSchedule, scheduleText } from '../../src/policy/schedule.js'

describe('a schedule', () => {
  test.each([
    ['17 3 * * *', '17 3 * * *'],
    ['  0\t 03  *\n* * ', '0 3 * * *'],
    ['0 3 * * sun', '0 3 * * SUN'],
    ['0 3 * jan,Jul Mon-fri', '0 3 * JAN,JUL MON-FRI'],
    ['0 0 * * SUN-2', '0 0 * * SUN-2'],
    ['0 000 001 * *', '0 0 1 * *'],
    ['20/15 * * * *', '20/15 * * * *'],
    ['28 5,*/4,6-8 * * *', '28 5,*/4,6-8 * * *'],
    ['30 4-6/2 * * *', '30 4-6/2 * * *'],
    ['0 4-4 * * *', '0 4-4 * * *'],
    ['*/5 * * * *', '*/5 * * * *'],
    ['1,56 * * * *', '1,56 * * * *'],
    ['0 3 29 2 *', '0 3 29 2 *'],
    ['0 3 31 2 MON', '0 3 31 2 MON'],
    ['0 3 31 2,3 *', '0 3 31 2,3 *'],
    ['58,1 3,23 * * *', '58,1 3,23 * * *'],
    ['1,57 0,23 1 * *', '1,57 0,23 1 * *'],
    ['59 */1 31 */12 */6', '59 */1 31 */12 */6'],
  ])('%j is taken as %j', (text, normalised) => {
    expect(readSchedule(text)).toBe(normalised)
    expect(readSchedule(normalised)).toBe(normalised)
  })

  const values = ', "*", lists such as "1,4", ranges such as "1-4" and steps such as "*/2"'
  test.each([
    ['60 3 * * *', '"60" is no minute; it takes 0-59'],
    ['0 24 * * *', '"24" is no hour; it takes 0-23'],
    ['0 3 0 * *', '"0" is no day of the month; it takes 1-31'],
    ['0 3 32 * *', '"32" is no day of the month; it takes 1-31'],
    ['0 3 * 13 *', '"13" is no month; it takes 1-12 or JAN-DEC'],
    ['0 3 * 0 *', '"0" is no month; it takes 1-12 or JAN-DEC'],
    ['0 3 * * 7', '"7" is no day of the week; it takes 0-6 or SUN-SAT (Sunday is 0)'],
    ['0 3 * * 1,BUN', '"BUN" is no day of the week; it takes 0-6 or SUN-SAT (Sunday is 0)'],
    ['0 3 * SUN *', '"SUN" is no month; it takes 1-12 or JAN-DEC'],
    ['JAN 3 * * *', '"JAN" is no minute; it takes 0-59'],
    ['0 3 L * *', '"L" is no day of the month; it takes 1-31'],
    ['0 3 ? * *', '"?" is no day of the month; it takes 1-31'],
    ['0 3 * * 1#2', '"1#2" is no day of the week; it takes 0-6 or SUN-SAT (Sunday is 0)'],
    ['0 -1 * * *', '"-1" is no hour; it takes 0-23'],
    ['0 1- * * *', '"1-" is no hour; it takes 0-23'],
    ['0 5--6 * * *', '"5--6" is no hour; it takes 0-23'],
    ['0 1-2-3 * * *', '"1-2-3" is no hour; it takes 0-23'],
    ['0 *-4 * * *', '"*-4" is no hour; it takes 0-23'],
    ['0 1, * * *', '"" is no hour; it takes 0-23'],
    ['0 ** * * *', '"**" is no hour; it takes 0-23'],
    ['0 /2 * * *', '"/2" is no hour; it takes 0-23'],
    ['0 2/ * * *', '"2/" is no hour; it takes 0-23'],
    ['0 2/* * * *', '"2/*" is no hour; it takes 0-23'],
    ['0 2/4-5 * * *', '"2/4-5" is no hour; it takes 0-23'],
    ['0 2/4/6 * * *', '"2/4/6" is no hour; it takes 0-23'],
    ['1.5 3 * * *', '"1.5" is no minute; it takes 0-59'],
    ['0x1 3 * * *', '"0x1" is no minute; it takes 0-59'],
    ['0 22-4 * * *', '"22-4" runs backwards and is no hour; it takes 0-23'],
    [
      '0 3 * * FRI-TUE',
      '"FRI-TUE" runs backwards and is no day of the week; it takes 0-6 or SUN-SAT (Sunday is 0)',
    ],
    ['0 */0 * * *', '"*/0" has a step outside 1-23 and is no hour; it takes 0-23'],
    ['*/60 3 * * *', '"*/60" has a step outside 1-59 and is no minute; it takes 0-59'],
  ])('%j is answered with the field, what was found and what it takes', (text, words) => {
    expect(() => readSchedule(text)).toThrow(new Error(`${words}${values}`))
  })

  const five =
    'it takes 5 fields such as "17 3 * * *": minute, hour, day of the month, month and day of the week'
  test.each([
    [' ', '" " is empty'],
    ['0 3 * *', '"0 3 * *" has 4 fields'],
    ['daily', '"daily" has 1 field'],
    ['@daily', '"@daily" has "@daily", and GitHub takes no such names'],
    ['@every 5m', '"@every 5m" has "@every", and GitHub takes no such names'],
    ['0 0 3 * * *', '"0 0 3 * * *" has 6 fields, and GitHub takes no seconds and no years'],
    ['TZ=UTC 0 3 * * *', '"TZ=UTC 0 3 * * *" names a time zone, and schedules are in UTC'],
    ['CRON_TZ=x 0 3 * * *', '"CRON_TZ=x 0 3 * * *" names a time zone, and schedules are in UTC'],
    ['1,'.repeat(129), `"${'1,'.repeat(40)}…" is longer than 256 characters`],
  ])('%j as a whole is answered with what it takes', (text, words) => {
    expect(() => readSchedule(text)).toThrow(new Error(`${words}; ${five}`))
  })

  test.each([
    ['* 3 * * *', '*'],
    ['*/4 * * * *', '*/4'],
    ['0-10/4 3 1 * *', '0-10/4'],
    ['0,57 * * * *', '0,57'],
    ['2,58 3,4 1 * *', '2,58'],
    ['2,58 0,23 * * *', '2,58'],
  ])('%s comes more often than GitHub starts anything', (text, minute) => {
    expect(() => readSchedule(text)).toThrow(
      new Error(
        `"${text}" comes more often than every 5 minutes, which GitHub does not do; look at its minute, "${minute}"`,
      ),
    )
  })

  test.each([
    ['0 3 31 2 *', 'day 31 in month 2'],
    ['0 3 30-31 feb *', 'day 30-31 in month FEB'],
    ['0 3 31 4,6,9,11 *', 'day 31 in month 4,6,9,11'],
  ])('%s never comes', (text, words) => {
    expect(() => readSchedule(text)).toThrow(`never comes: there is no ${words}`)
  })
})

describe('a schedule in words', () => {
  test.each([
    ['0 3 * * *', 'every day at 03:00 UTC'],
    ['30 5,17 * * 0-6', 'every day at 05:30 and 17:30 UTC'],
    ['7 */6 * * *', 'every day at 00:07, 06:07, 12:07 and 18:07 UTC'],
    ['30 4 * * SUN', 'Sundays at 04:30 UTC'],
    ['30 4 * * 4,1', 'Mondays and Thursdays at 04:30 UTC'],
    ['30 4 * * 1-2', 'Mondays and Tuesdays at 04:30 UTC'],
    ['30 4 * * MON-FRI', 'Mondays to Fridays at 04:30 UTC'],
    [
      '30 4 * * 0,2-6',
      'Sundays, Tuesdays, Wednesdays, Thursdays, Fridays and Saturdays at 04:30 UTC',
    ],
    ['0 3 1 * *', 'on day 1 of every month at 03:00 UTC'],
    ['0 3 1,15 * *', 'on days 1 and 15 of every month at 03:00 UTC'],
    ['5 * * * *', 'every hour at 05 minutes past (UTC)'],
    ['5 * * * 6', 'Saturdays, every hour at 05 minutes past (UTC)'],
    ['0 3 1-7 * 1', 'by the schedule 0 3 1-7 * 1 (UTC)'],
    ['0 3 1-5 * *', 'by the schedule 0 3 1-5 * * (UTC)'],
    ['0 3 * 1 *', 'by the schedule 0 3 * 1 * (UTC)'],
    ['0 3 1 * 0-6', 'by the schedule 0 3 1 * 0-6 (UTC)'],
    ['0,30 3 * * *', 'by the schedule 0,30 3 * * * (UTC)'],
    ['0 8-12 * * *', 'by the schedule 0 8-12 * * * (UTC)'],
  ])('%s comes %s', (cron, words) => {
    expect(scheduleText(cron)).toBe(words)
  })

  test.each([
    ['0 3 * * *', true],
    ['*/20 3 * * *', true],
    ['17 0 * * *', false],
  ])('%s comes on the hour: %s', (cron, is) => {
    expect(isOnTheHour(cron)).toBe(is)
  })
})
