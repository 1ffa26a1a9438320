import type { PhysicalMemory } from '../memory.ts'
import { PAGE_BYTES } from '../memory.ts'
import { CodeCache, FETCH_BYTES } from './code-cache.ts'
import type { Block } from './code-cache.ts'
import type { CpuCore, CpuHost } from './core.ts'
import { CcKind, ccOp } from './flags.ts'
import { FetchPlaces } from './fetch-places.ts'
import { FloatUnit } from './float/unit.ts'
import { FLOAT_EVALUATORS } from './instructions/sse/operation.ts'
import { INSTRUCTION_BYTES_MAX, decode } from './decode.ts'
import { Status } from './fpu/registers.ts'
import { interpreterBytes } from './interpreter/bytes.ts'
import { JumpField, MEMORY_PAGES_MIN, NO_GENERATION } from './interpreter/interface.ts'
import type { InterpreterImports } from './interpreter/interface.ts'
import { AccessMode } from './record.ts'
import { Regions } from './regions.ts'
import {
  ARITHMETIC_FLAGS, Access, Activity, JUMP_CACHE, JUMP_ENTRIES, JUMP_ENTRY_BYTES, RAM_BASE, Rflag, SEGMENT_BYTES, SegmentField,
  State, TRANSLATE_FAULT, TRANSLATE_MMIO, Vector,
} from './state.ts'
import { SystemOp } from './system-op.ts'
import { FAULT } from './system/faults.ts'
import { As } from './system/linear.ts'
import { System } from './system/system.ts'

export type Tier = 'auto' | 'interpreter' | 'translator'

/** Executions of a block before it is translated: a region costs milliseconds, most of them once V8 optimises it. */
const HOT_AFTER = 8000

const word = (offset: number): number => offset >> 2

/** Where the jump cache has an address, as tier 0 works it out too. */
const jumpEntry = (ripLo: number, ripHi: number): number =>
  JUMP_CACHE + ((ripLo ^ ((ripLo >>> 12) | (ripHi << 20))) & (JUMP_ENTRIES - 1)) * JUMP_ENTRY_BYTES

const CRC32C_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

let interpreterModule: WebAssembly.Module | undefined
/** Tier 0 is the same for every machine: compiled once. */
function interpreter(): WebAssembly.Module {
  interpreterModule ??= new WebAssembly.Module(interpreterBytes())
  return interpreterModule
}

/** The processor: tier 0 and tier 1 over one state, with the system side in TypeScript. */
export class Cpu implements CpuCore {
  readonly system: System
  readonly regions: Regions
  private readonly memory: PhysicalMemory
  private readonly host: CpuHost
  private readonly i32: Int32Array
  private readonly u64: BigUint64Array
  private readonly view: DataView
  private readonly cache: CodeCache
  private readonly fetchPlaces: FetchPlaces
  private readonly floats: FloatUnit
  private readonly runTier0: (skipRegion: number) => void
  private readonly readFlags: () => number
  private readonly reported = new Set<string>()
  private budget = 0
  private reserved = 0

  /**
   * @param options.tier see MachineOptions.tier
   * @param options.hotAfter executions of a block before tier 'auto' translates it
   * @param options.counts false: regions do not count what they execute (region/translate.ts); for benchmarks
   */
  constructor(memory: PhysicalMemory, host: CpuHost, options: { tier?: Tier; hotAfter?: number; counts?: boolean } = {}) {
    const tier = options.tier ?? 'auto'
    this.memory = memory
    this.host = host
    this.i32 = new Int32Array(memory.wasm.buffer)
    this.u64 = new BigUint64Array(memory.wasm.buffer)
    this.view = new DataView(memory.wasm.buffer)
    this.fetchPlaces = new FetchPlaces(this.i32)
    this.cache = new CodeCache(memory, tier === 'auto' ? (options.hotAfter ?? HOT_AFTER) : 0)
    this.system = new System(memory, host, { read: () => this.readFlags(), write: (bits) => this.writeArithmeticFlags(bits) })
    this.i32.set(CRC32C_TABLE, word(State.CRC_TABLE))
    this.floats = new FloatUnit(this.system.state)
    const imports: InterpreterImports = {
      slow: (mode, size) => this.slow(mode, size),
      commit: () => this.commit(),
      system: (op) => {
        if (op === SystemOp.UD) this.reportUndefined()
        return this.system.execute(op as SystemOp)
      },
      deliver: () => {
        this.preferMathFault()
        this.system.deliver()
      },
      resolve: () => this.resolve(),
      hot: (record) => this.hot(record),
      float: (index) => this.floats.execute(FLOAT_EVALUATORS[index]),
      divide: (isSigned) => this.divide(isSigned !== 0),
    }
    const instance = new WebAssembly.Instance(interpreter(), { e: { memory: memory.wasm, ...imports } })
    const exports = instance.exports as unknown as { run: (skipRegion: number) => void; flags: () => number; regions: WebAssembly.Table }
    this.runTier0 = exports.run
    this.readFlags = exports.flags
    this.regions = new Regions({
      memory,
      cache: this.cache,
      table: exports.regions,
      mmu: this.system.mmu,
      state: this.system.state,
      eager: tier === 'translator',
      enabled: tier !== 'interpreter',
      forgetJump: (address) => this.forgetJump(address | 0, Math.floor(address / 0x100000000)),
      forgetJumps: () => this.forgetJumps(),
      memoryPages: MEMORY_PAGES_MIN,
      counts: options.counts ?? true,
    })
    this.cache.onCodePage = (page) => this.system.mmu.dropWriteTags(page)
    this.cache.onFlush = () => this.regions.flush()
    memory.onCodeWrite = (address, length) => {
      const records = this.cache.invalidate(address, length)
      if (records.length > 0) this.forgetJumpsTo(records, this.regions.invalidate(address, length))
    }
  }

  reset(): void {
    this.system.reset()
    this.cache.flush()
  }

  private forgetJumps(): void {
    this.system.state.bumpGeneration()
  }

  private forgetJump(ripLo: number, ripHi: number): void {
    this.i32[word(jumpEntry(ripLo, ripHi) + JumpField.GENERATION)] = NO_GENERATION
  }

  /**
   * Forgets who leads to records or regions that are gone. A kernel that patches itself writes code thousands of times while it boots, and
   * each time all others would have to be looked for again.
   */
  private forgetJumpsTo(records: readonly number[], slots: readonly number[]): void {
    const { i32 } = this
    const [least, most] = [Math.min(...records), Math.max(...records)]
    for (let entry = JUMP_CACHE; entry < JUMP_CACHE + JUMP_ENTRIES * JUMP_ENTRY_BYTES; entry += JUMP_ENTRY_BYTES) {
      const record = i32[word(entry + JumpField.RECORD)]
      const slot = i32[word(entry + JumpField.REGION)]
      const isGone = (record >= least && record <= most && records.includes(record)) || (slot !== 0 && slots.includes(slot))
      if (isGone) i32[word(entry + JumpField.GENERATION)] = NO_GENERATION
    }
  }

  // ---- running

  run(instructions: number): number {
    const { i32 } = this
    i32[word(State.STOP)] = 0
    this.budget = instructions
    this.reserved = 0
    i32[word(State.REMAINING)] = instructions
    if (this.shutdown) return 0
    if (i32[word(State.SHADOW)] === 0 && this.nmiDeliverable) {
      i32[word(State.ACTIVITY)] = (i32[word(State.ACTIVITY)] & ~Activity.NMI_PENDING) | Activity.IN_NMI
      this.system.interrupt(Vector.NMI)
      i32[word(State.STOP)] = 0
    } else if (i32[word(State.SHADOW)] === 0 && this.canInterrupt()) {
      this.system.interrupt(this.host.acknowledgeInterrupt())
      i32[word(State.STOP)] = 0
    }
    if (this.halted || this.shutdown) return 0
    // Through a trap gate the next interrupt may come at once; one instruction runs first, so that none is a way to hang.
    if (i32[word(State.SHADOW)] !== 0 || this.canInterrupt()) {
      this.step()
      if (i32[word(State.STOP)] === 0) i32[word(State.STOP)] = 1
      return this.executedInRun()
    }
    if ((i32[word(State.SYSFLAGS)] & Rflag.TF) !== 0) this.traced()
    else this.runTier0(0)
    return this.executedInRun()
  }

  /** Raises a non-maskable interrupt, which is delivered when `run` is called next. */
  raiseNmi(): void {
    this.i32[word(State.ACTIVITY)] |= Activity.NMI_PENDING
    this.requestStop()
  }

  /** Whether a non-maskable interrupt waits that no other holds back. */
  get nmiDeliverable(): boolean {
    return (this.i32[word(State.ACTIVITY)] & (Activity.NMI_PENDING | Activity.IN_NMI)) === Activity.NMI_PENDING
  }

  private canInterrupt(): boolean {
    return (this.i32[word(State.SYSFLAGS)] & Rflag.IF) !== 0 && this.host.interruptPending()
  }

  /** Runs one instruction in tier 0, after which an interrupt shadow is over. */
  private step(): void {
    const { i32 } = this
    const shadow = i32[word(State.SHADOW)]
    this.reserved = this.budget - 1
    i32[word(State.REMAINING)] = 1
    this.runTier0(1)
    if (shadow !== 0) i32[word(State.SHADOW)] = 0
  }

  /** With RFLAGS.TF each instruction ends in #DB (SDM vol. 3, 17.3.1.4). */
  private traced(): void {
    const { i32 } = this
    this.step()
    if ((i32[word(State.SYSFLAGS)] & Rflag.TF) === 0 || this.shutdown) return
    i32[word(State.DR) + 12] |= 0x4000
    this.system.exceptions.raise(Vector.DB)
    this.system.deliver()
    i32[word(State.STOP)] = 1
  }

  executedInRun(): number {
    return this.budget - this.reserved - this.i32[word(State.REMAINING)]
  }

  get halted(): boolean {
    return (this.i32[word(State.ACTIVITY)] & Activity.HALTED) !== 0
  }
  get shutdown(): boolean {
    return (this.i32[word(State.ACTIVITY)] & Activity.SHUTDOWN) !== 0
  }
  /** Why the processor shut down. */
  get shutdownReason(): string {
    return this.system.exceptions.shutdownReason
  }
  requestStop(): void {
    this.i32[word(State.STOP)] = 1
  }

  // ---- tier 0's slow paths

  private slow(access: number, size: number): number {
    const { linear } = this.system
    const mode = access & 3
    const as = As.PROGRAM | ((access & AccessMode.STACK) !== 0 ? As.STACK : 0)
    const lo = this.i32[word(State.SLOW_VA)]
    const hi = this.i32[word(State.SLOW_VA) + 1]
    try {
      if (mode === AccessMode.READ) return linear.reading(lo, hi, size, as)
      const window = linear.writing(lo, hi, size, as)
      if (mode === AccessMode.MODIFY && window === State.BOUNCE) {
        const from = linear.reading(lo, hi, size, as)
        if (from !== State.BOUNCE) this.system.state.u8.copyWithin(State.BOUNCE, from, from + size)
      }
      return window
    } catch (error) {
      if (error !== FAULT) throw error
      return 0
    }
  }

  /** A device that was written may have changed what comes next; then this instruction is the last one of the run. */
  private commit(): void {
    const { i32 } = this
    this.system.linear.commit()
    if (i32[word(State.STOP)] === 0) return
    this.reserved += i32[word(State.REMAINING)]
    i32[word(State.REMAINING)] = 0
  }

  private resolve(): number {
    const { i32 } = this
    const ripLo = i32[word(State.RIP)]
    const ripHi = i32[word(State.RIP) + 1]
    const host = this.fetchPlaces.find(ripLo, ripHi) ?? this.translateFetch(ripLo, ripHi)
    if (host === TRANSLATE_FAULT) return this.fetchFault()
    const mode = i32[word(State.MODE)]
    // Nothing is decoded from a device: the bus reads as undefined code.
    if (host === TRANSLATE_MMIO) return this.cache.scratch(new Uint8Array(FETCH_BYTES).fill(0xff), mode)
    const physical = (host >>> 0) - RAM_BASE
    const block = this.cache.block(physical, mode)
    return block ? this.enter(block, ripLo, ripHi) : this.resolveCrossing(physical, ripLo, ripHi, mode)
  }

  /** As Mmu.translate, for the bytes of an instruction. */
  private translateFetch(lo: number, hi: number): number {
    this.i32[word(State.SLOW_VA)] = lo
    this.i32[word(State.SLOW_VA) + 1] = hi
    const host = this.system.translate(Access.EXECUTE)
    if (host !== TRANSLATE_FAULT && host !== TRANSLATE_MMIO) this.fetchPlaces.note(lo, hi, host)
    return host
  }

  /** Notes in the jump cache what is at an address. */
  private enter(block: Block, ripLo: number, ripHi: number): number {
    const { i32 } = this
    const entry = jumpEntry(ripLo, ripHi)
    i32[word(entry + JumpField.ADDRESS)] = ripLo
    i32[word(entry + JumpField.ADDRESS) + 1] = ripHi
    i32[word(entry + JumpField.GENERATION)] = i32[word(State.JUMP_GENERATION)]
    i32[word(entry + JumpField.RECORD)] = block.record
    const region = this.regions.find(block, ripHi * 0x100000000 + (ripLo >>> 0))
    i32[word(entry + JumpField.REGION)] = region ? region.slot : 0
    if (!region) return block.record
    // Tier 0 looks again and decides by the entry just made.
    i32[word(entry + JumpField.ENTRY)] = region.index
    i32[word(entry + JumpField.NEEDS_FLAGS)] = region.needsFlags ? 1 : 0
    return 0
  }

  /** A fetch that faults counts as an instruction: a handler that is itself not mapped must not hold the machine up for ever. */
  private fetchFault(): number {
    this.i32[word(State.REMAINING)]--
    this.system.deliver()
    return 0
  }

  /** The instruction at the end of a page: its bytes come from two pages. */
  private resolveCrossing(physical: number, ripLo: number, ripHi: number, mode: number): number {
    const first = PAGE_BYTES - (physical & (PAGE_BYTES - 1))
    const nextLo = (ripLo + first) | 0
    const nextHi = nextLo >>> 0 < ripLo >>> 0 ? ripHi + 1 : ripHi
    const host = this.fetchPlaces.find(nextLo, nextHi) ?? this.translateFetch(nextLo, nextHi)
    if (host === TRANSLATE_FAULT) return this.fetchFault()
    if (host !== TRANSLATE_MMIO) return this.enter(this.cache.crossing(physical, (host >>> 0) - RAM_BASE, mode), ripLo, ripHi)
    const bytes = new Uint8Array(FETCH_BYTES)
    bytes.set(this.memory.ram.subarray(physical, physical + first))
    return this.cache.scratch(bytes, mode)
  }

  private hot(record: number): void {
    const block = this.cache.ofRecord(record)
    if (!block) return
    const { i32 } = this
    this.regions.translate(block, i32[word(State.RIP) + 1] * 0x100000000 + (i32[word(State.RIP)] >>> 0))
  }

  /** A pending x87 exception comes before what the memory operand of an MMX instruction, which tier 0 looks at first, faults on. */
  private preferMathFault(): void {
    const isPending = (this.system.fpu.registers.status & Status.ES) !== 0
    if (!isPending || this.system.state.i32[word(State.FAULT_VECTOR)] < Vector.SS) return
    const bytes = Uint8Array.from(this.bytesAtRip(INSTRUCTION_BYTES_MAX))
    const instruction = decode(bytes, 0, bytes.length, this.i32[word(State.MODE)])
    if (typeof instruction !== 'string' && instruction.definition.mmx === true) this.system.exceptions.raise(Vector.MF)
  }

  private bytesAtRip(count: number): number[] {
    const bytes: number[] = []
    for (let address = this.rip; bytes.length < count; address++) {
      const physical = this.probe(address, Access.EXECUTE, this.cpl === 3)
      if (physical === null || physical >= this.memory.bytes) break
      bytes.push(this.memory.readU8(physical))
    }
    return bytes
  }

  /** Names, once a kind, the bytes at RIP that raise #UD because nobody has implemented them; UD2 means what it says. */
  private reportUndefined(): void {
    const text = this.bytesAtRip(8).map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    if (text.startsWith('0f 0b') || this.reported.has(text)) return
    this.reported.add(text)
    this.host.warn(`instruction ${text} at 0x${this.rip.toString(16)} is not implemented: #UD`)
  }

  /** 128-bit by 64-bit division, the case that 64-bit arithmetic cannot do. */
  private divide(isSigned: boolean): number {
    const { u64 } = this
    const at = (offset: number): bigint => u64[offset >> 3]
    const signed = (value: bigint): bigint => (isSigned ? BigInt.asIntN(64, value) : value)
    const dividend = (signed(at(State.SLOW_VA)) << 64n) | at(State.SLOW_VALUE)
    const divisor = signed(at(State.SLOW_PA))
    const quotient = dividend / divisor
    if (isSigned ? BigInt.asIntN(64, quotient) !== quotient : quotient >> 64n !== 0n) return 1
    u64[State.SLOW_VA >> 3] = quotient
    u64[State.SLOW_VALUE >> 3] = dividend % divisor
    return 0
  }

  private writeArithmeticFlags(bits: number): void {
    this.i32[word(State.CC_OP)] = ccOp(CcKind.EXPLICIT, 1)
    this.u64[State.CC_R >> 3] = BigInt(bits & ARITHMETIC_FLAGS)
  }

  // ---- registers, for kernels and inspectors

  getGpr(index: number): bigint {
    return this.u64[(State.GPR >> 3) + index]
  }
  setGpr(index: number, value: bigint): void {
    this.u64[(State.GPR >> 3) + index] = value
  }
  get rip(): bigint {
    return this.u64[State.RIP >> 3]
  }
  set rip(value: bigint) {
    this.u64[State.RIP >> 3] = value
  }
  getRflags(): number {
    return this.system.readRflags()
  }
  setRflags(value: number): void {
    this.system.writeRflags(value)
  }
  get cpl(): number {
    return this.i32[word(State.CPL)]
  }
  get cr0(): number {
    return this.view.getUint32(State.CR0, true)
  }
  get cr2(): bigint {
    return this.u64[State.CR2 >> 3]
  }
  get cr3(): number {
    return Number(this.u64[State.CR3 >> 3])
  }
  get cr4(): number {
    return this.view.getUint32(State.CR4, true)
  }
  get efer(): number {
    return this.view.getUint32(State.EFER, true)
  }
  /** As MOV CR2: a kernel that has handled a page fault may leave another address there. */
  set cr2(value: bigint) {
    this.u64[State.CR2 >> 3] = value
  }
  /** The task priority, as a write to the local APIC sets it. */
  setCr8(value: number): void {
    this.i32[word(State.CR8)] = value
  }
  /** As MOV CR3 with a page table at a physical address: forgets the translations. */
  setCr3(physical: number): void {
    this.u64[State.CR3 >> 3] = BigInt(physical)
    this.invalidateTlb()
  }
  invalidateTlb(): void {
    this.system.mmu.invalidateAll()
  }
  /** As INVLPG. */
  invalidatePage(address: bigint): void {
    this.system.mmu.invalidatePage(Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n)))
  }
  /** Physical address behind a linear one, or null; changes nothing (no accessed bits, no faults). `access` as state.ts has it. */
  probe(address: bigint, access: number, user = false): number | null {
    const physical = this.system.mmu.probe(Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n)), access, user)
    return physical < 0 ? null : physical
  }
  /** The hidden segment register at a SegmentIndex. */
  segment(index: number): { selector: number; attributes: number; base: bigint; limit: number } {
    const at = State.SEGMENTS + index * SEGMENT_BYTES
    return {
      selector: this.view.getUint32(at + SegmentField.SELECTOR, true),
      attributes: this.view.getUint32(at + SegmentField.ATTRIBUTES, true),
      base: this.view.getBigUint64(at + SegmentField.BASE, true),
      limit: this.view.getUint32(at + SegmentField.LIMIT, true),
    }
  }
  /** XMM register `index`, 16 bytes that stay in place. */
  xmm(index: number): Uint8Array {
    return this.system.state.u8.subarray(State.XMM + index * 16, State.XMM + index * 16 + 16)
  }
}
