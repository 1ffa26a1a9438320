import { PAGE_BYTES } from '../arch/layout.ts'
import type { KernelMachine } from '../machine-port.ts'
import type { FrameAllocator } from '../memory/frames.ts'
import type { NetDevice } from '../net/link/device.ts'
import { macFromBytes } from '../net/wire/address.ts'
import type { PciFunction } from './pci.ts'
import { enablePciFunction, findPciFunction } from './pci.ts'

/**
 * Driver of the Intel 82540EM (PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual, order number 317453;
 * initialisation is chapter 14, registers are chapter 13). Rings and buffers are frames of guest memory, which the chip reads and
 * writes by itself.
 */
const VENDOR_ID = 0x8086
const DEVICE_ID = 0x100e

const Register = {
  CTRL: 0x0000, STATUS: 0x0008, ICR: 0x00c0, IMS: 0x00d0, IMC: 0x00d8, RCTL: 0x0100, TCTL: 0x0400, TIPG: 0x0410,
  RDBAL: 0x2800, RDBAH: 0x2804, RDLEN: 0x2808, RDH: 0x2810, RDT: 0x2818,
  TDBAL: 0x3800, TDBAH: 0x3804, TDLEN: 0x3808, TDH: 0x3810, TDT: 0x3818,
  MTA: 0x5200, RAL: 0x5400, RAH: 0x5404,
} as const
const Ctrl = { ASDE: 1 << 5, SLU: 1 << 6, RST: 1 << 26 } as const
const STATUS_LINK_UP = 1 << 1
const Cause = { TXDW: 1 << 0, LSC: 1 << 2, RXDMT0: 1 << 4, RXO: 1 << 6, RXT0: 1 << 7 } as const
const CAUSES = Cause.TXDW | Cause.LSC | Cause.RXDMT0 | Cause.RXO | Cause.RXT0
/** Enabled; broadcasts accepted; buffers of 2048 bytes; FCS stripped. */
const RCTL = (1 << 1) | (1 << 15) | (1 << 26)
/** Enabled; short packets padded; collision threshold and distance as 13.4.33 recommends for full duplex. */
const TCTL = (1 << 1) | (1 << 3) | (0x0f << 4) | (0x40 << 12)
/** IPGT, IPGR1 and IPGR2 as table 13-77 recommends for copper. */
const TIPG = 10 | (8 << 10) | (6 << 20)
const MTA_REGISTERS = 128

/** Both formats have 16 bytes: the buffer's address, its length at 8, command at 11 (transmit), status at 12 (3.2.3, 3.3.3). */
const DESCRIPTOR_BYTES = 16
const Descriptor = { ADDRESS: 0, LENGTH: 8, COMMAND: 11, STATUS: 12, ERRORS: 13 } as const
const TransmitCommand = { EOP: 1 << 0, IFCS: 1 << 1, RS: 1 << 3 } as const
const DescriptorStatus = { DD: 1 << 0, EOP: 1 << 1 } as const

/** A ring's length is a multiple of 128 bytes (13.4.27): of 8 descriptors. */
export const RECEIVE_DESCRIPTORS = 64
export const TRANSMIT_DESCRIPTORS = 32
const BUFFER_BYTES = 2048

/** Descriptors in one page, and where their buffers are. */
class Ring {
  readonly base: number
  readonly count: number
  private readonly buffers: readonly number[]

  constructor(base: number, buffers: readonly number[]) {
    this.base = base
    this.count = buffers.length
    this.buffers = buffers
  }

  descriptor(index: number): number {
    return this.base + index * DESCRIPTOR_BYTES
  }
  buffer(index: number): number {
    return this.buffers[index]
  }
  after(index: number): number {
    return (index + 1) % this.count
  }
}

export interface E1000Events {
  /** The cable was plugged in or out. */
  link(up: boolean): void
}

export class E1000Driver implements NetDevice {
  readonly mac: number
  readonly irq: number
  onReceive: (frame: Uint8Array) => void = () => {}
  onWritable: () => void = () => {}
  private readonly machine: KernelMachine
  private readonly pci: PciFunction
  private readonly events: E1000Events
  private readonly receiveRing: Ring
  private readonly transmitRing: Ring
  /** The descriptor that the chip fills next. */
  private receiveNext = 0
  /** The descriptor that the next frame goes into, and the oldest one that the chip has not given back. */
  private transmitNext = 0
  private transmitOldest = 0
  private isLinkUp = false
  /** A frame was refused since there was room last. */
  private refused = false

  /** Resets the chip and starts it. Throws KernelError ENOMEM. */
  constructor(machine: KernelMachine, pci: PciFunction, frames: FrameAllocator, events: E1000Events) {
    this.machine = machine
    this.pci = pci
    this.events = events
    this.irq = pci.interruptLine
    this.receiveRing = allocateRing(frames, RECEIVE_DESCRIPTORS)
    this.transmitRing = allocateRing(frames, TRANSMIT_DESCRIPTORS)
    enablePciFunction(machine.ports, pci)
    this.write(Register.IMC, 0xffffffff)
    this.write(Register.CTRL, Ctrl.RST)
    this.write(Register.IMC, 0xffffffff)
    this.read(Register.ICR)
    this.mac = this.stationAddress()
    for (let index = 0; index < MTA_REGISTERS; index++) this.write(Register.MTA + index * 4, 0)
    this.startReceiver()
    this.startTransmitter()
    this.write(Register.IMS, CAUSES)
    this.write(Register.CTRL, Ctrl.ASDE | Ctrl.SLU)
    this.isLinkUp = this.linkStatus()
  }

  /** `00:03.0`, as lspci writes it. */
  get place(): string {
    return `00:${this.pci.device.toString(16).padStart(2, '0')}.0`
  }

  /** Without a link a frame is lost, as on a cable that leads nowhere. */
  transmit(frame: Uint8Array): boolean {
    if (!this.isLinkUp) return true
    if (frame.length > BUFFER_BYTES) throw new RangeError(`a frame of ${frame.length} bytes does not fit a buffer of ${BUFFER_BYTES}`)
    const { memory } = this.machine
    const ring = this.transmitRing
    const index = this.transmitNext
    const next = ring.after(index)
    // One descriptor stays free: a full ring would look like an empty one to the chip (3.4).
    if (next === this.transmitOldest) this.reclaim()
    if (next === this.transmitOldest) {
      this.refused = true
      return false
    }
    const descriptor = ring.descriptor(index)
    memory.write(ring.buffer(index), frame)
    memory.writeU32(descriptor + Descriptor.ADDRESS, ring.buffer(index))
    memory.writeU32(descriptor + Descriptor.ADDRESS + 4, 0)
    memory.writeU32(descriptor + Descriptor.LENGTH, frame.length)
    memory.writeU32(descriptor + Descriptor.STATUS, 0)
    memory.writeU8(descriptor + Descriptor.COMMAND, TransmitCommand.EOP | TransmitCommand.IFCS | TransmitCommand.RS)
    this.transmitNext = next
    this.write(Register.TDT, next)
    return true
  }

  /** The interrupt handler. Reading ICR releases the line (13.4.17). */
  interrupt(): void {
    const causes = this.read(Register.ICR)
    if ((causes & Cause.LSC) !== 0) this.checkLink()
    if ((causes & (Cause.RXT0 | Cause.RXO | Cause.RXDMT0)) !== 0) this.receive()
    if ((causes & Cause.TXDW) !== 0) this.reclaim()
  }

  private read(register: number): number {
    return this.machine.mmio.read32(this.pci.memoryBase + register)
  }
  private write(register: number, value: number): void {
    this.machine.mmio.write32(this.pci.memoryBase + register, value >>> 0)
  }

  /** The chip has read its address from the EEPROM into the first receive address (13.5.2). */
  private stationAddress(): number {
    const bytes = new DataView(new ArrayBuffer(8))
    bytes.setUint32(0, this.read(Register.RAL), true)
    bytes.setUint32(4, this.read(Register.RAH), true)
    return macFromBytes(new Uint8Array(bytes.buffer, 0, 6))
  }

  /** Section 14.4. The tail stands one before the head: every descriptor but one is the chip's. */
  private startReceiver(): void {
    const { memory } = this.machine
    const ring = this.receiveRing
    for (let index = 0; index < ring.count; index++) memory.writeU32(ring.descriptor(index) + Descriptor.ADDRESS, ring.buffer(index))
    this.write(Register.RDBAL, ring.base)
    this.write(Register.RDBAH, 0)
    this.write(Register.RDLEN, ring.count * DESCRIPTOR_BYTES)
    this.write(Register.RDH, 0)
    this.write(Register.RDT, ring.count - 1)
    this.write(Register.RCTL, RCTL)
  }

  /** Section 14.5. */
  private startTransmitter(): void {
    const ring = this.transmitRing
    this.write(Register.TDBAL, ring.base)
    this.write(Register.TDBAH, 0)
    this.write(Register.TDLEN, ring.count * DESCRIPTOR_BYTES)
    this.write(Register.TDH, 0)
    this.write(Register.TDT, 0)
    this.write(Register.TIPG, TIPG)
    this.write(Register.TCTL, TCTL)
  }

  /** Takes in the frames that the chip has stored, and gives their buffers back. At most one round of the ring in one interrupt. */
  private receive(): void {
    const { memory } = this.machine
    const ring = this.receiveRing
    for (let count = 0; count < ring.count; count++) {
      const index = this.receiveNext
      const descriptor = ring.descriptor(index)
      const status = memory.readU8(descriptor + Descriptor.STATUS)
      if ((status & DescriptorStatus.DD) === 0) return
      const length = memory.readU16(descriptor + Descriptor.LENGTH)
      // A frame longer than a buffer does not come: long packets are not enabled.
      const isWhole = (status & DescriptorStatus.EOP) !== 0 && memory.readU8(descriptor + Descriptor.ERRORS) === 0 && length <= BUFFER_BYTES
      const frame = memory.read(ring.buffer(index), isWhole ? length : 0).slice()
      memory.writeU32(descriptor + Descriptor.STATUS, 0)
      this.receiveNext = ring.after(index)
      this.write(Register.RDT, index)
      if (isWhole) this.onReceive(frame)
    }
  }

  /** Takes back the descriptors of frames that have left. */
  private reclaim(): void {
    const { memory } = this.machine
    const ring = this.transmitRing
    while (this.transmitOldest !== this.transmitNext) {
      const status = memory.readU8(ring.descriptor(this.transmitOldest) + Descriptor.STATUS)
      if ((status & DescriptorStatus.DD) === 0) break
      this.transmitOldest = ring.after(this.transmitOldest)
    }
    if (!this.refused || ring.after(this.transmitNext) === this.transmitOldest) return
    this.refused = false
    this.onWritable()
  }

  private linkStatus(): boolean {
    return (this.read(Register.STATUS) & STATUS_LINK_UP) !== 0
  }

  private checkLink(): void {
    const isUp = this.linkStatus()
    if (isUp === this.isLinkUp) return
    this.isLinkUp = isUp
    this.events.link(isUp)
    if (isUp || !this.refused) return
    // What would not fit is lost now, and so nobody needs to wait for room.
    this.refused = false
    this.onWritable()
  }
}

/** A page of descriptors, zeroed, and two buffers in every further page. Throws KernelError ENOMEM. */
function allocateRing(frames: FrameAllocator, count: number): Ring {
  const pages: number[] = []
  try {
    for (let page = 0; page <= (count * BUFFER_BYTES) / PAGE_BYTES; page++) pages.push(frames.allocate())
  } catch (error) {
    pages.forEach((page) => frames.release(page))
    throw error
  }
  const [base, ...rest] = pages
  return new Ring(base, rest.flatMap((page) => [page, page + BUFFER_BYTES]))
}

/** The machine's card, reset and started; null when it has none. Throws KernelError ENOMEM. */
export function findE1000(machine: KernelMachine, frames: FrameAllocator, events: E1000Events): E1000Driver | null {
  const pci = findPciFunction(machine.ports, VENDOR_ID, DEVICE_ID)
  return pci === null ? null : new E1000Driver(machine, pci, frames, events)
}
