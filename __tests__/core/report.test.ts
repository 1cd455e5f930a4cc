import { describe, expect, test } from '@jest/globals'
import type { Loss, Outcome, OutcomeResult, RefusalCode } from '../../src/model.js'
import { describePolicy } from '../../src/policy/describe.js'
import { logLine, markdownCode, markdownText } from '../../src/report/escape.js'
import { planLines } from '../../src/report/lines.js'
import { outputsOf } from '../../src/report/outputs.js'
import { planFile } from '../../src/report/plan-file.js'
import {
  emptyPackage,
  hasFailed,
  sum,
  type PackageReport,
  type RunReport,
} from '../../src/report/report.js'
import { summaryOf } from '../../src/report/summary.js'
import { plan } from '../../src/selector.js'
import {
  artifact,
  decide,
  digest,
  image,
  index,
  listed,
  now,
  policy,
  protections,
  snapshot,
  tagged,
  tagOf,
  when,
  type Item,
} from './kit.js'

const view = { now, by: 'updated' } as const

const dockerImage = 'application/vnd.docker.distribution.manifest.v2+json'
/** The same item with another type. */
function typed(
  item: Item,
  change: { mediaType?: string; artifactType?: string | undefined },
): Item {
  const { artifactType, ...rest } = { ...item.manifest, ...change }
  return { ...item, manifest: { ...rest, ...(artifactType === undefined ? {} : { artifactType }) } }
}

const short = (name: string) => digest(name).slice(0, 19)

describe('the log', () => {
  const lines = (items: Item[], chosen = policy()) => planLines(decide(items, chosen).plan, view)

  test('shows an image with its platforms and attachments under it', () => {
    const items = [
      image('amd64', { age: 3 }),
      image('arm64', { age: 3 }),
      artifact('note', { unread: true, age: 3 }),
      index(
        'release',
        ['amd64', { of: 'arm64', platform: 'linux/arm64' }, { of: 'note', attests: 'arm64' }],
        { tags: ['v1', 'latest'], age: 3 },
      ),
      artifact('signature', { tags: [tagOf('release', '.sig')], age: 3 }),
      image('old', { tags: ['pr-1'], age: 400 }),
    ]
    expect(lines(items)).toEqual([
      'keep    v1, latest  3d old    OCI index  linux/amd64 linux/arm64  younger than 30d: 3d (rule "tagged")',
      `        ├ OCI image linux/amd64  ${short('amd64')}`,
      `        ├ OCI image linux/arm64  ${short('arm64')}`,
      `        ├ attestation of linux/arm64  ${short('note')}`,
      `        └ signature of v1, latest  ${short('signature')}`,
      'delete  pr-1        400d old  OCI image                           older than 30d: 400d (rule "tagged")',
    ])
  })

  test('says of a part that has another fate than its image, why', () => {
    const items = [
      index('gone', ['shared', 'leaf'], { tags: ['pr-1'] }),
      image('shared', { tags: ['v1-amd64'], age: 2 }),
      image('leaf', { age: 0.01 }),
    ]
    expect(lines(items)).toEqual([
      'keep    v1-amd64  2d old   OCI image  linux/amd64  younger than 30d: 2d (rule "tagged")',
      'delete  pr-1      40d old  OCI index  linux/amd64  older than 30d: 40d (rule "tagged")',
      `        └ OCI image linux/amd64  ${short('leaf')}  keep: pushed or changed 14m 24s ago; grace is 1h`,
    ])
  })

  const reasons: [
    story: string,
    items: Item[],
    chosen: ReturnType<typeof policy>,
    words: string,
  ][] = [
    [
      'a protected tag',
      [image('a', { tags: ['prod'] })],
      policy({ protectTags: 'prod' }),
      'tag prod is protected\n',
    ],
    [
      'a protecting pattern',
      [image('a', { tags: ['prod'] })],
      policy({ protectTags: 'pr*' }),
      'tag prod is protected by !pr*',
    ],
    [
      'a listed digest',
      [image('a')],
      policy({ keepDigests: listed('a') }),
      'its digest is listed in skip-shas',
    ],
    [
      'in flight',
      [image('a', { age: 0.01 })],
      policy(),
      'pushed or changed 14m 24s ago; grace is 1h',
    ],
    [
      'the newest',
      [image('a', { tags: ['x'] }), image('b', { tags: ['y'] })],
      policy({ spareNewest: 1 }),
      'newest 1 of 2 that would go; keep-n-most-recent is 1',
    ],
    [
      'partly matched',
      [image('a', { tags: ['pr-1', 'pr-2', 'v1', 'v2'] })],
      policy({ tags: 'pr-*' }),
      'matched by pr-1, pr-2, but not by its other tags: v1, v2',
    ],
    [
      'the last tagged',
      [image('a', { tags: ['x'] })],
      policy(),
      'last tagged version, which GitHub does not let go',
    ],
    ['not selected', [image('a')], policy({ rules: [tagged()] }), 'no rule asks for it to go'],
    [
      'an orphan signature',
      [artifact('a', { tags: [tagOf('gone', '.sig')] })],
      policy(),
      `what it signs or attests may be stored elsewhere; orphan: ${short('gone')}, which it is attached to, is not in this package`,
    ],
    [
      'an orphan bundle',
      [artifact('a', { subject: 'gone' })],
      policy(),
      `older than 30d: 40d (rule "untagged"); orphan: ${short('gone')}`,
    ],
    ['a ghost', [index('a', ['gone'])], policy(), 'ghost: all of its children are gone'],
    [
      'a partial index',
      [index('a', ['b', 'gone']), image('b')],
      policy(),
      'partial: 1 of its 2 children are gone',
    ],
    [
      'a circle',
      [index('a', ['b'], { tags: [tagOf('b', '.sig')] }), image('b')],
      policy(),
      'circle of references',
    ],
    [
      'too many deletions',
      [image('a'), image('b')],
      policy({ maxDeletions: [{ count: 1 }] }),
      'package left alone (more would go than max-deletions allows)',
    ],
    [
      'a signed newcomer',
      [image('a'), artifact('s', { subject: 'a', age: 0.01 })],
      policy(),
      `${short('s')} was attached to it 14m 24s ago`,
    ],
  ]
  test.each(reasons)('says why: %s', (_story, items, chosen, words) => {
    expect(`${lines(items, chosen).join('\n')}\n`).toContain(words)
  })

  test.each<[code: RefusalCode, words: string]>([
    ['listing-not-whole', 'its listing is not whole'],
    ['manifest-unreadable', 'a manifest cannot be read'],
    ['manifest-unread', 'a manifest was not read'],
    ['timestamp-unknown', 'an age is unknown'],
    ['max-deletions', 'more would go than max-deletions allows'],
    ['second-look', 'the plan failed its last check'],
    ['package-unreachable', 'it could not be looked at'],
  ])('says why the whole package stays: %s', (code, words) => {
    const listed = { ...snapshot([image('old')]), refusals: [{ code, message: '', hint: '' }] }
    const [line] = planLines(plan(listed, policy(), now), view)
    expect(line).toContain(`  package left alone (${words})`)
  })

  test('shows a circle of references under its first version', () => {
    const items = [index('a', ['b'], { tags: [tagOf('b', '.sig')] }), image('b')]
    expect(lines(items)).toHaveLength(2)
  })

  test('tells ages by the chosen timestamp, the newest image first', () => {
    const items = [
      image('a', { tags: ['a'], age: 50, updated: 20 }),
      image('b', { tags: ['b'], age: 45, updated: 30 }),
      image('c', { tags: ['c'], age: 60, updated: 25 }),
    ]
    const { plan } = decide(items)
    const starts = (by: 'created' | 'updated') =>
      planLines(plan, { now, by }).map((line) => line.slice(8, 18))
    expect(starts('updated')).toEqual(['a  20d old', 'c  25d old', 'b  30d old'])
    expect(starts('created')).toEqual(['b  45d old', 'a  50d old', 'c  60d old'])
  })

  test.each([
    [-1, '0s old'],
    [0.01, '14m old'],
    [1.5, '1d old'],
  ])('tells an age of %d days as %s', (age, words) => {
    expect(lines([image('a', { age })])[0]).toContain(`  ${words}  `)
  })

  test('shows parts before attachments, and a shared one under the image that keeps it', () => {
    const items = [
      artifact('sig', { tags: [tagOf('kept', '.sig')] }),
      index('kept', ['shared'], { tags: ['v1'], age: 50 }),
      image('shared'),
      index('gone', ['shared'], { tags: ['pr-1'], age: 35 }),
    ]
    const [gone, kept, ...parts] = lines(items, policy({ protectTags: 'v1' }))
    expect([gone?.slice(0, 12), kept?.slice(0, 10)]).toEqual(['delete  pr-1', 'keep    v1'])
    expect(parts).toEqual([
      `        ├ OCI image linux/amd64  ${short('shared')}`,
      `        └ signature of v1  ${short('sig')}`,
    ])
  })

  test('calls what has no type of its own by what is known of it', () => {
    const untyped = typed(artifact('a', { subject: 'b' }), { artifactType: undefined })
    expect(lines([untyped, image('b')])[1]).toContain('└ attestation of ')
    expect(lines([image('a', { unread: true })])[0]).toContain('  not read  ')
    const child = lines([index('i', [{ of: 'a' }]), image('a', { unread: true })])[1]
    expect(child).toContain('└ application/vnd.oci.image.manifest.v1+json  ')
  })

  test('calls no tagged image an orphan', () => {
    const [line] = lines([image('a', { tags: ['v1'], subject: 'gone' })])
    expect(line).not.toContain('orphan')
  })

  test('says what an attachment is attached to: the platform, or the image by its name', () => {
    const items = [
      index('one', ['amd64'], { tags: ['v1'], age: 3 }),
      image('amd64'),
      artifact('s1', { tags: [tagOf('one', '.sig')] }),
      artifact('s2', { tags: [tagOf('amd64', '.sig')] }),
      artifact('s3', { subject: 's2' }),
    ]
    expect(lines(items).slice(1)).toEqual([
      `        ├ OCI image linux/amd64  ${short('amd64')}`,
      `        ├ signature of v1  ${short('s1')}`,
      `        ├ signature of linux/amd64  ${short('s2')}`,
      `        └ Sigstore bundle of ${short('s2')}  ${short('s3')}`,
    ])
  })

  test('names an image by its tags, and says when it has none', () => {
    const items = [
      image('tagged', { tags: ['v1', tagOf('gone')] }),
      image('bare'),
      artifact('signature', { tags: [tagOf('gone', '.sig')] }),
      artifact('bundle', { subject: 'gone' }),
      image('itself', { tags: [tagOf('itself')] }),
    ]
    const names = lines(items).map((line) => line.slice(8, 36).trim())
    expect(names).toEqual([
      `untagged ${short('itself')}`.slice(0, 28),
      `orphan ${short('bundle')}`,
      `orphan ${short('signature')}`,
      `untagged ${short('bare')}`.slice(0, 28),
      'v1',
    ])
  })

  test('tells a package that is left alone image by image, its parts without a word more', () => {
    const items = [
      index('old', ['leaf'], { tags: ['pr-1'] }),
      image('leaf'),
      image('new', { tags: ['v1'], age: 3 }),
    ]
    const left = 'package left alone (more would go than max-deletions allows)'
    expect(lines(items, policy({ maxDeletions: [{ count: 1 }] }))).toEqual([
      'keep    v1    3d old   OCI image               younger than 30d: 3d (rule "tagged")',
      `keep    pr-1  40d old  OCI index  linux/amd64  would go: older than 30d: 40d (rule "tagged"); ${left}`,
      `        └ OCI image linux/amd64  ${short('leaf')}`,
    ])
  })

  test('says whose part a part is, by tag where there is one', () => {
    const items = [
      index('outer', [{ of: 'inner', kind: 'index' }], { tags: ['v2'], age: 3 }),
      index('inner', ['leaf']),
      image('leaf'),
    ]
    const { plan } = decide(items)
    const file = JSON.parse(textOf(reportOf(plan))) as {
      packages: { versions: { name: string; why: string }[] }[]
    }
    const why = file.packages[0]?.versions.map((version) => version.why)
    const goes = decide([image('old'), artifact('bundle', { subject: 'old' })]).plan
    expect(textOf(reportOf(goes))).toContain(`attached to ${short('old')}, which goes`)
    expect(why).toContain('contained in v2, which stays')
    expect(why).toContain(`contained in ${short('inner')}, part of v2, which stays`)
  })

  test.each([
    ['application/vnd.dev.sigstore.bundle.v0.3+json', 'Sigstore bundle'],
    ['application/vnd.in-toto+json', 'attestation'],
    ['application/vnd.docker.attestation.manifest.v1+json', 'attestation'],
    ['application/vnd.dsse.envelope.v1+json', 'attestation'],
    ['application/vnd.dev.cosign.simplesigning.v1+json', 'signature'],
    ['application/vnd.cyclonedx+xml', 'SBOM'],
    ['application/vnd.syft.SBOM', 'SBOM'],
    ['application/vnd.amazon.soci.index.v2+json', 'SOCI index'],
    ['application/vnd.cncf.helm.config.v1+json', 'Helm chart'],
    ['application/vnd.cncf.notary.signature', 'Notation signature'],
    ['text/spdx+json', 'SBOM'],
    ['application/vnd.buildkit.cacheconfig.v0', 'build cache'],
    ['application/vnd.wasm.config.v0+json', 'WebAssembly'],
    ['application/vnd.acme.thing', 'application/vnd.acme.thing'],
  ])('calls %s a %s', (type, word) => {
    expect(lines([artifact('a', { type, age: 2 })])[0]).toContain(`  ${word}`)
  })

  test.each([
    ['.sig', 'signature'],
    ['.att', 'attestation'],
    ['.sbom', 'SBOM'],
    ['.other', 'other'],
    ['', 'referrers index'],
  ])('calls what has an attachment tag with %j a %s', (suffix, word) => {
    const [line] = lines([artifact('a', { tags: [tagOf('gone', suffix)] })])
    expect(line).toContain(`40d old  ${word}`)
  })

  test.each<[story: string, item: Item, word: string]>([
    ['an OCI image', image('a'), 'OCI image'],
    ['a Docker image', typed(image('a'), { mediaType: dockerImage }), 'Docker image'],
    ['an index with a type', typed(index('a', []), { artifactType: 'a/b' }), 'a/b'],
    [
      'an artifact without a type',
      typed(artifact('a'), { artifactType: undefined, mediaType: 'x/y' }),
      'x/y',
    ],
  ])('calls %s so', (_story, item, word) => {
    expect(lines([item])[0]).toContain(`  40d old  ${word}  `)
  })

  test('shortens long lists of tags and says an unknown age', () => {
    const fits = image('b', { tags: ['x'.repeat(44)] })
    expect(lines([fits])[0]).toContain(`keep    ${'x'.repeat(44)}  40d old`)
    const tooLong = image('c', { tags: ['x'.repeat(45)] })
    expect(lines([tooLong])[0]).toContain(`keep    ${'x'.repeat(43)}…  40d old`)
    const many = image('a', { tags: Array.from({ length: 30 }, (_, at) => `tag-${at}`) })
    expect(lines([many])[0]).toMatch(/^keep {4}tag-0, tag-1, .{25,40}… /)
    const unknown = { ...many, version: { ...many.version, updatedAt: undefined } }
    expect(lines([unknown])[0]).toContain('  age unknown  ')
  })
})

/** A report on one package whose deletes ended as said, in their order; the rest were deleted. */
/** The plan file as one text. */
function textOf(report: RunReport): string {
  return [...planFile(report, now)].join('')
}

function reportOf(
  plan: PackageReport['plan'],
  results: OutcomeResult[] = [],
  dryRun = false,
): RunReport {
  const outcomes = plan.deletions.map(({ version }, at): Outcome => ({
    version,
    result: results[at] ?? { status: 'deleted' },
  }))
  return {
    account: 'acme',
    route: '/orgs/acme',
    dryRun,
    failure: undefined,
    warnings: [],
    packages: [{ name: 'team/app', plan, outcomes: dryRun ? [] : outcomes, notReached: undefined }],
  }
}

const everyResult: OutcomeResult[] = [
  { status: 'retained', why: 'more than 5000 downloads' },
  { status: 'failed', why: 'HTTP 500', hint: 'Run again.' },
  { status: 'remaining', why: 'the time budget is used up' },
  { status: 'already-gone' },
  { status: 'changed', why: 'tag latest is protected' },
]
const six = () => decide(Array.from({ length: 6 }, (_, at) => image(`v${at}`))).plan

describe('the outputs', () => {
  test('name every version by package and id, and count', () => {
    const plan = six()
    const ids = plan.deletions.map(({ version }) => `team/app:${version.id}`)
    expect(outputsOf(reportOf(plan, everyResult), 'plan.json')).toEqual({
      deleted: ids[5],
      failed: ids[1],
      planned: ids.join(','),
      retained: ids[0],
      'skipped-packages': '',
      'deleted-count': '1',
      'failed-count': '1',
      'kept-count': '1',
      'remaining-count': '1',
      plan: 'plan.json',
      packages: '',
    })
  })

  test('in dry-run have a plan and no outcome', () => {
    const outputs = outputsOf(reportOf(six(), [], true), undefined)
    expect(outputs).toMatchObject({ deleted: '', 'deleted-count': '0', plan: '' })
    expect(outputs.planned.split(',')).toHaveLength(6)
  })

  test('name packages that were left alone or not reached', () => {
    const refusal = { code: 'listing-not-whole', message: 'm', hint: 'h' } as const
    const report = {
      ...reportOf(six()),
      packages: [
        emptyPackage('acme', 'refused', { refusal }),
        emptyPackage('acme', 'late', { notReached: 'time' }),
      ],
    }
    expect(outputsOf(report, undefined)['skipped-packages']).toBe('refused,late')
    expect(report.packages.map((entry) => entry.plan.package.name)).toEqual(['refused', 'late'])
  })

  test('are cut after a whole entry when GitHub would not take them', () => {
    const [deletion] = decide([image('a')]).plan.deletions
    if (deletion === undefined) throw new Error('nothing planned')
    const plan = { ...six(), deletions: Array.from({ length: 100_000 }, () => deletion) }
    const { planned } = outputsOf(reportOf(plan, [], true), undefined)
    expect(planned.length).toBeLessThanOrEqual(900_000)
    expect(planned.length).toBeGreaterThan(899_900)
    expect(planned).toMatch(/,team\/app:\d+,…$/)
  })

  test.each([
    ['not at the limit', 89_999, 'bb', 900_000, ',bb:1234567'],
    ['one above it', 89_999, 'ccc', 899_991, ',a:1234567,…'],
    ['far above it', 100_000, 'bb', 899_991, ',a:1234567,…'],
  ])('are cut to fit: %s', (_story, count, second, length, end) => {
    const [deletion] = decide([image('a')]).plan.deletions
    if (deletion === undefined) throw new Error('nothing planned')
    const short = { ...deletion, version: { ...deletion.version, id: 1_234_567 } }
    const of = (name: string, times: number): PackageReport => ({
      ...emptyPackage('acme', name, { notReached: '' }),
      plan: { ...six(), deletions: Array.from({ length: times }, () => short) },
    })
    const report = { ...reportOf(six()), packages: [of('a', count), of(second, 1)] }
    const { planned } = outputsOf(report, undefined)
    expect([planned.length, planned.endsWith(end)]).toEqual([length, true])
  })
})

describe('a run', () => {
  test.each<[story: string, report: () => RunReport, failed: boolean]>([
    [
      'with deletes and retained versions succeeds',
      () => reportOf(six(), everyResult.slice(0, 1)),
      false,
    ],
    ['with a failed delete fails', () => reportOf(six(), everyResult), true],
    ['with deletes left for later succeeds', () => reportOf(six(), everyResult.slice(2)), false],
    [
      'with a package left alone fails',
      () => reportOf(decide([image('a')], policy({ maxDeletions: [{ count: 0 }] })).plan),
      true,
    ],
    [
      'that could not start fails',
      () => ({
        ...reportOf(six()),
        failure: { code: 'package-unreachable', message: '', hint: '' },
      }),
      true,
    ],
  ])('%s', (_story, report, failed) => {
    expect(hasFailed(report())).toBe(failed)
  })

  test('adds up its packages', () => {
    const [one] = reportOf(six(), everyResult).packages
    if (one === undefined) throw new Error('no package')
    expect(sum([one, one])).toEqual({
      listed: 12,
      planned: 12,
      refused: 0,
      kept: 2,
      changed: 2,
      deleted: 2,
      alreadyGone: 2,
      retained: 2,
      failed: 2,
      remaining: 2,
    })
  })
})

describe('the summary', () => {
  const sentences = ['Delete untagged images.']

  test('tells what happened, why, and how to restore', () => {
    const plan = six()
    const text = summaryOf(reportOf(plan, everyResult), sentences, view)
    expect(text).toContain('## Image retention for acme\n')
    expect(text).toContain(
      '❌ **6 of 6 versions were to go, 1 stay.** 1 deleted, 1 already gone, 1 retained by GitHub, 1 changed meanwhile, 1 failed, 1 not tried.',
    )
    expect(text).toContain('| <code>team/app</code> | 6 | 6 | 1 | 1 | 1 | 1 | 1 | 1 |')
    expect(text).toContain('<summary>Retained by GitHub: 1</summary>')
    expect(text).toContain('<summary>Changed meanwhile, so they stay: 1</summary>')
    expect(text).toContain('<summary>Failed: 1</summary>')
    expect(text).toContain('HTTP 500. Run again.')
    expect(text).toContain('<summary>6 images planned to go</summary>')
    const [fifth] = plan.deletions.slice(5).map(({ version }) => version)
    expect(text).toContain(
      'restore() { for id in "$@"; do gh api --method POST "/orgs/acme/packages/container/team%2Fapp/versions/$id/restore"; done; }',
    )
    expect(text).toContain(`restore ${fifth?.id ?? ''} # ${fifth?.digest.slice(0, 19) ?? ''}`)
    expect(text.match(/^restore \d+ #/gm)).toHaveLength(1)
  })

  /** An image with a part and a signature, one image for each other fate, and one that stays. */
  const fates = () => {
    const old = (name: string, age: number) => image(name, { tags: [name], age })
    const items = [
      index('old', ['leaf'], { tags: ['pr'], age: 45 }),
      image('leaf', { age: 45 }),
      artifact('sig', { tags: [tagOf('old', '.sig')] }),
      ...[old('a', 44), old('b', 43), old('c', 42), old('d', 41), old('e', 40)],
      image('new', { tags: ['new'], age: 1 }),
    ]
    const done = Array.from({ length: 3 }, (): OutcomeResult => ({ status: 'deleted' }))
    const ids = items.map(({ version }) => version.id)
    return { plan: decide(items).plan, results: [...done, ...everyResult], ids }
  }

  test('has a line for every version, and is JSON however many packages there are', () => {
    const one = reportOf(decide([image('a'), image('b')]).plan).packages
    for (const count of [0, 1, 2]) {
      const report = {
        ...reportOf(decide([]).plan),
        packages: Array.from({ length: count }, () => one).flat(),
      }
      const text = textOf(report)
      expect((JSON.parse(text) as { packages: unknown[] }).packages).toHaveLength(count)
      expect(text.match(/^\{"id":\d+,"digest":.*\},?$/gm) ?? []).toHaveLength(count * 2)
    }
  })

  test('comes in pieces that no text is too long for', () => {
    const report = reportOf(decide(Array.from({ length: 500 }, (_, i) => image(`${i}`))).plan)
    const longest = Math.max(...[...planFile(report, now)].map(({ length }) => length))
    expect(longest).toBeLessThan(2000)
  })

  test('is this, whole', () => {
    const { plan, results, ids } = fates()
    const [index, leaf, sig, retained, failed, remaining, , changed] = ids
    const policySentences = ['Delete *old* images.', 'Keep the rest.']
    expect(summaryOf(reportOf(plan, results), policySentences, view).split('\n')).toEqual([
      '## Image retention for acme',
      '',
      '❌ **8 of 9 versions were to go, 2 stay.** 3 deleted, 1 already gone, 1 retained by GitHub, 1 changed meanwhile, 1 failed, 1 not tried.',
      '',
      '- Delete &#42;old&#42; images.',
      '- Keep the rest.',
      '',
      '| Package | Versions | Planned | Deleted | Already gone | Retained | Failed | Remaining | Stay |',
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
      '| <code>team/app</code> | 9 | 8 | 3 | 1 | 1 | 1 | 1 | 2 |',
      '',
      '### acme/team/app',
      '',
      '<details><summary>Retained by GitHub: 1</summary>',
      '',
      '| Version | Id | Why |',
      '| --- | --- | --- |',
      `| <code>a</code> | ${retained} | more than 5000 downloads |`,
      '',
      '</details>',
      '',
      '<details><summary>Changed meanwhile, so they stay: 1</summary>',
      '',
      '| Version | Id | Why |',
      '| --- | --- | --- |',
      `| <code>e</code> | ${changed} | tag latest is protected |`,
      '',
      '</details>',
      '',
      '<details><summary>Failed: 1</summary>',
      '',
      '| Version | Id | Why |',
      '| --- | --- | --- |',
      `| <code>b</code> | ${failed} | HTTP 500. Run again. |`,
      '',
      '</details>',
      '',
      '<details><summary>Not tried: 1</summary>',
      '',
      '| Version | Id | Why |',
      '| --- | --- | --- |',
      `| <code>c</code> | ${remaining} | the time budget is used up |`,
      '',
      '</details>',
      '',
      '<details><summary>6 images planned to go</summary>',
      '',
      '| Image | Age | Type | Versions | Why |',
      '| --- | --- | --- | --- | --- |',
      ...['e 40', 'd 41', 'c 42', 'b 43', 'a 44'].map((row) => goingRow(row, 'OCI image', 1)),
      goingRow('pr 45', 'OCI index linux/amd64', 3),
      '',
      '</details>',
      '',
      '<details><summary>How to restore</summary>',
      '',
      'GitHub keeps deleted versions for 30 days. One line restores one image whole:',
      '',
      '```sh',
      'restore() { for id in "$@"; do gh api --method POST "/orgs/acme/packages/container/team%2Fapp/versions/$id/restore"; done; }',
      `restore ${sig} ${leaf} ${index} # pr`,
      '```',
      '',
      '</details>',
      '',
    ])
  })

  /** The row of an image that goes; `pr 45` stands for its tag and its age. */
  function goingRow(image: string, type: string, versions: number): string {
    const [tag, age] = image.split(' ')
    const why = `older than 30d&#58; ${age}d &#40;rule &#34;tagged&#34;&#41;`
    return `| <code>${tag}</code> | ${age}d | ${type} | ${versions} | ${why} |`
  }

  test('of a dry run is this, whole', () => {
    const plan = decide([
      index('old', ['leaf', 'young'], { tags: ['pr'], age: 45 }),
      image('leaf', { age: 45 }),
      image('young', { age: 0.01 }),
      image('new', { tags: ['new'], age: 1 }),
    ]).plan
    expect(summaryOf(reportOf(plan, [], true), sentences, view).split('\n')).toEqual([
      '## Image retention for acme (dry run)',
      '',
      '✅ **2 of 4 versions would go, 2 stay.** Nothing was changed.',
      '',
      '- Delete untagged images.',
      '',
      '| Package | Versions | Would go | Stay |',
      '| --- | --- | --- | --- |',
      '| <code>team/app</code> | 4 | 2 | 2 |',
      '',
      '### acme/team/app',
      '',
      '<details><summary>1 image would go</summary>',
      '',
      '| Image | Age | Type | Versions | Why |',
      '| --- | --- | --- | --- | --- |',
      goingRow('pr 45', 'OCI index linux/amd64', 2),
      '',
      '</details>',
      '',
    ])
  })

  test('writes large numbers for people', () => {
    const [one] = reportOf(six(), []).packages
    if (one === undefined) throw new Error('no package')
    const packages = Array.from({ length: 200 }, () => one)
    const text = summaryOf({ ...reportOf(six()), packages }, sentences, view)
    expect(text).toContain('**1,200 of 1,200 versions were to go, 0 stay.** 1,200 deleted.\n')
  })

  test('says of deletes that ended early that they did, and does not call the package left alone', () => {
    const refusal = { code: 'second-look', message: 'it changed', hint: 'Look.' } as const
    const report = reportOf(six())
    const packages = report.packages.map((entry) => ({
      ...entry,
      plan: { ...entry.plan, refusals: [refusal] },
    }))
    const text = summaryOf({ ...report, packages }, sentences, view)
    expect(text).toContain('> [!CAUTION]\n> Its deletes ended early&#58; it changed\n>\n> Look.')
    expect(text).not.toContain('Left alone')
  })

  test('names every package that was left alone, and has no table without packages', () => {
    const refusal = { code: 'listing-not-whole', message: 'm', hint: 'h' } as const
    const packages = ['a', 'b'].map((name) => emptyPackage('acme', name, { refusal }))
    const text = summaryOf({ ...reportOf(six()), packages }, sentences, view)
    expect(text).toContain('0 deleted. Left alone: <code>a</code>, <code>b</code>.\n')
    const none = summaryOf({ ...reportOf(six()), packages: [] }, sentences, view)
    expect(none).toBe(
      '## Image retention for acme\n\n✅ **0 of 0 versions were to go, 0 stay.** 0 deleted.\n\n- Delete untagged images.\n',
    )
  })

  test.each<[story: string, loss: Partial<Loss>, words: string]>([
    [
      'by this run',
      {},
      `v1, v1.0 (${digest('whole')}) is broken: ${digest('part')}, which it contains, is gone (version 7; this run deleted it)`,
    ],
    [
      'by somebody else, and without a tag',
      { tags: [], tie: 'attested', deletedByRun: false },
      `${digest('whole')} is broken: ${digest('part')}, which it may be attested by, is gone (version 7; not this run deleted it)`,
    ],
    ['as a SOCI index', { tie: 'accelerated' }, 'which it is accelerated by, is gone'],
    ['as an attachment', { tie: 'subject' }, 'which it is the subject of, is gone'],
  ])('tells first what was lost %s, and how to mend it', (_story, change, words) => {
    const loss: Loss = {
      whole: digest('whole'),
      tags: ['v1', 'v1.0'],
      part: digest('part'),
      tie: 'contains',
      id: 7,
      deletedByRun: true,
      ...change,
    }
    const report = reportOf(six())
    const packages = report.packages.map((entry) => ({
      ...entry,
      verification: { there: 1, losses: [loss] },
    }))
    const text = summaryOf({ ...report, packages }, sentences, view)
    const mend =
      'Restore it: gh api --method POST /orgs/acme/packages/container/team%2Fapp/versions/7/restore'
    expect(text).toMatch(/^### acme\/team\/app\n\n> \[!CAUTION\]\n> .+ is broken&#58; /m)
    expect(text).toContain(markdownText(words))
    expect(text).toContain(`\n>\n> ${markdownText(mend)}\n\n<details>`)
    expect(hasFailed({ ...report, packages })).toBe(true)
  })

  test('restores an image with its parts in one line, in the opposite order of the deletes', () => {
    const items = [
      index('old', ['a', 'b', 'c'], { tags: ['pr-1'] }),
      ...['b', 'c', 'a'].map((name) => image(name)),
      image('v', { tags: ['v'], age: 1 }),
    ]
    const { plan } = decide(items)
    const ids = plan.deletions.map(({ version }) => version.id)
    const text = summaryOf(reportOf(plan), sentences, view)
    expect(text).toContain(`restore ${ids.toReversed().join(' ')} # pr-1`)
  })

  test('shows a name that is no tag without what a shell could read in it', () => {
    const { plan } = decide([
      image('a', { tags: ['a`b$(c)'] }),
      image('v', { tags: ['v'], age: 1 }),
    ])
    expect(summaryOf(reportOf(plan), sentences, view)).toMatch(/^restore \d+ # a\?b\?\?c\?$/m)
  })

  test('shows the first 300 of each kind, and says how many more there are', () => {
    const { plan } = decide(Array.from({ length: 301 }, (_, at) => image(`v${at}`)))
    const report = reportOf(plan)
    const more = '_1 more are in plan.json._'
    const restored = summaryOf(report, sentences, view)
    expect(restored.match(/^restore \d/gm)).toHaveLength(300)
    expect(restored.split(more)).toHaveLength(3)
    const why = plan.deletions.map((): OutcomeResult => ({
      status: 'retained',
      why: 'kept by all',
    }))
    const retained = summaryOf(reportOf(plan, why), sentences, view)
    expect(retained.match(/\| kept by all \|/g)).toHaveLength(300)
    expect(retained.split(more)).toHaveLength(3)
  })

  test('of a dry run tells what would go and nothing of restoring', () => {
    const text = summaryOf(reportOf(six(), [], true), sentences, view)
    expect(text).toContain('(dry run)')
    expect(text).toContain('✅ **6 of 6 versions would go, 0 stay.** Nothing was changed.')
    expect(text).toContain('| Package | Versions | Would go | Stay |')
    expect(text).not.toContain('restore')
  })

  test('tells what was left alone, what was not reached, and where everything stays', () => {
    const refused = decide([image('a')], policy({ maxDeletions: [{ count: 0 }] })).plan
    const calm = decide([image('b', { age: 1 })]).plan
    const report: RunReport = {
      ...reportOf(refused),
      packages: [
        ...reportOf(refused).packages,
        emptyPackage('acme', 'late', { notReached: 'the time budget was used up' }),
        { name: 'calm', plan: calm, outcomes: [], notReached: undefined },
      ],
    }
    const text = summaryOf(report, sentences, view)
    expect(text).toContain('Left alone: <code>team/app</code>.')
    expect(text).toContain('<summary>1 image would have gone</summary>')
    expect(text).toContain('would go&#58; older than 30d')
    expect(text).toContain('> [!CAUTION]\n> Left alone&#58; 1 versions would go')
    expect(text).toContain('Not looked at: the time budget was used up.')
    expect(text).toContain('### acme/calm\n\nEverything stays.')
  })

  test('shows warnings above everything else, and marks a run that nobody should take for complete', () => {
    const warnings = ['Tag "latets" matches no tag.', 'b|c <d>']
    const text = summaryOf({ ...reportOf(six()), warnings }, sentences, view)
    expect(text.split('\n').slice(2, 9)).toEqual([
      '⚠️ **6 of 6 versions were to go, 0 stay.** 6 deleted.',
      '',
      '> [!WARNING]',
      '> Tag &#34;latets&#34; matches no tag.',
      '>',
      '> b&#124;c &lt;d&gt;',
      '',
    ])
    const failed = { ...reportOf(six(), everyResult), warnings }
    expect(summaryOf(failed, sentences, view)).toContain('\n❌ ')
    expect(summaryOf(reportOf(six()), sentences, view)).not.toContain('WARNING')
    const notReached = emptyPackage('acme', 'late', { notReached: 'why' })
    const late = summaryOf({ ...reportOf(six()), packages: [notReached] }, sentences, view)
    expect(late).toContain('\n⚠️ **0 of 0')
  })

  test('shows so many warnings only', () => {
    const warnings = Array.from({ length: 23 }, (_, at) => `w${at}`)
    const text = summaryOf({ ...reportOf(six()), warnings }, sentences, view)
    expect(text).toContain(
      '> w19\n>\n> 3 more warnings are in the log and in plan.json.\n\n- Delete',
    )
  })

  test('of a run that could not start is the error', () => {
    const failure = {
      code: 'package-unreachable',
      message: 'One is wrong:\n  a',
      hint: 'Fix it.',
    } as const
    const text = summaryOf({ ...reportOf(six()), packages: [], failure }, [], view)
    expect(text).toContain('> [!CAUTION]\n> One is wrong&#58;\n>\n> a\n>\n> Fix it.')
  })

  test('stays below what the runner takes, and says what it left out', () => {
    const long = Array.from({ length: 400 }, (_, at) =>
      image(`v${at}`, { tags: [`pr-${'x'.repeat(100)}-${at}`] }),
    )
    const { plan } = decide(long)
    const [one] = reportOf(plan, [], true).packages
    if (one === undefined) throw new Error('no package')
    const text = summaryOf(
      { ...reportOf(plan, [], true), packages: Array.from({ length: 40 }, () => one) },
      sentences,
      view,
    )
    expect(Buffer.byteLength(text)).toBeLessThan(1_000_100)
    const left = /_(\d+) more sections do not fit here; plan\.json has everything\._\n$/.exec(text)
    expect(Number(left?.[1]) + (text.match(/^### /gm) ?? []).length).toBe(40)
    expect(text).toContain('_99 more are in plan.json._')
  })
})

describe('plan.json', () => {
  const read = (report: RunReport): unknown => JSON.parse(textOf(report))

  test('is this, whole', () => {
    const old = image('old')
    const report = reportOf(decide([old]).plan, everyResult)
    expect(textOf(report)).toMatch(/^\{"schema":1,[^\n]*,\n"packages": \[\n[^]*\n\]\}\n$/)
    expect(read(report)).toEqual({
      schema: 1,
      generatedAt: '2026-01-01T00:00:00.000Z',
      account: 'acme',
      dryRun: false,
      packages: [
        {
          name: 'team/app',
          refusals: [],
          deletions: [{ id: old.version.id, after: [] }],
          versions: [
            {
              id: old.version.id,
              digest: digest('old'),
              name: short('old'),
              tags: [],
              createdAt: '2025-11-22T00:00:00.000Z',
              updatedAt: '2025-11-22T00:00:00.000Z',
              role: 'image',
              type: 'OCI image',
              mediaType: 'application/vnd.oci.image.manifest.v1+json',
              action: 'delete',
              why: 'older than 30d: 40d (rule "untagged")',
              reason: {
                code: 'delete-rule',
                rule: 'untagged',
                place: 'inputs',
                evidence: 'older than 30d: 40d',
              },
              outcome: everyResult[0],
            },
          ],
        },
      ],
    })
  })

  test('has every version with its decision, and what became of it', () => {
    const release = index('release', ['amd64'], { tags: ['v1', 'prod'] })
    const { plan } = decide(
      [
        release,
        image('amd64'),
        artifact('bundle', { subject: 'release', type: 'a/b' }),
        image('old'),
      ],
      policy({ protectTags: 'prod', keepDigests: listed('release') }),
    )
    const { version } = release
    expect(read(reportOf(plan, everyResult.slice(3)))).toMatchObject({
      schema: 1,
      generatedAt: '2026-01-01T00:00:00.000Z',
      account: 'acme',
      dryRun: false,
      packages: [
        {
          name: 'team/app',
          refusals: [],
          deletions: [{ after: [] }],
          versions: expect.arrayContaining([
            {
              id: version.id,
              digest: version.digest,
              name: 'v1, prod',
              tags: ['v1', 'prod'],
              createdAt: '2025-11-22T00:00:00.000Z',
              updatedAt: '2025-11-22T00:00:00.000Z',
              role: 'image',
              type: 'OCI index',
              mediaType: 'application/vnd.oci.image.index.v1+json',
              platforms: ['linux/amd64'],
              action: 'keep',
              why: 'its digest is listed in skip-shas',
              reason: { code: 'listed-digest', place: 'inputs' },
              also: [{ code: 'protected-tag', tag: 'prod', pattern: 'prod', place: 'inputs' }],
              overruled: [
                {
                  code: 'delete-rule',
                  rule: 'tagged',
                  place: 'inputs',
                  evidence: 'older than 30d: 40d',
                },
              ],
            },
            expect.objectContaining({
              role: 'attachment',
              artifactType: 'a/b',
              type: 'a/b',
              belongsTo: [{ relation: 'attached to', digest: version.digest }],
            }),
            expect.objectContaining({ action: 'delete', outcome: { status: 'already-gone' } }),
          ]) as unknown,
        },
      ],
    })
  })

  test('says what could not be looked at, and what is unknown', () => {
    const old = image('old')
    const unknown = { ...old, version: { ...old.version, createdAt: undefined } }
    const report: RunReport = {
      ...reportOf(decide([unknown]).plan),
      failure: { code: 'package-unreachable', message: 'm', hint: 'h' },
    }
    const late = emptyPackage('acme', 'late', { notReached: 'no time' })
    expect(read({ ...report, packages: [...report.packages, late] })).toMatchObject({
      failure: { message: 'm' },
      packages: [{ versions: [{ createdAt: null }] }, { name: 'late', notReached: 'no time' }],
    })
  })
})

describe('text from elsewhere', () => {
  test.each([
    ['a\u001b[31mb', 'a\\u{1b}[31mb'],
    ['a\nb\r', 'a\\u{a}b\\u{d}'],
    ['x\u202Etxt', 'x\\u{202e}txt'],
    ['::error::x', '\u00b7 ::error::x'],
    ['  ::set-output name=a::b', '\u00b7   ::set-output name=a::b'],
    ['a ::error::x', 'a ::error::x'],
    ['a ##[add-mask]b', 'a # #[add-mask]b'],
    ['grüße 日本', 'grüße 日本'],
  ])('%j is shown in the log as %j', (text, shown) => {
    expect(logLine(text)).toBe(shown)
  })

  test('has no meaning in Markdown', () => {
    expect(markdownText('<b>&|`*_[x](y)@me#1\n')).toBe(
      '&lt;b&gt;&amp;&#124;&#96;&#42;&#95;&#91;x&#93;&#40;y&#41;&#64;me&#35;1&#92;u&#123;a&#125;',
    )
    expect(markdownCode('a|b')).toBe('<code>a&#124;b</code>')
  })
})

describe('a policy in sentences', () => {
  const always =
    'Keep everything that a kept image contains or that is attached to it, and everything else.'

  test.each([
    [
      policy(),
      [
        'Delete tagged images, whatever their tags, 30d or more after their last update.',
        'Delete untagged images, 30d or more after their last update.',
        'Never delete anything younger than 1h.',
      ],
    ],
    [
      policy({
        tags: 'pr-*',
        protect: protections('prod', 'qa', 'v*'),
        keepDigests: listed('a'),
        spareNewest: 3,
        maxDeletions: [{ count: 1 }],
        grace: 0,
        ageBy: 'created',
      }),
      [
        'Delete tagged images whose every tag matches pr-*, 30d or more after their first push.',
        'Delete untagged images, 30d or more after their first push.',
        'Keep every image with a tag that matches prod, qa or v*.',
        'Keep 1 listed digest and all that belongs to them.',
        'Of the tagged images that would go, keep the newest 3 in each package.',
        'Leave a package alone if more than 1 version would go.',
        'There is no grace period: even what was pushed a moment ago may be deleted.',
      ],
    ],
    [
      policy({
        rules: [when(tagged(), { olderThan: 0 })],
        keepDigests: listed('a', 'b'),
      }),
      [
        'Delete tagged images, whatever their tags, at any age.',
        'Keep 2 listed digests and all that belongs to them.',
        'Never delete anything younger than 1h.',
      ],
    ],
  ])('%#', (chosen, sentences) => {
    expect(describePolicy(chosen)).toEqual([...sentences, always])
  })
})
