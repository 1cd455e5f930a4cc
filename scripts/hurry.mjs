/**
 * Loaded into a program before it starts, this lets all of its clocks run faster: what it waits a minute for is over
 * in two or three seconds. So a story about patience needs none, and the program itself is unchanged. Programs that are
 * to agree about the time are given the same `HURRY_SINCE`, in milliseconds since the epoch.
 */
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

const factor = Number(process.env.HURRY_FACTOR ?? 25)
const { now } = Date
const started = Number(process.env.HURRY_SINCE ?? now())
Date.now = () => started + (now() - started) * factor

const { setTimeout: later } = globalThis
globalThis.setTimeout = (callback, ms = 0, ...rest) => later(callback, ms / factor, ...rest)

const { setTimeout: pause } = timers
timers.setTimeout = (ms = 0, ...rest) => pause(ms / factor, ...rest)
syncBuiltinESMExports()

const { timeout } = AbortSignal
AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / factor)
