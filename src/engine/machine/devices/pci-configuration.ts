/**
 * PCI configuration mechanism #1 over bus 0, and the reset control register that chipsets put beside it.
 *
 * Source: PCI Local Bus Specification 3.0, section 3.2.2.3.2; Intel 82371SB (PIIX3) data sheet, order number 290550-002,
 * section 2.5.4 (RC).
 */
import type { PortDevice } from '../bus.ts'
import type { PciFunction } from './pci-function.ts'

export const PCI_CONFIG_ADDRESS_PORT = 0xcf8
export const PCI_CONFIG_DATA_PORT = 0xcfc
const RESET_CONTROL_PORT = 0xcf9

/** CONFIG_ADDRESS: enable, bus 23–16, device 15–11, function 10–8, register 7–2. */
const CONFIG_ADDRESS_WRITABLE = 0x80fffffc
const CONFIG_ADDRESS_ENABLE = 0x80000000
const DEVICES = 32
const FUNCTIONS = 8
const Rc = { SRST: 1 << 1, RCPU: 1 << 2, WRITABLE: 0x06 } as const

export class PciConfiguration implements PortDevice {
  readonly name = 'PCI configuration'
  readonly widthMax = 4
  readonly #reset: () => void
  /** By device × 8 + function. */
  readonly #functions = new Map<number, PciFunction>()
  #address = 0
  #resetControl = 0

  constructor(reset: () => void) {
    this.#reset = reset
  }

  /** Puts a function on bus 0. Throws RangeError when its place is taken or is none. */
  attach(device: number, index: number, pciFunction: PciFunction): void {
    const place = device * FUNCTIONS + index
    if (!(device >= 0 && device < DEVICES && index >= 0 && index < FUNCTIONS) || this.#functions.has(place))
      throw new RangeError(`PCI function 00:${device.toString(16).padStart(2, '0')}.${index} is taken or out of range`)
    this.#functions.set(place, pciFunction)
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    if (port === PCI_CONFIG_ADDRESS_PORT && size === 4) return this.#address
    if (port === RESET_CONTROL_PORT && size === 1) return this.#resetControl
    const allOnes = size === 4 ? 0xffffffff : (1 << (size * 8)) - 1
    const selected = this.#selected(port, size)
    // Nobody claims the cycle: the bridge ends it with a master abort, which reads all ones.
    if (selected === undefined) return allOnes
    return ((selected.readConfig(this.#address & 0xfc) >>> ((port & 3) * 8)) & allOnes) >>> 0
  }

  /** Only a whole double word reaches CONFIG_ADDRESS; narrower cycles there are ordinary I/O. */
  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    if (port === PCI_CONFIG_ADDRESS_PORT && size === 4) this.#address = (value & CONFIG_ADDRESS_WRITABLE) >>> 0
    else if (port === RESET_CONTROL_PORT && size === 1) {
      const rises = (value & Rc.RCPU) !== 0 && (this.#resetControl & Rc.RCPU) === 0
      this.#resetControl = value & Rc.WRITABLE
      if (rises) this.#reset()
    } else {
      const shift = (port & 3) * 8
      const byteMask = (size === 4 ? 0xffffffff : (1 << (size * 8)) - 1) << shift
      this.#selected(port, size)?.writeConfig(this.#address & 0xfc, value << shift, byteMask)
    }
  }

  /** Whom an access to CONFIG_DATA reaches: it must stay within the double word. */
  #selected(port: number, size: number): PciFunction | undefined {
    if (port < PCI_CONFIG_DATA_PORT || (port & 3) + size > 4 || (this.#address & CONFIG_ADDRESS_ENABLE) === 0) return undefined
    const bus = (this.#address >>> 16) & 0xff
    return bus === 0 ? this.#functions.get((this.#address >>> 8) & 0xff) : undefined
  }
}
