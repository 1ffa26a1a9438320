import { describe, expect, test } from 'vitest'
import type { Tier } from '../cpu.ts'
import { State } from '../state.ts'
import { bareCpu } from '../testing/bare-cpu.ts'
import type { BareCpu } from '../testing/bare-cpu.ts'
import { CODE, DATA, Random } from '../testing/random-program.ts'
import { FloatClass, floatClassOf } from './unit.ts'

/** Values in memory and MXCSRs of the outer loop; results and flags go behind them. */
const CONTROLS = DATA + 0x1000
const STORED = DATA + 0x2000
const STORED_BYTES = 0x400
const OUTER = 12
const INNER = 30
const PROGRAMS = 12
const SLICE_MAX = 300

const NUMBERS = [
  0, -0, 1, -1, 3, 0.5, 0.1, 1e300, -1e-300, 5e-324, 2.2250738585072014e-308, 1e-310, Infinity, NaN, 123456789, 4503599627370497,
]
/** Mandatory prefix, opcode: arithmetic, comparisons, conversions between the formats, on scalars and vectors. */
const OPERATIONS: readonly (readonly [number, number])[] = [
  ...[0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f].flatMap((opcode) => [0, 0x66, 0xf2, 0xf3].map((prefix) => [prefix, opcode] as const)),
  [0xf2, 0x5a], [0xf3, 0x5a], [0x66, 0x5a], [0, 0x5a], [0x66, 0x2e], [0, 0x2f], [0xf2, 0x58], [0xf2, 0x59], [0xf2, 0x10], [0x66, 0x28],
]

/** Loops of floating point under one MXCSR after another; the flags are stored between them. */
function program(seed: number): number[] {
  const random = new Random(seed)
  const operation = (): number[] => {
    const [prefix, opcode] = random.pick(OPERATIONS)
    const register = random.below(6) << 3
    const operand = random.below(3) === 0 ? [0x46 | register, random.below(8) * 16] : [0xc0 | register | random.below(6)]
    return [...(prefix === 0 ? [] : [prefix]), 0x0f, opcode, ...operand]
  }
  const body = Array.from({ length: 4 + random.below(8) }, operation).flat()
  const inner = [...body, 0x48, 0x83, 0xc6, 0x10, 0xff, 0xc9] // add rsi,16; dec ecx
  const outer = [
    0x0f, 0xae, 0x13, 0x48, 0x83, 0xc3, 0x04, // ldmxcsr [rbx]; add rbx,4
    0xbe, ...littleEndian(DATA), 0xb9, ...littleEndian(INNER), // mov esi,DATA; mov ecx,INNER
    ...inner, 0x0f, 0x85, ...littleEndian(-inner.length - 6), // jnz
    0x0f, 0xae, 0x1f, 0x0f, 0x11, 0x47, 0x10, 0x48, 0x83, 0xc7, 0x20, // stmxcsr [rdi]; movups [rdi+16],xmm0; add rdi,32
    0xff, 0xca, // dec edx
  ]
  return [...outer, 0x0f, 0x85, ...littleEndian(-outer.length - 6), 0xf4]
}
const littleEndian = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff)

function load(seed: number, tier: Tier, hotAfter?: number): BareCpu {
  const bare = bareCpu({ tier, hotAfter })
  const { cpu, memory } = bare
  const random = new Random(seed ^ 0x2545f491)
  const view = new DataView(new ArrayBuffer(8))
  // Half of the programs compute with small integers, exactly for a while.
  const number = (): bigint => {
    const edge = random.below(3) === 0 ? (random.next() - 2 ** 31) / 1024 : random.pick(NUMBERS)
    view.setFloat64(0, seed % 2 === 0 ? edge : random.below(64) - 20)
    return view.getBigUint64(0)
  }
  memory.write(CODE, Uint8Array.from(program(seed)))
  for (let at = 0; at < 0x800; at += 8) memory.writeU64(DATA + at, number())
  for (let index = 0; index < OUTER; index++) {
    const rounding = random.below(4) === 0 ? random.below(4) << 13 : 0
    const flush = random.below(4) === 0 ? 0x8040 : 0
    memory.writeU32(CONTROLS + index * 4, 0x1f80 | rounding | flush | random.below(2) * 0x20)
  }
  for (let register = 0; register < 6; register++) {
    const { buffer, byteOffset } = cpu.xmm(register)
    new DataView(buffer, byteOffset).setBigUint64(0, number(), true)
  }
  cpu.setGpr(3, BigInt(CONTROLS))
  cpu.setGpr(7, BigInt(STORED))
  cpu.setGpr(2, BigInt(OUTER))
  cpu.rip = BigInt(CODE)
  return bare
}
const mxcsr = ({ cpu }: BareCpu): number => cpu.system.state.u32[State.MXCSR >> 2]

describe('both tiers compute the same numbers and flags under every MXCSR', () => {
  for (const [name, tier, hotAfter] of [
    ['translated at first sight', 'translator', undefined],
    ['translated when warm', 'auto', 3],
  ] as const)
    test(name, () => {
      const classes = new Set<FloatClass>()
      for (let seed = 1; seed <= PROGRAMS; seed++) {
        const reference = load(seed, 'interpreter')
        const tested = load(seed, tier, hotAfter)
        const random = new Random(seed)
        for (let count = 0; !reference.cpu.halted && !reference.cpu.shutdown;) {
          const slice = 1 + random.below(SLICE_MAX)
          const done = reference.cpu.run(slice)
          count += done
          expect(tested.cpu.run(slice), `seed ${seed} after ${count} instructions`).toBe(done)
          expect(tested.snapshot(), `seed ${seed} after ${count} instructions`).toBe(reference.snapshot())
          expect(mxcsr(tested), `seed ${seed} after ${count} instructions`).toBe(mxcsr(reference))
          classes.add(floatClassOf(mxcsr(reference)))
        }
        const stored = [tested, reference].map(({ memory }) => Buffer.from(memory.read(STORED, STORED_BYTES)).toString('hex'))
        expect(stored[0], `memory of seed ${seed}`).toBe(stored[1])
        expect(reference.cpu.halted).toBe(true)
      }
      expect([...classes].sort()).toEqual([FloatClass.STICKY, FloatClass.EXACT, FloatClass.NONE])
    })
})
