import fc from 'fast-check'
import type { FaultAction, FaultSpec, FaultSteps } from '../../src/emulator/faults.js'
import type { Emulator } from '../../src/emulator/index.js'
import type { Store } from '../../src/emulator/store.js'
import { account } from './kit.js'
import type { Picture } from './oracle.js'

/**
 * How bad it is: `passing` is over before the run gives up; `blind`, when met, leaves the package unknown; `local` makes
 * one delete fail and no other; `ending` ends the deletes of the package or the run; `foreign` is done by somebody else.
 */
type Kind = 'passing' | 'blind' | 'local' | 'ending' | 'foreign'

/** What it befalls: reads of one manifest, registry tokens, pages of versions, or deletes of one version. */
type Place = 'manifest' | 'token' | 'listing' | 'delete'

/** Something that goes wrong: what, to which of all versions, and how often in a row. */
export interface Trouble {
  readonly what: string
  readonly at: number
  readonly times: number
}

/** What a trouble is about, once the package is known. */
interface Target {
  readonly name: string
  readonly id: number
  readonly digest: string
}

interface Definition {
  readonly what: string
  readonly kind: Kind
  readonly place: Place
  readonly action: (target: Target) => FaultAction
}

const registryError = (message: string) => JSON.stringify({ errors: [{ code: 'X', message }] })
const apiError = (message: string) =>
  JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest', status: '4xx' })

const slowDown = 'You have exceeded a secondary rate limit.'

/** A page with other rows; the package's own count stays as it is. */
function rows(change: (rows: readonly object[]) => readonly object[]): FaultSteps {
  return {
    body: (text) => {
      const all = JSON.parse(text) as object[]
      return JSON.stringify(all.length === 0 ? all : change(all))
    },
  }
}

const firstRow = (change: object) => rows(([first, ...rest]) => [{ ...first, ...change }, ...rest])

/** Somebody else's doing, just before the delete of a version is looked at. */
function meanwhile(act: (store: Store, target: Target) => void): (target: Target) => FaultAction {
  return (target) => ({
    run: (store) => {
      if (store.version(account, target.name, target.id)) act(store, target)
    },
  })
}

const actions: Record<
  Place,
  Partial<Record<Kind, Record<string, FaultAction | Definition['action']>>>
> = {
  manifest: {
    passing: {
      'is not there yet': { status: 404 },
      'fails behind a gateway': { status: 502 },
      'is limited by a header': { status: 429, headers: { 'retry-after': '1' } },
      'is limited by a message': {
        status: 429,
        body: registryError('retry-after: 12.5ms, allowed: 44000/minute'),
      },
      'loses the connection': 'reset',
      'is cut off': 'truncate',
      'finds the token expired': { status: 401 },
    },
    blind: {
      'is not there': { status: 404 },
      'always fails': { status: 500 },
      'is always cut off': 'truncate',
      'never gets an answer': 'reset',
      'is never allowed': { status: 401 },
      'is no JSON': { body: '{"manifests":[' },
      'is another document': { body: '{"schemaVersion":2,"manifests":[]}' },
    },
  },
  token: {
    passing: {
      'fails for a moment': { status: 503 },
      'is limited': { status: 429 },
      'loses the connection': 'reset',
    },
  },
  listing: {
    passing: {
      'is empty': { body: '[]' },
      'lacks a row': rows((all) => all.slice(1)),
      'has a row twice': rows((all) => [...all.slice(0, 1), ...all]),
      'finds the token unknown': { status: 401 },
      'is limited without a mark': { status: 429, headers: { 'retry-after': '7' } },
    },
    blind: {
      'is no JSON': { body: '[{' },
      'is something else': { body: '{"message":"ok"}' },
      'is not allowed': { status: 403 },
      'finds no package': { status: 404 },
      'finds the token revoked': { status: 401 },
      'is not processable': { status: 422 },
      'has a row without a time': firstRow({ updated_at: null }),
      'has a row from before time': firstRow({ created_at: '0001-01-01T00:00:00Z' }),
      'has a row without a digest': firstRow({ name: 'latest' }),
    },
  },
  delete: {
    passing: {
      'finds the token unknown': { status: 401 },
      'is limited without a mark': { status: 429, headers: { 'retry-after': '7' } },
      'is limited for a minute': { status: 403, body: apiError(slowDown) },
      'is limited for a while': {
        ...{ status: 429, headers: { 'retry-after': '50' }, body: apiError(slowDown) },
      },
      'fails for a moment': { status: 502 },
      'loses the connection': 'reset',
      'works, and the answer is lost': 'lostAnswer',
      'works, and the answer is an error': { lostAnswer: 500 },
    },
    local: {
      'always fails': { status: 500 },
      'never gets an answer': 'reset',
      'finds no package': { status: 404 },
      'is not allowed': { status: 403, body: apiError('Must have admin rights.') },
      'never finds the token known': { status: 401 },
      'is not processable': { status: 422 },
      'has too many downloads': meanwhile((store, { name, id }) => {
        store.addPackage({ account, package: name, visibility: 'public' })
        store.setDownloads(account, name, id, 5001)
      }),
    },
    ending: {
      'lacks a scope': {
        status: 403,
        body: apiError('You need at least delete:packages scope to delete a package version.'),
      },
      'has used up the quota': { status: 403, headers: { 'x-ratelimit-remaining': '0' } },
      'is always limited': { status: 429 },
      'is limited again and again': { status: 403, body: apiError(slowDown) },
      'leaves little of the quota': {
        headers: {
          ...{ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '90' },
          'x-ratelimit-reset': '1800000000',
        },
      },
    },
    foreign: {
      'comes after somebody else deleted it': meanwhile((store, { name, id }) => {
        store.deleteVersion(account, name, id)
      }),
      'comes after somebody else deleted the newest version': meanwhile((store, { name }) => {
        const [newest] = store.versions(account, name)
        if (newest) store.deleteVersion(account, name, newest.id)
      }),
    },
  },
}

const definitions = Object.entries(actions).flatMap(([place, kinds]) =>
  Object.entries(kinds).flatMap(([kind, named]) =>
    Object.entries(named).map(([words, action]): Definition => ({
      what: `${kind}: a ${place} ${words}`,
      kind: kind as Kind,
      place: place as Place,
      action: typeof action === 'function' ? action : () => action,
    })),
  ),
)

/** A few troubles of the given kinds. A listing is retried as a whole, so it bears one only. */
export function troubles(...kinds: readonly Kind[]): fc.Arbitrary<Trouble[]> {
  const most: Record<Place, number> = { manifest: 2, token: 1, listing: 1, delete: 3 }
  const inPlaces = Object.entries(most).map(([place, maxLength]) => {
    const chosen = definitions.filter((one) => one.place === place && kinds.includes(one.kind))
    if (chosen.length === 0) return fc.constant([])
    const trouble = fc.record({
      what: fc.constantFrom(...chosen.map(({ what }) => what)),
      at: fc.nat({ max: 30 }),
      times: fc.constantFrom(1, 2),
    })
    return fc.array(trouble, { maxLength })
  })
  return fc.tuple(...inPlaces).map((all) => all.flat())
}

/** Makes the troubles happen to a run that is about to start. @returns the ids of versions whose deletes they befall */
export function arm(
  { faults }: Emulator,
  pictures: readonly Picture[],
  all: readonly Trouble[],
): Set<number> {
  // Oldest first, because the oldest are what runs delete.
  const targets = pictures.flatMap(({ name, versions }) =>
    versions.map(({ id, digest }): Target => ({ name, id, digest })).reverse(),
  )
  const troubled = new Set<number>()
  for (const trouble of all) {
    const definition = definitions.find(({ what }) => what === trouble.what)
    const target = targets[trouble.at % targets.length]
    if (definition === undefined || target === undefined) continue
    faults.add({ ...spec(definition, target), ...duration(definition, trouble) })
    if (definition.place === 'delete') troubled.add(target.id)
  }
  return troubled
}

function spec({ what, place, action }: Definition, target: Target): FaultSpec {
  const { name, id, digest } = target
  const common = { name: what, action: action(target) }
  const inApi = `/container/${encodeURIComponent(name)}/versions`
  switch (place) {
    case 'manifest':
      return { ...common, service: 'registry', method: 'GET', path: RegExp(`${name}/.*${digest}`) }
    case 'token':
      return {
        ...common,
        service: 'registry',
        path: RegExp(`^/token.*${encodeURIComponent(name)}`),
      }
    case 'listing':
      return { ...common, service: 'api', method: 'GET', path: RegExp(`${inApi}\\?`) }
    case 'delete':
      return { ...common, service: 'api', method: 'DELETE', path: RegExp(`${inApi}/${id}$`) }
  }
}

/** A listing is retried as a whole, so that its passing troubles come once. */
function duration({ kind, place }: Definition, { at, times }: Trouble) {
  const after = place === 'listing' ? at % 4 : 0
  if (kind !== 'passing') return { after, times: Infinity }
  return place === 'listing' ? { after, times: 1 } : { times }
}
