/**
 * Statistics registers (the manual, 13.7). They count only while the receiver or transmitter is enabled, stay at their maximum, and
 * are cleared by reading; of a 64-bit pair the low half is read first and reading the high half clears both.
 *
 * Lengths count from destination address through CRC.
 */
import type { RegisterMap } from './registers.ts'

/** 32-bit counters. Those that only a real cable, a collision or a feature that is not there can count stay 0. */
export const Counter = {
  CRCERRS: 0x4000,
  ALGNERRC: 0x4004,
  SYMERRS: 0x4008,
  RXERRC: 0x400c,
  MPC: 0x4010,
  SCC: 0x4014,
  ECOL: 0x4018,
  MCC: 0x401c,
  LATECOL: 0x4020,
  COLC: 0x4028,
  DC: 0x4030,
  TNCRS: 0x4034,
  SEC: 0x4038,
  CEXTERR: 0x403c,
  RLEC: 0x4040,
  XONRXC: 0x4048,
  XONTXC: 0x404c,
  XOFFRXC: 0x4050,
  XOFFTXC: 0x4054,
  FCRUC: 0x4058,
  PRC64: 0x405c,
  PRC127: 0x4060,
  PRC255: 0x4064,
  PRC511: 0x4068,
  PRC1023: 0x406c,
  PRC1522: 0x4070,
  GPRC: 0x4074,
  BPRC: 0x4078,
  MPRC: 0x407c,
  GPTC: 0x4080,
  RNBC: 0x40a0,
  RUC: 0x40a4,
  RFC: 0x40a8,
  ROC: 0x40ac,
  RJC: 0x40b0,
  MGTPRC: 0x40b4,
  MGTPDC: 0x40b8,
  MGTPTC: 0x40bc,
  TPR: 0x40d0,
  TPT: 0x40d4,
  PTC64: 0x40d8,
  PTC127: 0x40dc,
  PTC255: 0x40e0,
  PTC511: 0x40e4,
  PTC1023: 0x40e8,
  PTC1522: 0x40ec,
  MPTC: 0x40f0,
  BPTC: 0x40f4,
  TSCTC: 0x40f8,
  TSCTFC: 0x40fc,
} as const
/** The low halves of the 64-bit counters of octets. */
export const OctetCounter = { GORC: 0x4088, GOTC: 0x4090, TOR: 0x40c0, TOT: 0x40c8 } as const

type CounterOffset = (typeof Counter)[keyof typeof Counter]
type OctetCounterOffset = (typeof OctetCounter)[keyof typeof OctetCounter]

const COUNTER_MAX = 0xffffffff
const TWO_32 = 2 ** 32
/** Longest frame of each of the six classes of size; the counters of a direction are four bytes apart. */
const SIZE_CLASSES = [64, 127, 255, 511, 1023, 1522] as const

/** Group addresses have the low bit of the first byte set; all ones is broadcast. */
export const isGroup = (frame: Uint8Array): boolean => (frame[0] & 1) !== 0
export const isBroadcast = (frame: Uint8Array): boolean => {
  for (let i = 0; i < 6; i++) if (frame[i] !== 0xff) return false
  return true
}

export class Statistics {
  readonly #counters = new Map<number, number>()

  reset(): void {
    this.#counters.clear()
  }

  count(counter: CounterOffset): void {
    this.#counters.set(counter, Math.min(COUNTER_MAX, this.#value(counter) + 1))
  }

  /** A frame arrived, whether or not a filter lets it pass. */
  arrived(length: number): void {
    this.count(Counter.TPR)
    this.#countOctets(OctetCounter.TOR, length)
  }

  /** A good frame passed the filters and got into the packet buffer. */
  received(frame: Uint8Array, length: number): void {
    this.count(Counter.GPRC)
    this.#countOctets(OctetCounter.GORC, length)
    this.#countSize(Counter.PRC64, length)
    if (isBroadcast(frame)) this.count(Counter.BPRC)
    else if (isGroup(frame)) this.count(Counter.MPRC)
  }

  transmitted(frame: Uint8Array, length: number): void {
    this.count(Counter.GPTC)
    this.count(Counter.TPT)
    this.#countOctets(OctetCounter.GOTC, length)
    this.#countOctets(OctetCounter.TOT, length)
    this.#countSize(Counter.PTC64, length)
    if (isBroadcast(frame)) this.count(Counter.BPTC)
    else if (isGroup(frame)) this.count(Counter.MPTC)
  }

  addTo(registers: RegisterMap): void {
    for (const [name, offset] of Object.entries(Counter)) {
      registers.set(offset, {
        name,
        read: () => {
          const value = this.#value(offset)
          this.#counters.delete(offset)
          return value
        },
      })
    }
    for (const [name, offset] of Object.entries(OctetCounter)) {
      registers.set(offset, { name: `${name}L`, read: () => this.#value(offset) % TWO_32 })
      registers.set(offset + 4, {
        name: `${name}H`,
        read: () => {
          const high = Math.floor(this.#value(offset) / TWO_32)
          this.#counters.delete(offset)
          return high
        },
      })
    }
  }

  #value(offset: number): number {
    return this.#counters.get(offset) ?? 0
  }

  #countOctets(counter: OctetCounterOffset, length: number): void {
    this.#counters.set(counter, this.#value(counter) + length)
  }

  #countSize(first: number, length: number): void {
    const index = SIZE_CLASSES.findIndex((longest) => length <= longest)
    if (index >= 0) this.count((first + index * 4) as CounterOffset)
  }
}
