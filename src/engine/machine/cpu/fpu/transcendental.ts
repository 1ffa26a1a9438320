import { divisionByZero, integerSquareRoot, invalid, special, whole } from './arithmetic.ts'
import {
  BIAS, Exception, INTEGER_BIT, ONE, Rounding, bitLength, infinity, isInfinite, isZero, magnitude, opposite, round, signOf, zero,
} from './float80.ts'
import type { Context, Float80, Sign } from './float80.ts'

/**
 * The transcendental instructions (SDM vol. 1, 8.3.9), computed in fixed point far beyond 64 bits and rounded once. The processors
 * promise less than one unit in the last place; so do we, without promising their very bits.
 */
const FRACTION = 192
const SCALE = BigInt(FRACTION)
const UNIT = 1n << SCALE

const times = (a: bigint, b: bigint): bigint => (a * b) >> SCALE
const over = (a: bigint, b: bigint): bigint => (a << SCALE) / b

/** atan(1/n) by its series. */
function arcCotangent(n: bigint, one: bigint): bigint {
  let term = one / n
  let sum = term
  for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
    term /= n * n
    sum += (sign * term) / k
  }
  return sum
}

/** π by Machin's formula. */
const PI = 4n * (4n * arcCotangent(5n, UNIT) - arcCotangent(239n, UNIT))
/** Fraction bits where arguments are reduced. */
const REDUCTION = 320n
/** Half of the π of 66 bits by which the processors reduce the arguments of FSIN and its like (SDM vol. 1, 8.3.8). */
const QUARTER_TURN = 0xc90fdaa22168c234cn << (REDUCTION - 67n)

/** ln((1+z)/(1-z)) = 2 atanh z. */
function twiceAreaTangent(z: bigint): bigint {
  if (z < 0n) return -twiceAreaTangent(-z)
  const square = times(z, z)
  let sum = 0n
  for (let power = z, k = 1n; power !== 0n; power = times(power, square), k += 2n) sum += power / k
  return 2n * sum
}
const LN2 = twiceAreaTangent(UNIT / 3n)

/** log2 of m × 2^e. */
function binaryLogarithm(m: bigint, e: number): bigint {
  const length = bitLength(m)
  let power = e + length
  let x = length > FRACTION ? m >> BigInt(length - FRACTION) : m << BigInt(FRACTION - length)
  // Between 2/3 and 4/3, so that near 1 nothing cancels.
  if (3n * x < 2n * UNIT) {
    x <<= 1n
    power--
  }
  return BigInt(power) * UNIT + over(twiceAreaTangent(over(x - UNIT, x + UNIT)), LN2)
}

/** Rounds value × 2^(e - FRACTION), which stands for a number that is a little larger in magnitude, to all 64 bits. */
function result(context: Context, value: bigint, e = 0): Float80 {
  const sign = value < 0n ? 1 : 0
  return whole(context, () => round(context, sign, sign === 1 ? -value : value, e - FRACTION, true))
}

/** An argument so small that the function is its argument times a constant, to all bits. */
const isTiny = (x: Float80): boolean => x.exponent < BIAS - 64

/** x, as the sine or tangent of itself: not exactly, but nearest. */
function itself(context: Context, { sign, significand, exponent }: Float80): Float80 {
  const { rounding } = context
  context.rounding = Rounding.NEAREST
  const value = result(context, signed(sign, significand << SCALE), Math.max(exponent, 1) - BIAS - 63)
  context.rounding = rounding
  return value
}

const signed = (sign: Sign, value: bigint): bigint => (sign === 1 ? -value : value)

/** F2XM1: 2^x - 1 for -1 ≤ x ≤ 1. */
export function exponentialMinusOne(context: Context, x: Float80): Float80 {
  const nan = special(context, x)
  if (nan) return nan
  if (isZero(x)) return x
  if (isInfinite(x)) return x.sign === 0 ? x : { ...ONE, sign: 1 }
  if (x.exponent >= BIAS) {
    // Exact at both ends, though the processors call it inexact; beyond them undefined, and the argument is given back.
    context.flags |= Exception.PRECISION
    return x.exponent === BIAS && x.significand === INTEGER_BIT && x.sign === 1 ? { ...x, exponent: BIAS - 1 } : x
  }
  const { m, e } = magnitude(x)
  if (isTiny(x)) return result(context, signed(x.sign, m * LN2), e)
  const y = times(signed(x.sign, m << BigInt(e + FRACTION)), LN2)
  let sum = 0n
  for (let term = y, k = 1n; term !== 0n; term = times(term, y) / ++k) sum += term
  return result(context, sum)
}

/** FYL2X: y × log2 x. */
export function logarithm(context: Context, x: Float80, y: Float80): Float80 {
  const nan = special(context, x, y)
  if (nan) return nan
  const away = opposite(y.sign)
  if (isZero(x)) {
    if (isZero(y)) return invalid(context)
    return isInfinite(y) ? infinity(away) : divisionByZero(context, away)
  }
  if (x.sign === 1) return invalid(context)
  if (isInfinite(x)) return isZero(y) ? invalid(context) : infinity(y.sign)
  const isOne = x.exponent === BIAS && x.significand === INTEGER_BIT
  const sign = x.exponent < BIAS ? away : y.sign
  if (isInfinite(y)) return isOne ? invalid(context) : infinity(sign)
  if (isOne || isZero(y)) return zero(sign)
  const { m, e } = magnitude(x)
  return scaledBy(context, binaryLogarithm(m, e), y)
}

/** FYL2XP1: y × log2(x + 1), for x near 0. */
export function logarithmPlusOne(context: Context, x: Float80, y: Float80): Float80 {
  const nan = special(context, x, y)
  if (nan) return nan
  if (isInfinite(x)) return x.sign === 1 || isZero(y) ? invalid(context) : infinity(y.sign)
  if (isInfinite(y)) return isZero(x) ? invalid(context) : infinity(signOf(x, y))
  if (isZero(x) || isZero(y)) return zero(signOf(x, y))
  if (x.sign === 1 && x.exponent >= BIAS) {
    // Undefined by the manual; this is what the processors do.
    context.flags |= Exception.PRECISION
    return x
  }
  const { m, e } = magnitude(x)
  if (isTiny(x)) return scaledBy(context, over(signed(x.sign, m << SCALE), LN2), y, e)
  const log = e >= 0 ? binaryLogarithm((m << BigInt(e)) + 1n, 0) : binaryLogarithm((1n << BigInt(-e)) + signed(x.sign, m), e)
  return scaledBy(context, log, y)
}

/** value × 2^exponent × y. */
function scaledBy(context: Context, value: bigint, y: Float80, exponent = 0): Float80 {
  const { m, e } = magnitude(y)
  return result(context, value * signed(y.sign, m), e + exponent)
}

/** Sine and cosine of a number below 2^63 in magnitude. */
function sineAndCosine(x: Float80): { sine: bigint; cosine: bigint } {
  const { m, e } = magnitude(x)
  const shift = BigInt(e) + REDUCTION
  const angle = shift >= 0n ? m << shift : m >> -shift
  const turns = (2n * angle + QUARTER_TURN) / (2n * QUARTER_TURN)
  const rest = (angle - turns * QUARTER_TURN) >> (REDUCTION - SCALE)
  const sums = [0n, 0n, 0n, 0n]
  for (let term = UNIT, k = 0; term !== 0n; term = times(term, rest) / BigInt(++k)) sums[k & 3] += term
  const s = sums[1] - sums[3]
  // The cosine of what is not 0 is less than 1.
  const c = sums[0] - sums[2] - (rest * rest < UNIT ? 1n : 0n)
  const turned = [[s, c], [c, -s], [-s, -c], [-c, s]][Number(turns & 3n)]
  return { sine: signed(x.sign, turned[0]), cosine: turned[1] }
}

/** What FSIN, FCOS, FSINCOS and FPTAN refuse by setting C2. */
export const isOutOfRange = (x: Float80): boolean => x.exponent >= BIAS + 63 && x.exponent < 32767

export function sine(context: Context, x: Float80): Float80 {
  return withoutCircle(context, x) ?? (isTiny(x) ? itself(context, x) : result(context, sineAndCosine(x).sine))
}

export function cosine(context: Context, x: Float80): Float80 {
  if (isZero(x)) return ONE
  return withoutCircle(context, x) ?? result(context, sineAndCosine(x).cosine)
}

export function tangent(context: Context, x: Float80): Float80 {
  const known = withoutCircle(context, x)
  if (known) return known
  if (isTiny(x)) return itself(context, x)
  const parts = sineAndCosine(x)
  return result(context, over(parts.sine, parts.cosine))
}

/** What needs no circle; a zero is its own sine and tangent. */
function withoutCircle(context: Context, x: Float80): Float80 | undefined {
  const nan = special(context, x)
  if (nan) return nan
  if (isInfinite(x)) return invalid(context)
  return isZero(x) ? x : undefined
}

/** Differences of exponents from which on an angle is its tangent, or a right angle, to all bits. */
const STEEP = 40
const UPRIGHT = 130

/** FPATAN: the angle of the point (x, y), between -π and π. */
export function arctangent(context: Context, y: Float80, x: Float80): Float80 {
  const nan = special(context, y, x)
  if (nan) return nan
  const angle = (value: bigint): Float80 => result(context, signed(y.sign, value))
  if (isInfinite(y)) return angle(isInfinite(x) ? (x.sign === 1 ? (3n * PI) / 4n : PI / 4n) : PI / 2n)
  if (isZero(y) || isInfinite(x)) return x.sign === 1 ? angle(PI) : zero(y.sign)
  if (isZero(x)) return angle(PI / 2n)
  const [a, b] = [magnitude(y), magnitude(x)]
  const gap = a.e + bitLength(a.m) - (b.e + bitLength(b.m))
  if (gap > UPRIGHT) return angle(PI / 2n)
  if (gap < -STEEP && x.sign === 0) return result(context, signed(y.sign, over(a.m << SCALE, b.m) - 1n), a.e - b.e - FRACTION)
  if (gap < -UPRIGHT) return angle(PI - 1n)
  const first = arctangentOf((a.m << (SCALE + BigInt(Math.max(0, a.e - b.e)))) / (b.m << BigInt(Math.max(0, b.e - a.e))))
  return angle(x.sign === 1 ? PI - first : first)
}

/** atan of a positive number: inverted above 1, halved three times, then the series. */
function arctangentOf(t: bigint): bigint {
  if (t > UNIT) return PI / 2n - arctangentOf(over(UNIT, t))
  let z = t
  for (let halving = 0; halving < 3; halving++) z = over(z, UNIT + integerSquareRoot((UNIT + times(z, z)) << SCALE))
  const square = times(z, z)
  let sum = 0n
  for (let power = z, k = 1n; power !== 0n; power = -times(power, square), k += 2n) sum += power / k
  return sum << 3n
}

const LOG2_10 = binaryLogarithm(10n, 0)
const constant = (value: bigint) => (context: Context): Float80 => result({ ...context }, value)

/** FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ, rounded as the control word says but never inexact. */
export const CONSTANTS: readonly ((context: Context) => Float80)[] = [
  () => ONE,
  constant(LOG2_10),
  constant(over(UNIT, LN2)),
  constant(PI),
  constant(over(UNIT, LOG2_10)),
  constant(LN2),
  () => zero(0),
]
