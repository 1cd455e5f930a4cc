import { describe, expect, test } from '@jest/globals'
import { referencesIn, usesOf, type ImageNames, type Reference } from '../../src/references.js'

const images: ImageNames = { registry: 'ghcr.io', account: 'acme', repository: 'acme/shop' }

const hex = '0123456789abcdef'.repeat(4)
const digest = `sha256:${hex}`

/** One line for each reference: where it is and what it means. */
function told(text: string, file = 'deploy.yml', names = images): string[] {
  return referencesIn(text, file, names).map(shown)
}

function shown({ line, package: name, tag, tags, digest, unknown }: Reference): string {
  const range = tags === undefined ? '' : ` ~ ${tags.source}`
  const end = digest?.replace(hex, '…')
  return `${line} ${name}${tag === undefined ? '' : `:${tag}`}${end === undefined ? '' : `@${end}`}${range}${unknown === true ? ' ?' : ''}`
}

type Row = [title: string, file: string, text: string, told: string[]]

describe('a reference in one piece', () => {
  test.each<[text: string, told: string[]]>([
    ['ghcr.io/acme/api:1.0', ['1 api:1.0']],
    ['ghcr.io/acme/api', ['1 api:latest']],
    ['ghcr.io/acme/team/api:1.0', ['1 team/api:1.0']],
    [`ghcr.io/acme/api@${digest}`, ['1 api@sha256:…']],
    [`ghcr.io/acme/api:1.0@${digest}`, ['1 api:1.0@sha256:…']],
    [`ghcr.io/acme/api@${digest.toUpperCase().replace('SHA', 'sha')}`, ['1 api@sha256:…']],
    ['GHCR.io/Acme/API:RC-1', ['1 api:RC-1']],
    ['docker://ghcr.io/acme/api:1.0', ['1 api:1.0']],
    ['"ghcr.io/acme/api:1.0",', ['1 api:1.0']],
    ['# ghcr.io/acme/api:1.0', ['1 api:1.0']],
    ['[image](https://ghcr.io/acme/api:1.0)', ['1 api:1.0']],
    ['It runs ghcr.io/acme/api:1.0.', ['1 api:1.0.', '1 api:1.0']],
    ['It runs ghcr.io/acme/api.', ['1 api:latest']],
    ['ghcr.io/acme/api: the API', ['1 api:latest']],
    ['ref=ghcr.io/acme/api:1.0,push=true', ['1 api:1.0']],
    ['harbor.corp/ghcr.io/acme/api:1.0', ['1 api:1.0']],
    ['ghcr.io/acme/a:1 ghcr.io/acme/b:2\nghcr.io/acme/a:1', ['1 a:1', '1 b:2', '2 a:1']],
    ['ghcr.io/acme/api:1.0\r\n\r\nghcr.io/acme/web:2\r\n', ['1 api:1.0', '3 web:2']],
    ['ghcr.io/acme/charts/api:1.0.0+b1', ['1 charts/api:1.0.0_b1']],
    ['ghcr.io/other/api:1.0', []],
    ['ghcr.io/acmee/api:1.0', []],
    ['ghcr.io/acme:1.0', []],
    ['ghcr.io/acme/', []],
    ['myghcr.io/acme/api:1.0 my-ghcr.io/acme/api x.ghcr.io/acme/api', []],
    ['acme/api:1.0 docker.io/acme/api:1.0', []],
    ['https://github.com/acme/api', []],
    ['', []],
  ])('%j', (text, expected) => {
    expect(told(text, 'notes.txt')).toEqual(expected)
  })

  test.each(['containers.example.com', '127.0.0.1:5000', 'localhost:5000'])(
    'is found in the registry %s',
    (registry) => {
      const names = { registry, account: 'Acme' }
      expect(told(`x: ${registry}/acme/api:1.0`, 'a.yml', names)).toEqual(['1 api:1.0'])
      expect(told('x: ghcr.io/acme/api:1.0', 'a.yml', names)).toEqual([])
    },
  )
})

describe('a file of a deployment', () => {
  test.each<Row>([
    [
      'Kubernetes manifests, several documents',
      'deploy/api.yaml',
      `apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  template:
    spec:
      initContainers:
        - name: migrate
          image: "ghcr.io/acme/migrate:7"
      containers:
        - name: api
          image: ghcr.io/acme/api@${digest}
        - name: sidecar
          image: docker.io/library/nginx:1
---
kind: CronJob
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ image: ghcr.io/acme/job }] } } } } }
`,
      ['9 migrate:7', '12 api@sha256:…', '17 job:latest'],
    ],
    [
      'Compose, with defaults',
      'compose.yml',
      `services:
  api:
    image: ghcr.io/acme/api:\${TAG:-1.2}
  web:
    image: \${REGISTRY:-ghcr.io/acme}/web:\${WEB_TAG-2.0}
  job:
    image: ghcr.io/acme/job:\${JOB_TAG:?say which}
  db:
    image: \${DB_IMAGE:-ghcr.io/acme/db:\${DB:-15}}
  cache:
    image: \${PREFIX}/cache:7
`,
      ['3 api:1.2', '5 web:2.0', '7 job ?', '9 db:15', '11 */cache:7', '11 cache:7'],
    ],
    [
      'Helm values',
      'values.yaml',
      `image:
  tag: "1.0"
  repository: ghcr.io/acme/api
  pullPolicy: IfNotPresent
web:
  image: { registry: ghcr.io, repository: acme/web, tag: 2.10, digest: "" }
worker:
  image:
    registry: ghcr.io
    repository: acme/worker
    digest: ${digest}
    tag: v3
cron:
  image: { repository: acme/cron, tag: v4 }
hub:
  image: { registry: docker.io, repository: acme/hub, tag: v5 }
app:
  image: { repository: ghcr.io/acme/app, tag: "" }
gateImage: ghcr.io/acme/gate
gateTag: g1
doorImage: ghcr.io/acme/door
doorTag: d1
main: { name: main, repository: ghcr.io/acme/main, tag: m1, sha256: ${hex} }
hole: { registry: ghcr.io, image: 'acme/hole:$TAG' }
many: { repository: 'ghcr.io/acme/$MANY', tag: y1 }
full: { registry: ghcr.io, image: acme/full }
`,
      [
        '3 api:1.0',
        '6 web:2.10',
        '6 web:2.1',
        '10 worker:v3@sha256:…',
        '14 cron:v4',
        '18 app:latest ?',
        '19 gate:g1',
        '21 door:d1',
        '23 main:m1@sha256:…',
        '24 hole ?',
        '25 *:y1',
        '26 full:latest',
      ],
    ],
    [
      'values in JSON on one line',
      'values.json',
      `{"a":{"repository":"ghcr.io/acme/api","tag":"1.0"},"b":"ghcr.io\\/acme\\/web:2"}`,
      ['1 api:1.0', '1 web:2'],
    ],
    [
      'values with anchors and merges',
      'values.yml',
      `base: &base
  repository: ghcr.io/acme/api
  tag: &tag "1.0"
next:
  <<: *base
  tag: "2.0"
other: { repository: ghcr.io/acme/web, tag: *tag }
both: { <<: [*base], repository: ghcr.io/acme/both, tag: b }
`,
      ['2 api:1.0', '2 api:2.0', '7 web:1.0', '8 both:b'],
    ],
    [
      'a Helm template, which is no YAML',
      'templates/deployment.yaml',
      `{{- /*
  A comment of two lines.
*/}}
{{- $tag := .Values.tag }}
spec:
  containers:
  {{- range .Values.jobs }}
    - name: {{ .name }}
      image: "ghcr.io/acme/api:{{ .Values.tag | default "1.0" }}"
    - image: ghcr.io/acme/{{ .job }}:2.0
    - image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
    - image: '{{ .Values.registry }}/acme/web:v{{ .Chart.AppVersion }}'
    - image: {{ printf "ghcr.io/acme/db:%s" .Values.db }}
  {{- end }}
  sidecar:
    repository: ghcr.io/acme/sidecar
    tag: {{ .Values.sidecar.tag }}
    more: {{- toYaml .Values.more | nindent 4 }}
  proxy:
    repository: ghcr.io/acme/proxy
    {{- with .x }}
    tag: p-1
    {{- end }}
  flow: { repository: ghcr.io/acme/flow, tag: f1 }
{{- range .x }}{{ end }}
`,
      [
        '9 api:1.0',
        '10 *:2.0',
        '12 */acme/web ~ v*',
        '12 acme/web ~ v*',
        '12 web ~ v*',
        '13 db ?',
        '16 sidecar ?',
        '20 proxy:p-1',
        '24 flow:f1',
      ],
    ],
    [
      'a Dockerfile',
      'Dockerfile',
      `# syntax=docker/dockerfile:1
ARG REGISTRY=ghcr.io/acme
ARG TAG=1.2 NODE="20"
ARG LATER
FROM --platform=$BUILDPLATFORM ghcr.io/acme/build:1.0@${digest} AS build
FROM \${REGISTRY}/base:\${TAG}-node$NODE as base
FROM ghcr.io/acme/other:$LATER
COPY --from=ghcr.io/acme/tools:3 /bin/x /bin/x
COPY --from=build /a /a
FROM \\
  ghcr.io/acme/last
`,
      ['5 build:1.0@sha256:…', '6 base:1.2-node20', '7 other ?', '8 tools:3', '11 last:latest'],
    ],
    [
      'a workflow',
      '.github/workflows/ci.yml',
      `env:
  IMAGE: ghcr.io/acme/api
  TAG: 4.2 # now
jobs:
  a:
    container: ghcr.io/acme/ci:22
    services: { db: { image: 'ghcr.io/acme/db:15' } }
    steps:
      - uses: docker://ghcr.io/acme/lint:v1
      - run: docker run \${{ env.IMAGE }}:\${{ env.TAG }}
      - run: docker run ghcr.io/\${{ github.repository }}:\${{ github.sha }}
      - run: docker run ghcr.io/\${{ github.repository_owner }}/web:\${{ inputs.tag || 'stable' }}
      - run: docker run ghcr.io/\${{ github.repository }}-job:v\${{ steps.x.outputs.v }}-amd64
      - uses: actions/checkout@v4
        with: { repository: acme/api, ref: main }
      - run: |
          docker pull ghcr.io/acme/api:$(git rev-parse HEAD)
          helm pull oci://ghcr.io/acme/charts/api --version 1.2.3+4
          helm pull oci://ghcr.io/acme/charts/web
`,
      [
        '2 api:4.2',
        '6 ci:22',
        '7 db:15',
        '9 lint:v1',
        '10 api:4.2',
        '11 shop ?',
        '12 web:stable',
        '13 shop-job ~ v*-amd64',
        '17 api ?',
        '18 charts/api:1.2.3_4',
        '19 charts/web ?',
      ],
    ],
    [
      'Kustomize',
      'kustomization.yaml',
      `images:
  - name: ghcr.io/acme/api
    newTag: "1.3"
  - name: web
    newName: ghcr.io/acme/web
    digest: ${digest}
  - name: ghcr.io/acme/old
    newName: ghcr.io/acme/new
    newTag: n1
  - name: ghcr.io/acme/moved
    newName: quay.io/acme/moved
    newTag: m1
  - name: same
    newName: ghcr.io/acme/same
helmCharts:
  - name: chart
    repo: oci://ghcr.io/acme/charts
    version: 0.1.0
`,
      ['2 api:1.3', '5 web@sha256:…', '8 new:n1', '14 same:latest ?', '17 charts/chart:0.1.0'],
    ],
    [
      'a chart with dependencies',
      'Chart.yaml',
      `name: shop
version: 9.9.9
dependencies:
  - name: api
    version: 1.2.3+build.4
    repository: oci://ghcr.io/acme/charts
  - repository: "oci://ghcr.io/acme/charts/"
    name: web
    version: ">=1.0, <3"
  - { name: db, repository: oci://ghcr.io/acme, version: 1.2 }
  - { name: far, repository: https://charts.example.com, version: 1.2.3 }
`,
      ['6 charts/api:1.2.3_build.4', '7 charts/web ~ >=1.0, <3', '10 db ~ 1.2'],
    ],
    [
      'Flux and Argo CD',
      'apps.yaml',
      `kind: OCIRepository
spec:
  url: oci://ghcr.io/acme/manifests/app
  ref: { tag: 1.0.0 }
---
kind: OCIRepository
spec:
  ref: { semver: "^2.0.0" }
  url: oci://ghcr.io/acme/manifests/web
---
kind: HelmRelease
spec: { chart: { spec: { chart: api, version: 3.1.0, sourceRef: { kind: HelmRepository } } } }
---
kind: HelmRepository
spec: { type: oci, url: oci://ghcr.io/acme/charts }
---
kind: Application
spec:
  source: { repoURL: ghcr.io/acme/helm, chart: job, targetRevision: 1.x }
`,
      [
        '3 manifests/app:1.0.0',
        '9 manifests/web ~ ^2.0.0',
        '12 charts/api:3.1.0',
        '15 charts:latest ?',
        '19 helm/job ~ 1.x',
      ],
    ],
    [
      'variables of a shell, Terraform and the like',
      'main.tf',
      `image = "ghcr.io/acme/api:\${var.tag}"
module "x" {
  repository = "ghcr.io/acme/web"
  tag        = "w1"
}
other {
  repository = "\${local.registry}/acme/job"
  digest     = "${digest}"
}
`,
      ['1 api ?', '3 web:w1', '7 */acme/job@sha256:…', '7 acme/job@sha256:…', '7 job@sha256:…'],
    ],
    [
      'a template that is no YAML at all',
      'values.yaml.gotmpl',
      `list:
  - repository: ghcr.io/acme/a
    tag: "7.0"
  - repository: ghcr.io/acme/b
    tag: 8.0 # now
  {{ if and
     .x }} ]{{ end }}
`,
      ['2 a:7.0', '4 b:8.0', '4 b:8'],
    ],
    [
      'sections of an INI or TOML file',
      'images.toml',
      `[a]\nimage = "ghcr.io/acme/a"\ntag = "1"\n[b]\nimage = "ghcr.io/acme/b"\ntag = "2"\n`,
      ['2 a:1', '5 b:2'],
    ],
    [
      'an environment file',
      '.env',
      `export API_IMAGE=ghcr.io/acme/api
API_TAG="1.0"
WEB_IMAGE=ghcr.io/acme/web
WEB_TAG=2.0
FULL=$WEB_IMAGE:edge
`,
      ['1 api:1.0', '3 web:2.0', '5 web:edge'],
    ],
    [
      'a lock file that has digests only',
      'images.lock',
      `x\nsha256:${hex}\nghcr.io/acme/api@sha256:${'f'.repeat(64)}`,
      ['2 *@sha256:…', `3 api@sha256:${'f'.repeat(64)}`],
    ],
  ])('%s', (_title, file, text, expected) => {
    expect(told(text, file)).toEqual(expected)
  })
})

describe('settings of Helm and its like', () => {
  test.each<Row>([
    [
      'one by one',
      'deploy.sh',
      `helm upgrade api . \\
  --set image.repository=ghcr.io/acme/api \\
  --set-string image.tag=1.0
`,
      ['2 api:1.0'],
    ],
    [
      'in one list, in quotes, and of several images',
      'deploy.sh',
      `helm upgrade shop . --set "api.image.repository=ghcr.io/acme/api,api.image.tag=1.0" \\
  --set=web.image.tag='2.0',web.image.repository="ghcr.io/acme/web",replicas=3
`,
      ['1 api:1.0', '2 web:2.0'],
    ],
    [
      'with a tag that is known only when it runs',
      '.github/workflows/deploy.yml',
      `jobs:
  deploy:
    steps:
      - run: helm upgrade api . --set image.repository=ghcr.io/acme/api --set image.tag=v1-\${{ github.sha }}
      - run: helm upgrade web . --set image.repository=ghcr.io/acme/web,image.tag="$TAG"
`,
      ['4 api ~ v1-*', '5 web ?'],
    ],
    [
      'without a tag, which the chart then says',
      'deploy.sh',
      'helm upgrade api . --set image.repository=ghcr.io/acme/api\n',
      ['1 api:latest ?'],
    ],
    [
      'as lists of names and values',
      'application.yaml',
      `spec:
  source:
    helm:
      parameters:
        - { name: api.image.repository, value: ghcr.io/acme/api }
        - name: api.image.tag
          value: '1.0'
        - name: web.image.tag
          value: '2.0'
        - name: web.image.repository
          value: ghcr.io/acme/web
`,
      ['5 api:1.0', '11 web:2.0'],
    ],
    [
      'as variables of a container',
      'pod.yaml',
      `env:
  - { name: API_IMAGE, value: ghcr.io/acme/api }
  - { name: API_TAG, value: '1.0' }
  - { name: WEB_IMAGE, value: ghcr.io/acme/web }
  - { name: SERVICE_TAG, value: '2.0' }
  - { name: LEVEL }
`,
      ['2 api:1.0', '4 web:latest'],
    ],
    [
      'with tags as a list',
      'values.yaml',
      'image: ghcr.io/acme/api\ntags: ["1.0", 2.10]\n',
      ['1 api:1.0', '1 api:2.10', '1 api:2.1'],
    ],
  ])('%s', (_title, file, text, expected) => {
    expect(told(text, file)).toEqual(expected)
  })
})

describe('what a file does not say', () => {
  test.each<[text: string, told: string[]]>([
    ['ghcr.io/acme/api:$TAG', ['1 api ?']],
    ['ghcr.io/acme/api:{{ .Values.tag }}', ['1 api ?']],
    ['ghcr.io/acme/api:<tag>', ['1 api ?']],
    ['ghcr.io/acme/api:%TAG%', ['1 api ?']],
    ['ghcr.io/acme/api:#{TAG}#', ['1 api ?']],
    ['ghcr.io/acme/api:$(TAG)', ['1 api ?']],
    ['ghcr.io/acme/api:${A}-${B}', ['1 api ?']],
    ['ghcr.io/acme/api:v1-${X}', ['1 api ~ v1-*']],
    ['ghcr.io/acme/api:${X}-amd64.{{ .y }}', ['1 api ~ *-amd64.*']],
    ['ghcr.io/acme/api${SUFFIX}', ['1 api* ?']],
    ['ghcr.io/acme/${NAME}:1.0', ['1 *:1.0']],
    ['ghcr.io/acme/${NAME}-api:1.0', ['1 *-api:1.0']],
    ['ghcr.io/acme/${NAME}:v${X}', ['1 * ?']],
    ['ghcr.io/${OWNER}/api:1.0', ['1 */api:1.0', '1 api:1.0']],
    ['ghcr.io/acme/api@${DIGEST}', ['1 api ?']],
    ['ghcr.io/acme/api:1.0@${DIGEST}', ['1 api:1.0 ?']],
    [`ghcr.io/acme/api:\${TAG}@${digest}`, ['1 api@sha256:…']],
    ['ghcr.io/acme/api@sha256:0123', ['1 api ?']],
    [`ghcr.io/acme/api@sha512:${hex}${hex}`, ['1 api ?']],
    [`ghcr.io/acme/api:${'t'.repeat(129)}`, ['1 api ?']],
    ['<b>ghcr.io/acme/api:1.0</b> <p>ghcr.io/acme/web<br>', ['1 api:1.0', '1 web:latest']],
    ['image: $IMAGE', []],
    ['image: $IMAGE:$TAG', []],
    ['image: $IMAGE:1.0', ['1 *:1.0']],
    [`image: {{ .repository }}@${digest}`, ['1 *@sha256:…']],
    ['volumes: $HOME/api:ro', []],
    ['run: $HOME/acme/api:1.0', ['1 */acme/api:1.0', '1 acme/api:1.0', '1 api:1.0']],
    ['ghcr.io/acme/{{ ghcr.io/acme/a:1 }}', ['1 * ?', '1 a:1']],
    ['ghcr.io/acme/api:${UNCLOSED', ['1 api:latest']],
    ['ghcr.io/acme/api:{{ unclosed', ['1 api:latest']],
  ])('%j', (text, expected) => {
    expect(told(text, 'notes.txt')).toEqual(expected)
  })

  test.each<[title: string, text: string, told: string[]]>([
    ['has every value it is given', 'T=1\nT="2"\nghcr.io/acme/api:$T', ['3 api:1', '3 api:2']],
    [
      'may be given one from elsewhere',
      'T=1\nT=$(date)\nghcr.io/acme/api:$T',
      ['3 api:1', '3 api ?'],
    ],
    ['may hold others', 'A=1\nB=$A.2\nghcr.io/acme/api:${B:?}', ['3 api:1.2']],
    ['may hold itself', 'A=1$A\nghcr.io/acme/api:$A', ['2 api ~ 1*']],
    ['may hold itself by way of others', 'A=$B\nB=$A\nghcr.io/acme/api:$A', ['3 api ?']],
    ['may be empty', 'A=\nghcr.io/acme/api:1$A', ['2 api:1']],
    ['may be put in only when it is set', 'ghcr.io/acme/api${T:+:1}', ['1 api:1', '1 api:latest']],
    ['may be cut', 'T=1\nghcr.io/acme/api:${T#v}', ['2 api ?']],
    ['is made', 'TAG := 1\nghcr.io/acme/api:$(TAG)', ['2 api:1']],
    ['is set as in old times', 'ENV TAG 1\nFROM ghcr.io/acme/api:$TAG', ['2 api:1']],
  ])('a variable %s', (_title, text, expected) => {
    expect(told(text, 'Makefile')).toEqual(expected)
  })

  test('is not made up when a variable has very many values', () => {
    const lines = [...Array(20).keys()].map((index) => `T=${index}`)
    expect(told([...lines, 'ghcr.io/acme/api:v$T'].join('\n'), 'x.sh')).toEqual(['21 api ~ v*'])
    const bits = 'A=0\nA=1\nghcr.io/acme/api:' + '$A'.repeat(6)
    expect(told(bits, 'x.sh')).toEqual(
      [...Array(16).keys()].map((n) => `3 api ~ ${n.toString(2).padStart(4, '0')}*`),
    )
  })
})

describe('uses of a package', () => {
  const uses = (text: string, name: string, file = 'a.yml') => {
    const found = usesOf(referencesIn(text, file, images), name)
    const places = (list: readonly { file: string; line: number }[]) =>
      list.map(({ file: where, line }) => `${where}:${line}`)
    return {
      uses: Object.fromEntries([...found.uses].map(([key, list]) => [key, places(list)])),
      protect: found.protect.map(({ pattern, origin }) => `${pattern.source} ${origin.place}`),
      unknown: places(found.unknown),
      keeps: (tag: string) => found.protect.some(({ pattern }) => pattern.matches(tag)),
    }
  }

  test('are by tag and by digest, each place once', () => {
    const text = `ghcr.io/acme/api:1\nghcr.io/acme/API:1 ghcr.io/acme/api:1\nghcr.io/acme/api:1@${digest}\nghcr.io/acme/web:1`
    expect(usesOf(referencesIn(text, 'a.txt', images), 'Api')).toEqual({
      uses: new Map([
        [
          '1',
          [
            { reference: 'ghcr.io/acme/api:1', file: 'a.txt', line: 1 },
            { reference: 'ghcr.io/acme/API:1', file: 'a.txt', line: 2 },
            { reference: 'ghcr.io/acme/api:1', file: 'a.txt', line: 2 },
            { reference: `ghcr.io/acme/api:1@${digest}`, file: 'a.txt', line: 3 },
          ],
        ],
        [digest, [{ reference: `ghcr.io/acme/api:1@${digest}`, file: 'a.txt', line: 3 }]],
      ]),
      protect: [],
      unknown: [],
    })
  })

  test('are those of names that are known in part', () => {
    const text =
      'ghcr.io/acme/${X}-api:1\nghcr.io/acme/team/$X:2\nghcr.io/acme/$X:3\nghcr.io/acme/$X:$Y'
    expect(uses(text, 'team/my-api').uses).toEqual({
      1: ['a.yml:1'],
      2: ['a.yml:2'],
      3: ['a.yml:3'],
    })
    expect(uses(text, 'web')).toMatchObject({ uses: { 3: ['a.yml:3'] }, unknown: ['a.yml:4'] })
  })

  test('protect every tag that a tag with unknown parts can be', () => {
    const { protect, keeps, unknown } = uses(
      'ghcr.io/acme/api:v1-${X}-x\nghcr.io/acme/api:$Y',
      'api',
    )
    expect(protect).toEqual(['v1-*-x a.yml:1'])
    expect(unknown).toEqual(['a.yml:2'])
    expect(['v1--x', 'v1-a-x-x'].filter(keeps)).toHaveLength(2)
    expect(['v1-x', 'v1-', 'xv1--x', 'v1-a-xy'].filter(keeps)).toEqual([])
    const two = uses('ghcr.io/acme/api:v$A-$B-x', 'api')
    expect(['v--x', 'v1-2-x'].filter(two.keeps)).toHaveLength(2)
    expect(['v-x', 'v1-x'].filter(two.keeps)).toEqual([])
  })

  test('protect every version that a chart may be deployed in', () => {
    const chart = (version: string) =>
      uses(`- { name: api, repository: oci://ghcr.io/acme, version: "${version}" }`, 'api')
    expect(chart('>=1.2.0, <2').keeps('1.3.0_b1')).toBe(true)
    expect(chart('>=1.2.0, <2').keeps('1.1.0')).toBe(false)
    expect(chart('1.x').keeps('1.9.9')).toBe(true)
    expect(chart('1.2').keeps('1.3.0')).toBe(false)
    expect(chart('~nonsense').unknown).toEqual(['a.yml:1'])
    expect(chart('^$MAJOR').unknown).toEqual(['a.yml:1'])
  })

  test('are shown short, on one line', () => {
    const text = `ghcr.io/acme/${'a'.repeat(250)}:1 ghcr.io/acme/api:{{ \t .x }}-1`
    const shown = referencesIn(text, 'a.txt', images).map(({ reference }) => reference)
    expect(shown.map((one) => one.length)).toEqual([200, 27])
    expect(shown[1]).toBe('ghcr.io/acme/api:{{ .x }}-1')
  })
})

describe('a file of a size that nobody writes by hand', () => {
  test('is read by its lines', () => {
    const text = `${'# many words\n'.repeat(350_000)}\nrepository: ghcr.io/acme/api\ntag: 1.0\n`
    expect(told(text, 'a.yml')).toHaveLength(2)
  })

  test('may have variables that stand for variables without end', () => {
    const lines = [...Array(5000).keys()].map((index) => `V${index}=$V${index + 1}$V${index + 1}`)
    expect(told(`${lines.join('\n')}\nghcr.io/acme/api:$V0`, 'x.sh')).toEqual(['5001 api ?'])
  })
})
