import { afterEach, describe, expect, it, vi } from 'vitest'
import { decodeFrame, encodeFrame } from './codec.ts'
import type { Channel } from './rpc.ts'
import { createRpc } from './rpc.ts'
import type { WorkbenchService } from './service.ts'
import type { ConnectionState } from './transport.ts'
import { channelFromMessagePort, connectWorkbench } from './transport.ts'

interface End extends Channel {
  fail(reason: string): void
}

/** Two ends of one link, each message through the codec as over a socket. */
function pair(): [End, End] {
  const ends = [0, 1].map(() => ({ messages: [] as ((message: unknown) => void)[], closes: [] as ((reason: string) => void)[] }))
  const end = (own: number): End => ({
    post: (message) => {
      const frame = encodeFrame(message)
      queueMicrotask(() => ends[1 - own].messages.forEach((listener) => listener(decodeFrame(frame))))
    },
    onMessage: (listener) => ends[own].messages.push(listener),
    onClose: (listener) => ends[own].closes.push(listener),
    close: () => ends.forEach(({ closes }) => closes.splice(0).forEach((listener) => listener('closed'))),
    fail: (reason) => ends.forEach(({ closes }) => closes.splice(0).forEach((listener) => listener(reason))),
  })
  return [end(0), end(1)]
}

describe('codec', () => {
  it('keeps bytes as bytes and drops undefined properties', () => {
    expect(decodeFrame(encodeFrame({ a: new Uint8Array([1, 2]), b: undefined, c: 'ñ' }))).toEqual({ a: new Uint8Array([1, 2]), c: 'ñ' })
  })

  it('refuses truncated frames and trailing bytes', () => {
    const frame = encodeFrame({ a: 'text' })
    expect(() => decodeFrame(frame.subarray(0, -1))).toThrow(RangeError)
    expect(() => decodeFrame(new Uint8Array([...frame, 0]))).toThrow(RangeError)
  })
})

describe('createRpc', () => {
  it('answers calls both ways and sends an error as its message alone', async () => {
    const [a, b] = pair()
    const server = createRpc<{ twice(n: number): Promise<number> }>(a, {
      add: (x: number, y = 10) => x + y,
      fail: () => {
        throw new Error('no such file: a.c')
      },
    })
    const client = createRpc<{ add(x: number, y?: number): Promise<number>; fail(): Promise<void> }>(b, { twice: (n: number) => n * 2 })
    expect(await client.add(1, undefined)).toBe(11)
    await expect(client.fail()).rejects.toThrow(/^no such file: a\.c$/)
    expect(await server.twice(21)).toBe(42)
  })

  it('calls own methods only', async () => {
    const [a, b] = pair()
    createRpc(a, {})
    const client = createRpc<Record<string, () => Promise<unknown>>>(b, {})
    await expect(client.$call('constructor')).rejects.toThrow('not found')
    await expect(client.$call('__proto__')).rejects.toThrow('not found')
  })

  it('survives messages of any shape', async () => {
    const [a, b] = pair()
    createRpc(a, { ping: () => 'pong' })
    for (const junk of [null, 1, 'q', [], {}, { t: 'q' }, { t: 'q', m: 'ping', a: 3 }, { t: 's', i: 7 }, { t: 's', i: 'unknown' }])
      b.post(junk)
    const client = createRpc<{ ping(): Promise<string> }>(b, {})
    expect(await client.ping()).toBe('pong')
  })

  it('rejects what is pending when the channel closes', async () => {
    const [a, b] = pair()
    createRpc(a, { never: () => new Promise(() => undefined) })
    const client = createRpc<{ never(): Promise<void> }>(b, {})
    const call = client.never()
    await Promise.resolve()
    b.fail('cable cut')
    await expect(call).rejects.toThrow('Connection lost: cable cut')
  })
})

describe('channelFromMessagePort', () => {
  it('carries bytes', async () => {
    const { port1, port2 } = new MessageChannel()
    const received = new Promise((resolve) => channelFromMessagePort(port2).onMessage(resolve))
    const channel = channelFromMessagePort(port1)
    channel.post({ bytes: new Uint8Array([7]) })
    expect(await received).toEqual({ bytes: new Uint8Array([7]) })
    channel.close()
  })
})

describe('connectWorkbench', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('lets early calls wait, reconnects with growing pauses, and rejects calls meanwhile', async () => {
    vi.useFakeTimers()
    const states: ConnectionState[] = []
    let server: End | undefined
    let isUp = false
    const connection = connectWorkbench({
      open: async () => {
        if (!isUp) throw new Error('nobody there')
        const [a, b] = pair()
        server = a
        createRpc(a, { listFiles: () => [] } satisfies Partial<Record<keyof WorkbenchService, unknown>>)
        return b
      },
      events: {
        console: () => undefined,
        status: () => undefined,
        filesChanged: () => undefined,
        labStatus: () => undefined,
        labConsole: () => undefined,
        labTraffic: () => undefined,
        labChanged: () => undefined,
        labRestarted: () => undefined,
      },
      onState: (state) => states.push(state),
    })
    const early = connection.service.listFiles()
    await vi.advanceTimersByTimeAsync(250)
    expect(states.filter(({ kind }) => kind === 'disconnected')).toEqual([
      { kind: 'disconnected', reason: 'nobody there', retryInMs: 200 },
      { kind: 'disconnected', reason: 'nobody there', retryInMs: 500 },
    ])
    isUp = true
    await vi.advanceTimersByTimeAsync(500)
    expect(await early).toEqual([])
    server!.fail('server gone')
    await expect(connection.service.listFiles()).rejects.toThrow('Connection lost: server gone')
    await vi.advanceTimersByTimeAsync(200)
    expect(states.at(-1)).toEqual({ kind: 'connected' })
    expect(await connection.service.listFiles()).toEqual([])
    connection.close()
    await expect(connection.service.listFiles()).rejects.toThrow('closed by this side')
  })
})
