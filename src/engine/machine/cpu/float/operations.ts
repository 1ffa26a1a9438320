import { State } from '../state.ts'
import type { FloatContext } from './binary.ts'

/**
 * Instructions as the floating-point unit executes them when the short way in the tiers will not do. Operands are at State.FLOAT_A and
 * FLOAT_B, an immediate at FLOAT_IMMEDIATE; the result goes to FLOAT_R.
 */
export interface FloatLanes {
  get(operand: 'a' | 'b', bytes: 4 | 8, lane: number): bigint
  put(bytes: 4 | 8, lane: number, value: bigint): void
  immediate: number
  readonly context: FloatContext
  /** Between operations that follow on each other in one instruction: false when an exception so far is not masked. */
  goOn(): boolean
}
export type FloatEvaluate = (lanes: FloatLanes) => void

const OPERAND = { a: State.FLOAT_A, b: State.FLOAT_B } as const

export class FloatScratch implements FloatLanes {
  readonly context: FloatContext
  readonly goOn: () => boolean
  private readonly view: DataView
  constructor(view: DataView, context: FloatContext, goOn: () => boolean) {
    this.view = view
    this.context = context
    this.goOn = goOn
  }
  get immediate(): number {
    return this.view.getUint32(State.FLOAT_IMMEDIATE, true)
  }
  set immediate(value: number) {
    this.view.setUint32(State.FLOAT_IMMEDIATE, value, true)
  }
  get(operand: 'a' | 'b', bytes: 4 | 8, lane: number): bigint {
    const at = OPERAND[operand] + lane * bytes
    return bytes === 4 ? BigInt(this.view.getUint32(at, true)) : this.view.getBigUint64(at, true)
  }
  put(bytes: 4 | 8, lane: number, value: bigint): void {
    const at = State.FLOAT_R + lane * bytes
    if (bytes === 4) this.view.setUint32(at, Number(BigInt.asUintN(32, value)), true)
    else this.view.setBigUint64(at, BigInt.asUintN(64, value), true)
  }
}
