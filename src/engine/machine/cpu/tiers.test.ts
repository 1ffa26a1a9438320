import { describe, expect, test } from 'vitest'
import type { Tier } from './cpu.ts'
import { bareCpu } from './testing/bare-cpu.ts'
import type { BareCpu } from './testing/bare-cpu.ts'
import { CODE, DATA, DATA_BYTES, Random, STACK, randomProgram } from './testing/random-program.ts'

const PROGRAMS = 60
const INSTRUCTIONS = 20_000
const SLICE_MAX = 700
const STACK_BYTES = 0x80000

/** The pages of data and of the stack's middle, so that what lies side by side is not in memory; every other program. */
const SWAPPED = [[DATA >> 12, (DATA >> 12) + 2], [STACK >> 12, (STACK >> 12) - 2]] as const

function load(seed: number, tier: Tier, hotAfter?: number): BareCpu {
  const bare = bareCpu({ tier, hotAfter, swapped: seed % 2 === 0 ? SWAPPED : undefined })
  const { cpu, memory } = bare
  const { code, blocks } = randomProgram(seed)
  const random = new Random(seed ^ 0x5bd1e995)
  memory.write(CODE, code)
  for (let at = 0; at < DATA_BYTES; at += 4) memory.writeU32(DATA + at, random.next())
  for (let at = -STACK_BYTES; at < STACK_BYTES; at += 8) memory.writeU64(STACK + at, BigInt(random.pick(blocks)))
  for (let register = 0; register < 16; register++) cpu.setGpr(register, (BigInt(random.next()) << 32n) | BigInt(random.next()))
  cpu.setGpr(4, BigInt(STACK))
  cpu.setGpr(6, BigInt(DATA))
  // Faults end the program: with an empty IDT the first one shuts the processor down.
  cpu.rip = BigInt(CODE)
  return bare
}

const dataOf = (bare: BareCpu): string => Buffer.from(bare.memory.read(DATA, DATA_BYTES)).toString('base64')

describe('both tiers run the same programs to the same state at the same instruction counts', () => {
  for (const [name, tier, hotAfter] of [
    ['translated at first sight', 'translator', undefined],
    ['translated when warm', 'auto', 3],
  ] as const)
    test(name, () => {
      let executed = 0
      for (let seed = 1; seed <= PROGRAMS; seed++) {
        const reference = load(seed, 'interpreter')
        const tested = load(seed, tier, hotAfter)
        const random = new Random(seed)
        for (let count = 0; count < INSTRUCTIONS && !reference.cpu.shutdown;) {
          const slice = 1 + random.below(SLICE_MAX)
          const done = reference.cpu.run(slice)
          expect(tested.cpu.run(slice), `seed ${seed} after ${count} instructions`).toBe(done)
          expect(tested.snapshot(), `seed ${seed} after ${count + done} instructions`).toBe(reference.snapshot())
          count += done
          executed += done
          if (done === 0) break
        }
        expect(dataOf(tested), `memory of seed ${seed}`).toBe(dataOf(reference))
        expect(tested.cpu.shutdown).toBe(reference.cpu.shutdown)
      }
      // The programs must really run, not fault at once.
      expect(executed).toBeGreaterThan((PROGRAMS * INSTRUCTIONS) / 4)
    })
})
