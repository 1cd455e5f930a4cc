import { describe, expect, test } from '@jest/globals'
import type { Candidate } from '../../src/policy/candidate.js'
import { day, now } from './kit.js'
import { candidate, judged } from './policy-kit.js'
import {
  truths,
  weekOf,
  type Around,
  type Truth,
  type WrittenConditions,
  type WrittenSelector,
} from './policy-oracle.js'

const world: Around = { pullRequests: [], branches: [], used: [] }
type Judge = (...asked: Parameters<typeof judged>) => Truth[]
const oracle: Judge = (written, around, images) => truths(written, around, images, now)

const judges: [who: string, judge: Judge][] = [
  ['the engine', judged],
  ['the oracle', oracle],
]

/** Which of the images one rule keeps. */
function kept<Image extends Candidate>(
  judge: Judge,
  keep: WrittenSelector,
  when: WrittenConditions,
  images: readonly Image[],
): Image[] {
  const rules = [{ name: 'rule', keep, when }]
  const said = judge({ protect: [], unmatched: 'keep', rules }, world, images)
  return images.filter((_, at) => said[at]?.keepRules.has('rule'))
}

type CalendarRow = [what: string, when: WrittenConditions, dates: string, kept: string]

/** Dates in UTC, the newest first; where one stands twice, the first has the higher id. */
const calendarRows: CalendarRow[] = [
  [
    'the newest of each day',
    { daily: 2 },
    '2025-12-31T23 2025-12-31T01 2025-12-30T23 2025-12-30T00 2025-12-29T12',
    '2025-12-31T23 2025-12-30T23',
  ],
  [
    'a day begins at midnight in UTC',
    { daily: 2 },
    '2025-12-31T00 2025-12-30T23 2025-12-29T23',
    '2025-12-31T00 2025-12-30T23',
  ],
  [
    'days without an image do not count',
    { daily: 3 },
    '2025-12-30T01 2025-12-01T01 2025-06-01T01 2024-01-01T01',
    '2025-12-30T01 2025-12-01T01 2025-06-01T01',
  ],
  [
    'the oldest while the count is not used up',
    { daily: 3 },
    '2025-12-31T03 2025-12-31T02 2025-12-31T01',
    '2025-12-31T03 2025-12-31T01',
  ],
  [
    'not the oldest when the count is just used up',
    { daily: 1 },
    '2025-12-31T03 2025-12-31T02 2025-12-31T01',
    '2025-12-31T03',
  ],
  [
    'not the oldest of the last day when the count is just used up',
    { daily: 2 },
    '2025-12-31T03 2025-12-30T02 2025-12-30T01',
    '2025-12-31T03 2025-12-30T02',
  ],
  [
    'hours',
    { hourly: 2 },
    '2025-12-31T03:59 2025-12-31T03:00 2025-12-31T02:59 2025-12-31T02:00 2025-12-30T02:30',
    '2025-12-31T03:59 2025-12-31T02:59',
  ],
  [
    'weeks begin on Mondays',
    { weekly: 2 },
    '2025-12-29T00 2025-12-28T23 2025-12-22T00 2025-12-21T23',
    '2025-12-29T00 2025-12-28T23',
  ],
  [
    'a week goes on over the turn of the year',
    { weekly: 2 },
    '2025-01-05T00 2024-12-30T00 2024-12-29T00 2024-12-20T00',
    '2025-01-05T00 2024-12-29T00',
  ],
  [
    'a week of one number in two years is two weeks',
    { weekly: 3 },
    '2025-12-31T00 2024-12-31T00 2023-01-03T00 2022-01-04T00',
    '2025-12-31T00 2024-12-31T00 2023-01-03T00',
  ],
  [
    'the first days of a year can be in a week of the year before',
    { weekly: 2 },
    '2021-01-04T00 2021-01-03T00 2020-12-28T00 2020-12-27T00',
    '2021-01-04T00 2021-01-03T00',
  ],
  [
    'months',
    { monthly: 2 },
    '2025-12-01T00 2025-11-30T23 2025-11-01T00 2024-12-15T00',
    '2025-12-01T00 2025-11-30T23',
  ],
  [
    'a month of two years is two months',
    { monthly: 2 },
    '2025-12-02T00 2024-12-02T00 2023-12-02T00',
    '2025-12-02T00 2024-12-02T00',
  ],
  [
    'years',
    { yearly: 2 },
    '2025-12-31T00 2025-01-01T00 2024-12-31T23 2024-01-01T00 2023-07-01T00',
    '2025-12-31T00 2024-12-31T23',
  ],
  [
    'any of several periods is enough',
    { daily: 2, monthly: 2 },
    '2025-12-31T00 2025-12-30T00 2025-12-29T00 2025-11-30T00 2025-11-29T00 2025-10-01T00',
    '2025-12-31T00 2025-12-30T00 2025-11-30T00',
  ],
  [
    'the oldest for the one period whose count is not used up',
    { daily: 1, yearly: 5 },
    '2025-12-31T00 2025-12-30T00 2025-12-29T00',
    '2025-12-31T00 2025-12-29T00',
  ],
  ['the higher id of one moment', { daily: 1 }, '2025-12-31T00 2025-12-31T00', '2025-12-31T00'],
  [
    'the oldest of one moment is the lower id',
    { daily: 2 },
    '2025-12-31T00 2025-12-31T00 2025-12-31T00',
    '2025-12-31T00 2025-12-31T00',
  ],
  ['what is from the future, too', { daily: 1 }, '2026-02-01T00 2025-12-31T00', '2026-02-01T00'],
  ['a single image', { yearly: 1 }, '2019-05-05T00', '2019-05-05T00'],
]

/** Complete dates and times, the minutes of which may be left out. */
function timeOf(text: string): number {
  return Date.parse(`${text.padEnd(16, ':00')}Z`)
}

describe.each(judges)('%s thins by calendar', (_, judge) => {
  test.each(calendarRows)('%s', (__, when, dates, expected) => {
    const images = dates.split(' ').map((text, at) => {
      const updatedAt = timeOf(text)
      return { text, ...candidate({ id: 100 - at, updatedAt, tags: [`t${at}`] }) }
    })
    const found = kept(judge, { tagged: true }, when, images)
    expect(found.map(({ text }) => text).join(' ')).toBe(expected)
  })
})

test.each([
  ['2020-12-28T00', '2020-W53'],
  ['2021-01-03T23', '2020-W53'],
  ['2021-01-04T00', '2021-W01'],
  ['2024-12-29T23', '2024-W52'],
  ['2024-12-30T00', '2025-W01'],
  ['2026-01-01T00', '2026-W01'],
  ['2026-12-31T00', '2026-W53'],
  ['2027-01-03T23', '2026-W53'],
  ['2027-01-04T00', '2027-W01'],
  ['2024-02-29T12', '2024-W09'],
])('%s is in %s', (text, week) => {
  expect(weekOf(timeOf(text))).toBe(week)
})

type GroupRow = [
  what: string,
  select: WrittenSelector,
  when: WrittenConditions,
  images: string,
  kept: string,
]

const versions: WrittenSelector = { semver: '*' }
const releases: WrittenSelector = { semver: '*', prerelease: false }

/** Images as their tags with plus signs between, the newest first. */
const groupRows: GroupRow[] = [
  [
    'the highest minors',
    versions,
    { 'group-by': 'minor', 'newest-groups': 2 },
    '1.2.9 1.3.0 1.10.0 1.3.1 1.2.0',
    '1.3.0 1.10.0 1.3.1',
  ],
  [
    'minors of a higher major first',
    versions,
    { 'group-by': 'minor', 'newest-groups': 2 },
    '1.9.0 2.0.0 1.10.0',
    '2.0.0 1.10.0',
  ],
  [
    'the highest majors',
    versions,
    { 'group-by': 'major', 'newest-groups': 2 },
    '9.0.0 v10.1.0 8.2.0 9.9.9',
    '9.0.0 v10.1.0 9.9.9',
  ],
  [
    'the highest of each group, whenever it was pushed',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    '1.2.3 1.2.10 1.2.4 1.1.0',
    '1.2.10 1.1.0',
  ],
  [
    'the highest of the highest groups',
    versions,
    { 'group-by': 'major', 'newest-groups': 1, 'newest-per-group': 2 },
    '1.9.9 2.0.0 2.1.0 2.0.1',
    '2.1.0 2.0.1',
  ],
  [
    'a release ranks before its pre-releases',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    '1.2.3-rc.2 1.2.3 1.2.3-rc.10',
    '1.2.3',
  ],
  [
    'a pre-release founds a group',
    versions,
    { 'group-by': 'major', 'newest-groups': 1 },
    '1.9.0 2.0.0-rc.1 1.8.0',
    '2.0.0-rc.1',
  ],
  [
    'a pre-release that is not selected founds none',
    releases,
    { 'group-by': 'major', 'newest-groups': 1 },
    '1.9.0 2.0.0-rc.1 1.8.0',
    '1.9.0 1.8.0',
  ],
  [
    'the newest of equal versions',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    'v1.2.3 1.2.3 1.2.3_build.9',
    'v1.2.3',
  ],
  [
    'a partial version stays with its group, and takes no place in it',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    '1.2.9 1.2 1.2.8 1.3.0',
    '1.2.9 1.2 1.3.0',
  ],
  [
    'an image with a partial version and a full one takes a place by the full one',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    '1.2+1.2.9 1.2.8',
    '1.2+1.2.9',
  ],
  [
    'an image that a partial version names stays, however low its full version is',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    '1.2+1.2.7 1.2.9 1.2.8',
    '1.2+1.2.7 1.2.9',
  ],
  [
    'a group that is only named takes no place among the others, and stays',
    versions,
    { 'group-by': 'major', 'newest-groups': 1 },
    '3 2.9 1.2.3 0.1.0',
    '3 2.9 1.2.3',
  ],
  [
    'of 1 no minor is known',
    versions,
    { 'group-by': 'minor', 'newest-groups': 9 },
    '1 1.2.3 1.2',
    '1.2.3 1.2',
  ],
  [
    'both 1 and 1.2 join a major',
    versions,
    { 'group-by': 'major', 'newest-per-group': 1 },
    '1.2.3 1 1.2 1.2.4',
    '1 1.2 1.2.4',
  ],
  [
    'an image with versions of two groups is in both',
    versions,
    { 'group-by': 'minor', 'newest-per-group': 1 },
    '1.2.9+1.3.0 1.2.8 1.3.1',
    '1.2.9+1.3.0 1.3.1',
  ],
  [
    'only tags that the rule is about put an image into a group',
    { tags: ['v*'] },
    { 'group-by': 'major', 'newest-groups': 1 },
    'v1.0.0+9.0.0 v2.0.0',
    'v2.0.0',
  ],
  [
    'what has no group is not kept',
    { tagged: true },
    { 'group-by': 'major', 'newest-groups': 9 },
    'latest 1.0.0 1.2.3.4 01.2.3 v1.0.1',
    '1.0.0 v1.0.1',
  ],
  [
    'by an expression, the groups with the newest images',
    { tagged: true },
    { 'group-by': '/([a-z]+)-.*/', 'newest-groups': 2 },
    'web-1 app-9 db-1 app-1 web-9',
    'web-1 app-9 app-1 web-9',
  ],
  [
    'by an expression, the newest of each group',
    { tagged: true },
    { 'group-by': '/([a-z]+)-.*/', 'newest-per-group': 1 },
    'web-1 app-1 web-9 app-9 main',
    'web-1 app-1',
  ],
]

describe.each(judges)('%s keeps of groups', (_, judge) => {
  test.each(groupRows)('%s', (__, select, when, list, expected) => {
    const images = list.split(' ').map((text, at) => {
      const tags = text.split('+')
      return { text, ...candidate({ id: at, tags, updatedAt: now - at * day }) }
    })
    const found = kept(judge, select, when, images)
    expect(found.map(({ text }) => text).join(' ')).toBe(expected)
  })
})
