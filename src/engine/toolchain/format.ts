import type { Diagnostic, SourceText } from './diagnostic.ts'

/** Longer lines are shown as a window of this many UTF-16 units around the caret. */
const EXCERPT_UNITS_MAX = 120

/**
 * Diagnostics as compilers print them, for a terminal: `file:line:column: error: message [-Woption]`, then the line of the
 * source with a caret under the place, then what the compiler proposes.
 *
 * @param text of the files the diagnostics name; without it only the first line of each is printed
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], text?: SourceText): string {
  return diagnostics.map(diagnostic => formatDiagnostic(diagnostic, text)).join('')
}

/** One diagnostic with a newline at its end. */
export function formatDiagnostic(diagnostic: Diagnostic, text?: SourceText): string {
  const { path, line, column, severity, message, code, fix } = diagnostic
  const head = `${path}:${line}:${column}: ${severity}: ${message}${code === undefined ? '' : ` [${code}]`}\n`
  const source = text?.(path)?.split(/\r\n|\n|\r/)[line - 1]
  if (source === undefined) return head
  const proposal = fix && fix.line === line && fix.endLine === line ? fix : undefined
  return head + excerpt(source, diagnostic, proposal)
}

function excerpt(source: string, { line, column, endLine, endColumn }: Diagnostic, fix: Diagnostic['fix']): string {
  const from = Math.max(0, Math.min(column - 1 - EXCERPT_UNITS_MAX / 2, source.length - EXCERPT_UNITS_MAX))
  const shown = source.slice(from, from + EXCERPT_UNITS_MAX)
  const start = Math.min(column - 1 - from, shown.length)
  const end = Math.min(endLine === line ? endColumn - 1 - from : shown.length, shown.length)
  const number = String(line)
  const margin = ' '.repeat(number.length)
  const marks = `${blank(shown.slice(0, start))}^${'~'.repeat(Math.max(0, widthOf(shown.slice(start, end)) - 1))}`
  const lines = [`  ${number} | ${printable(shown)}`, `  ${margin} | ${marks}`]
  if (fix && fix.text !== '' && !fix.text.includes('\n') && fix.column - 1 >= from)
    lines.push(`  ${margin} | ${blank(shown.slice(0, fix.column - 1 - from))}${fix.text}`)
  return `${lines.join('\n')}\n`
}

/** What takes as much room as the text: tabs stay tabs, so that the caret stands where the terminal puts the character. */
function blank(text: string): string {
  return printable(text).replace(/[^\t]/gu, character => ' '.repeat(widthOf(character)))
}

/** Control characters would move the terminal's cursor, or worse. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '\uFFFD')
}

const NO_WIDTH = /\p{M}|\u200d/u
const DOUBLE_WIDTH =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Columns of a terminal: two for East Asian and emoji characters, none for combining marks. */
function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : DOUBLE_WIDTH.test(character) ? 2 : 1
  return width
}
