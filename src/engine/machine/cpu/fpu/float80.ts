/**
 * Double-extended-precision numbers (SDM vol. 1, 4.2.2 and figure 4-3): a sign, a biased 15-bit exponent and a 64-bit significand
 * whose integer bit is written out. The x87 computes with nothing else.
 */
export interface Float80 {
  readonly sign: 0 | 1
  /** Biased, 0 to 32767. */
  readonly exponent: number
  /** 64 bits, integer bit included. */
  readonly significand: bigint
}

export const BIAS = 16383
export const EXPONENT_MAX = 32767
const INTEGER_BIT = 1n << 63n
const QUIET_BIT = 1n << 62n
/** Exponent of the lowest bit of a denormal. */
const LOWEST = 1 - BIAS - 63

/** Exception flags at their places in the status word, SDM vol. 1, 8.1.3. */
export const Exception = { INVALID: 1, DENORMAL: 2, ZERO_DIVIDE: 4, OVERFLOW: 8, UNDERFLOW: 16, PRECISION: 32, STACK: 64 } as const
export const Rounding = { NEAREST: 0, DOWN: 1, UP: 2, ZERO: 3 } as const

export const zero = (sign: 0 | 1): Float80 => ({ sign, exponent: 0, significand: 0n })
export const infinity = (sign: 0 | 1): Float80 => ({ sign, exponent: EXPONENT_MAX, significand: INTEGER_BIT })
/** The QNaN floating-point indefinite. */
export const INDEFINITE: Float80 = { sign: 1, exponent: EXPONENT_MAX, significand: INTEGER_BIT | QUIET_BIT }
export const ONE: Float80 = { sign: 0, exponent: BIAS, significand: INTEGER_BIT }

export const isZero = (x: Float80): boolean => x.exponent === 0 && x.significand === 0n
export const isInfinite = (x: Float80): boolean => x.exponent === EXPONENT_MAX && x.significand === INTEGER_BIT
/** Pseudo-NaNs, pseudo-infinities and unnormals: encodings the processor refuses as invalid operands. */
export const isUnsupported = (x: Float80): boolean => x.exponent !== 0 && (x.significand & INTEGER_BIT) === 0n
export const isNan = (x: Float80): boolean =>
  x.exponent === EXPONENT_MAX && (x.significand & INTEGER_BIT) !== 0n && x.significand !== INTEGER_BIT
export const isSignalling = (x: Float80): boolean => isNan(x) && (x.significand & QUIET_BIT) === 0n
export const isDenormal = (x: Float80): boolean => x.exponent === 0 && x.significand !== 0n
export const quiet = (x: Float80): Float80 => ({ ...x, significand: x.significand | QUIET_BIT })
export const negate = (x: Float80): Float80 => ({ ...x, sign: x.sign === 0 ? 1 : 0 })
export const absolute = (x: Float80): Float80 => ({ ...x, sign: 0 })

/** A pseudo-denormal, which has the integer bit although its exponent is 0, as the normal number that it is worth. */
export const normalised = (x: Float80): Float80 => (x.exponent === 0 && (x.significand & INTEGER_BIT) !== 0n ? { ...x, exponent: 1 } : x)

/** A finite number as magnitude × 2^exponent. */
export const magnitude = (x: Float80): { m: bigint; e: number } => ({
  m: x.significand,
  e: (x.exponent === 0 ? 1 : x.exponent) - BIAS - 63,
})

export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length
}

/** How results are rounded, and the flags that rounding raises. */
export interface Context {
  rounding: number
  /** Significand bits: 24, 53 or 64. */
  precision: number
  /** Exception bits, gathered. */
  flags: number
  /** Exceptions that are masked; overflow and underflow give other results when they are not. */
  masked: number
  /** The last rounding went away from zero (C1). */
  roundedUp: boolean
}

/** Whether to add one to the truncated magnitude, from what was cut off: less than, exactly or more than half. */
function roundsUp(rounding: number, sign: 0 | 1, odd: boolean, rest: 'none' | 'below' | 'half' | 'above'): boolean {
  if (rest === 'none') return false
  switch (rounding) {
    case Rounding.NEAREST:
      return rest === 'above' || (rest === 'half' && odd)
    case Rounding.DOWN:
      return sign === 1
    case Rounding.UP:
      return sign === 0
    default:
      return false
  }
}

/** Cuts `shift` bits off a magnitude; `sticky` says that more non-zero bits lie below. */
export function shiftRight(
  m: bigint,
  shift: number,
  sticky: boolean,
  rounding: number,
  sign: 0 | 1,
): { value: bigint; inexact: boolean; up: boolean } {
  if (shift <= 0) {
    const value = m << BigInt(-shift)
    const up = sticky && roundsUp(rounding, sign, (value & 1n) === 1n, 'below')
    return { value: up ? value + 1n : value, inexact: sticky, up }
  }
  const value = m >> BigInt(shift)
  const cut = m & ((1n << BigInt(shift)) - 1n)
  const half = 1n << BigInt(shift - 1)
  const rest = cut === 0n ? (sticky ? 'below' : 'none') : cut < half ? 'below' : cut > half || sticky ? 'above' : 'half'
  const up = roundsUp(rounding, sign, (value & 1n) === 1n, rest)
  return { value: up ? value + 1n : value, inexact: rest !== 'none', up }
}

/** Rounds ±m × 2^e to the context's precision. `sticky`: the exact value is a little larger in magnitude. */
export function round(context: Context, sign: 0 | 1, m: bigint, e: number, sticky = false): Float80 {
  if (m === 0n) return zero(sign)
  const length = bitLength(m)
  const normal = shiftRight(m, length - context.precision, sticky, context.rounding, sign)
  // Tiny is judged after rounding as if the exponent were unbounded (SDM vol. 1, 4.9.1.5).
  const exponentOf = (value: bigint, unit: number): number => unit + bitLength(value) - 1 + BIAS
  let unit = e + length - context.precision
  let { value, inexact, up } = normal
  let exponent = exponentOf(value, unit)
  const tiny = exponent <= 0
  if (tiny && (context.masked & Exception.UNDERFLOW) !== 0) {
    // A denormal has the significand bits that the precision leaves, counted from the integer bit.
    unit = Math.max(unit, LOWEST + 64 - context.precision)
    ;({ value, inexact, up } = shiftRight(m, unit - e, sticky, context.rounding, sign))
    if (inexact) context.flags |= Exception.UNDERFLOW
    exponent = value === 0n ? 0 : Math.max(exponentOf(value, unit), 0)
  } else if (tiny) {
    context.flags |= Exception.UNDERFLOW
    exponent += WRAP
  } else if (exponent >= EXPONENT_MAX) {
    context.flags |= Exception.OVERFLOW
    if ((context.masked & Exception.OVERFLOW) !== 0) return overflow(context, sign)
    exponent -= WRAP
  }
  if (inexact) context.flags |= Exception.PRECISION
  context.roundedUp = up
  if (value === 0n) return zero(sign)
  if (exponent <= 0) return { sign, exponent: 0, significand: value << BigInt(unit - LOWEST) }
  return { sign, exponent, significand: value << BigInt(64 - bitLength(value)) }
}
/** By how much an unmasked overflow or underflow moves the exponent of the result (SDM vol. 1, 8.5.4). */
const WRAP = 24576

function overflow(context: Context, sign: 0 | 1): Float80 {
  context.flags |= Exception.PRECISION
  const { rounding } = context
  const toInfinity = rounding === Rounding.NEAREST || (rounding === Rounding.UP && sign === 0) || (rounding === Rounding.DOWN && sign === 1)
  context.roundedUp = toInfinity
  if (toInfinity) return infinity(sign)
  const cleared = (1n << BigInt(64 - context.precision)) - 1n
  return { sign, exponent: EXPONENT_MAX - 1, significand: ((1n << 64n) - 1n) & ~cleared }
}
