import { invalid } from './arithmetic.ts'
import {
  Exception, bitLength, infinity, isDenormal, isInfinite, isNan, isSignalling, isUnsupported, isZero, magnitude, quiet, round, zero,
} from './float80.ts'
import type { Context, Float80 } from './float80.ts'

/**
 * The transcendental instructions (SDM vol. 1, 8.3.9), computed in fixed point far beyond 64 bits and rounded once. The processors
 * promise less than one unit in the last place; so do we, without promising their very bits.
 */
const FRACTION = 192
const SCALE = BigInt(FRACTION)
const ONE = 1n << SCALE

const multiply = (a: bigint, b: bigint): bigint => (a * b) >> SCALE

/** atan(1/n), Euler's alternating series. */
function arcCotangent(n: bigint, one: bigint): bigint {
  let term = one / n
  let sum = term
  for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
    term /= n * n
    sum += (sign * term) / k
  }
  return sum
}

const PI_FRACTION = 320n
/** π (Machin's formula). */
const PI_WIDE = 4n * (4n * arcCotangent(5n, 1n << PI_FRACTION) - arcCotangent(239n, 1n << PI_FRACTION))
const PI = PI_WIDE >> (PI_FRACTION - SCALE)
/** The π of 66 bits by which the processors reduce the arguments of FSIN and its like (SDM vol. 1, 8.3.8). */
const PI_OF_REDUCTION = 0xc90fdaa22168c234cn << (PI_FRACTION - 66n)

/** ln((1+z)/(1-z)) = 2 atanh z. */
function twiceAreaTangent(z: bigint): bigint {
  const square = multiply(z, z)
  let power = z
  let sum = z
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = multiply(power, square)
    sum += power / k
  }
  return 2n * sum
}
const LN2 = twiceAreaTangent(ONE / 3n)

/** ln of a positive fixed-point number between 1/2 and 2. */
const naturalLogarithm = (x: bigint): bigint => twiceAreaTangent(((x - ONE) << SCALE) / (x + ONE))

/** A finite number in fixed point; what lies below 2^-192 is cut off. */
function fixed(x: Float80): bigint {
  const { m, e } = magnitude(x)
  const shift = e + FRACTION
  const value = shift >= 0 ? m << BigInt(shift) : m >> BigInt(-shift)
  return x.sign === 1 ? -value : value
}

/** Rounds a fixed-point result; it is never exact, and always to all 64 bits. */
function result(context: Context, value: bigint, exponent = 0): Float80 {
  const full = { ...context, precision: 64 }
  const x = value < 0n ? round(full, 1, -value, exponent - FRACTION, true) : round(full, 0, value, exponent - FRACTION, true)
  context.flags |= full.flags
  context.roundedUp = full.roundedUp
  return x
}

function special(context: Context, ...operands: readonly Float80[]): Float80 | undefined {
  if (operands.some(isUnsupported)) return invalid(context)
  if (operands.some(isSignalling)) context.flags |= Exception.INVALID
  const nans = operands.filter(isNan)
  if (nans.length > 0) return quiet(nans.reduce((a, b) => (b.significand > a.significand ? b : a)))
  if (operands.some(isDenormal)) context.flags |= Exception.DENORMAL
  return undefined
}

/** An argument so small that the function is its own argument, times `factor`, to all bits. */
const isTiny = (x: Float80): boolean => x.exponent < 16383 - 64

/** F2XM1: 2^x - 1 for -1 ≤ x ≤ 1; beyond that the result is undefined and the argument is given back. */
export function exponentialMinusOne(context: Context, x: Float80): Float80 {
  const nan = special(context, x)
  if (nan) return nan
  if (isZero(x)) return x
  if (isInfinite(x)) return x.sign === 0 ? x : { sign: 1, exponent: 16383, significand: 1n << 63n }
  if (x.exponent > 16383) return x
  if (isTiny(x)) return scaled(context, x, LN2)
  const y = multiply(fixed(x), LN2)
  let term = ONE
  let sum = 0n
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = multiply(term, y) / k
    sum += term
  }
  return result(context, sum)
}

/** x × factor for an x too small for fixed point. */
function scaled(context: Context, x: Float80, factor: bigint): Float80 {
  const { m, e } = magnitude(x)
  return result(context, (x.sign === 1 ? -m : m) * factor, e)
}

/** FYL2X: y × log2 x. */
export function logarithm(context: Context, x: Float80, y: Float80): Float80 {
  const nan = special(context, x, y)
  if (nan) return nan
  const sign = y.sign
  if (isZero(x)) {
    if (isZero(y)) return invalid(context)
    if (!isInfinite(y)) context.flags |= Exception.ZERO_DIVIDE
    return infinity((sign ^ 1) as 0 | 1)
  }
  if (x.sign === 1) return invalid(context)
  if (isInfinite(x)) return isZero(y) ? invalid(context) : infinity(sign)
  const isOne = x.exponent === 16383 && x.significand === 1n << 63n
  if (isInfinite(y)) return isOne ? invalid(context) : infinity((sign ^ (x.exponent < 16383 ? 1 : 0)) as 0 | 1)
  if (isOne) return zero(sign)
  if (isZero(y)) return zero((sign ^ (x.exponent < 16383 ? 1 : 0)) as 0 | 1)
  const { m, e } = magnitude(x)
  // A significand between 2/3 and 4/3, so that near 1 nothing cancels.
  let power = e + bitLength(m)
  let significand = m << BigInt(FRACTION - bitLength(m))
  if (3n * significand < 2n * ONE) {
    significand <<= 1n
    power--
  }
  const log = BigInt(power) * ONE + (naturalLogarithm(significand) << SCALE) / LN2
  return times(context, log, y)
}

/** FYL2XP1: y × log2(x + 1), for x near 0. */
export function logarithmPlusOne(context: Context, x: Float80, y: Float80): Float80 {
  const nan = special(context, x, y)
  if (nan) return nan
  if (isInfinite(x)) return x.sign === 1 || isZero(y) ? invalid(context) : infinity(y.sign)
  if (isInfinite(y)) return isZero(x) ? invalid(context) : infinity((x.sign ^ y.sign) as 0 | 1)
  if (isZero(x) || isZero(y)) return zero((x.sign ^ y.sign) as 0 | 1)
  if (x.sign === 1 && x.exponent >= 16383) return x
  if (isTiny(x)) {
    const { m, e } = magnitude(x)
    const other = magnitude(y)
    return result(context, (((x.sign ^ y.sign) === 1 ? -1n : 1n) * ((m * other.m) << SCALE) * ONE) / LN2, e + other.e - FRACTION)
  }
  const z = fixed(x)
  return times(context, (twiceAreaTangent((z << SCALE) / (z + 2n * ONE)) << SCALE) / LN2, y)
}

function times(context: Context, value: bigint, y: Float80): Float80 {
  const { m, e } = magnitude(y)
  return result(context, value * (y.sign === 1 ? -m : m), e)
}

/** sin and cos of an argument below 2^63 in magnitude, in fixed point. */
function sineAndCosine(x: Float80): { sine: bigint; cosine: bigint } {
  const { m, e } = magnitude(x)
  const shift = BigInt(e) + PI_FRACTION
  const wide = shift >= 0n ? m << shift : m >> -shift
  const quarter = PI_OF_REDUCTION >> 1n
  const turns = (2n * wide + quarter) / (2n * quarter)
  const rest = (wide - turns * quarter) >> (PI_FRACTION - SCALE)
  let s = 0n
  let c = 0n
  let term = ONE
  for (let k = 0n; term !== 0n && term !== -1n; ) {
    c += k % 4n === 0n ? term : -term
    term = multiply(term, rest) / ++k
    s += k % 4n === 1n ? term : -term
    term = multiply(term, rest) / ++k
  }
  const turned = [[s, c], [c, -s], [-s, -c], [-c, s]][Number(turns & 3n)]
  return { sine: x.sign === 1 ? -turned[0] : turned[0], cosine: turned[1] }
}

/** What FSIN, FCOS, FSINCOS and FPTAN refuse by setting C2. */
export const isOutOfRange = (x: Float80): boolean => x.exponent >= 16383 + 63 && x.exponent < 32767

export function sine(context: Context, x: Float80): Float80 {
  const nan = special(context, x)
  if (nan) return nan
  if (isInfinite(x)) return invalid(context)
  if (isZero(x)) return x
  return isTiny(x) ? scaled(context, x, ONE) : result(context, sineAndCosine(x).sine)
}

export function cosine(context: Context, x: Float80): Float80 {
  const nan = special(context, x)
  if (nan) return nan
  if (isInfinite(x)) return invalid(context)
  if (isZero(x)) return { sign: 0, exponent: 16383, significand: 1n << 63n }
  return result(context, sineAndCosine(x).cosine)
}

export function tangent(context: Context, x: Float80): Float80 {
  const nan = special(context, x)
  if (nan) return nan
  if (isInfinite(x)) return invalid(context)
  if (isZero(x)) return x
  if (isTiny(x)) return scaled(context, x, ONE)
  const parts = sineAndCosine(x)
  return result(context, (parts.sine << SCALE) / parts.cosine)
}

/** FPATAN: the angle of the point (x, y), between -π and π. */
export function arctangent(context: Context, y: Float80, x: Float80): Float80 {
  const nan = special(context, y, x)
  if (nan) return nan
  const signed = (value: bigint): Float80 => result(context, y.sign === 1 ? -value : value)
  if (isInfinite(y)) return signed(isInfinite(x) ? (x.sign === 1 ? (3n * PI) / 4n : PI / 4n) : PI / 2n)
  if (isZero(y) || isInfinite(x)) return x.sign === 1 ? signed(PI) : zero(y.sign)
  if (isZero(x)) return signed(PI / 2n)
  const a = magnitude(y)
  const b = magnitude(x)
  const gap = a.e + bitLength(a.m) - b.e - bitLength(b.m)
  // Beyond this the angle is π/2, π, or the ratio itself, to all bits.
  if (gap > 130) return signed(PI / 2n)
  if (gap < -130) return x.sign === 1 ? signed(PI) : result(context, ((y.sign === 1 ? -a.m : a.m) << SCALE) / b.m, a.e - b.e)
  const shift = SCALE + BigInt(Math.max(0, a.e - b.e))
  const down = BigInt(Math.max(0, b.e - a.e))
  const angle = arctangentOf((a.m << shift) / (b.m << down))
  return signed(x.sign === 1 ? PI - angle : angle)
}

/** atan of a positive fixed-point number: inverted above 1, halved three times, then the series. */
function arctangentOf(t: bigint): bigint {
  if (t > ONE) return PI / 2n - arctangentOf((ONE << SCALE) / t)
  let z = t
  for (let halving = 0; halving < 3; halving++) z = (z << SCALE) / (ONE + squareRootOf(ONE + multiply(z, z)))
  const square = multiply(z, z)
  let power = z
  let sum = z
  for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
    power = multiply(power, square)
    sum += (sign * power) / k
  }
  return sum << 3n
}

function squareRootOf(x: bigint): bigint {
  const radicand = x << SCALE
  let root = 1n << BigInt(Math.ceil(bitLength(radicand) / 2))
  for (;;) {
    const next = (root + radicand / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** FLDPI and its like, rounded as the control word says. */
export const CONSTANTS: readonly ((context: Context) => Float80)[] = [
  () => ({ sign: 0, exponent: 16383, significand: 1n << 63n }),
  (context) => quietly(context, (ln(10n) << SCALE) / LN2),
  (context) => quietly(context, (ONE << SCALE) / LN2),
  (context) => quietly(context, PI),
  (context) => quietly(context, (LN2 << SCALE) / ln(10n)),
  (context) => quietly(context, LN2),
  () => zero(0),
]

/** ln of a small integer: halved until it lies below 2. */
function ln(n: bigint): bigint {
  const halvings = bitLength(n) - 1
  return BigInt(halvings) * LN2 + naturalLogarithm((n << SCALE) >> BigInt(halvings))
}

const quietly = (context: Context, value: bigint): Float80 => result({ ...context }, value)
