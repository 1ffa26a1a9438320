import { Gpr, SegmentAttribute, SegmentIndex } from '../state.ts'
import { checkSegment } from './limits.ts'
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
    const from = (i32[Word.RSP] + offset) & this.mask()
    checkSegment(state, SegmentIndex.SS, from, length, false)
    const at = state.baseLo(SegmentIndex.SS) + from
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

  /**
   * A window below the top of the stack, for values of `size` bytes. The caller fills it, commits it and then calls `release(-length)`.
   * @param below how far below the top it begins
   */
  beginPush(length: number, size: number, below = length): number {
    const { state } = this
    const { i32 } = state
    if (state.long) {
      const at = (i32[Word.RSP] >>> 0) - below
      return this.linear.pushing(at | 0, at < 0 ? (i32[Word.RSP + 1] - 1) | 0 : i32[Word.RSP + 1], length, size, As.PROGRAM | As.STACK)
    }
    const to = (i32[Word.RSP] - below) & this.mask()
    checkSegment(state, SegmentIndex.SS, to, length, true)
    const at = state.baseLo(SegmentIndex.SS) + to
    return this.linear.pushing(at | 0, 0, length, size, As.PROGRAM | As.STACK)
  }

  /** Pushes one value of 2, 4 or 8 bytes. */
  push(lo: number, hi: number, size: number): void {
    putSized(this.state.view, this.beginPush(size, size), lo, hi, size)
    this.linear.commit()
    this.release(-size)
  }

  /**
   * ENTER with nesting levels (SDM vol. 2): pushes rBP, the frame pointers of the enclosing levels and the new one, and makes room.
   * Throws FAULT with nothing changed but memory below the stack.
   */
  enter(bytes: number, levels: number, size: number): void {
    const { state } = this
    const { view } = state
    const old = [state.gprLo(Gpr.RSP), state.gprHi(Gpr.RSP)] as const
    try {
      this.push(state.gprLo(Gpr.RBP), state.gprHi(Gpr.RBP), size)
      const frame = [state.gprLo(Gpr.RSP), state.gprHi(Gpr.RSP)] as const
      for (let level = 1; level < levels; level++) {
        const at = this.displayAt(level * size, size)
        this.push(loSized(view, at, size), hiSized(view, at, size), size)
      }
      this.push(frame[0], frame[1], size)
      this.release(-bytes)
      // Where a push at the new top would fault, ENTER does.
      this.beginPush(size, size, 0)
      state.setGprSized(Gpr.RBP, frame[0], frame[1], size)
    } catch (thrown) {
      state.setRsp(old[0], old[1])
      throw thrown
    }
  }

  /** A window on a frame pointer so many bytes below rBP. */
  private displayAt(offset: number, size: number): number {
    const { state } = this
    const lo = state.gprLo(Gpr.RBP)
    if (state.long) {
      const at = (lo >>> 0) - offset
      return this.linear.reading(at | 0, at < 0 ? (state.gprHi(Gpr.RBP) - 1) | 0 : state.gprHi(Gpr.RBP), size, As.PROGRAM | As.STACK)
    }
    const from = (lo - offset) & this.mask()
    checkSegment(state, SegmentIndex.SS, from, size, false)
    return this.linear.reading((state.baseLo(SegmentIndex.SS) + from) | 0, 0, size, As.PROGRAM | As.STACK)
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
