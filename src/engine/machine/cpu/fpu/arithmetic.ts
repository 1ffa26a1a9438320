import {
  BIAS, Exception, INDEFINITE, INTEGER_BIT, Rounding, SIGNIFICAND_BITS, bitLength, fromInteger, infinity, isDenormal, isInfinite, isNan,
  isSignalling, isUnsupported, isZero, magnitude, negate, opposite, quiet, round, shiftRight, signOf, zero,
} from './float80.ts'
import type { Context, Float80, Sign } from './float80.ts'

/** The x87's arithmetic on Float80, exact before one rounding (SDM vol. 1, chapters 4.8 and 8). */

/** A NaN result, or undefined when the operands are numbers; raises the flags that operands alone raise. */
export function special(context: Context, a: Float80, b: Float80 = a): Float80 | undefined {
  if (isUnsupported(a) || isUnsupported(b)) return invalid(context)
  if (isNan(a) || isNan(b)) {
    if (isSignalling(a) || isSignalling(b)) context.flags |= Exception.INVALID
    return quiet(chooseNan(a, b))
  }
  if (context.narrowDenormal || isDenormal(a) || isDenormal(b)) context.flags |= Exception.DENORMAL
  return undefined
}

/** SDM vol. 1, table 4-7: a quiet NaN before a signalling one, then the larger significand, then the positive one. */
function chooseNan(a: Float80, b: Float80): Float80 {
  if (!isNan(b)) return a
  if (!isNan(a)) return b
  if (isSignalling(a) !== isSignalling(b)) return isSignalling(a) ? b : a
  if (a.significand !== b.significand) return a.significand > b.significand ? a : b
  return a.sign === 0 ? a : b
}

/** An invalid operation; a denormal operand beside it is not told (SDM vol. 1, 4.9.2). */
export function invalid(context: Context): Float80 {
  context.flags = (context.flags & ~Exception.DENORMAL) | Exception.INVALID
  return INDEFINITE
}

/** An exact infinity from a finite operand. */
export function divisionByZero(context: Context, sign: Sign): Float80 {
  context.flags = (context.flags & ~Exception.DENORMAL) | Exception.ZERO_DIVIDE
  return infinity(sign)
}

/** Rounds to all 64 bits whatever the precision control says. */
export function whole(context: Context, compute: () => Float80): Float80 {
  const { precision } = context
  context.precision = SIGNIFICAND_BITS
  const value = compute()
  context.precision = precision
  return value
}

/** Bits by which operands' exponents may differ before the smaller is no more than a hint which way to round. */
const FAR = 2 * SIGNIFICAND_BITS + 2

export function add(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  if (isInfinite(a)) return isInfinite(b) && a.sign !== b.sign ? invalid(context) : a
  if (isInfinite(b)) return b
  const zeroSign: Sign = context.rounding === Rounding.DOWN ? 1 : 0
  const [x, y] = [magnitude(a), magnitude(b)]
  if (isZero(a)) {
    if (isZero(b)) return a.sign === b.sign ? a : zero(zeroSign)
    return round(context, b.sign, y.m, y.e)
  }
  if (isZero(b)) return round(context, a.sign, x.m, x.e)
  if (Math.abs(x.e - y.e) > FAR) {
    const [larger, sign] = x.e > y.e ? [x, a.sign] : [y, b.sign]
    const m = larger.m << BigInt(FAR)
    return round(context, sign, signOf(a, b) === 0 ? m : m - 1n, larger.e - FAR, true)
  }
  const e = Math.min(x.e, y.e)
  const addend = (sign: Sign, { m, e: from }: { m: bigint; e: number }): bigint =>
    sign === 1 ? -(m << BigInt(from - e)) : m << BigInt(from - e)
  const sum = addend(a.sign, x) + addend(b.sign, y)
  if (sum === 0n) return zero(zeroSign)
  return sum < 0n ? round(context, 1, -sum, e) : round(context, 0, sum, e)
}

export const subtract = (context: Context, a: Float80, b: Float80): Float80 => add(context, a, isNan(b) ? b : negate(b))

export function multiply(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  const sign = signOf(a, b)
  if (isInfinite(a) || isInfinite(b)) return isZero(a) || isZero(b) ? invalid(context) : infinity(sign)
  const [x, y] = [magnitude(a), magnitude(b)]
  return round(context, sign, x.m * y.m, x.e + y.e)
}

export function divide(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  const sign = signOf(a, b)
  if (isInfinite(a)) return isInfinite(b) ? invalid(context) : infinity(sign)
  if (isInfinite(b)) return zero(sign)
  if (isZero(b)) return isZero(a) ? invalid(context) : divisionByZero(context, sign)
  if (isZero(a)) return zero(sign)
  const [x, y] = [magnitude(a), magnitude(b)]
  const extra = SIGNIFICAND_BITS + 2 + Math.max(0, bitLength(y.m) - bitLength(x.m))
  const dividend = x.m << BigInt(extra)
  const quotient = dividend / y.m
  return round(context, sign, quotient, x.e - y.e - extra, quotient * y.m !== dividend)
}

export function squareRoot(context: Context, a: Float80): Float80 {
  const nan = special(context, a)
  if (nan) return nan
  if (isZero(a)) return a
  if (a.sign === 1) return invalid(context)
  if (isInfinite(a)) return a
  const { m, e } = magnitude(a)
  // An even exponent, and bits enough for 66 in the root.
  let shift = 2 * (SIGNIFICAND_BITS + 2) - bitLength(m)
  if ((e - shift) % 2 !== 0) shift++
  const radicand = m << BigInt(shift)
  const root = integerSquareRoot(radicand)
  return round(context, 0, root, (e - shift) / 2, root * root !== radicand)
}

/** The largest integer whose square is not above a positive number (Newton's method from above). */
export function integerSquareRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** FRNDINT. */
export function roundToInteger(context: Context, a: Float80): Float80 {
  const nan = special(context, a)
  if (nan) return nan
  if (isInfinite(a) || isZero(a)) return a
  const { m, e } = magnitude(a)
  if (e >= 0) return a
  const { value, inexact, up } = shiftRight(m, -e, false, context.rounding, a.sign)
  if (inexact) context.flags |= Exception.PRECISION
  context.roundedUp = up
  return { ...fromInteger(value), sign: a.sign }
}

/** FSCALE: a × 2^trunc(b). */
export function scale(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  if (isInfinite(b)) {
    if (b.sign === 0) return isZero(a) ? invalid(context) : infinity(a.sign)
    return isInfinite(a) ? invalid(context) : zero(a.sign)
  }
  if (isInfinite(a) || isZero(a)) return a
  const { m, e } = magnitude(b)
  // Beyond 16 bits every result overflows or underflows the same.
  const limit = 0x10000n
  const steps = e > -48 ? limit : m >> BigInt(-e)
  const by = Number(steps > limit ? limit : steps)
  const x = magnitude(a)
  return whole(context, () => round(context, a.sign, x.m, x.e + (b.sign === 1 ? -by : by)))
}

/** FXTRACT: exponent and significand. */
export function extract(context: Context, a: Float80): { exponent: Float80; significand: Float80 } {
  const nan = special(context, a)
  if (nan) return { exponent: nan, significand: nan }
  if (isInfinite(a)) return { exponent: infinity(0), significand: a }
  if (isZero(a)) return { exponent: divisionByZero(context, 1), significand: a }
  const { m, e } = magnitude(a)
  const length = bitLength(m)
  return {
    exponent: fromInteger(BigInt(e + length - 1)),
    significand: { sign: a.sign, exponent: BIAS, significand: m << BigInt(SIGNIFICAND_BITS - length) },
  }
}

export interface Remainder {
  value: Float80
  /** Its low three bits are what C0, C3 and C1 show. */
  quotient: bigint
  /** The exponents were too far apart: to be called again with the remainder so far (C2). */
  partial: boolean
}

/** FPREM, which truncates the quotient, and FPREM1, which rounds it to nearest. One step reduces the exponent by 63 at most. */
export function remainder(context: Context, a: Float80, b: Float80, nearest: boolean): Remainder {
  const done = (value: Float80): Remainder => ({ value, quotient: 0n, partial: false })
  const nan = special(context, a, b)
  if (nan) return done(nan)
  if (isInfinite(a) || isZero(b)) return done(invalid(context))
  if (isZero(a)) return done(a)
  const x = magnitude(a)
  if (isInfinite(b)) return done(whole(context, () => round(context, a.sign, x.m, x.e)))
  const y = magnitude(b)
  const gap = x.e + bitLength(x.m) - (y.e + bitLength(y.m))
  if (gap < -1 || (gap < 0 && !nearest)) return done(whole(context, () => round(context, a.sign, x.m, x.e)))
  const partial = gap >= SIGNIFICAND_BITS
  const e = Math.min(x.e, y.e)
  const divisor = y.m << BigInt(y.e - e + (partial ? gap - (32 + (gap % 32)) : 0))
  const dividend = x.m << BigInt(x.e - e)
  let quotient = dividend / divisor
  let rest = dividend - quotient * divisor
  if (nearest && !partial && (rest * 2n > divisor || (rest * 2n === divisor && (quotient & 1n) === 1n))) {
    quotient++
    rest -= divisor
  }
  const sign = rest < 0n ? opposite(a.sign) : a.sign
  const value = rest === 0n ? zero(a.sign) : whole(context, () => round(context, sign, rest < 0n ? -rest : rest, e))
  return { value, quotient: partial ? 0n : quotient, partial }
}

export type Order = 'less' | 'equal' | 'greater' | 'unordered'

/** FCOM raises invalid for every NaN, FUCOM (`quietly`) only for signalling ones. */
export function compare(context: Context, a: Float80, b: Float80, quietly: boolean): Order {
  if (isUnsupported(a) || isUnsupported(b)) {
    context.flags |= Exception.INVALID
    return 'unordered'
  }
  if (isNan(a) || isNan(b)) {
    if (!quietly || isSignalling(a) || isSignalling(b)) context.flags |= Exception.INVALID
    return 'unordered'
  }
  if (context.narrowDenormal || isDenormal(a) || isDenormal(b)) context.flags |= Exception.DENORMAL
  const [x, y] = [ordinal(a), ordinal(b)]
  if (x === y) return 'equal'
  return x < y ? 'less' : 'greater'
}

/** An integer that orders numbers as they are ordered; both zeros are 0. */
function ordinal(x: Float80): bigint {
  const size = (BigInt(Math.max(x.exponent, 1)) << 63n) + x.significand - INTEGER_BIT
  return x.sign === 1 ? -size : size
}
