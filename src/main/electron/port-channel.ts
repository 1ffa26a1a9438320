import type { Channel } from '../../protocol/rpc.ts'

/** The parts of Electron's MessagePortMain used here. */
export interface MainPort {
  postMessage(message: unknown): void
  start(): void
  close(): void
  on(event: 'message', listener: (event: { data: unknown }) => void): void
  on(event: 'close', listener: () => void): void
}

/** The main process's end of a window's port. The port closes when the page is reloaded, crashes or goes away. */
export function channelFromMainPort(port: MainPort): Channel {
  let isClosed = false
  let closeListeners: ((reason: string) => void)[] = []
  const closed = (reason: string): void => {
    if (isClosed) return
    isClosed = true
    for (const listener of closeListeners) listener(reason)
    closeListeners = []
  }
  port.on('close', () => closed('the window closed its port'))
  return {
    post: (message) => {
      if (!isClosed) port.postMessage(message)
    },
    onMessage: (listener) => {
      port.on('message', ({ data }) => listener(data))
      port.start()
    },
    onClose: (listener) => {
      if (isClosed) listener('the window closed its port')
      else closeListeners.push(listener)
    },
    close: () => {
      port.close()
      closed('closed by this side')
    },
  }
}
