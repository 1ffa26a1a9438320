import type { PhysicalMemory } from '../../machine/memory.ts'
import { KERNEL_BASE, hex } from './layout.ts'

/** The kernel gate: what EAX says at VMCALL. The other half is assets/boot/boot.S. */
export const Gate = {
  /** RDI = boot information, RSI = physical Multiboot information. Returns CR3 in RAX. */
  BOOT: 1,
  /** RDI = trap frame to fill with the first context. */
  START: 2,
  /** RDI = trap frame. */
  TRAP: 3,
} as const

const BOOT_MAGIC = 0x746f6f626c6f7461n

const BootInfoOffset = {
  MAGIC: 0, IMAGE_START: 8, IMAGE_TEXT_END: 16, IMAGE_RODATA_END: 24, IMAGE_END: 32, GDT: 40, IDT: 48, TSS: 56, TRAP_ENTRIES: 64,
  KERNEL_STACK_TOP: 72, FAULT_STACK_TOP: 80, IDLE: 88, IDLE_STACK_TOP: 96, GUARD_0: 104, GUARD_1: 112, GUARD_2: 120,
} as const

/** Addresses inside the boot image, as physical numbers; the virtual address is KERNEL_BASE more. */
export interface BootInfo {
  imageStart: number
  imageTextEnd: number
  imageRodataEnd: number
  imageEnd: number
  gdt: number
  idt: number
  tss: number
  trapEntries: number
  kernelStackTop: number
  faultStackTop: number
  idle: number
  idleStackTop: number
  /** Pages below each stack that must not be mapped. */
  guards: readonly number[]
}

/** A kernel-half address as a physical one. Throws RangeError for any other address. */
export function kernelToPhysical(address: bigint): number {
  const physical = address - BigInt(KERNEL_BASE)
  if (physical < 0n || physical >= 0x80000000n) throw new RangeError(`${hex(address)} is not an address of the kernel image`)
  return Number(physical)
}

/** A physical address of the image as the processor sees it. */
export const kernelVirtual = (physical: number): bigint => BigInt(KERNEL_BASE) + BigInt(physical)

/** Reads the table that boot.S hands over at Gate.BOOT. Throws RangeError when it is not one. */
export function readBootInfo(memory: PhysicalMemory, physical: number): BootInfo {
  const magic = memory.readU64(physical + BootInfoOffset.MAGIC)
  if (magic !== BOOT_MAGIC) throw new RangeError(`boot information at ${hex(physical)} has magic ${hex(magic)}, not ${hex(BOOT_MAGIC)}`)
  const at = (offset: number): number => kernelToPhysical(memory.readU64(physical + offset))
  return {
    imageStart: at(BootInfoOffset.IMAGE_START),
    imageTextEnd: at(BootInfoOffset.IMAGE_TEXT_END),
    imageRodataEnd: at(BootInfoOffset.IMAGE_RODATA_END),
    imageEnd: at(BootInfoOffset.IMAGE_END),
    gdt: at(BootInfoOffset.GDT),
    idt: at(BootInfoOffset.IDT),
    tss: at(BootInfoOffset.TSS),
    trapEntries: at(BootInfoOffset.TRAP_ENTRIES),
    kernelStackTop: at(BootInfoOffset.KERNEL_STACK_TOP),
    faultStackTop: at(BootInfoOffset.FAULT_STACK_TOP),
    idle: at(BootInfoOffset.IDLE),
    idleStackTop: at(BootInfoOffset.IDLE_STACK_TOP),
    guards: [at(BootInfoOffset.GUARD_0), at(BootInfoOffset.GUARD_1), at(BootInfoOffset.GUARD_2)],
  }
}
