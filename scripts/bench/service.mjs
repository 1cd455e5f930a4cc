/**
 * The emulator in a process of its own, with the latencies that are published for GitHub's services. Its parent says
 * what to put into it and asks what it saw.
 */
import { multiArchImage, pushTree } from '../../src/emulator/images.ts'
import { startEmulator } from '../../src/emulator/index.ts'

/** Milliseconds from a request to its answer. */
const latencies = { list: 300, delete: 350, manifest: 60, other: 80 }
const minute = 60_000
const day = 24 * 60 * minute

/** How far this clock has been set forward. */
let ahead = 0
const emulator = await startEmulator({
  now: () => Date.now() + ahead,
  latency: ({ kind }) => latencies[kind],
})
const { store, requests } = emulator
store.addAccount({ login: 'acme', type: 'Organization' })
store.addToken({ token: 'ghp_emulator_all', kind: 'classic', login: 'octo' })
store.addToken({ token: 'ghs_emulator_workflow', kind: 'workflow' })

/** Images of five versions each, half a minute apart: the old ones are to go, the young ones stay. */
function fill({ old, young }) {
  const images = old + young
  for (let i = 0; i < images; i++) {
    const tree = multiArchImage({ seed: `image ${i}`, attestations: true })
    const at = store.now() - (i < old ? 60 : 5) * day + i * (minute / 2)
    pushTree(store, { account: 'acme', package: 'app', tree, tags: [`pr-${i}`], at })
  }
}

const headers = { authorization: 'token ghp_emulator_all' }
/** What the pages of the package were tagged with when they were last asked for. */
const etags = new Map()

/** Asks for every page as it was known. @returns how many there are, and how many are the same */
async function askAgain() {
  const pages = Math.ceil(store.versions('acme', 'app').length / 100)
  let same = 0
  for (let page = 1; page <= pages; page++) {
    const url = `${emulator.apiUrl}/orgs/acme/packages/container/app/versions?per_page=100&page=${page}`
    const known = etags.get(page)
    const answer = await fetch(url, {
      headers: known ? { ...headers, 'if-none-match': known } : headers,
    })
    if (answer.status === 304) same++
    else etags.set(page, answer.headers.get('etag'))
  }
  return { pages, same }
}

/** Pushes one more image. */
function push() {
  const tree = multiArchImage({ seed: `new ${Math.random()}`, attestations: true })
  pushTree(store, { account: 'acme', package: 'app', tree, tags: ['new'] })
}

const wishes = {
  fill,
  push,
  askAgain,
  /** What was asked since the last report. */
  report: () => requests.splice(0).map(summaryOf),
  versions: () => store.versions('acme', 'app').length,
  limit: ({ pointsPerMinute }) => {
    emulator.limits.pointsPerMinute = pointsPerMinute
  },
  /** Lets the limit be another one so many milliseconds after the first delete from now on. */
  limitLater: ({ pointsPerMinute, after }) => {
    const begun = requests.length
    const watch = setInterval(() => {
      if (!requests.slice(begun).some(({ kind }) => kind === 'delete')) return
      clearInterval(watch)
      setTimeout(() => wishes.limit({ pointsPerMinute }), after)
    }, 100)
  },
  pass: ({ milliseconds }) => {
    ahead += milliseconds
  },
}

function summaryOf({ at, service, method, path, kind, points, status }) {
  return { at, service, method, path, kind, points, status }
}

process.on('message', async ({ wish, with: wanted }) => {
  process.send({ answer: (await wishes[wish](wanted ?? {})) ?? null })
})
process.on('disconnect', () => process.exit())
const { apiUrl, registryUrl, cacheUrl } = emulator
process.send({ answer: { apiUrl, registryUrl, cacheUrl } })
