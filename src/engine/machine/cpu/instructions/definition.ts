import type { Emit } from '../emit.ts'

/** How an instruction uses an operand; `address` computes a memory operand's effective address and touches nothing. */
export type OperandAccess = 'read' | 'write' | 'modify' | 'address'

/** How an instruction leaves the straight line, for those who draw control flow. */
export type Control = 'jump' | 'branch' | 'call' | 'jump-indirect' | 'call-indirect' | 'return' | 'system'

/**
 * One instruction's meaning. Both tiers run `body`: tier 0 with operands found at run time, tier 1 with constant ones.
 *
 * The rule that makes faults precise: everything that can fault (reading operands, `load`, `store`, `raiseIf`) comes
 * before the first change of a register or flag. Reading flags that were there on entry is such a thing too, and comes even
 * before a `store`: a region that does not know them leaves, and tier 0 runs the instruction from its start.
 */
export interface Definition {
  name: string
  /** In operand order. */
  access: readonly OperandAccess[]
  body: (e: Emit) => void
  control?: Control
  /** The body depends on whether the processor is in 64-bit mode (stack width, RIP width, address size). */
  modal?: boolean
  /** It uses addresses, or counts in rCX, that no operand names: the address size matters to the body. */
  addressed?: boolean
  /** Regions stop before it and let tier 0 run it. */
  interpretOnly?: boolean
  /** A system instruction that regions run too (`Emit.system`): it changes nothing but general registers. */
  inRegions?: boolean
  /** A 16-byte memory operand must be aligned, else #GP(0). */
  aligned?: boolean
  /** Needs ModeBit.SSE: #UD or #NM otherwise. */
  sse?: boolean
  /** Of MMX registers: as `sse`, but for itself. */
  mmx?: boolean
  /** Its body calls `Emit.float`: MXCSR matters. */
  float?: boolean
  /** Reads flags as they were on entry: all of them, or only CF. */
  needs?: 'flags' | 'carry'
  /** A shift whose count is an immediate other than 0 needs no flags and sets them all. */
  constantCountNeedsNothing?: boolean
  /** Leaves every flag changed, so that older ones are dead. */
  setsFlags?: boolean
}

export function define(
  name: string,
  access: readonly OperandAccess[],
  body: (e: Emit) => void,
  options: Omit<Definition, 'name' | 'access' | 'body'> = {},
): Definition {
  return { name, access, body, ...options }
}
