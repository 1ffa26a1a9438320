import type { Pace } from './messages.ts'

/**
 * How far a machine may run next. The engine knows virtual time only; here is where it meets the wall: `live` lets virtual time follow the
 * wall clock, and both paces cut the way into slices that take a few wall milliseconds, so that a stop or a key is served at once.
 */

/** What a slice should take, in wall milliseconds. */
export const SLICE_WALL_MS = 6

/** Longest slice in virtual time. Bounds a slice in which a machine that idled until now begins to compute at full speed. */
export const SLICE_NS_MAX = 5_000_000

export const SLICE_NS_MIN = 10_000

const SLICE_NS_FIRST = 500_000

/** Virtual time this far behind the wall is given up, in milliseconds: the host was too slow or asleep, and a rush would not help. */
export const LAG_MS_MAX = 100

/** A live machine that has caught up runs again after this many milliseconds: how late a timer of the guest may be seen. */
export const LIVE_STEP_MS = 8

export type Step = { kind: 'run'; untilNs: number } | { kind: 'wait'; ms: number }

export class Pacer {
  readonly #pace: Pace
  #sliceNs = SLICE_NS_FIRST
  /** Wall time at which virtual time was 0, had the machine always been on time. */
  #epochMs: number
  #restUntilMs = Number.NEGATIVE_INFINITY

  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace
    this.#epochMs = nowMs
  }

  /** What to do now, at wall time `nowMs`, with a machine that has reached `virtualNs`. */
  next(nowMs: number, virtualNs: number): Step {
    if (this.#pace === 'fast') return { kind: 'run', untilNs: virtualNs + Math.floor(this.#sliceNs) }
    const aheadMs = virtualNs / 1e6 - (nowMs - this.#epochMs)
    if (aheadMs < -LAG_MS_MAX) this.#epochMs = nowMs - virtualNs / 1e6 - LAG_MS_MAX
    if (nowMs < this.#restUntilMs) return { kind: 'wait', ms: this.#restUntilMs - nowMs }
    const dueNs = Math.floor((nowMs - this.#epochMs) * 1e6)
    if (dueNs <= virtualNs) return { kind: 'wait', ms: LIVE_STEP_MS }
    const sliceEndNs = virtualNs + Math.floor(this.#sliceNs)
    // Caught up. The wall moves on while a slice runs: without a rest there would always be a few more microseconds to run.
    if (dueNs <= sliceEndNs) this.#restUntilMs = nowMs + LIVE_STEP_MS
    return { kind: 'run', untilNs: Math.min(dueNs, sliceEndNs) }
  }

  /** Something came from outside that should be seen now: the rest is over. */
  wake(): void {
    this.#restUntilMs = Number.NEGATIVE_INFINITY
  }

  /** Learns from a slice: `virtualNs` of virtual time took `wallMs`. */
  ran(virtualNs: number, wallMs: number): void {
    const factor = wallMs <= 0 ? 2 : Math.min(2, Math.max(1 / 8, SLICE_WALL_MS / wallMs))
    // A slice that was cut short because virtual time had caught up says nothing against longer ones.
    if (factor > 1 && virtualNs < this.#sliceNs / 2) return
    this.#sliceNs = Math.min(SLICE_NS_MAX, Math.max(SLICE_NS_MIN, this.#sliceNs * factor))
  }

  /** The machine was held back from outside until now; the time is not made up for. */
  resume(nowMs: number, virtualNs: number): void {
    this.#epochMs = Math.max(this.#epochMs, nowMs - virtualNs / 1e6)
  }
}
