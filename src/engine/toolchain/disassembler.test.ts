import { expect, test } from 'vitest'
import { disassemble } from './disassembler.ts'

test('instructions in Intel syntax', () => {
  expect(disassemble(Uint8Array.of(0xc7, 0x00, 0x2a, 0, 0, 0), 0x401000)).toBe('mov dword ptr [rax],2Ah')
  expect(disassemble(Uint8Array.of(0xcd, 0x80, 0x90), 0)).toBe('int 80h')
  expect(disassemble(Uint8Array.of(0xeb, 0xfe), 0xffffffff80100000n)).toBe('jmp short 0FFFFFFFF80100000h')
  expect(disassemble(Uint8Array.of(0xeb, 0xfe), -0x7ff00000)).toBe('jmp short 0FFFFFFFF80100000h')
})

test('bytes that are no instruction', () => {
  for (const bytes of [[], [0x0f], [0x06], new Array<number>(16).fill(0x66)]) expect(disassemble(Uint8Array.from(bytes), 0)).toBe('(bad)')
})
