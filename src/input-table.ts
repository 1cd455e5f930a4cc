/** One input as users see it; `action.yml`, the command line's flags and the README are held to this table. */
export interface InputDefinition {
  readonly description: string
  /** The value when unset; an expression in `action.yml`, found out from the environment elsewhere. */
  readonly default?: string
  /** Without it a run of mode `prune` is refused. The runner is not told: neither a policy file nor mode `packages` needs it. */
  readonly required?: 'to prune without policy'
  /** The command line's placeholder for the value; a flag without one takes none. */
  readonly placeholder?: string
  /** The command line has no such flag. */
  readonly actionOnly?: true
}

/** Every input, in the order in which the documentation shows them. */
export const inputDefinitions = {
  account: {
    description:
      'Organization or user that owns the packages. `user` stands for the account of the token itself.',
    default: '${{ github.repository_owner }}',
    placeholder: 'login',
  },
  token: {
    description:
      'Classic personal access token with `read:packages` and `delete:packages`, or `GITHUB_TOKEN` of a repository with the Admin role on the package.',
    default: '${{ github.token }}',
    placeholder: 'token',
  },
  'image-names': {
    description:
      'Packages to look at: exact names, or globs with `*`, and `!` to exclude. Globs need a token that may list packages, so not `GITHUB_TOKEN`. Unset: the name of the repository.',
    placeholder: 'list',
  },
  policy: {
    description:
      'Path of a policy file (docs/policy.md) instead of `image-tags`, `cut-off`, `tag-selection`, `keep-n-most-recent` and `timestamp-to-use`. `image-names` unset: the packages that the file names.',
    placeholder: 'path',
  },
  'image-tags': {
    description:
      'Tagged images only: globs, `/regular expressions/` that match a whole tag, and `!` to keep. With patterns that do not start with `!`, every tag of an image must match one of them.',
    placeholder: 'list',
  },
  'cut-off': {
    description: 'Only images at least this old may go: `2w 3d`, `1h30m`, `1 day 2 hours`, `0s`.',
    required: 'to prune without policy',
    placeholder: 'duration',
  },
  'tag-selection': {
    description: 'Which images may go: `tagged`, `untagged` or `both`.',
    default: 'both',
    placeholder: 'kind',
  },
  'keep-n-most-recent': {
    description: 'Of the tagged images that would go, the newest this many stay in each package.',
    default: '0',
    placeholder: 'number',
  },
  'timestamp-to-use': {
    description: 'What an image is as old as: `updated_at` or `created_at`.',
    default: 'updated_at',
    placeholder: 'timestamp',
  },
  'skip-shas': {
    description: 'Digests (`sha256:…`) to keep, with everything that belongs to them.',
    placeholder: 'list',
  },
  'shas-to-skip': { description: 'Another name for `skip-shas`.', placeholder: 'list' },
  'dry-run': {
    description: 'Show the plan and change nothing.',
    default: 'false',
  },
  'log-level': {
    description: 'How much to tell: `error`, `warn`, `info` or `debug`.',
    default: 'info',
    placeholder: 'level',
  },
  'rust-log': {
    description: 'Accepted from users of another action and translated to `log-level`.',
    placeholder: 'directives',
  },
  grace: {
    description:
      'Nothing pushed or changed within this time is deleted, whatever else is set. Unset: `1h`, or what the policy file says.',
    placeholder: 'duration',
  },
  'max-deletions': {
    description:
      'A package in which more versions than this would go is left alone, and the run fails: a number, or a share such as `50%`.',
    placeholder: 'number',
  },
  verify: {
    description:
      'After the deletes, ask the registry whether what stays and was related to a deleted version is still whole.',
    default: 'true',
    placeholder: 'true|false',
  },
  'remember-manifests': {
    description:
      'Keep what was read of manifests for the next run, so that only new ones are read: in the cache of GitHub Actions, or on the command line in a folder.',
    default: 'true',
    placeholder: 'true|false',
  },
  'time-budget': {
    description: 'Stop cleanly before this much time has passed; the next run goes on.',
    placeholder: 'duration',
  },
  'deletes-per-minute': {
    description:
      'The fastest pace of deletion; github.com bears at most 180. The run slows down by itself when GitHub asks for it.',
    default: '150',
    placeholder: 'number',
  },
  'quota-reserve': {
    description:
      'The share of the hourly API quota that is left to whatever else uses the token. The run stops cleanly when only that is left.',
    default: '10%',
    placeholder: 'percent',
  },
  registry: {
    description:
      'The container registry. Unset: `ghcr.io`, or the one of the GitHub server that the workflow runs on.',
    placeholder: 'host',
  },
  mode: {
    description:
      '`prune`, or `packages`: only write the names of the packages to the output `packages`, for a matrix. Nothing is deleted.',
    default: 'prune',
    actionOnly: true,
  },
} as const satisfies Record<string, InputDefinition>

export type InputName = keyof typeof inputDefinitions

/** The value of an unset input; an expression is for the runner alone. */
export function defaultOf(input: InputName): string {
  const definition: InputDefinition = inputDefinitions[input]
  const { default: value = '' } = definition
  return value.startsWith('${{') ? '' : value
}
