import type { Instruction } from '../decode.ts'
import { FloatClass } from '../float/unit.ts'

/** Instructions of one region at most: past about a thousand V8's optimiser makes slow code or takes seconds. */
export const REGION_INSTRUCTIONS_MAX = 500

/** How a basic block ends. Addresses are guest linear addresses; a target that is not a block of the region leaves it. */
export type Terminator =
  | { kind: 'fall'; next: number }
  | { kind: 'jump'; target: number }
  | { kind: 'branch'; target: number; next: number }
  | { kind: 'call'; target: number; next: number }
  | { kind: 'call-indirect'; next: number }
  | { kind: 'jump-indirect' }
  | { kind: 'return' }
  /** The next instruction is for tier 0. */
  | { kind: 'interpret'; at: number }

export interface BasicBlock {
  address: number
  /** Without the instruction that tier 0 must run. */
  instructions: readonly Instruction[]
  terminator: Terminator
  /** It lies near a jump through memory or a register, which may lead here. */
  isJumpTarget: boolean
}

/** Looks an instruction run up: the decoded instructions from a linear address on, or undefined where tier 1 may not go. */
export type CodeLookup = (address: number) => readonly Instruction[] | undefined

/** Linear addresses in [from, to) where control was seen to come, in ascending order. */
export type SeenAddresses = (from: number, to: number) => readonly number[]

/** How far around a region's code the targets of its indirect jumps are looked for: the cases of a switch stay together. */
const NEAR_BYTES = 1024

/** Whether regions stop before an instruction. */
const isInterpreted = ({ definition }: Instruction, floatClass: FloatClass): boolean =>
  (definition.control === 'system' && definition.inRegions !== true) ||
  definition.interpretOnly === true ||
  (definition.float === true && floatClass === FloatClass.NONE)

const signed32 = (value: number): number => value | 0

/** Where a direct jump, branch or call goes. */
function targetOf(instruction: Instruction, next: number): number {
  const target = next + signed32(instruction.immediateLow)
  if (instruction.long) return target
  return instruction.size === 2 ? target & 0xffff : target >>> 0
}

/**
 * Finds the code around a hot address, following jumps, branches and calls as far as code has been executed, and cuts it
 * into basic blocks. The first block is the hot one. An indirect jump does not say where it leads: what was executed near it is taken in.
 */
export function findBlocks(hot: number, lookup: CodeLookup, seen: SeenAddresses, floatClass: FloatClass): BasicBlock[] {
  const instructions = new Map<number, Instruction>()
  const leaders = new Set<number>()
  const jumpTargets = new Set<number>()
  follow(hot, lookup, instructions, leaders, floatClass)
  for (let count = -1; count !== leaders.size && instructions.size < REGION_INSTRUCTIONS_MAX && jumpsIndirectly(instructions);) {
    count = leaders.size
    const addresses = [...instructions.keys()]
    const from = addresses.reduce((least, address) => Math.min(least, address), Infinity)
    const to = addresses.reduce((most, address) => Math.max(most, address), 0)
    for (const address of seen(from - NEAR_BYTES, to + NEAR_BYTES)) {
      if (leaders.has(address)) continue
      follow(address, lookup, instructions, leaders, floatClass)
      jumpTargets.add(address)
    }
  }
  const blocks: BasicBlock[] = []
  for (const leader of leaders) {
    const block = { ...cut(leader, instructions, leaders, floatClass), isJumpTarget: jumpTargets.has(leader) }
    if (leader === hot) blocks.unshift(block)
    else blocks.push(block)
  }
  return blocks
}

const jumpsIndirectly = (instructions: ReadonlyMap<number, Instruction>): boolean =>
  [...instructions.values()].some(({ definition }) => definition.control === 'jump-indirect')

function follow(
  from: number,
  lookup: CodeLookup,
  instructions: Map<number, Instruction>,
  leaders: Set<number>,
  floatClass: FloatClass,
): void {
  const queue: number[] = [from]
  for (let head = 0; head < queue.length && instructions.size < REGION_INSTRUCTIONS_MAX; head++) {
    const start = queue[head]
    if (leaders.has(start)) continue
    const run = lookup(start)
    if (!run) continue
    leaders.add(start)
    let address = start
    for (const instruction of run) {
      if (instructions.has(address)) break
      instructions.set(address, instruction)
      const next = address + instruction.length
      const { control } = instruction.definition
      if (isInterpreted(instruction, floatClass)) {
        queue.push(next)
        if (control === 'system') break
      } else if (control === 'branch') queue.push(next, targetOf(instruction, next))
      else if (control === 'jump') queue.push(targetOf(instruction, next))
      else if (control === 'call') queue.push(next, targetOf(instruction, next))
      else if (control === 'call-indirect') queue.push(next)
      address = next
      // The run ended without a transfer of control: what follows starts another.
      if (instruction === run[run.length - 1] && (control === undefined || control === 'system')) queue.push(next)
    }
  }
}

type Straight = Omit<BasicBlock, 'isJumpTarget'>

function cut(
  leader: number,
  instructions: ReadonlyMap<number, Instruction>,
  leaders: ReadonlySet<number>,
  floatClass: FloatClass,
): Straight {
  const run: Instruction[] = []
  let at = leader
  for (;;) {
    const instruction = instructions.get(at)
    if (!instruction) return { address: leader, instructions: run, terminator: { kind: 'fall', next: at } }
    if (isInterpreted(instruction, floatClass)) return { address: leader, instructions: run, terminator: { kind: 'interpret', at } }
    run.push(instruction)
    const next = at + instruction.length
    const terminator = terminatorOf(instruction, next)
    if (terminator) return { address: leader, instructions: run, terminator }
    at = next
    if (leaders.has(at)) return { address: leader, instructions: run, terminator: { kind: 'fall', next: at } }
  }
}

function terminatorOf(instruction: Instruction, next: number): Terminator | undefined {
  switch (instruction.definition.control) {
    case 'jump':
      return { kind: 'jump', target: targetOf(instruction, next) }
    case 'branch':
      return { kind: 'branch', target: targetOf(instruction, next), next }
    case 'call':
      return { kind: 'call', target: targetOf(instruction, next), next }
    case 'call-indirect':
      return { kind: 'call-indirect', next }
    case 'jump-indirect':
      return { kind: 'jump-indirect' }
    case 'return':
      return { kind: 'return' }
    default:
      return undefined
  }
}
