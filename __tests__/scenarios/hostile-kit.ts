import { expect } from '@jest/globals'
import type { Emulator } from '../../src/emulator/index.js'
import type { InputName } from '../../src/input-table.js'
import { runAction, type ActionRun } from './kit.js'

const escape = '\u001b'
/** What the tests look for: no attack of ours writes it in any other way. */
export const mark = 'PWNED'

/** Texts that a runner, a terminal or a browser could take for something else. */
export const attacks = [
  `::error::${mark}`,
  `::set-output name=deleted::${mark}`,
  `x\n::error::${mark}`,
  `x\r\n::stop-commands::${mark}`,
  `x\u2028::error::${mark}`,
  `##[error]${mark}`,
  `x ##[set-output name=deleted]${mark}`,
  `${escape}[2J${escape}]0;${mark}\u0007`,
  `\u202e${mark}\u200b`,
  `</code><img src=x onerror=${mark}>`,
  `</details><script>${mark}</script>`,
  `| ${mark} | ${mark} |`,
  `[${mark}](https://evil.example)`,
  `![${mark}](https://evil.example/x.png)`,
  `\`\`\`\n# ${mark}`,
  `@${mark} https://${mark}.example`,
  `$(${mark}) %0A::error::${mark}`,
]

/** The runner's commands that this action gives itself. */
const ownCommands =
  /^::(?:add-mask|debug|error|warning|group|endgroup)::(?!error::|set-output|stop-commands)/

/**
 * Reads the log as the runner does: `::` commands stand at the start of a line, `##[` ones anywhere.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function expectHarmlessLog({ log }: Pick<ActionRun, 'log'>): void {
  const lines = log.split('\n')
  const commands = lines.filter((line) => line.trimStart().startsWith('::'))
  expect(commands.filter((line) => !ownCommands.test(line))).toEqual([])
  // A line break in a command's data, which the runner shows as one, starts no command either.
  expect(commands.filter((line) => /%0[AD]\s*(?:::|##\[)/.test(line))).toEqual([])
  const plain = lines.filter((line) => !commands.includes(line))
  expect(plain.filter((line) => line.includes('##['))).toEqual([])
  expect(unprintable(log)).toEqual([])
}

/** Control and format characters other than the line feed. */
function unprintable(text: string): string[] {
  return Array.from(text.matchAll(/[^\P{C}\n]/gu), ([character]) => character)
}

/** GitHub renders the summary: nothing of ours may be markup. */
export function expectHarmlessSummary({ summary }: ActionRun): void {
  expect(summary).not.toMatch(/<(?:img|script)|onerror=PWNED>|\]\(https?:|https?:\/\/|@PWNED/)
  expect(summary).not.toMatch(/^#+ PWNED/m)
  const tables = summary.split('\n\n').filter((text) => text.startsWith('| '))
  for (const table of tables) {
    const widths = table.split('\n').map((line) => line.split('|').length)
    expect(new Set(widths).size).toBe(1)
  }
  expect(unprintable(summary)).toEqual([])
}

/** Runs dry, and then live, which it gives. Neither does harm. */
export async function runHarmlessly(
  emulator: Emulator,
  inputs: Partial<Record<InputName, string>>,
  env: Record<string, string> = {},
): Promise<ActionRun> {
  const dry = await runAction(emulator, { ...inputs, 'dry-run': 'true' }, env)
  const live = await runAction(emulator, inputs, env)
  for (const run of [dry, live]) {
    expectHarmlessLog(run)
    expectHarmlessSummary(run)
  }
  return live
}
