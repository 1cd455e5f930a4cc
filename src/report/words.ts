import {
  isDigest,
  type ByRule,
  type Decision,
  type DeleteReason,
  type Digest,
  type KeepReason,
  type Loss,
  type Placed,
  type RefusalCode,
  type Tie,
  type Verdict,
} from '../model.js'
import { subjectOfTag } from '../oci.js'
import { formatDuration } from '../policy/durations.js'
import { inputPlace } from '../policy/policy.js'

/** Finds the decision on a digest, to call it by its tag. */
export type Lookup = (digest: Digest) => Decision | undefined

export function lookupIn(decisions: readonly Decision[]): Lookup {
  const byDigest = new Map(decisions.map((decision) => [decision.version.digest, decision]))
  return (digest) => byDigest.get(digest)
}

/** A digest that people can still recognise. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 'sha256:'.length + 12)
}

/** What to call a version: its own tags, or for lack of any its digest. */
export function nameOf({ version }: Decision): string {
  const own = version.tags.filter((tag) => subjectOfTag(tag) === undefined)
  return own.length > 0 ? own.join(', ') : shortDigest(version.digest)
}

function nameOfDigest(digest: Digest, lookup: Lookup): string {
  const decision = lookup(digest)
  return decision === undefined ? shortDigest(digest) : nameOf(decision)
}

const artifactWords: readonly (readonly [RegExp, string])[] = [
  [/sigstore\.bundle/, 'Sigstore bundle'],
  [/docker\.attestation|in-toto|dsse/, 'attestation'],
  [/cosign\.simplesigning/, 'signature'],
  [/cncf\.helm/, 'Helm chart'],
  [/cncf\.notary/, 'Notation signature'],
  [/spdx|cyclonedx|sbom/i, 'SBOM'],
  [/buildkit\.cacheconfig/, 'build cache'],
  [/amazon\.soci/, 'SOCI index'],
  [/wasm/, 'WebAssembly'],
]

const suffixWords: Readonly<Record<string, string>> = {
  sig: 'signature',
  att: 'attestation',
  sbom: 'SBOM',
}

/** What kind of document a version is, in a word or two; an unknown artifact is called by its own type. */
export function typeOf(decision: Decision): string {
  const attachmentTag = decision.version.tags.find((tag) => subjectOfTag(tag) !== undefined)
  if (attachmentTag !== undefined) {
    const suffix = attachmentTag.split('.')[1]
    return suffix === undefined ? 'referrers index' : (suffixWords[suffix] ?? suffix)
  }
  const { kind, artifactType, mediaType } = decision
  if (artifactType !== undefined)
    return artifactWords.find(([form]) => form.test(artifactType))?.[1] ?? artifactType
  if (kind === 'artifact') return artifactName(decision)
  return `${mediaType.includes('docker') ? 'Docker' : 'OCI'} ${kind}`
}

/** An attestation inside an index is known by the entry's annotation alone. */
function artifactName({ belongsTo, mediaType }: Decision): string {
  const attached = belongsTo.some(({ relation }) => relation === 'attached to')
  return attached ? 'attestation' : mediaType || 'not read'
}

/** Why a version stays or goes, as half a sentence. */
export function reasonText(decision: Decision, lookup: Lookup): string {
  const { verdict } = decision
  const text =
    verdict.action === 'keep'
      ? keepText(verdict.reason, lookup)
      : deleteText(verdict.reason, lookup)
  const [first] = decision.overruled
  const would = wouldGo(decision) && first ? [`would go: ${deleteText(first, lookup)}`] : []
  return [...would, text, ...conditionOf(decision)].join('; ')
}

/** Whether only the refusal of its package keeps a version. */
export function wouldGo({ verdict, overruled }: Decision): boolean {
  return verdict.reason.code === 'refused' && overruled.length > 0
}

/** What else the reader should know of a version: that it is an orphan, a ghost, or incomplete. */
function conditionOf({ role, children, missing, missingSubjects }: Decision): string[] {
  const notes: string[] = []
  const subject = missingSubjects[0]
  if (role === 'orphan' && subject !== undefined) {
    notes.push(`orphan: ${shortDigest(subject)}, which it is attached to, is not in this package`)
  }
  if (missing.length > 0) {
    notes.push(
      missing.length === children
        ? 'ghost: all of its children are gone'
        : `partial: ${missing.length} of its ${children} children are gone`,
    )
  }
  return notes
}

/** Why a version stays or goes, as half a sentence, without what else there is to say of it. */
export function reasonOf(
  reason: KeepReason | DeleteReason,
  action: Verdict['action'],
  lookup: Lookup,
): string {
  if (reason.code === 'delete-rule' || reason.code === 'unmatched')
    return deleteText(reason, lookup)
  return reason.code === 'part-of' && action === 'delete'
    ? deleteText(reason, lookup)
    : keepText(reason, lookup)
}

/** Why a version goes, as half a sentence. */
function deleteText(reason: DeleteReason, lookup: Lookup): string {
  switch (reason.code) {
    case 'part-of':
      return `${reason.relation} ${nameOfDigest(reason.of, lookup)}, which goes`
    case 'delete-rule':
      return ruleText(reason)
    case 'unmatched':
      return `no keep rule holds for it (unmatched: delete, ${reason.place})`
  }
}

/** What a rule found, and which rule it was. Rules that are made of inputs have no place of their own. */
function ruleText({ rule, place, evidence, tags }: ByRule<string>): string {
  const by = tags === undefined ? '' : `${tags.length === 1 ? 'tag' : 'tags'} ${tags.join(', ')}`
  const at = place === inputPlace ? '' : `, ${place}`
  const told = evidence === '' ? [by] : [by, evidence]
  const words = told.filter((part) => part !== '').join(': ')
  return words === '' ? `named by rule "${rule}"${at}` : `${words} (rule "${rule}"${at})`
}

/** Where something was written, in brackets; nothing for what inputs say. */
export function placeText({ place }: Placed): string {
  return place === inputPlace ? '' : ` (${place})`
}

/** Why a version stays, as half a sentence. */
function keepText(reason: KeepReason, lookup: Lookup): string {
  switch (reason.code) {
    case 'protected-tag':
      return protectionText(reason)
    case 'in-use':
      return useText(reason)
    case 'listed-digest':
      return `its digest is listed in ${reason.place === inputPlace ? 'skip-shas' : `protect-digests (${reason.place})`}`
    case 'in-flight':
      return inFlightText(reason)
    case 'newest':
      return `newest ${reason.rank} of ${reason.of} that would go; keep-n-most-recent is ${reason.keep}`
    case 'keep-rule':
    case 'not-due':
      return ruleText(reason)
    case 'not-selected':
      return 'no rule asks for it to go'
    case 'partly-matched':
      return `matched by ${reason.matched.join(', ')}, but not by its other tags: ${reason.blocking.join(', ')}`
    case 'last-tagged':
      return 'last tagged version, which GitHub does not let go'
    case 'orphan-attachment':
      return 'what it signs or attests may be stored elsewhere'
    case 'cycle':
      return 'it is part of a circle of references, which has no safe end'
    case 'part-of':
      return `${reason.relation} ${nameOfDigest(reason.of, lookup)}${rootText(reason.of, reason.root, lookup)}`
    case 'refused':
      return `package left alone (${refusalWords[reason.refusal]})`
  }
}

function protectionText({
  tag,
  pattern,
  place,
}: Extract<KeepReason, { code: 'protected-tag' }>): string {
  if (place === inputPlace)
    return `tag ${tag} is protected${tag === pattern ? '' : ` by !${pattern}`}`
  return `tag ${tag} is protected${tag === pattern ? '' : ` by ${pattern}`} (${place})`
}

function useText({ name, uses }: Extract<KeepReason, { code: 'in-use' }>): string {
  const [first] = uses
  const where = first === undefined ? '' : ` in ${first.file}:${first.line}`
  const more = uses.length > 1 ? ` and ${uses.length - 1} more` : ''
  return `${isDigest(name) ? shortDigest(name) : `tag ${name}`} is in use${where}${more}`
}

function rootText(of: Digest, root: Digest, lookup: Lookup): string {
  return of === root ? ', which stays' : `, part of ${nameOfDigest(root, lookup)}, which stays`
}

function inFlightText(reason: Extract<KeepReason, { code: 'in-flight' }>): string {
  const when = reason.age < 0 ? 'after this run began' : `${formatDuration(reason.age)} ago`
  const grace = `grace is ${formatDuration(reason.grace)}`
  return reason.newcomer === undefined
    ? `pushed or changed ${when}; ${grace}`
    : `${shortDigest(reason.newcomer)} was attached to it ${when}; ${grace}`
}

/** Refusal codes in a few words. */
const refusalWords: Readonly<Record<RefusalCode, string>> = {
  'listing-not-whole': 'its listing is not whole',
  'manifest-unreadable': 'a manifest cannot be read',
  'manifest-unread': 'a manifest was not read',
  'timestamp-unknown': 'an age is unknown',
  'max-deletions': 'more would go than max-deletions allows',
  'second-look': 'the plan failed its last check',
  'package-unreachable': 'it could not be looked at',
}

/** What was lost, to which image, and who did it. */
export function lossText({ whole, tags, part, tie, id, deletedByRun }: Loss): string {
  const name = tags.length > 0 ? `${tags.join(', ')} (${whole})` : whole
  const who = deletedByRun ? 'this run deleted it' : 'not this run deleted it'
  return `${name} is broken: ${part}, which it ${tieWords[tie]}, is gone (version ${id}; ${who})`
}

const tieWords: Readonly<Record<Tie, string>> = {
  contains: 'contains',
  attested: 'may be attested by',
  accelerated: 'is accelerated by',
  subject: 'is the subject of',
}

/**
 * The path that brings a version back, within 30 days.
 * https://docs.github.com/en/packages/learn-github-packages/deleting-and-restoring-a-package
 */
export function restorePath(route: string, name: string, id: number | string): string {
  return `${route}/packages/container/${encodeURIComponent(name)}/versions/${id}/restore`
}
