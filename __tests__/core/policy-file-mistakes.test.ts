import { describe, expect, test } from '@jest/globals'
import { durationForm } from '../../src/policy/durations.js'
import { mistakesOf } from './policy-files.js'

/** A file, and every mistake in it: line, column, way, what was found and what it takes. */
type Row = [text: string, mistakes: string[]]

const bare = 'version: 1\nkeep-latest: 5\n'
const block = (keys: string) => `${bare}defaults: { ${keys} }\n`
const rule = (text: string) => `${bare}defaults:\n  rules:\n    - ${text}\n`
const sel = (select: string) => rule(`{ name: it, delete: ${select} }`)
const when = (action: string, select: string, conditions: string) =>
  rule(`{ name: it, ${action}: ${select}, when: ${conditions} }`)

const fileKeys =
  'which takes version, schedule, repository, retention, keep-latest, untagged-ttl, defaults, packages'
const blockKeys =
  'which takes protect, protect-from, protect-digests, grace, max-deletions, unmatched, read-labels, repository, keep-latest, untagged-ttl, rules'
const conditionKeys =
  'which takes older-than, newer-than, by, newest, beyond-newest, group-by, newest-groups, newest-per-group, hourly, daily, weekly, monthly, yearly, ref, lifetime'
const noPulls =
  'GHCR does not tell when or how often an image was pulled, so no rule can ask for it; "older-than" asks for its age'
const nothingDeletes =
  'nothing in this file can ever delete an image; it takes a delete rule, keep-latest, untagged-ttl, or "unmatched: delete"'
const wrongKey =
  'a key stands where none can be: a line is indented too far, or a text with ": " needs quotes, or quotes are not closed'

describe('what is no YAML', () => {
  test.each<Row>([
    ['', ['1:1: the file is empty; it takes "version: 1" and what may be deleted']],
    ['# nothing\n', ['1:1: the file is empty; it takes "version: 1" and what may be deleted']],
    ['---\n...\n', ['1:1: the file is empty; it takes "version: 1" and what may be deleted']],
    [
      '- version: 1\n',
      ['1:1: a list is not what it takes: a map with "version: 1" and what may be deleted'],
    ],
    ['just text\n', ['1:1: "just text" is not a map with "version: 1" and what may be deleted']],
    ['~\n', ['1:1: ~ says nothing; it takes a map with "version: 1" and what may be deleted']],
    [bare + '---\n' + bare, ['3:1: a second document begins here; a policy file is one document']],
    [
      'version: 1\ndefaults:\n\tgrace: 1d\n',
      ['3:1: is not YAML: a tab stands where YAML takes spaces only'],
    ],
    [
      'version: 1\ndefaults: { grace: 1d\nkeep-latest: [',
      [
        '3:1: is not YAML: the bracket is not closed by "}"',
        '3:15: is not YAML: the bracket is not closed by "]"',
      ],
    ],
    [
      bare + 'packages:\n  - match: *\n',
      ['4:12: is not YAML: a text that begins with * takes quotes, as in "*"'],
    ],
    [
      bare + 'defaults: { protect: @a }\n',
      ['3:22: is not YAML: a text that begins with @ takes quotes'],
    ],
    [
      bare + 'defaults: { protect: %a }\n',
      ['3:22: is not YAML: a text that begins with % takes quotes'],
    ],
    ['version: "1\n', ['2:1: is not YAML: a text that begins with a quote does not end with one']],
    ['version: 1\ndefaults: grace: 1d\n', [`2:11: is not YAML: ${wrongKey}`]],
    [
      'version: 1\ndefaults:\n  grace: 1d\n   protect: a\nkeep-latest: }\n',
      [`3:10: is not YAML: ${wrongKey}`, '5:14: is not YAML: a closing bracket has no opening one'],
    ],
    [
      'version: 1\ndefaults:\n  - a\n b\n',
      [
        '4:1: is not YAML: the keys of a map do not stand in one column',
        `4:2: is not YAML: ${wrongKey}`,
      ],
    ],
    [
      'version: 1\n\x00\x01',
      ['2:1: the character U+0000 is in no YAML file; it takes text in UTF-8'],
    ],
    ['version: 1\ufffd', ['1:11: the character U+FFFD is in no YAML file; it takes text in UTF-8']],
    ['\x89PNG\r\n\x1a\n', ['1:1: the character U+0089 is in no YAML file; it takes text in UTF-8']],
    [
      '%YAML 1.2\nversion: 1\nkeep-latest: 1\n',
      ['2:1: is not YAML: a line "---" is missing after the directives'],
    ],
    [bare + 'protect: &a &b c\n', ['3:13: is not YAML: a node can have at most one anchor']],
    [
      sel('{ tags: [pr-{number}] }'),
      [
        '5:39: is not YAML: a "," is missing between brackets, or a text with a bracket in it needs quotes, such as "pr-{number}"',
      ],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})

describe('anchors, merge keys and tags', () => {
  test.each<Row>([
    [
      'version: 1\nkeep-latest: *none\n',
      [
        '2:14 keep-latest: no anchor "&none" comes before *none; as a pattern it takes quotes: "*none"',
      ],
    ],
    [
      'version: 1\ndefaults: &all { rules: *all }\nkeep-latest: 1\n',
      ['2:25 defaults.rules: "*all" stands inside of what it names'],
    ],
    [
      bare + 'defaults: { <<: 3, grace: 1d }\n',
      ['3:13 defaults.<<: takes an alias of a map, or a list of such'],
    ],
    [
      bare + 'defaults: { <<: { grace: 1d }, <<: { protect: a } }\n',
      ['3:32 defaults.<<: is written twice in one map, before in line 3'],
    ],
    [
      bare + 'defaults: { grace: !!str 1d, protect: !mine a }\n',
      [
        '3:39: "!mine" is a tag of YAML, which means nothing here; a text that begins with ! takes quotes',
      ],
    ],
    [
      bare + 'defaults: &all { grace: 30 }\npackages: [{ match: a, <<: *all }]\n',
      [`3:25 defaults.grace: 30 has no unit; it takes ${durationForm}`],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})

describe('keys', () => {
  test.each<Row>([
    [
      '\ufeffversion: 2\nkeep-latest: 1\n',
      ['1:10 version: 2 is not 1, the version of this language'],
    ],
    [
      rule('{ name: it, delete: { tagged: true }, older_than: 1d }'),
      ['5:45 defaults.rules[0].older_than: is no key of a rule; it stands under "when"'],
    ],
    [
      when('delete', '{ tagged: true }', '{ pull-request: 5 }'),
      [`5:53 defaults.rules[0].when.pull-request: is no key of "when", ${conditionKeys}`],
    ],
    ['keep-latest: 5\n', ['1:1 version: is missing; it takes 1, the version of this language']],
    ['version: 2\nkeep-latest: 1\n', ['1:10 version: 2 is not 1, the version of this language']],
    [bare + 'keep-latest: 6\n', ['3:1 keep-latest: is written twice in one map, before in line 2']],
    [
      bare + 'schedul: x\nretension: {}\ngrace: 1d\nmatch: api\n',
      [
        `3:1 schedul: is no key of a policy file, ${fileKeys}; did you mean schedule?`,
        `4:1 retension: is no key of a policy file, ${fileKeys}; did you mean retention?`,
        '5:1 grace: is no key of a policy file; it stands under "defaults", or in an entry of "packages"',
        '6:1 match: is no key of a policy file; it stands in an entry of "packages"',
      ],
    ],
    [
      bare + '? [a]\n: b\n? {c: d}\n: e\n1: f\n',
      [
        '3:3: a key that is no text means nothing here',
        '5:3: a key that is no text means nothing here',
        `7:1 1: is no key of a policy file, ${fileKeys}`,
      ],
    ],
    [
      bare + '"__proto__": 1\nconstructor: 2\n',
      [
        `3:1 __proto__: is no key of a policy file, ${fileKeys}`,
        `4:1 constructor: is no key of a policy file, ${fileKeys}`,
      ],
    ],
    [
      block('max_deletions: 5, protect_from: a, readLabels: true, Grace: 1d, xyzzy: 1'),
      [
        `3:13 defaults.max_deletions: is no key of "defaults", ${blockKeys}; did you mean max-deletions?`,
        `3:31 defaults.protect_from: is no key of "defaults", ${blockKeys}; did you mean protect-from?`,
        `3:48 defaults.readLabels: is no key of "defaults", ${blockKeys}; did you mean read-labels?`,
        `3:66 defaults.Grace: is no key of "defaults", ${blockKeys}; did you mean grace?`,
        `3:77 defaults.xyzzy: is no key of "defaults", ${blockKeys}`,
      ],
    ],
    [
      block('schedule: x, match: api, tags: a, older-than: 1d'),
      [
        '3:13 defaults.schedule: a schedule stands at the top level: one run serves all packages',
        '3:26 defaults.match: is no key of "defaults"; it stands in an entry of "packages"; what stands in "defaults" holds in every package',
        '3:38 defaults.tags: is no key of "defaults"; it stands under "keep" or "delete" of a rule',
        '3:47 defaults.older-than: is no key of "defaults"; it stands under "when" of a rule',
      ],
    ],
    [
      bare +
        'packages:\n  - { match: a, version: 1, keep: { tagged: true }, tags: b, newest: 3 }\n',
      [
        '4:17 packages[0].version: is no key of an entry of "packages"; it stands at the top level',
        '4:29 packages[0].keep: is no key of an entry of "packages"; it stands in an entry of "rules"',
        '4:53 packages[0].tags: is no key of an entry of "packages"; it stands under "keep" or "delete" of a rule',
        '4:62 packages[0].newest: is no key of an entry of "packages"; it stands under "when" of a rule',
      ],
    ],
    [
      rule('{ name: it, delete: { tagged: true }, older-than: 1d, tags: a, grace: 1d, nam: b }'),
      [
        '5:45 defaults.rules[0].older-than: is no key of a rule; it stands under "when"',
        '5:61 defaults.rules[0].tags: is no key of a rule; it stands under "keep" or "delete"',
        '5:70 defaults.rules[0].grace: is no key of a rule; it stands beside "rules"',
        '5:81 defaults.rules[0].nam: is no key of a rule, which takes name, keep, delete, when, enabled; did you mean name?',
      ],
    ],
    [
      sel('{ tags: a, older-than: 1d, enabled: false, exclude: b }'),
      [
        '5:38 defaults.rules[0].delete.older-than: is no key of what a rule keeps or deletes; it stands under "when", beside "keep" or "delete"',
        '5:54 defaults.rules[0].delete.enabled: is no key of what a rule keeps or deletes; it stands beside "keep" or "delete"',
        '5:70 defaults.rules[0].delete.exclude: is no key of what a rule keeps or deletes, which takes tags, not-tags, semver, prerelease, tagged, untagged, orphans, digests, artifact',
      ],
    ],
    [
      when('delete', '{ tagged: true }', '{ tags: a, older_than: 1d, name: b, age: 1d }'),
      [
        '5:53 defaults.rules[0].when.tags: is no key of "when"; it stands under "keep" or "delete"',
        `5:62 defaults.rules[0].when.older_than: is no key of "when", ${conditionKeys}; did you mean older-than?`,
        '5:78 defaults.rules[0].when.name: is no key of "when"; it stands beside "when"',
        `5:87 defaults.rules[0].when.age: is no key of "when", ${conditionKeys}`,
      ],
    ],
    [
      when(
        'delete',
        '{ tagged: true }',
        '{ last-pulled: 30d, not-pulled-since: 1d, pulled: false, downloads: 0, minDownloads: 3 }',
      ),
      [
        `5:53 defaults.rules[0].when.last-pulled: ${noPulls}`,
        `5:71 defaults.rules[0].when.not-pulled-since: ${noPulls}`,
        `5:93 defaults.rules[0].when.pulled: ${noPulls}`,
        `5:108 defaults.rules[0].when.downloads: ${noPulls}`,
        `5:122 defaults.rules[0].when.minDownloads: ${noPulls}`,
      ],
    ],
    [
      bare + 'retention: { grace: 1d, keeplatest: 3 }\n',
      [
        '3:14 retention.grace: is no key of "retention"; it stands under "defaults"',
        '3:25 retention.keeplatest: is no key of "retention", which takes schedule, keep-latest, untagged-ttl; did you mean keep-latest?',
      ],
    ],
    [
      bare + 'protect: a\n' + 'k'.repeat(120) + ': 1\n',
      [
        '3:1 protect: is no key of a policy file; it stands under "defaults", or in an entry of "packages"',
        `4:1 ["kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…"]: is no key of a policy file, ${fileKeys}`,
      ],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})

describe('values', () => {
  test.each<Row>([
    [
      block('grace: 30, protect: [1.10, true, ~], max-deletions: 1.5'),
      [
        `3:20 defaults.grace: 30 has no unit; it takes ${durationForm}`,
        '3:34 defaults.protect[0]: 1.10 is no text to YAML but a number; it takes a tag pattern such as "v*" or "/ci-\\d+/"; did you mean "1.10"?',
        '3:40 defaults.protect[1]: true is no text to YAML but a boolean; it takes a tag pattern such as "v*" or "/ci-\\d+/"; did you mean "true"?',
        '3:46 defaults.protect[2]: ~ says nothing; it takes a tag pattern such as "v*" or "/ci-\\d+/"',
        '3:65 defaults.max-deletions: 1.5 is not a whole number of versions such as 500, or a share of them such as "50%"',
      ],
    ],
    [
      block('grace: 2 fortnights'),
      [`3:20 defaults.grace: "2 fortnights" is not a duration; it takes ${durationForm}`],
    ],
    [
      block('grace: , protect: , rules: '),
      [
        `3:13 defaults.grace: is empty; it takes ${durationForm}`,
        '3:22 defaults.protect: is empty; it takes tag patterns such as "v*" or "/ci-\\d+/"',
        '3:33 defaults.rules: is empty; it takes a list of rules',
      ],
    ],
    [
      block('grace: "", protect: "", repository: " "'),
      [
        `3:20 defaults.grace: the text is empty; it takes ${durationForm}`,
        '3:33 defaults.protect: the text is empty; it takes a tag pattern such as "v*" or "/ci-\\d+/"',
        '3:49 defaults.repository: the text is empty; it takes a repository such as "acme/api"',
      ],
    ],
    [
      block(
        'grace: [1d], protect: { a: b }, read-labels: yes, unmatched: remove, repository: acme',
      ),
      [
        `3:20 defaults.grace: a list is not what it takes: ${durationForm}`,
        '3:35 defaults.protect: a map is not what it takes: tag patterns such as "v*" or "/ci-\\d+/"',
        '3:58 defaults.read-labels: "yes" is not true or false; did you mean true?',
        '3:74 defaults.unmatched: "remove" is not one of keep, delete',
        '3:94 defaults.repository: "acme" is not a repository; it takes a repository such as "acme/api"',
      ],
    ],
    [
      block('max-deletions: -1'),
      [
        '3:28 defaults.max-deletions: -1 is not a whole number of versions such as 500, or a share of them such as "50%"',
      ],
    ],
    [
      block('max-deletions: 101%'),
      [
        '3:28 defaults.max-deletions: "101%" is not a whole number of versions such as 500, or a share of them such as "50%"',
      ],
    ],
    [
      block('max-deletions: most'),
      [
        '3:28 defaults.max-deletions: "most" is not a whole number of versions such as 500, or a share of them such as "50%"',
      ],
    ],
    [
      block('protect: ["!a", "a b", "/a/b", "/(/", "pr-{number}", "{}"]'),
      [
        '3:23 defaults.protect[0]: "!a" has an exclusion mark, which this list does not take',
        '3:29 defaults.protect[1]: "a b" can never match: no tag has a " " in it',
        '3:36 defaults.protect[2]: "/a/b" starts like /a regular expression/ but does not end like one',
        '3:44 defaults.protect[3]: "/(/" is not a regular expression in RE2 syntax: error parsing regexp: missing closing ): `(`',
        '3:51 defaults.protect[4]: "pr-{number}" has a placeholder; only "tags" of a rule with the condition "ref" takes one',
        '3:66 defaults.protect[5]: "{}" can never match: "{}" stands for nothing',
      ],
    ],
    [
      block('protect-from: [/etc/passwd, ../a, "!b", "a/../../b", 5]'),
      [
        '3:28 defaults.protect-from[0]: "/etc/passwd" leads out of the checkout; it takes globs of files in the checkout such as "deploy/**/*.yaml"',
        '3:41 defaults.protect-from[1]: "../a" leads out of the checkout; it takes globs of files in the checkout such as "deploy/**/*.yaml"',
        '3:47 defaults.protect-from[2]: "!b" has an exclusion mark; it takes globs of files in the checkout such as "deploy/**/*.yaml"',
        '3:53 defaults.protect-from[3]: "a/../../b" leads out of the checkout; it takes globs of files in the checkout such as "deploy/**/*.yaml"',
        '3:66 defaults.protect-from[4]: 5 is no text to YAML but a number; it takes a glob of files in the checkout',
      ],
    ],
    [
      block('protect-digests: [sha256:abc, 7]'),
      [
        '3:31 defaults.protect-digests[0]: "sha256:abc" is not a digest; it takes "sha256:" and 64 lower-case hex digits',
        '3:43 defaults.protect-digests[1]: 7 is no text to YAML but a number; it takes "sha256:" and 64 lower-case hex digits',
      ],
    ],
    [
      block('read-labels: maybe, unmatched: delte'),
      [
        '3:26 defaults.read-labels: "maybe" is not true or false',
        '3:44 defaults.unmatched: "delte" is not one of keep, delete; did you mean delete?',
      ],
    ],
    [
      'version: 1\nkeep-latest: 0\nuntagged-ttl: 30\n',
      [
        '2:14 keep-latest: 0 is not a whole number from 1 to 1000000',
        `3:15 untagged-ttl: 30 has no unit; it takes ${durationForm}`,
      ],
    ],
    [
      'version: 1\nkeep-latest: 5.5\nuntagged_ttl: 168\n',
      [
        '2:14 keep-latest: 5.5 is not a whole number from 1 to 1000000',
        `3:15 untagged_ttl: 168 has no unit; it takes ${durationForm}`,
      ],
    ],
    [
      'version: 1\nkeep-latest: five\n',
      ['2:14 keep-latest: "five" is not a whole number from 1 to 1000000'],
    ],
    [
      bare + 'schedule: daily\n',
      [
        '3:11 schedule: "daily" has 1 field; it takes 5 fields such as "17 3 * * *": minute, hour, day of the month, month and day of the week',
      ],
    ],
    [
      bare + 'schedule: 5\n',
      [
        '3:11 schedule: 5 is no text to YAML but a number; it takes a schedule such as "17 3 * * *"',
      ],
    ],
    [
      bare + 'repository: https://github.com/acme/api\n',
      [
        '3:13 repository: "https://github.com/acme/api" is not a repository; it takes a repository such as "acme/api"',
      ],
    ],
    [
      bare + 'defaults: []\n',
      [
        '3:11 defaults: is an empty list; it takes a map with keys such as protect, grace and rules',
      ],
    ],
    [
      bare + 'defaults: 3\nretention: on\n',
      [
        '3:11 defaults: 3 is not a map with keys such as protect, grace and rules',
        '4:12 retention: "on" is not a map with keep_latest, untagged_ttl or schedule',
      ],
    ],
    [
      'version: 1\npackages: []\n',
      ['2:11 packages: is an empty list; it takes a list of packages, at least one'],
    ],
    [
      bare + 'packages: { match: a }\n',
      ['3:11 packages: a map is not what it takes: a list of packages, at least one'],
    ],
    [
      bare + 'packages: [api, { keep-latest: 3 }]\n',
      [
        '3:12 packages[0]: "api" is not a map with match and keys such as protect, grace and rules',
        '3:17 packages[1].match: is missing; it takes names of packages such as "api" or "team/api", or globs',
      ],
    ],
    [
      bare +
        'packages:\n  - match: [ghcr.io/acme/api, Team/API, "-x", "!", "!!a", "a b", 5]\n  - match: []\n  - match: https://ghcr.io/acme/api\n',
      [
        '4:13 packages[0].match[0]: "ghcr.io/acme/api" has a registry in front; it takes only the name after the account',
        '4:41 packages[0].match[2]: "-x" is not a package name; it takes names of packages such as "api" or "team/api", or globs',
        '4:47 packages[0].match[3]: an exclusion mark "!" has nothing after it',
        '4:52 packages[0].match[4]: "!!a" has two exclusion marks',
        '4:59 packages[0].match[5]: "a b" can never match: no package name has a " " in it',
        '4:66 packages[0].match[6]: 5 is no text to YAML but a number; it takes the name of a package, or a glob of such; did you mean "5"?',
        '5:12 packages[1].match: is an empty list; it takes names of packages such as "api" or "team/api", or globs',
        '6:12 packages[2].match: "https://ghcr.io/acme/api" has a registry in front; it takes only the name after the account',
      ],
    ],
    [
      sel('{ tags: ["!a", "a b", 5], not-tags: ["!b", "{branch}"] }'),
      [
        '5:36 defaults.rules[0].delete.tags[0]: "!a" excludes nothing here; what is left out stands in not-tags',
        '5:42 defaults.rules[0].delete.tags[1]: "a b" can never match: no tag has a " " in it',
        '5:49 defaults.rules[0].delete.tags[2]: 5 is no text to YAML but a number; it takes a tag pattern such as "v*" or "/ci-\\d+/"; did you mean "5"?',
        '5:64 defaults.rules[0].delete.not-tags[0]: "!b" has an exclusion mark, which this list does not take',
        '5:70 defaults.rules[0].delete.not-tags[1]: "{branch}" has a placeholder; only "tags" of a rule with the condition "ref" takes one',
      ],
    ],
    [
      sel('{ tags: [] , digests: [] }'),
      [
        '5:35 defaults.rules[0].delete.tags: is an empty list; it takes tag patterns such as "v*" or "/ci-\\d+/"',
        '5:49 defaults.rules[0].delete.digests: is an empty list; it takes digests of "sha256:" and 64 lower-case hex digits',
      ],
    ],
    [
      sel('{ semver: 1.2, prerelease: rc }'),
      [
        '5:37 defaults.rules[0].delete.semver: 1.2 is no text to YAML but a number; it takes a range of versions such as ">=1.0.0"; did you mean "1.2"?',
        '5:54 defaults.rules[0].delete.prerelease: "rc" is not true or false',
      ],
    ],
    [
      sel('{ semver: "newest" }'),
      [
        '5:37 defaults.rules[0].delete.semver: "newest" is not a range of versions; it takes ranges such as ">=1.0.0", "1.x || 2.x", "^1.2.0"',
      ],
    ],
    [
      sel('{ tagged: false, untagged: no }'),
      [
        '5:37 defaults.rules[0].delete.tagged: false is not true, the one value that may stand here',
        '5:54 defaults.rules[0].delete.untagged: "no" is not true, the one value that may stand here',
      ],
    ],
    [
      sel("{ artifact: [chrt, signature, 5, 'a b/*'] }"),
      [
        '5:40 defaults.rules[0].delete.artifact[0]: "chrt" is no type; it takes image, chart, wasm, or a glob such as "application/vnd.cncf.helm.*"; did you mean chart?',
        '5:46 defaults.rules[0].delete.artifact[1]: "signature" is no type; it takes image, chart, wasm, or a glob such as "application/vnd.cncf.helm.*"',
        '5:57 defaults.rules[0].delete.artifact[2]: 5 is no text to YAML but a number; it takes one of image, chart, wasm, or globs of types such as "application/vnd.cncf.helm.*"',
        '5:60 defaults.rules[0].delete.artifact[3]: "a b/*" can never match: no type has a " " in it',
      ],
    ],
    [
      when(
        'delete',
        '{ tagged: true }',
        '{ older-than: 30, newer-than: soon, by: pushed, beyond-newest: -1, ref: closed, lifetime: true }',
      ),
      [
        `5:65 defaults.rules[0].when.older-than: 30 has no unit; it takes ${durationForm}`,
        `5:81 defaults.rules[0].when.newer-than: "soon" is not a duration; it takes ${durationForm}`,
        '5:91 defaults.rules[0].when.by: "pushed" is not one of updated, created',
        '5:114 defaults.rules[0].when.beyond-newest: -1 is not a whole number from 0 to 1000000',
        '5:118 defaults.rules[0].when.ref: takes tags that say what to look up: tags: "pr-{number}" or tags: "branch-{branch}"',
        '5:123 defaults.rules[0].when.ref: "closed" is not one of gone, exists',
        '5:141 defaults.rules[0].when.lifetime: true is not "over"',
      ],
    ],
    [
      when(
        'keep',
        '{ tagged: true }',
        '{ newest: 0, hourly: 0, daily: 1.5, weekly: x, monthly: 1000001, group-by: patch, newest-groups: 0 }',
      ),
      [
        '5:59 defaults.rules[0].when.newest: 0 is not a whole number from 1 to 1000000',
        '5:70 defaults.rules[0].when.hourly: 0 is not a whole number from 1 to 1000000',
        '5:80 defaults.rules[0].when.daily: 1.5 is not a whole number from 1 to 1000000',
        '5:93 defaults.rules[0].when.weekly: "x" is not a whole number from 1 to 1000000',
        '5:105 defaults.rules[0].when.monthly: 1000001 is not a whole number from 1 to 1000000',
        '5:124 defaults.rules[0].when.group-by: "patch" is nothing to group by; it takes major, minor, or an expression such as "/(.+)-\\d+/"',
        '5:146 defaults.rules[0].when.newest-groups: 0 is not a whole number from 1 to 1000000',
      ],
    ],
    [
      when('keep', '{ tagged: true }', '{ group-by: "/a-(b)-(c)/", newest-groups: 1 }'),
      [
        '5:61 defaults.rules[0].when.group-by: "/a-(b)-(c)/" has 2 groups; it takes exactly one, around what images have in common; others are written (?:…)',
      ],
    ],
    [
      when('keep', '{ tagged: true }', '{ group-by: "/a-b/", newest-groups: 1 }'),
      [
        '5:61 defaults.rules[0].when.group-by: "/a-b/" has no group; it takes exactly one, around what images have in common; others are written (?:…)',
      ],
    ],
    [
      rule('{ name: 5, delete: true, when: 30d, enabled: off }'),
      [
        '5:15 defaults.rules[0].name: 5 is no text to YAML but a number; it takes a name of letters, digits, dots, dashes and spaces, 100 at most; did you mean "5"?',
        '5:26 defaults.rules[0].delete: true is not a map such as { tags: "nightly-*" } or { untagged: true }',
        '5:38 defaults.rules[0].when: "30d" is not a map such as { older-than: 30d }; without conditions it is left out',
        '5:52 defaults.rules[0].enabled: "off" is not true or false; did you mean false?',
      ],
    ],
    [
      rule('{ name: "a/b", delete: { tagged: true } }'),
      [
        '5:15 defaults.rules[0].name: "a/b" is not a name; it takes a name of letters, digits, dots, dashes and spaces, 100 at most',
      ],
    ],
    [
      rule('text'),
      ['5:7 defaults.rules[0]: "text" is not a map with name, keep or delete, and when'],
    ],
    [
      rule('{}'),
      [
        '5:7 defaults.rules[0].name: is missing; it takes a name of letters, digits, dots, dashes and spaces, 100 at most',
        '5:7 defaults.rules[0]: has neither keep nor delete, so it says of no image what becomes of it',
      ],
    ],
    [
      bare + 'defaults:\n  rules:\n    name: it\n    delete: { tagged: true }\n',
      ['5:5 defaults.rules: a map is not what it takes: a list of rules'],
    ],
    [
      block('grace: ' + 'x'.repeat(200)),
      [
        `3:20 defaults.grace: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is not a duration; it takes ${durationForm}`,
      ],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})

const bareTemplate = (text: string) =>
  `5:35 defaults.rules[0].delete.tags: "${text}" would take tags that mean something else too, such as releases; it takes text in front, as in "pr-{number}" and "branch-{branch}", or not-tags beside it that say which tags are meant otherwise`

describe('keys that do not fit together', () => {
  test.each<Row>([
    [
      sel("{ tags: '!pr-{number}' }"),
      [
        '5:35 defaults.rules[0].delete.tags: "!pr-{number}" excludes nothing here; what is left out stands in not-tags',
      ],
    ],
    [
      'version: 1\nkeep-latest: 5\nkeep_latest: 5\nretention: { keep_latest: 5, schedule: 17 3 * * * }\nschedule: 18 3 * * *\ndefaults: { keep-latest: 3, untagged_ttl: 1d, untagged-ttl: 1d }\n',
      [
        '3:1 keep_latest: says what keep-latest in line 2 says already; it is said once',
        '4:14 retention.keep_latest: says what keep-latest in line 2 says already; it is said once',
        '5:1 schedule: says what retention.schedule in line 4 says already; it is said once',
        '6:13 defaults.keep-latest: says what keep-latest in line 2 says already; it is said once',
        '6:29 defaults.untagged_ttl: says what defaults.untagged-ttl in line 6 says already; it is said once',
      ],
    ],
    [
      'version: 1\npackages: [{ match: a, keep-latest: 5, keep_latest: 6 }]\n',
      [
        '2:40 packages[0].keep_latest: says what packages[0].keep-latest in line 2 says already; it is said once',
      ],
    ],
    [
      'version: 1\ndefaults:\n  keep-latest: 3\n  rules:\n    - { name: a, delete: { tagged: true } }\n    - { name: a, keep: { tagged: true } }\n    - { name: keep-latest, delete: { tagged: true } }\n',
      [
        '6:15 defaults.rules[1].name: "a" is the name of the rule in line 5 too; rules of one block have different names',
        '7:15 defaults.rules[2].name: "keep-latest" is the name of the rule in line 3 too; rules of one block have different names',
      ],
    ],
    [
      rule('{ name: it, keep: { tags: a }, delete: { tags: b } }'),
      [
        '5:38 defaults.rules[0].delete: stands beside "keep"; a rule either keeps or deletes, so these are two rules',
      ],
    ],
    [
      rule('{ name: it, when: { older-than: 1d } }'),
      [
        '5:7 defaults.rules[0]: has neither keep nor delete, so it says of no image what becomes of it',
      ],
    ],
    [
      rule('{ name: it, delete: , when: }'),
      [
        '5:19 defaults.rules[0].delete: is empty; it takes a map such as { tags: "nightly-*" } or { untagged: true }',
        '5:29 defaults.rules[0].when: is empty; it takes a map such as { older-than: 30d }; without conditions it is left out',
      ],
    ],
    [
      sel('{}'),
      [
        '5:27 defaults.rules[0].delete: is empty and would select nothing; all images are { tagged: true, untagged: true }',
      ],
    ],
    [
      sel('{ tags: a, semver: 1.x, untagged: true, orphans: true }'),
      [
        '5:51 defaults.rules[0].delete.untagged: cannot stand beside tags and semver: only images with tags have such tags; untagged takes a rule of its own',
        '5:67 defaults.rules[0].delete.orphans: cannot stand beside tags and semver: only images with tags have such tags; orphans takes a rule of its own',
      ],
    ],
    [
      sel('{ prerelease: true, untagged: true }'),
      [
        '5:47 defaults.rules[0].delete.untagged: cannot stand beside prerelease: only images with tags have such tags; untagged takes a rule of its own',
      ],
    ],
    [
      when(
        'delete',
        '{ tagged: true }',
        '{ newest: 5, group-by: major, newest-per-group: 2, daily: 7, yearly: 1 }',
      ),
      [
        '5:53 defaults.rules[0].when.newest: would delete the newest; to delete all but the newest, write beyond-newest: 5',
        '5:64 defaults.rules[0].when.group-by: would delete the newest of the groups; it belongs into a keep rule, beside a rule that deletes the rest',
        '5:102 defaults.rules[0].when.daily: would delete what is to be left of the thinning; it belongs into a keep rule, beside a rule that deletes the rest',
        '5:112 defaults.rules[0].when.yearly: would delete what is to be left of the thinning; it belongs into a keep rule, beside a rule that deletes the rest',
      ],
    ],
    [
      when('keep', '{ tagged: true }', '{ beyond-newest: 5, lifetime: over }'),
      [
        '5:51 defaults.rules[0].when.beyond-newest: would keep all but the newest; to keep the newest, write newest: 5',
        '5:69 defaults.rules[0].when.lifetime: would keep images because their lifetime is over; it belongs into a delete rule',
      ],
    ],
    [
      when('keep', '{ tagged: true }', '{ group-by: major }'),
      [
        '5:51 defaults.rules[0].when.group-by: says nothing by itself; it takes newest-groups, newest-per-group, or both beside it',
      ],
    ],
    [
      when('keep', '{ tagged: true }', '{ newest-groups: 1, newest-per-group: 2 }'),
      [
        '5:51 defaults.rules[0].when.newest-groups: takes group-by beside it, which says what the groups are',
        '5:69 defaults.rules[0].when.newest-per-group: takes group-by beside it, which says what the groups are',
      ],
    ],
    [
      when('delete', '{ tagged: true }', '{ by: created }'),
      [
        '5:53 defaults.rules[0].when.by: is no condition by itself; it says which time the others go by',
      ],
    ],
    [
      when('delete', '{ tagged: true }', '{ ref: gone }'),
      [
        '5:53 defaults.rules[0].when.ref: takes tags that say what to look up: tags: "pr-{number}" or tags: "branch-{branch}"',
      ],
    ],
    [
      when(
        'delete',
        "{ tags: ['pr-{number}', pr-*, '/pr-{number}/', 'pr-{nr}'] }",
        '{ ref: gone }',
      ),
      [
        '5:51 defaults.rules[0].delete.tags[1]: "pr-*" names nothing to look up: it takes {number} or {branch}',
        '5:57 defaults.rules[0].delete.tags[2]: "/pr-{number}/" is a regular expression; a placeholder stands in literal text',
        '5:74 defaults.rules[0].delete.tags[3]: "pr-{nr}" can never match: "{nr}" is one alternative, so leave the braces out',
        '5:74 defaults.rules[0].delete.tags[3]: "pr-{nr}" has {nr}; there are {number} for a pull request and {branch} for a branch',
      ],
    ],
    [
      when('delete', "{ tags: ['pr-{number}', '{branch}-*'] }", '{ ref: gone }'),
      [bareTemplate('{branch}-*')],
    ],
    [when('delete', "{ tags: '{branch}' }", '{ ref: gone }'), [bareTemplate('{branch}')]],
    [when('delete', "{ tags: '{number}*' }", '{ ref: gone }'), [bareTemplate('{number}*')]],
    [when('delete', "{ tags: '{branch}', not-tags: 'v*' }", '{ ref: gone }'), []],
    [
      when('keep', "{ tags: '{branch}' }", '{ ref: gone }'),
      [
        '5:60 defaults.rules[0].when.ref: would keep what is named after something gone; a keep rule takes ref: exists',
      ],
    ],
    [
      when('delete', "{ tags: '{branch}' }", '{ ref: exists }'),
      [
        '5:62 defaults.rules[0].when.ref: would delete what is named after something that is there; a delete rule takes ref: gone',
      ],
    ],
    [
      sel("{ tags: [a, 'pr-{number}'] }"),
      [
        '5:39 defaults.rules[0].delete.tags[1]: "pr-{number}" has a placeholder, which means something only beside the condition "ref": gone or exists',
      ],
    ],
    [
      when('delete', "{ tags: '{branch}', not-tags: 'pr-{number}' }", '{ ref: gone }'),
      [
        '5:57 defaults.rules[0].delete.not-tags: "pr-{number}" has a placeholder; only "tags" of a rule with the condition "ref" takes one',
      ],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})

describe('nothing that deletes', () => {
  test.each<Row>([
    ['version: 1\n', [`1:1: ${nothingDeletes}`]],
    [
      'version: 1\ndefaults: { protect: a, rules: [{ name: it, keep: { tagged: true } }] }\n',
      [`1:1: ${nothingDeletes}`],
    ],
    [
      'version: 1\ndefaults: { rules: [{ name: it, delete: { tagged: true }, enabled: false }] }\n',
      [`1:1: ${nothingDeletes}`],
    ],
    [
      'version: 1\ndefaults: { unmatched: delete }\npackages: [{ match: a, unmatched: keep }]\n',
      [`1:1: ${nothingDeletes}`],
    ],
    [
      'version: 1\nkeep-latest: 3\npackages: [{ match: a, rules: [{ name: keep-latest, enabled: false }] }]\n',
      [`1:1: ${nothingDeletes}`],
    ],
    [
      'grace: 1d\n',
      [
        '1:1 version: is missing; it takes 1, the version of this language',
        '1:1 grace: is no key of a policy file; it stands under "defaults", or in an entry of "packages"',
      ],
    ],
    [
      'version: 1\ndefaults: { grace: 30 }\n',
      [`1:1: ${nothingDeletes}`, `2:20 defaults.grace: 30 has no unit; it takes ${durationForm}`],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})

describe('merged rules', () => {
  test.each<Row>([
    [
      `version: 1
defaults:
  rules:
    - { name: newest, keep: { tagged: true }, when: { newest: 5 } }
    - { name: old, delete: { tags: "ci-*" }, when: { older-than: 30d } }
    - { name: closed, delete: { tags: "pr-{number}" }, when: { ref: gone } }
    - { name: wrong, delete: { tagged: true }, when: { newest: 5 } }
packages:
  - match: a
    rules:
      - { name: newest, delete: { tagged: true } }
      - { name: old, when: { newest: 3 } }
      - { name: closed, when: { older-than: 1d } }
      - { name: wrong, enabled: true }
      - { name: odl, enabled: false }
      - { name: other, when: { older-than: 1d } }
  - match: b
    rules:
      - { name: old, when: { ref: gone } }
      - { name: closed, delete: { tags: "pr-*" } }
      - { name: newest, delete: { untagged: true }, when: { beyond-newest: 1 } }
`,
      [
        '7:56 defaults.rules[3].when.newest: would delete the newest; to delete all but the newest, write beyond-newest: 5',
        '11:9 packages[0].rules[0]: would turn the keep rule "newest" of "defaults" into one that deletes; give it another name, and switch the other off with enabled: false if it is not wanted here',
        '11:9 packages[0].rules[0]: with the rule of "defaults" that it changes: newest would delete the newest; to delete all but the newest, write beyond-newest: 5',
        '12:30 packages[0].rules[1].when.newest: would delete the newest; to delete all but the newest, write beyond-newest: 3',
        '13:9 packages[0].rules[2]: with the rule of "defaults" that it changes: tags "pr-{number}" has a placeholder, which means something only beside the condition "ref": gone or exists',
        '15:9 packages[0].rules[4]: has neither keep nor delete, so it says of no image what becomes of it, and "defaults" has no rule of the name "odl" that it could change; did you mean old?',
        '16:9 packages[0].rules[5]: has neither keep nor delete, so it says of no image what becomes of it, and "defaults" has no rule of the name "other" that it could change',
        '19:9 packages[1].rules[0]: with the rule of "defaults" that it changes: tags "ci-*" names nothing to look up: it takes {number} or {branch}',
        '20:41 packages[1].rules[1].delete.tags: "pr-*" names nothing to look up: it takes {number} or {branch}',
        '21:9 packages[1].rules[2]: would turn the keep rule "newest" of "defaults" into one that deletes; give it another name, and switch the other off with enabled: false if it is not wanted here',
      ],
    ],
    [
      `version: 1
defaults:
  rules:
    - { name: old-ci, delete: { tags: "ci-*" }, when: { older-than: 1w } }
packages:
  - match: a
    rules:
      - { name: old-ci, when: {} }
      - { name: Old_CI, delete: { tags: "nightly-*" } }
      - { name: oldci, enabled: false }
`,
      [
        '8:31 packages[0].rules[0].when: is empty; a rule without conditions has no "when"',
        '9:17 packages[0].rules[1].name: "Old_CI" is another rule than "old-ci" of "defaults", which holds too; write the name in the same way to change that one, or take another name',
        '10:9 packages[0].rules[2]: has neither keep nor delete, so it says of no image what becomes of it, and "defaults" has no rule of the name "oldci" that it could change; did you mean old-ci?',
      ],
    ],
    [
      `version: 1
defaults: { rules: [{ name: keep latest, keep: { tags: "v*" }, when: {} }] }
packages: [{ match: a, keep-latest: 3 }]
`,
      [
        '2:70 defaults.rules[0].when: is empty; a rule without conditions has no "when"',
        '3:37 packages[0].keep-latest: "keep-latest" is another rule than "keep latest" of "defaults", which holds too; write the name in the same way to change that one, or take another name',
      ],
    ],
  ])('%j', (text, mistakes) => {
    expect(mistakesOf(text)).toEqual(mistakes)
  })
})
