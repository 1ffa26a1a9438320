import type { Emit, Value } from '../../emit.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { DOUBLE, SINGLE, blendLowLane, compareLow, pushLow, repeated, settleNans, withLow } from './format.ts'
import type { Format, Width } from './format.ts'
import { lanesOf } from './moves.ts'

/**
 * Floating-point arithmetic of SSE, SSE2 and SSE3, rounded to nearest. MXCSR's rounding control, its flush modes and its
 * exception flags are not acted upon: every exception is masked and none is recorded.
 */

const optionsOf = (width: Width) => ({ sse: true, aligned: width === 'packed' }) as const
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
function shapes<T>(make: (format: Format, width: Width, ending: string) => T): Shapes<T> {
  const made = new Map<string, T>()
  for (const format of FORMATS) for (const width of WIDTHS) made.set(suffix(format, width), make(format, width, suffix(format, width)))
  return Object.fromEntries(made) as unknown as Shapes<T>
}

/** The operation on all lanes, or on lane 0 with the first operand's others. */
function apply(e: Emit, format: Format, width: Width, operation: 'add' | 'sub' | 'mul' | 'div', a: Value, b: Value): Value {
  const result =
    width === 'packed'
      ? e.simd(format.vector[operation], a, b)
      : withLow(e, format, a, () => {
          pushLow(e, format, a)
          pushLow(e, format, b)
          e.code.op(format.scalar[operation])
        })
  settleNans(e, format, width, result, a, b)
  return result
}

const arithmetic = (name: 'add' | 'sub' | 'mul' | 'div') =>
  shapes((format, width, ending) =>
    define(name + ending, ['modify', 'read'], (e) => e.set(0, apply(e, format, width, name, e.get(0), e.get(1))), optionsOf(width)),
  )
export const ADD = arithmetic('add')
export const SUB = arithmetic('sub')
export const MUL = arithmetic('mul')
export const DIV = arithmetic('div')

export const SQRT = shapes((format, width, ending) =>
  define(`sqrt${ending}`, [width === 'packed' ? 'write' : 'modify', 'read'], (e) => {
    const source = e.get(1)
    if (width === 'packed') {
      const result = e.simd(format.vector.sqrt, source)
      settleNans(e, format, width, result, source, source)
      e.set(0, result)
      return
    }
    const result = withLow(e, format, e.get(0), () => {
      pushLow(e, format, source)
      e.code.op(format.scalar.sqrt)
    })
    settleNans(e, format, width, result, source, source)
    e.set(0, result)
  }, optionsOf(width)),
)

/** MIN and MAX answer the second operand when either is a NaN or both are 0; Wasm's pseudo-minimum the first. */
const extreme = (name: 'min' | 'max', operation: 'pmin' | 'pmax') =>
  shapes((format, width, ending) =>
    define(name + ending, ['modify', 'read'], (e) => {
      const a = e.get(0)
      const result = e.simd(format.vector[operation], e.get(1), a)
      e.set(0, width === 'packed' ? result : blendLowLane(e, format, a, result))
    }, optionsOf(width)),
  )
export const MIN = extreme('min', 'pmin')
export const MAX = extreme('max', 'pmax')

/** CMPcc: immediate bits 1:0 are EQ, LT, LE, UNORD, bit 2 negates. */
export const CMP = shapes((format, width, ending) =>
  define(`cmp${ending}`, ['modify', 'read', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    const { eq, ne, lt, le } = format.vector
    const predicates = [
      () => e.simd(eq, a, b),
      () => e.simd(lt, a, b),
      () => e.simd(le, a, b),
      () => e.simd(SimdOp.v128_or, e.simd(ne, a, a), e.simd(ne, b, b)),
    ]
    const known = e.knownImmediate()
    let mask: Value
    if (known !== undefined) {
      mask = predicates[known & 3]()
      if ((known & 4) !== 0) mask = e.simd(SimdOp.v128_not, mask)
    } else {
      const immediate = e.get(2)
      const bit = (index: number): Value =>
        e.simd(SimdOp.i32x4_splat, e.sub(e.constI32(0), e.and(e.shrU(immediate, e.constI32(index)), e.constI32(1))))
      const low = bit(0)
      const [equal, less, lessOrEqual, unordered] = predicates.map((predicate) => predicate())
      const first = e.simd(SimdOp.v128_bitselect, less, equal, low)
      const second = e.simd(SimdOp.v128_bitselect, unordered, lessOrEqual, low)
      mask = e.simd(SimdOp.v128_xor, e.simd(SimdOp.v128_bitselect, second, first, bit(1)), bit(2))
    }
    e.set(0, width === 'packed' ? mask : blendLowLane(e, format, a, mask))
  }, optionsOf(width)),
)

/**
 * COMISS, COMISD, UCOMISS, UCOMISD differ in the exceptions they flag only: ZF PF CF are 111 unordered, 000 greater, 001 less, 100
 * equal.
 */
const compare = (format: Format) =>
  define(`comi${suffix(format, 'scalar')}`, ['read', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    const unordered = e.or(compareLow(e, format, 'ne', a, a), compareLow(e, format, 'ne', b, b))
    const carry = e.or(compareLow(e, format, 'lt', a, b), unordered)
    const zero = e.or(compareLow(e, format, 'eq', a, b), unordered)
    e.setFlags(e.or(e.or(carry, e.shl(unordered, e.constI32(2))), e.shl(zero, e.constI32(6))))
  }, { sse: true, setsFlags: true })
export const COMISS = compare(SINGLE)
export const COMISD = compare(DOUBLE)

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
  }, optionsOf(width))
export const RCP = { ps: approximation('rcp', 'packed'), ss: approximation('rcp', 'scalar') }
export const RSQRT = { ps: approximation('rsqrt', 'packed'), ss: approximation('rsqrt', 'scalar') }

/** HADDPS, HADDPD, HSUBPS, HSUBPD: neighbours within each operand. */
const horizontal = (name: string, format: Format, operation: 'add' | 'sub') =>
  define(name, ['modify', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    const lanes = format === SINGLE ? [0, 2, 4, 6] : [0, 2]
    const even = e.shuffle(a, b, lanesOf(format.bytes, lanes))
    const odd = e.shuffle(a, b, lanesOf(format.bytes, lanes.map((lane) => lane + 1)))
    e.set(0, apply(e, format, 'packed', operation, even, odd))
  }, optionsOf('packed'))
export const HADDPS = horizontal('haddps', SINGLE, 'add')
export const HADDPD = horizontal('haddpd', DOUBLE, 'add')
export const HSUBPS = horizontal('hsubps', SINGLE, 'sub')
export const HSUBPD = horizontal('hsubpd', DOUBLE, 'sub')

/** ADDSUBPS and ADDSUBPD subtract in even lanes and add in odd ones. */
const alternate = (name: string, format: Format) =>
  define(name, ['modify', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    const lanes = format === SINGLE ? [0, 5, 2, 7] : [0, 3]
    const result = e.shuffle(e.simd(format.vector.sub, a, b), e.simd(format.vector.add, a, b), lanesOf(format.bytes, lanes))
    settleNans(e, format, 'packed', result, a, b)
    e.set(0, result)
  }, optionsOf('packed'))
export const ADDSUBPS = alternate('addsubps', SINGLE)
export const ADDSUBPD = alternate('addsubpd', DOUBLE)
