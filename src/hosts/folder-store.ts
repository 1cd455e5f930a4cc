import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { TextStore } from '../host.js'

/** Where texts are kept on a person's machine. https://specifications.freedesktop.org/basedir-spec/latest/ */
export function defaultFolder(env: NodeJS.ProcessEnv): string {
  const isWindows = process.platform === 'win32'
  const given = isWindows ? env.LOCALAPPDATA : env.XDG_CACHE_HOME
  const usual = isWindows ? ['AppData', 'Local'] : ['.cache']
  // The specification has a relative path ignored, and an empty one.
  const caches = given !== undefined && isAbsolute(given) ? given : join(homedir(), ...usual)
  return join(caches, 'ghcr-retention')
}

/** Keeps texts in a folder, one file each, for their owner's eyes only. */
export function folderStore(folder: string): TextStore {
  const fileOf = (scope: string) => join(folder, `${scope}.txt`)
  return {
    restore: (scope, limit) => within(limit, read(fileOf(scope))),
    save: (scope, text, limit) => within(limit, write(folder, fileOf(scope), text)),
  }
}

/** The text of a file, or undefined where there is none. Anything else might never come to its end. */
async function read(file: string): Promise<string | undefined> {
  const found = await stat(file).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return undefined
  if (!found.isFile()) throw new Error(`${file} is no file`)
  return readFile(file, 'utf8')
}

/** Under a name of its own first, so that nobody ever reads half of it. */
async function write(folder: string, file: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Gives a folder that does not answer up, such as one on a network that is away. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = setTimeout(milliseconds, undefined, { signal: over.signal }).then(() => {
    throw new Error('it took too long')
  })
  late.catch(() => undefined)
  return Promise.race([work, late]).finally(() => {
    over.abort()
  })
}
