import type { PhysicalMemory } from '../../memory.ts'
import {
  Access, RAM_BASE, State, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_INVALID_HI, TLB_SUPERVISOR, TLB_USER, TlbField, TRANSLATE_FAULT,
  TRANSLATE_MMIO, Vector,
} from '../state.ts'
import { setFault } from './faults.ts'
import { PageSet, Span } from './page-set.ts'
import type { Leaf } from './windows.ts'
import { Windows } from './windows.ts'
import { Cr0, Cr4, type CpuState, Efer, isCanonical, PHYSICAL_BITS, Word } from './views.ts'

/** Added to an Access: the address was formed with SS, so a non-canonical one is #SS(0) instead of #GP(0). */
export const ACCESS_STACK = 4

/** Page-fault error code, SDM vol. 3, 4.7. */
const PageFault = { P: 1, WR: 2, US: 4, RSVD: 8, ID: 16 } as const

/** Bits of a paging-structure entry (low half), SDM vol. 3, 4.5. */
const Entry = { P: 1, RW: 2, US: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const
/** Bit 63 in the high half of an 8-byte entry. */
const NX_HI = 0x80000000 | 0
/** Bits 51–PHYSICAL_BITS in the high half. */
const RESERVED_HI = 0x000fffff & ~((1 << (PHYSICAL_BITS - 32)) - 1)
const ADDRESS_HI = (1 << (PHYSICAL_BITS - 32)) - 1

const SLOTS = 2 * TLB_ENTRIES
const SLOT_WORDS = TLB_ENTRY_BYTES >> 2
const TABLES = TLB_SUPERVISOR >> 2
const READ_TAG = TlbField.READ >> 2
const WRITE_TAG = TlbField.WRITE >> 2
const HOST = TlbField.HOST >> 2
const INDEX_MASK = TLB_ENTRIES - 1
/** Beyond this many filled slots a flush copies the whole empty table, which is then the cheaper way. */
const FILLED_ONE_BY_ONE_MAX = 256

const CR0 = State.CR0 >> 2
const CR3 = State.CR3 >> 2
const CR4 = State.CR4 >> 2
const EFER = State.EFER >> 2

/** Whether code may be fetched through a slot: a walk will tell; yes, from a page that is not global; from one that is. */
const Fetching = { UNKNOWN: 0, LOCAL: 1, GLOBAL: 2 } as const

if (TLB_USER !== TLB_SUPERVISOR + TLB_ENTRIES * TLB_ENTRY_BYTES) throw new Error('the two TLB tables must be adjacent')

/**
 * The memory management unit: walks the guest's page tables (SDM vol. 3, chapter 4) and fills the software TLB.
 *
 * A linear address comes as two 32-bit halves; outside 64-bit mode the high half is 0. A physical address of RAM is below
 * 2^32. Nothing here allocates.
 */
export class Mmu {
  private readonly state: CpuState
  private readonly memory: PhysicalMemory
  /** Slots filled since the last flush, in order of filling. */
  private readonly filled = new Int32Array(SLOTS)
  private filledCount = 0
  /** Span of each filled slot. */
  private readonly span = new Uint8Array(SLOTS)
  /** Those among them that once were filled from a large page. */
  private readonly largeFilled = new Int32Array(SLOTS)
  private largeFilledCount = 0
  private readonly isLargeListed = new Uint8Array(SLOTS)
  private readonly largePages = new PageSet()
  /** What fetching code through a filled slot would be. */
  private readonly fetching = new Uint8Array(SLOTS)
  private readonly emptyTables: Uint8Array
  /**
   * Pages that code was fetched from since the jump cache was last made stale as a whole. Where none of them is, a translation can be
   * forgotten without the jump cache's noticing.
   */
  private readonly fetched = new PageSet()
  /** Whether supervisor code among them is in a page that is not global. */
  private fetchedLocally = false
  /** Linear pages, by number. */
  private watched: readonly number[] = []
  private readonly windows: Windows
  private readonly leafFound = { at: -1, entryBytes: 8, pageBytes: 4096, value: 0 }

  // What the last walk found. Fields rather than a returned object, so that a walk allocates nothing.
  private pageLo = 0
  private pageHi = 0
  private pageSpan: number = Span.SMALL
  private writable = false
  private user = false
  private executable = false
  private dirty = false
  private global = false
  /** Error-code bits P and RSVD of a walk that failed. */
  private walkError = 0
  // Where the entries of that walk lie (guest-physical), root first: their accessed bits are set once the access is known to be allowed.
  private entry0 = -1
  private entry1 = -1
  private entry2 = -1
  private leafEntry = -1

  constructor(state: CpuState, memory: PhysicalMemory) {
    this.state = state
    this.memory = memory
    this.windows = new Windows(state, memory)
    const words = new Int32Array(SLOTS * SLOT_WORDS)
    for (let slot = 0; slot < SLOTS; slot++) {
      words[slot * SLOT_WORDS + READ_TAG] = words[slot * SLOT_WORDS + WRITE_TAG] = invalidTagLo(slot)
      words[slot * SLOT_WORDS + READ_TAG + 1] = words[slot * SLOT_WORDS + WRITE_TAG + 1] = TLB_INVALID_HI
    }
    this.emptyTables = new Uint8Array(words.buffer)
    this.reset()
  }

  /** Empties the TLB whatever it holds. */
  reset(): void {
    this.emptyTlb()
    this.forgetCode()
  }

  private emptyTlb(): void {
    this.state.u8.set(this.emptyTables, TLB_SUPERVISOR)
    this.span.fill(Span.NONE)
    this.filledCount = 0
    this.forgetLarge()
    this.windows.dropAll()
  }

  /** Keeps these linear pages (by number) out of the TLB and of every window, so that accesses to them always come here. */
  watch(pages: readonly number[]): void {
    if (pages.length === 0 && this.watched.length === 0) return
    this.watched = pages
    this.windows.watched = pages
    this.invalidateAll()
  }

  /** Makes the jump cache stale. */
  private forgetCode(): void {
    this.fetched.clear()
    this.fetchedLocally = false
    this.state.bumpGeneration()
  }

  /** Code is fetched from a page. */
  private noteFetch(lo: number, hi: number, span: number, isLocal: boolean): void {
    this.fetched.add(lo, hi, span)
    if (isLocal) this.fetchedLocally = true
  }
  /** The same for the page that a TLB slot leads to; false when only a walk tells whether it may. */
  private fetchThrough(slot: number, lo: number, hi: number, user: boolean): boolean {
    if (this.fetching[slot] === Fetching.UNKNOWN) return false
    this.noteFetch(lo, hi, this.span[slot], !user && this.fetching[slot] === Fetching.LOCAL)
    return true
  }

  /**
   * Translates State.SLOW_VA for an access of the running program (privilege CPL) and fills the TLB.
   *
   * @param access an Access, plus ACCESS_STACK for addresses formed with SS.
   * @returns the offset of the byte in the Wasm memory; TRANSLATE_MMIO with the physical address in State.SLOW_PA; or
   *   TRANSLATE_FAULT with State.FAULT_VECTOR, FAULT_ERROR and, for a page fault, CR2 set.
   */
  translate(access: number): number {
    const { i32 } = this.state
    return this.access(i32[Word.SLOW_VA], i32[Word.SLOW_VA + 1], access, i32[Word.CPL] === 3)
  }

  /** The same for an implicit supervisor access: descriptor tables, TSS, frames pushed for a handler below CPL 3. */
  translateSystem(lo: number, hi: number, access: number): number {
    return this.access(lo, hi, access, false)
  }

  /** As `translate`, for an address given by its halves and an explicit privilege. */
  access(lo: number, hi: number, access: number, user: boolean): number {
    const { state } = this
    const { i32 } = state
    const slot = ((lo >>> 12) & INDEX_MASK) + (user ? TLB_ENTRIES : 0)
    const at = TABLES + slot * SLOT_WORDS
    const page = lo & ~0xfff
    const kind = access & 3
    const tag = at + (kind === Access.WRITE ? WRITE_TAG : READ_TAG)
    if (i32[tag] === page && i32[tag + 1] === hi) {
      if (kind !== Access.EXECUTE) return (i32[at + HOST] >>> 0) + (lo & 0xfff)
      if (this.fetchThrough(slot, lo, hi, user)) return (i32[at + HOST] >>> 0) + (lo & 0xfff)
    }

    if (kind !== Access.EXECUTE) {
      const host = this.fillFromLast(slot, lo, hi, kind)
      if (host !== 0) return host
    }
    if (hi !== 0 && !isCanonical(hi)) {
      setFault(state, (access & ACCESS_STACK) !== 0 ? Vector.SS : Vector.GP, 0)
      return TRANSLATE_FAULT
    }
    const found = this.walk(lo, hi)
    if (!found || !this.allows(kind, user)) {
      this.pageFault(lo, hi, kind, user, found ? PageFault.P : this.walkError)
      return TRANSLATE_FAULT
    }
    this.markUsed(kind === Access.WRITE)
    if (kind === Access.EXECUTE) this.noteFetch(lo, hi, this.pageSpan, !user && !this.global)

    const physical = this.pageLo >>> 0
    if (this.pageHi !== 0 || physical >= this.memory.bytes) {
      i32[Word.SLOW_PA] = this.pageLo | (lo & 0xfff)
      i32[Word.SLOW_PA + 1] = this.pageHi
      return TRANSLATE_MMIO
    }
    if (this.watched.length === 0 || !this.watched.includes((hi >>> 0) * 0x100000 + (lo >>> 12)))
      this.fill(slot, lo, hi, physical, user)
    return RAM_BASE + physical + (lo & 0xfff)
  }

  /**
   * Where an address leads for a given privilege, without faulting, setting accessed or dirty bits or filling the TLB.
   *
   * @returns the physical address, or -1 when the access would fault.
   */
  probe(lo: number, hi: number, access: number, user: boolean): number {
    if ((access & 3) === Access.EXECUTE) {
      const slot = ((lo >>> 12) & INDEX_MASK) + (user ? TLB_ENTRIES : 0)
      const at = TABLES + slot * SLOT_WORDS
      const { i32 } = this.state
      const isHit = i32[at + READ_TAG] === (lo & ~0xfff) && i32[at + READ_TAG + 1] === hi
      if (isHit && this.fetchThrough(slot, lo, hi, user)) return (i32[at + HOST] >>> 0) - RAM_BASE + (lo & 0xfff)
    }
    if ((hi !== 0 && !isCanonical(hi)) || !this.walk(lo, hi) || !this.allows(access & 3, user)) return -1
    if ((access & 3) === Access.EXECUTE) this.noteFetch(lo, hi, this.pageSpan, !user && !this.global)
    return this.pageHi * 0x100000000 + (this.pageLo >>> 0) + (lo & 0xfff)
  }

  /**
   * Forgets every translation: CR3 load, changes of CR0, CR4 and EFER. Those of global pages go from the TLB too, which the architecture
   * allows.
   *
   * @param keepGlobal what the jump cache knows of code in global pages is still true (SDM vol. 3, 4.10.4.1, MOV to CR3)
   */
  invalidateAll(keepGlobal = false): void {
    if (keepGlobal && !this.fetchedLocally) this.state.bumpUserGeneration()
    else this.forgetCode()
    if (this.filledCount > FILLED_ONE_BY_ONE_MAX) this.emptyTlb()
    else {
      for (let i = 0; i < this.filledCount; i++) {
        const slot = this.filled[i]
        this.clearSlot(slot)
        this.span[slot] = Span.NONE
      }
      this.filledCount = 0
      this.forgetLarge()
      this.windows.dropAll()
    }
  }

  private forgetLarge(): void {
    for (let i = 0; i < this.largeFilledCount; i++) this.isLargeListed[this.largeFilled[i]] = 0
    this.largeFilledCount = 0
    this.largePages.clear()
  }

  /** INVLPG: forgets the translation of the page that holds the address, for a large page all of it. */
  invalidatePage(lo: number, hi: number): void {
    const { i32 } = this.state
    const page = lo & ~0xfff
    const index = (lo >>> 12) & INDEX_MASK
    for (let slot = index; slot < SLOTS; slot += TLB_ENTRIES) {
      const at = TABLES + slot * SLOT_WORDS
      if (i32[at + READ_TAG] === page && i32[at + READ_TAG + 1] === hi) this.clearSlot(slot)
    }
    // The slots of a large page are scattered over the table: compare the address bits above the page size.
    const large = this.largePages.mayHold(lo, hi) ? this.largeFilledCount : 0
    for (let i = 0; i < large; i++) {
      const slot = this.largeFilled[i]
      if (this.span[slot] === Span.SMALL) continue
      const shift = this.span[slot] === Span.LARGE ? 21 : 30
      const at = TABLES + slot * SLOT_WORDS
      if (i32[at + READ_TAG + 1] === hi && i32[at + READ_TAG] >>> shift === lo >>> shift) this.clearSlot(slot)
    }
    this.windows.dropLinear(lo, hi)
    if (this.fetched.mayHold(lo, hi)) this.forgetCode()
  }

  /** Makes writes to a physical page take the slow path from now on, because code was decoded in it. */
  dropWriteTags(physicalPage: number): void {
    const { i32 } = this.state
    const host = (RAM_BASE + physicalPage * 4096) | 0
    for (let i = 0; i < this.filledCount; i++) {
      const slot = this.filled[i]
      const at = TABLES + slot * SLOT_WORDS
      if (i32[at + HOST] !== host) continue
      i32[at + WRITE_TAG] = invalidTagLo(slot)
      i32[at + WRITE_TAG + 1] = TLB_INVALID_HI
    }
    this.windows.dropHost(host)
  }

  /**
   * True when the four page-directory-pointer entries that a load of CR3 (or of CR0 or CR4 with PAE paging on) would take
   * are valid; with a reserved bit in a present one the load is #GP(0). SDM vol. 3, 4.4.1.
   */
  pdptesValid(cr3: number): boolean {
    for (let i = 0; i < 4; i++) {
      const at = (cr3 & ~0x1f) + i * 8
      const lo = this.read32(at >>> 0)
      if ((lo & Entry.P) !== 0 && ((lo & 0x1e6) !== 0 || (this.read32((at + 4) >>> 0) & (RESERVED_HI | 0xfff00000)) !== 0)) return false
    }
    return true
  }

  private clearSlot(slot: number): void {
    const { i32 } = this.state
    const at = TABLES + slot * SLOT_WORDS
    i32[at + READ_TAG] = i32[at + WRITE_TAG] = invalidTagLo(slot)
    i32[at + READ_TAG + 1] = i32[at + WRITE_TAG + 1] = TLB_INVALID_HI
  }

  /** Enters what the last walk found. The entry keeps to the rule of state.ts: a hit may be used without any further check. */
  private fill(slot: number, lo: number, hi: number, physical: number, user: boolean): void {
    const page = lo & ~0xfff
    const canWrite = this.dirty && this.memory.codePages[physical >>> 12] === 0 && this.allows(Access.WRITE, user)
    this.windows.enter(slot, lo, hi, physical, this.leafOfWalk(), this.pageSpan, canWrite)
    this.fetching[slot] = !this.allows(Access.EXECUTE, user) ? Fetching.UNKNOWN : this.global ? Fetching.GLOBAL : Fetching.LOCAL
    if (this.pageSpan !== Span.SMALL) this.largePages.add(lo, hi, this.pageSpan)
    this.fillSlot(slot, page, hi, RAM_BASE + physical, this.pageSpan, canWrite)
  }

  /** Fills a slot from the windows found last, whose pages are known to be as that one was; 0 when they do not hold the page. */
  private fillFromLast(slot: number, lo: number, hi: number, kind: number): number {
    const { windows } = this
    const table = slot < TLB_ENTRIES ? 0 : 2
    const canWrite = windows.lastHolds(table + 1, lo, hi)
    const canRead = windows.lastHolds(table, lo, hi)
    if ((kind === Access.WRITE ? !canWrite : !canRead) || (canRead && canWrite && !windows.lastAgree(table))) return 0
    const page = lo & ~0xfff
    const span = windows.spanOfLast(canRead ? table : table + 1)
    const host = windows.enterLast(slot, page, canRead ? table : table + 1, canWrite)
    if (span !== Span.SMALL) this.largePages.add(lo, hi, span)
    this.fetching[slot] = Fetching.UNKNOWN
    this.fillSlot(slot, page, hi, host, span, canWrite)
    return (host >>> 0) + (lo & 0xfff)
  }

  private fillSlot(slot: number, page: number, hi: number, host: number, span: number, canWrite: boolean): void {
    const { i32 } = this.state
    const at = TABLES + slot * SLOT_WORDS
    if (this.span[slot] === Span.NONE) this.filled[this.filledCount++] = slot
    this.span[slot] = span
    if (span !== Span.SMALL && this.isLargeListed[slot] === 0) {
      this.isLargeListed[slot] = 1
      this.largeFilled[this.largeFilledCount++] = slot
    }
    i32[at + READ_TAG] = page
    i32[at + READ_TAG + 1] = hi
    i32[at + HOST] = host
    i32[at + WRITE_TAG] = canWrite ? page : invalidTagLo(slot)
    i32[at + WRITE_TAG + 1] = canWrite ? hi : TLB_INVALID_HI
  }

  private leafOfWalk(): Leaf {
    const { i32 } = this.state
    const { leafFound } = this
    const isWide = (i32[CR4] & Cr4.PAE) !== 0
    leafFound.at = this.leafEntry
    leafFound.entryBytes = isWide ? 8 : 4
    leafFound.pageBytes = this.pageSpan === Span.SMALL ? 4096 : this.pageSpan === Span.LARGE ? 0x200000 : isWide ? 0x40000000 : 0x400000
    leafFound.value = this.leafEntry < 0 ? 0 : i32[(RAM_BASE + this.leafEntry) >>> 2]
    return leafFound
  }

  /** Whether the rights that the last walk gathered allow an access, SDM vol. 3, 4.6.1 (without SMEP and SMAP, which CPUID denies). */
  private allows(kind: number, user: boolean): boolean {
    if (user && !this.user) return false
    if (kind === Access.WRITE) return this.writable || (!user && (this.state.i32[CR0] & Cr0.WP) === 0)
    return kind !== Access.EXECUTE || this.executable
  }

  private pageFault(lo: number, hi: number, kind: number, user: boolean, cause: number): void {
    const { i32 } = this.state
    let error = cause
    if (kind === Access.WRITE) error |= PageFault.WR
    if (user) error |= PageFault.US
    if (kind === Access.EXECUTE && this.noExecute()) error |= PageFault.ID
    i32[Word.CR2] = lo
    i32[Word.CR2 + 1] = hi
    setFault(this.state, Vector.PF, error)
  }

  /** Whether bit 63 of an entry means execute-disable, rather than being reserved or absent. */
  private noExecute(): boolean {
    return (this.state.i32[EFER] & Efer.NXE) !== 0 && (this.state.i32[CR4] & Cr4.PAE) !== 0
  }

  /** Reads a word of a paging structure. Where there is no RAM the bus answers 0, so such an entry is not present. */
  private read32(physical: number): number {
    return physical < this.memory.bytes ? this.state.i32[(RAM_BASE + physical) >>> 2] : 0
  }

  /** Sets accessed and dirty bits of the last walk's entries, SDM vol. 3, 4.8. A walk that ends in a fault sets none. */
  private markUsed(write: boolean): void {
    if (this.leafEntry < 0) return
    if (this.entry0 >= 0) this.setBits(this.entry0, Entry.A)
    if (this.entry1 >= 0) this.setBits(this.entry1, Entry.A)
    if (this.entry2 >= 0) this.setBits(this.entry2, Entry.A)
    if (write) {
      this.setBits(this.leafEntry, Entry.A | Entry.D)
      this.dirty = true
    } else this.setBits(this.leafEntry, Entry.A)
  }

  private setBits(physical: number, bits: number): void {
    const { i32 } = this.state
    const at = (RAM_BASE + physical) >>> 2
    if ((i32[at] & bits) === bits) return
    if (this.memory.codePages[physical >>> 12] !== 0) this.memory.onCodeWrite(physical, 4)
    i32[at] |= bits
  }

  /** Walks the tables of the current paging mode. False when there is no translation; then `walkError` says why. */
  private walk(lo: number, hi: number): boolean {
    const { i32 } = this.state
    this.entry0 = this.entry1 = this.entry2 = this.leafEntry = -1
    if ((i32[CR0] & Cr0.PG) === 0) {
      this.pageLo = lo & ~0xfff
      this.pageHi = 0
      this.pageSpan = Span.SMALL
      this.writable = this.user = this.executable = this.dirty = this.global = true
      return true
    }
    this.walkError = 0
    if ((i32[CR4] & Cr4.PAE) === 0) return this.walk32(lo)
    return (i32[EFER] & Efer.LMA) !== 0 ? this.walk4Level(lo, hi) : this.walkPae(lo)
  }

  /** Four levels of 8-byte entries, SDM vol. 3, 4.5. */
  private walk4Level(lo: number, hi: number): boolean {
    const { i32 } = this.state
    const reserved = this.noExecute() ? RESERVED_HI : RESERVED_HI | NX_HI
    if ((i32[CR3 + 1] & ADDRESS_HI) !== 0) return false
    let at = ((i32[CR3] & ~0xfff) | (((hi >>> 7) & 0x1ff) << 3)) >>> 0
    let entryLo = this.read32(at)
    let entryHi = this.read32(at + 4)
    if ((entryLo & Entry.P) === 0) return false
    if ((entryHi & reserved) !== 0 || (entryLo & Entry.PS) !== 0) return this.reservedBit()
    this.entry0 = at
    let rightsAnd = entryLo
    let rightsOr = entryHi
    if ((entryHi & ADDRESS_HI) !== 0) return false

    at = ((entryLo & ~0xfff) | ((((hi & 0x7f) << 2) | (lo >>> 30)) << 3)) >>> 0
    entryLo = this.read32(at)
    entryHi = this.read32(at + 4)
    if ((entryLo & Entry.P) === 0) return false
    if ((entryHi & reserved) !== 0) return this.reservedBit()
    rightsAnd &= entryLo
    rightsOr |= entryHi
    if ((entryLo & Entry.PS) !== 0) {
      if ((entryLo & 0x3fffe000) !== 0) return this.reservedBit()
      return this.leaf(at, entryLo, (entryLo & 0xc0000000) | (lo & 0x3ffff000), entryHi, rightsAnd, rightsOr, Span.HUGE)
    }
    this.entry1 = at
    if ((entryHi & ADDRESS_HI) !== 0) return false
    return this.walkDirectory(((entryLo & ~0xfff) | (((lo >>> 21) & 0x1ff) << 3)) >>> 0, lo, rightsAnd, rightsOr, reserved)
  }

  /** Three levels, the first of four entries, SDM vol. 3, 4.4. Its entries are read afresh in every walk, as AMD's processors do. */
  private walkPae(lo: number): boolean {
    const at = ((this.state.i32[CR3] & ~0x1f) | ((lo >>> 30) << 3)) >>> 0
    const entryLo = this.read32(at)
    const entryHi = this.read32(at + 4)
    if ((entryLo & Entry.P) === 0) return false
    if ((entryHi & (RESERVED_HI | 0xfff00000)) !== 0 || (entryLo & 0x1e6) !== 0) return this.reservedBit()
    if ((entryHi & ADDRESS_HI) !== 0) return false
    const reserved = this.noExecute() ? RESERVED_HI | 0x7ff00000 : RESERVED_HI | 0xfff00000
    return this.walkDirectory(((entryLo & ~0xfff) | (((lo >>> 21) & 0x1ff) << 3)) >>> 0, lo, Entry.RW | Entry.US, 0, reserved)
  }

  /** The page directory and page table that PAE and 4-level paging share. */
  private walkDirectory(directoryEntry: number, lo: number, rightsAnd: number, rightsOr: number, reserved: number): boolean {
    let entryLo = this.read32(directoryEntry)
    let entryHi = this.read32(directoryEntry + 4)
    if ((entryLo & Entry.P) === 0) return false
    if ((entryHi & reserved) !== 0) return this.reservedBit()
    rightsAnd &= entryLo
    rightsOr |= entryHi
    if ((entryLo & Entry.PS) !== 0) {
      if ((entryLo & 0x1fe000) !== 0) return this.reservedBit()
      return this.leaf(directoryEntry, entryLo, (entryLo & 0xffe00000) | (lo & 0x1ff000), entryHi, rightsAnd, rightsOr, Span.LARGE)
    }
    this.entry2 = directoryEntry
    if ((entryHi & ADDRESS_HI) !== 0) return false
    const at = ((entryLo & ~0xfff) | (((lo >>> 12) & 0x1ff) << 3)) >>> 0
    entryLo = this.read32(at)
    entryHi = this.read32(at + 4)
    if ((entryLo & Entry.P) === 0) return false
    if ((entryHi & reserved) !== 0) return this.reservedBit()
    return this.leaf(at, entryLo, entryLo & ~0xfff, entryHi, rightsAnd & entryLo, rightsOr | entryHi, Span.SMALL)
  }

  /** Two levels of 4-byte entries, SDM vol. 3, 4.3; 4 MiB pages may lie above 4 GiB (PSE-36). */
  private walk32(lo: number): boolean {
    const { i32 } = this.state
    let at = ((i32[CR3] & ~0xfff) | ((lo >>> 22) << 2)) >>> 0
    let entry = this.read32(at)
    if ((entry & Entry.P) === 0) return false
    if ((entry & Entry.PS) !== 0 && (i32[CR4] & Cr4.PSE) !== 0) {
      if ((entry & 0x200000) !== 0) return this.reservedBit()
      // A 4 MiB page is invalidated as two 2 MiB halves would be: Span.HUGE forgets more than asked, which is legal.
      return this.leaf(at, entry, (entry & 0xffc00000) | (lo & 0x3ff000), (entry >>> 13) & 0xff, entry, 0, Span.HUGE)
    }
    const rights = entry
    this.entry2 = at
    at = ((entry & ~0xfff) | (((lo >>> 12) & 0x3ff) << 2)) >>> 0
    entry = this.read32(at)
    if ((entry & Entry.P) === 0) return false
    return this.leaf(at, entry, entry & ~0xfff, 0, rights & entry, 0, Span.SMALL)
  }

  private leaf(at: number, entryLo: number, pageLo: number, entryHi: number, rightsAnd: number, rightsOr: number, span: number): boolean {
    this.leafEntry = at
    this.pageLo = pageLo
    this.pageHi = entryHi & ADDRESS_HI
    this.pageSpan = span
    this.writable = (rightsAnd & Entry.RW) !== 0
    this.user = (rightsAnd & Entry.US) !== 0
    this.executable = (rightsOr & NX_HI) === 0
    this.dirty = (entryLo & Entry.D) !== 0
    this.global = (entryLo & Entry.G) !== 0 && (this.state.i32[CR4] & Cr4.PGE) !== 0
    return true
  }

  private reservedBit(): boolean {
    this.walkError = PageFault.P | PageFault.RSVD
    return false
  }
}

/**
 * Low half of an empty slot's tag. Its page number indexes another slot, so no address whatever, canonical or not, hits an
 * empty slot: those that lead to the slot differ from the tag in bit 12.
 */
function invalidTagLo(slot: number): number {
  return ((slot & INDEX_MASK) ^ 1) << 12
}
