import type { PhysicalMemory } from '../memory.ts'
import { PAGE_BYTES } from '../memory.ts'
import { CodeCache, FETCH_BYTES } from './code-cache.ts'
import type { Block } from './code-cache.ts'
import type { CpuCore, CpuHost } from './core.ts'
import { EXPLICIT_OP } from './flags.ts'
import { FetchPlaces } from './fetch-places.ts'
import { FloatUnit } from './float/unit.ts'
import { FLOAT_EVALUATORS } from './instructions/sse/operation.ts'
import { INSTRUCTION_BYTES_MAX, decode } from './decode.ts'
import { Status } from './fpu/registers.ts'
import { interpreterBytes } from './interpreter/bytes.ts'
import { JumpField, MEMORY_PAGES_MIN, NO_GENERATION } from './interpreter/interface.ts'
import type { InterpreterImports } from './interpreter/interface.ts'
import { AccessMode, RecordField } from './record.ts'
import { Regions } from './regions.ts'
import {
  ARITHMETIC_FLAGS, Access, Activity, JUMP_CACHE, JUMP_ENTRIES, JUMP_ENTRY_BYTES, ModeBit, RAM_BASE, Rflag, SEGMENT_BYTES, SegmentField,
  Shadow, State, TRANSLATE_FAULT, TRANSLATE_MMIO, Vector,
} from './state.ts'
import { SystemOp } from './system-op.ts'
import { Dr6, pageOf } from './system/debug.ts'
import { FAULT } from './system/faults.ts'
import { As } from './system/linear.ts'
import { checkSegment, segmentOfBase } from './system/limits.ts'
import { System } from './system/system.ts'

export type Tier = 'auto' | 'warm' | 'interpreter' | 'translator'

/** Executions of a block before it is translated: a region costs milliseconds, most of them once V8 optimises it. */
const HOT_AFTER = 4000
/** The same for tier 'warm', which is for comparing the tiers. */
const WARM_AFTER = 50

const word = (offset: number): number => offset >> 2

/** Blocks that go at once, a program's for example, take all of the jump cache with them. */
const FORGOTTEN_ONE_BY_ONE_MAX = 64

/** State.FAULT_VECTOR of no exception: the instruction, which has changed nothing, is to be run by `Cpu.step`. */
const BEGIN_ANEW = 0x100

/** Where the jump cache has an address, as tier 0 works it out too. */
const jumpEntry = (ripLo: number, ripHi: number): number =>
  JUMP_CACHE + ((ripLo ^ ((ripLo >>> 12) | (ripHi << 20))) & (JUMP_ENTRIES - 1)) * JUMP_ENTRY_BYTES

/** In the text of an instruction's bytes. */
const MISPLACED_LOCK = /^((26|2e|36|3e|6[4-7]|f[23]) )*f0/
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
  /** One instruction runs by itself now, or has to next. */
  private stepping = false
  private wantsStep = false
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
    this.cache = new CodeCache(memory, tier === 'auto' ? (options.hotAfter ?? HOT_AFTER) : tier === 'warm' ? WARM_AFTER : 0)
    this.system = new System(memory, host, { read: () => this.arithmeticFlags(), write: (bits) => this.writeArithmeticFlags(bits) })
    this.i32.set(CRC32C_TABLE, word(State.CRC_TABLE))
    this.floats = new FloatUnit(this.system.state)
    const imports: InterpreterImports = {
      slow: (mode, size) => this.slow(mode, size),
      segment: (segment, mode, size) => this.checkSegment(segment, (mode & 3) !== AccessMode.READ, size),
      commit: () => this.commit(),
      system: (op) => {
        if (op === SystemOp.UD) this.reportUndefined()
        const isFault = this.system.execute(op as SystemOp)
        if (this.system.debug.pending !== 0) this.requestStop()
        return isFault
      },
      deliver: () => this.deliver(),
      interruptible: () => {
        if (host.interruptPending()) this.requestStop()
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
      holdsBreakpoint: (page) => this.system.debug.watchesCode && this.system.debug.holdsCode(page),
      eager: tier === 'translator',
      machine: {
        portIn: (port, size) => host.portIn(port, size as 1 | 2 | 4),
        timeStamp: () => this.system.msrs.timeStamp(),
      },
      enabled: tier !== 'interpreter',
      forgetJump: (address) => this.forgetJump(address | 0, Math.floor(address / 0x100000000)),
      forgetJumps: () => this.forgetJumps(),
      memoryPages: MEMORY_PAGES_MIN,
      counts: options.counts ?? true,
    })
    this.system.debug.onCodeChange = () => this.regions.tryAgain()
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
    if (records.length > FORGOTTEN_ONE_BY_ONE_MAX) {
      this.forgetJumps()
      return
    }
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
    this.trap(0)
    if (this.halted || this.shutdown) return 0
    // Through a trap gate the next interrupt may come at once; one instruction runs first, so that none is a way to hang.
    if (i32[word(State.SHADOW)] !== 0 || this.canInterrupt() || (i32[word(State.SYSFLAGS)] & (Rflag.TF | Rflag.RF)) !== 0) {
      this.step()
      if (i32[word(State.STOP)] === 0) i32[word(State.STOP)] = 1
      return this.executedInRun()
    }
    do {
      this.wantsStep = false
      this.runTier0(0)
      if (this.wantsStep) this.step()
      else this.trap(0)
    } while (this.wantsStep && i32[word(State.STOP)] === 0 && this.executedInRun() < instructions)
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

  /**
   * Runs one instruction in tier 0, after which an interrupt shadow and RFLAGS.RF are over. Its breakpoint comes before it (a fault), what
   * it earned after it: breakpoints on data and, with RFLAGS.TF, the single step (SDM vol. 3, 18.3.1).
   */
  private step(): void {
    const { i32 } = this
    const { debug } = this.system
    this.reserved = this.budget - this.executedInRun() - 1
    if (debug.watchesCode) {
      const bits = debug.ofInstruction((i32[word(State.RIP)] + this.system.state.codeBaseLo) | 0, i32[word(State.RIP) + 1])
      if (bits !== 0) {
        // It counts as an instruction: a handler that has a breakpoint itself must not hold the machine up for ever.
        i32[word(State.REMAINING)] = 0
        this.system.exceptions.debugTrap(bits)
        i32[word(State.STOP)] = 1
        return
      }
    }
    const shadow = i32[word(State.SHADOW)]
    const { rip } = this
    const resumed = (i32[word(State.SYSFLAGS)] & Rflag.RF) !== 0
    const traced = (i32[word(State.SYSFLAGS)] & Rflag.TF) !== 0
    i32[word(State.REMAINING)] = 1
    i32[word(State.SYSFLAGS)] &= ~Rflag.RF
    this.stepping = true
    this.runTier0(1)
    this.stepping = false
    if (shadow !== 0) i32[word(State.SHADOW)] = 0
    const bits = traced && (i32[word(State.SYSFLAGS)] & Rflag.TF) !== 0 ? Dr6.BS : 0
    // Between the repetitions of a string instruction RF stays, and a trap there pushes it set.
    const isBetween = this.rip === rip && (resumed || (bits | debug.pending) !== 0) && this.isRepeated()
    if (isBetween && resumed) this.system.rflags.resume()
    this.trap(bits, isBetween ? Rflag.RF : 0)
  }

  /** Carries out the traps that the last instruction earned, unless it loaded SS. */
  private trap(bits: number, resume = 0): void {
    const { debug, exceptions } = this.system
    if (this.shutdown || this.i32[word(State.SHADOW)] === Shadow.STACK || (bits | debug.pending) === 0) return
    bits |= debug.pending
    debug.pending = 0
    exceptions.debugTrap(bits, resume)
    this.requestStop()
  }

  /** The next instruction is a string instruction with a repeat prefix. */
  private isRepeated(): boolean {
    const bytes = Uint8Array.from(this.bytesAtRip(INSTRUCTION_BYTES_MAX))
    const instruction = decode(bytes, 0, bytes.length, this.i32[word(State.MODE)])
    return typeof instruction !== 'string' && instruction.definition.name.startsWith('rep')
  }

  /** Tier 0 met a fault; or it has to begin an instruction anew, by itself. */
  private deliver(): void {
    const { i32 } = this
    if (i32[word(State.FAULT_VECTOR)] === BEGIN_ANEW) {
      i32[word(State.FAULT_VECTOR)] = -1
      i32[word(State.REMAINING)]++
      this.stopForStep()
      return
    }
    this.system.debug.pending = 0
    this.preferMathFault()
    this.system.deliver()
  }

  /** Makes tier 0 return for the next instruction to be run by `step`. */
  private stopForStep(): void {
    this.wantsStep = true
    this.reserved += this.i32[word(State.REMAINING)]
    this.i32[word(State.REMAINING)] = 0
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
    const { debug } = this.system
    const before = debug.pending
    const window = mode === AccessMode.READ ? linear.tryReading(lo, hi, size, as) : linear.tryWriting(lo, hi, size, as)
    if (window === TRANSLATE_FAULT) return 0
    if (debug.pending !== before && !this.stepping) {
      // What runs by itself can be followed by a trap.
      debug.pending = before
      this.i32[word(State.FAULT_VECTOR)] = BEGIN_ANEW
      return 0
    }
    if (mode === AccessMode.MODIFY && window === State.BOUNCE) {
      const from = linear.reading(lo, hi, size, as)
      if (from !== State.BOUNCE) this.system.state.u8.copyWithin(State.BOUNCE, from, from + size)
    }
    return window
  }

  private checkSegment(baseAt: number, write: boolean, size: number): number {
    try {
      checkSegment(this.system.state, segmentOfBase(baseAt), this.i32[word(State.SLOW_VA)], size, write)
      return 1
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
    const { i32, system } = this
    const ripLo = i32[word(State.RIP)]
    const ripHi = i32[word(State.RIP) + 1]
    const mode = i32[word(State.MODE)]
    const lo = (ripLo + system.state.codeBaseLo) | 0
    i32[word(State.SLOW_VA)] = lo
    i32[word(State.SLOW_VA) + 1] = ripHi
    if (!this.isInCode(mode, 1)) return this.beyondCode()
    const host = this.fetchPlaces.find(lo, ripHi) ?? this.translateFetch(lo, ripHi)
    if (host === TRANSLATE_FAULT) return this.fetchFault()
    const { debug } = system
    if (debug.watchesCode && debug.holdsCode(pageOf(lo, ripHi))) return this.resolveWatched(host, mode)
    // Nothing is decoded from a device: the bus reads as undefined code.
    if (host === TRANSLATE_MMIO) return this.cache.scratch(new Uint8Array(FETCH_BYTES).fill(0xff), mode)
    const physical = (host >>> 0) - RAM_BASE
    const block = this.cache.block(physical, mode)
    if (!block) return this.resolveCrossing(physical, lo, ripHi, mode)
    if (!this.isInCode(mode, block.bytes))
      return this.firstIsInCode(mode, block.record) ? this.cache.alone(this.cache.instructionsOf(block)[0]) : this.beyondCode()
    return this.enter(block)
  }

  /** As Mmu.translate, for the bytes of an instruction. */
  private translateFetch(lo: number, hi: number): number {
    this.i32[word(State.SLOW_VA)] = lo
    this.i32[word(State.SLOW_VA) + 1] = hi
    const host = this.system.translate(Access.EXECUTE)
    if (host !== TRANSLATE_FAULT && host !== TRANSLATE_MMIO) this.fetchPlaces.note(lo, hi, host)
    return host
  }

  /** Notes in the jump cache what is at RIP. */
  private enter(block: Block): number {
    const { i32 } = this
    const ripLo = i32[word(State.RIP)]
    const ripHi = i32[word(State.RIP) + 1]
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

  /** Code on a page that holds a breakpoint: each instruction is run by `step`, and nothing remembers where it is. */
  private resolveWatched(host: number, mode: number): number {
    const { i32 } = this
    if (!this.stepping) {
      this.stopForStep()
      return 0
    }
    if (host === TRANSLATE_MMIO) return this.cache.scratch(new Uint8Array(FETCH_BYTES).fill(0xff), mode)
    const physical = (host >>> 0) - RAM_BASE
    const block = this.cache.block(physical, mode)
    if (block) return this.firstIsInCode(mode, block.record) ? block.record : this.beyondCode()
    return this.resolveCrossing(physical, i32[word(State.SLOW_VA)], i32[word(State.SLOW_VA) + 1], mode, false)
  }

  /** Whether so many bytes from RIP on lie within the code segment's limit. */
  private isInCode(mode: number, bytes: number): boolean {
    if ((mode & ModeBit.LIMITED) === 0) return true
    return (this.i32[word(State.RIP)] >>> 0) + bytes <= Number(this.u64[State.CODE_END >> 3])
  }
  private firstIsInCode(mode: number, record: number): boolean {
    return this.isInCode(mode, this.system.state.u8[record + RecordField.LENGTH])
  }
  private beyondCode(): number {
    this.system.exceptions.raise(Vector.GP)
    return this.fetchFault()
  }

  /** A fetch that faults counts as an instruction: a handler that is itself not mapped must not hold the machine up for ever. */
  private fetchFault(): number {
    this.i32[word(State.REMAINING)]--
    this.system.deliver()
    return 0
  }

  /** The instruction at the end of a page: its bytes come from two pages. */
  private resolveCrossing(physical: number, lo: number, hi: number, mode: number, remembers = true): number {
    const first = PAGE_BYTES - (physical & (PAGE_BYTES - 1))
    const nextLo = (lo + first) | 0
    const nextHi = nextLo >>> 0 < lo >>> 0 && this.system.state.long ? hi + 1 : hi
    const host = this.fetchPlaces.find(nextLo, nextHi) ?? this.translateFetch(nextLo, nextHi)
    if (host === TRANSLATE_FAULT) return this.fetchFault()
    if (host !== TRANSLATE_MMIO) {
      const block = this.cache.crossing(physical, (host >>> 0) - RAM_BASE, mode)
      if (!this.firstIsInCode(mode, block.record)) return this.beyondCode()
      return remembers ? this.enter(block) : block.record
    }
    const bytes = new Uint8Array(FETCH_BYTES)
    bytes.set(this.memory.ram.subarray(physical, physical + first))
    const record = this.cache.scratch(bytes, mode)
    return this.firstIsInCode(mode, record) ? record : this.beyondCode()
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
    for (let address = this.rip + BigInt(this.system.state.codeBaseLo >>> 0); bytes.length < count; address++) {
      const physical = this.probe(address, Access.EXECUTE, this.cpl === 3)
      if (physical === null || physical >= this.memory.bytes) break
      bytes.push(this.memory.readU8(physical))
    }
    return bytes
  }

  /** Names, once a kind, the bytes at RIP that raise #UD because nobody has implemented them; not UD2 and a misplaced LOCK. */
  private reportUndefined(): void {
    const text = this.bytesAtRip(8).map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    if (text.startsWith('0f 0b') || MISPLACED_LOCK.test(text) || this.reported.has(text)) return
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

  private arithmeticFlags(): number {
    return this.i32[word(State.CC_OP)] === EXPLICIT_OP ? this.i32[word(State.CC_R)] : this.readFlags()
  }
  private writeArithmeticFlags(bits: number): void {
    this.i32[word(State.CC_OP)] = EXPLICIT_OP
    this.i32[word(State.CC_R)] = bits & ARITHMETIC_FLAGS
    this.i32[word(State.CC_R) + 1] = 0
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
