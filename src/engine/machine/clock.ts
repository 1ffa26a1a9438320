/** Times are integers up to 2^53, so a machine can run for 104 virtual days. */
const TIME_NS_MAX = Number.MAX_SAFE_INTEGER

/** Events run for one and the same instant before we call it a device that re-arms itself for ever. */
const EVENTS_PER_INSTANT_MAX = 100_000

/** One thing that can be due: made once by its owner, armed and disarmed as often as needed. */
export class Timer {
  /** Virtual nanoseconds at which it is due; Infinity while disarmed. */
  dueNs = Infinity
  /** Order among timers due at the same time: who was armed first runs first. */
  sequence = 0
  readonly name: string
  readonly callback: (dueNs: number) => void
  readonly #clock: Clock

  constructor(clock: Clock, name: string, callback: (dueNs: number) => void) {
    this.#clock = clock
    this.name = name
    this.callback = callback
  }

  get armed(): boolean {
    return this.dueNs !== Infinity
  }

  /** Makes it due at `dueNs` and nowhere else. A time in the past is due at once. */
  arm(dueNs: number): void {
    this.#clock.arm(this, dueNs)
  }

  disarm(): void {
    this.#clock.disarm(this)
  }
}

/**
 * A machine's virtual clock and the events that are due on it.
 *
 * While the processor runs, the time is the start of its slice plus what it has executed since; the machine says so with
 * `beginSlice` and `endSlice`. Nothing here reads the host's time.
 */
export class Clock {
  /** Called when a timer is armed that is due before `horizonNs`. */
  onEarlier: () => void = () => {}
  #baseNs = 0
  #elapsedNs: (() => number) | null = null
  #horizonNs = -Infinity
  #sequence = 0
  /** Sorted by (dueNs, sequence). A machine has about ten timers, so that a heap would not pay. */
  readonly #armed: Timer[] = []

  /** Virtual nanoseconds since reset. */
  get nowNs(): number {
    return this.#elapsedNs === null ? this.#baseNs : this.#baseNs + this.#elapsedNs()
  }

  /** When the next event is due, Infinity when none is. */
  get nextDueNs(): number {
    return this.#armed.length === 0 ? Infinity : this.#armed[0].dueNs
  }

  /** The same, one of them left out. */
  nextDueBesideNs(timer: Timer): number {
    const next = this.#armed[0] === timer ? this.#armed[1] : this.#armed[0]
    return next?.dueNs ?? Infinity
  }

  /** Makes a timer, disarmed. `callback` gets the time for which it was armed, which `nowNs` may have passed. */
  timer(name: string, callback: (dueNs: number) => void): Timer {
    return new Timer(this, name, callback)
  }

  arm(timer: Timer, dueNs: number): void {
    if (!Number.isSafeInteger(dueNs) || dueNs < 0)
      throw new RangeError(`timer ${timer.name} cannot be due at ${dueNs} ns: not a whole number below 2^53`)
    this.disarm(timer)
    timer.dueNs = dueNs
    timer.sequence = this.#sequence++
    let low = 0
    for (let high = this.#armed.length; low < high;) {
      const middle = (low + high) >> 1
      if (this.#armed[middle].dueNs <= dueNs) low = middle + 1
      else high = middle
    }
    this.#armed.splice(low, 0, timer)
    if (dueNs < this.#horizonNs) this.onEarlier()
  }

  disarm(timer: Timer): void {
    if (!timer.armed) return
    this.#armed.splice(this.#armed.indexOf(timer), 1)
    timer.dueNs = Infinity
  }

  /** Runs every event that is due by now, in order, those that the events themselves arm included. */
  runDue(): void {
    const now = this.nowNs
    let instant = -1
    let events = 0
    while (this.#armed.length > 0 && this.#armed[0].dueNs <= now) {
      const timer = this.#armed[0]
      const dueNs = timer.dueNs
      if (dueNs > instant) {
        instant = dueNs
        events = 0
      }
      if (++events > EVENTS_PER_INSTANT_MAX) throw new Error(`timer ${timer.name} is armed for ${dueNs} ns again and again`)
      this.disarm(timer)
      timer.callback(dueNs)
    }
  }

  /** Time passes without instructions: a charge, or a halted processor's sleep. Also inside a slice. */
  advance(ns: number): void {
    if (!Number.isInteger(ns) || ns < 0 || this.#baseNs + ns > TIME_NS_MAX) throw new RangeError(`virtual time cannot advance by ${ns} ns`)
    this.#baseNs += ns
  }

  /** The processor starts to run; until `endSlice`, `elapsedNs` says for how long it has. `horizonNs` is where it means to stop. */
  beginSlice(elapsedNs: () => number, horizonNs: number): void {
    this.#elapsedNs = elapsedNs
    this.#horizonNs = horizonNs
  }

  /** It ran for `ns`. */
  endSlice(ns: number): void {
    this.#elapsedNs = null
    this.#horizonNs = -Infinity
    this.advance(ns)
  }
}
