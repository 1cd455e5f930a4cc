/** A believable package of any size, as a run knows it when it has read everything that it wants to read. */
import { createHash } from 'node:crypto'

const day = 86_400_000
/** Between the pushes of two images. */
const pause = 7 * 60_000
const now = Date.UTC(2026, 0, 1)

const ociIndex = 'application/vnd.oci.image.index.v1+json'
const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const artifactTypes = {
  signature: 'application/vnd.dev.cosign.simplesigning.v1+json',
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  attestation: 'application/vnd.in-toto+json',
}

/**
 * Four images in five are multi-arch: an index, two platforms and their two attestations. Every fourth image is signed
 * by a cosign tag; another fourth has a sigstore bundle, which names its subject and is in a fallback index. Half of
 * the images are older than `cutOff`, and one in fifty has a tag like `stable-7`.
 *
 * @param {number} count how many versions, at least; the last image is whole
 */
export function believablePackage(count) {
  const versions = []
  const manifests = new Map()
  let cutOff = 0
  for (let image = 0; versions.length < count; image++) {
    const time = now - day - image * pause
    if (versions.length < count / 2) cutOff = now - time + 1
    for (const { name, tags = [], manifest } of documentsOf(image, versions.length < count / 2)) {
      const [id, digest] = [1e9 - versions.length, digestOf(name)]
      versions.push(separate({ id, digest, tags, createdAt: time, updatedAt: time }))
      if (manifest) manifests.set(digest, separate(manifest))
    }
  }
  const ref = { account: 'octo-org', name: 'api' }
  return { snapshot: { package: ref, versions, manifests, refusals: [] }, now, cutOff }
}

/** What is pushed with one image, the newest first; without a manifest where a run does not read it. */
function documentsOf(image, isYoung) {
  const root = image % 5 === 0 ? singleImage(image) : multiArch(image, isYoung || isStable(image))
  return [...attachmentsOf(image), ...root]
}

function singleImage(image) {
  return [{ name: `${image}`, tags: tagsOf(image), manifest: manifestOf('image') }]
}

/** A run reads attestations only where their image stays. */
function multiArch(image, stays) {
  const [amd, arm] = [`${image} amd64`, `${image} arm64`]
  const attestations = [amd, arm].map((name) => ({ name: `${name} attestation`, attests: name }))
  const children = [
    { ...childOf(amd), platform: 'linux/amd64' },
    { ...childOf(arm), platform: 'linux/arm64' },
    ...attestations.map(({ name, attests }) => ({ ...childOf(name), attests: digestOf(attests) })),
  ]
  const manifest = stays ? manifestOf('attestation') : undefined
  return [
    { name: `${image}`, tags: tagsOf(image), manifest: indexOf(children) },
    ...attestations.map(({ name }) => ({ name, manifest })),
    { name: amd },
    { name: arm },
  ]
}

function attachmentsOf(image) {
  const subject = digestOf(`${image}`)
  const tag = subject.replace(':', '-')
  if (image % 4 === 0)
    return [{ name: `${image} sig`, tags: [`${tag}.sig`], manifest: manifestOf('signature') }]
  if (image % 4 !== 2) return []
  const bundle = `${image} bundle`
  const entry = { ...childOf(bundle), artifactType: artifactTypes.bundle, opaque: true }
  return [
    { name: `${image} referrers`, tags: [tag], manifest: indexOf([entry]) },
    { name: bundle, manifest: { ...manifestOf('bundle'), subject } },
  ]
}

/** Every third image has lost its tag to a newer one. */
function tagsOf(image) {
  if (isStable(image)) return [`stable-${image / 50}`, `sha-${digestOf(`${image}`).slice(7, 14)}`]
  return image % 3 === 0 ? [] : [`sha-${digestOf(`${image}`).slice(7, 14)}`]
}

function isStable(image) {
  return image % 50 === 0
}

function indexOf(children) {
  return { kind: 'index', mediaType: ociIndex, children }
}

function manifestOf(what) {
  const base = { kind: 'artifact', mediaType: ociManifest, children: [] }
  return what === 'image'
    ? { ...base, kind: 'image' }
    : { ...base, artifactType: artifactTypes[what] }
}

function childOf(name) {
  return { digest: digestOf(name), mediaType: ociManifest, kind: 'image' }
}

function digestOf(name) {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`
}

/** Strings of its own, as in a document that was read: sharing them would make the package too small. */
function separate(value) {
  return JSON.parse(JSON.stringify(value))
}
