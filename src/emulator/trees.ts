import { createCipheriv, createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { digestOf, mediaTypes } from './documents.js'
import type { Store } from './store.js'

/** A reference to a document, as an index or a `subject` holds it. */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: Platform
  artifactType?: string
  annotations?: Record<string, string>
}

/** A platform as an index states it. */
interface Platform {
  architecture: string
  os: string
  variant?: string
}

/** A document with all that it contains: what a push uploads, children first. */
export interface Tree {
  readonly digest: string
  readonly mediaType: string
  readonly body: string
  /** How an index around it refers to it. */
  readonly descriptor: Descriptor
  /** Config, layers: what pulls of this very document need. */
  readonly blobs: readonly (string | Uint8Array)[]
  readonly children: readonly Tree[]
  /** Tags that belong to its nature, such as a signature's. */
  readonly tags: readonly string[]
}

/** What documents of every kind may carry. */
export interface Extras {
  annotations?: Record<string, string>
  /** The document this one is attached to. */
  subject?: Tree | Descriptor
}

/** A platform image. */
export interface ImageOptions extends Extras {
  /** `os/architecture[/variant]`; default `linux/amd64`. */
  platform?: string
  /** Another seed is another image; default `seed`. */
  seed?: string
  /** Labels of the image's config. */
  labels?: Record<string, string>
  /** Docker's media types instead of OCI's. */
  docker?: boolean
  /** Bytes of a file of its own in the layer; default none, and then all images of a platform share their layer. */
  payload?: number
}

/** Wraps a finished document. A `docker` or `oci` manifest may be any object with a mediaType. */
export function tree(
  document: { mediaType: string } & Record<string, unknown>,
  parts: Partial<Pick<Tree, 'blobs' | 'children' | 'tags'>> & { about?: Partial<Descriptor> } = {},
): Tree {
  const body = JSON.stringify(document)
  const { mediaType } = document
  const digest = digestOf(body)
  const descriptor = { mediaType, digest, size: Buffer.byteLength(body), ...parts.about }
  const { blobs = [], children = [], tags = [] } = parts
  return { digest, mediaType, body, descriptor, blobs, children, tags }
}

/** One image for one platform, with a config and a layer that a client can pull and unpack. */
export function image(options: ImageOptions = {}): Tree {
  const platform = parsePlatform(options.platform ?? 'linux/amd64')
  const layer = options.payload ? payloadLayer(platform, options) : layerOf(platform)
  const config = configOf(platform, options, layer.diffId)
  const document = {
    schemaVersion: 2,
    mediaType: options.docker ? mediaTypes.dockerImage : mediaTypes.image,
    config: describe(config, options.docker ? mediaTypes.dockerConfig : mediaTypes.config),
    layers: [describe(layer.bytes, options.docker ? mediaTypes.dockerLayer : mediaTypes.layer)],
    ...extrasOf(options),
  }
  return tree(document, { blobs: [config, layer.bytes], about: { platform } })
}

/** An index (Docker: a manifest list) around children, which may be indexes themselves. */
export function index(
  children: readonly Tree[],
  options: Extras & { docker?: boolean; artifactType?: string } = {},
): Tree {
  const document = {
    schemaVersion: 2,
    mediaType: options.docker ? mediaTypes.dockerList : mediaTypes.index,
    ...(options.artifactType === undefined ? {} : { artifactType: options.artifactType }),
    manifests: children.map((child) => child.descriptor),
    ...extrasOf(options),
  }
  return tree(document, { children })
}

/** The `subject` and `annotations` fields, where asked for. */
export function extrasOf({ subject, annotations }: Extras): Record<string, unknown> {
  return {
    ...(subject ? { subject: plain('descriptor' in subject ? subject.descriptor : subject) } : {}),
    ...(annotations ? { annotations } : {}),
  }
}

/** A descriptor reduced to what a `subject` holds. */
function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

/** The descriptor of a blob. */
export function describe(content: string | Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) }
}

/** Where and when to push a tree. */
export interface TreePush {
  account: string
  package: string
  tree: Tree
  /** Tags for the top document, besides those of its nature. */
  tags?: readonly string[]
  /** Epoch ms of every document of the tree; default now. */
  at?: number
}

/** Pushes a tree, children first, as clients do. Gives the id of the top version and of each by digest. */
export function pushTree(store: Store, push: TreePush): { id: number; ids: Map<string, number> } {
  const ids = new Map<string, number>()
  const { tree: top, at = store.now() } = push
  const place = { account: push.account, package: push.package }
  store.addPackage({ ...place, at })
  const visit = (node: Tree, tags: readonly string[]): number => {
    for (const child of node.children) visit(child, [])
    for (const blob of node.blobs) store.addBlob(place.account, place.package, blob)
    const { body, mediaType } = node
    const own = [...node.tags, ...tags]
    const { id } = store.push({ ...place, manifest: body, mediaType, tags: own, at })
    ids.set(node.digest, id)
    return id
  }
  return { id: visit(top, push.tags ?? []), ids }
}

function parsePlatform(text: string): Platform {
  const [os = 'linux', architecture = 'amd64', variant] = text.split('/')
  return { architecture, os, ...(variant === undefined ? {} : { variant }) }
}

function configOf(platform: Platform, options: ImageOptions, diffId: string): string {
  return JSON.stringify({
    ...platform,
    config: {
      Env: [`SEED=${options.seed ?? 'seed'}`],
      ...(options.labels ? { Labels: options.labels } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created_by: 'COPY platform.txt / # emulator' }],
  })
}

interface Layer {
  bytes: Uint8Array
  /** Digest of the layer before compression. */
  diffId: string
}

const layers = new Map<string, Layer>()

/** Images of one platform share their layer: what tells them apart is the config. */
function layerOf(platform: Platform): Layer {
  const text = nameOf(platform)
  const known = layers.get(text)
  if (known) return known
  const layer = compress(tarOf('platform.txt', Buffer.from(text)))
  layers.set(text, layer)
  return layer
}

/** A layer with a file that no other image has: its bytes follow from platform and seed. */
function payloadLayer(platform: Platform, { payload = 0, seed = 'seed' }: ImageOptions): Layer {
  const key = createHash('sha256')
    .update(`${nameOf(platform)} ${seed}`)
    .digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return compress(tarOf('payload.bin', cipher.update(Buffer.alloc(payload))))
}

function nameOf({ os, architecture, variant = '' }: Platform): string {
  return [os, architecture, variant].join('/')
}

function compress(tar: Uint8Array): Layer {
  const bytes = gzipSync(tar, { level: 0 })
  // The header names the compressing system; digests must not depend on it.
  bytes[9] = 255
  return { bytes, diffId: digestOf(tar) }
}

/** A tar archive of one small file. @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function tarOf(name: string, file: Uint8Array): Uint8Array {
  const block = Buffer.alloc(512)
  const size = file.length
  const octal = (value: number, width: number) => value.toString(8).padStart(width, '0')
  block.write(name, 0)
  block.write(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100)
  block.write(`${octal(size, 11)}\0${octal(0, 11)}\0        0`, 124)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  const content = Buffer.alloc(Math.ceil(size / 512) * 512)
  content.set(file)
  return Buffer.concat([block, content, Buffer.alloc(1024)])
}
