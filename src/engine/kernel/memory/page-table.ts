import type { PhysicalMemory } from '../../machine/memory.ts'
import { KERNEL_PML4_INDEX, PAGE_BYTES } from '../arch/layout.ts'
import type { FrameAllocator } from './frames.ts'

/** Page table entry bits, SDM vol. 3, table 4-20. Physical addresses here are below 4 GiB: the high word holds XD alone. */
export const PteBit = { P: 1, RW: 2, US: 4, A: 0x20, D: 0x40 } as const
const XD = 0x80000000
const ADDRESS_MASK = 0xfffff000
const ENTRIES = 512
const TOP_LEVEL = 3
/** Entries of upper levels permit everything; the last level decides. */
const TABLE_FLAGS = PteBit.P | PteBit.RW | PteBit.US

/** Page indexes of `address` by level; exact for page-aligned doubles of the kernel half too. */
const indexAt = (address: number, level: number): number => Math.floor(address / PAGE_BYTES / ENTRIES ** level) % ENTRIES

export interface PageFlags {
  write: boolean
  execute: boolean
  user: boolean
}

/** One mapped page. */
export interface Mapping extends PageFlags {
  /** Physical address of the frame. */
  frame: number
}

/** Four-level page tables in guest memory, rooted in the frame that CR3 names. */
export class PageTable {
  /** Physical address of the PML4. */
  readonly root: number
  private readonly memory: PhysicalMemory
  private readonly frames: FrameAllocator

  /** Makes an empty table; with `kernel` it shares that table's kernel half. Throws ENOMEM. */
  constructor(memory: PhysicalMemory, frames: FrameAllocator, kernel?: PageTable) {
    this.memory = memory
    this.frames = frames
    this.root = frames.allocate()
    if (kernel !== undefined) {
      const slot = KERNEL_PML4_INDEX * 8
      memory.writeU64(this.root + slot, memory.readU64(kernel.root + slot))
    }
  }

  /** Maps one page that is not mapped. Throws ENOMEM when a table finds no frame, RangeError for write together with execute. */
  map(address: number, frame: number, flags: PageFlags): void {
    if (flags.write && flags.execute) throw new RangeError(`page 0x${address.toString(16)} would be writable and executable`)
    let table = this.root
    for (let level = TOP_LEVEL; level > 0; level--) {
      const slot = table + indexAt(address, level) * 8
      const entry = this.memory.readU32(slot)
      if ((entry & PteBit.P) !== 0) table = (entry & ADDRESS_MASK) >>> 0
      else {
        table = this.frames.allocate()
        this.memory.writeU32(slot, table | TABLE_FLAGS)
      }
    }
    const slot = table + indexAt(address, 0) * 8
    if ((this.memory.readU32(slot) & PteBit.P) !== 0) throw new Error(`page 0x${address.toString(16)} is mapped already`)
    this.memory.writeU32(slot + 4, flags.execute ? 0 : XD)
    this.memory.writeU32(slot, (frame | PteBit.P | (flags.write ? PteBit.RW : 0) | (flags.user ? PteBit.US : 0)) >>> 0)
  }

  /** Gives a mapped page other rights. The caller tells the TLB. */
  protect(address: number, flags: PageFlags): void {
    const frame = this.unmap(address)
    if (frame === null) throw new Error(`page 0x${address.toString(16)} is not mapped`)
    this.map(address, frame, flags)
  }

  /** Takes one page out and returns its frame, or null when there was none. The caller tells the TLB. */
  unmap(address: number): number | null {
    const slot = this.slot(address)
    if (slot === null) return null
    const entry = this.memory.readU32(slot)
    if ((entry & PteBit.P) === 0) return null
    this.memory.writeU64(slot, 0n)
    return (entry & ADDRESS_MASK) >>> 0
  }

  /** The page itself when its last table is there, else the first page behind it that the missing table does not cover. */
  skipHole(address: number): number {
    let table = this.root
    for (let level = TOP_LEVEL; level > 0; level--) {
      const entry = this.memory.readU32(table + indexAt(address, level) * 8)
      if ((entry & PteBit.P) === 0) {
        const bytes = PAGE_BYTES * ENTRIES ** level
        return address - (address % bytes) + bytes
      }
      table = (entry & ADDRESS_MASK) >>> 0
    }
    return address
  }

  lookup(address: number): Mapping | null {
    const slot = this.slot(address)
    if (slot === null) return null
    const entry = this.memory.readU32(slot)
    if ((entry & PteBit.P) === 0) return null
    return {
      frame: (entry & ADDRESS_MASK) >>> 0,
      write: (entry & PteBit.RW) !== 0,
      execute: (this.memory.readU32(slot + 4) & XD) === 0,
      user: (entry & PteBit.US) !== 0,
    }
  }

  /** Frees the user half: every mapped frame loses a reference, every table its frame, the root included. */
  destroy(): void {
    for (let index = 0; index < KERNEL_PML4_INDEX; index++) this.destroyEntry(this.root + index * 8, TOP_LEVEL)
    this.frames.release(this.root)
  }

  private destroyEntry(slot: number, level: number): void {
    const entry = this.memory.readU32(slot)
    if ((entry & PteBit.P) === 0) return
    const frame = (entry & ADDRESS_MASK) >>> 0
    if (level > 0) for (let index = 0; index < ENTRIES; index++) this.destroyEntry(frame + index * 8, level - 1)
    this.frames.release(frame)
  }

  /** Address of the last-level entry, or null when a table on the way is missing. */
  private slot(address: number): number | null {
    let table = this.root
    for (let level = TOP_LEVEL; level > 0; level--) {
      const entry = this.memory.readU32(table + indexAt(address, level) * 8)
      if ((entry & PteBit.P) === 0) return null
      table = (entry & ADDRESS_MASK) >>> 0
    }
    return table + indexAt(address, 0) * 8
  }
}
