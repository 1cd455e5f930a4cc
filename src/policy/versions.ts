import semver from 'semver'

/**
 * A version that a tag states. `1.2` and `1` are partial: such tags move, and stand for whatever is the newest of their
 * line.
 */
export interface TagVersion {
  readonly major: number
  readonly minor: number | undefined
  /** Undefined for a partial version. */
  readonly full: semver.SemVer | undefined
}

/** Which versions a rule is about. */
export interface SemverTest {
  /** As the user wrote it; undefined when only pre-releases matter. */
  readonly source: string | undefined
  /** Undefined: both. */
  readonly prerelease: boolean | undefined
  readonly matches: (tag: string) => boolean
}

/** OCI tags have no `+`; Helm writes `_` for it: https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes-with-v380 */
const buildMark = /_/
const tagForm =
  /^v?(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?(?:\.(?:0|[1-9]\d{0,8})(?:-[0-9A-Za-z.-]+)?(?:_[0-9A-Za-z._-]+)?)?$/

/**
 * Reads a tag as a version by https://semver.org, with or without a leading `v`. Build metadata, after `_`, is
 * left out. Partial versions have no pre-release and no build metadata.
 *
 * @returns undefined for any other tag
 */
export function versionOf(tag: string): TagVersion | undefined {
  const [, major, minor] = tagForm.exec(tag) ?? []
  if (major === undefined) return undefined
  const [core = ''] = tag.replace(/^v/, '').split(buildMark)
  const full = semver.parse(core) ?? undefined
  const isPartial = /^\d+(?:\.\d+)?$/.test(core)
  if (full === undefined && !isPartial) return undefined
  return { major: Number(major), minor: minor === undefined ? undefined : Number(minor), full }
}

const longestRange = 256
const options = { includePrerelease: true }

/**
 * Compiles a range as npm writes them. Pre-releases count by their precedence, unless `prerelease` leaves them out or asks
 * for them alone. A partial version matches when all that it may stand for is in the range; to keep, when some is.
 *
 * @throws Error in words for the reader
 */
export function compileSemver(
  source: string | undefined,
  prerelease: boolean | undefined,
  action: 'keep' | 'delete',
): SemverTest {
  const range = readRange(source ?? '*')
  const partials = new Map<string, boolean>()
  const isInRange = (line: string) => {
    const known = partials.get(line)
    if (known !== undefined) return known
    const among = action === 'keep' ? semver.intersects : semver.subset
    const is = among(line, range, options)
    partials.set(line, is)
    return is
  }
  const matches = (tag: string) => {
    const version = versionOf(tag)
    if (version === undefined) return false
    if (version.full === undefined)
      return prerelease !== true && isInRange(lineOf(version, prerelease))
    const isPrerelease = version.full.prerelease.length > 0
    return (prerelease ?? isPrerelease) === isPrerelease && range.test(version.full)
  }
  return { source, prerelease, matches }
}

/** All that a partial version may stand for, as a range. */
function lineOf({ major, minor }: TagVersion, prerelease: boolean | undefined): string {
  const first = prerelease === false ? '' : '-0'
  return minor === undefined
    ? `>=${major}.0.0${first} <${major + 1}.0.0-0`
    : `>=${major}.${minor}.0${first} <${major}.${minor + 1}.0-0`
}

function readRange(source: string): semver.Range {
  if (source.length > longestRange)
    throw new Error(`the range is longer than ${longestRange} characters`)
  try {
    return new semver.Range(source, options)
  } catch {
    throw new Error(
      `${JSON.stringify(source)} is not a range of versions; it takes ranges such as ">=1.0.0", "1.x || 2.x", "^1.2.0"`,
    )
  }
}
