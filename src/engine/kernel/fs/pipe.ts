import { Wait } from '../process/wait.ts'
import { KernelError } from '../syscall/errno.ts'
import type { NodeAttributes } from './node.ts'
import { Node } from './node.ts'
import { OpenFlag } from './open-file.ts'

/** Bytes a pipe holds; writes up to PIPE_ATOMIC_BYTES are never mixed with others (POSIX PIPE_BUF). */
export const PIPE_BYTES = 65536
export const PIPE_ATOMIC_BYTES = 4096
const PIPE_DEVICE = 3

/** A stream of bytes between processes: reading waits for bytes or the last writer's end, writing for room. */
export class Pipe extends Node {
  readonly kind = 'fifo'
  private readonly number: number
  private readonly wake: (channel: string) => void
  private readonly buffer = new Uint8Array(PIPE_BYTES)
  private start = 0
  private length = 0
  private readers = 0
  private writers = 0
  private modifiedNs: number

  /** @param number tells pipes apart: their channels are named after it */
  constructor(number: number, nowNs: number, wake: (channel: string) => void) {
    super()
    this.number = number
    this.modifiedNs = nowNs
    this.wake = wake
  }

  private get readable(): string {
    return `pipe-${this.number}-readable`
  }
  private get writable(): string {
    return `pipe-${this.number}-writable`
  }

  override attributes(): NodeAttributes {
    return {
      inode: this.number,
      kind: this.kind,
      permissions: 0o600,
      links: 1,
      size: this.length,
      modifiedNs: this.modifiedNs,
      device: PIPE_DEVICE,
    }
  }

  override opened(flags: number): void {
    if ((flags & OpenFlag.ACCMODE) === OpenFlag.WRONLY) this.writers++
    else this.readers++
  }

  override closed(flags: number): void {
    if ((flags & OpenFlag.ACCMODE) === OpenFlag.WRONLY) {
      this.writers--
      if (this.writers === 0) this.wake(this.readable)
    } else {
      this.readers--
      if (this.readers === 0) this.wake(this.writable)
    }
  }

  override read(_offset: number, length: number): Uint8Array | Wait {
    if (length === 0) return new Uint8Array(0)
    if (this.length === 0) return this.writers === 0 ? new Uint8Array(0) : new Wait(this.readable)
    const count = Math.min(length, this.length)
    const bytes = new Uint8Array(count)
    const first = Math.min(count, PIPE_BYTES - this.start)
    bytes.set(this.buffer.subarray(this.start, this.start + first))
    bytes.set(this.buffer.subarray(0, count - first), first)
    this.start = (this.start + count) % PIPE_BYTES
    this.length -= count
    this.wake(this.writable)
    return bytes
  }

  /** Throws EPIPE when nobody reads any more; the caller adds SIGPIPE. */
  override write(_offset: number, bytes: Uint8Array, nowNs: number): number | Wait {
    if (this.readers === 0) throw new KernelError('EPIPE')
    const room = PIPE_BYTES - this.length
    if (room === 0 || (bytes.length <= PIPE_ATOMIC_BYTES && bytes.length > room)) return new Wait(this.writable)
    const count = Math.min(bytes.length, room)
    const end = (this.start + this.length) % PIPE_BYTES
    const first = Math.min(count, PIPE_BYTES - end)
    this.buffer.set(bytes.subarray(0, first), end)
    this.buffer.set(bytes.subarray(first, count), 0)
    this.length += count
    this.modifiedNs = nowNs
    this.wake(this.readable)
    return count
  }
}
