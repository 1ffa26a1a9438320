import { ValueType } from '../binary/opcodes.ts'

/**
 * What a suspended call leaves behind: for each function on the stack, the innermost first, its variables, then the place it
 * stopped at and its index, 8 bytes each and 16 for a v128.
 */
export const WORD_BYTES = 8
const HEADER_BYTES = 2 * WORD_BYTES
/** What the engine's own frame takes beside the variables, generously. */
const ENGINE_FRAME_BYTES = 64

export const storedBytes = (type: number): number => (type === ValueType.V128 ? 2 * WORD_BYTES : WORD_BYTES)

/** Bytes of the stack limit that one call of a function with these variables uses up. Never less than it leaves behind. */
export const frameBytes = (types: readonly number[]): number =>
  types.reduce((sum, type) => sum + storedBytes(type), HEADER_BYTES + ENGINE_FRAME_BYTES)
