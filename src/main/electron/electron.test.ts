import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { createRpc } from '../../protocol/rpc.ts'
import type { MessagePortLike } from '../../protocol/transport.ts'
import { channelFromMessagePort } from '../../protocol/transport.ts'
import { CrashCounter, isOurPage, isPermitted } from './policy.ts'
import type { MainPort } from './port-channel.ts'
import { channelFromMainPort } from './port-channel.ts'
import { HEIGHT_MIN, restoreWindowState, WIDTH_MIN } from './window-state.ts'

const screen = { x: 0, y: 25, width: 1920, height: 1055 }
const save = (bounds: object, isMaximized = false): string => JSON.stringify({ bounds, isMaximized })

describe('restoreWindowState', () => {
  it('puts the window back where it was', () => {
    const bounds = { x: 100, y: 80, width: 1000, height: 700 }
    expect(restoreWindowState(save(bounds, true), [screen])).toEqual({ ...bounds, isMaximized: true })
  })

  it.each([undefined, '', 'null', '{', '{"bounds":{}}', save({ x: 1e99, y: 0, width: 1, height: 1 })])(
    'takes the default for %j',
    (saved) => {
      expect(restoreWindowState(saved, [screen])).toEqual({ width: 1280, height: 820, isMaximized: false })
    },
  )

  it.each([
    { x: 3000, y: 100, width: 1000, height: 700 },
    { x: -950, y: 100, width: 1000, height: 700 },
    { x: 100, y: -500, width: 1000, height: 700 },
    { x: 100, y: 2000, width: 1000, height: 700 },
  ])('keeps the size and forgets the place of a window that could not be reached: %j', (bounds) => {
    expect(restoreWindowState(save(bounds), [screen])).toEqual({ width: 1000, height: 700, isMaximized: false })
    expect(restoreWindowState(save(bounds), [screen, { x: -3000, y: -3000, width: 8000, height: 8000 }])).toMatchObject({ x: bounds.x })
  })

  it('makes no window too small to use', () => {
    expect(restoreWindowState(save({ x: 0, y: 25, width: 3, height: 3 }), [screen])).toMatchObject({ width: WIDTH_MIN, height: HEIGHT_MIN })
  })
})

describe('policy', () => {
  it('knows our pages', () => {
    expect(isOurPage('atoll://app/')).toBe(true)
    expect(isOurPage('atoll://app/index.html')).toBe(true)
    for (const url of ['atoll://application/', 'atoll://evil/', 'https://app/', 'file:///etc/passwd', 'about:blank', ''])
      expect(isOurPage(url)).toBe(false)
  })

  it('permits copying to our page, and nothing else', () => {
    expect(isPermitted('clipboard-sanitized-write', 'atoll://app/')).toBe(true)
    expect(isPermitted('clipboard-sanitized-write', 'https://evil.example/')).toBe(false)
    for (const permission of ['clipboard-read', 'media', 'geolocation', 'notifications', 'openExternal', 'fileSystem']) {
      expect(isPermitted(permission, 'atoll://app/')).toBe(false)
    }
  })

  it('stops loading a page that keeps crashing', () => {
    const counter = new CrashCounter()
    expect([0, 1000, 2000, 3000].map((time) => counter.mayReload(time))).toEqual([true, true, true, false])
    expect(counter.mayReload(200_000)).toBe(true)
  })
})

describe('channelFromMainPort', () => {
  it('carries calls, and ends when the page goes', async () => {
    const { port1, port2 } = new MessageChannel()
    // Node's port has the interface of Electron's but for the event that wraps the data.
    const main = Object.assign(port1, {
      on: (event: string, listener: (value: unknown) => void) =>
        port1.addListener(event, event === 'message' ? (data: unknown) => listener({ data }) : (listener as () => void)),
    }) as unknown as MainPort
    const channel = channelFromMainPort(main)
    createRpc(channel, { twice: (n: number) => 2 * n })
    const page = channelFromMessagePort(port2 as unknown as MessagePortLike)
    const client = createRpc<{ twice(n: number): Promise<number> }>(page, {})
    expect(await client.twice(21)).toBe(42)
    const reason = new Promise((resolve) => channel.onClose(resolve))
    port2.close()
    expect(await reason).toBe('the window closed its port')
    channel.post('into the void')
  })
})
