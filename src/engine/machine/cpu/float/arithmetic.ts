import { integerSquareRoot } from '../fpu/arithmetic.ts'
import { bitLength } from '../fpu/float80.ts'
import { Kind, Mxcsr, Round, indefinite, infinity, pack, quiet, shiftRound, unpack, zero } from './binary.ts'
import type { BinaryFormat, FloatContext, Unpacked } from './binary.ts'

/** SSE's operations on single numbers, given and answered as their bits, with their exceptions (SDM vol. 1, 11.5). */

export type Binary = (context: FloatContext, format: BinaryFormat, a: bigint, b: bigint) => bigint

function invalid(context: FloatContext, format: BinaryFormat): bigint {
  context.flags |= Mxcsr.IE
  return indefinite(format)
}

/** The first operand's NaN before the second's (SDM vol. 1, table 4-7); undefined when neither is one. */
function nanOf(context: FloatContext, format: BinaryFormat, a: Unpacked, b: Unpacked = a): bigint | undefined {
  if (a.kind < Kind.QUIET && b.kind < Kind.QUIET) return undefined
  if (a.kind === Kind.SIGNALLING || b.kind === Kind.SIGNALLING) context.flags |= Mxcsr.IE
  return quiet(format, a.kind >= Kind.QUIET ? a.raw : b.raw)
}
function noteDenormal(context: FloatContext, a: Unpacked, b: Unpacked = a): void {
  if (a.denormal || b.denormal) context.flags |= Mxcsr.DE
}

export const add: Binary = (context, format, aBits, bBits) => {
  const a = unpack(context, format, aBits)
  const b = unpack(context, format, bBits)
  const nan = nanOf(context, format, a, b)
  if (nan !== undefined) return nan
  if (a.kind === Kind.INFINITE && b.kind === Kind.INFINITE && a.sign !== b.sign) return invalid(context, format)
  noteDenormal(context, a, b)
  if (a.kind === Kind.INFINITE) return a.raw
  if (b.kind === Kind.INFINITE) return b.raw
  const cancelled = context.rounding === Round.DOWN ? 1n : 0n
  if (a.kind === Kind.ZERO && b.kind === Kind.ZERO) return a.sign === b.sign ? a.raw : zero(format, cancelled)
  const e = Math.min(a.kind === Kind.ZERO ? b.e : a.e, b.kind === Kind.ZERO ? a.e : b.e)
  const signed = ({ kind, sign, m, e: from }: Unpacked): bigint => {
    if (kind === Kind.ZERO) return 0n
    const magnitude = m << BigInt(from - e)
    return sign === 1n ? -magnitude : magnitude
  }
  const sum = signed(a) + signed(b)
  if (sum === 0n) return zero(format, cancelled)
  return sum < 0n ? pack(context, format, 1n, -sum, e) : pack(context, format, 0n, sum, e)
}

export const subtract: Binary = (context, format, a, b) => {
  const isNan = unpack(context, format, b).kind >= Kind.QUIET
  return add(context, format, a, isNan ? b : b ^ zero(format, 1n))
}

export const multiply: Binary = (context, format, aBits, bBits) => {
  const a = unpack(context, format, aBits)
  const b = unpack(context, format, bBits)
  const nan = nanOf(context, format, a, b)
  if (nan !== undefined) return nan
  const sign = a.sign ^ b.sign
  if (a.kind === Kind.INFINITE || b.kind === Kind.INFINITE) {
    if (a.kind === Kind.ZERO || b.kind === Kind.ZERO) return invalid(context, format)
    noteDenormal(context, a, b)
    return infinity(format, sign)
  }
  noteDenormal(context, a, b)
  return a.kind === Kind.ZERO || b.kind === Kind.ZERO ? zero(format, sign) : pack(context, format, sign, a.m * b.m, a.e + b.e)
}

export const divide: Binary = (context, format, aBits, bBits) => {
  const a = unpack(context, format, aBits)
  const b = unpack(context, format, bBits)
  const nan = nanOf(context, format, a, b)
  if (nan !== undefined) return nan
  const sign = a.sign ^ b.sign
  if (a.kind === b.kind && (a.kind === Kind.INFINITE || a.kind === Kind.ZERO)) return invalid(context, format)
  if (b.kind === Kind.ZERO) {
    if (a.kind === Kind.FINITE) context.flags |= Mxcsr.ZE
    return infinity(format, sign)
  }
  noteDenormal(context, a, b)
  if (a.kind === Kind.INFINITE) return infinity(format, sign)
  if (b.kind === Kind.INFINITE || a.kind === Kind.ZERO) return zero(format, sign)
  const extra = format.precision + 3 + Math.max(0, bitLength(b.m) - bitLength(a.m))
  const dividend = a.m << BigInt(extra)
  const quotient = dividend / b.m
  return pack(context, format, sign, quotient, a.e - b.e - extra, quotient * b.m !== dividend)
}

export function squareRoot(context: FloatContext, format: BinaryFormat, bits: bigint): bigint {
  const a = unpack(context, format, bits)
  const nan = nanOf(context, format, a)
  if (nan !== undefined) return nan
  if (a.kind === Kind.ZERO) return a.raw
  if (a.sign === 1n) return invalid(context, format)
  noteDenormal(context, a)
  if (a.kind === Kind.INFINITE) return a.raw
  let shift = 2 * (format.precision + 3) - bitLength(a.m)
  if ((a.e - shift) % 2 !== 0) shift++
  const radicand = a.m << BigInt(shift)
  const root = integerSquareRoot(radicand)
  return pack(context, format, 0n, root, (a.e - shift) / 2, root * root !== radicand)
}

/** -1, 0 or 1, or undefined when one is a NaN: then IE is noted for a signalling one, and for any when `ordered`. */
function order(context: FloatContext, format: BinaryFormat, aBits: bigint, bBits: bigint, ordered: boolean): number | undefined {
  const a = unpack(context, format, aBits)
  const b = unpack(context, format, bBits)
  if (a.kind >= Kind.QUIET || b.kind >= Kind.QUIET) {
    if (ordered || a.kind === Kind.SIGNALLING || b.kind === Kind.SIGNALLING) context.flags |= Mxcsr.IE
    return undefined
  }
  noteDenormal(context, a, b)
  const key = ({ sign, raw }: Unpacked): bigint => (sign === 1n ? -(raw ^ zero(format, 1n)) : raw)
  const [x, y] = [key(a), key(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** MIN and MAX answer the second operand, unless the first is less or greater. Denormals-are-zeros shows in what they answer. */
const extreme = (wanted: number): Binary => (context, format, a, b) =>
  unpack(context, format, order(context, format, a, b, true) === wanted ? a : b).raw
export const minimum = extreme(-1)
export const maximum = extreme(1)

/** CMPcc: 0 EQ, 1 LT, 2 LE, 3 UNORD; 4 to 7 their opposites. */
export function compare(context: FloatContext, format: BinaryFormat, a: bigint, b: bigint, predicate: number): boolean {
  const kind = predicate & 3
  const found = order(context, format, a, b, kind === 1 || kind === 2)
  const holds = kind === 3 ? found === undefined : found !== undefined && (kind === 0 ? found === 0 : kind === 1 ? found < 0 : found <= 0)
  return holds !== ((predicate & 4) !== 0)
}

/** ZF PF CF at their places in RFLAGS as COMISS sets them. */
export function compareFlags(context: FloatContext, format: BinaryFormat, a: bigint, b: bigint, ordered: boolean): number {
  const found = order(context, format, a, b, ordered)
  return found === undefined ? 0x45 : found === 0 ? 0x40 : found < 0 ? 1 : 0
}

/** To a signed integer of so many bits; what does not fit becomes the integer indefinite. */
export function toInteger(context: FloatContext, format: BinaryFormat, bits: bigint, size: number, rounding = context.rounding): bigint {
  const a = unpack(context, format, bits)
  const least = -(1n << BigInt(size - 1))
  if (a.kind === Kind.ZERO) return 0n
  if (a.kind !== Kind.FINITE) {
    context.flags |= Mxcsr.IE
    return least
  }
  const { value, inexact } = a.e >= size ? { value: 1n << BigInt(size), inexact: false } : shiftRound(rounding, a.sign, a.m, -a.e)
  const integer = a.sign === 1n ? -value : value
  if (integer < least || integer >= -least) {
    context.flags |= Mxcsr.IE
    return least
  }
  if (inexact) context.flags |= Mxcsr.PE
  return integer
}

export function fromInteger(context: FloatContext, format: BinaryFormat, value: bigint): bigint {
  if (value === 0n) return 0n
  return value < 0n ? pack(context, format, 1n, -value, 0) : pack(context, format, 0n, value, 0)
}

/** Between the formats. A NaN keeps its sign and what fits of its payload. */
export function convert(context: FloatContext, from: BinaryFormat, to: BinaryFormat, bits: bigint): bigint {
  const a = unpack(context, from, bits)
  switch (a.kind) {
    case Kind.ZERO: return zero(to, a.sign)
    case Kind.INFINITE: return infinity(to, a.sign)
    case Kind.FINITE:
      noteDenormal(context, a)
      return pack(context, to, a.sign, a.m, a.e)
    default: {
      if (a.kind === Kind.SIGNALLING) context.flags |= Mxcsr.IE
      const payload = BigInt.asUintN(from.precision - 1, a.raw)
      const shift = BigInt(from.precision - to.precision)
      return quiet(to, infinity(to, a.sign) | (shift > 0n ? payload >> shift : payload << -shift))
    }
  }
}

/** ROUNDSD and its kin: to an integral value in the same format. */
export function roundToIntegral(context: FloatContext, format: BinaryFormat, bits: bigint, rounding: number, quietly: boolean): bigint {
  const a = unpack(context, format, bits)
  const nan = nanOf(context, format, a)
  if (nan !== undefined) return nan
  if (a.kind !== Kind.FINITE || a.e >= 0) return a.raw
  const { value, inexact } = shiftRound(rounding, a.sign, a.m, -a.e)
  if (inexact && !quietly) context.flags |= Mxcsr.PE
  return value === 0n ? zero(format, a.sign) : pack({ ...context }, format, a.sign, value, 0)
}
