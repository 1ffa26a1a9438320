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

  // What an empty window or TLB entry has for a base must not let an access in.
  test.each(['interpreter', 'translator'] as const)('no address that is not canonical leads anywhere: %s', (tier) => {
    const accesses = {
      'mov rax,[rbx]': [0x48, 0x8b, 0x03],
      'mov [rbx],rax': [0x48, 0x89, 0x03],
      'mov rax,[rbx] ; mov [rbx+64],rax': [0x48, 0x8b, 0x03, 0x48, 0x89, 0x43, 0x40],
      'mov rsp,rbx ; push rax ; push rax ; push rax': [0x48, 0x89, 0xdc, 0x50, 0x50, 0x50],
      'mov rsp,rbx ; int 3': [0x48, 0x89, 0xdc, 0xcc],
      'mov rsi,rbx ; lodsq': [0x48, 0x89, 0xde, 0x48, 0xad],
    }
    for (const [text, code] of Object.entries(accesses))
      for (const address of [1n << 62n, 1n << 63n, 3n << 62n, 1n << 47n])
        for (const offset of [0n, 0x800n, 0xfe0n, 0x10000n]) {
          const { cpu, memory } = bareCpu({ tier })
          memory.write(0x100000, Uint8Array.from([...code, 0xf4]))
          cpu.rip = 0x100000n
          cpu.setGpr(3, BigInt.asIntN(64, address + offset))
          cpu.run(10)
          expect(cpu.shutdown, `${text} at 0x${(address + offset).toString(16)}`).toBe(true)
        }
  })

  describe.each([
    ['interpreter', undefined],
    ['auto', 3],
    ['translator', undefined],
  ] as const)('an instruction that goes on in the next page, %s', (tier, hotAfter) => {
    const ROUNDS = 20
    const ELSEWHERE = 0x102

    /** Adds what the instruction across the pages loads, ROUNDS times. */
    function sum({ cpu }: ReturnType<typeof bareCpu>): bigint {
      cpu.setGpr(1, BigInt(ROUNDS))
      cpu.setGpr(3, 0n)
      cpu.rip = 0x100ffdn
      expect(cpu.run(4 * ROUNDS)).toBe(4 * ROUNDS)
      return cpu.getGpr(3)
    }
    /** mov eax,imm ; add ebx,eax ; dec ecx ; jnz back: the last two bytes of the immediate are the second page's first. */
    function load(second: number): ReturnType<typeof bareCpu> {
      const bare = bareCpu({ tier, hotAfter, swapped: [] })
      const code = [0xb8, 0x01, 0x00, second, 0x00, 0x01, 0xc3, 0xff, 0xc9, 0x75, 0xf5]
      bare.memory.write(0x100ffd, Uint8Array.from(code))
      bare.memory.write(ELSEWHERE << 12, Uint8Array.from(code.slice(3)))
      return bare
    }

    test('is what it becomes when that page is written', () => {
      const bare = load(0)
      expect(sum(bare)).toBe(BigInt(ROUNDS))
      bare.memory.writeU8(0x101000, 2)
      expect(sum(bare)).toBe(BigInt(ROUNDS) * 0x20001n)
      bare.memory.writeU8(0x100ffe, 3)
      expect(sum(bare)).toBe(BigInt(ROUNDS) * 0x20003n)
    })

    test('is what it becomes when that page is mapped to another', () => {
      const bare = load(0)
      bare.memory.writeU8(ELSEWHERE << 12, 4)
      expect(sum(bare)).toBe(BigInt(ROUNDS))
      bare.memory.writeU64(0x4000 + 0x101 * 8, BigInt(ELSEWHERE << 12) | 3n)
      bare.cpu.invalidatePage(0x101000n)
      expect(sum(bare)).toBe(BigInt(ROUNDS) * 0x40001n)
      bare.memory.writeU64(0x4000 + 0x101 * 8, 0n)
      bare.cpu.invalidatePage(0x101000n)
      bare.cpu.rip = 0x100ffdn
      bare.cpu.run(1)
      expect(bare.cpu.cr2).toBe(0x101000n)
    })
  })
})
