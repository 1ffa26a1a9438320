import { RAM_BASE, RAM_BYTES_MAX } from './cpu/state.ts'

const WASM_PAGE = 65536
export const PAGE_SHIFT = 12
export const PAGE_BYTES = 4096

/**
 * Guest physical memory, in the same WebAssembly.Memory as the processor state.
 *
 * Whoever writes guest memory from TypeScript (a kernel, a device's DMA, a loader) writes through this class, because a
 * write to a page that holds decoded code must be told to the processor. Addresses are guest-physical byte numbers;
 * every access must lie inside RAM and asserts that it does: callers check what a guest handed them.
 */
export class PhysicalMemory {
  readonly wasm: WebAssembly.Memory
  readonly bytes: number
  /** RAM only, address 0 is guest-physical 0. Read freely; write through the methods. */
  readonly ram: Uint8Array
  readonly view: DataView
  /** One byte a physical page, non-zero while decoded code of that page exists. */
  readonly codePages: Uint8Array
  /** Called before a write that touches a page with code. */
  onCodeWrite: (address: number, length: number) => void = () => {}

  /** @param ramBytes a multiple of 4096, from 1 MiB to RAM_BYTES_MAX. Throws RangeError otherwise or when the host has no memory. */
  constructor(ramBytes: number) {
    if (!Number.isInteger(ramBytes) || ramBytes % PAGE_BYTES !== 0 || ramBytes < 1 << 20 || ramBytes > RAM_BYTES_MAX)
      throw new RangeError(
        `machine memory must be a multiple of 4 KiB between 1 MiB and ${RAM_BYTES_MAX / 1048576} MiB, not ${ramBytes} bytes`,
      )
    const pages = Math.ceil((RAM_BASE + ramBytes) / WASM_PAGE)
    this.wasm = new WebAssembly.Memory({ initial: pages, maximum: pages })
    this.bytes = ramBytes
    this.ram = new Uint8Array(this.wasm.buffer, RAM_BASE, ramBytes)
    this.view = new DataView(this.wasm.buffer, RAM_BASE, ramBytes)
    this.codePages = new Uint8Array(ramBytes >>> PAGE_SHIFT)
  }

  /** True when [address, address + length) is RAM. */
  contains(address: number, length: number): boolean {
    return address >= 0 && length >= 0 && address + length <= this.bytes
  }

  /** Called with every range that TypeScript is about to write. */
  private touch(address: number, length: number): void {
    if (!this.contains(address, length))
      throw new RangeError(`physical write of ${length} bytes at 0x${address.toString(16)} is outside RAM`)
    if (length === 0) return
    for (let page = address >>> PAGE_SHIFT, last = (address + length - 1) >>> PAGE_SHIFT; page <= last; page++)
      if (this.codePages[page] !== 0) {
        this.onCodeWrite(address, length)
        return
      }
  }

  read(address: number, length: number): Uint8Array {
    if (!this.contains(address, length))
      throw new RangeError(`physical read of ${length} bytes at 0x${address.toString(16)} is outside RAM`)
    return this.ram.subarray(address, address + length)
  }
  write(address: number, bytes: Uint8Array): void {
    this.touch(address, bytes.length)
    this.ram.set(bytes, address)
  }
  fill(address: number, length: number, value: number): void {
    this.touch(address, length)
    this.ram.fill(value, address, address + length)
  }
  copy(to: number, from: number, length: number): void {
    this.touch(to, length)
    this.ram.copyWithin(to, from, from + length)
  }
  readU8(address: number): number { return this.view.getUint8(address) }
  readU16(address: number): number { return this.view.getUint16(address, true) }
  readU32(address: number): number { return this.view.getUint32(address, true) }
  readU64(address: number): bigint { return this.view.getBigUint64(address, true) }
  writeU8(address: number, value: number): void { this.touch(address, 1); this.view.setUint8(address, value) }
  writeU16(address: number, value: number): void { this.touch(address, 2); this.view.setUint16(address, value, true) }
  writeU32(address: number, value: number): void { this.touch(address, 4); this.view.setUint32(address, value, true) }
  writeU64(address: number, value: bigint): void { this.touch(address, 8); this.view.setBigUint64(address, value, true) }
}
