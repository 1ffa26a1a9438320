/**
 * The transmit path: descriptor ring, frames, interrupts (the manual, 3.3, 3.4 and 13.4.33 to 13.4.44).
 *
 * Timing: a frame occupies the wire for its length at 1 Gb/s, preamble and FCS included, and is followed by the interpacket gap. It
 * leaves, and its last descriptor is written back, when its last bit does. A descriptor that ends no frame takes 64 ns, what its
 * fetch costs on the bus. While the link is down the transmitter stands still, as the chip does.
 */
import type { Clock, Timer } from '../../clock.ts'
import type { BusMaster } from './bus-master.ts'
import { crc32 } from './crc32.ts'
import { DESCRIPTOR_BYTES, DescriptorRing } from './descriptor-ring.ts'
import { InterruptDelay } from './interrupt-delay.ts'
import type { InterruptCauses } from './interrupts.ts'
import { Cause, Register, type RegisterMap, Tctl } from './registers.ts'
import type { Statistics } from './statistics.ts'
import { FCS_BYTES, FRAME_BYTES_MAX, FRAME_BYTES_MIN, FRAME_BYTES_PADDED, frameNs, INTERPACKET_GAP_NS } from './wire.ts'

/** Byte offset of the status, the same in all formats, and its DD bit. */
const STATUS_OFFSET = 12
const STATUS_DD = 1 << 0

/** CMD of the legacy format (3.3.3.1) and DCMD of the extended ones (3.3.7.1). */
const Command = {
  EOP: 1 << 0,
  IFCS: 1 << 1,
  /** IC in the legacy format, TSE in the data format. */
  IC_TSE: 1 << 2,
  RS: 1 << 3,
  DEXT: 1 << 5,
  VLE: 1 << 6,
  IDE: 1 << 7,
} as const
/** DTYP of an extended descriptor. */
const Dtyp = { CONTEXT: 0, DATA: 1 } as const
const POPTS_CHECKSUMS = 3

const DESCRIPTOR_NS = 64

interface Descriptor {
  at: number
  command: number
  /** Bytes of the frame that it brings; a context has none. */
  address: number
  length: number
}

/** What is under way, until the transmit timer ends it. */
interface Pending {
  descriptor: Descriptor
  /** With the last descriptor of a frame, the frame; null when it is one that cannot be sent. */
  frame: Uint8Array | null | undefined
}

export interface TransmitterLink {
  readonly up: boolean
  /** A frame's last bit leaves at `timeNs`. */
  send(frame: Uint8Array, timeNs: number): void
}

export class Transmitter {
  readonly #clock: Clock
  readonly #dma: BusMaster
  readonly #causes: InterruptCauses
  readonly #statistics: Statistics
  readonly #warn: (message: string) => void
  readonly #link: TransmitterLink
  readonly #ring: DescriptorRing
  readonly #delay: InterruptDelay
  readonly #timer: Timer
  #tctl = 0
  #pending: Pending | undefined
  /** Of the frame whose descriptors are being fetched. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  /** When the wire is free for the next frame. */
  #wireFreeNs = 0

  constructor(
    clock: Clock,
    dma: BusMaster,
    causes: InterruptCauses,
    statistics: Statistics,
    warn: (message: string) => void,
    link: TransmitterLink,
  ) {
    this.#clock = clock
    this.#dma = dma
    this.#causes = causes
    this.#statistics = statistics
    this.#warn = warn
    this.#link = link
    this.#ring = new DescriptorRing('TD', warn)
    this.#delay = new InterruptDelay(clock, 'transmit', () => causes.raise(Cause.TXDW))
    this.#timer = clock.timer('e1000 transmit', (dueNs) => this.#finish(dueNs))
  }

  reset(): void {
    this.#tctl = 0
    this.#timer.disarm()
    this.#pending = undefined
    this.#dropParts()
    this.#ring.reset()
    this.#delay.reset()
  }

  addTo(registers: RegisterMap): void {
    registers.set(Register.TCTL, {
      name: 'TCTL',
      read: () => this.#tctl,
      write: (value) => {
        this.#tctl = value
        this.kick()
      },
    })
    const { TDBAL, TDBAH, TDLEN, TDH, TDT } = Register
    this.#ring.addTo(registers, { BAL: TDBAL, BAH: TDBAH, LEN: TDLEN, H: TDH, T: TDT }, () => this.kick())
    this.#delay.addTo(registers, { name: 'TIDV', offset: Register.TIDV }, { name: 'TADV', offset: Register.TADV })
  }

  /** Goes on if something had been missing: descriptors, permission, or the link. */
  kick(): void {
    if (!this.#timer.armed) this.#begin(this.#clock.nowNs)
  }

  /** Does what was due while the processor was charged for other work, so that it comes before what the processor does now. */
  settle(): void {
    const nowNs = this.#clock.nowNs
    while (this.#timer.dueNs < nowNs) {
      const { dueNs } = this.#timer
      this.#timer.disarm()
      this.#finish(dueNs)
    }
  }

  #begin(nowNs: number): void {
    if ((this.#tctl & Tctl.EN) === 0 || !this.#link.up || !this.#dma.enabled || this.#ring.available === 0) return
    const descriptor = this.#fetch()
    const frame = (descriptor.command & Command.EOP) !== 0 && this.#partBytes > 0 ? this.#assemble(descriptor.command) : undefined
    this.#pending = { descriptor, frame }
    if (frame == null) return this.#timer.arm(nowNs + DESCRIPTOR_NS)
    const endNs = Math.max(nowNs, this.#wireFreeNs) + frameNs(frame.length)
    this.#wireFreeNs = endNs + INTERPACKET_GAP_NS
    this.#timer.arm(endNs)
  }

  #finish(dueNs: number): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    const { descriptor, frame } = pending
    if (frame != null && this.#link.up) {
      this.#statistics.transmitted(frame, frame.length + FCS_BYTES)
      this.#link.send(frame, dueNs)
    }
    this.#ring.advance()
    this.#writeBack(descriptor)
    if (this.#ring.available === 0) this.#causes.raise(Cause.TXQE)
    this.#begin(dueNs)
  }

  #writeBack({ at, command }: Descriptor): void {
    if ((command & Command.RS) === 0) return
    this.#dma.write(at + STATUS_OFFSET, Uint8Array.of(STATUS_DD), 'transmit descriptor')
    if ((command & Command.IDE) !== 0) this.#delay.event()
    else this.#delay.flush()
  }

  /** Reads the descriptor at the head and the data that it points to. */
  #fetch(): Descriptor {
    const at = this.#ring.headAddress
    const view = new DataView(this.#dma.read(at, DESCRIPTOR_BYTES, 'transmit descriptor').buffer)
    const descriptor = this.#decode(at, view)
    const { address, length } = descriptor
    if (length === 0) return descriptor
    this.#partBytes += length
    // What is too long already is counted and not fetched.
    if (this.#partBytes <= FRAME_BYTES_MAX + FCS_BYTES) this.#parts.push(this.#dma.read(address, length, 'transmit buffer'))
    return descriptor
  }

  /** The legacy format (3.3.3), or one of the extended ones (3.3.5 to 3.3.7). */
  #decode(at: number, view: DataView): Descriptor {
    const address = Number(view.getBigUint64(0, true))
    const dword = view.getUint32(8, true)
    const command = dword >>> 24
    if ((command & Command.VLE) !== 0) this.#warn('transmit descriptor: VLE (VLAN tag insertion) is not implemented; the frame has no tag')
    if ((command & Command.DEXT) === 0) {
      if ((command & Command.IC_TSE) !== 0) this.#warn('transmit descriptor: IC (checksum insertion) is not implemented; sent as it is')
      return { at, command, address, length: dword & 0xffff }
    }
    const type = (dword >>> 20) & 15
    if (type === Dtyp.DATA) {
      if ((command & Command.IC_TSE) !== 0) this.#warn('transmit descriptor: TSE (TCP segmentation) is not implemented; sent as it is')
      if ((view.getUint8(13) & POPTS_CHECKSUMS) !== 0)
        this.#warn('transmit descriptor: POPTS (checksum insertion) is not implemented; sent as it is')
      return { at, command, address, length: dword & 0xfffff }
    }
    if (type !== Dtyp.CONTEXT) this.#warn(`transmit descriptor: DTYP ${type} is reserved; descriptor skipped`)
    // A context describes an offload, and there are none. It neither belongs to a frame nor ends one.
    return { at, command: command & ~Command.EOP, address: 0, length: 0 }
  }

  /** The frame that goes out, without FCS and padded if TCTL says so; null for one that every receiver would discard. */
  #assemble(command: number): Uint8Array | null {
    const bytes = new Uint8Array(this.#partBytes <= FRAME_BYTES_MAX + FCS_BYTES ? this.#partBytes : 0)
    let offset = 0
    if (bytes.length > 0) {
      for (const part of this.#parts) {
        bytes.set(part, offset)
        offset += part.length
      }
    }
    const length = this.#partBytes
    this.#dropParts()
    const refuse = (why: string): null => {
      this.#warn(`transmit: a frame of ${length} bytes ${why}; no receiver would take it, and it is not sent`)
      return null
    }
    const hasFcs = (command & Command.IFCS) === 0
    if (length > FRAME_BYTES_MAX + (hasFcs ? FCS_BYTES : 0)) return refuse(`is longer than ${FRAME_BYTES_MAX} without FCS`)
    if (hasFcs && !endsWithFcs(bytes)) return refuse('without IFCS does not end in its FCS')
    const frame = hasFcs ? bytes.subarray(0, length - FCS_BYTES) : bytes
    if (frame.length < FRAME_BYTES_MIN) return refuse('has no whole header')
    if (frame.length >= FRAME_BYTES_PADDED) return frame
    if ((this.#tctl & Tctl.PSP) === 0) return refuse('is shorter than 60 and TCTL.PSP does not pad it')
    const padded = new Uint8Array(FRAME_BYTES_PADDED)
    padded.set(frame)
    return padded
  }

  #dropParts(): void {
    this.#parts = []
    this.#partBytes = 0
  }
}

function endsWithFcs(bytes: Uint8Array): boolean {
  const end = bytes.length - FCS_BYTES
  if (end < 0) return false
  const fcs = new DataView(bytes.buffer, bytes.byteOffset + end, FCS_BYTES).getUint32(0, true)
  return crc32(bytes.subarray(0, end)) === fcs
}
