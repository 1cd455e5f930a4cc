import { describe, expect, test } from '@jest/globals'
import { judge } from '../../src/policy/judge.js'
import { compileTagPatterns } from '../../src/policy/patterns.js'
import type { DeleteRule } from '../../src/policy/policy.js'
import { day, now, policy, tagged, untagged } from './kit.js'

const rule = (name: string, pattern?: string, days = 30): DeleteRule => ({
  ...tagged(pattern),
  name,
  olderThan: days * day,
})

/** What rules say of an image that was pushed and changed so many days ago. */
function verdict(rules: DeleteRule[], tags: string[], age: number) {
  const time = now - age * day
  const image = { tags, createdAt: time, updatedAt: time }
  return judge(policy({ deleteRules: rules }), image, now)
}

describe('an image is condemned', () => {
  const cases: [story: string, rules: DeleteRule[], tags: string[], age: number, by: string][] = [
    ['on the day that it is old enough', [rule('r')], ['a'], 30, 'r'],
    ['by the rule for untagged ones', [rule('r'), untagged], [], 30, 'untagged'],
    [
      'by a rule that has a pattern for each of its tags',
      [{ ...rule('r'), tags: compileTagPatterns(['pr-*', 'ci-*']).include }],
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
    expect(condemned).toEqual({
      code: 'delete-rule',
      rule: by,
      evidence: `older than 30d: ${age}d`,
    })
  })
})

describe('an image stays', () => {
  const tooYoung = (name: string, age: number, days: number) => ({
    code: 'too-young',
    rule: name,
    age: age * day,
    olderThan: days * day,
  })
  const notSelected = { code: 'not-selected' }
  const cases: [
    story: string,
    rules: DeleteRule[],
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
    expect(condemned).toBeUndefined()
    expect(otherwise).toEqual(reason)
  })
})

test('the age counts from the chosen timestamp', () => {
  const image = { tags: ['a'], createdAt: now - 40 * day, updatedAt: now - 20 * day }
  const by = (ageBy: 'created' | 'updated') => judge(policy({ ageBy }), image, now).condemned
  expect([by('created') !== undefined, by('updated') !== undefined]).toEqual([true, false])
})

test('every tag that is protected is told with its pattern', () => {
  const image = { tags: ['prod', 'v1', 'prod-2'], createdAt: 0, updatedAt: 0 }
  expect(judge(policy({ protectTags: 'prod*' }), image, now).keeps).toEqual([
    { code: 'protected-tag', tag: 'prod', pattern: 'prod*' },
    { code: 'protected-tag', tag: 'prod-2', pattern: 'prod*' },
  ])
})
