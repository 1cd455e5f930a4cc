import { expect, test } from '@jest/globals'
import { multiArchImage } from '../../src/emulator/images.js'
import {
  broken,
  byPolicy,
  decisionOn,
  digestsLeft,
  digestsOf,
  dryThenLive,
  lineOf,
  policyFile,
  push,
  registry,
  tagsLeft,
} from './kit.js'

const policy = (files: string, more = '') => `version: 1
defaults:
  protect-from: ${files}
  rules:
    - { name: old, delete: { tagged: true, untagged: true }, when: { older-than: 30d } }
${more}`

/** Images of so many tags in `app`, and one without, all of which are to go. */
async function images(host: (registryUrl: string) => string) {
  const emulator = await registry()
  for (const tag of ['v1', 'v2', 'v3', 'v4'])
    push(emulator, multiArchImage({ seed: tag }), { tags: [tag] })
  const untagged = push(emulator, multiArchImage({ seed: 'untagged' }))
  return { emulator, untagged, at: host(new URL(emulator.registryUrl).host) }
}

test('what manifests and Compose files deploy stays, by tag and by digest, and says where', async () => {
  const { emulator, untagged, at } = await images((host) => `${host}/acme`)
  const env = await policyFile(policy('["deploy/**/*.yaml", compose.yml]'), {
    'deploy/prod/api.yaml': `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: api
          image: ${at}/app:v1
        - name: sidecar
          image: "${at}/app@${untagged.digest}"
        - name: other
          image: ${at}/other:v3
`,
    'compose.yml': `services:
  web:
    image: ${at}/app:\${TAG:-v2}
  elsewhere:
    image: registry.example/acme/app:v4
`,
    'compose.yml.bak': `image: ${at}/app:v3`,
  })

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(run.exitCode).toBe(0)
  expect(tagsLeft(emulator)).toEqual(['v1', 'v2'])
  const left = digestsLeft(emulator)
  expect(digestsOf(untagged).filter((digest) => !left.has(digest))).toEqual([])
  expect(lineOf(run, 'v1')).toMatch(/tag v1 is in use in deploy\/prod\/api\.yaml:8$/)
  expect(lineOf(run, 'v2')).toMatch(/tag v2 .*compose\.yml:3\)?$/)
  expect(decisionOn(run, untagged.digest)?.why).toMatch(
    /^sha256:[0-9a-f]{12} is in use in deploy\/prod\/api\.yaml:10$/,
  )
  expect(run.log).toContain(
    '  Keep every image that a file matching deploy/**/*.yaml or compose.yml names.',
  )
  expect(await broken(emulator)).toEqual([])
})

test('a platform image that is named by its digest stays, whatever becomes of its index', async () => {
  const { emulator, untagged, at } = await images((host) => `${host}/acme`)
  const [child] = untagged.children
  const env = await policyFile(policy('k8s.yml'), {
    'k8s.yml': `image: ${at}/app:v3@${child?.digest ?? ''}\n`,
  })

  const run = await dryThenLive(emulator, byPolicy, env)

  const left = digestsLeft(emulator)
  expect(left.has(child?.digest ?? '')).toBe(true)
  expect(tagsLeft(emulator)).toEqual(['v3'])
  expect(decisionOn(run, child?.digest ?? '')?.why).toMatch(/k8s\.yml:1/)
  expect(await broken(emulator)).toEqual([])
})

test('a reference whose tag cannot be known keeps every tag of its package, and is warned of', async () => {
  const { emulator, at } = await images((host) => `${host}/acme`)
  const env = await policyFile(policy('k8s.yml'), {
    'k8s.yml': `kind: Pod\nimage: ${at}/app:\${WHO_KNOWS}\n`,
  })

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(run.exitCode).toBe(0)
  expect(run.log).toMatch(/::warning::k8s\.yml:2: which tag is in use cannot be known/)
  expect(run.summary).toContain('which tag is in use cannot be known')
  expect(tagsLeft(emulator)).toEqual(['v1', 'v2', 'v3', 'v4'])
})

test('the defaults and an entry add up, each package by its own files', async () => {
  const emulator = await registry()
  const at = `${new URL(emulator.registryUrl).host}/acme`
  for (const name of ['api', 'web'])
    for (const tag of ['v1', 'v2', 'v3'])
      push(emulator, multiArchImage({ seed: `${name} ${tag}` }), { name, tags: [tag] })
  const entries = `packages:
  - match: api
    protect-from: [api.yml]
  - match: web
`
  const env = await policyFile(policy('[all.yml]', entries), {
    'all.yml': `- ${at}/api:v1\n- ${at}/web:v1\n`,
    'api.yml': `- ${at}/api:v2\n- ${at}/web:v2\n`,
  })

  const run = await dryThenLive(emulator, byPolicy, env)

  expect(tagsLeft(emulator, 'api')).toEqual(['v1', 'v2'])
  expect(tagsLeft(emulator, 'web')).toEqual(['v1'])
  expect(decisionOn(run, 'v2', 'api')?.why).toBe('tag v2 is in use in api.yml:1')
})
