import type { Emit, FloatInline, Value } from '../../emit.ts'
import { add, multiply, roundToIntegral } from '../../float/arithmetic.ts'
import type { FloatEvaluate } from '../../float/operations.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { lanesOfBits } from './elements.ts'
import { shapes } from './float.ts'
import { DOUBLE, SINGLE, blendLowLane } from './format.ts'
import type { Format } from './format.ts'
import { lanesOf } from './moves.ts'
import {
  arithmeticTests, binaryOf, floatOperation, lanesIn, operandTests, productInexact, sumInexact, tameBits, unequal,
} from './operation.ts'

/** Floating point of SSE4.1: rounding to integral values, dot products. */

/** By the immediate's low bits: nearest, down, up, toward zero. */
const DIRECTIONS = new Map([
  [SINGLE, [SimdOp.f32x4_nearest, SimdOp.f32x4_floor, SimdOp.f32x4_ceil, SimdOp.f32x4_trunc]],
  [DOUBLE, [SimdOp.f64x2_nearest, SimdOp.f64x2_floor, SimdOp.f64x2_ceil, SimdOp.f64x2_trunc]],
])
/** The immediate's bit that asks for MXCSR's rounding, and the one that leaves PE alone. */
const BY_MXCSR = 4
const QUIETLY = 8

function rounded(e: Emit, format: Format, value: Value, immediate: Value): Value {
  const opcodes = DIRECTIONS.get(format) ?? []
  const known = e.knownImmediate()
  if (known !== undefined) return e.simd(opcodes[(known & BY_MXCSR) !== 0 ? 0 : known & 3], value)
  // MXCSR rounds to nearest wherever this is used.
  const direction = e.select(e.and(immediate, e.constI32(BY_MXCSR)), e.constI32(0), e.and(immediate, e.constI32(3)))
  const bit = (index: number): Value =>
    e.simd(SimdOp.i32x4_splat, e.sub(e.constI32(0), e.and(e.shrU(direction, e.constI32(index)), e.constI32(1))))
  const low = bit(0)
  const [nearest, down, up, zero] = opcodes.map((opcode) => e.simd(opcode, value))
  const first = e.simd(SimdOp.v128_bitselect, down, nearest, low)
  return e.simd(SimdOp.v128_bitselect, e.simd(SimdOp.v128_bitselect, zero, up, low), first, bit(1))
}

export const ROUND = shapes((format, width, ending) => {
  const evaluate: FloatEvaluate = (lanes) => {
    const { context, immediate } = lanes
    const direction = (immediate & BY_MXCSR) !== 0 ? context.rounding : immediate & 3
    for (let lane = 0; lane < lanesIn(format, width); lane++) {
      const value = roundToIntegral(context, binaryOf(format), lanes.get('b', format.bytes, lane), direction, (immediate & QUIETLY) !== 0)
      lanes.put(format.bytes, lane, value)
    }
  }
  const operation = floatOperation(evaluate, (e, { a, b, immediate = 0 }) => {
    const all = rounded(e, format, b, immediate)
    const isQuiet = ((e.knownImmediate() ?? 0) & QUIETLY) !== 0
    return {
      result: width === 'packed' ? all : blendLowLane(e, format, a ?? b, all),
      ...operandTests(e, format, width, { b }),
      tame: tameBits(format, width),
      ...(isQuiet ? {} : { inexact: () => unequal(e, format, width, all, b) }),
    }
  })
  return define(`round${ending}`, [width === 'packed' ? 'write' : 'modify', 'read', 'read'], (e) => {
    const b = e.get(1)
    e.set(0, e.float(operation, width === 'packed' ? { b, immediate: e.get(2) } : { a: e.get(0), b, immediate: e.get(2) }))
  }, { sse: true, float: true, aligned: width === 'packed' })
})

/** DPPS and DPPD: products that the immediate's upper bits choose, their sum to the elements that its lower bits choose. */
const dotProduct = (name: string, format: Format) => {
  const count = lanesIn(format, 'packed')
  const binary = binaryOf(format)
  const bytes = format.bytes
  const evaluate: FloatEvaluate = (lanes) => {
    const { context, immediate } = lanes
    let values = Array.from({ length: count }, (_, lane) =>
      ((immediate >> (4 + lane)) & 1) === 0 ? 0n : multiply(context, binary, lanes.get('a', bytes, lane), lanes.get('b', bytes, lane)))
    while (values.length > 1) {
      if (!lanes.goOn()) return
      const sums: bigint[] = []
      for (let lane = 0; lane < values.length; lane += 2) sums.push(add(context, binary, values[lane], values[lane + 1]))
      values = sums
    }
    for (let lane = 0; lane < count; lane++) lanes.put(bytes, lane, ((immediate >> lane) & 1) === 0 ? 0n : values[0])
  }
  const operation = floatOperation(evaluate,
    (e, { a = 0, b, immediate = 0 }): FloatInline => {
      const known = e.knownImmediate()
      const bits = known === undefined ? immediate : e.constI32(known & 0xff)
      const chosen = (shift: number): Value => lanesOfBits(e, e.and(e.shrU(bits, e.constI32(shift)), e.constI32((1 << count) - 1)), bytes)
      const inputs = chosen(4)
      const [x, y] = [a, b].map((value) => e.simd(SimdOp.v128_and, value, inputs))
      const products = e.simd(format.vector.mul, x, y)
      const stages = [{ ...arithmeticTests(e, format, 'packed', products, { a: x, b: y }, 'either'),
        inexact: () => productInexact(e, format, 'packed', products, x, y) }]
      let sum = products
      for (let step = 1; step < count; step *= 2) {
        const one = sum
        const other = e.shuffle(one, one, lanesOf(bytes, Array.from({ length: count }, (_, lane) => lane ^ step)))
        const both = e.simd(format.vector.add, one, other)
        stages.push({ ...arithmeticTests(e, format, 'packed', both, { a: one, b: other }, 'always'),
          inexact: () => sumInexact(e, format, 'packed', both, one, other) })
        sum = both
      }
      return {
        result: e.simd(SimdOp.v128_and, sum, chosen(0)),
        doubts: stages.flatMap(({ doubts = [] }) => doubts),
        excused: () => stages.map(({ excused }) => (excused ? excused() : e.constI32(1))).reduce((all, each) => e.and(all, each)),
        inexact: () => stages.map(({ inexact }) => inexact()).reduce((all, each) => e.or(all, each)),
      }
    },
  )
  return define(name, ['modify', 'read', 'read'], (e) => {
    e.set(0, e.float(operation, { a: e.get(0), b: e.get(1), immediate: e.get(2) }))
    // Its tests would need more temporaries in a region than all others do.
  }, { sse: true, float: true, aligned: true, interpretOnly: true })
}
export const DPPS = dotProduct('dpps', SINGLE)
export const DPPD = dotProduct('dppd', DOUBLE)
