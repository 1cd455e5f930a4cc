import { mediaTypes } from './documents.js'
import { describe, extrasOf, image, index, tree, type Extras, type Tree } from './trees.js'

/** The media type of a Sigstore bundle, which is also the artifactType of what carries it. */
export const sigstoreBundle = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/**
 * The tag under which attachments of a digest are found: the fallback index without a suffix, cosign's with one.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
export function attachmentTag(digest: string, suffix?: 'sig' | 'att' | 'sbom'): string {
  const base = digest.replace(':', '-')
  return suffix === undefined ? base : `${base}.${suffix}`
}

/** Options of a multi-platform image. */
export interface MultiArchOptions extends Extras {
  /** Default linux/amd64 and linux/arm64. */
  platforms?: readonly string[]
  seed?: string
  docker?: boolean
  labels?: Record<string, string>
  /** Bytes of a file of its own in each platform's layer; default none. */
  payload?: number
  /** BuildKit's attestations for each platform: `true` the older form, `'subject'` the newer. Default none. */
  attestations?: boolean | 'subject'
}

/** An index of platform images, with BuildKit's attestations if asked for. */
export function multiArchImage(options: MultiArchOptions = {}): Tree {
  const { platforms = ['linux/amd64', 'linux/arm64'], attestations = false } = options
  const { seed = 'seed', docker = false, labels, payload } = options
  const more = { ...(labels ? { labels } : {}), ...(payload ? { payload } : {}) }
  const images = platforms.map((platform) => image({ platform, seed, docker, ...more }))
  const form = attestations === 'subject' ? 'subject' : 'plain'
  const notes = attestations === false ? [] : images.map((one) => attestation(one, { form, seed }))
  return index([...images, ...notes], { ...options, docker })
}

/**
 * BuildKit's attestation for one platform of an index; its descriptor carries the reference.
 * The form `subject` also refers from the manifest itself, as newer BuildKit does.
 * @see https://docs.docker.com/build/metadata/attestations/attestation-storage/
 */
export function attestation(
  platform: Tree,
  options: { form?: 'plain' | 'subject'; seed?: string } = {},
): Tree {
  const { form = 'plain', seed = 'seed' } = options
  const predicateType = 'https://slsa.dev/provenance/v0.2'
  const statement = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    seed,
  })
  const layer = {
    ...describe(statement, 'application/vnd.in-toto+json'),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  }
  const newer = form === 'subject'
  const config = newer
    ? '{}'
    : JSON.stringify({ architecture: 'unknown', os: 'unknown', config: {}, for: platform.digest })
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.image,
    ...(newer ? { artifactType: 'application/vnd.docker.attestation.manifest.v1+json' } : {}),
    config: describe(config, newer ? mediaTypes.empty : mediaTypes.config),
    layers: [layer],
    ...(newer ? extrasOf({ subject: platform }) : {}),
  }
  const annotations = {
    'vnd.docker.reference.digest': platform.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  }
  const about = { annotations, platform: { architecture: 'unknown', os: 'unknown' } }
  return tree(document, { blobs: [config, statement], about })
}

/** A signature, attestation or SBOM as cosign 1 and 2 store it: an image under the subject's tag with a suffix. */
export function cosignSignature(
  subject: Tree | string,
  options: { suffix?: 'sig' | 'att' | 'sbom'; seed?: string } = {},
): Tree {
  const { suffix = 'sig', seed = 'seed' } = options
  const digest = typeof subject === 'string' ? subject : subject.digest
  const type = cosignLayers[suffix]
  const payload = JSON.stringify({
    critical: { image: { 'docker-manifest-digest': digest } },
    seed,
  })
  const config = JSON.stringify({
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers' },
  })
  const layer = {
    ...describe(payload, type),
    annotations: { 'dev.cosignproject.cosign/signature': `emulated ${seed}` },
  }
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.image,
    config: describe(config, mediaTypes.config),
    layers: [layer],
  }
  return tree(document, { blobs: [config, payload], tags: [attachmentTag(digest, suffix)] })
}

const cosignLayers = {
  sig: 'application/vnd.dev.cosign.simplesigning.v1+json',
  att: 'application/vnd.dsse.envelope.v1+json',
  sbom: 'text/spdx+json',
}

/** An artifact of any type. */
export interface ArtifactOptions extends Extras {
  /** Default: none; then the config's media type is what tells the type. */
  artifactType?: string
  /** Default: the empty config. */
  configType?: string
  layerType?: string
  seed?: string
}

/** An OCI artifact: an image manifest with an artifactType or a config of its own media type. */
export function artifact(options: ArtifactOptions = {}): Tree {
  const { configType = mediaTypes.empty, seed = 'seed', artifactType } = options
  const config = configType === mediaTypes.empty ? '{}' : JSON.stringify({ name: seed })
  const content = JSON.stringify({ seed })
  const type = options.layerType ?? artifactType ?? 'application/octet-stream'
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.image,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: describe(config, configType),
    layers: [describe(content, type)],
    ...extrasOf(options),
  }
  const about = artifactType === undefined ? {} : { artifactType }
  return tree(document, { blobs: [config, content], about })
}

/** What cosign 3 and GitHub's own attestations store: a Sigstore bundle with a subject, and no tag. */
export function referrer(
  subject: Tree,
  options: { artifactType?: string; seed?: string; annotations?: Record<string, string> } = {},
): Tree {
  const annotations = {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': 'https://slsa.dev/provenance/v1',
  }
  return artifact({ artifactType: sigstoreBundle, annotations, ...options, subject })
}

/**
 * The index that stands in for the referrers API, under the tag of the subject's digest.
 * With `terse`, its descriptors say no more than mediaType, digest and size, as some clients write them.
 */
export function fallbackIndex(
  subject: Tree | string,
  referrers: readonly Tree[],
  { terse = false } = {},
): Tree {
  const digest = typeof subject === 'string' ? subject : subject.digest
  const children = terse ? referrers.map(withTerseDescriptor) : referrers
  return { ...index(children), tags: [attachmentTag(digest)] }
}

function withTerseDescriptor(node: Tree): Tree {
  const { mediaType, digest, size } = node.descriptor
  return { ...node, descriptor: { mediaType, digest, size } }
}

/** A Helm chart. */
export function helmChart({ name = 'chart', version = '1.0.0' } = {}): Tree {
  return artifact({
    configType: 'application/vnd.cncf.helm.config.v1+json',
    layerType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    seed: `${name}-${version}`,
  })
}

/** BuildKit's registry cache in its older form: an index whose entries are blobs, not manifests. */
export function buildCacheIndex({ seed = 'seed' } = {}): Tree {
  const layer = `cached layer ${seed}`
  const config = JSON.stringify({ layers: [{ blob: seed }], records: [] })
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      describe(layer, mediaTypes.layer),
      describe(config, 'application/vnd.buildkit.cacheconfig.v0'),
    ],
  }
  return tree(document, { blobs: [layer, config] })
}

/** BuildKit's registry cache in its newer form: one image manifest. */
export function buildCacheImage({ seed = 'seed' } = {}): Tree {
  return artifact({
    configType: 'application/vnd.buildkit.cacheconfig.v0',
    layerType: mediaTypes.layer,
    seed: `cache ${seed}`,
  })
}
