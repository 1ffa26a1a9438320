import type { PhysicalMemory } from '../../machine/memory.ts'
import type { BootInfo } from '../arch/gate.ts'
import { KERNEL_BASE, PAGE_BYTES } from '../arch/layout.ts'
import type { MemoryRange, MultibootInfo } from '../arch/multiboot.ts'
import { FrameAllocator } from './frames.ts'
import { PageTable } from './page-table.ts'

/** Below 1 MiB lie the real-mode vectors, firmware data and video memory: left alone. */
const LOW_MEMORY_END = 0x100000

/**
 * Hands the allocator all available RAM but the boot image, the boot modules and what the loader wrote for us. The latter two are
 * free once they have been read: `reclaim`.
 */
export function createFrameAllocator(memory: PhysicalMemory, boot: BootInfo, info: MultibootInfo): FrameAllocator {
  const frames = new FrameAllocator(memory)
  const fixed: MemoryRange[] = [{ start: 0, end: LOW_MEMORY_END }, { start: boot.imageStart, end: boot.imageEnd }]
  const except = [...fixed, ...info.occupied, ...info.modules]
  for (const range of [...info.available].reverse()) frames.add(range, except)
  return frames
}

/** The kernel half of every address space: the boot image page by page, code executable, data writable, nothing both. */
export function createKernelTable(memory: PhysicalMemory, frames: FrameAllocator, boot: BootInfo): PageTable {
  const table = new PageTable(memory, frames)
  for (let page = boot.imageStart; page < boot.imageEnd; page += PAGE_BYTES) {
    if (boot.guards.includes(page)) continue
    const execute = page < boot.imageTextEnd
    table.map(KERNEL_BASE + page, page, { write: page >= boot.imageRodataEnd, execute, user: false })
  }
  return table
}
