import fc from 'fast-check'
import type { Store } from '../../src/emulator/store.js'
import { entryFor, image, index, type Document } from './documents.js'
import { account } from './kit.js'
import type { Watch } from './oracle.js'
import type { Scene } from './scene.js'

const kinds = [
  'is tagged',
  'is pushed again with a tag',
  'comes into a new index',
  'comes into a new index with another',
  'is signed by a tag',
  'gets a referrer',
] as const

/** What somebody does to one of the versions right after so many deletes of the run. */
export interface Change {
  readonly kind: (typeof kinds)[number]
  readonly at: number
  readonly after: number
}

export const changes: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat({ max: 30 }),
  after: fc.nat({ max: 6 }),
})

/** The minute that is promised between a change and the deletes that know of it. */
const notice = 60_000

/** Makes a change happen to a run that is about to start; the watch holds the run to it a minute later. */
export function plant({ stage, pictures }: Scene, watch: Watch, { kind, at, after }: Change): void {
  const [picture] = pictures
  const versions = picture?.versions.toReversed() ?? []
  const [seen, other] = [versions[at % versions.length], versions[(at + 1) % versions.length]]
  if (picture === undefined || seen === undefined || other === undefined) return
  const { name } = picture
  const touch = (store: Store) => {
    const document = documentOf(store, name, seen.digest)
    const push = (pushed: Document, tags: readonly string[]) =>
      store.push({
        account,
        package: name,
        manifest: pushed.body,
        mediaType: pushed.mediaType,
        tags,
      })
    const around = (...all: readonly Document[]) =>
      index(
        all.map((one) => entryFor(one, 'platform', '')),
        { seed: 5000 + after },
      )
    switch (kind) {
      case 'is tagged':
      case 'is pushed again with a tag':
        if (kind === 'is tagged' && !store.version(account, name, seen.id)) return
        push(document, ['precious'])
        return
      case 'comes into a new index':
        push(around(document), ['precious'])
        return
      case 'comes into a new index with another':
        push(around(document, documentOf(store, name, other.digest)), [])
        return
      case 'is signed by a tag':
        push(image({ seed: 6000 }), [`${seen.digest.replace(':', '-')}.sig`])
        return
      case 'gets a referrer':
        push(image({ seed: 7000, subject: seen.digest }), [])
    }
  }
  stage.emulator.faults.add({
    ...{ name: 'change', service: 'api', method: 'DELETE', after },
    action: {
      runAfter: (store) => {
        touch(store)
        watch.holdTo(store.now() + notice)
      },
    },
  })
}

/** A document that is or was in the registry. */
function documentOf(store: Store, name: string, digest: string): Document {
  const stored = store.package(account, name)?.manifests.get(digest)
  const body = Buffer.from(stored?.bytes ?? []).toString()
  const { subject, artifactType, annotations } = JSON.parse(body) as {
    subject?: { digest: string }
    artifactType?: string
    annotations?: Record<string, string>
  }
  return {
    ...{ body, digest, artifactType },
    mediaType: stored?.mediaType ?? '',
    subject: subject?.digest,
    soci: annotations?.['com.amazon.soci.index-digest'],
  }
}
