/**
 * Measures the built action against the emulator, each in a process of its own, and writes what it saw to
 * docs/benchmarks.md. Takes about ten minutes and wants a machine that does nothing else.
 *
 * Usage: npm run bench -- [case …]   With names of cases it measures those alone and writes nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { cases } from './bench/cases.mjs'
import { root } from './bundle.mjs'

const all = Object.keys(cases)
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. There are: ${all.join(', ')}.`)
  process.exit(2)
}

const results = await measure(wanted.length > 0 ? wanted : all)
if (wanted.length === 0) {
  const file = join(root, 'docs/benchmarks.md')
  mkdirSync(join(root, 'docs'), { recursive: true })
  const options = { ...(await resolveConfig(file)), filepath: file }
  writeFileSync(file, await format(page(results), options))
  console.log('docs/benchmarks.md written.')
}

/** @returns what each case tells, by its name */
async function measure(names) {
  const told = new Map()
  const play = async (name) => {
    const result = await cases[name].measure()
    console.log([name, ...result.lines.map((line) => `  ${line}`)].join('\n'))
    told.set(name, result)
  }
  const waits = (name) => cases[name].mostlyWaits === true
  for (const name of names.filter((name) => !waits(name))) await play(name)
  await Promise.all(names.filter(waits).map(play))
  return told
}

function page(results) {
  const rows = all.flatMap((name) => {
    const { what, aim } = cases[name]
    const { lines, usual } = results.get(name)
    const seconds = usual === undefined ? '' : `${usual} s`
    const [first, ...others] = lines
    return [
      `| ${what} | ${aim} | ${first} | ${seconds} |`,
      ...others.map((line) => `| | | ${line} | |`),
    ]
  })
  const [{ model }] = cpus()
  const machine = `${cpus().length} cores (${model.trim()}), Node ${process.version}`
  return `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}, from one run on ${machine}. It runs the built
action in a process of its own against the emulator in another. The emulator answers as late as GitHub is known to (a page
300 ms, a delete 350 ms, a manifest 60 ms, anything else 80 ms) and keeps GitHub's published limits: 900 points a minute, of
which a delete takes 5 and anything else 1, 100 requests at once, and 1,000 or 5,000 an hour. Nothing here was measured
against GitHub itself.

The usual client, for comparison, reads one page after the other and the manifest of every version, and deletes one version a
second. What it takes is computed from the same latencies.

| Case | Aim | Measured | Usual client |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
