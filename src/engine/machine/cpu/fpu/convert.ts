import {
  BIAS, EXPONENT_MAX, Exception, INDEFINITE, INTEGER_BIT, SIGNIFICAND_BITS, bitLength, fromInteger, isInfinite, isNan, isSignalling,
  isUnsupported, isZero, magnitude, overflowsToInfinity, quiet, shiftRight, zero,
} from './float80.ts'
import type { Context, Float80, Sign } from './float80.ts'

/** Between the x87's own format and those in memory (SDM vol. 1, 4.2 and 4.8). */

/** Single or double precision: bits of the whole, the exponent, and the fraction. */
export interface Format {
  bits: number
  exponentBits: number
  fractionBits: number
}
export const SINGLE: Format = { bits: 32, exponentBits: 8, fractionBits: 23 }
export const DOUBLE: Format = { bits: 64, exponentBits: 11, fractionBits: 52 }

/** Widens a 32- or 64-bit number; exact, and a signalling NaN stays one. */
export function fromFormat({ bits, exponentBits, fractionBits }: Format, value: bigint): { x: Float80; denormal: boolean } {
  const sign = Number(value >> BigInt(bits - 1)) as Sign
  const exponent = Number(BigInt.asUintN(exponentBits, value >> BigInt(fractionBits)))
  const significand = BigInt.asUintN(fractionBits, value) << BigInt(63 - fractionBits)
  const top = (1 << exponentBits) - 1
  const offset = BIAS - (top >> 1)
  if (exponent > 0) {
    const x = { sign, exponent: exponent === top ? EXPONENT_MAX : exponent + offset, significand: INTEGER_BIT | significand }
    return { x, denormal: false }
  }
  if (significand === 0n) return { x: zero(sign), denormal: false }
  const missing = SIGNIFICAND_BITS - bitLength(significand)
  return { x: { sign, exponent: 1 + offset - missing, significand: significand << BigInt(missing) }, denormal: true }
}

/** Rounds to a 32- or 64-bit number. */
export function toFormat(context: Context, { bits, exponentBits, fractionBits }: Format, x: Float80): bigint {
  const { rounding, masked } = context
  const top = (1 << exponentBits) - 1
  const bias = top >> 1
  const pack = (sign: Sign, exponent: number, significand: bigint): bigint =>
    (BigInt(sign) << BigInt(bits - 1)) | (BigInt(exponent) << BigInt(fractionBits)) | BigInt.asUintN(fractionBits, significand)
  const cut = (significand: bigint): bigint => significand >> BigInt(63 - fractionBits)
  if (isUnsupported(x)) {
    context.flags |= Exception.INVALID
    return pack(INDEFINITE.sign, top, cut(INDEFINITE.significand))
  }
  if (isNan(x)) {
    if (isSignalling(x)) context.flags |= Exception.INVALID
    return pack(x.sign, top, cut(quiet(x).significand))
  }
  if (isInfinite(x)) return pack(x.sign, top, 0n)
  if (isZero(x)) return pack(x.sign, 0, 0n)
  const { m, e } = magnitude(x)
  const length = bitLength(m)
  let { value, inexact, up } = shiftRight(m, length - fractionBits - 1, false, rounding, x.sign)
  let exponent = e + length - 1 + bias
  if (value >> BigInt(fractionBits + 1) !== 0n) {
    value >>= 1n
    exponent++
  }
  if (exponent <= 0) {
    ;({ value, inexact, up } = shiftRight(m, 1 - bias - fractionBits - e, false, rounding, x.sign))
    if (inexact || (masked & Exception.UNDERFLOW) === 0) context.flags |= Exception.UNDERFLOW
    exponent = value >> BigInt(fractionBits) === 0n ? 0 : 1
  } else if (exponent >= top) {
    context.flags |= Exception.OVERFLOW
    inexact = true
    up = overflowsToInfinity(rounding, x.sign)
    exponent = up ? top : top - 1
    value = up ? 0n : -1n
  }
  if (inexact) context.flags |= Exception.PRECISION
  context.roundedUp = up
  return pack(x.sign, exponent, value)
}

/** Rounds to an integer whose magnitude is below `limit`, or `limit` itself when negative; undefined, with #IA, where it does not fit. */
function roundBelow(context: Context, x: Float80, limit: bigint, negativeLimit: bigint): bigint | undefined {
  const { m, e } = magnitude(x)
  // From 2^64 on nothing fits.
  if (!isUnsupported(x) && x.exponent < BIAS + SIGNIFICAND_BITS) {
    const { value, inexact, up } = shiftRight(m, -e, false, context.rounding, x.sign)
    if (x.sign === 0 ? value < limit : value <= negativeLimit) {
      if (inexact) context.flags |= Exception.PRECISION
      context.roundedUp = up
      return x.sign === 1 ? -value : value
    }
  }
  context.flags |= Exception.INVALID
  return undefined
}

/** Rounds to a two's complement integer of `bits`; the integer indefinite (only the sign bit) where it does not fit. */
export function toInteger(context: Context, x: Float80, bits: number): bigint {
  const limit = 1n << BigInt(bits - 1)
  return roundBelow(context, x, limit, limit) ?? -limit
}

/** Packed decimal: 18 digits, two a byte, and a byte with the sign (SDM vol. 1, 4.7). */
export const BCD_BYTES = 10
const BCD_DIGIT_BYTES = 9
const BCD_LIMIT = 10n ** 18n
const BCD_INDEFINITE = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff)

/** FBLD. */
export function fromBcd(bytes: Uint8Array): Float80 {
  let value = 0n
  for (let index = BCD_DIGIT_BYTES - 1; index >= 0; index--) value = value * 100n + BigInt((bytes[index] >> 4) * 10 + (bytes[index] & 15))
  return { ...fromInteger(value), sign: (bytes[BCD_DIGIT_BYTES] >> 7) as Sign }
}

/** FBSTP; the packed decimal indefinite where it does not fit. */
export function toBcd(context: Context, x: Float80): Uint8Array {
  const value = roundBelow(context, x, BCD_LIMIT, BCD_LIMIT - 1n)
  if (value === undefined) return BCD_INDEFINITE
  const bytes = new Uint8Array(BCD_BYTES)
  let rest = value < 0n ? -value : value
  for (let index = 0; index < BCD_DIGIT_BYTES; index++, rest /= 100n) {
    const pair = Number(rest % 100n)
    bytes[index] = (Math.floor(pair / 10) << 4) | (pair % 10)
  }
  bytes[BCD_DIGIT_BYTES] = x.sign << 7
  return bytes
}
