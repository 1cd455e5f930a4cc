import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inputDefinitions, type InputDefinition } from '../../src/input-table.js'
import { outputDefinitions } from '../../src/report/outputs.js'

/** The part of YAML that action files are written in: nested keys, and scalars on one line. */
interface Section {
  [key: string]: string | Section
}

const files = ['action.yml', 'node24/action.yml']

/** @throws Error at a line that is not `key: value`, so that nothing in the file goes unseen */
function readAction(path: string): Section {
  const top: Section = {}
  const open: Section[] = [top]
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, indent, key, value] = /^((?: {2})*)([a-z0-9-]+):(?: (\S.*))?$/.exec(line) ?? []
    if (indent === undefined || key === undefined) throw new Error(`${path}: ${line}`)
    const depth = indent.length / 2
    const parent = open[depth]
    if (parent === undefined || key in parent) throw new Error(`${path}: ${line}`)
    const section: Section = {}
    parent[key] = value === undefined ? section : scalar(value)
    open.splice(depth + 1, Infinity, ...(value === undefined ? [section] : []))
  }
  return top
}

function scalar(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'")
  if (/^["|>&*!%@`[{]/.test(text) || text.includes(' #')) throw new Error(`not plain: ${text}`)
  return text
}

test.each(files)('%s has the inputs of the code, with their words and defaults', (path) => {
  const inputs = Object.entries<InputDefinition>(inputDefinitions).map(([name, input]) => [
    name,
    {
      description: input.description,
      ...(input.default === undefined ? {} : { default: input.default }),
    },
  ])
  expect(readAction(path).inputs).toEqual(Object.fromEntries(inputs))
})

test.each(files)('%s has the outputs of the code, with their words', (path) => {
  const outputs = Object.entries(outputDefinitions).map(([name, description]) => [
    name,
    { description },
  ])
  expect(readAction(path).outputs).toEqual(Object.fromEntries(outputs))
})

test('to prune without a policy file, only cut-off must be given', () => {
  const required = Object.entries<InputDefinition>(inputDefinitions)
    .filter(([, input]) => input.required === 'to prune without policy')
    .map(([name]) => name)
  expect(required).toEqual(['cut-off'])
})

test('the two action files differ in the runtime alone', () => {
  const [node20, node24] = files.map(readAction)
  expect(node20?.runs).toEqual({ using: 'node20', main: 'dist/index.js' })
  expect(node24?.runs).toEqual({ using: 'node24', main: '../dist/index.js' })
  expect({ ...node24, runs: node20?.runs }).toEqual(node20)
})

test.each(files)('%s starts a file that is there', (path) => {
  const { main } = readAction(path).runs as { main: string }
  expect(existsSync(join(dirname(path), main))).toBe(true)
})

test('the description is short enough for the Marketplace', () => {
  expect(readAction('action.yml').description).toMatch(/^.{1,125}$/)
})
