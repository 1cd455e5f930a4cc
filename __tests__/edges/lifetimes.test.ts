import { expect, test } from '@jest/globals'
import { fetch } from 'undici'
import { image, index, multiArchImage, pushTree, type Tree } from '../../src/emulator/images.js'
import { readLifetimes } from '../../src/lifetimes.js'
import { readManifests } from '../../src/manifests.js'
import type { Digest, PackageVersion } from '../../src/model.js'
import { RegistryClient } from '../../src/registry.js'
import { PackageMemory } from '../../src/remembering.js'
import { emptyPackage } from '../../src/report/report.js'
import { testClock } from './clock.js'
import { newYear, stage, tokens } from './emulator-kit.js'

/** A registry with these images in `acme/app`, and runs over it that look for all their lifetimes. */
async function registryWith(trees: readonly Tree[]) {
  const emulator = await stage({ limits: false })
  for (const tree of trees)
    pushTree(emulator.store, {
      account: 'acme',
      package: 'app',
      tree,
      tags: [`pr-${tree.digest.slice(-8)}`],
    })
  const client = new RegistryClient('acme/app', {
    registryUrl: emulator.registryUrl,
    token: tokens.all,
    fetch,
    clock: testClock(newYear),
    random: () => 0.5,
    slowDown: () => undefined,
    hasTimeFor: () => true,
  })
  const versions = emulator.store
    .versions('acme', 'app')
    .map(({ id, digest, tags, createdAt, updatedAt }): PackageVersion => ({
      id,
      digest: digest as Digest,
      tags,
      createdAt,
      updatedAt,
    }))
  const roots = trees.map(({ digest }) => digest as Digest)
  const run = async (memory: PackageMemory) => {
    const { manifests } = await readManifests(
      versions,
      memory.learning(client),
      await memory.remembered,
    )
    const before = emulator.requests.length
    const { lifetimes, warnings } = await readLifetimes(
      { versions, manifests },
      roots,
      client,
      memory,
    )
    const asked = emulator.requests
      .slice(before)
      .map(({ method, path }) => `${method} ${/manifests|blobs|storage/.exec(path)?.[0] ?? path}`)
    return { lifetimes: roots.map((root) => lifetimes.get(root)), warnings, asked: asked.sort() }
  }
  return { emulator, run }
}

const unknown = () => new PackageMemory(Promise.resolve(new Map()))
const labels = { 'quay.expires-after': '2d' }

test('labels cost three requests for each platform that can run, once', async () => {
  const { run } = await registryWith([
    multiArchImage({ labels, attestations: true }),
    index([
      image({ labels, seed: 'a' }),
      image({ labels: { 'ghcr-retention.expires-after': '1w' }, seed: 'b' }),
    ]),
    image({ seed: 'mute' }),
  ])
  const memory = unknown()
  const first = await run(memory)
  const each = (kind: string) => Array.from({ length: 5 }, () => `GET ${kind}`)
  expect(first).toEqual({
    lifetimes: ['2d', '1w', undefined],
    warnings: [],
    asked: [...each('blobs'), ...each('manifests'), ...each('storage')],
  })

  const kept = await memory.after(emptyPackage('acme', 'app', { notReached: 'time is up' }))
  const second = await run(new PackageMemory(Promise.resolve(kept)))
  expect(second).toEqual({ ...first, asked: [] })
})

test('annotations cost no request', async () => {
  const annotations = { 'ghcr-retention.expires-after': '2d' }
  const { run } = await registryWith([
    multiArchImage({ annotations, labels }),
    image({ annotations, labels }),
  ])
  expect(await run(unknown())).toEqual({
    lifetimes: [undefined, undefined],
    warnings: [],
    asked: [],
  })
})
