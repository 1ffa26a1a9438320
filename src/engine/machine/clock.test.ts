import { describe, expect, it } from 'vitest'
import { Clock } from './clock.ts'

describe('Clock', () => {
  it('runs due events by time, and ties in the order they were armed', () => {
    const clock = new Clock()
    const seen: string[] = []
    const timer = (name: string) => clock.timer(name, (dueNs) => seen.push(`${name}@${dueNs}`))
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(timer)
    c.arm(30)
    b.arm(20)
    a.arm(20)
    d.arm(31)
    expect(clock.nextDueNs).toBe(20)
    clock.advance(30)
    clock.runDue()
    expect(seen).toEqual(['b@20', 'a@20', 'c@30'])
    expect(clock.nextDueNs).toBe(31)
    expect(d.armed).toBe(true)
    expect(a.armed).toBe(false)
  })

  it('moves a timer that is armed again, behind those due at the same time', () => {
    const clock = new Clock()
    const seen: string[] = []
    const a = clock.timer('a', () => seen.push('a'))
    const b = clock.timer('b', () => seen.push('b'))
    a.arm(5)
    b.arm(5)
    a.arm(5)
    clock.advance(5)
    clock.runDue()
    expect(seen).toEqual(['b', 'a'])
  })

  it('runs what an event arms for a time already reached, in the same call', () => {
    const clock = new Clock()
    const due: number[] = []
    const periodic = clock.timer('periodic', (dueNs) => {
      due.push(dueNs)
      periodic.arm(dueNs + 10)
    })
    periodic.arm(10)
    clock.advance(35)
    clock.runDue()
    expect(due).toEqual([10, 20, 30])
    expect(clock.nextDueNs).toBe(40)
  })

  it('forgets a disarmed timer', () => {
    const clock = new Clock()
    const timer = clock.timer('t', () => expect.unreachable())
    timer.arm(1)
    timer.disarm()
    timer.disarm()
    clock.advance(2)
    clock.runDue()
    expect(clock.nextDueNs).toBe(Infinity)
  })

  it('adds what the processor executed to the time of its slice, and charges on top', () => {
    const clock = new Clock()
    clock.advance(100)
    let elapsed = 0
    clock.beginSlice(() => elapsed, 200)
    elapsed = 14
    expect(clock.nowNs).toBe(114)
    clock.advance(1000)
    expect(clock.nowNs).toBe(1114)
    clock.endSlice(20)
    expect(clock.nowNs).toBe(1120)
  })

  it('says so when a timer becomes due before the slice means to end', () => {
    const clock = new Clock()
    let calls = 0
    clock.onEarlier = () => calls++
    const timer = clock.timer('t', () => {})
    timer.arm(5)
    expect(calls).toBe(0)
    clock.beginSlice(() => 0, 50)
    timer.arm(50)
    expect(calls).toBe(0)
    timer.arm(49)
    expect(calls).toBe(1)
  })

  it('refuses fractions, times before 0 and beyond 2^53', () => {
    const clock = new Clock()
    const timer = clock.timer('odd', () => {})
    expect(() => timer.arm(1.5)).toThrow(/timer odd cannot be due at 1.5 ns/)
    expect(() => timer.arm(-1)).toThrow(RangeError)
    expect(() => clock.advance(0.5)).toThrow(RangeError)
    expect(() => clock.advance(2 ** 53)).toThrow(RangeError)
  })

  it('stops a timer that re-arms itself for the same instant', () => {
    const clock = new Clock()
    const stuck = clock.timer('stuck', (dueNs) => stuck.arm(dueNs))
    stuck.arm(0)
    expect(() => clock.runDue()).toThrow(/timer stuck is armed for 0 ns again and again/)
  })
})
