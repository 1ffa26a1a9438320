import { Random } from '../testing/random-program.ts'
import { At, RECORD_BYTES, WINDOW_ADDRESS, WINDOW_BYTES } from './layout.ts'
import { writeX87 } from './x87.ts'

/** A few instructions and the state they start from. */
export interface SiliconCase {
  /** The state before the patches. */
  seed: number
  /** Registers whose value the case needs, in encoding order; `memory`: quadwords at offsets of the window. */
  registers: readonly (readonly [register: number, value: bigint])[]
  memory: readonly (readonly [offset: number, value: bigint])[]
  code: readonly number[]
  /** RFLAGS bits that the manual leaves undefined after it. */
  undefinedFlags: number
  /** The same when it ends before its last instruction. */
  undefinedBefore: number
  /** Instructions by definition name, for messages. */
  names: readonly string[]
  mode: CaseMode
}

/** Where a case runs: in 64-bit mode, or in a 32-bit code segment beside it (SDM vol. 3, 5.2.1). */
export type CaseMode = 'long' | 'compatibility'

const INTERESTING: readonly bigint[] = [
  0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n,
  0x7fffffffffffffffn, 0x8000000000000000n,
  0xffffffffffffffffn, 0xffffffff80000000n, 0xfffffffffffffff0n, 0x0101010101010101n, 0x8080808080808080n, 0x7f7f7f7f7f7f7f7fn,
  0xfffffffffffffffen,
]
const SINGLES: readonly number[] = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345, 0x7fc12345, 1,
  0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff,
  0x4f000000, 0xcf000000, 0x4effffff, 0x5f000000, 0x3f000000, 0x3fc00000, 0x40200000, 0xc0200000, 0x34000000, 0x42c80000,
  0x5effffff, 0xdf000000,
]
const DOUBLES: readonly bigint[] = [
  0n,
  1n << 63n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff0000000000001n,
  0xfff0123456789abcn,
  0x7ff923456789abcdn,
  1n,
  0x8000000000000001n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x7fefffffffffffffn,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0x41dfffffffc00000n,
  0x41dfffffffe00000n,
  0xc1e0000000200000n,
  0x43e0000000000000n,
  0xc3e0000000000000n,
  0x43dfffffffffffffn,
  0x3fe0000000000000n,
  0x3ff8000000000000n,
  0x4004000000000000n,
  0xc004000000000000n,
  0x36a0000000000000n,
  0x380fffffffffffffn,
  0x47efffffefffffffn,
  0x47effffff0000000n,
  0x4059000000000000n,
]

function random64(random: Random): bigint {
  return (BigInt(random.next()) << 32n) | BigInt(random.next())
}

/** A value of a general register: often an edge, sometimes small, sometimes anything. */
export function interestingInteger(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
    case 1:
      return random.pick(INTERESTING)
    case 2:
      return BigInt(random.below(300))
    case 3:
      return BigInt.asUintN(64, random.pick(INTERESTING) + BigInt(random.below(5)) - 2n)
    default:
      return random64(random)
  }
}

/** Fills sixteen bytes the way vector code meets them: singles, doubles, integers, all with their edges. */
function writeVector(random: Random, view: DataView, at: number): void {
  const edges = random.below(3) > 0
  switch (random.below(3)) {
    case 0:
      for (let lane = 0; lane < 16; lane += 4) {
        const value = random.next()
        // A third of the rest near 1, where sums and products stay finite.
        view.setUint32(at + lane, edges ? random.pick(SINGLES) : random.below(3) === 0 ? 0x3f000000 + (value & 0x80ffffff) : value, true)
      }
      break
    case 1:
      for (let lane = 0; lane < 16; lane += 8) {
        const value = random64(random)
        view.setBigUint64(
          at + lane,
          edges ? random.pick(DOUBLES) : random.below(3) === 0 ? 0x3fe0000000000000n + (value & 0x801fffffffffffffn) : value,
          true,
        )
      }
      break
    default:
      for (let lane = 0; lane < 16; lane += 8) view.setBigUint64(at + lane, edges ? interestingInteger(random) : random64(random), true)
  }
}

/** Cases with seeds from here on start with any MXCSR, the others as after a reset. */
export const ANY_MXCSR = 0x80000000
const MXCSR_RESET = 0x1f80

/** Mostly masked; often with PE set, as programs have it; any rounding, flush modes now and then. */
function randomMxcsr(random: Random): number {
  let value = random.below(4) > 0 ? MXCSR_RESET : random.below(64) << 7
  value |= random.below(3) === 0 ? random.below(64) : random.below(2) * 0x20
  if (random.below(2) === 0) value |= random.below(4) << 13
  if (random.below(4) === 0) value |= 0x40
  if (random.below(4) === 0) value |= 0x8000
  return value
}

const ARITHMETIC = [0x1, 0x4, 0x10, 0x40, 0x80, 0x800]
/** IF and the bit that is always 1. */
const FLAGS_ALWAYS = 0x202
const DF = 0x400
/** Offset in the window where RSP points unless the case says otherwise. */
export const STACK_OFFSET = 320

/** Writes the state before a case into `record`. */
export function writeRecord(test: SiliconCase, record: Uint8Array): void {
  const random = new Random(test.seed)
  const view = new DataView(record.buffer, record.byteOffset, RECORD_BYTES)
  record.fill(0)
  for (let register = 0; register < 16; register++) view.setBigUint64(At.GPR + register * 8, interestingInteger(random), true)
  let flags = FLAGS_ALWAYS
  for (const flag of ARITHMETIC) if (random.below(2) === 0) flags |= flag
  if (random.below(4) === 0) flags |= DF
  view.setBigUint64(At.RFLAGS, BigInt(flags), true)
  for (let register = 0; register < 16; register++) writeVector(random, view, At.XMM + register * 16)
  for (let at = 0; at < WINDOW_BYTES; at += 16) writeVector(random, view, At.WINDOW + at)
  view.setBigUint64(At.GPR + 4 * 8, BigInt(WINDOW_ADDRESS + STACK_OFFSET), true)
  writeX87(new Random(test.seed ^ 0x87878787), view)
  view.setUint32(At.MXCSR, test.seed >= ANY_MXCSR ? randomMxcsr(new Random(test.seed ^ 0x3c5c3c5c)) : MXCSR_RESET, true)
  for (const [register, value] of test.registers) view.setBigUint64(At.GPR + register * 8, value, true)
  for (const [offset, value] of test.memory) view.setBigUint64(At.WINDOW + offset, value, true)
  view.setBigUint64(At.CODE_LENGTH, BigInt(test.code.length), true)
  record.set(test.code, At.CODE)
}
