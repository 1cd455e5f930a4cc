import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { PolicyText } from './input-policy.js'

/** No policy that people write comes near it. */
const largestPolicy = 1024 * 1024

const longestPath = 1024

/** The text of a policy file, or words for why there is none. @param path as it was given, relative to the workspace */
export async function readPolicyText(workspace: string, path: string): Promise<PolicyText> {
  const place = resolve(workspace, path)
  if (path.length > longestPath)
    return { path: `${path.slice(0, 40)}…`, problem: 'its path is longer than any path is' }
  try {
    const found = await stat(place)
    if (!found.isFile()) return { path, problem: `${path} is no file; it takes the path of one` }
    if (found.size > largestPolicy)
      return { path, problem: `${path} is larger than 1 MiB; it takes a policy file` }
    return { path, text: await readFile(place, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return { path, problem: code === 'ENOENT' ? absent(path) : `${path} cannot be read (${code})` }
  }
}

function absent(path: string): string {
  return `${path} is not there; in a workflow, check the repository out before this step`
}
