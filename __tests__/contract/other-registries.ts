/**
 * What the retention rules of other registries do, as far as their rules in docs/policy/other-registries.md go. Written from
 * what these registries document, and independent of the tool: each says which rows of a small package would go.
 */

/** One row of a package. */
export interface TheirImage {
  readonly name: string
  /** Empty for an untagged one. */
  readonly tags: readonly string[]
  /** Days since the push and since the last change. */
  readonly pushed: number
  readonly changed: number
  /** Something whose subject is not in the package. */
  readonly orphan: boolean
}

/** One rule as it stands on the page, and whose it is: `for the repository web`. */
export interface TheirRule {
  readonly text: string
  readonly label: string
}

/** Which images would go from a package, newest first. */
export type Registry = (
  rules: readonly TheirRule[],
  images: readonly TheirImage[],
  packageName: string,
) => readonly TheirImage[]

/** By the first word or words of a section's title. */
export const registries: Readonly<Record<string, Registry>> = {
  Quay: quay,
  'Amazon ECR': ecr,
  'Google Artifact Registry': artifactRegistry,
  Azure: acrPurge,
  Harbor: harbor,
  GitLab: gitlab,
  zot,
  'Deployment tool': retentionBlock,
}

const byPush = (a: TheirImage, b: TheirImage) => a.pushed - b.pushed
const byChange = (a: TheirImage, b: TheirImage) => a.changed - b.changed

/** Days of `30d`, `2w`, `168h`. */
function days(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([hdw])$/.exec(text) ?? []
  return Number(count) * ({ h: 1 / 24, d: 1, w: 7 }[unit] ?? NaN)
}

/** Whether a glob of `*` matches a text, and not only a part of it. */
function globMatches(glob: string, text: string): boolean {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(text)
}

/** Every policy prunes tags by itself; an image goes with its last tag. */
function quay(rules: readonly TheirRule[], images: readonly TheirImage[], packageName: string) {
  interface Policy {
    method: 'number_of_tags' | 'creation_date'
    value: number | string
    tagPattern?: string
    tagPatternMatches?: boolean
  }
  const gone = new Set<string>()
  for (const { text, label } of rules) {
    const [, repository = packageName] = /repository `([^`]+)`/.exec(label) ?? []
    if (repository !== packageName) continue
    const { method, value, tagPattern, tagPatternMatches = true } = JSON.parse(text) as Policy
    const tags = images
      .toSorted(byChange)
      .flatMap(({ tags: all, changed }) => all.map((tag) => ({ tag, changed })))
      .filter(({ tag }) => !gone.has(tag))
      .filter(({ tag }) => !tagPattern || new RegExp(tagPattern).test(tag) === tagPatternMatches)
    const pruned =
      method === 'number_of_tags'
        ? tags.slice(Number(value))
        : tags.filter(({ changed }) => changed >= days(String(value)))
    for (const { tag } of pruned) gone.add(tag)
  }
  return images.filter(({ tags }) => tags.length > 0 && tags.every((tag) => gone.has(tag)))
}

/** Rules by priority; what a rule selects is out of reach of later rules. */
function ecr([rule]: readonly TheirRule[], images: readonly TheirImage[]) {
  interface Selection {
    tagStatus: 'tagged' | 'untagged' | 'any'
    tagPatternList?: string[]
    tagPrefixList?: string[]
    countType: 'imageCountMoreThan' | 'sinceImagePushed'
    countNumber: number
  }
  const { rules } = JSON.parse(rule?.text ?? '') as {
    rules: { rulePriority: number; selection: Selection }[]
  }
  const taken = new Set<TheirImage>()
  const gone: TheirImage[] = []
  for (const { selection } of rules.toSorted((a, b) => a.rulePriority - b.rulePriority)) {
    const { tagStatus, tagPatternList = [], tagPrefixList = [], countType, countNumber } = selection
    const patterns = [...tagPatternList, ...tagPrefixList.map((prefix) => `${prefix}*`)]
    const selected = images
      .toSorted(byPush)
      .filter(({ tags }) => tagStatus === 'any' || (tagStatus === 'tagged') === tags.length > 0)
      .filter(({ tags }) => patterns.every((glob) => tags.some((tag) => globMatches(glob, tag))))
    const expired =
      countType === 'imageCountMoreThan'
        ? selected.slice(countNumber)
        : selected.filter(({ pushed }) => pushed >= countNumber)
    gone.push(...expired.filter((image) => !taken.has(image)))
    for (const image of selected) taken.add(image)
  }
  return gone
}

/** Keep policies beat delete policies. */
function artifactRegistry(
  [rule]: readonly TheirRule[],
  images: readonly TheirImage[],
  packageName: string,
) {
  interface Condition {
    tagState?: 'tagged' | 'untagged' | 'any'
    tagPrefixes?: string[]
    packageNamePrefixes?: string[]
    olderThan?: string
    newerThan?: string
  }
  const policies = JSON.parse(rule?.text ?? '') as {
    action: { type: 'Delete' | 'Keep' }
    condition?: Condition
    mostRecentVersions?: { keepCount: number }
  }[]
  const fits = ({ tags, pushed }: TheirImage, condition: Condition) => {
    const { tagState = 'any', tagPrefixes = [''], packageNamePrefixes = [''] } = condition
    const { olderThan = '0d', newerThan = '100000d' } = condition
    return (
      (tagState === 'any' || (tagState === 'tagged') === tags.length > 0) &&
      tagPrefixes.some((prefix) => ['', ...tags].some((tag) => tag.startsWith(prefix))) &&
      packageNamePrefixes.some((prefix) => packageName.startsWith(prefix)) &&
      pushed >= days(olderThan) &&
      pushed < days(newerThan)
    )
  }
  const selected = (action: 'Delete' | 'Keep') =>
    policies
      .filter(({ action: { type } }) => type === action)
      .flatMap(({ condition, mostRecentVersions }) =>
        mostRecentVersions === undefined
          ? images.filter((image) => fits(image, condition ?? {}))
          : images.toSorted(byPush).slice(0, mostRecentVersions.keepCount),
      )
  const kept = selected('Keep')
  return selected('Delete').filter((image) => !kept.includes(image))
}

/** Takes tags off; of those that would go, the newest are kept. `--untagged` deletes what has none. */
function acrPurge(
  [rule]: readonly TheirRule[],
  images: readonly TheirImage[],
  packageName: string,
) {
  const option = (name: string) =>
    new RegExp(`--${name}(?: '([^']+)'| (\\w+))`)
      .exec(rule?.text ?? '')
      ?.slice(1)
      .find(Boolean)
  const [repository = '', expression = ''] = (option('filter') ?? '').split(/:(.*)/)
  if (!new RegExp(`^${repository}$`).test(packageName)) return []
  const ago = days(option('ago') ?? '')
  const tags = images
    .toSorted(byChange)
    .flatMap(({ tags: all, changed }) => all.map((tag) => ({ tag, changed })))
    .filter(({ tag, changed }) => new RegExp(expression).test(tag) && changed >= ago)
    .slice(Number(option('keep') ?? 0))
    .map(({ tag }) => tag)
  const takesUntagged = rule?.text.includes('--untagged') ?? false
  return images.filter((image) =>
    image.tags.length > 0
      ? image.tags.every((tag) => tags.includes(tag))
      : takesUntagged && image.changed >= ago,
  )
}

/** What no rule retains goes, from repositories that some rule is about. */
function harbor([rule]: readonly TheirRule[], images: readonly TheirImage[], packageName: string) {
  interface TagSelector {
    decoration: 'matches' | 'excludes'
    pattern: string
    extras: string
  }
  interface Rule {
    template: 'latestPushedK' | 'nDaysSinceLastPush' | 'always'
    params: Readonly<Record<string, number>>
    tag_selectors: [TagSelector]
    scope_selectors: {
      repository: [{ decoration: 'repoMatches' | 'repoExcludes'; pattern: string }]
    }
  }
  const { rules } = JSON.parse(rule?.text ?? '') as { rules: Rule[] }
  const own = rules.filter(({ scope_selectors: { repository } }) => {
    const [{ decoration, pattern }] = repository
    return (decoration === 'repoMatches') === globMatches(pattern, packageName)
  })
  if (own.length === 0) return []
  const retained = own.flatMap(({ template, params, tag_selectors: [selector] }) => {
    const { untagged } = JSON.parse(selector.extras) as { untagged: boolean }
    const matches = selector.decoration === 'matches'
    const selected = images
      .toSorted(byPush)
      .filter(({ tags }) =>
        tags.length === 0
          ? untagged === matches
          : tags.some((tag) => globMatches(selector.pattern, tag) === matches),
      )
    if (template === 'latestPushedK') return selected.slice(0, params.latestPushedK)
    if (template === 'always') return selected
    return selected.filter(({ pushed }) => pushed <= (params.nDaysSinceLastPush ?? 0))
  })
  return images.filter((image) => !retained.includes(image))
}

/** One step after the other takes tags from the list; what is left goes. */
function gitlab([rule]: readonly TheirRule[], images: readonly TheirImage[]) {
  const { container_expiration_policy_attributes: policy } = JSON.parse(rule?.text ?? '') as {
    container_expiration_policy_attributes: {
      keep_n: number
      older_than: string
      name_regex: string
      name_regex_keep: string
    }
  }
  const isWhole = (expression: string, tag: string) => new RegExp(`^(?:${expression})$`).test(tag)
  const tags = images
    .toSorted(byPush)
    .flatMap(({ tags: all, pushed }) => all.map((tag) => ({ tag, pushed })))
    .filter(({ tag }) => tag !== 'latest')
    .filter(({ tag }) => isWhole(policy.name_regex, tag))
    .filter(({ tag }) => !isWhole(policy.name_regex_keep, tag))
    .slice(policy.keep_n)
    .filter(({ pushed }) => pushed >= days(policy.older_than))
    .map(({ tag }) => tag)
  return images.filter(
    (image) => image.tags.length > 0 && image.tags.every((tag) => tags.includes(tag)),
  )
}

/** What no entry of keepTags retains goes; the first entry that matches a tag is the one that counts. */
function zot([rule]: readonly TheirRule[], images: readonly TheirImage[], packageName: string) {
  interface KeepTags {
    patterns: string[]
    mostRecentlyPushedCount?: number
    pushedWithin?: string
  }
  const { delay, policies } = JSON.parse(rule?.text ?? '') as {
    delay: string
    policies: {
      repositories: string[]
      deleteReferrers: boolean
      deleteUntagged: boolean
      keepTags: KeepTags[]
    }[]
  }
  const policy = policies.find(({ repositories }) =>
    repositories.some((glob) => globMatches(glob, packageName)),
  )
  if (policy === undefined) return []
  const firstOf = (tag: string) =>
    policy.keepTags.find(({ patterns }) =>
      patterns.some((pattern) => new RegExp(pattern).test(tag)),
    )
  const retained = policy.keepTags.flatMap((entry) => {
    const { mostRecentlyPushedCount: count, pushedWithin: within } = entry
    const mine = images
      .toSorted(byPush)
      .filter(({ tags }) => tags.some((tag) => firstOf(tag) === entry))
    if (count === undefined && within === undefined) return mine
    const young = mine.filter(({ pushed }) => within !== undefined && pushed < days(within))
    return [...mine.slice(0, count ?? 0), ...young]
  })
  return images.filter((image) => {
    if (image.tags.length > 0) return !retained.includes(image)
    const isAsked = image.orphan ? policy.deleteReferrers : policy.deleteUntagged
    return isAsked && image.pushed >= days(delay)
  })
}

/** The newest tagged images stay, and untagged ones until they are old. */
function retentionBlock([rule]: readonly TheirRule[], images: readonly TheirImage[]) {
  const value = (key: string) => new RegExp(`${key}: (\\w+)`).exec(rule?.text ?? '')?.[1] ?? ''
  const tagged = images.toSorted(byPush).filter(({ tags }) => tags.length > 0)
  const untagged = images.filter(({ tags }) => tags.length === 0)
  return [
    ...tagged.slice(Number(value('keep_latest'))),
    ...untagged.filter(({ pushed }) => pushed >= days(value('untagged_ttl'))),
  ]
}
