import { allVariants } from '../decode.ts'

/**
 * A jump cache entry: address u64 +0, generation u32 +8, first record u32 +12, region's table slot u32 +16 (0: none),
 * region entry u32 +20, flags to be made explicit on entry u32 +24.
 */
export const JumpField = { ADDRESS: 0, GENERATION: 8, RECORD: 12, REGION: 16, ENTRY: 20, NEEDS_FLAGS: 24 } as const

/** What a region answers that did nothing because it was made for another FloatClass; 0 and 1 say whether tier 0 is next. */
export const WRONG_CLASS = 2
/** No State.JUMP_GENERATION: its mode would be 64-bit and 32-bit at once. */
export const NO_GENERATION = -1

/** What tier 0 imports; all of it in TypeScript and off the fast path. */
export interface InterpreterImports {
  /** The access at State.SLOW_VA missed the TLB: host address of the bytes (or of the bounce buffer), 0 on a fault. */
  slow(mode: number, size: number): number
  /**
   * The access, by an AccessMode, at offset State.SLOW_VA of the segment whose base is at `segment` is not a simple one: 1 allowed, 0 on
   * a fault.
   */
  segment(segment: number, mode: number, size: number): number
  /** The bounce buffer was written: carries it to where it belongs. */
  commit(): void
  /** A system instruction: 0 done, 1 fault. */
  system(op: number): number
  /** IF has become 1, by a fast IRETQ. */
  interruptible(): void
  /** Delivers State.FAULT_VECTOR. */
  deliver(): void
  /** Finds or decodes the block at State.RIP: its first record, or 0 to look again. */
  resolve(): number
  /** The block whose first record this is became hot. */
  hot(record: number): void
  /** 128-bit division through SLOW_VA:SLOW_VALUE by SLOW_PA: 1 when the quotient does not fit. */
  divide(isSigned: number): number
  /** An SSE instruction by its FloatOperation's index, when it is not the common case: 0 done, 1 fault. */
  float(index: number): number
}

/** Pages that a machine's memory has at least: what generated modules declare to import. */
export const MEMORY_PAGES_MIN = 128

/** Regions alive at once; slot 0 means none. */
export const REGION_SLOTS = 4096

/** Handler number of the end record. */
export const END_HANDLER = allVariants().length
