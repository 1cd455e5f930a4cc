/** A repository to make, or one that is there to add to. */
export interface RepositorySpec {
  /** `owner/name`; the owner is made as an organization when unknown. */
  repository: string
  /** Default: private. */
  visibility?: 'public' | 'private'
  /** Default for a new one: `main`. */
  branches?: readonly string[]
  /** Numbers of open pull requests. */
  pulls?: readonly number[]
}

/** A pull request. Times are epoch milliseconds. */
export interface Pull {
  readonly number: number
  /** Its branch, which need not be there any more, or is one of a fork. */
  readonly branch: string
  readonly createdAt: number
  updatedAt: number
  closedAt: number | undefined
}

/** A pull request to open; without a number the next free one is taken. */
export interface PullSpec {
  number?: number
  /** Default: `patch-<number>`. It is not made. */
  branch?: string
}

/** One repository, as far as its pull requests and branches go. */
export class RepositoryState {
  isPrivate = true
  private readonly names = new Set<string>()
  private readonly byNumber = new Map<number, Pull>()

  constructor(
    readonly id: number,
    /** As GitHub spells it. */
    readonly owner: string,
    readonly name: string,
    private readonly now: () => number,
  ) {}

  get fullName(): string {
    return `${this.owner}/${this.name}`
  }

  /** All branches in byte order, as the list of them has them. */
  branches(): string[] {
    return [...this.names].sort()
  }

  addBranch(name: string): void {
    this.names.add(name)
  }

  deleteBranch(name: string): void {
    if (!this.names.delete(name)) throw new Error(`no branch ${name} in ${this.fullName}`)
  }

  /** Every pull request there ever was, in the order of opening. */
  pulls(): Pull[] {
    return [...this.byNumber.values()]
  }

  /** Opens a pull request; gives its number. */
  openPull(spec: PullSpec = {}): number {
    const number = spec.number ?? Math.max(0, ...this.byNumber.keys()) + 1
    if (this.byNumber.has(number)) throw new Error(`pull request ${number} exists already`)
    const at = this.now()
    const branch = spec.branch ?? `patch-${number}`
    this.byNumber.set(number, {
      number,
      branch,
      createdAt: at,
      updatedAt: at,
      closedAt: undefined,
    })
    return number
  }

  /** Closes a pull request, merged or not. */
  closePull(number: number): void {
    const pull = this.needPull(number)
    pull.updatedAt = this.now()
    pull.closedAt = this.now()
  }

  reopenPull(number: number): void {
    const pull = this.needPull(number)
    pull.updatedAt = this.now()
    pull.closedAt = undefined
  }

  private needPull(number: number): Pull {
    const pull = this.byNumber.get(number)
    if (!pull) throw new Error(`no pull request ${number} in ${this.fullName}`)
    return pull
  }
}

/** All repositories, by full name (not case sensitive) and by the numeric id that links name. */
export class Repositories {
  private readonly byName = new Map<string, RepositoryState>()
  private nextId = 701_000_001

  constructor(private readonly now: () => number) {}

  /** The repository of that name, made now when it is not there. */
  ensure(owner: string, name: string): { state: RepositoryState; isNew: boolean } {
    const known = this.find(owner, name)
    if (known) return { state: known, isNew: false }
    const state = new RepositoryState(this.nextId++, owner, name, this.now)
    this.byName.set(keyOf(owner, name), state)
    return { state, isNew: true }
  }

  find(owner: string, name: string): RepositoryState | undefined {
    return this.byName.get(keyOf(owner, name))
  }

  findById(id: number): RepositoryState | undefined {
    return [...this.byName.values()].find((state) => state.id === id)
  }
}

function keyOf(owner: string, name: string): string {
  return `${owner}/${name}`.toLowerCase()
}
