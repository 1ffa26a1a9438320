import type { Code } from '../wasm/code.ts'
import { Op } from '../wasm/opcodes.ts'

/**
 * Lazy arithmetic flags: instead of CF PF AF ZF SF OF the processor keeps the operation, its operands and its result,
 * all zero-extended to 64 bits, and works a flag out when something asks for it.
 *
 * State.CC_OP is `kind * 4 + log2(size)`. What A, B and R mean depends on the kind.
 */
export const CcKind = {
  /** R holds the six flags at their RFLAGS positions. */
  EXPLICIT: 0,
  /** R = A + B. */
  ADD: 1,
  /** R = A + B + carry. */
  ADC: 2,
  /** R = A - B. */
  SUB: 3,
  /** R = A - B - borrow. */
  SBB: 4,
  /** AND, OR, XOR, TEST: CF = OF = 0. */
  LOGIC: 5,
  /** R = A + 1, B = the CF from before. */
  INC: 6,
  /** R = A - 1, B = the CF from before. */
  DEC: 7,
  /** R = A << B, B from 1 on. */
  SHL: 8,
  /** R = A >> B, unsigned. */
  SHR: 9,
  /** R = A >> B, signed. */
  SAR: 10,
  /** Low half of a product; B = 1 when the high half is significant (CF = OF = B). */
  MUL: 11,
} as const
export type CcKind = (typeof CcKind)[keyof typeof CcKind]
export const CC_KINDS = 12

export const ccOp = (kind: CcKind, size: number): number => kind * 4 + Math.log2(size)
/** State.CC_OP of flags that are explicit, in State.CC_R. */
export const EXPLICIT_OP = ccOp(CcKind.EXPLICIT, 1)
export const ccKindOf = (op: number): CcKind => (op >> 2) as CcKind
export const ccSizeOf = (op: number): number => 1 << (op & 3)

export const Condition = { O: 0, B: 2, E: 4, BE: 6, S: 8, P: 10, L: 12, LE: 14 } as const

/** Pushes A, B or R as i64. */
export interface CcOperands {
  a(): void
  b(): void
  r(): void
}

const { ADD, ADC, SUB, SBB, LOGIC, INC, DEC, SHL, SHR, SAR, MUL, EXPLICIT } = CcKind

/** Writes Wasm that works flags out of a lazy state whose kind and size are known while writing. */
export class FlagWriter {
  private readonly code: Code
  private readonly operands: CcOperands
  constructor(code: Code, operands: CcOperands) {
    this.code = code
    this.operands = operands
  }

  /** i64 on the stack → its bit `index` as i32. */
  private bit(index: number): void {
    const { code } = this
    if (index > 0) {
      code.i64Const(index)
      code.op(Op.i64_shr_u)
    }
    code.op(Op.i32_wrap_i64)
    code.i32Const(1)
    code.op(Op.i32_and)
  }

  /** Vector of carries out of every bit of A + B (+ carry) = R. */
  private carries(): void {
    const { code, operands } = this
    operands.a()
    operands.b()
    code.op(Op.i64_and)
    operands.a()
    operands.b()
    code.op(Op.i64_or)
    operands.r()
    code.i64Const(-1)
    code.op(Op.i64_xor)
    code.op(Op.i64_and)
    code.op(Op.i64_or)
  }

  /** Vector of borrows into every bit of A - B (- borrow) = R. */
  private borrows(): void {
    const { code, operands } = this
    operands.a()
    code.i64Const(-1)
    code.op(Op.i64_xor)
    operands.b()
    code.op(Op.i64_and)
    operands.a()
    code.i64Const(-1)
    code.op(Op.i64_xor)
    operands.b()
    code.op(Op.i64_or)
    operands.r()
    code.op(Op.i64_and)
    code.op(Op.i64_or)
  }

  private zero(): void {
    this.code.i32Const(0)
  }

  cf(kind: CcKind, size: number): void {
    const { code, operands } = this
    const bits = size * 8
    switch (kind) {
      case ADD:
        operands.r()
        operands.a()
        code.op(Op.i64_lt_u)
        return
      case ADC:
        this.carries()
        this.bit(bits - 1)
        return
      case SUB:
        operands.a()
        operands.b()
        code.op(Op.i64_lt_u)
        return
      case SBB:
        this.borrows()
        this.bit(bits - 1)
        return
      case LOGIC:
        this.zero()
        return
      case INC:
      case DEC:
      case MUL:
        operands.b()
        this.bit(0)
        return
      case SHL:
        operands.a()
        code.i64Const(bits)
        operands.b()
        code.op(Op.i64_sub)
        code.op(Op.i64_shr_u)
        this.bit(0)
        return
      case SHR:
        operands.a()
        operands.b()
        code.i64Const(1)
        code.op(Op.i64_sub)
        code.op(Op.i64_shr_u)
        this.bit(0)
        return
      case SAR:
        operands.a()
        signExtend(code, size)
        operands.b()
        code.i64Const(1)
        code.op(Op.i64_sub)
        code.op(Op.i64_shr_s)
        this.bit(0)
        return
      case EXPLICIT:
        operands.r()
        this.bit(0)
    }
  }

  of(kind: CcKind, size: number): void {
    const { code, operands } = this
    const top = size * 8 - 1
    switch (kind) {
      case ADD:
      case ADC:
        operands.a()
        operands.r()
        code.op(Op.i64_xor)
        operands.b()
        operands.r()
        code.op(Op.i64_xor)
        code.op(Op.i64_and)
        this.bit(top)
        return
      case SUB:
      case SBB:
        operands.a()
        operands.b()
        code.op(Op.i64_xor)
        operands.a()
        operands.r()
        code.op(Op.i64_xor)
        code.op(Op.i64_and)
        this.bit(top)
        return
      case INC:
        operands.r()
        code.i64ConstHalves(top < 32 ? 1 << top : 0, top < 32 ? 0 : 1 << (top - 32))
        code.op(Op.i64_eq)
        return
      case DEC:
        operands.r()
        if (size === 8) code.i64ConstHalves(-1, 0x7fffffff)
        else code.i64Const(2 ** top - 1)
        code.op(Op.i64_eq)
        return
      case SHL:
        operands.r()
        this.bit(top)
        this.cf(kind, size)
        code.op(Op.i32_xor)
        return
      case SHR:
        operands.a()
        this.bit(top)
        return
      case MUL:
        operands.b()
        this.bit(0)
        return
      case LOGIC:
      case SAR:
        this.zero()
        return
      case EXPLICIT:
        operands.r()
        this.bit(11)
    }
  }

  zf(kind: CcKind): void {
    this.operands.r()
    if (kind === EXPLICIT) this.bit(6)
    else this.code.op(Op.i64_eqz)
  }

  sf(kind: CcKind, size: number): void {
    this.operands.r()
    this.bit(kind === EXPLICIT ? 7 : size * 8 - 1)
  }

  pf(kind: CcKind): void {
    const { code } = this
    this.operands.r()
    if (kind === EXPLICIT) {
      this.bit(2)
      return
    }
    code.op(Op.i32_wrap_i64)
    code.i32Const(0xff)
    code.op(Op.i32_and)
    code.op(Op.i32_popcnt)
    code.i32Const(1)
    code.op(Op.i32_and)
    code.op(Op.i32_eqz)
  }

  af(kind: CcKind): void {
    const { code, operands } = this
    switch (kind) {
      case ADD:
      case ADC:
      case SUB:
      case SBB:
        operands.a()
        operands.b()
        code.op(Op.i64_xor)
        operands.r()
        code.op(Op.i64_xor)
        this.bit(4)
        return
      case INC:
      case DEC:
        operands.r()
        code.i64Const(15)
        code.op(Op.i64_and)
        code.i64Const(kind === INC ? 0 : 15)
        code.op(Op.i64_eq)
        return
      case EXPLICIT:
        operands.r()
        this.bit(4)
        return
      default:
        this.zero()
    }
  }

  /** Pushes all six flags at their RFLAGS positions, i32. */
  word(kind: CcKind, size: number): void {
    const { code } = this
    if (kind === EXPLICIT) {
      this.operands.r()
      code.op(Op.i32_wrap_i64)
      return
    }
    this.cf(kind, size)
    const at = (shift: number): void => {
      code.i32Const(shift)
      code.op(Op.i32_shl)
      code.op(Op.i32_or)
    }
    this.pf(kind)
    at(2)
    this.af(kind)
    at(4)
    this.zf(kind)
    at(6)
    this.sf(kind, size)
    at(7)
    this.of(kind, size)
    at(11)
  }

  private compare(size: number, signed: boolean, wide: number, narrow: number): void {
    const { code, operands } = this
    for (const operand of ['a', 'b'] as const) {
      operands[operand]()
      if (size === 4) code.op(Op.i32_wrap_i64)
      else if (signed && size < 4) signExtend(code, size)
    }
    code.op(size === 4 ? narrow : wide)
  }

  /** Pushes condition `cc` (the low nibble of Jcc, SETcc, CMOVcc) as an i32 truth value. */
  condition(cc: number, kind: CcKind, size: number): void {
    const { code, operands } = this
    const negate = (cc & 1) === 1
    const base = cc & 14
    if (kind === SUB) {
      switch (base) {
        case Condition.E:
          this.compare(size, false, negate ? Op.i64_ne : Op.i64_eq, negate ? Op.i32_ne : Op.i32_eq)
          return
        case Condition.B:
          this.compare(size, false, negate ? Op.i64_ge_u : Op.i64_lt_u, negate ? Op.i32_ge_u : Op.i32_lt_u)
          return
        case Condition.BE:
          this.compare(size, false, negate ? Op.i64_gt_u : Op.i64_le_u, negate ? Op.i32_gt_u : Op.i32_le_u)
          return
        case Condition.L:
          this.compare(size, true, negate ? Op.i64_ge_s : Op.i64_lt_s, negate ? Op.i32_ge_s : Op.i32_lt_s)
          return
        case Condition.LE:
          this.compare(size, true, negate ? Op.i64_gt_s : Op.i64_le_s, negate ? Op.i32_gt_s : Op.i32_le_s)
          return
        default:
      }
    }
    const signTest = (wideOp: number): void => {
      operands.r()
      if (size < 8) signExtend(code, size)
      code.i64Const(0)
      code.op(wideOp)
    }
    if (kind === LOGIC && base === Condition.L) {
      signTest(negate ? Op.i64_ge_s : Op.i64_lt_s)
      return
    }
    if (kind === LOGIC && base === Condition.LE) {
      signTest(negate ? Op.i64_gt_s : Op.i64_le_s)
      return
    }
    if (kind !== EXPLICIT && base === Condition.S) {
      signTest(negate ? Op.i64_ge_s : Op.i64_lt_s)
      return
    }
    if (kind !== EXPLICIT && base === Condition.E) {
      operands.r()
      if (negate) {
        code.i64Const(0)
        code.op(Op.i64_ne)
      } else code.op(Op.i64_eqz)
      return
    }
    switch (base) {
      case Condition.O:
        this.of(kind, size)
        break
      case Condition.B:
        this.cf(kind, size)
        break
      case Condition.E:
        this.zf(kind)
        break
      case Condition.BE:
        this.cf(kind, size)
        this.zf(kind)
        code.op(Op.i32_or)
        break
      case Condition.S:
        this.sf(kind, size)
        break
      case Condition.P:
        this.pf(kind)
        break
      case Condition.L:
        this.sf(kind, size)
        this.of(kind, size)
        code.op(Op.i32_xor)
        break
      case Condition.LE:
        this.sf(kind, size)
        this.of(kind, size)
        code.op(Op.i32_xor)
        this.zf(kind)
        code.op(Op.i32_or)
        break
      default:
    }
    if (negate) code.op(Op.i32_eqz)
  }
}

/** Sign-extends the i64 on the stack from `size` bytes. */
export function signExtend(code: Code, size: number): void {
  if (size === 1) code.op(Op.i64_extend8_s)
  else if (size === 2) code.op(Op.i64_extend16_s)
  else if (size === 4) code.op(Op.i64_extend32_s)
}
