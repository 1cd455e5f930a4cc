/** A user or an organization; its packages live under its login. */
export interface Account {
  readonly id: number
  readonly login: string
  readonly type: 'Organization' | 'User'
}

/** An account to make; without an id the next free one is taken. */
export interface AccountSpec {
  login: string
  type: 'Organization' | 'User'
  id?: number
}

/** All accounts, by login (not case sensitive) and by numeric id. */
export class Accounts {
  private readonly byLogin = new Map<string, Account>()
  private readonly byId = new Map<number, Account>()
  private nextId = 54_834_201

  /** Adds an account. @throws Error when the login or the id is taken */
  add(spec: AccountSpec): Account {
    const account = { ...spec, id: spec.id ?? this.nextId++ }
    if (this.find(spec.login) ?? this.byId.get(account.id)) {
      throw new Error(`account ${spec.login} (${account.id}) exists already`)
    }
    this.byLogin.set(spec.login.toLowerCase(), account)
    this.byId.set(account.id, account)
    return account
  }

  /** The account of a login, made now when it is not there. */
  ensure(login: string, type: Account['type']): Account {
    return this.find(login) ?? this.add({ login, type })
  }

  /** The account of a login, in any case of letters. */
  find(login: string): Account | undefined {
    return this.byLogin.get(login.toLowerCase())
  }

  /** The account of a numeric id, as Link headers name it. */
  findById(id: number): Account | undefined {
    return this.byId.get(id)
  }
}
