import { createHash } from 'node:crypto'
import { mediaTypes } from '../../src/emulator/images.js'

/** A document as a registry keeps it. */
export interface Document {
  readonly body: string
  readonly mediaType: string
  readonly digest: string
  readonly artifactType: string | undefined
  /** The digest that it names as its subject. */
  readonly subject: string | undefined
  /** The digest of a SOCI index that accelerates it. */
  readonly soci: string | undefined
}

/** How an index names a document. */
export type EntryForm =
  'platform' | 'bare' | 'typed' | 'attests' | 'features' | 'blob' | 'strange media type'

/** What any document may say besides its content. */
export interface Extras {
  /** Makes it a document of its own. */
  readonly seed: number
  readonly docker?: boolean
  /** The document does not say its media type; only the registry does. */
  readonly silent?: boolean
  readonly subject?: string | undefined
  readonly soci?: string | undefined
  readonly artifactType?: string | undefined
}

const attestationType = 'application/vnd.docker.attestation.manifest.v1+json'

/** An image; with an artifact type, an artifact. */
export function image(extras: Extras): Document {
  const docker = extras.docker === true
  const config = docker ? mediaTypes.dockerConfig : mediaTypes.config
  const layer = docker ? mediaTypes.dockerLayer : mediaTypes.layer
  return document(docker ? mediaTypes.dockerImage : mediaTypes.image, extras, {
    config: blob(config, extras.seed),
    layers: [blob(layer, extras.seed)],
  })
}

/** An index, or with `docker` a manifest list, with the given entries. */
export function index(manifests: readonly object[], extras: Extras): Document {
  return document(extras.docker ? mediaTypes.dockerList : mediaTypes.index, extras, { manifests })
}

/** BuildKit's attestation of one platform, in its older form or in the newer one, which names its subject itself. */
export function attestation(of: Document, newer: boolean, seed: number): Document {
  return image({ seed, ...(newer ? { subject: of.digest, artifactType: attestationType } : {}) })
}

/** A document of a kind that lists nothing and that no runtime knows. */
export function oddDocument(mediaType: string, { seed, subject }: Extras): Document {
  return document(mediaType, { seed, subject }, { odd: seed })
}

/** A digest that was never pushed. */
export function absentDigest(seed: string | number): string {
  return hashOf(`absent ${seed}`)
}

/** The entry of an index for a document. It never says less than what is true of it. */
export function entryFor(of: Document, form: EntryForm, attested: string): object {
  const { digest, mediaType, artifactType, subject, soci } = of
  const size = of.body.length
  const plain = { mediaType, digest, size }
  switch (form) {
    case 'platform':
      return subject || soci
        ? plain
        : { ...plain, platform: { os: 'linux', architecture: 'amd64' } }
    case 'bare':
      return plain
    case 'typed':
      return { ...plain, artifactType: artifactType ?? 'application/vnd.example.thing' }
    case 'attests':
      return soci ? plain : { ...plain, ...attests(subject ?? attested) }
    case 'features':
      return {
        ...plain,
        platform: { os: 'linux', architecture: 'amd64', 'os.features': ['nydus'] },
      }
    case 'blob':
      return { ...plain, mediaType: mediaTypes.layer }
    case 'strange media type':
      return { ...plain, mediaType: 'application/vnd.example.strange' }
  }
}

function attests(digest: string): object {
  return {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': digest,
    },
  }
}

function document(mediaType: string, extras: Extras, content: object): Document {
  const { seed, silent, subject, soci, artifactType } = extras
  const annotations = { seed: String(seed), ...(soci && { 'com.amazon.soci.index-digest': soci }) }
  const body = JSON.stringify({
    schemaVersion: 2,
    ...(silent ? {} : { mediaType }),
    ...(artifactType && { artifactType }),
    ...content,
    ...(subject && { subject: { mediaType: mediaTypes.image, digest: subject, size: 2 } }),
    annotations,
  })
  return { body, mediaType, digest: hashOf(body), artifactType, subject, soci }
}

function blob(mediaType: string, seed: number): object {
  return { mediaType, digest: hashOf(`blob ${seed}`), size: 2 }
}

function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
