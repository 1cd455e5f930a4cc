import { z } from 'zod'
import { isDigest, type Child, type Digest, type Manifest } from './model.js'

/**
 * Media types of documents that list children.
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md and
 * https://distribution.github.io/distribution/spec/manifest-v2-2/
 */
const indexMediaTypes = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
])

/** Media types of documents that are a manifest of their own and list no children. */
const leafMediaTypes = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.oci.artifact.manifest.v1+json',
])

/** The Accept header that makes a registry hand out any manifest as it was pushed. */
export const acceptedMediaTypes = [...indexMediaTypes, ...leafMediaTypes].join(', ')

/** Config media types of runnable images; any other config marks an artifact. */
const imageConfigs = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
])

/** Layers that a container runtime unpacks, in whatever compression. */
const filesystemLayer = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./

/** https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
const attestsAnnotation = 'vnd.docker.reference.digest'
const sociAnnotation = 'com.amazon.soci.index-digest'

/**
 * Annotations and labels that state a lifetime, our own first.
 * https://docs.redhat.com/en/documentation/red_hat_quay/3.14/html/use_red_hat_quay/image-tags-overview
 */
const ownLifetime = 'ghcr-retention.expires-after'
const quayLifetime = 'quay.expires-after'
/** Characters; no lifetime that makes sense is longer. */
const longestLifetime = 64

/**
 * `sha256-<hex>` names the referrers of a subject, `sha256-<hex>.<suffix>` is cosign's form.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
const attachmentTag = /^sha256-([0-9a-f]{64})(?:\.[A-Za-z0-9._-]+)?$/

/** The digest that an attachment tag names as its subject, or undefined for a tag of an image's own. */
export function subjectOfTag(tag: string): Digest | undefined {
  const hex = attachmentTag.exec(tag)?.[1]
  return hex === undefined ? undefined : `sha256:${hex}`
}

const annotations = z.record(z.string(), z.string()).nullish()

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string(),
  artifactType: z.string().nullish(),
  platform: z
    .object({
      os: z.string(),
      architecture: z.string(),
      variant: z.string().nullish(),
      'os.features': z.array(z.string()).nullish(),
    })
    .nullish(),
  annotations,
})

const manifestDocument = z.object({
  mediaType: z.string().nullish(),
  artifactType: z.string().nullish(),
  manifests: z.array(descriptor).nullish(),
  config: z.object({ mediaType: z.string(), digest: z.unknown().optional() }).nullish(),
  layers: z.array(z.object({ mediaType: z.string() })).nullish(),
  subject: z.object({ digest: z.string() }).nullish(),
  annotations,
})

/** Of a config, only what is looked for: https://github.com/opencontainers/image-spec/blob/main/config.md */
const configDocument = z.object({
  config: z
    .object({
      Labels: z
        .object({ [ownLifetime]: z.string().nullish(), [quayLifetime]: z.string().nullish() })
        .nullish(),
    })
    .nullish(),
})

type Document = z.infer<typeof manifestDocument>
type Descriptor = z.infer<typeof descriptor>

/**
 * Reads a manifest document.
 *
 * @param text the document, already checked against its digest
 * @param contentType what the registry called it; used when the document names no media type itself
 * @throws Error in words for the reader when it cannot be understood. Such a manifest is unknown, never childless.
 */
export function parseManifest(text: string, contentType: string | undefined): Manifest {
  const document = readDocument(text)
  const [answered = ''] = contentType?.split(';') ?? []
  const mediaType = document.mediaType ?? answered.trim()
  if (document.manifests && document.layers) {
    throw new Error('it lists both manifests and layers, so it could mean two different things')
  }
  if (indexMediaTypes.has(mediaType) && !document.manifests) {
    throw new Error(`it calls itself ${mediaType} but lists no manifests`)
  }
  const artifactType = artifactTypeOf(document)
  return {
    kind: kindOf(document, artifactType),
    mediaType,
    ...optional('artifactType', artifactType),
    children: (document.manifests ?? []).map((entry, _at, all) => readChild(entry, all)),
    ...optional('subject', readReference(document.subject?.digest, 'subject')),
    ...optional('sociIndex', readReference(document.annotations?.[sociAnnotation], sociAnnotation)),
    ...optional('lifetime', lifetimeIn(document.annotations)),
  }
}

/** What a manifest says of the lifetime of an image: states it, or names the config whose labels may. */
export interface LifetimeSource {
  readonly lifetime: string | undefined
  /** Undefined when nothing can run it. */
  readonly config: Digest | undefined
}

/** Reads from a manifest where the lifetime of its image is stated. @throws Error as {@link parseManifest} does */
export function parseLifetimeSource(text: string, contentType: string | undefined): LifetimeSource {
  const { kind, lifetime } = parseManifest(text, contentType)
  if (kind !== 'image') return { lifetime, config: undefined }
  const digest = readDocument(text).config?.digest
  if (typeof digest !== 'string') throw new Error('its config has no digest')
  return { lifetime, config: readReference(digest, 'config') }
}

/**
 * Reads the config of a runnable image.
 *
 * @returns the lifetime that its labels state, as it is written there
 * @throws Error in words for the reader when it cannot be understood
 */
export function parseLabels(text: string): string | undefined {
  return lifetimeIn(readJson(text, configDocument, 'config').config?.Labels)
}

/** A text that was cut is no duration any more, so that it cannot pass for a shorter one. */
function lifetimeIn(
  texts: Readonly<Record<string, string | null | undefined>> | null | undefined,
): string | undefined {
  const text = texts?.[ownLifetime] ?? texts?.[quayLifetime] ?? undefined
  if (text === undefined || text.length <= longestLifetime) return text
  return `${text.slice(0, longestLifetime)}…`
}

function readDocument(text: string): Document {
  return readJson(text, manifestDocument, 'manifest')
}

function readJson<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const path = parsed.error.issues[0]?.path.join('.') ?? ''
  throw new Error(path === '' ? 'it is no JSON object' : `its field ${path} is no ${what}'s`)
}

/** What makes a manifest an artifact: its declared type, or a config or first layer that no runnable image has. */
function artifactTypeOf(document: Document): string | undefined {
  if (document.manifests) return document.artifactType ?? undefined
  const config = document.config?.mediaType
  const layer = document.layers?.[0]
  if (document.artifactType) return document.artifactType
  if (config !== undefined && !imageConfigs.has(config)) return config
  return layer && !filesystemLayer.test(layer.mediaType) ? layer.mediaType : undefined
}

function kindOf(document: Document, artifactType: string | undefined): Manifest['kind'] {
  if (document.manifests) return 'index'
  return document.config && artifactType === undefined ? 'image' : 'artifact'
}

function readChild(entry: Descriptor, siblings: readonly Descriptor[]): Child {
  const kind = childKind(entry.mediaType)
  if (!isDigest(entry.digest)) {
    throw new Error(`it lists a child by a digest that cannot be looked up: ${entry.digest}`)
  }
  const attests = readReference(entry.annotations?.[attestsAnnotation], attestsAnnotation)
  return {
    digest: entry.digest,
    mediaType: entry.mediaType,
    kind,
    ...optional('platform', platformOf(entry)),
    ...optional('artifactType', entry.artifactType ?? undefined),
    ...optional('attests', attests),
    ...(isOpaque(entry, siblings) ? { opaque: true } : {}),
  }
}

/**
 * Entries of artifacts and of accelerated images (nydus sets `os.features`), and images next to a SOCI index: their
 * manifests may name a subject or a SOCI index that the entry does not show.
 */
function isOpaque(
  { artifactType, platform }: Descriptor,
  siblings: readonly Descriptor[],
): boolean {
  return (
    !!artifactType ||
    !!platform?.['os.features']?.length ||
    siblings.some((sibling) => sibling.artifactType?.startsWith('application/vnd.amazon.soci.'))
  )
}

function childKind(mediaType: string): Child['kind'] {
  if (indexMediaTypes.has(mediaType)) return 'index'
  return leafMediaTypes.has(mediaType) ? 'image' : 'other'
}

function platformOf({ platform }: Descriptor): string | undefined {
  if (!platform) return undefined
  const { os, architecture, variant } = platform
  if ([os, architecture].some((part) => part === '' || part === 'unknown')) return undefined
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`
}

/** A digest in another field; one that no version can be named by would be an unknown relation. */
function readReference(text: string | undefined, field: string): Digest | undefined {
  if (text === undefined) return undefined
  if (isDigest(text)) return text
  throw new Error(`its ${field} is a digest that cannot be looked up: ${text}`)
}

/** A field to spread: absent rather than undefined. */
function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>)
}
