import type { LinearMemory } from '../system/linear.ts'
import type { Rflags } from '../system/rflags.ts'
import type { CpuState } from '../system/views.ts'
import type { Order } from './arithmetic.ts'
import { Exception, INDEFINITE, SIGNIFICAND_BITS } from './float80.ts'
import type { Context, Float80 } from './float80.ts'
import { MemoryOperand } from './operand.ts'
import { EXCEPTIONS, FpuRegisters, Status } from './registers.ts'

/** Significand bits by precision control, SDM vol. 1, table 8-2; 1 is reserved. */
const PRECISIONS = [24, 64, 53, 64] as const
/** Exceptions that are found before an operation: unmasked, they keep it from being carried out. */
const BEFORE = Exception.INVALID | Exception.DENORMAL | Exception.ZERO_DIVIDE | Exception.STACK
export const CONDITIONS = Status.C0 | Status.C1 | Status.C2 | Status.C3
const CONDITIONS_OF: Record<Order, number> = {
  greater: 0, less: Status.C0, equal: Status.C3, unordered: Status.C0 | Status.C2 | Status.C3,
}

/** A result from two operands, of which it may take only the first. */
export type Operation = (context: Context, a: Float80, b: Float80) => Float80

/** What an instruction of the x87 works with: the stack, its operand in memory, and the exceptions it raises. */
export class Unit {
  readonly state: CpuState
  readonly rflags: Rflags
  readonly registers: FpuRegisters
  readonly operand: MemoryOperand
  readonly context: Context = { rounding: 0, precision: SIGNIFICAND_BITS, flags: 0, masked: 0, narrowDenormal: false, roundedUp: false }

  constructor(state: CpuState, linear: LinearMemory, rflags: Rflags) {
    this.state = state
    this.rflags = rflags
    this.registers = new FpuRegisters(state)
    this.operand = new MemoryOperand(state, linear)
  }

  /** Sets the context up for the next instruction, from the control word. */
  begin(): void {
    const { context } = this
    const { control } = this.registers
    context.rounding = (control >> 10) & 3
    context.precision = PRECISIONS[(control >> 8) & 3]
    context.masked = control & EXCEPTIONS
    context.flags = 0
    context.narrowDenormal = false
    context.roundedUp = false
  }

  /** An exception that is not masked was raised by this instruction. */
  get unmasked(): boolean {
    return (this.context.flags & ~this.context.masked & EXCEPTIONS) !== 0
  }

  /** An exception that is not masked keeps the result from being written. */
  get isPrevented(): boolean {
    return this.raised !== 0
  }
  private get raised(): number {
    return this.context.flags & ~this.context.masked & BEFORE & EXCEPTIONS
  }

  /** Books what was raised and how the result was rounded (C1). False: nothing may be written. */
  book(): boolean {
    this.registers.status &= ~Status.C1
    return this.bookFlags()
  }

  /** As `book`, but C1 stays as it is unless the stack or rounding has something to say. */
  bookFlags(): boolean {
    const { context, registers, isPrevented } = this
    if (isPrevented) {
      context.flags &= BEFORE
      context.roundedUp &&= (context.flags & Exception.STACK) !== 0
    }
    const status = (context.flags & Exception.STACK) !== 0 ? registers.status & ~Status.C1 : registers.status
    registers.status = status | context.flags | (context.roundedUp ? Status.C1 : 0)
    return !isPrevented
  }

  /** Whether one or two registers hold something; if not, that is a stack underflow. */
  has(index: number, other = index): boolean {
    const { registers, context } = this
    if (!registers.isEmpty(index) && !registers.isEmpty(other)) return true
    context.flags = Exception.INVALID | Exception.STACK
    context.roundedUp = false
    return false
  }

  /** Computes from two registers, or twice the same, into one. The masked answer to a stack underflow is the indefinite. */
  compute(destination: number, first: number, second: number, operation: Operation): boolean {
    const { registers, context } = this
    const value = this.has(first, second) ? operation(context, registers.get(first), registers.get(second)) : INDEFINITE
    if (!this.book()) return false
    registers.set(destination, value)
    return true
  }

  push(value: Float80, harmless = 0): void {
    this.pushAnyway(this.hasRoom() ? value : INDEFINITE, harmless)
  }

  /** Pushes over whatever is there. `harmless`: an exception that does not prevent it. */
  pushAnyway(value: Float80, harmless = 0): void {
    const isPushed = (this.raised & ~harmless) === 0
    this.book()
    if (!isPushed) return
    this.registers.top--
    this.registers.set(0, value)
  }

  /** Whether another register can be pushed; if not, that is a stack overflow, told from an underflow by C1. */
  hasRoom(): boolean {
    if (this.registers.isEmpty(7)) return true
    this.context.flags = Exception.INVALID | Exception.STACK
    this.context.roundedUp = true
    return false
  }

  /** Computes two results from ST(0): one replaces it, the other is pushed. */
  computeTwo(operation: (context: Context, x: Float80) => readonly [replacing: Float80, pushed: Float80]): void {
    const { registers, context } = this
    const [replacing, pushed] = this.has(0) && this.hasRoom() ? operation(context, registers.get(0)) : [INDEFINITE, INDEFINITE]
    if (!this.book()) return
    registers.set(0, replacing)
    registers.top--
    registers.set(0, pushed)
  }

  pop(): void {
    this.registers.free(0)
    this.registers.top++
  }

  setConditions(bits: number): void {
    this.registers.status = (this.registers.status & ~CONDITIONS) | bits
  }

  /** Leaves the outcome of a comparison in C3, C2 and C0. False: an exception forbids to pop. */
  order(order: Order): boolean {
    const isDone = this.book()
    this.setConditions(CONDITIONS_OF[order])
    return isDone
  }
}
