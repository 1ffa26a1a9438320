import { SegmentAttribute, SegmentIndex, State, Vector } from '../state.ts'
import { fault } from './faults.ts'
import { As, type LinearMemory } from './linear.ts'
import { type CpuState, isCanonical } from './views.ts'

const GDTR = State.GDTR_BASE >> 2
const GDTR_LIMIT = State.GDTR_LIMIT >> 2

/** Fields of the high half of a descriptor, SDM vol. 3, 3.4.5. */
export const Descriptor = {
  TYPE_SHIFT: 8,
  ACCESSED: 1 << 8,
  /** Data: may be written. Code: may be read. */
  WRITABLE: 1 << 9,
  READABLE: 1 << 9,
  /** TSS: busy. */
  BUSY: 1 << 9,
  CONFORMING: 1 << 10,
  CODE: 1 << 11,
  S: 1 << 12,
  P: 1 << 15,
  L: 1 << 21,
  DB: 1 << 22,
  G: 1 << 23,
} as const

/** System descriptor types, SDM vol. 3, table 3-2. The 32-bit numbers are the 64-bit ones in IA-32e mode. */
export const SystemType = {
  TSS16: 1, LDT: 2, TSS16_BUSY: 3, CALL_GATE16: 4, TASK_GATE: 5, INTERRUPT_GATE16: 6, TRAP_GATE16: 7,
  TSS: 9, TSS_BUSY: 11, CALL_GATE: 12, INTERRUPT_GATE: 14, TRAP_GATE: 15,
} as const

/** System descriptors that LAR and LSL tell of, SDM vol. 2, LAR and LSL. */
const LSL_TYPES_LONG = [SystemType.LDT, SystemType.TSS, SystemType.TSS_BUSY]
const LAR_TYPES_LONG = [...LSL_TYPES_LONG, SystemType.CALL_GATE]
const LSL_TYPES = [...LSL_TYPES_LONG, SystemType.TSS16, SystemType.TSS16_BUSY]
const LAR_TYPES = [...LSL_TYPES, SystemType.CALL_GATE, SystemType.CALL_GATE16, SystemType.TASK_GATE]

export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0
export const dplOf = (hi: number): number => (hi >> 13) & 3
/** Type of a system descriptor. */
export const typeOf = (hi: number): number => (hi >> 8) & 15
export const isCode = (hi: number): boolean => (hi & (Descriptor.S | Descriptor.CODE)) === (Descriptor.S | Descriptor.CODE)
const isWritableData = (hi: number): boolean =>
  (hi & (Descriptor.S | Descriptor.CODE | Descriptor.WRITABLE)) === (Descriptor.S | Descriptor.WRITABLE)

/** Attributes of SS after a null selector was loaded in 64-bit mode: unusable, and DPL, to be added, is still the privilege level. */
export const NULL_STACK_ATTRIBUTES = SegmentAttribute.UNUSABLE | SegmentAttribute.DB

/**
 * Segmentation: reads descriptors from GDT and LDT and loads the hidden segment registers with the checks of SDM vol. 3, chapter 5.
 * A check that fails throws FAULT, and nothing has been changed.
 */
export class Segments {
  private readonly state: CpuState
  private readonly linear: LinearMemory
  /** The descriptor that `fetch` found. */
  lo = 0
  hi = 0
  /** For system descriptors in IA-32e mode: base or offset bits 63–32. */
  upper = 0
  private addressLo = 0
  private addressHi = 0

  constructor(state: CpuState, linear: LinearMemory) {
    this.state = state
    this.linear = linear
  }

  /** Reads the descriptor of a non-null selector; #GP(selector), or the vector given, when it lies beyond the table's limit. */
  fetch(selector: number, vector: number = Vector.GP): void {
    if (!this.find(selector)) fault(this.state, vector, selector & 0xfffc)
  }

  /** The same; false when it lies beyond the table's limit. */
  private find(selector: number): boolean {
    const { state } = this
    let baseLo: number, baseHi: number, limit: number
    if ((selector & 4) === 0) {
      baseLo = state.i32[GDTR]
      baseHi = state.i32[GDTR + 1]
      limit = state.u32[GDTR_LIMIT]
    } else {
      if ((state.attributes(SegmentIndex.LDTR) & SegmentAttribute.UNUSABLE) !== 0) return false
      baseLo = state.baseLo(SegmentIndex.LDTR)
      baseHi = state.baseHi(SegmentIndex.LDTR)
      limit = state.limit(SegmentIndex.LDTR)
    }
    const offset = selector & 0xfff8
    if (offset + 7 > limit) return false
    const sum = (baseLo >>> 0) + offset
    this.addressLo = sum | 0
    this.addressHi = sum > 0xffffffff ? (baseHi + 1) | 0 : baseHi
    const window = this.linear.reading(this.addressLo, this.addressHi, 8, As.SYSTEM)
    this.lo = state.view.getInt32(window, true)
    this.hi = state.view.getInt32(window + 4, true)
    this.upper = 0
    return true
  }

  /** LAR, LSL, VERR, VERW: whether the program may see a segment, SDM vol. 3, 5.10. It is fetched then. */
  private isVisible(selector: number): boolean {
    if (isNull(selector) || !this.find(selector)) return false
    if (isCode(this.hi) && (this.hi & Descriptor.CONFORMING) !== 0) return true
    const dpl = dplOf(this.hi)
    return this.state.cpl <= dpl && (selector & 3) <= dpl
  }
  private hasSystemType(types: readonly number[]): boolean {
    return (this.hi & Descriptor.S) !== 0 || types.includes(typeOf(this.hi))
  }
  /** LAR: access rights, or undefined. */
  accessRights(selector: number): number | undefined {
    const types = this.state.longModeActive ? LAR_TYPES_LONG : LAR_TYPES
    return this.isVisible(selector) && this.hasSystemType(types) ? this.hi & 0x00ffff00 : undefined
  }
  /** LSL: the limit in bytes, as u32, or undefined. */
  visibleLimit(selector: number): number | undefined {
    const types = this.state.longModeActive ? LSL_TYPES_LONG : LSL_TYPES
    return this.isVisible(selector) && this.hasSystemType(types) ? this.limit : undefined
  }
  /** VERR, VERW. */
  verify(selector: number, write: boolean): boolean {
    if (!this.isVisible(selector) || (this.hi & Descriptor.S) === 0) return false
    return write ? isWritableData(this.hi) : !isCode(this.hi) || (this.hi & Descriptor.READABLE) !== 0
  }

  /**
   * After `fetch` of a system descriptor in IA-32e mode: reads its second half. #GP(selector) beyond the limit or when its type field is
   * not 0.
   */
  fetchUpper(selector: number, vector: number = Vector.GP): void {
    const { state } = this
    const limit = (selector & 4) === 0 ? state.u32[GDTR_LIMIT] : state.limit(SegmentIndex.LDTR)
    if ((selector & 0xfff8) + 15 > limit) fault(state, vector, selector & 0xfffc)
    const sum = (this.addressLo >>> 0) + 8
    const window = this.linear.reading(sum | 0, sum > 0xffffffff ? (this.addressHi + 1) | 0 : this.addressHi, 8, As.SYSTEM)
    this.upper = state.view.getInt32(window, true)
    if ((state.view.getInt32(window + 4, true) & 0x1f00) !== 0) fault(state, vector, selector & 0xfffc)
  }

  get base(): number { return (this.lo >>> 16) | ((this.hi & 0xff) << 16) | (this.hi & 0xff000000) }
  /** In bytes, as u32. */
  get limit(): number {
    const raw = (this.lo & 0xffff) | (this.hi & 0xf0000)
    return ((this.hi & Descriptor.G) !== 0 ? (raw << 12) | 0xfff : raw) >>> 0
  }
  get attributes(): number { return (this.hi >>> 8) & 0xf0ff }

  /** Sets the accessed bit of the fetched code or data descriptor, in the table too. */
  markAccessed(): void {
    if ((this.hi & Descriptor.ACCESSED) === 0) this.setType(Descriptor.ACCESSED)
  }

  /** Puts the fetched descriptor into a segment register. */
  install(segment: number, selector: number): void {
    this.state.setSegment(segment, selector & 0xffff, this.attributes, this.base, this.upper, this.limit)
  }

  /**
   * MOV and POP to ES, SS, DS, FS, GS; SDM vol. 2, MOV. Loading CS is #UD.
   *
   * @param vector of the violations: #GP for instructions, #TS for task switches.
   */
  load(segment: number, selector: number, vector: number = Vector.GP): void {
    const { state } = this
    selector &= 0xffff
    if (segment === SegmentIndex.SS) this.loadStack(selector, state.cpl, Vector.GP)
    else if (segment === SegmentIndex.CS || segment > SegmentIndex.GS) fault(state, Vector.UD, 0)
    else if (isNull(selector)) state.setSegment(segment, selector, SegmentAttribute.UNUSABLE, 0, 0, 0)
    else {
      this.fetch(selector, vector)
      const { hi } = this
      const error = selector & 0xfffc
      if ((hi & Descriptor.S) === 0 || (isCode(hi) && (hi & Descriptor.READABLE) === 0)) fault(state, vector, error)
      const conforming = isCode(hi) && (hi & Descriptor.CONFORMING) !== 0
      if (!conforming && (dplOf(hi) < (selector & 3) || dplOf(hi) < state.cpl)) fault(state, vector, error)
      if ((hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
      this.markAccessed()
      this.install(segment, selector)
    }
    state.updateMode()
  }

  /**
   * Loads SS for a privilege level, without updating the mode. Null is #GP(0), except in 64-bit mode below CPL 3.
   *
   * @param vector of the violations: #GP for instructions, #TS for stacks that come from a TSS.
   */
  loadStack(selector: number, cpl: number, vector: number): void {
    const { state } = this
    if (isNull(selector)) {
      if (!state.long || cpl === 3 || (selector & 3) !== cpl) fault(state, vector, 0)
      this.loadNullStack(selector, cpl)
      return
    }
    this.checkStack(selector, cpl, vector)
    this.markAccessed()
    this.install(SegmentIndex.SS, selector)
  }

  /** Fetches a stack segment's descriptor and checks it for a privilege level. */
  checkStack(selector: number, cpl: number, vector: number): void {
    const error = selector & 0xfffc
    this.fetch(selector, vector)
    if ((selector & 3) !== cpl || !isWritableData(this.hi) || dplOf(this.hi) !== cpl) fault(this.state, vector, error)
    if ((this.hi & Descriptor.P) === 0) fault(this.state, Vector.SS, error)
  }

  loadNullStack(selector: number, cpl: number): void {
    this.state.setSegment(SegmentIndex.SS, selector & 0xffff, NULL_STACK_ATTRIBUTES | (cpl << SegmentAttribute.DPL_SHIFT), 0, 0, 0)
  }

  /** LLDT, SDM vol. 2. */
  loadLdt(selector: number): void {
    const { state } = this
    selector &= 0xffff
    if (isNull(selector)) {
      state.setSegment(SegmentIndex.LDTR, selector, SegmentAttribute.UNUSABLE, 0, 0, 0)
      return
    }
    const error = selector & 0xfffc
    if ((selector & 4) !== 0) fault(state, Vector.GP, error)
    this.fetch(selector)
    if ((this.hi & Descriptor.S) !== 0 || typeOf(this.hi) !== SystemType.LDT) fault(state, Vector.GP, error)
    if ((this.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    this.fetchBase(selector)
    this.install(SegmentIndex.LDTR, selector)
  }

  /** LTR, SDM vol. 2: marks the TSS busy. */
  loadTask(selector: number): void {
    const { state } = this
    selector &= 0xffff
    const error = selector & 0xfffc
    if (isNull(selector)) fault(state, Vector.GP, 0)
    if ((selector & 4) !== 0) fault(state, Vector.GP, error)
    this.fetch(selector)
    const type = typeOf(this.hi)
    const available = type === SystemType.TSS || (type === SystemType.TSS16 && !state.longModeActive)
    if ((this.hi & Descriptor.S) !== 0 || !available) fault(state, Vector.GP, error)
    if ((this.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    this.fetchBase(selector)
    this.setType(Descriptor.BUSY)
    this.install(SegmentIndex.TR, selector)
  }

  /** A window on a field of the current TSS; #TS(TR) when the TSS is too short. SDM vol. 3, figures 7-2 and 7-11. */
  taskField(offset: number, length: number): number {
    const { state } = this
    if (offset + length - 1 > state.limit(SegmentIndex.TR)) fault(state, Vector.TS, state.selector(SegmentIndex.TR) & 0xfffc)
    const at = (state.baseLo(SegmentIndex.TR) >>> 0) + offset
    const hi = state.baseHi(SegmentIndex.TR)
    return this.linear.reading(at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, length, As.SYSTEM)
  }

  /** Forgets data segments that a less privileged level must not keep, on a return to it: SDM vol. 2, RET and IRET. */
  dropPrivileged(cpl: number): void {
    this.dropIfPrivileged(SegmentIndex.ES, cpl)
    this.dropIfPrivileged(SegmentIndex.DS, cpl)
    this.dropIfPrivileged(SegmentIndex.FS, cpl)
    this.dropIfPrivileged(SegmentIndex.GS, cpl)
  }

  private dropIfPrivileged(segment: number, cpl: number): void {
    const { state } = this
    // A null register keeps its base: an FS base set by WRMSR survives the return to user mode.
    if (isNull(state.selector(segment))) return
    const attributes = state.attributes(segment)
    const conforming = (attributes & 0xc) === 0xc
    if (!conforming && ((attributes >> SegmentAttribute.DPL_SHIFT) & 3) < cpl)
      state.setSegment(segment, 0, SegmentAttribute.UNUSABLE, 0, 0, 0)
  }

  /** In IA-32e mode system segments have 64-bit bases, which must be canonical. */
  private fetchBase(selector: number): void {
    if (!this.state.longModeActive) return
    this.fetchUpper(selector)
    if (!isCanonical(this.upper)) fault(this.state, Vector.GP, selector & 0xfffc)
  }

  /** A task switch marks the fetched TSS descriptor. */
  setBusy(): void {
    this.setType(Descriptor.BUSY)
  }
  clearBusy(): void {
    this.hi &= ~Descriptor.BUSY
    this.setType(0)
  }

  private setType(bit: number): void {
    this.hi |= bit
    const sum = (this.addressLo >>> 0) + 4
    this.linear.write32(sum | 0, sum > 0xffffffff ? (this.addressHi + 1) | 0 : this.addressHi, this.hi, As.SYSTEM)
  }
}
