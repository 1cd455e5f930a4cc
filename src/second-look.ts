import type { Decision, Digest, PackageVersion, Plan, Refusal, Snapshot, Tie } from './model.js'
import { subjectOfTag } from './oci.js'
import type { Policy } from './policy/policy.js'
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
  for (const { version } of deletions) findings.push(...spoken(version, policy, now))
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

/** What protects one version by itself: its tags, its digest, its age. */
function* spoken(version: PackageVersion, policy: Policy, now: number): Generator<string> {
  const { digest, createdAt, updatedAt } = version
  for (const words of taggedWrongly(version, policy, now))
    yield `${digest} would go although ${words}`
  if (policy.keepDigests.has(digest))
    yield `${digest} would go although its digest is listed to stay`
  if (createdAt === undefined || updatedAt === undefined)
    yield `${digest} would go although its age is unknown`
  else if (now - createdAt < policy.grace || now - updatedAt < policy.grace)
    yield `${digest} would go although it is younger than grace`
}

function* taggedWrongly(version: PackageVersion, policy: Policy, now: number): Generator<string> {
  const own = version.tags.filter((tag) => subjectOfTag(tag) === undefined)
  if (own.length === 0) return
  const rules = policy.deleteRules.filter((rule) => rule.select === 'tagged')
  for (const tag of own) {
    if (policy.protect.some((pattern) => pattern.matches(tag))) yield `its tag ${tag} is protected`
    if (!rules.some((rule) => rule.tags?.some((pattern) => pattern.matches(tag)) ?? true))
      yield `no rule names its tag ${tag}`
  }
  const time = policy.ageBy === 'updated' ? version.updatedAt : version.createdAt
  const age = now - (time ?? now)
  if (rules.every(({ olderThan }) => age < olderThan)) yield 'it is too young for every rule'
}

function refusal(finding: string): Refusal {
  return {
    code: 'second-look',
    message: `the plan failed its last check: ${finding}`,
    hint: 'This is a defect of this tool and nothing was deleted; please report it with plan.json.',
  }
}
