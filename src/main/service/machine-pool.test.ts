import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MachineSpec, Progress, ToWorker } from '../worker/messages.ts'
import { ConsoleLog, CONSOLE_LOG_BYTES_MAX } from './console-log.ts'
import type { HostThreadEvents } from './machine-pool.ts'
import { MachinePool, STOP_GRACE_MS } from './machine-pool.ts'

const spec: MachineSpec = {
  boot: new Uint8Array(),
  program: { path: '/a', bytes: new Uint8Array(), args: [] },
  files: new Map(),
  ramBytes: 1,
  seed: 0,
}
const progress: Progress = { phase: 'running', virtualNs: 5, instructions: 3, wallMs: 1 }

interface FakeThread {
  events: HostThreadEvents
  received: ToWorker[]
  isTerminated: boolean
}

let threads: FakeThread[]
let ended: [string, Progress][]
let pool: MachinePool

beforeEach(() => {
  vi.useFakeTimers()
  threads = []
  ended = []
  pool = new MachinePool({
    sizeMax: 2,
    spawn: (events) => {
      const thread: FakeThread = { events, received: [], isTerminated: false }
      threads.push(thread)
      return {
        post: (message) => thread.received.push(message),
        terminate: () => {
          thread.isTerminated = true
          queueMicrotask(() => events.onExit('terminated'))
        },
      }
    },
    events: { onConsole: () => undefined, onProgress: () => undefined, onEnded: (id, last) => ended.push([id, last]) },
  })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('MachinePool', () => {
  it('spreads machines over at most so many workers', () => {
    for (const id of ['a', 'b', 'c', 'd']) pool.boot(id, spec, 'live')
    expect(threads.map(({ received }) => received.map((message) => message.id))).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ])
  })

  it('uses the warm worker first', () => {
    pool.warm()
    pool.boot('a', spec, 'live')
    expect(threads.length).toBe(1)
  })

  it('stops a machine that answers', async () => {
    pool.boot('a', spec, 'live')
    const stopped = pool.stop('a')
    expect(threads[0].received.at(-1)).toEqual({ type: 'stop', id: 'a' })
    threads[0].events.onMessage({ type: 'ended', id: 'a', progress: { ...progress, phase: 'stopped' } })
    await stopped
    expect(ended).toEqual([['a', { ...progress, phase: 'stopped' }]])
    await vi.advanceTimersByTimeAsync(10 * STOP_GRACE_MS)
    expect(threads[0].isTerminated).toBe(false)
    await pool.stop('a')
  })

  it('ends the worker of a machine that hangs, says so to its neighbours, and boots in a new one', async () => {
    for (const id of ['hung', 'other', 'neighbour']) pool.boot(id, spec, 'live')
    threads[0].events.onMessage({ type: 'progress', id: 'neighbour', progress })
    const stopped = pool.stop('hung')
    await vi.advanceTimersByTimeAsync(STOP_GRACE_MS + 1)
    await stopped
    expect(threads[0].isTerminated).toBe(true)
    expect(ended).toEqual([
      ['hung', expect.objectContaining({ phase: 'stopped', message: undefined })],
      [
        'neighbour',
        expect.objectContaining({ phase: 'stopped', virtualNs: 5, message: expect.stringContaining('Reset boots this one again') }),
      ],
    ])
    threads[0].events.onMessage({ type: 'ended', id: 'hung', progress })
    expect(ended.length).toBe(2)
    pool.boot('hung', spec, 'live')
    expect(threads.length).toBe(3)
    threads[0].events.onMessage({ type: 'ended', id: 'hung', progress })
    expect(ended.length).toBe(2)
  })

  it('survives the crash of a worker', () => {
    pool.boot('a', spec, 'live')
    threads[0].events.onExit('Worker terminated due to reaching memory limit')
    expect(ended).toEqual([['a', expect.objectContaining({ phase: 'stopped', message: expect.stringContaining('memory limit') })]])
    pool.type('a', new Uint8Array(1))
    pool.boot('a', spec, 'live')
    expect(threads.length).toBe(2)
  })

  it('ends everything', async () => {
    pool.boot('a', spec, 'live')
    pool.boot('b', spec, 'live')
    pool.dispose()
    expect(threads.every(({ isTerminated }) => isTerminated)).toBe(true)
    expect(ended.map(([id, { phase }]) => [id, phase])).toEqual([
      ['a', 'stopped'],
      ['b', 'stopped'],
    ])
  })
})

describe('ConsoleLog', () => {
  it('keeps the last bytes within its limit', () => {
    const log = new ConsoleLog()
    log.append(new Uint8Array([1, 2]))
    log.append(new Uint8Array([3]))
    expect([...log.bytes()]).toEqual([1, 2, 3])
    for (let i = 0; i < 40; i++) log.append(new Uint8Array(CONSOLE_LOG_BYTES_MAX / 16).fill(i))
    expect(log.bytes().byteLength).toBe(CONSOLE_LOG_BYTES_MAX)
    expect(log.bytes()[0]).toBe(24)
    log.append(new Uint8Array(3 * CONSOLE_LOG_BYTES_MAX).fill(99))
    expect(log.bytes().byteLength).toBe(CONSOLE_LOG_BYTES_MAX)
    log.clear()
    expect(log.bytes().byteLength).toBe(0)
  })
})
