import { expect, test } from 'vitest'
import type { Diagnostic } from './diagnostic.ts'
import { formatDiagnostic } from './format.ts'

const at = (line: number, column: number, endColumn: number, more: Partial<Diagnostic> = {}): Diagnostic =>
  ({ path: 'a.c', line, column, endLine: line, endColumn, severity: 'error', message: 'wrong', ...more })

test('without a source there is one line', () => {
  expect(formatDiagnostic(at(3, 4, 5, { code: '-Wx' }))).toBe('a.c:3:4: error: wrong [-Wx]\n')
})

test('the caret stands under the place, the proposal under its own', () => {
  const fix = { line: 10, column: 12, endLine: 10, endColumn: 12, text: ';' }
  expect(formatDiagnostic(at(10, 3, 8, { fix }), () => `${'\n'.repeat(9)}\tx hello = 1\n`)).toBe(
    ['a.c:10:3: error: wrong', '  10 | \tx hello = 1', '     | \t ^~~~~', '     | \t          ;', ''].join('\n')
  )
})

test('wide characters take two columns, marks none', () => {
  const lines = ['a.c:1:5: error: wrong', '  1 | 変e\u0301 x', '    |     ^', '']
  expect(formatDiagnostic(at(1, 5, 6), () => '変e\u0301 x')).toBe(lines.join('\n'))
})

test('a long line is shown around its caret', () => {
  const [, source, caret] = formatDiagnostic(at(1, 1000, 1004), () => `${'-'.repeat(999)}here${'-'.repeat(999)}`).split('\n')
  expect(source.length).toBeLessThan(140)
  expect(source.indexOf('here')).toBe(caret.indexOf('^~~~'))
})

test('the source cannot steer the terminal', () => {
  expect(formatDiagnostic(at(1, 1, 2), () => '\u001b[2Jx')).not.toContain('\u001b')
})

test('places beyond the line or the file do no harm', () => {
  expect(formatDiagnostic(at(1, 99, 120), () => 'x')).toContain('  1 | x\n')
  expect(formatDiagnostic(at(7, 1, 2), () => 'x')).toBe('a.c:7:1: error: wrong\n')
})
