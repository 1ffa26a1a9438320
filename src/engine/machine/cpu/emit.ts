import { groupLocals } from '../wasm/code.ts'
import type { Code, LocalGroup } from '../wasm/code.ts'
import { Op, SimdOp, Type } from '../wasm/opcodes.ts'
import type { ValueType } from '../wasm/opcodes.ts'
import { CcKind } from './flags.ts'
import { Rflag, State, Vector } from './state.ts'
import type { SystemOp } from './system-op.ts'

/**
 * A value an instruction's body works with: the number of a Wasm local, or of a constant. Its type (i32, i64, v128) is
 * known from the number. Integers are kept zero-extended: i32 for operand sizes 1, 2 and 4, i64 for 8.
 */
export type Value = number

/** Where an operand comes from. */
export type SlotKind = 'rm' | 'reg' | 'imm' | 'cl' | 'dx'
export interface Slot {
  kind: SlotKind
  /** Bytes. */
  size: number
  /** An XMM register (or a memory operand of a vector instruction). */
  vector: boolean
  /** An MMX register: the significand of an x87 one. */
  mmx: boolean
}

/** What else is known of a load or a store. */
export interface MemoryAccess {
  /** It goes through SS, or through whichever segment the memory operand does: a non-canonical address in SS is #SS rather than #GP. */
  stack?: true | 'operand'
  /** The place that is loaded will be stored to: what that would fault on, the load does. */
  written?: boolean
}

/** What of a vector is known to be zero, normal or infinite, neither a NaN nor denormal: bits for lane 0 or all lanes of a format. */
export const Tame = { SINGLE: 1, SINGLES: 3, DOUBLE: 4, DOUBLES: 12 } as const

export interface FloatInputs {
  a?: Value
  b: Value
  immediate?: Value
}
/** The common case of a floating-point instruction: rounding to nearest, and nothing to tell but that a result was rounded. */
export interface FloatInline {
  result: Value
  /** i32s, any true where this may not be the common case; `excused` looks closer. Each is written where it is branched upon. */
  doubts?: readonly (() => Value)[]
  excused?: () => Value
  /** i32, whether the result was rounded. */
  inexact?: () => Value
  /** Tame bits of the result, and of the operands where there is no doubt. */
  tame?: number
  tameInputs?: number
}
/** What a division gives. */
export interface Division {
  quotient: Value
  remainder: Value
}

export interface FloatOperation {
  /** Into the list of what float/unit.ts executes in any other case. */
  index: number
  inline: (e: Emit, inputs: FloatInputs) => FloatInline
}

const CONSTANT_BASE = 1 << 20
const CONSTANT_WIDE = 1 << 21
const CONSTANT_VECTOR = 1 << 22

const LOW_HALF = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]
const ONES = [0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
const MMX_IMAGE = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]

interface Constant {
  low: number
  high: number
}

/**
 * What an instruction's body is written in: operands, integer and vector operations, flags, memory and control, each
 * of which appends Wasm to `code`. Tier 0 and tier 1 differ only in the abstract methods.
 */
export abstract class Emit {
  readonly code: Code
  /** Operand size of the instruction being written, in bytes. */
  size = 8
  slots: readonly Slot[] = []
  /** Whether the processor is in 64-bit mode. */
  long = true
  /** Of the addresses that no operand names. */
  addressBytes = 8
  /** Types of the function's locals, by number: those it always has and those that were asked for since. */
  private readonly locals: ValueType[]
  /** Temporaries of each type, to be used again by each instruction; and how many this one has used. */
  private readonly i32s: Value[] = []
  private readonly i64s: Value[] = []
  private readonly v128s: Value[] = []
  private i32Next = 0
  private i64Next = 0
  private v128Next = 0
  private readonly constants: Constant[] = []
  private readonly vectorConstants: (readonly number[])[] = []

  /** @param locals types of the function's parameters and of the locals that it has in any case. */
  constructor(code: Code, locals: readonly ValueType[]) {
    this.code = code
    this.locals = [...locals]
  }

  /** What the function has to declare beside its parameters: no more than was asked for, since each costs V8 at every branch. */
  localsBehind(parameters: number): LocalGroup[] {
    return groupLocals(this.locals.slice(parameters))
  }

  /** A local for good. */
  protected newLocal(type: ValueType): Value {
    return this.locals.push(type) - 1
  }

  /** Forgets the temporaries of the instruction before. */
  protected begin(size: number, slots: readonly Slot[], long: boolean, addressBytes: number): void {
    this.size = size
    this.slots = slots
    this.long = long
    this.addressBytes = addressBytes
    this.i32Next = 0
    this.i64Next = 0
    this.v128Next = 0
    this.constants.length = 0
    this.vectorConstants.length = 0
  }

  // ---- values

  newI32(): Value {
    if (this.i32Next === this.i32s.length) this.i32s.push(this.newLocal(Type.i32))
    return this.i32s[this.i32Next++]
  }
  newI64(): Value {
    if (this.i64Next === this.i64s.length) this.i64s.push(this.newLocal(Type.i64))
    return this.i64s[this.i64Next++]
  }
  newV128(): Value {
    if (this.v128Next === this.v128s.length) this.v128s.push(this.newLocal(Type.v128))
    return this.v128s[this.v128Next++]
  }
  isWide(value: Value): boolean {
    if (value >= CONSTANT_BASE) return value >= CONSTANT_WIDE
    return this.locals[value] === Type.i64
  }
  constI32(value: number): Value {
    this.constants.push({ low: value | 0, high: 0 })
    return CONSTANT_BASE + this.constants.length - 1
  }
  /** @param value an integer that a double holds exactly. */
  constI64(value: number): Value {
    this.constants.push({ low: value | 0, high: Math.floor(value / 0x100000000) })
    return CONSTANT_WIDE + this.constants.length - 1
  }
  constI64Halves(low: number, high: number): Value {
    this.constants.push({ low, high })
    return CONSTANT_WIDE + this.constants.length - 1
  }
  /** A constant of the instruction's operand type. */
  const(value: number): Value {
    return this.size === 8 ? this.constI64(value) : this.constI32(value)
  }
  push(value: Value): void {
    if (value >= CONSTANT_VECTOR) this.pushVector(this.vectorConstants[value - CONSTANT_VECTOR])
    else if (value >= CONSTANT_WIDE) {
      const { low, high } = this.constants[value - CONSTANT_WIDE]
      this.code.i64ConstHalves(low, high)
    } else if (value >= CONSTANT_BASE) this.code.i32Const(this.constants[value - CONSTANT_BASE].low)
    else this.code.get(value)
  }
  protected pushVector(bytes: readonly number[]): void {
    this.code.v128Const(bytes)
  }
  /** The stack's top as a new value. */
  popI32(): Value {
    const value = this.newI32()
    this.code.set(value)
    return value
  }
  popI64(): Value {
    const value = this.newI64()
    this.code.set(value)
    return value
  }
  popV128(): Value {
    const value = this.newV128()
    this.code.set(value)
    return value
  }
  pop(wide: boolean): Value {
    return wide ? this.popI64() : this.popI32()
  }
  /** A local that may be assigned again, holding `value`. */
  variable(value: Value): Value {
    this.push(value)
    return this.pop(this.isWide(value))
  }
  assign(variable: Value, value: Value): void {
    this.push(value)
    this.code.set(variable)
  }

  // ---- integer operations, by the operands' type

  private binary(narrow: number, wide: number, a: Value, b: Value): Value {
    const isWide = this.isWide(a)
    this.push(a)
    this.push(b)
    this.code.op(isWide ? wide : narrow)
    return this.pop(isWide)
  }
  add(a: Value, b: Value): Value { return this.binary(Op.i32_add, Op.i64_add, a, b) }
  sub(a: Value, b: Value): Value { return this.binary(Op.i32_sub, Op.i64_sub, a, b) }
  mul(a: Value, b: Value): Value { return this.binary(Op.i32_mul, Op.i64_mul, a, b) }
  divU(a: Value, b: Value): Value { return this.binary(Op.i32_div_u, Op.i64_div_u, a, b) }
  divS(a: Value, b: Value): Value { return this.binary(Op.i32_div_s, Op.i64_div_s, a, b) }
  remU(a: Value, b: Value): Value { return this.binary(Op.i32_rem_u, Op.i64_rem_u, a, b) }
  /** The remainder by way of the quotient: a second division would cost twenty times the multiplication. */
  quotientAndRemainder(isSigned: boolean, dividend: Value, divisor: Value): Division {
    const quotient = isSigned ? this.divS(dividend, divisor) : this.divU(dividend, divisor)
    return { quotient, remainder: this.sub(dividend, this.mul(quotient, divisor)) }
  }
  and(a: Value, b: Value): Value { return this.binary(Op.i32_and, Op.i64_and, a, b) }
  or(a: Value, b: Value): Value { return this.binary(Op.i32_or, Op.i64_or, a, b) }
  xor(a: Value, b: Value): Value { return this.binary(Op.i32_xor, Op.i64_xor, a, b) }
  shl(a: Value, b: Value): Value { return this.binary(Op.i32_shl, Op.i64_shl, a, b) }
  shrU(a: Value, b: Value): Value { return this.binary(Op.i32_shr_u, Op.i64_shr_u, a, b) }
  shrS(a: Value, b: Value): Value { return this.binary(Op.i32_shr_s, Op.i64_shr_s, a, b) }
  rotl(a: Value, b: Value): Value { return this.binary(Op.i32_rotl, Op.i64_rotl, a, b) }
  rotr(a: Value, b: Value): Value { return this.binary(Op.i32_rotr, Op.i64_rotr, a, b) }

  private compare(narrow: number, wide: number, a: Value, b: Value): Value {
    const isWide = this.isWide(a)
    this.push(a)
    this.push(b)
    this.code.op(isWide ? wide : narrow)
    return this.popI32()
  }
  eq(a: Value, b: Value): Value { return this.compare(Op.i32_eq, Op.i64_eq, a, b) }
  ne(a: Value, b: Value): Value { return this.compare(Op.i32_ne, Op.i64_ne, a, b) }
  ltU(a: Value, b: Value): Value { return this.compare(Op.i32_lt_u, Op.i64_lt_u, a, b) }
  geU(a: Value, b: Value): Value { return this.compare(Op.i32_ge_u, Op.i64_ge_u, a, b) }

  private unary(narrow: number, wide: number, a: Value): Value {
    const isWide = this.isWide(a)
    this.push(a)
    this.code.op(isWide ? wide : narrow)
    return this.pop(isWide)
  }
  clz(a: Value): Value { return this.unary(Op.i32_clz, Op.i64_clz, a) }
  ctz(a: Value): Value { return this.unary(Op.i32_ctz, Op.i64_ctz, a) }
  popcnt(a: Value): Value { return this.unary(Op.i32_popcnt, Op.i64_popcnt, a) }
  eqz(a: Value): Value {
    this.push(a)
    this.code.op(this.isWide(a) ? Op.i64_eqz : Op.i32_eqz)
    return this.popI32()
  }
  /** `condition` is an i32 truth value. */
  select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
    this.push(whenTrue)
    this.push(whenFalse)
    this.push(condition)
    this.code.op(Op.select)
    return this.pop(this.isWide(whenTrue))
  }
  /** Zero-extends to i64. */
  wide(a: Value): Value {
    if (this.isWide(a)) return a
    this.push(a)
    this.code.op(Op.i64_extend_i32_u)
    return this.popI64()
  }
  /** Low 32 bits. */
  narrow(a: Value): Value {
    if (!this.isWide(a)) return a
    this.push(a)
    this.code.op(Op.i32_wrap_i64)
    return this.popI32()
  }
  /** Zero-extends or cuts to the type of a `size`-byte operand. */
  resize(a: Value, size = this.size): Value {
    return size === 8 ? this.wide(a) : this.truncate(this.narrow(a), size)
  }
  /** Clears what lies above `size` bytes. */
  truncate(a: Value, size = this.size): Value {
    if (size >= 4) return a
    return this.and(a, this.constI32(size === 1 ? 0xff : 0xffff))
  }
  /** Sign-extends a zero-extended `size`-byte value to its own Wasm type. */
  signed(a: Value, size = this.size): Value {
    if (size >= 4) return a
    this.push(a)
    this.code.op(size === 1 ? Op.i32_extend8_s : Op.i32_extend16_s)
    return this.popI32()
  }
  /** Sign-extends a zero-extended `size`-byte value to i64. */
  signedWide(a: Value, size = this.size): Value {
    if (size === 8) return a
    const from = this.signed(a, size)
    this.push(from)
    this.code.op(Op.i64_extend_i32_s)
    return this.popI64()
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.push(condition)
    this.code.if()
    then()
    if (otherwise) {
      this.code.else()
      otherwise()
    }
    this.code.end()
  }
  /** High 64 bits of a product of two i64 (Hacker's Delight, 8-2, on four 32-bit partial products). */
  mulHigh(isSigned: boolean, a: Value, b: Value): Value {
    const mask = this.constI64(0xffffffff)
    const by32 = this.constI64(32)
    const shr = (value: Value): Value => (isSigned ? this.shrS(value, by32) : this.shrU(value, by32))
    const al = this.and(a, mask)
    const ah = shr(a)
    const bl = this.and(b, mask)
    const bh = shr(b)
    const t = this.add(this.mul(ah, bl), this.shrU(this.mul(al, bl), by32))
    const u = this.add(this.mul(al, bh), this.and(t, mask))
    return this.add(this.add(this.mul(ah, bh), shr(t)), shr(u))
  }

  // ---- vectors

  simd(opcode: number, ...operands: readonly Value[]): Value {
    for (const operand of operands) this.push(operand)
    this.code.simd(opcode)
    return this.popV128()
  }
  lane(opcode: number, vector: Value, lane: number): Value {
    this.push(vector)
    this.code.simdLane(opcode, lane)
    return opcode === SimdOp.i64x2_extract_lane ? this.popI64() : this.popI32()
  }
  replaceLane(opcode: number, vector: Value, lane: number, value: Value): Value {
    this.push(vector)
    this.push(value)
    this.code.simdLane(opcode, lane)
    return this.popV128()
  }
  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    this.push(a)
    this.push(b)
    this.code.shuffle(lanes)
    return this.popV128()
  }
  vectorConst(bytes: readonly number[]): Value {
    return CONSTANT_VECTOR + this.vectorConstants.push(bytes) - 1
  }
  /** A vector instruction that answers an i32: a bitmask, any_true. */
  reduce(opcode: number, vector: Value): Value {
    this.push(vector)
    this.code.simd(opcode)
    return this.popI32()
  }

  /** The word at the address that was pushed, as the lowest one of a vector. */
  protected wordVector(offset = 0): Value {
    this.code.memory(Op.i32_load16_u, offset)
    const word = this.popI32()
    this.code.v128Const(new Array<number>(16).fill(0))
    this.push(word)
    this.code.simdLane(SimdOp.i16x8_replace_lane, 0)
    return this.popV128()
  }
  protected isVector(value: Value): boolean {
    return value >= CONSTANT_VECTOR || (value < CONSTANT_BASE && this.locals[value] === Type.v128)
  }
  /** Tame bits that are known of a vector. */
  tameness(_value: Value): number {
    return 0
  }
  /** Runs `otherwise` when a doubt holds that nothing excuses. */
  protected whenInDoubt({ doubts = [], excused }: FloatInline, otherwise: () => void): void {
    if (doubts.length === 0) return
    const { code } = this
    code.block()
    const done = code.depth
    code.block()
    const doubtful = code.depth
    for (const doubt of doubts) {
      this.push(doubt())
      code.brIf(doubtful)
    }
    code.br(done)
    code.end()
    if (excused) {
      this.push(excused())
      code.brIf(done)
    }
    otherwise()
    code.end()
  }
  /** A floating-point instruction under MXCSR: its result, or #XM. */
  abstract float(operation: FloatOperation, inputs: FloatInputs): Value

  // ---- operands

  sizeOf(operand: number): number {
    return this.slots[operand].size
  }
  /**
   * Operand value: integers zero-extended to its size's type, vectors as v128. The bytes above a short vector operand are
   * 0 when it comes from memory and unspecified when it comes from a register.
   */
  get(operand: number): Value {
    const slot = this.slots[operand]
    if (slot.mmx) {
      const all = slot.kind === 'rm' ? this.readVectorRm(slot.size) : this.readVectorReg()
      return this.simd(SimdOp.v128_and, all, this.vectorConst(LOW_HALF))
    }
    switch (slot.kind) {
      case 'rm':
        return slot.vector ? this.readVectorRm(slot.size) : this.readRm(slot.size)
      case 'reg':
        return slot.vector ? this.readVectorReg() : this.readReg(slot.size)
      case 'imm':
        return this.immediate(slot.size)
      case 'cl':
        return this.register(1, 1)
      case 'dx':
        return this.register(2, 2)
    }
  }
  set(operand: number, value: Value): void {
    const slot = this.slots[operand]
    if (slot.vector) {
      // The x87 sees ones as sign and exponent.
      if (slot.mmx) value = this.shuffle(value, this.vectorConst(ONES), MMX_IMAGE)
      if (slot.kind === 'rm') this.writeVectorRm(slot.size, value)
      else this.writeVectorReg(value)
    } else if (slot.kind === 'rm') this.writeRm(slot.size, value)
    else this.writeReg(slot.size, value)
  }

  protected abstract readRm(size: number): Value
  protected abstract writeRm(size: number, value: Value): void
  protected abstract readReg(size: number): Value
  protected abstract writeReg(size: number, value: Value): void
  protected abstract readVectorRm(size: number): Value
  /** A register takes all 16 bytes; memory the low `size` ones. */
  protected abstract writeVectorRm(size: number, value: Value): void
  protected abstract readVectorReg(): Value
  /** An XMM register that no operand names. */
  abstract xmm(index: number): Value
  abstract setXmm(index: number, value: Value): void
  protected abstract writeVectorReg(value: Value): void
  /** The immediate, sign-extended to the operand's type by the decoder. */
  protected abstract immediate(size: number): Value
  /** The immediate when it is known while writing (tier 1), else undefined. */
  abstract knownImmediate(): number | undefined
  /** Whether the rm operand is a register, as an i32 value; `true` or `false` where that is known while writing. */
  abstract rmIsRegister(): Value | boolean
  /** Effective address of the memory operand (segment base included), i64. */
  abstract address(): Value
  /**
   * The same moved by `offset` (i64), cut to the instruction's address size as the sum of base, index and displacement is; may fault, for
   * `size` bytes that are read or written there.
   */
  abstract addressAt(offset: Value, size: number, write: boolean): Value

  // ---- registers, memory

  /** A whole general register, i64. */
  abstract gpr(index: number): Value
  abstract setGpr(index: number, value: Value): void
  /** A register as a `size`-byte value, zero-extended. */
  register(index: number, size = this.size): Value {
    return this.resize(this.gpr(index), size)
  }
  /** Writes with the architecture's rule: 4 bytes clear the upper half, 1 and 2 leave the rest. */
  setRegister(index: number, value: Value, size = this.size): void {
    if (size === 8) this.setGpr(index, value)
    else if (size === 4) this.setGpr(index, this.wide(value))
    else {
      const mask = size === 2 ? -0x10000 : -0x100
      this.setGpr(index, this.or(this.and(this.gpr(index), this.constI64(mask)), this.wide(value)))
    }
  }
  /** Reads `size` bytes at a linear address; may fault. */
  abstract load(address: Value, size: number, access?: MemoryAccess): Value
  /** Writes `size` bytes; may fault, so it comes before any register changes. */
  abstract store(address: Value, size: number, value: Value, access?: MemoryAccess): void

  // ---- stack

  /** Outside 64-bit mode: which bits of RSP are the stack pointer, i64; undefined where the lower 32 are known to be. */
  protected abstract stackMask(): Value | undefined
  private cutStack(pointer: Value): Value {
    return this.and(pointer, this.stackMask() ?? this.constI64(0xffffffff))
  }
  /** The linear address of `size` bytes at a place in the stack; may fault. */
  stackAt(pointer: Value, size: number, write: boolean): Value {
    return this.long ? pointer : this.linear(2, this.cutStack(pointer), size, write)
  }
  /** Stores at the new top, then moves RSP. `size` is the pushed bytes. */
  pushStack(value: Value, size: number): void {
    const pointer = this.sub(this.gpr(4), this.constI64(size))
    this.store(this.stackAt(pointer, size, true), size, value, { stack: true })
    this.setStackPointer(pointer)
  }
  /** Reads the top; the caller moves RSP with `releaseStack` when nothing can fault any more. */
  topOfStack(size: number, offset = 0): Value {
    const pointer = offset === 0 ? this.gpr(4) : this.add(this.gpr(4), this.constI64(offset))
    return this.load(this.stackAt(pointer, size, false), size, { stack: true })
  }
  releaseStack(bytes: Value): void {
    this.setStackPointer(this.add(this.gpr(4), bytes))
  }
  setStackPointer(pointer: Value): void {
    if (this.long) {
      this.setGpr(4, pointer)
      return
    }
    const mask = this.stackMask()
    const cut = this.cutStack(pointer)
    if (mask === undefined) this.setGpr(4, cut)
    else this.setGpr(4, this.or(this.and(this.gpr(4), this.xor(mask, this.constI64(0xffffffff))), cut))
  }
  /**
   * Outside 64-bit mode: adds a segment's base and wraps to 32 bits; in it only FS and GS have one. May fault, for `size` bytes that are
   * read or written there.
   * @param segment SegmentIndex; -1 is the one that the instruction's prefix names, else DS
   */
  abstract linear(segment: number, offset: Value, size: number, write: boolean): Value

  // ---- flags

  /** Records what the arithmetic flags come from. Values of the operand's type; those the kind does not use are left out. */
  abstract flags(kind: CcKind, operands: { a?: Value; b?: Value; r: Value }, size?: number): void
  /** The same where `condition` (i32) holds; otherwise the flags stay. */
  abstract flagsIf(condition: Value, kind: CcKind, operands: { a?: Value; b?: Value; r: Value }): void
  /** Sets all six from an i32 that holds them at their RFLAGS positions. */
  abstract setFlags(word: Value): void
  /** All six at their RFLAGS positions, i32. */
  abstract flagsWord(): Value
  /** CF as i32 0 or 1. */
  abstract carry(): Value
  /** The truth of condition code `cc`, i32. */
  abstract condition(cc: number): Value
  /** A u32 of the processor state (state.ts) that no tier keeps elsewhere. */
  stateI32(offset: number): Value {
    this.code.i32Const(offset)
    this.code.memory(Op.i32_load)
    return this.popI32()
  }
  setStateI32(offset: number, value: Value): void {
    this.code.i32Const(offset)
    this.push(value)
    this.code.memory(Op.i32_store)
  }
  /** DF as i32: 0 or non-zero. */
  directionFlag(): Value {
    return this.and(this.stateI32(State.SYSFLAGS), this.constI32(Rflag.DF))
  }

  // ---- faults and control

  /** #vector(error) when `condition` holds. */
  abstract raiseIf(condition: Value, vector: number): void
  /** Address of the next instruction, i64. */
  abstract nextRip(): Value
  /**
   * A jump to an address that is not canonical, outside 64-bit mode to one beyond the code segment's limit, is #GP(0) at the jump (SDM
   * vol. 2, JMP, CALL, RET).
   */
  requireTarget(target: Value): void {
    if (!this.long) {
      const isBeyond = this.beyondCode(() => target)
      if (isBeyond !== undefined) this.raiseIf(isBeyond, Vector.GP)
      return
    }
    const upper = this.shrU(this.add(target, this.constI64(2 ** 47)), this.constI64(48))
    this.raiseIf(this.ne(upper, this.constI64(0)), Vector.GP)
  }
  /** Outside 64-bit mode: whether an address is beyond the code segment's limit, i32; undefined where there is none. */
  protected abstract beyondCode(target: () => Value): Value | undefined
  /** Where a relative jump goes: IP alone is 16 bits wide with such operands. */
  protected relativeTarget(): Value {
    const target = this.add(this.nextRip(), this.immediate(8))
    return this.long ? target : this.and(target, this.constI64(this.size === 2 ? 0xffff : 0xffffffff))
  }
  /** To the next instruction plus the immediate. */
  abstract jumpRelative(): void
  /**
   * The same when `condition` holds, else to the next instruction.
   * @param commit what the instruction changes besides, once nothing can fault any more
   */
  branchRelative(condition: Value, commit?: () => void): void {
    const isBeyond = this.beyondNear()
    if (isBeyond !== undefined) this.raiseIf(this.and(isBeyond, this.ne(condition, this.constI32(0))), Vector.GP)
    commit?.()
    this.branchIf(condition)
  }
  /** Whether a relative jump, were it taken, would leave the code segment. */
  protected beyondNear(): Value | undefined {
    return this.long ? undefined : this.beyondCode(() => this.relativeTarget())
  }
  /** #GP(0) when a relative jump leaves the code segment. */
  protected requireNear(): void {
    const isBeyond = this.beyondNear()
    if (isBeyond !== undefined) this.raiseIf(isBeyond, Vector.GP)
  }
  protected abstract branchIf(condition: Value): void
  /** To an address in a register or in memory. */
  abstract jumpTo(target: Value): void
  /** Pushes the return address and goes to the next instruction plus the immediate. */
  abstract callRelative(): void
  /** Hands over to the system instruction in TypeScript. */
  abstract system(op: SystemOp): void
  /** 128-bit dividend: quotient and remainder by a 64-bit divisor that is not 0; #DE when the quotient does not fit. */
  abstract divide128(isSigned: boolean, high: Value, low: Value, divisor: Value): Division
  /**
   * A REP-prefixed string instruction (tier 0 only): runs `step` once for each count in rCX, each time as one
   * instruction. `step` returns an i32 that must hold for the repetition to go on, or undefined.
   * @param whole what all the steps together do, for those who can do many at once
   */
  abstract repeat(step: () => Value | undefined, whole?: 'copy' | 'fill'): void

  // ---- derived

  /** rCX in the width that LOOP and JrCXZ use. */
  counter(): Value {
    return this.cutAddress(this.gpr(1))
  }
  setCounter(value: Value): void {
    this.setIndex(1, value)
  }
  /** An address cut to the address size. */
  cutAddress(value: Value): Value {
    if (this.addressBytes === 8) return value
    return this.and(value, this.constI64(this.addressBytes === 4 ? 0xffffffff : 0xffff))
  }
  /** Writes a register that is as wide as an address. */
  setIndex(register: number, value: Value): void {
    const cut = this.cutAddress(value)
    this.setGpr(register, this.addressBytes === 2 ? this.or(this.and(this.gpr(register), this.constI64(-0x10000)), cut) : cut)
  }
  /** Flags of a CMP; returns whether the two are equal. */
  compareFlags(a: Value, b: Value): Value {
    this.flags(CcKind.SUB, { a, b, r: this.truncate(this.sub(a, b)) })
    return this.eq(a, b)
  }
}
