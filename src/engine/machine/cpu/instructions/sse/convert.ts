import type { Emit, Value } from '../../emit.ts'
import { convert, fromInteger as fromIntegerSoftly, toInteger as toIntegerSoftly } from '../../float/arithmetic.ts'
import { Round } from '../../float/binary.ts'
import type { FloatEvaluate } from '../../float/operations.ts'
import { MiscOp, Op, SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { DOUBLE, SINGLE, pushLow, repeated, withLow } from './format.ts'
import type { Format, Width } from './format.ts'
import { binaryOf, floatOperation, lanesIn, narrowedTests, operandTests, tameBits, unequal } from './operation.ts'

/** Conversions between integers and the two floating-point formats. */

const ALIGNED = { sse: true, float: true, aligned: true } as const
const ANY = { sse: true, float: true } as const

/** CVTSI2SS and CVTSI2SD. Nothing but the rounding of a long integer can happen. */
const fromInteger = (name: string, format: Format, narrow: number, wide: number) => {
  const operationOf = (size: 4 | 8) => {
    const evaluate: FloatEvaluate = (lanes) =>
      lanes.put(format.bytes, 0, fromIntegerSoftly(lanes.context, binaryOf(format), BigInt.asIntN(size * 8, lanes.get('b', size, 0))))
    return floatOperation(evaluate, (e, { a = 0, b: integer }) => {
      const result = withLow(e, format, a, () => {
        e.push(integer)
        e.code.op(size === 8 ? wide : narrow)
      })
      const tame = tameBits(format, 'scalar')
      if (size === 4 && format === DOUBLE) return { result, tame }
      return { result, tame, inexact: () => {
        pushLow(e, format, result)
        e.code.misc(truncation(format, size === 8))
        const back = e.pop(size === 8)
        // The largest integer rounds to what saturates to it.
        const largest = size === 8 ? e.constI64Halves(-1, 0x7fffffff) : e.constI32(0x7fffffff)
        return e.or(e.ne(back, integer), e.eq(integer, largest))
      } }
    })
  }
  const operations = { 4: operationOf(4), 8: operationOf(8) }
  return define(name, ['modify', 'read'], (e) => {
    const integer = e.get(1)
    e.set(0, e.float(operations[e.isWide(integer) ? 8 : 4], { a: e.get(0), b: integer }))
  }, ANY)
}
const truncation = (format: Format, wide: boolean): number =>
  format === SINGLE
    ? wide ? MiscOp.i64_trunc_sat_f32_s : MiscOp.i32_trunc_sat_f32_s
    : wide ? MiscOp.i64_trunc_sat_f64_s : MiscOp.i32_trunc_sat_f64_s
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

type Rounding = 'nearest' | 'truncate'

/** CVT(T)SS2SI and CVT(T)SD2SI. What does not fit, a NaN and the most negative integer are in doubt. */
const toInteger = (name: string, format: Format, rounding: Rounding) => {
  const [convertBack, convertBackWide] =
    format === SINGLE ? [Op.f32_convert_i32_s, Op.f32_convert_i64_s] : [Op.f64_convert_i32_s, Op.f64_convert_i64_s]
  const operationOf = (size: 4 | 8) => {
    const wide = size === 8
    const evaluate: FloatEvaluate = (lanes) => {
      const direction = rounding === 'truncate' ? Round.ZERO : lanes.context.rounding
      lanes.put(8, 0, toIntegerSoftly(lanes.context, binaryOf(format), lanes.get('b', format.bytes, 0), size * 8, direction))
    }
    return floatOperation(evaluate, (e, { b }) => {
      const push = (): void => {
        pushLow(e, format, b)
        if (rounding === 'nearest') e.code.op(format.scalar.nearest)
      }
      push()
      e.code.misc(truncation(format, wide))
      const result = e.pop(wide)
      const tooLarge = (): Value => {
        push()
        e.code.op(format.scalar.abs)
        pushLimit(e, format, wide)
        e.code.op(format.scalar.lt)
        return e.eqz(e.popI32())
      }
      return { result, doubts: [tooLarge], inexact: () => {
        e.push(result)
        e.code.op(wide ? convertBackWide : convertBack)
        pushLow(e, format, b)
        e.code.op(format.scalar.ne)
        return e.popI32()
      } }
    })
  }
  const operations = { 4: operationOf(4), 8: operationOf(8) }
  return define(name, ['write', 'read'], (e) => e.set(0, e.float(operations[e.sizeOf(0) === 8 ? 8 : 4], { b: e.get(1) })), ANY)
}
export const CVTSS2SI = toInteger('cvtss2si', SINGLE, 'nearest')
export const CVTSD2SI = toInteger('cvtsd2si', DOUBLE, 'nearest')
export const CVTTSS2SI = toInteger('cvttss2si', SINGLE, 'truncate')
export const CVTTSD2SI = toInteger('cvttsd2si', DOUBLE, 'truncate')

/** The same for all lanes. */
const toIntegers = (name: string, format: Format, rounding: Rounding) => {
  const single = format === SINGLE
  const evaluate: FloatEvaluate = (lanes) => {
    const direction = rounding === 'truncate' ? Round.ZERO : lanes.context.rounding
    for (let lane = 0; lane < 4; lane++) {
      const isThere = lane < lanesIn(format, 'packed')
      lanes.put(4, lane, isThere ? toIntegerSoftly(lanes.context, binaryOf(format), lanes.get('b', format.bytes, lane), 32, direction) : 0n)
    }
  }
  const operation = floatOperation(evaluate, (e, { b }) => {
    const value = rounding === 'truncate' ? b : e.simd(single ? SimdOp.f32x4_nearest : SimdOp.f64x2_nearest, b)
    const limit = e.vectorConst(single ? repeated(0x4f000000n, 4) : repeated(0x41e0000000000000n, 8))
    const fits = e.simd(format.vector.lt, e.simd(single ? SimdOp.f32x4_abs : SimdOp.f64x2_abs, value), limit)
    const result = e.simd(single ? SimdOp.i32x4_trunc_sat_f32x4_s : SimdOp.i32x4_trunc_sat_f64x2_s_zero, value)
    return {
      result,
      doubts: [() => e.reduce(SimdOp.v128_any_true, e.simd(SimdOp.v128_not, fits))],
      inexact: () =>
        unequal(e, format, 'packed', e.simd(single ? SimdOp.f32x4_convert_i32x4_s : SimdOp.f64x2_convert_low_i32x4_s, result), b),
    }
  })
  return define(name, ['write', 'read'], (e) => e.set(0, e.float(operation, { b: e.get(1) })), ALIGNED)
}
export const CVTPS2DQ = toIntegers('cvtps2dq', SINGLE, 'nearest')
export const CVTTPS2DQ = toIntegers('cvttps2dq', SINGLE, 'truncate')
export const CVTPD2DQ = toIntegers('cvtpd2dq', DOUBLE, 'nearest')
export const CVTTPD2DQ = toIntegers('cvttpd2dq', DOUBLE, 'truncate')

const DQ2PS = floatOperation(
  (lanes) => {
    for (let lane = 0; lane < 4; lane++)
      lanes.put(4, lane, fromIntegerSoftly(lanes.context, binaryOf(SINGLE), BigInt.asIntN(32, lanes.get('b', 4, lane))))
  },
  (e, { b }) => {
    const result = e.simd(SimdOp.f32x4_convert_i32x4_s, b)
    return { result, tame: tameBits(SINGLE, 'packed'), inexact: () => {
      const same = e.simd(SimdOp.i32x4_eq, e.simd(SimdOp.i32x4_trunc_sat_f32x4_s, result), b)
      const largest = e.simd(SimdOp.i32x4_eq, b, e.vectorConst(repeated(0x7fffffffn, 4)))
      return e.reduce(SimdOp.v128_any_true, e.simd(SimdOp.v128_or, e.simd(SimdOp.v128_not, same), largest))
    } }
  },
)
export const CVTDQ2PS = define('cvtdq2ps', ['write', 'read'], (e) => e.set(0, e.float(DQ2PS, { b: e.get(1) })), ALIGNED)
export const CVTDQ2PD = define('cvtdq2pd', ['write', 'read'], (e) => e.set(0, e.simd(SimdOp.f64x2_convert_low_i32x4_s, e.get(1))), {
  sse: true,
})

/** CVTPD2PS, CVTSD2SS, CVTPS2PD, CVTSS2SD. */
const between = (name: string, from: Format, to: Format, width: Width) => {
  const narrows = to === SINGLE
  const evaluate: FloatEvaluate = (lanes) => {
    for (let lane = 0; lane < (width === 'packed' ? 2 : 1); lane++)
      lanes.put(to.bytes, lane, convert(lanes.context, binaryOf(from), binaryOf(to), lanes.get('b', from.bytes, lane)))
  }
  const scalar = (e: Emit, into: Value, source: Value, format: Format): Value =>
    withLow(e, format, into, () => {
      pushLow(e, format === SINGLE ? DOUBLE : SINGLE, source)
      e.code.op(format === SINGLE ? Op.f32_demote_f64 : Op.f64_promote_f32)
    })
  const operation = floatOperation(evaluate, (e, { a, b }) => {
    const result =
      width === 'scalar'
        ? scalar(e, a ?? b, b, to)
        : e.simd(narrows ? SimdOp.f32x4_demote_f64x2_zero : SimdOp.f64x2_promote_low_f32x4, b)
    if (narrows) {
      const widened = width === 'scalar' ? scalar(e, b, result, DOUBLE) : e.simd(SimdOp.f64x2_promote_low_f32x4, result)
      return {
        result,
        ...narrowedTests(e, width, b, widened),
        tame: tameBits(SINGLE, width),
        inexact: () => unequal(e, DOUBLE, width, widened, b),
      }
    }
    // The upper half of the source does not count.
    const source = width === 'packed' ? e.shuffle(b, b, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]) : b
    const { doubts, excused } = operandTests(e, from, width, { b: source })
    return { result, doubts, excused, tame: tameBits(DOUBLE, width) }
  })
  return define(name, [width === 'packed' ? 'write' : 'modify', 'read'], (e) => {
    e.set(0, e.float(operation, width === 'packed' ? { b: e.get(1) } : { a: e.get(0), b: e.get(1) }))
  }, { sse: true, float: true, aligned: width === 'packed' && from === DOUBLE })
}
export const CVTPD2PS = between('cvtpd2ps', DOUBLE, SINGLE, 'packed')
export const CVTPS2PD = between('cvtps2pd', SINGLE, DOUBLE, 'packed')
export const CVTSD2SS = between('cvtsd2ss', DOUBLE, SINGLE, 'scalar')
export const CVTSS2SD = between('cvtss2sd', SINGLE, DOUBLE, 'scalar')
