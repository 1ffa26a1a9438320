/**
 * Double-extended-precision numbers (SDM vol. 1, 4.2.2 and figure 4-3): a sign, a biased 15-bit exponent and a 64-bit significand
 * whose integer bit is written out. The x87 computes with nothing else.
 */
export interface Float80 {
  readonly sign: Sign
  /** Biased, 0 to 32767. */
  readonly exponent: number
  /** 64 bits, integer bit included. */
  readonly significand: bigint
}
export type Sign = 0 | 1

export const BIAS = 16383
export const EXPONENT_MAX = 32767
export const SIGNIFICAND_BITS = 64
export const INTEGER_BIT = 1n << 63n
const QUIET_BIT = 1n << 62n
/** Exponent of the lowest bit of a denormal. */
const LOWEST = 1 - BIAS - 63

/** Exception flags at their places in the status word, SDM vol. 1, 8.1.3. */
export const Exception = { INVALID: 1, DENORMAL: 2, ZERO_DIVIDE: 4, OVERFLOW: 8, UNDERFLOW: 16, PRECISION: 32, STACK: 64 } as const
/** Rounding control, SDM vol. 1, table 4-8. */
export const Rounding = { NEAREST: 0, DOWN: 1, UP: 2, ZERO: 3 } as const

export const zero = (sign: Sign): Float80 => ({ sign, exponent: 0, significand: 0n })
export const infinity = (sign: Sign): Float80 => ({ sign, exponent: EXPONENT_MAX, significand: INTEGER_BIT })
/** The QNaN floating-point indefinite. */
export const INDEFINITE: Float80 = { sign: 1, exponent: EXPONENT_MAX, significand: INTEGER_BIT | QUIET_BIT }
export const ONE: Float80 = { sign: 0, exponent: BIAS, significand: INTEGER_BIT }

export const isZero = (x: Float80): boolean => x.exponent === 0 && x.significand === 0n
export const isInfinite = (x: Float80): boolean => x.exponent === EXPONENT_MAX && x.significand === INTEGER_BIT
/** Pseudo-NaNs, pseudo-infinities and unnormals: encodings the processor refuses as invalid operands. */
export const isUnsupported = (x: Float80): boolean => x.exponent !== 0 && (x.significand & INTEGER_BIT) === 0n
export const isNan = (x: Float80): boolean => x.exponent === EXPONENT_MAX && x.significand > INTEGER_BIT
export const isSignalling = (x: Float80): boolean => isNan(x) && (x.significand & QUIET_BIT) === 0n
/** Pseudo-denormals, which have the integer bit although their exponent is 0, among them. */
export const isDenormal = (x: Float80): boolean => x.exponent === 0 && x.significand !== 0n
export const quiet = (x: Float80): Float80 => ({ ...x, significand: x.significand | QUIET_BIT })
export const opposite = (sign: Sign): Sign => (sign === 0 ? 1 : 0)
export const negate = (x: Float80): Float80 => ({ ...x, sign: opposite(x.sign) })
export const absolute = (x: Float80): Float80 => ({ ...x, sign: 0 })
/** The sign of a product or a quotient. */
export const signOf = (a: Float80, b: Float80): Sign => (a.sign === b.sign ? 0 : 1)

/** A finite number as magnitude × 2^exponent. */
export const magnitude = (x: Float80): { m: bigint; e: number } => ({ m: x.significand, e: Math.max(x.exponent, 1) - BIAS - 63 })

/** How many bits a number that is not negative takes; 0 for 0. */
export function bitLength(value: bigint): number {
  const above = value >> 64n
  if (above === 0n) {
    const high = Number(value >> 32n)
    return high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(Number(value))
  }
  if (above >> 64n === 0n) return 64 + bitLength(above)
  const digits = above.toString(16)
  return 64 + digits.length * 4 + 28 - Math.clz32(Number.parseInt(digits[0], 16))
}

/** An integer of up to 64 bits, exactly. */
export function fromInteger(value: bigint): Float80 {
  if (value === 0n) return zero(0)
  const m = value < 0n ? -value : value
  const length = bitLength(m)
  return { sign: value < 0n ? 1 : 0, exponent: BIAS + length - 1, significand: m << BigInt(SIGNIFICAND_BITS - length) }
}

/** How results are rounded, and what rounding raises. */
export interface Context {
  rounding: number
  /** Significand bits: 24, 53 or 64. */
  precision: number
  /** Exception bits, gathered. */
  flags: number
  /** Exceptions that are masked; overflow and underflow give other results when they are not. */
  masked: number
  /** An operand from memory was a denormal of its own, narrower format. */
  narrowDenormal: boolean
  /** The last rounding went away from zero (C1). */
  roundedUp: boolean
}

interface Cut {
  value: bigint
  inexact: boolean
  /** The magnitude was rounded up. */
  up: boolean
}

/** Cuts `shift` bits off a magnitude and rounds; `sticky` says that the exact value is a little larger. */
export function shiftRight(m: bigint, shift: number, sticky: boolean, rounding: number, sign: Sign): Cut {
  if (shift <= 0 && !sticky) return { value: m << BigInt(-shift), inexact: false, up: false }
  const bits = BigInt(shift)
  const value = m >> bits
  const cut = shift > 0 ? m - (value << bits) : 0n
  if (cut === 0n && !sticky) return { value, inexact: false, up: false }
  let up: boolean
  if (rounding === Rounding.NEAREST) {
    const half = shift > 0 ? 1n << (bits - 1n) : 1n
    up = cut > half || (cut === half && (sticky || (value & 1n) === 1n))
  } else up = rounding === (sign === 1 ? Rounding.DOWN : Rounding.UP)
  return { value: up ? value + 1n : value, inexact: true, up }
}

/** By how much an unmasked overflow or underflow moves the exponent of the result (SDM vol. 1, 8.5.4). */
const WRAP = 24576

/** Rounds ±m × 2^e to the context's precision. `sticky`: the exact value is a little larger in magnitude. */
export function round(context: Context, sign: Sign, m: bigint, e: number, sticky = false): Float80 {
  if (m === 0n) return zero(sign)
  const { rounding, precision, masked } = context
  const length = bitLength(m)
  let { value, inexact, up } = shiftRight(m, length - precision, sticky, rounding, sign)
  let exponent = e + length - 1 + BIAS
  if (value >> BigInt(precision) !== 0n) {
    value >>= 1n
    exponent++
  }
  // Tiny is judged after rounding as if the exponent were unbounded (SDM vol. 1, 4.9.1.5).
  if (exponent <= 0) {
    if ((masked & Exception.UNDERFLOW) !== 0) {
      ;({ value, inexact, up } = shiftRight(m, LOWEST + SIGNIFICAND_BITS - precision - e, sticky, rounding, sign))
      if (inexact) context.flags |= Exception.UNDERFLOW
      exponent = value >> BigInt(precision - 1) === 0n ? 0 : 1
    } else {
      context.flags |= Exception.UNDERFLOW
      exponent += WRAP
      // Only FSCALE comes so far.
      if (exponent <= 0) {
        context.flags |= Exception.PRECISION
        return zero(sign)
      }
    }
  } else if (exponent >= EXPONENT_MAX) {
    context.flags |= Exception.OVERFLOW
    if ((masked & Exception.OVERFLOW) !== 0) return overflow(context, sign)
    exponent -= WRAP
    if (exponent >= EXPONENT_MAX) {
      context.flags |= Exception.PRECISION
      context.roundedUp = true
      return infinity(sign)
    }
  }
  if (inexact) context.flags |= Exception.PRECISION
  context.roundedUp = up
  return { sign, exponent, significand: value << BigInt(SIGNIFICAND_BITS - precision) }
}

/** Whether a masked overflow gives infinity rather than the largest number (SDM vol. 1, table 4-10). */
export const overflowsToInfinity = (rounding: number, sign: Sign): boolean =>
  rounding === Rounding.NEAREST || rounding === (sign === 1 ? Rounding.DOWN : Rounding.UP)

function overflow(context: Context, sign: Sign): Float80 {
  context.flags |= Exception.PRECISION
  context.roundedUp = overflowsToInfinity(context.rounding, sign)
  if (context.roundedUp) return infinity(sign)
  const significand = ((1n << BigInt(context.precision)) - 1n) << BigInt(SIGNIFICAND_BITS - context.precision)
  return { sign, exponent: EXPONENT_MAX - 1, significand }
}
