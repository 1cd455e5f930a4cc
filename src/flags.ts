import { basename } from 'node:path'
import { Option, type Command } from 'commander'
import type { InputDefinition, InputName } from './input-table.js'
import type { Environment, RawInputs } from './inputs.js'

/** How this program was called, for lines that can be copied. */
export const self =
  basename(process.argv[1] ?? '') === 'cli.js' ? 'node dist/cli.js' : 'ghcr-retention'

/** Values as commander gives them, by the names of the inputs. */
export type Flags = Partial<
  Record<InputName | 'plan-file' | 'memory-folder', string | boolean | undefined>
>

/** What the flag of the same name is for. */
export const memoryFolderText =
  'Keep what was read of manifests here, for the next run. Unset: a folder among the caches of your account.'

/** An input as a flag. */
export function flagOf(
  name: string,
  { description, default: fallback, placeholder }: InputDefinition,
): Option {
  const text = description.replaceAll('`', '')
  const shown =
    fallback === undefined || fallback.startsWith('${{') || placeholder === undefined
      ? ''
      : ` (default: ${fallback})`
  const hint = name === 'token' ? ' Better given as GITHUB_TOKEN in the environment.' : shown
  return new Option(
    placeholder === undefined ? `--${name}` : `--${name} <${placeholder}>`,
    text + hint,
  )
}

/** Commander names options in camel case; inputs keep their own names. */
export function flagsOf(command: Command): Flags {
  const values: Record<string, unknown> = command.opts()
  return Object.fromEntries(
    command.options.map((option) => [option.name(), values[option.attributeName()]]),
  )
}

/** What a person gave by flags and by the environment. */
export function given(flags: Flags): { inputs: RawInputs; environment: Environment } {
  const { env } = process
  const set = Object.entries(flags).filter(([, value]) => value !== undefined)
  const inputs: RawInputs = Object.fromEntries(set.map(([name, value]) => [name, String(value)]))
  return {
    inputs: { ...inputs, token: inputs.token ?? env.GITHUB_TOKEN ?? '' },
    environment: {
      repository: env.GITHUB_REPOSITORY === '' ? undefined : env.GITHUB_REPOSITORY,
      workspace: process.cwd(),
      apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
      serverUrl: env.GITHUB_SERVER_URL ?? 'https://github.com',
    },
  }
}
