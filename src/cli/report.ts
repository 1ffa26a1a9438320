import { UserError } from '../main/service/errors.ts'
import type { Diagnostic } from '../protocol/service.ts'

/** Everything that is not the guest's console goes to standard error, each line as `atoll: …` or as a compiler would print it. */
export function say(text: string): void {
  process.stderr.write(`atoll: ${text}\n`)
}

/** One line a diagnostic, as compilers print them, so that editors and people find the place: `file:line:column: error: …`. */
export function formatDiagnostic({ path, line, column, severity, message, code }: Diagnostic): string {
  return `${path}:${line}:${column}: ${severity}: ${message}${code === undefined ? '' : ` [${code}]`}\n`
}

export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) process.stderr.write(formatDiagnostic(diagnostic))
}

/**
 * The sentence for an error that ends a command. What is nobody's mistake but ours says so, and keeps its stack for `ATOLL_DEBUG=1`.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof UserError) return error.message
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  const detail = process.env.ATOLL_DEBUG && stack ? `\n${stack}` : ''
  return `internal error: ${message}${detail}`
}
