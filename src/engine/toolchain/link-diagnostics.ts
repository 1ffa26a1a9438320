import { DIAGNOSTICS_MAX, endOfToken } from './diagnostic.ts'
import type { Diagnostic, SourceText } from './diagnostic.ts'

export interface LinkReport {
  /** What could be placed in a source file. */
  diagnostics: Diagnostic[]
  /** What could not be placed, a line each; '' when everything was. */
  message: string
}

const HEAD = /^(?:.*?ld\.lld(?:\.exe)?|ld64\.lld|lld): (error|warning): (.*)$/
const PLACE = /^>>> (?:referenced by|defined at) (.*)$/
// LLD prints the unit's name and, in parentheses, the full path: `hello.c:5 (/project/hello.c:5)`.
const FULL_PLACE = /\((.+):(\d+)\)$/
const SHORT_PLACE = /^(.+):(\d+)$/
const SYMBOL = /^(?:undefined|duplicate) symbol: (.+)$/

/**
 * Reads what LLD printed. An undefined or duplicate symbol is placed where the debug information says it is used or
 * defined; whatever else LLD says is only a message.
 *
 * @param rename from a path in the debug information to the path to report; undefined for a file that is not the user's
 */
export function parseLinkDiagnostics(output: string, rename: (path: string) => string | undefined, text: SourceText): LinkReport {
  const diagnostics: Diagnostic[] = []
  const heads: { severity: 'error' | 'warning'; message: string; placed: boolean }[] = []
  for (const line of output.split(/\r?\n/)) {
    const start = HEAD.exec(line)
    if (start) {
      heads.push({ severity: start[1] as 'error' | 'warning', message: start[2], placed: false })
      continue
    }
    const head = heads.at(-1)
    const place = PLACE.exec(line)
    const at = place && (FULL_PLACE.exec(place[1]) ?? SHORT_PLACE.exec(place[1]))
    const path = at && rename(at[1])
    if (!head || !at || !path || diagnostics.length >= DIAGNOSTICS_MAX) continue
    head.placed = true
    const number = Number(at[2])
    const sourceLine = (text(path) ?? '').split(/\r\n|\n|\r/)[number - 1] ?? ''
    const { column, endColumn } = locate(sourceLine, SYMBOL.exec(head.message)?.[1])
    diagnostics.push({ path, line: number, column, endLine: number, endColumn, severity: head.severity, message: head.message })
  }
  return { diagnostics, message: heads.filter(({ placed }) => !placed).map(({ message }) => message).join('\n') }
}

/** The symbol's columns in the line, else the whole line without its indentation. */
function locate(line: string, symbol: string | undefined): { column: number; endColumn: number } {
  if (symbol !== undefined)
    for (let at = line.indexOf(symbol); at >= 0; at = line.indexOf(symbol, at + 1)) {
      const startsHere = at === 0 || !/[\p{L}\p{N}_$]/u.test(line[at - 1])
      if (startsHere && endOfToken(line, at + 1) === at + 1 + symbol.length) return { column: at + 1, endColumn: at + 1 + symbol.length }
    }
  const indentation = line.length - line.trimStart().length
  return { column: indentation + 1, endColumn: Math.max(line.trimEnd().length, indentation + 1) + 1 }
}
