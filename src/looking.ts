import type { Host } from './host.js'
import { imagesOf } from './images.js'
import { isOfPackage, readImageReference, type ImageReference } from './image-reference.js'
import { nearest } from './nearest.js'
import { tellRefusals } from './run-log.js'
import { refusalOf } from './planning.js'
import { entryFor } from './policy/policy-set.js'
import { tracer } from './policy/judge.js'
import type { PolicyEntry } from './policy/policy.js'
import { inFileOrder, type Finding } from './policy/lint/findings.js'
import { lintSet } from './policy/lint/lint-set.js'
import { lintUse, type LookedAt } from './policy/lint/lint-use.js'
import type { Clock } from './ports.js'
import { Remembering } from './remembering.js'
import { Explainer } from './report/explain.js'
import {
  begin,
  chooseNames,
  planPackage,
  prepare,
  readSettings,
  systemClock,
  type PlannedPackage,
  type Run,
} from './run.js'

/** A package that was planned to be looked at. */
interface Looked extends PlannedPackage {
  readonly name: string
}

/**
 * Says everything about the decisions on some images, and changes nothing.
 *
 * @param references tags, digests or beginnings of such, or whole references such as `ghcr.io/acme/api:v1`
 * @returns the exit code: 1 when the inputs are wrong, a package cannot be looked at, or nothing has such a name
 */
export async function explain(
  host: Host,
  references: readonly string[],
  clock: Clock = systemClock(host.cancelled),
): Promise<number> {
  return looking(host, clock, (run, looked) => {
    const { login } = run.account
    const wanted = [...new Set(references)].map(readImageReference)
    const found = new Set<ImageReference>()
    for (const one of looked) {
      const explainer = explainerOf(run, one)
      for (const reference of wanted.filter((each) => isOfPackage(each, login, one.name)))
        for (const decision of explainer.find(reference.name)) {
          found.add(reference)
          host.log.info(`${login}/${one.name}:`)
          for (const line of explainer.explain(decision)) host.log.info(`  ${line}`)
        }
    }
    const lost = wanted.filter((reference) => !found.has(reference))
    for (const reference of lost) host.log.error(whyLost(reference, login, looked))
    return lost.length === 0
  })
}

/** Names the tag that may have been meant. */
function whyLost(reference: ImageReference, login: string, looked: readonly Looked[]): string {
  const { text, repository, name } = reference
  const places = looked.filter((one) => isOfPackage(reference, login, one.name))
  if (repository !== undefined && places.length === 0)
    return `${text}: ${repository} is none of the packages that were looked at. Name it with image-names.`
  const tags = places.flatMap(({ plan }) => plan.decisions.flatMap(({ version }) => version.tags))
  const near = nearest(name, tags)
  const meant = near === undefined ? '' : ` Did you mean ${near}?`
  const nothing =
    repository === undefined
      ? 'none of the packages that were looked at has a version'
      : `${repository} has no version`
  return `${text}: ${nothing} with this tag, or with a digest that begins like this.${meant}`
}

/** Everything that can be asked about the decisions on a package. */
export function explainerOf(
  { settings }: Pick<Run, 'settings'>,
  looked: PlannedPackage,
): Explainer {
  const view = { now: looked.source.now, by: settings.ageBy }
  return new Explainer({ plan: looked.plan, ...judgedIn(looked), view })
}

/** The images of a package, and what every rule says of one. */
function judgedIn({ snapshot, policy, source }: PlannedPackage) {
  const images = imagesOf(snapshot)
  return { images, trace: tracer(policy, images, source.now) }
}

/**
 * Says what is odd in a policy, by the file and by what is in the packages that it is about.
 *
 * @returns the exit code: 1 when something could not be looked at; findings alone are no failure
 */
export async function lint(
  host: Host,
  clock: Clock = systemClock(host.cancelled),
): Promise<number> {
  return looking(host, clock, ({ settings: { policies } }, looked) => {
    const packages = looked.flatMap((one): LookedAt[] => {
      const { name, plan, policy } = one
      const entry = entryFor(policies, name)
      return entry === undefined ? [] : [{ name, entry, policy, plan, ...judgedIn(one) }]
    })
    const about = new Set(packages.map(({ entry }) => entry))
    const idle = policies.entries.filter((entry) => !about.has(entry)).map(withoutPackage)
    const findings = [...lintSet(policies), ...lintUse(policies, packages), ...idle]
    tellFindings(host.log.info, inFileOrder(findings))
    return true
  })
}

function withoutPackage({ origin: { place } }: PolicyEntry): Finding {
  return {
    place,
    message: 'No package that was looked at is governed by this entry. Is match written right?',
  }
}

/** One line for each finding, or that there are none. */
export function tellFindings(tell: (line: string) => void, findings: readonly Finding[]): void {
  for (const { place, message } of findings) tell(`${place}: ${message}`)
  if (findings.length === 0) tell('Nothing is odd in what was looked at.')
}

/** Plans every package, and gives them to somebody who looks. Whatever is wrong is told. */
async function looking(
  host: Host,
  clock: Clock,
  look: (run: Run, looked: readonly Looked[]) => boolean,
): Promise<number> {
  const started = clock.now()
  host.hide(host.inputs.token?.trim() ?? '')
  try {
    const asked = await readSettings(host)
    const { settings } = asked
    begin(asked, host)
    const run = await prepare(asked, host, clock, started)
    const names = await chooseNames(run)
    const memory = new Remembering({ settings, host, clock, account: run.account.login, names })
    const looked: (Looked | undefined)[] = []
    for (const name of names) looked.push(await planOne(run, name, memory))
    const isWhole = look(
      run,
      looked.filter((one) => one !== undefined),
    )
    return isWhole && !looked.includes(undefined) ? 0 : 1
  } catch (error) {
    const { message, hint } = refusalOf(error)
    host.log.error(`${message}\n${hint}`)
    return 1
  }
}

/** Undefined for a package that cannot be looked at, or that the policy says nothing of; which is told. */
async function planOne(run: Run, name: string, memory: Remembering): Promise<Looked | undefined> {
  const { host, policies, account } = run
  const label = `${account.login}/${name}`
  try {
    const policy = policies.policyOf(name)
    if (policy === undefined) {
      host.log.error(`${label}: no entry of the policy matches it.`)
      return undefined
    }
    const planned = await planPackage(run, name, policy, memory.of(name))
    const refusals = planned.plan.refusals.filter(({ code }) => code !== 'max-deletions')
    tellRefusals(host, label, refusals, 'not looked at')
    return refusals.length > 0 ? undefined : { ...planned, name }
  } catch (error) {
    tellRefusals(host, label, [refusalOf(error)], 'not looked at')
    return undefined
  }
}
