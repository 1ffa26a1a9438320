import { describe, expect, it } from 'vitest'
import { PhysicalMemory } from '../memory.ts'
import { writeAcpiTables } from './acpi.ts'
import { eisaId, integer, pkg, resources } from './aml.ts'

const memory = new PhysicalMemory(1 << 20)
const rsdp = writeAcpiTables(memory, { pciInterrupts: [{ device: 3, line: 11 }] })
const text = (at: number, bytes: number): string => new TextDecoder().decode(memory.read(at, bytes))
const sum = (at: number, bytes: number): number => memory.read(at, bytes).reduce((total, byte) => (total + byte) & 0xff, 0)
const tables = (root: number, size: 4 | 8): number[] =>
  Array.from({ length: (memory.readU32(root + 4) - 36) / size }, (_, i) => memory.readU32(root + 36 + i * size))

describe('ACPI tables', () => {
  it('are found where firmware without EFI puts them (5.2.5.1)', () => {
    expect(rsdp % 16).toBe(0)
    expect([rsdp >= 0xe0000, text(rsdp, 8), memory.readU8(rsdp + 15)]).toEqual([true, 'RSD PTR ', 2])
    expect([sum(rsdp, 20), sum(rsdp, 36)]).toEqual([0, 0])
  })

  it('have right checksums, and XSDT and RSDT name the same ones', () => {
    const [rsdt, xsdt] = [memory.readU32(rsdp + 16), memory.readU32(rsdp + 24)]
    expect(tables(rsdt, 4)).toEqual(tables(xsdt, 8))
    expect(tables(rsdt, 4).map((at) => text(at, 4))).toEqual(['FACP', 'APIC'])
    const [fadt] = tables(rsdt, 4)
    const dsdt = memory.readU32(fadt + 40)
    expect(text(dsdt, 4)).toBe('DSDT')
    for (const at of [rsdt, xsdt, dsdt, ...tables(rsdt, 4)]) expect(sum(at, memory.readU32(at + 4)), text(at, 4)).toBe(0)
    const facs = memory.readU32(fadt + 36)
    expect([facs % 64, text(facs, 4)]).toEqual([0, 'FACS'])
  })
})

describe('AML', () => {
  it('encodes names, numbers and lengths as chapter 20 says', () => {
    expect(eisaId('PNP0A03')).toEqual([0x0c, 0x41, 0xd0, 0x0a, 0x03])
    expect([integer(0), integer(1), integer(0x42), integer(0x1234), integer(0x3ffff)]).toEqual([
      [0x00], [0x01], [0x0a, 0x42], [0x0b, 0x34, 0x12], [0x0c, 0xff, 0xff, 0x03, 0x00],
    ])
    expect(pkg(integer(0), integer(1))).toEqual([0x12, 4, 2, 0, 1])
    const long = resources(new Array<number>(70).fill(0))
    expect(long.slice(0, 5)).toEqual([0x11, 0x40 | (76 & 15), 76 >> 4, 0x0a, 72])
    expect(long).toHaveLength(1 + 76)
  })
})
