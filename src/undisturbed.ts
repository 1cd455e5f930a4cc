import type { Digest, Manifest } from './model.js'
import { makePlan, type Planned, type PlanSource } from './planning.js'
import type { ManifestReader } from './ports.js'

/** How often a plan is begun anew because something that was listed has been deleted before it was read. */
const mostFreshStarts = 5

/**
 * Lists and reads a package, and plans, also while somebody else deletes from it: what cannot be read because it is no
 * longer there is no unknown. The package is listed once more then, and what was read already is not read again.
 *
 * @throws RetentionError as makePlan does
 */
export async function planUndisturbed(source: PlanSource): Promise<Planned> {
  const reader = remembering(source.reader)
  let planned = await makePlan({ ...source, reader })
  for (let starts = 0; starts < mostFreshStarts && isUnreadable(planned); starts++) {
    const versions = await source.lister.listVersions()
    const there = new Set(versions.map(({ id }) => id))
    if (planned.snapshot.versions.every(({ id }) => there.has(id))) return planned
    const lister = { ...source.lister, listVersions: () => Promise.resolve(versions) }
    planned = await makePlan({ ...source, reader, lister })
  }
  return planned
}

function isUnreadable({ snapshot }: Planned): boolean {
  return snapshot.refusals.some(({ code }) => code === 'manifest-unreadable')
}

/** A digest names its content for good. */
function remembering(reader: ManifestReader): ManifestReader {
  const known = new Map<Digest, Manifest>()
  return {
    readManifest: async (digest) => {
      const manifest = known.get(digest) ?? (await reader.readManifest(digest))
      known.set(digest, manifest)
      return manifest
    },
  }
}
