/**
 * The receive path: filters, packet buffer, descriptor ring, interrupts (the manual, 3.2 and 13.4.22 to 13.4.32).
 *
 * A frame is stored in the packet buffer, whose size PBA sets, and leaves it for memory as soon as software has given descriptors.
 * A frame that finds the packet buffer full is missed (MPC, RXO).
 */
import type { Clock } from '../../clock.ts'
import type { BusMaster } from './bus-master.ts'
import { crc32 } from './crc32.ts'
import { DESCRIPTOR_BYTES, DescriptorRing } from './descriptor-ring.ts'
import { AddressFilter } from './filter.ts'
import { InterruptDelay } from './interrupt-delay.ts'
import type { InterruptCauses } from './interrupts.ts'
import { Cause, Rctl, Register, type RegisterMap } from './registers.ts'
import { Counter, type Statistics } from './statistics.ts'
import { FCS_BYTES, FRAME_BYTES_MAX, FRAME_BYTES_PADDED } from './wire.ts'

/** Byte offsets in a receive descriptor and bits of its status (3.2.3). */
const Descriptor = { ADDRESS: 0, LENGTH: 8, STATUS: 12 } as const
const DescriptorStatus = { DD: 1 << 0, EOP: 1 << 1, IXSM: 1 << 2, PIF: 1 << 7 } as const

/** Buffer sizes by RCTL.BSIZE, ×16 with BSEX, where 2048 is reserved. */
const BUFFER_BYTES = [2048, 1024, 512, 256] as const
/** RCTL.RDMTS: a half, a quarter, an eighth of the ring; 3 is reserved. */
const THRESHOLD_SHIFTS = [1, 2, 3, 3] as const

/** 13.4.16: kilobytes of the 64 that receive; the rest transmits. */
const PBA_DEFAULT_KIB = 48
const PBA_TOTAL_KIB = 64
/** Frames lie in the packet buffer in lines of 16 bytes. */
const BUFFER_LINE_BYTES = 16

const REFUSED: readonly (readonly [bit: number, name: string])[] = [
  [Rctl.SBP, 'SBP (store bad packets)'],
  [Rctl.LPE, 'LPE (long packets)'],
  [Rctl.LBM, 'LBM (loopback)'],
  [Rctl.VFE, 'VFE (VLAN filter)'],
]

/** A frame in the packet buffer, as it goes into memory. */
interface Stored {
  bytes: Uint8Array
  status: number
  /** Bytes that it takes in the packet buffer. */
  cost: number
  /** Bytes that memory has got. */
  done: number
}

export class Receiver {
  readonly filter: AddressFilter
  readonly #dma: BusMaster
  readonly #causes: InterruptCauses
  readonly #statistics: Statistics
  readonly #warn: (message: string) => void
  readonly #ring: DescriptorRing
  readonly #delay: InterruptDelay
  #rctl = 0
  #smallPacketBytes = 0
  #bufferKib = PBA_DEFAULT_KIB
  #buffer: Stored[] = []
  #bufferedBytes = 0

  constructor(clock: Clock, dma: BusMaster, causes: InterruptCauses, statistics: Statistics, warn: (message: string) => void) {
    this.#dma = dma
    this.#causes = causes
    this.#statistics = statistics
    this.#warn = warn
    this.filter = new AddressFilter(warn)
    this.#ring = new DescriptorRing('RD', warn)
    this.#delay = new InterruptDelay(clock, 'receive', () => causes.raise(Cause.RXT0))
  }

  reset(): void {
    this.#rctl = 0
    this.#smallPacketBytes = 0
    this.#bufferKib = PBA_DEFAULT_KIB
    this.#buffer = []
    this.#bufferedBytes = 0
    this.#ring.reset()
    this.#delay.reset()
  }

  addTo(registers: RegisterMap): void {
    registers.set(Register.RCTL, { name: 'RCTL', read: () => this.#rctl, write: (value) => this.#writeRctl(value) })
    registers.set(Register.PBA, {
      name: 'PBA',
      read: () => ((PBA_TOTAL_KIB - this.#bufferKib) << 16) | this.#bufferKib,
      write: (value) => (this.#bufferKib = Math.min(value & 0xffff, PBA_TOTAL_KIB)),
    })
    registers.set(Register.RSRPD, {
      name: 'RSRPD',
      read: () => this.#smallPacketBytes,
      write: (value) => (this.#smallPacketBytes = value & 0xfff),
    })
    const { RDBAL, RDBAH, RDLEN, RDH, RDT } = Register
    this.#ring.addTo(registers, { BAL: RDBAL, BAH: RDBAH, LEN: RDLEN, H: RDH, T: RDT }, () => this.drain())
    this.#delay.addTo(registers, { name: 'RDTR', offset: Register.RDTR }, { name: 'RADV', offset: Register.RADV })
    this.filter.addTo(registers)
  }

  /** The last bit of a frame has come out of the cable. */
  receive(frame: Uint8Array): void {
    if ((this.#rctl & Rctl.EN) === 0) return
    const length = Math.max(frame.length, FRAME_BYTES_PADDED) + FCS_BYTES
    this.#statistics.arrived(length)
    const filtered = this.filter.test(frame, this.#rctl)
    if (filtered === 'reject') return
    if (frame.length > FRAME_BYTES_MAX) return this.#statistics.count(Counter.ROC)
    const cost = Math.ceil(length / BUFFER_LINE_BYTES) * BUFFER_LINE_BYTES
    if (this.#bufferedBytes + cost > this.#bufferKib * 1024) {
      this.#statistics.count(Counter.MPC)
      this.#causes.raise(Cause.RXO)
      return
    }
    this.#statistics.received(frame, length)
    this.#bufferedBytes += cost
    const status = DescriptorStatus.IXSM | (filtered === 'inexact' ? DescriptorStatus.PIF : 0)
    this.#buffer.push({ bytes: this.#stored(frame), status, cost, done: 0 })
    this.drain()
    if (this.#buffer.length > 0) this.#statistics.count(Counter.RNBC)
  }

  /** Moves frames to memory while there are descriptors for them. */
  drain(): void {
    if ((this.#rctl & Rctl.EN) === 0 || !this.#dma.enabled) return
    while (this.#buffer.length > 0 && this.#ring.available > 0) {
      const stored = this.#buffer[0]
      if (!this.#fill(stored)) continue
      this.#buffer.shift()
      this.#bufferedBytes -= stored.cost
      this.#announce(stored.bytes.length)
    }
  }

  /** What memory gets of a frame: padded as its sender should have, with its FCS unless RCTL.SECRC strips it. */
  #stored(frame: Uint8Array): Uint8Array {
    const length = Math.max(frame.length, FRAME_BYTES_PADDED)
    const strip = (this.#rctl & Rctl.SECRC) !== 0
    const bytes = new Uint8Array(length + (strip ? 0 : FCS_BYTES))
    bytes.set(frame)
    if (!strip) new DataView(bytes.buffer).setUint32(length, crc32(bytes.subarray(0, length)), true)
    return bytes
  }

  /** Fills the buffer of the descriptor at the head. Returns whether it was the frame's last. */
  #fill(stored: Stored): boolean {
    const at = this.#ring.headAddress
    const address = new DataView(this.#dma.read(at, DESCRIPTOR_BYTES, 'receive descriptor').buffer).getBigUint64(Descriptor.ADDRESS, true)
    const part = stored.bytes.subarray(stored.done, stored.done + this.#bufferBytes)
    stored.done += part.length
    const last = stored.done === stored.bytes.length
    this.#dma.write(Number(address), part, 'receive buffer')
    const back = new DataView(new ArrayBuffer(DESCRIPTOR_BYTES - Descriptor.LENGTH))
    back.setUint16(0, part.length, true)
    back.setUint8(Descriptor.STATUS - Descriptor.LENGTH, DescriptorStatus.DD | (last ? DescriptorStatus.EOP | stored.status : 0))
    this.#dma.write(at + Descriptor.LENGTH, new Uint8Array(back.buffer), 'receive descriptor')
    this.#ring.advance()
    return last
  }

  #announce(length: number): void {
    if (this.#ring.available <= this.#ring.size >> THRESHOLD_SHIFTS[(this.#rctl >>> Rctl.RDMTS_SHIFT) & 3])
      this.#causes.raise(Cause.RXDMT0)
    if (length <= this.#smallPacketBytes) {
      this.#causes.raise(Cause.SRPD)
      this.#delay.flush()
    } else this.#delay.event()
  }

  get #bufferBytes(): number {
    const bytes = BUFFER_BYTES[(this.#rctl >>> Rctl.BSIZE_SHIFT) & 3]
    return (this.#rctl & Rctl.BSEX) !== 0 && bytes !== 2048 ? bytes * 16 : bytes
  }

  #writeRctl(value: number): void {
    for (const [bit, name] of REFUSED)
      if ((value & bit) !== 0 && (this.#rctl & bit) === 0) this.#warn(`RCTL.${name} is not implemented and has no effect`)
    this.#rctl = value
    this.drain()
  }
}
