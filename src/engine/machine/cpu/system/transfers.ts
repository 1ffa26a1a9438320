import { Activity, Gpr, Rflag, SegmentAttribute, SegmentIndex, State, Vector } from '../state.ts'
import { fault } from './faults.ts'
import { isWithin } from './limits.ts'
import { As, type LinearMemory } from './linear.ts'
import type { Rflags } from './rflags.ts'
import { Descriptor, dplOf, isCode, isNull, type Segments, SystemType, typeOf } from './segments.ts'
import { hiSized, loSized, putSized, type Stack } from './stack.ts'
import { Switch, type Tasks } from './tasks.ts'
import { type CpuState, Efer, isCanonical, Word } from './views.ts'

const STAR_HI = (State.STAR >> 2) + 1
const LSTAR = State.LSTAR >> 2
const FMASK = State.FMASK >> 2
const KERNEL_GS_BASE = State.KERNEL_GS_BASE >> 2
const SYSENTER_CS = State.SYSENTER_CS >> 2
const SYSENTER_ESP = State.SYSENTER_ESP >> 2
const SYSENTER_EIP = State.SYSENTER_EIP >> 2

/** Hidden parts that SYSCALL and SYSRET load without reading a descriptor: flat segments. SDM vol. 2, SYSCALL. */
const FLAT_CODE64 = 0xb | SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.L | SegmentAttribute.G
const FLAT_CODE32 = 0xb | SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB | SegmentAttribute.G
const FLAT_DATA = 0x3 | SegmentAttribute.S | SegmentAttribute.P | SegmentAttribute.DB | SegmentAttribute.G
const DPL3 = 3 << SegmentAttribute.DPL_SHIFT
/** RFLAGS bits that SYSRET takes from R11: all but RF, VM and the reserved ones. */
const SYSRET_FLAGS = 0x3c7fd7

export interface TransferParts {
  state: CpuState
  linear: LinearMemory
  segments: Segments
  stack: Stack
  rflags: Rflags
  tasks: Tasks
}

/** Transfers between code segments: far JMP, CALL, RET, IRET, SYSCALL, SYSRET, SWAPGS (SDM vol. 2). Operands come in State.SYS_*. */
export class Transfers {
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly segments: Segments
  private readonly stack: Stack
  private readonly rflags: Rflags
  private readonly tasks: Tasks
  /** Called with the name of something the guest used that is not implemented. */
  onUnsupported: (what: string) => void = () => {}

  constructor({ state, linear, segments, stack, rflags, tasks }: TransferParts) {
    this.state = state
    this.linear = linear
    this.segments = segments
    this.stack = stack
    this.rflags = rflags
    this.tasks = tasks
  }

  /** Far JMP or CALL to SYS_VALUE:SYS_IMM, which may name a call gate. */
  far(isCall: boolean): void {
    const { state, segments } = this
    const { i32 } = state
    const selector = i32[Word.SYS_VALUE] & 0xffff
    const error = selector & 0xfffc
    const size = i32[Word.SYS_SIZE]
    if (isNull(selector)) fault(state, Vector.GP, 0)
    segments.fetch(selector)
    if ((segments.hi & Descriptor.S) === 0) {
      this.throughGate(selector, isCall)
      return
    }
    const { cpl } = state
    const dpl = dplOf(segments.hi)
    if (!isCode(segments.hi)) fault(state, Vector.GP, error)
    if ((segments.hi & Descriptor.CONFORMING) !== 0 ? dpl > cpl : (selector & 3) > cpl || dpl !== cpl) fault(state, Vector.GP, error)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    const offsetLo = size === 2 ? i32[Word.SYS_IMM] & 0xffff : i32[Word.SYS_IMM]
    const offsetHi = size === 8 ? i32[Word.SYS_IMM + 1] : 0
    this.checkTarget(error, offsetLo, offsetHi)
    if (isCall) this.pushReturn(size)
    segments.markAccessed()
    segments.install(SegmentIndex.CS, error | cpl)
    state.setRip(offsetLo, offsetHi)
    state.updateMode()
  }

  /** Far JMP or CALL whose selector names a system descriptor: a call gate or a task. */
  private throughGate(gateSelector: number, isCall: boolean): void {
    const { state, segments } = this
    const { cpl } = state
    const gateError = gateSelector & 0xfffc
    const type = typeOf(segments.hi)
    const gateLo = segments.lo
    const gateHi = segments.hi
    const long = state.longModeActive
    const isGate = type === SystemType.CALL_GATE || (type === SystemType.CALL_GATE16 && !long)
    if (!isGate) {
      const isTask = type === SystemType.TSS || type === SystemType.TSS16 || type === SystemType.TASK_GATE
      if (long || !isTask) fault(state, Vector.GP, gateError)
      this.switchTask(gateSelector, isCall)
      return
    }
    if (dplOf(gateHi) < cpl || dplOf(gateHi) < (gateSelector & 3)) fault(state, Vector.GP, gateError)
    if ((gateHi & Descriptor.P) === 0) fault(state, Vector.NP, gateError)
    let offsetHi = 0
    if (long) {
      segments.fetchUpper(gateSelector)
      offsetHi = segments.upper
    }
    const size = long ? 8 : type === SystemType.CALL_GATE ? 4 : 2
    const offsetLo = size === 2 ? gateLo & 0xffff : (gateLo & 0xffff) | (gateHi & 0xffff0000)

    const selector = gateLo >>> 16
    const error = selector & 0xfffc
    if (isNull(selector)) fault(state, Vector.GP, 0)
    segments.fetch(selector)
    const dpl = dplOf(segments.hi)
    const conforming = (segments.hi & Descriptor.CONFORMING) !== 0
    if (!isCode(segments.hi) || dpl > cpl || (!isCall && !conforming && dpl !== cpl)) fault(state, Vector.GP, error)
    if (long && (segments.hi & (Descriptor.L | Descriptor.DB)) !== Descriptor.L) fault(state, Vector.GP, error)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    this.checkTarget(error, offsetLo, offsetHi)
    const newCpl = isCall && !conforming ? dpl : cpl
    if (newCpl < cpl) this.switchStack(newCpl, size, gateHi & 31)
    else if (isCall) this.pushReturn(size)
    segments.fetch(selector)
    segments.markAccessed()
    segments.install(SegmentIndex.CS, error | newCpl)
    state.setRip(offsetLo, offsetHi)
    state.updateMode()
  }

  /** Far JMP or CALL to a task, by the TSS or by a task gate that was fetched. */
  private switchTask(selector: number, isCall: boolean): void {
    const { state, segments } = this
    const { i32 } = state
    const error = selector & 0xfffc
    if (dplOf(segments.hi) < state.cpl || dplOf(segments.hi) < (selector & 3)) fault(state, Vector.GP, error)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    const task = typeOf(segments.hi) === SystemType.TASK_GATE ? segments.lo >>> 16 : selector
    const ripLo = i32[Word.RIP]
    const tr = state.selector(SegmentIndex.TR)
    state.setRip(i32[Word.SYS_NEXT_RIP], 0)
    try {
      this.tasks.switch(task, isCall ? Switch.CALL : Switch.JUMP, this.rflags.readImage())
    } catch (thrown) {
      if (state.selector(SegmentIndex.TR) === tr) state.setRip(ripLo, 0)
      throw thrown
    }
  }

  /** CALL through a gate to an inner level: takes the stack from the TSS and pushes the old one, the parameters and the return address. */
  private switchStack(newCpl: number, size: number, parameters: number): void {
    const { state, segments, linear } = this
    const { i32, view } = state
    const oldSp = i32[Word.RSP]
    const oldSpHi = i32[Word.RSP + 1]
    const oldSs = state.selector(SegmentIndex.SS)
    const cs = state.selector(SegmentIndex.CS)
    const next = Word.SYS_NEXT_RIP
    if (state.longModeActive) {
      const slot = segments.taskField(4 + newCpl * 8, 8)
      const lo = view.getInt32(slot, true) >>> 0
      const hi = view.getInt32(slot + 4, true)
      if (!isCanonical(hi)) fault(state, Vector.SS, 0)
      const newLo = (lo - 32) | 0
      const newHi = lo < 32 ? (hi - 1) | 0 : hi
      const at = linear.pushing(newLo, newHi, 32, 8, As.SYSTEM | As.STACK)
      putSized(view, at, i32[next], i32[next + 1], 8)
      putSized(view, at + 8, cs, 0, 8)
      putSized(view, at + 16, oldSp, oldSpHi, 8)
      putSized(view, at + 24, oldSs, 0, 8)
      linear.commit()
      segments.loadNullStack(newCpl, newCpl)
      state.setRsp(newLo, newHi)
      return
    }
    const narrowTask = (state.attributes(SegmentIndex.TR) & 8) === 0
    const slot = segments.taskField(narrowTask ? 2 + newCpl * 4 : 4 + newCpl * 8, narrowTask ? 4 : 6)
    const sp = narrowTask ? view.getUint16(slot, true) : view.getInt32(slot, true)
    const ss = view.getUint16(slot + (narrowTask ? 2 : 4), true)
    if (isNull(ss)) fault(state, Vector.TS, 0)
    segments.checkStack(ss, newCpl, Vector.TS)
    const mask = (segments.attributes & SegmentAttribute.DB) !== 0 ? -1 : 0xffff
    const base = segments.base
    const bytes = (4 + parameters) * size
    if (!isWithin(segments.attributes, segments.limit, (sp - bytes) & mask, bytes)) fault(state, Vector.SS, ss & 0xfffc)
    let top = sp
    const put = (value: number): void => {
      top = (top - size) & mask
      const at = linear.writing((base + top) | 0, 0, size, As.SYSTEM | As.STACK)
      putSized(view, at, value, 0, size)
      linear.commit()
    }
    put(oldSs)
    put(oldSp)
    for (let i = parameters - 1; i >= 0; i--) put(loSized(view, this.stack.peek(i * size, size), size))
    put(cs)
    put(i32[next])
    segments.markAccessed()
    segments.install(SegmentIndex.SS, ss)
    state.setRsp(mask === -1 ? top : (oldSp & 0xffff0000) | top, 0)
  }

  private pushReturn(size: number): void {
    const { view, i32 } = this.state
    const at = this.stack.beginPush(size * 2, size)
    putSized(view, at, i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1], size)
    putSized(view, at + size, this.state.selector(SegmentIndex.CS), 0, size)
    this.linear.commit()
    this.stack.release(-2 * size)
  }

  /** The fetched code segment must be one or the other of 64-bit and 32-bit, and the target must lie in it. */
  private checkTarget(error: number, offsetLo: number, offsetHi: number): void {
    const { state, segments } = this
    const long = state.longModeActive && (segments.hi & Descriptor.L) !== 0
    if (long && (segments.hi & Descriptor.DB) !== 0) fault(state, Vector.GP, error)
    if (long ? !isCanonical(offsetHi) : offsetHi !== 0 || offsetLo >>> 0 > segments.limit) fault(state, Vector.GP, 0)
  }

  /** IRET, IRETD, IRETQ. */
  iret(): void {
    const { state, stack, rflags } = this
    const { i32, view } = state
    if ((i32[Word.SYSFLAGS] & Rflag.NT) !== 0) {
      if (state.longModeActive) fault(state, Vector.GP, 0)
      const ripLo = i32[Word.RIP]
      const tr = state.selector(SegmentIndex.TR)
      state.setRip(i32[Word.SYS_NEXT_RIP], 0)
      try {
        this.tasks.return()
      } catch (thrown) {
        if (state.selector(SegmentIndex.TR) === tr) state.setRip(ripLo, 0)
        throw thrown
      }
      return
    }
    const size = i32[Word.SYS_SIZE]
    const at = stack.peek(0, size * 3)
    const ripLo = loSized(view, at, size)
    const ripHi = hiSized(view, at, size)
    const selector = view.getUint16(at + size, true)
    const flags = loSized(view, at + 2 * size, size)
    const mask = rflags.changeable(size)
    if ((flags & Rflag.VM) !== 0 && !state.longModeActive && state.cpl === 0) {
      this.onUnsupported('virtual-8086 mode')
      fault(state, Vector.GP, 0)
    }
    this.returnFar(selector, ripLo, ripHi, size, 3 * size, 0, state.long)
    rflags.writeMasked(flags, mask)
    if (size !== 2 && (flags & Rflag.RF) !== 0) rflags.resume()
    if ((i32[Word.ACTIVITY] & Activity.NMI_PENDING) !== 0) state.stop()
    i32[Word.ACTIVITY] &= ~Activity.IN_NMI
  }

  /** Far RET, releasing SYS_IMM bytes of parameters. */
  ret(): void {
    const { i32, view } = this.state
    const size = i32[Word.SYS_SIZE]
    const at = this.stack.peek(0, size * 2)
    const ripLo = loSized(view, at, size)
    const ripHi = hiSized(view, at, size)
    this.returnFar(view.getUint16(at + size, true), ripLo, ripHi, size, 2 * size, i32[Word.SYS_IMM] & 0xffff, false)
  }

  /**
   * What far RET and IRET share: checks the code segment, on a return to an outer level the stack segment too, and goes there.
   *
   * @param frameBytes popped so far; `parameterBytes` lie between them and the outer stack pointer.
   * @param always pops SS:RSP even without a change of level, as IRETQ does.
   */
  private returnFar(
    selector: number, ripLo: number, ripHi: number, size: number, frameBytes: number, parameterBytes: number, always: boolean,
  ): void {
    const { state, segments, stack } = this
    const { view } = state
    const { cpl } = state
    const error = selector & 0xfffc
    const rpl = selector & 3
    if (isNull(selector)) fault(state, Vector.GP, 0)
    segments.fetch(selector)
    if (!isCode(segments.hi) || rpl < cpl) fault(state, Vector.GP, error)
    const dpl = dplOf(segments.hi)
    if ((segments.hi & Descriptor.CONFORMING) !== 0 ? dpl > rpl : dpl !== rpl) fault(state, Vector.GP, error)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, error)
    this.checkTarget(error, ripLo, ripHi)

    if (rpl === cpl && !always) {
      segments.markAccessed()
      stack.release(frameBytes + parameterBytes)
      segments.install(SegmentIndex.CS, selector)
    } else {
      const codeLo = segments.lo
      const codeHi = segments.hi | Descriptor.ACCESSED
      segments.markAccessed()
      const at = stack.peek(frameBytes + parameterBytes, size * 2)
      const spLo = loSized(view, at, size)
      const spHi = hiSized(view, at, size)
      const ss = view.getUint16(at + size, true)
      const toLong = state.longModeActive && (codeHi & Descriptor.L) !== 0
      if (isNull(ss)) {
        if (!toLong || rpl === 3 || (ss & 3) !== rpl) fault(state, Vector.GP, 0)
        segments.loadNullStack(ss, rpl)
      } else {
        segments.checkStack(ss, rpl, Vector.GP)
        segments.markAccessed()
        segments.install(SegmentIndex.SS, ss)
      }
      segments.lo = codeLo
      segments.hi = codeHi
      segments.install(SegmentIndex.CS, selector)
      if (toLong || state.long || (state.attributes(SegmentIndex.SS) & SegmentAttribute.DB) !== 0) state.setRsp(spLo, spHi)
      else state.setRsp((state.gprLo(Gpr.RSP) & 0xffff0000) | (spLo & 0xffff), 0)
      if (rpl > cpl) segments.dropPrivileged(rpl)
    }
    state.setRip(ripLo, ripHi)
    state.updateMode()
    if (rpl > cpl && parameterBytes !== 0) stack.release(parameterBytes)
  }

  /** SYSCALL. As on Intel's processors it exists in 64-bit mode only. */
  syscall(): void {
    const { state } = this
    const { i32 } = state
    if (!state.long || (i32[Word.EFER] & Efer.SCE) === 0) fault(state, Vector.UD, 0)
    state.setGpr(Gpr.RCX, i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1])
    state.setGpr(Gpr.R11, this.rflags.read(), 0)
    this.rflags.write(this.rflags.read() & ~i32[FMASK])
    const selector = i32[STAR_HI] & 0xfffc
    state.setSegment(SegmentIndex.CS, selector, FLAT_CODE64, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, (selector + 8) & 0xffff, FLAT_DATA, 0, 0, 0xffffffff)
    state.setRip(i32[LSTAR], i32[LSTAR + 1])
    state.updateMode()
  }

  /** SYSRET to 64-bit mode (operand size 8) or compatibility mode. */
  sysret(): void {
    const { state } = this
    const { i32 } = state
    if (!state.long || (i32[Word.EFER] & Efer.SCE) === 0) fault(state, Vector.UD, 0)
    if (state.cpl !== 0) fault(state, Vector.GP, 0)
    const to64 = i32[Word.SYS_SIZE] === 8
    const ripLo = state.gprLo(Gpr.RCX)
    const ripHi = to64 ? state.gprHi(Gpr.RCX) : 0
    if (!isCanonical(ripHi)) fault(state, Vector.GP, 0)
    this.rflags.write(state.gprLo(Gpr.R11) & SYSRET_FLAGS)
    const selector = i32[STAR_HI] >>> 16
    const code = ((selector + (to64 ? 16 : 0)) & 0xffff) | 3
    state.setSegment(SegmentIndex.CS, code, (to64 ? FLAT_CODE64 : FLAT_CODE32) | DPL3, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, ((selector + 8) & 0xffff) | 3, FLAT_DATA | DPL3, 0, 0, 0xffffffff)
    state.setRip(ripLo, ripHi)
    state.updateMode()
  }

  /** SYSENTER, SDM vol. 2. */
  sysenter(): void {
    const { state } = this
    const { i32 } = state
    const selector = i32[SYSENTER_CS] & 0xfffc
    if (selector === 0) fault(state, Vector.GP, 0)
    const long = state.longModeActive
    this.rflags.clear(Rflag.IF | Rflag.RF)
    state.setSegment(SegmentIndex.CS, selector, long ? FLAT_CODE64 : FLAT_CODE32, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, (selector + 8) & 0xffff, FLAT_DATA, 0, 0, 0xffffffff)
    state.setRsp(i32[SYSENTER_ESP], long ? i32[SYSENTER_ESP + 1] : 0)
    state.setRip(i32[SYSENTER_EIP], long ? i32[SYSENTER_EIP + 1] : 0)
    state.updateMode()
  }

  /** SYSEXIT to 64-bit mode (operand size 8) or to 32-bit code. */
  sysexit(): void {
    const { state } = this
    const { i32 } = state
    const selector = i32[SYSENTER_CS] & 0xfffc
    if (selector === 0 || state.cpl !== 0) fault(state, Vector.GP, 0)
    const to64 = i32[Word.SYS_SIZE] === 8
    const [ripLo, ripHi] = [state.gprLo(Gpr.RDX), to64 ? state.gprHi(Gpr.RDX) : 0]
    const [rspLo, rspHi] = [state.gprLo(Gpr.RCX), to64 ? state.gprHi(Gpr.RCX) : 0]
    if (!isCanonical(ripHi) || !isCanonical(rspHi)) fault(state, Vector.GP, 0)
    const code = ((selector + (to64 ? 32 : 16)) & 0xffff) | 3
    state.setSegment(SegmentIndex.CS, code, (to64 ? FLAT_CODE64 : FLAT_CODE32) | DPL3, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, (code + 8) & 0xffff, FLAT_DATA | DPL3, 0, 0, 0xffffffff)
    state.setRsp(rspLo, rspHi)
    state.setRip(ripLo, ripHi)
    state.updateMode()
  }

  swapgs(): void {
    const { state } = this
    const { i32 } = state
    if (!state.long) fault(state, Vector.UD, 0)
    if (state.cpl !== 0) fault(state, Vector.GP, 0)
    const lo = state.baseLo(SegmentIndex.GS)
    const hi = state.baseHi(SegmentIndex.GS)
    state.setSegmentBase(SegmentIndex.GS, i32[KERNEL_GS_BASE], i32[KERNEL_GS_BASE + 1])
    i32[KERNEL_GS_BASE] = lo
    i32[KERNEL_GS_BASE + 1] = hi
  }
}
