import type { PhysicalMemory } from '../../machine/memory.ts'

/**
 * Global descriptor table and task state segment. The order is SYSCALL's and SYSRET's: STAR[47:32] = KERNEL_CS (SS is 8
 * more), STAR[63:48] = 0x18 (SYSRET's SS is 8 more, its CS 16 more). SDM vol. 3, 3.4.5 and 8.2.3; vol. 2, SYSRET.
 */
export const Selector = {
  KERNEL_CS: 0x08,
  KERNEL_SS: 0x10,
  USER_SS: 0x20 | 3,
  USER_CS: 0x28 | 3,
  TSS: 0x30,
} as const

export const GDT_ENTRIES = 8
export const TSS_BYTES = 104

const CODE_64_DPL0 = 0x00af9b000000ffffn
const DATA_DPL0 = 0x00cf93000000ffffn
const DATA_DPL3 = 0x00cff3000000ffffn
const CODE_64_DPL3 = 0x00affb000000ffffn
const TSS_AVAILABLE = 0x89n

const TssOffset = { RSP0: 4, IST1: 36, IO_MAP_BASE: 102 } as const

/** Interrupt stack table entry for faults that must not trust the current stack. */
export const FAULT_IST = 1

/** The two words of a 64-bit TSS descriptor. */
export function tssDescriptor(base: bigint, limit: number): [bigint, bigint] {
  const limitBits = BigInt(limit & 0xffff) | (BigInt((limit >> 16) & 0xf) << 48n)
  const baseBits = ((base & 0xffffffn) << 16n) | (((base >> 24n) & 0xffn) << 56n)
  return [limitBits | baseBits | (TSS_AVAILABLE << 40n), base >> 32n]
}

/** Writes the GDT at physical address `gdt`. */
export function writeGdt(memory: PhysicalMemory, gdt: number, tssBase: bigint): void {
  const [tssLow, tssHigh] = tssDescriptor(tssBase, TSS_BYTES - 1)
  const entries = [0n, CODE_64_DPL0, DATA_DPL0, 0n, DATA_DPL3, CODE_64_DPL3, tssLow, tssHigh]
  entries.forEach((entry, index) => memory.writeU64(gdt + index * 8, entry))
}

/** Writes the TSS at physical address `tss`: the stack for traps from ring 3 and the one for double faults; no I/O map. */
export function writeTss(memory: PhysicalMemory, tss: number, kernelStackTop: bigint, faultStackTop: bigint): void {
  memory.fill(tss, TSS_BYTES, 0)
  memory.writeU64(tss + TssOffset.RSP0, kernelStackTop)
  memory.writeU64(tss + TssOffset.IST1, faultStackTop)
  memory.writeU16(tss + TssOffset.IO_MAP_BASE, TSS_BYTES)
}
