import { readFileSync } from 'node:fs'
import { ToolchainError } from '../engine/toolchain/errors.ts'
import { formatDiagnostics } from '../engine/toolchain/format.ts'
import { UserError } from '../main/service/errors.ts'
import type { Diagnostic } from '../protocol/service.ts'

/** Everything that is not the guest's console goes to standard error, each line as `atoll: …` or as a compiler would print it. */
export function say(text: string): void {
  process.stderr.write(`atoll: ${text}\n`)
}

/**
 * One line a diagnostic, as compilers print them, so that editors and people find the place: `file:line:column: error: …`.
 * At a terminal the line of the source follows, with a caret under the place.
 */
export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  process.stderr.write(formatDiagnostics(diagnostics, process.stderr.isTTY ? sourceText : undefined))
}

function sourceText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // Gone since it was compiled: the place alone has to do.
  }
}

/** Whether an error is a sentence for the user, who can do something about it; every other one is ours. */
export function isForUser(error: unknown): error is Error {
  return error instanceof UserError || error instanceof ToolchainError
}

/**
 * The sentence for an error that ends a command. What is nobody's mistake but ours says so, and keeps its stack for `ATOLL_DEBUG=1`.
 */
export function describeFailure(error: unknown): string {
  if (isForUser(error)) return error.message
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  const detail = process.env.ATOLL_DEBUG && stack ? `\n${stack}` : ''
  return `internal error: ${message}${detail}`
}
