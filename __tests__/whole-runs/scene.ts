import type { RawInputs } from '../../src/inputs.js'
import type { OutcomeResult } from '../../src/model.js'
import { account, run, type Run, type Stage } from './kit.js'
import { pictureOf, violations, Watch, type Scenery } from './oracle.js'
import type { Asked } from './policies.js'
import { happen, type History } from './registries.js'
import { arm, type Trouble } from './troubles.js'

/** What a run is started with, and what the registry was like before. */
export interface Scene extends Scenery {
  readonly stage: Stage
  readonly inputs: RawInputs
}

/** Packages with their histories, and the inputs to prune them by. */
export function setUp(
  stage: Stage,
  past: readonly History[],
  asked: Asked,
  more: RawInputs = {},
): Scene {
  const { token, names } = stage.newCase()
  const used = names.slice(0, past.length)
  for (const [at, history] of past.entries())
    happen(stage.emulator.store, account, used[at] ?? '', history)
  const pictures = used.map((name) => pictureOf(stage.emulator, account, name))
  const rest = { token, 'image-names': used.join(','), 'deletes-per-minute': '10000', ...more }
  return asking({ stage, pictures, inputs: rest }, asked)
}

/** The same packages and everything else as it is, under another policy. */
export function asking(
  scene: Pick<Scene, 'stage' | 'pictures' | 'inputs'>,
  { skipped, inputs, ...asked }: Asked,
): Scene {
  const all = scene.pictures.flatMap(({ versions }) => versions)
  const digests = skipped.map((at) => all[at % all.length]?.digest ?? '')
  const given = { ...inputs, 'skip-shas': digests.join(',') }
  return {
    ...scene,
    asked: { ...asked, skipped, inputs: given },
    inputs: { ...scene.inputs, ...given },
  }
}

/** The same inputs, and the registry as it is now. */
export function again(scene: Scene): Scene {
  const now = scene.pictures.map(({ name }) => pictureOf(scene.stage.emulator, account, name))
  return { ...scene, pictures: now }
}

/** One run over a scene, with troubles, under the eyes of the oracle. */
export async function watched(
  scene: Scene,
  troubles: readonly Trouble[] = [],
  cancelled?: AbortSignal,
  plan: (watch: Watch) => void = () => undefined,
) {
  const { emulator } = scene.stage
  const troubled = arm(emulator, scene.pictures, troubles)
  const watch = new Watch(emulator, account, scene)
  plan(watch)
  const done = await run(scene.stage, scene.inputs, cancelled)
  emulator.faults.clear()
  return { done, watch, troubled, wrong: violations(done, scene, watch) }
}

/** How a run may end before its time: asked to, or without a token that works. */
export const ends = ['is cancelled', 'loses its token'] as const

/** Ends a run at one of its requests, counted in deletes when it is the token that is lost. */
export function endAt({ stage, inputs }: Scene, after: number, how: (typeof ends)[number]) {
  const end = new AbortController()
  const isCancelled = how === 'is cancelled'
  stage.emulator.faults.add({
    ...(isCancelled ? {} : { method: 'DELETE' }),
    ...{ name: how, after },
    action: {
      run: (store) => {
        if (isCancelled) end.abort()
        else store.revokeToken(inputs.token ?? '')
      },
    },
  })
  return end.signal
}

/** Requests that could change something. */
export function writesOf({ requests }: Run): string[] {
  const writes = requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')
  return writes.map(({ method, path }) => `${method} ${path}`)
}

/** What a run decided, without what it says of ages. */
export function decisionsOf({ plan }: Run) {
  return plan.packages.map(({ name, deletions, versions, refusals }) => ({
    ...{ name, deletions, refusals },
    versions: versions.map(({ id, action, reason }) => ({ id, action, code: reason.code })),
  }))
}

/** Planned deletions that did not end as they may, with how they ended. */
export function unfinished({ plan }: Run, ...fine: readonly OutcomeResult['status'][]): string[] {
  const planned = plan.packages.flatMap(({ versions }) =>
    versions.filter(({ action }) => action === 'delete'),
  )
  return planned
    .filter(({ outcome }) => outcome === undefined || !fine.includes(outcome.status))
    .map(({ id, outcome }) => `${id}: ${JSON.stringify(outcome)}`)
}

/** Those that are in the registry after all. */
export function stillThere(ids: readonly number[], watch: Watch): number[] {
  return ids.filter((id) => watch.isThere(id))
}
