import type { Emit, Value } from '../../emit.ts'
import { Op, SimdOp } from '../../../wasm/opcodes.ts'

/** Sixteen bytes of one repeated lane, given as an unsigned integer. */
export function repeated(lane: bigint, laneBytes: number): readonly number[] {
  return Array.from({ length: 16 }, (_, index) => Number((lane >> BigInt((index % laneBytes) * 8)) & 0xffn))
}

/** A floating-point format of SSE and what Wasm calls its operations. */
export interface Format {
  bytes: 4 | 8
  /** On all lanes. */
  vector: Record<'eq' | 'ne' | 'lt' | 'le' | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'pmin' | 'pmax', number>
  /** On one. */
  scalar: Record<'eq' | 'ne' | 'lt' | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'nearest' | 'abs', number>
  extractLane: number
  replaceLane: number
  /** Sets the bit that makes a NaN quiet. */
  quiet: readonly number[]
  /** "QNaN floating-point indefinite", what an invalid operation answers (SDM vol. 1, 4.8.3.7). */
  defaultNan: readonly number[]
  /** All ones in lane 0. */
  low: readonly number[]
  /** Lane 0 of the second vector into the first, as a shuffle. */
  blendLow: readonly number[]
}

const blendLow = (bytes: number): readonly number[] => Array.from({ length: 16 }, (_, lane) => (lane < bytes ? lane + 16 : lane))
const lowMask = (bytes: number): readonly number[] => Array.from({ length: 16 }, (_, lane) => (lane < bytes ? 0xff : 0))

export const SINGLE: Format = {
  bytes: 4,
  vector: {
    eq: SimdOp.f32x4_eq, ne: SimdOp.f32x4_ne, lt: SimdOp.f32x4_lt, le: SimdOp.f32x4_le, add: SimdOp.f32x4_add,
    sub: SimdOp.f32x4_sub, mul: SimdOp.f32x4_mul,
    div: SimdOp.f32x4_div, sqrt: SimdOp.f32x4_sqrt, pmin: SimdOp.f32x4_pmin, pmax: SimdOp.f32x4_pmax,
  },
  scalar: {
    eq: Op.f32_eq, ne: Op.f32_ne, lt: Op.f32_lt, add: Op.f32_add, sub: Op.f32_sub, mul: Op.f32_mul, div: Op.f32_div,
    sqrt: Op.f32_sqrt, nearest: Op.f32_nearest, abs: Op.f32_abs,
  },
  extractLane: SimdOp.f32x4_extract_lane,
  replaceLane: SimdOp.f32x4_replace_lane,
  quiet: repeated(0x00400000n, 4),
  defaultNan: repeated(0xffc00000n, 4),
  low: lowMask(4),
  blendLow: blendLow(4),
}

export const DOUBLE: Format = {
  bytes: 8,
  vector: {
    eq: SimdOp.f64x2_eq, ne: SimdOp.f64x2_ne, lt: SimdOp.f64x2_lt, le: SimdOp.f64x2_le, add: SimdOp.f64x2_add,
    sub: SimdOp.f64x2_sub, mul: SimdOp.f64x2_mul,
    div: SimdOp.f64x2_div, sqrt: SimdOp.f64x2_sqrt, pmin: SimdOp.f64x2_pmin, pmax: SimdOp.f64x2_pmax,
  },
  scalar: {
    eq: Op.f64_eq, ne: Op.f64_ne, lt: Op.f64_lt, add: Op.f64_add, sub: Op.f64_sub, mul: Op.f64_mul, div: Op.f64_div,
    sqrt: Op.f64_sqrt, nearest: Op.f64_nearest, abs: Op.f64_abs,
  },
  extractLane: SimdOp.f64x2_extract_lane,
  replaceLane: SimdOp.f64x2_replace_lane,
  quiet: repeated(0x0008000000000000n, 8),
  defaultNan: repeated(0xfff8000000000000n, 8),
  low: lowMask(8),
  blendLow: blendLow(8),
}

/** Which lanes an instruction works on: lane 0 (SS, SD) or all (PS, PD). */
export type Width = 'scalar' | 'packed'

/** Pushes lane 0 as a float. */
export function pushLow(e: Emit, format: Format, vector: Value): void {
  e.push(vector)
  e.code.simdLane(format.extractLane, 0)
}

/** `into` with the float that `write` pushes in lane 0. */
export function withLow(e: Emit, format: Format, into: Value, write: () => void): Value {
  e.push(into)
  write()
  e.code.simdLane(format.replaceLane, 0)
  return e.popV128()
}

/** `into` with lane 0 of `from`. */
export function blendLowLane(e: Emit, format: Format, into: Value, from: Value): Value {
  return e.shuffle(into, from, format.blendLow)
}

/** Compares lane 0 of two vectors: i32 truth. */
export function compareLow(e: Emit, format: Format, comparison: 'eq' | 'ne' | 'lt', a: Value, b: Value): Value {
  pushLow(e, format, a)
  pushLow(e, format, b)
  e.code.op(format.scalar[comparison])
  return e.popI32()
}

/** Runs `settle` when a lane of `result` (lane 0 for a scalar) is a NaN: rare, so everything it does stays out of the way. */
export function whenNan(e: Emit, format: Format, width: Width, result: Value, settle: () => void): void {
  const found =
    width === 'scalar'
      ? compareLow(e, format, 'ne', result, result)
      : e.reduce(SimdOp.v128_any_true, e.simd(format.vector.ne, result, result))
  e.if(found, settle)
}

/**
 * Makes the NaNs of `result` (a local of the body's own) those that the processor answers: the first operand's if it is
 * one, made quiet, else the second's, else the default (SDM vol. 1, table 4-7). Wasm leaves the choice to its host.
 */
export function settleNans(e: Emit, format: Format, width: Width, result: Value, a: Value, b: Value): void {
  whenNan(e, format, width, result, () => {
    const isNan = (value: Value): Value => e.simd(format.vector.ne, value, value)
    const quiet = (value: Value): Value => e.simd(SimdOp.v128_or, value, e.vectorConst(format.quiet))
    let nan = e.vectorConst(format.defaultNan)
    if (a !== b) nan = e.simd(SimdOp.v128_bitselect, quiet(b), nan, isNan(b))
    nan = e.simd(SimdOp.v128_bitselect, quiet(a), nan, isNan(a))
    replaceNans(e, format, width, result, nan)
  })
}

/** Takes `nan` for the lanes of `result` that are one. */
export function replaceNans(e: Emit, format: Format, width: Width, result: Value, nan: Value): void {
  const lanes = e.simd(format.vector.ne, result, result)
  const mask = width === 'packed' ? lanes : e.simd(SimdOp.v128_and, lanes, e.vectorConst(format.low))
  e.assign(result, e.simd(SimdOp.v128_bitselect, nan, result, mask))
}
