/**
 * How many manifests are read that need not have been: of untagged children whose turn came before their index's answer.
 * Measured on random packages, with reads that take randomly long.
 */
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { isKnownLeaf } from '../../src/graph.ts'
import { readManifests } from '../../src/manifests.ts'

const minute = 60_000

/** Numbers from 0 to 1, the same for the same seed (xorshift). */
function random(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** A package as builds leave it: multi-arch images whose tags moved on, single images, signatures, attestations. */
function randomPackage(seed, pushes) {
  const next = random(seed)
  const versions = []
  const manifests = new Map()
  let now = Date.UTC(2026, 0, 1)
  const push = (manifest, tags = []) => {
    const digest = `sha256:${createHash('sha256').update(`${seed} ${versions.length}`).digest('hex')}`
    versions.push({ id: versions.length, digest, tags, createdAt: now, updatedAt: now })
    manifests.set(digest, { mediaType: '', children: [], ...manifest })
    // A push takes seconds, and GitHub's times have no parts of one.
    now += Math.floor(next() * 3) * 1000
    return digest
  }
  for (let i = 0; i < pushes; i++) {
    const tags = next() < 0.4 ? [`v${i}`] : []
    const platforms = Array.from({ length: Math.floor(next() * 5) }, (_, at) => `linux/${at}`)
    const children = platforms.map((platform) => ({
      kind: 'image',
      platform,
      digest: push({ kind: 'image' }),
    }))
    if (next() < 0.5)
      for (const { digest: attests } of [...children])
        children.push({ kind: 'image', attests, digest: push({ kind: 'artifact' }) })
    const whole = push(children.length > 0 ? { kind: 'index', children } : { kind: 'image' }, tags)
    if (next() < 0.2) push({ kind: 'artifact' }, [`${whole.replace(':', '-')}.sig`])
    if (next() < 0.2) push({ kind: 'artifact', subject: whole })
    // Builds come one after the other, or several at once.
    now += next() < 0.3 ? 0 : Math.floor(next() * 60) * minute
  }
  return { versions: versions.reverse(), manifests }
}

/** @returns how many reads were needed, and how many were made */
async function readsOf({ versions, manifests }, next) {
  let made = 0
  const readManifest = async (digest) => {
    made++
    await setTimeout(next() * 4)
    return manifests.get(digest)
  }
  await readManifests(versions, { readManifest })
  const entries = [...manifests.values()].flatMap(({ children }) => children)
  const explained = new Set(
    entries.filter((entry) => isKnownLeaf(entry)).map(({ digest }) => digest),
  )
  const needed = versions.filter(({ digest, tags }) => tags.length > 0 || !explained.has(digest))
  return { made, needed: needed.length }
}

/** Over so many packages of 20 to 400 pushes. */
export async function measureReads(packages = 200) {
  const total = { versions: 0, made: 0, needed: 0, worst: 0 }
  for (let seed = 1; seed <= packages; seed++) {
    const one = randomPackage(seed * 7919, 20 + ((seed * 97) % 381))
    const { made, needed } = await readsOf(one, random(seed))
    total.versions += one.versions.length
    total.made += made
    total.needed += needed
    total.worst = Math.max(total.worst, made / needed - 1)
  }
  return total
}
