import { describe, expect, test } from '@jest/globals'
import { formatDuration, parseDuration } from '../../src/policy/durations.js'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

describe('a duration', () => {
  test.each([
    ['0s', 0],
    ['30s', 30 * second],
    ['5m', 5 * minute],
    ['6M', 6 * 30.44 * day],
    ['1h30m', 90 * minute],
    ['2w 3d', 17 * day],
    ['1 day 2 hours', 26 * hour],
    ['1day2hours', 26 * hour],
    ['1 month', 30.44 * day],
    ['2 months', 2 * 30.44 * day],
    ['1y', 365.25 * day],
    ['3 years 1 week', 3 * 365.25 * day + 7 * day],
    ['1 sec 1 min 1 hr', hour + minute + second],
    ['1h 1h', 2 * hour],
    ['  4w  ', 28 * day],
  ])('%j is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBeCloseTo(expected)
  })

  test.each([
    [second, ['s', 'sec', 'secs', 'second', 'seconds']],
    [minute, ['m', 'min', 'mins', 'minute', 'minutes']],
    [hour, ['h', 'hr', 'hrs', 'hour', 'hours']],
    [day, ['d', 'day', 'days']],
    [7 * day, ['w', 'wk', 'wks', 'week', 'weeks']],
    [30.44 * day, ['M', 'month', 'months']],
    [365.25 * day, ['y', 'yr', 'yrs', 'year', 'years']],
  ])('of %d ms has the units %j', (length, names) => {
    for (const name of names) expect(parseDuration(`12 ${name}`)).toBeCloseTo(12 * length)
  })

  test.each([
    ['30', 'a bare number'],
    ['', 'nothing'],
    ['d', 'no number'],
    ['-1d', 'a negative'],
    ['1.5h', 'a fraction'],
    ['1D', 'another case'],
    ['5Min', 'another case'],
    ['10ms', 'an unknown unit'],
    ['1 fortnight', 'an unknown unit'],
    ['1d,2h', 'a list'],
    ['abc', 'a word'],
    ['1d 30', 'a number without unit at the end'],
    ['1e3d', 'an exponent'],
    ['9999999999d', 'too many digits'],
  ])('%j is none: %s', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

test.each([
  [0, '0s'],
  [999, '0s'],
  [61 * second, '1m 1s'],
  [90 * minute, '1h 30m'],
  [2 * day, '2d'],
  [41 * day + 5 * hour + 3 * minute, '41d 5h'],
  [day + 3 * minute, '1d'],
  [-90 * minute, '-1h 30m'],
  [365.25 * day, '1y'],
  [3 * 365.25 * day, '3y'],
  [4 * 365.25 * day, '1461d'],
  [30.44 * day, '1M'],
  [6 * (30.44 * day), '6M'],
  [25 * (30.44 * day), '761d'],
  [365.25 * day + hour, '365d 7h'],
  [-365.25 * day, '-1y'],
])('%d ms reads %j', (duration, expected) => {
  expect(formatDuration(duration)).toBe(expected)
})
