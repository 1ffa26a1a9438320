import { createBirpc } from 'birpc'
import type { BirpcReturn } from 'birpc'

/**
 * The symmetric RPC over any channel. Both sides of it read messages of the other with suspicion: what has not the shape of a
 * request or an answer is dropped, only own methods can be called, and an error crosses as its message alone.
 */

/** One live, ordered, reliable link. `onClose` fires once, also for `close()`. */
export interface Channel {
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: (reason: string) => void): void
  close(): void
}

interface Request {
  t: 'q'
  m: string
  a: unknown[]
  i?: string
}

interface Answer {
  t: 's'
  i: string
  r?: unknown
  e?: unknown
}

export type Remote<T extends object> = BirpcReturn<T, object>

function parseMessage(message: unknown): Request | Answer | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { t, i, m, a } = message as Record<string, unknown>
  if (t === 's') return typeof i === 'string' ? (message as Answer) : undefined
  if (t !== 'q' || typeof m !== 'string' || !Array.isArray(a)) return undefined
  return i === undefined || typeof i === 'string' ? (message as Request) : undefined
}

/** What leaves: trailing `undefined` arguments are cut (MessagePack would make them null) and an error becomes its message. */
function dress(message: Request | Answer): Request | Answer {
  if (message.t === 'q') {
    let length = message.a.length
    while (length > 0 && message.a[length - 1] === undefined) length -= 1
    return { ...message, a: message.a.slice(0, length) }
  }
  if (message.e === undefined) return message
  return { ...message, e: message.e instanceof Error ? message.e.message : String(message.e) }
}

function undress(message: Request | Answer): Request | Answer {
  if (message.t !== 's' || message.e === undefined || message.e === null) return message
  return { ...message, e: new Error(String(message.e)) }
}

/**
 * Joins `functions` and the remote's over `channel`. A call rejects with an Error whose message is the remote's sentence, or with
 * `Connection lost: …` when the channel closes first; there is no timeout, since a first build may take a minute.
 */
export function createRpc<R extends object>(channel: Channel, functions: object): Remote<R> {
  const rpc = createBirpc<R, object>(functions, {
    post: (message: Request | Answer) => channel.post(message),
    on: (listener) =>
      channel.onMessage((message) => {
        const parsed = parseMessage(message)
        if (parsed) Promise.resolve(listener(parsed)).catch(() => channel.close())
      }),
    serialize: dress,
    deserialize: undress,
    resolver: (name) => (Object.hasOwn(functions, name) ? (functions as Record<string, (...args: unknown[]) => unknown>)[name] : undefined),
    bind: 'functions',
    timeout: -1,
  }) as Remote<R>
  channel.onClose((reason) => rpc.$close(new Error(`Connection lost: ${reason}`)))
  return rpc
}
