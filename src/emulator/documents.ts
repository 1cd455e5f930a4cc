import { createHash } from 'node:crypto'

/** Media types of the documents that a registry keeps under a digest. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  image: 'application/vnd.oci.image.manifest.v1+json',
  artifact: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerImage: 'application/vnd.docker.distribution.manifest.v2+json',
  schema1: 'application/vnd.docker.distribution.manifest.v1+json',
  schema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  config: 'application/vnd.oci.image.config.v1+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  empty: 'application/vnd.oci.empty.v1+json',
} as const

const manifestTypes: ReadonlySet<string> = new Set([
  mediaTypes.index,
  mediaTypes.image,
  mediaTypes.artifact,
  mediaTypes.dockerList,
  mediaTypes.dockerImage,
  mediaTypes.schema1,
  mediaTypes.schema1Signed,
])

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.index, mediaTypes.dockerList])

/** `sha256:<64 hex>` of the given bytes (a string counts as UTF-8). */
export function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** True for the one digest form that the emulator keeps: `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

/** Tag grammar of the OCI distribution specification (pulling manifests: `<reference>` as a tag). */
export function isTag(text: string): boolean {
  return /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(text)
}

/** True for a plain object: what a JSON document has between braces. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What the registry has to know about a pushed document. */
export interface ManifestFacts {
  mediaType: string
  /** Digests of config, layers and blobs. */
  blobs: string[]
  /** Digests of the entries of an index. */
  children: string[]
}

/** Why a document is no manifest, in words for the registry's error body. */
export class InvalidManifest extends Error {}

/**
 * Reads a pushed document as far as the registry needs to.
 * @param contentType media type the client declared, without parameters; empty when it declared none
 * @throws InvalidManifest with the reason
 */
export function readManifest(bytes: Uint8Array, contentType: string): ManifestFacts {
  const document = parseObject(bytes)
  const mediaType = settleMediaType(document, contentType)
  if (mediaType === mediaTypes.schema1 || mediaType === mediaTypes.schema1Signed) {
    return { mediaType, blobs: [], children: [] }
  }
  if (mediaType !== mediaTypes.artifact && document.schemaVersion !== 2) {
    throw new InvalidManifest('schemaVersion must be 2')
  }
  if (indexTypes.has(mediaType)) {
    return { mediaType, blobs: [], children: digestsIn(document, 'manifests') }
  }
  if (mediaType === mediaTypes.artifact) {
    return { mediaType, blobs: digestsIn(document, 'blobs', true), children: [] }
  }
  const config = digestIn(document.config, 'config')
  return { mediaType, blobs: [config, ...digestsIn(document, 'layers')], children: [] }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new InvalidManifest('manifest is not JSON')
  }
  if (!isRecord(document)) throw new InvalidManifest('manifest is not an object')
  return document
}

function settleMediaType(document: Record<string, unknown>, contentType: string): string {
  const own = document.mediaType
  if (own !== undefined && typeof own !== 'string') {
    throw new InvalidManifest('mediaType must be a string')
  }
  const mediaType = contentType === '' ? (own ?? '') : contentType
  if (!manifestTypes.has(mediaType)) throw new InvalidManifest('unknown manifest media type')
  if (own !== undefined && own !== mediaType) {
    throw new InvalidManifest('mediaType differs from Content-Type')
  }
  return mediaType
}

function digestsIn(document: Record<string, unknown>, field: string, optional = false): string[] {
  const list = document[field]
  if (list === undefined && optional) return []
  if (!Array.isArray(list)) throw new InvalidManifest(`${field} must be a list`)
  return list.map((entry: unknown) => digestIn(entry, field))
}

function digestIn(value: unknown, field: string): string {
  if (!isRecord(value)) throw new InvalidManifest(`${field} must hold descriptors`)
  const { digest, mediaType, size } = value
  if (typeof digest !== 'string' || typeof mediaType !== 'string' || typeof size !== 'number') {
    throw new InvalidManifest(`${field} must hold mediaType, digest and size`)
  }
  return digest
}
