import { describe, expect, it } from 'vitest'
import { Clock } from '../clock.ts'
import { RealTimeClock } from './rtc.ts'

const SECOND_NS = 1_000_000_000
const SECONDS = 0,
  SECONDS_ALARM = 1,
  MINUTES = 2,
  MINUTES_ALARM = 3,
  HOURS = 4,
  HOURS_ALARM = 5,
  WEEKDAY = 6,
  DAY = 7,
  MONTH = 8,
  YEAR = 9,
  A = 10,
  B = 11,
  C = 12,
  D = 13
const CENTURY = 0x32

function setUp(rtcSeconds = 0, ramBytes = 64 << 20) {
  const clock = new Clock()
  const warnings: string[] = []
  let irq = false
  let edges = 0
  const rtc = new RealTimeClock(
    clock,
    (high) => {
      if (high && !irq) edges++
      irq = high
    },
    (message) => warnings.push(message),
    rtcSeconds,
    ramBytes,
  )
  const read = (register: number): number => {
    rtc.writePort(0x70, 1, register | 0x80)
    return rtc.readPort(0x71)
  }
  const out = (register: number, value: number): void => {
    rtc.writePort(0x70, 1, register)
    rtc.writePort(0x71, 1, value)
  }
  const wait = (ns: number): void => {
    const end = clock.nowNs + ns
    while (clock.nextDueNs <= end) {
      clock.advance(clock.nextDueNs - clock.nowNs)
      clock.runDue()
    }
    clock.advance(end - clock.nowNs)
  }
  return { rtc, clock, read, out, wait, warnings, level: () => irq, edges: () => edges }
}
/** Wednesday, 2026-07-15 23:59:58 UTC. */
const EVENING = Date.UTC(2026, 6, 15, 23, 59, 58) / 1000

describe('MC146818 time', () => {
  it('starts from the date it is given, in BCD and 24 hours, and crosses midnight', () => {
    const { read, wait } = setUp(EVENING)
    const time = (): number[] => [CENTURY, YEAR, MONTH, DAY, WEEKDAY, HOURS, MINUTES, SECONDS].map(read)
    expect(time()).toEqual([0x20, 0x26, 0x07, 0x15, 4, 0x23, 0x59, 0x58])
    wait(2 * SECOND_NS)
    expect(time()).toEqual([0x20, 0x26, 0x07, 0x16, 5, 0x00, 0x00, 0x00])
  })

  it('reads binary with DM and 12 hours without 24/12, where 12 stands for 0', () => {
    const { read, out } = setUp(EVENING)
    out(B, 0x04)
    expect([read(HOURS), read(MINUTES)]).toEqual([0x80 | 11, 59])
    const midnight = setUp(0)
    midnight.out(B, 0x00)
    expect(midnight.read(HOURS)).toBe(0x12)
  })

  it('agrees with the Gregorian calendar from 1970 to 2400', () => {
    for (let day = 0; day < 157_000; day += 37) {
      const { read } = setUp(day * 86_400)
      const date = new Date(day * 86_400_000)
      const bcd = (value: number): number => (Math.floor(value / 10) << 4) | (value % 10)
      expect([CENTURY, YEAR, MONTH, DAY, WEEKDAY].map(read)).toEqual([
        bcd(Math.floor(date.getUTCFullYear() / 100)),
        bcd(date.getUTCFullYear() % 100),
        bcd(date.getUTCMonth() + 1),
        bcd(date.getUTCDate()),
        date.getUTCDay() + 1,
      ])
    }
  })

  it('SET holds the registers while they are set; the time goes on from there', () => {
    const { rtc, read, out, wait } = setUp(0)
    out(B, 0x82)
    for (const [register, value] of [
      [CENTURY, 0x19],
      [YEAR, 0x99],
      [MONTH, 0x12],
      [DAY, 0x31],
      [HOURS, 0x23],
      [MINUTES, 0x59],
      [SECONDS, 0x59],
    ])
      out(register, value)
    wait(10 * SECOND_NS)
    expect(read(SECONDS)).toBe(0x59)
    out(B, 0x02)
    wait(SECOND_NS)
    expect(rtc.seconds).toBe(Date.UTC(2000, 0, 1) / 1000)
  })

  it('can be set while it runs', () => {
    const { read, out, wait } = setUp(0)
    out(MINUTES, 0x30)
    wait(5 * SECOND_NS)
    expect([read(HOURS), read(MINUTES), read(SECONDS)]).toEqual([0, 0x30, 5])
  })

  it('stands still while the divider is held', () => {
    const { read, out, wait } = setUp(0)
    out(A, 0x76)
    wait(5 * SECOND_NS)
    expect(read(SECONDS)).toBe(0)
  })

  it('raises UIP 2228 µs before the time changes (table 5)', () => {
    const { read, wait } = setUp(0)
    wait(SECOND_NS - 2_228_001)
    expect(read(A)).toBe(0x26)
    wait(1)
    expect(read(A)).toBe(0xa6)
    wait(2_228_000)
    expect(read(A)).toBe(0x26)
  })

  it('has valid RAM and time', () => {
    expect(setUp().read(D)).toBe(0x80)
  })
})

describe('MC146818 interrupts', () => {
  it('update-ended: once a second, until C is read', () => {
    const { read, out, wait, level, edges } = setUp(0)
    out(B, 0x12)
    wait(SECOND_NS - 1)
    expect(level()).toBe(false)
    wait(1)
    expect(level()).toBe(true)
    wait(5 * SECOND_NS)
    expect(edges()).toBe(1)
    expect(read(C) & 0xb0).toBe(0x90)
    expect([level(), read(C)]).toEqual([false, 0])
    wait(SECOND_NS)
    expect(edges()).toBe(2)
  })

  it('periodic: at the rate that RS selects (table 3)', () => {
    for (const [rs, hz] of [
      [1, 256],
      [2, 128],
      [3, 8192],
      [6, 1024],
      [15, 2],
    ]) {
      const { read, out, wait, level } = setUp(0)
      out(A, 0x20 | rs)
      out(B, 0x42)
      let count = 0
      for (let i = 0; i < hz; i++) {
        wait(Math.ceil(((i + 1) * SECOND_NS) / hz) - Math.ceil((i * SECOND_NS) / hz))
        if (level()) count++
        read(C)
      }
      expect(count, `RS ${rs}`).toBe(hz)
    }
  })

  it('alarm: when hours, minutes and seconds match; 0xc0 and up match all', () => {
    const { read, out, wait, level } = setUp(EVENING)
    out(SECONDS_ALARM, 0x05)
    out(MINUTES_ALARM, 0xff)
    out(HOURS_ALARM, 0xc0)
    out(B, 0x22)
    wait(7 * SECOND_NS - 1)
    expect(level()).toBe(false)
    wait(1)
    expect(level()).toBe(true)
    expect(read(C) & 0xa0).toBe(0xa0)
    wait(60 * SECOND_NS - 1)
    expect(level()).toBe(false)
    wait(1)
    expect(level()).toBe(true)
  })

  it('an alarm that no time matches never comes', () => {
    const { clock, out } = setUp(0)
    out(HOURS_ALARM, 0x77)
    out(B, 0x22)
    expect(clock.nextDueNs).toBe(Infinity)
  })

  it('sets flags without interrupts too', () => {
    const { read, wait, level } = setUp(0)
    wait(SECOND_NS)
    expect(read(C) & 0x50).toBe(0x50)
    expect(level()).toBe(false)
  })
})

describe('CMOS memory', () => {
  it('says how much memory there is, with a valid checksum', () => {
    const { read } = setUp(0, 64 << 20)
    const word = (register: number): number => read(register) | (read(register + 1) << 8)
    expect([word(0x15), word(0x17), word(0x30), word(0x34)]).toEqual([640, 63 * 1024, 63 * 1024, 48 * 16])
    let sum = 0
    for (let register = 0x10; register < 0x2e; register++) sum += read(register)
    expect((read(0x2e) << 8) | read(0x2f)).toBe(sum)
  })

  it('keeps what is written', () => {
    const { read, out } = setUp()
    out(0x50, 0xa5)
    expect(read(0x50)).toBe(0xa5)
  })

  it('names what it does not do', () => {
    const { out, warnings } = setUp()
    out(B, 0x0b)
    expect(warnings).toEqual([
      'MC146818 RTC: register B enables daylight saving (DSE), which is ignored',
      'MC146818 RTC: register B enables the square wave (SQWE), which is wired to nothing',
    ])
  })
})
