import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { RetentionError } from '../../src/errors.js'
import type { Child, Digest, Manifest, Plan } from '../../src/model.js'
import { makePlan, planAgain, type PlanSource } from '../../src/planning.js'
import type { Policy } from '../../src/policy/policy.js'
import { mistakeText, readPolicyFile } from '../../src/policy/file/read-policy.js'
import { image, index, now, snapshot, type Item } from '../core/kit.js'
import { violations } from '../core/oracle.js'
import { packages, policies } from '../core/packages-arbitrary.js'

const { PROPERTY_CASES: cases = '1000', PROPERTY_SEED: seed } = process.env
const numRuns = Number(cases)
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

/** A registry that holds these items, and notes what is read of it. */
function registryOf(
  items: readonly Item[],
  policy: Policy,
  remembered: ReadonlyMap<Digest, Manifest> = new Map(),
) {
  const manifests = new Map(items.map(({ version, manifest }) => [version.digest, manifest]))
  const { package: ref, versions } = snapshot(items)
  const read: Digest[] = []
  const source: PlanSource = {
    heard: () => undefined,
    heardLabels: () => undefined,
    warned: () => undefined,
    labels: { readLifetime: () => Promise.reject(new Error('no rule asks')) },
    labelMemory: {
      recallLifetime: () => Promise.resolve(undefined),
      learnLifetime: () => undefined,
    },
    package: ref,
    lister: {
      listVersions: () => Promise.resolve([...versions]),
      listAgain: () => Promise.reject(new Error('nothing goes')),
    },
    reader: {
      readManifest: (digest) => {
        read.push(digest)
        const manifest = manifests.get(digest)
        return manifest === undefined
          ? Promise.reject(new RetentionError('manifest-unreadable', digest, ''))
          : Promise.resolve(manifest)
      },
    },
    remembered: Promise.resolve(remembered),
    policy,
    refs: () => Promise.resolve(undefined),
    now,
  }
  return { source, read }
}

/** Plans from such a registry. */
async function planned(
  items: readonly Item[],
  policy: Policy,
  remembered: ReadonlyMap<Digest, Manifest>,
) {
  const { source, read } = registryOf(items, policy, remembered)
  return { ...(await makePlan(source)), read }
}

/** Of what a package holds, that which the choices say. */
function some(items: readonly Item[], choices: readonly boolean[]): Map<Digest, Manifest> {
  const chosen = items.filter((_, at) => choices[at])
  return new Map(chosen.map(({ version, manifest }) => [version.digest, manifest]))
}

/**
 * The same package as real clients push one: an index entry that explains its child leaves nothing out, what it attests
 * is next to it, and nothing is of tomorrow.
 */
function honest(items: readonly Item[]): Item[] {
  const byDigest = new Map(items.map(({ version, manifest }) => [version.digest, manifest]))
  const entries = items.flatMap(({ manifest }) => manifest.children)
  const accelerators = new Set(items.map(({ manifest }) => manifest.sociIndex))
  const tellsAll = ({ digest, attests }: Child, siblings: readonly Child[]) => {
    const { kind, subject, sociIndex } = byDigest.get(digest) ?? {}
    if (kind === 'index' || sociIndex !== undefined || accelerators.has(digest)) return false
    if (subject !== undefined && subject !== attests) return false
    const sameEverywhere = entries.every(
      (other) => other.digest !== digest || other.attests === attests,
    )
    return sameEverywhere && (!attests || siblings.some((sibling) => sibling.digest === attests))
  }
  return items.map(({ version, manifest, ...item }) => {
    const children = manifest.children.map((entry, _at, all): Child =>
      tellsAll(entry, all) ? entry : { ...entry, opaque: true },
    )
    const past = (time: number | undefined) => Math.min(time ?? now, now)
    const times = { createdAt: past(version.createdAt), updatedAt: past(version.updatedAt) }
    return { ...item, version: { ...version, ...times }, manifest: { ...manifest, children } }
  })
}

const withoutGrace = policies.map((policy) => ({ ...policy, grace: 0 }))
const choices = fc.array(fc.boolean(), { minLength: 14, maxLength: 14 })

test('whatever is remembered, the same goes and stays, and nothing remembered is read', async () => {
  await fc.assert(
    fc.asyncProperty(packages.map(honest), withoutGrace, choices, async (items, policy, which) => {
      const without = await planned(items, policy, new Map())
      const remembered = some(items, which)
      const withMemory = await planned(items, policy, remembered)
      expect(fates(withMemory.plan)).toEqual(fates(without.plan))
      expect(withMemory.read.filter((digest) => remembered.has(digest))).toEqual([])
    }),
    { numRuns },
  )
})

test('whatever is remembered, every plan keeps the promises', async () => {
  await fc.assert(
    fc.asyncProperty(packages, policies, choices, async (items, policy, which) => {
      const { plan, snapshot: seen } = await planned(items, policy, some(items, which))
      expect(plan.refusals).toEqual([])
      expect(violations(seen, policy, now, plan)).toEqual([])
    }),
    { numRuns },
  )
})

test('a second run reads nothing and plans the same', async () => {
  await fc.assert(
    fc.asyncProperty(packages, policies, async (items, policy) => {
      const first = await planned(items, policy, new Map())
      const second = await planned(items, policy, first.snapshot.manifests)
      expect(second.read).toEqual([])
      expect(second.plan).toEqual(first.plan)
    }),
    { numRuns },
  )
})

/** What goes and stays; the words depend on whether an attestation was read or is known by its index. */
function fates({ decisions, refusals }: Plan) {
  return { each: decisions.map(({ version, verdict }) => [version.id, verdict.action]), refusals }
}

test('what its index explained is read when it gets a tag, because rules may ask what it is', async () => {
  const items = [
    index('old', ['arm'], { tags: ['pr-1'] }),
    image('arm'),
    image('new', { tags: ['v1'], age: 1 }),
  ]
  const [, arm] = items.map(({ version }) => version.digest)
  const keep = [`{ artifact: image, tags: release }`, '{ tags: v1 }']
  const { source, read } = registryOf(items, unmatchedBut(keep))
  const first = await makePlan(source)
  expect(digestsOf(first.plan)).toContain(arm)
  expect(read).not.toContain(arm)

  const { versions } = first.snapshot
  const current = versions.map((version) =>
    version.digest === arm ? { ...version, tags: ['release'] } : version,
  )
  const again = await planAgain(source, first, current, new Set(), undefined)

  expect(read).toContain(arm)
  expect(digestsOf(again.plan)).toEqual(items.slice(0, 1).map(({ version }) => version.digest))
})

/** A policy under which only this stays. */
function unmatchedBut(keep: readonly string[]): Policy {
  const rules = keep.map((select, at) => `{ name: rule ${at}, keep: ${select} }`)
  const text = `{ version: 1, defaults: { unmatched: delete, rules: [${rules.join(', ')}] } }`
  const found = readPolicyFile(text, 'policy.yml')
  if ('mistakes' in found) throw new Error(found.mistakes.map(mistakeText).join('\n'))
  const [entry] = found.set.entries
  if (entry === undefined) throw new Error('no entry')
  return entry.policy
}

function digestsOf({ deletions }: Plan): Digest[] {
  return deletions.map(({ version }) => version.digest)
}
