/**
 * The local APIC's timer: one-shot, periodic or at a time-stamp. Source: Intel SDM vol. 3, 11.5.4. Its input clock is the core crystal
 * clock that CPUID leaf 15H names (11.5.4): 1 GHz here, so that it counts nanoseconds of virtual time.
 */
import type { Clock, Timer } from '../../clock.ts'
import { Lvt, TimerMode } from './registers.ts'

/** Divide configuration: bits 3, 1 and 0 select 2, 4, 8 … 128, and 1 (figure 11-10). */
const DIVIDE_BITS = 0xb

export class ApicTimer {
  readonly #clock: Clock
  readonly #expire: () => void
  readonly #timer: Timer
  #lvt: number = Lvt.MASK
  #initial = 0
  #divide = 0
  /** When the counter was at its initial count. */
  #startNs = 0
  /** Virtual time of IA32_TSC_DEADLINE; Infinity when it is not armed. */
  #deadlineNs = Infinity

  /** @param expire what an expired timer that is not masked does */
  constructor(clock: Clock, expire: () => void) {
    this.#clock = clock
    this.#expire = expire
    this.#timer = clock.timer('local APIC', (dueNs) => this.#due(dueNs))
  }

  reset(): void {
    this.#lvt = Lvt.MASK
    this.#initial = this.#divide = 0
    this.#deadlineNs = Infinity
    this.#timer.disarm()
  }

  /** The LVT timer register was written. A change to or from TSC-deadline mode disarms the timer (11.5.4.1). */
  setLvt(lvt: number): void {
    const changed = this.#lvt ^ lvt
    this.#lvt = lvt
    if ((changed & TimerMode.TSC_DEADLINE) !== 0) {
      this.#initial = 0
      this.#deadlineNs = Infinity
    }
    this.#schedule(this.#clock.nowNs)
  }

  get divideConfiguration(): number {
    return this.#divide
  }
  /** What was counted stays counted; the rest counts at the new rate. */
  set divideConfiguration(value: number) {
    const current = this.currentCount
    this.#divide = value & DIVIDE_BITS
    this.#startNs = this.#clock.nowNs - (this.#initial - current) * this.#divisor
    this.#schedule(this.#clock.nowNs)
  }

  get initialCount(): number {
    return this.#initial
  }
  /** Starts the timer; 0 stops it. In TSC-deadline mode writes are ignored. */
  set initialCount(value: number) {
    if (this.#mode === TimerMode.TSC_DEADLINE) return
    this.#initial = value
    this.#startNs = this.#clock.nowNs
    this.#schedule(this.#startNs)
  }

  get currentCount(): number {
    if (this.#initial === 0) return 0
    const counted = Math.floor((this.#clock.nowNs - this.#startNs) / this.#divisor)
    if (this.#mode === TimerMode.PERIODIC) return this.#initial - (counted % this.#initial)
    return Math.max(0, this.#initial - counted)
  }

  /** Virtual time of the deadline, Infinity when the timer is not armed or not in this mode. */
  get deadlineNs(): number {
    return this.#deadlineNs
  }
  /** Arms the timer for a virtual time; a past one is due at once; Infinity disarms it. Ignored in other modes. */
  set deadlineNs(value: number) {
    if (this.#mode !== TimerMode.TSC_DEADLINE) return
    this.#deadlineNs = value
    this.#schedule(this.#clock.nowNs)
  }

  get #mode(): number {
    return this.#lvt & Lvt.TIMER_MODE
  }
  get #divisor(): number {
    const selected = (this.#divide & 3) | ((this.#divide & 8) >> 1)
    return selected === 7 ? 1 : 2 << selected
  }

  /** Arms the clock for the next expiry after `nowNs`. A masked timer counts without events: what expires masked is lost. */
  #schedule(nowNs: number): void {
    const next = this.#nextExpiry(nowNs)
    if (next === Infinity || (this.#lvt & Lvt.MASK) !== 0) this.#timer.disarm()
    else this.#timer.arm(next)
  }

  #nextExpiry(nowNs: number): number {
    if (this.#mode === TimerMode.TSC_DEADLINE) return this.#deadlineNs
    if (this.#initial === 0) return Infinity
    const periodNs = this.#initial * this.#divisor
    if (this.#mode === TimerMode.PERIODIC) return this.#startNs + (Math.floor((nowNs - this.#startNs) / periodNs) + 1) * periodNs
    return this.#startNs + periodNs > nowNs ? this.#startNs + periodNs : Infinity
  }

  #due(dueNs: number): void {
    if (this.#mode === TimerMode.TSC_DEADLINE) this.#deadlineNs = Infinity
    else if (this.#mode === TimerMode.PERIODIC) this.#schedule(dueNs)
    this.#expire()
  }
}
