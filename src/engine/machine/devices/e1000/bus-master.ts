import type { PhysicalMemory } from '../../memory.ts'
import type { PciFunction } from '../pci-function.ts'

/**
 * The controller's reads and writes of memory. An address at which there is no RAM ends in a master abort, as on the bus: what is
 * read is all ones, what is written is lost, the PCI status register remembers, and a warning says it once for each purpose.
 */
export class BusMaster {
  readonly #memory: PhysicalMemory
  readonly #pci: PciFunction
  readonly #warn: (message: string) => void

  constructor(memory: PhysicalMemory, pci: PciFunction, warn: (message: string) => void) {
    this.#memory = memory
    this.#pci = pci
    this.#warn = warn
  }

  /** Whether the command register lets it (PCI 3.0, table 6-1). */
  get enabled(): boolean {
    return this.#pci.busMaster
  }

  /** A copy. */
  read(address: number, length: number, purpose: string): Uint8Array {
    const bytes = new Uint8Array(length)
    const present = this.#present(address, length, purpose)
    bytes.set(this.#memory.read(present === 0 ? 0 : address, present))
    return bytes.fill(0xff, present)
  }

  write(address: number, bytes: Uint8Array, purpose: string): void {
    const present = this.#present(address, bytes.length, purpose)
    if (present > 0) this.#memory.write(address, bytes.subarray(0, present))
  }

  /** How many of the bytes are in RAM. */
  #present(address: number, length: number, purpose: string): number {
    const present = Math.max(0, Math.min(length, this.#memory.bytes - address))
    if (present < length) {
      this.#pci.masterAbort()
      this.#warn(`${purpose}: no memory at physical address 0x${(address + present).toString(16)}; master abort`)
    }
    return present
  }
}
