import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { multiArchImage, pushTree } from '../../src/emulator/images.js'
import { describeWith } from '../real-clients/clients.js'
import { stage, tokens } from './emulator-kit.js'

const run = promisify(execFile)
const tree = multiArchImage({ attestations: 'subject' })
let work = ''

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'emulator-clients-'))
})

afterAll(async () => {
  await rm(work, { recursive: true, force: true })
})

describeWith('skopeo')('skopeo', () => {
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false']
  const creds = `anyone:${tokens.workflow}`

  async function copy(...args: string[]): Promise<string> {
    const { stdout, stderr } = await run('skopeo', ['copy', ...plain, ...args])
    return stdout + stderr
  }

  test('pulls an index with attestations whole, and one platform of it', async () => {
    const { store, registryUrl } = await stage()
    pushTree(store, { account: 'acme', package: 'team/api', tree, tags: ['1.0'] })
    const source = `docker://${registryUrl.slice(7)}/acme/team/api:1.0`
    await copy('--all', '--src-creds', creds, source, `dir:${join(work, 'whole')}`)
    const one = `dir:${join(work, 'arm64')}`
    await copy('--override-arch', 'arm64', '--src-creds', creds, source, one)
  })

  test('pushes what it pulled, digest for digest, to a package that it makes', async () => {
    const { store, registryUrl } = await stage()
    const host = registryUrl.slice(7)
    pushTree(store, { account: 'acme', package: 'api', tree, tags: ['1.0'] })
    const folder = `dir:${join(work, 'pushed')}`
    await copy('--all', '--src-creds', creds, `docker://${host}/acme/api:1.0`, folder)
    const target = `docker://${host}/newcomer/team/app:2.0`
    await copy('--all', '--dest-creds', creds, folder, target)
    const rows = store.versions('newcomer', 'team/app')
    expect(rows.map((row) => row.digest).sort()).toEqual(
      [tree, ...tree.children].map((node) => node.digest).sort(),
    )
    expect(store.version('newcomer', 'team/app', '2.0')?.digest).toBe(tree.digest)
  })

  test('notices a missing child, and that nothing can be deleted', async () => {
    const { store, registryUrl } = await stage()
    pushTree(store, { account: 'acme', package: 'api', tree, tags: ['1.0'] })
    store.deleteVersion('acme', 'api', tree.children[1]?.digest ?? '')
    const image = `docker://${registryUrl.slice(7)}/acme/api:1.0`
    const folder = `dir:${join(work, 'hollow')}`
    await expect(copy('--all', '--src-creds', creds, image, folder)).rejects.toThrow(
      /manifest unknown/,
    )
    const deletion = run('skopeo', ['delete', '--tls-verify=false', '--creds', creds, image])
    await expect(deletion).rejects.toThrow(/UNSUPPORTED/)
  })
})

describeWith('buildah')('buildah', () => {
  async function buildah(...args: string[]): Promise<void> {
    const storage = ['--root', join(work, 'store'), '--runroot', join(work, 'run')]
    await run('buildah', [...storage, '--storage-driver', 'vfs', ...args])
  }

  test('builds, pushes a list and pulls it again', async () => {
    const { store, registryUrl } = await stage()
    const context = join(work, 'context')
    await mkdir(context)
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
    await buildah('manifest', 'create', 'list')
    for (const arch of ['amd64', 'arm64']) {
      const name = `localhost/app:${arch}`
      const build = ['--isolation', 'chroot', '--timestamp', '0', '--platform', `linux/${arch}`]
      await buildah('bud', ...build, '-t', name, context)
      await buildah('manifest', 'add', '--arch', arch, 'list', `containers-storage:${name}`)
    }
    const remote = `docker://${registryUrl.slice(7)}/acme/app:1.0`
    const access = ['--tls-verify=false', '--creds', `anyone:${tokens.all}`]
    await buildah('manifest', 'push', '--all', ...access, 'list', remote)
    expect(store.versions('acme', 'app').map((row) => row.tags)).toEqual([['1.0'], [], []])
    await buildah('pull', '--policy', 'always', ...access, remote)
  }, 60_000)
})
