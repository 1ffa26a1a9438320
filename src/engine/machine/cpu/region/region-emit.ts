import type { Code } from '../../wasm/code.ts'
import { Op, SimdOp, Type } from '../../wasm/opcodes.ts'
import type { Instruction } from '../decode.ts'
import type { Division, FloatInputs, FloatOperation, Value } from '../emit.ts'
import { EXPLICIT_OP, FlagWriter, ccKindOf, ccOp, ccSizeOf } from '../flags.ts'
import type { CcKind } from '../flags.ts'
import { DR7, DR7_ENABLES, Gpr, ModeBit, State } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { Cr4 } from '../system/views.ts'
import type { ReciprocalDivision } from './division.ts'
import { Local } from './locals.ts'
import { RegionMemory } from './region-memory.ts'
import type { FoundMemory, MemoryOptions } from './region-memory.ts'
import type { VectorConstants } from './vector-constants.ts'

/** What is known of the flags at a point: the operation they come from, or nothing; and whether CARRY holds CF. */
export interface FlagState {
  op: number | undefined
  carryKnown: boolean
}
export const FLAGS_UNKNOWN: FlagState = { op: undefined, carryKnown: false }

/** What ends a block, called from its last instruction's body. */
export interface ControlSink {
  jump(): void
  branch(condition: Value): void
  call(): void
  indirect(target: Value): void
}

/** What a region's module imports when it asks the machine: portIn(port, size) → value; timeStamp(), to State.SYS_VALUE. */
export const MachineFunction = { PORT_IN: 0, TIME_STAMP: 1 } as const

/** What is known of an instruction from those around it. */
interface Surroundings extends FoundMemory {
  /** It is the multiplication of one. */
  division?: ReciprocalDivision
  /** It is the shift of one. */
  isQuotient?: boolean
  /** It is a division whose quotient nobody reads. */
  isRemainderOnly?: boolean
}

export interface RegionOptions extends MemoryOptions {
  /** FloatClass.EXACT: a rounded result is tier 0's. */
  exact: boolean
  constants?: VectorConstants
  sink: ControlSink
}

/** Tier 1's side of the instruction language: registers in locals, operands constant, memory in line. */
export class RegionEmit extends RegionMemory {
  flagState: FlagState = FLAGS_UNKNOWN
  /** Label of the exit that leaves off at RIP. */
  exit = 0
  sink: ControlSink
  /** Whether anything written calls a MachineFunction. */
  asksMachine = false
  /** Locals of the XMM registers that are used, by number. */
  readonly xmms = new Map<number, number>()
  /** General registers, since somebody cleared it. */
  readonly gprsWritten = new Set<number>()
  private readonly flagWriter: FlagWriter
  private readonly vectors: VectorConstants | undefined
  private readonly exact: boolean
  /** Tame bits of XMM registers, and of this instruction's temporaries with the register they are from. */
  private readonly tameRegisters = new Map<number, number>()
  private readonly tameValues = new Map<Value, { bits: number; register?: number }>()
  private division: ReciprocalDivision | undefined
  private isQuotient = false
  private isRemainderOnly = false
  /** Local of what a division by a reciprocal gives, from its multiplication to its shift. */
  private quotient = -1

  constructor(code: Code, options: RegionOptions) {
    super(code, options)
    this.vectors = options.constants
    this.exact = options.exact
    this.sink = options.sink
    const operand = (local: number) => () => code.get(local)
    this.flagWriter = new FlagWriter(code, { a: operand(Local.CC_A), b: operand(Local.CC_B), r: operand(Local.CC_R) })
  }

  /** What is known at this point, for who writes the same instructions in two ways. */
  known(): { flags: FlagState; tame: ReadonlyMap<number, number> } {
    return { flags: this.flagState, tame: new Map(this.tameRegisters) }
  }
  goBackTo({ flags, tame }: ReturnType<RegionEmit['known']>): void {
    this.flagState = flags
    this.tameRegisters.clear()
    for (const [register, bits] of tame) this.tameRegisters.set(register, bits)
  }
  /** At the start of a block nothing is known of the registers. */
  startBlock(): void {
    this.tameRegisters.clear()
  }

  /**
   * Writes one instruction.
   *
   * @param address its linear address
   * @param notYetRun instructions of its block from it on, which an exit before it gives back
   * @param around what is known of it from those around it
   */
  write(
    instruction: Instruction, address: number, notYetRun: number,
    { division, isQuotient = false, isRemainderOnly = false, ...memory }: Surroundings = {},
  ): void {
    this.division = division
    this.isQuotient = isQuotient
    this.isRemainderOnly = isRemainderOnly
    this.tameValues.clear()
    this.beginAt(instruction, address, notYetRun, memory)
    instruction.definition.body(this)
  }

  protected override pushVector(bytes: readonly number[]): void {
    const offset = this.vectors?.offsetOf(bytes)
    if (offset === undefined) super.pushVector(bytes)
    else {
      this.code.i32Const(0)
      this.code.simdMemory(SimdOp.v128_load, offset)
    }
  }

  // ---- registers and operands

  private xmmLocal(index: number): number {
    return this.localIn(this.xmms, index, Type.v128)
  }
  override gpr(index: number): Value {
    this.code.get(this.gprLocal(index))
    return this.popI64()
  }
  override setGpr(index: number, value: Value): void {
    this.gprsWritten.add(index)
    this.push(value)
    this.code.set(this.gprLocal(index))
  }
  private readRegister(index: number, high: boolean, size: number): Value {
    if (!high) return this.register(index, size)
    this.code.get(this.gprLocal(index))
    this.code.op(Op.i32_wrap_i64)
    this.code.i32Const(8)
    this.code.op(Op.i32_shr_u)
    this.code.i32Const(0xff)
    this.code.op(Op.i32_and)
    return this.popI32()
  }
  private writeRegister(index: number, high: boolean, size: number, value: Value): void {
    if (!high) {
      this.setRegister(index, value, size)
      return
    }
    const rest = this.and(this.gpr(index), this.constI64(-0xff01))
    this.setGpr(index, this.or(rest, this.shl(this.wide(value), this.constI64(8))))
  }
  protected override readRm(size: number): Value {
    if (this.pointer < 0) return this.readRegister(this.instruction.rm, this.instruction.rmHigh, size)
    this.code.get(this.pointer)
    return this.loadSized(size, this.pointerOffset)
  }
  protected override writeRm(size: number, value: Value): void {
    if (this.pointer < 0) {
      this.writeRegister(this.instruction.rm, this.instruction.rmHigh, size, value)
      return
    }
    this.code.get(this.pointer)
    this.push(value)
    this.storeSized(size, this.pointerOffset)
  }
  protected override readReg(size: number): Value {
    return this.readRegister(this.instruction.reg, this.instruction.regHigh, size)
  }
  protected override writeReg(size: number, value: Value): void {
    this.writeRegister(this.instruction.reg, this.instruction.regHigh, size, value)
  }
  protected override readVectorRm(size: number): Value {
    const { code } = this
    if (this.pointer >= 0) {
      code.get(this.pointer)
      if (size === 2) return this.wordVector(this.pointerOffset)
      code.simdMemory(size === 16 ? SimdOp.v128_load : size === 8 ? SimdOp.v128_load64_zero : SimdOp.v128_load32_zero, this.pointerOffset)
      return this.popV128()
    }
    return this.readXmm(this.instruction.rm)
  }
  override xmm(index: number): Value {
    return this.readXmm(index)
  }
  override setXmm(index: number, value: Value): void {
    this.writeXmm(index, value)
  }
  private readXmm(register: number): Value {
    this.code.get(this.xmmLocal(register))
    const value = this.popV128()
    this.tameValues.set(value, { bits: this.tameRegisters.get(register) ?? 0, register })
    return value
  }
  private writeXmm(register: number, value: Value): void {
    this.push(value)
    this.code.set(this.xmmLocal(register))
    this.tameRegisters.set(register, this.tameness(value))
  }
  override tameness(value: Value): number {
    return this.tameValues.get(value)?.bits ?? 0
  }
  override float(operation: FloatOperation, inputs: FloatInputs): Value {
    const inline = operation.inline(this, inputs)
    const { result, inexact, tame = 0, tameInputs = 0 } = inline
    this.whenInDoubt(inline, () => this.leave())
    if (this.exact && inexact) {
      this.push(inexact())
      this.leaveIfTrue()
    }
    for (const input of [inputs.a, inputs.b]) {
      const known = input === undefined ? undefined : this.tameValues.get(input)
      if (known === undefined || known.register === undefined) continue
      known.bits |= tameInputs
      this.tameRegisters.set(known.register, known.bits)
    }
    this.tameValues.set(result, { bits: tame })
    return result
  }
  protected override writeVectorRm(size: number, value: Value): void {
    const { code } = this
    if (this.pointer < 0) {
      this.writeXmm(this.instruction.rm, value)
      return
    }
    code.get(this.pointer)
    this.push(value)
    if (size === 16) {
      code.simdMemory(SimdOp.v128_store, this.pointerOffset)
      return
    }
    code.simdLane(size === 8 ? SimdOp.i64x2_extract_lane : SimdOp.i32x4_extract_lane, 0)
    this.storeSized(size, this.pointerOffset)
  }
  protected override readVectorReg(): Value {
    return this.readXmm(this.instruction.reg)
  }
  protected override writeVectorReg(value: Value): void {
    this.writeXmm(this.instruction.reg, value)
  }
  protected override immediate(size: number): Value {
    const { immediateLow, immediateHigh } = this.instruction
    if (size === 8) return this.constI64Halves(immediateLow, immediateHigh)
    return this.constI32(size === 4 ? immediateLow : immediateLow & (size === 2 ? 0xffff : 0xff))
  }
  override knownImmediate(): number {
    return this.instruction.immediateLow
  }
  override rmIsRegister(): boolean {
    return !this.instruction.hasMemory
  }

  // ---- flags

  override flags(kind: CcKind, { a, b, r }: { a?: Value; b?: Value; r: Value }, size = this.size): void {
    const { code } = this
    if (a !== undefined) {
      this.push(this.wide(a))
      code.set(Local.CC_A)
    }
    if (b !== undefined) {
      this.push(this.wide(b))
      code.set(Local.CC_B)
    }
    this.push(this.wide(r))
    code.set(Local.CC_R)
    this.setOp(ccOp(kind, size))
  }
  private setOp(op: number): void {
    this.code.i32Const(op)
    this.code.set(Local.CC_OP)
    this.flagState = { op, carryKnown: false }
  }
  override flagsIf(condition: Value, kind: CcKind, { a, b, r }: { a?: Value; b?: Value; r: Value }): void {
    const { code } = this
    const keepCarry = this.flagState.op !== undefined || this.flagState.carryKnown
    const before = keepCarry ? this.carry() : undefined
    const operation = ccOp(kind, this.size)
    const choose = (local: number, value: Value): void => {
      this.push(value)
      code.get(local)
      this.push(condition)
      code.op(Op.select)
      code.set(local)
    }
    if (a !== undefined) choose(Local.CC_A, this.wide(a))
    if (b !== undefined) choose(Local.CC_B, this.wide(b))
    choose(Local.CC_R, this.wide(r))
    choose(Local.CC_OP, this.constI32(operation))
    if (before !== undefined) {
      // Where the condition holds the operands above are this operation's own.
      this.flagWriter.cf(kind, this.size)
      this.push(before)
      this.push(condition)
      code.op(Op.select)
      code.set(Local.CARRY)
    }
    this.flagState = { op: undefined, carryKnown: before !== undefined }
  }
  override setFlags(word: Value): void {
    this.push(this.wide(word))
    this.code.set(Local.CC_R)
    this.setOp(EXPLICIT_OP)
  }
  override flagsWord(): Value {
    const { op } = this.flagState
    if (op === undefined) return this.unknownFlags()
    this.flagWriter.word(ccKindOf(op), ccSizeOf(op))
    return this.popI32()
  }
  override carry(): Value {
    const { op, carryKnown } = this.flagState
    if (op !== undefined) {
      this.flagWriter.cf(ccKindOf(op), ccSizeOf(op))
      return this.popI32()
    }
    if (!carryKnown) return this.unknownFlags()
    this.code.get(Local.CARRY)
    return this.popI32()
  }
  override condition(cc: number): Value {
    const { op, carryKnown } = this.flagState
    if (op !== undefined) {
      this.flagWriter.condition(cc, ccKindOf(op), ccSizeOf(op))
      return this.popI32()
    }
    if (carryKnown && (cc & 14) === 2) {
      const cf = this.carry()
      return (cc & 1) === 1 ? this.eqz(cf) : cf
    }
    return this.unknownFlags()
  }
  /** Flags that only tier 0 can tell: it runs this instruction. The value is never used. */
  private unknownFlags(): Value {
    this.leave()
    return this.constI32(0)
  }
  /** Makes the flags explicit on the way to a block that asks for them; false when only tier 0 can. */
  makeExplicit(): boolean {
    const { op } = this.flagState
    if (op === undefined) return false
    if (op === EXPLICIT_OP) return true
    this.flagWriter.word(ccKindOf(op), ccSizeOf(op))
    this.code.op(Op.i64_extend_i32_u)
    this.code.set(Local.CC_R)
    this.code.i32Const(EXPLICIT_OP)
    this.code.set(Local.CC_OP)
    return true
  }
  /** Puts CF where a block that asks for it finds it; false when only tier 0 can. */
  makeCarry(): boolean {
    const { op, carryKnown } = this.flagState
    if (op === undefined) return carryKnown
    this.flagWriter.cf(ccKindOf(op), ccSizeOf(op))
    this.code.set(Local.CARRY)
    return true
  }

  // ---- faults and control

  override raiseIf(condition: Value): void {
    this.push(condition)
    this.leaveIfTrue()
  }
  override nextRip(): Value {
    const next = this.linearAddress + this.instruction.length
    return this.constI64(this.long ? next : next >>> 0)
  }
  protected override beyondCode(target: () => Value): Value | undefined {
    if ((this.mode & ModeBit.LIMITED) === 0) return undefined
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, State.CODE_END)
    const end = this.popI64()
    return this.geU(target(), end)
  }
  protected override stackMask(): Value | undefined {
    return (this.mode & ModeBit.STACK32) !== 0 ? undefined : this.constI64(0xffff)
  }
  override jumpRelative(): void {
    this.requireNear()
    this.sink.jump()
  }
  protected override branchIf(condition: Value): void {
    this.sink.branch(condition)
  }
  override jumpTo(target: Value): void {
    this.sink.indirect(this.long ? target : this.and(target, this.constI64(0xffffffff)))
  }
  override callRelative(): void {
    this.requireNear()
    this.pushStack(this.resize(this.nextRip()), this.size)
    this.sink.call()
  }
  /** IN and RDTSC. The machine is asked, and may ask for a stop behind the instruction. */
  override system(op: SystemOp): void {
    const { code } = this
    if (op !== SystemOp.IN && op !== SystemOp.RDTSC) throw new Error('a system instruction in a region')
    // Where only tier 0 can tell whether it is allowed, and what breakpoints make of it.
    this.loadState32(op === SystemOp.IN ? State.CPL : State.CR4)
    if (op === SystemOp.RDTSC) {
      code.i32Const(Cr4.TSD)
      code.op(Op.i32_and)
    } else {
      this.loadState32(DR7)
      code.i32Const(DR7_ENABLES)
      code.op(Op.i32_and)
      code.op(Op.i32_or)
    }
    this.leaveIfTrue()
    this.asksMachine = true
    code.i32Const(0)
    this.pushLeftBehind()
    code.memory(Op.i32_store, State.REMAINING)
    if (op === SystemOp.IN) {
      this.push(this.slots[0].kind === 'dx' ? this.and(this.get(0), this.constI32(0xffff)) : this.and(this.get(0), this.constI32(0xff)))
      code.i32Const(this.size)
      code.call(MachineFunction.PORT_IN)
      const value = this.popI32()
      this.setRegister(Gpr.RAX, this.size === 4 ? value : this.and(value, this.constI32(this.size === 1 ? 0xff : 0xffff)))
    } else {
      code.call(MachineFunction.TIME_STAMP)
      for (const [register, offset] of [[Gpr.RAX, State.SYS_VALUE], [Gpr.RDX, State.SYS_VALUE + 4]] as const) {
        this.loadState32(offset)
        this.setRegister(register, this.popI32(), 4)
      }
    }
    this.loadState32(State.STOP)
    code.if()
    this.pushLeftBehind()
    code.set(Local.LEFT)
    this.push(this.nextRip())
    code.set(Local.RIP)
    code.br(this.exit)
    code.end()
  }
  private loadState32(offset: number): void {
    this.code.i32Const(0)
    this.code.memory(Op.i32_load, offset)
  }
  /** Pushes how many instructions are left behind this one. */
  private pushLeftBehind(): void {
    this.code.get(Local.LEFT)
    this.code.i32Const(this.notYetRun - 1)
    this.code.op(Op.i32_add)
  }
  override divide128(isSigned: boolean, high: Value, low: Value, divisor: Value): Division {
    const simple = isSigned
      ? this.and(this.eq(high, this.shrS(low, this.constI64(63))), this.ne(divisor, this.constI64(-1)))
      : this.eqz(high)
    this.push(this.eqz(simple))
    this.leaveIfTrue()
    return this.quotientAndRemainder(isSigned, low, divisor)
  }
  override quotientAndRemainder(isSigned: boolean, dividend: Value, divisor: Value): Division {
    const result = super.quotientAndRemainder(isSigned, dividend, divisor)
    // V8 drops the quotient that nobody reads.
    return this.isRemainderOnly && !isSigned ? { ...result, remainder: this.remU(dividend, divisor) } : result
  }
  override mulHigh(isSigned: boolean, a: Value, b: Value): Value {
    const high = super.mulHigh(isSigned, a, b)
    if (this.division !== undefined) this.divide(this.division, { accumulator: a, operand: b, high })
    return high
  }
  /** Finds the quotient that the shift of the upper half will give: by a division, if the multiplier is what it was taken for. */
  private divide({ reciprocal, isAccumulator }: ReciprocalDivision, of: { accumulator: Value; operand: Value; high: Value }): void {
    const { code } = this
    const { multiplier, shift, divisor, below } = reciprocal
    const half = (value: bigint): number => Number(BigInt.asIntN(32, value))
    const constant = (value: bigint): Value => this.constI64Halves(half(value), half(value >> 32n))
    const [dividend, factor] = isAccumulator ? [of.operand, of.accumulator] : [of.accumulator, of.operand]
    const isReciprocal = this.eq(factor, constant(multiplier))
    if (this.quotient < 0) this.quotient = this.newLocal(Type.i64)
    this.push(below === undefined ? isReciprocal : this.and(isReciprocal, this.ltU(dividend, constant(below))))
    code.if()
    this.assign(this.quotient, this.divU(dividend, constant(divisor)))
    code.else()
    this.assign(this.quotient, this.shrU(of.high, this.constI64(shift)))
    code.end()
  }
  override shrU(a: Value, b: Value): Value {
    return this.isQuotient ? this.variable(this.quotient) : super.shrU(a, b)
  }
  override repeat(): void {
    throw new Error('a repeated string instruction in a region')
  }
}
