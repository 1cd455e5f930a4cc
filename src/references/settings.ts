import type { Field } from './fields.js'

/**
 * Settings of commands, `--set image.repository=ghcr.io/acme/api,image.tag=1.2.3`: in one command, those of one path are
 * like the keys of one mapping.
 *
 * https://helm.sh/docs/intro/using_helm/#the-format-and-limitations-of---set
 */
export function settingsIn(text: string): Field[][] {
  const commands: Setting[][] = []
  let done = 0
  for (const { 0: found, index } of text.matchAll(option)) {
    const isSame = !endsCommand(text.slice(done, index))
    const settings = (isSame ? commands.at(-1) : undefined) ?? []
    if (settings.length === 0) commands.push(settings)
    settings.push(...readSettings(found, index))
    done = index + found.length
  }
  return commands.flatMap(groupedByPath)
}

const quoted = String.raw`\$\{\{[^{}\n]{0,200}\}\}|"[^"\n]{0,500}"|'[^'\n]{0,500}'`
const option = new RegExp(
  String.raw`(?<=--set(?:-string|-literal)?(?:=|[^\S\n]{1,20}))(?:${quoted}|[^\s"'])+`,
  'g',
)
const setting = new RegExp(String.raw`([A-Za-z_][\w.[\]-]{0,200})=((?:${quoted}|[^\s"',])*)`, 'g')

/** A command goes on after a line that ends with a backslash. */
function endsCommand(text: string): boolean {
  return text.replaceAll(/\\\r?\n/g, '').includes('\n')
}

function readSettings(list: string, at: number): Setting[] {
  return [...list.matchAll(setting)].map(({ 1: path = '', 2: written = '', index }) => {
    const isQuoted = /^["']/.test(written)
    const value = isQuoted ? written.slice(1, -1) : written
    const start = at + index + path.length + '='.length + Number(isQuoted)
    return { path, field: { key: '', value, start, end: start + value.length, isPlain: false } }
  })
}

/** A value under a path such as `api.image.tag`. */
interface Setting {
  readonly path: string
  readonly field: Field
}

/** What paths with one beginning say together, each by its last word. */
export function groupedByPath(settings: readonly Setting[]): Field[][] {
  const groups = new Map<string, Field[]>()
  for (const { path, field } of settings) {
    const at = path.lastIndexOf('.')
    const key = path.slice(at + 1)
    const beginning = path.slice(0, Math.max(0, at))
    const fields = groups.get(beginning) ?? []
    groups.set(beginning, fields)
    fields.push({ ...field, key })
  }
  return [...groups.values()]
}
