import { describe, expect, test } from '@jest/globals'
import type { Outcome, OutcomeResult } from '../../src/model.js'
import { describePolicy } from '../../src/policy/describe.js'
import { compileTagPatterns } from '../../src/policy/patterns.js'
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
import {
  artifact,
  decide,
  digest,
  image,
  index,
  now,
  policy,
  tagOf,
  tagged,
  type Item,
} from './kit.js'

const view = { now, by: 'updated' } as const

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
      'tag prod is protected',
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
      policy({ keepDigests: new Set([digest('a')]) }),
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
      [image('a', { tags: ['pr-1', 'v1'] })],
      policy({ tags: 'pr-*' }),
      'matched by pr-1, but not by its other tags: v1',
    ],
    [
      'the last tagged',
      [image('a', { tags: ['x'] })],
      policy(),
      'last tagged version, which GitHub does not let go',
    ],
    [
      'not selected',
      [image('a')],
      policy({ deleteRules: [tagged()] }),
      'no rule asks for it to go',
    ],
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
      policy({ maxDeletions: 1 }),
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
    expect(lines(items, chosen).join('\n')).toContain(words)
  })

  test('shows a circle of references under its first version', () => {
    const items = [index('a', ['b'], { tags: [tagOf('b', '.sig')] }), image('b')]
    expect(lines(items)).toHaveLength(2)
  })

  test('tells ages by the chosen timestamp', () => {
    const { plan } = decide([image('a', { age: 50, updated: 20 })])
    expect(planLines(plan, { now, by: 'created' })[0]).toContain('50d old')
  })

  test('says whose part a part is, by tag where there is one', () => {
    const items = [
      index('outer', [{ of: 'inner', kind: 'index' }], { tags: ['v2'], age: 3 }),
      index('inner', ['leaf']),
      image('leaf'),
    ]
    const { plan } = decide(items)
    const file = JSON.parse(planFile(reportOf(plan), now)) as {
      packages: { versions: { name: string; why: string }[] }[]
    }
    const why = file.packages[0]?.versions.map((version) => version.why)
    const goes = decide([image('old'), artifact('bundle', { subject: 'old' })]).plan
    expect(planFile(reportOf(goes), now)).toContain(`attached to ${short('old')}, which goes`)
    expect(why).toContain('contained in v2, which stays')
    expect(why).toContain(`contained in ${short('inner')}, part of v2, which stays`)
  })

  test.each([
    ['application/vnd.dev.sigstore.bundle.v0.3+json', 'Sigstore bundle'],
    ['application/vnd.in-toto+json', 'attestation'],
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

  test('shortens long lists of tags and says an unknown age', () => {
    const many = image('a', { tags: Array.from({ length: 30 }, (_, at) => `tag-${at}`) })
    expect(lines([many])[0]).toMatch(/^keep {4}tag-0, tag-1, .{25,40}… /)
    const unknown = { ...many, version: { ...many.version, updatedAt: undefined } }
    expect(lines([unknown])[0]).toContain('  age unknown  ')
  })
})

/** A report on one package whose deletes ended as said, in their order; the rest were deleted. */
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
      () => reportOf(decide([image('a')], policy({ maxDeletions: 0 })).plan),
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

  test('restores an image with its parts in one line, parts first', () => {
    const items = [
      index('old', ['leaf'], { tags: ['pr-1'] }),
      image('leaf'),
      image('v', { tags: ['v'], age: 1 }),
    ]
    const [root, leaf] = items.map(({ version }) => version.id)
    const text = summaryOf(reportOf(decide(items).plan), sentences, view)
    expect(text).toContain(`restore ${leaf ?? ''} ${root ?? ''} # pr-1`)
  })

  test('of a dry run tells what would go and nothing of restoring', () => {
    const text = summaryOf(reportOf(six(), [], true), sentences, view)
    expect(text).toContain('(dry run)')
    expect(text).toContain('✅ **6 of 6 versions would go, 0 stay.** Nothing was changed.')
    expect(text).toContain('| Package | Versions | Would go | Stay |')
    expect(text).not.toContain('restore')
  })

  test('tells what was left alone, what was not reached, and where everything stays', () => {
    const refused = decide([image('a')], policy({ maxDeletions: 0 })).plan
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
    expect(text).toMatch(/_\d+ more sections do not fit here; plan\.json has everything\._/)
    expect(text).toContain('_99 more are in plan.json._')
  })
})

describe('plan.json', () => {
  const read = (report: RunReport): unknown => JSON.parse(planFile(report, now))

  test('has every version with its decision, and what became of it', () => {
    const release = index('release', ['amd64'], { tags: ['v1', 'prod'] })
    const { plan } = decide(
      [
        release,
        image('amd64'),
        artifact('bundle', { subject: 'release', type: 'a/b' }),
        image('old'),
      ],
      policy({ protectTags: 'prod', keepDigests: new Set([digest('release')]) }),
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
              reason: { code: 'listed-digest' },
              also: [{ code: 'protected-tag', tag: 'prod', pattern: 'prod' }],
              overruled: { code: 'delete-rule', rule: 'tagged', evidence: 'older than 30d: 40d' },
            },
            expect.objectContaining({ role: 'attachment', artifactType: 'a/b', type: 'a/b' }),
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
        protect: compileTagPatterns(['prod', 'qa', 'v*']).include,
        keepDigests: new Set([digest('a')]),
        spareNewest: 3,
        maxDeletions: 1,
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
        deleteRules: [{ ...tagged(), olderThan: 0 }],
        keepDigests: new Set([digest('a'), digest('b')]),
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
