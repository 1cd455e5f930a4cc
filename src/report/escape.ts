/** C0 and C1 controls, and characters that reorder or hide text. */
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Shows characters that could move the cursor, break the line or hide text as what they are: `\u{1b}`. */
function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

/**
 * A line that the runner cannot take for one of its commands, whatever text it carries: it looks for `::` at the start
 * of a line and for `##[` anywhere.
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 */
export function logLine(text: string): string {
  const line = printable(text).replaceAll('##[', '# #[')
  return /^\s*::/.test(line) ? `\u00b7 ${line}` : line
}

/** Text for a table cell or a sentence of the job summary: no HTML, no Markdown, no mention, no link. */
export function markdownText(text: string): string {
  return printable(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~@:"'$-]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Markdown code that shows a text as it is. */
export function markdownCode(text: string): string {
  return `<code>${markdownText(text)}</code>`
}
