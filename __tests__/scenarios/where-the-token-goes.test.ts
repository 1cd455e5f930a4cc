import { describe, expect, test } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import type { FaultSpec } from '../../src/emulator/faults.js'
import { image, multiArchImage } from '../../src/emulator/images.js'
import {
  day,
  deletesAsked,
  digestsStaying,
  hurried,
  liveAndDry,
  push,
  readable,
  registry,
  runAction,
  tagsLeft,
  tokens,
  type ActionRun,
} from './kit.js'

/** A package with an old index to go and a young image to stay. */
async function onePackage() {
  const emulator = await registry()
  const old = push(emulator, multiArchImage({ seed: 'old' }), { tags: ['pr-1'] })
  push(emulator, image({ seed: 'new' }), { tags: ['v1'], daysAgo: 1 })
  return { emulator, old }
}

/** Everything that a run left for others to read; the runner takes the add-mask command for itself. */
async function told(run: ActionRun): Promise<string> {
  const log = run.log.replace(/^::add-mask::.*$/gm, '')
  const plan = run.outputs.plan === undefined ? '' : await readFile(run.outputs.plan, 'utf8')
  return [log, run.summary, readable(run), JSON.stringify(run.outputs), plan].join('\n')
}

function expectUntold(text: string): void {
  const token = tokens.workflow
  const basic = Buffer.from(`token:${token}`).toString('base64')
  for (const form of [token, basic, Buffer.from(token).toString('base64')]) {
    expect(text).not.toContain(form)
  }
}

test('the token is told to the runner as a secret, and to nobody else', async () => {
  const { emulator } = await onePackage()

  const run = await runAction(emulator, { 'log-level': 'debug' }, { RUNNER_DEBUG: '1' })

  expect(run.exitCode).toBe(0)
  expect(run.log.split('\n')[0]).toBe(`::add-mask::${tokens.workflow}`)
  expectUntold(await told(run))
})

test('a service that repeats the token does not bring it into log, summary or plan', async () => {
  const { emulator, old } = await onePackage()
  const body = JSON.stringify({
    message: `no access for ${tokens.workflow} (${Buffer.from(tokens.workflow).toString('base64')})`,
  })
  emulator.faults.add({ method: 'DELETE', times: Infinity, action: { status: 422, body } })
  emulator.faults.add({ path: /container\/nope$/, times: Infinity, action: { status: 403, body } })
  emulator.store.setTags('acme', 'app', old.digest, [`pr-${tokens.workflow}`])
  emulator.store.setTimestamps('acme', 'app', old.digest, {
    updatedAt: emulator.store.now() - 40 * day,
  })

  const run = await runAction(emulator, { 'image-names': 'app, nope' })

  expect(run.exitCode).toBe(1)
  expect(run.log).toContain('no access for ***')
  expectUntold(await told(run))
})

describe.each(liveAndDry)('%s', (_way, way) => {
  test('a registry that sends elsewhere for its token gets none, and the package is left alone', async () => {
    const { emulator } = await onePackage()
    const elsewhere = await registry()
    emulator.faults.add({
      service: 'registry',
      method: 'HEAD',
      times: Infinity,
      action: {
        headers: {
          'www-authenticate': `Bearer realm="${elsewhere.registryUrl}/token",service="ghcr.io"`,
        },
      },
    })

    const run = await runAction(emulator, way)

    expect(run.exitCode).toBe(1)
    expect(elsewhere.requests).toEqual([])
    expect(deletesAsked(emulator)).toBe(0)
    expect(run.log).toContain(`wants the token to be sent to ${elsewhere.registryUrl}`)
    expect(run.log).toContain('The token was not sent.')
  })

  test('manifests that are stored elsewhere are fetched without the token', async () => {
    const { emulator } = await onePackage()
    const elsewhere = await registry()
    for (const status of [301, 302, 303, 307, 308]) {
      const stored = push(emulator, image({ seed: String(status) }), { tags: [`pr-${status}`] })
      const path = `/stored/${status}?sig=1`
      const headers = { 'content-type': stored.mediaType }
      elsewhere.faults.add({
        path: new RegExp(`stored/${status}`),
        action: { status: 200, body: stored.body, headers },
      })
      emulator.faults.add({
        service: 'registry',
        method: 'GET',
        path: new RegExp(`manifests/${stored.digest}`),
        action: { status, headers: { location: `${elsewhere.registryUrl}${path}` } },
      })
    }

    const run = await runAction(emulator, way)

    expect(run.exitCode).toBe(0)
    expect(digestsStaying(emulator, run).size).toBe(1)
    expect(elsewhere.requests).toHaveLength(5)
    for (const request of elsewhere.requests) {
      expect(request).toMatchObject({ method: 'GET', authorization: undefined, status: 200 })
    }
  })

  test('a token endpoint that sends elsewhere is not followed', async () => {
    const { emulator } = await onePackage()
    const elsewhere = await registry()
    emulator.faults.add({
      service: 'registry',
      path: /^\/token/,
      times: Infinity,
      action: { status: 403, headers: { location: `${elsewhere.registryUrl}/token` } },
    })

    const run = await runAction(emulator, way)

    expect(run.exitCode).toBe(1)
    expect(elsewhere.requests).toEqual([])
    expect(deletesAsked(emulator)).toBe(0)
  })
})

test.each(['GET', 'DELETE'])('an API that redirects a %s elsewhere', async (method) => {
  const { emulator } = await onePackage()
  const elsewhere = await registry()
  emulator.faults.add({
    service: 'api',
    method,
    path: /versions/,
    times: Infinity,
    action: { redirect: `${elsewhere.apiUrl}/stolen` },
  })

  const run = await runAction(emulator)

  expect(run.exitCode).toBe(1)
  expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual(
    elsewhere.requests.map(() => undefined),
  )
  expect(tagsLeft(emulator)).toEqual(['pr-1', 'v1'])
})

test.each<[string, Pick<FaultSpec, 'service' | 'path' | 'method'>]>([
  ['the listing', { service: 'api', path: /versions\?/ }],
  ['a delete', { service: 'api', method: 'DELETE' }],
  ['the account', { service: 'api', path: /\/users\/acme/ }],
  ['a manifest', { service: 'registry', method: 'GET', path: /manifests/ }],
  ['the token endpoint', { service: 'registry', path: /^\/token/ }],
])('an error of %s that echoes all headers of the request', async (_, which) => {
  const { emulator } = await onePackage()
  let echo = ''
  emulator.faults.add({
    ...which,
    times: Infinity,
    action: {
      run: (_store, { headers }) => {
        echo = `bad request: ${JSON.stringify(headers)} ${Object.values(headers).join(' ')}`
      },
      status: 422,
      headers: { 'x-echo': 'yes' },
      body: () => JSON.stringify({ message: echo, errors: [{ code: 'UNKNOWN', message: echo }] }),
    },
  })

  const run = await runAction(emulator, { 'log-level': 'debug' }, hurried)

  expect(run.exitCode).toBe(1)
  expect(echo).toContain('authorization')
  expectUntold(await told(run))
  expect(tagsLeft(emulator)).toEqual(['pr-1', 'v1'])
})
