import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
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
    restore: (scope) =>
      readFile(fileOf(scope), 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }),
    save: async (scope, text) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const draft = `${fileOf(scope)}.${process.pid}`
      try {
        await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
        await rename(draft, fileOf(scope))
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
  }
}
