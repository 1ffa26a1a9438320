import type { FunctionType } from '../binary/module.ts'
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

const sumOfBytes = (types: readonly number[]): number => types.reduce((sum, type) => sum + storedBytes(type), 0)

/**
 * Bytes of the stack limit that one call of a function uses up, with the types of all its variables. Never less than it leaves
 * behind when it is suspended, and about what the engine's frame takes: beside the variables, the caller's copy of the arguments
 * and room for the results on both sides.
 */
export const frameBytes = (variables: readonly number[], { params, results }: FunctionType): number =>
  HEADER_BYTES + ENGINE_FRAME_BYTES + sumOfBytes(variables) + sumOfBytes(params) + 2 * sumOfBytes(results)
