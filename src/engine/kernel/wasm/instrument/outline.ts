import { ByteReader } from '../binary/bytes.ts'
import { Op } from '../binary/opcodes.ts'
import { bulkShift, decode, isTerminal, newDecoded, skipDead } from './decode.ts'
import type { Body } from './decode.ts'

/**
 * The first look at a function: where it can be suspended. Places are numbered from 1 in the order of the code, so that those
 * inside one block are neighbours:
 *
 * - a check of the fuel: at the function's entry, at the head of every loop, and behind every bulk instruction;
 * - a call of a function that can be suspended.
 *
 * A *stop* of a sequence of instructions is such a place, or a block that contains one.
 */
export interface Region {
  kind: 'function' | 'block' | 'loop' | 'if'
  /** Its places: firstPlace to lastPlace; none when lastPlace < firstPlace. */
  firstPlace: number
  lastPlace: number
  /** Last place of the first arm of an `if`. */
  thenLastPlace: number
  /** The last place of each stop, for the sequence itself and an `else`. A loop's head and a function's entry are no stops. */
  arms: number[][]
  /** Instructions that run between two checks at its head; of functions and loops. */
  cost: number
}

export interface Outline {
  /** In the order in which they begin. The first is the function. */
  regions: Region[]
  /** False for a function that does little and always returns: no loop, no call, no bulk instruction. */
  suspends: boolean
}

export const ENTRY_PLACE = 1

/** What an instruction costs in units of fuel. */
const CALL_COST = 5
const GROW_COST = 200
function costOf(opcode: number): number {
  if (opcode === Op.CALL || opcode === Op.CALL_INDIRECT) return CALL_COST
  return opcode === Op.MEMORY_GROW ? GROW_COST : 1
}

/** Whether a function has neither loop nor call nor bulk instruction. */
export function isLeaf({ bytes, codeStart }: Body): boolean {
  const reader = new ByteReader(bytes, codeStart)
  const decoded = newDecoded()
  while (!reader.isAtEnd) {
    decode(reader, decoded)
    const { opcode, extended } = decoded
    if (opcode === Op.LOOP || opcode === Op.CALL || opcode === Op.CALL_INDIRECT || bulkShift(opcode, extended) !== null) return false
  }
  return true
}

/** @param suspendable whether a call of the function by that index can be suspended */
export function outline({ bytes, codeStart }: Body, leaf: boolean, suspendable: (index: number) => boolean): Outline {
  const reader = new ByteReader(bytes, codeStart)
  const decoded = newDecoded()
  let place = leaf ? 0 : ENTRY_PLACE
  const root: Region = { kind: 'function', firstPlace: 1, lastPlace: 0, thenLastPlace: 0, arms: [[]], cost: 0 }
  const regions: Region[] = [root]
  const open: Region[] = [root]
  /** Functions and loops, the innermost last. */
  const checked: Region[] = [root]
  const stop = (): void => void open[open.length - 1].arms.at(-1)?.push(place)

  while (open.length > 0) {
    decode(reader, decoded)
    const { opcode, extended } = decoded
    checked[checked.length - 1].cost += costOf(opcode)
    if (opcode === Op.BLOCK || opcode === Op.LOOP || opcode === Op.IF) {
      const kind = opcode === Op.LOOP ? 'loop' : opcode === Op.IF ? 'if' : 'block'
      const region: Region = { kind, firstPlace: place + 1, lastPlace: 0, thenLastPlace: 0, arms: [[]], cost: 0 }
      regions.push(region)
      open.push(region)
      if (kind === 'loop') {
        checked.push(region)
        place++
      }
    } else if (opcode === Op.ELSE) {
      const region = open[open.length - 1]
      region.thenLastPlace = place
      region.arms.push([])
    } else if (opcode === Op.END) {
      const region = open.pop() as Region
      region.lastPlace = place
      if (region.arms.length === 1) region.thenLastPlace = place
      if (region.kind === 'loop') checked.pop()
      if (open.length > 0 && region.lastPlace >= region.firstPlace) stop()
    } else if (
      opcode === Op.CALL_INDIRECT || bulkShift(opcode, extended) !== null ||
      (opcode === Op.CALL && suspendable(new ByteReader(bytes, decoded.immediate).u32()))
    ) {
      place++
      stop()
    }
    if (isTerminal(opcode)) skipDead(reader, decoded)
  }
  return { regions, suspends: !leaf }
}
