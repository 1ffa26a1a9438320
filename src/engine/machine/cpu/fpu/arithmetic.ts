import {
  BIAS, Exception, INDEFINITE, bitLength, infinity, isDenormal, isInfinite, isNan, isSignalling, isUnsupported, isZero, magnitude,
  negate, normalised, quiet, round,
  shiftRight, zero,
} from './float80.ts'
import type { Context, Float80 } from './float80.ts'

/** The x87's arithmetic on Float80, exact before one rounding (SDM vol. 1, chapters 4.8 and 8). */

/** A NaN result or undefined when the operands are numbers; raises the flags that operands alone raise. */
function special(context: Context, ...operands: readonly Float80[]): Float80 | undefined {
  if (operands.some(isUnsupported)) return invalid(context)
  if (operands.some(isSignalling)) context.flags |= Exception.INVALID
  const nans = operands.filter(isNan)
  if (nans.length > 0) {
    // The larger significand wins; of equals the positive one (SDM vol. 1, table 4-7).
    const [first, second] = nans
    if (second === undefined) return quiet(first)
    if (isSignalling(first) !== isSignalling(second)) return quiet(isSignalling(first) ? second : first)
    if (first.significand !== second.significand) return quiet(first.significand > second.significand ? first : second)
    return quiet(first.sign === 0 ? first : second)
  }
  if (operands.some(isDenormal)) context.flags |= Exception.DENORMAL
  return undefined
}

/** An invalid operation; a denormal operand beside it is not told (SDM vol. 1, 4.9.2). */
export function invalid(context: Context): Float80 {
  context.flags = (context.flags & ~Exception.DENORMAL) | Exception.INVALID
  return INDEFINITE
}

export function add(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  if (isInfinite(a)) return isInfinite(b) && a.sign !== b.sign ? invalid(context) : a
  if (isInfinite(b)) return b
  const x = magnitude(a)
  const y = magnitude(b)
  const e = Math.min(x.e, y.e)
  // Beyond 140 bits apart the smaller is no more than a sticky bit, but exact integers are simple and such sums are rare.
  const signed = (sign: 0 | 1, m: bigint, from: number): bigint => (sign === 1 ? -(m << BigInt(from - e)) : m << BigInt(from - e))
  const sum = signed(a.sign, x.m, x.e) + signed(b.sign, y.m, y.e)
  if (sum === 0n) {
    if (isZero(a) && isZero(b) && a.sign === b.sign) return a
    return zero(context.rounding === 1 ? 1 : 0)
  }
  return sum < 0n ? round(context, 1, -sum, e) : round(context, 0, sum, e)
}

export const subtract = (context: Context, a: Float80, b: Float80): Float80 => add(context, a, isNan(b) ? b : negate(b))

export function multiply(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  const sign = (a.sign ^ b.sign) as 0 | 1
  if (isInfinite(a) || isInfinite(b)) return isZero(a) || isZero(b) ? invalid(context) : infinity(sign)
  const x = magnitude(a)
  const y = magnitude(b)
  return round(context, sign, x.m * y.m, x.e + y.e)
}

export function divide(context: Context, a: Float80, b: Float80): Float80 {
  const nan = special(context, a, b)
  if (nan) return nan
  const sign = (a.sign ^ b.sign) as 0 | 1
  if (isInfinite(a)) return isInfinite(b) ? invalid(context) : infinity(sign)
  if (isInfinite(b)) return zero(sign)
  if (isZero(b)) {
    if (isZero(a)) return invalid(context)
    context.flags = (context.flags & ~Exception.DENORMAL) | Exception.ZERO_DIVIDE
    return infinity(sign)
  }
  if (isZero(a)) return zero(sign)
  const x = magnitude(a)
  const y = magnitude(b)
  const extra = 66 + Math.max(0, bitLength(y.m) - bitLength(x.m))
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
  // An even exponent, and enough bits for 66 in the root.
  let shift = 136 - bitLength(m)
  if ((e - shift) % 2 !== 0) shift++
  const radicand = m << BigInt(shift)
  const root = integerSquareRoot(radicand)
  return round(context, 0, root, (e - shift) / 2, root * root !== radicand)
}

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
  return value === 0n ? zero(a.sign) : { ...fromInteger(value), sign: a.sign }
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
  const by = e >= 0 ? 0xffffn : m >> BigInt(-e)
  const steps = Number(by > 0x10000n ? 0x10000n : by) * (b.sign === 1 ? -1 : 1)
  const x = magnitude(a)
  return whole(context, (full) => round(full, a.sign, x.m, x.e + steps))
}

/** Rounds to all 64 bits whatever the precision control says. */
function whole(context: Context, compute: (context: Context) => Float80): Float80 {
  const full = { ...context, precision: 64 }
  const value = compute(full)
  context.flags = full.flags
  context.roundedUp = full.roundedUp
  return value
}

/** FXTRACT: exponent and significand. */
export function extract(context: Context, a: Float80): { exponent: Float80; significand: Float80 } {
  const nan = special(context, a)
  if (nan) return { exponent: nan, significand: nan }
  if (isInfinite(a)) return { exponent: infinity(0), significand: a }
  if (isZero(a)) {
    context.flags |= Exception.ZERO_DIVIDE
    return { exponent: infinity(1), significand: a }
  }
  const { m, e } = magnitude(a)
  const length = bitLength(m)
  const power = e + length - 1
  return {
    exponent: fromInteger(BigInt(power)),
    significand: { sign: a.sign, exponent: BIAS, significand: m << BigInt(64 - length) },
  }
}

export function fromInteger(value: bigint): Float80 {
  if (value === 0n) return zero(0)
  const sign = value < 0n ? 1 : 0
  const m = value < 0n ? -value : value
  const length = bitLength(m)
  return { sign, exponent: BIAS + length - 1, significand: m << BigInt(64 - length) }
}

/** FPREM (truncating) and FPREM1 (to nearest): a step of at most 63 bits; `quotient` is what C0, C3 and C1 show. */
export function remainder(
  context: Context,
  a: Float80,
  b: Float80,
  nearest: boolean,
): { value: Float80; quotient: bigint; partial: boolean } {
  const done = (value: Float80): { value: Float80; quotient: bigint; partial: boolean } => ({ value, quotient: 0n, partial: false })
  const nan = special(context, a, b)
  if (nan) return done(nan)
  if (isInfinite(a) || isZero(b)) return done(invalid(context))
  if (isInfinite(b) || isZero(a)) return done(normalised(a))
  const x = magnitude(a)
  const y = magnitude(b)
  const gap = x.e + bitLength(x.m) - (y.e + bitLength(y.m))
  if (gap < -1 || (gap < 0 && !nearest)) return done(normalised(a))
  if (gap >= 64) {
    // Reduce the exponents' difference by 32 to 63 and ask to be called again.
    const step = gap - (32 + (gap % 32))
    const divisor = y.m << BigInt(Math.max(0, y.e - x.e))
    const e = Math.min(x.e, y.e)
    const dividend = x.m << BigInt(Math.max(0, x.e - y.e))
    const scaled = divisor << BigInt(step)
    const rest = dividend % scaled
    return { value: rest === 0n ? zero(a.sign) : whole(context, (full) => round(full, a.sign, rest, e)), quotient: 0n, partial: true }
  }
  const e = Math.min(x.e, y.e)
  const dividend = x.m << BigInt(x.e - e)
  const divisor = y.m << BigInt(y.e - e)
  let quotient = dividend / divisor
  let rest = dividend % divisor
  if (nearest && (rest * 2n > divisor || (rest * 2n === divisor && (quotient & 1n) === 1n))) {
    quotient++
    rest -= divisor
  }
  const sign = (rest < 0n ? a.sign ^ 1 : a.sign) as 0 | 1
  const m = rest < 0n ? -rest : rest
  return { value: m === 0n ? zero(a.sign) : whole(context, (full) => round(full, sign, m, e)), quotient, partial: false }
}

export type Order = 'less' | 'equal' | 'greater' | 'unordered'
/** FCOM raises invalid for every NaN, FUCOM only for signalling ones. */
export function compare(context: Context, a: Float80, b: Float80, quietly: boolean): Order {
  if (isUnsupported(a) || isUnsupported(b)) {
    context.flags |= Exception.INVALID
    return 'unordered'
  }
  if (isNan(a) || isNan(b)) {
    if (!quietly || isSignalling(a) || isSignalling(b)) context.flags |= Exception.INVALID
    return 'unordered'
  }
  if (isDenormal(a) || isDenormal(b)) context.flags |= Exception.DENORMAL
  if (isZero(a) && isZero(b)) return 'equal'
  if (a.sign !== b.sign) return a.sign === 1 ? 'less' : 'greater'
  const [x, y] = [normalised(a), normalised(b)]
  if (x.exponent === y.exponent && x.significand === y.significand) return 'equal'
  const larger = x.exponent !== y.exponent ? x.exponent > y.exponent : x.significand > y.significand
  return larger === (a.sign === 0) ? 'greater' : 'less'
}
