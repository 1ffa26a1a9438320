import { Activity, Rflag, SegmentAttribute, SegmentIndex, State, Vector } from '../state.ts'
import type { DebugRegisters } from './debug.ts'
import { FAULT, fault, setFault } from './faults.ts'
import { isWithin } from './limits.ts'
import { As, type LinearMemory } from './linear.ts'
import type { Rflags } from './rflags.ts'
import { Descriptor, dplOf, isCode, isNull, type Segments, SystemType } from './segments.ts'
import type { Stack } from './stack.ts'
import { Switch, type Tasks } from './tasks.ts'
import { type CpuState, isCanonical, joinHalves, Word } from './views.ts'

const IDTR = State.IDTR_BASE >> 2
const IDTR_LIMIT = State.IDTR_LIMIT >> 2

/** Bits of the error code of #TS, #NP, #SS and #GP, SDM vol. 3, 6.13. */
const SelectorError = { EXT: 1, IDT: 2 } as const

/** Vectors that push an error code, and vectors that are traps: these report the next instruction and push RF as it is. */
const WITH_ERROR_CODE =
  (1 << Vector.DF) | (1 << Vector.TS) | (1 << Vector.NP) | (1 << Vector.SS) | (1 << Vector.GP) | (1 << Vector.PF) | (1 << Vector.AC)
const TRAPS = (1 << Vector.BP) | (1 << Vector.OF) | (1 << Vector.NMI)
const CONTRIBUTORY = (1 << Vector.DE) | (1 << Vector.TS) | (1 << Vector.NP) | (1 << Vector.SS) | (1 << Vector.GP)
const SELECTOR_ERRORS = (1 << Vector.TS) | (1 << Vector.NP) | (1 << Vector.SS) | (1 << Vector.GP)

const NAMES = [
  '#DE', '#DB', 'NMI', '#BP', '#OF', '#BR', '#UD', '#NM', '#DF', 'vector 9', '#TS', '#NP', '#SS', '#GP', '#PF', 'vector 15', '#MF', '#AC',
  '#MC', '#XM',
]

export interface ExceptionParts {
  state: CpuState
  linear: LinearMemory
  segments: Segments
  rflags: Rflags
  debug: DebugRegisters
  stack: Stack
  tasks: Tasks
}

/** Delivers exceptions and interrupts through the IDT: SDM vol. 3, chapter 6. */
export class Exceptions {
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private readonly segments: Segments
  private readonly rflags: Rflags
  private readonly debug: DebugRegisters
  private readonly stack: Stack
  private readonly tasks: Tasks
  /** What led to the shutdown state, for the person who looks at the machine. */
  shutdownReason = ''

  constructor({ state, linear, segments, rflags, debug, stack, tasks }: ExceptionParts) {
    this.state = state
    this.linear = linear
    this.segments = segments
    this.rflags = rflags
    this.debug = debug
    this.stack = stack
    this.tasks = tasks
  }

  /** Makes an exception pending; `deliver` carries it out. A page fault needs CR2 set besides. */
  raise(vector: number, errorCode = 0): void {
    setFault(this.state, vector, errorCode)
  }

  /**
   * Delivers the pending exception, State.FAULT_VECTOR with FAULT_ERROR, State.RIP being what its class says (the instruction for a
   * fault, the next one for a trap). What goes wrong on the way becomes another exception, a double fault or shutdown (SDM vol. 3,
   * table 6-5).
   */
  deliver(): void {
    const { i32 } = this.state
    this.carryOut(i32[Word.FAULT_VECTOR], i32[Word.FAULT_ERROR], false)
  }

  /**
   * Delivers #DB as a trap or for an instruction's breakpoint, which pushes RF as it is; `deliver` is for the fault that DR7.GD makes.
   *
   * @param bits of DR6
   * @param resume RF, between the repetitions of a string instruction
   */
  debugTrap(bits: number, resume = 0): void {
    this.state.i32[Word.ACTIVITY] &= ~Activity.HALTED
    this.debug.report(bits)
    this.carryOut(Vector.DB, 0, false, resume)
  }

  /**
   * Delivers an external interrupt and wakes a halted processor. State.RIP is the next instruction, which RF is about: it is pushed as it
   * is (SDM vol. 3, 18.3.1.1).
   */
  interrupt(vector: number): void {
    this.state.i32[Word.ACTIVITY] &= ~Activity.HALTED
    this.carryOut(vector, 0, true, this.state.i32[Word.SYSFLAGS] & Rflag.RF)
  }

  /**
   * INT n, INT3, INTO, INT1: State.RIP is the instruction, SYS_NEXT_RIP what the handler returns to. Throws FAULT, with nothing
   * changed, when the gate cannot be entered.
   *
   * @param privileged INT1 only: the gate's DPL is not compared with CPL, and the event counts as external.
   */
  softwareInterrupt(vector: number, privileged = false): void {
    const { i32 } = this.state
    const ripLo = i32[Word.RIP]
    const ripHi = i32[Word.RIP + 1]
    const task = this.state.selector(SegmentIndex.TR)
    this.state.setRip(i32[Word.SYS_NEXT_RIP], i32[Word.SYS_NEXT_RIP + 1])
    try {
      this.enter(vector, false, 0, !privileged, 0)
      if (privileged) this.debug.entered()
    } catch (thrown) {
      if (this.state.selector(SegmentIndex.TR) === task) this.state.setRip(ripLo, ripHi)
      if (thrown === FAULT && privileged) this.addExt()
      throw thrown
    }
  }

  private carryOut(first: number, firstError: number, external: boolean, ofTrap = -1): void {
    const { state } = this
    const { i32 } = state
    let vector = first
    let error = firstError
    let benign = external || !isContributory(vector)
    i32[Word.FAULT_VECTOR] = -1
    for (;;) {
      const exception = !external
      const bit = 1 << vector
      const withError = exception && vector < 32 && (WITH_ERROR_CODE & bit) !== 0
      const resume = ofTrap >= 0 ? ofTrap : exception && !(vector < 32 && (TRAPS & bit) !== 0) ? Rflag.RF : 0
      try {
        this.enter(vector, withError, error, false, resume)
        if (vector === Vector.DB && exception) this.debug.entered()
        return
      } catch (thrown) {
        if (thrown !== FAULT) throw thrown
      }
      ofTrap = -1
      this.addExt()
      const next = i32[Word.FAULT_VECTOR]
      const nextError = i32[Word.FAULT_ERROR]
      i32[Word.FAULT_VECTOR] = -1
      if (vector === Vector.DF && exception) {
        this.shutDown(next, nextError)
        return
      }
      const pageFault = exception && vector === Vector.PF
      if ((!benign && isContributory(next)) || (pageFault && (isContributory(next) || next === Vector.PF))) {
        vector = Vector.DF
        error = 0
      } else {
        vector = next
        error = nextError
      }
      external = false
      benign = !isContributory(vector)
    }
  }

  /** A fault met while an event from outside the program was being delivered has EXT set in its selector error code. */
  private addExt(): void {
    const { i32 } = this.state
    const vector = i32[Word.FAULT_VECTOR]
    if (vector < 32 && (SELECTOR_ERRORS & (1 << vector)) !== 0) i32[Word.FAULT_ERROR] |= SelectorError.EXT
  }

  private shutDown(vector: number, error: number): void {
    const { i32 } = this.state
    const rip = joinHalves(i32[Word.RIP], i32[Word.RIP + 1]).toString(16)
    const last = `${NAMES[vector] ?? `vector ${vector}`} (error code 0x${error.toString(16)})`
    this.shutdownReason = `${last} while delivering a double fault, RIP 0x${rip}`
    i32[Word.ACTIVITY] |= Activity.SHUTDOWN
    this.state.stop()
  }

  /** Enters the handler of a vector. Throws FAULT, with no register changed, when that is not possible. */
  private enter(vector: number, withError: boolean, error: number, software: boolean, resume: number): void {
    if (this.state.longModeActive) this.enterLong(vector, withError, error, software, resume)
    else this.enterProtected(vector, withError, error, software, resume)
  }

  /** SDM vol. 3, 6.14: sixteen-byte gates, a frame of quadwords, always with SS and RSP. */
  private enterLong(vector: number, withError: boolean, error: number, software: boolean, resume: number): void {
    const { state, segments, linear } = this
    const { i32, view } = state
    const cpl = i32[Word.CPL]
    const gateError = vector * 8 + SelectorError.IDT
    if (vector * 16 + 15 > state.u32[IDTR_LIMIT]) fault(state, Vector.GP, gateError)
    const gateAt = (i32[IDTR] >>> 0) + vector * 16
    const gate = linear.reading(gateAt | 0, gateAt > 0xffffffff ? (i32[IDTR + 1] + 1) | 0 : i32[IDTR + 1], 16, As.SYSTEM)
    const gate0 = view.getInt32(gate, true)
    const gate1 = view.getInt32(gate + 4, true)
    const targetHi = view.getInt32(gate + 8, true)
    const type = (gate1 >> 8) & 0x1f
    if (type !== SystemType.INTERRUPT_GATE && type !== SystemType.TRAP_GATE) fault(state, Vector.GP, gateError)
    if (software && dplOf(gate1) < cpl) fault(state, Vector.GP, gateError)
    if ((gate1 & Descriptor.P) === 0) fault(state, Vector.NP, gateError)

    const selector = gate0 >>> 16
    const newCpl = this.fetchHandlerCode(selector, cpl)
    if ((segments.hi & (Descriptor.L | Descriptor.DB)) !== Descriptor.L) fault(state, Vector.GP, selector & 0xfffc)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, selector & 0xfffc)

    let stackLo = i32[Word.RSP]
    let stackHi = i32[Word.RSP + 1]
    const ist = gate1 & 7
    if (ist !== 0 || newCpl < cpl) {
      // Figure 7-11: RSP0 at 4, IST1 at 36.
      const slot = segments.taskField(ist !== 0 ? 28 + ist * 8 : 4 + newCpl * 8, 8)
      stackLo = view.getInt32(slot, true)
      stackHi = view.getInt32(slot + 4, true)
      if (!isCanonical(stackHi)) fault(state, Vector.SS, 0)
    }
    if (!isCanonical(targetHi)) fault(state, Vector.GP, 0)

    const bytes = withError ? 48 : 40
    const aligned = (stackLo & ~15) >>> 0
    const frameLo = (aligned - bytes) | 0
    const frameHi = aligned < bytes ? (stackHi - 1) | 0 : stackHi
    const flags = this.rflags.readImage() | resume
    let at = linear.pushing(frameLo, frameHi, bytes, 8, newCpl === 3 ? As.PROGRAM | As.STACK : As.SYSTEM | As.STACK)
    if (withError) {
      view.setInt32(at, error, true)
      view.setInt32(at + 4, 0, true)
      at += 8
    }
    view.setInt32(at, i32[Word.RIP], true)
    view.setInt32(at + 4, i32[Word.RIP + 1], true)
    view.setInt32(at + 8, state.selector(SegmentIndex.CS), true)
    view.setInt32(at + 12, 0, true)
    view.setInt32(at + 16, flags, true)
    view.setInt32(at + 20, 0, true)
    view.setInt32(at + 24, i32[Word.RSP], true)
    view.setInt32(at + 28, i32[Word.RSP + 1], true)
    view.setInt32(at + 32, state.selector(SegmentIndex.SS), true)
    view.setInt32(at + 36, 0, true)
    linear.commit()

    segments.markAccessed()
    segments.install(SegmentIndex.CS, (selector & 0xfffc) | newCpl)
    if (newCpl < cpl) segments.loadNullStack(newCpl, newCpl)
    state.setRsp(frameLo, frameHi)
    state.setRip((gate0 & 0xffff) | (gate1 & 0xffff0000), targetHi)
    this.clearFlags(type === SystemType.INTERRUPT_GATE)
    state.updateMode()
  }

  /** SDM vol. 3, 6.12: eight-byte gates; SS and ESP are pushed, and replaced from the TSS, only when the privilege level changes. */
  private enterProtected(vector: number, withError: boolean, error: number, software: boolean, resume: number): void {
    const { state, segments, linear } = this
    const { i32, view } = state
    const cpl = i32[Word.CPL]
    const gateError = vector * 8 + SelectorError.IDT
    if (vector * 8 + 7 > state.u32[IDTR_LIMIT]) fault(state, Vector.GP, gateError)
    const gate = linear.reading((i32[IDTR] + vector * 8) | 0, 0, 8, As.SYSTEM)
    const gate0 = view.getInt32(gate, true)
    const gate1 = view.getInt32(gate + 4, true)
    const type = (gate1 >> 8) & 0x1f
    const wide = type === SystemType.INTERRUPT_GATE || type === SystemType.TRAP_GATE
    const isTask = type === SystemType.TASK_GATE
    if (!wide && !isTask && type !== SystemType.INTERRUPT_GATE16 && type !== SystemType.TRAP_GATE16) fault(state, Vector.GP, gateError)
    if (software && dplOf(gate1) < cpl) fault(state, Vector.GP, gateError)
    if ((gate1 & Descriptor.P) === 0) fault(state, Vector.NP, gateError)

    const selector = gate0 >>> 16
    if (isTask) {
      const size = this.tasks.switch(selector, Switch.CALL, this.rflags.readImage() | resume)
      if (withError) this.stack.push(error, 0, size)
      return
    }
    const newCpl = this.fetchHandlerCode(selector, cpl)
    if ((segments.hi & Descriptor.P) === 0) fault(state, Vector.NP, selector & 0xfffc)
    const target = wide ? (gate0 & 0xffff) | (gate1 & 0xffff0000) : gate0 & 0xffff
    if (target >>> 0 > segments.limit) fault(state, Vector.GP, 0)

    const outer = newCpl < cpl
    const size = wide ? 4 : 2
    const bytes = ((outer ? 5 : 3) + (withError ? 1 : 0)) * size
    let stack = i32[Word.RSP]
    let stackSelector = 0
    let stackBase = state.baseLo(SegmentIndex.SS)
    let stackAttributes = state.attributes(SegmentIndex.SS)
    let stackLimit = state.limit(SegmentIndex.SS)
    if (outer) {
      const narrowTask = (state.attributes(SegmentIndex.TR) & 8) === 0
      const slot = segments.taskField(narrowTask ? 2 + newCpl * 4 : 4 + newCpl * 8, narrowTask ? 4 : 6)
      stack = narrowTask ? view.getUint16(slot, true) : view.getInt32(slot, true)
      stackSelector = view.getUint16(slot + (narrowTask ? 2 : 4), true)
      if (isNull(stackSelector)) fault(state, Vector.TS, 0)
      segments.checkStack(stackSelector, newCpl, Vector.TS)
      stackBase = segments.base
      stackAttributes = segments.attributes
      stackLimit = segments.limit
    }
    const mask = (stackAttributes & SegmentAttribute.DB) !== 0 ? -1 : 0xffff
    const top = (stack - bytes) & mask
    if (!isWithin(stackAttributes, stackLimit, top, bytes)) fault(state, Vector.SS, outer ? stackSelector & 0xfffc : 0)
    const flags = this.rflags.readImage() | resume
    let at = linear.pushing((stackBase + top) | 0, 0, bytes, size, newCpl === 3 ? As.PROGRAM | As.STACK : As.SYSTEM | As.STACK)
    const put = (value: number): void => {
      if (wide) view.setInt32(at, value, true)
      else view.setInt16(at, value, true)
      at += size
    }
    if (withError) put(error)
    put(i32[Word.RIP])
    put(state.selector(SegmentIndex.CS))
    put(flags)
    if (outer) {
      put(i32[Word.RSP])
      put(state.selector(SegmentIndex.SS))
    }
    linear.commit()

    if (outer) {
      segments.markAccessed()
      segments.install(SegmentIndex.SS, stackSelector)
    }
    segments.fetch(selector)
    segments.markAccessed()
    segments.install(SegmentIndex.CS, (selector & 0xfffc) | newCpl)
    state.setRsp(mask === -1 ? top : (i32[Word.RSP] & 0xffff0000) | top, 0)
    state.setRip(target, 0)
    this.clearFlags(type === SystemType.INTERRUPT_GATE || type === SystemType.INTERRUPT_GATE16)
    state.updateMode()
  }

  /** Reads the descriptor of a handler's code segment and answers the privilege level it will run at. */
  private fetchHandlerCode(selector: number, cpl: number): number {
    const { state, segments } = this
    if (isNull(selector)) fault(state, Vector.GP, 0)
    segments.fetch(selector)
    const dpl = dplOf(segments.hi)
    if (!isCode(segments.hi) || dpl > cpl) fault(state, Vector.GP, selector & 0xfffc)
    return (segments.hi & Descriptor.CONFORMING) !== 0 ? cpl : dpl
  }

  private clearFlags(interruptGate: boolean): void {
    this.rflags.clear(Rflag.TF | Rflag.NT | Rflag.RF | (interruptGate ? Rflag.IF : 0))
  }
}

function isContributory(vector: number): boolean {
  return vector < 32 && (CONTRIBUTORY & (1 << vector)) !== 0
}
