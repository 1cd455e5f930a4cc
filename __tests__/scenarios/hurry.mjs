/**
 * Loaded into an action before it starts, this lets all of its clocks run faster: what it waits a minute for is over
 * in two or three seconds. So a story about patience needs none, and the action itself is unchanged.
 */
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

const factor = 25

const started = Date.now()
const { now } = Date
Date.now = () => started + (now() - started) * factor

const { setTimeout: later } = globalThis
globalThis.setTimeout = (callback, ms = 0, ...rest) => later(callback, ms / factor, ...rest)

const { setTimeout: pause } = timers
timers.setTimeout = (ms = 0, ...rest) => pause(ms / factor, ...rest)
syncBuiltinESMExports()

const { timeout } = AbortSignal
AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / factor)
