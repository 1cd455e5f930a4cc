/** What a person names an image by. */
export interface ImageReference {
  readonly text: string
  /** What stands before the tag or digest: a package, with or without account and registry in front. */
  readonly repository: string | undefined
  /** A tag, a digest, or the beginning of one. */
  readonly name: string
}

/**
 * Reads a tag, a digest, or a whole reference such as `ghcr.io/acme/api:v1`, as it can be copied from elsewhere. Of a
 * tag and a digest the digest counts, as it does for clients.
 *
 * https://github.com/distribution/reference/blob/main/reference.go
 */
export function readImageReference(text: string): ImageReference {
  const { repository, tag, digest } = wholeReference.exec(text)?.groups ?? {}
  const name = digest ?? tag
  return name === undefined || repository === 'sha256'
    ? { text, repository: undefined, name: text }
    : { text, repository, name }
}

const wholeReference =
  /^(?<repository>(?:[\w.-]+:\d+\/)?[\w./-]+)(?::(?<tag>\w[\w.-]*))?(?:@(?<digest>sha256:[0-9a-f]+))?$/

/** Whether a reference may mean an image of a package. */
export function isOfPackage(
  { repository }: ImageReference,
  account: string,
  name: string,
): boolean {
  if (repository === undefined) return true
  const [written, own, whole] = [repository, name, `${account}/${name}`].map((text) =>
    text.toLowerCase(),
  )
  return written === own || `/${written ?? ''}`.endsWith(`/${whole ?? ''}`)
}
