/**
 * Interrupt causes and the pin they drive: ICR, ICS, IMS, IMC and ITR (the manual, 13.4.17 to 13.4.21).
 *
 * The pin is level sensitive: it is asserted while a cause is both set in ICR and enabled in IMS. ITR spaces the instants at which
 * it becomes asserted.
 */
import type { Clock, Timer } from '../../clock.ts'
import { CAUSES, Register, type RegisterMap } from './registers.ts'

/** 13.4.18. */
const ITR_UNIT_NS = 256
const ITR_INTERVAL = 0xffff

export class InterruptCauses {
  readonly #clock: Clock
  readonly #setPin: (asserted: boolean) => void
  /** Armed while the pin may not be asserted again. */
  readonly #throttle: Timer
  #icr = 0
  #ims = 0
  #itr = 0
  #asserted = false

  constructor(clock: Clock, setPin: (asserted: boolean) => void) {
    this.#clock = clock
    this.#setPin = setPin
    this.#throttle = clock.timer('e1000 interrupt throttle', () => this.#update())
  }

  raise(causes: number): void {
    this.#icr |= causes
    this.#update()
  }

  reset(): void {
    this.#icr = 0
    this.#ims = 0
    this.#itr = 0
    this.#throttle.disarm()
    this.#update()
  }

  addTo(registers: RegisterMap): void {
    registers.set(Register.ICR, {
      name: 'ICR',
      read: () => {
        const causes = this.#icr
        this.#icr = 0
        this.#update()
        return causes
      },
      write: (value) => {
        this.#icr &= ~value
        this.#update()
      },
    })
    // The manual calls ICS write-only; the chip reads it as ICR without clearing, and drivers rely on that.
    registers.set(Register.ICS, { name: 'ICS', read: () => this.#icr, write: (value) => this.raise(value & CAUSES) })
    registers.set(Register.IMS, { name: 'IMS', read: () => this.#ims, write: (value) => this.#setMask(this.#ims | (value & CAUSES)) })
    registers.set(Register.IMC, { name: 'IMC', read: () => 0, write: (value) => this.#setMask(this.#ims & ~value) })
    registers.set(Register.ITR, { name: 'ITR', read: () => this.#itr, write: (value) => this.#setInterval(value & ITR_INTERVAL) })
  }

  #setMask(mask: number): void {
    this.#ims = mask
    this.#update()
  }

  /** A new interval counts from the next interrupt; 0 lets one that is held back go at once. */
  #setInterval(interval: number): void {
    this.#itr = interval
    if (interval === 0) this.#throttle.disarm()
    this.#update()
  }

  #update(): void {
    const pending = (this.#icr & this.#ims) !== 0
    if (pending === this.#asserted) return
    if (pending) {
      if (this.#throttle.armed) return
      if (this.#itr > 0) this.#throttle.arm(this.#clock.nowNs + this.#itr * ITR_UNIT_NS)
    }
    this.#asserted = pending
    this.#setPin(pending)
  }
}
