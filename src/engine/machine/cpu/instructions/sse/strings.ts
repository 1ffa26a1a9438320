import type { Emit, Value } from '../../emit.ts'
import type { FloatLanes } from '../../float/operations.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { State } from '../../state.ts'
import { define } from '../definition.ts'
import { repeated } from './format.ts'
import { floatOperation } from './operation.ts'

/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 2, 4.1), computed in TypeScript. */

/** Where the lengths of the strings are in the immediate that TypeScript is handed: 5 bits each, NO_LENGTH for strings that a 0 ends. */
const LENGTH_SHIFT = { a: 8, b: 13 } as const
const NO_LENGTH = 31

const Aggregation = { EQUAL_ANY: 0, RANGES: 1, EQUAL_EACH: 2, EQUAL_ORDERED: 3 } as const

/** Elements of an operand and how many of them count. */
function elementsOf(lanes: FloatLanes, operand: 'a' | 'b'): { values: number[]; length: number } {
  const { immediate } = lanes
  const bits = (immediate & 1) === 0 ? 8 : 16
  const isSigned = (immediate & 2) !== 0
  const vector = lanes.get(operand, 8, 0) | (lanes.get(operand, 8, 1) << 64n)
  const values = Array.from({ length: 128 / bits }, (_, index) => {
    const element = vector >> BigInt(index * bits)
    return Number(isSigned ? BigInt.asIntN(bits, element) : BigInt.asUintN(bits, element))
  })
  const given = (immediate >> LENGTH_SHIFT[operand]) & NO_LENGTH
  const end = values.indexOf(0)
  return { values, length: given !== NO_LENGTH ? given : end < 0 ? values.length : end }
}

/** IntRes1 of the manual: a bit for each element of the second operand. */
function aggregate(kind: number, a: { values: number[]; length: number }, b: { values: number[]; length: number }): number {
  const count = a.values.length
  let result = 0
  for (let j = 0; j < count; j++) {
    let holds = false
    switch (kind) {
      case Aggregation.EQUAL_ANY:
        holds = j < b.length && a.values.slice(0, a.length).includes(b.values[j])
        break
      case Aggregation.RANGES:
        for (let i = 0; i + 1 < a.length && j < b.length; i += 2) holds ||= a.values[i] <= b.values[j] && b.values[j] <= a.values[i + 1]
        break
      case Aggregation.EQUAL_EACH:
        holds = j < a.length && j < b.length ? a.values[j] === b.values[j] : j >= a.length && j >= b.length
        break
      default:
        holds = true
        for (let i = 0; i < a.length && i + j < count; i++) holds &&= i + j < b.length && a.values[i] === b.values[i + j]
    }
    if (holds) result |= 1 << j
  }
  return result
}

/** Puts the index and the mask at FLOAT_R, the flags at FLOAT_IMMEDIATE. */
function compareStrings(lanes: FloatLanes, wantsMask: boolean): void {
  const { immediate } = lanes
  const a = elementsOf(lanes, 'a')
  const b = elementsOf(lanes, 'b')
  const count = a.values.length
  const all = (1 << count) - 1
  let result = aggregate((immediate >> 2) & 3, a, b)
  if ((immediate & 0x10) !== 0) result ^= (immediate & 0x20) !== 0 ? (1 << b.length) - 1 : all
  const [CF, ZF, SF, OF] = [1, 0x40, 0x80, 0x800]
  lanes.immediate = (result !== 0 ? CF : 0) | (b.length < count ? ZF : 0) | (a.length < count ? SF : 0) | ((result & 1) !== 0 ? OF : 0)
  if (!wantsMask) {
    const index = result === 0 ? count : (immediate & 0x40) !== 0 ? 31 - Math.clz32(result) : 31 - Math.clz32(result & -result)
    lanes.put(8, 0, BigInt(index))
    return
  }
  const bits = 128 / count
  const element = (1n << BigInt(bits)) - 1n
  let mask = 0n
  for (let index = 0; index < count; index++) if (((result >> index) & 1) !== 0) mask |= element << BigInt(index * bits)
  if ((immediate & 0x40) === 0) mask = BigInt(result)
  lanes.put(8, 0, BigInt.asUintN(64, mask))
  lanes.put(8, 1, mask >> 64n)
}

const operationOf = (wantsMask: boolean) =>
  floatOperation((lanes) => compareStrings(lanes, wantsMask), (e) => ({
    result: e.simd(SimdOp.i32x4_splat, e.constI32(0)),
    doubts: [() => e.constI32(1)],
  }))
const OPERATIONS = { i: operationOf(false), m: operationOf(true) }

/** How many elements rAX or rDX says there are: its magnitude, as many as fit. */
function lengthIn(e: Emit, register: number, immediate: Value): Value {
  const value = e.size === 8 ? e.gpr(register) : e.signedWide(e.register(register, 4), 4)
  const negative = e.shrS(value, e.constI64(63))
  const magnitude = e.sub(e.xor(value, negative), negative)
  const most = e.wide(e.shrU(e.constI32(16), e.and(immediate, e.constI32(1))))
  return e.narrow(e.select(e.ltU(magnitude, most), magnitude, most))
}

const strings = (name: string, explicit: boolean, answer: 'i' | 'm') =>
  define(name, ['read', 'read', 'read'], (e) => {
    const [a, b] = [e.get(0), e.get(1)]
    const immediate = e.and(e.resize(e.get(2), 4), e.constI32(0xff))
    const length = (register: number): Value => (explicit ? lengthIn(e, register, immediate) : e.constI32(NO_LENGTH))
    const lengths = e.or(e.shl(length(0), e.constI32(LENGTH_SHIFT.a)), e.shl(length(2), e.constI32(LENGTH_SHIFT.b)))
    const result = e.float(OPERATIONS[answer], { a, b, immediate: e.or(immediate, lengths) })
    e.setFlags(e.stateI32(State.FLOAT_IMMEDIATE))
    if (answer === 'i') e.setGpr(1, e.wide(e.lane(SimdOp.i32x4_extract_lane, result, 0)))
    else e.setXmm(0, e.simd(SimdOp.v128_or, result, e.vectorConst(repeated(0n, 8))))
  }, { sse: true, interpretOnly: true, setsFlags: true })
export const PCMPESTRM = strings('pcmpestrm', true, 'm')
export const PCMPESTRI = strings('pcmpestri', true, 'i')
export const PCMPISTRM = strings('pcmpistrm', false, 'm')
export const PCMPISTRI = strings('pcmpistri', false, 'i')
