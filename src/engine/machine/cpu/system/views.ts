import {
  FETCH_PLACES_END, JUMP_CACHE, MODES, ModeBit, Rflag, SEGMENT_BYTES, SegmentAttribute, SegmentField, SegmentIndex, State,
} from '../state.ts'

/** Bits of CR0, SDM vol. 3, 2.5. */
export const Cr0 = {
  PE: 1, MP: 2, EM: 4, TS: 8, ET: 0x10, NE: 0x20, WP: 0x10000, AM: 0x40000, NW: 0x20000000, CD: 0x40000000, PG: 0x80000000 | 0,
} as const

/** Bits of CR4 that this processor has, SDM vol. 3, 2.5. */
export const Cr4 = { TSD: 4, DE: 8, PSE: 0x10, PAE: 0x20, PGE: 0x80, OSFXSR: 0x200, OSXMMEXCPT: 0x400, OSXSAVE: 0x40000 } as const

/** Bits of IA32_EFER, SDM vol. 3, 2.2.1. */
export const Efer = { SCE: 1, LME: 0x100, LMA: 0x400, NXE: 0x800 } as const

/** Width of a physical address in bits: what CPUID leaf 80000008H reports and the page walk holds reserved bits against. */
export const PHYSICAL_BITS = 40

/** Indices of 32-bit words in `CpuState.u32` and `i32`: byte offset of State divided by four. */
export const Word = {
  RIP: State.RIP >> 2,
  RSP: (State.GPR + 4 * 8) >> 2,
  SYSFLAGS: State.SYSFLAGS >> 2,
  CPL: State.CPL >> 2,
  MODE: State.MODE >> 2,
  JUMP_GENERATION: State.JUMP_GENERATION >> 2,
  GENERATION_SUPERVISOR: State.GENERATION_SUPERVISOR >> 2,
  GENERATION_USER: State.GENERATION_USER >> 2,
  STOP: State.STOP >> 2,
  ACTIVITY: State.ACTIVITY >> 2,
  SHADOW: State.SHADOW >> 2,
  FAULT_VECTOR: State.FAULT_VECTOR >> 2,
  FAULT_ERROR: State.FAULT_ERROR >> 2,
  SLOW_VA: State.SLOW_VA >> 2,
  SLOW_PA: State.SLOW_PA >> 2,
  SYS_EA: State.SYS_EA >> 2,
  SYS_VALUE: State.SYS_VALUE >> 2,
  SYS_IMM: State.SYS_IMM >> 2,
  SYS_NEXT_RIP: State.SYS_NEXT_RIP >> 2,
  SYS_REG: State.SYS_REG >> 2,
  SYS_RM: State.SYS_RM >> 2,
  SYS_SIZE: State.SYS_SIZE >> 2,
  SYS_AS: State.SYS_AS >> 2,
  SYS_SEGMENT: State.SYS_SEGMENT >> 2,
  CR0: State.CR0 >> 2,
  CR2: State.CR2 >> 2,
  CR3: State.CR3 >> 2,
  CR4: State.CR4 >> 2,
  EFER: State.EFER >> 2,
} as const

/**
 * The low bits of State.JUMP_GENERATION are the mode, the others count: so an entry of the jump cache serves only the mode it was
 * made in, and a switch between user and kernel makes nothing stale. User and kernel count for themselves, so that a new address space
 * for the one can leave the other's entries alone.
 */
const GENERATION_STEP = MODES
if (Object.values(ModeBit).some((bit) => bit >= GENERATION_STEP)) throw new Error('a mode bit does not fit below the generation')

const GPR = State.GPR >> 2
const SEGMENT_WORDS = SEGMENT_BYTES >> 2
const SELECTOR = (State.SEGMENTS + SegmentField.SELECTOR) >> 2
const ATTRIBUTES = (State.SEGMENTS + SegmentField.ATTRIBUTES) >> 2
const BASE = (State.SEGMENTS + SegmentField.BASE) >> 2
const LIMIT = (State.SEGMENTS + SegmentField.LIMIT) >> 2
const READ_END = (State.SEGMENTS + SegmentField.READ_END) >> 2
const WRITE_END = (State.SEGMENTS + SegmentField.WRITE_END) >> 2
const CODE_END = State.CODE_END >> 2
const STACK_MASK = State.STACK_MASK >> 2
/** Bits of a data segment's type, SDM vol. 3, table 3-1; of code EXPANDS_DOWN says conforming and WRITABLE readable. */
const Type = { WRITABLE: 2, EXPANDS_DOWN: 4, CODE: 8 } as const

/** The processor's registers, seen through typed arrays on the machine's Wasm memory. 64-bit values are handled as two 32-bit halves. */
export class CpuState {
  readonly u8: Uint8Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly u64: BigUint64Array
  readonly view: DataView
  private readonly codeBase = [0, 0]
  private readonly codeLimit = [0xffffffff, 0xffffffff]

  /** @param memory laid out as ../state.ts says; it must not grow, since growing detaches the views. */
  constructor(memory: WebAssembly.Memory) {
    this.u8 = new Uint8Array(memory.buffer)
    this.u32 = new Uint32Array(memory.buffer)
    this.i32 = new Int32Array(memory.buffer)
    this.u64 = new BigUint64Array(memory.buffer)
    this.view = new DataView(memory.buffer)
  }

  /** Low half of a general register, as i32. */
  gprLo(register: number): number { return this.i32[GPR + register * 2] }
  /** High half, as i32. */
  gprHi(register: number): number { return this.i32[GPR + register * 2 + 1] }
  setGpr(register: number, lo: number, hi: number): void {
    this.i32[GPR + register * 2] = lo
    this.i32[GPR + register * 2 + 1] = hi
  }
  /** Writes a register as an instruction of that operand size does: 16 bits keep the rest, 32 bits clear the upper half. */
  setGprSized(register: number, lo: number, hi: number, size: number): void {
    if (size === 2) this.i32[GPR + register * 2] = (this.i32[GPR + register * 2] & ~0xffff) | (lo & 0xffff)
    else this.setGpr(register, lo, size === 8 ? hi : 0)
  }

  setRip(lo: number, hi: number): void {
    this.i32[Word.RIP] = lo
    this.i32[Word.RIP + 1] = hi
  }
  setRsp(lo: number, hi: number): void {
    this.i32[Word.RSP] = lo
    this.i32[Word.RSP + 1] = hi
  }

  get cpl(): number { return this.i32[Word.CPL] }
  /** In 64-bit mode: EFER.LMA = 1 and CS.L = 1. */
  get long(): boolean { return (this.i32[Word.MODE] & ModeBit.LONG) !== 0 }
  /** EFER.LMA: IA-32e mode, which is 64-bit mode or compatibility mode. */
  get longModeActive(): boolean { return (this.i32[Word.EFER] & Efer.LMA) !== 0 }
  get iopl(): number { return (this.i32[Word.SYSFLAGS] & Rflag.IOPL) >> 12 }

  selector(segment: number): number { return this.i32[SELECTOR + segment * SEGMENT_WORDS] }
  attributes(segment: number): number { return this.i32[ATTRIBUTES + segment * SEGMENT_WORDS] }
  baseLo(segment: number): number { return this.i32[BASE + segment * SEGMENT_WORDS] }
  baseHi(segment: number): number { return this.i32[BASE + segment * SEGMENT_WORDS + 1] }
  /** What is added to RIP: low half of the code segment's base, 0 in 64-bit mode. */
  get codeBaseLo(): number { return this.long ? 0 : this.baseLo(SegmentIndex.CS) }
  /** Limit in bytes, as u32. */
  limit(segment: number): number { return this.u32[LIMIT + segment * SEGMENT_WORDS] }

  setSegment(segment: number, selector: number, attributes: number, baseLo: number, baseHi: number, limit: number): void {
    const at = segment * SEGMENT_WORDS
    this.i32[SELECTOR + at] = selector
    this.i32[ATTRIBUTES + at] = attributes
    this.i32[BASE + at] = baseLo
    this.i32[BASE + at + 1] = baseHi
    this.i32[LIMIT + at] = limit
    const usable = (attributes & SegmentAttribute.UNUSABLE) === 0
    const isCode = (attributes & Type.CODE) !== 0
    const allows = (attributes & Type.WRITABLE) !== 0
    const isSimple = usable && (isCode || (attributes & Type.EXPANDS_DOWN) === 0)
    this.setEnd(READ_END + at, isSimple && (!isCode || allows) ? limit : undefined)
    this.setEnd(WRITE_END + at, isSimple && !isCode && allows ? limit : undefined)
  }
  /** Behind the limit, or 0. */
  private setEnd(at: number, limit: number | undefined): void {
    this.i32[at] = limit === undefined ? 0 : limit + 1
    this.i32[at + 1] = limit === undefined || limit >>> 0 !== 0xffffffff ? 0 : 1
  }
  private isFlat(segment: number): boolean {
    const at = segment * SEGMENT_WORDS
    return (this.i32[READ_END + 1 + at] & this.i32[WRITE_END + 1 + at]) !== 0
  }
  setSegmentBase(segment: number, lo: number, hi: number): void {
    this.i32[BASE + segment * SEGMENT_WORDS] = lo
    this.i32[BASE + segment * SEGMENT_WORDS + 1] = hi
  }

  /** Makes every entry of the jump cache stale. */
  bumpGeneration(): void {
    this.bump(Word.GENERATION_SUPERVISOR)
    this.bumpUserGeneration()
  }
  /** Makes the entries made at CPL 3 stale. */
  bumpUserGeneration(): void {
    this.bump(Word.GENERATION_USER)
    this.updateGeneration()
  }
  /** When the count comes round, old entries would seem fresh: they are wiped out. */
  private bump(word: number): void {
    const { i32 } = this
    i32[word] = (i32[word] + GENERATION_STEP) | 0
    if (i32[word] !== 0) return
    this.u8.fill(0, JUMP_CACHE, FETCH_PLACES_END)
    i32[word] = GENERATION_STEP
  }
  private updateGeneration(): void {
    const { i32 } = this
    const mode = i32[Word.MODE]
    i32[Word.JUMP_GENERATION] = i32[(mode & ModeBit.USER) !== 0 ? Word.GENERATION_USER : Word.GENERATION_SUPERVISOR] | mode
  }
  /** Asks `run` to return to the machine at the next block boundary. */
  stop(): void { this.i32[Word.STOP] = 1 }

  /** What was decoded at CPL 3, or below it, serves one base and limit of the code segment. */
  private noteCode(isUser: 0 | 1, base: number, limit: number): void {
    if (this.codeBase[isUser] === base && this.codeLimit[isUser] === limit) return
    this.codeBase[isUser] = base
    this.codeLimit[isUser] = limit
    this.bump(isUser === 1 ? Word.GENERATION_USER : Word.GENERATION_SUPERVISOR)
  }

  /** Recomputes State.CPL and State.MODE from the hidden segment registers, CR0, CR4 and EFER; call it after any of them changed. */
  updateMode(): void {
    const { i32 } = this
    const code = i32[ATTRIBUTES + SegmentIndex.CS * SEGMENT_WORDS]
    const cpl = i32[SELECTOR + SegmentIndex.CS * SEGMENT_WORDS] & 3
    let mode = cpl === 3 ? ModeBit.USER : 0
    if ((code & SegmentAttribute.L) !== 0 && (i32[Word.EFER] & Efer.LMA) !== 0) mode |= ModeBit.LONG
    else {
      if ((code & SegmentAttribute.DB) !== 0) mode |= ModeBit.D32
      if ((i32[ATTRIBUTES + SegmentIndex.SS * SEGMENT_WORDS] & SegmentAttribute.DB) !== 0) mode |= ModeBit.STACK32
      const bases = i32[BASE + SegmentIndex.ES * SEGMENT_WORDS] | i32[BASE + SegmentIndex.CS * SEGMENT_WORDS] |
        i32[BASE + SegmentIndex.SS * SEGMENT_WORDS] | i32[BASE + SegmentIndex.DS * SEGMENT_WORDS]
      if (bases !== 0) mode |= ModeBit.BASED
      if (!(this.isFlat(SegmentIndex.DS) && this.isFlat(SegmentIndex.SS) && this.isFlat(SegmentIndex.ES))) mode |= ModeBit.CHECKED
      const limit = this.limit(SegmentIndex.CS)
      if (limit !== 0xffffffff) mode |= ModeBit.LIMITED
      this.setEnd(CODE_END, limit)
      i32[STACK_MASK] = (mode & ModeBit.STACK32) !== 0 ? -1 : 0xffff
      this.noteCode(cpl === 3 ? 1 : 0, this.baseLo(SegmentIndex.CS), limit)
    }
    if ((i32[Word.CR4] & Cr4.OSFXSR) !== 0 && (i32[Word.CR0] & (Cr0.EM | Cr0.TS)) === 0) mode |= ModeBit.SSE
    i32[Word.CPL] = cpl
    i32[Word.MODE] = mode
    this.updateGeneration()
  }
}

/** True when bits 63–47 of an address given in halves are all equal. */
export function isCanonical(hi: number): boolean {
  const top = hi >> 15
  return top === 0 || top === -1
}

/** The integer that two halves stand for, as a bigint. For cold paths and messages. */
export function joinHalves(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)
}
