/**
 * Intel 82540EM Gigabit Ethernet controller ("e1000") as a PCI function.
 *
 * Source: Intel, PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual, order number 317453 ("the manual").
 *
 * What is there: legacy and data transmit descriptors, receive descriptors of every buffer size, all interrupt causes that traffic
 * makes and their delays, address filters, statistics, EEPROM, the transceiver behind MDIC. What is not, and warns by name when it
 * is used: checksum and segmentation offload, VLAN tags, flow control, long packets, loopback, wake-up.
 */
import type { MmioDevice, PortDevice } from '../../bus.ts'
import type { Clock } from '../../clock.ts'
import type { PhysicalMemory } from '../../memory.ts'
import { type PciBoard, PciFunction } from '../pci-function.ts'
import { BusMaster } from './bus-master.ts'
import { Eeprom } from './eeprom.ts'
import { InterruptCauses } from './interrupts.ts'
import { Phy } from './phy.ts'
import { PassiveRegisters } from './passive-registers.ts'
import { Receiver } from './receiver.ts'
import { Cause, Ctrl, Register, type RegisterMap, SPEED_1000, Status } from './registers.ts'
import { Statistics } from './statistics.ts'
import { Transmitter } from './transmitter.ts'
import { FRAME_BYTES_MIN } from './wire.ts'

/** The manual, 4.1 and table 5-1; the subsystem is Intel's PRO/1000 MT desktop adapter. */
const IDENTITY = {
  name: 'e1000',
  vendorId: 0x8086,
  deviceId: 0x100e,
  revisionId: 0x03,
  classCode: 0x020000,
  subsystemVendorId: 0x8086,
  subsystemId: 0x001e,
  interruptPin: 1,
} as const

export const E1000_MEMORY_BYTES = 128 * 1024
export const E1000_IO_BYTES = 64
/** 13.2.2: IOADDR holds the offset of the register that IODATA accesses. */
const Io = { IOADDR: 0, IODATA: 4 } as const

/** 13.4.1: what the EEPROM's defaults leave. */
const CTRL_DEFAULT = Ctrl.FD
const CTRL_REFUSED: readonly (readonly [bit: number, name: string])[] = [
  [Ctrl.RFCE, 'RFCE (receive flow control)'],
  [Ctrl.TFCE, 'TFCE (transmit flow control)'],
  [Ctrl.VME, 'VME (VLAN mode)'],
  [Ctrl.ILOS, 'ILOS (invert loss of signal)'],
]

/** Warnings before the controller falls silent: a guest that sweeps the registers should not drown its console. */
const WARNINGS_MAX = 64
const hex = (value: number): string => `0x${value.toString(16)}`

export interface E1000Options {
  clock: Clock
  memory: PhysicalMemory
  board: PciBoard
  /** Six bytes, not a group address. */
  mac: Uint8Array
}

export class E1000 {
  /** A frame's last bit leaves at `timeNs`, which `clock.nowNs` may have passed. Without FCS, 60 to 1518 bytes. */
  onTransmit: (frame: Uint8Array, timeNs: number) => void = () => {}
  readonly pci: PciFunction
  readonly #causes: InterruptCauses
  readonly #statistics = new Statistics()
  readonly #eeprom: Eeprom
  readonly #phy: Phy
  readonly #receiver: Receiver
  readonly #transmitter: Transmitter
  readonly #passive: PassiveRegisters
  readonly #registers: RegisterMap = new Map()
  readonly #board: PciBoard
  readonly #warned = new Set<string>()
  #ctrl: number = CTRL_DEFAULT
  #cable = true
  #linkUp = false

  /** Throws RangeError when the address is none. */
  constructor({ clock, memory, board, mac }: E1000Options) {
    if (mac.length !== 6 || (mac[0] & 1) !== 0)
      throw new RangeError(`a controller's address is 6 bytes and not a group's, not ${mac.join(':')}`)
    this.#board = board
    const warn = (message: string): void => this.#warn(message)
    this.pci = new PciFunction(
      IDENTITY,
      [
        { space: 'memory', bytes: E1000_MEMORY_BYTES, device: this.#memorySpace() },
        { space: 'io', bytes: E1000_IO_BYTES, device: this.#ioSpace() },
      ],
      board,
    )
    const dma = new BusMaster(memory, this.pci, warn)
    this.#causes = new InterruptCauses(clock, (asserted) => this.pci.setInterrupt(asserted))
    this.#eeprom = new Eeprom({ ...IDENTITY, mac }, warn)
    this.#phy = new Phy(this.#causes, () => this.#cable, warn)
    this.#receiver = new Receiver(clock, dma, this.#causes, this.#statistics, warn)
    const isUp = (): boolean => this.#linkUp
    this.#transmitter = new Transmitter(clock, dma, this.#causes, this.#statistics, warn, {
      get up() {
        return isUp()
      },
      send: (frame, timeNs) => this.onTransmit(frame, timeNs),
    })
    this.#passive = new PassiveRegisters(warn)
    this.#addRegisters()
    this.pci.onCommand = () => {
      this.#receiver.drain()
      this.#transmitter.kick()
    }
    this.#reset()
  }

  /** A frame arrives from the cable: whole, without FCS, 14 bytes or more. Short ones are padded as their sender should have. */
  receive(frame: Uint8Array): void {
    if (frame.length < FRAME_BYTES_MIN) throw new RangeError(`an Ethernet frame has at least ${FRAME_BYTES_MIN} bytes, not ${frame.length}`)
    if (this.#linkUp) this.#receiver.receive(frame)
  }

  /** Plugs the cable in or out. */
  setLink(up: boolean): void {
    this.#transmitter.settle()
    this.#cable = up
    this.#updateLink()
  }

  #addRegisters(): void {
    const registers = this.#registers
    registers.set(Register.CTRL, { name: 'CTRL', read: () => this.#ctrl >>> 0, write: (value) => this.#writeCtrl(value) })
    registers.set(Register.STATUS, { name: 'STATUS', read: () => this.#status })
    this.#eeprom.addTo(registers)
    this.#phy.addTo(registers)
    this.#causes.addTo(registers)
    this.#receiver.addTo(registers)
    this.#transmitter.addTo(registers)
    this.#statistics.addTo(registers)
    this.#passive.addTo(registers)
  }

  /** CTRL.RST, or power: everything but the PCI header and the transceiver. */
  #reset(): void {
    this.#ctrl = CTRL_DEFAULT
    this.#causes.reset()
    this.#statistics.reset()
    this.#eeprom.reset()
    this.#receiver.reset()
    this.#receiver.filter.reset(this.#eeprom.words)
    this.#transmitter.reset()
    this.#passive.reset()
    this.#linkUp = false
  }

  #writeCtrl(value: number): void {
    if ((value & Ctrl.PHY_RST) !== 0) this.#phy.reset()
    if ((value & Ctrl.RST) !== 0) return this.#reset()
    for (const [bit, name] of CTRL_REFUSED)
      if ((value & bit) !== 0 && (this.#ctrl & bit) === 0) this.#warn(`CTRL.${name} is not implemented and has no effect`)
    if ((value & Ctrl.FRCSPD) !== 0 && ((value >>> Ctrl.SPEED_SHIFT) & 3) !== SPEED_1000)
      this.#warn('CTRL.FRCSPD: the link runs at 1000 Mb/s only')
    this.#ctrl = value & ~Ctrl.PHY_RST
    this.#updateLink()
  }

  /** The link is up with a cable plugged in, once software let the MAC see it (13.4.1, SLU). */
  #updateLink(): void {
    const up = this.#cable && (this.#ctrl & Ctrl.SLU) !== 0
    if (up === this.#linkUp) return
    this.#linkUp = up
    this.#causes.raise(Cause.LSC)
    if (up) this.#transmitter.kick()
  }

  get #status(): number {
    return Status.FD | (this.#linkUp ? Status.LU : 0) | (SPEED_1000 << Status.SPEED_SHIFT) | (SPEED_1000 << Status.ASDV_SHIFT)
  }

  #read(offset: number): number {
    this.#transmitter.settle()
    const register = this.#registers.get(offset)
    if (register?.read !== undefined) return register.read() >>> 0
    this.#warn(`register ${register?.name ?? 'without a name'} at ${hex(offset)} is not implemented: it reads 0`)
    return 0
  }

  #write(offset: number, value: number): void {
    this.#transmitter.settle()
    const register = this.#registers.get(offset)
    if (register?.write !== undefined) return register.write(value)
    const why = register === undefined ? 'is not implemented' : 'cannot be written'
    this.#warn(`register ${register?.name ?? 'without a name'} at ${hex(offset)} ${why}: ${hex(value)} ignored`)
  }

  /** Registers are accessed as whole double words (13.1); the bus splits a wider access and shows parts of one to a narrower read. */
  #memorySpace(): MmioDevice {
    return {
      name: IDENTITY.name,
      readMmio: (offset, size, into) => {
        const aligned = offset & ~3
        if (size === 8) {
          into.setUint32(0, this.#read(aligned), true)
          into.setUint32(4, this.#read(aligned + 4), true)
        } else {
          const value = this.#read(aligned) >>> ((offset & 3) * 8)
          if (size === 4) into.setUint32(0, value, true)
          else if (size === 2) into.setUint16(0, value & 0xffff, true)
          else into.setUint8(0, value & 0xff)
        }
      },
      writeMmio: (offset, size, from) => {
        if ((offset & 3) !== 0 || size < 4)
          return this.#warn(`a write of ${size} bytes at ${hex(offset)} is no whole register: ignored`)
        this.#write(offset, from.getUint32(0, true))
        if (size === 8) this.#write(offset + 4, from.getUint32(4, true))
      },
    }
  }

  #ioSpace(): PortDevice {
    let address = 0
    return {
      name: `${IDENTITY.name} I/O space`,
      widthMax: 4,
      readPort: (port, size) => {
        const register = port & (E1000_IO_BYTES - 1)
        if (size === 4 && register === Io.IOADDR) return address
        if (size === 4 && register === Io.IODATA && address < E1000_MEMORY_BYTES) return this.#read(address & ~3)
        this.#warn(`a read of ${size} bytes at ${hex(register)} of the I/O space is no whole register: it reads 0`)
        return 0
      },
      writePort: (port, size, value) => {
        const register = port & (E1000_IO_BYTES - 1)
        if (size === 4 && register === Io.IOADDR) address = value
        else if (size === 4 && register === Io.IODATA && address < E1000_MEMORY_BYTES) this.#write(address & ~3, value)
        else this.#warn(`a write of ${size} bytes at ${hex(register)} of the I/O space is no whole register: ignored`)
      },
    }
  }

  /** Each sentence once. */
  #warn(message: string): void {
    if (this.#warned.has(message) || this.#warned.size >= WARNINGS_MAX) return
    this.#warned.add(message)
    this.#board.warn(`e1000: ${message}`)
  }
}
