import { Cr0, CpuState } from '../cpu/system/views.ts'
import { Gpr, Rflag, SegmentAttribute, SegmentIndex, State } from '../cpu/state.ts'
import type { PhysicalMemory } from '../memory.ts'
import type { MultibootEntry } from './multiboot.ts'
import { BOOTLOADER_MAGIC } from './multiboot.ts'

/** Types of the two flat descriptors, SDM vol. 3, table 3-1. */
const CODE_READABLE_ACCESSED = 0xb
const DATA_WRITABLE_ACCESSED = 0x3
const FLAT = SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB | SegmentAttribute.G
const LIMIT_4G = 0xffffffff
/** The selectors QEMU's loader leaves behind. The specification promises none: no GDT has to stand behind them. */
const CODE_SELECTOR = 0x08
const DATA_SELECTOR = 0x10

/**
 * Puts a processor that was just reset into the state of the Multiboot specification 0.6.96, section 3.2: 32-bit protected mode
 * with flat segments, paging and interrupts off, EAX and EBX set. GDTR, IDTR and ESP are the image's own business.
 */
export function enterMultiboot(memory: PhysicalMemory, { entry, info }: MultibootEntry): void {
  const state = new CpuState(memory.wasm)
  for (let register = Gpr.RAX; register <= Gpr.R15; register++) state.setGpr(register, 0, 0)
  state.setGpr(Gpr.RAX, BOOTLOADER_MAGIC | 0, 0)
  state.setGpr(Gpr.RBX, info | 0, 0)
  state.setRip(entry | 0, 0)
  state.u32[State.SYSFLAGS >> 2] = Rflag.FIXED
  state.u32[State.CR0 >> 2] = Cr0.PE | Cr0.ET
  state.setSegment(SegmentIndex.CS, CODE_SELECTOR, FLAT | CODE_READABLE_ACCESSED, 0, 0, LIMIT_4G)
  for (const segment of [SegmentIndex.ES, SegmentIndex.SS, SegmentIndex.DS, SegmentIndex.FS, SegmentIndex.GS])
    state.setSegment(segment, DATA_SELECTOR, FLAT | DATA_WRITABLE_ACCESSED, 0, 0, LIMIT_4G)
  state.updateMode()
  state.bumpGeneration()
}
