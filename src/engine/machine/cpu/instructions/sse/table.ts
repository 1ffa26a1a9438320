import type { Definition } from '../definition.ts'
import type { Row } from '../row.ts'
import {
  CVTDQ2PD, CVTDQ2PS, CVTPD2DQ, CVTPD2PS, CVTPS2DQ, CVTPS2PD, CVTSD2SI, CVTSD2SS, CVTSI2SD, CVTSI2SS, CVTSS2SD, CVTSS2SI, CVTTPD2DQ,
  CVTTPS2DQ, CVTTSD2SI, CVTTSS2SI,
} from './convert.ts'
import {
  ADD, ADDSUBPD, ADDSUBPS, CMP, COMISD, COMISS, DIV, HADDPD, HADDPS, HSUBPD, HSUBPS, MAX, MIN, MUL, RCP, RSQRT, SQRT, SUB, UCOMISD, UCOMISS,
} from './float.ts'
import type { Shapes } from './float.ts'
import * as elements from './elements.ts'
import * as more from './extended.ts'
import * as integer from './integer.ts'
import * as moves from './moves.ts'
import { DPPD, DPPS, ROUND } from './rounding.ts'
import * as strings from './strings.ts'

/** Rows of the XMM instructions of SSE to SSE4.2, in the notation of ../row.ts. */
const row = (opcode: string, operands: string, definition: Definition, options: Pick<Row, 'form' | 'size'> = {}): Row => ({
  opcode,
  operands,
  definition,
  ...options,
})
const memory = (opcode: string, operands: string, definition: Definition): Row => row(opcode, operands, definition, { form: 'memory' })
const register = (opcode: string, operands: string, definition: Definition): Row => row(opcode, operands, definition, { form: 'register' })

const move: Row[] = [
  row('NP 0F 10', 'Vx,Wx', moves.MOVU),
  row('66 0F 10', 'Vx,Wx', moves.MOVU),
  memory('F3 0F 10', 'Vx,Wd', moves.LOAD_LOW),
  register('F3 0F 10', 'Vx,Ux', moves.MOVSS),
  memory('F2 0F 10', 'Vx,Wq', moves.LOAD_LOW),
  register('F2 0F 10', 'Vx,Ux', moves.MOVSD),
  row('NP 0F 11', 'Wx,Vx', moves.MOVU),
  row('66 0F 11', 'Wx,Vx', moves.MOVU),
  memory('F3 0F 11', 'Wd,Vx', moves.STORE_LOW),
  register('F3 0F 11', 'Ux,Vx', moves.MOVSS),
  memory('F2 0F 11', 'Wq,Vx', moves.STORE_LOW),
  register('F2 0F 11', 'Ux,Vx', moves.MOVSD),
  register('NP 0F 12', 'Vx,Ux', moves.MOVHLPS),
  memory('NP 0F 12', 'Vx,Mq', moves.MOVLPS_LOAD),
  memory('66 0F 12', 'Vx,Mq', moves.MOVLPS_LOAD),
  row('F3 0F 12', 'Vx,Wx', moves.MOVSLDUP),
  row('F2 0F 12', 'Vx,Wq', moves.MOVDDUP),
  memory('NP 0F 13', 'Mq,Vx', moves.MOVLPS_STORE),
  memory('66 0F 13', 'Mq,Vx', moves.MOVLPS_STORE),
  row('NP 0F 14', 'Vx,Wx', moves.UNPACK_LOW[2]),
  row('66 0F 14', 'Vx,Wx', moves.UNPACK_LOW[3]),
  row('NP 0F 15', 'Vx,Wx', moves.UNPACK_HIGH[2]),
  row('66 0F 15', 'Vx,Wx', moves.UNPACK_HIGH[3]),
  register('NP 0F 16', 'Vx,Ux', moves.MOVLHPS),
  memory('NP 0F 16', 'Vx,Mq', moves.MOVHPS_LOAD),
  memory('66 0F 16', 'Vx,Mq', moves.MOVHPS_LOAD),
  row('F3 0F 16', 'Vx,Wx', moves.MOVSHDUP),
  memory('NP 0F 17', 'Mq,Vx', moves.MOVHPS_STORE),
  memory('66 0F 17', 'Mq,Vx', moves.MOVHPS_STORE),
  row('NP 0F 28', 'Vx,Wx', moves.MOVA),
  row('66 0F 28', 'Vx,Wx', moves.MOVA),
  row('NP 0F 29', 'Wx,Vx', moves.MOVA),
  row('66 0F 29', 'Wx,Vx', moves.MOVA),
  memory('NP 0F 2B', 'Wx,Vx', moves.MOVA),
  memory('66 0F 2B', 'Wx,Vx', moves.MOVA),
  register('NP 0F 50', 'Gd,Ux', moves.MOVMSKPS),
  register('66 0F 50', 'Gd,Ux', moves.MOVMSKPD),
  row('66 0F 6E', 'Vx,Ey', moves.FROM_INTEGER),
  row('66 0F 6F', 'Vx,Wx', moves.MOVA),
  row('F3 0F 6F', 'Vx,Wx', moves.MOVU),
  row('66 0F 7E', 'Ey,Vx', moves.TO_INTEGER),
  memory('F3 0F 7E', 'Vx,Wq', moves.LOAD_LOW),
  register('F3 0F 7E', 'Vx,Ux', moves.MOVQ),
  row('66 0F 7F', 'Wx,Vx', moves.MOVA),
  row('F3 0F 7F', 'Wx,Vx', moves.MOVU),
  memory('66 0F D6', 'Wq,Vx', moves.STORE_LOW),
  register('66 0F D6', 'Ux,Vx', moves.MOVQ),
  register('66 0F D7', 'Gd,Ux', moves.PMOVMSKB),
  memory('66 0F E7', 'Wx,Vx', moves.MOVA),
  memory('F2 0F F0', 'Vx,Wx', moves.MOVU),
  register('66 0F F7', 'Vx,Ux', moves.MASKMOVDQU),
]

const all = (opcode: string, { ps, pd, ss, sd }: Shapes<Definition>, immediate = ''): Row[] => [
  row(`NP 0F ${opcode}`, `Vx,Wx${immediate}`, ps),
  row(`66 0F ${opcode}`, `Vx,Wx${immediate}`, pd),
  row(`F3 0F ${opcode}`, `Vx,Wd${immediate}`, ss),
  row(`F2 0F ${opcode}`, `Vx,Wq${immediate}`, sd),
]

const float: Row[] = [
  ...all('51', SQRT),
  ...all('58', ADD),
  ...all('59', MUL),
  ...all('5C', SUB),
  ...all('5D', MIN),
  ...all('5E', DIV),
  ...all('5F', MAX),
  ...all('C2', CMP, ',Ib'),
  row('NP 0F 52', 'Vx,Wx', RSQRT.ps),
  row('F3 0F 52', 'Vx,Wd', RSQRT.ss),
  row('NP 0F 53', 'Vx,Wx', RCP.ps),
  row('F3 0F 53', 'Vx,Wd', RCP.ss),
  row('NP 0F 2E', 'Vx,Wd', UCOMISS),
  row('66 0F 2E', 'Vx,Wq', UCOMISD),
  row('NP 0F 2F', 'Vx,Wd', COMISS),
  row('66 0F 2F', 'Vx,Wq', COMISD),
  row('66 0F 7C', 'Vx,Wx', HADDPD),
  row('F2 0F 7C', 'Vx,Wx', HADDPS),
  row('66 0F 7D', 'Vx,Wx', HSUBPD),
  row('F2 0F 7D', 'Vx,Wx', HSUBPS),
  row('66 0F D0', 'Vx,Wx', ADDSUBPD),
  row('F2 0F D0', 'Vx,Wx', ADDSUBPS),
  ...['NP', '66'].flatMap((prefix) => [
    row(`${prefix} 0F 54`, 'Vx,Wx', integer.PAND),
    row(`${prefix} 0F 55`, 'Vx,Wx', integer.PANDN),
    row(`${prefix} 0F 56`, 'Vx,Wx', integer.POR),
    row(`${prefix} 0F 57`, 'Vx,Wx', integer.PXOR),
  ]),
  row('NP 0F C6', 'Vx,Wx,Ib', integer.SHUFPS),
  row('66 0F C6', 'Vx,Wx,Ib', integer.SHUFPD),
]

const conversion: Row[] = [
  row('F3 0F 2A', 'Vx,Ey', CVTSI2SS),
  row('F2 0F 2A', 'Vx,Ey', CVTSI2SD),
  row('F3 0F 2C', 'Gy,Wd', CVTTSS2SI),
  row('F2 0F 2C', 'Gy,Wq', CVTTSD2SI),
  row('F3 0F 2D', 'Gy,Wd', CVTSS2SI),
  row('F2 0F 2D', 'Gy,Wq', CVTSD2SI),
  row('NP 0F 5A', 'Vx,Wq', CVTPS2PD),
  row('66 0F 5A', 'Vx,Wx', CVTPD2PS),
  row('F3 0F 5A', 'Vx,Wd', CVTSS2SD),
  row('F2 0F 5A', 'Vx,Wq', CVTSD2SS),
  row('NP 0F 5B', 'Vx,Wx', CVTDQ2PS),
  row('66 0F 5B', 'Vx,Wx', CVTPS2DQ),
  row('F3 0F 5B', 'Vx,Wx', CVTTPS2DQ),
  row('66 0F E6', 'Vx,Wx', CVTTPD2DQ),
  row('F3 0F E6', 'Vx,Wq', CVTDQ2PD),
  row('F2 0F E6', 'Vx,Wx', CVTPD2DQ),
]

/** 66 0F xx, operands Vx,Wx. */
const byOpcode: readonly (readonly [number, Definition])[] = [
  ...[0x60, 0x61, 0x62].map((opcode, index) => [opcode, moves.UNPACK_LOW[index]] as const),
  ...[0x68, 0x69, 0x6a].map((opcode, index) => [opcode, moves.UNPACK_HIGH[index]] as const),
  [0x63, integer.PACKSSWB], [0x64, integer.PCMPGTB], [0x65, integer.PCMPGTW], [0x66, integer.PCMPGTD], [0x67, integer.PACKUSWB],
  [0x6b, integer.PACKSSDW],
  [0x6c, moves.UNPACK_LOW[3]], [0x6d, moves.UNPACK_HIGH[3]], [0x74, integer.PCMPEQB], [0x75, integer.PCMPEQW], [0x76, integer.PCMPEQD],
  [0xd1, integer.PSRLW.byVector], [0xd2, integer.PSRLD.byVector], [0xd3, integer.PSRLQ.byVector], [0xd4, integer.PADDQ],
  [0xd5, integer.PMULLW],
  [0xd8, integer.PSUBUSB], [0xd9, integer.PSUBUSW], [0xda, integer.PMINUB], [0xdb, integer.PAND], [0xdc, integer.PADDUSB],
  [0xdd, integer.PADDUSW],
  [0xde, integer.PMAXUB], [0xdf, integer.PANDN], [0xe0, integer.PAVGB], [0xe1, integer.PSRAW.byVector],
  [0xe2, integer.PSRAD.byVector], [0xe3, integer.PAVGW],
  [0xe4, integer.PMULHUW], [0xe5, integer.PMULHW], [0xe8, integer.PSUBSB], [0xe9, integer.PSUBSW], [0xea, integer.PMINSW],
  [0xeb, integer.POR],
  [0xec, integer.PADDSB], [0xed, integer.PADDSW], [0xee, integer.PMAXSW], [0xef, integer.PXOR], [0xf1, integer.PSLLW.byVector],
  [0xf2, integer.PSLLD.byVector],
  [0xf3, integer.PSLLQ.byVector], [0xf4, integer.PMULUDQ], [0xf5, integer.PMADDWD], [0xf6, integer.PSADBW], [0xf8, integer.PSUBB],
  [0xf9, integer.PSUBW],
  [0xfa, integer.PSUBD], [0xfb, integer.PSUBQ], [0xfc, integer.PADDB], [0xfd, integer.PADDW], [0xfe, integer.PADDD],
]

const packed: Row[] = [
  ...byOpcode.map(([opcode, definition]) => row(`66 0F ${opcode.toString(16).toUpperCase()}`, 'Vx,Wx', definition)),
  row('66 0F 70', 'Vx,Wx,Ib', integer.PSHUFD),
  row('F3 0F 70', 'Vx,Wx,Ib', integer.PSHUFHW),
  row('F2 0F 70', 'Vx,Wx,Ib', integer.PSHUFLW),
  register('66 0F 71 /2', 'Ux,Ib', integer.PSRLW.byImmediate),
  register('66 0F 71 /4', 'Ux,Ib', integer.PSRAW.byImmediate),
  register('66 0F 71 /6', 'Ux,Ib', integer.PSLLW.byImmediate),
  register('66 0F 72 /2', 'Ux,Ib', integer.PSRLD.byImmediate),
  register('66 0F 72 /4', 'Ux,Ib', integer.PSRAD.byImmediate),
  register('66 0F 72 /6', 'Ux,Ib', integer.PSLLD.byImmediate),
  register('66 0F 73 /2', 'Ux,Ib', integer.PSRLQ.byImmediate),
  register('66 0F 73 /3', 'Ux,Ib', integer.PSRLDQ),
  register('66 0F 73 /6', 'Ux,Ib', integer.PSLLQ.byImmediate),
  register('66 0F 73 /7', 'Ux,Ib', integer.PSLLDQ),
  row('66 0F C4', 'Vx,Ew,Ib', integer.PINSRW),
  register('66 0F C5', 'Gd,Ux,Ib', integer.PEXTRW),
]

/** 66 0F 38 xx, operands Vx,Wx. */
const extended: readonly (readonly [number, Definition])[] = [
  [0x00, more.PSHUFB], [0x01, more.PHADDW], [0x02, more.PHADDD], [0x03, more.PHADDSW], [0x04, more.PMADDUBSW], [0x05, more.PHSUBW],
  [0x06, more.PHSUBD], [0x07, more.PHSUBSW], [0x08, more.PSIGNB], [0x09, more.PSIGNW], [0x0a, more.PSIGND], [0x0b, more.PMULHRSW],
  [0x10, elements.PBLENDVB], [0x14, elements.BLENDVPS], [0x15, elements.BLENDVPD], [0x17, more.PTEST],
  [0x1c, more.PABSB], [0x1d, more.PABSW], [0x1e, more.PABSD], [0x28, more.PMULDQ], [0x29, more.PCMPEQQ], [0x2b, more.PACKUSDW],
  [0x37, more.PCMPGTQ], [0x38, more.PMINSB], [0x39, more.PMINSD], [0x3a, more.PMINUW], [0x3b, more.PMINUD], [0x3c, more.PMAXSB],
  [0x3d, more.PMAXSD], [0x3e, more.PMAXUW], [0x3f, more.PMAXUD], [0x40, more.PMULLD], [0x41, more.PHMINPOSUW],
]
/** 66 0F 3A xx, operands Vx,Wx,Ib. */
const chosen: readonly (readonly [number, Definition])[] = [
  [0x08, ROUND.ps], [0x09, ROUND.pd], [0x0c, elements.BLENDPS], [0x0d, elements.BLENDPD], [0x0e, elements.PBLENDW], [0x0f, more.PALIGNR],
  [0x40, DPPS], [0x41, DPPD], [0x42, more.MPSADBW],
]
const byte = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0')

const later: Row[] = [
  ...extended.map(([opcode, definition]) => row(`66 0F 38 ${byte(opcode)}`, 'Vx,Wx', definition)),
  ...more.EXTENSIONS.flatMap(({ size, signed, unsigned }, index) => [
    row(`66 0F 38 ${byte(0x20 + index)}`, `Vx,W${size}`, signed),
    row(`66 0F 38 ${byte(0x30 + index)}`, `Vx,W${size}`, unsigned),
  ]),
  memory('66 0F 38 2A', 'Vx,Wx', moves.MOVA),
  ...chosen.map(([opcode, definition]) => row(`66 0F 3A ${byte(opcode)}`, 'Vx,Wx,Ib', definition)),
  row('66 0F 3A 0A', 'Vx,Wd,Ib', ROUND.ss),
  row('66 0F 3A 0B', 'Vx,Wq,Ib', ROUND.sd),
  register('66 0F 3A 14', 'Ed,Vx,Ib', elements.PEXTRB),
  memory('66 0F 3A 14', 'Eb,Vx,Ib', elements.PEXTRB),
  register('66 0F 3A 15', 'Ed,Vx,Ib', elements.PEXTRW_ANY),
  memory('66 0F 3A 15', 'Ew,Vx,Ib', elements.PEXTRW_ANY),
  row('66 0F 3A 16', 'Ey,Vx,Ib', elements.PEXTRD),
  row('66 0F 3A 17', 'Ed,Vx,Ib', elements.PEXTRD),
  register('66 0F 3A 20', 'Vx,Ed,Ib', elements.PINSRB),
  memory('66 0F 3A 20', 'Vx,Eb,Ib', elements.PINSRB),
  register('66 0F 3A 21', 'Vx,Ux,Ib', elements.INSERTPS),
  memory('66 0F 3A 21', 'Vx,Wd,Ib', elements.INSERTPS_MEMORY),
  row('66 0F 3A 22', 'Vx,Ey,Ib', elements.PINSRD),
  ...[strings.PCMPESTRM, strings.PCMPESTRI, strings.PCMPISTRM, strings.PCMPISTRI].map((definition, index) =>
    row(`66 0F 3A ${byte(0x60 + index)}`, 'Vx,Wx,Ib', definition, { size: 'v' }),
  ),
]

export const SSE_TABLE: readonly Row[] = [...move, ...float, ...conversion, ...packed, ...later]
