import type { Digest, Refs } from '../../src/model.js'
import type { Candidate } from '../../src/policy/candidate.js'
import { compileFile } from '../../src/policy/file/compile.js'
import { mistakeText, readPolicyFile } from '../../src/policy/file/read-policy.js'
import { fileSchema } from '../../src/policy/file/schema.js'
import { judgeAll, type Judgement } from '../../src/policy/judge.js'
import type { Policy, PolicySet } from '../../src/policy/policy.js'
import { branchSlugs } from '../../src/policy/refs.js'
import { digest, now } from './kit.js'
import type { Around, Truth, Written } from './policy-oracle.js'

/** Rules know the versions `v0`, `v1` … of these tests by their digests. */
export const digestOf = (id: number): Digest => digest(`v${id}`)

/** An image as rules see it; pushed and changed on the first of January 2026 unless a test says otherwise. */
export function candidate({ id = 1, tags = [], ...rest }: Partial<Candidate>): Candidate {
  return {
    ...{ id, tags, digest: digestOf(id), createdAt: now, updatedAt: now },
    ...{ types: [], isRunnable: true, lifetime: undefined },
    kinds: new Set([tags.length > 0 ? 'tagged' : 'untagged']),
    ...rest,
  }
}

/** What the engine says of each image, as far as the language determines it. */
export function judged(written: Written, around: Around, images: readonly Candidate[]): Truth[] {
  return judgedBy(compiled(written, around), images)
}

export function judgedBy(policy: Policy, images: readonly Candidate[]): Truth[] {
  return [...judgeAll(policy, images, now)].map(truthIn)
}

function truthIn({ keeps, condemned, otherwise }: Judgement): Truth {
  const keepRules = keeps.flatMap((keep) => (keep.code === 'keep-rule' ? [keep.rule] : []))
  const deleteRules = condemned.flatMap((why) => (why.code === 'delete-rule' ? [why.rule] : []))
  const isLeft = keeps.length === 0 && condemned.length === 0
  const isPartly = isLeft && otherwise.code === 'partly-matched'
  return {
    isProtected: keeps.some(({ code }) => code === 'protected-tag'),
    isUsed: keeps.some(({ code }) => code === 'in-use'),
    keepRules: new Set(keepRules),
    isCondemned: deleteRules.length > 0,
    deleteRules: new Set(deleteRules),
    isUnmatched: condemned.some(({ code }) => code === 'unmatched'),
    partlyNamed: new Set(isPartly ? otherwise.matched : []),
    goes: keeps.length === 0 && condemned.length > 0,
  }
}

/** A policy as the engine takes it. */
export function compiled(written: Written, around: Around): Policy {
  return inFile({ defaults: written }, around)
}

/** The first policy of a file, as far as it is parsed, with what is looked up for it. */
export function inFile(file: object, around: Around): Policy {
  const parsed = fileSchema.parse({ version: 1, ...file })
  return withAround(
    compileFile(parsed, () => ({ place: 'policy.json' })),
    around,
  )
}

/** A policy by the text of its file. */
export function read({ rules: written, ...rest }: Written, around: Around): Policy {
  // A file leaves conditions out that say nothing.
  const rules = written.map(({ when = {}, ...rule }) =>
    Object.keys(when).length === 0 ? rule : { ...rule, when },
  )
  const file = { version: 1, defaults: { ...rest, rules: [...rules, deletesNothing] } }
  const found = readPolicyFile(JSON.stringify(file, null, 2), 'policy.json')
  if ('mistakes' in found) throw new Error(found.mistakes.map(mistakeText).join('\n'))
  return withAround(found.set, around)
}

/** A file that can never delete is a mistake; no image has this digest. */
const deletesNothing = { name: 'nothing', delete: { digests: [`sha256:${'f'.repeat(64)}`] } }

function withAround({ entries: [entry] }: PolicySet, around: Around): Policy {
  if (entry === undefined) throw new Error('the file says nothing')
  const uses = around.used.map((name) => [name, [{ reference: name, file: 'f', line: 1 }]] as const)
  return { ...entry.policy, uses: new Map(uses), refs: refsOf(around) }
}

function refsOf({ pullRequests, branches }: Around): Refs {
  const unknown = { why: 'nobody could tell' }
  return {
    openPullRequests: pullRequests === undefined ? unknown : new Set(pullRequests),
    branches: branches === undefined ? unknown : branchSlugs(branches),
  }
}
