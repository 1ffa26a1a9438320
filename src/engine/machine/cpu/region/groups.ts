import type { Instruction } from '../decode.ts'
import { RIP_BASE } from '../decode.ts'
import { Gpr } from '../state.ts'

/** The bytes between the first and the last that one check may answer for. */
const SPAN_MAX = 2048
export const GROUPS_MAX = 8

/**
 * Memory operands of one basic block that differ in their displacement alone: one look through a window answers for all of
 * them, if it is made before the block begins.
 */
export interface Group {
  /** Registers as the block finds them; -1 for none. */
  base: number
  index: number
  scale: number
  /** SegmentIndex, or -1. */
  segment: number
  /** The displacement (for no registers at all: the address) of the lowest member. */
  lowest: number
  /** Bytes from the lowest to the end of the highest. */
  span: number
  writes: boolean
  /** Which offset from the lowest member must be a multiple of 16, modulo 16; undefined when none need be. */
  alignment: number | undefined
  members: number
}

/** A member: which group, and how far above its lowest member. */
export interface Membership {
  group: number
  offset: number
}

export interface Grouping {
  groups: readonly Group[]
  /** By position in the block, of its memory operand; undefined for instructions that look for themselves. */
  membership: readonly (Membership | undefined)[]
  /** The same of what a push or a pop finds on the stack. */
  stackMembership: readonly (Membership | undefined)[]
}

type Place = Pick<Group, 'base' | 'index' | 'scale' | 'segment'>
const STACK: Place = { base: Gpr.RSP, index: -1, scale: 0, segment: -1 }
const PUSHES = new Set(['push', 'pushi'])

interface Access {
  size: number
  writes: boolean
  aligned: boolean
}

/** The memory operand that an instruction reads or writes at its effective address. */
function accessOf({ hasMemory, slots, definition }: Instruction): Access | undefined {
  if (!hasMemory) return undefined
  const operand = slots.findIndex((slot) => slot.kind === 'rm')
  const access = operand < 0 ? 'address' : definition.access[operand]
  if (access === 'address') return undefined
  const { size } = slots[operand]
  return { size, writes: access !== 'read', aligned: definition.aligned === true && size === 16 }
}

/** What an instruction pushes or pops by itself. */
function stackAccessOf({ definition: { name }, size }: Instruction): Access | undefined {
  if (PUSHES.has(name)) return { size, writes: true, aligned: false }
  return name === 'pop' ? { size, writes: false, aligned: false } : undefined
}

/** How far an instruction moves RSP, where that is known beforehand. */
function stackMoveOf({ definition: { name }, slots, size, rm, hasMemory, immediateLow }: Instruction): number | undefined {
  if (PUSHES.has(name)) return -size
  const isRsp = size === 8 && slots[0]?.kind === 'rm' && !hasMemory && rm === Gpr.RSP
  if (name === 'pop') return isRsp ? undefined : size
  if (!isRsp || slots[1]?.kind !== 'imm') return undefined
  return name === 'add' ? immediateLow : name === 'sub' ? -immediateLow : undefined
}

/**
 * Finds the groups of a block that are worth a check of their own.
 * @param address where the block begins
 * @param written for each instruction, the general registers that it writes
 */
export function group(
  instructions: readonly Instruction[],
  address: number,
  written: () => readonly ReadonlySet<number>[],
): Grouping | undefined {
  const count = (accesses: readonly (Access | undefined)[]): number => accesses.filter((access) => access !== undefined).length
  if (count(instructions.map(accessOf)) + count(instructions.map(stackAccessOf)) < 2) return undefined
  const writes = written()
  const changed = new Set<number>()
  const open = new Map<string, number>()
  const groups: Group[] = []
  /** Members by where they are, before the groups' lowest are known. */
  const membership: (Membership | undefined)[] = []
  const stackMembership: (Membership | undefined)[] = []
  const join = ({ base, index, scale, segment }: Place, displacement: number, access: Access): Membership | undefined => {
    const key = [base, index, scale, segment].join()
    const found = open.get(key)
    if (found !== undefined && widen(groups[found], displacement, access)) return { group: found, offset: displacement }
    if (groups.length >= GROUPS_MAX) return undefined
    open.set(key, groups.length)
    groups.push({
      base, index, scale, segment, lowest: displacement, span: access.size, writes: access.writes,
      alignment: access.aligned ? displacement & 15 : undefined, members: 1,
    })
    return { group: groups.length - 1, offset: displacement }
  }
  let at = address
  /** RSP now, less what it was as the block began. */
  let stackMoved: number | undefined = 0
  instructions.forEach((instruction, position) => {
    const access = accessOf(instruction)
    const { base, displacement } = instruction
    let member: Membership | undefined
    if (access !== undefined && base === Gpr.RSP && stackMoved !== undefined && isSteady(instruction, changed))
      member = join(instruction, displacement + stackMoved, access)
    else if (access !== undefined && base !== Gpr.RSP && isSteady(instruction, changed))
      member = base === RIP_BASE ? join({ ...instruction, base: -1 }, displacement + at, access) : join(instruction, displacement, access)
    membership.push(member)
    const onStack = instruction.long ? stackAccessOf(instruction) : undefined
    stackMembership.push(
      onStack !== undefined && stackMoved !== undefined
        ? join(STACK, onStack.writes ? stackMoved - onStack.size : stackMoved, onStack)
        : undefined,
    )
    if (writes[position].has(Gpr.RSP)) {
      const move = stackMoveOf(instruction)
      stackMoved = move === undefined || stackMoved === undefined ? undefined : stackMoved + move
    }
    for (const register of writes[position]) if (register !== Gpr.RSP) changed.add(register)
    at += instruction.length
  })
  const kept = groups.filter(({ members }) => members > 1)
  if (kept.length === 0) return undefined
  const settle = (one: Membership | undefined): Membership | undefined => {
    const number = one === undefined ? -1 : kept.indexOf(groups[one.group])
    return one === undefined || number < 0 ? undefined : { group: number, offset: one.offset - kept[number].lowest }
  }
  return {
    groups: kept.map((one) => (one.alignment === undefined ? one : { ...one, alignment: (one.alignment - one.lowest) & 15 })),
    membership: membership.map(settle),
    stackMembership: stackMembership.map(settle),
  }
}

/** Whether an address is the same at the block's beginning as where it is used. */
function isSteady({ base, index, addressBytes }: Instruction, changed: ReadonlySet<number>): boolean {
  return addressBytes === 8 && !changed.has(base) && !changed.has(index)
}

/** Takes a member into a group, unless that would make it span too much or ask for two alignments. */
function widen(one: Group, displacement: number, { size, writes, aligned }: Access): boolean {
  const lowest = Math.min(one.lowest, displacement)
  const end = Math.max(one.lowest + one.span, displacement + size)
  if (end - lowest > SPAN_MAX) return false
  if (aligned && one.alignment !== undefined && one.alignment !== (displacement & 15)) return false
  one.lowest = lowest
  one.span = end - lowest
  one.writes ||= writes
  if (aligned) one.alignment = displacement & 15
  one.members++
  return true
}
