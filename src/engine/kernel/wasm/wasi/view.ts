import { KernelError } from '../../syscall/errno.ts'
import type { WasmInstance } from '../instance.ts'

/** A module's memory as its host functions see it. Throws EFAULT outside it. Not to be kept: the memory may grow. */
export class GuestView {
  private readonly bytes: Uint8Array
  private readonly view: DataView

  constructor(instance: WasmInstance) {
    const { memory } = instance
    if (memory === null) throw new KernelError('EFAULT')
    this.bytes = memory
    this.view = new DataView(memory.buffer)
  }

  private check(address: number, length: number): number {
    if (address + length > this.bytes.length) throw new KernelError('EFAULT')
    return address
  }

  /** The bytes themselves. */
  range(address: number, length: number): Uint8Array {
    this.check(address, length)
    return this.bytes.subarray(address, address + length)
  }
  text(address: number, length: number): string {
    return new TextDecoder().decode(this.range(address, length).slice())
  }
  getU8(address: number): number {
    return this.bytes[this.check(address, 1)]
  }
  getU16(address: number): number {
    return this.view.getUint16(this.check(address, 2), true)
  }
  getU32(address: number): number {
    return this.view.getUint32(this.check(address, 4), true)
  }
  getU64(address: number): bigint {
    return this.view.getBigUint64(this.check(address, 8), true)
  }
  set(address: number, bytes: Uint8Array): void {
    this.range(address, bytes.length).set(bytes)
  }
  setU8(address: number, value: number): void {
    this.bytes[this.check(address, 1)] = value
  }
  setU16(address: number, value: number): void {
    this.view.setUint16(this.check(address, 2), value, true)
  }
  setU32(address: number, value: number): void {
    this.view.setUint32(this.check(address, 4), value, true)
  }
  setU64(address: number, value: bigint): void {
    this.view.setBigUint64(this.check(address, 8), value, true)
  }
}
