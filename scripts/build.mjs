/**
 * Builds the bundles and their licence list into dist/.
 * With --check it builds into memory, compares with dist/, and fails on any difference.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bundle, root } from './bundle.mjs'

const dist = join(root, 'dist')
const bundles = ['index', 'cli', 'cache']

/** The folder of the package that an input file belongs to, or undefined for our own source. */
function packageFolder(input) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
  return match?.[1]
}

function licenceText(folder) {
  for (const name of [
    'LICENSE',
    'LICENSE.md',
    'LICENSE.txt',
    'LICENCE',
    'license',
    'license.md',
    'LICENSE-MIT',
  ]) {
    try {
      return readFileSync(join(root, folder, name), 'utf8').trim()
    } catch {
      // Not under this name: the next one is tried.
    }
  }
  return '(the package ships no licence file; the licence named above applies)'
}

function licenceList(inputs) {
  const folders = [
    ...new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined)),
  ].sort()
  const sections = folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const heading = `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`
    return `${heading}\n${'-'.repeat(heading.length)}\n${licenceText(folder)}\n`
  })
  return [...new Set(sections)].join('\n')
}

async function buildAll() {
  const built = await Promise.all(bundles.map((name) => bundle(name)))
  const files = new Map(bundles.map((name, i) => [`${name}.js`, built[i].text]))
  files.set('licenses.txt', licenceList(built.flatMap((b) => b.inputs)))
  // dist/ is a scope of its own: it says that its files are ES modules wherever it is copied.
  files.set('package.json', '{ "type": "module" }\n')
  return files
}

function readIfPresent(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const files = await buildAll()
if (process.argv.includes('--check')) {
  const stale = [...files]
    .filter(([name, text]) => readIfPresent(join(dist, name)) !== text)
    .map(([name]) => name)
  if (stale.length > 0) {
    console.error(
      `dist is not what the source builds: ${stale.join(', ')}. Run "npm run build" and commit the result.`,
    )
    process.exit(1)
  }
  console.log('dist is what the source builds.')
} else {
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  for (const [name, text] of files) {
    writeFileSync(join(dist, name), text, { mode: name === 'cli.js' ? 0o755 : 0o644 })
    console.log(`${relative(root, join(dist, name))}  ${(text.length / 1024).toFixed(0)} kB`)
  }
}
