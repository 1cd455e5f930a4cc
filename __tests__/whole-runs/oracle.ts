import type { Emulator } from '../../src/emulator/index.js'
import type { PackageState } from '../../src/emulator/package-state.js'
import type { PackagePlan } from './in-process.js'
import type { Run } from './kit.js'
import type { Asked } from './policies.js'

/** A version as it was before the run, with its document as it was pushed. */
export interface Seen {
  readonly id: number
  readonly digest: string
  readonly tags: readonly string[]
  /** Tags that make it an image. */
  readonly ownTags: readonly string[]
  readonly created: number
  readonly updated: number
  readonly document: RawDocument
}

/** What a raw document may say of others. */
interface RawDocument {
  readonly manifests?: readonly Entry[]
  readonly subject?: { readonly digest: string }
  readonly annotations?: Readonly<Record<string, string>>
}

interface Entry {
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** Two versions of which the second belongs to the first: it is contained in it or attached to it. */
export type Pair = readonly [whole: Seen, part: Seen]

/** A package as it was before the run. */
export interface Picture {
  readonly name: string
  readonly versions: readonly Seen[]
  readonly pairs: readonly Pair[]
  /** What only an index says of two others: that the second attests the first. It binds nobody. */
  readonly hearsay: readonly Pair[]
}

/** What the oracle knows of a case. */
export interface Scenery {
  readonly asked: Asked
  readonly pictures: readonly Picture[]
}

const attachmentTag = /^sha256-([0-9a-f]{64})(\..+)?$/

/** Looks at a package, by brute force and at the raw documents alone. */
export function pictureOf({ store }: Emulator, account: string, name: string): Picture {
  const state = store.package(account, name)
  const versions = state?.page().map((row) => seen(state, row)) ?? []
  const pairsBy = (isPair: (part: Seen, whole: Seen) => boolean) =>
    versions.flatMap((whole) =>
      versions.filter((part) => isPair(part, whole)).map((part): Pair => [whole, part]),
    )
  const entries = versions.flatMap(({ document }) => document.manifests ?? [])
  const hearsay = pairsBy((part, whole) =>
    entries.some(
      ({ digest, annotations }) =>
        digest === part.digest && annotations?.['vnd.docker.reference.digest'] === whole.digest,
    ),
  )
  return { name, versions, pairs: pairsBy(belongs), hearsay }
}

function seen(state: PackageState, row: ReturnType<PackageState['page']>[number]): Seen {
  const { id, digest, tags, createdAt: created, updatedAt: updated } = row
  const text = Buffer.from(state.manifests.get(digest)?.bytes ?? []).toString()
  const ownTags = tags.filter((tag) => !attachmentTag.test(tag))
  const document = JSON.parse(text) as RawDocument
  return { id, digest, tags: [...tags], ownTags, created, updated, document }
}

function belongs(part: Seen, whole: Seen): boolean {
  if (part === whole) return false
  const { manifests = [], annotations } = whole.document
  return (
    manifests.some(({ digest }) => digest === part.digest) ||
    annotations?.['com.amazon.soci.index-digest'] === part.digest ||
    part.document.subject?.digest === whole.digest ||
    part.tags.some((tag) => attachmentTag.exec(tag)?.[1] === whole.digest.slice('sha256:'.length))
  )
}

/** What must not be deleted from some moment on. */
interface Rule {
  readonly from: number
  readonly pairs: readonly Pair[]
  /** Ids of versions that stay in any case. */
  readonly precious: ReadonlySet<number>
}

/** Watches a run from the emulator's side: what its deletes took, and what that broke at that moment. */
export class Watch {
  /** Ids of the versions that the run deleted. */
  readonly deleted = new Set<number>()
  readonly violations: string[] = []
  readonly #emulator: Emulator
  readonly #account: string
  readonly #pictures: readonly Picture[]
  readonly #rules: Rule[]

  /** Starts to watch. What others do at the same request has to be planned before. */
  constructor(emulator: Emulator, account: string, { pictures }: Scenery) {
    this.#emulator = emulator
    this.#account = account
    this.#pictures = pictures
    const pairs = pictures.flatMap((picture) => picture.pairs)
    this.#rules = [{ from: -Infinity, pairs, precious: new Set() }]
    let there = false
    const idOf = (target: string) => Number(target.split('/').at(-1))
    emulator.faults.add({
      ...{ name: 'watch', service: 'api', method: 'DELETE', times: Infinity },
      action: {
        run: (_, { target }) => {
          there = this.isThere(idOf(target))
        },
        runAfter: (_, { target }) => {
          if (there && !this.isThere(idOf(target))) this.#note(idOf(target))
        },
      },
    })
  }

  isThere(id: number): boolean {
    const { store } = this.#emulator
    return this.#pictures.some(({ name }) => store.version(this.#account, name, id) !== undefined)
  }

  /** From some moment on, the run has to know what the packages have become: what changed stays, with its parts. */
  holdTo(from: number): void {
    const pictures = this.#pictures.map(({ name }) =>
      pictureOf(this.#emulator, this.#account, name),
    )
    const before = new Map(this.#pictures.flatMap(({ versions }) => versions).map((v) => [v.id, v]))
    const changed = pictures
      .flatMap(({ versions }) => versions)
      .filter(({ id, updated }) => before.get(id)?.updated !== updated)
    const pairs = pictures.flatMap((picture) => picture.pairs)
    this.#rules.push({ from, pairs, precious: new Set(idsOf(changed)) })
  }

  #note(id: number): void {
    this.deleted.add(id)
    const rules = this.#rules.filter(({ from }) => this.#emulator.store.now() >= from)
    for (const { pairs, precious } of rules) {
      if (precious.has(id)) this.violations.push(`P7: ${id} changed a minute ago and is gone`)
      for (const [whole, part] of pairs) {
        if (part.id === id && this.isThere(whole.id))
          this.violations.push(`P1: ${nameOf(part)} is gone, ${nameOf(whole)} is there`)
      }
    }
  }
}

/** What can be said against a run, whatever went wrong in it. Empty: it kept its promises. */
export function violations(run: Run, { asked, pictures }: Scenery, watch: Watch): string[] {
  const found = pictures.flatMap((picture) => {
    const plan = run.plan.packages.find(({ name }) => name === picture.name)
    return [
      ...deletedWrongly(picture, asked, listedAt(run, picture), watch),
      ...deletedBlindly(run, picture, plan),
      ...(plan === undefined
        ? []
        : [...decidedWrongly(picture, plan), ...toldWrongly(plan, watch)]),
    ]
  })
  return [...watch.violations, ...found, ...endedWrongly(run)]
}

/** When the run asked for the first page of a package: the moment that ages are judged by. */
function listedAt({ requests }: Run, { name }: Picture): number {
  const first = `/container/${encodeURIComponent(name)}/versions?`
  return requests.find(({ path }) => path.includes(first))?.at ?? -Infinity
}

/** P2, P5 and the counts. */
function deletedWrongly(
  picture: Picture,
  asked: Asked,
  listed: number,
  { deleted }: Watch,
): string[] {
  const gone = picture.versions.filter(({ id }) => deleted.has(id))
  const stayed = picture.versions.filter(({ id }) => !deleted.has(id))
  const forbidden = gone.flatMap((one) =>
    whyNotToGo(one, picture, asked, listed).map((why) => `${nameOf(one)}: ${why}`),
  )
  const newer = (than: Seen) =>
    stayed.filter((one) => one.ownTags.length > 0 && isNewer(one, than, asked))
  const notSpared = gone
    .filter((one) => one.ownTags.length > 0 && newer(one).length < asked.spared)
    .map((one) => `${nameOf(one)}: is among the newest ${asked.spared}`)
  const tooMany = gone.length > asked.most ? [`${gone.length} went, ${asked.most} may`] : []
  return [...forbidden, ...notSpared, ...tooMany]
}

/** What forbids the deletion of a version, whatever becomes of the others. */
function whyNotToGo(version: Seen, { pairs }: Picture, asked: Asked, listed: number): string[] {
  const { tags, ownTags, created, updated } = version
  const isPart = pairs.some(([, part]) => part === version)
  const isTagged = ownTags.length > 0
  const isOld = listed - version[asked.by] >= asked.cutOff
  const checks: [boolean, string][] = [
    [!(listed - Math.max(created, updated) >= asked.grace), 'P5: is in flight'],
    [!ownTags.every(asked.names), 'P2: has a tag that is not named'],
    [isTagged && asked.selection === 'untagged', 'P2: only untagged images may go'],
    [isTagged && !isOld, 'P2: is too young for a tagged image'],
    [!isPart && !isTagged && !isOld, 'P2: is too young for an untagged image'],
    [!isPart && !isTagged && asked.selection === 'tagged', 'P2: only tagged images may go'],
    [!isPart && !isTagged && tags.length > 0, 'P2: what it is attached to may be elsewhere'],
    [asked.inputs['skip-shas']?.includes(version.digest) ?? false, 'P2: is in skip-shas'],
  ]
  return checks.filter(([wrong]) => wrong).map(([, words]) => words)
}

function isNewer(one: Seen, than: Seen, { by }: Asked): boolean {
  return one[by] > than[by] || (one[by] === than[by] && one.id > than.id)
}

/**
 * P3 and P4: once something could not be read or listed, a package loses nothing, and the run says so. When its deletes
 * are over, a look that fails is a warning.
 */
function deletedBlindly({ requests }: Run, { name }: Picture, plan?: PackagePlan): string[] {
  const about = requests.filter(({ path }) => isAbout(path, name))
  const met = about.findIndex(({ faults }) => faults.some((fault) => fault.startsWith('blind')))
  if (met === -1) return []
  const isTold = !plan || plan.refusals.length > 0 || plan.notReached !== undefined
  const gone = ['deleted', 'already-gone']
  const isOver = plan?.versions.some(({ outcome }) => gone.includes(outcome?.status ?? '')) ?? false
  const later = about.slice(met).filter(({ method }) => method === 'DELETE')
  return [
    ...later.map(({ path }) => `P3: ${path} is asked for although the package is not known`),
    ...(isTold || isOver ? [] : [`P3: ${name} could not be looked at, and nobody is told`]),
  ]
}

/** Whether a request to either service is about a package. */
function isAbout(path: string, name: string): boolean {
  return path.includes(`${name}/`) || path.includes(encodeURIComponent(name))
}

/** P12, and that the plan does what was decided. */
function decidedWrongly({ name, versions }: Picture, plan: PackagePlan): string[] {
  const decided = plan.versions.map(({ id }) => id)
  const going = plan.versions.filter(({ action }) => action === 'delete').map(({ id }) => id)
  const isUntouched = plan.versions.every(({ outcome }) => outcome === undefined)
  const reasonless = plan.versions.filter(({ why }) => why.trim() === '')
  const checks: [boolean, string][] = [
    [decided.length > 0 && !isSame(decided, idsOf(versions)), 'not one decision for each version'],
    [!isSame(going, idsOf(plan.deletions)), 'decides one thing and plans another'],
    [plan.refusals.length > 0 && isUntouched && going.length > 0, 'is refused and plans deletions'],
    [reasonless.length > 0, 'decides without a reason'],
  ]
  return checks.filter(([wrong]) => wrong).map(([, words]) => `P12: ${name}: ${words}`)
}

/** P8: an outcome for every planned deletion, and each tells the truth. */
function toldWrongly(
  { name, versions, deletions, verification }: PackagePlan,
  watch: Watch,
): string[] {
  const losses = verification?.losses ?? []
  const untrue = losses.filter(({ id }) => watch.isThere(id))
  const told = versions.filter(({ outcome }) => outcome !== undefined)
  const complete = told.length === 0 || isSame(idsOf(told), idsOf(deletions))
  const lies = told.filter(({ id, outcome }) => {
    if (outcome?.status === 'deleted') return watch.isThere(id)
    if (outcome?.status === 'already-gone') return watch.isThere(id) || watch.deleted.has(id)
    return watch.deleted.has(id)
  })
  return [
    ...untrue.map(({ id }) => `${name}: ${id} is told to be lost`),
    ...(complete ? [] : [`P8: ${name}: not one outcome for each deletion`]),
    ...lies.map(({ id, outcome }) => `P8: ${name}: ${id} is told to be ${outcome?.status ?? ''}`),
  ]
}

/** The exit code and the outputs say what happened. */
function endedWrongly({ exitCode, plan, outputs, isCancelled }: Run): string[] {
  const outcomes = plan.packages.flatMap((one) =>
    one.versions.map(({ id, outcome }) => ({ entry: `${one.name}:${id}`, outcome })),
  )
  const of = (status: string) =>
    outcomes.filter(({ outcome }) => outcome?.status === status).map(({ entry }) => entry)
  const refused = plan.packages.some(({ refusals }) => refusals.length > 0)
  const hasLosses = plan.packages.some((one) => (one.verification?.losses.length ?? 0) > 0)
  const hasFailed = plan.failure !== undefined || refused || hasLosses || of('failed').length > 0
  const expected = isCancelled ? 130 : hasFailed ? 1 : 0
  const checks: [boolean, string][] = [
    [exitCode !== expected, `the exit code is ${exitCode}, and should be ${expected}`],
    ...(['deleted', 'failed', 'retained'] as const).map((status): [boolean, string] => [
      !isSame(listOf(outputs[status]), of(status)),
      `the output ${status} is ${outputs[status]}`,
    ]),
  ]
  return checks.filter(([wrong]) => wrong).map(([, words]) => words)
}

function listOf(output: string): string[] {
  return output === '' ? [] : output.split(',')
}

function idsOf(all: readonly { readonly id: number }[]): number[] {
  return all.map(({ id }) => id)
}

function isSame<T>(some: readonly T[], others: readonly T[]): boolean {
  const set = new Set(others)
  return (
    some.length === others.length && set.size === others.length && some.every((x) => set.has(x))
  )
}

function nameOf({ id, tags, digest }: Seen): string {
  return `${id} (${tags.join(' ')} ${digest.slice(0, 15)})`
}

/**
 * Ids of what nothing could keep in a run without trouble: whole groups of versions that belong together, of which each
 * one may go by itself. GitHub keeps the last tagged version: tagged groups count only where another one stays tagged.
 */
export function hopeless(run: Run, { asked, pictures }: Scenery): number[] {
  return asked.spared > 0 || asked.most < Infinity
    ? []
    : pictures.flatMap((picture) => idsOf(hopelessIn(picture, asked, listedAt(run, picture))))
}

function hopelessIn(picture: Picture, asked: Asked, listed: number): Seen[] {
  const mayGo = (one: Seen) => whyNotToGo(one, picture, asked, listed).length === 0
  const groups = groupsOf(picture).filter((all) => all.every(mayGo) && !hasCircle(all, picture))
  const going = groups.flat()
  const oneStays = picture.versions.some((one) => one.tags.length > 0 && !mayGo(one))
  return oneStays ? going : groups.filter((g) => g.every(({ tags }) => tags.length === 0)).flat()
}

/** Versions that hang together by any number of pairs. */
function groupsOf({ versions, pairs }: Picture): Seen[][] {
  const groups = versions.map((version) => new Set([version]))
  for (const pair of pairs) {
    const [a, b] = pair.map((version) => groups.findIndex((group) => group.has(version)))
    if (a === undefined || b === undefined || a === b) continue
    for (const version of groups[b] ?? []) groups[a]?.add(version)
    groups.splice(b, 1)
  }
  return groups.map((group) => [...group])
}

/** Tags can be set to anything, so that a version may come to belong to itself. */
function hasCircle(group: readonly Seen[], { pairs }: Picture): boolean {
  const left = new Set(group)
  const isFree = (one: Seen) => !pairs.some(([whole, part]) => part === one && left.has(whole))
  for (let free = [...left].find(isFree); free; free = [...left].find(isFree)) left.delete(free)
  return left.size > 0
}

/** Ids of planned deletions that none of the given versions stands in the way of. */
export function unhindered(
  { plan }: Run,
  { pictures }: Scenery,
  troubled: ReadonlySet<number>,
): number[] {
  const planned = new Set(plan.packages.flatMap(({ deletions }) => idsOf(deletions)))
  const pairs = pictures.flatMap((picture) => [...picture.pairs, ...picture.hearsay])
  const hindered = new Set(troubled)
  for (let before = -1; before < hindered.size;) {
    before = hindered.size
    for (const [whole, part] of pairs)
      if (hindered.has(whole.id) && planned.has(whole.id)) hindered.add(part.id)
  }
  return [...planned].filter((id) => !hindered.has(id))
}
