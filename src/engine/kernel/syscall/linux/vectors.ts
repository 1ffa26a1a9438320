import { Wait } from '../../process/wait.ts'
import type { Call, Result } from '../context.ts'
import { KernelError } from '../errno.ts'

/** Elements of one readv or writev, as Linux bounds them. */
const VECTORS_MAX = 1024
/** `struct iovec`: address and length, two u64. */
const VECTOR_BYTES = 16
const TRANSFER_BYTES_MAX = 0x7ffff000

type Transfer = (call: Call, fd: number, buffer: number, length: number) => Result

export interface Vector {
  base: number
  length: number
}

/** An array of `struct iovec`. Throws EINVAL, EFAULT. */
export function readVectors(call: Call, vectors: number, count: number): Vector[] {
  if (count < 0 || count > VECTORS_MAX) throw new KernelError('EINVAL')
  const view = new DataView(call.process.memory.copyIn(vectors, count * VECTOR_BYTES).buffer)
  return Array.from({ length: count }, (_, index) => ({
    base: Number(view.getBigUint64(index * VECTOR_BYTES, true)), length: Number(view.getBigUint64(index * VECTOR_BYTES + 8, true)),
  }))
}

/**
 * readv and writev as a series of reads or writes. What is done so far is kept in the call's state, so that a call that had to wait goes
 * on where it was. Stops at the first element that was not filled.
 */
export function transferVectors(call: Call, transfer: Transfer, fd: number, vectors: number, count: number): Result {
  let skipped = 0
  for (const { base, length } of readVectors(call, vectors, count)) {
    if (skipped + length > TRANSFER_BYTES_MAX) throw new KernelError('EINVAL')
    const done = call.state.progress - skipped
    skipped += length
    if (done >= length) continue
    const part = { ...call, state: { ...call.state, progress: done } }
    let result: Result
    try {
      result = transfer(part, fd, base, length)
    } catch (error) {
      if (error instanceof KernelError && call.state.progress > 0) return call.state.progress
      throw error
    }
    if (call.process.state === 'zombie') return 0
    if (result instanceof Wait) {
      call.state.progress += part.state.progress - done
      return call.state.progress > 0 && result.deadlineNs === Infinity ? call.state.progress : result
    }
    call.state.progress += result - done
    if (result < length) break
  }
  return call.state.progress
}
