/**
 * Writes what the code knows of inputs, outputs and policy files where users read it: action.yml, node24/action.yml, the
 * tables in README.md and schema/policy.schema.json. With --check it writes nothing, and fails naming every file that is
 * not up to date.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { format, resolveConfig } from 'prettier'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Loads the tables and the schema from the TypeScript source. */
async function loadDefinitions() {
  const result = await build({
    stdin: {
      contents: `
        export { inputDefinitions } from './src/input-table.js'
        export { outputDefinitions } from './src/report/outputs.js'
        export { policyJsonSchema } from './src/policy/file/json-schema.js'`,
      resolveDir: root,
    },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    write: false,
    logLevel: 'warning',
  })
  const code = Buffer.from(result.outputFiles[0].contents).toString('base64')
  return import(`data:text/javascript;base64,${code}`)
}

function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`
}

/** The text of an action file; the two differ in the runtime alone. */
function actionFile({ inputDefinitions, outputDefinitions }, using, main) {
  const inputs = Object.entries(inputDefinitions).flatMap(([name, input]) => [
    `  ${name}:`,
    `    description: ${quoted(input.description)}`,
    ...(input.default === undefined ? [] : [`    default: ${quoted(input.default)}`]),
  ])
  const outputs = Object.entries(outputDefinitions).flatMap(([name, description]) => [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
  ])
  return `# Written by "node scripts/docs.mjs" from src/input-table.ts and src/report/outputs.ts. Change those, not this file.
name: GHCR Retention
description: Prune old container images from GitHub Container Registry by a retention policy, and never break an image that stays.
author: the ghcr-retention authors
branding:
  icon: archive
  color: blue

inputs:
${inputs.join('\n')}

outputs:
${outputs.join('\n')}

runs:
  using: ${using}
  main: ${main}
`
}

function table(columns, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

function inputTable({ inputDefinitions }) {
  const rows = Object.entries(inputDefinitions).map(([name, input]) => [
    `\`${name}\``,
    input.required
      ? `**required** ${input.required}`
      : input.default === undefined
        ? ''
        : `\`${input.default}\``,
    input.description,
  ])
  return table(['Input', 'Default', 'Meaning'], rows)
}

function outputTable({ outputDefinitions }) {
  const rows = Object.entries(outputDefinitions).map(([name, text]) => [`\`${name}\``, text])
  return table(['Output', 'Meaning'], rows)
}

/** Puts a text between `<!-- name:start -->` and `<!-- name:end -->`. */
function between(document, name, text) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const [before, rest] = document.split(start)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`README.md has no ${start} … ${end}`)
  return `${before}${start}\n\n${text}\n\n${end}${after}`
}

async function makeAll() {
  const definitions = await loadDefinitions()
  const withInputs = between(read('README.md'), 'inputs', inputTable(definitions))
  const drafts = {
    'action.yml': actionFile(definitions, 'node20', 'dist/index.js'),
    'node24/action.yml': actionFile(definitions, 'node24', '../dist/index.js'),
    'README.md': between(withInputs, 'outputs', outputTable(definitions)),
    'schema/policy.schema.json': JSON.stringify(definitions.policyJsonSchema()),
  }
  return Promise.all(
    Object.entries(drafts).map(async ([name, draft]) => {
      const filepath = join(root, name)
      const options = { ...(await resolveConfig(filepath)), filepath }
      return [name, await format(draft, options)]
    }),
  )
}

function read(name) {
  try {
    return readFileSync(join(root, name), 'utf8')
  } catch {
    return ''
  }
}

const files = await makeAll()
const stale = files.filter(([name, text]) => read(name) !== text)
if (process.argv.includes('--check')) {
  for (const [name] of stale) {
    console.error(
      `${name} does not say what the code says. Run "node scripts/docs.mjs" and commit it.`,
    )
  }
  if (stale.length > 0) process.exit(1)
  console.log(
    `${new Intl.ListFormat('en-GB').format(files.map(([name]) => name))} say what the code says.`,
  )
} else {
  for (const [name, text] of stale) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
    console.log(`${name} written.`)
  }
  if (stale.length === 0) console.log('Everything was up to date.')
}
