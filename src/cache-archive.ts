import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

/**
 * Takes the place of tar in `@actions/cache` (`scripts/bundle.mjs` puts it there). That unpacks an archive to wherever
 * the paths in it lead, absolute ones included, so that whoever can write a cache could write any file of a job that
 * holds a token for deleting. Here the content of a cache is one text, and it becomes this one file.
 */

/** The one file, in the working folder. It is a part of what caches are found by, so it never changes. */
export const memoryFile = 'ghcr-retention-manifests.txt'

/** Bytes; no memory comes near it, and nothing that a cache holds may fill the machine's. */
const largestMemory = 256 * 1024 * 1024

/** Packs the file into the archive that is to be uploaded. */
export async function createTar(
  folder: string,
  _paths: readonly string[],
  compression: string,
): Promise<void> {
  // The names under which the library looks for what was packed.
  const name = compression === 'gzip' ? 'cache.tgz' : 'cache.tzst'
  await writeFile(join(folder, name), await promisify(gzip)(await readFile(memoryFile)))
}

/** Writes the file from an archive that was downloaded; what is no such archive is an empty text. */
export async function extractTar(archive: string): Promise<void> {
  const options = { maxOutputLength: largestMemory }
  const text = await promisify(gunzip)(await readFile(archive), options).catch(() => '')
  await writeFile(memoryFile, text)
}

/** There is nothing to list. */
export function listTar(): Promise<void> {
  return Promise.resolve()
}
