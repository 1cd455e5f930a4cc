import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { isDigest, type Digest, type Manifest } from './model.js'

/** A manifest, and what else was found out about the image. */
export interface Remembered extends Manifest {
  /** The lifetime that labels state, as it is written there; the empty text when they were read and state none. */
  readonly labelled?: string
}

/** What is known of the manifests of one package. */
export type Manifests = ReadonlyMap<Digest, Remembered>

/** What is known of several packages, each by a hash of its name. */
export type Memory = ReadonlyMap<string, Manifests>

/** What a memory has to be sealed with to be believed. */
export interface Seal {
  /** The version that wrote it: another one may read documents in another way. */
  readonly version: string
  /** Known to nobody but runs that may share a memory; empty for a mere checksum. */
  readonly secret: string
}

const digest = z.string().refine(isDigest)

const child = z.strictObject({
  digest,
  mediaType: z.string(),
  kind: z.enum(['index', 'image', 'other']),
  platform: z.string().exactOptional(),
  artifactType: z.string().exactOptional(),
  attests: digest.exactOptional(),
  opaque: z.literal(true).exactOptional(),
})

const manifest = z.strictObject({
  kind: z.enum(['index', 'image', 'artifact']),
  mediaType: z.string(),
  artifactType: z.string().exactOptional(),
  children: z.array(child),
  subject: digest.exactOptional(),
  sociIndex: digest.exactOptional(),
  lifetime: z.string().exactOptional(),
  labelled: z.string().exactOptional(),
}) satisfies z.ZodType<Remembered>

const packages = z.record(z.string(), z.record(digest, manifest))

/**
 * A memory as a text: the seal, and after it everything that is known. Nothing else of an image is in it than what the
 * type says. The same memory is always the same text.
 */
export function writeMemory(memory: Memory, seal: Seal): string {
  const parts = [...memory]
    .filter(([, manifests]) => manifests.size > 0)
    .map(([name, manifests]) => [name, Object.fromEntries(sorted(manifests))] as const)
  const body = JSON.stringify(Object.fromEntries(sorted(parts)))
  return `${sealOf(body, seal)}\n${body}\n`
}

/**
 * Reads such a text.
 *
 * @throws Error when anything in it is not as it was written, under this seal: a memory with fewer relations than there
 * are would cost an image
 */
export function readMemory(text: string, seal: Seal): Memory {
  const end = text.indexOf('\n')
  const body = text.slice(end + 1, -1)
  if (text !== `${sealOf(body, seal)}\n${body}\n`) throw new Error('its seal does not fit')
  const parsed = packages.parse(JSON.parse(body))
  return new Map(
    Object.entries(parsed).map(([name, manifests]) => [
      name,
      new Map(Object.entries(manifests) as [Digest, Remembered][]),
    ]),
  )
}

function sealOf(body: string, { version, secret }: Seal): string {
  const code = createHmac('sha256', secret).update(`${version}\n${body}`).digest('hex')
  return `ghcr-retention ${version} ${code}`
}

/** In the order of the keys, whatever the language of the machine. */
function sorted<V>(entries: Iterable<readonly [string, V]>): (readonly [string, V])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}
