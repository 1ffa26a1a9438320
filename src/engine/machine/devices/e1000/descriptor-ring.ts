import type { RegisterMap } from './registers.ts'

export const DESCRIPTOR_BYTES = 16
/** Length registers hold multiples of 128 bytes in bits 19 to 7, so a ring has 65,528 descriptors at most. */
const LENGTH_MASK = 0xfff80
const TWO_32 = 2 ** 32

export interface RingRegisters {
  BAL: number
  BAH: number
  LEN: number
  H: number
  T: number
}

/**
 * A ring of descriptors in memory and the five registers that say where (the manual, 3.2.6 and 3.4): those from head to tail, tail
 * excluded, belong to the controller, and none do when the two are equal.
 */
export class DescriptorRing {
  readonly #prefix: string
  readonly #warn: (message: string) => void
  #low = 0
  #high = 0
  #length = 0
  #head = 0
  #tail = 0

  /** @param prefix of the register names: RD or TD */
  constructor(prefix: string, warn: (message: string) => void) {
    this.#prefix = prefix
    this.#warn = warn
  }

  reset(): void {
    this.#low = 0
    this.#high = 0
    this.#length = 0
    this.#head = 0
    this.#tail = 0
  }

  /** @param onTail called after the tail was written */
  addTo(registers: RegisterMap, offsets: RingRegisters, onTail: () => void): void {
    const name = (suffix: string): string => this.#prefix + suffix
    registers.set(offsets.BAL, { name: name('BAL'), read: () => this.#low, write: (value) => (this.#low = (value & ~15) >>> 0) })
    registers.set(offsets.BAH, { name: name('BAH'), read: () => this.#high, write: (value) => (this.#high = value) })
    registers.set(offsets.LEN, { name: name('LEN'), read: () => this.#length, write: (value) => (this.#length = value & LENGTH_MASK) })
    registers.set(offsets.H, { name: name('H'), read: () => this.#head, write: (value) => (this.#head = value & 0xffff) })
    registers.set(offsets.T, {
      name: name('T'),
      read: () => this.#tail,
      write: (value) => {
        this.#tail = value & 0xffff
        onTail()
      },
    })
  }

  get size(): number {
    return this.#length / DESCRIPTOR_BYTES
  }

  /** Descriptors that belong to the controller. A head or tail outside the ring gives it none, and warns. */
  get available(): number {
    const { size } = this
    if (this.#head === this.#tail) return 0
    if (this.#head >= size || this.#tail >= size) {
      this.#warn(
        `${this.#prefix}H ${this.#head} or ${this.#prefix}T ${this.#tail} lies outside the ring of ${size} descriptors, which stands still`,
      )
      return 0
    }
    return (this.#tail - this.#head + size) % size
  }

  /** Physical address of the descriptor at the head. */
  get headAddress(): number {
    return this.#high * TWO_32 + this.#low + this.#head * DESCRIPTOR_BYTES
  }

  /** Gives the descriptor at the head back to software. */
  advance(): void {
    this.#head = this.#head + 1 >= this.size ? 0 : this.#head + 1
  }
}
