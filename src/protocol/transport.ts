import type { ElectronBridge } from './bridge.ts'
import { ELECTRON_PORT_MESSAGE } from './bridge.ts'
import { decodeFrame, encodeFrame } from './codec.ts'
import type { Channel } from './rpc.ts'
import { createRpc } from './rpc.ts'
import type { ShellEvents, ShellService } from './shell.ts'

/**
 * The client's side of the service: channels out of what the shells hand a page, and a connection that comes back by itself.
 */

/** The parts of the DOM's WebSocket used here; `ws` in Node has them too. */
export interface WebSocketLike {
  binaryType: string
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
}

/** The parts of a MessagePort used here. `close` events exist in Chromium; elsewhere the port only closes from this side. */
export interface MessagePortLike {
  postMessage(message: unknown): void
  close(): void
  start(): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: () => void): void
}

/** Close code of a server that has seen a malformed message or an unknown version (RFC 6455, 7.4.1: policy violation). */
export const CLOSE_POLICY = 1008

function once(listener: (reason: string) => void): (reason: string) => void {
  let fired = false
  return (reason) => {
    if (fired) return
    fired = true
    listener(reason)
  }
}

/** Resolves when the socket is open; rejects with one sentence when it cannot be opened. */
export function channelFromWebSocket(socket: WebSocketLike): Promise<Channel> {
  socket.binaryType = 'arraybuffer'
  const closeListeners: ((reason: string) => void)[] = []
  let closedReason: string | undefined
  const closed = once((reason) => {
    closedReason = reason
    for (const listener of closeListeners) listener(reason)
  })
  return new Promise((resolve, reject) => {
    socket.addEventListener('close', (event) => {
      const reason = event.reason || `the server closed the connection (${event.code})`
      reject(new Error(closedReason ?? reason))
      closed(reason)
    })
    socket.addEventListener('error', () => undefined)
    socket.addEventListener('open', () =>
      resolve({
        post: (message) => socket.send(encodeFrame(message)),
        onMessage: (listener) =>
          socket.addEventListener('message', ({ data }) => {
            if (!(data instanceof ArrayBuffer)) return
            let message: unknown
            try {
              message = decodeFrame(new Uint8Array(data))
            } catch {
              socket.close(CLOSE_POLICY, 'a message was not valid MessagePack')
              return
            }
            listener(message)
          }),
        onClose: (listener) => {
          if (closedReason === undefined) closeListeners.push(listener)
          else listener(closedReason)
        },
        close: () => {
          socket.close()
          closed('closed by this side')
        },
      }),
    )
  })
}

export function channelFromMessagePort(port: MessagePortLike): Channel {
  const closeListeners: ((reason: string) => void)[] = []
  let closedReason: string | undefined
  const closed = once((reason) => {
    closedReason = reason
    for (const listener of closeListeners) listener(reason)
  })
  port.addEventListener('close', () => closed('the other side closed the port'))
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.addEventListener('message', ({ data }) => listener(data))
      port.start()
    },
    onClose: (listener) => {
      if (closedReason === undefined) closeListeners.push(listener)
      else listener(closedReason)
    },
    close: () => {
      port.close()
      closed('closed by this side')
    },
  }
}

/** How long a shell may take to answer a connection request, in milliseconds. */
const OPEN_TIMEOUT_MS = 10_000

function channelFromBridge(scope: Window, bridge: ElectronBridge): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const timer = scope.setTimeout(() => {
      scope.removeEventListener('message', receive)
      reject(new Error('the main process did not answer'))
    }, OPEN_TIMEOUT_MS)
    function receive(event: MessageEvent): void {
      if (event.source !== scope || event.data !== ELECTRON_PORT_MESSAGE || event.ports.length !== 1) return
      scope.clearTimeout(timer)
      scope.removeEventListener('message', receive)
      resolve(channelFromMessagePort(event.ports[0] as unknown as MessagePortLike))
    }
    scope.addEventListener('message', receive)
    bridge.connect()
  })
}

/** Opens the channel of whichever shell shows this page: the preload's bridge in Electron, `/rpc` of the page's own host in a browser. */
export function openShellChannel(scope: Window & { atoll?: ElectronBridge }): Promise<Channel> {
  if (scope.atoll) return channelFromBridge(scope, scope.atoll)
  const { protocol, host } = scope.location
  return channelFromWebSocket(new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`) as unknown as WebSocketLike)
}

export type ConnectionState =
  | { kind: 'connecting'; attempt: number }
  /** Call `attach()` now: after a reconnection the service may have been started anew. */
  | { kind: 'connected' }
  | { kind: 'disconnected'; reason: string; retryInMs: number }
  | { kind: 'closed' }

export interface WorkbenchConnection {
  /** Calls made before the first connection wait for it; later ones reject with `Connection lost: …` while there is none. */
  readonly service: ShellService
  /** Tries again now instead of at the end of the pause. */
  retry(): void
  close(): void
}

export interface ConnectOptions {
  open: () => Promise<Channel>
  /** An event handler may return a promise; the shell paces a flooding console by the answers, so return it when the bytes are shown. */
  events: { [K in keyof ShellEvents]: (...args: Parameters<ShellEvents[K]>) => void | Promise<void> }
  onState: (state: ConnectionState) => void
}

/** Pauses between attempts, in milliseconds; the last one repeats. */
export const RETRY_PAUSES_MS = [200, 500, 1000, 2000, 5000]

/** Connects to the workbench's service and stays connected: opens again with growing pauses whenever the channel closes. */
export function connectWorkbench({ open, events, onState }: ConnectOptions): WorkbenchConnection {
  let remote: ShellService | undefined
  let channel: Channel | undefined
  let lastReason = ''
  let wasConnected = false
  let attempt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false
  let waiting: { resolve: (service: ShellService) => void; reject: (error: Error) => void }[] = []

  function lost(reason: string): void {
    if (isClosed) return
    remote = undefined
    channel = undefined
    lastReason = reason
    const retryInMs = RETRY_PAUSES_MS[Math.min(attempt, RETRY_PAUSES_MS.length - 1)]
    attempt += 1
    onState({ kind: 'disconnected', reason, retryInMs })
    timer = setTimeout(start, retryInMs)
  }

  function start(): void {
    clearTimeout(timer)
    timer = undefined
    onState({ kind: 'connecting', attempt })
    open().then(
      (opened) => {
        if (isClosed) {
          opened.close()
          return
        }
        channel = opened
        remote = createRpc<ShellService>(opened, events) as unknown as ShellService
        attempt = 0
        wasConnected = true
        opened.onClose(lost)
        if (!remote) return
        for (const { resolve } of waiting) resolve(remote)
        waiting = []
        onState({ kind: 'connected' })
      },
      (error: unknown) => lost(error instanceof Error ? error.message : String(error)),
    )
  }

  function current(): Promise<ShellService> {
    if (remote) return Promise.resolve(remote)
    if (isClosed) return Promise.reject(new Error('Connection lost: closed by this side'))
    if (wasConnected) return Promise.reject(new Error(`Connection lost: ${lastReason}`))
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }

  const call =
    (name: keyof ShellService) =>
    async (...args: unknown[]): Promise<unknown> =>
      ((await current())[name] as (...args: unknown[]) => Promise<unknown>)(...args)

  start()
  return {
    service: new Proxy({} as ShellService, { get: (_, name) => (name === 'then' ? undefined : call(name as keyof ShellService)) }),
    retry: () => {
      if (timer !== undefined) start()
    },
    close: () => {
      isClosed = true
      remote = undefined
      clearTimeout(timer)
      channel?.close()
      for (const { reject } of waiting) reject(new Error('Connection lost: closed by this side'))
      waiting = []
      onState({ kind: 'closed' })
    },
  }
}
