import { SegmentAttribute, SegmentIndex } from '../state.ts'
import { As, type LinearMemory } from './linear.ts'
import { type CpuState, Word } from './views.ts'

/** The current stack, as wide as the mode makes it: RSP in 64-bit mode, else ESP or SP in SS. */
export class Stack {
  private readonly state: CpuState
  private readonly linear: LinearMemory

  constructor(state: CpuState, linear: LinearMemory) {
    this.state = state
    this.linear = linear
  }

  /** A window on bytes above the top of the stack, without popping them. */
  peek(offset: number, length: number): number {
    const { state } = this
    const { i32 } = state
    if (state.long) {
      const at = (i32[Word.RSP] >>> 0) + offset
      return this.linear.reading(at | 0, at > 0xffffffff ? (i32[Word.RSP + 1] + 1) | 0 : i32[Word.RSP + 1], length, As.PROGRAM | As.STACK)
    }
    const at = state.baseLo(SegmentIndex.SS) + ((i32[Word.RSP] + offset) & this.mask())
    return this.linear.reading(at | 0, 0, length, As.PROGRAM | As.STACK)
  }

  /** Adds to the stack pointer, by at most 2^16. */
  release(bytes: number): void {
    const { i32 } = this.state
    const lo = i32[Word.RSP]
    if (this.state.long) {
      const sum = (lo >>> 0) + bytes
      i32[Word.RSP] = sum
      if (sum > 0xffffffff) i32[Word.RSP + 1]++
      else if (sum < 0) i32[Word.RSP + 1]--
    } else {
      const mask = this.mask()
      this.state.setRsp((lo & ~mask) | ((lo + bytes) & mask), 0)
    }
  }

  /** A window below the top of the stack, for values of `size` bytes. The caller fills it, commits it and then calls `release(-length)`. */
  beginPush(length: number, size: number): number {
    const { state } = this
    const { i32 } = state
    if (state.long) {
      const at = (i32[Word.RSP] >>> 0) - length
      return this.linear.pushing(at | 0, at < 0 ? (i32[Word.RSP + 1] - 1) | 0 : i32[Word.RSP + 1], length, size, As.PROGRAM | As.STACK)
    }
    const at = state.baseLo(SegmentIndex.SS) + ((i32[Word.RSP] - length) & this.mask())
    return this.linear.pushing(at | 0, 0, length, size, As.PROGRAM | As.STACK)
  }

  /** Pushes one value of 2, 4 or 8 bytes. */
  push(lo: number, hi: number, size: number): void {
    putSized(this.state.view, this.beginPush(size, size), lo, hi, size)
    this.linear.commit()
    this.release(-size)
  }

  private mask(): number {
    return (this.state.attributes(SegmentIndex.SS) & SegmentAttribute.DB) !== 0 ? -1 : 0xffff
  }
}

/** Low half, zero-extended, of a value of 2, 4 or 8 bytes. */
export function loSized(view: DataView, at: number, size: number): number {
  return size === 2 ? view.getUint16(at, true) : view.getInt32(at, true)
}
/** High half of a value of 2, 4 or 8 bytes. */
export function hiSized(view: DataView, at: number, size: number): number {
  return size === 8 ? view.getInt32(at + 4, true) : 0
}
export function putSized(view: DataView, at: number, lo: number, hi: number, size: number): void {
  if (size === 2) view.setInt16(at, lo, true)
  else {
    view.setInt32(at, lo, true)
    if (size === 8) view.setInt32(at + 4, hi, true)
  }
}
