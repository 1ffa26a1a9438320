import { describe, expect, it } from 'vitest'
import { Timers } from './timers.ts'

const drain = (timers: Timers, nowNs: number): number[] => {
  const keys: number[] = []
  for (let timer = timers.takeDue(nowNs); timer !== null; timer = timers.takeDue(nowNs)) keys.push(timer.key)
  return keys
}

describe('Timers', () => {
  it('come soonest first, and in the order they were set when due together', () => {
    const timers = new Timers()
    for (const [key, dueNs] of [[1, 30], [2, 10], [3, 20], [4, 10], [5, 40], [6, 10]]) timers.set('neighbour', key, dueNs)
    expect(drain(timers, 30)).toEqual([2, 4, 6, 3, 1])
    expect(timers.count).toBe(1)
    expect(drain(timers, 39)).toEqual([])
  })

  it('are set anew and cancelled by kind and key', () => {
    const timers = new Timers()
    timers.set('neighbour', 1, 10)
    timers.set('link-local', 1, 10)
    timers.set('neighbour', 1, 50)
    timers.cancel('link-local', 2)
    expect(drain(timers, 10)).toEqual([1])
    timers.cancel('neighbour', 1)
    expect(timers.count).toBe(0)
  })
})
