import { describe, expect, test } from 'vitest'
import type { Tier } from '../cpu.ts'
import { Gpr } from '../state.ts'
import { bareCpu } from '../testing/bare-cpu.ts'
import { Random } from '../testing/random-program.ts'
import { reciprocalOf } from './division.ts'
import type { Reciprocal } from './division.ts'

const START = 0x100000
const TABLE = 0x200000
const BY_10 = 0xcccccccccccccccdn
const BY_25 = 0x28f5c28f5c28f5c3n
const TIERS: readonly { tier: Tier; hotAfter?: number }[] = [{ tier: 'interpreter' }, { tier: 'auto', hotAfter: 3 }, { tier: 'translator' }]
const WORD = 1n << 64n
const random64 = (random: Random): bigint => (BigInt(random.next()) << 32n) | BigInt(random.next())
/** Of any number of bits. */
const anySize = (random: Random): bigint => random64(random) >> BigInt(random.below(64))

/** What compilers take for a divisor: the least shift for which a multiplier of 64 bits serves all dividends; undefined without one. */
function multiplierFor(divisor: bigint): { multiplier: bigint; shift: number } | undefined {
  for (let shift = 0; shift < 64; shift++) {
    const power = WORD << BigInt(shift)
    const multiplier = (power + divisor - 1n) / divisor
    if (multiplier >= WORD) return undefined
    if (multiplier * divisor - power <= 1n << BigInt(shift)) return { multiplier, shift }
  }
  return undefined
}

const dividendsAround = ({ divisor, below }: Reciprocal, random: Random): bigint[] => {
  const end = below ?? WORD
  const multiples = Array.from({ length: 20 }, () => (random64(random) % end) / divisor * divisor)
  return [0n, 1n, divisor - 1n, divisor, end - 1n, end - (end % divisor) - 1n, ...multiples.flatMap((x) => [x - 1n, x, x + 1n])]
    .filter((x) => x >= 0n && x < end)
}

describe('a multiplication by a reciprocal', () => {
  test('is the division that compilers mean by it', () => {
    const random = new Random(1)
    let found = 0
    for (let turn = 0; turn < 2000; turn++) {
      const divisor = anySize(random)
      const meant = divisor > 1n ? multiplierFor(divisor) : undefined
      if (meant === undefined) continue
      expect(reciprocalOf(meant.multiplier, meant.shift)).toEqual({ ...meant, divisor, below: undefined })
      found++
    }
    expect(found).toBeGreaterThan(1000)
  })

  test.each([
    [10n, 0xcccccccccccccccdn, 3, undefined],
    // What remains of a division by 100 after a shift by 2.
    [25n, BY_25, 2, (1n << 66n) / 11n + 1n],
    [0xfffffffbn, 0x800000028000000dn, 31, undefined],
  ])('by %d', (divisor, multiplier, shift, below) => {
    expect(reciprocalOf(multiplier, shift)).toEqual({ multiplier, shift, divisor, below })
  })

  test('divides every dividend below its bound', () => {
    const random = new Random(2)
    let found = 0
    for (let turn = 0; turn < 5000; turn++) {
      const reciprocal = reciprocalOf(random64(random), random.below(64))
      if (reciprocal === undefined) continue
      const { multiplier, shift, divisor } = reciprocal
      for (const x of dividendsAround(reciprocal, random)) expect((x * multiplier) >> BigInt(64 + shift)).toBe(x / divisor)
      found++
    }
    expect(found).toBeGreaterThan(500)
  })

  test('is none when it divides by nothing that fits, or for few dividends only', () => {
    expect(reciprocalOf(0n, 3)).toBeUndefined()
    expect(reciprocalOf(1n, 1)).toBeUndefined()
    expect(reciprocalOf(0xe7037ed1a0b428dbn, 0)).toBeUndefined()
    expect(reciprocalOf(0x123456789abcdef0n, 5)).toBeUndefined()
  })
})

/** A loop over pairs: `code` finds the first in RBX and the second in RAX, and what it leaves in RDX comes in the place of the first. */
const overTable = (code: readonly number[]): Uint8Array => {
  // L: mov rbx,[rsi] ; mov rax,[rsi+8] ; … ; mov [rsi],rdx ; lea rsi,[rsi+16] ; dec rcx ; jnz L ; hlt
  const body = [0x48, 0x8b, 0x1e, 0x48, 0x8b, 0x46, 0x08, ...code, 0x48, 0x89, 0x16, 0x48, 0x8d, 0x76, 0x10, 0x48, 0xff, 0xc9]
  return Uint8Array.from([...body, 0x75, 256 - body.length - 2, 0xf4])
}

type Pair = readonly [bigint, bigint]
interface Run {
  code: Uint8Array
  pairs: readonly Pair[]
  slice: number
  /** What translated code takes for the multiplier. */
  seen: bigint
}

/** What a program shows when it is run `slice` instructions at a time, and what it makes of the table. */
function follow({ tier, hotAfter }: (typeof TIERS)[number], { code, pairs, slice, seen }: Run): { states: string[]; results: bigint[] } {
  const { cpu, memory, snapshot } = bareCpu({ tier, hotAfter })
  memory.write(START, code)
  pairs.flat().forEach((value, index) => memory.writeU64(TABLE + index * 8, value))
  cpu.rip = BigInt(START)
  cpu.setGpr(Gpr.RSI, BigInt(TABLE))
  cpu.setGpr(Gpr.RCX, BigInt(pairs.length))
  for (const register of [Gpr.RBX, Gpr.RAX]) cpu.setGpr(register, BigInt.asIntN(64, seen))
  const states: string[] = []
  while (!cpu.halted) {
    cpu.run(slice)
    states.push(snapshot())
  }
  return { states, results: pairs.map((_, index) => memory.readU64(TABLE + index * 16)) }
}

const MUL_SHR = [0x48, 0xf7, 0xe3, 0x48, 0xc1, 0xea, 0x03] // mul rbx ; shr rdx,3
// xchg rax,rbx ; mul rbx ; mov rdi,rdx ; shr rdi,3 ; mov rdx,rdi
const MUL_MOV_SHR = [0x48, 0x93, 0x48, 0xf7, 0xe3, 0x48, 0x89, 0xd7, 0x48, 0xc1, 0xef, 0x03, 0x48, 0x89, 0xfa]
const DIV_MOV = [0x31, 0xd2, 0x48, 0xf7, 0xf3, 0x48, 0x89, 0xd8] // xor edx,edx ; div rbx ; mov rax,rbx

describe('a division in translated code', () => {
  const random = new Random(3)
  /** The last two that are not random are beyond what BY_25 is good for; the first of them would come out wrong. */
  const divided = [0n, 1n, 9n, 10n, 11n, WORD - (WORD % 25n) - 1n, WORD - 1n, ...Array.from({ length: 30 }, () => anySize(random))]
  const products = (seen: bigint): Pair[] =>
    divided.flatMap((x) => [seen, seen, seen + 1n, 0n, anySize(random)].map((multiplier) => [multiplier, x] as const))
  const shifted = (shift: bigint) => ([a, b]: Pair): bigint => (a * b) >> (64n + shift)
  const quotients = divided.flatMap((x) => [3n, anySize(random) | 1n].map((divisor) => [divisor, x] as const))

  test.each([
    ['by a reciprocal', MUL_SHR, products(BY_10), BY_10, shifted(3n)],
    ['by a reciprocal in RAX, shifted elsewhere', MUL_MOV_SHR, products(BY_10), BY_10, shifted(3n)],
    ['by a reciprocal that is good for small dividends', [...MUL_SHR.slice(0, -1), 2], products(BY_25), BY_25, shifted(2n)],
    ['whose quotient nobody reads', DIV_MOV, quotients, 0n, ([a, b]: Pair) => b % a],
  ])('%s', (_, code, pairs, seen, expected) => {
    for (const slice of [1, 7, 100_000]) {
      const [reference, ...others] = TIERS.map((tier) => follow(tier, { code: overTable(code), pairs, slice, seen }))
      expect(reference.results).toEqual(pairs.map(expected))
      for (const other of others) expect(other).toEqual(reference)
    }
  })
})
