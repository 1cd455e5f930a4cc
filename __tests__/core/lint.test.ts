import { describe, expect, test } from '@jest/globals'
import { readPolicyFile } from '../../src/policy/file/read-policy.js'
import type { RefusalCode } from '../../src/model.js'
import type { Finding } from '../../src/policy/lint/findings.js'
import { lintSet } from '../../src/policy/lint/lint-set.js'
import { lintUse } from '../../src/policy/lint/lint-use.js'
import type { PolicySet } from '../../src/policy/policy.js'
import { refuse } from '../../src/selector.js'
import { digest, image, tagged as taggedRule, tagOf, when, type Item } from './kit.js'
import { lookedAt } from './lint-kit.js'

/** The policies of a file. These are its lines from the second on. */
function file(...lines: string[]): PolicySet {
  const read = readPolicyFile(['version: 1', ...lines].join('\n'), 'policy.yml')
  if ('mistakes' in read) throw new Error(JSON.stringify(read.mistakes))
  return read.set
}

/** A file of rules that hold in every package. The first is in line 4. */
function rules(...each: string[]): PolicySet {
  return file('defaults:', '  rules:', ...each.map((rule) => `    - { ${rule} }`))
}

/** A file of entries that all have a delete rule. The first is in line 4. */
function entries(...each: string[]): PolicySet {
  return file('keep-latest: 5', 'packages:', ...each.map((entry) => `  - { ${entry} }`))
}

/** A file that protects tags, in line 3. The first rule is in line 5. */
function protecting(tags: string, ...each: string[]): PolicySet {
  const lines = each.map((rule) => `    - { ${rule} }`)
  return file('defaults:', `  protect: ${tags}`, '  rules:', ...lines)
}

/** A file that deletes whatever nothing keeps, and keeps something. The first rule is in line 5. */
function unmatched(...each: string[]): PolicySet {
  const lines = each.map((rule) => `    - { ${rule} }`)
  const kept = `  protect-digests: ${digest('kept')}`
  return file('defaults:', '  unmatched: delete', '  rules:', ...lines, kept)
}

function told(findings: readonly Finding[]): string[] {
  return findings.map(({ place, message }) => `${place}: ${message}`)
}

const old = 'name: old, delete: { tagged: true, untagged: true }, when: { older-than: 30d }'
const ci = 'name: ci, delete: { tags: "ci-*" }, when: { older-than: 7d }'

type Row = [story: string, set: PolicySet, ...findings: string[]]

/** Each row says all that is found. */
function table(rows: readonly Row[]) {
  test.each(rows.map(([story, set, ...findings]) => ({ story, set, findings })))(
    '$story',
    ({ set, findings }) => {
      expect(told(lintSet(set))).toEqual(findings)
    },
  )
}

describe('an entry', () => {
  const hidden = (places: string, match = 'matches') =>
    `No package gets here: the ${places} ${match} before it, and the first match counts. Move this entry up, or take it out.`
  const pattern = (name: string) =>
    `"${name}" of "match" does not count here: the entry of policy.yml:4 matches before it, and the first match counts. Move this entry up, or take that out.`
  const harmless = (why: string, remedy: string) =>
    `Nothing ever goes from these packages: ${why}. That is right if they are to stay whole; otherwise ${remedy}.`
  const noRules = harmless(
    'they have no delete rule and no "unmatched: delete"',
    'add a delete rule',
  )

  table([
    [
      'after one for every package',
      entries('match: "*"', 'match: api'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'after one for all but other packages',
      entries('match: "!web"', 'match: api'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    ['before one for every package', entries('match: api', 'match: "*"')],
    [
      'for the names of an earlier one',
      entries('match: [api, web]', 'match: [web, api]'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for names that two earlier ones have',
      entries('match: api', 'match: "web-*"', 'match: [api, web-1]'),
      `policy.yml:6: ${hidden('entries of policy.yml:4 and policy.yml:5', 'match')}`,
    ],
    [
      'for some names of an earlier one',
      entries('match: api', 'match: [api, web]'),
      `policy.yml:5: ${pattern('api')}`,
    ],
    [
      'for a name that a glob matches',
      entries('match: "team/*"', 'match: [team/a/b, team]'),
      `policy.yml:5: ${pattern('team/a/b')}`,
    ],
    ['for a name that a glob leaves out', entries('match: ["team/*", "!team/a"]', 'match: team/a')],
    [
      'for a name that no glob leaves out',
      entries('match: ["team/*", "!team/a"]', 'match: team/b'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for a narrower glob',
      entries('match: "team/*"', 'match: "team/a-*"'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for a narrower glob of which something is left over',
      entries('match: ["team/*", "!team/a-1"]', 'match: "team/a-*"'),
    ],
    [
      'for a narrower glob that leaves the same out',
      entries('match: ["team/*", "!team/a-1"]', 'match: ["team/a-*", "!team/a-1"]'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    ['for a wider glob', entries('match: "team/a-*"', 'match: "team/*"')],
    ['for another glob', entries('match: "*-a"', 'match: "*-b"')],
    [
      'for the same glob, whatever its letters',
      entries('match: "Team-?"', 'match: "team-?"'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for a narrower glob than one with two stars',
      entries('match: "team/**"', 'match: "team/a-?"'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    ['for a glob that begins otherwise', entries('match: "a?b*"', 'match: "bc-?"')],
    [
      'for a glob after one that leaves out something else',
      entries('match: ["team/*", "!web"]', 'match: "team/a-*"'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for a name after a glob that leaves out other globs',
      entries('match: ["team/*", "!team/b-*"]', 'match: team/a'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for a name that a glob beside a name matches',
      entries('match: [api, "web*"]', 'match: web-1'),
      `policy.yml:5: ${hidden('entry of policy.yml:4')}`,
    ],
    [
      'for several names of an earlier one, and another',
      entries('match: [api, web]', 'match: [api, web, x]'),
      `policy.yml:5: ${pattern('api" and "web').replace('does', 'do')}`,
    ],
    [
      'that leaves out all that it names',
      entries('match: [api, "!a*"]', 'match: api'),
      'policy.yml:4: No package gets here: all that "match" names is left out by its own "!". Correct the names, or take the entry out.',
    ],
    [
      'without a delete rule',
      entries('match: web', 'match: api, rules: [{ name: keep-latest, enabled: false }]'),
      `policy.yml:5: ${noRules}`,
    ],
    [
      'of keep rules',
      entries(
        'match: web',
        'match: api, rules: [{ name: keep-latest, keep: { tagged: true }, when: { newest: 1 } }]',
      ),
      `policy.yml:5: ${noRules}`,
    ],
    [
      'that deletes what is unmatched',
      file('packages:', '  - { match: api, unmatched: delete, protect: v1 }'),
    ],
    [
      'with a ceiling of nothing',
      entries(
        'match: a, max-deletions: 0',
        'match: b, max-deletions: "0%"',
        'match: c, max-deletions: 1',
      ),
      ...['policy.yml:4', 'policy.yml:5'].map(
        (place) => `${place}: ${harmless('max-deletions allows no deletion', 'raise it')}`,
      ),
    ],
  ])
})

describe('an entry that takes every tagged image', () => {
  const all = (why: string, grace = '1h') =>
    `Every tagged image of these packages but the last one goes as soon as grace (${grace}) is over: ${why} takes it, and nothing keeps any. Add a keep rule, unless that is meant.`
  const entry = (text: string) => file('packages:', `  - { match: a, ${text} }`)
  const every = 'name: all, delete: { tagged: true, untagged: true }'

  table([
    [
      'with whatever is unmatched',
      entry('unmatched: delete, grace: 2d'),
      `policy.yml:3: ${all('"unmatched: delete" (policy.yml:3)', '2d')}`,
    ],
    [
      'with whatever is unmatched, although untagged ones are kept',
      entry('unmatched: delete, untagged-ttl: 1d, rules: [{ name: k, keep: { untagged: true } }]'),
      `policy.yml:3: ${all('"unmatched: delete" (policy.yml:3)')}`,
    ],
    [
      'by one rule of several',
      rules(ci, every),
      `policy.yml:2: ${all('rule "all" (policy.yml:5)')}`,
    ],
    [
      'beyond the newest none',
      rules(`${every}, when: { beyond-newest: 0, by: created }`),
      `policy.yml:2: ${all('rule "all" (policy.yml:4)')}`,
    ],
    ['beyond the newest one', rules(`${every}, when: { beyond-newest: 1 }`)],
    ['when it is old', rules(`${every}, when: { beyond-newest: 0, older-than: 1d }`)],
    ['that is untagged', rules('name: all, delete: { untagged: true }')],
    ['of a kind', rules('name: all, delete: { tagged: true, artifact: chart }')],
    ['of some names', rules('name: all, delete: { tags: "*", not-tags: v1 }')],
    ['but what is kept', rules(every, 'name: k, keep: { tags: "v*" }')],
    ['but what is protected', entry('unmatched: delete, protect: v1')],
    ['but what files name', entry('unmatched: delete, protect-from: "*.yml"')],
    ['but what is listed', entry(`unmatched: delete, protect-digests: ${digest('a')}`)],
  ])
})

describe('a tag that is protected', () => {
  const twice = (tag: string) => `"${tag}" is protected already (policy.yml:3). Once is enough.`
  table([
    ['once', protecting('[latest, main]', old)],
    [
      'twice in one list',
      protecting('[latest, main, latest]', old),
      `policy.yml:3: ${twice('latest')}`,
    ],
    [
      'by an entry and by the defaults',
      file(
        'defaults:',
        '  protect: [latest, main]',
        '  keep-latest: 5',
        'packages:',
        '  - match: a',
        '    protect: latest',
        '  - match: b',
        '    protect: [x, main]',
      ),
      `policy.yml:7: ${twice('latest')}`,
      `policy.yml:9: ${twice('main')}`,
    ],
    ['in two entries', entries('match: a, protect: x', 'match: b, protect: x')],
  ])
})

describe('a rule', () => {
  const named = (name: string) => (rule: string) => rule.replace(/name: [^,]*/, `name: ${name}`)
  const again = named('again')
  const same =
    'Rule "again" says the same as rule "old" (policy.yml:4). Take it out, or correct what was meant to differ.'
  const never = 'Rule "r" can never'
  const takeOut = 'Correct the tags, or take the rule out.'

  table([
    ['beside others', rules(old, ci, 'name: k, keep: { tags: "v*" }')],
    ['that says the same as another', rules(old, again(old)), `policy.yml:5: ${same}`],
    [
      'that says the same in another order',
      rules(
        old,
        'name: again, delete: { untagged: true, tagged: true }, when: { older-than: 30d, by: updated }',
      ),
      `policy.yml:5: ${same}`,
    ],
    [
      'that says the same of tags in another order',
      rules(
        'name: old, delete: { tags: ["a*", "b*"], not-tags: [c, d], semver: "*" }',
        'name: again, delete: { tags: ["b*", "a*"], not-tags: [d, c], semver: "*" }',
      ),
      `policy.yml:5: ${same}`,
    ],
    ['of another age', rules(old, again(old).replace('30d', '31d'))],
    ['by another time', rules(old, again(old).replace('30d', '30d, by: created'))],
    ['of other kinds', rules(old, again(old).replace('untagged', 'orphans'))],
    [
      'of other versions',
      rules('name: r, delete: { semver: "1" }', 'name: s, delete: { semver: "2" }'),
    ],
    [
      'of pre-releases',
      rules(
        'name: r, delete: { semver: "1" }',
        'name: s, delete: { semver: "1", prerelease: true }',
      ),
    ],
    [
      'of other digests',
      rules(
        `name: r, delete: { digests: ${digest('a')} }`,
        `name: s, delete: { digests: ${digest('b')} }`,
      ),
    ],
    [
      'of the same digests',
      rules(
        `name: old, delete: { digests: [${digest('a')}, ${digest('b')}] }`,
        `name: again, delete: { digests: [${digest('b')}, ${digest('a')}] }`,
      ),
      `policy.yml:5: ${same}`,
    ],
    ['of other types', rules(old, again(old).replace('untagged: true', 'artifact: chart'))],
    [
      'of an entry that says the same as one of the defaults',
      file(
        'packages:',
        `  - { match: a, rules: [{ ${again(old)} }] }`,
        '  - match: b',
        'defaults:',
        `  rules: [{ ${old} }]`,
      ),
      `policy.yml:3: ${same.replace('policy.yml:4', 'policy.yml:6')}`,
    ],
    [
      'with ages that nothing has',
      rules(old, 'name: r, keep: { tags: a }, when: { older-than: 7d, newer-than: 7d }'),
      `policy.yml:5: ${never} hold: nothing is both younger than 7d and at least 7d old. Correct one of the two, or make two rules of it.`,
    ],
    [
      'with an age that nothing has',
      rules(old, 'name: r, keep: { tags: a }, when: { newer-than: 0s }'),
      `policy.yml:5: ${never} hold: nothing is younger than 0s. Correct newer-than.`,
    ],
    [
      'with ages that something has',
      rules(old, 'name: r, keep: { tags: a }, when: { older-than: 1d, newer-than: 7d }'),
    ],
    [
      'that deletes within grace',
      rules('name: r, delete: { tags: a }, when: { newer-than: 1h }', old),
      `policy.yml:4: ${never} delete anything: nothing younger than 1h goes while grace is 1h. Make newer-than longer, or grace shorter.`,
    ],
    [
      'that deletes soon after grace',
      rules('name: r, delete: { tags: a }, when: { newer-than: 61m }'),
    ],
    ['that keeps within grace', rules('name: r, keep: { tags: a }, when: { newer-than: 1h }', old)],
    [
      'that is to delete before grace is over',
      rules('name: r, delete: { tags: a }, when: { older-than: 59m }'),
      'policy.yml:4: Rule "r" waits longer than it says: nothing goes within the 1h of grace, so older-than: 59m counts for nothing. Make grace shorter, or take older-than out.',
    ],
    [
      'that is to delete when grace is over',
      rules('name: r, delete: { tags: a }, when: { older-than: 1h }'),
    ],
    [
      'that keeps what is older',
      rules('name: r, keep: { tags: a }, when: { older-than: 59m }', old),
    ],
    [
      'for versions that there are not',
      rules('name: r, delete: { semver: ">2 <1" }'),
      `policy.yml:4: ${never} hold: no version is in the range ">2 <1". Correct it; "||" stands between ranges of which one is enough.`,
    ],
    ['for versions that there may be', rules('name: r, delete: { semver: ">2 || <1" }')],
    ['for any pre-release', rules('name: r, delete: { prerelease: true }')],
    [
      'for tags that it leaves out',
      rules('name: r, delete: { tags: [a, "b*"], not-tags: ["?", "b*"] }'),
      `policy.yml:4: ${never} delete anything: "a" and "b*" are left out by its own not-tags. ${takeOut}`,
    ],
    [
      'for tags that it leaves out, to keep them',
      rules(old, 'name: r, keep: { tags: ab, not-tags: "a*" }'),
      `policy.yml:5: ${never} hold: "ab" is left out by its own not-tags. ${takeOut}`,
    ],
    [
      'that leaves out every tag',
      rules('name: r, delete: { not-tags: "*" }'),
      `policy.yml:4: ${never} delete anything: every tag is left out by its own not-tags. ${takeOut}`,
    ],
    [
      'for tags of which it leaves out some',
      rules('name: r, delete: { tags: [a, "b*"], not-tags: [a, "bb*"] }'),
    ],
    ['for an expression', rules('name: r, delete: { tags: "/b.*/", not-tags: "b*" }')],
    [
      'for the same expression that it leaves out',
      rules('name: r, delete: { tags: "/b.*/", not-tags: "/b.*/" }'),
      `policy.yml:4: ${never} delete anything: "/b.*/" is left out by its own not-tags. ${takeOut}`,
    ],
    [
      'for branches that it leaves out',
      rules('name: r, delete: { tags: "pr-{number}", not-tags: "pr-*" }, when: { ref: gone }'),
      `policy.yml:4: ${never} delete anything: "pr-{number}" is left out by its own not-tags. ${takeOut}`,
    ],
    [
      'for a tag that is no version',
      rules('name: r, delete: { tags: [latest, v1], semver: ">=2" }'),
      `policy.yml:4: ${never} delete anything: "latest" and "v1" are no version that it asks for. ${takeOut}`,
    ],
    [
      'for a tag that is a version',
      rules('name: r, delete: { tags: [latest, v2], semver: ">=2" }'),
    ],
    [
      'that deletes what is protected',
      protecting(
        '[latest, "v*"]',
        'name: r, delete: { tags: [latest, v1, "v2*", x], not-tags: x }',
      ),
      `policy.yml:5: ${never} delete anything: "latest", "v1" and "v2*" are protected (policy.yml:3) and "x" is left out by its own not-tags. ${takeOut}`,
    ],
    [
      'that deletes some of what is protected',
      protecting('[latest, "v*"]', 'name: r, delete: { tags: [latest, w1] }'),
    ],
    [
      'that deletes tags where all are protected',
      protecting('"*"', 'name: r, delete: { tagged: true }'),
      `policy.yml:5: ${never} delete anything: every tag is protected (policy.yml:3). ${takeOut}`,
    ],
    ['that deletes more than tags where all are protected', protecting('"*"', old)],
    [
      'that keeps what is protected',
      protecting('[latest, "v*"]', 'name: r, keep: { tags: [v1, latest] }', old),
      'policy.yml:5: Rule "r" adds nothing: "v1" and "latest" are protected (policy.yml:3). Take one of the two out.',
    ],
    [
      'that keeps what is protected, and what it leaves out',
      protecting('latest', 'name: r, keep: { tags: [latest, v1], not-tags: v1 }', old),
      'policy.yml:5: Rule "r" adds nothing: "latest" is protected (policy.yml:3) and "v1" is left out by its own not-tags. Take one of the two out.',
    ],
    [
      'that keeps a tag that is no version',
      rules(old, 'name: r, keep: { tags: latest, semver: "1" }'),
      `policy.yml:5: ${never} hold: "latest" is no version that it asks for. ${takeOut}`,
    ],
    [
      'that keeps more than what is protected',
      protecting('[latest, "v*"]', 'name: r, keep: { tags: [v1, w1] }', old),
    ],
    [
      'of the defaults that one entry has no use for',
      file(
        'defaults:',
        `  rules: [{ ${ci} }]`,
        'packages:',
        '  - { match: a, protect: "ci-*", keep-latest: 1 }',
        '  - match: b',
      ),
    ],
    [
      'of the defaults that no entry has a use for',
      file(
        'defaults:',
        `  rules: [{ ${ci} }]`,
        'packages:',
        '  - { match: a, protect: "ci-*", keep-latest: 1 }',
        '  - { match: b, protect: "c*", keep-latest: 1 }',
      ),
      `policy.yml:3: Rule "ci" can never delete anything: "ci-*" is protected (policy.yml:5). ${takeOut}`,
    ],
  ])
})

describe('a keep rule has nothing to keep from', () => {
  const nothing = (what: string) =>
    `policy.yml:4: Rule "k" has nothing to keep from: no delete rule is about ${what}. Take it out, or add the delete rule that it was meant for.`
  const untagged = 'name: u, delete: { untagged: true }'

  table([
    [
      'when it is about tagged images and only untagged ones are deleted',
      rules('name: k, keep: { tags: "v*" }', untagged),
      nothing('tagged images'),
    ],
    [
      'when it is about orphans and only tagged images are deleted',
      rules('name: k, keep: { orphans: true, untagged: true }', ci),
      nothing('untagged images and orphaned attachments'),
    ],
    [
      'but not when one of its kinds is deleted',
      rules('name: k, keep: { tagged: true, untagged: true }', untagged),
    ],
    [
      'but not when orphans without tags are untagged images',
      rules('name: k, keep: { orphans: true }', untagged),
    ],
    [
      'but not when untagged images may be orphans',
      rules('name: k, keep: { untagged: true }', 'name: o, delete: { orphans: true }'),
    ],
    [
      'but not when orphans are deleted',
      rules('name: k, keep: { orphans: true }', 'name: o, delete: { orphans: true }'),
    ],
    [
      'but not when what is unmatched goes',
      file('defaults:', '  unmatched: delete', '  rules: [{ name: k, keep: { tags: "v*" } }]'),
    ],
  ])
})

describe('where unmatched: delete condemns', () => {
  const takes =
    '"unmatched: delete" (policy.yml:3) takes every tagged image that nothing keeps, at any age'
  const delays = (what: string) =>
    `policy.yml:5: Rule "r" delays nothing${what}: ${takes}. What is to stay for a while takes a keep rule.`

  table([
    [
      'a delete rule for tags delays nothing',
      unmatched('name: r, delete: { tags: "ci-*" }, when: { older-than: 7d }'),
      delays(''),
    ],
    [
      'a delete rule for all images delays nothing of the tagged ones',
      unmatched(old.replace('old', 'r')),
      delays(' for tagged images'),
    ],
    [
      'a delete rule without conditions adds nothing',
      unmatched('name: r, delete: { tagged: true }'),
      `policy.yml:5: Rule "r" adds nothing: ${takes}. Take one of the two out.`,
    ],
    [
      'a delete rule for all images without conditions adds something',
      unmatched('name: r, delete: { tagged: true, untagged: true }'),
    ],
    [
      'a delete rule for untagged images delays',
      unmatched('name: r, delete: { untagged: true }, when: { older-than: 7d }'),
    ],
    [
      'a keep rule is what people want',
      unmatched('name: r, keep: { tagged: true }, when: { newer-than: 7d }'),
    ],
    [
      'a delete rule of the defaults delays nothing there, although it does elsewhere',
      file(
        'defaults:',
        `  rules: [{ ${ci} }]`,
        'packages:',
        '  - match: a',
        '  - match: b',
        '    unmatched: delete',
        '    protect: v1',
      ),
      `policy.yml:3: Rule "ci" delays nothing: ${takes.replace('yml:3', 'yml:7')}. What is to stay for a while takes a keep rule.`,
    ],
  ])
})

test('a lifetime is asked for without a word of labels', () => {
  expect(lintSet(rules('name: r, delete: { tagged: true }, when: { lifetime: over }'))).toEqual([])
})

test('what the inputs say is told first, and the rest by the numbers of lines', () => {
  const lines = [4, 5, 6, 7, 8, 9, 10, 11, 12]
  const set = rules(
    ...lines.map((line) => `name: r${line}, delete: { tags: a${line} }, when: { older-than: 1m }`),
  )
  const [entry] = set.entries
  if (entry === undefined) throw new Error('no entry')
  const policy = {
    ...entry.policy,
    rules: [...entry.policy.rules.toReversed(), when(taggedRule(), { olderThan: 0 })],
  }
  const places = lintSet({ ...set, entries: [{ ...entry, policy }] }).map(({ place }) => place)
  expect(places).toEqual(['inputs', ...lines.map((line) => `policy.yml:${line}`)])
})

test('findings are told in the order of the file', () => {
  const set = file(
    'packages:',
    '  - { match: "a*", protect: [x, x], keep-latest: 1 }',
    '  - { match: a, rules: [{ name: k, keep: { tagged: true } }] }',
    `  - { match: b, rules: [{ ${ci.replace('7d', '1m')} }] }`,
  )
  const lines = lintSet(set).map(({ place }) => place)
  expect(lines).toEqual(['policy.yml:3', 'policy.yml:4', 'policy.yml:4', 'policy.yml:5'])
})

// What packages show

/** What is found in packages of these images. */
function found(set: PolicySet, packages: Readonly<Record<string, readonly Item[]>>): string[] {
  return foundAll(set, packages).filter((finding) => !finding.includes('Nothing keeps any tagged'))
}

/** The same, and that packages are emptied, as in most of these stories they are. */
function foundAll(set: PolicySet, packages: Readonly<Record<string, readonly Item[]>>): string[] {
  expect(lintSet(set)).toEqual([])
  const looked = Object.entries(packages).map(([name, items]) => lookedAt(set, name, items))
  return told(lintUse(set, looked))
}

let images = 0

/** An image with these tags, 40 days old unless a story says otherwise. */
function tagged(tags: string, age = 40): Item {
  return image(`image ${++images}`, { tags: tags.split(' '), age })
}

function untagged(age = 40): Item {
  return image(`image ${++images}`, { age })
}

const fine = 'if such images come and go, all is well.'

describe('a rule that selects nothing', () => {
  const none = (where: string, why: string) =>
    `policy.yml:5: Rule "r" is about no image ${where}: ${why}`
  const spelling = (tags: string) => `no tag matches ${tags}. Check the spelling; ${fine}`
  const mistyped = rules(old, 'name: r, keep: { tags: ["prd-*", prd] }')

  test.each<[story: string, rule: string, why: string]>([
    [
      'names tags that there are not',
      'keep: { tags: ["prd-*", prd] }',
      spelling('"prd-*" and "prd"'),
    ],
    [
      'names tags that are no such versions',
      'keep: { tags: "v*", semver: ">=2" }',
      `none is all that it asks for. Check what it selects; ${fine}`,
    ],
    [
      'names a range',
      'keep: { semver: ">=2" }',
      `none is all that it asks for. Check what it selects; ${fine}`,
    ],
    [
      'names digests',
      `keep: { digests: ${digest('lost')} }`,
      `none is all that it asks for. Check what it selects; ${fine}`,
    ],
    [
      'names tags of which some are there',
      'keep: { tags: ["v*", "prd-*"], semver: ">=2" }',
      `none is all that it asks for. Check what it selects; ${fine}`,
    ],
    [
      'names types',
      'keep: { artifact: chart }',
      `none is all that it asks for. Check what it selects; ${fine}`,
    ],
  ])('%s', (_story, rule, why) => {
    expect(found(rules(old, `name: r, ${rule}`), { app: [tagged('v1'), tagged('a')] })).toEqual([
      none('in app', why),
    ])
  })

  test('is told once for all packages', () => {
    const some = [tagged('v1')]
    const many = 'in any of the 4 packages that were looked at'
    expect(found(mistyped, { a: some, b: some, c: some })).toEqual([
      none('in a, b or c', spelling('"prd-*" and "prd"')),
    ])
    expect(found(mistyped, { a: some, b: some, c: some, d: some })).toEqual([
      none(many, spelling('"prd-*" and "prd"')),
    ])
  })

  test('is not told when one package has such images', () => {
    expect(
      found(mistyped, { a: [tagged('v1')], b: [tagged('prd-1', 1), tagged('prd', 1)] }),
    ).toEqual([])
  })

  test('is not told when nothing could be looked at', () => {
    expect(found(mistyped, { a: [], b: [{ ...tagged('v1'), unread: true }] })).toEqual([])
  })

  test('is not told when it asks for kinds alone', () => {
    expect(
      found(rules(old, 'name: r, delete: { orphans: true }'), { app: [tagged('v1')] }),
    ).toEqual([])
  })

  test('of the defaults is told only when no entry has such images', () => {
    const set = file(
      'packages:',
      '  - match: a',
      '  - match: b',
      'defaults:',
      '  keep-latest: 5',
      '  rules: [{ name: r, keep: { tags: "v*" } }]',
    )
    expect(found(set, { a: [tagged('x')], b: [tagged('v1')] })).toEqual([])
    expect(found(set, { a: [tagged('x')], b: [tagged('y')] })).toEqual([
      `policy.yml:7: Rule "r" is about no image in a or b: no tag matches "v*". Check the spelling; ${fine}`,
    ])
  })
})

test('a long list is cut', () => {
  const tags = Array.from({ length: 22 }, (_, at) => `x${at}`)
  const set = rules(`name: r, delete: { tags: [v1, ${tags.join(', ')}] }`)
  const [line = ''] = found(set, { app: [tagged('v1')] })
  expect(line).toContain('"x18", "x19" and 2 more of tags of rule "r" match no tag')
  const takers = entries('match: a', 'match: b', 'match: c', 'match: d', 'match: [a, b, c, d]')
  expect(told(lintSet(takers)).join()).toContain(
    'here: the entries of policy.yml:4, policy.yml:5, policy.yml:6 and 1 more match before it',
  )
})

describe('a pattern that matches no tag', () => {
  const app = [tagged('v1', 1), tagged('web-1', 1)]

  test('is told of a rule', () => {
    const set = rules('name: r, delete: { tags: ["v*", "wbe-*", x] }, when: { older-than: 30d }')
    expect(found(set, { app })).toEqual([
      `policy.yml:4: "wbe-*" and "x" of tags of rule "r" match no tag in app. Check the spelling; ${fine}`,
    ])
  })

  test('is told of what a rule leaves out', () => {
    const set = rules('name: r, delete: { not-tags: ["v*", "wbe-*"] }, when: { older-than: 30d }')
    expect(found(set, { app })).toEqual([
      'policy.yml:4: "wbe-*" of not-tags of rule "r" matches no tag in app. So nothing is left out; check the spelling.',
    ])
  })

  test('is told of protections, those of one line together', () => {
    const set = file(
      'defaults:',
      '  protect: [main, "v*", prod]',
      '  untagged-ttl: 7d',
      'packages:',
      '  - match: app',
      '    protect: [x]',
      '  - match: web',
      '    protect: [web-1]',
    )
    expect(found(set, { app, web: app })).toEqual([
      `policy.yml:3: "main" and "prod" of protect match no tag in app or web. Check the spelling; ${fine}`,
      `policy.yml:7: "x" of protect matches no tag in app. Check the spelling; ${fine}`,
    ])
  })

  test('is not told where nothing was looked at', () => {
    const set = file(
      'keep-latest: 5',
      'packages:',
      '  - { match: app, protect: x }',
      '  - { match: web, protect: y }',
    )
    expect(found(set, { app: [tagged('x')] })).toEqual([])
  })

  test('is not told when another package has such a tag', () => {
    const set = protecting(
      '[main]',
      'name: r, delete: { tags: ["v*", "ci-*"] }, when: { older-than: 30d }',
    )
    expect(found(set, { app, web: [tagged('main'), tagged('ci-1')] })).toEqual([])
  })
})

describe('a keep rule', () => {
  const nothing = (why: string) =>
    `policy.yml:5: Rule "k" changes nothing here. Of what it keeps, ${why}. Take it out, unless it is meant for later.`
  const saves = (what: string, by: string) =>
    `policy.yml:5: For information: rule "k" keeps ${what} that would go, ${by}.`
  const versions = 'name: k, keep: { tags: "v*" }'
  const app = [tagged('v1'), tagged('v2 latest'), tagged('a')]

  test.each<[story: string, set: PolicySet, finding: string | undefined]>([
    [
      'that keeps images from a rule',
      rules(old, versions),
      saves('2 images', 'by rule "old" (policy.yml:4)'),
    ],
    [
      'that keeps images from several rules',
      rules(old, versions, 'name: one, delete: { tags: v1 }'),
      saves('2 images', '2 by rule "old" (policy.yml:4) and 1 by rule "one" (policy.yml:6)'),
    ],
    [
      'that keeps images mostly from the later rule',
      rules('name: one, delete: { tags: [v2, latest] }', versions, old),
      saves('2 images', '2 by rule "old" (policy.yml:6) and 1 by rule "one" (policy.yml:4)'),
    ],
    [
      'that keeps an image from a rule, and another that has further tags',
      rules('name: one, delete: { tags: v1 }', versions, 'name: two, delete: { tags: v2 }'),
      saves('1 image', 'by rule "one" (policy.yml:4)'),
    ],
    [
      'that keeps an image from a rule, and another that is protected',
      protecting('v1', versions, old),
      saves('1 image', 'by rule "old" (policy.yml:6)'),
    ],
    [
      'that keeps images from a rule that will hold',
      rules(old.replace('30d', '50d'), versions),
      undefined,
    ],
    ['that keeps what is unmatched', unmatched(versions), undefined],
    [
      'for images that are kept by another rule',
      rules('name: also, keep: { tags: "v?" }', versions, old),
      nothing('2 images are kept by rule "also" (policy.yml:4) too'),
    ],
    [
      'for images that are kept as long',
      rules(
        'name: also, keep: { tags: "v?" }, when: { newer-than: 50d }',
        'name: k, keep: { tags: "v*" }, when: { newer-than: 45d }',
        old,
      ),
      nothing('2 images are kept by rule "also" (policy.yml:4) too'),
    ],
    [
      'for images that are protected',
      protecting('[latest, v1]', versions, old),
      nothing('2 images are kept whatever rules say'),
    ],
    [
      'for images with further tags',
      rules('name: d, delete: { tags: [a, v2] }', versions),
      nothing('2 images are nothing that delete rules are about'),
    ],
    [
      'for one of the images that are kept by another rule',
      rules(
        'name: also, keep: { tags: "v*" }',
        'name: k, keep: { tags: "v*" }, when: { newest: 1 }',
        old,
      ),
      nothing('1 image is kept by rule "also" (policy.yml:4) too'),
    ],
    [
      'for images that no delete rule is about',
      rules('name: d, delete: { tags: [a] }', versions),
      nothing('2 images are nothing that delete rules are about'),
    ],
  ])('%s', (_story, set, finding) => {
    expect(found(set, { app }).filter((line) => line.startsWith('policy.yml:5'))).toEqual(
      finding === undefined ? [] : [finding],
    )
  })
})

describe('a rule does not stand in for another', () => {
  type Row = [own: string, other: string, isUseful: boolean]
  const app = [tagged('v1'), tagged('v2')]
  const isUseful = (set: PolicySet) =>
    !found(set, { app }).some((line) => line.startsWith('policy.yml:5: Rule "own" changes nothing'))

  test.each<Row>([
    ['tags: "v?" }', 'tags: "v*" }', false],
    ['tags: "v?" }', 'tags: "v*" }, when: { newest: 2 }', true],
    ['tags: "v?" }', 'tags: "v*" }, when: { daily: 2 }', true],
    ['tags: "v?" }', 'tags: "v*" }, when: { group-by: major, newest-groups: 2 }', true],
    ['tags: "v?" }, when: { newest: 3 }', 'tags: "v*" }, when: { monthly: 2 }', false],
    ['tags: "v?" }', 'tags: "v*" }, when: { newer-than: 50d }', true],
    ['tags: "v?" }, when: { newer-than: 51d }', 'tags: "v*" }, when: { newer-than: 50d }', true],
    ['tags: "v?" }, when: { newer-than: 50d }', 'tags: "v*" }, when: { newer-than: 50d }', false],
    ['tags: "v?" }', 'tags: "v*" }, when: { older-than: 2d }', true],
    ['tags: "v?" }, when: { older-than: 1d }', 'tags: "v*" }, when: { older-than: 2d }', true],
    ['tags: "v?" }, when: { older-than: 2d }', 'tags: "v*" }, when: { older-than: 2d }', false],
    [
      'tags: "v?" }, when: { older-than: 2d, by: created }',
      'tags: "v*" }, when: { older-than: 2d }',
      true,
    ],
    ['tags: "v?" }, when: { older-than: 2d, by: created }', 'tags: "v*" }', false],
    ['tags: "v?" }', 'tags: "v{number}" }, when: { ref: exists }', true],
    [
      'tags: "{branch}" }, when: { ref: exists }',
      'tags: "v{number}" }, when: { ref: exists }',
      false,
    ],
  ])('that keeps: %s, %s', (own, other, expected) => {
    expect(isUseful(rules(`name: other, keep: { ${other}`, `name: own, keep: { ${own}`, old))).toBe(
      expected,
    )
  })

  test.each<Row>([
    ['when: { older-than: 20d }', 'when: { older-than: 20d }', false],
    ['when: { older-than: 60d }', 'when: { older-than: 50d }', false],
    ['when: { older-than: 20d }', 'when: { older-than: 21d }', true],
    ['when: { older-than: 20d }', 'when: { older-than: 20d, by: created }', true],
    ['when: { older-than: 20d }', 'when: { older-than: 20d, newer-than: 50d }', true],
    ['when: { older-than: 20d }', 'when: { beyond-newest: 1 }', true],
    ['when: { beyond-newest: 2 }', 'when: { beyond-newest: 1 }', false],
    ['when: { beyond-newest: 1 }', 'when: { beyond-newest: 2 }', true],
    ['when: { older-than: 50d }', 'when: { lifetime: over }', true],
    ['when: { older-than: 60d }', 'when: { beyond-newest: 1 }', true],
    ['when: { older-than: 20d }', 'when: { lifetime: over }', true],
    ['when: { older-than: 20d, lifetime: over }', 'when: { lifetime: over }', false],
  ])('that deletes: %s, %s', (own, other, expected) => {
    const set = rules(
      `name: other, delete: { tags: "v*" }, ${other}`,
      `name: own, delete: { tags: "v?" }, ${own}`,
    )
    expect(isUseful(set)).toBe(expected)
  })
})

test('a delete rule that counts stands in for another only where it condemns the same', () => {
  const set = rules(
    'name: versions, delete: { tags: "v*" }, when: { beyond-newest: 1 }',
    'name: own, delete: { tags: [main, v1] }, when: { beyond-newest: 1 }',
    'name: main, delete: { tags: main }',
  )
  const lines = found(set, { app: [tagged('main', 39), tagged('v1', 40)] })
  expect(lines.filter((line) => line.startsWith('policy.yml:5'))).toEqual([])
})

describe('a delete rule', () => {
  const nothing = (why: string) =>
    `Rule "d" changes nothing here. Of what it is about, ${why}. Correct it or take it out, unless it is meant for later.`
  const app = [tagged('ci-1'), tagged('ci-2 main'), tagged('v1'), untagged()]
  const d = 'name: d, delete: { tags: "ci-*" }, when: { older-than: 30d }'

  test.each<[story: string, set: PolicySet, finding: string | undefined]>([
    ['of its own', rules('name: u, delete: { untagged: true }', d), undefined],
    [
      'for images that another rule takes',
      rules(old, d),
      nothing('2 images are taken by rule "old" (policy.yml:4) no later'),
    ],
    [
      'for images that other rules take together',
      rules('name: ci, delete: { tags: "ci-*" }', d, 'name: main, delete: { tags: main }'),
      nothing('2 images are taken by rule "ci" (policy.yml:4) no later'),
    ],
    [
      'for images that are protected',
      protecting('[main, ci-1]', d),
      nothing('2 images are kept whatever delete rules say'),
    ],
    ['for images of which some are kept', rules('name: k, keep: { tags: main }', d), undefined],
    [
      'for images that a rule keeps always',
      rules('name: k, keep: { tags: ["ci-?", main] }', d),
      nothing('2 images are kept whatever delete rules say'),
    ],
    [
      'for images that a rule keeps now',
      rules('name: k, keep: { tags: "ci-*" }, when: { newest: 2 }', d),
      undefined,
    ],
    [
      'for an image of which another rule takes one tag',
      rules('name: ci, delete: { tags: "ci-*" }', 'name: d, delete: { tags: [ci-2, main] }'),
      undefined,
    ],
    [
      'for an image without tags, where only tagged ones go anyway',
      unmatched(`name: d, delete: { digests: ${digest('bare')} }`),
      undefined,
    ],
    [
      'for an image that is listed',
      file(
        'defaults:',
        `  protect-digests: ${digest('bare')}`,
        '  rules:',
        `    - { name: d, delete: { digests: ${digest('bare')} } }`,
      ),
      nothing('1 image is kept whatever delete rules say'),
    ],
    [
      'for images with other tags',
      rules('name: u, delete: { untagged: true }', d.replace('ci-*', 'ci-2')),
      nothing('1 image is kept by tags that no delete rule is about'),
    ],
    [
      'for images that go anyway',
      unmatched(`name: d, delete: { digests: ${digest('a')} }`),
      nothing('1 image is taken by "unmatched: delete" too'),
    ],
    [
      'for images of several fates',
      protecting(
        'v1',
        'name: ci, delete: { tags: ci-1 }',
        'name: d, delete: { tags: ["ci-*", "v*"] }',
      ),
      nothing(
        '1 image is kept whatever delete rules say, 1 image is kept by tags that no delete rule is about and 1 image is taken by rule "ci" (policy.yml:5) no later',
      ),
    ],
    [
      'for all tagged images, of which all are protected for now',
      protecting('["ci-*", main, v1]', 'name: d, delete: { tagged: true }'),
      undefined,
    ],
  ])('%s', (_story, set, finding) => {
    const items = [...app, image('a', { tags: ['a'] }), image('bare')]
    const lines = found(set, { app: items }).map((line) => line.replace(/^policy.yml:\d+: /, ''))
    expect(lines.filter((line) => line.startsWith('Rule "d"'))).toEqual(
      finding === undefined ? [] : [finding],
    )
  })
})

test('of two rules that do the same, the later one changes nothing', () => {
  const set = rules(
    'name: a, keep: { tags: "v?" }',
    'name: b, keep: { tags: "v*" }',
    old,
    'name: c, delete: { tags: "*" }, when: { older-than: 30d }',
  )
  const lines = found(set, { app: [tagged('v1'), tagged('x')] })
  const useless = lines.filter((line) => line.includes('changes nothing'))
  expect(useless.map((line) => line.slice(0, 'policy.yml:5'.length))).toEqual([
    'policy.yml:5',
    'policy.yml:7',
  ])
})

test('of three delete rules that do the same, the later two change nothing', () => {
  const each = (name: string) => `name: ${name}, delete: { tags: "v*", not-tags: ${name} }`
  const lines = found(rules(each('aa'), each('bb'), each('cc')), {
    app: [tagged('v1.0'), tagged('aa'), tagged('bb'), tagged('cc')],
  })
  expect(lines.map((line) => line.replace(/ Of .*/, ''))).toEqual(
    ['bb', 'cc'].map((name, at) => `policy.yml:${5 + at}: Rule "${name}" changes nothing here.`),
  )
})

test('images that a file names, and those in a circle, are kept whatever rules say', () => {
  const set = rules(old, 'name: k, keep: { tags: ["v*", "x*"] }')
  const use = { reference: 'ghcr.io/acme/app:v1', file: 'deploy.yml', line: 1 }
  const circle = [
    image('one', { tags: ['x1', tagOf('two')] }),
    image('two', { tags: ['x2', tagOf('one')] }),
  ]
  const looked = lookedAt(set, 'app', [tagged('v1'), ...circle], { uses: new Map([['v1', [use]]]) })
  expect(told(lintUse(set, [looked]))).toEqual([
    'policy.yml:5: Rule "k" changes nothing here. Of what it keeps, 3 images are kept whatever rules say. Take it out, unless it is meant for later.',
  ])
})

test('a tag that names something open is not condemned with the tags beside it', () => {
  const set = rules(
    'name: gone, delete: { tags: "pr-{number}" }, when: { ref: gone }',
    'name: one, delete: { tags: pr-1 }',
    'name: two, delete: { tags: pr-2 }',
  )
  const refs = { openPullRequests: new Set([2]), branches: new Set<string>() }
  const looked = lookedAt(set, 'app', [tagged('pr-1 pr-2'), tagged('pr-3'), tagged('v1')], { refs })
  expect(told(lintUse(set, [looked]))).toEqual([
    'policy.yml:5: For information: rule "one" condemns what other rules condemn too: 1 image by rule "gone" (policy.yml:4). Whichever holds first counts.',
  ])
})

describe('what the file alone shows is not told again', () => {
  const app = [tagged('v1'), tagged('ci-1')]
  const use = (set: PolicySet, items: readonly Item[] = app) =>
    told(lintUse(set, [lookedAt(set, 'app', items)]))

  test('of a rule that can never hold', () => {
    expect(use(rules(ci, 'name: r, keep: { tags: x }, when: { newer-than: 0s }'))).toEqual([])
  })

  test('of two rules that say the same, one may go', () => {
    expect(
      use(rules(old, 'name: a, keep: { tags: "v*" }', 'name: b, keep: { tags: "v*" }')),
    ).toEqual([
      'policy.yml:5: For information: rule "a" keeps 1 image that would go, by rule "old" (policy.yml:4).',
    ])
  })

  test('but a rule that has a flaw, and works, stands in for others', () => {
    const soon = 'name: soon, delete: { tags: "*" }, when: { older-than: 1m }'
    expect(use(rules(soon, ci), [tagged('ci-1'), tagged('v1', 0)])).toEqual([
      'policy.yml:5: Rule "ci" changes nothing here. Of what it is about, 1 image is taken by rule "soon" (policy.yml:4) no later. Correct it or take it out, unless it is meant for later.',
    ])
  })

  test('and so does one that delays nothing in another entry', () => {
    const later = 'name: later, delete: { tags: "ci-*" }, when: { older-than: 8d }'
    const set = file(
      'packages:',
      `  - { match: app, rules: [{ ${later} }] }`,
      '  - { match: web, unmatched: delete }',
      'defaults:',
      `  rules: [{ ${ci} }]`,
    )
    expect(use(set)).toEqual([
      'policy.yml:3: Rule "later" changes nothing here. Of what it is about, 1 image is taken by rule "ci" (policy.yml:6) no later. Correct it or take it out, unless it is meant for later.',
    ])
  })

  test('nor of an entry from which nothing goes', () => {
    const set = file(
      'packages:',
      '  - match: app',
      '    rules: [{ name: k, keep: { tags: "v*" } }]',
      '  - { match: web, keep-latest: 1 }',
    )
    expect(use(set)).toEqual([])
  })
})

test('the later rule is the one further down in the file', () => {
  const set = file(
    'packages:',
    '  - { match: app, rules: [{ name: own, keep: { tags: "v?" } }] }',
    'defaults:',
    '  rules:',
    `    - { ${old} }`,
    '    - { name: shared, keep: { tags: "v*" } }',
  )
  const [useless = ''] = found(set, { app: [tagged('v1')] }).filter((line) =>
    line.includes('changes nothing'),
  )
  expect(useless).toMatch(
    /^policy\.yml:7: Rule "shared" changes .* by rule "own" \(policy\.yml:3\)/,
  )
})

describe('for information', () => {
  const overlap = (of: string, what: string) =>
    `For information: rule "${of}" condemns what other rules condemn too: ${what}. Whichever holds first counts.`
  const sooner = ci.replace('7d', '5d')

  test('what two delete rules both condemn is told of the later one', () => {
    const set = rules(old, ci)
    const app = [tagged('ci-1'), tagged('ci-2'), tagged('ci-3', 20), tagged('a'), untagged()]
    expect(found(set, { app, web: [tagged('ci-1'), tagged('ci-9', 1)] })).toEqual([
      `policy.yml:5: ${overlap('ci', '3 images by rule "old" (policy.yml:4)')}`,
    ])
  })

  test('what several rules condemn is told of each pair once', () => {
    const third = 'name: third, delete: { tags: [ci-1, x] }, when: { older-than: 1d }'
    const app = [tagged('ci-1'), tagged('ci-2'), tagged('x'), untagged()]
    expect(found(rules(old, sooner, third), { app })).toEqual([
      `policy.yml:5: ${overlap('ci', '2 images by rule "old" (policy.yml:4)')}`,
      `policy.yml:6: ${overlap('third', '2 images by rule "old" (policy.yml:4) and 1 image by rule "ci" (policy.yml:5)')}`,
    ])
  })

  test('rules for different tags of one image do not overlap', () => {
    const main = 'name: main, delete: { tags: main }'
    expect(found(rules(ci, main), { app: [tagged('ci-1 main')] })).toEqual([])
  })
})

describe('images in no group', () => {
  const grouped = (by: string) =>
    rules(
      old,
      `name: k, keep: { tags: ["v*", nightly] }, when: { group-by: ${by}, newest-groups: 9 }`,
    )
  const told = (what: string) =>
    `policy.yml:5: ${what}; the rule does not keep such images. Narrow its tags, or keep them by another rule.`
  const isAboutGroups = (line: string) => line.includes('group')

  test('are counted over all packages, with one as an example', () => {
    const packages = {
      app: [tagged('v1.0.0'), tagged('v2', 1), tagged('nightly')],
      web: [tagged('v3.1')],
    }
    expect(found(grouped('minor'), packages).filter(isAboutGroups)).toEqual([
      told('2 images that rule "k" is about are in no group, such as app:v2'),
    ])
  })

  test('may be one', () => {
    const app = [tagged('v1.0.0'), tagged('v1'), tagged('nightly')]
    expect(found(grouped('major'), { app }).filter(isAboutGroups)).toEqual([
      told('1 image that rule "k" is about is in no group, such as app:nightly'),
    ])
  })

  test('may have no tag', () => {
    const set = rules(
      old,
      `name: k, keep: { digests: ${digest('bare')} }, when: { group-by: major, newest-groups: 9 }`,
    )
    const app = [image('bare')]
    expect(found(set, { app }).filter(isAboutGroups)).toEqual([
      told(
        `1 image that rule "k" is about is in no group, such as app@${digest('bare').slice(0, 19)}`,
      ),
    ])
  })

  test('are not told when there are none', () => {
    const app = [tagged('v1.0.0'), tagged('nightly')]
    expect(found(grouped('"/(.*)/"'), { app }).filter(isAboutGroups)).toEqual([])
  })
})

describe('images of which only some tags are matched', () => {
  const deeds = 'Add a delete rule for the other tags if such images are to go.'
  const set = file('packages:', `  - { match: "*", rules: [{ ${ci} }] }`)

  test('are counted over all packages of an entry, with one as an example', () => {
    const packages = { app: [tagged('ci-1 v1'), tagged('ci-2')], web: [tagged('v2 ci-1')] }
    expect(found(set, packages)).toEqual([
      `policy.yml:3: 2 images stay because delete rules are about some of the tags only, such as app:ci-1, which is also v1. ${deeds}`,
    ])
  })

  test('may be one', () => {
    expect(found(set, { app: [tagged('ci-1 v1'), tagged('ci-2')] })).toEqual([
      `policy.yml:3: 1 image stays because delete rules are about some of the tags only, such as app:ci-1, which is also v1. ${deeds}`,
    ])
  })

  test('are not told when something keeps them', () => {
    const kept = file('packages:', `  - { match: "*", protect: v1, rules: [{ ${ci} }] }`)
    expect(found(kept, { app: [tagged('ci-1 v1'), tagged('ci-2')] })).toEqual([])
  })
})

describe('packages of which no tagged image would stay', () => {
  const none = (names: string) =>
    `policy.yml:3: Nothing keeps any tagged image of ${names}, so all but the last one would go. Add a keep rule, unless that is meant.`
  const policy = (more = '') =>
    file('packages:', `  - { match: "*", max-deletions: 2${more}, rules: [{ ${old} }] }`)

  test('are told by name, also when their ceiling saves them', () => {
    const packages = {
      api: [tagged('a'), tagged('b'), untagged()],
      last: [tagged('a'), untagged()],
      app: [tagged('v1'), tagged('v2', 20)],
      big: [tagged('a'), tagged('b'), tagged('c'), tagged('d')],
      bare: [untagged(), untagged(20)],
    }
    expect(foundAll(policy(), packages)).toEqual([none('api and big')])
  })

  test('are not told where something keeps them', () => {
    const packages = { api: [tagged('a'), tagged('b'), untagged()] }
    expect(foundAll(policy(', protect: a'), packages)).toEqual([])
  })

  test('are not told again where the file alone shows it', () => {
    const set = file('packages:', '  - { match: "*", unmatched: delete }')
    expect(lintUse(set, [lookedAt(set, 'app', [tagged('a'), tagged('b')])])).toEqual([])
  })
})

test('a package whose plan did not pass the second look is looked at all the same', () => {
  const set = rules(old, 'name: r, keep: { tags: x }')
  const looked = lookedAt(set, 'app', [tagged('a')])
  const found = (code: RefusalCode) => {
    const plan = refuse(looked.plan, [{ code, message: 'no', hint: 'no' }])
    return lintUse(set, [{ ...looked, plan }]).length
  }
  expect([found('second-look'), found('manifest-unread')]).toEqual([1, 0])
})

test('a package that is left alone for its many deletions is looked at all the same', () => {
  const set = file(
    'defaults:',
    '  max-deletions: 1',
    '  rules:',
    `    - { ${old} }`,
    '    - { name: k, keep: { tags: "v*" } }',
  )
  expect(found(set, { app: [tagged('a'), tagged('b'), tagged('v1')] })).toEqual([
    'policy.yml:6: For information: rule "k" keeps 1 image that would go, by rule "old" (policy.yml:5).',
  ])
})
