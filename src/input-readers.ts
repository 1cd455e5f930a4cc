import { isDigest, type Digest } from './model.js'
import { durationForm, parseDuration } from './policy/durations.js'
import type { Ceiling } from './policy/policy.js'
import {
  compileNamePatterns,
  compileTagPatterns,
  needsListing,
  splitList,
  type PatternList,
} from './policy/patterns.js'

/** How much to tell; each level shows what the ones before it show. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Which packages to look at. Only patterns need the account's packages to be listed. */
export type PackageSelection =
  | { readonly kind: 'exact'; readonly names: readonly string[] }
  | { readonly kind: 'patterns'; readonly patterns: PatternList }

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** A login; undefined for `user`, the token's own account. @throws Error in words for the reader, as every reader here */
export function readAccount(text: string): string | undefined {
  if (text === 'user') return undefined
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(text)) return text
  throw new Error(
    `${quote(text)} is not an account; it takes a login, or "user" for the token's own`,
  )
}

/** Nothing shorter is a token, and hiding it would tear holes into every text. */
export const shortestToken = 8

/** The text is never quoted back: it is a secret. */
export function readToken(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new Error(
      'the value has spaces or other characters that no token has; it takes one token',
    )
  if (text.length < shortestToken)
    throw new Error('the value is shorter than any token is; it takes one token')
  return text
}

const nameForm =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

/** Names follow https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
export function readNames(text: string): PackageSelection {
  const entries = nonEmptyList(text, 'package names').map((entry) => entry.toLowerCase())
  for (const entry of entries) {
    if (/^!?(?:[a-z]+:\/\/|ghcr\.io\/|containers\.[^/]+\/)/.test(entry)) {
      throw new Error(
        `${quote(entry)} has a registry in front; it takes only the name after the account`,
      )
    }
  }
  if (entries.some(needsListing))
    return { kind: 'patterns', patterns: compileNamePatterns(entries) }
  const bad = entries.find((entry) => !nameForm.test(entry))
  if (bad !== undefined) {
    throw new Error(
      `${quote(bad)} is not a package name; it takes names such as "api" or "team/api", or globs`,
    )
  }
  return { kind: 'exact', names: [...new Set(entries)] }
}

/** Tag patterns, compiled. */
export function readTags(text: string): PatternList {
  return compileTagPatterns(nonEmptyList(text, 'tag patterns'))
}

/** Digests, with or without `sha256:` in front. */
export function readDigests(text: string): Digest[] {
  return nonEmptyList(text, 'digests').map((entry) => {
    const digest = entry.startsWith('sha256:') ? entry : `sha256:${entry}`
    if (isDigest(digest)) return digest
    throw new Error(
      `${quote(entry)} is not a digest; it takes "sha256:" and 64 lower-case hex digits`,
    )
  })
}

/** A value that holds only comments or quotes is a mistake, not a wish for everything. */
function nonEmptyList(text: string, what: string): string[] {
  const entries = splitList(text)
  if (entries.length === 0)
    throw new Error(`${quote(text)} holds no entry; it takes a list of ${what}`)
  return entries
}

/** Milliseconds. */
export function readDuration(text: string): number {
  const duration = parseDuration(text)
  if (duration !== undefined) return duration
  throw new Error(`${quote(text)} is not a duration; it takes ${durationForm}`)
}

/** Milliseconds above zero. */
export function readTimeBudget(text: string): number {
  const duration = readDuration(text)
  if (duration > 0) return duration
  throw new Error(`${quote(text)} leaves no time at all; it takes a duration above zero`)
}

/** A reader of whole numbers within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
    if (value >= least && value <= most) return value
    throw new Error(`${quote(text)} is not a whole number from ${least} to ${most}`)
  }
}

/** Whole percents, as a share from 0 to 0.9: a run that leaves more than that to others could do next to nothing. */
export function readShare(text: string): number {
  const percent = /^\d{1,2}\s*%?$/.test(text) ? parseInt(text, 10) : NaN
  if (percent <= 90) return percent / 100
  throw new Error(`${quote(text)} is not a whole percentage from 0% to 90%`)
}

/** A number of versions, or whole percents of those that a package has. */
export function readCeiling(text: string): Ceiling {
  const count = /^\d{1,8}$/.test(text) ? Number(text) : NaN
  if (count <= 10_000_000) return { count }
  const percent = /^\d{1,3}\s*%$/.test(text) ? parseInt(text, 10) : NaN
  if (percent <= 100) return { percent }
  throw new Error(
    `${quote(text)} is neither a whole number from 0 to 10000000 nor a percentage from 0% to 100%`,
  )
}

/** A reader of one of a few words, in any case. */
export function oneOf<const T extends string>(...words: T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text.toLowerCase())
    if (word !== undefined) return word
    throw new Error(`${quote(text)} is not one of ${words.join(', ')}`)
  }
}

/** `true` or `false`. */
export function readSwitch(text: string): boolean {
  return oneOf('true', 'false')(text) === 'true'
}

/** https://docs.rs/env_logger: `level`, or `module=level` pieces joined by commas. */
export function readRustLog(text: string): LogLevel {
  const pieces = text.split(',').map((piece) => piece.trim().split('='))
  const own = pieces.find(
    ([module, level]) => level !== undefined && module === 'container_retention_policy',
  )
  const bare = pieces.find(([, level]) => level === undefined)
  const level = (own?.[1] ?? bare?.[0] ?? 'info').toLowerCase()
  const levels = {
    off: 'error',
    error: 'error',
    warn: 'warn',
    info: 'info',
    debug: 'debug',
    trace: 'debug',
  } as const
  const known = Object.entries(levels).find(([name]) => name === level)
  if (known !== undefined) return known[1]
  throw new Error(`${quote(text)} has no log level; it takes error, warn, info, debug or trace`)
}

/** Accepts a host or a URL. */
export function readRegistry(text: string): string {
  const url = parseUrl(/^https?:\/\//.test(text) ? text : `https://${text}`)
  const isHost = hostForm.test(url?.hostname ?? '')
  if (!isHost || url?.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new Error(`${quote(text)} is not a registry; it takes a host such as ghcr.io`)
  }
  const unsafe = unsafeAddress(url.href)
  if (unsafe !== undefined) throw new Error(unsafe)
  return url.origin
}

/** A name in labels, or an address in brackets. */
const hostForm =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/

/** Plain http would show the token to the network, so only this machine may be spoken to like that. */
export function unsafeAddress(address: string): string | undefined {
  const url = parseUrl(address)
  if (url === undefined) return `${quote(address)} is not an address; it takes an https URL`
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback)
    ? undefined
    : `${quote(address)} would send the token unencrypted; it takes an https address`
}

/** https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry */
export function registryOf(serverUrl: string): string {
  const host = parseUrl(serverUrl)?.hostname ?? 'github.com'
  return host === 'github.com' ? 'https://ghcr.io' : `https://containers.${host}`
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
