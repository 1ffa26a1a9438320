import type { PhysicalMemory } from '../../memory.ts'
import {
  LAST_WINDOWS, LAST_WINDOWS_END, RAM_BASE, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_SUPERVISOR, TLB_WINDOW_BYTES, TLB_WINDOWS,
  TlbField, TlbWindowField, WINDOW_SLOT_BYTES, WINDOW_SLOTS, WINDOW_TAIL_BYTES, WindowSlotField,
} from '../state.ts'
import type { CpuState } from './views.ts'

const BASE = WindowSlotField.BASE >> 2
const BYTES = WindowSlotField.BYTES >> 2
const DELTA = WindowSlotField.DELTA >> 2
/** Of a window that is one page. */
const PAGE_WINDOW_BYTES = 4096 - WINDOW_TAIL_BYTES
/** Where the window found last is: 0 for reading and 1 for writing as supervisor, 2 and 3 as user. */
const lastAt = (which: number): number => (LAST_WINDOWS + which * WINDOW_SLOT_BYTES) >> 2

/** Neighbours of a page-table entry that are looked at on each side. */
const NEIGHBOURS_MAX = 64
/** Pages on each side of a written one that are searched for code. */
const CODE_SEARCH_PAGES = 4096
/** The leaf entry of a translation. */
export interface Leaf {
  /** Guest-physical address of the entry, -1 without paging. */
  at: number
  /** 4 or 8. */
  entryBytes: number
  /** Bytes that one entry maps. */
  pageBytes: number
  /** The accessed and dirty bits among them, as they are now. */
  value: number
}

/** Bits of a leaf entry that neighbours must share: present, writable, user, accessed, page size, and where it leads. */
const SAME = ~0xf58
const DIRTY = 0x40

/**
 * Windows: runs of pages around a TLB entry's page that are mapped to one run of RAM with the same rights and whose accessed bits (for
 * writing, dirty bits too) are set already, so that an access to any of them has nothing left to do but to happen.
 *
 * Processors may keep translations that no program has asked for (SDM vol. 3, 4.10.2.3); what tells them to forget one makes us forget
 * every window it may be in.
 */
export class Windows {
  private readonly state: CpuState
  private readonly memory: PhysicalMemory
  /** TLB slots whose windows reach beyond their page. */
  private readonly wide = new Int32Array(2 * TLB_ENTRIES)
  private wideCount = 0
  /** No page outside these is in any of them. */
  private lowest = Infinity
  private highest = -Infinity
  private readonly isListed = new Uint8Array(2 * TLB_ENTRIES)
  /** Eight of the memory's codePages each. */
  private readonly octets: Float64Array
  /** Of the pages in each of the windows found last. */
  private readonly spans = new Uint8Array(4)
  /** Linear pages, by number, that no window may hold. */
  watched: readonly number[] = []
  private before = 0
  private after = 0
  private readonly i32: Int32Array

  constructor(state: CpuState, memory: PhysicalMemory) {
    this.state = state
    this.i32 = state.i32
    this.memory = memory
    this.octets = new Float64Array(memory.codePages.buffer, 0, memory.codePages.length >> 3)
  }

  /** Computes the windows of a TLB slot that is being filled for the page at (lo, hi), which is of that span. */
  enter(slot: number, lo: number, hi: number, physical: number, leaf: Leaf, span: number, canWrite: boolean): void {
    const delta = (RAM_BASE + physical - (lo & ~0xfff)) | 0
    const table = slot < TLB_ENTRIES ? 0 : 2
    for (let which = table; which <= table + (canWrite ? 1 : 0); which++)
      if (!this.lastHolds(which, lo, hi) || this.i32[lastAt(which) + DELTA] !== delta) this.find(which, lo, hi, physical, leaf, span)
    this.enterLast(slot, lo & ~0xfff, table, canWrite)
  }

  /** Makes the windows found last those of a slot: `which` that for reading. Returns where the page is in this memory. */
  enterLast(slot: number, page: number, which: number, canWrite: boolean): number {
    const { i32 } = this
    const at = (TLB_WINDOWS + slot * TLB_WINDOW_BYTES) >> 2
    const read = lastAt(which)
    const write = lastAt(which | 1)
    i32[at + (TlbWindowField.READ_BASE >> 2)] = i32[read + BASE]
    i32[at + (TlbWindowField.READ_BASE >> 2) + 1] = i32[read + BASE + 1]
    i32[at + (TlbWindowField.READ_BYTES >> 2)] = i32[read + BYTES]
    i32[at + (TlbWindowField.DELTA >> 2)] = i32[read + DELTA]
    let isWide = i32[read + BYTES] !== PAGE_WINDOW_BYTES
    if (canWrite) {
      i32[at + (TlbWindowField.WRITE_BASE >> 2)] = i32[write + BASE]
      i32[at + (TlbWindowField.WRITE_BASE >> 2) + 1] = i32[write + BASE + 1]
      i32[at + (TlbWindowField.WRITE_BYTES >> 2)] = i32[write + BYTES]
      isWide ||= i32[write + BYTES] !== PAGE_WINDOW_BYTES
    }
    if (isWide && this.isListed[slot] === 0) {
      this.isListed[slot] = 1
      this.wide[this.wideCount++] = slot
    }
    return page + i32[read + DELTA]
  }

  /** Whether one of the windows found last holds a page. */
  lastHolds(which: number, lo: number, hi: number): boolean {
    const { i32 } = this
    const last = lastAt(which)
    return i32[last + BASE + 1] === hi && ((lo & ~0xfff) - i32[last + BASE]) >>> 0 < i32[last + BYTES] >>> 0
  }
  /** Whether those for reading and writing lead to the same place, as they do unless a guest has changed its page tables in between. */
  lastAgree(table: number): boolean {
    return this.i32[lastAt(table) + DELTA] === this.i32[lastAt(table + 1) + DELTA]
  }
  /** Of the pages in one of them. */
  spanOfLast(which: number): number {
    return this.spans[which]
  }

  private find(which: number, lo: number, hi: number, physical: number, leaf: Leaf, span: number): void {
    const { i32 } = this
    const page = lo & ~0xfff
    const last = lastAt(which)
    this.measure(lo, physical, leaf, (which & 1) !== 0)
    for (const other of this.watched) this.leaveOut(other - ((hi >>> 0) * 0x100000 + (lo >>> 12)))
    this.spans[which] = span
    i32[last + BASE] = page - this.before * 4096
    i32[last + BASE + 1] = hi
    i32[last + BYTES] = (this.before + 1 + this.after) * 4096 - WINDOW_TAIL_BYTES
    i32[last + DELTA] = (RAM_BASE + physical - page) | 0
    if (this.before + this.after === 0) return
    const at = hi * 0x100000000 + (page >>> 0)
    this.lowest = Math.min(this.lowest, at - this.before * 4096)
    this.highest = Math.max(this.highest, at + this.after * 4096)
  }

  /** Forgets what translated code looks through, and of the TLB's windows those that hold a linear page. */
  dropLinear(lo: number, hi: number): void {
    const { i32 } = this
    const page = hi * 0x100000000 + ((lo & ~0xfff) >>> 0)
    if (page < this.lowest || page > this.highest) this.forget()
    else this.drop((base, _, bytes) => i32[base + 1] === hi && ((lo & ~0xfff) - i32[base]) >>> 0 < bytes)
  }

  /** The same for a page of this memory. */
  dropHost(host: number): void {
    this.drop((base, delta, bytes) => (host - this.state.i32[base] - delta) >>> 0 < bytes)
  }

  /** Forgets all of them; the TLB has been emptied. */
  dropAll(): void {
    for (let i = 0; i < this.wideCount; i++) this.isListed[this.wide[i]] = 0
    this.wideCount = 0
    this.lowest = Infinity
    this.highest = -Infinity
    this.forget()
  }

  private drop(has: (base: number, delta: number, bytes: number) => boolean): void {
    const { i32 } = this.state
    let kept = 0
    for (let i = 0; i < this.wideCount; i++) {
      const slot = this.wide[i]
      const at = (TLB_WINDOWS + slot * TLB_WINDOW_BYTES) >> 2
      const delta = i32[at + (TlbWindowField.DELTA >> 2)]
      // Each was measured from a page of its own: neither need hold the other.
      const reads = has(at + (TlbWindowField.READ_BASE >> 2), delta, i32[at + (TlbWindowField.READ_BYTES >> 2)] >>> 0)
      const writes = has(at + (TlbWindowField.WRITE_BASE >> 2), delta, i32[at + (TlbWindowField.WRITE_BYTES >> 2)] >>> 0)
      if (reads || writes) this.shrink(slot)
      else this.wide[kept++] = slot
    }
    this.wideCount = kept
    this.forget()
  }

  /** Makes a slot's windows its own page. */
  private shrink(slot: number): void {
    const { i32 } = this.state
    const tag = (TLB_SUPERVISOR + slot * TLB_ENTRY_BYTES + TlbField.READ) >> 2
    const at = (TLB_WINDOWS + slot * TLB_WINDOW_BYTES) >> 2
    for (const field of [TlbWindowField.READ_BASE, TlbWindowField.WRITE_BASE]) {
      i32[at + (field >> 2)] = i32[tag]
      i32[at + (field >> 2) + 1] = i32[tag + 1]
    }
    i32[at + (TlbWindowField.READ_BYTES >> 2)] = i32[at + (TlbWindowField.WRITE_BYTES >> 2)] = PAGE_WINDOW_BYTES
    this.isListed[slot] = 0
  }

  private forget(): void {
    this.state.u8.fill(0, WINDOW_SLOTS, LAST_WINDOWS_END)
  }

  /** Ends the measured window before the page so many pages away. */
  private leaveOut(distance: number): void {
    if (distance > 0) this.after = Math.min(this.after, distance - 1)
    else this.before = Math.min(this.before, -distance - 1)
  }

  /** How many pages before and after a page belong to its window. */
  private measure(lo: number, physical: number, leaf: Leaf, write: boolean): void {
    const { bytes } = this.memory
    const page = physical >>> 12
    const pages = leaf.at < 0 ? bytes >>> 12 : leaf.pageBytes >>> 12
    const inLeaf = leaf.at < 0 ? page : (lo >>> 12) & (pages - 1)
    let before = inLeaf
    let after = pages - 1 - inLeaf
    if (leaf.at >= 0 && leaf.pageBytes < 0x40000000) {
      before += pages * this.alike(leaf, -1, write)
      after += pages * this.alike(leaf, 1, write)
    }
    before = Math.min(before, page)
    after = Math.min(after, (bytes >>> 12) - 1 - page)
    if (write) {
      before = this.pagesWithoutCode(page, -1, Math.min(before, CODE_SEARCH_PAGES))
      after = this.pagesWithoutCode(page, 1, Math.min(after, CODE_SEARCH_PAGES))
    }
    this.before = before
    this.after = after
  }

  /** How many pages on one side of a page, `most` at most, hold no code. */
  private pagesWithoutCode(page: number, direction: 1 | -1, most: number): number {
    const { codePages } = this.memory
    const { octets } = this
    let count = 0
    while (count < most) {
      const at = page + direction * (count + 1)
      const isAtOctet = (at & 7) === (direction > 0 ? 0 : 7)
      if (isAtOctet && octets[at >>> 3] === 0) count += 8
      else if (codePages[at] === 0) count++
      else break
    }
    return Math.min(count, most)
  }

  /** How many entries on one side of the leaf go on where it ends. */
  private alike({ at, entryBytes, pageBytes, value }: Leaf, direction: 1 | -1, write: boolean): number {
    const { i32 } = this.state
    const index = (at & 0xfff) / entryBytes
    const room = direction < 0 ? index : 4096 / entryBytes - 1 - index
    const most = Math.min(room, NEIGHBOURS_MAX)
    const words = entryBytes >> 2
    const leaf = (RAM_BASE + at) >>> 2
    for (let count = 1; count <= most; count++) {
      const entry = leaf + direction * count * words
      const low = i32[entry]
      if (((low ^ (value + direction * count * pageBytes)) & SAME) !== 0) return count - 1
      if (words === 2 && i32[entry + 1] !== i32[leaf + 1]) return count - 1
      if (write && (low & DIRTY) === 0) return count - 1
    }
    return most
  }
}
