import type { Emit, Value } from '../../emit.ts'
import { MiscOp, Op, SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { DOUBLE, SINGLE, pushLow, repeated, replaceNans, whenNan, withLow } from './format.ts'
import type { Format, Width } from './format.ts'
import { lanesOf } from './moves.ts'

/** Conversions between integers and the two floating-point formats. */

const ALIGNED = { sse: true, aligned: true } as const
const ANY = { sse: true } as const
const ZERO = repeated(0n, 8)

/** CVTSI2SS and CVTSI2SD. */
const fromInteger = (name: string, format: Format, narrow: number, wide: number) =>
  define(name, ['modify', 'read'], (e) => {
    const integer = e.get(1)
    e.set(0, withLow(e, format, e.get(0), () => {
      e.push(integer)
      e.code.op(e.isWide(integer) ? wide : narrow)
    }))
  }, ANY)
export const CVTSI2SS = fromInteger('cvtsi2ss', SINGLE, Op.f32_convert_i32_s, Op.f32_convert_i64_s)
export const CVTSI2SD = fromInteger('cvtsi2sd', DOUBLE, Op.f64_convert_i32_s, Op.f64_convert_i64_s)

/** Pushes 2^31 or 2^63. */
function pushLimit(e: Emit, format: Format, wide: boolean): void {
  if (format === SINGLE) {
    e.code.i32Const(wide ? 0x5f000000 : 0x4f000000)
    e.code.op(Op.f32_reinterpret_i32)
  } else {
    e.code.i64ConstHalves(0, wide ? 0x43e00000 : 0x41e00000)
    e.code.op(Op.f64_reinterpret_i64)
  }
}

/**
 * CVT(T)SS2SI and CVT(T)SD2SI: what does not fit, and a NaN, becomes the "integer indefinite" 80…0H (SDM vol. 1, 4.8.3.7).
 * Wasm saturates: right below the range already, and above it when the number is not less than the limit.
 */
const toInteger = (name: string, format: Format, rounding: 'nearest' | 'truncate') =>
  define(name, ['write', 'read'], (e) => {
    const source = e.get(1)
    const wide = e.sizeOf(0) === 8
    const push = (): void => {
      pushLow(e, format, source)
      if (rounding === 'nearest') e.code.op(format.scalar.nearest)
    }
    push()
    if (format === SINGLE) e.code.misc(wide ? MiscOp.i64_trunc_sat_f32_s : MiscOp.i32_trunc_sat_f32_s)
    else e.code.misc(wide ? MiscOp.i64_trunc_sat_f64_s : MiscOp.i32_trunc_sat_f64_s)
    const integer = e.pop(wide)
    push()
    pushLimit(e, format, wide)
    e.code.op(format.scalar.lt)
    const fits = e.popI32()
    e.set(0, e.select(fits, integer, wide ? e.constI64Halves(0, 0x80000000 | 0) : e.constI32(0x80000000 | 0)))
  }, ANY)
export const CVTSS2SI = toInteger('cvtss2si', SINGLE, 'nearest')
export const CVTSD2SI = toInteger('cvtsd2si', DOUBLE, 'nearest')
export const CVTTSS2SI = toInteger('cvttss2si', SINGLE, 'truncate')
export const CVTTSD2SI = toInteger('cvttsd2si', DOUBLE, 'truncate')

/** The same for all lanes: what is too large or no number becomes -2^31 before Wasm converts it. */
const toIntegers = (name: string, format: Format, rounding: 'nearest' | 'truncate') =>
  define(name, ['write', 'read'], (e) => {
    const single = format === SINGLE
    const source = e.get(1)
    const value = rounding === 'truncate' ? source : e.simd(single ? SimdOp.f32x4_nearest : SimdOp.f64x2_nearest, source)
    const limit = e.vectorConst(single ? repeated(0x4f000000n, 4) : repeated(0x41e0000000000000n, 8))
    const indefinite = e.vectorConst(single ? repeated(0xcf000000n, 4) : repeated(0xc1e0000000000000n, 8))
    const inRange = e.simd(SimdOp.v128_bitselect, value, indefinite, e.simd(format.vector.lt, value, limit))
    e.set(0, e.simd(single ? SimdOp.i32x4_trunc_sat_f32x4_s : SimdOp.i32x4_trunc_sat_f64x2_s_zero, inRange))
  }, ALIGNED)
export const CVTPS2DQ = toIntegers('cvtps2dq', SINGLE, 'nearest')
export const CVTTPS2DQ = toIntegers('cvttps2dq', SINGLE, 'truncate')
export const CVTPD2DQ = toIntegers('cvtpd2dq', DOUBLE, 'nearest')
export const CVTTPD2DQ = toIntegers('cvttpd2dq', DOUBLE, 'truncate')

export const CVTDQ2PS = define('cvtdq2ps', ['write', 'read'], (e) => e.set(0, e.simd(SimdOp.f32x4_convert_i32x4_s, e.get(1))), ALIGNED)
export const CVTDQ2PD = define('cvtdq2pd', ['write', 'read'], (e) => e.set(0, e.simd(SimdOp.f64x2_convert_low_i32x4_s, e.get(1))), ANY)

/** Doubles' NaNs as singles, in the low two lanes: sign, quiet bit and the payload's upper bits. */
function narrowNans(e: Emit, source: Value): Value {
  const sign = e.simd(SimdOp.v128_and, e.simd(SimdOp.i64x2_shr_u, source, e.constI32(32)), e.vectorConst(repeated(0x80000000n, 8)))
  const payload = e.simd(SimdOp.v128_and, e.simd(SimdOp.i64x2_shr_u, source, e.constI32(29)), e.vectorConst(repeated(0x3fffffn, 8)))
  const nan = e.simd(SimdOp.v128_or, e.simd(SimdOp.v128_or, sign, payload), e.vectorConst(repeated(0x7fc00000n, 8)))
  return e.shuffle(nan, e.vectorConst(ZERO), lanesOf(4, [0, 2, 4, 5]))
}

/** Singles' NaNs, in the low two lanes, as doubles. */
function widenNans(e: Emit, source: Value): Value {
  const wide = e.simd(SimdOp.i64x2_extend_low_i32x4_u, source)
  const sign = e.simd(SimdOp.i64x2_shl, e.simd(SimdOp.v128_and, wide, e.vectorConst(repeated(0x80000000n, 8))), e.constI32(32))
  const payload = e.simd(SimdOp.i64x2_shl, e.simd(SimdOp.v128_and, wide, e.vectorConst(repeated(0x3fffffn, 8))), e.constI32(29))
  return e.simd(SimdOp.v128_or, e.simd(SimdOp.v128_or, sign, payload), e.vectorConst(repeated(0x7ff8000000000000n, 8)))
}

/** CVTPD2PS, CVTSD2SS, CVTPS2PD, CVTSS2SD. A NaN keeps its sign and what fits of its payload. */
const between = (name: string, from: Format, to: Format, width: Width) =>
  define(name, [width === 'packed' ? 'write' : 'modify', 'read'], (e) => {
    const source = e.get(1)
    const result =
      width === 'packed'
        ? e.simd(to === SINGLE ? SimdOp.f32x4_demote_f64x2_zero : SimdOp.f64x2_promote_low_f32x4, source)
        : withLow(e, to, e.get(0), () => {
            pushLow(e, from, source)
            e.code.op(to === SINGLE ? Op.f32_demote_f64 : Op.f64_promote_f32)
          })
    whenNan(e, to, width, result, () => replaceNans(e, to, width, result, to === SINGLE ? narrowNans(e, source) : widenNans(e, source)))
    e.set(0, result)
  }, { sse: true, aligned: width === 'packed' && from === DOUBLE })
export const CVTPD2PS = between('cvtpd2ps', DOUBLE, SINGLE, 'packed')
export const CVTPS2PD = between('cvtps2pd', SINGLE, DOUBLE, 'packed')
export const CVTSD2SS = between('cvtsd2ss', DOUBLE, SINGLE, 'scalar')
export const CVTSS2SD = between('cvtss2sd', SINGLE, DOUBLE, 'scalar')
