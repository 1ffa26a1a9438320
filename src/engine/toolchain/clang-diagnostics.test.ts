import { expect, test } from 'vitest'
import { parseClangDiagnostics } from './clang-diagnostics.ts'
import { DIAGNOSTICS_MAX } from './diagnostic.ts'

const same = (path: string): string => path

test('columns are UTF-16 units, fix-its come with their diagnostic', () => {
  const source = 'int 変数 = 1;\nint b = "🐚" + 変数x;\n'
  const report = parseClangDiagnostics(
    [
      '/p/a.c:2:18:{2:18-2:25}: error: use of undeclared identifier \'変数x\'; did you mean \'変数\'?',
      '    2 | int b = "🐚" + 変数x;',
      '      |                ^~~~~',
      '      |                変数',
      'fix-it:"/p/a.c":{2:18-2:25}:"\\345\\244\\211\\346\\225\\260"',
      '1 error generated.'
    ].join('\n'),
    same, () => source
  )
  expect(report).toEqual({
    diagnostics: [{
      path: '/p/a.c', line: 2, column: 16, endLine: 2, endColumn: 19, severity: 'error',
      message: "use of undeclared identifier '変数x'; did you mean '変数'?",
      fix: { line: 2, column: 16, endLine: 2, endColumn: 19, text: '変数' }
    }],
    rest: ''
  })
})

test('several fix-its of one diagnostic are one replacement', () => {
  const { diagnostics } = parseClangDiagnostics(
    ['a.c:1:5: note: place parentheses', 'fix-it:"a.c":{1:5-1:5}:"("', 'fix-it:"a.c":{1:10-1:10}:")"'].join('\n'),
    same, () => 'if (x = 4) {}'
  )
  expect(diagnostics[0].fix).toEqual({ line: 1, column: 5, endLine: 1, endColumn: 10, text: '(x = 4)' })
})

test('a fix-it for another file is left out', () => {
  const { diagnostics } = parseClangDiagnostics('a.c:1:1: error: x\nfix-it:"b.h":{1:1-1:1}:";"', same, () => '')
  expect(diagnostics[0].fix).toBeUndefined()
})

test('options, fatal errors and remarks', () => {
  const { diagnostics } = parseClangDiagnostics(
    'a.c:1:1: fatal error: no.h not found\na.c:1:1: remark: hm\na.c:1:1: warning: unused [-Wunused-variable]', same, () => undefined
  )
  expect(diagnostics.map(({ severity, message, code }) => [severity, message, code])).toEqual([
    ['error', 'no.h not found', undefined], ['note', 'hm', undefined], ['warning', 'unused', '-Wunused-variable']
  ])
})

test('a source line that looks like a diagnostic is not one', () => {
  const { diagnostics, rest } = parseClangDiagnostics('/a.c:1:1: error: x\n    1 | /b.c:1:1: error: y\n      | ^', same, () => '')
  expect(diagnostics).toHaveLength(1)
  expect(rest).toBe('')
})

test('Windows paths, names with colons and spaces', () => {
  for (const path of ['C:\\My Files\\a.c', '/a b:3:c.c', '/ñ/-x.c'])
    expect(parseClangDiagnostics(`${path}:3:1: error: x`, same, () => '').diagnostics).toMatchObject([{ path, line: 3, column: 1 }])
})

test('text that is in no file has no place', () => {
  const output = 'a.c:2:11: error: bad\n<inline asm>:1:2: note: here\n<command line>:1:9: error: wrong'
  expect(parseClangDiagnostics(output, same, () => undefined)).toMatchObject({
    diagnostics: [{ path: 'a.c' }], rest: '<command line>:1:9: error: wrong'
  })
})

test('what has no place is kept', () => {
  const said = 'clang: error: no such file: x.c'
  expect(parseClangDiagnostics(`${said}\n`, same, () => '')).toEqual({ diagnostics: [], rest: said })
})

test('more diagnostics than anyone reads are counted', () => {
  const { diagnostics, rest } = parseClangDiagnostics('a.c:1:1: warning: w\n'.repeat(DIAGNOSTICS_MAX + 5), same, () => '')
  expect(diagnostics).toHaveLength(DIAGNOSTICS_MAX)
  expect(rest).toBe('5 more diagnostics are not shown')
})
