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
export function* belongings({
  versions,
  manifests,
}: Pick<Snapshot, 'versions' | 'manifests'>): Generator<Belonging> {
  for (const { digest, tags } of versions) {
    const { children = [], subject, sociIndex } = manifests.get(digest) ?? {}
    for (const { digest: part, attests } of children) {
      yield { whole: digest, part, tie: 'contains' }
      if (attests !== undefined && !manifests.has(part))
        yield { whole: attests, part, tie: 'attested' }
    }
    if (sociIndex !== undefined) yield { whole: digest, part: sociIndex, tie: 'accelerated' }
    for (const whole of subjectsOf(subject, tags))
      if (whole !== undefined) yield { whole, part: digest, tie: 'subject' }
  }
}

/** Every subject that a manifest and its tags name, once. */
function subjectsOf(
  subject: Digest | undefined,
  tags: readonly string[],
): Iterable<Digest | undefined> {
  return tags.length === 0 ? [subject] : new Set([subject, ...tags.map(subjectOfTag)])
}
