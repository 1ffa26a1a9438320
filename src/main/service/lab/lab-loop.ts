import { setImmediate } from 'node:timers/promises'
import type { Pace } from '../../worker/messages.ts'
import { Pacer, SLICE_WALL_MS } from '../../worker/pacer.ts'

/** How often those who watch are told, in milliseconds. */
export const REPORT_MS = 200

/** The real-time factor is that of so many milliseconds. */
const FACTOR_MS = 1000

/** What a loop drives: the coordinator of a lab. */
export interface Advancing {
  readonly nowNs: number
  step(limitNs: number): Promise<void>
}

export interface LabLoopEvents {
  /** A few times a second while it runs. */
  onReport(): void
  /** It could not go on; it has ended. */
  onFailure(error: unknown): void
}

/** Lets the virtual time of a lab pass: paced to the wall, or as fast as it goes. The only clock that a lab has outside. */
export class LabLoop {
  isPaused = false
  readonly #lab: Advancing
  readonly #events: LabLoopEvents
  #pacer: Pacer
  #pace: Pace
  #isEnded = false
  #wakeUp: (() => void) | undefined
  #reportedMs = 0
  #samples: { wallMs: number; virtualNs: number }[] = []

  constructor(lab: Advancing, pace: Pace, events: LabLoopEvents) {
    this.#lab = lab
    this.#events = events
    this.#pace = pace
    this.#pacer = new Pacer(pace, performance.now())
    void this.#run()
  }

  setPace(pace: Pace): void {
    if (pace === this.#pace) return
    this.#pace = pace
    this.#startPacing()
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.#startPacing()
    this.wake()
  }

  /** Something was done that should be seen now. */
  wake(): void {
    this.#pacer.wake()
    this.#wakeUp?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wakeUp?.()
  }

  /** Virtual seconds for each wall second, of late. */
  realTimeFactor(): number {
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (this.isPaused || last === undefined || last.wallMs <= first.wallMs) return 0
    return (last.virtualNs - first.virtualNs) / 1e6 / (last.wallMs - first.wallMs)
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isEnded) await this.#turn()
    } catch (error) {
      if (!this.#isEnded) this.#events.onFailure(error)
    }
  }

  async #turn(): Promise<void> {
    const now = performance.now()
    this.#report(now)
    if (this.isPaused) return this.#rest(REPORT_MS)
    const beforeNs = this.#lab.nowNs
    const step = this.#pacer.next(now, beforeNs)
    if (step.kind === 'wait') return this.#rest(step.ms)
    // A slice has many windows when the links are short.
    do await this.#lab.step(step.untilNs)
    while (this.#lab.nowNs < step.untilNs && !this.isPaused && !this.#isEnded && performance.now() - now < SLICE_WALL_MS)
    this.#pacer.ran(this.#lab.nowNs - beforeNs, performance.now() - now)
    // Machines in this thread would otherwise leave no room for anything else.
    await setImmediate()
  }

  #report(now: number): void {
    if (now < this.#reportedMs + REPORT_MS) return
    this.#reportedMs = now
    this.#samples.push({ wallMs: now, virtualNs: this.#lab.nowNs })
    while (this.#samples.length > 2 && this.#samples[1].wallMs < now - FACTOR_MS) this.#samples.shift()
    this.#events.onReport()
  }

  #startPacing(): void {
    const now = performance.now()
    this.#pacer = new Pacer(this.#pace, now)
    this.#pacer.resume(now, this.#lab.nowNs)
    this.#samples = []
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#wakeUp = undefined
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wakeUp = wake
    })
  }
}
