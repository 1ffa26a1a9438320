import type { PhysicalMemory } from '../../machine/memory.ts'
import type { AccessKind } from '../arch/exceptions.ts'
import { MMAP_TOP, PAGE_BYTES, STACK_GUARD, USER_END, USER_START, hex, pageCeil, pageFloor } from '../arch/layout.ts'
import { KernelError } from '../syscall/errno.ts'
import type { FrameAllocator } from './frames.ts'
import type { Mapping, PageFlags } from './page-table.ts'
import { PageTable } from './page-table.ts'

/** Bits of an area's protection, as PROT_* of the ABI. */
export const Protection = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4 } as const

export type AreaKind = 'image' | 'heap' | 'stack' | 'anonymous'

/** A range of user space with one protection: [start, end), page-aligned. Pages become real when they are touched. */
export interface Area {
  start: number
  end: number
  protection: number
  kind: AreaKind
  /** Its frames were promised when it was made. A stack's are not: most programs never touch most of theirs. */
  promised: boolean
}

/** Gets the physical place of `count` bytes and their offset in the range. */
type PageUse = (physical: number, offset: number, count: number) => void

/** Areas a process may have: bounds the searches below. */
const AREAS_MAX = 4096

const needs: Record<AccessKind, number> = {
  read: Protection.READ | Protection.WRITE | Protection.EXEC,
  write: Protection.WRITE,
  execute: Protection.EXEC,
}

/** True when a page of `protection` may be used so: on x86 whatever is mapped for writing or execution can be read too. */
const permits = (protection: number, access: AccessKind): boolean => (protection & needs[access]) !== 0

function refuseWriteAndExecute(protection: number): void {
  if ((protection & Protection.WRITE) !== 0 && (protection & Protection.EXEC) !== 0) throw new KernelError('EACCES')
}

/**
 * Copy-on-write: after `fork` two spaces map the same frames, writable pages read-only. Whoever writes first gets a copy; who is left
 * alone with a frame may write to it again. Each further reference to a frame of a promised area has a promised frame behind it,
 * which the copy redeems, so that a fork that succeeded cannot run out of memory later.
 *
 * A page that nobody may use keeps its frame and its content, mapped for the kernel only. */
const pageFlags = (protection: number, isShared = false): PageFlags => ({
  write: (protection & Protection.WRITE) !== 0 && !isShared,
  execute: (protection & Protection.EXEC) !== 0,
  user: protection !== Protection.NONE,
})

/** One process's user memory: its page tables, its areas, and the checked way in and out for the kernel. */
export class AddressSpace {
  readonly table: PageTable
  /** Sorted by address, never overlapping. */
  readonly areas: Area[] = []
  /** Start and end of the Linux door's heap. */
  heapStart = 0
  heapEnd = 0
  private readonly memory: PhysicalMemory
  private readonly frames: FrameAllocator
  private readonly invalidate: (address: number) => void

  /** `invalidate` drops one page from the TLB if this space is the processor's. Throws ENOMEM. */
  constructor(memory: PhysicalMemory, frames: FrameAllocator, kernel: PageTable, invalidate: (address: number) => void) {
    this.memory = memory
    this.frames = frames
    this.invalidate = invalidate
    this.table = new PageTable(memory, frames, kernel)
  }

  /** The area that holds `address`, or null. */
  find(address: number): Area | null {
    const index = this.firstEndingAfter(address)
    return index < this.areas.length && this.areas[index].start <= address ? this.areas[index] : null
  }

  /**
   * Adds an area. Throws EINVAL when it is not page-aligned, leaves user space or overlaps another, EACCES for write
   * together with execute, ENOMEM when its pages cannot be promised.
   */
  map(start: number, end: number, protection: number, kind: AreaKind): void {
    if (start % PAGE_BYTES !== 0 || end % PAGE_BYTES !== 0) throw new KernelError('EINVAL')
    if (start < USER_START || end > USER_END || start >= end) throw new KernelError('EINVAL')
    refuseWriteAndExecute(protection)
    const index = this.firstEndingAfter(start)
    if (index < this.areas.length && this.areas[index].start < end) throw new KernelError('EINVAL')
    if (this.areas.length >= AREAS_MAX) throw new KernelError('ENOMEM')
    const promised = kind !== 'stack'
    if (promised) this.frames.promise((end - start) / PAGE_BYTES)
    this.areas.splice(index, 0, { start, end, protection, kind, promised })
    this.join(index, index + 1)
  }

  /** Removes every page of the page-aligned range; parts of areas outside it stay. */
  unmap(start: number, end: number): void {
    for (let index = this.firstEndingAfter(start); index < this.areas.length && this.areas[index].start < end; ) {
      const area = this.areas[index]
      const from = Math.max(start, area.start)
      const to = Math.min(end, area.end)
      this.dropPages(area, from, to)
      const rest: Area[] = []
      if (area.start < from) rest.push({ ...area, end: from })
      if (to < area.end) rest.push({ ...area, start: to })
      this.areas.splice(index, 1, ...rest)
      index += rest.length
    }
  }

  /** Nothing is mapped in the range, which lies in user space. */
  isFree(start: number, end: number): boolean {
    const index = this.firstEndingAfter(start)
    return start >= USER_START && end <= USER_END && (index === this.areas.length || this.areas[index].start >= end)
  }

  /** Moves the real pages of a range to one that has none yet, and unmaps where they were. Throws ENOMEM with every page where it was. */
  move(from: number, to: number, bytes: number): void {
    const [source, area] = [this.find(from), this.find(to)]
    if (source === null || area === null) throw new Error(`pages would move from ${hex(from)} to ${hex(to)}, where nothing is mapped`)
    let offset = 0
    try {
      for (; offset < bytes; offset += PAGE_BYTES) this.movePage(from + offset, to + offset, area.protection)
    } catch (error) {
      // The tables on the way back are still there.
      while ((offset -= PAGE_BYTES) >= 0) this.movePage(to + offset, from + offset, source.protection)
      throw error
    }
    // What was promised to the old pages and is real now serves the new ones: `unmap` counts moved pages as untouched.
    this.unmap(from, from + bytes)
  }

  private movePage(from: number, to: number, protection: number): void {
    const mapping = this.table.lookup(from)
    if (mapping === null) return
    this.table.map(to, mapping.frame, pageFlags(protection, this.isShared(mapping.frame)))
    this.table.unmap(from)
    this.invalidate(from)
  }

  /** Changes the protection of a range that is mapped throughout (ENOMEM otherwise). EACCES for write together with execute. */
  protect(start: number, end: number, protection: number): void {
    refuseWriteAndExecute(protection)
    for (let address = start; address < end; ) {
      const area = this.find(address)
      if (area === null) throw new KernelError('ENOMEM')
      address = area.end
    }
    const first = this.firstEndingAfter(start)
    let last = first
    for (let index = first; index < this.areas.length && this.areas[index].start < end; index++) {
      const area = this.areas[index]
      const from = Math.max(start, area.start)
      const to = Math.min(end, area.end)
      const split = [{ ...area, end: from }, { ...area, start: from, end: to, protection }, { ...area, start: to }]
      const parts = split.filter((part) => part.start < part.end)
      this.areas.splice(index, 1, ...parts)
      index += parts.length - 1
      last = index
      for (let address = from; address < to; address += PAGE_BYTES) {
        const mapping = this.table.lookup(address)
        if (mapping === null) continue
        this.invalidate(address)
        this.table.protect(address, pageFlags(protection, this.isShared(mapping.frame)))
      }
    }
    this.join(first, last + 1)
  }

  /**
   * Makes an empty space a copy of this one, for a child: the same areas, the same frames, and nothing copied before somebody writes.
   * Throws ENOMEM with nothing changed here but rights that come back at the next write; the child is then to be destroyed.
   */
  fork(child: AddressSpace): void {
    child.heapStart = this.heapStart
    child.heapEnd = this.heapEnd
    for (const area of this.areas) this.share(child, area)
  }

  /** Maps the real pages of an area into a child too. */
  private share(child: AddressSpace, area: Area): void {
    // Untouched pages and shared ones alike may cost the child a frame.
    if (area.promised) this.frames.promise((area.end - area.start) / PAGE_BYTES)
    child.areas.push({ ...area })
    for (let address = area.start; (address = this.table.skipHole(address)) < area.end; address += PAGE_BYTES) {
      const mapping = this.table.lookup(address)
      if (mapping === null) continue
      const flags = pageFlags(area.protection, true)
      child.table.map(address, mapping.frame, flags)
      this.frames.retain(mapping.frame)
      if (!mapping.write) continue
      this.table.protect(address, flags)
      this.invalidate(address)
    }
  }

  private isShared(frame: number): boolean {
    return this.frames.referenceCount(frame) > 1
  }

  /** Makes a page writable whose area permits it: alone if the frame is ours alone, else with a copy. Throws ENOMEM. */
  private ownPage(area: Area, page: number, frame: number): void {
    if (this.isShared(frame)) {
      const copy = this.frames.allocate(area.promised)
      this.memory.copy(copy, frame, PAGE_BYTES)
      this.table.unmap(page)
      this.table.map(page, copy, pageFlags(area.protection))
      this.frames.release(frame)
    } else this.table.protect(page, pageFlags(area.protection))
    this.invalidate(page)
  }

  /** A free range of `bytes` (a multiple of the page size), as high below MMAP_TOP as there is one. Throws ENOMEM. */
  findFree(bytes: number): number {
    let end = MMAP_TOP
    for (let index = this.areas.length - 1; index >= 0; index--) {
      const area = this.areas[index]
      if (area.start >= MMAP_TOP) continue
      if (end - area.end >= bytes) break
      end = area.start
    }
    if (end - bytes < USER_START) throw new KernelError('ENOMEM')
    return end - bytes
  }

  /**
   * Makes the page at `address` real if its area permits the access. Returns false when nothing permits it; throws ENOMEM
   * when there is no frame for it.
   */
  populate(address: number, access: AccessKind): boolean {
    const area = this.find(address)
    if (area === null || !permits(area.protection, access)) return false
    const page = pageFloor(address)
    const mapping = this.table.lookup(page)
    if (mapping !== null) {
      if (access === 'write' && !mapping.write) this.ownPage(area, page, mapping.frame)
      return true
    }
    const frame = this.frames.allocate(area.promised)
    try {
      this.table.map(page, frame, pageFlags(area.protection))
    } catch (error) {
      this.frames.release(frame)
      if (area.promised) this.frames.renew()
      throw error
    }
    return true
  }

  /** Copies user memory out. Throws EFAULT where the program could not read it itself. */
  copyIn(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.eachPage(address, length, 'read', (physical, offset, count) => bytes.set(this.memory.read(physical, count), offset))
    return bytes
  }

  /** Copies into user memory. Throws EFAULT where the program could not write itself. */
  copyOut(address: number, bytes: Uint8Array): void {
    this.eachPage(address, bytes.length, 'write', (physical, offset, count) => {
      this.memory.write(physical, bytes.subarray(offset, offset + count))
    })
  }

  /** Throws EFAULT unless the program itself could make this access to every byte. */
  check(address: number, length: number, access: AccessKind): void {
    this.eachPage(address, length, access, () => {})
  }

  /** A zero-terminated string. Throws EFAULT, or ENAMETOOLONG when none of the first `lengthMax` + 1 bytes is zero. */
  copyInString(address: number, lengthMax: number): string {
    const bytes: number[] = []
    for (let at = address; ; ) {
      const count = Math.min(PAGE_BYTES - (at % PAGE_BYTES), lengthMax + 1 - bytes.length)
      if (count <= 0) throw new KernelError('ENAMETOOLONG')
      const chunk = this.copyIn(at, count)
      const end = chunk.indexOf(0)
      bytes.push(...(end === -1 ? chunk : chunk.subarray(0, end)))
      if (end !== -1) return new TextDecoder().decode(Uint8Array.from(bytes))
      at += count
    }
  }

  /**
   * Writes while a program is loaded, whatever protection its pages will have: the pages must lie in areas. Throws ENOMEM.
   */
  load(address: number, bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      const at = address + offset
      const count = Math.min(PAGE_BYTES - (at % PAGE_BYTES), bytes.length - offset)
      if (!this.populate(at, 'read')) throw new KernelError('EFAULT')
      this.memory.write(this.mapped(at).frame + (at % PAGE_BYTES), bytes.subarray(offset, offset + count))
      offset += count
    }
  }

  /** Reads what is mapped and nothing else, for fault reports and inspectors: null where it is not. */
  peek(address: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length)
    for (let offset = 0; offset < length; ) {
      const at = address + offset
      const mapping = at < USER_END ? this.table.lookup(pageFloor(at)) : null
      if (mapping === null) return null
      const count = Math.min(PAGE_BYTES - (at % PAGE_BYTES), length - offset)
      bytes.set(this.memory.read(mapping.frame + (at % PAGE_BYTES), count), offset)
      offset += count
    }
    return bytes
  }

  /** True in the unmapped page below the stack: what ran into it is a stack that has grown too far. */
  isStackGuard(address: number): boolean {
    return address >= STACK_GUARD && address < STACK_GUARD + PAGE_BYTES
  }

  /** Real pages, in frames. */
  residentPages(): number {
    let pages = 0
    for (const { start, end } of this.areas)
      for (let address = start; (address = this.table.skipHole(address)) < end; address += PAGE_BYTES)
        if (this.table.lookup(address) !== null) pages++
    return pages
  }

  /** Gives everything back. The space must not be the processor's any more. */
  destroy(): void {
    for (const area of this.areas) this.dropPages(area, area.start, area.end)
    this.areas.length = 0
    this.table.destroy()
  }

  private dropPages(area: Area, from: number, to: number): void {
    let unredeemed = (to - from) / PAGE_BYTES
    for (let address = from; (address = this.table.skipHole(address)) < to; address += PAGE_BYTES) {
      const frame = this.table.unmap(address)
      if (frame === null) continue
      // A further reference has a promise of its own.
      if (!this.isShared(frame)) unredeemed--
      this.frames.release(frame)
      this.invalidate(address)
    }
    if (area.promised) this.frames.withdraw(unredeemed)
  }

  private mapped(address: number): Mapping {
    const mapping = this.table.lookup(pageFloor(address))
    if (mapping === null) throw new Error(`page of 0x${address.toString(16)} is not there after it was populated`)
    return mapping
  }

  /** Calls `use` with the physical place of each page's part of the range, after it is known to be accessible. */
  private eachPage(address: number, length: number, access: AccessKind, use: PageUse): void {
    if (length === 0) return
    if (address < USER_START || address + length > USER_END) throw new KernelError('EFAULT')
    for (let offset = 0; offset < length; ) {
      const at = address + offset
      const count = Math.min(PAGE_BYTES - (at % PAGE_BYTES), length - offset)
      if (!this.populate(at, access)) throw new KernelError('EFAULT')
      use(this.mapped(at).frame + (at % PAGE_BYTES), offset, count)
      offset += count
    }
  }

  /** Makes one area of neighbours that are alike, among those from one before index `first` to index `last`. */
  private join(first: number, last: number): void {
    for (let index = Math.min(last, this.areas.length - 1); index >= Math.max(first, 1); index--) {
      const [before, area] = [this.areas[index - 1], this.areas[index]]
      if (before.end !== area.start || before.kind !== area.kind || before.protection !== area.protection) continue
      before.end = area.end
      this.areas.splice(index, 1)
    }
  }

  /** Index of the first area whose end lies above `address`. */
  private firstEndingAfter(address: number): number {
    let low = 0
    let high = this.areas.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.areas[middle].end <= address) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Grows or shrinks the heap to `end`. Returns the end it has afterwards: the old one where that is impossible. */
  setHeapEnd(end: number): number {
    if (end < this.heapStart || end > MMAP_TOP) return this.heapEnd
    const from = pageCeil(this.heapEnd)
    const to = pageCeil(end)
    try {
      if (to > from) this.map(from, to, Protection.READ | Protection.WRITE, 'heap')
      else if (to < from) this.unmap(to, from)
    } catch (error) {
      if (error instanceof KernelError) return this.heapEnd
      throw error
    }
    this.heapEnd = end
    return end
  }
}
