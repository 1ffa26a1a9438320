/**
 * PCI configuration mechanism #1 over a bus without functions, and the reset control register that chipsets put beside it.
 *
 * Source: PCI Local Bus Specification 3.0, section 3.2.2.3.2; Intel 82371SB (PIIX3) data sheet, order number 290550-002,
 * section 2.5.4 (RC).
 */
import type { PortDevice } from '../bus.ts'

export const PCI_CONFIG_ADDRESS_PORT = 0xcf8
export const PCI_CONFIG_DATA_PORT = 0xcfc
const RESET_CONTROL_PORT = 0xcf9

/** CONFIG_ADDRESS: enable, bus 23–16, device 15–11, function 10–8, register 7–2. */
const CONFIG_ADDRESS_WRITABLE = 0x80fffffc
const Rc = { SRST: 1 << 1, RCPU: 1 << 2, WRITABLE: 0x06 } as const

export class PciConfiguration implements PortDevice {
  readonly name = 'PCI configuration'
  readonly widthMax = 4
  readonly #reset: () => void
  #address = 0
  #resetControl = 0

  constructor(reset: () => void) {
    this.#reset = reset
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    if (port === PCI_CONFIG_ADDRESS_PORT && size === 4) return this.#address
    if (port === RESET_CONTROL_PORT && size === 1) return this.#resetControl
    // Nobody claims the cycle: the bridge ends it with a master abort, which reads all ones.
    return size === 4 ? 0xffffffff : (1 << (size * 8)) - 1
  }

  /** Only a whole double word reaches CONFIG_ADDRESS; narrower cycles there are ordinary I/O. */
  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port === PCI_CONFIG_ADDRESS_PORT && size === 4) this.#address = (value & CONFIG_ADDRESS_WRITABLE) >>> 0
    else if (port === RESET_CONTROL_PORT && size === 1) {
      const rises = (value & Rc.RCPU) !== 0 && (this.#resetControl & Rc.RCPU) === 0
      this.#resetControl = value & Rc.WRITABLE
      if (rises) this.#reset()
    }
  }
}
