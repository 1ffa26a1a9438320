import type { Channel, Remote } from '../../protocol/rpc.ts'
import { createRpc } from '../../protocol/rpc.ts'
import type { MachineId, MachineStatus, ProjectPath, WorkbenchEvents, WorkbenchService } from '../../protocol/service.ts'
import { validated } from './validation.ts'

/** Console bytes a window may owe an answer for before it is disconnected; it reconnects and is shown what is kept. */
export const UNANSWERED_BYTES_MAX = 2 * 1024 * 1024

type Event = (rpc: Remote<WorkbenchEvents>) => void

/** One window. It hears nothing before it has attached, and then everything after what `attach` told it, in order. */
export class Client {
  readonly #channel: Channel
  readonly #rpc: Remote<WorkbenchEvents>
  #state: 'deaf' | 'queueing' | 'attached' = 'deaf'
  #queue: Event[] = []
  #unansweredBytes = 0

  constructor(channel: Channel, serviceFor: (client: Client) => WorkbenchService) {
    this.#channel = channel
    this.#rpc = createRpc<WorkbenchEvents>(channel, validated(serviceFor(this)))
  }

  get isAttached(): boolean {
    return this.#state !== 'deaf'
  }

  /** Call in the moment in which the answer to `attach` is put together. What happens from now on is sent behind that answer. */
  attach(): void {
    this.#state = 'queueing'
    // The answer leaves within the microtasks of this turn.
    setImmediate(() => {
      this.#state = 'attached'
      for (const event of this.#queue.splice(0)) event(this.#rpc)
    })
  }

  tell(event: Event): void {
    if (this.#state === 'queueing') this.#queue.push(event)
    else if (this.#state === 'attached') event(this.#rpc)
  }

  /** Resolves when the window has shown the bytes, or is gone. */
  console(id: MachineId, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#unansweredBytes += bytes.byteLength
      this.tell((rpc) => {
        const answered = (): void => {
          this.#unansweredBytes -= bytes.byteLength
          resolve()
        }
        rpc.console(id, bytes).then(answered, answered)
      })
      if (this.#unansweredBytes > UNANSWERED_BYTES_MAX) this.#channel.close()
    })
  }

  close(): void {
    this.#channel.close()
  }
}

/** Every window that is connected. */
export class Clients {
  readonly #clients = new Set<Client>()

  add(channel: Channel, serviceFor: (client: Client) => WorkbenchService): Client {
    const client = new Client(channel, serviceFor)
    this.#clients.add(client)
    channel.onClose(() => this.#clients.delete(client))
    return client
  }

  /** Resolves when the first window has shown the bytes; at once when there is none, since nobody then waits for the machine's output. */
  async console(id: MachineId, bytes: Uint8Array): Promise<void> {
    const shown = [...this.#clients].filter((client) => client.isAttached).map((client) => client.console(id, bytes))
    if (shown.length > 0) await Promise.race(shown)
  }

  status(status: MachineStatus): void {
    for (const client of this.#clients) client.tell((rpc) => void rpc.status.asEvent(status).catch(() => undefined))
  }

  filesChanged(paths: ProjectPath[], except?: Client): void {
    for (const client of this.#clients)
      if (client !== except) client.tell((rpc) => void rpc.filesChanged.asEvent(paths).catch(() => undefined))
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }
}
