import { RE2JS, RE2JSException } from 're2js'

/** What a character of a line may cost; a thousand steps are more than a sentence about a line takes. */
export const PATTERN_SIZE_MAX = 1000

export interface Pattern {
  /** Whether any part of the line matches. */
  test(line: string): boolean
}

/** What is wrong with a regular expression, in a few words. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/**
 * A regular expression of a lab, in RE2's syntax. RegExp would try a line again and again, for ever with `(a+)+$`; this reads each of its
 * characters once. See docs/decisions/regular-expressions.md. Throws a PatternError.
 */
export function compilePattern(text: string): Pattern {
  const compiled = compile(text)
  const size = compiled.programSize()
  if (size > PATTERN_SIZE_MAX) throw new PatternError(`it takes ${size} steps, at most ${PATTERN_SIZE_MAX} are allowed`)
  return compiled
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    if (error instanceof RE2JSException) throw new PatternError(error.message.replace(/^error parsing regexp: /, ''))
    throw error
  }
}
