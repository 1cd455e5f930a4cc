import type { RefusalCode } from './model.js'

/** The closed list of what can go wrong. Tests check the code; words may improve. */
export type ErrorCode =
  | RefusalCode
  | 'bad-input'
  | 'account-not-found'
  | 'cannot-list-packages'
  | 'permission'
  | 'unexpected-answer'
  | 'out-of-time'
  | 'out-of-quota'
  | 'unavailable'

/** An error with a code for programs, and for people what happened and what to do about it. */
export class RetentionError extends Error {
  readonly code: ErrorCode
  /** What the reader can do about it. */
  readonly hint: string

  constructor(code: ErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'RetentionError'
    this.code = code
    this.hint = hint
  }
}

/** Whether time or quota ended something before it could be done, which is nobody's fault. */
export function isOutOfTime(error: unknown): error is RetentionError {
  return error instanceof RetentionError && ['out-of-time', 'out-of-quota'].includes(error.code)
}

/**
 * The run ended before something was looked at. Nothing is wrong; the next run looks again.
 *
 * @param why what ran out
 */
export function outOfTime(why = 'the time budget is used up'): RetentionError {
  return new RetentionError('out-of-time', why, 'The next run looks at it again.')
}
