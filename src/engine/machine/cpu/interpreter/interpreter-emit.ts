import type { Code } from '../../wasm/code.ts'
import { Op, SimdOp } from '../../wasm/opcodes.ts'
import type { ValueType } from '../../wasm/opcodes.ts'
import type { Variant } from '../decode.ts'
import { Emit } from '../emit.ts'
import type { Division, FloatInputs, FloatOperation, MemoryAccess, Value } from '../emit.ts'
import { EXPLICIT_OP, ccOp } from '../flags.ts'
import type { CcKind } from '../flags.ts'
import { FloatClass } from '../float/unit.ts'
import { AccessMode, RecordField, RecordFlag } from '../record.ts'
import { Gpr, ModeBit, State, Vector, segmentBaseAt } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { As } from '../system/linear.ts'
import { makeFlagsExplicit } from './functions.ts'
import { Local } from './locals.ts'

const { PC, PTR, LEFT, RIP, EA } = Local
/** Address space of the general registers within the state, for telling registers from memory. */
const GPR_END = State.GPR + 16 * 8
const VECTOR_END = State.BOUNCE

/** What hands RFLAGS on whole. */
const PUSHES_FLAGS: ReadonlySet<SystemOp> = new Set([
  SystemOp.INT3, SystemOp.INT1, SystemOp.INTO, SystemOp.SYSCALL, SystemOp.PUSHF,
])
/** What finds its operand by itself: State.SYS_EA says which bits its addresses have. */
const PORT_STRINGS: ReadonlySet<number> = new Set([SystemOp.INS, SystemOp.REP_INS, SystemOp.OUTS, SystemOp.REP_OUTS])

/** Depths of the blocks around a handler. */
export interface Labels {
  fault: number
  block: number
  instruction: number
  next: number
}
/** Indexes of the functions that handlers call. */
export interface Functions {
  access: number
  check: number
  flags: number
  commit: number
  system: number
  divide: number
  float: number
  copy: number
  fill: number
  enter: number
  leave: number
}

/** Tier 0's side of the instruction language: operands where the record at PC says, registers in the processor state. */
export class InterpreterEmit extends Emit {
  labels: Labels = { fault: 0, block: 0, instruction: 0, next: 0 }
  private readonly functions: Functions
  constructor(code: Code, locals: readonly ValueType[], functions: Functions) {
    super(code, locals)
    this.functions = functions
  }
  /** Writes a handler. */
  write({ definition, size, slots, long, addressBytes }: Variant): void {
    this.begin(size, slots, long, addressBytes)
    this.operandIsAddress = definition.access[0] === 'address'
    definition.body(this)
  }

  private field32(field: number): void {
    this.code.get(PC)
    this.code.memory(Op.i32_load, field)
  }
  private loadSized(size: number): Value {
    this.code.memory(size === 1 ? Op.i32_load8_u : size === 2 ? Op.i32_load16_u : size === 4 ? Op.i32_load : Op.i64_load)
    return this.pop(size === 8)
  }
  private storeSized(size: number): void {
    this.code.memory(size === 1 ? Op.i32_store8 : size === 2 ? Op.i32_store16 : size === 4 ? Op.i32_store : Op.i64_store)
  }
  private commitIfBounced(pointer: number): void {
    const { code } = this
    code.get(pointer)
    code.i32Const(State.BOUNCE)
    code.op(Op.i32_eq)
    code.if()
    code.call(this.functions.commit)
    // The write may have made this instruction the last one.
    code.i32Const(0)
    code.memory(Op.i32_load, State.REMAINING)
    code.set(LEFT)
    code.end()
  }

  protected override readRm(size: number): Value {
    this.code.get(PTR)
    return this.loadSized(size)
  }
  protected override writeRm(size: number, value: Value): void {
    const { code } = this
    if (size !== 4) {
      code.get(PTR)
      this.push(value)
      this.storeSized(size)
      this.commitIfBounced(PTR)
      return
    }
    code.get(PTR)
    code.i32Const(GPR_END)
    code.op(Op.i32_lt_u)
    code.if()
    code.get(PTR)
    this.push(value)
    code.op(Op.i64_extend_i32_u)
    code.memory(Op.i64_store)
    code.else()
    code.get(PTR)
    this.push(value)
    code.memory(Op.i32_store)
    this.commitIfBounced(PTR)
    code.end()
  }
  protected override readReg(size: number): Value {
    this.field32(RecordField.REG)
    return this.loadSized(size)
  }
  protected override writeReg(size: number, value: Value): void {
    this.field32(RecordField.REG)
    this.push(value)
    if (size === 4) {
      this.code.op(Op.i64_extend_i32_u)
      this.code.memory(Op.i64_store)
    } else this.storeSized(size)
  }
  protected override readVectorRm(size: number): Value {
    this.code.get(PTR)
    if (size === 2) return this.wordVector()
    this.code.simdMemory(size === 16 ? SimdOp.v128_load : size === 8 ? SimdOp.v128_load64_zero : SimdOp.v128_load32_zero, 0)
    return this.popV128()
  }
  protected override writeVectorRm(size: number, value: Value): void {
    const { code } = this
    const full = (): void => {
      code.get(PTR)
      this.push(value)
      code.simdMemory(SimdOp.v128_store, 0)
    }
    if (size === 16) {
      full()
      this.commitIfBounced(PTR)
      return
    }
    code.get(PTR)
    code.i32Const(VECTOR_END)
    code.op(Op.i32_lt_u)
    code.if()
    full()
    code.else()
    code.get(PTR)
    this.push(value)
    code.simdLane(size === 8 ? SimdOp.i64x2_extract_lane : SimdOp.i32x4_extract_lane, 0)
    this.storeSized(size)
    this.commitIfBounced(PTR)
    code.end()
  }
  protected override readVectorReg(): Value {
    this.field32(RecordField.REG)
    this.code.simdMemory(SimdOp.v128_load, 0)
    return this.popV128()
  }
  protected override writeVectorReg(value: Value): void {
    this.field32(RecordField.REG)
    this.push(value)
    this.code.simdMemory(SimdOp.v128_store, 0)
  }
  override xmm(index: number): Value {
    this.code.i32Const(0)
    this.code.simdMemory(SimdOp.v128_load, State.XMM + index * 16)
    return this.popV128()
  }
  override setXmm(index: number, value: Value): void {
    this.storeVector(State.XMM + index * 16, value)
  }
  protected override immediate(size: number): Value {
    this.code.get(PC)
    this.code.memory(
      size === 8 ? Op.i64_load : size === 4 ? Op.i32_load : size === 2 ? Op.i32_load16_u : Op.i32_load8_u,
      RecordField.IMMEDIATE,
    )
    return this.pop(size === 8)
  }
  override knownImmediate(): undefined {
    return undefined
  }
  override rmIsRegister(): Value {
    this.code.get(PTR)
    this.code.i32Const(State.BOUNCE)
    this.code.op(Op.i32_lt_u)
    return this.popI32()
  }
  override address(): Value {
    return EA
  }
  override addressAt(offset: Value, size: number, write: boolean): Value {
    const { code } = this
    code.get(PC)
    code.memory(Op.i32_load8_u, RecordField.FLAGS)
    const flags = this.popI32()
    this.field32(RecordField.SEGMENT)
    code.memory(Op.i64_load)
    const base = this.popI64()
    const cutIf = (flag: number, value: Value): Value =>
      this.select(this.and(flags, this.constI32(flag)), this.and(value, this.constI64(0xffffffff)), value)
    const moved = this.variable(cutIf(RecordFlag.ADDRESS32, this.add(this.sub(EA, base), offset)))
    const is = (flag: number): Value => this.eq(this.and(flags, this.constI32(flag)), this.constI32(flag))
    this.if(is(RecordFlag.LINEAR32), () => {
      this.if(this.eqz(is(RecordFlag.ADDRESS32)), () => this.assign(moved, this.and(moved, this.constI64(0xffff))))
      this.if(is(RecordFlag.CHECKED_ADDRESS), () => this.check(() => this.field32(RecordField.SEGMENT), moved, size, write))
    })
    return cutIf(RecordFlag.LINEAR32, this.add(moved, base))
  }
  /** Holds an offset against the limit of a segment, by where its base is. */
  private check(pushSegment: () => void, offset: Value, size: number, write: boolean): void {
    const { code } = this
    this.push(offset)
    pushSegment()
    code.i32Const(write ? AccessMode.WRITE : AccessMode.READ)
    code.i32Const(size)
    code.call(this.functions.check)
    code.op(Op.i32_eqz)
    code.brIf(this.labels.fault)
  }
  override gpr(index: number): Value {
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, State.GPR + index * 8)
    return this.popI64()
  }
  override setGpr(index: number, value: Value): void {
    this.code.i32Const(0)
    this.push(value)
    this.code.memory(Op.i64_store, State.GPR + index * 8)
  }
  private translate(address: Value, mode: number, size: number, stack: MemoryAccess['stack']): Value {
    const { code } = this
    this.push(address)
    code.i32Const(mode | (stack === true ? AccessMode.STACK : 0))
    if (stack === 'operand') {
      code.get(PC)
      code.memory(Op.i32_load8_u, RecordField.FLAGS)
      code.i32Const(Math.log2(RecordFlag.STACK_ADDRESS / AccessMode.STACK))
      code.op(Op.i32_shr_u)
      code.i32Const(AccessMode.STACK)
      code.op(Op.i32_and)
      code.op(Op.i32_or)
    }
    code.i32Const(size)
    code.call(this.functions.access)
    const pointer = this.popI32()
    this.push(this.eqz(pointer))
    code.brIf(this.labels.fault)
    return pointer
  }
  override load(address: Value, size: number, { stack, written }: MemoryAccess = {}): Value {
    this.push(this.translate(address, written ? AccessMode.MODIFY : AccessMode.READ, size, stack))
    return this.loadSized(size)
  }
  override store(address: Value, size: number, value: Value, { stack }: MemoryAccess = {}): void {
    const pointer = this.translate(address, AccessMode.WRITE, size, stack)
    this.push(pointer)
    this.push(value)
    this.storeSized(size)
    this.commitIfBounced(pointer)
  }
  override linear(segment: number, offset: Value, size: number, write: boolean): Value {
    const { code } = this
    if (this.long && segment >= 0) return offset
    const pushSegment = (): void => {
      if (segment >= 0) code.i32Const(segmentBaseAt(segment))
      else this.field32(RecordField.SEGMENT)
    }
    const cut = this.long ? offset : this.variable(this.and(offset, this.constI64(0xffffffff)))
    if (!this.long) {
      if (segment >= 0) this.push(this.and(this.stateI32(State.MODE), this.constI32(ModeBit.CHECKED)))
      else {
        this.field32(RecordField.SEGMENT)
        code.i32Const(State.ZERO)
        code.op(Op.i32_ne)
      }
      code.if()
      this.check(pushSegment, cut, size, write)
      code.end()
    }
    this.push(cut)
    pushSegment()
    code.memory(Op.i64_load)
    code.op(Op.i64_add)
    const sum = this.popI64()
    return this.long ? sum : this.and(sum, this.constI64(0xffffffff))
  }

  private storeState(offset: number, value: Value): void {
    this.code.i32Const(0)
    this.push(value)
    this.code.memory(this.isWide(value) ? Op.i64_store : Op.i32_store, offset)
  }
  override flags(kind: CcKind, { a, b, r }: { a?: Value; b?: Value; r: Value }, size = this.size): void {
    this.storeState(State.CC_OP, this.constI32(ccOp(kind, size)))
    if (a !== undefined) this.storeState(State.CC_A, this.wide(a))
    if (b !== undefined) this.storeState(State.CC_B, this.wide(b))
    this.storeState(State.CC_R, this.wide(r))
  }
  override flagsIf(condition: Value, kind: CcKind, operands: { a?: Value; b?: Value; r: Value }): void {
    this.if(condition, () => this.flags(kind, operands))
  }
  override setFlags(word: Value): void {
    this.storeState(State.CC_OP, this.constI32(EXPLICIT_OP))
    this.storeState(State.CC_R, this.wide(word))
  }
  override flagsWord(): Value {
    this.code.call(this.functions.flags)
    return this.popI32()
  }
  override carry(): Value {
    return this.and(this.flagsWord(), this.constI32(1))
  }
  override condition(cc: number): Value {
    const word = this.flagsWord()
    const test = (mask: number): Value => this.ne(this.and(word, this.constI32(mask)), this.constI32(0))
    const signDiffers = (): Value =>
      this.and(this.xor(this.shrU(word, this.constI32(7)), this.shrU(word, this.constI32(11))), this.constI32(1))
    let value: Value
    switch (cc >> 1) {
      case 0:
        value = test(0x800)
        break
      case 1:
        value = test(1)
        break
      case 2:
        value = test(0x40)
        break
      case 3:
        value = test(0x41)
        break
      case 4:
        value = test(0x80)
        break
      case 5:
        value = test(4)
        break
      case 6:
        value = signDiffers()
        break
      default:
        value = this.or(signDiffers(), test(0x40))
    }
    return (cc & 1) === 1 ? this.eqz(value) : value
  }

  private storeVector(offset: number, value: Value): void {
    this.code.i32Const(0)
    this.push(value)
    if (this.isVector(value)) this.code.simdMemory(SimdOp.v128_store, offset)
    else this.code.memory(this.isWide(value) ? Op.i64_store : Op.i32_store, offset)
  }
  override float(operation: FloatOperation, inputs: FloatInputs): Value {
    const { code } = this
    const inline = operation.inline(this, inputs)
    const { result, inexact } = inline
    const floatClass = this.stateI32(State.FLOAT_CLASS)
    const slow = this.variable(this.eq(floatClass, this.constI32(FloatClass.NONE)))
    this.whenInDoubt(inline, () => this.assign(slow, this.constI32(1)))
    // Whether a result that is in doubt was rounded is not worth asking.
    if (inexact)
      this.if(this.and(this.eq(floatClass, this.constI32(FloatClass.EXACT)), this.eqz(slow)), () => this.assign(slow, inexact()))
    this.if(slow, () => {
      if (inputs.a !== undefined) this.storeVector(State.FLOAT_A, inputs.a)
      this.storeVector(State.FLOAT_B, inputs.b)
      if (inputs.immediate !== undefined) this.storeState(State.FLOAT_IMMEDIATE, inputs.immediate)
      this.storeVector(State.FLOAT_R, result)
      code.i32Const(operation.index)
      code.call(this.functions.float)
      code.brIf(this.labels.fault)
      code.i32Const(0)
      if (this.isVector(result)) code.simdMemory(SimdOp.v128_load, State.FLOAT_R)
      else code.memory(this.isWide(result) ? Op.i64_load : Op.i32_load, State.FLOAT_R)
      code.set(result)
    })
    return result
  }

  override raiseIf(condition: Value, vector: number): void {
    this.push(condition)
    this.code.if()
    this.storeState(State.FAULT_VECTOR, this.constI32(vector))
    this.storeState(State.FAULT_ERROR, this.constI32(0))
    this.code.br(this.labels.fault)
    this.code.end()
  }
  override nextRip(): Value {
    const { code } = this
    code.get(RIP)
    code.get(PC)
    code.memory(Op.i64_load8_u, RecordField.LENGTH)
    code.op(Op.i64_add)
    const next = this.popI64()
    return this.long ? next : this.and(next, this.constI64(0xffffffff))
  }
  private goTo(target: Value): void {
    this.push(this.long ? target : this.and(target, this.constI64(0xffffffff)))
    this.code.set(RIP)
    this.code.br(this.labels.block)
  }
  protected override beyondCode(target: () => Value): Value {
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, State.CODE_END)
    const end = this.popI64()
    return this.geU(target(), end)
  }
  protected override stackMask(): Value {
    this.code.i32Const(0)
    this.code.memory(Op.i64_load, State.STACK_MASK)
    return this.popI64()
  }
  override jumpRelative(): void {
    this.requireNear()
    this.goTo(this.relativeTarget())
  }
  protected override branchIf(condition: Value): void {
    this.goTo(this.select(condition, this.relativeTarget(), this.nextRip()))
  }
  override jumpTo(target: Value): void {
    this.goTo(target)
  }
  override callRelative(): void {
    this.requireNear()
    this.pushStack(this.resize(this.nextRip()), this.size)
    this.goTo(this.relativeTarget())
  }

  override system(op: SystemOp): void {
    const { code } = this
    const byte = (field: number): Value => {
      code.get(PC)
      code.memory(Op.i32_load8_u, field)
      return this.popI32()
    }
    if (op === SystemOp.INT) {
      const vector = this.and(this.get(0), this.constI32(0xff))
      const next = this.nextRipAnyMode()
      makeFlagsExplicit(code, this.functions.flags)
      this.push(vector)
      this.push(next)
      code.i64Const(-1)
      code.call(this.functions.enter)
      this.goOnAtRipIfTrue()
    } else if (op === SystemOp.IRET && this.size === 8) {
      code.call(this.functions.leave)
      this.goOnAtRipIfTrue()
    }
    const slot = this.slots[0]
    if (slot?.kind === 'imm' || slot?.kind === 'dx') this.storeState(State.SYS_IMM, this.wide(this.get(0)))
    else if (slot?.kind === 'rm') {
      // Its size says whether it is a value; an operand that is only an address is never read.
      if (this.operandIsAddress) {
        this.storeState(State.SYS_EA, EA)
        const stack = this.shrU(byte(RecordField.FLAGS), this.constI32(Math.log2(RecordFlag.STACK_ADDRESS / As.STACK)))
        this.storeState(State.SYS_AS, this.and(stack, this.constI32(As.STACK)))
        this.storeSegment()
        if (op === SystemOp.JMP_FAR || op === SystemOp.CALL_FAR) {
          const at = (offset: number, size: number): Value => this.wide(this.load(this.addressAt(this.constI64(offset), size, false), size))
          this.storeState(State.SYS_IMM, at(0, this.size))
          this.storeState(State.SYS_VALUE, at(this.size, 2))
        }
      } else this.storeState(State.SYS_VALUE, this.wide(this.get(0)))
    } else if (op === SystemOp.RET_FAR) this.storeState(State.SYS_IMM, this.constI64(0))
    else if (PORT_STRINGS.has(op)) {
      code.get(PC)
      code.memory(Op.i64_load, RecordField.DISPLACEMENT)
      this.storeState(State.SYS_EA, this.popI64())
      this.storeSegment()
    }
    if (slot?.kind === 'imm' && (op === SystemOp.JMP_FAR || op === SystemOp.CALL_FAR || op === SystemOp.ENTER)) {
      this.field32(RecordField.EXTRA)
      this.storeState(State.SYS_VALUE, this.wide(this.popI32()))
    }
    this.storeState(State.SYS_REG, byte(RecordField.REG_NUMBER))
    const rm = byte(RecordField.RM_NUMBER)
    this.storeState(State.SYS_RM, this.select(this.eq(rm, this.constI32(0xff)), this.constI32(-1), rm))
    this.storeState(State.SYS_SIZE, this.constI32(this.size))
    this.storeState(State.SYS_NEXT_RIP, this.nextRipAnyMode())
    if (PUSHES_FLAGS.has(op)) makeFlagsExplicit(code, this.functions.flags)
    code.i32Const(op)
    code.call(this.functions.system)
    code.brIf(this.labels.fault)
    this.goOnAtRip()
  }
  private goOnAtRip(): void {
    const { code } = this
    code.i32Const(0)
    code.memory(Op.i64_load, State.RIP)
    code.set(RIP)
    code.br(this.labels.block)
  }
  /** When the i32 on the stack is not 0, the next instruction is where State.RIP says. */
  private goOnAtRipIfTrue(): void {
    this.code.if()
    this.goOnAtRip()
    this.code.end()
  }
  private storeSegment(): void {
    this.field32(RecordField.SEGMENT)
    this.storeState(State.SYS_SEGMENT, this.popI32())
  }
  private operandIsAddress = false
  /** System handlers serve both modes: RIP wraps at 32 bits by the record's own mode, which State.MODE tells. */
  private nextRipAnyMode(): Value {
    const { code } = this
    code.get(RIP)
    code.get(PC)
    code.memory(Op.i64_load8_u, RecordField.LENGTH)
    code.op(Op.i64_add)
    const next = this.popI64()
    const isLong = this.and(this.stateI32(State.MODE), this.constI32(ModeBit.LONG))
    return this.select(isLong, next, this.and(next, this.constI64(0xffffffff)))
  }

  override divide128(isSigned: boolean, high: Value, low: Value, divisor: Value): Division {
    const { code } = this
    const quotient = this.newI64()
    const remainder = this.newI64()
    const simple = isSigned
      ? this.and(this.eq(high, this.shrS(low, this.constI64(63))), this.ne(divisor, this.constI64(-1)))
      : this.eqz(high)
    this.if(
      simple,
      () => {
        const found = this.quotientAndRemainder(isSigned, low, divisor)
        this.assign(quotient, found.quotient)
        this.assign(remainder, found.remainder)
      },
      () => {
        this.storeState(State.SLOW_VA, high)
        this.storeState(State.SLOW_VALUE, low)
        this.storeState(State.SLOW_PA, divisor)
        code.i32Const(isSigned ? 1 : 0)
        code.call(this.functions.divide)
        const overflow = this.popI32()
        this.raiseIf(overflow, Vector.DE)
        for (const [variable, offset] of [[quotient, State.SLOW_VA], [remainder, State.SLOW_VALUE]] as const) {
          code.i32Const(0)
          code.memory(Op.i64_load, offset)
          code.set(variable)
        }
      },
    )
    return { quotient, remainder }
  }

  override repeat(step: () => Value | undefined, whole?: 'copy' | 'fill'): void {
    const { code } = this
    this.push(this.eqz(this.counter()))
    code.brIf(this.labels.next)
    if (whole !== undefined && this.addressBytes === 8) this.many(whole)
    const goOn = step()
    const left = this.sub(this.counter(), this.constI64(1))
    this.setCounter(left)
    const more = this.ne(left, this.constI64(0))
    this.push(goOn === undefined ? more : this.and(more, goOn))
    code.brIf(this.labels.instruction)
  }

  /** Runs all repetitions but the last at once when they go forwards, as far as nothing is in the way. */
  private many(whole: 'copy' | 'fill'): void {
    const { code } = this
    this.push(this.eqz(this.directionFlag()))
    code.if()
    if (whole === 'copy') this.push(this.linear(-1, this.gpr(Gpr.RSI), this.size, false))
    this.push(this.gpr(Gpr.RDI))
    code.i32Const(Math.log2(this.size))
    code.get(LEFT)
    code.call(this.functions[whole])
    const count = this.popI32()
    code.get(LEFT)
    this.push(count)
    code.op(Op.i32_sub)
    code.set(LEFT)
    // What the last repetition calls may ask how many instructions have run.
    code.i32Const(0)
    code.get(LEFT)
    code.memory(Op.i32_store, State.REMAINING)
    code.end()
  }
}
