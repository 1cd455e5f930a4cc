import type {
  Decision,
  Digest,
  PackageVersion,
  Plan,
  Refs,
  Refusal,
  Snapshot,
  Tie,
} from './model.js'
import { subjectOfTag } from './oci.js'
import type { Policy, Rule } from './policy/policy.js'
import { refState } from './policy/refs.js'
import { eachBelonging } from './relations.js'

/**
 * Checks a finished plan once more, before it is shown and before any delete, by other means than the selector's: no
 * graph, no reach, only the documents and the rules. Any finding means a defect, and the package must be left alone.
 */
export function secondLook(
  snapshot: Snapshot,
  policy: Policy,
  now: number,
  { decisions, deletions }: Pick<Plan, 'decisions' | 'deletions'>,
): Refusal[] {
  const turns = new Map<Digest, number>()
  for (const [turn, { version }] of deletions.entries()) turns.set(version.digest, turn)
  const findings = broken(snapshot, turns)
  const look: Look = {
    policy,
    now,
    deletes: policy.rules.filter(({ action }) => action === 'delete'),
    keeps: policy.rules.filter(isPlainKeep),
    counts: countsOf(snapshot, policy),
  }
  for (const { version } of deletions) findings.push(...spoken(version, look))
  for (const decision of decisions) {
    const words = undone(decision, turns)
    if (words !== undefined) findings.push(words)
  }
  return findings.map(refusal)
}

/** When a listed version goes; one that stays goes after everything else. */
type Turns = ReadonlyMap<Digest, number>

/** Whether what was decided is what would be done. */
function undone(decision: Decision, turns: Turns): string | undefined {
  const { digest } = decision.version
  const goes = decision.verdict.action === 'delete'
  if (turns.has(digest) === goes) return undefined
  return goes
    ? `${digest} is decided to go and has no place in the order`
    : `${digest} would go although it is decided to stay`
}

/** Whether a part would go although, or before, what it belongs to does. */
function isTooEarly(turns: Turns, whole: Digest, part: Digest): boolean {
  const turn = turns.get(part)
  return turn !== undefined && turn < (turns.get(whole) ?? Infinity)
}

/** Words for what a whole is to its part. */
const wholeWords: Readonly<Record<Tie, string>> = {
  contains: 'which contains it',
  attested: 'which it may be attached to',
  accelerated: 'which it accelerates',
  subject: 'its subject',
}

function broken(snapshot: Snapshot, turns: Turns): string[] {
  const findings: string[] = []
  const listed = new Set<Digest>()
  for (const { digest } of snapshot.versions) listed.add(digest)
  eachBelonging(snapshot, (whole, part, tie) => {
    if (isTooEarly(turns, whole, part) && listed.has(whole))
      findings.push(`${part} would go while ${whole}, ${wholeWords[tie]}, is still there`)
  })
  return findings
}

/** What single versions are held to. */
interface Look {
  readonly policy: Policy
  readonly now: number
  readonly deletes: readonly Rule[]
  /** Those of which tags, ages, a plain count and pull requests or branches are all there is to know. */
  readonly keeps: readonly Rule[]
  readonly counts: Counts
}

/** What protects one version by itself: its tags, its digest, its age. */
function* spoken(version: PackageVersion, look: Look): Generator<string> {
  const { digest, createdAt, updatedAt, tags } = version
  const { policy, now } = look
  if (tags.length > 0)
    for (const words of taggedWrongly(version, look)) yield `${digest} would go although ${words}`
  if (policy.keepDigests.has(digest))
    yield `${digest} would go although its digest is listed to stay`
  if (policy.uses.has(digest)) yield `${digest} would go although a file names its digest`
  if (createdAt === undefined || updatedAt === undefined)
    yield `${digest} would go although its age is unknown`
  else if (now - createdAt < policy.grace || now - updatedAt < policy.grace)
    yield `${digest} would go although it is younger than grace`
}

function* taggedWrongly(version: PackageVersion, look: Look): Generator<string> {
  const { policy, now, deletes, keeps, counts } = look
  const own = ownTagsOf(version)
  const holds = (rule: Rule, tag: string) =>
    isOfAge(rule, version, now) && isCounted(rule, version, counts) && isDue(rule, tag, policy.refs)
  for (const tag of own) {
    if (policy.protect.some(({ pattern }) => pattern.matches(tag)))
      yield `its tag ${tag} is protected`
    if (policy.uses.has(tag)) yield `a file names its tag ${tag}`
    const named = deletes.filter((rule) => isNamed(rule, tag, version))
    if (policy.unmatched === 'keep' && named.length === 0) yield `no rule names its tag ${tag}`
    else if (policy.unmatched === 'keep' && !named.some((rule) => holds(rule, tag)))
      yield `no rule that names its tag ${tag} holds for it`
  }
  for (const rule of keeps)
    if (own.some((tag) => isNamed(rule, tag, version) && holds(rule, tag)))
      yield `the rule "${rule.name}" keeps it`
}

function ownTagsOf({ tags }: PackageVersion): string[] {
  return tags.filter((tag) => subjectOfTag(tag) === undefined)
}

function isPlainKeep({ action, select, when }: Rule): boolean {
  const isPlain = [select.types, when.groups, when.calendar].every((part) => part === undefined)
  return action === 'keep' && isPlain
}

/** Whether a rule is about a tag, as far as tag and digest tell. */
function isNamed({ select }: Rule, tag: string, { digest }: PackageVersion): boolean {
  const { kinds, digests, tag: test } = select
  if (!kinds.has('tagged') || digests?.has(digest) === false) return false
  return (
    test === undefined ||
    ((test.include?.some((pattern) => pattern.matches(tag)) ?? true) &&
      !test.exclude.some((pattern) => pattern.matches(tag)) &&
      (test.semver?.matches(tag) ?? true))
  )
}

function timeUnder({ when }: Rule, { createdAt, updatedAt }: PackageVersion): number | undefined {
  return when.by === 'updated' ? updatedAt : createdAt
}

function isOfAge(rule: Rule, version: PackageVersion, now: number): boolean {
  const age = now - (timeUnder(rule, version) ?? now)
  const { olderThan = -Infinity, newerThan = Infinity } = rule.when
  return age >= olderThan && age < newerThan
}

/** Whether what a tag names is gone or there, as a rule asks; what is not known is there. */
function isDue({ select, when }: Rule, tag: string, refs: Refs | undefined): boolean {
  if (when.ref === undefined) return true
  const named = select.tag?.include?.flatMap(({ refsOf }) => refsOf?.(tag) ?? []) ?? []
  const { state } = refState(refs, named)
  return (state === 'gone') === (when.ref === 'gone')
}

/** Of rules that count tagged images and nothing else: how many are newer than each. */
type Counts = ReadonlyMap<Rule, ReadonlyMap<number, number>>

function countsOf({ versions }: Snapshot, { rules }: Policy): Counts {
  const counting = rules.filter(
    ({ select, when }) =>
      (when.newest ?? when.beyondNewest) !== undefined &&
      select.types === undefined &&
      (select.tag !== undefined || (select.kinds.size === 1 && select.kinds.has('tagged'))),
  )
  return new Map(counting.map((rule) => [rule, newerOnes(rule, versions)]))
}

function newerOnes(rule: Rule, versions: readonly PackageVersion[]): Map<number, number> {
  const time = (version: PackageVersion) => timeUnder(rule, version) ?? Infinity
  const named = versions
    .filter((version) => ownTagsOf(version).some((tag) => isNamed(rule, tag, version)))
    .sort((a, b) => time(b) - time(a) || b.id - a.id)
  return new Map(named.map(({ id }, newer) => [id, newer]))
}

/** Whether the place of a version is one that a rule is about; a rule whose count is not known is given the benefit. */
function isCounted(rule: Rule, { id }: PackageVersion, counts: Counts): boolean {
  const newer = counts.get(rule)?.get(id)
  if (newer === undefined) return rule.action === 'delete' || rule.when.newest === undefined
  const { newest = Infinity, beyondNewest = 0 } = rule.when
  return newer < newest && newer >= beyondNewest
}

function refusal(finding: string): Refusal {
  return {
    code: 'second-look',
    message: `the plan failed its last check: ${finding}`,
    hint: 'This is a defect of this tool and nothing was deleted; please report it with plan.json.',
  }
}
