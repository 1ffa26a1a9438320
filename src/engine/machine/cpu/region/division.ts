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

/** Registers that a MOV goes to and comes from (-1: an immediate); undefined for other instructions, and for memory. */
function moveOf({ definition, slots, rm, reg }: Instruction): { target: number; source: number } | undefined {
  if (definition !== MOV || rm < 0) return undefined
  if (slots[1].kind === 'imm') return { target: rm, source: -1 }
  return slots[0].kind === 'rm' ? { target: rm, source: reg } : { target: reg, source: rm }
}

/** Where the upper half of a product, or a copy of it, is shifted to the right by a constant, with nothing but copies before; or -1. */
function shiftAfter(instructions: readonly Instruction[], multiplication: number): number {
  const halves = new Set<number>([Gpr.RDX])
  for (let at = multiplication + 1; at < instructions.length; at++) {
    const { definition, size, rm, slots } = instructions[at]
    if (size !== 8) return -1
    if (definition === SHR && slots[1].kind === 'imm') return halves.has(rm) ? at : -1
    const move = moveOf(instructions[at])
    if (move === undefined || !halves.has(move.source)) return -1
    halves.add(move.target)
  }
  return -1
}

/** The constants that instructions put into registers, by register. */
export function constantsMoved(instructions: Iterable<Instruction>): Map<number, bigint[]> {
  const moved = new Map<number, bigint[]>()
  for (const instruction of instructions) {
    const { size, immediateLow, immediateHigh } = instruction
    const move = moveOf(instruction)
    if (size !== 8 || move?.source !== -1) continue
    const value = (BigInt(immediateHigh >>> 0) << 32n) | BigInt(immediateLow >>> 0)
    const known = moved.get(move.target)
    if (known === undefined) moved.set(move.target, [value])
    else known.push(value)
  }
  return moved
}

/** Whether an instruction divides, and the next one overwrites the quotient without a look at it. */
export function isRemainderOnly({ definition }: Instruction, nextOf: () => Instruction | undefined): boolean {
  const next = definition === DIV ? nextOf() : undefined
  const move = next === undefined || next.size < 4 ? undefined : moveOf(next)
  return move?.target === Gpr.RAX && move.source !== Gpr.RAX
}
