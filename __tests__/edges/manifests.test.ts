import { describe, expect, test } from '@jest/globals'
import { RetentionError } from '../../src/errors.js'
import { isKnown, buildGraph } from '../../src/graph.js'
import { cutIntoLanes, readManifests } from '../../src/manifests.js'
import type { Digest } from '../../src/model.js'
import { artifact, digest, image, index, tagOf, type Item } from '../core/kit.js'

/** Reads from items, and counts. */
async function read(items: readonly Item[], broken: Digest[] = []) {
  const asked: string[] = []
  const names = new Map(items.map(({ name, version }) => [version.digest, name]))
  const readManifest = (wanted: Digest) => {
    asked.push(names.get(wanted) ?? 'not listed')
    const manifest = items.find(({ version }) => version.digest === wanted)?.manifest
    return manifest === undefined || broken.includes(wanted)
      ? Promise.reject(new RetentionError('manifest-unreadable', `no ${wanted}`, ''))
      : Promise.resolve(manifest)
  }
  const versions = items.map(({ version }) => version)
  const result = await readManifests(versions, { readManifest })
  const graph = buildGraph(versions, result.manifests)
  const unknown = graph.nodes.filter((node) => !isKnown(node)).length
  return { asked: asked.sort(), unknown, ...result }
}

describe('reads', () => {
  test('an index and not the children that it explains', async () => {
    const items = [
      index('release', ['amd64', 'arm64', { of: 'note', attests: 'amd64' }], { tags: ['v1'] }),
      image('amd64'),
      image('arm64'),
      artifact('note'),
    ]
    expect(await read(items)).toMatchObject({ asked: ['release'], unknown: 0 })
  })

  test('an untagged index before its older children', async () => {
    const items = [
      index('release', ['amd64', 'arm64'], { age: 9 }),
      image('amd64', { age: 10 }),
      image('arm64', { age: 10 }),
    ]
    expect(await read(items)).toMatchObject({ asked: ['release'], unknown: 0 })
  })

  test('nested indexes, tagged children, and children that their entry does not explain', async () => {
    const items = [
      index('outer', [{ of: 'inner', kind: 'index' }, { of: 'bundle' }], { tags: ['v1'] }),
      index('inner', ['leaf', 'tagged leaf']),
      image('leaf'),
      image('tagged leaf', { tags: ['v1-amd64'] }),
      artifact('bundle', { subject: 'leaf' }),
    ]
    const { asked, unknown } = await read(items)
    expect(asked).toEqual(['bundle', 'inner', 'outer', 'tagged leaf'])
    expect(unknown).toBe(0)
  })

  test('signatures and referrers, which nothing lists', async () => {
    const items = [
      image('app', { tags: ['v1'] }),
      artifact('signature', { tags: [tagOf('app', '.sig')] }),
      artifact('bundle', { subject: 'app' }),
    ]
    expect((await read(items)).asked).toEqual(['app', 'bundle', 'signature'])
  })

  test('nothing twice, and nothing that is not listed', async () => {
    const items = [
      index('one', ['leaf', 'gone', { of: 'bare' }, { of: 'bare' }], { tags: ['v1'] }),
      index('two', ['leaf', { of: 'bare' }], { tags: ['v2'] }),
      image('leaf'),
      image('bare'),
    ]
    expect((await read(items)).asked).toEqual(['bare', 'one', 'two'])
  })

  test('no more after a failure, which is handed on', async () => {
    const items = Array.from({ length: 200 }, (_, at) => image(`v${at}`, { tags: [`t${at}`] }))
    const { asked, failure } = await read(items, [digest('v0')])
    expect(failure).toMatchObject({ code: 'manifest-unreadable' })
    expect(asked.length).toBeLessThan(100)
  })
})

describe('lanes', () => {
  /** Pushed as clients do, children first, all within a second. */
  const tree = (at: number): Item[] => {
    const children = [image(`a ${at}`, { age: at }), image(`b ${at}`, { age: at })]
    return [...children, index(`index ${at}`, [`a ${at}`, `b ${at}`], { age: at })]
  }

  test('keep what was pushed together in one, so that hundreds of trees cost a read each', async () => {
    const items = Array.from({ length: 300 }, (_, at) => tree(at + 1)).flat()
    const { asked, unknown } = await read(items)
    expect(asked).toHaveLength(300)
    expect(unknown).toBe(0)
  })

  test('hold every version once, newest first', () => {
    const versions = Array.from({ length: 100 }, (_, at) => tree(at))
      .flat()
      .map(({ version }) => version)
    const lanes = cutIntoLanes(versions)
    expect(lanes).toHaveLength(32)
    expect(new Set(lanes.flat()).size).toBe(300)
    expect(lanes.flat().map(({ createdAt }) => createdAt)).toEqual(
      versions.map(({ createdAt }) => createdAt).sort((a, b) => (b ?? 0) - (a ?? 0)),
    )
  })

  test('are few for few versions', () => {
    expect(cutIntoLanes([])).toEqual([])
    expect(cutIntoLanes(tree(1).map(({ version }) => version))).toHaveLength(1)
  })
})
