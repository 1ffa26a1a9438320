import { Gpr, Rflag, SegmentAttribute, SegmentIndex, Vector } from '../state.ts'
import type { ControlRegisters } from './control-registers.ts'
import { type DebugRegisters, Dr6 } from './debug.ts'
import { fault } from './faults.ts'
import { As, type LinearMemory } from './linear.ts'
import type { Rflags } from './rflags.ts'
import { Descriptor, dplOf, isCode, isNull, type Segments, SystemType, typeOf } from './segments.ts'
import { Cr0, type CpuState, Word } from './views.ts'

/** How a switch came about: an interrupt is a CALL. */
export const Switch = { JUMP: 0, CALL: 1, RETURN: 2 } as const
type Switch = (typeof Switch)[keyof typeof Switch]

/** Where a task state segment keeps what: SDM vol. 3, figures 7-2 and 7-10. Registers and selectors follow one another. */
interface Layout {
  /** Of a register and of the room for a selector. */
  size: 2 | 4
  last: number
  cr3: number
  ip: number
  flags: number
  registers: number
  selectors: number
  selectorCount: number
  ldt: number
  trap: number
}
const WIDE: Layout = {
  size: 4, last: 0x67, cr3: 0x1c, ip: 0x20, flags: 0x24, registers: 0x28, selectors: 0x48, selectorCount: 6, ldt: 0x60, trap: 0x64,
}
const NARROW: Layout = {
  size: 2, last: 0x2b, cr3: -1, ip: 0x0e, flags: 0x10, registers: 0x12, selectors: 0x22, selectorCount: 4, ldt: 0x2a, trap: -1,
}
const layoutOf = (type: number): Layout => ((type & 8) !== 0 ? WIDE : NARROW)

/** What a segment register holds until its descriptor has been checked. */
const UNCHECKED = SegmentAttribute.UNUSABLE
const UNCHECKED_CODE = 0xb | SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB

export interface TaskParts {
  state: CpuState
  linear: LinearMemory
  segments: Segments
  rflags: Rflags
  debug: DebugRegisters
  control: ControlRegisters
}

/** Task switches by hardware: SDM vol. 3, 7.3. They are not in IA-32e mode. */
export class Tasks {
  private readonly parts: TaskParts
  private readonly state: CpuState
  private readonly linear: LinearMemory
  /** Called with the name of something the guest used that is not implemented. */
  onUnsupported: (what: string) => void = () => {}

  constructor(parts: TaskParts) {
    this.parts = parts
    this.state = parts.state
    this.linear = parts.linear
  }

  /** The task that IRET with RFLAGS.NT set returns to. */
  return(): void {
    const { state } = this
    const link = this.linear.read16(state.baseLo(SegmentIndex.TR), 0, As.SYSTEM)
    this.switch(link, Switch.RETURN, this.parts.rflags.readImage() & ~Rflag.NT)
  }

  /**
   * Switches to the task of a TSS selector, whose privilege has been checked. State.RIP is where the old task goes on.
   *
   * Throws FAULT: with the old task as it was while the new TSS is being looked at, afterwards in the new one.
   *
   * @param image RFLAGS of the old task
   * @returns bytes of an error code in the new task
   */
  switch(selector: number, how: Switch, image: number): 2 | 4 {
    const { state, linear } = this
    const { segments, rflags, debug, control } = this.parts
    const { i32 } = state
    const error = selector & 0xfffc
    const vector = how === Switch.RETURN ? Vector.TS : Vector.GP
    if (isNull(selector) || (selector & 4) !== 0) fault(state, vector, error)
    segments.fetch(selector, vector)
    const type = typeOf(segments.hi)
    const isBusy = type === SystemType.TSS_BUSY || type === SystemType.TSS16_BUSY
    const isTask = isBusy || type === SystemType.TSS || type === SystemType.TSS16
    if ((segments.hi & Descriptor.S) !== 0 || !isTask || isBusy !== (how === Switch.RETURN)) fault(state, vector, error)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    const layout = layoutOf(type)
    if (segments.limit < layout.last) fault(state, Vector.TS, error)
    const base = segments.base
    const old = layoutOf(state.attributes(SegmentIndex.TR))
    const oldBase = state.baseLo(SegmentIndex.TR)
    const oldSelector = state.selector(SegmentIndex.TR)

    // All that can page-fault comes first.
    const field = (offset: number): number => this.read(base + offset, layout.size)
    const registers = Array.from({ length: 8 }, (_, index) => field(layout.registers + index * layout.size))
    const selectors = Array.from({ length: layout.selectorCount }, (_, index) => field(layout.selectors + index * layout.size) & 0xffff)
    const [ip, flags, ldt] = [field(layout.ip), field(layout.flags), field(layout.ldt) & 0xffff]
    const cr3 = layout.cr3 < 0 ? 0 : field(layout.cr3)
    const traps = layout.trap >= 0 && (field(layout.trap) & 1) !== 0
    for (const offset of [old.ip, old.selectors + old.selectorCount * old.size - 1]) linear.writing((oldBase + offset) | 0, 0, 1, As.SYSTEM)
    if (how === Switch.CALL) linear.writing(base, 0, 2, As.SYSTEM)

    this.save(oldBase, old, image)
    if (how !== Switch.CALL) {
      segments.fetch(oldSelector)
      segments.clearBusy()
    }
    segments.fetch(selector)
    if (how !== Switch.RETURN) segments.setBusy()
    if (how === Switch.CALL) this.write(base, oldSelector, 2)
    segments.install(SegmentIndex.TR, selector & 0xfff8)
    i32[Word.CR0] |= Cr0.TS
    if ((i32[Word.CR0] & Cr0.PG) !== 0 && layout.cr3 >= 0) control.writeCr3(cr3, 0)
    debug.leaveTask()
    state.setRip(ip, 0)
    registers.forEach((value, index) => state.setGpr(index, layout.size === 2 ? value | 0xffff0000 : value, 0))
    if ((flags & Rflag.VM) !== 0) this.onUnsupported('virtual-8086 mode')
    rflags.write((layout.size === 2 ? flags & 0xffff : flags) | (how === Switch.CALL ? Rflag.NT : 0))
    this.loadSegments(selectors, ldt)
    if (ip >>> 0 > state.limit(SegmentIndex.CS)) fault(state, Vector.GP, 0)
    if (traps) {
      debug.pending |= Dr6.BT
      state.stop()
    }
    return layout.size
  }

  private save(base: number, layout: Layout, image: number): void {
    const { state } = this
    const { size } = layout
    this.write(base + layout.ip, state.i32[Word.RIP], size)
    this.write(base + layout.flags, image, size)
    for (let register = Gpr.RAX as number; register <= Gpr.RDI; register++)
      this.write(base + layout.registers + register * size, state.gprLo(register), size)
    for (let segment = 0; segment < layout.selectorCount; segment++)
      this.write(base + layout.selectors + segment * size, state.selector(segment), 2)
  }

  /** Selectors first, then LDTR, CS, SS and the others, each with its checks: SDM vol. 3, table 7-1. */
  private loadSegments(selectors: readonly number[], ldt: number): void {
    const { state } = this
    const { segments } = this.parts
    const [es, cs, ss, ds, fs = 0, gs = 0] = selectors
    const level = cs & 3
    for (const [segment, selector] of [es, cs, ss, ds, fs, gs].entries()) state.setSegment(segment, selector, UNCHECKED, 0, 0, 0)
    state.setSegment(SegmentIndex.CS, cs, UNCHECKED_CODE | (level << SegmentAttribute.DPL_SHIFT), 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.LDTR, ldt, UNCHECKED, 0, 0, 0)
    state.updateMode()
    if (!isNull(ldt)) {
      if ((ldt & 4) !== 0) fault(state, Vector.TS, ldt & 0xfffc)
      segments.fetch(ldt, Vector.TS)
      const isLdt = (segments.hi & Descriptor.S) === 0 && typeOf(segments.hi) === SystemType.LDT
      if (!isLdt || (segments.hi & Descriptor.P) === 0) fault(state, Vector.TS, ldt & 0xfffc)
      segments.install(SegmentIndex.LDTR, ldt)
    }
    if (isNull(cs)) fault(state, Vector.TS, 0)
    segments.fetch(cs, Vector.TS)
    const dpl = dplOf(segments.hi)
    const conforming = (segments.hi & Descriptor.CONFORMING) !== 0
    if (!isCode(segments.hi) || (conforming ? dpl > level : dpl !== level)) fault(state, Vector.TS, cs & 0xfffc)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, cs & 0xfffc)
    segments.markAccessed()
    segments.install(SegmentIndex.CS, cs)
    state.updateMode()
    if (isNull(ss)) fault(state, Vector.TS, 0)
    segments.loadStack(ss, level, Vector.TS)
    state.updateMode()
    const data = [[SegmentIndex.ES, es], [SegmentIndex.DS, ds], [SegmentIndex.FS, fs], [SegmentIndex.GS, gs]] as const
    for (const [segment, selector] of data) segments.load(segment, selector, Vector.TS)
  }

  private read(at: number, size: 2 | 4): number {
    return size === 2 ? this.linear.read16(at | 0, 0, As.SYSTEM) : this.linear.read32(at | 0, 0, As.SYSTEM)
  }
  private write(at: number, value: number, size: 2 | 4): void {
    if (size === 4) {
      this.linear.write32(at | 0, 0, value, As.SYSTEM)
      return
    }
    this.state.view.setInt16(this.linear.writing(at | 0, 0, 2, As.SYSTEM), value, true)
    this.linear.commit()
  }
}
