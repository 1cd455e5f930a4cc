import { describe, expect, test } from '@jest/globals'
import { compileTypePattern } from '../../src/policy/image-types.js'
import type { Typed } from '../../src/policy/policy.js'

const index = 'application/vnd.oci.image.index.v1+json'
const manifest = 'application/vnd.oci.image.manifest.v1+json'
const image: Typed = { types: [manifest], isRunnable: true }
const multiArch: Typed = { types: [index], isRunnable: true }
const chart = artifact('application/vnd.cncf.helm.config.v1+json')
const wasm = artifact('application/vnd.wasm.config.v0+json')
const oldWasm = artifact('application/vnd.wasm.content.layer.v1+wasm')
const signature = artifact('application/vnd.dev.sigstore.bundle.v0.3+json')
const cloud = artifact('application/vnd.wasmcloud.provider')

function artifact(type: string): Typed {
  return { types: [manifest, type], isRunnable: false }
}

const all = { image, multiArch, chart, wasm, oldWasm, signature, cloud }

test.each([
  ['image', 'image multiArch'],
  ['chart', 'chart'],
  ['wasm', 'wasm oldWasm'],
  ['application/vnd.cncf.helm.config.v1+json', 'chart'],
  ['application/vnd.cncf.helm.*', 'chart'],
  ['APPLICATION/vnd.CNCF.*', 'chart'],
  ['*sigstore*', 'signature'],
  ['application/vnd.oci.image.{index,nothing}*', 'multiArch'],
  ['application/*wasm*', 'wasm oldWasm cloud'],
  ['*', 'image multiArch chart wasm oldWasm signature cloud'],
  ['*/*', 'image multiArch chart wasm oldWasm signature cloud'],
  ['application/vnd.cncf.helm', ''],
])('%j selects %s', (source, names) => {
  const pattern = compileTypePattern(source)
  expect(pattern.source).toBe(source)
  const selected = Object.entries(all).filter(([, typed]) => pattern.matches(typed))
  expect(selected.map(([name]) => name).join(' ')).toBe(names)
})

describe('is no type:', () => {
  test.each([
    [
      'charts',
      /"charts" is no type; it takes image, chart, wasm, or a glob .*; did you mean chart\?$/,
    ],
    [
      'signature',
      /"signature" is no type; it takes image, chart, wasm, or a glob such as "[^"]+"$/,
    ],
    ['constructor', /"constructor" is no type/],
    ['a b/*', /"a b\/\*" can never match: no type has a " " in it/],
    ['application/{a', /opens and closes "{" unequally/],
    ['*'.repeat(257), /longer than 256 characters/],
  ])('%j', (source, words) => {
    expect(() => compileTypePattern(source)).toThrow(words)
  })
})
