/**
 * Builds the action from the real source with deliberate defects in it, for tests that must notice them:
 * node scripts/broken-bundle.mjs <outfile.mjs> <file> <text> <replacement> [<file> <text> <replacement> …]
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle, root } from './bundle.mjs'

/**
 * @typedef {object} Defect
 * @property {string} file path of a source file
 * @property {string} text what stands there, exactly once
 * @property {string} replacement
 */

/**
 * Writes the action with these defects to a file, and beside it the program that talks to the cache.
 * @param {string} outfile a path that ends in .mjs
 * @param {Defect[]} defects
 * @throws when a text does not stand in its file exactly once, or its file is no part of the action
 */
export async function buildBroken(outfile, defects) {
  const applied = new Set()
  const [index, cache] = await Promise.all(
    ['index', 'cache'].map((name) => bundle(name, [breaking(defects, applied)])),
  )
  for (const { file } of defects) {
    if (!applied.has(file)) throw new Error(`${file} is no part of the action`)
  }
  await writeFile(outfile, index.text)
  await writeFile(join(dirname(outfile), 'cache.js'), cache.text)
  await writeFile(join(dirname(outfile), 'package.json'), '{ "type": "module" }')
}

function breaking(defects, applied) {
  return {
    name: 'breaking',
    setup(build) {
      for (const file of new Set(defects.map((defect) => defect.file))) {
        const own = defects.filter((defect) => defect.file === file)
        build.onLoad({ filter: endingWith(file) }, async ({ path }) => {
          applied.add(file)
          return { contents: own.reduce(broken, await readFile(path, 'utf8')), loader: 'ts' }
        })
      }
    },
  }
}

function endingWith(file) {
  const path = join(root, file).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  return new RegExp(`^${path}$`)
}

function broken(source, { file, text, replacement }) {
  const parts = source.split(text)
  if (parts.length === 2) return parts.join(replacement)
  throw new Error(`${file} has this ${parts.length - 1} times and not once:\n${text}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [outfile, ...rest] = process.argv.slice(2)
  // A sabotage of the whole test run reaches the actions that its tests build, too.
  const defects = JSON.parse(process.env.MORE_DEFECTS ?? '[]')
  for (let i = 0; i < rest.length; i += 3) {
    const [file, text, replacement] = rest.slice(i, i + 3)
    defects.push({ file, text, replacement })
  }
  await buildBroken(outfile, defects)
}
