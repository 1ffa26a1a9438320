import { MmioBus, PortBus } from '../../../bus.ts'
import { Clock } from '../../../clock.ts'
import { PhysicalMemory } from '../../../memory.ts'
import { PciCommand, PciRegister } from '../../pci-function.ts'
import { E1000 } from '../e1000.ts'
import { Ctrl, Rctl, Register, Tctl } from '../registers.ts'

export const BASE = 0xfebc0000
export const MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56)
export const RX_RING = 0x10000
export const RX_BUFFERS = 0x20000
export const TX_RING = 0x40000
export const TX_BUFFERS = 0x50000
export const RING_DESCRIPTORS = 8
const BUFFER_BYTES = 2048

export interface Descriptor {
  address: number
  length: number
  command?: number
}

/** A controller on a bench: memory, buses and a clock, without a processor. */
export class Rig {
  readonly clock = new Clock()
  readonly memory = new PhysicalMemory(1 << 20)
  readonly warnings: string[] = []
  readonly mmio = new MmioBus((message) => this.warnings.push(message))
  readonly ports = new PortBus((message) => this.warnings.push(message))
  readonly nic: E1000
  readonly sent: { frame: Uint8Array; timeNs: number }[] = []
  /** The interrupt line, and the instants at which it rose. */
  line = false
  readonly rises: number[] = []
  readonly #view = new DataView(new ArrayBuffer(8))

  constructor() {
    const setIrq = (high: boolean): void => {
      if (high && !this.line) this.rises.push(this.clock.nowNs)
      this.line = high
    }
    const board = { mmio: this.mmio, ports: this.ports, setIrq, warn: (message: string) => void this.warnings.push(message) }
    this.nic = new E1000({ clock: this.clock, memory: this.memory, board, mac: MAC })
    this.nic.onTransmit = (frame, timeNs) => this.sent.push({ frame: frame.slice(), timeNs })
    this.nic.pci.writeConfig(PciRegister.BAR0, BASE)
    this.nic.pci.writeConfig(PciRegister.BAR0 + 4, 0xc000)
    this.nic.pci.writeConfig(PciRegister.STATUS_COMMAND, PciCommand.IO_SPACE | PciCommand.MEMORY_SPACE | PciCommand.BUS_MASTER)
  }

  read(offset: number): number {
    this.mmio.read(BASE + offset, 4, this.#view)
    return this.#view.getUint32(0, true)
  }
  write(offset: number, value: number): void {
    this.#view.setUint32(0, value, true)
    this.mmio.write(BASE + offset, 4, this.#view)
  }

  /** Lets virtual time pass, event by event. */
  run(ns: number): void {
    const untilNs = this.clock.nowNs + ns
    while (this.clock.nextDueNs <= untilNs) {
      this.clock.advance(Math.max(0, this.clock.nextDueNs - this.clock.nowNs))
      this.clock.runDue()
    }
    this.clock.advance(untilNs - this.clock.nowNs)
  }

  /** As a driver does it: rings of eight, all receive descriptors but one given, broadcast accepted, link up. */
  setUp(rctl: number = Rctl.BAM | Rctl.SECRC): void {
    for (let i = 0; i < RING_DESCRIPTORS; i++) this.memory.writeU64(RX_RING + 16 * i, BigInt(RX_BUFFERS + BUFFER_BYTES * i))
    this.write(Register.RDBAL, RX_RING)
    this.write(Register.RDLEN, 16 * RING_DESCRIPTORS)
    this.write(Register.RDH, 0)
    this.write(Register.RDT, RING_DESCRIPTORS - 1)
    this.write(Register.RCTL, rctl | Rctl.EN)
    this.write(Register.TDBAL, TX_RING)
    this.write(Register.TDLEN, 16 * RING_DESCRIPTORS)
    this.write(Register.TDH, 0)
    this.write(Register.TDT, 0)
    this.write(Register.TCTL, Tctl.EN | Tctl.PSP)
    this.write(Register.CTRL, Ctrl.FD | Ctrl.SLU)
    this.read(Register.ICR)
  }

  /** Puts a legacy descriptor (the manual, 3.3.3) at an index of the transmit ring, without moving the tail. */
  describe(index: number, { address, length, command = 0x0b }: Descriptor): void {
    const at = TX_RING + 16 * index
    this.memory.writeU64(at, BigInt(address))
    this.memory.writeU32(at + 8, length | (command << 24))
    this.memory.writeU32(at + 12, 0)
  }

  /** Puts a frame at an index of the transmit ring, described whole. */
  queue(index: number, frame: Uint8Array, command?: number): void {
    const address = TX_BUFFERS + BUFFER_BYTES * index
    this.memory.write(address, frame)
    this.describe(index, { address, length: frame.length, command })
  }

  txStatus(index: number): number {
    return this.memory.readU8(TX_RING + 16 * index + 12)
  }

  rx(index: number): { length: number; status: number; errors: number; bytes: Uint8Array } {
    const at = RX_RING + 16 * index
    const length = this.memory.readU16(at + 8)
    return {
      length,
      status: this.memory.readU8(at + 12),
      errors: this.memory.readU8(at + 13),
      bytes: this.memory.read(RX_BUFFERS + BUFFER_BYTES * index, length).slice(),
    }
  }
}

export const BROADCAST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)

/** `length` bytes: destination, an invented source, type 0x88b5 (for experiments), counting bytes. */
export function frameOf(length: number, destination: Uint8Array = BROADCAST): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, i) => i & 0xff)
  frame.set(destination, 0)
  frame.set([0x02, 0, 0, 0, 0, 1, 0x88, 0xb5], 6)
  return frame
}
