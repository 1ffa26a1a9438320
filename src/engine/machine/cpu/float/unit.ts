import { State, Vector } from '../state.ts'
import { setFault } from '../system/faults.ts'
import { Cr4, Word } from '../system/views.ts'
import type { CpuState } from '../system/views.ts'
import { MASK_SHIFT, Mxcsr, RC_SHIFT } from './binary.ts'
import type { FloatContext } from './binary.ts'
import { FloatScratch } from './operations.ts'
import type { FloatEvaluate } from './operations.ts'

/**
 * How far the tiers may go by themselves (State.FLOAT_CLASS). In each of them a result that is neither tiny, infinite nor a NaN, of
 * operands that are not denormal, is what Wasm computes, and all that can have happened is that it was rounded.
 */
export const FloatClass = {
  /** Rounding to nearest, and PE is set and masked: it does not matter whether a result was rounded. */
  STICKY: 0,
  /** Rounding to nearest: a result must be exact, or else PE has to be set or #XM raised. */
  EXACT: 1,
  /** Another rounding: nothing. */
  NONE: 2,
} as const
export type FloatClass = (typeof FloatClass)[keyof typeof FloatClass]

export function floatClassOf(mxcsr: number): FloatClass {
  if ((mxcsr & Mxcsr.RC) !== 0) return FloatClass.NONE
  const sticky = Mxcsr.PE | Mxcsr.PM
  return (mxcsr & sticky) === sticky ? FloatClass.STICKY : FloatClass.EXACT
}

/** Sets MXCSR and what follows from it. */
export function setMxcsr(state: CpuState, value: number): void {
  state.u32[State.MXCSR >> 2] = value
  state.i32[State.FLOAT_CLASS >> 2] = floatClassOf(value)
}

/** Exceptions found before anything is computed (SDM vol. 1, 11.5.3). */
const BEFORE = Mxcsr.IE | Mxcsr.DE | Mxcsr.ZE

/** The SSE floating-point unit with all of MXCSR, for whatever the tiers cannot decide in line. */
export class FloatUnit {
  private readonly state: CpuState
  private readonly scratch: FloatScratch
  /** MXCSR before the operation, with the flags of those that came before it in the instruction. */
  private mxcsr = 0
  private readonly context: FloatContext = {
    rounding: 0, denormalsAreZeros: false, flushToZero: false, underflowMasked: true, overflowMasked: true, flags: 0,
  }

  constructor(state: CpuState) {
    this.state = state
    this.scratch = new FloatScratch(state.view, this.context, () => this.settle())
  }

  /** @returns 0 with the result at State.FLOAT_R and the flags in MXCSR; or 1 with State.FAULT_VECTOR set and no result. */
  execute(evaluate: FloatEvaluate): number {
    const { state, context } = this
    const mxcsr = state.u32[State.MXCSR >> 2]
    context.rounding = (mxcsr & Mxcsr.RC) >> RC_SHIFT
    context.denormalsAreZeros = (mxcsr & Mxcsr.DAZ) !== 0
    context.underflowMasked = (mxcsr & Mxcsr.UM) !== 0
    context.overflowMasked = (mxcsr & Mxcsr.OM) !== 0
    context.flushToZero = (mxcsr & Mxcsr.FTZ) !== 0
    context.flags = 0
    this.mxcsr = mxcsr
    evaluate(this.scratch)
    if (!this.settle()) return this.fault(this.mxcsr)
    if (this.mxcsr !== mxcsr) setMxcsr(state, this.mxcsr)
    return 0
  }

  /** Adds an operation's flags to MXCSR; false when one is not masked. What is found before computing then hides the rest. */
  private settle(): boolean {
    const { context } = this
    const { flags } = context
    const unmasked = ~(this.mxcsr >> MASK_SHIFT)
    const before = flags & BEFORE
    this.mxcsr |= (before & unmasked) !== 0 ? before : flags
    if ((flags & unmasked) !== 0) return false
    context.flags = 0
    return true
  }

  private fault(mxcsr: number): number {
    const { state } = this
    setMxcsr(state, mxcsr)
    setFault(state, (state.i32[Word.CR4] & Cr4.OSXMMEXCPT) !== 0 ? Vector.XM : Vector.UD, 0)
    return 1
  }
}
