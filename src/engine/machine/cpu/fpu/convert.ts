import {
  BIAS, EXPONENT_MAX, Exception, INDEFINITE, Rounding, bitLength, isInfinite, isNan, isSignalling, isUnsupported, isZero,
  magnitude, quiet, shiftRight, zero,
} from './float80.ts'
import type { Context, Float80 } from './float80.ts'

/** Between the x87's own format and those in memory (SDM vol. 1, 4.2 and 4.8). */

/** Single or double precision: bits of the whole, the exponent, and the fraction. */
export interface Format {
  bits: number
  exponentBits: number
  fractionBits: number
}
export const SINGLE: Format = { bits: 32, exponentBits: 8, fractionBits: 23 }
export const DOUBLE: Format = { bits: 64, exponentBits: 11, fractionBits: 52 }

/** Loads a 32- or 64-bit number; exact. A signalling NaN becomes quiet with #IA, a denormal raises #D. */
export function fromFormat(context: Context, format: Format, value: bigint): Float80 {
  const { bits, exponentBits, fractionBits } = format
  const sign = Number(value >> BigInt(bits - 1)) as 0 | 1
  const exponent = Number((value >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n))
  const fraction = value & ((1n << BigInt(fractionBits)) - 1n)
  const bias = (1 << (exponentBits - 1)) - 1
  const toTop = BigInt(63 - fractionBits)
  if (exponent === (1 << exponentBits) - 1) {
    const special = { sign, exponent: EXPONENT_MAX, significand: (1n << 63n) | (fraction << toTop) }
    if (!isSignalling(special)) return special
    context.flags |= Exception.INVALID
    return quiet(special)
  }
  if (exponent === 0) {
    if (fraction === 0n) return zero(sign)
    context.flags |= Exception.DENORMAL
    const length = bitLength(fraction)
    return { sign, exponent: 1 - bias - fractionBits + length - 1 + BIAS, significand: fraction << BigInt(64 - length) }
  }
  return { sign, exponent: exponent - bias + BIAS, significand: ((1n << BigInt(fractionBits)) | fraction) << toTop }
}

/** Rounds to a 32- or 64-bit number. */
export function toFormat(context: Context, format: Format, x: Float80): bigint {
  const { bits, exponentBits, fractionBits } = format
  const top = (1 << exponentBits) - 1
  const bias = top >> 1
  const pack = (sign: 0 | 1, exponent: number, fraction: bigint): bigint =>
    (BigInt(sign) << BigInt(bits - 1)) | (BigInt(exponent) << BigInt(fractionBits)) | fraction
  const fractionOf = (significand: bigint): bigint => (significand & ((1n << 63n) - 1n)) >> BigInt(63 - fractionBits)
  if (isUnsupported(x)) {
    context.flags |= Exception.INVALID
    return pack(1, top, fractionOf(INDEFINITE.significand))
  }
  if (isNan(x)) {
    if (isSignalling(x)) context.flags |= Exception.INVALID
    return pack(x.sign, top, fractionOf(quiet(x).significand))
  }
  if (isInfinite(x)) return pack(x.sign, top, 0n)
  if (isZero(x)) return pack(x.sign, 0, 0n)
  const { m, e } = magnitude(x)
  const length = bitLength(m)
  const unbounded = shiftRight(m, length - fractionBits - 1, false, context.rounding, x.sign)
  const carried = bitLength(unbounded.value) > fractionBits + 1 ? 1 : 0
  let exponent = e + length - 1 + carried + bias
  let { value, inexact, up } = unbounded
  if (exponent <= 0) {
    const lowest = 1 - bias - fractionBits
    ;({ value, inexact, up } = shiftRight(m, lowest - e, false, context.rounding, x.sign))
    if (inexact || (context.masked & Exception.UNDERFLOW) === 0) context.flags |= Exception.UNDERFLOW
    exponent = value >> BigInt(fractionBits) === 0n ? 0 : 1
  } else if (exponent >= top) {
    context.flags |= Exception.OVERFLOW | Exception.PRECISION
    const { rounding } = context
    const toInfinity = rounding === Rounding.NEAREST || rounding === (x.sign === 1 ? Rounding.DOWN : Rounding.UP)
    context.roundedUp = toInfinity
    return toInfinity ? pack(x.sign, top, 0n) : pack(x.sign, top - 1, (1n << BigInt(fractionBits)) - 1n)
  } else if (carried === 1) value >>= 1n
  if (inexact) context.flags |= Exception.PRECISION
  context.roundedUp = up
  return pack(x.sign, exponent, value & ((1n << BigInt(fractionBits)) - 1n))
}

/** Rounds to a two's complement integer of `bits`; the integer indefinite (only the sign bit) where it does not fit. */
export function toInteger(context: Context, x: Float80, bits: number, rounding = context.rounding): bigint {
  const indefinite = -(1n << BigInt(bits - 1))
  const refuse = (): bigint => {
    context.flags |= Exception.INVALID
    return indefinite
  }
  if (isUnsupported(x) || isNan(x) || isInfinite(x)) return refuse()
  if (isZero(x)) return 0n
  const { m, e } = magnitude(x)
  if (e > 64) return refuse()
  const { value, inexact, up } = shiftRight(m, -e, false, rounding, x.sign)
  const signed = x.sign === 1 ? -value : value
  if (signed < indefinite || signed >= -indefinite) return refuse()
  if (inexact) context.flags |= Exception.PRECISION
  context.roundedUp = up
  return signed
}

const BCD_DIGITS = 18

/** FBLD: 18 decimal digits, two a byte, and a sign byte. */
export function fromBcd(bytes: Uint8Array): { sign: 0 | 1; value: bigint } {
  let value = 0n
  for (let index = 8; index >= 0; index--) value = value * 100n + BigInt((bytes[index] >> 4) * 10 + (bytes[index] & 15))
  return { sign: (bytes[9] >> 7) as 0 | 1, value }
}

/** FBSTP; the packed decimal indefinite where it does not fit. */
export function toBcd(context: Context, x: Float80): Uint8Array {
  const probe = { ...context, flags: 0 }
  const integer = toInteger(probe, x, 64)
  const m = integer < 0n ? -integer : integer
  if ((probe.flags & Exception.INVALID) !== 0 || m >= 10n ** BigInt(BCD_DIGITS)) {
    context.flags |= Exception.INVALID
    return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff)
  }
  context.flags |= probe.flags
  context.roundedUp = probe.roundedUp
  const bytes = new Uint8Array(10)
  let rest = m
  for (let index = 0; index < 9; index++, rest /= 100n) bytes[index] = Number(rest % 10n) | (Number((rest / 10n) % 10n) << 4)
  bytes[9] = x.sign << 7
  return bytes
}
