/**
 * The I/O APIC: 24 redirection entries that turn interrupt lines into messages to the local APIC.
 *
 * Source: Intel 82093AA I/O Advanced Programmable Interrupt Controller, order number 290566-001 ("the sheet"), section 3; the EOI register
 * and version 20H are those of Intel I/O Controller Hub 9, order number 316972-004, section 13.5.
 */
import type { MmioDevice } from '../../bus.ts'
import { DELIVERY_SHIFT, Delivery } from './registers.ts'

export const IO_APIC_BASE = 0xfec00000
export const IO_APIC_BYTES = 4096
export const IO_APIC_ID = 0
const LINES = 24
const VERSION = 0x20 | ((LINES - 1) << 16)

/** Offsets in memory; IOREGSEL selects what IOWIN shows. */
const Window = { IOREGSEL: 0x00, IOWIN: 0x10, EOI: 0x40 } as const
const Register = { IOAPICID: 0x00, IOAPICVER: 0x01, IOAPICARB: 0x02, IOREDTBL: 0x10 } as const
/** Low half of a redirection entry (the sheet, 3.2.4). The destination is in bits 31–24 of the high half. */
const Entry = {
  VECTOR: 0xff,
  DELIVERY: 0x700,
  LOGICAL: 1 << 11,
  DELIVERY_STATUS: 1 << 12,
  REMOTE_IRR: 1 << 14,
  LEVEL: 1 << 15,
  MASK: 1 << 16,
  WRITABLE: 0x1afff,
} as const

export interface InterruptMessage {
  vector: number
  destination: number
  isLogical: boolean
  isLevel: boolean
}

export class IoApic implements MmioDevice {
  readonly name = 'I/O APIC'
  readonly #send: (message: InterruptMessage) => void
  readonly #warn: (message: string) => void
  readonly #low = new Uint32Array(LINES).fill(Entry.MASK)
  readonly #high = new Uint32Array(LINES)
  /** Lines asserted now. Whether a line is active high or low is the board's business: INTPOL is kept and not looked at. */
  #lines = 0
  #select = 0
  #id = IO_APIC_ID

  constructor(send: (message: InterruptMessage) => void, warn: (message: string) => void) {
    this.#send = send
    this.#warn = warn
  }

  /** Asserts or releases an input. */
  setLine(line: number, asserted: boolean): void {
    const bit = 1 << line
    const rises = asserted && (this.#lines & bit) === 0
    this.#lines = asserted ? this.#lines | bit : this.#lines & ~bit
    // An edge at a masked input is lost (the sheet, 3.2.4, interrupt mask).
    if (rises || this.#isLevel(line)) this.#service(line)
  }

  /** Whether any line could interrupt, as far as the masks go. */
  get unmasked(): boolean {
    return this.#low.some((entry) => (entry & Entry.MASK) === 0)
  }

  /** The local APIC has ended a level-triggered interrupt: who still asks for it sends it again. */
  endOfInterrupt(vector: number): void {
    for (let line = 0; line < LINES; line++) {
      if ((this.#low[line] & (Entry.REMOTE_IRR | Entry.VECTOR)) !== (Entry.REMOTE_IRR | vector)) continue
      this.#low[line] &= ~Entry.REMOTE_IRR
      if (this.#isLevel(line)) this.#service(line)
    }
  }

  readMmio(offset: number, size: number, into: DataView): void {
    const register = offset & ~3
    const value = register === Window.IOREGSEL ? this.#select : register === Window.IOWIN ? this.#read() : 0
    for (let i = 0; i < size; i++) into.setUint8(i, i < 4 ? (value >>> (((offset & 3) + i) * 8)) & 0xff : 0)
  }

  writeMmio(offset: number, size: number, from: DataView): void {
    const value = size === 1 ? from.getUint8(0) : size === 2 ? from.getUint16(0, true) : from.getUint32(0, true)
    if (offset === Window.IOREGSEL) this.#select = value & 0xff
    else if (offset === Window.EOI) this.endOfInterrupt(value & 0xff)
    else if (offset === Window.IOWIN && size >= 4) this.#write(value)
    else this.#warn(`I/O APIC: a write of ${size} bytes at 0x${offset.toString(16)} is not one of a register, and ignored`)
  }

  #read(): number {
    const entry = this.#select - Register.IOREDTBL
    if (entry >= 0 && entry < 2 * LINES) return (entry & 1) === 0 ? this.#low[entry >> 1] : this.#high[entry >> 1]
    switch (this.#select) {
      case Register.IOAPICID: case Register.IOAPICARB: return this.#id << 24
      case Register.IOAPICVER: return VERSION
      default: return 0
    }
  }

  #write(value: number): void {
    const entry = this.#select - Register.IOREDTBL
    if (this.#select === Register.IOAPICID) this.#id = (value >>> 24) & 0xf
    else if (entry >= 0 && entry < 2 * LINES) {
      const line = entry >> 1
      if ((entry & 1) === 1) {
        this.#high[line] = value
        return
      }
      this.#low[line] = (value & Entry.WRITABLE) | (this.#low[line] & Entry.REMOTE_IRR)
      if (this.#isLevel(line)) this.#service(line)
      // Remote IRR is for level-triggered interrupts alone; software clears it by making an entry edge-triggered.
      else this.#low[line] &= ~Entry.REMOTE_IRR
    }
  }

  #isLevel(line: number): boolean {
    return (this.#low[line] & Entry.LEVEL) !== 0
  }

  #service(line: number): void {
    const entry = this.#low[line]
    if ((this.#lines & (1 << line)) === 0 || (entry & (Entry.MASK | Entry.REMOTE_IRR)) !== 0) return
    const mode = (entry & Entry.DELIVERY) >> DELIVERY_SHIFT
    if (mode !== Delivery.FIXED && mode !== Delivery.LOWEST_PRIORITY) {
      this.#warn(`I/O APIC: delivery mode ${mode} of line ${line} is not implemented`)
      return
    }
    const isLevel = this.#isLevel(line)
    if (isLevel) this.#low[line] |= Entry.REMOTE_IRR
    const isLogical = (entry & Entry.LOGICAL) !== 0
    this.#send({ vector: entry & Entry.VECTOR, destination: this.#high[line] >>> 24, isLogical, isLevel })
  }
}
