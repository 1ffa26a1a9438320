import type { Attachment } from '../../protocol/service.ts'
import { PROTOCOL_VERSION } from '../../protocol/service.ts'
import type { ConnectOptions, WorkbenchConnection } from '../../protocol/transport.ts'
import { messageOf } from '../state/documents.ts'
import type { ReadonlyStore } from '../state/store.ts'
import { createStore } from '../state/store.ts'

export type SessionState =
  /** Before the first attachment. */
  | { kind: 'connecting' }
  | { kind: 'connected' }
  /** `retryAt`: when the next attempt starts, as `Date.now()` counts; null while one is under way. */
  | { kind: 'lost'; reason: string; retryAt: number | null }
  /** The service speaks another version of the protocol. */
  | { kind: 'incompatible' }
  /** The shell answered, but cannot show its project. */
  | { kind: 'failed'; message: string }

/** What lives as long as the project is shown, across connections. */
export interface Attached {
  readonly events: ConnectOptions['events']
  /** The connection is back; false when the service now shows something else and the page must start over. */
  reattach(attachment: Attachment): boolean
}

export interface SessionOptions<A extends Attached> {
  connect: (options: Omit<ConnectOptions, 'open'>) => WorkbenchConnection
  /** Called at the first attachment; must not wait, lest events are missed. */
  create: (connection: WorkbenchConnection, attachment: Attachment) => A
  startOver: () => void
}

/** Connects, attaches, and attaches again after each lost connection. */
export class Session<A extends Attached> {
  readonly #options: SessionOptions<A>
  readonly #state = createStore<SessionState>({ kind: 'connecting' })
  readonly #attached = createStore<A | null>(null)
  readonly #connection: WorkbenchConnection

  constructor(options: SessionOptions<A>) {
    this.#options = options
    this.#connection = options.connect({
      events: {
        console: (...args) => this.#attached.get()?.events.console(...args),
        status: (...args) => this.#attached.get()?.events.status(...args),
        filesChanged: (...args) => this.#attached.get()?.events.filesChanged(...args),
        labStatus: (...args) => this.#attached.get()?.events.labStatus(...args),
        labConsole: (...args) => this.#attached.get()?.events.labConsole(...args),
        labTraffic: (...args) => this.#attached.get()?.events.labTraffic(...args),
        labChanged: (...args) => this.#attached.get()?.events.labChanged(...args),
        labRestarted: (...args) => this.#attached.get()?.events.labRestarted(...args),
      },
      onState: (state) => {
        if (state.kind === 'connected') void this.attach()
        else if (this.#state.get().kind === 'incompatible') return
        else if (state.kind === 'disconnected') {
          this.#state.set({ kind: 'lost', reason: state.reason, retryAt: Date.now() + state.retryInMs })
        } else if (state.kind === 'connecting') {
          this.#state.update((current) => (current.kind === 'lost' ? { ...current, retryAt: null } : current))
        }
      },
    })
  }

  get state(): ReadonlyStore<SessionState> {
    return this.#state
  }

  get attached(): ReadonlyStore<A | null> {
    return this.#attached
  }

  retry(): void {
    if (this.#state.get().kind === 'failed') void this.attach()
    else this.#connection.retry()
  }

  async attach(): Promise<void> {
    let attachment: Attachment
    try {
      attachment = await this.#connection.service.attach()
    } catch (reason) {
      // When the connection itself went away, its own report has come first and is the better one.
      this.#state.update((state) => (state.kind === 'lost' ? state : { kind: 'failed', message: messageOf(reason) }))
      return
    }
    if (attachment.protocolVersion !== PROTOCOL_VERSION) {
      this.#state.set({ kind: 'incompatible' })
      return
    }
    const attached = this.#attached.get()
    if (attached && !attached.reattach(attachment)) {
      this.#options.startOver()
      return
    }
    if (!attached) this.#attached.set(this.#options.create(this.#connection, attachment))
    this.#state.set({ kind: 'connected' })
  }
}
