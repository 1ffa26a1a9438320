import type { Emit, Value } from '../../emit.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { repeated } from './format.ts'
import { lanesOf } from './moves.ts'

/** Packed integers and bitwise logic of SSE2. */

const ALIGNED = { sse: true, aligned: true } as const

const packed = (name: string, operation: (e: Emit, a: Value, b: Value) => Value) =>
  define(name, ['modify', 'read'], (e) => e.set(0, operation(e, e.get(0), e.get(1))), ALIGNED)
const direct = (name: string, opcode: number) => packed(name, (e, a, b) => e.simd(opcode, a, b))

/** Bitwise: ANDPS, ANDPD and PAND are one operation. */
export const PAND = direct('pand', SimdOp.v128_and)
export const PANDN = packed('pandn', (e, a, b) => e.simd(SimdOp.v128_andnot, b, a))
export const POR = direct('por', SimdOp.v128_or)
export const PXOR = direct('pxor', SimdOp.v128_xor)

export const PADDB = direct('paddb', SimdOp.i8x16_add)
export const PADDW = direct('paddw', SimdOp.i16x8_add)
export const PADDD = direct('paddd', SimdOp.i32x4_add)
export const PADDQ = direct('paddq', SimdOp.i64x2_add)
export const PSUBB = direct('psubb', SimdOp.i8x16_sub)
export const PSUBW = direct('psubw', SimdOp.i16x8_sub)
export const PSUBD = direct('psubd', SimdOp.i32x4_sub)
export const PSUBQ = direct('psubq', SimdOp.i64x2_sub)
export const PADDSB = direct('paddsb', SimdOp.i8x16_add_sat_s)
export const PADDSW = direct('paddsw', SimdOp.i16x8_add_sat_s)
export const PADDUSB = direct('paddusb', SimdOp.i8x16_add_sat_u)
export const PADDUSW = direct('paddusw', SimdOp.i16x8_add_sat_u)
export const PSUBSB = direct('psubsb', SimdOp.i8x16_sub_sat_s)
export const PSUBSW = direct('psubsw', SimdOp.i16x8_sub_sat_s)
export const PSUBUSB = direct('psubusb', SimdOp.i8x16_sub_sat_u)
export const PSUBUSW = direct('psubusw', SimdOp.i16x8_sub_sat_u)
export const PMINUB = direct('pminub', SimdOp.i8x16_min_u)
export const PMAXUB = direct('pmaxub', SimdOp.i8x16_max_u)
export const PMINSW = direct('pminsw', SimdOp.i16x8_min_s)
export const PMAXSW = direct('pmaxsw', SimdOp.i16x8_max_s)
export const PAVGB = direct('pavgb', SimdOp.i8x16_avgr_u)
export const PAVGW = direct('pavgw', SimdOp.i16x8_avgr_u)
export const PCMPEQB = direct('pcmpeqb', SimdOp.i8x16_eq)
export const PCMPEQW = direct('pcmpeqw', SimdOp.i16x8_eq)
export const PCMPEQD = direct('pcmpeqd', SimdOp.i32x4_eq)
export const PCMPGTB = direct('pcmpgtb', SimdOp.i8x16_gt_s)
export const PCMPGTW = direct('pcmpgtw', SimdOp.i16x8_gt_s)
export const PCMPGTD = direct('pcmpgtd', SimdOp.i32x4_gt_s)
export const PACKSSWB = direct('packsswb', SimdOp.i8x16_narrow_i16x8_s)
export const PACKUSWB = direct('packuswb', SimdOp.i8x16_narrow_i16x8_u)
export const PACKSSDW = direct('packssdw', SimdOp.i16x8_narrow_i32x4_s)
export const PMADDWD = direct('pmaddwd', SimdOp.i32x4_dot_i16x8_s)
export const PMULLW = direct('pmullw', SimdOp.i16x8_mul)

/** The high halves of 16-bit products: they fit what `narrow` saturates to, so it only packs. */
export const PMULHW = packed('pmulhw', (e, a, b) => {
  const high = (multiply: number): Value => e.simd(SimdOp.i32x4_shr_s, e.simd(multiply, a, b), e.constI32(16))
  return e.simd(SimdOp.i16x8_narrow_i32x4_s, high(SimdOp.i32x4_extmul_low_i16x8_s), high(SimdOp.i32x4_extmul_high_i16x8_s))
})
export const PMULHUW = packed('pmulhuw', (e, a, b) => {
  const high = (multiply: number): Value => e.simd(SimdOp.i32x4_shr_u, e.simd(multiply, a, b), e.constI32(16))
  return e.simd(SimdOp.i16x8_narrow_i32x4_u, high(SimdOp.i32x4_extmul_low_i16x8_u), high(SimdOp.i32x4_extmul_high_i16x8_u))
})
/** Doublewords 0 and 2. */
export const PMULUDQ = packed('pmuludq', (e, a, b) => {
  const even = (value: Value): Value => e.shuffle(value, value, lanesOf(4, [0, 2, 0, 2]))
  return e.simd(SimdOp.i64x2_extmul_low_i32x4_u, even(a), even(b))
})

/** Sum of absolute differences of eight bytes each; one of the two saturating differences is 0. */
export const PSADBW = packed('psadbw', (e, a, b) => {
  const difference = e.simd(SimdOp.v128_or, e.simd(SimdOp.i8x16_sub_sat_u, a, b), e.simd(SimdOp.i8x16_sub_sat_u, b, a))
  const fours = e.simd(SimdOp.i32x4_extadd_pairwise_i16x8_u, e.simd(SimdOp.i16x8_extadd_pairwise_i8x16_u, difference))
  const eights = e.simd(SimdOp.i64x2_add, fours, e.simd(SimdOp.i64x2_shr_u, fours, e.constI32(32)))
  return e.simd(SimdOp.v128_and, eights, e.vectorConst(repeated(0xffffn, 8)))
})

type Direction = 'left' | 'right' | 'arithmetic'

/** Shifts by an immediate, or by the low quadword of the second operand: a count that is too large clears, or fills with the sign. */
const shift = (name: string, bits: number, direction: Direction, opcode: number) => {
  const by = (e: Emit, value: Value, count: Value, inRange: Value): Value => {
    if (direction === 'arithmetic') return e.simd(opcode, value, e.select(inRange, count, e.constI32(bits - 1)))
    const keep = e.simd(SimdOp.i32x4_splat, e.sub(e.constI32(0), inRange))
    return e.simd(SimdOp.v128_and, e.simd(opcode, value, count), keep)
  }
  const byImmediate = define(`${name}i`, ['modify', 'read'], (e) => {
    const value = e.get(0)
    const known = e.knownImmediate()
    if (known === undefined) {
      const count = e.get(1)
      e.set(0, by(e, value, count, e.ltU(count, e.constI32(bits))))
    } else if ((known & 0xff) < bits) e.set(0, e.simd(opcode, value, e.constI32(known & 0xff)))
    else if (direction === 'arithmetic') e.set(0, e.simd(opcode, value, e.constI32(bits - 1)))
    else e.set(0, e.vectorConst(repeated(0n, 8)))
  }, { sse: true })
  const byVector = packed(name, (e, value, source) => {
    const count = e.lane(SimdOp.i64x2_extract_lane, source, 0)
    return by(e, value, e.narrow(count), e.ltU(count, e.constI64(bits)))
  })
  return { byImmediate, byVector }
}
export const PSLLW = shift('psllw', 16, 'left', SimdOp.i16x8_shl)
export const PSLLD = shift('pslld', 32, 'left', SimdOp.i32x4_shl)
export const PSLLQ = shift('psllq', 64, 'left', SimdOp.i64x2_shl)
export const PSRLW = shift('psrlw', 16, 'right', SimdOp.i16x8_shr_u)
export const PSRLD = shift('psrld', 32, 'right', SimdOp.i32x4_shr_u)
export const PSRLQ = shift('psrlq', 64, 'right', SimdOp.i64x2_shr_u)
export const PSRAW = shift('psraw', 16, 'arithmetic', SimdOp.i16x8_shr_s)
export const PSRAD = shift('psrad', 32, 'arithmetic', SimdOp.i32x4_shr_s)

const BYTE_NUMBERS = Array.from({ length: 16 }, (_, index) => index)

/** PSLLDQ and PSRLDQ shift the register by bytes. A swizzle reads 0 where its index is past 15. */
const shiftBytes = (name: string, left: boolean) =>
  define(name, ['modify', 'read'], (e) => {
    const value = e.get(0)
    const known = e.knownImmediate()
    if (known !== undefined) {
      const count = Math.min(known & 0xff, 16)
      const lanes = BYTE_NUMBERS.map((index) => {
        const from = left ? index - count : index + count
        return from >= 0 && from < 16 ? from : 16
      })
      e.set(0, e.shuffle(value, e.vectorConst(repeated(0n, 8)), lanes))
      return
    }
    const count = e.get(1)
    const limited = e.select(e.ltU(count, e.constI32(16)), count, e.constI32(16))
    const lanes = e.simd(left ? SimdOp.i8x16_sub : SimdOp.i8x16_add, e.vectorConst(BYTE_NUMBERS), e.simd(SimdOp.i8x16_splat, limited))
    e.set(0, e.simd(SimdOp.i8x16_swizzle, value, lanes))
  }, { sse: true })
export const PSLLDQ = shiftBytes('pslldq', true)
export const PSRLDQ = shiftBytes('psrldq', false)

/** Two bits of the immediate, or one, for each destination lane: which source lane it takes. */
const selector = (immediate: number, index: number, bits: 1 | 2): number => (immediate >> (index * bits)) & ((1 << bits) - 1)

/**
 * Byte numbers for a swizzle from an immediate that is not known while writing.
 *
 * @param identity byte numbers of the lanes that stay
 * @param first number of the first lane that is selected, `count` lanes of `bytes` bytes
 */
function dynamicLanes(e: Emit, immediate: Value, identity: readonly number[], bytes: 2 | 4 | 8, first: number, count: number): Value {
  const bits = bytes === 8 ? 1 : 2
  // A lane's byte numbers are its first one in every byte plus 0, 1, 2…
  const every = bytes === 2 ? 0x0101 : 0x01010101
  const offsets = bytes === 2 ? 0x0100 : 0x03020100
  const base = bytes === 2 ? first * 2 : 0
  let lanes = e.vectorConst(identity)
  for (let index = 0; index < count; index++) {
    const chosen = e.and(e.shrU(immediate, e.constI32(index * bits)), e.constI32((1 << bits) - 1))
    const numbers = e.add(e.mul(chosen, e.constI32(every * bytes)), e.constI32(offsets + every * base))
    if (bytes === 2) lanes = e.replaceLane(SimdOp.i16x8_replace_lane, lanes, first + index, numbers)
    else if (bytes === 4) lanes = e.replaceLane(SimdOp.i32x4_replace_lane, lanes, first + index, numbers)
    else
      for (const half of [0, 1])
        lanes = e.replaceLane(SimdOp.i32x4_replace_lane, lanes, index * 2 + half, e.add(numbers, e.constI32(half * 0x04040404)))
  }
  return lanes
}

/** PSHUFD, PSHUFLW, PSHUFHW: lanes from `first` on, four of them, chosen from those same four. */
const shuffleWithin = (name: string, bytes: 2 | 4, first: 0 | 4) =>
  define(name, ['write', 'read', 'read'], (e) => {
    const source = e.get(1)
    const known = e.knownImmediate()
    if (known === undefined) {
      e.set(0, e.simd(SimdOp.i8x16_swizzle, source, dynamicLanes(e, e.get(2), BYTE_NUMBERS, bytes, first, 4)))
      return
    }
    const lanes = Array.from({ length: 16 / bytes }, (_, lane) =>
      lane >= first && lane < first + 4 ? first + selector(known, lane - first, 2) : lane,
    )
    e.set(0, e.shuffle(source, source, lanesOf(bytes, lanes)))
  }, ALIGNED)
export const PSHUFD = shuffleWithin('pshufd', 4, 0)
export const PSHUFLW = shuffleWithin('pshuflw', 2, 0)
export const PSHUFHW = shuffleWithin('pshufhw', 2, 4)

/** SHUFPS and SHUFPD: the low half chosen from the first operand, the high half from the second. */
const shuffleBoth = (name: string, bytes: 4 | 8) =>
  define(name, ['modify', 'read', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    const known = e.knownImmediate()
    const count = 16 / bytes
    if (known === undefined) {
      const lanes = dynamicLanes(e, e.get(2), BYTE_NUMBERS, bytes, 0, count)
      const low = e.simd(SimdOp.i8x16_swizzle, a, lanes)
      const high = e.simd(SimdOp.i8x16_swizzle, b, lanes)
      e.set(0, e.shuffle(low, high, lanesOf(8, [0, 3])))
      return
    }
    const lanes = Array.from({ length: count }, (_, lane) => selector(known, lane, bytes === 8 ? 1 : 2) + (lane < count / 2 ? 0 : count))
    e.set(0, e.shuffle(a, b, lanesOf(bytes, lanes)))
  }, ALIGNED)
export const SHUFPS = shuffleBoth('shufps', 4)
export const SHUFPD = shuffleBoth('shufpd', 8)

export const PINSRW = define('pinsrw', ['modify', 'read', 'read'], (e) => {
  const vector = e.get(0)
  const word = e.get(1)
  const known = e.knownImmediate()
  if (known !== undefined) {
    e.set(0, e.replaceLane(SimdOp.i16x8_replace_lane, vector, known & 7, word))
    return
  }
  const numbers = e.vectorConst(Array.from({ length: 16 }, (_, index) => (index & 1 ? 0 : index >> 1)))
  const lane = e.simd(SimdOp.i16x8_eq, numbers, e.simd(SimdOp.i16x8_splat, e.and(e.get(2), e.constI32(7))))
  e.set(0, e.simd(SimdOp.v128_bitselect, e.simd(SimdOp.i16x8_splat, word), vector, lane))
}, { sse: true })

export const PEXTRW = define('pextrw', ['write', 'read', 'read'], (e) => {
  const vector = e.get(1)
  const known = e.knownImmediate()
  if (known !== undefined) {
    e.set(0, e.lane(SimdOp.i16x8_extract_lane_u, vector, known & 7))
    return
  }
  const first = e.mul(e.and(e.get(2), e.constI32(7)), e.constI32(0x0202))
  const moved = e.simd(SimdOp.i8x16_swizzle, vector, e.simd(SimdOp.i16x8_splat, e.add(first, e.constI32(0x0100))))
  e.set(0, e.lane(SimdOp.i16x8_extract_lane_u, moved, 0))
}, { sse: true })
