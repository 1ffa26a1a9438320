import type { Emit, Value } from '../../emit.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { BYTE_NUMBERS } from './extended.ts'
import { repeated } from './format.ts'

/** Elements of vectors, SSE4.1: chosen by masks, taken out and put in. */

const ALIGNED = { sse: true, aligned: true } as const
const ANY = { sse: true } as const

/** Lanes of `bytes` bytes, all ones where their bit of `bits` (i32) is set. */
export function lanesOfBits(e: Emit, bits: Value, bytes: 2 | 4 | 8): Value {
  const ownBits = e.vectorConst(BYTE_NUMBERS.map((index) => {
    const bit = 1 << Math.floor(index / bytes)
    // Lanes of 8 bytes are compared as two of 4.
    return index % Math.min(bytes, 4) === 0 ? bit : 0
  }))
  const [splat, equal] = bytes === 2 ? [SimdOp.i16x8_splat, SimdOp.i16x8_eq] : [SimdOp.i32x4_splat, SimdOp.i32x4_eq]
  return e.simd(equal, e.simd(SimdOp.v128_and, e.simd(splat, bits), ownBits), ownBits)
}

/** BLENDPS, BLENDPD, PBLENDW: elements of the second operand where the immediate has their bit. */
const blend = (name: string, bytes: 2 | 4 | 8) =>
  define(name, ['modify', 'read', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    const known = e.knownImmediate()
    if (known !== undefined) e.set(0, e.shuffle(a, b, BYTE_NUMBERS.map((index) => ((known >> Math.floor(index / bytes)) & 1) * 16 + index)))
    else e.set(0, e.simd(SimdOp.v128_bitselect, b, a, lanesOfBits(e, e.get(2), bytes)))
  }, ALIGNED)
export const BLENDPS = blend('blendps', 4)
export const BLENDPD = blend('blendpd', 8)
export const PBLENDW = blend('pblendw', 2)

/** PBLENDVB, BLENDVPS, BLENDVPD: where the element of XMM0 has its highest bit set. */
const blendBy = (name: string, greater: number) =>
  define(name, ['modify', 'read'], (e) => {
    const a = e.get(0)
    const b = e.get(1)
    e.set(0, e.simd(SimdOp.v128_bitselect, b, a, e.simd(greater, e.vectorConst(repeated(0n, 8)), e.xmm(0))))
  }, ALIGNED)
export const PBLENDVB = blendBy('pblendvb', SimdOp.i8x16_gt_s)
export const BLENDVPS = blendBy('blendvps', SimdOp.i32x4_gt_s)
export const BLENDVPD = blendBy('blendvpd', SimdOp.i64x2_gt_s)

interface Elements {
  bytes: 1 | 2 | 4 | 8
  extract: number
  splat: number
  equal: number
}
const BYTES: Elements = { bytes: 1, extract: SimdOp.i8x16_extract_lane_u, splat: SimdOp.i8x16_splat, equal: SimdOp.i8x16_eq }
const WORDS: Elements = { bytes: 2, extract: SimdOp.i16x8_extract_lane_u, splat: SimdOp.i16x8_splat, equal: SimdOp.i16x8_eq }
const DOUBLEWORDS: Elements = { bytes: 4, extract: SimdOp.i32x4_extract_lane, splat: SimdOp.i32x4_splat, equal: SimdOp.i32x4_eq }
const QUADWORDS: Elements = { bytes: 8, extract: SimdOp.i64x2_extract_lane, splat: SimdOp.i64x2_splat, equal: SimdOp.i8x16_eq }

/** The element that an i32 numbers, in lane 0. */
const moveDown = (e: Emit, value: Value, number: Value, bytes: number): Value => {
  const first = e.simd(SimdOp.i8x16_splat, e.mul(number, e.constI32(bytes)))
  return e.simd(SimdOp.i8x16_swizzle, value, e.simd(SimdOp.i8x16_add, e.vectorConst(BYTE_NUMBERS), first))
}
function extractElement(e: Emit, value: Value, { bytes, extract }: Elements, immediate: Value): Value {
  const last = 16 / bytes - 1
  const known = e.knownImmediate()
  if (known !== undefined) return e.lane(extract, value, known & last)
  return e.lane(extract, moveDown(e, value, e.and(immediate, e.constI32(last)), bytes), 0)
}
/** All ones in the element that an i32 numbers. */
function maskOf(e: Emit, number: Value, bytes: number): Value {
  const numbers = e.vectorConst(BYTE_NUMBERS.map((index) => Math.floor(index / bytes)))
  return e.simd(SimdOp.i8x16_eq, numbers, e.simd(SimdOp.i8x16_splat, number))
}

const extractor = (name: string, elementsOf: (size: number) => Elements) =>
  define(name, ['write', 'read', 'read'], (e) => e.set(0, extractElement(e, e.get(1), elementsOf(e.sizeOf(0)), e.resize(e.get(2), 4))), ANY)
export const PEXTRB = extractor('pextrb', () => BYTES)
export const PEXTRW_ANY = extractor('pextrw_any', () => WORDS)
/** PEXTRD, PEXTRQ, EXTRACTPS. */
export const PEXTRD = extractor('pextrd', (size) => (size === 8 ? QUADWORDS : DOUBLEWORDS))

const inserter = (name: string, elementsOf: (size: number) => Elements) =>
  define(name, ['modify', 'read', 'read'], (e) => {
    const { bytes, splat } = elementsOf(e.sizeOf(1))
    const number = e.and(e.resize(e.get(2), 4), e.constI32(16 / bytes - 1))
    e.set(0, e.simd(SimdOp.v128_bitselect, e.simd(splat, e.get(1)), e.get(0), maskOf(e, number, bytes)))
  }, ANY)
export const PINSRB = inserter('pinsrb', () => BYTES)
export const PINSRD = inserter('pinsrd', (size) => (size === 8 ? QUADWORDS : DOUBLEWORDS))

/** INSERTPS: a single from a register's element or from memory, and zeros where the immediate says. */
const insertSingle = (name: string, fromMemory: boolean) =>
  define(name, ['modify', 'read', 'read'], (e) => {
    const immediate = e.get(2)
    const field = (shift: number, mask: number): Value => e.and(e.shrU(immediate, e.constI32(shift)), e.constI32(mask))
    const source = e.get(1)
    const element = e.lane(SimdOp.i32x4_extract_lane, fromMemory ? source : moveDown(e, source, field(6, 3), 4), 0)
    const inserted = e.simd(SimdOp.v128_bitselect, e.simd(SimdOp.i32x4_splat, element), e.get(0), maskOf(e, field(4, 3), 4))
    e.set(0, e.simd(SimdOp.v128_andnot, inserted, lanesOfBits(e, field(0, 15), 4)))
  }, ANY)
export const INSERTPS = insertSingle('insertps', false)
export const INSERTPS_MEMORY = insertSingle('insertps_m', true)
