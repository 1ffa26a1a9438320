/**
 * Intel 8254 programmable interval timer, as the PC wires it: counter 0 drives IRQ 0, counter 1 paces memory refresh,
 * counter 2 is gated by port 0x61 and drives the speaker.
 *
 * Source: Intel 8254 data sheet, order number 231164-005 ("the sheet"); IBM PC/AT Technical Reference, 1984, section 1.
 */
import type { PortDevice } from '../bus.ts'
import type { Clock, Timer } from '../clock.ts'
import { PitAccess, PitCounter } from './pit-counter.ts'

export const PIT_PORT = 0x40
const CONTROL_PORT = 0x43

/** Control word (the sheet, figure 7): SC1 SC0, RW1 RW0, M2 M1 M0, BCD. */
const Control = { SC_SHIFT: 6, RW_SHIFT: 4, MODE_SHIFT: 1, BCD: 1 << 0 } as const
const SC_READ_BACK = 3
/** Read-back command (the sheet, figure 10): active low COUNT and STATUS, then CNT 2, 1, 0 in bits 3 to 1. */
const ReadBack = { NO_COUNT: 1 << 5, NO_STATUS: 1 << 4, COUNTER_SHIFT: 1 } as const

/** CLK is a twelfth of the colour burst's fourfold, 315/22 MHz: exactly 105/88 MHz, so that 21 pulses take 17,600 ns. */
const PULSES = 21
const PULSES_NS = 17_600

/** Pulses of CLK by virtual time `ns`. */
export function pitPulsesAt(ns: number): number {
  return Math.floor(ns / PULSES_NS) * PULSES + Math.floor(((ns % PULSES_NS) * PULSES) / PULSES_NS)
}

/** The first whole nanosecond at which `pulses` pulses have come. */
export function pitNsOf(pulses: number): number {
  return Math.floor(pulses / PULSES) * PULSES_NS + Math.ceil(((pulses % PULSES) * PULSES_NS) / PULSES)
}

export class Pit8254 implements PortDevice {
  readonly name = '8254 PIT'
  readonly widthMax = 1
  /** GATE of counters 0 and 1 is tied high, that of counter 2 is bit 0 of port 0x61. */
  readonly counters = [new PitCounter(true), new PitCounter(true), new PitCounter(false)]
  readonly #clock: Clock
  /** Of counter 0: due at every change of its OUT. */
  readonly timer: Timer
  readonly #setIrq0: (high: boolean) => void

  constructor(clock: Clock, setIrq0: (high: boolean) => void) {
    this.#clock = clock
    this.#setIrq0 = setIrq0
    this.timer = clock.timer('PIT counter 0', (dueNs) => this.#follow(pitPulsesAt(dueNs)))
  }

  /** Level of a counter's OUT pin now. */
  output(counter: number): boolean {
    return this.counters[counter].output(this.#now())
  }

  setGate(counter: number, high: boolean): void {
    this.counters[counter].setGate(this.#now(), high)
  }

  readPort(port: number): number {
    const t = this.#now()
    // "No-operation": the sheet's table of read and write operations leaves the bus floating.
    if (port === CONTROL_PORT) return 0xff
    return this.counters[port - PIT_PORT].read(t)
  }

  writePort(port: number, _size: number, value: number): void {
    const t = this.#now()
    if (port === CONTROL_PORT) this.#control(t, value)
    else this.counters[port - PIT_PORT].write(t, value)
    this.#setIrq0(this.counters[0].output(t))
    this.#schedule(t)
  }

  #control(t: number, value: number): void {
    const select = value >> Control.SC_SHIFT
    if (select === SC_READ_BACK) {
      for (let i = 0; i < 3; i++) {
        if ((value & (1 << (i + ReadBack.COUNTER_SHIFT))) === 0) continue
        if ((value & ReadBack.NO_COUNT) === 0) this.counters[i].latchCount(t)
        if ((value & ReadBack.NO_STATUS) === 0) this.counters[i].latchStatus(t)
      }
      return
    }
    const access = ((value >> Control.RW_SHIFT) & 3) as 0 | 1 | 2 | 3
    if (access === PitAccess.LATCH) this.counters[select].latchCount(t)
    else this.counters[select].program(t, access, (value >> Control.MODE_SHIFT) & 7, (value & Control.BCD) !== 0)
  }

  /** The pulse that it is now, with every edge of OUT 0 before it delivered: a charge may have taken the clock past some. */
  #now(): number {
    const t = pitPulsesAt(this.#clock.nowNs)
    if (this.timer.armed && this.timer.dueNs <= this.#clock.nowNs) this.#follow(t)
    return t
  }

  /** Takes IRQ 0 through every change of OUT 0 up to pulse `t`. */
  #follow(t: number): void {
    const counter = this.counters[0]
    for (let change = this.#nextChange; change <= t; change = counter.nextChange(change)) this.#setIrq0(counter.output(change))
    this.#schedule(t)
  }

  #nextChange = Infinity

  #schedule(t: number): void {
    this.#nextChange = this.counters[0].nextChange(t)
    if (this.#nextChange === Infinity) this.timer.disarm()
    else this.timer.arm(pitNsOf(this.#nextChange))
  }
}
