import type { Emit, Value } from '../../emit.ts'
import { fromInteger, toInteger } from '../../float/arithmetic.ts'
import { BINARY32, BINARY64, Round } from '../../float/binary.ts'
import type { FloatEvaluate } from '../../float/operations.ts'
import { SimdOp } from '../../../wasm/opcodes.ts'
import { State, Vector } from '../../state.ts'
import { define } from '../definition.ts'
import type { Definition, OperandAccess } from '../definition.ts'
import type { Row } from '../row.ts'
import * as more from './extended.ts'
import { repeated } from './format.ts'
import * as integer from './integer.ts'
import { lanesOf } from './moves.ts'
import * as moves from './moves.ts'
import { floatOperation } from './operation.ts'

/**
 * MMX and what SSE to SSSE3 add to it: instructions on the x87's significands (SDM vol. 1, chapter 9). They are those of the XMM
 * registers on the lower half of a vector. Tier 0 runs them: programs of this century seldom have any.
 */

const ES = 0x80
const TOP_AND_TAGS = { status: State.FPU, keep: ~0x38000000, used: State.FPU + 4 } as const

/**
 * #MF for a pending x87 exception, then the instruction; the stack's top becomes 0 and every register is in use, or for EMMS none:
 * `before` the body where that may fault.
 */
function onX87(
  name: string,
  access: readonly OperandAccess[],
  body: (e: Emit) => void,
  { used = 0xff, before = false }: { used?: number; before?: boolean } = {},
): Definition {
  const enter = (e: Emit): void => {
    e.setStateI32(TOP_AND_TAGS.status, e.and(e.stateI32(TOP_AND_TAGS.status), e.constI32(TOP_AND_TAGS.keep)))
    e.setStateI32(TOP_AND_TAGS.used, e.or(e.and(e.stateI32(TOP_AND_TAGS.used), e.constI32(~0xff)), e.constI32(used)))
  }
  return define(`mmx_${name}`, access, (e) => {
    e.raiseIf(e.and(e.shrU(e.stateI32(TOP_AND_TAGS.status), e.constI32(16)), e.constI32(ES)), Vector.MF)
    if (before) enter(e)
    body(e)
    if (!before) enter(e)
  }, { mmx: true, interpretOnly: true })
}
/** The same as on XMM registers. */
const same = ({ name, access, body }: Definition): Definition => onX87(name, access, body)
const packed = (name: string, operation: (e: Emit, a: Value, b: Value) => Value): Definition =>
  onX87(name, ['modify', 'read'], (e) => e.set(0, operation(e, e.get(0), e.get(1))))

/** Both operands in one vector. */
const joined = (e: Emit, a: Value, b: Value): Value => e.shuffle(a, b, lanesOf(8, [0, 2]))
const upperHalf = (e: Emit, value: Value): Value => e.shuffle(value, e.vectorConst(repeated(0n, 8)), lanesOf(8, [1, 2]))
const packing = (name: string, opcode: number): Definition =>
  packed(name, (e, a, b) => {
    const both = joined(e, a, b)
    return e.simd(opcode, both, both)
  })
const unpackHigh = (name: string, bytes: number): Definition =>
  packed(name, (e, a, b) => {
    const lanes = Array.from({ length: 8 / bytes }, (_, index) => [index, index + 16 / bytes]).flat()
    return upperHalf(e, e.shuffle(a, b, lanesOf(bytes, lanes)))
  })
const horizontal = (name: string, bytes: 2 | 4, opcode: number): Definition =>
  packed(name, (e, a, b) => {
    const both = joined(e, a, b)
    const even = Array.from({ length: 16 / bytes }, (_, lane) => lane * 2)
    return e.simd(opcode, e.shuffle(both, both, lanesOf(bytes, even)), e.shuffle(both, both, lanesOf(bytes, even.map((lane) => lane + 1))))
  })

const PALIGNR = onX87('palignr', ['modify', 'read', 'read'], (e) => {
  const immediate = e.get(2)
  const count = e.select(e.ltU(immediate, e.constI32(16)), immediate, e.constI32(16))
  const lanes = e.simd(SimdOp.i8x16_add, e.vectorConst(more.BYTE_NUMBERS), e.simd(SimdOp.i8x16_splat, count))
  e.set(0, e.simd(SimdOp.i8x16_swizzle, joined(e, e.get(1), e.get(0)), lanes))
})
/** The words of the lower half that an immediate names. */
const moveWords = (e: Emit, value: Value, numbers: Value): Value => {
  const first = e.simd(SimdOp.i16x8_mul, numbers, e.vectorConst(repeated(0x0202n, 2)))
  return e.simd(SimdOp.i8x16_swizzle, value, e.simd(SimdOp.i8x16_add, first, e.vectorConst(repeated(0x0100n, 2))))
}
const PSHUFW = onX87('pshufw', ['write', 'read', 'read'], (e) => {
  const immediate = e.get(2)
  let numbers = e.vectorConst(repeated(0n, 8))
  for (let word = 0; word < 4; word++)
    numbers = e.replaceLane(SimdOp.i16x8_replace_lane, numbers, word, e.and(e.shrU(immediate, e.constI32(word * 2)), e.constI32(3)))
  e.set(0, moveWords(e, e.get(1), numbers))
})
const PINSRW = onX87('pinsrw', ['modify', 'read', 'read'], (e) => {
  const numbers = e.vectorConst(more.BYTE_NUMBERS.map((index) => (index & 1 ? 0 : index >> 1)))
  const lane = e.simd(SimdOp.i16x8_eq, numbers, e.simd(SimdOp.i16x8_splat, e.and(e.resize(e.get(2), 4), e.constI32(3))))
  e.set(0, e.simd(SimdOp.v128_bitselect, e.simd(SimdOp.i16x8_splat, e.get(1)), e.get(0), lane))
})
const PEXTRW = onX87('pextrw', ['write', 'read', 'read'], (e) => {
  const numbers = e.simd(SimdOp.i16x8_splat, e.and(e.get(2), e.constI32(3)))
  e.set(0, e.lane(SimdOp.i16x8_extract_lane_u, moveWords(e, e.get(1), numbers), 0))
})
const MOVE = onX87('movq', ['write', 'read'], (e) => e.set(0, e.get(1)))
const FROM_INTEGER = same(moves.FROM_INTEGER)
const TO_INTEGER = same(moves.TO_INTEGER)
const EMMS = onX87('emms', [], () => {}, { used: 0 })

/** Conversions always go by float/unit.ts. #XM finds the x87 changed already. */
const converted = (name: string, access: readonly OperandAccess[], evaluate: FloatEvaluate): Definition => {
  const operation = floatOperation(evaluate, (e, { a, b }) => ({
    result: e.simd(SimdOp.v128_or, a ?? b, e.vectorConst(repeated(0n, 8))),
    doubts: [() => e.constI32(1)],
  }))
  const body = (e: Emit): void => e.set(0, e.float(operation, access[0] === 'write' ? { b: e.get(1) } : { a: e.get(0), b: e.get(1) }))
  return { ...onX87(name, access, body, { before: true }), sse: true }
}
const fromPair = (name: string, access: readonly OperandAccess[], bytes: 4 | 8): Definition =>
  converted(name, access, (lanes) => {
    for (const lane of [0, 1]) {
      const value = BigInt.asIntN(32, lanes.get('b', 4, lane))
      lanes.put(bytes, lane, fromInteger(lanes.context, bytes === 4 ? BINARY32 : BINARY64, value))
    }
  })
const toPair = (name: string, bytes: 4 | 8, truncates: boolean): Definition =>
  converted(name, ['write', 'read'], (lanes) => {
    const { context } = lanes
    for (const lane of [0, 1]) {
      const format = bytes === 4 ? BINARY32 : BINARY64
      lanes.put(4, lane, toInteger(context, format, lanes.get('b', bytes, lane), 32, truncates ? Round.ZERO : context.rounding))
    }
  })
/** From memory it leaves the x87 alone. */
const CVTPI2PD_MEMORY = define('cvtpi2pd_m', ['write', 'read'], (e) => e.set(0, e.simd(SimdOp.f64x2_convert_low_i32x4_s, e.get(1))), {
  sse: true,
})

const row = (opcode: string, operands: string, definition: Definition, form?: Row['form']): Row =>
  form === undefined ? { opcode, operands, definition } : { opcode, operands, definition, form }

/** NP 0F xx, operands Pq,Qq. */
const byOpcode: readonly (readonly [number, Definition])[] = [
  ...[0, 1, 2].map((index) => [0x60 + index, same(moves.UNPACK_LOW[index])] as const),
  ...[1, 2, 4].map((bytes, index) => [0x68 + index, unpackHigh(`unpckh${bytes}`, bytes)] as const),
  [0x63, packing('packsswb', SimdOp.i8x16_narrow_i16x8_s)],
  [0x67, packing('packuswb', SimdOp.i8x16_narrow_i16x8_u)],
  [0x6b, packing('packssdw', SimdOp.i16x8_narrow_i32x4_s)],
  ...([
    [0x64, integer.PCMPGTB], [0x65, integer.PCMPGTW], [0x66, integer.PCMPGTD], [0x74, integer.PCMPEQB], [0x75, integer.PCMPEQW],
    [0x76, integer.PCMPEQD], [0xd1, integer.PSRLW.byVector], [0xd2, integer.PSRLD.byVector], [0xd3, integer.PSRLQ.byVector],
    [0xd4, integer.PADDQ], [0xd5, integer.PMULLW], [0xd8, integer.PSUBUSB], [0xd9, integer.PSUBUSW], [0xda, integer.PMINUB],
    [0xdb, integer.PAND], [0xdc, integer.PADDUSB], [0xdd, integer.PADDUSW], [0xde, integer.PMAXUB], [0xdf, integer.PANDN],
    [0xe0, integer.PAVGB], [0xe1, integer.PSRAW.byVector], [0xe2, integer.PSRAD.byVector], [0xe3, integer.PAVGW],
    [0xe4, integer.PMULHUW], [0xe5, integer.PMULHW], [0xe8, integer.PSUBSB], [0xe9, integer.PSUBSW], [0xea, integer.PMINSW],
    [0xeb, integer.POR], [0xec, integer.PADDSB], [0xed, integer.PADDSW], [0xee, integer.PMAXSW], [0xef, integer.PXOR],
    [0xf1, integer.PSLLW.byVector], [0xf2, integer.PSLLD.byVector], [0xf3, integer.PSLLQ.byVector], [0xf4, integer.PMULUDQ],
    [0xf5, integer.PMADDWD], [0xf6, integer.PSADBW], [0xf8, integer.PSUBB], [0xf9, integer.PSUBW], [0xfa, integer.PSUBD],
    [0xfb, integer.PSUBQ], [0xfc, integer.PADDB], [0xfd, integer.PADDW], [0xfe, integer.PADDD],
  ] as const).map(([opcode, definition]) => [opcode, same(definition)] as const),
]
/** NP 0F 38 xx, operands Pq,Qq: SSSE3. */
const extended: readonly (readonly [number, Definition])[] = [
  [0x00, packed('pshufb', (e, a, b) => more.shuffleBytes(e, a, b, 0x87))],
  [0x01, horizontal('phaddw', 2, SimdOp.i16x8_add)],
  [0x02, horizontal('phaddd', 4, SimdOp.i32x4_add)],
  [0x03, horizontal('phaddsw', 2, SimdOp.i16x8_add_sat_s)],
  [0x04, same(more.PMADDUBSW)],
  [0x05, horizontal('phsubw', 2, SimdOp.i16x8_sub)],
  [0x06, horizontal('phsubd', 4, SimdOp.i32x4_sub)],
  [0x07, horizontal('phsubsw', 2, SimdOp.i16x8_sub_sat_s)],
  [0x08, same(more.PSIGNB)], [0x09, same(more.PSIGNW)], [0x0a, same(more.PSIGND)], [0x0b, same(more.PMULHRSW)],
  [0x1c, same(more.PABSB)], [0x1d, same(more.PABSW)], [0x1e, same(more.PABSD)],
]
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0')
const shifts = ([
  ['71 /2', integer.PSRLW], ['71 /4', integer.PSRAW], ['71 /6', integer.PSLLW], ['72 /2', integer.PSRLD], ['72 /4', integer.PSRAD],
  ['72 /6', integer.PSLLD], ['73 /2', integer.PSRLQ], ['73 /6', integer.PSLLQ],
] as const).map(([opcode, { byImmediate }]) => row(`NP 0F ${opcode}`, 'Nx,Ib', same(byImmediate), 'register'))

/** Rows of MMX registers: P is one by ModRM.reg, Q one or memory, N one by ModRM.rm. */
export const MMX_TABLE: readonly Row[] = [
  ...byOpcode.map(([opcode, definition]) => row(`NP 0F ${hex(opcode)}`, opcode <= 0x62 ? 'Pq,Qd' : 'Pq,Qq', definition)),
  ...extended.map(([opcode, definition]) => row(`NP 0F 38 ${hex(opcode)}`, 'Pq,Qq', definition)),
  ...shifts,
  row('NP 0F 3A 0F', 'Pq,Qq,Ib', PALIGNR),
  row('NP 0F 6E', 'Pq,Ey', FROM_INTEGER),
  row('NP 0F 7E', 'Ey,Pq', TO_INTEGER),
  row('NP 0F 6F', 'Pq,Qq', MOVE),
  row('NP 0F 7F', 'Nx,Pq', MOVE, 'register'),
  row('NP 0F 7F', 'Qq,Pq', MOVE, 'memory'),
  row('NP 0F E7', 'Qq,Pq', MOVE, 'memory'),
  row('F3 0F D6', 'Vx,Nq', MOVE, 'register'),
  row('F2 0F D6', 'Pq,Ux', MOVE, 'register'),
  row('NP 0F 70', 'Pq,Qq,Ib', PSHUFW),
  row('NP 0F C4', 'Pq,Ew,Ib', PINSRW),
  row('NP 0F C5', 'Gd,Nq,Ib', PEXTRW, 'register'),
  row('NP 0F D7', 'Gd,Nq', same(moves.PMOVMSKB), 'register'),
  row('NP 0F F7', 'Pq,Nq', { ...same(moves.MASKMOVDQU), modal: true, addressed: true }, 'register'),
  row('NP 0F 77', '', EMMS),
  row('NP 0F 2A', 'Vx,Qq', fromPair('cvtpi2ps', ['modify', 'read'], 4)),
  row('66 0F 2A', 'Vx,Nq', fromPair('cvtpi2pd', ['write', 'read'], 8), 'register'),
  row('66 0F 2A', 'Vx,Wq', CVTPI2PD_MEMORY, 'memory'),
  row('NP 0F 2C', 'Pq,Wq', toPair('cvttps2pi', 4, true)),
  row('NP 0F 2D', 'Pq,Wq', toPair('cvtps2pi', 4, false)),
  row('66 0F 2C', 'Pq,Wx', { ...toPair('cvttpd2pi', 8, true), aligned: true }),
  row('66 0F 2D', 'Pq,Wx', { ...toPair('cvtpd2pi', 8, false), aligned: true }),
]
