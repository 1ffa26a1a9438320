import { ColumnConverter, DIAGNOSTICS_MAX, endOfToken } from './diagnostic.ts'
import type { Diagnostic, SourceText } from './diagnostic.ts'

/**
 * What makes Clang print diagnostics that a program can read (Clang user's manual, "Formatting of Diagnostics").
 * Source ranges come in the first line; fix-its only come while carets are on, so the snippet is printed and skipped.
 */
export const CLANG_DIAGNOSTIC_FLAGS: readonly string[] = [
  '-fno-color-diagnostics',
  '-fdiagnostics-absolute-paths',
  '-fdiagnostics-print-source-range-info',
  '-fdiagnostics-parseable-fixits',
  '-fdiagnostics-show-option',
  '-fdiagnostics-show-line-numbers',
  '-fcaret-diagnostics',
  '-fcaret-diagnostics-max-lines=1',
  '-fmessage-length=0',
  `-ferror-limit=${DIAGNOSTICS_MAX}`
]

export interface ClangReport {
  diagnostics: Diagnostic[]
  /** Lines that belong to no place in a file, such as a driver's or a linker's error; '' when there are none. */
  rest: string
}

// path:line:column:{line:column-line:column}…: severity: message [-Woption]
const LOCATED = /^(.+?):(\d+):(\d+):(?:((?:\{\d+:\d+-\d+:\d+\})+):)? (fatal error|error|warning|note|remark): (.*)$/
const RANGE = /\{(\d+):(\d+)-(\d+):(\d+)\}/g
const OPTION = / \[(-[^\]]+)\]$/
const FIX = /^fix-it:"((?:[^"\\]|\\.)*)":\{(\d+):(\d+)-(\d+):(\d+)\}:"((?:[^"\\]|\\.)*)"$/
/** `<inline asm>`, `<command line>`: text that is in no file. */
const PSEUDO_FILE = /^<[^/\\]+>$/
/** The snippet with its line numbers, the include stack, and the count at the end: they repeat what the diagnostics say. */
const DECORATION = /^ *\d* *\||^In file included from |^\d+ (?:warning|error)s?(?: and \d+ errors?)? generated\.$|^ {24}from /

/**
 * Reads what Clang printed with CLANG_DIAGNOSTIC_FLAGS.
 *
 * @param rename from a path as Clang prints it to the path to report
 * @param text of a reported path, to count columns in UTF-16 units where Clang counts bytes
 */
export function parseClangDiagnostics(output: string, rename: (path: string) => string, text: SourceText): ClangReport {
  const columns = new ColumnConverter(text)
  const diagnostics: Diagnostic[] = []
  const rest: string[] = []
  let dropped = 0
  let current: Diagnostic | undefined
  for (const line of output.split(/\r?\n/)) {
    if (line === '' || DECORATION.test(line)) continue
    const located = LOCATED.exec(line)
    if (located && PSEUDO_FILE.test(located[1])) {
      if (located[5] !== 'note') rest.push(line)
      current = undefined
      continue
    }
    if (located) {
      current = readLocated(located, rename, columns)
      if (diagnostics.length < DIAGNOSTICS_MAX) diagnostics.push(current)
      else dropped++
      continue
    }
    const fix = FIX.exec(line)
    if (!fix) rest.push(line)
    else if (current) addFix(current, fix, rename, columns)
  }
  if (dropped > 0) rest.push(`${dropped} more diagnostics are not shown`)
  return { diagnostics, rest: rest.join('\n') }
}

function readLocated(match: RegExpExecArray, rename: (path: string) => string, columns: ColumnConverter): Diagnostic {
  const [, file, lineText, columnText, ranges, level, rawMessage] = match
  const path = rename(file)
  const line = Number(lineText)
  const caret = columns.column(path, line, Number(columnText))
  const option = OPTION.exec(rawMessage)
  const diagnostic: Diagnostic = {
    path, line, column: caret, endLine: line, endColumn: endOfToken(columns.line(path, line), caret),
    severity: level === 'fatal error' ? 'error' : level === 'remark' ? 'note' : (level as Diagnostic['severity']),
    message: option ? rawMessage.slice(0, option.index) : rawMessage
  }
  if (option) diagnostic.code = option[1]
  // Clang gives every operand its own range. The one that starts at the caret is the thing itself; the others only help to see it.
  for (const [, startLine, startColumn, endLine, endColumn] of (ranges ?? '').matchAll(RANGE)) {
    if (Number(startLine) !== line || columns.column(path, line, Number(startColumn)) !== caret) continue
    diagnostic.endLine = Number(endLine)
    diagnostic.endColumn = columns.column(path, diagnostic.endLine, Number(endColumn))
  }
  return diagnostic
}

/** Several fix-its of one diagnostic become one replacement of everything between the first and the last. */
function addFix(diagnostic: Diagnostic, match: RegExpExecArray, rename: (path: string) => string, columns: ColumnConverter): void {
  const path = rename(unescapeC(match[1]))
  if (path !== diagnostic.path) return
  const line = Number(match[2])
  const endLine = Number(match[4])
  const next = {
    line, column: columns.column(path, line, Number(match[3])),
    endLine, endColumn: columns.column(path, endLine, Number(match[5])),
    text: unescapeC(match[6])
  }
  const before = diagnostic.fix
  if (!before) {
    diagnostic.fix = next
    return
  }
  const inOrder = before.endLine < next.line || (before.endLine === next.line && before.endColumn <= next.column)
  if (!inOrder) return
  const between: string[] = []
  for (let at = before.endLine; at <= next.line; at++) {
    const whole = columns.line(path, at)
    between.push(whole.slice(at === before.endLine ? before.endColumn - 1 : 0, at === next.line ? next.column - 1 : undefined))
  }
  diagnostic.fix = { ...next, line: before.line, column: before.column, text: before.text + between.join('\n') + next.text }
}

/** Undoes the escapes of Clang's quoted strings: `\"`, `\\`, `\n`, `\t` and three octal digits for any other byte. */
function unescapeC(quoted: string): string {
  const bytes: number[] = []
  for (const [piece, octal, letter] of quoted.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/gsu)) {
    if (octal !== undefined) bytes.push(parseInt(octal, 8))
    else if (letter !== undefined) bytes.push(...Buffer.from(letter === 'n' ? '\n' : letter === 't' ? '\t' : letter))
    else bytes.push(...Buffer.from(piece))
  }
  return Buffer.from(bytes).toString('utf8')
}
