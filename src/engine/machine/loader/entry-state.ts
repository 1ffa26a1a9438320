import { Gpr, Rflag, SegmentAttribute, SegmentIndex, State } from '../cpu/state.ts'
import { Cr0, Cr4, CpuState, Efer } from '../cpu/system/views.ts'
import type { PhysicalMemory } from '../memory.ts'
import type { LinuxEntry } from './linux.ts'
import { BOOT_CS, BOOT_DS } from './linux.ts'

/** Types of the two flat descriptors, SDM vol. 3, table 3-1. */
const CODE_READABLE_ACCESSED = 0xb
const DATA_WRITABLE_ACCESSED = 0x3
const FLAT = SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB | SegmentAttribute.G
const FLAT64 = SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.L | SegmentAttribute.G
const LIMIT_4G = 0xffffffff
/** The selectors QEMU's loader leaves behind. The specification promises none: no GDT has to stand behind them. */
const CODE_SELECTOR = 0x08
const DATA_SELECTOR = 0x10

function start(memory: PhysicalMemory, entry: number): CpuState {
  const state = new CpuState(memory.wasm)
  for (let register = Gpr.RAX; register <= Gpr.R15; register++) state.setGpr(register, 0, 0)
  state.setRip(entry | 0, 0)
  state.u32[State.SYSFLAGS >> 2] = Rflag.FIXED
  return state
}

function setSegments(state: CpuState, code: number, codeAttributes: number, data: number): void {
  state.setSegment(SegmentIndex.CS, code, codeAttributes | CODE_READABLE_ACCESSED, 0, 0, LIMIT_4G)
  for (const segment of [SegmentIndex.ES, SegmentIndex.SS, SegmentIndex.DS, SegmentIndex.FS, SegmentIndex.GS])
    state.setSegment(segment, data, FLAT | DATA_WRITABLE_ACCESSED, 0, 0, LIMIT_4G)
  state.updateMode()
  state.bumpGeneration()
}

/**
 * Puts a processor that was just reset into the state of the Multiboot specification 0.6.96, section 3.2 (Multiboot2 2.0, 3.3, is the
 * same): 32-bit protected mode with flat segments, paging and interrupts off. GDTR, IDTR and ESP are the image's own business.
 *
 * @param magic in EAX
 * @param info physical address of the boot information, in EBX
 */
export function enterMultiboot(memory: PhysicalMemory, { entry, magic, info }: { entry: number; magic: number; info: number }): void {
  const state = start(memory, entry)
  state.setGpr(Gpr.RAX, magic | 0, 0)
  state.setGpr(Gpr.RBX, info | 0, 0)
  state.u32[State.CR0 >> 2] = Cr0.PE | Cr0.ET
  setSegments(state, CODE_SELECTOR, FLAT, DATA_SELECTOR)
}

/** Linux's 64-bit boot protocol: 64-bit mode, low memory mapped to itself, flat segments from a GDT, interrupts off, RSI set. */
export function enterLinux(memory: PhysicalMemory, { entry, bootParams, pageTables, gdt, gdtBytes }: LinuxEntry): void {
  const state = start(memory, entry)
  state.setGpr(Gpr.RSI, bootParams, 0)
  state.u32[State.CR0 >> 2] = (Cr0.PG | Cr0.PE | Cr0.ET) >>> 0
  state.u32[State.CR3 >> 2] = pageTables
  state.u32[State.CR4 >> 2] = Cr4.PAE
  state.u32[State.EFER >> 2] = Efer.LME | Efer.LMA
  state.u32[State.GDTR_BASE >> 2] = gdt
  state.u32[State.GDTR_LIMIT >> 2] = gdtBytes - 1
  setSegments(state, BOOT_CS, FLAT64, BOOT_DS)
}
