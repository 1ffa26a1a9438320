import type { PhysicalMemory } from '../../memory.ts'
import {
  RAM_BASE, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_INVALID_HI, TLB_SUPERVISOR, TLB_WINDOW_BYTES, TLB_WINDOWS, TlbField, TlbWindowField,
  WINDOW_SLOT_BYTES, WINDOW_SLOTS, WINDOW_SLOTS_END, WINDOW_TAIL_BYTES, WindowSlotField,
} from '../state.ts'
import type { CpuState } from './views.ts'

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
  private readonly isListed = new Uint8Array(2 * TLB_ENTRIES)
  private readonly emptySlots: Uint8Array
  /** Linear pages, by number, that no window may hold. */
  watched: readonly number[] = []
  private before = 0
  private after = 0
  /** The last window, by reading and by writing: linear base (halves), bytes, host minus linear, TLB. */
  private readonly last = [new Int32Array(5), new Int32Array(5)]

  constructor(state: CpuState, memory: PhysicalMemory) {
    this.state = state
    this.memory = memory
    const words = new Int32Array((WINDOW_SLOTS_END - WINDOW_SLOTS) >> 2)
    for (let at = 0; at < words.length; at += WINDOW_SLOT_BYTES >> 2) {
      words[at + (WindowSlotField.BASE >> 2) + 1] = TLB_INVALID_HI
      words[at + (WindowSlotField.BYTES >> 2)] = 4096 - WINDOW_TAIL_BYTES
    }
    this.emptySlots = new Uint8Array(words.buffer)
  }

  /** Computes the windows of a TLB slot that has just been filled for the page at (lo, hi). */
  enter(slot: number, lo: number, hi: number, physical: number, leaf: Leaf, canWrite: boolean): void {
    const { i32 } = this.state
    const page = lo & ~0xfff
    const delta = (RAM_BASE + physical - page) | 0
    const at = (TLB_WINDOWS + slot * TLB_WINDOW_BYTES) >> 2
    i32[at + (TlbWindowField.DELTA >> 2)] = delta
    if (this.isListed[slot] === 0) {
      this.isListed[slot] = 1
      this.wide[this.wideCount++] = slot
    }
    for (const write of canWrite ? [false, true] : [false]) {
      const last = this.last[write ? 1 : 0]
      const table = slot < TLB_ENTRIES ? 1 : 2
      const isSame = last[4] === table && last[1] === hi && last[3] === delta && (page - last[0]) >>> 0 < last[2] >>> 0
      if (!isSame) {
        this.measure(lo, physical, leaf, write)
        for (const other of this.watched) this.leaveOut(other - ((hi >>> 0) * 0x100000 + (lo >>> 12)))
        last[0] = page - this.before * 4096
        last[1] = hi
        last[2] = (this.before + 1 + this.after) * 4096 - WINDOW_TAIL_BYTES
        last[3] = delta
        last[4] = table
      }
      const base = at + ((write ? TlbWindowField.WRITE_BASE : TlbWindowField.READ_BASE) >> 2)
      i32[base] = last[0]
      i32[base + 1] = hi
      i32[at + ((write ? TlbWindowField.WRITE_BYTES : TlbWindowField.READ_BYTES) >> 2)] = last[2]
    }
  }

  /** Forgets what translated code looks through, and of the TLB's windows those that hold a linear page. */
  dropLinear(lo: number, hi: number): void {
    const { i32 } = this.state
    this.drop((base, _, bytes) => i32[base + 1] === hi && ((lo & ~0xfff) - i32[base]) >>> 0 < bytes)
  }

  /** The same for a page of this memory. */
  dropHost(host: number): void {
    this.drop((base, delta, bytes) => (host - this.state.i32[base] - delta) >>> 0 < bytes)
  }

  /** Forgets all of them; the TLB has been emptied. */
  dropAll(): void {
    for (let i = 0; i < this.wideCount; i++) this.isListed[this.wide[i]] = 0
    this.wideCount = 0
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
    i32[at + (TlbWindowField.READ_BYTES >> 2)] = i32[at + (TlbWindowField.WRITE_BYTES >> 2)] = 4096 - WINDOW_TAIL_BYTES
    this.isListed[slot] = 0
  }

  private forget(): void {
    this.state.u8.set(this.emptySlots, WINDOW_SLOTS)
    this.last[0][4] = this.last[1][4] = 0
  }

  /** Ends the measured window before the page so many pages away. */
  private leaveOut(distance: number): void {
    if (distance > 0) this.after = Math.min(this.after, distance - 1)
    else this.before = Math.min(this.before, -distance - 1)
  }

  /** How many pages before and after a page belong to its window. */
  private measure(lo: number, physical: number, leaf: Leaf, write: boolean): void {
    const { codePages, bytes } = this.memory
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
      before = Math.min(before, CODE_SEARCH_PAGES)
      after = Math.min(after, CODE_SEARCH_PAGES)
      let at = 1
      while (at <= before && codePages[page - at] === 0) at++
      before = at - 1
      at = 1
      while (at <= after && codePages[page + at] === 0) at++
      after = at - 1
    }
    this.before = before
    this.after = after
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
