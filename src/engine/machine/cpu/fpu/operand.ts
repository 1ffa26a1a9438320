import { type LinearMemory, operandAs } from '../system/linear.ts'
import { Word } from '../system/views.ts'
import type { CpuState } from '../system/views.ts'

/** Bytes of the largest operand, what FNSAVE stores. */
const BYTES_MAX = 108
/** Bytes moved at a time, no more than a window of linear memory has. */
const STEP = 32

/** The memory operand of the current instruction, at State.SYS_EA, by way of a buffer. */
export class MemoryOperand {
  readonly bytes = new Uint8Array(BYTES_MAX)
  readonly view = new DataView(this.bytes.buffer)
  private readonly state: CpuState
  private readonly linear: LinearMemory
  private hi = 0

  constructor(state: CpuState, linear: LinearMemory) {
    this.state = state
    this.linear = linear
  }

  /** Reads the operand into the buffer. Throws FAULT. */
  load(length: number): DataView {
    for (let at = 0; at < length; at += STEP) {
      const step = Math.min(STEP, length - at)
      const window = this.linear.reading(this.address(at), this.hi, step, this.as)
      this.bytes.set(this.state.u8.subarray(window, window + step), at)
    }
    return this.view
  }

  /** Writes the operand from the buffer, all of it or, throwing FAULT, nothing. */
  store(length: number): void {
    for (const isWriting of length > STEP ? [false, true] : [true])
      for (let at = 0; at < length; at += STEP) {
        const step = Math.min(STEP, length - at)
        const window = this.linear.writing(this.address(at), this.hi, step, this.as)
        if (!isWriting) continue
        this.state.u8.set(this.bytes.subarray(at, at + step), window)
        this.linear.commit()
      }
  }

  private get as(): number {
    return operandAs(this.state)
  }

  /** Low half of the address `offset` bytes into the operand; the high half goes to `hi`. */
  private address(offset: number): number {
    const { i32 } = this.state
    const sum = (i32[Word.SYS_EA] >>> 0) + offset
    this.hi = (i32[Word.SYS_EA + 1] + (sum > 0xffffffff ? 1 : 0)) | 0
    return sum | 0
  }
}
