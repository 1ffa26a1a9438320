import type { FloatInline, FloatInputs, FloatOperation, Emit, Value } from '../../emit.ts'
import { Tame } from '../../emit.ts'
import type { FloatEvaluate } from '../../float/operations.ts'
import { BINARY32, BINARY64 } from '../../float/binary.ts'
import type { BinaryFormat } from '../../float/binary.ts'
import { Op, SimdOp } from '../../../wasm/opcodes.ts'
import { DOUBLE, SINGLE, compareLow, repeated } from './format.ts'
import type { Format, Width } from './format.ts'

/**
 * Floating-point instructions in two ways: in line where rounding to nearest is all that happens, and by float/unit.ts; and the
 * tests that tell. A number's bits doubled lose the sign and order magnitudes, so each test is a comparison of integers.
 */

const evaluators: FloatEvaluate[] = []
/** What float/unit.ts executes, by FloatOperation.index. */
export const FLOAT_EVALUATORS: readonly FloatEvaluate[] = evaluators

export function floatOperation(evaluate: FloatEvaluate, inline: (e: Emit, inputs: FloatInputs) => FloatInline): FloatOperation {
  return { index: evaluators.push(evaluate) - 1, inline }
}

export const binaryOf = (format: Format): BinaryFormat => (format === SINGLE ? BINARY32 : BINARY64)
export const lanesIn = (format: Format, width: Width): number => (width === 'scalar' ? 1 : 16 / format.bytes)
export const tameBits = (format: Format, width: Width): number =>
  format === SINGLE ? (width === 'packed' ? Tame.SINGLES : Tame.SINGLE) : width === 'packed' ? Tame.DOUBLES : Tame.DOUBLE

/** Doubled bits of the smallest normal number times 2^`above`, and of infinity. */
const normal = (format: Format, above = 0): bigint => BigInt(1 + above) << BigInt(binaryOf(format).precision)
const infinite = (format: Format): bigint => BigInt(binaryOf(format).exponentMax) << BigInt(binaryOf(format).precision)

function constant(e: Emit, format: Format, value: bigint): Value {
  return format === SINGLE
    ? e.constI32(Number(BigInt.asIntN(32, value)))
    : e.constI64Halves(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
}
const splat = (e: Emit, format: Format, value: bigint): Value =>
  e.vectorConst(repeated(BigInt.asUintN(format.bytes * 8, value), format.bytes))

/** Lane 0's bits doubled; of a double the upper half is enough for bounds that are whole exponents. */
function doubledLow(e: Emit, format: Format, value: Value, whole = false): Value {
  const bits =
    format === SINGLE
      ? e.lane(SimdOp.i32x4_extract_lane, value, 0)
      : whole ? e.lane(SimdOp.i64x2_extract_lane, value, 0) : e.lane(SimdOp.i32x4_extract_lane, value, 1)
  return e.add(bits, bits)
}
/** All lanes' doubled bits less `low`, as signed numbers that order as unsigned ones would. */
function doubledFrom(e: Emit, format: Format, value: Value, low: bigint): Value {
  const add = format === SINGLE ? SimdOp.i32x4_add : SimdOp.i64x2_add
  return e.simd(add, e.simd(add, value, value), splat(e, format, (1n << BigInt(format.bytes * 8 - 1)) - low))
}
const signedBound = (format: Format, value: bigint): bigint => value - (1n << BigInt(format.bytes * 8 - 1))
const greater = (format: Format): number => (format === SINGLE ? SimdOp.i32x4_gt_s : SimdOp.i64x2_gt_s)

/** Lanes whose doubled bits are not in [low, high). */
const outsideLanes = (e: Emit, format: Format, value: Value, low: bigint, high: bigint): Value =>
  e.simd(greater(format), doubledFrom(e, format, value, low), splat(e, format, signedBound(format, high - low) - 1n))

/** i32: lane 0's doubled bits are not in [low, high). */
function outsideLow(e: Emit, format: Format, value: Value, low: bigint, high: bigint): Value {
  const isWhole = format === SINGLE || BigInt.asUintN(32, low | high) !== 0n
  const bound = (limit: bigint): Value => (isWhole ? constant(e, format, limit) : e.constI32(Number(BigInt.asIntN(32, limit >> 32n))))
  return e.geU(e.sub(doubledLow(e, format, value, isWhole), bound(low)), bound(high - low))
}

/** i32: some lane (lane 0) is denormal. */
function denormal(e: Emit, format: Format, width: Width, value: Value): Value {
  if (width === 'packed') {
    const bound = splat(e, format, signedBound(format, normal(format) - 1n))
    return e.reduce(SimdOp.v128_any_true, e.simd(greater(format), bound, doubledFrom(e, format, value, 1n)))
  }
  return e.ltU(e.sub(doubledLow(e, format, value, true), constant(e, format, 1n)), constant(e, format, normal(format) - 1n))
}
/** i32: lane 0 has the exponent 0: it is 0 or denormal. */
const hasLowestExponent = (e: Emit, format: Format, value: Value): Value =>
  e.ltU(doubledLow(e, format, value), e.constI32(Number(format === SINGLE ? normal(format) : normal(format) >> 32n)))
/** Doubled bits that a value should have: in [low, high), which are whole exponents. */
interface Range {
  value: Value
  low: bigint
  high: bigint
}
/**
 * i32: some lane of some value has not. Of doubles the upper halves are enough, and those of two values are one vector: what 32-bit lanes
 * are compared with may differ from lane to lane. Masks are taken by their signs, for which V8 has two
 * instructions before its branch instead of four.
 */
function someOutside(e: Emit, format: Format, ranges: readonly Range[]): Value {
  const [first, second, ...others] = ranges
  if (format === SINGLE) {
    const lanes = ranges.map(({ value, low, high }) => outsideLanes(e, format, value, low, high))
    return e.reduce(SimdOp.i32x4_bitmask, lanes.reduce((all, each) => e.simd(SimdOp.v128_or, all, each)))
  }
  const compared = (value: Value, halves: readonly Range[]): Value => {
    const perLane = (bits: (range: Range) => bigint): Value =>
      e.vectorConst(halves.flatMap((range) => repeated(BigInt.asUintN(32, bits(range) >> 32n), 4).slice(0, 16 / halves.length)))
    const half = 1n << 63n
    const from = e.simd(SimdOp.i32x4_add, e.simd(SimdOp.i32x4_add, value, value), perLane(({ low }) => half - low))
    return e.simd(SimdOp.i32x4_gt_s, from, perLane(({ low, high }) => high - low - half - 1n))
  }
  if (second === undefined) return e.reduce(SimdOp.i64x2_bitmask, compared(first.value, [first]))
  const pairs = [[first, second]]
  for (let index = 0; index < others.length; index += 2) pairs.push([others[index], others[index + 1] ?? first])
  const lanes = pairs.map((pair) => compared(e.shuffle(pair[0].value, pair[1].value, UPPER_HALVES), pair))
  return e.reduce(SimdOp.i32x4_bitmask, lanes.reduce((all, each) => e.simd(SimdOp.v128_or, all, each)))
}
const UPPER_HALVES = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]

/** i32: 0 in lane 0, or lanes that are 0. */
function zeros(e: Emit, format: Format, width: Width, value: Value): Value {
  const zero = e.vectorConst(repeated(0n, 8))
  return width === 'scalar' ? compareLow(e, format, 'eq', value, zero) : e.simd(format.vector.eq, value, zero)
}
const both = (e: Emit, width: Width, a: Value, b: Value): Value => (width === 'scalar' ? e.and(a, b) : e.simd(SimdOp.v128_and, a, b))
const either = (e: Emit, width: Width, a: Value, b: Value): Value => (width === 'scalar' ? e.or(a, b) : e.simd(SimdOp.v128_or, a, b))

const isTame = (e: Emit, format: Format, width: Width, value: Value): boolean => {
  const bits = tameBits(format, width)
  return (e.tameness(value) & bits) === bits
}

/**
 * Arithmetic is ordinary when no operand is denormal and every result is normal, above the smallest one, which may have been rounded
 * from below: then the operands were numbers too. A result of 0 may be so where `zeroFrom` says that it is exact: always (sum), when
 * an operand (product) or the first one (quotient, root) is 0.
 */
export function arithmeticTests(
  e: Emit,
  format: Format,
  width: Width,
  result: Value,
  { a, b }: FloatInputs,
  zeroFrom: 'always' | 'either' | 'first',
): Pick<FloatInline, 'doubts' | 'excused' | 'tame' | 'tameInputs'> {
  const low = normal(format, 1)
  const high = infinite(format)
  const operands = [...new Set([a ?? b, b])].filter((operand) => !isTame(e, format, width, operand))
  const doubts =
    width === 'scalar'
      ? [() => outsideLow(e, format, result, low, high), ...operands.map((operand) => () => hasLowestExponent(e, format, operand))]
      : [() => someOutside(e, format, [
          { value: result, low, high },
          ...operands.map((value) => ({ value, low: normal(format), high: 1n << BigInt(format.bytes * 8) })),
        ])]
  const excused = (): Value => {
    const sources = zeroFrom === 'always' ? [] : zeroFrom === 'first' ? [a ?? b] : [a ?? b, b]
    const sourceZeros = sources.map((source) => zeros(e, format, width, source))
    const isZero = zeros(e, format, width, result)
    const exact = sourceZeros.length === 0 ? isZero : both(e, width, isZero, sourceZeros.reduce((x, y) => either(e, width, x, y)))
    const fine =
      width === 'scalar'
        ? e.or(exact, e.eqz(outsideLow(e, format, result, low, high)))
        : e.eqz(e.reduce(SimdOp.v128_any_true, e.simd(SimdOp.v128_andnot, outsideLanes(e, format, result, low, high), exact)))
    return operands.reduce((all, operand) => e.and(all, e.eqz(denormal(e, format, width, operand))), fine)
  }
  const bits = tameBits(format, width)
  return { doubts, excused, tame: bits, tameInputs: bits }
}

/** Comparisons are ordinary when no operand is denormal or a NaN. */
export function operandTests(
  e: Emit,
  format: Format,
  width: Width,
  { a, b }: FloatInputs,
): Pick<FloatInline, 'doubts' | 'excused' | 'tameInputs'> {
  const low = normal(format)
  const high = infinite(format)
  const operands = [...new Set([a ?? b, b])].filter((operand) => !isTame(e, format, width, operand))
  const excused = (): Value =>
    operands
      .map((operand) =>
        width === 'scalar'
          ? e.or(zeros(e, format, width, operand), e.eqz(outsideLow(e, format, operand, low, high + 1n)))
          : e.eqz(e.reduce(SimdOp.v128_any_true,
              e.simd(SimdOp.v128_andnot, outsideLanes(e, format, operand, low, high + 1n), zeros(e, format, width, operand)))),
      )
      .reduce((all, each) => e.and(all, each), e.constI32(1))
  return {
    doubts: operands.map((operand) => () =>
      width === 'scalar'
        ? outsideLow(e, format, operand, low, high)
        : someOutside(e, format, [{ value: operand, low, high }]),
    ),
    excused,
    tameInputs: tameBits(format, width),
  }
}

/** A conversion to single precision, with its results widened again: those of 0 are exact when the source is 0. */
export function narrowedTests(e: Emit, width: Width, source: Value, widened: Value): Pick<FloatInline, 'doubts' | 'excused'> {
  // 2^-125 and 2^128, the exponents of doubles that singles have, doubled.
  const low = 0x3820000000000000n * 2n
  const high = 0x47f0000000000000n * 2n
  const excused = (): Value => {
    const exact = both(e, width, zeros(e, DOUBLE, width, widened), zeros(e, DOUBLE, width, source))
    return width === 'scalar'
      ? exact
      : e.eqz(e.reduce(SimdOp.v128_any_true, e.simd(SimdOp.v128_andnot, outsideLanes(e, DOUBLE, widened, low, high), exact)))
  }
  const unsound = (): Value =>
    width === 'scalar'
      ? outsideLow(e, DOUBLE, widened, low, high)
      : e.reduce(SimdOp.v128_any_true, outsideLanes(e, DOUBLE, widened, low, high))
  return { doubts: [unsound], excused }
}

// ---- whether a result was rounded

/** i32: some lane (lane 0) of two vectors is not equal. */
export function unequal(e: Emit, format: Format, width: Width, a: Value, b: Value): Value {
  return width === 'scalar' ? compareLow(e, format, 'ne', a, b) : e.reduce(SimdOp.v128_any_true, e.simd(format.vector.ne, a, b))
}

/** A sum is exact when either operand can be got back from it: the one of the two differences that counts is exact (Dekker 1971). */
export function sumInexact(e: Emit, format: Format, width: Width, r: Value, a: Value, b: Value): Value {
  const { sub } = format.vector
  return e.or(unequal(e, format, width, e.simd(sub, r, a), b), unequal(e, format, width, e.simd(sub, r, b), a))
}
export function differenceInexact(e: Emit, format: Format, width: Width, r: Value, a: Value, b: Value): Value {
  const { sub, add } = format.vector
  return e.or(unequal(e, format, width, e.simd(sub, a, r), b), unequal(e, format, width, e.simd(add, r, b), a))
}

/** Whether the product of two lanes of doubles, as bits, has more than 53 bits: odd parts of their significands multiplied. */
function longProduct(e: Emit, aBits: Value, bBits: Value): Value {
  const odd = (bits: Value): Value => {
    const significand = e.or(e.and(bits, e.constI64Halves(-1, 0xfffff)), e.constI64Halves(0, 0x100000))
    return e.shrU(significand, e.ctz(significand))
  }
  const x = odd(aBits)
  const y = odd(bBits)
  const overflows = e.ltU(e.add(e.clz(x), e.clz(y)), e.constI64(64))
  return e.or(overflows, e.ne(e.shrU(e.mul(x, y), e.constI64(53)), e.constI64(0)))
}

/** Whether `r`, which is a × b rounded, was rounded. */
export function productInexact(e: Emit, format: Format, width: Width, r: Value, a: Value, b: Value): Value {
  if (format === SINGLE) {
    // Two singles multiply exactly in double precision.
    if (width === 'scalar') {
      for (const value of [a, b]) {
        e.push(value)
        e.code.simdLane(SimdOp.f32x4_extract_lane, 0)
        e.code.op(Op.f64_promote_f32)
      }
      e.code.op(Op.f64_mul)
      e.push(r)
      e.code.simdLane(SimdOp.f32x4_extract_lane, 0)
      e.code.op(Op.f64_promote_f32)
      e.code.op(Op.f64_ne)
      return e.popI32()
    }
    const upper = (value: Value): Value => e.shuffle(value, value, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])
    const half = (part: (value: Value) => Value): Value => {
      const [x, y, z] = [a, b, r].map((value) => e.simd(SimdOp.f64x2_promote_low_f32x4, part(value)))
      return e.reduce(SimdOp.v128_any_true, e.simd(SimdOp.f64x2_ne, e.simd(SimdOp.f64x2_mul, x, y), z))
    }
    return e.or(half((value) => value), half(upper))
  }
  return Array.from({ length: lanesIn(format, width) }, (_, lane) => {
    const bits = (value: Value): Value => e.lane(SimdOp.i64x2_extract_lane, value, lane)
    return longProduct(e, bits(a), bits(b))
  }).reduce((all, each) => e.or(all, each))
}

/** Whether a quotient (b the divisor) or a root (b the root itself) `r` of `a` was rounded: r × b must be a, exactly. */
export function quotientInexact(e: Emit, format: Format, width: Width, r: Value, a: Value, b: Value): Value {
  const product = e.simd(format.vector.mul, r, b)
  return e.or(unequal(e, format, width, product, a), productInexact(e, format, width, product, r, b))
}
