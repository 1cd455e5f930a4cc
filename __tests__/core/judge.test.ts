import { describe, expect, test } from '@jest/globals'
import { judgeAll } from '../../src/policy/judge.js'
import type { Candidate } from '../../src/policy/candidate.js'
import type { Policy, Rule } from '../../src/policy/policy.js'
import { day, digest, now, policy, tagged, untagged, when } from './kit.js'

const rule = (name: string, pattern?: string, days = 30): Rule => ({
  ...when(tagged(pattern), { olderThan: days * day }),
  name,
})

/** An image with these tags, and timestamps so many days ago. */
const candidate = (
  tags: readonly string[],
  createdDaysAgo: number,
  updatedDaysAgo = createdDaysAgo,
) => ({
  id: 1,
  digest: digest('a'),
  tags,
  kinds: new Set([tags.length > 0 ? ('tagged' as const) : ('untagged' as const)]),
  createdAt: now - createdDaysAgo * day,
  updatedAt: now - updatedDaysAgo * day,
  types: [],
  isRunnable: true,
  lifetime: undefined,
})

/** What a policy says of one image. */
function judge(chosen: Policy, image: Candidate) {
  const [judgement] = judgeAll(chosen, [image], now)
  if (judgement === undefined) throw new Error('no judgement')
  return judgement
}

/** What rules say of an image that was pushed and changed so many days ago. */
function verdict(rules: Rule[], tags: string[], age: number) {
  return judge(policy({ rules }), candidate(tags, age))
}

describe('an image is condemned', () => {
  const cases: [story: string, rules: Rule[], tags: string[], age: number, by: string][] = [
    ['on the day that it is old enough', [rule('r')], ['a'], 30, 'r'],
    ['by the rule for untagged ones', [rule('r'), untagged], [], 30, 'untagged'],
    [
      'by a rule that has a pattern for each of its tags',
      [{ ...tagged('pr-*', 'ci-*'), name: 'r' }],
      ['pr-1', 'ci-1'],
      40,
      'r',
    ],
    [
      'by the first rule that names all its tags',
      [rule('pr', 'pr-*'), rule('all')],
      ['pr-1', 'a'],
      40,
      'all',
    ],
    [
      'by several rules together, told by the first',
      [rule('pr', 'pr-*'), rule('ci', 'ci-*')],
      ['ci-1', 'pr-1'],
      40,
      'pr',
    ],
    [
      'by one that is ripe, whatever the others wait for',
      [rule('late', 'a', 90), rule('r')],
      ['a'],
      40,
      'r',
    ],
  ]
  test.each(cases)('%s', (_story, rules, tags, age, by) => {
    const { condemned } = verdict(rules, tags, age)
    expect(condemned[0]).toMatchObject({
      code: 'delete-rule',
      rule: by,
      place: 'inputs',
      evidence: `older than 30d: ${age}d`,
    })
  })
})

describe('an image stays', () => {
  const tooYoung = (name: string, age: number, days: number) => ({
    code: 'not-due',
    rule: name,
    place: 'inputs',
    evidence: `younger than ${days}d: ${age}d`,
  })
  const notSelected = { code: 'not-selected' }
  const cases: [
    story: string,
    rules: Rule[],
    tags: string[],
    age: number,
    reason: Record<string, unknown>,
  ][] = [
    ['when it is too young', [rule('r')], ['a'], 29, tooYoung('r', 29, 30)],
    ['when an untagged one is too young', [untagged], [], 29, tooYoung('untagged', 29, 30)],
    ['when no rule is for its kind', [untagged], ['a'], 40, notSelected],
    ['when no rule names its tags, young as it is', [rule('r', 'pr-*')], ['a'], 2, notSelected],
    [
      'when the rule for one of its tags is not ripe',
      [rule('ci', 'ci-*'), rule('pr', 'pr-*', 60)],
      ['pr-1', 'ci-1'],
      40,
      tooYoung('pr', 40, 60),
    ],
    [
      'when a tag has no rule',
      [rule('ci', 'ci-*'), rule('pr', 'pr-*')],
      ['pr-1', 'v1', 'ci-1'],
      40,
      { code: 'partly-matched', matched: ['pr-1', 'ci-1'], blocking: ['v1'] },
    ],
  ]
  test.each(cases)('%s', (_story, rules, tags, age, reason) => {
    const { condemned, otherwise } = verdict(rules, tags, age)
    expect(condemned).toEqual([])
    expect(otherwise).toMatchObject(reason)
  })
})

test('the age counts from the chosen timestamp', () => {
  const image = candidate(['a'], 40, 20)
  const by = (ageBy: 'created' | 'updated') => judge(policy({ ageBy }), image).condemned.length
  expect([by('created'), by('updated')]).toEqual([1, 0])
})

test('every tag that is protected is told with its pattern', () => {
  const image = candidate(['prod', 'v1', 'prod-2'], 90)
  const place = 'inputs'
  expect(judge(policy({ protectTags: 'prod*' }), image).keeps).toEqual([
    { code: 'protected-tag', tag: 'prod', pattern: 'prod*', place },
    { code: 'protected-tag', tag: 'prod-2', pattern: 'prod*', place },
  ])
})
