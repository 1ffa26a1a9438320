import { Type } from '../../wasm/opcodes.ts'
import type { ValueType } from '../../wasm/opcodes.ts'

/**
 * Locals of tier 0's functions: the record, where its r/m operand is, what is left, RIP and the effective address; and for `run` alone,
 * what it looks for blocks with.
 */
export const Local = { PC: 0, PTR: 1, LEFT: 2, RIP: 3, EA: 4, SKIP_REGION: 5, ENTRY: 6, SCRATCH: 7 } as const
const { i32, i64 } = Type
/** Parameters of a handler that is a function of its own. */
export const HANDLER_PARAMETERS: readonly ValueType[] = [i32, i32, i32, i64, i64]
export const RUN_LOCALS: readonly ValueType[] = [...HANDLER_PARAMETERS, i32, i32, i32]
