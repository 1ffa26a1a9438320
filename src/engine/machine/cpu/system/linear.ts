import type { PhysicalMemory } from '../../memory.ts'
import type { CpuHost } from '../core.ts'
import { Access, RAM_BASE, State, TRANSLATE_FAULT, TRANSLATE_MMIO } from '../state.ts'
import type { DebugRegisters } from './debug.ts'
import { FAULT } from './faults.ts'
import { checkOperand } from './limits.ts'
import { ACCESS_STACK, type Mmu } from './mmu.ts'
import { type CpuState, Word } from './views.ts'

/** How an access is made; combine with `|`. */
export const As = {
  /** With the privilege of the running program. */
  PROGRAM: 0,
  /** As the processor itself, which has supervisor rights whatever CPL is. */
  SYSTEM: 1,
  /** Through SS: a non-canonical address is #SS(0). */
  STACK: ACCESS_STACK,
  /** Outside 64-bit mode: held against the limit of the segment that the system instruction's operand is in. */
  SEGMENT: 8,
} as const

/** How a system instruction accesses its memory operand. */
export function operandAs(state: CpuState): number {
  const as = state.i32[Word.SYS_AS]
  return as === 0 || state.long ? as : As.SEGMENT
}

/** The longest window in bytes: what fits between State.BOUNCE and the next field. */
export const WINDOW_BYTES_MAX = 64

export interface LinearParts {
  state: CpuState
  memory: PhysicalMemory
  mmu: Mmu
  debug: DebugRegisters
  host: CpuHost
}

/**
 * Linear memory as the system instructions use it: contiguous windows of a few bytes, wherever the page boundaries are and whether RAM
 * or a device answers. Every access first translates all its pages, so that a fault (thrown as FAULT) leaves memory unchanged.
 *
 * A window is an offset in the Wasm memory, to be used through `state.view` until the next call here: either the RAM itself or
 * State.BOUNCE, where the bytes were put together (`reading`) or wait for `commit` (`writing`).
 */
export class LinearMemory {
  private readonly state: CpuState
  private readonly memory: PhysicalMemory
  private readonly mmu: Mmu
  private readonly debug: DebugRegisters
  private readonly host: CpuHost
  private readonly device = new DataView(new ArrayBuffer(8))
  private stagedLo = 0
  private stagedHi = 0
  private stagedLength = 0
  private stagedAs = 0

  constructor({ state, memory, mmu, debug, host }: LinearParts) {
    this.state = state
    this.memory = memory
    this.mmu = mmu
    this.debug = debug
    this.host = host
  }

  /** A window of up to WINDOW_BYTES_MAX bytes to read from. */
  reading(lo: number, hi: number, length: number, as: number): number {
    if ((as & As.SEGMENT) !== 0) checkOperand(this.state, lo, length, false)
    return thrown(this.tryReading(lo, hi, length, as))
  }

  /** As `reading` without As.SEGMENT, but answers TRANSLATE_FAULT: most faults come here, and to throw one costs a microsecond. */
  tryReading(lo: number, hi: number, length: number, as: number): number {
    const offset = this.locate(lo, hi, Access.READ, as)
    if (offset === TRANSLATE_FAULT) return TRANSLATE_FAULT
    const crosses = (lo & 0xfff) + length > 4096
    const physical = this.devicePhysical()
    if (crosses && this.locateNext(lo, hi, length, Access.READ, as) === TRANSLATE_FAULT) return TRANSLATE_FAULT
    if ((as & As.SYSTEM) === 0) this.debug.note(lo, hi, length, false)
    if (offset >= 0 && !crosses) return offset
    const { u8 } = this.state
    for (let done = 0; done < length;) {
      const step = chunk(lo + done, length - done)
      const from = crosses ? this.locate((lo + done) | 0, carry(lo, hi, done), Access.READ, as) : TRANSLATE_MMIO
      if (from >= 0) u8.copyWithin(State.BOUNCE + done, from, from + step)
      else {
        this.host.mmioRead(crosses ? this.devicePhysical() : physical + done, step, this.device)
        for (let i = 0; i < step; i++) u8[State.BOUNCE + done + i] = this.device.getUint8(i)
      }
      done += step
    }
    return State.BOUNCE
  }

  /** A window of up to WINDOW_BYTES_MAX bytes to write to; the caller fills all of it and calls `commit`. */
  writing(lo: number, hi: number, length: number, as: number): number {
    if ((as & As.SEGMENT) !== 0) checkOperand(this.state, lo, length, true)
    return thrown(this.tryWriting(lo, hi, length, as))
  }

  /** As `writing` without As.SEGMENT, but answers TRANSLATE_FAULT. */
  tryWriting(lo: number, hi: number, length: number, as: number): number {
    // What was staged before and never written (a CMPXCHG that did not match) is not to be carried out now.
    this.stagedLength = 0
    const offset = this.locate(lo, hi, Access.WRITE, as)
    if (offset === TRANSLATE_FAULT) return TRANSLATE_FAULT
    if (this.locateNext(lo, hi, length, Access.WRITE, as) === TRANSLATE_FAULT) return TRANSLATE_FAULT
    if ((as & As.SYSTEM) === 0) this.debug.note(lo, hi, length, true)
    if (offset >= 0 && (lo & 0xfff) + length <= 4096 && this.memory.codePages[(offset - RAM_BASE) >>> 12] === 0) return offset
    this.stage(lo, hi, length, as)
    return State.BOUNCE
  }

  /**
   * As `writing`, for values of `size` bytes that are pushed one after the other: a page fault reports the first push that fails,
   * which is the one at the highest address.
   */
  pushing(lo: number, hi: number, length: number, size: number, as: number): number {
    this.stagedLength = 0
    const top = length - size
    const offset = thrown(this.locate((lo + top) | 0, carry(lo, hi, top), Access.WRITE, as))
    const crosses = (lo & 0xfff) + length > 4096
    if ((as & As.SYSTEM) === 0) this.debug.note(lo, hi, length, true)
    if (offset >= 0 && !crosses && this.memory.codePages[(offset - RAM_BASE) >>> 12] === 0) return offset - top
    if (crosses) {
      const inFirstPage = (0x1000 - (lo & 0xfff)) & -size
      const last = Math.max(0, inFirstPage - size)
      thrown(this.locate((lo + last) | 0, carry(lo, hi, last), Access.WRITE, as))
    }
    this.stage(lo, hi, length, as)
    return State.BOUNCE
  }

  /** Carries out the write that `writing` or `pushing` began. It cannot fault. */
  commit(): void {
    const length = this.stagedLength
    if (length === 0) return
    this.stagedLength = 0
    const { u8 } = this.state
    for (let done = 0; done < length;) {
      const step = chunk(this.stagedLo + done, length - done)
      const to = this.locate((this.stagedLo + done) | 0, carry(this.stagedLo, this.stagedHi, done), Access.WRITE, this.stagedAs)
      if (to >= 0) this.memory.write(to - RAM_BASE, u8.subarray(State.BOUNCE + done, State.BOUNCE + done + step))
      else {
        for (let i = 0; i < step; i++) this.device.setUint8(i, u8[State.BOUNCE + done + i])
        this.host.mmioWrite(this.devicePhysical(), step, this.device)
      }
      done += step
    }
  }

  read16(lo: number, hi: number, as: number): number { return this.state.view.getUint16(this.reading(lo, hi, 2, as), true) }
  /** As i32. */
  read32(lo: number, hi: number, as: number): number { return this.state.view.getInt32(this.reading(lo, hi, 4, as), true) }
  write32(lo: number, hi: number, value: number, as: number): void {
    this.state.view.setInt32(this.writing(lo, hi, 4, as), value, true)
    this.commit()
  }

  private stage(lo: number, hi: number, length: number, as: number): void {
    this.stagedLo = lo
    this.stagedHi = hi
    this.stagedLength = length
    this.stagedAs = as
  }

  /** What Mmu.access answers. */
  private locate(lo: number, hi: number, access: number, as: number): number {
    const user = (as & As.SYSTEM) === 0 && this.state.i32[Word.CPL] === 3
    return this.mmu.access(lo, hi, access | (as & As.STACK), user)
  }

  /** Translates the second page, if there is one (0 if not); it is its first byte that faults. */
  private locateNext(lo: number, hi: number, length: number, access: number, as: number): number {
    if (length > WINDOW_BYTES_MAX) throw new RangeError(`a window of ${length} bytes is longer than ${WINDOW_BYTES_MAX}`)
    const first = 0x1000 - (lo & 0xfff)
    return length > first ? this.locate((lo + first) | 0, carry(lo, hi, first), access, as) : 0
  }

  private devicePhysical(): number {
    const { u32 } = this.state
    return u32[Word.SLOW_PA] + u32[Word.SLOW_PA + 1] * 0x100000000
  }
}

/** Throws the fault that an offset may stand for. */
function thrown(offset: number): number {
  if (offset === TRANSLATE_FAULT) throw FAULT
  return offset
}

/** Bytes up to the next multiple of 8, as a device sees them: naturally aligned, 1, 2, 4 or 8 at a time. */
function chunk(lo: number, left: number): 1 | 2 | 4 | 8 {
  if ((lo & 7) === 0 && left >= 8) return 8
  if ((lo & 3) === 0 && left >= 4) return 4
  return (lo & 1) === 0 && left >= 2 ? 2 : 1
}

/** High half of an address after adding a small offset to its low half. */
function carry(lo: number, hi: number, offset: number): number {
  return (lo >>> 0) + offset > 0xffffffff ? (hi + 1) | 0 : hi
}
