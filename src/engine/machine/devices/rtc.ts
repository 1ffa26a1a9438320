/**
 * Motorola MC146818A real-time clock with the PC's CMOS memory.
 *
 * Source: MC146818A data sheet, ADI1061 ("the sheet"); for the PC's use of the memory, IBM PC/AT Technical Reference, 1984,
 * "Real-time clock information", and Ralf Brown's CMOS list.
 */
import type { PortDevice } from '../bus.ts'
import type { Clock, Timer } from '../clock.ts'

export const RTC_PORT = 0x70
/** Bit 7 of port 0x70 masks NMI; the rest selects a register. */
const INDEX_MASK = 0x7f

const Register = {
  SECONDS: 0x00,
  SECONDS_ALARM: 0x01,
  MINUTES: 0x02,
  MINUTES_ALARM: 0x03,
  HOURS: 0x04,
  HOURS_ALARM: 0x05,
  DAY_OF_WEEK: 0x06,
  DAY_OF_MONTH: 0x07,
  MONTH: 0x08,
  YEAR: 0x09,
  A: 0x0a,
  B: 0x0b,
  C: 0x0c,
  D: 0x0d,
  EQUIPMENT: 0x14,
  BASE_MEMORY: 0x15,
  EXTENDED_MEMORY: 0x17,
  CHECKSUM: 0x2e,
  EXTENDED_MEMORY_FOUND: 0x30,
  CENTURY: 0x32,
  MEMORY_ABOVE_16M: 0x34,
} as const
const A = { RS: 0x0f, DV: 0x70, UIP: 1 << 7 } as const
/** Register A, DV2–DV0 for the 32.768 kHz crystal; every other setting stops or resets the divider. */
const DV_RUNNING = 0x20
const B = { DSE: 1 << 0, H24: 1 << 1, DM: 1 << 2, SQWE: 1 << 3, UIE: 1 << 4, AIE: 1 << 5, PIE: 1 << 6, SET: 1 << 7 } as const
/** Register C has its flags where register B has their enables. */
const C = { UF: 1 << 4, AF: 1 << 5, PF: 1 << 6, IRQF: 1 << 7 } as const
const D_VRT = 1 << 7
const HOUR_PM = 0x80
/** An alarm register with both top bits set matches every value. */
const ALARM_ANY = 0xc0

const SECOND_NS = 1_000_000_000
/** UIP rises 244 µs before an update, which takes 1984 µs (the sheet, table 5). */
const UPDATE_NS = 2_228_000
/** The crystal's 32,768 Hz: 64 of its periods last 1,953,125 ns. */
const CRYSTAL_PERIODS = 64
const CRYSTAL_NS = 1_953_125
const SECONDS_PER_DAY = 86_400
const MINUTES_PER_DAY = 1440

interface Calendar {
  year: number
  month: number
  day: number
  weekday: number
  hours: number
  minutes: number
  seconds: number
}

export class RealTimeClock implements PortDevice {
  readonly name = 'MC146818 RTC'
  readonly widthMax = 1
  readonly #clock: Clock
  readonly #setIrq: (high: boolean) => void
  readonly #warn: (message: string) => void
  readonly #timer: Timer
  readonly #cmos = new Uint8Array(128)
  #index = 0
  /** 1024 Hz and 24 hours in BCD: how PC firmware leaves it. */
  #a = DV_RUNNING | 6
  #b: number = B.H24
  /** Flags of register C, up to date as of `#flagsAtNs`. */
  #c = 0
  #flagsAtNs = 0
  /** Seconds since 1970 at virtual time `#epochNs`. */
  #epochSeconds: number
  #epochNs = 0
  /** The time while SET or the divider holds it still. */
  #frozen: Calendar | null = null

  /**
   * @param rtcSeconds the date at reset, in seconds since 1970
   * @param ramBytes what the CMOS memory says is installed
   */
  constructor(clock: Clock, setIrq: (high: boolean) => void, warn: (message: string) => void, rtcSeconds: number, ramBytes: number) {
    this.#clock = clock
    this.#setIrq = setIrq
    this.#warn = warn
    this.#epochSeconds = rtcSeconds
    this.#timer = clock.timer('RTC', () => this.#update())
    this.#describeMemory(ramBytes)
  }

  /** Seconds since 1970 as the clock shows them now. */
  get seconds(): number {
    return this.#frozen === null ? this.#secondsAt(this.#clock.nowNs) : secondsOf(this.#frozen)
  }

  readPort(port: number): number {
    // Port 0x70 is write-only.
    if (port === RTC_PORT) return 0xff
    switch (this.#index) {
      case Register.A:
        return this.#a | (this.#updating ? A.UIP : 0)
      case Register.B:
        return this.#b
      case Register.C: {
        this.#collectFlags()
        const value = this.#c | (this.#requesting ? C.IRQF : 0)
        this.#c = 0
        this.#update()
        return value
      }
      case Register.D:
        return D_VRT
    }
    return this.#timeRegister(this.#index) ?? this.#cmos[this.#index]
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === RTC_PORT) {
      this.#index = value & INDEX_MASK
      return
    }
    this.#collectFlags()
    switch (this.#index) {
      case Register.A:
        this.#a = value & ~A.UIP
        this.#freezeOrRun()
        break
      case Register.B:
        if ((value & B.DSE) !== 0) this.#warn('MC146818 RTC: register B enables daylight saving (DSE), which is ignored')
        if ((value & B.SQWE) !== 0) this.#warn('MC146818 RTC: register B enables the square wave (SQWE), which is wired to nothing')
        this.#b = value
        // The sheet: SET going high clears UIE.
        if ((value & B.SET) !== 0) this.#b &= ~B.UIE
        this.#freezeOrRun()
        break
      case Register.C:
      case Register.D:
        break
      default:
        if (!this.#setTimeRegister(this.#index, value)) this.#cmos[this.#index] = value
    }
    this.#update()
  }

  get #runs(): boolean {
    return (this.#b & B.SET) === 0 && (this.#a & A.DV) === DV_RUNNING
  }

  /** Time on the way to or within an update: registers are not to be trusted. */
  get #updating(): boolean {
    return this.#frozen === null && SECOND_NS - ((this.#clock.nowNs - this.#epochNs) % SECOND_NS) <= UPDATE_NS
  }

  get #requesting(): boolean {
    return (this.#c & this.#b & (C.UF | C.AF | C.PF)) !== 0
  }

  #secondsAt(ns: number): number {
    return this.#epochSeconds + Math.floor((ns - this.#epochNs) / SECOND_NS)
  }

  #calendar(): Calendar {
    return this.#frozen ?? calendarOf(this.#secondsAt(this.#clock.nowNs))
  }

  #freezeOrRun(): void {
    const now = this.#clock.nowNs
    if (this.#runs && this.#frozen !== null) {
      this.#epochSeconds = secondsOf(this.#frozen)
      // SET holds the registers, not the divider: seconds still end where they ended before.
      this.#epochNs = now - ((now - this.#epochNs) % SECOND_NS)
      this.#frozen = null
    } else if (!this.#runs && this.#frozen === null) {
      this.#frozen = calendarOf(this.#secondsAt(now))
    }
  }

  #timeRegister(index: number): number | null {
    const now = this.#calendar()
    switch (index) {
      case Register.SECONDS:
        return this.#encode(now.seconds)
      case Register.MINUTES:
        return this.#encode(now.minutes)
      case Register.HOURS:
        return this.#encodeHours(now.hours)
      case Register.DAY_OF_WEEK:
        return this.#encode(now.weekday)
      case Register.DAY_OF_MONTH:
        return this.#encode(now.day)
      case Register.MONTH:
        return this.#encode(now.month)
      case Register.YEAR:
        return this.#encode(now.year % 100)
      case Register.CENTURY:
        return this.#encode(Math.floor(now.year / 100))
    }
    return null
  }

  /** Sets one register of the time; without SET the rest of the time goes on from there. */
  #setTimeRegister(index: number, value: number): boolean {
    const set = { ...this.#calendar() }
    const decoded = this.#decode(value)
    switch (index) {
      case Register.SECONDS:
        set.seconds = decoded
        break
      case Register.MINUTES:
        set.minutes = decoded
        break
      case Register.HOURS:
        set.hours = this.#decodeHours(value)
        break
      case Register.DAY_OF_WEEK:
        set.weekday = decoded
        break
      case Register.DAY_OF_MONTH:
        set.day = decoded
        break
      case Register.MONTH:
        set.month = decoded
        break
      case Register.YEAR:
        set.year = Math.floor(set.year / 100) * 100 + decoded
        break
      case Register.CENTURY:
        set.year = decoded * 100 + (set.year % 100)
        break
      default:
        return false
    }
    if (this.#frozen !== null) this.#frozen = set
    else this.#epochSeconds += secondsOf(set) - this.#secondsAt(this.#clock.nowNs)
    return true
  }

  #encode(value: number): number {
    return (this.#b & B.DM) !== 0 ? value & 0xff : ((Math.floor(value / 10) << 4) | (value % 10)) & 0xff
  }
  #decode(value: number): number {
    return (this.#b & B.DM) !== 0 ? value : (value >> 4) * 10 + (value & 15)
  }
  #encodeHours(hours: number): number {
    if ((this.#b & B.H24) !== 0) return this.#encode(hours)
    return this.#encode(hours % 12 === 0 ? 12 : hours % 12) | (hours >= 12 ? HOUR_PM : 0)
  }
  #decodeHours(value: number): number {
    if ((this.#b & B.H24) !== 0) return this.#decode(value)
    return (this.#decode(value & ~HOUR_PM) % 12) + ((value & HOUR_PM) !== 0 ? 12 : 0)
  }

  /** Crystal periods between periodic interrupts, 0 for none (the sheet, table 3). */
  get #periodicPeriods(): number {
    const rs = this.#a & A.RS
    return rs === 0 ? 0 : 1 << (rs < 3 ? rs + 6 : rs - 1)
  }

  /** Sets the flags of everything that happened since the last time somebody looked. */
  #collectFlags(): void {
    const from = this.#flagsAtNs
    const to = this.#clock.nowNs
    if (to <= from) return
    this.#flagsAtNs = to
    if ((this.#a & A.DV) !== DV_RUNNING) return
    const period = this.#periodicPeriods
    if (period !== 0 && crystalPeriods(from, period) !== crystalPeriods(to, period)) this.#c |= C.PF
    if (this.#frozen !== null) return
    const first = this.#secondsAt(from) + 1
    const last = this.#secondsAt(to)
    if (first > last) return
    this.#c |= C.UF
    if (this.#nextAlarm(first, last) >= 0) this.#c |= C.AF
  }

  /** The first second from `first` to `last` that the alarm registers match, or -1. They match at least daily or never. */
  #nextAlarm(first: number, last: number): number {
    const seconds = this.#cmos[Register.SECONDS_ALARM]
    const minutes = this.#cmos[Register.MINUTES_ALARM]
    const hours = this.#cmos[Register.HOURS_ALARM]
    const matches = (alarm: number, value: number): boolean => alarm >= ALARM_ANY || alarm === value
    const firstMinute = Math.floor(first / 60)
    for (let minute = firstMinute; minute <= firstMinute + MINUTES_PER_DAY; minute++) {
      const ofDay = ((minute % MINUTES_PER_DAY) + MINUTES_PER_DAY) % MINUTES_PER_DAY
      if (!matches(minutes, this.#encode(ofDay % 60)) || !matches(hours, this.#encodeHours(Math.floor(ofDay / 60)))) continue
      for (let second = 0; second < 60; second++) {
        const at = minute * 60 + second
        if (at > last) return -1
        if (at >= first && matches(seconds, this.#encode(second))) return at
      }
    }
    return -1
  }

  /** Drives IRQ 8 and arms the timer for the next flag that would. */
  #update(): void {
    this.#collectFlags()
    this.#setIrq(this.#requesting)
    this.#timer.disarm()
    if (this.#requesting || (this.#a & A.DV) !== DV_RUNNING) return
    const now = this.#flagsAtNs
    let due = Infinity
    const period = this.#periodicPeriods
    if ((this.#b & B.PIE) !== 0 && period !== 0) due = nsOfCrystal((crystalPeriods(now, period) + 1) * period)
    if (this.#frozen === null) {
      const next = this.#secondsAt(now) + 1
      if ((this.#b & B.UIE) !== 0) due = Math.min(due, this.#nsOfSecond(next))
      if ((this.#b & B.AIE) !== 0) {
        const alarm = this.#nextAlarm(next, Infinity)
        if (alarm >= 0) due = Math.min(due, this.#nsOfSecond(alarm))
      }
    }
    if (due !== Infinity) this.#timer.arm(due)
  }

  #nsOfSecond(seconds: number): number {
    return this.#epochNs + (seconds - this.#epochSeconds) * SECOND_NS
  }

  /** What firmware writes down for operating systems: 640 KiB below 1 MiB, the rest above. */
  #describeMemory(ramBytes: number): void {
    const kib = ramBytes / 1024
    const word = (register: number, value: number): void => {
      this.#cmos[register] = value & 0xff
      this.#cmos[register + 1] = value >> 8
    }
    word(Register.BASE_MEMORY, 640)
    const extended = Math.min(Math.max(kib - 1024, 0), 0xffff)
    word(Register.EXTENDED_MEMORY, extended)
    word(Register.EXTENDED_MEMORY_FOUND, extended)
    word(Register.MEMORY_ABOVE_16M, Math.min(Math.max(kib - 16384, 0) / 64, 0xffff))
    // The checksum of 0x10 to 0x2d is stored high byte first.
    const sum = this.#cmos.subarray(0x10, 0x2e).reduce((total, byte) => total + byte, 0)
    this.#cmos[Register.CHECKSUM] = sum >> 8
    this.#cmos[Register.CHECKSUM + 1] = sum & 0xff
  }
}

/** How many whole groups of `period` crystal periods have passed by `ns`. */
function crystalPeriods(ns: number, period: number): number {
  const periods = Math.floor(ns / CRYSTAL_NS) * CRYSTAL_PERIODS + Math.floor(((ns % CRYSTAL_NS) * CRYSTAL_PERIODS) / CRYSTAL_NS)
  return Math.floor(periods / period)
}

/** The first whole nanosecond at which `periods` crystal periods have passed. */
function nsOfCrystal(periods: number): number {
  return Math.floor(periods / CRYSTAL_PERIODS) * CRYSTAL_NS + Math.ceil(((periods % CRYSTAL_PERIODS) * CRYSTAL_NS) / CRYSTAL_PERIODS)
}

/** Days since 1970-01-01 of a proleptic Gregorian date; Howard Hinnant, "chrono-compatible low-level date algorithms". */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

function secondsOf(at: Calendar): number {
  return daysOf(at.year, at.month, at.day) * SECONDS_PER_DAY + at.hours * 3600 + at.minutes * 60 + at.seconds
}

/** The inverse of `daysOf`, same source. Sunday is day 1 of the week. */
function calendarOf(seconds: number): Calendar {
  const days = Math.floor(seconds / SECONDS_PER_DAY)
  const rest = seconds - days * SECONDS_PER_DAY
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
    hours: Math.floor(rest / 3600),
    minutes: Math.floor(rest / 60) % 60,
    seconds: rest % 60,
  }
}
