import type { Refs, Use } from './model.js'
import { entryFor, refNeeds } from './policy/policy-set.js'
import type { Policy, PolicyEntry, PolicySet, Protection } from './policy/policy.js'
import { referencesIn, usesOf, type ImageNames, type Reference } from './references.js'
import type { RefNeeds } from './repositories.js'
import type { WorkspaceFile } from './workspace.js'

/** What policies ask of the world outside the registry. */
export interface Surroundings {
  /** The files of the checkout that entries name. */
  readonly files: readonly WorkspaceFile[]
  /** How these files name the images of the account. */
  readonly images: ImageNames
  /** Looks up open pull requests and branches of a repository. */
  readonly lookUpRefs: (repository: string, needs: RefNeeds) => Promise<Refs>
  /** Hears of what cannot be known, again for every package and look that it concerns. */
  readonly warned: (message: string) => void
}

/** A reference of which nothing but the package is known may mean any of its tags. */
function protectionOf({ reference, file, line }: Use): Protection {
  const pattern = { source: reference, matches: () => true }
  return { pattern, origin: { place: `${file}:${line}` } }
}

/** The policy of each package of a run, with what it asks of files and of repositories. */
export class Policies {
  readonly #set: PolicySet
  readonly #surroundings: Surroundings
  /** By file. */
  readonly #references = new Map<WorkspaceFile, Reference[]>()

  constructor(set: PolicySet, surroundings: Surroundings) {
    this.#set = set
    this.#surroundings = surroundings
  }

  /** Whether the policy says anything of a package. */
  isAbout(name: string): boolean {
    return entryFor(this.#set, name) !== undefined
  }

  /** Without what has to be looked up again and again. Undefined for a package that the policy says nothing of. */
  policyOf(name: string): Policy | undefined {
    const entry = entryFor(this.#set, name)
    if (entry === undefined) return undefined
    const references = this.#referencesOf(entry)
    const { uses, protect, unknown } = usesOf(references, name)
    for (const use of unknown) this.#warnOfUse(use)
    if (entry.protectFrom.length > 0 && references.length === 0) {
      const { registry, account } = this.#surroundings.images
      this.#surroundings.warned(
        `The files of protect-from (${entry.protectFrom[0]?.origin.place ?? ''}) name no image of ${registry}/${account}, so they protect nothing.`,
      )
    }
    const all = [...entry.policy.protect, ...protect, ...unknown.map(protectionOf)]
    return { ...entry.policy, protect: all, uses }
  }

  /**
   * The pull requests and branches that there are now, for the rules of a package that ask; undefined when none does.
   *
   * @throws RetentionError when there is no time left
   */
  async refsFor(name: string): Promise<Refs | undefined> {
    const entry = entryFor(this.#set, name)
    if (entry === undefined) return undefined
    const needs = refNeeds(entry.policy)
    if (!needs.pulls && !needs.branches) return undefined
    const repository = entry.repository ?? this.#ownRepositoryOf(name)
    if (repository === undefined) return this.#withoutRepository(name)
    const refs = await this.#surroundings.lookUpRefs(repository, needs)
    this.#warnOf(repository, refs, needs)
    return refs
  }

  /** A package that is called like the repository of the run, or by it and a slash, is taken to come from there. */
  #ownRepositoryOf(name: string): string | undefined {
    const { repository } = this.#surroundings.images
    const own = repository?.split('/')[1]?.toLowerCase()
    return own !== undefined && (name === own || name.startsWith(`${own}/`))
      ? repository
      : undefined
  }

  #withoutRepository(name: string): Refs {
    const unknown = { why: `the policy names no repository for ${name}` }
    this.#surroundings.warned(
      `Which pull requests and branches the tags of ${name} mean is not known, so they stay: the policy names no repository for it, and it is not called like the one of this run. Write repository: owner/name.`,
    )
    return { openPullRequests: unknown, branches: unknown }
  }

  #referencesOf({ protectFrom }: PolicyEntry): readonly Reference[] {
    return this.#surroundings.files
      .filter(({ sources }) => protectFrom.some(({ source }) => sources.has(source)))
      .flatMap((file) => this.#referencesIn(file))
  }

  #referencesIn(file: WorkspaceFile): readonly Reference[] {
    const known = this.#references.get(file)
    if (known !== undefined) return known
    const found = referencesIn(file.text, file.path, this.#surroundings.images)
    this.#references.set(file, found)
    return found
  }

  #warnOfUse({ reference, file, line }: Use): void {
    this.#surroundings.warned(
      `${file}:${line}: which tag is in use cannot be known from ${reference}, so every tag stays that it may mean.`,
    )
  }

  #warnOf(repository: string, { openPullRequests, branches }: Refs, needs: RefNeeds): void {
    const asked = [
      ...(needs.pulls ? [openPullRequests] : []),
      ...(needs.branches ? [branches] : []),
    ]
    for (const list of asked)
      if ('why' in list)
        this.#surroundings.warned(
          `What is gone from ${repository} is not known, so it stays: ${list.why}.`,
        )
  }
}
