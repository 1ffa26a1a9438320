import { Code, Decoder, DecoderOptions } from 'iced-x86'
import { describe, expect, test } from 'vitest'
import { INCOMPLETE, UNDEFINED, allVariants, decode } from './decode.ts'
import { ModeBit } from './state.ts'
import { SystemOp } from './system-op.ts'
import { Random } from './testing/random-program.ts'

const CASES = 60_000
const BUFFER = 24

/** Length and validity by iced-x86, somebody else's decoder. */
function iced(bytes: Uint8Array, bits: 32 | 64): { length: number; code: number } {
  const decoder = new Decoder(bits, bytes, DecoderOptions.None)
  const instruction = decoder.decode()
  const result = { length: instruction.length, code: instruction.code }
  instruction.free()
  decoder.free()
  return result
}

describe('decode', () => {
  for (const [bits, mode] of [[64, ModeBit.LONG], [32, ModeBit.D32 | ModeBit.STACK32]] as const)
    test(`agrees with iced-x86 on the length of ${bits}-bit instructions`, () => {
      const random = new Random(bits)
      let valid = 0
      for (let index = 0; index < CASES; index++) {
        const bytes = Uint8Array.from({ length: BUFFER }, () => random.next() & 0xff)
        // Half of the cases from the two-byte map, some with prefixes, so that all of the table is met.
        if (index % 2 === 0) bytes[0] = 0x0f
        if (index % 8 === 1) bytes[0] = random.pick([0x66, 0xf2, 0xf3, 0x48, 0x41, 0x67])
        if (index % 16 === 1) bytes[1] = 0x0f
        const instruction = decode(bytes, 0, BUFFER, mode)
        expect(instruction).not.toBe(INCOMPLETE)
        if (instruction === INCOMPLETE || instruction === UNDEFINED) continue
        const expected = iced(bytes, bits)
        // What iced calls invalid and we decode are encodings whose fault is raised when they run.
        if (expected.code === Code.INVALID || instruction.definition.control === 'system') continue
        valid++
        expect(instruction.length, Buffer.from(bytes).toString('hex')).toBe(expected.length)
      }
      expect(valid).toBeGreaterThan(CASES / 6)
    })

  test('asks for more bytes wherever an instruction is cut off', () => {
    // add qword [rbp+rcx*4+disp32], imm32
    const bytes = Uint8Array.of(0x48, 0x81, 0x84, 0x8d, 0x78, 0x56, 0x34, 0x12, 0x21, 0x43, 0x65, 0x07)
    for (let end = 0; end < bytes.length; end++) expect(decode(bytes, 0, end, ModeBit.LONG)).toBe(INCOMPLETE)
    const whole = decode(bytes, 0, bytes.length, ModeBit.LONG)
    expect(whole).toMatchObject({ length: 12, base: 5, index: 1, scale: 2, displacement: 0x12345678, immediateLow: 0x07654321, size: 8 })
  })

  test('refuses more than fifteen bytes (SDM vol. 2, 2.3.11)', () => {
    const bytes = new Uint8Array(20).fill(0x66)
    bytes[15] = 0x90
    expect(decode(bytes, 0, 20, ModeBit.LONG)).toBe(UNDEFINED)
    bytes[14] = 0x90
    expect(decode(bytes, 0, 20, ModeBit.LONG)).toMatchObject({ length: 15 })
  })

  test('takes LOCK where memory is changed and nowhere else (SDM vol. 2, LOCK)', () => {
    const allowed = ['f0 01 03', 'f0 48 83 2b 01', 'f0 87 03', 'f0 0f b3 03', 'f0 0f ba 2b 01', 'f0 0f c7 0b', '66 f0 f7 13', 'f3 f0 ff 03']
    const refused = ['f0 03 03', 'f0 01 c3', 'f0 89 03', 'f0 90', 'f0 39 03', 'f0 0f a3 03', 'f0 d1 23', 'f0 a4', 'f0 0f 57 03']
    const decodeText = (text: string): ReturnType<typeof decode> => {
      const bytes = Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16))
      return decode(bytes, 0, bytes.length, ModeBit.LONG)
    }
    for (const text of allowed) expect(decodeText(text), text).toMatchObject({ length: text.split(' ').length })
    for (const text of refused) expect(decodeText(text), text).toBe(UNDEFINED)
  })

  test('takes AH to BH without REX and SPL to DIL with it', () => {
    expect(decode(Uint8Array.of(0x88, 0xe0), 0, 2, ModeBit.LONG)).toMatchObject({ reg: 0, regHigh: true })
    expect(decode(Uint8Array.of(0x40, 0x88, 0xe0), 0, 3, ModeBit.LONG)).toMatchObject({ reg: 4, regHigh: false })
  })

  test('reads XCHG rAX,rAX as NOP unless REX.B makes it another register', () => {
    expect(decode(Uint8Array.of(0x90), 0, 1, ModeBit.LONG)).toMatchObject({ definition: { name: 'nop' } })
    expect(decode(Uint8Array.of(0x41, 0x90), 0, 2, ModeBit.LONG)).toMatchObject({ definition: { name: 'xchg' }, rm: 8 })
  })

  test('has a handler for every variant once it is loaded', () => {
    const before = allVariants().length
    const random = new Random(7)
    for (let index = 0; index < CASES; index++) {
      const bytes = Uint8Array.from({ length: BUFFER }, () => random.next() & 0xff)
      decode(bytes, 0, BUFFER, index % 2 === 0 ? ModeBit.LONG : ModeBit.D32)
    }
    expect(allVariants().length).toBe(before)
  })

  test('system instructions have numbers of their own', () => {
    const numbers = Object.values(SystemOp)
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})
