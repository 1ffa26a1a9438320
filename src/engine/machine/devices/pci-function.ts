/**
 * One function on the PCI bus: a type 0 configuration header, the address ranges it decodes, its interrupt pin and its right
 * to be a bus master.
 *
 * Source: PCI Local Bus Specification 3.0, sections 6.1 and 6.2.
 */
import type { MmioBus, MmioDevice, PortBus, PortDevice } from '../bus.ts'

/** Registers of the header (figure 6-1), as offsets of their double words. */
export const PciRegister = {
  DEVICE_VENDOR_ID: 0x00,
  STATUS_COMMAND: 0x04,
  CLASS_REVISION: 0x08,
  BIST_HEADER_TYPE: 0x0c,
  BAR0: 0x10,
  BAR5: 0x24,
  SUBSYSTEM_ID: 0x2c,
  INTERRUPT: 0x3c,
} as const

/** Section 6.2.2. */
export const PciCommand = {
  IO_SPACE: 1 << 0,
  MEMORY_SPACE: 1 << 1,
  BUS_MASTER: 1 << 2,
  MEMORY_WRITE_INVALIDATE: 1 << 4,
  PARITY_ERROR_RESPONSE: 1 << 6,
  SERR: 1 << 8,
  INTERRUPT_DISABLE: 1 << 10,
} as const
const COMMAND_WRITABLE = Object.values(PciCommand).reduce((mask, bit) => mask | bit, 0)

/** Section 6.2.3. */
export const PciStatus = { INTERRUPT: 1 << 3, DEVSEL_MEDIUM: 1 << 9, RECEIVED_MASTER_ABORT: 1 << 13 } as const

/** A BAR with this bit maps I/O space (section 6.2.5.1). Memory BARs here are 32-bit and not prefetchable: their low bits are 0. */
const BAR_IO = 1
const ADDRESS_BITS_END = 0x1_0000_0000
const PORTS = 0x10000

export interface PciIdentity {
  /** For warnings. */
  name: string
  vendorId: number
  deviceId: number
  revisionId: number
  /** Base class, sub-class and programming interface, 24 bits. */
  classCode: number
  subsystemVendorId: number
  subsystemId: number
  /** 1 for INTA# to 4 for INTD#, 0 for none. */
  interruptPin: number
}

/** A range that a base address register places: a power of two of bytes, at least 16 in memory and 4 in I/O space. */
export type PciBar = { space: 'memory'; bytes: number; device: MmioDevice } | { space: 'io'; bytes: number; device: PortDevice }

interface Decoder {
  bar: PciBar
  /** As written, without the bits that say what kind it is. */
  base: number
  /** Where it is decoded now. */
  attached: number | undefined
}

export interface PciBoard {
  mmio: MmioBus
  ports: PortBus
  /** The interrupt line that the board wires the function's pin to. */
  setIrq: (high: boolean) => void
  warn: (message: string) => void
}

export class PciFunction {
  /** Called after the command register changed. */
  onCommand: () => void = () => {}
  readonly #identity: PciIdentity
  readonly #board: PciBoard
  readonly #decoders: Decoder[]
  #command = 0
  #masterAbort = false
  #interruptLine = 0
  #interrupt = false

  constructor(identity: PciIdentity, bars: PciBar[], board: PciBoard) {
    this.#identity = identity
    this.#board = board
    this.#decoders = bars.map((bar) => ({ bar, base: 0, attached: undefined }))
  }

  /** Whether it may read and write memory by itself. */
  get busMaster(): boolean {
    return (this.#command & PciCommand.BUS_MASTER) !== 0
  }

  /** A transaction of its own ended because nobody answered. */
  masterAbort(): void {
    this.#masterAbort = true
  }

  /** Asserts or releases its interrupt pin, which is level sensitive. */
  setInterrupt(asserted: boolean): void {
    this.#interrupt = asserted
    this.#driveInterrupt()
  }

  /** The double word at a multiple of four from 0 to 252, unsigned. Registers that are not there read 0 (section 6.1). */
  readConfig(register: number): number {
    const id = this.#identity
    switch (register) {
      case PciRegister.DEVICE_VENDOR_ID:
        return ((id.deviceId << 16) | id.vendorId) >>> 0
      case PciRegister.STATUS_COMMAND:
        return ((this.#status << 16) | this.#command) >>> 0
      case PciRegister.CLASS_REVISION:
        return ((id.classCode << 8) | id.revisionId) >>> 0
      case PciRegister.SUBSYSTEM_ID:
        return ((id.subsystemId << 16) | id.subsystemVendorId) >>> 0
      case PciRegister.INTERRUPT:
        return (id.interruptPin << 8) | this.#interruptLine
    }
    const decoder = this.#decoderAt(register)
    return decoder === undefined ? 0 : (decoder.base | (decoder.bar.space === 'io' ? BAR_IO : 0)) >>> 0
  }

  /** Writes the bytes of a double word that `byteMask` (0xff for each) selects. What is read-only stays. */
  writeConfig(register: number, value: number, byteMask = 0xffffffff): void {
    if (register === PciRegister.STATUS_COMMAND) {
      const writable = COMMAND_WRITABLE & byteMask
      this.#command = (this.#command & ~writable) | (value & writable)
      // Status bits are cleared by writing 1.
      if (((value & byteMask) >>> 16) & PciStatus.RECEIVED_MASTER_ABORT) this.#masterAbort = false
      this.#remap()
      this.#driveInterrupt()
      this.onCommand()
      return
    }
    if (register === PciRegister.INTERRUPT) {
      if ((byteMask & 0xff) !== 0) this.#interruptLine = value & 0xff
      return
    }
    const decoder = this.#decoderAt(register)
    if (decoder === undefined) return
    const written = (decoder.base & ~byteMask) | (value & byteMask)
    // Bits below the size read 0 and cannot be written: so software learns the size.
    decoder.base = (written & ~(decoder.bar.bytes - 1)) >>> 0
    this.#remap()
  }

  get #status(): number {
    return (
      PciStatus.DEVSEL_MEDIUM | (this.#interrupt ? PciStatus.INTERRUPT : 0) | (this.#masterAbort ? PciStatus.RECEIVED_MASTER_ABORT : 0)
    )
  }

  #decoderAt(register: number): Decoder | undefined {
    if (register < PciRegister.BAR0 || register > PciRegister.BAR5) return undefined
    return this.#decoders[(register - PciRegister.BAR0) >> 2]
  }

  #driveInterrupt(): void {
    this.#board.setIrq(this.#interrupt && (this.#command & PciCommand.INTERRUPT_DISABLE) === 0)
  }

  #remap(): void {
    for (const decoder of this.#decoders) {
      const wanted = this.#decodes(decoder) ? decoder.base : undefined
      if (wanted === decoder.attached) continue
      this.#detach(decoder)
      if (wanted !== undefined) this.#attach(decoder, wanted)
    }
  }

  /** A range at 0 is one nobody has placed yet; one that ends at the space's end is software asking for the size. */
  #decodes({ bar, base }: Decoder): boolean {
    const enable = bar.space === 'io' ? PciCommand.IO_SPACE : PciCommand.MEMORY_SPACE
    const end = bar.space === 'io' ? PORTS : ADDRESS_BITS_END
    return (this.#command & enable) !== 0 && base !== 0 && base + bar.bytes < end
  }

  #attach(decoder: Decoder, base: number): void {
    const { bar } = decoder
    try {
      if (bar.space === 'io') this.#board.ports.attach(base, base + bar.bytes - 1, bar.device)
      else this.#board.mmio.attach(base, bar.bytes, bar.device)
      decoder.attached = base
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#board.warn(`${this.#identity.name}: its range is not decoded: ${error.message}`)
    }
  }

  #detach(decoder: Decoder): void {
    if (decoder.attached === undefined) return
    if (decoder.bar.space === 'io') this.#board.ports.detach(decoder.bar.device)
    else this.#board.mmio.detach(decoder.bar.device)
    decoder.attached = undefined
  }
}
