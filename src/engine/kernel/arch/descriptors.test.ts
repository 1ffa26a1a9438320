import { describe, expect, it } from 'vitest'
import { PhysicalMemory } from '../../machine/memory.ts'
import { tssDescriptor, writeGdt, writeTss } from './gdt.ts'
import { writeIdt } from './idt.ts'

const memory = (): PhysicalMemory => new PhysicalMemory(1 << 20)
const words = (from: PhysicalMemory, address: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => from.readU64(address + index * 8).toString(16).padStart(16, '0'))

describe('descriptor tables, SDM vol. 3', () => {
  it('GDT: null, kernel code and data, a gap, user data and code, TSS', () => {
    const ram = memory()
    writeGdt(ram, 0x1000, 0xffffffff80108040n)
    expect(words(ram, 0x1000, 8)).toEqual([
      '0000000000000000', '00af9b000000ffff', '00cf93000000ffff', '0000000000000000', '00cff3000000ffff', '00affb000000ffff',
      '8000891080400067', '00000000ffffffff',
    ])
  })

  it('splits the base of a TSS over its two words', () => {
    expect(tssDescriptor(0x123456789abcdef0n, 0x67).map((word) => word.toString(16))).toEqual(['9a0089bcdef00067', '12345678'])
  })

  it('TSS: stack of ring 0, fault stack, no I/O map', () => {
    const ram = memory()
    writeTss(ram, 0x2000, 0x1111n, 0x2222n)
    expect([ram.readU64(0x2004), ram.readU64(0x2024), ram.readU16(0x2066)]).toEqual([0x1111n, 0x2222n, 104])
  })

  it('IDT: interrupt gates, the system call open to ring 3, faults on their own stack', () => {
    const ram = memory()
    writeIdt(ram, 0x3000, 0xffffffff80101000n)
    expect(words(ram, 0x3000 + 14 * 16, 2)).toEqual(['80108e00000810e0', '00000000ffffffff'])
    expect(words(ram, 0x3000 + 8 * 16, 1)).toEqual(['80108e0100081080'])
    expect(words(ram, 0x3000 + 0x80 * 16, 1)).toEqual(['8010ee0000081800'])
    expect(words(ram, 0x3000 + 3 * 16, 1)).toEqual(['8010ee0000081030'])
    expect(words(ram, 0x3000 + 0x20 * 16, 1)).toEqual(['80108e0000081200'])
  })
})
