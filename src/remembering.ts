import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import packageJson from '../package.json' with { type: 'json' }
import type { Host } from './host.js'
import type { Settings } from './inputs.js'
import {
  readMemory,
  writeMemory,
  type Manifests,
  type Memory,
  type Remembered,
  type Seal,
} from './memory.js'
import { isGone, type Digest, type Manifest } from './model.js'
import type { Clock, LifetimeMemory, ManifestReader } from './ports.js'
import type { PackageReport } from './report/report.js'

/** Milliseconds that a run waits for its memory at most, at its begin and at its end. */
const longestWait = 10_000
/** The part of a time budget that may go into waiting for the memory at the begin. */
const budgetShare = 0.1
/** Milliseconds; in less nothing can be saved. */
const shortestWait = 200

/** What a memory is for. */
export interface RememberingOptions {
  readonly settings: Settings
  readonly host: Host
  readonly clock: Clock
  /** The login that owns the packages. */
  readonly account: string
  /** The packages that this run looks at. */
  readonly names: readonly string[]
}

interface Restored {
  readonly memory: Memory
  /** As it was restored, when all of it could be used. */
  readonly text: string | undefined
  /** Whoever keeps memories was there. */
  readonly reachable: boolean
}

const nothing: Restored = { memory: new Map(), text: undefined, reachable: true }

/**
 * What earlier runs read, so that this one need not. Restoring goes on while the first package is listed. Whatever goes
 * wrong with it costs reads and nothing else, and is told at debug only.
 */
export class Remembering {
  readonly #options: RememberingOptions
  readonly #store: Host['memory']
  readonly #scope: string
  readonly #seal: Seal
  readonly #restored: Promise<Restored>
  readonly #parts = new Map<string, PackageMemory>()

  constructor(options: RememberingOptions) {
    const { settings, host, names } = options
    this.#options = options
    this.#store = settings.rememberManifests && names.length > 0 ? host.memory : undefined
    this.#scope = scopeOf(options)
    this.#seal = { version: buildOf(), secret: secretOf(settings.token) }
    this.#restored = this.#restore()
  }

  /** The memory of one package. */
  of(name: string): PackageMemory {
    const key = this.#keyOf(name)
    const known = this.#parts.get(name)
    if (known !== undefined) return known
    const part = new PackageMemory(
      this.#restored.then(({ memory }) => memory.get(key) ?? new Map()),
    )
    this.#parts.set(name, part)
    return part
  }

  /**
   * Keeps what is known now for the next run, if it is not what was restored.
   *
   * @param end when the time budget ends, or undefined
   */
  async save(reports: readonly PackageReport[], end: number | undefined): Promise<void> {
    const { host, clock } = this.#options
    const { text: before, reachable } = await this.#restored
    const left = end === undefined ? Infinity : (end - clock.now()) / 2
    if (this.#store === undefined || !reachable || left < shortestWait || host.cancelled.aborted)
      return
    try {
      const memory = await this.#after(reports)
      const text = writeMemory(memory, this.#seal)
      if (text === before || (before === undefined && sizeOf(memory) === 0)) return
      await this.#store.save(this.#scope, text, Math.min(longestWait, left))
      host.log.debug(`${sizeOf(memory)} manifests are kept for the next run.`)
    } catch (error) {
      host.log.debug(`Manifests could not be kept for the next run: ${wordsOf(error)}.`)
    }
  }

  async #restore(): Promise<Restored> {
    const { settings, host } = this.#options
    if (this.#store === undefined) return nothing
    const limit = Math.min(longestWait, (settings.timeBudget ?? Infinity) * budgetShare)
    let text: string | undefined
    try {
      text = await this.#store.restore(this.#scope, limit)
    } catch (error) {
      host.log.debug(`Manifests of earlier runs could not be fetched: ${wordsOf(error)}.`)
      return { ...nothing, reachable: false }
    }
    if (text === undefined) return nothing
    try {
      return { memory: readMemory(text, this.#seal), text, reachable: true }
    } catch (error) {
      host.log.debug(`Manifests of earlier runs cannot be used: ${wordsOf(error)}.`)
      return nothing
    }
  }

  /** Everything known of the packages of this run; others are gone. */
  async #after(reports: readonly PackageReport[]): Promise<Memory> {
    const all = reports.map(async (report): Promise<[string, Manifests]> => {
      return [this.#keyOf(report.name), await this.of(report.name).after(report)]
    })
    return new Map(await Promise.all(all))
  }

  #keyOf(name: string): string {
    const { settings, account } = this.#options
    return hashOf([settings.registryUrl, account.toLowerCase(), name])
  }
}

/** What is remembered of one package, and what this run reads of it. */
export class PackageMemory implements LifetimeMemory {
  /** Never rejects. */
  readonly remembered: Promise<Manifests>
  readonly #read = new Map<Digest, Manifest>()
  /** What labels state, by image; see {@link Remembered.labelled}. */
  readonly #labelled = new Map<Digest, string>()

  constructor(remembered: Promise<Manifests>) {
    this.remembered = remembered
  }

  /** How many manifests this run has read. */
  get reads(): number {
    return this.#read.size
  }

  /** A reader that reads nothing twice, and all of whose reads are remembered. */
  learning(reader: ManifestReader): ManifestReader {
    return {
      readManifest: async (digest) => {
        const manifest = this.#read.get(digest) ?? (await reader.readManifest(digest))
        this.#read.set(digest, manifest)
        return manifest
      },
    }
  }

  async recallLifetime(image: Digest): Promise<string | undefined> {
    return this.#labelled.get(image) ?? (await this.remembered).get(image)?.labelled
  }

  learnLifetime(image: Digest, lifetime: string): void {
    this.#labelled.set(image, lifetime)
  }

  /** What is worth keeping: what the package still has; all of it when nobody could look. */
  async after({ plan, outcomes, notReached }: PackageReport): Promise<Manifests> {
    const known = new Map<Digest, Remembered>([...(await this.remembered), ...this.#read])
    for (const [image, labelled] of this.#labelled) {
      const manifest = known.get(image)
      if (manifest !== undefined) known.set(image, { ...manifest, labelled })
    }
    const { decisions, refusals } = plan
    const unseen = decisions.length === 0 && (notReached !== undefined || refusals.length > 0)
    if (unseen) return known
    const there = new Set([...decisions.map(({ version }) => version.digest), ...this.#read.keys()])
    for (const { version, result } of outcomes) if (isGone(result)) there.delete(version.digest)
    return new Map([...known].filter(([digest]) => there.has(digest)))
  }
}

/**
 * Under what name a memory is kept: runs over other packages have one of their own, so that the jobs of a matrix do not
 * overwrite each other's.
 */
function scopeOf({ settings, account }: RememberingOptions): string {
  const { packages, registryUrl, token } = settings
  const selection =
    packages.kind === 'exact'
      ? packages.names
      : [packages.patterns.include, packages.patterns.exclude].map((list) =>
          list.map(({ source }) => source),
        )
  const sealed = secretOf(token) === '' ? 'open' : 'sealed'
  const readable = `${new URL(registryUrl).host}-${account.toLowerCase()}`
  return `${readable.replace(/[^a-z0-9.-]/g, '_')}-${hashOf([selection, sealed]).slice(0, 16)}`
}

/**
 * A personal access token is the same in every run, so it seals the memory: nobody without it can make one up. Tokens
 * that are issued for an hour or a job cannot.
 */
function secretOf(token: string): string {
  return /^(?:ghp|github_pat)_/.test(token) ? token : ''
}

/** Another build may read documents in another way, so it believes no memory but its own. */
function buildOf(): string {
  const program = readFileSync(fileURLToPath(import.meta.url))
  const hash = createHash('sha256').update(program).digest('hex').slice(0, 16)
  return `${packageJson.version}+${hash}`
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

function sizeOf(memory: Memory): number {
  return [...memory.values()].reduce((sum, { size }) => sum + size, 0)
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
