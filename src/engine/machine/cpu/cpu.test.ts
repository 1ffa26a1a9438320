import { describe, expect, test } from 'vitest'
import { State } from './state.ts'
import { bareCpu } from './testing/bare-cpu.ts'

const HANDLER = 0x40001000 // beyond the identity-mapped gigabyte
const IDT = 0x3000
const GDT = 0x4000

describe('Cpu', () => {
  test('returns although a page-fault handler is itself not mapped', () => {
    const { cpu, memory } = bareCpu()
    const { state } = cpu.system
    memory.writeU64(GDT + 8, 0x00af9b000000ffffn)
    state.u32[State.GDTR_BASE >> 2] = GDT
    state.u32[State.IDTR_BASE >> 2] = IDT
    // Vector 14, interrupt gate, on the interrupt stack so that the stack never runs out.
    memory.writeU64(
      IDT + 14 * 16,
      BigInt(HANDLER & 0xffff) | (0x08n << 16n) | (1n << 32n) | (0x8en << 40n) | (BigInt(HANDLER >>> 16) << 48n),
    )
    memory.writeU64(0x5000 + 36, 0x9000n)
    state.setSegment(7, 0x28, 0x8b, 0x5000, 0, 0x67)
    cpu.setGpr(4, 0x8000n)
    cpu.rip = 0x7fff0000n
    expect(cpu.run(1000)).toBe(1000)
    expect(cpu.shutdown).toBe(false)
    expect(cpu.cr2).toBe(BigInt(HANDLER))
  })

  test('names an instruction that nobody has implemented', () => {
    const { cpu, memory, warnings } = bareCpu()
    memory.write(0x100000, Uint8Array.of(0xc5, 0xf8, 0x77)) // vzeroupper
    cpu.rip = 0x100000n
    cpu.run(10)
    expect(warnings).toEqual([expect.stringMatching(/^instruction c5 f8 77 .* at 0x100000 is not implemented: #UD$/)])
  })

  test('runs code that it has just written', () => {
    for (const tier of ['interpreter', 'translator'] as const) {
      const { cpu, memory } = bareCpu({ tier })
      // mov byte [rip+0],0x2a ; mov al,1 (becomes mov al,0x2a) ; hlt
      memory.write(0x100000, Uint8Array.of(0xc6, 0x05, 0x01, 0, 0, 0, 0x2a, 0xb0, 0x01, 0xf4))
      cpu.rip = 0x100000n
      cpu.run(10)
      expect(cpu.getGpr(0) & 0xffn, tier).toBe(0x2an)
      expect(cpu.halted).toBe(true)
    }
  })
})
