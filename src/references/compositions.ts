import type { Field } from './fields.js'
import type { ImageNames } from './image-text.js'
import { placeholderAt } from './placeholders.js'

/** A reference of which a mapping says the parts under several keys. Its texts may hold placeholders. */
export interface Composition {
  /** Registry, account and name; a tag when it is written with them. */
  readonly name: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  /** Versions of which the deployment takes the newest, as npm and Helm write them. */
  readonly ranges: readonly string[]
  /** The key speaks of a place to take tags from, and no other key says the tag. */
  readonly lacksTag: boolean
  /** The name alone, as the text has it, is then no reference of its own. */
  readonly replaces: boolean
  readonly start: number
  readonly end: number
}

type Part = 'name' | 'registry' | 'tag' | 'digest' | 'version' | 'range'

interface Item extends Field {
  readonly part: Part
  /** What the key says besides: `api` of `apiImage` and `api_tag`. */
  readonly stem: string
  /** The last word of the key. */
  readonly word: string
}

const words: readonly (readonly [word: string, part: Part])[] = [
  ['repository', 'name'],
  ['repourl', 'name'],
  ['repo', 'name'],
  ['image', 'name'],
  ['newname', 'name'],
  ['name', 'name'],
  ['url', 'name'],
  ['chart', 'name'],
  ['container', 'name'],
  ['registry', 'registry'],
  ['newtag', 'tag'],
  ['tag', 'tag'],
  ['digest', 'digest'],
  ['sha256', 'digest'],
  ['sha', 'digest'],
  ['targetrevision', 'version'],
  ['version', 'version'],
  ['semver', 'range'],
]
/** Words that a key may have beside the last one, and that say nothing of which image it speaks. */
const fillers = [...words.map(([word]) => word), 'new', 'docker', 'oci', 'container']
const placesOfCharts = ['repository', 'repourl', 'repo', 'url']
const mostOfAPart = 8

/** Addresses below which a file says that charts are: a chart is often named apart from it. */
export function chartPlaces(groups: readonly (readonly Field[])[], images: ImageNames): string[] {
  const host = `${images.registry}/${images.account}/`.toLowerCase()
  const found = new Set<string>()
  for (const fields of groups) {
    const items = fields.flatMap(itemOf)
    if (items.some(({ part, word }) => !['name', 'registry'].includes(part) || word === 'chart'))
      continue
    for (const { word, value } of items)
      if (placesOfCharts.includes(word) && bare(value).toLowerCase().startsWith(host))
        found.add(bare(value))
  }
  return [...found].slice(0, mostOfAPart)
}

/**
 * References that the keys of one mapping make together.
 *
 * @param places where charts are that are named without an address
 */
export function compositions(
  fields: readonly Field[],
  images: ImageNames,
  places: readonly string[],
): Composition[] {
  const mapping = new Mapping(fields.flatMap(itemOf))
  return mapping.names().flatMap((item) => {
    if (mapping.isReplaced(item)) return [replacedName(item)]
    const names = namesOf(item, mapping, images, places)
    return names.flatMap((name) => compose(name, item, mapping) ?? [])
  })
}

class Mapping {
  private readonly values = new Map<string, string[]>()

  constructor(private readonly items: readonly Item[]) {
    for (const item of items)
      for (const key of [`${item.part} of ${item.stem}`, `${item.word} alone ${item.stem}`])
        this.values.set(
          key,
          [...(this.values.get(key) ?? []), ...spellings(item)].slice(0, mostOfAPart),
        )
  }

  names(): Item[] {
    return this.items.filter(({ part, value }) => part === 'name' && value !== '')
  }

  /** Kustomize takes the new name in place of the other. */
  isReplaced({ word }: Item): boolean {
    return word === 'name' && this.valueOf('newname') !== undefined
  }

  /** What other keys say of the same image; keys that name none speak of all. */
  valuesOf(part: Part, { stem }: Item): readonly string[] {
    const own = this.values.get(`${part} of ${stem}`) ?? []
    return own.length > 0 ? own : (this.values.get(`${part} of `) ?? [])
  }

  valueOf(word: string): string | undefined {
    return this.values.get(`${word} alone `)?.[0]
  }
}

/** YAML takes `1.10` without quotes for a number, and some tools then deploy `1.1`. */
function spellings({ value, isPlain }: Item): string[] {
  if (value === '') return []
  const number = isPlain && /^\d+(?:\.\d+)?$/.test(value) ? String(Number(value)) : value
  return number === value ? [value] : [value, number]
}

function itemOf(field: Field): Item[] {
  const key = field.key.toLowerCase().replace(/[^a-z0-9]/g, '')
  const [word, part] = words.find(([end]) => key.endsWith(end)) ?? []
  return word === undefined || part === undefined
    ? []
    : [{ ...field, part, word, stem: stemOf(key) }]
}

function stemOf(key: string): string {
  let stem = key
  for (;;) {
    const filler = fillers.find((word) => stem.endsWith(word))
    if (filler === undefined) return stem
    stem = stem.slice(0, -filler.length)
  }
}

function bare(value: string): string {
  return value.replace(/^[a-z][a-z0-9+-]{0,20}:\/\//i, '').replace(/\/+$/, '')
}

const isOci = (value: string) => /^oci:\/\//i.test(value)

function replacedName({ start, end }: Item): Composition {
  return {
    name: '',
    tags: [],
    digests: [],
    ranges: [],
    lacksTag: false,
    replaces: true,
    start,
    end,
  }
}

/** The whole names that a key stands for; none when they are of another registry, or of no image. */
function namesOf(
  item: Item,
  mapping: Mapping,
  images: ImageNames,
  places: readonly string[],
): string[] {
  const { word, value } = item
  const name = bare(value)
  const chart = chartBeside(item, mapping)
  if (chart !== undefined) return [`${name}/${chart}`]
  if (word === 'chart' && !isQualified(name)) {
    const isApart = placesOfCharts.every((place) => mapping.valueOf(place) === undefined)
    const last = name.slice(name.lastIndexOf('/') + 1)
    return isApart ? places.map((place) => `${place}/${last}`) : []
  }
  if (isQualified(name)) return [name]
  const [registry] = mapping.valuesOf('registry', item)
  if (registry !== undefined) return [`${bare(registry)}/${name}`]
  const isOurs = name.toLowerCase().startsWith(`${images.account.toLowerCase()}/`)
  return isOurs && isPinned(item, mapping) ? [`${images.registry}/${name}`] : []
}

/** Helm and Argo CD name a chart beside the address of its repository. */
function chartBeside({ word, value }: Item, mapping: Mapping): string | undefined {
  if (!placesOfCharts.includes(word)) return undefined
  const isHelm = isOci(value) && (word === 'repository' || word === 'repo')
  return mapping.valueOf('chart') ?? (isHelm ? mapping.valueOf('name') : undefined)
}

/** Docker Hub is meant by a name without a registry, unless charts put the registry in front from elsewhere. */
function isPinned(item: Item, mapping: Mapping): boolean {
  return [...mapping.valuesOf('tag', item), ...mapping.valuesOf('digest', item)].length > 0
}

function isQualified(name: string): boolean {
  if (placeholderAt(name, 0) !== undefined) return true
  const [first = '', ...rest] = name.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first.toLowerCase() === 'localhost')
}

function compose(name: string, item: Item, mapping: Mapping): Composition | undefined {
  const { word, value, start, end } = item
  const isChart = word === 'chart' || isOci(value) || chartBeside(item, mapping) !== undefined
  const isPlace = isChart || ['repository', 'repo', 'newname'].includes(word)
  const { tags, ranges, isTagged } = tagsBeside(item, mapping, isChart)
  const digests = mapping.valuesOf('digest', item).map(withAlgorithm)
  const isAlone = tags.length + digests.length + ranges.length === 0
  if (isAlone && !isPlace && name === bare(value)) return undefined
  const replaces = isPlace || isTagged || digests.length > 0
  return { name, tags, digests, ranges, lacksTag: isAlone && isPlace, replaces, start, end }
}

/** A version is a tag where no other key is; that of a chart may be a range. */
function tagsBeside(item: Item, mapping: Mapping, isChart: boolean) {
  const stated = mapping.valuesOf('tag', item)
  const isTagged = stated.length > 0
  const versions = isTagged ? [] : mapping.valuesOf('version', item)
  const ranges = isChart ? versions.filter(isRange) : []
  const tags = [...stated, ...versions.filter((version) => !ranges.includes(version))]
  return { tags, ranges: [...mapping.valuesOf('range', item), ...ranges], isTagged }
}

function withAlgorithm(digest: string): string {
  return /^[0-9a-f]{64}$/i.test(digest) ? `sha256:${digest}` : digest
}

/** Helm takes `1.2` for the newest version of its line. */
function isRange(version: string): boolean {
  return /^[\^~<>=!*]|[|\s,]|(?:^|\.)[xX*](?:$|\.)|^v?\d+(?:\.\d+)?$/.test(version)
}
