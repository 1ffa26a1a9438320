import {
  ADC, ADD, AND, BSF, BSR, BSWAP, BT, BTC, BTR, BTS, CBW, CLC, CLD, CMC, CMOVCC, CMP, CMPXCHG, CMPXCHG8B, CWD, DEC, DIV, IDIV,
  IMUL1, IMUL2, IMUL3, INC, MUL, NEG, NOT, OR, POPCNT, SBB, SETCC, SHIFTS, SHLD, SHRD, STC, STD, SUB, TEST, XADD, XOR,
} from './arithmetic.ts'
import { CALL, CALL_INDIRECT, JCC, JMP, JMP_INDIRECT, JRCXZ, LOOP, LOOPE, LOOPNE, RET, RET_IMM, SYSTEM } from './control.ts'
import {
  CMPS, ENTER, LAHF, LEA, LEAVE, LODS, MOV, MOVS, MOVSX, MOVZX, MOV_FROM_SEGMENT, NOP, NOP_OPERAND, POP, POPA, POP_MEMORY, PUSH,
  PUSHA, PUSH_IMM, SAHF, SCAS, STOS, XCHG, XLAT,
} from './data.ts'
import type { Definition } from './definition.ts'
import { SSE_TABLE } from './sse/table.ts'

/**
 * The instruction table: which encoding means which definition. The decoder, both tiers and the tests come from it.
 *
 * An opcode is written as the manual writes it: an optional mandatory prefix (`NP`, `66`, `F3`, `F2`), the bytes, and
 * `/n` for an opcode extension in ModRM.reg. Operands use the codes of SDM vol. 2, appendix A.2:
 * addressing E (r/m), G (reg), Z (register in the opcode's low bits), A (accumulator), I (immediate), J (relative),
 * O (absolute offset), M (memory only), R (register only), V and W (XMM reg and r/m), U (XMM r/m, register only),
 * CL, D (the port in DX); sizes b w d q, v (16, 32 or 64 by operand size), z (16 or 32), y (32 or 64), x (128 bits).
 */
export interface Row {
  opcode: string
  operands: string
  definition: Definition
  /** Default operand size in 64-bit mode is 64 bits (`default`), or always (`forced`). */
  wide?: 'default' | 'forced'
  /** Only with a memory, or only with a register, r/m operand. */
  form?: 'memory' | 'register'
  /** Not in 64-bit mode, or only there. */
  mode?: 'legacy' | 'long'
  /** Operand size when no operand says it, in bytes; else that of operand 0. */
  size?: 1 | 2 | 4 | 8 | 16 | 'v'
  /** With a REP (F3) or REPNE (F2) prefix, these instead. */
  rep?: Definition
  repne?: Definition
  /** Second immediate after the first (ENTER), or a far pointer. */
  extra?: 1 | 2
}

type Options = Omit<Row, 'opcode' | 'operands' | 'definition'>
const row = (opcode: string, operands: string, definition: Definition, options: Options = {}): Row => ({
  opcode,
  operands,
  definition,
  ...options,
})
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0')

const alu = [ADD, OR, ADC, SBB, AND, SUB, XOR, CMP].flatMap((definition, index) => [
  row(hex(index * 8), 'Eb,Gb', definition),
  row(hex(index * 8 + 1), 'Ev,Gv', definition),
  row(hex(index * 8 + 2), 'Gb,Eb', definition),
  row(hex(index * 8 + 3), 'Gv,Ev', definition),
  row(hex(index * 8 + 4), 'Ab,Ib', definition),
  row(hex(index * 8 + 5), 'Av,Iz', definition),
  row(`80 /${index}`, 'Eb,Ib', definition),
  row(`82 /${index}`, 'Eb,Ib', definition, { mode: 'legacy' }),
  row(`81 /${index}`, 'Ev,Iz', definition),
  row(`83 /${index}`, 'Ev,Ib', definition),
])

const shifts = SHIFTS.flatMap(([, definition], index) => [
  row(`C0 /${index}`, 'Eb,Ib', definition),
  row(`C1 /${index}`, 'Ev,Ib', definition),
  row(`D0 /${index}`, 'Eb,1', definition),
  row(`D1 /${index}`, 'Ev,1', definition),
  row(`D2 /${index}`, 'Eb,CL', definition),
  row(`D3 /${index}`, 'Ev,CL', definition),
])

const conditions = Array.from({ length: 16 }, (_, cc) => [
  row(hex(0x70 + cc), 'Jb', JCC[cc], { wide: 'forced' }),
  row(`0F ${hex(0x80 + cc)}`, 'Jz', JCC[cc], { wide: 'forced' }),
  row(`0F ${hex(0x90 + cc)}`, 'Eb', SETCC[cc]),
  row(`0F ${hex(0x40 + cc)}`, 'Gv,Ev', CMOVCC[cc]),
]).flat()

const bits = ([[BT, 4], [BTS, 5], [BTR, 6], [BTC, 7]] as const).flatMap(([{ onOperand, onString }, index]) => [
  row(`0F ${hex(0x83 + index * 8)}`, 'Ev,Gv', onOperand, { form: 'register' }),
  row(`0F ${hex(0x83 + index * 8)}`, 'Ev,Gv', onString, { form: 'memory' }),
  row(`0F BA /${index}`, 'Ev,Ib', onOperand),
])

const strings = ([[MOVS, 0xa4], [CMPS, 0xa6], [STOS, 0xaa], [LODS, 0xac], [SCAS, 0xae]] as const).flatMap(([definitions, first]) =>
  [0, 1].map((wide) => {
    const compares = definitions === CMPS || definitions === SCAS
    return row(hex(first + wide), '', definitions.once, {
      size: wide ? 'v' : 1,
      rep: compares ? definitions.whileEqual : definitions.repeated,
      repne: compares ? definitions.whileDifferent : definitions.repeated,
    })
  }),
)

const general: Row[] = [
  ...alu,
  ...shifts,
  ...conditions,
  ...bits,
  ...strings,
  row('40', 'Zv', INC, { mode: 'legacy' }),
  row('48', 'Zv', DEC, { mode: 'legacy' }),
  row('50', 'Zv', PUSH, { wide: 'default' }),
  row('58', 'Zv', POP, { wide: 'default' }),
  row('60', '', PUSHA, { mode: 'legacy', size: 'v' }),
  row('61', '', POPA, { mode: 'legacy', size: 'v' }),
  row('63', 'Gv,Ed', MOVSX, { mode: 'long' }),
  row('68', 'Iz', PUSH_IMM, { wide: 'default', size: 'v' }),
  row('69', 'Gv,Ev,Iz', IMUL3),
  row('6A', 'Ib', PUSH_IMM, { wide: 'default', size: 'v' }),
  row('6B', 'Gv,Ev,Ib', IMUL3),
  row('84', 'Eb,Gb', TEST),
  row('85', 'Ev,Gv', TEST),
  row('86', 'Eb,Gb', XCHG),
  row('87', 'Ev,Gv', XCHG),
  row('88', 'Eb,Gb', MOV),
  row('89', 'Ev,Gv', MOV),
  row('8A', 'Gb,Eb', MOV),
  row('8B', 'Gv,Ev', MOV),
  ...Array.from({ length: 6 }, (_, segment) => row(`8C /${segment}`, 'Ev', MOV_FROM_SEGMENT[segment], { form: 'register' })),
  ...Array.from({ length: 6 }, (_, segment) => row(`8C /${segment}`, 'Ew', MOV_FROM_SEGMENT[segment], { form: 'memory' })),
  row('8D', 'Gv,M', LEA, { form: 'memory' }),
  row('8E', 'Ew', SYSTEM.MOV_TO_SREG.immediate),
  row('8F /0', 'Ev', POP, { wide: 'default', form: 'register' }),
  row('8F /0', 'Ev', POP_MEMORY, { wide: 'default', form: 'memory' }),
  row('F3 90', '', NOP),
  row('90', 'Zv,Av', XCHG),
  row('98', '', CBW, { size: 'v' }),
  row('99', '', CWD, { size: 'v' }),
  row('9B', '', SYSTEM.WAIT_X87.plain),
  row('9C', '', SYSTEM.PUSHF.plain, { wide: 'default', size: 'v' }),
  row('9D', '', SYSTEM.POPF.plain, { wide: 'default', size: 'v' }),
  row('9E', '', SAHF),
  row('9F', '', LAHF),
  row('A0', 'Ab,Ob', MOV),
  row('A1', 'Av,Ov', MOV),
  row('A2', 'Ob,Ab', MOV),
  row('A3', 'Ov,Av', MOV),
  row('A8', 'Ab,Ib', TEST),
  row('A9', 'Av,Iz', TEST),
  row('B0', 'Zb,Ib', MOV),
  row('B8', 'Zv,Iv', MOV),
  row('C2', 'Iw', RET_IMM, { wide: 'forced', size: 'v' }),
  row('C3', '', RET, { wide: 'forced', size: 'v' }),
  row('C6 /0', 'Eb,Ib', MOV),
  row('C7 /0', 'Ev,Iz', MOV),
  row('C8', 'Iw', ENTER, { wide: 'default', size: 'v', extra: 1 }),
  row('C9', '', LEAVE, { wide: 'default', size: 'v' }),
  row('CA', 'Iw', SYSTEM.RET_FAR.immediate, { size: 'v' }),
  row('CB', '', SYSTEM.RET_FAR.plain, { size: 'v' }),
  row('CC', '', SYSTEM.INT3.plain),
  row('CD', 'Ib', SYSTEM.INT.immediate),
  row('CE', '', SYSTEM.INTO.plain, { mode: 'legacy' }),
  row('CF', '', SYSTEM.IRET.plain, { size: 'v' }),
  row('D7', '', XLAT),
  ...Array.from({ length: 8 }, (_, index) => row(hex(0xd8 + index), 'M', SYSTEM.WAIT_X87.operand, { form: 'memory', size: 8 })),
  ...Array.from({ length: 8 }, (_, index) => row(hex(0xd8 + index), 'Ed', SYSTEM.WAIT_X87.immediate, { form: 'register' })),
  row('E0', 'Jb', LOOPNE, { wide: 'forced' }),
  row('E1', 'Jb', LOOPE, { wide: 'forced' }),
  row('E2', 'Jb', LOOP, { wide: 'forced' }),
  row('E3', 'Jb', JRCXZ, { wide: 'forced' }),
  row('E4', 'Ib', SYSTEM.IN.immediate, { size: 1 }),
  row('E5', 'Ib', SYSTEM.IN.immediate, { size: 'v' }),
  row('E6', 'Ib', SYSTEM.OUT.immediate, { size: 1 }),
  row('E7', 'Ib', SYSTEM.OUT.immediate, { size: 'v' }),
  row('E8', 'Jz', CALL, { wide: 'forced' }),
  row('E9', 'Jz', JMP, { wide: 'forced' }),
  row('EA', 'Iz', SYSTEM.JMP_FAR.immediate, { mode: 'legacy', size: 'v', extra: 2 }),
  row('9A', 'Iz', SYSTEM.CALL_FAR.immediate, { mode: 'legacy', size: 'v', extra: 2 }),
  row('EB', 'Jb', JMP, { wide: 'forced' }),
  row('EC', 'D', SYSTEM.IN.plain, { size: 1 }),
  row('ED', 'D', SYSTEM.IN.plain, { size: 'v' }),
  row('EE', 'D', SYSTEM.OUT.plain, { size: 1 }),
  row('EF', 'D', SYSTEM.OUT.plain, { size: 'v' }),
  row('F1', '', SYSTEM.INT1.plain),
  row('F4', '', SYSTEM.HLT.plain),
  row('F5', '', CMC),
  row('F6 /0', 'Eb,Ib', TEST),
  row('F6 /1', 'Eb,Ib', TEST),
  row('F7 /0', 'Ev,Iz', TEST),
  row('F7 /1', 'Ev,Iz', TEST),
  ...[NOT, NEG, MUL, IMUL1, DIV, IDIV].flatMap((definition, index) => [
    row(`F6 /${index + 2}`, 'Eb', definition),
    row(`F7 /${index + 2}`, 'Ev', definition),
  ]),
  row('F8', '', CLC),
  row('F9', '', STC),
  row('FA', '', SYSTEM.CLI.plain),
  row('FB', '', SYSTEM.STI.plain),
  row('FC', '', CLD),
  row('FD', '', STD),
  row('FE /0', 'Eb', INC),
  row('FE /1', 'Eb', DEC),
  row('FF /0', 'Ev', INC),
  row('FF /1', 'Ev', DEC),
  row('FF /2', 'Ev', CALL_INDIRECT, { wide: 'forced' }),
  row('FF /3', 'M', SYSTEM.CALL_FAR.operand, { form: 'memory', size: 'v' }),
  row('FF /4', 'Ev', JMP_INDIRECT, { wide: 'forced' }),
  row('FF /5', 'M', SYSTEM.JMP_FAR.operand, { form: 'memory', size: 'v' }),
  row('FF /6', 'Ev', PUSH, { wide: 'default' }),
  row('06', '', SYSTEM.PUSH_SREG.plain, { mode: 'legacy', size: 'v' }),
  row('0E', '', SYSTEM.PUSH_SREG.plain, { mode: 'legacy', size: 'v' }),
  row('16', '', SYSTEM.PUSH_SREG.plain, { mode: 'legacy', size: 'v' }),
  row('1E', '', SYSTEM.PUSH_SREG.plain, { mode: 'legacy', size: 'v' }),
  row('07', '', SYSTEM.POP_SREG.plain, { mode: 'legacy', size: 'v' }),
  row('17', '', SYSTEM.POP_SREG.plain, { mode: 'legacy', size: 'v' }),
  row('1F', '', SYSTEM.POP_SREG.plain, { mode: 'legacy', size: 'v' }),
]

const twoByte: Row[] = [
  row('0F 00 /0', 'Ev', SYSTEM.SLDT.immediate, { form: 'register' }),
  row('0F 00 /0', 'M', SYSTEM.SLDT.operand, { form: 'memory', size: 2 }),
  row('0F 00 /1', 'Ev', SYSTEM.STR.immediate, { form: 'register' }),
  row('0F 00 /1', 'M', SYSTEM.STR.operand, { form: 'memory', size: 2 }),
  row('0F 00 /2', 'Ew', SYSTEM.LLDT.immediate),
  row('0F 00 /3', 'Ew', SYSTEM.LTR.immediate),
  row('0F 01 /0', 'M', SYSTEM.SGDT.operand, { form: 'memory', size: 8 }),
  row('0F 01 /1', 'M', SYSTEM.SIDT.operand, { form: 'memory', size: 8 }),
  row('0F 01 /2', 'M', SYSTEM.LGDT.operand, { form: 'memory', size: 8 }),
  row('0F 01 /3', 'M', SYSTEM.LIDT.operand, { form: 'memory', size: 8 }),
  row('0F 01 /4', 'Ev', SYSTEM.SMSW.immediate, { form: 'register' }),
  row('0F 01 /4', 'M', SYSTEM.SMSW.operand, { form: 'memory', size: 2 }),
  row('0F 01 /6', 'Ew', SYSTEM.LMSW.immediate),
  row('0F 01 /7', 'M', SYSTEM.INVLPG.operand, { form: 'memory', size: 8 }),
  row('0F 01 C1', '', SYSTEM.HYPERCALL.plain),
  row('0F 01 D0', '', SYSTEM.XGETBV.plain),
  row('0F 01 F8', '', SYSTEM.SWAPGS.plain, { mode: 'long' }),
  row('0F 01 F9', '', SYSTEM.RDTSCP.plain),
  row('0F 05', '', SYSTEM.SYSCALL.plain),
  row('0F 06', '', SYSTEM.CLTS.plain),
  row('0F 07', '', SYSTEM.SYSRET.plain, { size: 'v' }),
  row('0F 08', '', SYSTEM.WBINVD.plain),
  row('0F 09', '', SYSTEM.WBINVD.plain),
  row('0F 0B', '', SYSTEM.UD.plain),
  row('0F 0D', 'M', NOP_OPERAND, { form: 'memory', size: 8 }),
  ...Array.from({ length: 8 }, (_, index) => row(`0F ${hex(0x18 + index)}`, 'M', NOP_OPERAND, { form: 'memory', size: 8 })),
  ...Array.from({ length: 8 }, (_, index) => row(`0F ${hex(0x18 + index)}`, 'Ev', NOP, { form: 'register' })),
  row('0F 20', 'Eq', SYSTEM.MOV_FROM_CR.immediate),
  row('0F 21', 'Eq', SYSTEM.MOV_FROM_DR.immediate),
  row('0F 22', 'Eq', SYSTEM.MOV_TO_CR.immediate),
  row('0F 23', 'Eq', SYSTEM.MOV_TO_DR.immediate),
  row('0F 30', '', SYSTEM.WRMSR.plain),
  row('0F 31', '', SYSTEM.RDTSC.plain),
  row('0F 32', '', SYSTEM.RDMSR.plain),
  row('62', 'M', SYSTEM.BOUND.operand, { form: 'memory', mode: 'legacy', size: 'v' }),
  row('C4', 'M', SYSTEM.LES.operand, { form: 'memory', mode: 'legacy', size: 'v' }),
  row('C5', 'M', SYSTEM.LDS.operand, { form: 'memory', mode: 'legacy', size: 'v' }),
  row('0F B2', 'M', SYSTEM.LSS.operand, { form: 'memory', size: 'v' }),
  row('0F B4', 'M', SYSTEM.LFS.operand, { form: 'memory', size: 'v' }),
  row('0F B5', 'M', SYSTEM.LGS.operand, { form: 'memory', size: 'v' }),
  row('0F A0', '', SYSTEM.PUSH_SREG.plain, { wide: 'default', size: 'v' }),
  row('0F A1', '', SYSTEM.POP_SREG.plain, { wide: 'default', size: 'v' }),
  row('0F A2', '', SYSTEM.CPUID.plain),
  row('0F A4', 'Ev,Gv,Ib', SHLD),
  row('0F A5', 'Ev,Gv,CL', SHLD),
  row('0F A8', '', SYSTEM.PUSH_SREG.plain, { wide: 'default', size: 'v' }),
  row('0F A9', '', SYSTEM.POP_SREG.plain, { wide: 'default', size: 'v' }),
  row('0F AC', 'Ev,Gv,Ib', SHRD),
  row('0F AD', 'Ev,Gv,CL', SHRD),
  row('NP 0F AE /0', 'M', SYSTEM.FXSAVE.operand, { form: 'memory', size: 'v' }),
  row('NP 0F AE /1', 'M', SYSTEM.FXRSTOR.operand, { form: 'memory', size: 'v' }),
  row('NP 0F AE /2', 'M', SYSTEM.LDMXCSR.operand, { form: 'memory', size: 4 }),
  row('NP 0F AE /3', 'M', SYSTEM.STMXCSR.operand, { form: 'memory', size: 4 }),
  ...[5, 6, 7].map((index) => row(`NP 0F AE /${index}`, 'Ed', NOP, { form: 'register' })),
  row('NP 0F AE /7', 'M', NOP_OPERAND, { form: 'memory', size: 8 }),
  row('0F AF', 'Gv,Ev', IMUL2),
  row('0F B0', 'Eb,Gb', CMPXCHG),
  row('0F B1', 'Ev,Gv', CMPXCHG),
  row('0F B6', 'Gv,Eb', MOVZX),
  row('0F B7', 'Gv,Ew', MOVZX),
  row('F3 0F B8', 'Gv,Ev', POPCNT),
  row('0F BC', 'Gv,Ev', BSF),
  row('0F BD', 'Gv,Ev', BSR),
  row('0F BE', 'Gv,Eb', MOVSX),
  row('0F BF', 'Gv,Ew', MOVSX),
  row('0F C0', 'Eb,Gb', XADD),
  row('0F C1', 'Ev,Gv', XADD),
  row('NP 0F C3', 'Ey,Gy', MOV, { form: 'memory' }),
  row('0F C7 /1', 'Eq', CMPXCHG8B, { form: 'memory' }),
  row('0F C8', 'Zv', BSWAP),
]

export const TABLE: readonly Row[] = [...general, ...twoByte, ...SSE_TABLE]
