import { describe, expect, test } from 'vitest'
import { guessEntry } from './entry-point.ts'

describe('what a C source wants to be', () => {
  test.each([
    ['void _start(void) {}', 'atoll', true],
    ['int main(void) { return 0; }', 'posix', false],
    ['#define ENTRY _start\nvoid ENTRY(void) {}', 'atoll', true],
    ['// _start\nint main(void) {}', 'posix', false],
    ['// carried on \\\n_start\nint main(void) {}', 'posix', false],
    ['/* void _start(void) */ int main(void) {}', 'posix', false],
    ['/* never closed: void _start(void)', 'posix', false],
    ['const char *s = "_start"; int main(void) {}', 'posix', false],
    ['const char *s = "a\\"b"; void _start(void) {}', 'atoll', true],
    ["char quote = '\"'; void _start(void) {} char other = '\"';", 'atoll', true],
    ["int apostrophe = 'it''s'; void _start(void) {}", 'atoll', true],
    ['void my_start(void); void _start2(void); int main(void) {}', 'posix', false],
    ['__asm__(".globl _start\\n_start: call begin");', 'atoll', false],
    ['__attribute__((naked)) void _start(void) {}', 'atoll', false],
    ['void _start(void) { main(); } int main(void) { return 0; }', 'atoll', true],
    ['', 'posix', false]
  ] as const)('%j', (text, abi, called) => {
    expect(guessEntry(text, 'c')).toEqual({ abi, called })
  })

  test('a megabyte of anything is read in no time to speak of', () => {
    for (const piece of ['"', "'", '/*', '//\\\n', '\\', 'é', '1.e+']) expect(guessEntry(piece.repeat(1 << 20), 'c').abi).toBe('posix')
  })
})

test.each([
  ['.globl _start\n_start: nop', 'atoll'],
  ['# _start\n.globl main\nmain: ret', 'posix'],
  ['/* _start: */ main: // _start:\n ret', 'posix'],
  ['.ascii "_start"\nmain: ret', 'posix'],
  ['not_start: ret', 'posix']
] as const)('what assembly wants to be: %j', (text, abi) => {
  expect(guessEntry(text, 'assembly')).toEqual({ abi, called: false })
})
