import type { Instruction } from '../decode.ts'
import { DIV, MUL, SHR } from '../instructions/arithmetic.ts'
import { MOV } from '../instructions/data.ts'
import { Gpr } from '../state.ts'

/**
 * An unsigned division by a constant as compilers write it: a multiplication by the reciprocal, whose upper half is shifted to the right
 * (T. Granlund, P. Montgomery, "Division by Invariant Integers using Multiplication", 1994). Wasm has no such multiplication, but V8 makes
 * one of a division by a constant.
 */
export interface Reciprocal {
  multiplier: bigint
  /** Of the product's upper 64 bits. */
  shift: number
  divisor: bigint
  /** For dividends below it the two are the same; undefined: for all. */
  below: bigint | undefined
}

/** Divisions that hold for smaller dividends only are hardly meant as such. */
const BELOW_MIN = 1n << 48n
const WORD = 1n << 64n

/** What a multiplication by `multiplier` and a shift divide by; undefined when they divide by nothing. */
export function reciprocalOf(multiplier: bigint, shift: number): Reciprocal | undefined {
  if (multiplier === 0n) return undefined
  const power = WORD << BigInt(shift)
  const divisor = (power + multiplier - 1n) / multiplier
  // x * multiplier / power = x / divisor + x * excess / (divisor * power): no quotient is reached too early while x * excess < power.
  const excess = divisor * multiplier - power
  const below = excess === 0n ? WORD : (power + excess - 1n) / excess
  if (divisor >= WORD || below < BELOW_MIN) return undefined
  return { multiplier, shift, divisor, below: below >= WORD ? undefined : below }
}

/** A division of a block: positions of its multiplication and of its shift, and whether the multiplier is in RAX. */
export interface ReciprocalDivision {
  from: number
  to: number
  reciprocal: Reciprocal
  isAccumulator: boolean
}

/**
 * Finds the divisions of a block.
 * @param candidates what a register may well hold: a multiplier only counts if it really does, which the code asks
 */
export function reciprocalDivisions(
  instructions: readonly Instruction[], candidates: (register: number) => readonly bigint[],
): ReciprocalDivision[] {
  const found: ReciprocalDivision[] = []
  instructions.forEach(({ definition, size, rm }, from) => {
    if (definition !== MUL || size !== 8 || rm < 0 || rm === Gpr.RAX) return
    const to = shiftAfter(instructions, from)
    if (to < 0) return
    for (const register of [rm, Gpr.RAX])
      for (const multiplier of candidates(register)) {
        const reciprocal = reciprocalOf(multiplier, instructions[to].immediateLow & 63)
        if (reciprocal === undefined) continue
        found.push({ from, to, reciprocal, isAccumulator: register === Gpr.RAX })
        return
      }
  })
  return found
}

/** Where the upper half of a product, or a copy of it, is shifted to the right by a constant, with nothing but copies before; or -1. */
function shiftAfter(instructions: readonly Instruction[], multiplication: number): number {
  const halves = new Set<number>([Gpr.RDX])
  for (let at = multiplication + 1; at < instructions.length; at++) {
    const { definition, size, rm, reg, slots } = instructions[at]
    if (size !== 8 || rm < 0) return -1
    if (definition === SHR && slots[1].kind === 'imm') return halves.has(rm) ? at : -1
    if (definition !== MOV || slots[1].kind === 'imm') return -1
    const [target, source] = slots[0].kind === 'rm' ? [rm, reg] : [reg, rm]
    if (!halves.has(source)) return -1
    halves.add(target)
  }
  return -1
}

/** The constants that instructions put into registers, by register. */
export function constantsMoved(instructions: Iterable<Instruction>): Map<number, bigint[]> {
  const moved = new Map<number, bigint[]>()
  for (const { definition, size, slots, rm, reg, immediateLow, immediateHigh } of instructions) {
    if (definition !== MOV || size !== 8 || slots[1].kind !== 'imm') continue
    const register = slots[0].kind === 'rm' ? rm : reg
    if (register < 0) continue
    const value = (BigInt(immediateHigh >>> 0) << 32n) | BigInt(immediateLow >>> 0)
    const known = moved.get(register)
    if (known === undefined) moved.set(register, [value])
    else known.push(value)
  }
  return moved
}

/** Whether an instruction divides, and the next one overwrites the quotient without a look at it. */
export function isRemainderOnly({ definition }: Instruction, next: Instruction | undefined): boolean {
  if (definition !== DIV || next === undefined) return false
  const { size, slots, rm, reg } = next
  if (next.definition !== MOV || size < 4 || rm < 0) return false
  const [target, source] = slots[0].kind === 'rm' ? [rm, slots[1].kind === 'imm' ? -1 : reg] : [reg, rm]
  return target === Gpr.RAX && source !== Gpr.RAX
}
