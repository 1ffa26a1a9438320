import type { Emit, FloatInline, Value } from '../../emit.ts'
import { add, compare, compareFlags, divide, maximum, minimum, multiply, squareRoot, subtract } from '../../float/arithmetic.ts'
import type { Binary } from '../../float/arithmetic.ts'
import type { FloatContext } from '../../float/binary.ts'
import type { FloatEvaluate, FloatLanes } from '../../float/operations.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { DOUBLE, SINGLE, blendLowLane, compareLow, pushLow, repeated, settleNans, withLow } from './format.ts'
import type { Format, Width } from './format.ts'
import { lanesOf } from './moves.ts'
import {
  arithmeticTests, binaryOf, differenceInexact, floatOperation, lanesIn, operandTests, productInexact, quotientInexact,
  sumInexact, tameBits,
} from './operation.ts'

/** Floating-point arithmetic of SSE, SSE2 and SSE3. */

const optionsOf = (width: Width) => ({ sse: true, float: true, aligned: width === 'packed' }) as const
const WIDTHS = ['packed', 'scalar'] as const
const FORMATS = [SINGLE, DOUBLE] as const
const suffix = (format: Format, width: Width): string => (width === 'packed' ? 'p' : 's') + (format === SINGLE ? 's' : 'd')

/** One operation in its four shapes. */
export interface Shapes<T> {
  ps: T
  pd: T
  ss: T
  sd: T
}
export function shapes<T>(make: (format: Format, width: Width, ending: string) => T): Shapes<T> {
  const made = new Map<string, T>()
  for (const format of FORMATS) for (const width of WIDTHS) made.set(suffix(format, width), make(format, width, suffix(format, width)))
  return Object.fromEntries(made) as unknown as Shapes<T>
}

/** Runs an operation on each lane. */
type LaneOperation = (context: FloatContext, lane: number, lanes: FloatLanes) => bigint
const eachLane = (format: Format, width: Width, operation: LaneOperation): FloatEvaluate =>
  (lanes) => {
    for (let lane = 0; lane < lanesIn(format, width); lane++) lanes.put(format.bytes, lane, operation(lanes.context, lane, lanes))
  }
const eachPair = (format: Format, width: Width, operation: Binary): FloatEvaluate =>
  eachLane(format, width, (context, lane, lanes) =>
    operation(context, binaryOf(format), lanes.get('a', format.bytes, lane), lanes.get('b', format.bytes, lane)),
  )

type Arithmetic = 'add' | 'sub' | 'mul' | 'div'
const SOFT: Record<Arithmetic, Binary> = { add, sub: subtract, mul: multiply, div: divide }
const ZERO_FROM = { add: 'always', sub: 'always', mul: 'either', div: 'first' } as const
const INEXACT = { add: sumInexact, sub: differenceInexact, mul: productInexact, div: quotientInexact } as const

/** The operation on all lanes, or on lane 0 with the first operand's others. */
function inlineArithmetic(e: Emit, format: Format, width: Width, operation: Arithmetic, a: Value, b: Value): FloatInline {
  const result =
    width === 'packed'
      ? e.simd(format.vector[operation], a, b)
      : withLow(e, format, a, () => {
          pushLow(e, format, a)
          pushLow(e, format, b)
          e.code.op(format.scalar[operation])
        })
  return {
    result,
    ...arithmeticTests(e, format, width, result, { a, b }, ZERO_FROM[operation]),
    inexact: () => INEXACT[operation](e, format, width, result, a, b),
  }
}

const arithmetic = (name: Arithmetic) =>
  shapes((format, width, ending) => {
    const operation = floatOperation(eachPair(format, width, SOFT[name]), (e, { a, b }) =>
      inlineArithmetic(e, format, width, name, a ?? b, b),
    )
    return define(name + ending, ['modify', 'read'], (e) => e.set(0, e.float(operation, { a: e.get(0), b: e.get(1) })), optionsOf(width))
  })
export const ADD = arithmetic('add')
export const SUB = arithmetic('sub')
export const MUL = arithmetic('mul')
export const DIV = arithmetic('div')

export const SQRT = shapes((format, width, ending) => {
  const evaluate = eachLane(format, width, (context, lane, lanes) =>
    squareRoot(context, binaryOf(format), lanes.get('b', format.bytes, lane)),
  )
  const operation = floatOperation(evaluate, (e, { a, b }) => {
    const result =
      width === 'packed'
        ? e.simd(format.vector.sqrt, b)
        : withLow(e, format, a ?? b, () => {
            pushLow(e, format, b)
            e.code.op(format.scalar.sqrt)
          })
    return {
      result,
      ...arithmeticTests(e, format, width, result, { b }, 'first'),
      inexact: () => quotientInexact(e, format, width, result, b, result),
    }
  })
  return define(`sqrt${ending}`, [width === 'packed' ? 'write' : 'modify', 'read'], (e) => {
    e.set(0, e.float(operation, width === 'packed' ? { b: e.get(1) } : { a: e.get(0), b: e.get(1) }))
  }, optionsOf(width))
})

/** MIN and MAX answer the second operand when either is a NaN or both are 0; Wasm's pseudo-minimum the first. */
const extreme = (name: 'min' | 'max', opcode: 'pmin' | 'pmax', soft: Binary) =>
  shapes((format, width, ending) => {
    const operation = floatOperation(eachPair(format, width, soft), (e, { a = 0, b }) => {
      const result = e.simd(format.vector[opcode], b, a)
      return {
        result: width === 'packed' ? result : blendLowLane(e, format, a, result),
        ...operandTests(e, format, width, { a, b }),
        tame: tameBits(format, width),
      }
    })
    return define(name + ending, ['modify', 'read'], (e) => e.set(0, e.float(operation, { a: e.get(0), b: e.get(1) })), optionsOf(width))
  })
export const MIN = extreme('min', 'pmin', minimum)
export const MAX = extreme('max', 'pmax', maximum)

/** CMPcc: immediate bits 1:0 are EQ, LT, LE, UNORD, bit 2 negates. */
function comparison(e: Emit, format: Format, a: Value, b: Value, immediate: Value): Value {
  const { eq, ne, lt, le } = format.vector
  const predicates = [
    () => e.simd(eq, a, b),
    () => e.simd(lt, a, b),
    () => e.simd(le, a, b),
    () => e.simd(SimdOp.v128_or, e.simd(ne, a, a), e.simd(ne, b, b)),
  ]
  const known = e.knownImmediate()
  if (known !== undefined) {
    const mask = predicates[known & 3]()
    return (known & 4) === 0 ? mask : e.simd(SimdOp.v128_not, mask)
  }
  const bit = (index: number): Value =>
    e.simd(SimdOp.i32x4_splat, e.sub(e.constI32(0), e.and(e.shrU(immediate, e.constI32(index)), e.constI32(1))))
  const low = bit(0)
  const [equal, less, lessOrEqual, unordered] = predicates.map((predicate) => predicate())
  const first = e.simd(SimdOp.v128_bitselect, less, equal, low)
  const second = e.simd(SimdOp.v128_bitselect, unordered, lessOrEqual, low)
  return e.simd(SimdOp.v128_xor, e.simd(SimdOp.v128_bitselect, second, first, bit(1)), bit(2))
}

export const CMP = shapes((format, width, ending) => {
  const evaluate = eachLane(format, width, (context, lane, lanes) =>
    compare(context, binaryOf(format), lanes.get('a', format.bytes, lane), lanes.get('b', format.bytes, lane), lanes.immediate & 7)
      ? -1n
      : 0n,
  )
  const operation = floatOperation(evaluate, (e, { a = 0, b, immediate = 0 }) => {
    const mask = comparison(e, format, a, b, immediate)
    return { result: width === 'packed' ? mask : blendLowLane(e, format, a, mask), ...operandTests(e, format, width, { a, b }) }
  })
  return define(`cmp${ending}`, ['modify', 'read', 'read'], (e) => {
    e.set(0, e.float(operation, { a: e.get(0), b: e.get(1), immediate: e.get(2) }))
  }, optionsOf(width))
})

/** COMISS, COMISD, UCOMISS, UCOMISD: ZF PF CF are 111 unordered, 000 greater, 001 less, 100 equal; COMI minds quiet NaNs too. */
const compareScalars = (name: 'comi' | 'ucomi', format: Format) => {
  const evaluate: FloatEvaluate = (lanes) => {
    const [a, b] = (['a', 'b'] as const).map((operand) => lanes.get(operand, format.bytes, 0))
    lanes.put(4, 0, BigInt(compareFlags(lanes.context, binaryOf(format), a, b, name === 'comi')))
  }
  const operation = floatOperation(evaluate, (e, { a = 0, b }) => {
    const less = compareLow(e, format, 'lt', a, b)
    const equal = compareLow(e, format, 'eq', a, b)
    // A NaN is in doubt, so that PF is 0 here.
    return { result: e.or(less, e.shl(equal, e.constI32(6))), ...operandTests(e, format, 'scalar', { a, b }) }
  })
  return define(name + suffix(format, 'scalar'), ['read', 'read'], (e) => {
    e.setFlags(e.float(operation, { a: e.get(0), b: e.get(1) }))
  }, { sse: true, float: true, setsFlags: true })
}
export const COMISS = compareScalars('comi', SINGLE)
export const COMISD = compareScalars('comi', DOUBLE)
export const UCOMISS = compareScalars('ucomi', SINGLE)
export const UCOMISD = compareScalars('ucomi', DOUBLE)

const SIGN = repeated(0x80000000n, 4)
const ONE = repeated(0x3f800000n, 4)
const SMALLEST_NORMAL = repeated(0x00800000n, 4)

/** Numbers below the normal ones count as 0 of their sign, as operands and as results. */
function flushed(e: Emit, value: Value): Value {
  const tiny = e.simd(SimdOp.f32x4_lt, e.simd(SimdOp.f32x4_abs, value), e.vectorConst(SMALLEST_NORMAL))
  return e.simd(SimdOp.v128_bitselect, e.simd(SimdOp.v128_and, value, e.vectorConst(SIGN)), value, tiny)
}

/**
 * RCP and RSQRT may err by 1.5 * 2^-12 (SDM vol. 2) and each processor errs in its own way; here they are exact to the last
 * bit or two.
 */
const approximation = (name: 'rcp' | 'rsqrt', width: Width) =>
  define(name + suffix(SINGLE, width), [width === 'packed' ? 'write' : 'modify', 'read'], (e) => {
    const source = e.get(1)
    const operand = flushed(e, source)
    const denominator = name === 'rcp' ? operand : e.simd(SimdOp.f32x4_sqrt, operand)
    const quotient = e.simd(SimdOp.f32x4_div, e.vectorConst(ONE), denominator)
    const result = name === 'rcp' ? flushed(e, quotient) : quotient
    settleNans(e, SINGLE, 'packed', result, source, source)
    e.set(0, width === 'packed' ? result : blendLowLane(e, SINGLE, e.get(0), result))
  }, { sse: true, aligned: width === 'packed' })
export const RCP = { ps: approximation('rcp', 'packed'), ss: approximation('rcp', 'scalar') }
export const RSQRT = { ps: approximation('rsqrt', 'packed'), ss: approximation('rsqrt', 'scalar') }

/** HADDPS, HADDPD, HSUBPS, HSUBPD: neighbours within each operand. */
const horizontal = (name: string, format: Format, kind: 'add' | 'sub') => {
  const half = 8 / format.bytes
  const evaluate = eachLane(format, 'packed', (context, lane, lanes) => {
    const operand = lane < half ? 'a' : 'b'
    const from = (lane % half) * 2
    return SOFT[kind](context, binaryOf(format), lanes.get(operand, format.bytes, from), lanes.get(operand, format.bytes, from + 1))
  })
  const operation = floatOperation(evaluate, (e, { a = 0, b }) => {
    const lanes = format === SINGLE ? [0, 2, 4, 6] : [0, 2]
    const even = e.shuffle(a, b, lanesOf(format.bytes, lanes))
    const odd = e.shuffle(a, b, lanesOf(format.bytes, lanes.map((lane) => lane + 1)))
    return inlineArithmetic(e, format, 'packed', kind, even, odd)
  })
  return define(name, ['modify', 'read'], (e) => e.set(0, e.float(operation, { a: e.get(0), b: e.get(1) })), optionsOf('packed'))
}
export const HADDPS = horizontal('haddps', SINGLE, 'add')
export const HADDPD = horizontal('haddpd', DOUBLE, 'add')
export const HSUBPS = horizontal('hsubps', SINGLE, 'sub')
export const HSUBPD = horizontal('hsubpd', DOUBLE, 'sub')

/** ADDSUBPS and ADDSUBPD subtract in even lanes and add in odd ones. */
const alternate = (name: string, format: Format) => {
  const evaluate = eachLane(format, 'packed', (context, lane, lanes) => {
    const operation = (lane & 1) === 0 ? subtract : add
    return operation(context, binaryOf(format), lanes.get('a', format.bytes, lane), lanes.get('b', format.bytes, lane))
  })
  const evenSigns = Array.from({ length: 16 }, (_, byte) => (byte % (2 * format.bytes) === format.bytes - 1 ? 0x80 : 0))
  const operation = floatOperation(evaluate, (e, { a = 0, b }) =>
    inlineArithmetic(e, format, 'packed', 'add', a, e.simd(SimdOp.v128_xor, b, e.vectorConst(evenSigns))),
  )
  return define(name, ['modify', 'read'], (e) => e.set(0, e.float(operation, { a: e.get(0), b: e.get(1) })), optionsOf('packed'))
}
export const ADDSUBPS = alternate('addsubps', SINGLE)
export const ADDSUBPD = alternate('addsubpd', DOUBLE)
