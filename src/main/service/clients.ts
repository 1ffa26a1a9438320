import type { Channel, Remote } from '../../protocol/rpc.ts'
import { createRpc } from '../../protocol/rpc.ts'
import type { LabChange, LabEvents, LabStatus } from '../../protocol/lab.ts'
import type { MachineId, MachineStatus, ProjectPath } from '../../protocol/service.ts'
import type { ShellEvents, ShellService } from '../../protocol/shell.ts'
import { ConsoleFeed } from './lab/console-feed.ts'
import { validated } from './validation.ts'

/** Console bytes a window may owe an answer for before it is disconnected; it reconnects and is shown what is kept. */
export const UNANSWERED_BYTES_MAX = 2 * 1024 * 1024

type Event = (rpc: Remote<ShellEvents>) => void

/** Lets events through once somebody has been told how things stand, and those of that very moment behind the telling. */
class Gate {
  readonly #rpc: Remote<ShellEvents>
  #state: 'shut' | 'opening' | 'open' = 'shut'
  #queue: Event[] = []

  constructor(rpc: Remote<ShellEvents>) {
    this.#rpc = rpc
  }

  get isShut(): boolean {
    return this.#state === 'shut'
  }

  /** Call in the moment in which the answer is put together that says how things stand. */
  open(): void {
    if (this.#state === 'opening') return
    this.#state = 'opening'
    // The answer leaves within the microtasks of this turn.
    setImmediate(() => {
      this.#state = 'open'
      for (const event of this.#queue.splice(0)) event(this.#rpc)
    })
  }

  tell(event: Event): void {
    if (this.#state === 'opening') this.#queue.push(event)
    else if (this.#state === 'open') event(this.#rpc)
  }
}

/** One window. It hears nothing of machines and files, or of the lab, before it has attached; then everything after that, in order. */
export class Client {
  readonly #channel: Channel
  readonly #workbench: Gate
  readonly #lab: Gate
  readonly #labConsoles: ConsoleFeed
  #unansweredBytes = 0

  constructor(channel: Channel, serviceFor: (client: Client) => ShellService) {
    this.#channel = channel
    const rpc = createRpc<ShellEvents>(channel, validated(serviceFor(this)))
    this.#workbench = new Gate(rpc)
    this.#lab = new Gate(rpc)
    this.#labConsoles = new ConsoleFeed(
      (node, bytes) => new Promise((resolve) => this.#lab.tell((open) => void open.labConsole(node, bytes).then(resolve, resolve))),
    )
  }

  get isAttached(): boolean {
    return !this.#workbench.isShut
  }

  /** Call in the moment in which the answer to `attach` is put together. What happens from now on is sent behind that answer. */
  attach(): void {
    this.#workbench.open()
  }

  /** The same for the lab, and answers that tell of all of it. */
  attachLab(): void {
    this.#labConsoles.clear()
    this.#lab.open()
  }

  tell(event: Event): void {
    this.#workbench.tell(event)
  }

  tellOfLab(event: Event): void {
    this.#lab.tell(event)
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

  labConsole(node: string, bytes: Uint8Array): void {
    if (!this.#lab.isShut) this.#labConsoles.write(node, bytes)
  }

  close(): void {
    this.#channel.close()
  }
}

/** Every window that is connected. */
export class Clients implements LabEvents {
  readonly #clients = new Set<Client>()

  add(channel: Channel, serviceFor: (client: Client) => ShellService): Client {
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

  labStatus(status: LabStatus): void {
    this.#tellOfLab((rpc) => rpc.labStatus.asEvent(status))
  }

  labConsole(node: string, bytes: Uint8Array): void {
    for (const client of this.#clients) client.labConsole(node, bytes)
  }

  labTraffic(newest: number): void {
    this.#tellOfLab((rpc) => rpc.labTraffic.asEvent(newest))
  }

  labChanged(change: LabChange, except?: Client): void {
    for (const client of this.#clients)
      if (client !== except) client.tellOfLab((rpc) => void rpc.labChanged.asEvent(change).catch(() => undefined))
  }

  labRestarted(nodes: string[]): void {
    this.#tellOfLab((rpc) => rpc.labRestarted.asEvent(nodes))
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  #tellOfLab(event: (rpc: Remote<ShellEvents>) => Promise<unknown>): void {
    for (const client of this.#clients) client.tellOfLab((rpc) => void event(rpc).catch(() => undefined))
  }
}
