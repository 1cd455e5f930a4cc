import {
  digestOf,
  InvalidManifest,
  isDigest,
  isTag,
  mediaTypes,
  readManifest,
} from './documents.js'
import type { ManifestFacts } from './documents.js'
import { bare, json, type Answer, type Ask } from './http.js'
import { fullName, type Repository } from './registry-access.js'
import { manifestUnknown, nameUnknown, refusal } from './registry-answers.js'
import type { Store } from './store.js'

/** How the registry treats manifests beyond what is always so. */
export interface ManifestOptions {
  /** Ms after a push during which the registry does not yet find the manifest; default 0. */
  readAfterWriteLag?: number
  /**
   * Refuse a manifest whose blobs or children are not in the package. Default false: whether GHCR looks at
   * children is not known, and an index with holes has to be possible here.
   */
  checkReferences?: boolean
}

/** Largest manifest taken, in bytes. */
const largestManifest = 4 * 1024 * 1024

/** GET and HEAD of a manifest. A GET counts as a download (when GHCR counts is not known). */
export function readManifestAnswer(
  store: Store,
  ask: Ask,
  { account, name }: Repository,
  reference: string,
): Answer {
  const row = store.version(account, name, reference)
  const manifest = row && store.package(account, name)?.manifests.get(row.digest)
  if (!manifest || manifest.visibleAt > store.now()) return manifestUnknown()
  const complaint = acceptComplaint(manifest.mediaType, ask.headers.accept ?? '')
  if (complaint) return manifestUnknown(complaint)
  if (ask.method === 'GET') row.downloads += 1
  const headers = {
    'content-type': manifest.mediaType,
    'docker-content-digest': row.digest,
    etag: `"${row.digest}"`,
    vary: 'Accept-Encoding',
  }
  return { status: 200, headers, body: manifest.bytes }
}

/** Only the OCI types are enforced; a Docker manifest is served whatever the client accepts. */
function acceptComplaint(mediaType: string, accept: string): string | undefined {
  const noun =
    mediaType === mediaTypes.index ? 'index' : mediaType === mediaTypes.image ? 'manifest' : ''
  if (noun === '') return undefined
  const accepted = accept.split(',').map((entry) => entry.split(';', 1).join('').trim())
  if (accepted.includes(mediaType)) return undefined
  const nouns = noun === 'index' ? 'indexes' : 'manifests'
  return `OCI ${noun} found, but Accept header does not support OCI ${nouns}`
}

/**
 * PUT of a manifest, by tag or digest. Answers without OCI-Subject: GHCR does not know referrers.
 * If-Match is not looked at: whether GHCR does is not known, and clients must not rely on it.
 */
export function writeManifestAnswer(
  store: Store,
  ask: Ask,
  repository: Repository,
  reference: string,
  options: ManifestOptions,
): Answer {
  if (ask.body.length > largestManifest) {
    return refusal(413, 'MANIFEST_INVALID', 'manifest is larger than 4 MiB')
  }
  const facts = factsOf(ask)
  if (typeof facts === 'string') return refusal(400, 'MANIFEST_INVALID', facts)
  const digest = digestOf(ask.body)
  const problem = referenceProblem(reference, digest) ?? missing(store, repository, facts, options)
  if (problem) return problem
  store.push({
    account: repository.account,
    package: repository.name,
    manifest: ask.body,
    mediaType: facts.mediaType,
    tags: isDigest(reference) ? [] : [reference],
    visibleAt: store.now() + (options.readAfterWriteLag ?? 0),
  })
  const location = `/v2/${fullName(repository)}/manifests/${digest}`
  return bare(201, { location, 'docker-content-digest': digest })
}

function factsOf(ask: Ask): ManifestFacts | string {
  const contentType = (ask.headers['content-type'] ?? '').split(';', 1).join('').trim()
  try {
    return readManifest(ask.body, contentType)
  } catch (error) {
    if (error instanceof InvalidManifest) return error.message
    throw error
  }
}

function referenceProblem(reference: string, digest: string): Answer | undefined {
  if (isDigest(reference)) {
    const message = 'provided digest did not match uploaded content'
    return reference === digest ? undefined : refusal(400, 'DIGEST_INVALID', message)
  }
  if (reference.includes(':')) return refusal(400, 'DIGEST_INVALID', 'invalid digest')
  return isTag(reference) ? undefined : refusal(400, 'MANIFEST_INVALID', 'invalid tag')
}

function missing(
  store: Store,
  { account, name }: Repository,
  facts: ManifestFacts,
  options: ManifestOptions,
): Answer | undefined {
  if (!options.checkReferences) return undefined
  const state = store.package(account, name)
  const blob = facts.blobs.find((digest) => !state?.blobs.has(digest))
  if (blob !== undefined) return refusal(404, 'MANIFEST_BLOB_UNKNOWN', `unknown blob ${blob}`)
  const child = facts.children.find((one) => !state?.find(one) && !state?.blobs.has(one))
  return child === undefined ? undefined : manifestUnknown(`unknown child ${child}`)
}

/** GET tags/list: alphabetical, 100 at a time unless `n` says otherwise. */
export function listTagsAnswer(store: Store, ask: Ask, repository: Repository): Answer {
  const state = store.package(repository.account, repository.name)
  if (!state) return nameUnknown()
  const asked = ask.query.get('n') ?? ''
  const count = /^\d{1,9}$/.test(asked) ? Number(asked) : 100
  const last = ask.query.get('last')
  const left = last === null ? state.tags() : state.tags().filter((tag) => tag > last)
  const tags = left.slice(0, count)
  const end = tags.at(-1)
  const path = `/v2/${fullName(repository)}/tags/list`
  const more = end !== undefined && left.length > tags.length
  const query = more && new URLSearchParams({ last: end, n: String(count) }).toString()
  const headers: Record<string, string> = query ? { link: `<${path}?${query}>; rel="next"` } : {}
  return json(200, { name: fullName(repository), tags }, headers)
}
