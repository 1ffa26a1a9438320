import type { PhysicalMemory } from '../memory.ts'
import { PAGE_BYTES } from '../memory.ts'
import { ModuleWriter } from '../wasm/code.ts'
import { Type } from '../wasm/opcodes.ts'
import type { Block, CodeCache } from './code-cache.ts'
import { codeKey } from './code-cache.ts'
import { INSTRUCTION_BYTES_MAX } from './decode.ts'
import type { Instruction } from './decode.ts'
import type { FloatClass } from './float/unit.ts'
import { REGION_SLOTS } from './interpreter/interface.ts'
import { findBlocks } from './region/blocks.ts'
import type { BasicBlock } from './region/blocks.ts'
import { REGION_SPAN_MAX, Translator, usesFloats } from './region/translate.ts'
import type { EntryTable, TranslatedRegion } from './region/translate.ts'
import { VectorConstants } from './region/vector-constants.ts'
import { Access, ENTRY_TABLES, ENTRY_TABLES_END, ModeBit, State } from './state.ts'
import type { Mmu } from './system/mmu.ts'
import type { CpuState } from './system/views.ts'

/** A way into a translated region. */
export interface RegionEntry {
  /** Where its function is in the dispatcher's table. */
  slot: number
  /** The function's argument. */
  index: number
  /** Tier 0 makes the flags explicit first. */
  needsFlags: boolean
}

interface Region {
  slot: number
  /** The code it was made of: linear page → physical page. */
  pages: ReadonlyMap<number, number>
  /** Physical byte ranges, [from, to). */
  ranges: readonly (readonly [number, number])[]
  /** Linear address behind its last byte. */
  end: number
  keys: number[]
}
interface Candidate extends RegionEntry {
  region: Region
  address: number
  /** The only one it serves; undefined: any. */
  floatClass: FloatClass | undefined
}

export interface RegionsOptions {
  memory: PhysicalMemory
  cache: CodeCache
  table: WebAssembly.Table
  mmu: Mmu
  state: CpuState
  /** What regions ask of the machine: MachineFunction (region/region-emit.ts). */
  machine: { portIn(port: number, size: number): number; timeStamp(): void }
  /** False: nothing is ever translated. */
  enabled: boolean
  /** Translate before the first execution. */
  eager: boolean
  /** What the jump cache knows of a linear address is no longer so. */
  forgetJump: (address: number) => void
  /** Nor of any. */
  forgetJumps: () => void
  /** Linear pages, by number, whose code runs one instruction at a time. */
  holdsBreakpoint: (page: number) => boolean
  /** Minimum of the memory that generated modules import. */
  memoryPages: number
  /** See TranslatorOptions. */
  counts: boolean
}

const FLOAT_CLASSES = 3
/** Pages of the address space outside 64-bit mode. */
const LEGACY_PAGES = 2 ** 20

/** What a new region was made of and for. */
type Made = Pick<Region, 'pages' | 'ranges' | 'end'> & { mode: number; floatClass: FloatClass | undefined }

/** Linear address behind the last byte of a block. */
const endOf = ({ address, instructions }: { address: number; instructions: readonly Instruction[] }): number =>
  instructions.reduce((sum, { length }) => sum + length, address)

/** Tier 1's regions: makes them, finds the one for an address, and drops those whose code changed. */
export class Regions {
  private readonly options: RegionsOptions
  private readonly constants: VectorConstants
  private readonly byEntry = new Map<number, Candidate[]>()
  private readonly regions = new Set<Region>()
  private readonly free: number[] = []
  private nextSlot = 1
  private nextTable = ENTRY_TABLES
  /** Entry addresses (by code key and FloatClass) that gave no region, so that they are not tried again. */
  private readonly hopeless = new Set<number>()

  /** What was translated so far: guest instructions and bytes (once for each region they are in), and bytes of Wasm. */
  readonly totals = { regions: 0, instructions: 0, guestBytes: 0, wasmBytes: 0 }

  constructor(options: RegionsOptions) {
    this.options = options
    this.constants = new VectorConstants(new Uint8Array(options.memory.wasm.buffer))
  }

  /** The region that can be entered at `rip`, where `block` is mapped now. */
  find(block: Block, rip: number): RegionEntry | undefined {
    const { enabled, eager } = this.options
    // With a base, RIP is not the linear address.
    if (!enabled || this.options.state.codeBaseLo !== 0) return undefined
    const found = this.lookUp(block, rip)
    // What was hot under another FloatClass is so under this one.
    if (found || !(eager || this.lookUp(block, rip, true))) return found
    return this.translate(block, rip) ? this.lookUp(block, rip) : undefined
  }

  private floatClass(): FloatClass {
    return this.options.state.i32[State.FLOAT_CLASS >> 2] as FloatClass
  }

  private lookUp(block: Block, rip: number, anyClass = false): RegionEntry | undefined {
    const candidates = this.byEntry.get(codeKey(block.physical, block.mode))
    if (candidates === undefined) return undefined
    const floatClass = this.floatClass()
    return candidates.find(
      (candidate) =>
        candidate.address === rip &&
        (anyClass || candidate.floatClass === undefined || candidate.floatClass === floatClass) &&
        this.isWithinCode(candidate.region, block.mode) &&
        this.isMapped(candidate.region, block.mode),
    )
  }

  /** Where the code segment has a limit: whether a region lies below it. */
  private isWithinCode({ end }: Region, mode: number): boolean {
    return (mode & ModeBit.LIMITED) === 0 || end <= Number(this.options.state.u64[State.CODE_END >> 3])
  }

  /** Whether all of a region's code is where it was when the region was made. */
  private isMapped(region: Region, mode: number): boolean {
    for (const [page, physical] of region.pages)
      if (this.physicalPage(page, mode) !== physical || this.options.holdsBreakpoint(page)) return false
    return true
  }

  private physicalPage(page: number, mode: number): number {
    const address = page * PAGE_BYTES
    const physical = this.options.mmu.probe(address | 0, Math.floor(address / 0x100000000), Access.EXECUTE, (mode & ModeBit.USER) !== 0)
    return physical < 0 || physical >= this.options.memory.bytes ? -1 : Math.floor(physical / PAGE_BYTES)
  }

  /** Translates the code around a block. Returns whether there is a new region. */
  translate(hot: Block, rip: number): boolean {
    const { counts, memoryPages, memory, machine } = this.options
    const { mode } = hot
    const floatClass = this.floatClass()
    const key = codeKey(hot.physical, mode) * FLOAT_CLASSES + floatClass
    if (this.hopeless.has(key) || this.options.state.codeBaseLo !== 0) return false
    const pages = new Map<number, number>()
    const lookup = (address: number): readonly Instruction[] | undefined => this.lookUpCode(address, mode, pages)
    const blocks = findBlocks(rip, lookup, (from, to) => this.seen(from, to, mode), floatClass)
    if (blocks.length === 0 || blocks[0].instructions.length === 0) {
      this.hopeless.add(key)
      return false
    }
    const table = this.entryTable(blocks)
    const registers = this.options.state.u64.subarray(State.GPR >> 3, (State.GPR >> 3) + 16)
    const translator = new Translator(blocks, { mode, floatClass, table, constants: this.constants, registers, counts })
    const translated = translator.translate()
    const writer = new ModuleWriter()
    if (translated.asksMachine) {
      writer.importFunction('portIn', [Type.i32, Type.i32], [Type.i32])
      writer.importFunction('timeStamp', [], [])
    }
    const region = writer.declare([Type.i32], [Type.i32])
    writer.define(region, translated.locals, translated.body)
    writer.exportFunction('r', region)
    const bytes = writer.finish(memoryPages)
    this.count(blocks, bytes.length)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { memory: memory.wasm, ...machine } })
    this.fillTable(table, translated)
    const ranges = blocks.flatMap((block) => this.physicalRanges(block, pages))
    const end = Math.max(...blocks.map((block) => endOf(block)))
    const only = usesFloats(blocks) ? floatClass : undefined
    this.install(instance.exports.r, translated, { pages, ranges, end, mode, floatClass: only })
    return true
  }

  private count(blocks: readonly BasicBlock[], wasmBytes: number): void {
    const { totals } = this
    totals.regions++
    totals.wasmBytes += wasmBytes
    for (const { instructions } of blocks) {
      totals.instructions += instructions.length
      for (const { length } of instructions) totals.guestBytes += length
    }
  }

  /** What tier 0 has decoded at an address (or could, when translating eagerly); notes in `pages` where it is mapped. */
  private lookUpCode(address: number, mode: number, pages: Map<number, number>): readonly Instruction[] | undefined {
    const { cache, eager } = this.options
    const page = Math.floor(address / PAGE_BYTES)
    const physicalPage = pages.get(page) ?? this.physicalPage(page, mode)
    if (physicalPage < 0 || this.options.holdsBreakpoint(page)) return undefined
    const physical = physicalPage * PAGE_BYTES + (address - page * PAGE_BYTES)
    const block = eager ? cache.block(physical, mode) : cache.known(physical, mode)
    if (block) {
      pages.set(page, physicalPage)
      return cache.instructionsOf(block)
    }
    const isLast = (mode & ModeBit.LONG) === 0 && page === LEGACY_PAGES - 1
    if (physical % PAGE_BYTES <= PAGE_BYTES - INSTRUCTION_BYTES_MAX || isLast) return undefined
    const rest = pages.get(page + 1) ?? this.physicalPage(page + 1, mode)
    if (rest < 0) return undefined
    const crossing = eager ? cache.crossing(physical, rest * PAGE_BYTES, mode) : cache.knownCrossing(physical, rest * PAGE_BYTES, mode)
    if (crossing) pages.set(page, physicalPage).set(page + 1, rest)
    return crossing && cache.instructionsOf(crossing)
  }

  /** Where blocks begin that tier 0 has run. */
  private seen(from: number, to: number, mode: number): number[] {
    const addresses: number[] = []
    const first = (mode & ModeBit.LONG) !== 0 ? from : Math.max(0, from)
    for (let page = Math.floor(first / PAGE_BYTES); page * PAGE_BYTES < to; page++) {
      const physicalPage = this.physicalPage(page, mode)
      if (physicalPage < 0) continue
      for (const physical of this.options.cache.blocksOfPage(physicalPage, mode)) {
        const address = page * PAGE_BYTES + (physical % PAGE_BYTES)
        if (address >= first && address < to) addresses.push(address)
      }
    }
    return addresses.sort((a, b) => a - b)
  }

  /** Physical bytes of a block, page by page. */
  private physicalRanges(
    block: { address: number; instructions: readonly Instruction[] },
    pages: ReadonlyMap<number, number>,
  ): [number, number][] {
    const ranges: [number, number][] = []
    const end = endOf(block)
    for (let at = block.address; at < end;) {
      const page = Math.floor(at / PAGE_BYTES)
      const stop = Math.min(end, (page + 1) * PAGE_BYTES)
      const physical = pages.get(page)
      if (physical !== undefined)
        ranges.push([physical * PAGE_BYTES + at - page * PAGE_BYTES, physical * PAGE_BYTES + stop - page * PAGE_BYTES])
      at = stop
    }
    return ranges
  }

  private install(
    code: WebAssembly.ExportValue,
    translated: TranslatedRegion,
    { pages, ranges, end, mode, floatClass }: Made,
  ): void {
    const slot = this.free.pop() ?? this.nextSlot++
    if (slot >= REGION_SLOTS) {
      this.flush()
      this.install(code, translated, { pages, ranges, end, mode, floatClass })
      return
    }
    this.options.table.set(slot, code)
    const region: Region = { slot, pages, ranges, end, keys: [] }
    this.regions.add(region)
    for (const entry of translated.entries) {
      const page = Math.floor(entry.address / PAGE_BYTES)
      const physicalPage = pages.get(page)
      if (physicalPage === undefined) continue
      const key = codeKey(physicalPage * PAGE_BYTES + entry.address - page * PAGE_BYTES, mode)
      const candidates = this.byEntry.get(key) ?? []
      this.byEntry.set(key, candidates)
      // The newest has seen most.
      candidates.unshift({ slot, index: entry.index, needsFlags: entry.needsFlags, region, address: entry.address, floatClass })
      region.keys.push(key)
      this.options.forgetJump(entry.address)
    }
  }

  private entryTable(
    blocks: readonly { address: number; instructions: readonly Instruction[]; terminator: { kind: string } }[],
  ): EntryTable | undefined {
    if (
      !blocks.some(
        ({ terminator }) => terminator.kind === 'return' || terminator.kind === 'call-indirect' || terminator.kind === 'jump-indirect',
      )
    )
      return undefined
    let from = Infinity
    let to = -Infinity
    for (const { address } of blocks) {
      from = Math.min(from, address)
      to = Math.max(to, address)
    }
    const bytes = to - from + 1
    if (bytes > REGION_SPAN_MAX) return undefined
    const size = bytes * 2 + (bytes % 2) * 2
    if (this.nextTable + size > ENTRY_TABLES_END) this.flush()
    const offset = this.nextTable
    this.nextTable += size
    return { offset, from, bytes }
  }

  private fillTable(table: EntryTable | undefined, translated: TranslatedRegion): void {
    if (!table) return
    const words = new Uint16Array(this.options.memory.wasm.buffer, table.offset, table.bytes)
    words.fill(0)
    for (const entry of translated.entries) {
      const at = entry.address - table.from
      if (at >= 0 && at < table.bytes) words[at] = entry.inTable
    }
  }

  /** Code that could not be translated may now be. */
  tryAgain(): void {
    this.hopeless.clear()
  }

  /** Drops the regions made of bytes in a physical range that is about to change. Returns their slots. */
  invalidate(address: number, length: number): number[] {
    this.hopeless.clear()
    const dropped: number[] = []
    for (const region of this.regions) {
      if (!region.ranges.some(([from, to]) => from < address + length && address < to)) continue
      this.regions.delete(region)
      for (const key of region.keys) {
        const rest = (this.byEntry.get(key) ?? []).filter((candidate) => candidate.region !== region)
        if (rest.length > 0) this.byEntry.set(key, rest)
        else this.byEntry.delete(key)
      }
      this.free.push(region.slot)
      dropped.push(region.slot)
    }
    return dropped
  }

  flush(): void {
    this.options.forgetJumps()
    this.regions.clear()
    this.byEntry.clear()
    this.hopeless.clear()
    this.free.length = 0
    this.nextSlot = 1
    this.nextTable = ENTRY_TABLES
  }
}

