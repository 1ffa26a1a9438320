import type { Division, Emit, Value } from '../emit.ts'
import { Op, SimdOp } from '../../wasm/opcodes.ts'
import { CcKind, Condition } from '../flags.ts'
import { Rflag, State, Vector } from '../state.ts'
import { define } from './definition.ts'

/** Integer arithmetic and logic (SDM vol. 2). */

export const ADD = define('add', ['modify', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const r = e.truncate(e.add(a, b))
  e.flags(CcKind.ADD, { a, b, r })
  e.set(0, r)
}, { setsFlags: true })

export const ADC = define('adc', ['modify', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const r = e.truncate(e.add(e.add(a, b), e.resize(e.carry())))
  e.flags(CcKind.ADC, { a, b, r })
  e.set(0, r)
}, { needs: 'carry', setsFlags: true })

export const SUB = define('sub', ['modify', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const r = e.truncate(e.sub(a, b))
  e.flags(CcKind.SUB, { a, b, r })
  e.set(0, r)
}, { setsFlags: true })

export const SBB = define('sbb', ['modify', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const r = e.truncate(e.sub(e.sub(a, b), e.resize(e.carry())))
  e.flags(CcKind.SBB, { a, b, r })
  e.set(0, r)
}, { needs: 'carry', setsFlags: true })

export const CMP = define('cmp', ['read', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  e.flags(CcKind.SUB, { a, b, r: e.truncate(e.sub(a, b)) })
}, { setsFlags: true })

const logic = (name: string, operation: (e: Emit, a: Value, b: Value) => Value) =>
  define(name, ['modify', 'read'], (e) => {
    const r = operation(e, e.get(0), e.get(1))
    e.flags(CcKind.LOGIC, { r })
    e.set(0, r)
  }, { setsFlags: true })
export const AND = logic('and', (e, a, b) => e.and(a, b))
export const OR = logic('or', (e, a, b) => e.or(a, b))
export const XOR = logic('xor', (e, a, b) => e.xor(a, b))

export const TEST = define('test', ['read', 'read'], (e) => {
  e.flags(CcKind.LOGIC, { r: e.and(e.get(0), e.get(1)) })
}, { setsFlags: true })

export const NOT = define('not', ['modify'], (e) => {
  e.set(0, e.truncate(e.xor(e.get(0), e.const(-1))))
})

export const NEG = define('neg', ['modify'], (e) => {
  const b = e.get(0)
  const a = e.const(0)
  const r = e.truncate(e.sub(a, b))
  e.flags(CcKind.SUB, { a, b, r })
  e.set(0, r)
}, { setsFlags: true })

export const INC = define('inc', ['modify'], (e) => {
  const a = e.get(0)
  const r = e.truncate(e.add(a, e.const(1)))
  const cf = e.carry()
  e.flags(CcKind.INC, { b: cf, r })
  e.set(0, r)
}, { needs: 'carry' })

export const DEC = define('dec', ['modify'], (e) => {
  const a = e.get(0)
  const r = e.truncate(e.sub(a, e.const(1)))
  const cf = e.carry()
  e.flags(CcKind.DEC, { b: cf, r })
  e.set(0, r)
}, { needs: 'carry' })

export const XADD = define('xadd', ['modify', 'modify'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const r = e.truncate(e.add(a, b))
  e.flags(CcKind.ADD, { a, b, r })
  e.set(1, a)
  e.set(0, r)
}, { setsFlags: true })

export const CMPXCHG = define('cmpxchg', ['modify', 'read'], (e) => {
  const destination = e.get(0)
  const source = e.get(1)
  const accumulator = e.register(0)
  e.flags(CcKind.SUB, { a: accumulator, b: destination, r: e.truncate(e.sub(accumulator, destination)) })
  const equal = e.eq(accumulator, destination)
  // Only one of the two is written: the other, if it is a 32-bit register, keeps its upper half.
  e.if(equal, () => e.set(0, source), () => e.setRegister(0, destination))
}, { setsFlags: true })

export const CMPXCHG8B = define('cmpxchg8b', ['modify'], (e) => {
  const memory = e.get(0)
  const shift = e.constI64(32)
  const join = (high: number, low: number): Value => e.or(e.shl(e.gpr(high), shift), e.wide(e.register(low, 4)))
  const equal = e.eq(join(2, 0), memory)
  const word = e.flagsWord()
  e.setFlags(e.or(e.and(word, e.constI32(~0x40)), e.shl(equal, e.constI32(6))))
  e.set(0, e.select(equal, join(1, 3), memory))
  e.setGpr(0, e.select(equal, e.gpr(0), e.wide(e.narrow(memory))))
  e.setGpr(2, e.select(equal, e.gpr(2), e.shrU(memory, shift)))
}, { needs: 'flags' })

/** CMPXCHG16B: the same with quadwords; its operand is aligned. */
export const CMPXCHG16B = define('cmpxchg16b', ['modify'], (e) => {
  const memory = e.get(0)
  const low = e.lane(SimdOp.i64x2_extract_lane, memory, 0)
  const high = e.lane(SimdOp.i64x2_extract_lane, memory, 1)
  const equal = e.and(e.eq(e.gpr(0), low), e.eq(e.gpr(2), high))
  const word = e.flagsWord()
  e.setFlags(e.or(e.and(word, e.constI32(~0x40)), e.shl(equal, e.constI32(6))))
  const first = e.replaceLane(SimdOp.i64x2_replace_lane, memory, 0, e.select(equal, e.gpr(3), low))
  e.set(0, e.replaceLane(SimdOp.i64x2_replace_lane, first, 1, e.select(equal, e.gpr(1), high)))
  e.setGpr(0, e.select(equal, e.gpr(0), low))
  e.setGpr(2, e.select(equal, e.gpr(2), high))
}, { needs: 'flags', aligned: true })

/** MUL and the one-operand IMUL: rDX:rAX = rAX * operand. */
const multiply = (isSigned: boolean) =>
  define(isSigned ? 'imul1' : 'mul', ['read'], (e) => {
    const operand = e.get(0)
    const accumulator = e.register(0)
    if (e.size === 8) {
      const low = e.mul(accumulator, operand)
      const high = e.mulHigh(isSigned, accumulator, operand)
      const significant = isSigned ? e.ne(high, e.shrS(low, e.constI64(63))) : e.ne(high, e.constI64(0))
      e.flags(CcKind.MUL, { b: significant, r: low })
      e.setGpr(0, low)
      e.setGpr(2, high)
      return
    }
    const bits = e.size * 8
    const extend = (value: Value): Value => (isSigned ? e.signedWide(value) : e.wide(value))
    const product = e.mul(extend(accumulator), extend(operand))
    const low = e.resize(product)
    const significant = e.ne(product, extend(low))
    e.flags(CcKind.MUL, { b: significant, r: low })
    if (e.size === 1) e.setRegister(0, e.truncate(e.narrow(product), 2), 2)
    else {
      e.setRegister(0, low)
      e.setRegister(2, e.resize(e.shrU(product, e.constI64(bits))))
    }
  }, { setsFlags: true })
export const MUL = multiply(false)
export const IMUL1 = multiply(true)

const imul = (e: Emit, a: Value, b: Value): void => {
  let r: Value
  let significant: Value
  if (e.size === 8) {
    r = e.mul(a, b)
    significant = e.ne(e.mulHigh(true, a, b), e.shrS(r, e.constI64(63)))
  } else {
    const product = e.mul(e.signedWide(a), e.signedWide(b))
    r = e.resize(product)
    significant = e.ne(product, e.signedWide(r))
  }
  e.flags(CcKind.MUL, { b: significant, r })
  e.set(0, r)
}
export const IMUL2 = define('imul2', ['modify', 'read'], (e) => imul(e, e.get(0), e.get(1)), { setsFlags: true })
export const IMUL3 = define('imul3', ['write', 'read', 'read'], (e) => imul(e, e.get(1), e.get(2)), { setsFlags: true })

/** DIV and IDIV; flags are undefined afterwards and stay as they were. */
const divide = (isSigned: boolean) =>
  define(isSigned ? 'idiv' : 'div', ['read'], (e) => {
    const divisor = e.get(0)
    if (e.size === 8) {
      e.raiseIf(e.eqz(divisor), Vector.DE)
      const { quotient, remainder } = e.divide128(isSigned, e.gpr(2), e.gpr(0), divisor)
      e.setGpr(0, quotient)
      e.setGpr(2, remainder)
      return
    }
    const { quotient, remainder } = isSigned ? divideSigned(e, divisor) : divideUnsigned(e, divisor)
    const q = e.resize(quotient)
    const r = e.resize(remainder)
    if (e.size === 1) e.setRegister(0, e.or(q, e.shl(r, e.constI32(8))), 2)
    else {
      e.setRegister(0, q)
      e.setRegister(2, r)
    }
  })
const dividend = (e: Emit): Value =>
  e.size === 1 ? e.wide(e.register(0, 2)) : e.or(e.shl(e.wide(e.register(2)), e.constI64(e.size * 8)), e.wide(e.register(0)))
function divideUnsigned(e: Emit, divisor: Value): Division {
  // The quotient is too large when the dividend's upper half alone has the divisor in it, which it always has when that is 0.
  const upper = e.size === 1 ? e.shrU(e.register(0, 2), e.constI32(8)) : e.register(2)
  e.raiseIf(e.geU(upper, divisor), Vector.DE)
  return e.quotientAndRemainder(false, dividend(e), e.wide(divisor))
}
function divideSigned(e: Emit, divisor: Value): Division {
  e.raiseIf(e.eqz(divisor), Vector.DE)
  const wideDividend = e.size === 4 ? dividend(e) : e.signedWide(e.narrow(dividend(e)), e.size * 2)
  const wideDivisor = e.signedWide(divisor)
  // -2^63 / -1 overflows in Wasm as it does here.
  if (e.size === 4)
    e.raiseIf(e.and(e.eq(wideDividend, e.constI64Halves(0, 0x80000000 | 0)), e.eq(wideDivisor, e.constI64(-1))), Vector.DE)
  const result = e.quotientAndRemainder(true, wideDividend, wideDivisor)
  e.raiseIf(e.ne(result.quotient, e.signedWide(e.resize(result.quotient))), Vector.DE)
  return result
}
export const DIV = divide(false)
export const IDIV = divide(true)

/** CBW, CWDE, CDQE: sign-extends half of rAX. */
export const CBW = define('cbw', [], (e) => {
  const half = e.size / 2
  e.setRegister(0, e.resize(e.size === 8 ? e.signedWide(e.register(0, 4), 4) : e.signed(e.register(0, half), half)))
})

/** CWD, CDQ, CQO: fills rDX with the sign of rAX. */
export const CWD = define('cwd', [], (e) => {
  const value = e.signed(e.register(0))
  e.setRegister(2, e.truncate(e.size === 8 ? e.shrS(value, e.constI64(63)) : e.shrS(value, e.constI32(31))))
})

const CARRY_AND_OVERFLOW = 0x801

type Shift = 'rol' | 'ror' | 'rcl' | 'rcr' | 'shl' | 'shr' | 'sar'

function masked(e: Emit): { count: Value; known: number | undefined } {
  const mask = e.size === 8 ? 63 : 31
  const known = e.slots[1].kind === 'imm' ? e.knownImmediate() : undefined
  if (known !== undefined) return { count: e.const(known & mask), known: known & mask }
  return { count: e.resize(e.and(e.resize(e.get(1), 4), e.constI32(mask))), known: undefined }
}

const shift = (name: 'shl' | 'shr' | 'sar', kind: CcKind) =>
  define(name, ['modify', 'read'], (e) => {
    const a = e.get(0)
    const { count: b, known } = masked(e)
    if (known === 0) {
      e.set(0, a)
      return
    }
    const value = name === 'sar' ? e.signed(a) : a
    const r = e.truncate(name === 'shl' ? e.shl(value, b) : name === 'shr' ? e.shrU(value, b) : e.shrS(value, b))
    if (known !== undefined) e.flags(kind, { a, b, r })
    else e.flagsIf(e.ne(b, e.const(0)), kind, { a, b, r })
    e.set(0, r)
  }, { needs: 'carry', constantCountNeedsNothing: true })
export const SHL = shift('shl', CcKind.SHL)
export const SHR = shift('shr', CcKind.SHR)
export const SAR = shift('sar', CcKind.SAR)

/** Sets CF and OF (i32 bits 0) where the count was not 0 and leaves the other flags. */
function setCarryAndOverflow(e: Emit, count: Value, cf: Value, of: Value): void {
  const before = e.flagsWord()
  const after = e.or(e.or(e.and(before, e.constI32(~CARRY_AND_OVERFLOW)), cf), e.shl(of, e.constI32(11)))
  e.setFlags(e.select(e.ne(count, e.isWide(count) ? e.constI64(0) : e.constI32(0)), after, before))
}

const topBit = (e: Emit, value: Value): Value => {
  const bits = e.size * 8
  return e.and(e.narrow(e.shrU(value, e.const(bits - 1))), e.constI32(1))
}

const rotate = (name: 'rol' | 'ror') =>
  define(name, ['modify', 'read'], (e) => {
    const a = e.get(0)
    const { count } = masked(e)
    const bits = e.size * 8
    let r: Value
    if (e.size >= 4) r = name === 'rol' ? e.rotl(a, count) : e.rotr(a, count)
    else {
      const by = e.and(count, e.constI32(bits - 1))
      const back = e.and(e.sub(e.constI32(bits), by), e.constI32(bits - 1))
      r = e.truncate(name === 'rol' ? e.or(e.shl(a, by), e.shrU(a, back)) : e.or(e.shrU(a, by), e.shl(a, back)))
    }
    const low = e.and(e.narrow(r), e.constI32(1))
    const high = topBit(e, r)
    if (name === 'rol') setCarryAndOverflow(e, count, low, e.xor(high, low))
    else setCarryAndOverflow(e, count, high, e.xor(high, e.and(e.narrow(e.shrU(r, e.const(bits - 2))), e.constI32(1))))
    e.set(0, r)
  }, { needs: 'flags' })
export const ROL = rotate('rol')
export const ROR = rotate('ror')

/** RCL and RCR turn bit by bit through CF: rare enough for a loop. */
const rotateThroughCarry = (name: 'rcl' | 'rcr') =>
  define(name, ['modify', 'read'], (e) => {
    const bits = e.size * 8
    const a = e.variable(e.get(0))
    const cf = e.variable(e.carry())
    const { count } = masked(e)
    const total = e.narrow(count)
    const left = e.variable(e.size >= 4 ? total : e.remU(total, e.constI32(bits + 1)))
    const word = e.flagsWord()
    e.code.block()
    const done = e.code.depth
    e.code.loop()
    const again = e.code.depth
    e.push(e.eqz(left))
    e.code.brIf(done)
    const top = topBit(e, a)
    const low = e.and(e.narrow(a), e.constI32(1))
    if (name === 'rcl') {
      e.assign(a, e.truncate(e.or(e.shl(a, e.const(1)), e.resize(cf))))
      e.assign(cf, top)
    } else {
      e.assign(a, e.or(e.shrU(a, e.const(1)), e.shl(e.resize(cf), e.const(bits - 1))))
      e.assign(cf, low)
    }
    e.assign(left, e.sub(left, e.constI32(1)))
    e.code.br(again)
    e.code.end()
    e.code.end()
    const high = topBit(e, a)
    const of = name === 'rcl' ? e.xor(high, cf) : e.xor(high, e.and(e.narrow(e.shrU(a, e.const(bits - 2))), e.constI32(1)))
    const after = e.or(e.or(e.and(word, e.constI32(~CARRY_AND_OVERFLOW)), cf), e.shl(of, e.constI32(11)))
    e.setFlags(e.select(e.eqz(total), word, after))
    e.set(0, a)
  }, { needs: 'flags', interpretOnly: true })
export const RCL = rotateThroughCarry('rcl')
export const RCR = rotateThroughCarry('rcr')
export const SHIFTS: readonly (readonly [Shift, ReturnType<typeof define>])[] = [
  ['rol', ROL], ['ror', ROR], ['rcl', RCL], ['rcr', RCR], ['shl', SHL], ['shr', SHR], ['shl', SHL], ['sar', SAR],
]

/** SHLD and SHRD: shifts bits of the second operand in; the third is the count. */
const doubleShift = (name: 'shld' | 'shrd') =>
  define(name, ['modify', 'read', 'read'], (e) => {
    const a = e.get(0)
    const fill = e.get(1)
    const bits = e.size * 8
    const count = e.resize(e.and(e.resize(e.get(2), 4), e.constI32(e.size === 8 ? 63 : 31)))
    const nonZero = e.ne(count, e.const(0))
    const back = e.sub(e.const(bits), count)
    // By 0 the other shift would be by the full width, which Wasm takes as 0.
    const merged =
      name === 'shld' ? e.or(e.shl(a, count), e.shrU(fill, back)) : e.or(e.shrU(a, count), e.shl(fill, back))
    const r = e.truncate(e.select(nonZero, merged, a))
    if (name === 'shld') e.flagsIf(nonZero, CcKind.SHL, { a, b: count, r })
    else {
      const before = e.flagsWord()
      e.flags(CcKind.SHR, { a, b: count, r })
      // OF tells a change of sign; SHR's is only the old sign.
      const after = e.xor(e.flagsWord(), e.shl(topBit(e, r), e.constI32(11)))
      e.setFlags(e.select(nonZero, after, before))
    }
    e.set(0, r)
  }, { needs: name === 'shrd' ? 'flags' : 'carry' })
export const SHLD = doubleShift('shld')
export const SHRD = doubleShift('shrd')

/** BT, BTS, BTR, BTC with a register bit offset reach beyond a memory operand: the address moves by whole words. */
const bitTest = (name: 'bt' | 'bts' | 'btr' | 'btc') => {
  const change = (e: Emit, value: Value, bit: Value): Value => {
    const mask = e.shl(e.const(1), bit)
    if (name === 'bts') return e.or(value, mask)
    if (name === 'btr') return e.and(value, e.xor(mask, e.const(-1)))
    return e.xor(value, mask)
  }
  const withCarry = (e: Emit, value: Value, bit: Value): Value => {
    const cf = e.and(e.narrow(e.shrU(value, bit)), e.constI32(1))
    return e.or(e.and(e.flagsWord(), e.constI32(~1)), cf)
  }
  const isTest = name === 'bt'
  const onOperand = define(name, [isTest ? 'read' : 'modify', 'read'], (e) => {
    const value = e.get(0)
    const bit = e.resize(e.and(e.resize(e.get(1), 4), e.constI32(e.size * 8 - 1)))
    e.setFlags(withCarry(e, value, bit))
    if (!isTest) e.set(0, e.truncate(change(e, value, bit)))
  }, { needs: 'flags' })
  const onString = define(`${name}m`, ['address', 'read'], (e) => {
    const offset = e.signedWide(e.get(1))
    const shiftBy = Math.log2(e.size)
    const words = e.shrS(offset, e.constI64(3 + shiftBy))
    const address = e.addressAt(e.shl(words, e.constI64(shiftBy)), e.size, !isTest)
    const value = e.load(address, e.size, { stack: 'operand', written: !isTest })
    const bit = e.resize(e.and(e.narrow(offset), e.constI32(e.size * 8 - 1)))
    const flags = withCarry(e, value, bit)
    if (!isTest) e.store(address, e.size, e.truncate(change(e, value, bit)), { stack: 'operand' })
    e.setFlags(flags)
  }, { needs: 'flags' })
  return { onOperand, onString }
}
export const BT = bitTest('bt')
export const BTS = bitTest('bts')
export const BTR = bitTest('btr')
export const BTC = bitTest('btc')

/** BSF and BSR of 0 do not write the destination: a 32-bit one keeps its upper half. */
const bitScan = (name: 'bsf' | 'bsr') =>
  define(name, ['modify', 'read'], (e) => {
    const source = e.get(1)
    const index = name === 'bsf' ? e.ctz(source) : e.sub(e.const(e.size === 8 ? 63 : 31), e.clz(source))
    e.flags(CcKind.LOGIC, { r: source })
    e.if(e.ne(source, e.const(0)), () => e.set(0, index))
  }, { setsFlags: true })
export const BSF = bitScan('bsf')
export const BSR = bitScan('bsr')

export const POPCNT = define('popcnt', ['write', 'read'], (e) => {
  const source = e.get(1)
  e.setFlags(e.shl(e.eqz(source), e.constI32(6)))
  e.set(0, e.popcnt(source))
}, { setsFlags: true })

/** Bytes in reverse; of 16 bits BSWAP's answer is undefined, processors give 0. */
export function reverseBytes(e: Emit, value: Value): Value {
  const swap = (word: Value): Value =>
    e.or(e.and(e.rotl(word, e.constI32(8)), e.constI32(0x00ff00ff)), e.and(e.rotr(word, e.constI32(8)), e.constI32(0xff00ff00 | 0)))
  if (e.size === 2) return e.shrU(swap(value), e.constI32(16))
  if (e.size === 4) return swap(value)
  const by = e.constI64(32)
  return e.or(e.shl(e.wide(swap(e.narrow(value))), by), e.wide(swap(e.narrow(e.shrU(value, by)))))
}
export const BSWAP = define('bswap', ['modify'], (e) => {
  const value = e.get(0)
  e.set(0, e.size === 2 ? e.const(0) : reverseBytes(e, value))
})

/** CRC-32C of the operand's bytes onto the destination, by the table at State.CRC_TABLE. */
export const CRC32 = define('crc32', ['modify', 'read'], (e) => {
  const source = e.get(1)
  const crc = e.variable(e.narrow(e.get(0)))
  const { code } = e
  for (let byte = 0; byte < e.sizeOf(1); byte++) {
    e.push(source)
    if (e.isWide(source)) {
      code.i64Const(byte * 8)
      code.op(Op.i64_shr_u)
      code.op(Op.i32_wrap_i64)
    } else {
      code.i32Const(byte * 8)
      code.op(Op.i32_shr_u)
    }
    code.get(crc)
    code.op(Op.i32_xor)
    code.i32Const(0xff)
    code.op(Op.i32_and)
    code.i32Const(2)
    code.op(Op.i32_shl)
    code.memory(Op.i32_load, State.CRC_TABLE)
    code.get(crc)
    code.i32Const(8)
    code.op(Op.i32_shr_u)
    code.op(Op.i32_xor)
    code.set(crc)
  }
  e.set(0, e.resize(crc))
})

export const SETCC = Array.from({ length: 16 }, (_, cc) =>
  define(`set${cc}`, ['write'], (e) => e.set(0, e.condition(cc)), { needs: needsOf(cc) }),
)

export const CMOVCC = Array.from({ length: 16 }, (_, cc) =>
  define(`cmov${cc}`, ['modify', 'read'], (e) => {
    const source = e.get(1)
    const destination = e.get(0)
    // A 32-bit move clears the upper half even when the condition is false.
    e.set(0, e.select(e.condition(cc), source, destination))
  }, { needs: needsOf(cc) }),
)

export function needsOf(cc: number): 'flags' | 'carry' {
  return (cc & 14) === Condition.B ? 'carry' : 'flags'
}

const setCarryFlag = (name: string, value: (e: Emit, word: Value) => Value) =>
  define(name, [], (e) => e.setFlags(value(e, e.flagsWord())), { needs: 'flags' })
export const CLC = setCarryFlag('clc', (e, word) => e.and(word, e.constI32(~1)))
export const STC = setCarryFlag('stc', (e, word) => e.or(word, e.constI32(1)))
export const CMC = setCarryFlag('cmc', (e, word) => e.xor(word, e.constI32(1)))

export const CLD = define('cld', [], (e) => e.setStateI32(State.SYSFLAGS, e.and(e.stateI32(State.SYSFLAGS), e.constI32(~Rflag.DF))))
export const STD = define('std', [], (e) => e.setStateI32(State.SYSFLAGS, e.or(e.stateI32(State.SYSFLAGS), e.constI32(Rflag.DF))))
