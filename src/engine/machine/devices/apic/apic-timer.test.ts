import { describe, expect, it } from 'vitest'
import { Clock } from '../../clock.ts'
import { ApicTimer } from './apic-timer.ts'
import { Lvt, TimerMode } from './registers.ts'

function setUp(lvt: number) {
  const clock = new Clock()
  const expiries: number[] = []
  const timer = new ApicTimer(clock, () => expiries.push(clock.nowNs))
  timer.setLvt(lvt)
  const wait = (ns: number): void => {
    const end = clock.nowNs + ns
    while (clock.nextDueNs <= end) {
      clock.advance(Math.max(0, clock.nextDueNs - clock.nowNs))
      clock.runDue()
    }
    clock.advance(end - clock.nowNs)
  }
  return { clock, timer, expiries, wait }
}

/** SDM vol. 3, 11.5.4. */
describe('the local APIC timer', () => {
  it('divides by what bits 3, 1 and 0 select (figure 11-10)', () => {
    for (const [divide, by] of [[0, 2], [1, 4], [2, 8], [3, 16], [8, 32], [9, 64], [10, 128], [11, 1]]) {
      const { timer, expiries, wait } = setUp(TimerMode.ONE_SHOT)
      timer.divideConfiguration = divide
      timer.initialCount = 1000
      wait(200_000)
      expect(expiries, `divide configuration ${divide}`).toEqual([1000 * by])
    }
  })

  it('counts down, once to zero and periodically round', () => {
    for (const [mode, later] of [[TimerMode.ONE_SHOT, 0], [TimerMode.PERIODIC, 600]] as const) {
      const { timer, wait } = setUp(mode | Lvt.MASK)
      timer.divideConfiguration = 11
      timer.initialCount = 1000
      wait(300)
      expect(timer.currentCount).toBe(700)
      wait(1100)
      expect(timer.currentCount).toBe(later)
    }
  })

  it('repeats in periodic mode until the initial count is 0', () => {
    const { timer, expiries, wait } = setUp(TimerMode.PERIODIC)
    timer.divideConfiguration = 11
    timer.initialCount = 1000
    wait(3500)
    timer.initialCount = 0
    wait(5000)
    expect(expiries).toEqual([1000, 2000, 3000])
  })

  it('loses what expires while it is masked, and makes no events then', () => {
    const { clock, timer, expiries, wait } = setUp(TimerMode.ONE_SHOT | Lvt.MASK)
    timer.divideConfiguration = 11
    timer.initialCount = 1000
    expect(clock.nextDueNs).toBe(Infinity)
    wait(1500)
    timer.setLvt(TimerMode.ONE_SHOT)
    wait(5000)
    expect(expiries).toEqual([])
  })

  it('expires at its deadline, at once when that has passed, and is then disarmed', () => {
    const { timer, expiries, wait } = setUp(TimerMode.TSC_DEADLINE)
    timer.initialCount = 5
    timer.deadlineNs = 4000
    wait(3999)
    expect(timer.deadlineNs).toBe(4000)
    wait(2000)
    expect(timer.deadlineNs).toBe(Infinity)
    timer.deadlineNs = 10
    wait(0)
    expect(expiries).toEqual([4000, 5999])
  })

  it('is disarmed by a change to or from TSC-deadline mode, and ignores a deadline in other modes', () => {
    const { timer, expiries, wait } = setUp(TimerMode.TSC_DEADLINE)
    timer.deadlineNs = 4000
    timer.setLvt(TimerMode.ONE_SHOT)
    timer.deadlineNs = 4000
    wait(5000)
    expect(expiries).toEqual([])
  })
})
