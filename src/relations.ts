import type { Digest, Snapshot, Tie } from './model.js'
import { subjectOfTag } from './oci.js'

/** One version belongs to another, as a document or a tag says. */
export interface Belonging {
  readonly whole: Digest
  readonly part: Digest
  readonly tie: Tie
}

/**
 * Everything that documents and tags say of what belongs to what, without a graph and without a search. The two ends
 * need not be listed. An annotation counts only as long as the attestation that it names was not read.
 */
export function eachBelonging(
  { versions, manifests }: Pick<Snapshot, 'versions' | 'manifests'>,
  visit: (whole: Digest, part: Digest, tie: Tie) => void,
): void {
  for (const { digest, tags } of versions) {
    const { children = [], subject, sociIndex } = manifests.get(digest) ?? {}
    for (const { digest: part, attests } of children) {
      visit(digest, part, 'contains')
      if (attests !== undefined && !manifests.has(part)) visit(attests, part, 'attested')
    }
    if (sociIndex !== undefined) visit(digest, sociIndex, 'accelerated')
    for (const whole of subjectsOf(subject, tags))
      if (whole !== undefined) visit(whole, digest, 'subject')
  }
}

/** The same as a list. */
export function belongings(snapshot: Pick<Snapshot, 'versions' | 'manifests'>): Belonging[] {
  const all: Belonging[] = []
  eachBelonging(snapshot, (whole, part, tie) => {
    all.push({ whole, part, tie })
  })
  return all
}

/** Every subject that a manifest and its tags name, once. */
function subjectsOf(
  subject: Digest | undefined,
  tags: readonly string[],
): Iterable<Digest | undefined> {
  return tags.length === 0 ? [subject] : new Set([subject, ...tags.map(subjectOfTag)])
}
