import type { PhysicalMemory } from '../../machine/memory.ts'
import { FAULT_IST, Selector } from './gdt.ts'

/** Interrupt descriptor table, SDM vol. 3, 6.14.1: 256 gates of 16 bytes. */
export const IDT_ENTRIES = 256
/** Bytes of one trap entry in boot.S. */
export const TRAP_ENTRY_BYTES = 16

/** Vectors of ours; the processor's are `Vector` in machine/cpu/state.ts. */
export const IRQ_BASE = 0x20
export const SYSCALL_VECTOR = 0x80
/** In a trap frame: came by SYSCALL. Beyond every real vector. */
export const FAST_SYSCALL = 0x100

const INTERRUPT_GATE = 0x8e
const DPL3 = 0x60
const NMI = 2
const BREAKPOINT = 3
const OVERFLOW = 4
const DOUBLE_FAULT = 8
const MACHINE_CHECK = 18

const gateAttributes = (vector: number): number =>
  vector === SYSCALL_VECTOR || vector === BREAKPOINT || vector === OVERFLOW ? INTERRUPT_GATE | DPL3 : INTERRUPT_GATE

const usesFaultStack = (vector: number): boolean => vector === NMI || vector === DOUBLE_FAULT || vector === MACHINE_CHECK

/** Writes the IDT at physical address `idt`: vector v enters at `trapEntries` + 16 v. Every gate turns interrupts off. */
export function writeIdt(memory: PhysicalMemory, idt: number, trapEntries: bigint): void {
  for (let vector = 0; vector < IDT_ENTRIES; vector++) {
    const entry = trapEntries + BigInt(vector * TRAP_ENTRY_BYTES)
    const ist = usesFaultStack(vector) ? FAULT_IST : 0
    const target = (entry & 0xffffn) | (((entry >> 16n) & 0xffffn) << 48n)
    const gate = (BigInt(Selector.KERNEL_CS) << 16n) | (BigInt(ist) << 32n) | (BigInt(gateAttributes(vector)) << 40n)
    memory.writeU64(idt + vector * 16, target | gate)
    memory.writeU64(idt + vector * 16 + 8, entry >> 32n)
  }
}
