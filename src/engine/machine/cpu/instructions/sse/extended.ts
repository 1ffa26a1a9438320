import type { Emit, Value } from '../../emit.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { repeated } from './format.ts'
import { lanesOf } from './moves.ts'

/** Packed integers of SSSE3, SSE4.1 and SSE4.2: arithmetic, comparison, extension. */

const ALIGNED = { sse: true, aligned: true } as const
const ANY = { sse: true } as const

const packed = (name: string, operation: (e: Emit, a: Value, b: Value) => Value) =>
  define(name, ['modify', 'read'], (e) => e.set(0, operation(e, e.get(0), e.get(1))), ALIGNED)
const direct = (name: string, opcode: number) => packed(name, (e, a, b) => e.simd(opcode, a, b))
const unary = (name: string, opcode: number) => define(name, ['write', 'read'], (e) => e.set(0, e.simd(opcode, e.get(1))), ALIGNED)

// ---- SSSE3

/** Bit 7 of a byte of the mask clears; else its low bits choose, where a swizzle clears for anything past 15. */
export const shuffleBytes = (e: Emit, value: Value, mask: Value, kept: number): Value =>
  e.simd(SimdOp.i8x16_swizzle, value, e.simd(SimdOp.v128_and, mask, e.vectorConst(repeated(BigInt(kept), 1))))
export const PSHUFB = packed('pshufb', (e, a, b) => shuffleBytes(e, a, b, 0x8f))

/** Neighbours of both operands: the even elements and the odd ones. */
const pairs = (e: Emit, a: Value, b: Value, bytes: 2 | 4): [Value, Value] => {
  const even = Array.from({ length: 16 / bytes }, (_, lane) => lane * 2)
  return [e.shuffle(a, b, lanesOf(bytes, even)), e.shuffle(a, b, lanesOf(bytes, even.map((lane) => lane + 1)))]
}
const horizontal = (name: string, bytes: 2 | 4, opcode: number) => packed(name, (e, a, b) => e.simd(opcode, ...pairs(e, a, b, bytes)))
export const PHADDW = horizontal('phaddw', 2, SimdOp.i16x8_add)
export const PHADDD = horizontal('phaddd', 4, SimdOp.i32x4_add)
export const PHADDSW = horizontal('phaddsw', 2, SimdOp.i16x8_add_sat_s)
export const PHSUBW = horizontal('phsubw', 2, SimdOp.i16x8_sub)
export const PHSUBD = horizontal('phsubd', 4, SimdOp.i32x4_sub)
export const PHSUBSW = horizontal('phsubsw', 2, SimdOp.i16x8_sub_sat_s)

/** Unsigned bytes of the first times signed bytes of the second operand, pairs of products added with saturation. */
export const PMADDUBSW = packed('pmaddubsw', (e, a, b) => {
  const eight = e.constI32(8)
  const even = e.simd(SimdOp.i16x8_mul, e.simd(SimdOp.v128_and, a, e.vectorConst(repeated(0xffn, 2))),
    e.simd(SimdOp.i16x8_shr_s, e.simd(SimdOp.i16x8_shl, b, eight), eight))
  const odd = e.simd(SimdOp.i16x8_mul, e.simd(SimdOp.i16x8_shr_u, a, eight), e.simd(SimdOp.i16x8_shr_s, b, eight))
  return e.simd(SimdOp.i16x8_add_sat_s, even, odd)
})

/** Negates, clears or keeps by the sign of the second operand. */
const sign = (name: string, { sub, greater, equal }: { sub: number; greater: number; equal: number }) =>
  packed(name, (e, a, b) => {
    const zero = e.vectorConst(repeated(0n, 8))
    const negative = e.simd(greater, zero, b)
    return e.simd(SimdOp.v128_andnot, e.simd(sub, e.simd(SimdOp.v128_xor, a, negative), negative), e.simd(equal, b, zero))
  })
export const PSIGNB = sign('psignb', { sub: SimdOp.i8x16_sub, greater: SimdOp.i8x16_gt_s, equal: SimdOp.i8x16_eq })
export const PSIGNW = sign('psignw', { sub: SimdOp.i16x8_sub, greater: SimdOp.i16x8_gt_s, equal: SimdOp.i16x8_eq })
export const PSIGND = sign('psignd', { sub: SimdOp.i32x4_sub, greater: SimdOp.i32x4_gt_s, equal: SimdOp.i32x4_eq })

/** Wasm's operation saturates -1 × -1, which here wraps. */
export const PMULHRSW = packed('pmulhrsw', (e, a, b) => {
  const least = e.vectorConst(repeated(0x8000n, 2))
  const wraps = e.simd(SimdOp.v128_and, e.simd(SimdOp.i16x8_eq, a, least), e.simd(SimdOp.i16x8_eq, b, least))
  return e.simd(SimdOp.v128_xor, e.simd(SimdOp.i16x8_q15mulr_sat_s, a, b), wraps)
})
export const PABSB = unary('pabsb', SimdOp.i8x16_abs)
export const PABSW = unary('pabsw', SimdOp.i16x8_abs)
export const PABSD = unary('pabsd', SimdOp.i32x4_abs)

export const BYTE_NUMBERS = Array.from({ length: 16 }, (_, index) => index)
/** Bytes `count` and following of the second operand with the first above it. */
export const PALIGNR = define('palignr', ['modify', 'read', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const known = e.knownImmediate()
  if (known !== undefined) {
    const count = known & 0xff
    if (count >= 32) e.set(0, e.vectorConst(repeated(0n, 8)))
    else if (count > 16) e.set(0, e.shuffle(a, e.vectorConst(repeated(0n, 8)), BYTE_NUMBERS.map((index) => index + count - 16)))
    else e.set(0, e.shuffle(b, a, BYTE_NUMBERS.map((index) => index + count)))
    return
  }
  const immediate = e.get(2)
  const count = e.select(e.ltU(immediate, e.constI32(32)), immediate, e.constI32(32))
  const lanes = e.simd(SimdOp.i8x16_add, e.vectorConst(BYTE_NUMBERS), e.simd(SimdOp.i8x16_splat, count))
  const above = e.simd(SimdOp.i8x16_sub, lanes, e.vectorConst(repeated(16n, 1)))
  e.set(0, e.simd(SimdOp.v128_or, e.simd(SimdOp.i8x16_swizzle, b, lanes), e.simd(SimdOp.i8x16_swizzle, a, above)))
}, ALIGNED)

// ---- SSE4.1

export const PTEST = define('ptest', ['read', 'read'], (e) => {
  const a = e.get(0)
  const b = e.get(1)
  const isZero = (value: Value): Value => e.eqz(e.reduce(SimdOp.v128_any_true, value))
  const zf = isZero(e.simd(SimdOp.v128_and, a, b))
  const cf = isZero(e.simd(SimdOp.v128_andnot, b, a))
  e.setFlags(e.or(e.shl(zf, e.constI32(6)), cf))
}, { ...ALIGNED, setsFlags: true })

export const PCMPEQQ = direct('pcmpeqq', SimdOp.i64x2_eq)
export const PCMPGTQ = direct('pcmpgtq', SimdOp.i64x2_gt_s)
export const PACKUSDW = direct('packusdw', SimdOp.i16x8_narrow_i32x4_u)
export const PMINSB = direct('pminsb', SimdOp.i8x16_min_s)
export const PMINSD = direct('pminsd', SimdOp.i32x4_min_s)
export const PMINUW = direct('pminuw', SimdOp.i16x8_min_u)
export const PMINUD = direct('pminud', SimdOp.i32x4_min_u)
export const PMAXSB = direct('pmaxsb', SimdOp.i8x16_max_s)
export const PMAXSD = direct('pmaxsd', SimdOp.i32x4_max_s)
export const PMAXUW = direct('pmaxuw', SimdOp.i16x8_max_u)
export const PMAXUD = direct('pmaxud', SimdOp.i32x4_max_u)
export const PMULLD = direct('pmulld', SimdOp.i32x4_mul)
export const PMULDQ = packed('pmuldq', (e, a, b) => {
  const even = (value: Value): Value => e.shuffle(value, value, lanesOf(4, [0, 2, 0, 2]))
  return e.simd(SimdOp.i64x2_extmul_low_i32x4_s, even(a), even(b))
})

const WORD_NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7]
/** The smallest word and where it is. */
export const PHMINPOSUW = define('phminposuw', ['write', 'read'], (e) => {
  const source = e.get(1)
  let least = source
  for (const step of [1, 2, 4])
    least = e.simd(SimdOp.i16x8_min_u, least, e.shuffle(least, least, lanesOf(2, WORD_NUMBERS.map((lane) => (lane + step) & 7))))
  const position = e.ctz(e.reduce(SimdOp.i16x8_bitmask, e.simd(SimdOp.i16x8_eq, source, least)))
  const word = e.lane(SimdOp.i16x8_extract_lane_u, least, 0)
  const zero = e.vectorConst(repeated(0n, 8))
  e.set(0, e.replaceLane(SimdOp.i32x4_replace_lane, zero, 0, e.or(word, e.shl(position, e.constI32(16)))))
}, ALIGNED)

/** PMOVSX and PMOVZX: the low elements made wider. */
const extend = (name: string, ...steps: readonly number[]) =>
  define(name, ['write', 'read'], (e) => e.set(0, steps.reduce((value, opcode) => e.simd(opcode, value), e.get(1))), ANY)
const [BW, WD, DQ] = [SimdOp.i16x8_extend_low_i8x16_s, SimdOp.i32x4_extend_low_i16x8_s, SimdOp.i64x2_extend_low_i32x4_s]
const [BW_U, WD_U, DQ_U] = [SimdOp.i16x8_extend_low_i8x16_u, SimdOp.i32x4_extend_low_i16x8_u, SimdOp.i64x2_extend_low_i32x4_u]
/** In the order of their opcodes: BW BD BQ WD WQ DQ, with the letter of their operand's size. */
export const EXTENSIONS = [
  { size: 'q', signed: extend('pmovsxbw', BW), unsigned: extend('pmovzxbw', BW_U) },
  { size: 'd', signed: extend('pmovsxbd', BW, WD), unsigned: extend('pmovzxbd', BW_U, WD_U) },
  { size: 'w', signed: extend('pmovsxbq', BW, WD, DQ), unsigned: extend('pmovzxbq', BW_U, WD_U, DQ_U) },
  { size: 'q', signed: extend('pmovsxwd', WD), unsigned: extend('pmovzxwd', WD_U) },
  { size: 'd', signed: extend('pmovsxwq', WD, DQ), unsigned: extend('pmovzxwq', WD_U, DQ_U) },
  { size: 'q', signed: extend('pmovsxdq', DQ), unsigned: extend('pmovzxdq', DQ_U) },
]

/** Sums of four absolute differences: eight windows of the first operand against one group of four bytes of the second. */
export const MPSADBW = define('mpsadbw', ['modify', 'read', 'read'], (e) => {
  const known = e.knownImmediate()
  const immediate = known === undefined ? e.get(2) : e.constI32(known)
  const from = (value: Value, first: Value): Value =>
    e.simd(SimdOp.i8x16_swizzle, value, e.simd(SimdOp.i8x16_add, e.vectorConst(BYTE_NUMBERS), e.simd(SimdOp.i8x16_splat, first)))
  const a = from(e.get(0), e.and(immediate, e.constI32(4)))
  const b = from(e.get(1), e.shl(e.and(immediate, e.constI32(3)), e.constI32(2)))
  const differences = [0, 1, 2, 3].map((byte) => {
    const window = e.simd(BW_U, e.shuffle(a, a, BYTE_NUMBERS.map((index) => (index + byte) & 15)))
    const one = e.simd(SimdOp.i16x8_splat, e.lane(SimdOp.i8x16_extract_lane_u, b, byte))
    return e.simd(SimdOp.i16x8_abs, e.simd(SimdOp.i16x8_sub, window, one))
  })
  e.set(0, differences.reduce((sum, each) => e.simd(SimdOp.i16x8_add, sum, each)))
}, ALIGNED)
