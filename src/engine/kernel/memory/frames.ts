import type { PhysicalMemory } from '../../machine/memory.ts'
import { PAGE_BYTES } from '../arch/layout.ts'
import type { MemoryRange } from '../arch/multiboot.ts'
import { KernelError } from '../syscall/errno.ts'

/** Frames kept back from promises so that the page tables of promised pages find room: one in 512, and a few. */
const tableAllowance = (pages: number): number => (pages >> 9) + 4

/**
 * The physical page allocator: a reference count for every frame and a stack of free ones.
 *
 * Memory can be promised before it is touched (`promise`): a mapping that succeeded will find its frames. Frames are named
 * by their physical address. `allocate` throws ENOMEM, which is a program's problem and never the kernel's.
 */
export class FrameAllocator {
  private readonly memory: PhysicalMemory
  private readonly references: Uint16Array
  /** Free frame numbers; the top is handed out next. */
  private readonly stack: Uint32Array
  private depth = 0
  private promised = 0
  /** Frames that were ever handed to this allocator. */
  total = 0

  constructor(memory: PhysicalMemory) {
    this.memory = memory
    this.references = new Uint16Array(memory.bytes / PAGE_BYTES)
    this.stack = new Uint32Array(memory.bytes / PAGE_BYTES)
  }

  /** Free frames, promised ones included. */
  get free(): number {
    return this.depth
  }

  /** Frames that may still be allocated without a promise. */
  get available(): number {
    return this.depth - this.promised
  }

  /** Takes whole frames inside `range` in, except those that touch one of `except`. Higher addresses are handed out later. */
  add(range: MemoryRange, except: readonly MemoryRange[] = []): void {
    const first = Math.ceil(range.start / PAGE_BYTES)
    const last = Math.floor(Math.min(range.end, this.memory.bytes) / PAGE_BYTES) - 1
    const excepted = new Uint8Array(Math.max(0, last + 1 - first))
    const inRange = (frame: number): number => Math.min(Math.max(frame - first, 0), excepted.length)
    for (const { start, end } of except)
      excepted.fill(1, inRange(Math.floor(start / PAGE_BYTES)), inRange(Math.ceil(end / PAGE_BYTES)))
    for (let frame = last; frame >= first; frame--) {
      if (excepted[frame - first] === 1) continue
      this.stack[this.depth++] = frame
      this.total++
    }
  }

  /** A zeroed frame with one reference. With `promise` it is one that was promised. */
  allocate(promise = false): number {
    if (promise ? this.depth === 0 : this.depth <= this.promised) throw new KernelError('ENOMEM')
    if (promise) this.promised--
    const frame = this.stack[--this.depth]
    if (this.references[frame] !== 0) throw new Error(`free frame ${frame} has ${this.references[frame]} references`)
    this.references[frame] = 1
    const address = frame * PAGE_BYTES
    this.memory.fill(address, PAGE_BYTES, 0)
    return address
  }

  /** One more reference to an allocated frame: a page that two address spaces share. */
  retain(address: number): void {
    const frame = address / PAGE_BYTES
    if (!Number.isInteger(frame) || this.references[frame] === 0)
      throw new Error(`frame 0x${address.toString(16)} shared but not allocated`)
    this.references[frame]++
  }

  /** Drops one reference; the last one frees the frame. */
  release(address: number): void {
    const frame = address / PAGE_BYTES
    if (!Number.isInteger(frame) || this.references[frame] === 0)
      throw new Error(`frame 0x${address.toString(16)} released but not allocated`)
    if (--this.references[frame] === 0) this.stack[this.depth++] = frame
  }

  /** References to a frame, 0 for a free one. */
  referenceCount(address: number): number {
    return this.references[address / PAGE_BYTES]
  }

  /** Sets `pages` free frames aside for `allocate(true)`. Throws ENOMEM when there are not enough. */
  promise(pages: number): void {
    if (pages + tableAllowance(pages) > this.available) throw new KernelError('ENOMEM')
    this.promised += pages
  }

  /** Takes back one promise that `allocate(true)` redeemed for a frame which was released unused. */
  renew(): void {
    this.promised++
  }

  /** Gives back promises that were not used. */
  withdraw(pages: number): void {
    if (pages > this.promised) throw new Error(`${pages} promised frames withdrawn of ${this.promised}`)
    this.promised -= pages
  }
}
