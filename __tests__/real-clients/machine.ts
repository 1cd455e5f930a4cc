import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from '@jest/globals'
import {
  artifact,
  cosignSignature,
  digestOf,
  fallbackIndex,
  sigstoreBundle,
  type Descriptor,
  type Tree,
} from '../../src/emulator/images.js'
import type { Emulator } from '../../src/emulator/index.js'
import { tokens } from '../scenarios/kit.js'

const run = promisify(execFile)

/** Two platforms with a file that tells one image from another: the same content gives the very same image. */
export interface ReleaseOptions {
  /** Media types of the images and of their index; default `oci`. */
  format?: 'oci' | 'docker'
  /** Content of the file for one platform; default one that no other release has. */
  amd64?: string
  arm64?: string
}

/** The digests of an index and of its platforms. */
export type Image = Record<'whole' | 'amd64' | 'arm64', string>

/** What a client got for a tag: the digest, and those of the platforms where there are any. */
export type Pulled = Pick<Image, 'whole'> & Partial<Image>

const dockerfile = 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n'
let folder: string | undefined
let folders = 0

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/**
 * A machine with buildah and skopeo, which use an emulator as their registry. Images have names such as `app:1.0` and
 * `team/app@sha256:…`, all of them in the account `acme`. Its storage is one temporary folder for a test file.
 */
export class Machine {
  constructor(private readonly emulator: Pick<Emulator, 'registryUrl'>) {}

  /** Builds an image for two platforms and pushes it with its index. */
  async release(name: string, options: ReleaseOptions = {}): Promise<Image> {
    const { format = 'oci', amd64 = `${name} amd64`, arm64 = `${name} arm64` } = options
    const context = await newFolder()
    await writeFile(join(context, 'Dockerfile'), dockerfile)
    for (const [platform, content] of Object.entries({ amd64, arm64 })) {
      await mkdir(join(context, platform))
      await writeFile(join(context, platform, 'content.txt'), content)
    }
    const list = `localhost/list-${folders}`
    // Layers are cached: Docker's form names the build's container, and a repeated build would be another image.
    const build = ['bud', '--isolation', 'chroot', '--timestamp', '0', '--layers']
    const what = ['--platform', 'linux/amd64,linux/arm64', '--format', format, '--manifest', list]
    await buildah(...build, ...what, context)
    const wire = ['--format', format === 'docker' ? 'v2s2' : 'oci']
    await buildah('manifest', 'push', '--all', ...access(''), ...wire, list, this.at(name))
    const index = await this.inspect(name)
    return { whole: digestOf(index), ...platformsIn(index) } as Image
  }

  /** Copies an image with all its platforms inside the registry. */
  async copy(from: string, to: string): Promise<void> {
    await skopeo('copy', ...ends, '--all', this.at(from), this.at(to))
  }

  /** Signs an image as cosign does, with a tag that names the image's digest. Gives the signature's digest. */
  async sign(name: string): Promise<string> {
    const { digest } = await this.describe(name)
    const { body, blobs, tags, digest: signature } = cosignSignature(digest)
    const layout = await newFolder()
    await writeFile(join(layout, 'version'), 'Directory Transport Version: 1.1\n')
    await writeFile(join(layout, 'manifest.json'), body)
    for (const blob of blobs) await writeFile(join(layout, digestOf(blob).slice(7)), blob)
    const target = `${packageOf(name)}:${tags.join('')}`
    await skopeo('copy', ...ends, `dir:${layout}`, this.at(target))
    return signature
  }

  /** Attaches a Sigstore bundle by `subject`, found by the fallback index that the image's digest names. */
  async attest(name: string): Promise<{ bundle: string; fallback: string }> {
    const subject = await this.describe(name)
    const bundle = artifact({ artifactType: sigstoreBundle, subject })
    const fallback = fallbackIndex(subject.digest, [bundle])
    await this.put(packageOf(name), fallback)
    return { bundle: bundle.digest, fallback: fallback.digest }
  }

  /** What others refer to an image by. */
  async describe(name: string): Promise<Descriptor> {
    const manifest = await this.inspect(name)
    const { mediaType } = JSON.parse(manifest) as { mediaType: string }
    return { mediaType, digest: digestOf(manifest), size: Buffer.byteLength(manifest) }
  }

  /** Pulls an image whole, or one platform of it; gives the digest. @throws what skopeo says when a part is missing */
  async pull(name: string, platform?: string): Promise<string> {
    const target = await newFolder()
    const which = platform === undefined ? ['--all'] : ['--override-arch', platform]
    await skopeo('copy', ...ends, ...which, this.at(name), `dir:${target}`)
    return digestOf(await readFile(join(target, 'manifest.json')))
  }

  /**
   * Pulls every tag of a package whole and then for each platform that it has. The digest of the whole is the
   * registry's: skopeo 1.9 does not know `artifactType` and writes an index that has it anew.
   */
  async pullEverything(name: string): Promise<Record<string, Pulled>> {
    const list = await skopeo('list-tags', ...access(''), this.at(name))
    const { Tags: tags } = JSON.parse(list) as { Tags: string[] }
    const pulls = tags.map(async (tag): Promise<[string, Pulled]> => {
      const manifest = await this.inspect(`${name}:${tag}`)
      await this.pull(`${name}:${tag}`)
      const pulled: Record<string, string> = {}
      for (const platform of Object.keys(platformsIn(manifest))) {
        pulled[platform] = await this.pull(`${name}:${tag}`, platform)
      }
      return [tag, { whole: digestOf(manifest), ...pulled }]
    })
    return Object.fromEntries(await Promise.all(pulls))
  }

  private inspect(name: string): Promise<string> {
    return skopeo('inspect', '--raw', ...access(''), this.at(name))
  }

  private at(name: string): string {
    return `docker://${new URL(this.emulator.registryUrl).host}/acme/${name}`
  }

  /** Puts a document over plain HTTP, what it needs first, under its tags or its digest. */
  private async put(name: string, tree: Tree): Promise<void> {
    for (const child of tree.children) await this.put(name, child)
    for (const blob of tree.blobs) {
      await this.send('POST', `${name}/blobs/uploads/?digest=${digestOf(blob)}`, blob)
    }
    for (const reference of tree.tags.length > 0 ? tree.tags : [tree.digest]) {
      await this.send('PUT', `${name}/manifests/${reference}`, tree.body, tree.mediaType)
    }
  }

  private async send(
    method: string,
    path: string,
    body: string | Uint8Array,
    type = 'application/octet-stream',
  ): Promise<void> {
    const headers = { authorization: `Bearer ${btoa(tokens.classic)}`, 'content-type': type }
    const url = `${this.emulator.registryUrl}/v2/acme/${path}`
    const answer = await fetch(url, { method, headers, body })
    if (answer.status !== 201) throw new Error(`${method} ${path}: ${await answer.text()}`)
  }
}

async function buildah(...args: string[]): Promise<void> {
  const root = await storage()
  const places = ['--root', join(root, 'store'), '--runroot', join(root, 'run')]
  await run('buildah', [...places, '--storage-driver', 'vfs', ...args])
}

async function skopeo(...args: string[]): Promise<string> {
  return (await run('skopeo', args)).stdout
}

/** Flags for a registry without TLS; copies have them for either end. */
function access(end: '' | 'src-' | 'dest-'): string[] {
  return [`--${end}tls-verify=false`, `--${end}creds`, `octo:${tokens.classic}`]
}

const ends = [...access('src-'), ...access('dest-')]

async function newFolder(): Promise<string> {
  const path = join(await storage(), String(++folders))
  await mkdir(path)
  return path
}

async function storage(): Promise<string> {
  return (folder ??= await mkdtemp(join(tmpdir(), 'real-clients-')))
}

function packageOf(name: string): string {
  return name.split(/[:@]/, 1).join('')
}

/** The digests of an index's entries by their architecture; none for anything but an image's index. */
function platformsIn(manifest: string): Record<string, string> {
  const { manifests = [] } = JSON.parse(manifest) as { manifests?: Descriptor[] }
  const entries = manifests.flatMap(({ platform, digest }) =>
    platform === undefined ? [] : [[platform.architecture, digest] as const],
  )
  return Object.fromEntries(entries)
}
