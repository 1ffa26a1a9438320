/**
 * One counter of an Intel 8254, as a function of time: nothing is simulated between two accesses or output changes.
 *
 * Source: Intel 8254 data sheet, order number 231164-005 ("the sheet"), "Mode definitions" and figures 15 to 20. Times are
 * CLK pulses since reset. What the sheet lets happen "on the next CLK pulse" after pulse t happens at t + 1.
 */

export const PitMode = { TERMINAL_COUNT: 0, ONE_SHOT: 1, RATE: 2, SQUARE_WAVE: 3, SOFTWARE_STROBE: 4, HARDWARE_STROBE: 5 } as const
type PitMode = (typeof PitMode)[keyof typeof PitMode]

/** RW1 RW0 of the control word. */
export const PitAccess = { LATCH: 0, LSB: 1, MSB: 2, BOTH: 3 } as const
type PitAccess = (typeof PitAccess)[keyof typeof PitAccess]

/** Status byte of the read-back command (the sheet, figure 11). */
const Status = { OUTPUT: 1 << 7, NULL_COUNT: 1 << 6, RW_SHIFT: 4, MODE_SHIFT: 1, BCD: 1 << 0 } as const

const NEVER = Infinity

export class PitCounter {
  #mode: PitMode = PitMode.TERMINAL_COUNT
  /** M2 M1 M0 as written: 6 and 7 are modes 2 and 3. */
  #modeBits = 0
  #bcd = false
  #access: PitAccess = PitAccess.BOTH
  /** Count register, 1 to 65,536 (10,000 in BCD); 0 until it is written. */
  #cr = 0
  #nullCount = true
  #gate: boolean

  /** When the count register goes into the counting element. */
  #loadAt = NEVER
  /** Whether the counting element counts from a load; before that, and while a mode 0 count is being written, `#held` is read. */
  #loaded = false
  #held = 0
  /** Count at `#start`. */
  #initial = 0
  /** Pulse at which the counting element held `#initial`. */
  #start = 0
  /** Pulse at which GATE stopped the counting, or -1. */
  #pausedAt = -1
  /** Mode 3: OUT is high in this half of the cycle. */
  #highHalf = true
  #now = 0

  #firstByte = -1
  #readMsb = false
  #latchedCount = -1
  #latchedStatus = -1

  /** @param gate level of the GATE input at reset */
  constructor(gate: boolean) {
    this.#gate = gate
  }

  get gate(): boolean {
    return this.#gate
  }

  /** A control word for this counter, RW not 0. */
  program(t: number, access: PitAccess, modeBits: number, bcd: boolean): void {
    this.#held = this.#count(t)
    this.#access = access
    this.#modeBits = modeBits
    this.#mode = (modeBits > 5 ? modeBits - 4 : modeBits) as PitMode
    this.#bcd = bcd
    this.#cr = 0
    this.#nullCount = true
    this.#loaded = false
    this.#loadAt = NEVER
    this.#pausedAt = -1
    this.#firstByte = -1
    this.#readMsb = false
    this.#latchedCount = -1
    this.#latchedStatus = -1
  }

  /** A byte of the count. */
  write(t: number, value: number): void {
    this.advance(t)
    if (this.#access === PitAccess.BOTH && this.#firstByte < 0) {
      this.#firstByte = value
      // Mode 0: the first byte stops the counting and OUT goes low at once.
      if (this.#mode === PitMode.TERMINAL_COUNT) this.#stop(t)
      return
    }
    const count = this.#access === PitAccess.LSB ? value : this.#access === PitAccess.MSB ? value << 8 : this.#firstByte | (value << 8)
    this.#firstByte = -1
    const decoded = this.#bcd ? fromBcd(count) : count
    this.#cr = decoded === 0 ? this.#modulus : decoded
    this.#nullCount = true
    switch (this.#mode) {
      case PitMode.TERMINAL_COUNT:
        this.#stop(t)
        this.#loadAt = t + 1
        return
      case PitMode.SOFTWARE_STROBE:
        this.#loadAt = t + 1
        return
      case PitMode.RATE:
      case PitMode.SQUARE_WAVE:
        // A running cycle, or half cycle, ends with the count it began with.
        if (!this.#loaded) this.#loadAt = t + 1
    }
  }

  /** A byte of the status, the latched count or the live count, in that order. */
  read(t: number): number {
    this.advance(t)
    if (this.#latchedStatus >= 0) {
      const status = this.#latchedStatus
      this.#latchedStatus = -1
      return status
    }
    const count = this.#latchedCount >= 0 ? this.#latchedCount : this.#count(t)
    if (this.#access === PitAccess.BOTH && !this.#readMsb) {
      this.#readMsb = true
      return count & 0xff
    }
    this.#readMsb = false
    this.#latchedCount = -1
    return this.#access === PitAccess.LSB ? count & 0xff : count >> 8
  }

  /** Counter latch command; a count latched before and not read stays. */
  latchCount(t: number): void {
    if (this.#latchedCount < 0) this.#latchedCount = this.#count(t)
  }

  latchStatus(t: number): void {
    if (this.#latchedStatus >= 0) return
    this.#latchedStatus =
      (this.output(t) ? Status.OUTPUT : 0) |
      (this.#nullCount ? Status.NULL_COUNT : 0) |
      (this.#access << Status.RW_SHIFT) |
      (this.#modeBits << Status.MODE_SHIFT) |
      (this.#bcd ? Status.BCD : 0)
  }

  /** The sheet, figure 21: what GATE does in each mode. */
  setGate(t: number, high: boolean): void {
    this.advance(t)
    if (high === this.#gate) return
    this.#gate = high
    const triggered = this.#mode === PitMode.ONE_SHOT || this.#mode === PitMode.HARDWARE_STROBE
    if (!high) {
      if (!triggered && this.#loaded && this.#pausedAt < 0) this.#pausedAt = t
    } else if (triggered || this.#mode === PitMode.RATE || this.#mode === PitMode.SQUARE_WAVE) {
      if (this.#cr !== 0) this.#loadAt = t + 1
    } else if (this.#pausedAt >= 0) {
      this.#start += t - this.#pausedAt
      this.#pausedAt = -1
    }
  }

  /** The OUT pin. */
  output(t: number): boolean {
    this.advance(t)
    switch (this.#mode) {
      case PitMode.TERMINAL_COUNT:
        return this.#loaded && this.#elapsed >= this.#initial
      case PitMode.ONE_SHOT:
        return !this.#loaded || this.#elapsed >= this.#initial
      case PitMode.RATE:
        return !this.#loaded || !this.#gate || this.#pausedAt >= 0 || this.#elapsed !== this.#initial - 1
      case PitMode.SQUARE_WAVE:
        return !this.#loaded || !this.#gate || this.#pausedAt >= 0 || this.#highHalf
      case PitMode.SOFTWARE_STROBE:
      case PitMode.HARDWARE_STROBE:
        return !this.#loaded || this.#elapsed !== this.#initial
    }
  }

  /** The next pulse after `t` at which OUT may change if nobody touches the counter, or Infinity. */
  nextChange(t: number): number {
    this.advance(t)
    if (this.#loadAt !== NEVER) return this.#loadAt
    if (!this.#loaded || this.#pausedAt >= 0) return NEVER
    const end = this.#start + this.#initial
    switch (this.#mode) {
      case PitMode.TERMINAL_COUNT:
      case PitMode.ONE_SHOT:
        return t < end ? end : NEVER
      case PitMode.RATE:
        return t < end - 1 ? end - 1 : end
      case PitMode.SQUARE_WAVE:
        return this.#start + this.#partLength
      case PitMode.SOFTWARE_STROBE:
      case PitMode.HARDWARE_STROBE:
        return t < end ? end : t === end ? end + 1 : NEVER
    }
  }

  /** Brings the counting element to pulse `t`. Time does not run backwards: an earlier pulse changes nothing. */
  advance(t: number): void {
    if (t <= this.#now) return
    this.#now = t
    if (this.#loadAt <= t) {
      this.#initial = this.#cr
      this.#start = this.#loadAt
      this.#loadAt = NEVER
      this.#loaded = true
      this.#nullCount = false
      this.#highHalf = true
      const stopsOnGate = this.#mode !== PitMode.ONE_SHOT && this.#mode !== PitMode.HARDWARE_STROBE
      this.#pausedAt = stopsOnGate && !this.#gate ? this.#start : -1
    }
    if (!this.#loaded || this.#pausedAt >= 0) return
    if (this.#mode === PitMode.RATE || this.#mode === PitMode.SQUARE_WAVE) this.#repeat(t)
  }

  /** Starts the parts of a periodic mode that begin by `t`; a count written meanwhile is taken where the first of them begins. */
  #repeat(t: number): void {
    while (t - this.#start >= this.#partLength) {
      if (this.#initial === this.#cr && t - this.#start >= this.#initial) {
        this.#start += Math.floor((t - this.#start) / this.#initial) * this.#initial
      } else {
        this.#start += this.#partLength
        this.#highHalf = !this.#highHalf
        this.#initial = this.#cr
      }
      this.#nullCount = false
    }
  }

  /** Pulses from one reload to the next. Mode 3, odd counts: OUT is high for (N + 1) / 2 and low for (N - 1) / 2. */
  get #partLength(): number {
    if (this.#mode === PitMode.RATE) return this.#initial
    return this.#highHalf ? (this.#initial + 1) >> 1 : this.#initial >> 1
  }

  get #modulus(): number {
    return this.#bcd ? 10_000 : 0x10000
  }

  get #elapsed(): number {
    return (this.#pausedAt >= 0 ? this.#pausedAt : this.#now) - this.#start
  }

  #stop(t: number): void {
    this.#held = this.#count(t)
    this.#loaded = false
    this.#pausedAt = -1
  }

  /** The counting element as it is read: binary or BCD, 16 bits. */
  #count(t: number): number {
    this.advance(t)
    if (!this.#loaded) return this.#held
    let value: number
    if (this.#mode === PitMode.SQUARE_WAVE) value = (this.#initial & ~1) - 2 * this.#elapsed
    else if (this.#mode === PitMode.RATE) value = this.#initial - this.#elapsed
    else value = this.#initial - (this.#elapsed % this.#modulus)
    value = (value + this.#modulus) % this.#modulus
    return this.#bcd ? toBcd(value) : value
  }
}

function fromBcd(value: number): number {
  return (value >> 12) * 1000 + ((value >> 8) & 15) * 100 + ((value >> 4) & 15) * 10 + (value & 15)
}

function toBcd(value: number): number {
  return (Math.floor(value / 1000) << 12) | (Math.floor((value / 100) % 10) << 8) | (Math.floor((value / 10) % 10) << 4) | (value % 10)
}
