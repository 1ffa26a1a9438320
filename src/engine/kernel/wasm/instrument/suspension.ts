import type { FunctionType } from '../binary/module.ts'
import { Op, ValueType } from '../binary/opcodes.ts'
import type { Emitter } from './emitter.ts'
import { padded } from './emitter.ts'
import { frameBytes } from './frame.ts'
import type { Layout } from './layout.ts'
import { CallState } from './layout.ts'
import { ENTRY_PLACE } from './outline.ts'

/** The variables that the rewriting adds in front of the slots. */
export interface OwnVariables {
  /** Place to resume at when suspending or resuming, else 0. */
  place: number
  scratch: number
  fuel: number
}

/** The code that suspends and resumes, the same in every function. */
export class Suspension {
  private readonly layout: Layout
  private readonly own: OwnVariables

  constructor(layout: Layout, own: OwnVariables) {
    this.layout = layout
    this.own = own
  }

  /** Takes `cost` units of fuel. */
  burn(code: Emitter, cost: number): void {
    const { fuel } = this.layout
    code.getGlobal(fuel).i64(cost).op(Op.I64_SUB).setGlobal(fuel)
  }

  /** Takes fuel and leaves whether there was not enough. */
  burnAndTest(code: Emitter, cost: number): void {
    const { fuel } = this.layout
    code.getGlobal(fuel).i64(cost).op(Op.I64_SUB).tee(this.own.fuel).setGlobal(fuel)
    code.get(this.own.fuel).i64(0).op(Op.I64_LT_S)
  }

  /** Goes to the code that saves the frame and returns: the outermost label of every function. */
  suspend(code: Emitter, place: number): void {
    code.i32(place).set(this.own.place).branch(Op.BR, 1)
  }

  /** Nobody has suspended yet: this place does. */
  beginSuspending(code: Emitter, place: number): void {
    code.i32(CallState.SUSPENDING).setGlobal(this.layout.state)
    this.suspend(code, place)
  }

  /** The place where the innermost call was suspended is reached: from here on the code runs as ever. */
  resumed(code: Emitter): void {
    const { state, fuel, refill } = this.layout
    code.i32(0).set(this.own.place)
    code.i32(CallState.RUNNING).setGlobal(state)
    code.getGlobal(refill).setGlobal(fuel)
  }

  /**
   * Branches to the stop that contains the place; goes on behind the innermost open label when none does.
   * @param enclosing labels opened since the stops' blocks, at least 1
   */
  dispatch(code: Emitter, stops: readonly number[], firstPlace: number, enclosing: number): void {
    if (stops.length === 0) return
    code.get(this.own.place).i32(firstPlace).op(Op.I32_SUB, Op.BR_TABLE)
    code.out.u32(stops[stops.length - 1] - firstPlace + 1)
    let place = firstPlace
    stops.forEach((last, stop) => {
      for (; place <= last; place++) code.out.u32(stop + enclosing)
    })
    code.out.u32(0)
  }

  /** A check of the fuel that is a stop of its own. */
  check(code: Emitter, place: number): void {
    code.get(this.own.place).if()
    this.resumed(code)
    code.op(Op.ELSE).getGlobal(this.layout.fuel).i64(0).op(Op.I64_LT_S).if()
    this.beginSuspending(code, place)
    code.end().end()
  }

  /** Behind a call: when it was suspended this function is too. */
  checkCall(code: Emitter, place: number): void {
    code.getGlobal(this.layout.state).if()
    this.suspend(code, place)
    code.end()
    code.i32(0).set(this.own.place)
  }

  /** A loop's head. */
  loopHead(code: Emitter, cost: number, place: number, stops: readonly number[]): void {
    this.burnAndTest(code, cost)
    code.if().get(this.own.place).if()
    this.dispatch(code, stops, place + 1, 2)
    code.op(Op.ELSE)
    this.beginSuspending(code, place)
    code.end()
    this.resumed(code)
    code.end()
  }

  /** A function's entry. `saved` are its variables, `types` those of all. */
  entry(code: Emitter, cost: number, stops: readonly number[], saved: readonly number[], types: readonly number[]): void {
    const { layout, own } = this
    this.burnAndTest(code, cost)
    code.if().getGlobal(layout.state).i32(CallState.RESUMING).op(Op.I32_EQ).if()
    code.call(layout.pop(ValueType.I32)).op(Op.DROP)
    code.call(layout.pop(ValueType.I32)).set(own.place)
    for (const variable of [...saved].reverse()) code.call(layout.pop(types[variable])).set(variable)
    this.dispatch(code, stops, ENTRY_PLACE + 1, 2)
    code.op(Op.ELSE)
    this.beginSuspending(code, ENTRY_PLACE)
    code.end()
    this.resumed(code)
    code.end()
  }

  /** Takes a function's share of the stack limit. */
  enter(code: Emitter, types: readonly number[], type: FunctionType): void {
    const { layout, own } = this
    code.getGlobal(layout.stack).i32(frameBytes(types, type)).op(Op.I32_SUB).tee(own.scratch).setGlobal(layout.stack)
    code.get(own.scratch).i32(0).op(Op.I32_LT_S).if().call(layout.overflow).op(Op.UNREACHABLE).end()
  }

  /** Gives it back and returns; the results are on the operand stack. Says where the size of the frame is written. */
  leave(code: Emitter, types: readonly number[], type: FunctionType): number {
    const { stack } = this.layout
    code.getGlobal(stack).op(Op.I32_CONST)
    const at = code.out.length
    code.op(...padded(frameBytes(types, type)), Op.I32_ADD).setGlobal(stack).op(Op.RETURN)
    return at
  }

  /** Where `suspend` goes: saves the frame and returns zeros. */
  save(code: Emitter, index: number, saved: readonly number[], types: readonly number[], results: readonly number[]): void {
    const { layout } = this
    for (const variable of saved) code.get(variable).call(layout.push(types[variable]))
    code.get(this.own.place).call(layout.push(ValueType.I32))
    code.i32(index).call(layout.push(ValueType.I32))
    for (const type of results) code.zero(type)
  }
}
