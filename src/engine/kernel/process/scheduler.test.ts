import { describe, expect, it } from 'vitest'
import { Descriptors, OpenFileTable } from '../fs/open-file.ts'
import { testSpace } from '../memory/testing.ts'
import { Process } from './process.ts'
import { SLICE_TICKS, Scheduler } from './scheduler.ts'

function setUp(count: number): { scheduler: Scheduler; processes: Process[] } {
  const scheduler = new Scheduler()
  const processes = Array.from({ length: count }, (_, index) => {
    const process = new Process(index + 1, 0, `/bin/p${index + 1}`, testSpace(8).space, new Descriptors(new OpenFileTable()))
    scheduler.add(process)
    return process
  })
  return { scheduler, processes }
}

describe('Scheduler', () => {
  it('goes round when slices are used up', () => {
    const { scheduler } = setUp(3)
    const order = [scheduler.next()?.pid]
    for (let tick = 1; tick <= SLICE_TICKS * 4; tick++) {
      scheduler.tick(tick)
      if (scheduler.due) order.push(scheduler.next()?.pid)
    }
    expect(order).toEqual([1, 2, 3, 1, 2])
  })

  it('lets others run while one sleeps, and wakes by channel in order of age', () => {
    const { scheduler, processes } = setUp(3)
    scheduler.next()
    scheduler.sleep('a', Infinity)
    scheduler.next()
    scheduler.sleep('a', Infinity)
    scheduler.next()
    scheduler.sleep('b', Infinity)
    expect(scheduler.next()).toBeNull()
    expect(scheduler.due).toBe(false)
    scheduler.wake('a')
    expect(scheduler.due).toBe(true)
    expect([scheduler.next()?.pid, processes[2].state]).toEqual([1, 'blocked'])
    scheduler.sleep('c', Infinity)
    expect(scheduler.next()?.pid).toBe(2)
  })

  it('wakes at a deadline', () => {
    const { scheduler } = setUp(1)
    scheduler.next()
    scheduler.sleep('timer', 5000)
    expect(scheduler.next()).toBeNull()
    scheduler.tick(4999)
    expect(scheduler.due).toBe(false)
    scheduler.tick(5000)
    expect(scheduler.next()?.pid).toBe(1)
  })

  it('keeps the only process running', () => {
    const { scheduler, processes } = setUp(1)
    scheduler.next()
    for (let tick = 0; tick < 100; tick++) {
      scheduler.tick(tick)
      if (scheduler.due) expect(scheduler.next()).toBe(processes[0])
    }
  })

  it('lets go of who has ended, and keeps it in the table for its parent', () => {
    const { scheduler, processes } = setUp(2)
    scheduler.next()
    scheduler.retire(processes[1])
    scheduler.retire(processes[0])
    // The processor must leave the ended process even when nobody else can run.
    expect(scheduler.due).toBe(true)
    expect([scheduler.current, scheduler.next(), scheduler.processes.size]).toEqual([null, null, 2])
    expect(scheduler.due).toBe(false)
  })
})
