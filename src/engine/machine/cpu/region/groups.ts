import type { Instruction } from '../decode.ts'
import { RIP_BASE } from '../decode.ts'

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
  /** By position in the block; undefined for instructions that look for themselves. */
  membership: readonly (Membership | undefined)[]
}

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
  if (instructions.filter((instruction) => accessOf(instruction) !== undefined).length < 2) return undefined
  const writes = written()
  const changed = new Set<number>()
  const open = new Map<string, number>()
  const groups: Group[] = []
  const displacements: (number | undefined)[] = []
  const membership: (Membership | undefined)[] = []
  let at = address
  instructions.forEach((instruction, position) => {
    const access = accessOf(instruction)
    displacements.push(undefined)
    membership.push(undefined)
    if (access !== undefined && isSteady(instruction, changed)) {
      const { base, index, scale, segment } = instruction
      const isConstant = base === RIP_BASE
      const displacement = instruction.displacement + (isConstant ? at : 0)
      const key = [isConstant ? -1 : base, index, scale, segment].join()
      const found = open.get(key)
      if (found !== undefined && widen(groups[found], displacement, access)) {
        membership[position] = { group: found, offset: 0 }
      } else if (groups.length < GROUPS_MAX) {
        open.set(key, groups.length)
        membership[position] = { group: groups.length, offset: 0 }
        groups.push({
          base: isConstant ? -1 : base, index, scale, segment, lowest: displacement, span: access.size, writes: access.writes,
          alignment: access.aligned ? displacement & 15 : undefined, members: 1,
        })
      }
      displacements[position] = displacement
    }
    for (const register of writes[position]) changed.add(register)
    at += instruction.length
  })
  const kept = groups.filter(({ members }) => members > 1)
  if (kept.length === 0) return undefined
  return {
    groups: kept.map((one) => (one.alignment === undefined ? one : { ...one, alignment: (one.alignment - one.lowest) & 15 })),
    membership: membership.map((one, position) => {
      const number = one === undefined ? -1 : kept.indexOf(groups[one.group])
      return number < 0 ? undefined : { group: number, offset: (displacements[position] as number) - kept[number].lowest }
    }),
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
