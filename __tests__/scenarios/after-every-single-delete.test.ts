import { expect, test } from '@jest/globals'
import {
  cosignSignature,
  fallbackIndex,
  image,
  index,
  multiArchImage,
  referrer,
  type Tree,
} from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { digestsLeft, digestsOf, dryThenLive, listed, push, registry } from './kit.js'

/** Everything that a version needs to be whole: its children, and what is attached to it. */
type Needs = Map<string, Set<string>>

/** Reads the needs off the documents and tags of `app` as it is now, without any code of the product. */
function needsIn({ store }: Emulator): Needs {
  const versions = store.versions('acme', 'app')
  const needs: Needs = new Map(versions.map(({ digest }) => [digest, new Set()]))
  for (const { digest, tags } of versions) {
    const bytes = store.package('acme', 'app')?.manifests.get(digest)?.bytes ?? new Uint8Array()
    const document = JSON.parse(Buffer.from(bytes).toString()) as {
      manifests?: { digest: string }[]
      subject?: { digest: string }
    }
    for (const child of document.manifests ?? []) needs.get(digest)?.add(child.digest)
    const signed = tags.map((tag) => /^sha256-([0-9a-f]{64})/.exec(tag)?.[1])
    const subjects = [document.subject?.digest, ...signed.map((hex) => `sha256:${hex ?? ''}`)]
    for (const subject of subjects) needs.get(subject ?? '')?.add(digest)
  }
  return needs
}

/** What is left of the package and lacks a part that it once had. */
function hollow(emulator: Emulator, needs: Needs): string[] {
  const left = digestsLeft(emulator)
  return [...left].filter((digest) =>
    [...(needs.get(digest) ?? [])].some((part) => !left.has(part)),
  )
}

/** Fills `app` with images of every kind that share their parts; gives what stays. */
function fill(emulator: Emulator): Set<string> {
  const signed = (tree: Tree, tags: string[], daysAgo: number): Tree[] => {
    const whole = push(emulator, tree, { tags, daysAgo })
    const bundle = referrer(whole)
    const signatures = [whole, ...whole.children].map((part) =>
      push(emulator, cosignSignature(part), { daysAgo }),
    )
    const fallback = push(emulator, fallbackIndex(whole, [bundle]), { daysAgo })
    const countersigned = push(emulator, cosignSignature(bundle), { daysAgo })
    return [whole, ...signatures, fallback, countersigned]
  }
  const build = (name: string, seed = name) =>
    multiArchImage({ seed, attestations: 'subject', annotations: { name } })
  const kept = [
    ...signed(build('v1'), ['v1'], 35),
    ...signed(build('v2', 'pr-2'), ['v2'], 60),
    ...signed(index([build('v3', 'pr-1'), image({ seed: 'v3' })]), ['v3'], 61),
  ]
  signed(build('pr-1'), ['pr-1'], 50)
  signed(build('pr-2'), ['pr-2'], 40)
  signed(index([build('pr-1'), build('pr-4', 'pr-1')]), ['pr-3'], 45)
  signed(build('untagged', 'pr-2'), [], 42)
  return new Set(kept.flatMap(digestsOf))
}

test.each(['600', '10000'])(
  'nothing that is left ever lacks a part, at %s deletes a minute',
  async (pace) => {
    const emulator = await registry({ latency: () => Math.random() * 10 })
    const kept = fill(emulator)
    const before = digestsLeft(emulator)
    const needs = needsIn(emulator)
    const found: string[][] = []
    emulator.faults.add({
      method: 'DELETE',
      times: Infinity,
      action: { runAfter: () => found.push(hollow(emulator, needs)) },
    })

    const run = await dryThenLive(emulator, { 'image-tags': 'pr-*', 'deletes-per-minute': pace })

    expect(run.exitCode).toBe(0)
    expect(found).toHaveLength(listed(run.outputs.deleted).length)
    expect(found.length).toBeGreaterThan(20)
    expect(found.flat()).toEqual([])
    expect([...kept].filter((digest) => !digestsLeft(emulator).has(digest))).toEqual([])
    expect(digestsLeft(emulator).size).toBe(before.size - found.length)
  },
  30_000,
)
