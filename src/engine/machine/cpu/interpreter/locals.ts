import type { Temporaries } from '../emit.ts'

/** Locals of tier 0's `run`: the record, where its r/m operand is, what is left, scratch, RIP and the effective address. */
export const Local = { PC: 0, PTR: 1, LEFT: 2, SKIP_REGION: 3, ENTRY: 4, SCRATCH: 5, RIP: 6, EA: 7 } as const
export const FIRST_TEMPORARY = 8
/** POPA is the greediest. */
export const TEMPORARIES: Temporaries = { i32: 64, i64: 128, v128: 112 }
