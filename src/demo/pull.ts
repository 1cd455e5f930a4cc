import { createHash } from 'node:crypto'
import { z } from 'zod'
import { acceptedMediaTypes } from '../oci.js'

/** What pulling every tag of a package found. */
export interface PullReport {
  readonly tags: number
  readonly manifests: number
  readonly blobs: number
  /** Of all manifests and blobs, each counted once. */
  readonly bytes: number
  /** What a client could not get, one line each. */
  readonly broken: readonly string[]
}

interface Pull {
  readonly url: string
  readonly headers: Record<string, string>
  readonly seen: Set<string>
  readonly broken: string[]
  manifests: number
  blobs: number
  bytes: number
}

const descriptor = z.object({ digest: z.string() })
const document = z.object({
  manifests: z.array(descriptor).optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).optional(),
})
const tagList = z.object({ tags: z.array(z.string()) })

/**
 * Pulls every tag of a package like a client that wants all platforms: each manifest and blob once, each checked
 * against its digest.
 */
export async function pullEverything(
  registryUrl: string,
  repository: string,
  token: string,
): Promise<PullReport> {
  const pull: Pull = {
    url: `${registryUrl}/v2/${repository}`,
    headers: {
      authorization: `Bearer ${Buffer.from(token).toString('base64')}`,
      accept: acceptedMediaTypes,
    },
    seen: new Set(),
    broken: [],
    manifests: 0,
    blobs: 0,
    bytes: 0,
  }
  const list = await fetch(`${pull.url}/tags/list?n=10000`, { headers: pull.headers })
  const { tags } = tagList.parse(await list.json())
  for (const tag of tags) await pullManifest(pull, tag, `tag ${tag}`)
  const { manifests, blobs, bytes, broken } = pull
  return { tags: tags.length, manifests, blobs, bytes, broken }
}

async function pullManifest(pull: Pull, reference: string, owner: string): Promise<void> {
  const content = await get(pull, 'manifests', reference, owner)
  if (content === undefined) return
  pull.manifests++
  const {
    manifests = [],
    config,
    layers = [],
  } = document.parse(JSON.parse(content.toString('utf8')))
  for (const { digest } of manifests) await pullManifest(pull, digest, owner)
  for (const { digest } of [...(config ? [config] : []), ...layers]) {
    if (await get(pull, 'blobs', digest, owner)) pull.blobs++
  }
}

/** The content, or undefined when it was pulled before or cannot be had. */
async function get(
  pull: Pull,
  kind: 'manifests' | 'blobs',
  reference: string,
  owner: string,
): Promise<Buffer | undefined> {
  if (pull.seen.has(reference)) return undefined
  pull.seen.add(reference)
  const answer = await fetch(`${pull.url}/${kind}/${reference}`, { headers: pull.headers })
  const content = Buffer.from(await answer.arrayBuffer())
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  if (!answer.ok) pull.broken.push(`${owner}: ${reference} answers ${answer.status}`)
  else if (reference.startsWith('sha256:') && reference !== digest)
    pull.broken.push(`${owner}: ${reference} is damaged`)
  else if (!reference.startsWith('sha256:') && pull.seen.has(digest)) return undefined
  else {
    pull.seen.add(digest)
    pull.bytes += content.length
    return content
  }
  return undefined
}
