import { bitLength } from '../fpu/float80.ts'

/**
 * The two binary formats of SSE (SDM vol. 1, 4.2.2) as their bits, and rounding to them with everything that MXCSR asks for: exact
 * integers in between, one rounding at the end.
 */
export interface BinaryFormat {
  readonly bits: 32 | 64
  /** Bits of a significand, the hidden one included. */
  readonly precision: number
  readonly bias: number
  readonly exponentMax: number
}
export const BINARY32: BinaryFormat = { bits: 32, precision: 24, bias: 127, exponentMax: 255 }
export const BINARY64: BinaryFormat = { bits: 64, precision: 53, bias: 1023, exponentMax: 2047 }

/** MXCSR, SDM vol. 1, figure 10-3. A mask is its flag, MASK_SHIFT higher. */
export const Mxcsr = {
  IE: 1, DE: 2, ZE: 4, OE: 8, UE: 0x10, PE: 0x20, DAZ: 0x40, OM: 0x400, UM: 0x800, PM: 0x1000, RC: 0x6000, FTZ: 0x8000,
} as const
export const MASK_SHIFT = 7
export const RC_SHIFT = 13

/** Rounding control. */
export const Round = { NEAREST: 0, DOWN: 1, UP: 2, ZERO: 3 } as const

/** What an operation is told and what it tells: control from MXCSR, exception flags back. */
export interface FloatContext {
  rounding: number
  denormalsAreZeros: boolean
  flushToZero: boolean
  underflowMasked: boolean
  overflowMasked: boolean
  flags: number
}

export const Kind = { ZERO: 0, FINITE: 1, INFINITE: 2, QUIET: 3, SIGNALLING: 4 } as const
export interface Unpacked {
  kind: number
  sign: bigint
  /** Finite numbers: magnitude m × 2^e. */
  m: bigint
  e: number
  denormal: boolean
  /** As given, or what denormals-are-zeros makes of it. */
  raw: bigint
}

export function unpack(context: FloatContext, format: BinaryFormat, raw: bigint): Unpacked {
  const fractionBits = BigInt(format.precision - 1)
  const sign = raw >> BigInt(format.bits - 1)
  const exponent = Number(raw >> fractionBits) & format.exponentMax
  const fraction = BigInt.asUintN(format.precision - 1, raw)
  if (exponent === format.exponentMax) {
    const kind = fraction === 0n ? Kind.INFINITE : fraction >> (fractionBits - 1n) === 1n ? Kind.QUIET : Kind.SIGNALLING
    return { kind, sign, m: 0n, e: 0, denormal: false, raw }
  }
  const lowest = 1 - format.bias - (format.precision - 1)
  if (exponent > 0) return { kind: Kind.FINITE, sign, m: fraction | (1n << fractionBits), e: exponent - 1 + lowest, denormal: false, raw }
  if (fraction === 0n || context.denormalsAreZeros) return { kind: Kind.ZERO, sign, m: 0n, e: 0, denormal: false, raw: raw - fraction }
  return { kind: Kind.FINITE, sign, m: fraction, e: lowest, denormal: true, raw }
}

export const zero = (format: BinaryFormat, sign: bigint): bigint => sign << BigInt(format.bits - 1)
export const infinity = (format: BinaryFormat, sign: bigint): bigint =>
  zero(format, sign) | (BigInt(format.exponentMax) << BigInt(format.precision - 1))
export const quiet = (format: BinaryFormat, raw: bigint): bigint => raw | (1n << BigInt(format.precision - 2))
/** QNaN floating-point indefinite. */
export const indefinite = (format: BinaryFormat): bigint => quiet(format, infinity(format, 1n))

/** Whether a magnitude is rounded up when what is cut off is `half` of a unit compared with 1/2 (-1, 0, 1; undefined: exact). */
function roundsUp(rounding: number, sign: bigint, odd: boolean, half: number | undefined): boolean {
  if (half === undefined) return false
  if (rounding === Round.NEAREST) return half > 0 || (half === 0 && odd)
  return rounding === (sign === 1n ? Round.DOWN : Round.UP)
}

/** m × 2^-shift, rounded to an integer. `sticky`: something below m was cut off before. */
export function shiftRound(rounding: number, sign: bigint, m: bigint, shift: number, sticky = false): { value: bigint; inexact: boolean } {
  if (shift <= 0) {
    const value = m << BigInt(-shift)
    return sticky && roundsUp(rounding, sign, false, -1) ? { value: value + 1n, inexact: true } : { value, inexact: sticky }
  }
  const value = m >> BigInt(shift)
  const rest = m - (value << BigInt(shift))
  if (rest === 0n && !sticky) return { value, inexact: false }
  const middle = 1n << BigInt(shift - 1)
  const half = rest > middle || (rest === middle && sticky) ? 1 : rest === middle ? 0 : -1
  return { value: roundsUp(rounding, sign, (value & 1n) === 1n, half) ? value + 1n : value, inexact: true }
}

/** Rounds ±m × 2^e (and a little more with `sticky`) to the format. m is not 0, and two bits longer than the format when sticky. */
export function pack(context: FloatContext, format: BinaryFormat, sign: bigint, m: bigint, e: number, sticky = false): bigint {
  const { precision, bias } = format
  const { rounding } = context
  const lowest = 1 - bias - (precision - 1)
  const normalShift = bitLength(m) - precision
  const { value: first, inexact } = shiftRound(rounding, sign, m, normalShift, sticky)
  let value = first
  let exponent = e + normalShift
  if (value >> BigInt(precision) !== 0n) {
    value >>= 1n
    exponent++
  }
  // Tiny after rounding as if the exponent had no end (SDM vol. 1, 4.9.1.5).
  if (exponent < lowest) {
    const tiny = shiftRound(rounding, sign, m, lowest - e, sticky)
    if (!context.underflowMasked) {
      context.flags |= Mxcsr.UE | (inexact ? Mxcsr.PE : 0)
      return zero(format, sign) | tiny.value
    }
    if (context.flushToZero) {
      context.flags |= Mxcsr.UE | Mxcsr.PE
      return zero(format, sign)
    }
    if (tiny.inexact) context.flags |= Mxcsr.UE | Mxcsr.PE
    return zero(format, sign) | tiny.value
  }
  if (exponent + precision - 1 > bias) {
    context.flags |= Mxcsr.OE | (inexact || context.overflowMasked ? Mxcsr.PE : 0)
    const away = rounding === Round.NEAREST || rounding === (sign === 1n ? Round.DOWN : Round.UP)
    return away ? infinity(format, sign) : infinity(format, sign) - 1n
  }
  if (inexact) context.flags |= Mxcsr.PE
  return zero(format, sign) | ((BigInt(exponent - lowest) << BigInt(precision - 1)) + value)
}
