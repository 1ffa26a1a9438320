import { GPR_NAMES } from '../register-names.ts'
import { ARITHMETIC_FLAGS, Rflag, Vector } from '../state.ts'
import type { SiliconCase } from './case.ts'
import { isApproximate } from './undefined.ts'
import { isEnvironment, isTenByteStore, isTranscendental } from './x87.ts'
import { At, CODE_ADDRESS, WINDOW_ADDRESS, WINDOW_BYTES } from './layout.ts'

const FLAGS = ARITHMETIC_FLAGS | Rflag.DF

/** What may be wrong with the memory of an operand. */
export const MEMORY_FAULTS = new Set<number>([Vector.SS, Vector.GP, Vector.PF])

/** Relative error that RCP and RSQRT may have (SDM vol. 2). */
const APPROXIMATION_ERROR = 1.5 * 2 ** -12

const hex = (value: bigint | number): string => `0x${value.toString(16)}`
const hexBytes = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** How two outcomes of a case differ, one line each; empty when they agree in all that the manual defines. */
export function differences(test: SiliconCase, expected: Uint8Array, found: Uint8Array): string[] {
  const lines: string[] = []
  const a = new DataView(expected.buffer, expected.byteOffset, expected.byteLength)
  const b = new DataView(found.buffer, found.byteOffset, found.byteLength)
  const report = (what: string, x: bigint | number | string, y: bigint | number | string): void => {
    if (x !== y) lines.push(`${what}: expected ${typeof x === 'string' ? x : hex(x)}, found ${typeof y === 'string' ? y : hex(y)}`)
  }
  const vector = a.getUint32(At.VECTOR, true)
  // Which operand of CMPS is looked at first the manual leaves open (SDM vol. 2, CMPS).
  const anyOperand = test.names.includes('cmps') && [a, b].every((record) => MEMORY_FAULTS.has(record.getUint32(At.VECTOR, true)))
  // What goes beyond 4 GiB may or may not be beyond the limit (SDM vol. 3, 5.3).
  const wraps = test.mode !== 'long' && (vector === Vector.GP || vector === Vector.SS) && b.getUint32(At.VECTOR, true) === Vector.PF &&
    BigInt.asIntN(32, b.getBigUint64(At.CR2, true) + 16n) < 32n
  const anyFault = anyOperand || wraps
  if (!anyFault) report('vector', vector, b.getUint32(At.VECTOR, true))
  report('rip', a.getBigUint64(At.RIP, true), b.getBigUint64(At.RIP, true))
  // A kernel address is there for the processor underneath, though not for the program: P may be set in the error code.
  const cr2 = a.getBigUint64(At.CR2, true)
  const errorMask = vector === Vector.PF && cr2 >= 1n << 47n ? ~1 : ~0
  if (!anyFault) report('error code', a.getUint32(At.ERROR, true) & errorMask, b.getUint32(At.ERROR, true) & errorMask)
  // MASKMOVDQU faults somewhere in its sixteen bytes, FLDENV and the like somewhere in a page.
  const cr2Mask = test.names.some(isEnvironment) ? ~0xfffn : ~0n
  const isMasked = test.names.some((name) => name.endsWith('maskmovdqu'))
  if (vector === Vector.PF && !isMasked && !anyFault) report('cr2', cr2 & cr2Mask, b.getBigUint64(At.CR2, true) & cr2Mask)
  // What a change of mode leaves in the upper halves is not defined (SDM vol. 1, 3.4.1.1).
  const bits = test.mode === 'long' ? 64 : 32
  GPR_NAMES.forEach((name, register) => {
    const [x, y] = [a, b].map((record) => BigInt.asUintN(bits, record.getBigUint64(At.GPR + register * 8, true)))
    report(name, x, y)
  })
  const ranToItsEnd = Number(a.getBigUint64(At.RIP, true)) === CODE_ADDRESS + test.code.length + 1
  const mask = FLAGS & ~(ranToItsEnd ? test.undefinedFlags : test.undefinedBefore)
  report('flags', a.getUint32(At.RFLAGS, true) & mask, b.getUint32(At.RFLAGS, true) & mask)
  const approximate = test.names.some(isApproximate)
  for (let register = 0; register < 16; register++) {
    const at = At.XMM + register * 16
    if (approximate && closeSingles(a, b, at)) continue
    report(`xmm${register}`, hexBytes(expected.subarray(at, at + 16)), hexBytes(found.subarray(at, at + 16)))
  }
  // The manual checks an indirect call's target before it pushes the return address; processors do it the other way round.
  const isRefusedCall = test.names.includes('calli') && vector === Vector.GP
  const pushed = isRefusedCall ? Number(a.getBigUint64(At.GPR + 4 * 8, true)) - 8 - WINDOW_ADDRESS : -1
  for (let at = 0; at < WINDOW_BYTES; at += 16) {
    const from = At.WINDOW + at
    if (isRefusedCall && pushed > at - 8 && pushed < at + 16) continue
    report(`memory +${at}`, hexBytes(expected.subarray(from, from + 16)), hexBytes(found.subarray(from, from + 16)))
  }
  report('mxcsr', a.getUint32(At.MXCSR, true), b.getUint32(At.MXCSR, true))
  compareX87(test, a, b, report)
  const pushedAround = isRefusedCall && (pushed < 0 || pushed > WINDOW_BYTES - 8)
  // FSTP m80 and FBSTP may have written on the first page when they fault on the second.
  const storedInPart = vector === Vector.PF && test.names.some(isTenByteStore)
  if (!pushedAround && !storedInPart) report('memory around the window', a.getUint32(At.OUTSIDE, true), b.getUint32(At.OUTSIDE, true))
  return lines
}

const X87_WORDS = { control: 0, status: 2, 'x87 registers in use': 4, opcode: 6 } as const
const C1 = 0x200

type Report = (what: string, x: bigint | number, y: bigint | number) => void

function compareX87(test: SiliconCase, a: DataView, b: DataView, report: Report): void {
  const transcendental = test.names.some(isTranscendental)
  for (const [name, offset] of Object.entries(X87_WORDS)) {
    // Which way a result of theirs was rounded depends on bits that the processors do not promise.
    const mask = transcendental && name === 'status' ? ~C1 : ~0
    report(name, a.getUint16(At.FX + offset, true) & mask, b.getUint16(At.FX + offset, true) & mask)
  }
  report('x87 instruction', a.getBigUint64(At.FX + 8, true), b.getBigUint64(At.FX + 8, true))
  report('x87 data', a.getBigUint64(At.FX + 16, true), b.getBigUint64(At.FX + 16, true))
  for (let index = 0; index < 8; index++) {
    const at = At.FX + 32 + index * 16
    const [x, y] = [a, b].map((view) => (BigInt(view.getUint16(at + 8, true)) << 64n) | view.getBigUint64(at, true))
    if (transcendental && distance(x, y) <= 1n) continue
    report(`st${index}`, x, y)
  }
}

/** Units in the last place between two registers' contents. */
function distance(x: bigint, y: bigint): bigint {
  const ordinal = (value: bigint): bigint => {
    const magnitude = ((value >> 64n) & 0x7fffn) * (1n << 63n) + (value & ((1n << 63n) - 1n))
    return value >> 79n === 1n ? -magnitude : magnitude
  }
  const difference = ordinal(x) - ordinal(y)
  return difference < 0n ? -difference : difference
}

function closeSingles(a: DataView, b: DataView, at: number): boolean {
  for (let lane = 0; lane < 16; lane += 4) {
    if (a.getUint32(at + lane, true) === b.getUint32(at + lane, true)) continue
    const [x, y] = [a.getFloat32(at + lane, true), b.getFloat32(at + lane, true)]
    if (!(Math.abs(x - y) <= Math.abs(x) * APPROXIMATION_ERROR)) return false
  }
  return true
}
