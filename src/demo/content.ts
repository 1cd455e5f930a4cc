import {
  cosignSignature,
  fallbackIndex,
  helmChart,
  image,
  index,
  multiArchImage,
  pushTree,
  referrer,
  type Tree,
} from '../emulator/images.js'
import type { Store } from '../emulator/store.js'

const minute = 60_000
const day = 24 * 60 * minute

/** The account and the token of the demonstration. The token is plainly none. */
export const demoAccount = 'acme'
export const demoToken = 'ghp_demonstration_only'

/** Pushes a tree of documents some days before now. */
type Push = (tree: Tree, daysAgo: number, tags?: readonly string[]) => Tree

/**
 * Fills a registry the way projects fill theirs over months: releases with attestations and signatures, nightlies,
 * images of pull requests, leftovers.
 */
export function fillRegistry(store: Store, now: number): void {
  welcome(store)
  fillApi(pusher(store, 'api', now))
  fillWeb(pusher(store, 'team/web', now))
  // Of its pull requests, 400 to 410 are closed.
  store.addRepository({ repository: `${demoAccount}/api`, pulls: [411, 412, 413, 414, 415] })
}

/** Makes the account and the token known, and nothing else. */
export function welcome(store: Store): void {
  store.addAccount({ login: demoAccount, type: 'Organization' })
  store.addToken({ token: demoToken, kind: 'classic', login: 'demo' })
}

function pusher(store: Store, name: string, now: number): Push {
  return (tree, daysAgo, tags = []) => {
    pushTree(store, { account: demoAccount, package: name, tree, tags, at: now - daysAgo * day })
    return tree
  }
}

function fillApi(push: Push): void {
  releases(push)
  nightlies(push)
  pullRequests(push)
  sharedChildren(push)
  // Signatures of images that live in another package: nobody here can tell whether they are still needed.
  push(cosignSignature(`sha256:${'5'.repeat(64)}`), 200)
  push(helmChart({ name: 'api', version: '1.4.0' }), 120, ['chart-1.4.0'])
}

/** Twelve releases a month apart, each signed twice over: by tag and by subject. `latest` is the newest. */
function releases(push: Push): void {
  for (let month = 12; month >= 1; month--) {
    const version = `1.${12 - month}.0`
    const release = multiArchImage({
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
      attestations: month < 4 ? 'subject' : true,
      seed: version,
      payload: 40_000,
    })
    const tags = [`v${version}`, ...(month === 1 ? ['latest', 'v1'] : [])]
    push(release, month * 30, tags)
    push(cosignSignature(release, { seed: version }), month * 30 - 0.01)
    push(fallbackIndex(release, [referrer(release, { seed: version })]), month * 30 - 0.01)
  }
}

/** Every night an image; the tag `nightly` has moved away from all but the newest. */
function nightlies(push: Push): void {
  for (let night = 30; night >= 1; night--) {
    const nightly = multiArchImage({ attestations: true, seed: `night ${night}`, payload: 30_000 })
    push(nightly, night, night === 1 ? ['nightly', 'nightly-1'] : [`nightly-${night}`])
  }
}

/** Pull requests push again and again under one tag, so that all but the last image lose theirs. */
function pullRequests(push: Push): void {
  for (let request = 16; request >= 1; request--) {
    for (let attempt = 3; attempt >= 1; attempt--) {
      const seed = `request ${request} attempt ${attempt}`
      const tree = multiArchImage({ attestations: true, seed, payload: 30_000 })
      push(tree, request * 2 + attempt / 10, [`pr-${400 + 16 - request}`])
      if (attempt === 1 && request % 3 === 0) push(cosignSignature(tree, { seed }), request * 2)
    }
  }
}

/** A release candidate whose platform images became the release, and an index of indexes. */
function sharedChildren(push: Push): void {
  const amd64 = image({ platform: 'linux/amd64', seed: 'shared', payload: 50_000 })
  const arm64 = image({ platform: 'linux/arm64', seed: 'shared', payload: 50_000 })
  push(index([amd64, arm64], { annotations: { candidate: '2.0.0-rc.1' } }), 90, ['pr-rc-1'])
  const release = index([amd64, arm64], { annotations: { release: '2.0.0' } })
  push(release, 80, ['v2.0.0'])
  const windows = multiArchImage({
    platforms: ['windows/amd64'],
    seed: 'windows',
    payload: 20_000,
  })
  push(index([release, windows], { annotations: { title: 'all systems' } }), 79, ['v2.0.0-all'])
}

/** A package with Docker media types, moved tags, and attachments whose subject was deleted long ago. */
function fillWeb(push: Push): void {
  for (let build = 12; build >= 1; build--) {
    const tree = multiArchImage({ docker: true, seed: `build ${build}`, payload: 25_000 })
    push(tree, build * 4, build % 5 === 0 ? [`v0.${12 - build}`, 'stable'] : [`pr-${build}`])
  }
  const gone = image({ seed: 'deleted long ago' })
  push(referrer(gone, { seed: 'orphan' }), 150)
  push(cosignSignature(gone, { seed: 'orphan' }), 150)
  push(image({ seed: 'pushed just now', payload: 10_000 }), 0.01)
}
