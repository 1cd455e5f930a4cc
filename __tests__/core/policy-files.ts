import { readPolicyFile, mistakeText } from '../../src/policy/file/read-policy.js'
import type { Pattern } from '../../src/policy/patterns.js'
import type { PolicyEntry, PolicySet, Rule } from '../../src/policy/policy.js'

/** Files that are right, by what they show. */
export const goodFiles = {
  'the tour of the language': `version: 1
defaults:
  protect: [latest, main, "prod-*"]        # any such tag shields the whole version; additive
  grace: 1d
  max-deletions: 500
  rules:
    - name: untagged-ttl
      delete: { untagged: true }
      when: { older-than: 7d }
packages:                                  # first match wins; merged onto defaults by rule name
  - match: api
    rules:
      - name: last-3-minors
        keep: { semver: ">=1.0.0", prerelease: false }
        when: { group-by: minor, newest-groups: 3, newest-per-group: 2 }
      - name: nightly-thinning
        keep: { tags: ["nightly-*"] }
        when: { daily: 7, weekly: 4, monthly: 6 }
      - name: nightlies
        delete: { tags: ["nightly-*"] }
      - name: ci
        delete: { tags: ["/ci-\\\\d+/"] }
        when: { beyond-newest: 10, older-than: 14d }     # both must hold
      - name: the-rest
        delete: { not-tags: ["v*", "nightly-*"] }
        when: { older-than: 30d }
  - match: "tmp/**"
    unmatched: delete                      # keep only what a keep rule names
    rules:
      - { name: newest-5, keep: { tagged: true }, when: { newest: 5 } }
  - match: "*"
    keep-latest: 20
    untagged-ttl: 168h
`,
  'every key': `version: 1
schedule: "17 3 * * *"
repository: acme/app
defaults:
  protect: latest
  protect-from: ["deploy/**/*.yaml", compose.yml]
  protect-digests: ${'a'.repeat(64)}
  grace: 2h
  max-deletions: 50%
  unmatched: keep
  read-labels: true
  repository: acme/other
  keep-latest: 10
  untagged-ttl: 7d
  rules:
    - name: artifacts
      delete: { artifact: [chart, "application/vnd.example.*"], digests: "sha256:${'b'.repeat(64)}" }
    - { name: orphans, delete: { orphans: true, untagged: true }, enabled: false }
    - { name: lifetimes, delete: { tagged: true }, when: { lifetime: over, by: created } }
    - { name: closed, delete: { tags: ["pr-{number}", "pr-{number}-*"] }, when: { ref: gone } }
    - { name: open, keep: { tags: "{branch}" }, when: { ref: exists, newer-than: 1y } }
    - name: thinning
      keep: { tags: nightly-*, not-tags: ["*-debug"] }
      when: { hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 3 }
    - name: builds
      keep: { prerelease: true }
      when: { group-by: "/(.+)-[0-9]+/", newest-groups: 2 }
packages:
  - match: ["team/*", "!team/base"]
    repository: acme/team
`,
  'the block of a deployment tool': `retention:
  keep_latest: 20
  untagged_ttl: 168h0m0s
  schedule: "17 3 * * 1"
version: 1
`,
  'short forms at the top': 'version: 1\nkeep-latest: 5\nuntagged-ttl: 1w\n',
  JSON: '{\n\t"version": 1,\n\t"defaults": { "untagged_ttl": "30d" }\n}\n',
  'anchors and merge keys': `version: 1
defaults: &all
  protect: &stable [latest, v*]
  rules:
    - { name: old, delete: &tagged { tagged: true }, when: &month { older-than: 30d } }
packages:
  - match: api
    rules:
      - { name: ci, delete: { <<: *tagged, tags: *stable }, when: { <<: [*month], older-than: 1d } }
  - { match: web, <<: *all, grace: 3d }
`,
} as const

/** The policies of a file that is right. */
export function setOf(text: string): PolicySet {
  const read = readPolicyFile(text, 'policy.yml')
  if ('set' in read) return read.set
  throw new Error(read.mistakes.map(mistakeText).join('\n'))
}

/** The entry of a file for the package at a place of its list; the only one of a file without a list. */
export function entryOf(text: string, at = 0): PolicyEntry {
  const entry = setOf(text).entries[at]
  if (entry === undefined) throw new Error(`There is no entry ${at}.`)
  return entry
}

/** Every mistake of a file as the reader sees it. */
export function mistakesOf(text: string): string[] {
  const read = readPolicyFile(text, 'policy.yml')
  return 'set' in read
    ? []
    : read.mistakes.map((mistake) => mistakeText(mistake).replace(/^policy\.yml:/, ''))
}

/** Rules of an entry, as far as they can be written down. */
export function rulesOf(text: string, at = 0) {
  return entryOf(text, at).policy.rules.map(ruleText)
}

function ruleText({ name, origin, action, select, when }: Rule) {
  const { kinds, tag, digests, types } = select
  return {
    name,
    line: Number(origin.place.replace('policy.yml:', '')),
    [action]: {
      kinds: [...kinds].join(' '),
      ...(tag?.include && { tags: sources(tag.include) }),
      ...(tag && tag.exclude.length > 0 && { notTags: sources(tag.exclude) }),
      ...(tag?.semver && { semver: tag.semver.source, prerelease: tag.semver.prerelease }),
      ...(digests && { digests: [...digests] }),
      ...(types && { types: types.map(({ source }) => source) }),
    },
    when,
  }
}

export function sources(patterns: readonly Pattern[]): string[] {
  return patterns.map(({ source }) => source)
}
