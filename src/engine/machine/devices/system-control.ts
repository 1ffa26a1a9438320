/**
 * The PC's two system control ports and the ports that only exist to be written: A20, fast reset, counter 2's gate, the
 * speaker, the power-on self-test code.
 *
 * Source: IBM PC/AT Technical Reference, 1984, "Port 61"; IBM PS/2 Hardware Interface Technical Reference, "System control port A";
 * Intel 82371SB (PIIX3) data sheet, order number 290550-002, sections 2.5.5 and 2.5.6.
 */
import type { PortDevice } from '../bus.ts'
import type { Clock } from '../clock.ts'
import type { Pit8254 } from './pit8254.ts'

export const SYSTEM_CONTROL_A_PORT = 0x92
export const SYSTEM_CONTROL_B_PORT = 0x61
export const POST_CODE_PORT = 0x80

const ControlA = { FAST_INIT: 1 << 0, A20: 1 << 1 } as const
const ControlB = { GATE2: 1 << 0, SPEAKER: 1 << 1, WRITABLE: 0x0f, REFRESH: 1 << 4, OUT2: 1 << 5 } as const
/** Refresh requests come every 15.085 µs, 18 pulses of the timer; the bit toggles with each. */
const REFRESH_NS = 15_086

/** Port 0x92. A20 always lets addresses through: closing it is refused by name. */
export class SystemControlA implements PortDevice {
  readonly name = 'system control port A'
  readonly widthMax = 1
  readonly #reset: () => void
  readonly #warn: (message: string) => void

  constructor(reset: () => void, warn: (message: string) => void) {
    this.#reset = reset
    this.#warn = warn
  }

  readPort(): number {
    return ControlA.A20
  }

  writePort(_port: number, _size: number, value: number): void {
    if ((value & ControlA.A20) === 0) this.#warn('system control port A: the guest closes the A20 gate, which stays open')
    if ((value & ControlA.FAST_INIT) !== 0) this.#reset()
  }
}

/** Port 0x61. */
export class SystemControlB implements PortDevice {
  readonly name = 'system control port B'
  readonly widthMax = 1
  readonly #clock: Clock
  readonly #pit: Pit8254
  #value = 0

  constructor(clock: Clock, pit: Pit8254) {
    this.#clock = clock
    this.#pit = pit
  }

  readPort(): number {
    const refresh = Math.floor(this.#clock.nowNs / REFRESH_NS) % 2 === 1
    return this.#value | (refresh ? ControlB.REFRESH : 0) | (this.#pit.output(2) ? ControlB.OUT2 : 0)
  }

  writePort(_port: number, _size: number, value: number): void {
    this.#value = value & ControlB.WRITABLE
    this.#pit.setGate(2, (value & ControlB.GATE2) !== 0)
  }
}

/** Port 0x80: progress codes of firmware, and the write with which drivers wait a microsecond. */
export class PostCode implements PortDevice {
  readonly name = 'POST code port'
  readonly widthMax = 1
  #value = 0

  readPort(): number {
    return this.#value
  }

  writePort(_port: number, _size: number, value: number): void {
    this.#value = value
  }
}
