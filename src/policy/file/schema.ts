import { z } from 'zod'
import {
  ceiling,
  choice,
  count,
  cron,
  digests,
  duration,
  fileGlobs,
  grouping,
  imageTypes,
  oneOf,
  packageNames,
  range,
  repository,
  ruleName,
  tagPatterns,
  tagTexts,
  wish,
} from './fields.js'

/**
 * What a policy file looks like, key by key, with the words that editors show. What keys must be like together is in
 * `consistency.ts`, because it is to be told also where a single value is wrong.
 */

/** A map with these keys and no others. Its name is the message: `issues.ts` has the words for it. */
function map<const Shape extends z.ZodRawShape>(kind: MapKind, shape: Shape) {
  return z.strictObject(shape, { error: () => kind })
}

export type MapKind =
  'file' | 'retention' | 'defaults' | 'package' | 'rule' | 'selector' | 'conditions'

/** For a key that may stand there with a dash or an underscore. */
const keepLatest = count(1).describe(
  'Short for a rule `keep-latest` that deletes tagged images beyond the newest so many: `keep-latest: 20`.',
)
const untaggedTtl = duration().describe(
  'Short for a rule `untagged-ttl` that deletes untagged images older than this: `untagged-ttl: 7d`.',
)
const shortForms = {
  'keep-latest': keepLatest.optional(),
  keep_latest: keepLatest.optional(),
  'untagged-ttl': untaggedTtl.optional(),
  untagged_ttl: untaggedTtl.optional(),
}

const selectorShape = {
  tags: tagTexts()
    .optional()
    .describe(
      'One of these matches the tag: globs such as `nightly-*`, or RE2 expressions that match the whole tag such as `/ci-\\d+/`. With the condition `ref`, templates such as `pr-{number}` or `branch-{branch}`.',
    ),
  'not-tags': tagPatterns()
    .optional()
    .describe('None of these matches the tag: `not-tags: ["v*", latest]`.'),
  semver: range()
    .optional()
    .describe(
      'The tag is a version in this range, as npm writes it: `">=1.0.0 <3"`. A leading `v` makes no difference.',
    ),
  prerelease: choice()
    .optional()
    .describe(
      '`false` leaves pre-releases such as `2.0.0-rc.1` out, `true` selects nothing else. Unset: both.',
    ),
  tagged: wish().optional().describe('Images with a tag: `tagged: true`.'),
  untagged: wish().optional().describe('Images without any tag: `untagged: true`.'),
  orphans: wish()
    .optional()
    .describe(
      'Signatures and other attachments whose image is not in the package: `orphans: true`.',
    ),
  digests: digests()
    .optional()
    .describe('These very images: `digests: "sha256:…"`; `sha256:` may be left out.'),
  artifact: imageTypes()
    .optional()
    .describe(
      'What kind of thing it is: `image`, `chart`, `wasm`, or a glob of its media type or artifact type such as `application/vnd.cncf.helm.*`.',
    ),
}

const selectorSchema = map('selector', selectorShape).meta({
  id: 'selector',
  minProperties: 1,
  description:
    'Which images the rule is about; all that is said must be true of an image: `{ tags: "nightly-*" }`, `{ untagged: true }`.',
})

const ranked = 'of the images that the rule selects'
const calendarCount = (period: string) =>
  count(1)
    .optional()
    .describe(
      `Only in a keep rule: the newest image of each of the last so many ${period} that have one. Hours, days, weeks, months and years are one condition together; any of them is enough.`,
    )

const conditionShape = {
  'older-than': duration()
    .optional()
    .describe('The image is at least this old: `older-than: 30d`, `2w 3d`, `1h30m`.'),
  'newer-than': duration().optional().describe('The image is younger than this: `newer-than: 1w`.'),
  by: oneOf('updated', 'created')
    .optional()
    .describe('Which time of the image ages and ranks go by: its last update, or its first push.')
    .meta({ default: 'updated' }),
  newest: count(1).optional().describe(`Only in a keep rule: among the newest so many ${ranked}.`),
  'beyond-newest': count(0)
    .optional()
    .describe(`Only in a delete rule: not among the newest so many ${ranked}; 0 means all.`),
  'group-by': grouping()
    .optional()
    .describe(
      'Only in a keep rule, with `newest-groups` or `newest-per-group`: by `major` or `minor` version, or by what one group of an expression captures of the whole tag: `"/(.+)-\\d+/"`.',
    ),
  'newest-groups': count(1)
    .optional()
    .describe('With `group-by`: in one of the newest so many groups.'),
  'newest-per-group': count(1)
    .optional()
    .describe('With `group-by`: among the newest so many of its group.'),
  hourly: calendarCount('hours'),
  daily: calendarCount('days'),
  weekly: calendarCount('weeks'),
  monthly: calendarCount('months'),
  yearly: calendarCount('years'),
  ref: oneOf('gone', 'exists')
    .optional()
    .describe(
      '`gone` in a delete rule: the pull request is closed, or the branch is gone, that the tag names; `tags` says how: `pr-{number}`, `branch-{branch}`. `exists` in a keep rule.',
    ),
  lifetime: oneOf('over')
    .optional()
    .describe(
      'Only in a delete rule: the lifetime is over that the image itself states in its annotation `ghcr-retention.expires-after` or `quay.expires-after`; see `read-labels`.',
    ),
}

const conditionsSchema = map('conditions', conditionShape).meta({
  id: 'conditions',
  minProperties: 1,
  dependencies: {
    'group-by': { anyOf: [{ required: ['newest-groups'] }, { required: ['newest-per-group'] }] },
    'newest-groups': ['group-by'],
    'newest-per-group': ['group-by'],
  },
  description:
    'When the rule holds for an image that it selects; all of it must be true: `{ beyond-newest: 10, older-than: 14d }`.',
})

const ruleShape = {
  name: ruleName().describe(
    'What the log calls the rule. A rule of `packages` with the name of one of `defaults` changes that one.',
  ),
  keep: selectorSchema
    .optional()
    .describe('Keeps these images, whatever other rules say: `keep: { semver: ">=1.0.0" }`.'),
  delete: selectorSchema
    .optional()
    .describe(
      'Condemns these tags or images. An image goes when all of its tags are condemned and nothing keeps it: `delete: { tags: "ci-*" }`.',
    ),
  when: conditionsSchema
    .optional()
    .describe('When the rule holds; without it always: `when: { older-than: 30d }`.'),
  enabled: choice()
    .optional()
    .describe('`false` switches the rule off, also one of `defaults` by its name.')
    .meta({ default: true }),
}

const ruleSchema = map('rule', ruleShape).meta({
  id: 'rule',
  not: { required: ['keep', 'delete'] },
  description:
    'A rule: which images it keeps or deletes, and when. Rules do not depend on their order: what any rule keeps stays.',
})

const rulesTake = 'a list of rules'

const blockShape = {
  protect: tagPatterns(0)
    .optional()
    .describe(
      'Tags that shield an image from every rule: `protect: [latest, "prod-*"]`. Those of `defaults` and of an entry add up.',
    ),
  'protect-from': fileGlobs()
    .optional()
    .describe(
      'Files of the checkout; images that they name stay: `protect-from: "deploy/**/*.yaml"`. Those of `defaults` and of an entry add up.',
    ),
  'protect-digests': digests(0)
    .optional()
    .describe('Images that stay, by digest. Those of `defaults` and of an entry add up.'),
  grace: duration()
    .optional()
    .describe(
      'Nothing younger than this is ever deleted, because the rest of it may still be on its way: `grace: 1d`.',
    )
    .meta({ default: '1h' }),
  'max-deletions': ceiling()
    .optional()
    .describe(
      'A package is left alone when more than so many versions would go, or more than such a share of its versions: `500`, `"50%"`.',
    ),
  unmatched: oneOf('keep', 'delete')
    .optional()
    .describe(
      'What becomes of tagged images that no keep rule keeps and no delete rule takes. With `delete` only those stay that a keep rule keeps.',
    )
    .meta({ default: 'keep' }),
  'read-labels': choice()
    .optional()
    .describe(
      'Looks for the lifetimes that images state in the labels of their configs too, which costs a read or more for each image.',
    )
    .meta({ default: false }),
  repository: repository()
    .optional()
    .describe(
      'Where the pull requests and branches are that `ref` asks for: `acme/api`. Unset: the repository of the workflow.',
    ),
  ...shortForms,
  rules: z
    .array(ruleSchema, { error: () => rulesTake })
    .optional()
    .describe(
      'What stays and what goes. Rules of an entry are merged by name onto those of `defaults`.',
    ),
}

const packageSchema = map('package', {
  match: packageNames().describe(
    'Names of packages after the account, or globs of such; `*` matches slashes too, `!` leaves out: `match: ["team/*", "!team/base"]`.',
  ),
  ...blockShape,
}).meta({
  id: 'package',
  description:
    'What holds in the packages that it matches, together with `defaults`. The first entry that matches a package is the one.',
})

const retentionSchema = map('retention', {
  schedule: cron().optional().describe('The same as `schedule` at the top level.'),
  ...shortForms,
}).meta({
  description:
    'The same as `schedule`, `keep-latest` and `untagged-ttl` at the top level, as some deployment tools write them.',
})

const packagesTake = 'a list of packages, at least one'
const versionTakes = '1, the version of this language'

export const fileSchema = map('file', {
  version: z
    .literal(1, { error: () => versionTakes })
    .describe('The version of this language: `version: 1`.'),
  schedule: cron()
    .optional()
    .describe(
      'When a workflow for this policy is to run, in UTC, in the five fields of cron: `"17 3 * * *"`.',
    ),
  repository: blockShape.repository,
  retention: retentionSchema.optional(),
  ...shortForms,
  defaults: map('defaults', blockShape)
    .meta({
      description:
        'What holds in every package, as far as its entry of `packages` says nothing else.',
    })
    .optional(),
  packages: z
    .array(packageSchema, { error: () => packagesTake })
    .min(1, { error: () => packagesTake })
    .optional()
    .describe(
      'What holds in which packages. Packages that no entry matches are left alone. Without this list `defaults` holds in every package.',
    ),
}).meta({
  description: 'What stays and what goes of the container images of an account.',
})

export type PolicyFile = z.output<typeof fileSchema>
export type BlockText = z.output<z.ZodObject<typeof blockShape>>
export type SelectorText = z.output<typeof selectorSchema>
export type ConditionsText = z.output<typeof conditionsSchema>

/** The keys that each kind of map takes, underscored spellings left out. */
export const keysOf: Readonly<Record<MapKind, readonly string[]>> = {
  file: keysIn(fileSchema.shape),
  retention: keysIn(retentionSchema.shape),
  defaults: keysIn(blockShape),
  package: keysIn(packageSchema.shape),
  rule: keysIn(ruleShape),
  selector: keysIn(selectorShape),
  conditions: keysIn(conditionShape),
}

function keysIn(shape: object): string[] {
  return Object.keys(shape).filter((key) => !key.includes('_'))
}
