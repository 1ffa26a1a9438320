import { SYSTEM } from '../instructions/control.ts'
import type { Row } from '../instructions/row.ts'
import type { Random } from '../testing/random-program.ts'
import { At } from './layout.ts'

/** Cases for the x87: the state before them, the rows of D8 to DF one by one, and operands as its formats like them. */

const BIAS = 16383
const EXPONENTS = [0, 1, 2, 0x7fff, 0x7ffe, BIAS, BIAS - 1, BIAS + 1, BIAS + 63, BIAS + 64, BIAS + 31, BIAS + 127, BIAS - 126, BIAS - 149,
  BIAS + 1023, BIAS - 1022, BIAS - 1074, 0x3fff - 64, 0x6000, 0x1fff]
const SIGNIFICANDS = [
  1n << 63n,
  (1n << 64n) - 1n,
  (1n << 63n) + 1n,
  3n << 62n,
  0n,
  1n,
  (1n << 63n) - 1n,
  1n << 62n,
  0xa000000000000000n,
  0x8000008000000000n,
  0xffffff8000000000n,
  0x8000000000000400n,
  0xfffffffffffffc00n,
  0xfffffffffffffbffn,
  0xc90fdaa22168c235n,
]

interface Operand80 {
  significand: bigint
  /** Sign and exponent, as stored. */
  top: number
}

function random64(random: Random): bigint {
  return (BigInt(random.next()) << 32n) | BigInt(random.next())
}

function randomSignificand(random: Random): bigint {
  switch (random.below(8)) {
    case 0:
    case 1:
      return random.pick(SIGNIFICANDS)
    // Few bits, from the top: ties, exact results, integers.
    case 2:
      return BigInt.asUintN(64, (random64(random) >> BigInt(random.below(64))) << BigInt(random.below(64))) | (1n << 63n)
    case 3:
      return BigInt.asUintN(64, (1n << 63n) | (random64(random) << BigInt(random.below(60))))
    case 4:
      return random64(random)
    default:
      return random64(random) | (1n << 63n)
  }
}

/** An operand of any kind: numbers near 1 most, the ends of the ranges, what is no number, what no processor makes. */
export function randomOperand80(random: Random, before: readonly Operand80[]): Operand80 {
  const sign = random.below(2) << 15
  if (before.length > 0 && random.below(4) === 0) {
    const near = random.pick(before)
    const significand = BigInt.asUintN(64, near.significand + BigInt(random.pick([0, 0, 1, -1, random.below(4096)])))
    return { significand, top: ((near.top + random.pick([0, 0, 0, 1, -1, 32, 63, 64, 65])) & 0x7fff) | sign }
  }
  const exponent = ((): number => {
    switch (random.below(10)) {
      case 0:
      case 1:
        return random.pick(EXPONENTS)
      case 2:
        return random.below(0x8000)
      case 3:
        return random.below(70)
      case 4:
        return 0x7fff - random.below(70)
      case 5:
        return BIAS + random.below(64)
      default:
        return BIAS - 35 + random.below(70)
    }
  })()
  return { significand: randomSignificand(random), top: exponent | sign }
}

export function randomControl(random: Random): number {
  const masks = random.below(5) < 3 ? 0x3f : random.below(64)
  const precision = random.below(2) === 0 ? 3 : random.below(4)
  return masks | 0x40 | (precision << 8) | (random.below(4) << 10) | (random.below(2) << 12)
}

const ES = 0x80
const BUSY = 0x8000

/** A status word, seldom with a pending exception. Its summary bits go with the control word: loading would make them so anyway. */
export function randomStatus(random: Random, control: number): number {
  let status = (random.below(8) << 11) | (random.next() & 0x4700)
  if (random.below(2) === 0) status |= random.below(128) & (random.below(6) === 0 ? 0x7f : control | 0x40)
  if ((status & ~control & 0x3f) !== 0) status |= ES | BUSY
  return status
}

/** Writes the x87's state before a case into its record. */
export function writeX87(random: Random, view: DataView): void {
  const control = randomControl(random)
  view.setUint16(At.FX, control, true)
  view.setUint16(At.FX + 2, randomStatus(random, control), true)
  let used = 0
  const operands: Operand80[] = []
  for (let register = 0; register < 8; register++) {
    if (random.below(8) > 0) used |= 1 << register
    const operand = randomOperand80(random, operands)
    operands.push(operand)
    view.setBigUint64(At.FX + 32 + register * 16, operand.significand, true)
    view.setUint16(At.FX + 40 + register * 16, operand.top, true)
  }
  view.setUint8(At.FX + 4, used)
  view.setUint16(At.FX + 6, random.below(0x800), true)
  view.setBigUint64(At.FX + 8, BigInt(random.next()), true)
  view.setBigUint64(At.FX + 16, BigInt(random.next()), true)
}

/** Bytes of the operand, by escape opcode and ModRM.reg. */
const OPERAND_BYTES: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 4, 4, 4, 4],
  [4, 1, 4, 4, 28, 2, 28, 2],
  [4, 4, 4, 4, 4, 4, 4, 4],
  [4, 4, 4, 4, 1, 10, 1, 10],
  [8, 8, 8, 8, 8, 8, 8, 8],
  [8, 8, 8, 8, 108, 1, 108, 2],
  [2, 2, 2, 2, 2, 2, 2, 2],
  [2, 2, 2, 2, 10, 8, 10, 8],
]

const hex = (value: number): string => value.toString(16).toUpperCase()
const FLAGS_COMPARED = new Set(['DB/5', 'DB/6', 'DF/5', 'DF/6'])
/** F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS: within a unit in the last place. */
const TRANSCENDENTAL = new Set(['D9F0', 'D9F1', 'D9F2', 'D9F3', 'D9F9', 'D9FB', 'D9FE', 'D9FF'])
function x87Row(opcode: string, operands: string, escape: number, memory: boolean): Row {
  const name = opcode.replace(' ', '') + (memory ? 'm' : '')
  const isMove = (escape === 2 || escape === 3) && /\/[0-3]$/.test(name)
  return {
    opcode,
    operands,
    form: memory ? 'memory' : 'register',
    ...(memory ? { size: 'v' as const } : {}),
    definition: {
      name,
      access: [],
      body: SYSTEM.X87_D8.plain.body,
      ...(isMove ? { needs: 'flags' as const } : {}),
      ...(FLAGS_COMPARED.has(name) ? { setsFlags: true } : {}),
    },
  }
}

/** Rows of the x87: each memory form, each group of registers, and each instruction of D9 D0 to D9 FF. */
export const X87_ROWS: readonly Row[] = [
  x87Row('9B', '', 0, false),
  ...Array.from({ length: 8 }, (_, escape) =>
    Array.from({ length: 8 }, (__, reg) => {
      const opcode = `${hex(0xd8 + escape)} /${reg}`
      const single = escape === 1 && (reg === 2 || reg >= 4)
      return [
        x87Row(opcode, 'M', escape, true),
        ...(single
          ? Array.from({ length: 8 }, (___, rm) => x87Row(`D9 ${hex(0xc0 + reg * 8 + rm)}`, '', escape, false))
          : [x87Row(opcode, 'R', escape, false)]),
      ]
    }).flat(),
  ).flat(),
]

/** FLDENV FNSTENV FRSTOR FNSAVE. */
export const isEnvironment = (name: string): boolean => /^D[9D]\/[46]m$/.test(name)
/** FST, FSTP, FIST, FISTP, FISTTP, FBSTP to memory. */
export const isStore = (name: string): boolean => /^(D9\/[23]|D[BDF]\/[1237]|DF\/6)m$/.test(name)
export const isTenByteStore = (name: string): boolean => name === 'DB/7m' || name === 'DF/6m'
export const isTranscendental = (name: string): boolean => TRANSCENDENTAL.has(name)
export const isX87 = (name: string): boolean => /^(D[89A-F]|9B)/.test(name)

/** Bytes of a memory form's operand; undefined for rows that are not the x87's. */
export function operandBytes(name: string): number | undefined {
  const match = /^D([89A-F])\/(\d)m$/.exec(name)
  return match === null ? undefined : OPERAND_BYTES[Number.parseInt(match[1], 16) - 8][Number(match[2])]
}

/** What memory should hold for the operand to be worth trying, as quadwords; empty where anything goes. */
export function operandContents(random: Random, name: string): bigint[] {
  const wide = ({ significand, top }: Operand80): bigint[] => [significand, (random64(random) & ~0xffffn) | BigInt(top)]
  switch (name) {
    case 'DB/5m':
      return wide(randomOperand80(random, []))
    case 'DF/4m': {
      const digits = (count: number): bigint =>
        Array.from({ length: count }, () => random.below(10)).reduce((value, digit) => (value << 4n) | BigInt(digit), 0n)
      const low = digits(random.pick([1, 4, 16, 16]))
      return [low, (random.below(3) === 0 ? 0n : digits(2)) | (BigInt(random.below(256)) << 8n)]
    }
    case 'D9/5m':
      return [BigInt(randomControl(random))]
    case 'D9/4m':
    case 'DD/4m': {
      const control = randomControl(random)
      const bytes = new Uint8Array(112)
      const view = new DataView(bytes.buffer)
      for (let at = 0; at < 112; at += 4) view.setUint32(at, random.next(), true)
      view.setUint16(0, control, true)
      view.setUint16(4, randomStatus(random, control), true)
      for (let index = 0; index < 8; index++) {
        const { significand, top } = randomOperand80(random, [])
        view.setBigUint64(28 + index * 10, significand, true)
        view.setUint16(36 + index * 10, top, true)
      }
      const length = name === 'D9/4m' ? 32 : 112
      return Array.from({ length: length / 8 }, (_, index) => view.getBigUint64(index * 8, true))
    }
    default:
      return []
  }
}

/** The x87's state in a record, for messages. */
export function describeX87(record: Uint8Array): string {
  const view = new DataView(record.buffer, record.byteOffset + At.FX)
  const word = (at: number): string => view.getUint16(at, true).toString(16)
  const register = (index: number): string => `${word(40 + index * 16)}:${view.getBigUint64(32 + index * 16, true).toString(16)}`
  const registers = [0, 1, 2, 3, 4, 5, 6, 7].map(register).join(' ')
  return `from control ${word(0)}, status ${word(2)}, in use ${word(4)}, st ${registers}`
}
