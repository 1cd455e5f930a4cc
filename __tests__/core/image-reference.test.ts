import { describe, expect, test } from '@jest/globals'
import { isOfPackage, readImageReference } from '../../src/image-reference.js'

const digest = `sha256:${'0a'.repeat(32)}`

describe('what a person names an image by', () => {
  test.each([
    ['v1.2.3', undefined, 'v1.2.3'],
    [digest, undefined, digest],
    ['sha256:0a0a', undefined, 'sha256:0a0a'],
    ['0a0a', undefined, '0a0a'],
    ['api:v1', 'api', 'v1'],
    ['team/api:v1', 'team/api', 'v1'],
    ['ghcr.io/acme/api:v1', 'ghcr.io/acme/api', 'v1'],
    ['localhost:5000/acme/api:v1', 'localhost:5000/acme/api', 'v1'],
    [`ghcr.io/acme/api@${digest}`, 'ghcr.io/acme/api', digest],
    [`ghcr.io/acme/api:v1@${digest}`, 'ghcr.io/acme/api', digest],
    ['', undefined, ''],
    ['api:', undefined, 'api:'],
    ['localhost:5000/acme/api', undefined, 'localhost:5000/acme/api'],
  ])('%j', (text, repository, name) => {
    expect(readImageReference(text)).toEqual({ text, repository, name })
  })
})

describe('which package it is in', () => {
  const isOf = (text: string, name: string) => isOfPackage(readImageReference(text), 'Acme', name)

  test.each([
    ['v1', 'api', true],
    ['api:v1', 'api', true],
    ['API:v1', 'api', true],
    ['acme/api:v1', 'api', true],
    ['ghcr.io/acme/api:v1', 'api', true],
    ['ghcr.io/acme/team/api:v1', 'team/api', true],
    ['team/api:v1', 'team/api', true],
    ['web:v1', 'api', false],
    ['my-acme/api:v1', 'api', false],
    ['other/api:v1', 'api', false],
    ['team/api:v1', 'api', false],
    ['api:v1', 'team/api', false],
  ])('%j in %j: %j', (text, name, is) => {
    expect(isOf(text, name)).toBe(is)
  })
})
