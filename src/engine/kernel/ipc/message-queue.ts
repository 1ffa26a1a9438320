import type { NodeAttributes } from '../fs/node.ts'
import { Node } from '../fs/node.ts'
import { Wait } from '../process/wait.ts'
import { KernelError } from '../syscall/errno.ts'

export const MESSAGE_BYTES_MAX = 4096
export const QUEUE_MESSAGES_MAX = 16
export const QUEUES_MAX = 64
const QUEUE_DEVICE = 4

/** Messages between processes, whole and in order: sending waits for a place, receiving for a message. */
export class MessageQueue extends Node {
  readonly kind = 'queue'
  readonly key: number
  private readonly messages: Uint8Array[] = []
  private readonly wake: (channel: string) => void
  private readonly unused: () => void
  private users = 0
  private modifiedNs: number

  constructor(key: number, nowNs: number, wake: (channel: string) => void, unused: () => void) {
    super()
    this.key = key
    this.modifiedNs = nowNs
    this.wake = wake
    this.unused = unused
  }

  private get filled(): string {
    return `queue-${this.key}-filled`
  }
  private get emptied(): string {
    return `queue-${this.key}-emptied`
  }

  override attributes(): NodeAttributes {
    return {
      inode: this.key,
      kind: this.kind,
      permissions: 0o600,
      links: 1,
      size: this.messages.length,
      modifiedNs: this.modifiedNs,
      device: QUEUE_DEVICE,
    }
  }

  override opened(): void {
    this.users++
  }
  override closed(): void {
    if (--this.users === 0) this.unused()
  }

  /** One message; throws EMSGSIZE, and keeps the message, when it does not fit. */
  override read(_offset: number, length: number): Uint8Array | Wait {
    if (this.messages.length === 0) return new Wait(this.filled)
    if (this.messages[0].length > length) throw new KernelError('EMSGSIZE')
    this.wake(this.emptied)
    return this.messages.shift() as Uint8Array
  }

  override write(_offset: number, bytes: Uint8Array, nowNs: number): number | Wait {
    if (bytes.length > MESSAGE_BYTES_MAX) throw new KernelError('EMSGSIZE')
    if (this.messages.length >= QUEUE_MESSAGES_MAX) return new Wait(this.emptied)
    this.messages.push(bytes.slice())
    this.modifiedNs = nowNs
    this.wake(this.filled)
    return bytes.length
  }
}

/** The machine's queues by key; one lives as long as somebody has it open. */
export class MessageQueues {
  private readonly queues = new Map<number, MessageQueue>()

  /** The queue of that key, made when there is none. Throws ENOSPC. */
  open(key: number, nowNs: number, wake: (channel: string) => void): MessageQueue {
    const found = this.queues.get(key)
    if (found !== undefined) return found
    if (this.queues.size >= QUEUES_MAX) throw new KernelError('ENOSPC')
    const queue = new MessageQueue(key, nowNs, wake, () => this.queues.delete(key))
    this.queues.set(key, queue)
    return queue
  }

  get count(): number {
    return this.queues.size
  }
}
