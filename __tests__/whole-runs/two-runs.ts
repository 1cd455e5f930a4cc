import fc from 'fast-check'
import type { RequestRecord } from '../../src/emulator/exchange.js'
import { startEmulator } from '../../src/emulator/index.js'
import { account, closeSound, openStage, run, type Run, type Stage } from './kit.js'
import { violations, Watch, type Picture } from './oracle.js'
import type { Scene } from './scene.js'

/** Two ways into one registry, so that the requests of two runs can be told apart. */
export interface DoubleStage {
  readonly first: Stage
  readonly second: Stage
  readonly close: () => Promise<void>
}

export async function openDoubleStage(isPatient = false): Promise<DoubleStage> {
  const elsewhere: (() => readonly RequestRecord[])[] = []
  const first = await openStage({
    isPatient,
    elsewhere: () => elsewhere.flatMap((requests) => requests()),
  })
  const { store } = first.emulator
  const other = await startEmulator({ store, now: first.clock.now, limits: false })
  elsewhere.push(() => other.requests)
  const newCase = () => {
    other.faults.clear()
    return first.newCase()
  }
  return {
    first: { ...first, newCase },
    second: { ...first, emulator: other, newCase },
    close: async () => {
      await Promise.all([first.close(), closeSound(other)])
    },
  }
}

/** Somebody's answers that come late for a while, so that the other gets ahead. */
export interface Hitch {
  readonly who: 0 | 1
  readonly after: number
  readonly times: number
  readonly delay: number
}

/** How two runs go on beside each other. */
export interface Course {
  /** After how many deletes of the first the second begins; 0 for at once. */
  readonly lead: number
  readonly hitches: readonly Hitch[]
}

export const courses: fc.Arbitrary<Course> = fc.record({
  lead: fc.nat({ max: 8 }),
  hitches: fc.array(
    fc.record({
      who: fc.constantFrom(0 as const, 1 as const),
      after: fc.nat({ max: 30 }),
      times: fc.integer({ min: 1, max: 10 }),
      delay: fc.integer({ min: 1, max: 10 }),
    }),
    { maxLength: 3 },
  ),
})

/** One of two runs that went on at once. */
export interface Half {
  readonly done: Run
  readonly watch: Watch
  /** What can be said against it by what it could see. */
  readonly wrong: readonly string[]
}

/** Two runs on the same packages, under the eyes of an oracle for each. */
export async function sideBySide(
  one: Scene,
  other: Scene,
  { lead, hitches }: Course,
): Promise<[Half, Half]> {
  for (const { who, after, times, delay } of hitches)
    [one, other][who]?.stage.emulator.faults.add({ after, times, action: { delay } })
  const [watch, otherWatch] = [one, other].map(
    (scene) => new Watch(scene.stage.emulator, account, scene),
  )
  if (watch === undefined || otherWatch === undefined) throw new Error('there are two scenes')
  const begun = lead === 0 ? Promise.resolve() : afterDeletes(one, lead)
  const first = run(one.stage, one.inputs)
  const second = Promise.race([begun, first]).then(() => run(other.stage, other.inputs))
  const [done, otherDone] = await Promise.all([first, second])
  return [halfOf(done, one, watch), halfOf(otherDone, other, otherWatch)]
}

function afterDeletes({ stage }: Scene, count: number): Promise<void> {
  return new Promise((resolve) => {
    const runAfter = () => {
      resolve()
    }
    stage.emulator.faults.add({ method: 'DELETE', after: count - 1, action: { runAfter } })
  })
}

function halfOf(done: Run, scene: Scene, watch: Watch): Half {
  const pictures = scene.pictures.map((picture) => seenBy(done, picture))
  const planned = new Set(plannedBy(done))
  const unplanned = [...watch.deleted].filter((id) => !planned.has(id))
  const wrong = [
    ...violations(done, { ...scene, pictures }, watch),
    ...unplanned.map((id) => `${id} is gone and was not planned`),
    ...sentTwice(done).map((path) => `${path} was deleted twice`),
  ]
  return { done, watch, wrong }
}

/** A run that begins later may not see all that was there before. */
function seenBy({ plan }: Run, picture: Picture): Picture {
  const listed = plan.packages.find(({ name }) => name === picture.name)?.versions ?? []
  const ids = new Set(listed.map(({ id }) => id))
  const isSeen = (all: readonly { id: number }[]) => all.every(({ id }) => ids.has(id))
  return {
    name: picture.name,
    versions: picture.versions.filter(({ id }) => ids.has(id)),
    pairs: picture.pairs.filter(isSeen),
    hearsay: picture.hearsay.filter(isSeen),
  }
}

export function plannedBy({ plan }: Run): number[] {
  return plan.packages.flatMap(({ deletions }) => deletions.map(({ id }) => id))
}

/** Deletes that one run asked for more than once although nothing went wrong. */
function sentTwice({ requests }: Run): string[] {
  const paths = requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path)
  return paths.filter((path, at) => paths.indexOf(path) !== at)
}

/** Deletes to which the answer was that there is nothing. */
export function vain({ requests }: Run): number {
  return requests.filter(({ method, status }) => method === 'DELETE' && status === 404).length
}

/** Codes for which packages were left alone, but for the one that a policy may ask for. */
export function refusalsOf({ plan }: Run, asked: string): string[] {
  const codes = plan.packages.flatMap(({ refusals }) => refusals.map(({ code }) => code))
  return codes.filter((code) => code !== asked)
}

/** When a run asked for the versions of a package for the first time. */
export function begunAt({ requests }: Run): number {
  return requests.find(({ path }) => path.includes('/versions?'))?.at ?? 0
}
