import type { Outcome, OutcomeResult, Plan, Refusal, Verification } from '../model.js'

import { wouldGo } from './words.js'

/** What a run did, or in dry-run would do. Everything that is told afterwards is made from this value. */
export interface RunReport {
  readonly account: string
  readonly route: string
  readonly dryRun: boolean
  readonly packages: readonly PackageReport[]
  /** What stopped the run before it could look at any package. */
  readonly failure: Refusal | undefined
  /** What a reader has to know of the run besides, in whole sentences. */
  readonly warnings: readonly string[]
}

/** One package of a run. */
export interface PackageReport {
  readonly name: string
  readonly plan: Plan
  /** One for every deletion of the plan; empty in dry-run and for a refused package. */
  readonly outcomes: readonly Outcome[]
  /** Why the run did not come to this package, or undefined. */
  readonly notReached: string | undefined
  /** What a look after the deletes found; undefined when there was none. */
  readonly verification?: Verification
}

/** The numbers of a run, or of one package. Counts are of versions. */
export interface Totals {
  readonly listed: number
  readonly planned: number
  /** What would have gone if the package had not been left alone. */
  readonly refused: number
  /** What the plan keeps, and what changed after the listing and stays by what it is now. */
  readonly kept: number
  readonly changed: number
  readonly deleted: number
  readonly alreadyGone: number
  readonly retained: number
  readonly failed: number
  readonly remaining: number
}

/** Adds up one package. */
export function totalsOf({ plan, outcomes }: Pick<PackageReport, 'plan' | 'outcomes'>): Totals {
  const count = (status: OutcomeResult['status']) =>
    outcomes.filter(({ result }) => result.status === status).length
  return {
    listed: plan.decisions.length,
    planned: plan.deletions.length,
    refused: plan.decisions.filter(wouldGo).length,
    kept: plan.decisions.length - plan.deletions.length + count('changed'),
    changed: count('changed'),
    deleted: count('deleted'),
    alreadyGone: count('already-gone'),
    retained: count('retained'),
    failed: count('failed'),
    remaining: count('remaining'),
  }
}

/** Adds up a whole run. */
export function sum(packages: readonly PackageReport[]): Totals {
  const all = packages.map(totalsOf)
  const total = (key: keyof Totals) => all.reduce((sofar, totals) => sofar + totals[key], 0)
  return {
    listed: total('listed'),
    planned: total('planned'),
    refused: total('refused'),
    kept: total('kept'),
    changed: total('changed'),
    deleted: total('deleted'),
    alreadyGone: total('alreadyGone'),
    retained: total('retained'),
    failed: total('failed'),
    remaining: total('remaining'),
  }
}

/** A run fails when it could not start, a package was left alone, a delete failed or what stays is not whole. */
export function hasFailed({ failure, packages }: RunReport): boolean {
  return (
    failure !== undefined ||
    packages.some(
      ({ plan, outcomes, verification }) =>
        plan.refusals.length > 0 ||
        outcomes.some(({ result }) => result.status === 'failed') ||
        (verification?.losses.length ?? 0) > 0,
    )
  )
}

/** A package that could not be looked at, as a report. */
export function emptyPackage(
  account: string,
  name: string,
  why: { refusal: Refusal } | { notReached: string },
): PackageReport {
  const refusals = 'refusal' in why ? [why.refusal] : []
  return {
    name,
    plan: { package: { account, name }, decisions: [], deletions: [], refusals },
    outcomes: [],
    notReached: 'notReached' in why ? why.notReached : undefined,
  }
}
