import type { Emit, Value } from '../../emit.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { define } from '../definition.ts'
import { DOUBLE, SINGLE, blendLowLane } from './format.ts'
import type { Format } from './format.ts'

/** Moves of SSE, SSE2 and SSE3: whole registers, halves, elements, masks. */

const LOW_QUADWORD = DOUBLE.low

const move = (e: Emit): void => e.set(0, e.get(1))
/** MOVAPS, MOVAPD, MOVDQA and the non-temporal stores. */
export const MOVA = define('mova', ['write', 'read'], move, { sse: true, aligned: true })
/** MOVUPS, MOVUPD, MOVDQU, LDDQU. */
export const MOVU = define('movu', ['write', 'read'], move, { sse: true })

/** MOVSS, MOVSD, MOVQ from memory clear the rest of the register. */
export const LOAD_LOW = define('load_low', ['write', 'read'], move, { sse: true })
export const STORE_LOW = define('store_low', ['write', 'read'], move, { sse: true })
/** MOVSS and MOVSD between registers leave it. */
const mergeLow = (name: string, format: Format) =>
  define(name, ['modify', 'read'], (e) => e.set(0, blendLowLane(e, format, e.get(0), e.get(1))), { sse: true })
export const MOVSS = mergeLow('movss', SINGLE)
export const MOVSD = mergeLow('movsd', DOUBLE)
/** MOVQ between registers clears it. */
export const MOVQ = define('movq', ['write', 'read'], (e) => e.set(0, e.simd(SimdOp.v128_and, e.get(1), e.vectorConst(LOW_QUADWORD))), {
  sse: true,
})

/** MOVD and MOVQ from a general register or memory. */
export const FROM_INTEGER = define('movd_from', ['write', 'read'], (e) => {
  const zero = e.vectorConst(new Array<number>(16).fill(0))
  e.set(0, e.replaceLane(e.sizeOf(1) === 8 ? SimdOp.i64x2_replace_lane : SimdOp.i32x4_replace_lane, zero, 0, e.get(1)))
}, { sse: true })
export const TO_INTEGER = define('movd_to', ['write', 'read'], (e) => {
  e.set(0, e.lane(e.sizeOf(0) === 8 ? SimdOp.i64x2_extract_lane : SimdOp.i32x4_extract_lane, e.get(1), 0))
}, { sse: true })

/** MOVLPS, MOVLPD, MOVHPS, MOVHPD: one half and a quadword in memory. */
const loadHalf = (name: string, lane: 0 | 1) =>
  define(name, ['modify', 'read'], (e) => e.set(0, e.replaceLane(SimdOp.i64x2_replace_lane, e.get(0), lane, e.get(1))), { sse: true })
const storeHalf = (name: string, lane: 0 | 1) =>
  define(name, ['write', 'read'], (e) => e.set(0, e.lane(SimdOp.i64x2_extract_lane, e.get(1), lane)), { sse: true })
export const MOVLPS_LOAD = loadHalf('movlps_load', 0)
export const MOVHPS_LOAD = loadHalf('movhps_load', 1)
export const MOVLPS_STORE = storeHalf('movlps_store', 0)
export const MOVHPS_STORE = storeHalf('movhps_store', 1)

/** Byte numbers of lanes of `bytes` bytes; lanes from 16 / bytes on are the second operand's. */
export const lanesOf = (bytes: number, lanes: readonly number[]): readonly number[] =>
  lanes.flatMap((lane) => Array.from({ length: bytes }, (_, byte) => lane * bytes + byte))

const shuffled = (name: string, bytes: number, lanes: readonly number[]) =>
  define(name, ['modify', 'read'], (e) => e.set(0, e.shuffle(e.get(0), e.get(1), lanesOf(bytes, lanes))), { sse: true, aligned: true })
export const MOVHLPS = shuffled('movhlps', 8, [3, 1])
export const MOVLHPS = shuffled('movlhps', 8, [0, 2])

/** UNPCKLPS and its kin, which are PUNPCKL* under another name: the halves of both operands, element by element. */
const unpack = (name: string, bytes: number, high: boolean) => {
  const count = 8 / bytes
  const first = high ? count : 0
  return shuffled(name, bytes, Array.from({ length: count }, (_, index) => [first + index, first + index + 16 / bytes]).flat())
}
export const UNPACK_LOW = [1, 2, 4, 8].map((bytes) => unpack(`unpckl${bytes}`, bytes, false))
export const UNPACK_HIGH = [1, 2, 4, 8].map((bytes) => unpack(`unpckh${bytes}`, bytes, true))

/** MOVSLDUP, MOVSHDUP, MOVDDUP. */
const duplicate = (name: string, bytes: number, lanes: readonly number[], aligned: boolean) =>
  define(name, ['write', 'read'], (e) => {
    const source = e.get(1)
    e.set(0, e.shuffle(source, source, lanesOf(bytes, lanes)))
  }, { sse: true, aligned })
export const MOVSLDUP = duplicate('movsldup', 4, [0, 0, 2, 2], true)
export const MOVSHDUP = duplicate('movshdup', 4, [1, 1, 3, 3], true)
export const MOVDDUP = duplicate('movddup', 8, [0, 0], false)

/** MOVMSKPS, MOVMSKPD, PMOVMSKB: the sign bits of the elements. */
const signMask = (name: string, opcode: number) =>
  define(name, ['write', 'read'], (e) => e.set(0, e.reduce(opcode, e.get(1))), { sse: true })
export const MOVMSKPS = signMask('movmskps', SimdOp.i32x4_bitmask)
export const MOVMSKPD = signMask('movmskpd', SimdOp.i64x2_bitmask)
export const PMOVMSKB = signMask('pmovmskb', SimdOp.i8x16_bitmask)

/** MASKMOVDQU: the bytes whose mask is negative go to DS:[rDI], none of the others is touched. */
export const MASKMOVDQU = define('maskmovdqu', ['read', 'read'], (e) => {
  const variable = (value: Value): Value => {
    e.push(value)
    return e.popV128()
  }
  const data = variable(e.get(0))
  const mask = variable(e.get(1))
  const address = e.variable(e.linear(-1, e.cutAddress(e.gpr(7)), 16, true))
  const next = lanesOf(1, Array.from({ length: 16 }, (_, index) => (index + 1) & 15))
  const left = e.variable(e.reduce(SimdOp.i8x16_bitmask, mask))
  e.code.block()
  const done = e.code.depth
  e.code.loop()
  const again = e.code.depth
  e.push(e.eqz(left))
  e.code.brIf(done)
  e.if(e.and(left, e.constI32(1)), () => e.store(address, 1, e.lane(SimdOp.i8x16_extract_lane_u, data, 0)))
  e.assign(data, e.shuffle(data, data, next))
  e.assign(left, e.shrU(left, e.constI32(1)))
  e.assign(address, e.add(address, e.constI64(1)))
  e.code.br(again)
  e.code.end()
  e.code.end()
}, { sse: true, modal: true, addressed: true, interpretOnly: true })
