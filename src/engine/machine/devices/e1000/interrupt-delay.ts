/**
 * A delay timer that every event starts anew, bounded by an absolute timer that only the first one starts: RDTR and RADV on the
 * receive side (the manual, 3.2.7.1), TIDV and TADV on the transmit side (13.4.41 and 13.4.44).
 */
import type { Clock, Timer } from '../../clock.ts'
import { DELAY_FPD, DELAY_UNIT_NS, type RegisterMap } from './registers.ts'

const DELAY_MASK = 0xffff

export class InterruptDelay {
  readonly #clock: Clock
  readonly #raise: () => void
  readonly #relative: Timer
  readonly #absolute: Timer
  #delay = 0
  #absoluteDelay = 0

  constructor(clock: Clock, name: string, raise: () => void) {
    this.#clock = clock
    this.#raise = raise
    this.#relative = clock.timer(`e1000 ${name} delay`, () => this.flush())
    this.#absolute = clock.timer(`e1000 ${name} absolute delay`, () => this.flush())
  }

  addTo(registers: RegisterMap, relative: { name: string; offset: number }, absolute: { name: string; offset: number }): void {
    registers.set(relative.offset, {
      name: relative.name,
      read: () => this.#delay,
      write: (value) => {
        this.#delay = value & DELAY_MASK
        if ((value & DELAY_FPD) !== 0 && this.#relative.armed) this.flush()
      },
    })
    registers.set(absolute.offset, {
      name: absolute.name,
      read: () => this.#absoluteDelay,
      write: (value) => (this.#absoluteDelay = value & DELAY_MASK),
    })
  }

  /** Something happened that the guest shall hear of: after the delay, or now when it is 0. */
  event(): void {
    if (this.#delay === 0) return this.flush()
    const nowNs = this.#clock.nowNs
    this.#relative.arm(nowNs + this.#delay * DELAY_UNIT_NS)
    if (this.#absoluteDelay !== 0 && !this.#absolute.armed) this.#absolute.arm(nowNs + this.#absoluteDelay * DELAY_UNIT_NS)
  }

  /** Raises the interrupt now. */
  flush(): void {
    this.#relative.disarm()
    this.#absolute.disarm()
    this.#raise()
  }

  reset(): void {
    this.#delay = 0
    this.#absoluteDelay = 0
    this.#relative.disarm()
    this.#absolute.disarm()
  }
}
