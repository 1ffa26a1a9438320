import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { MachineId } from '../../protocol/service.ts'
import type { FromWorker, MachineSpec, Pace, Progress, ToWorker } from '../worker/messages.ts'
import { appRoot } from './app-root.ts'

/** How long a worker may take to stop a machine before it is ended with all it hosts, in milliseconds. */
export const STOP_GRACE_MS = 300

/** The JavaScript heap of a worker: a kernel that a guest makes grow without end takes its worker with it, not the application. */
const HEAP_MIB_MAX = 1024

/** A thread that hosts machines, as the pool and the labs see it. */
export interface HostThread<To = ToWorker> {
  post(message: To): void
  terminate(): void
}

export interface HostThreadEvents<From = FromWorker> {
  onMessage(message: From): void
  /** The thread is gone, for the reason given. Called once. */
  onExit(reason: string): void
}

export type SpawnHost = (events: HostThreadEvents) => HostThread

/** Spawns the built worker in a thread of its own. */
export function spawnWorker<To = ToWorker, From = FromWorker>(events: HostThreadEvents<From>): HostThread<To> {
  return spawnScript(join(appRoot(), 'out', 'worker', 'index.js'), events)
}

/** @param heapMib the JavaScript heap it may use, in MiB; the memory of its machines is not part of it */
export function spawnScript<To = ToWorker, From = FromWorker>(
  script: string,
  events: HostThreadEvents<From>,
  heapMib = HEAP_MIB_MAX,
): HostThread<To> {
  const worker = new Worker(script, { name: 'atoll-machines', resourceLimits: { maxOldGenerationSizeMb: heapMib } })
  let reason = 'it ended'
  worker.on('message', (message: From) => events.onMessage(message))
  worker.on('messageerror', (error) => (reason = error.message))
  worker.on('error', (error) => (reason = error.message))
  worker.on('exit', () => events.onExit(reason))
  // Machines never keep the process alive by themselves: whoever waits for one does.
  worker.unref()
  return { post: (message) => worker.postMessage(message), terminate: () => void worker.terminate() }
}

export interface PoolEvents {
  onConsole(id: MachineId, bytes: Uint8Array): void
  onProgress(id: MachineId, progress: Progress): void
  /** The machine is gone. After it nothing more is said of it. */
  onEnded(id: MachineId, progress: Progress): void
}

interface Host {
  thread: HostThread
  machines: Set<MachineId>
}

interface Hosted {
  host: Host
  progress: Progress
  bornMs: number
  /** Those who wait for the end. */
  waiting: (() => void)[]
}

/**
 * The machines of this process, spread over a few worker threads. Whatever a guest does, the pool answers: a worker that does not stop
 * a machine in time is ended, one that crashes is replaced at the next boot, and everything it hosted is reported as stopped.
 */
export class MachinePool {
  readonly #sizeMax: number
  readonly #spawn: SpawnHost
  readonly #events: PoolEvents
  readonly #hosts = new Set<Host>()
  readonly #machines = new Map<MachineId, Hosted>()

  constructor({ sizeMax, spawn = spawnWorker, events }: { sizeMax: number; spawn?: SpawnHost; events: PoolEvents }) {
    this.#sizeMax = sizeMax
    this.#spawn = spawn
    this.#events = events
  }

  /** Starts one worker, so that the first boot does not wait for it. */
  warm(): void {
    if (this.#hosts.size === 0) this.#addHost()
  }

  boot(id: MachineId, spec: MachineSpec, pace: Pace): void {
    if (this.#machines.has(id)) throw new Error(`machine ${id} is booted already`)
    const host = this.#leastLoadedHost()
    host.machines.add(id)
    this.#machines.set(id, {
      host,
      progress: { phase: 'booting', virtualNs: 0, instructions: 0, wallMs: 0 },
      bornMs: performance.now(),
      waiting: [],
    })
    host.thread.post({ type: 'boot', id, spec, pace })
  }

  /** Resolves when the machine is gone, at the latest a moment after the grace time. */
  stop(id: MachineId): Promise<void> {
    const machine = this.#machines.get(id)
    if (machine === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#endHost(machine.host, id), STOP_GRACE_MS)
      machine.waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
      machine.host.thread.post({ type: 'stop', id })
    })
  }

  type(id: MachineId, bytes: Uint8Array): void {
    this.#post(id, { type: 'type', id, bytes })
  }

  endInput(id: MachineId): void {
    this.#post(id, { type: 'end-input', id })
  }

  ack(id: MachineId, bytes: number): void {
    this.#post(id, { type: 'ack', id, bytes })
  }

  /** Ends every worker; their machines are reported as stopped. */
  dispose(): void {
    for (const host of this.#hosts) {
      this.#dropHost(host, () => undefined)
      host.thread.terminate()
    }
  }

  #post(id: MachineId, message: ToWorker): void {
    this.#machines.get(id)?.host.thread.post(message)
  }

  #leastLoadedHost(): Host {
    let best: Host | undefined
    for (const host of this.#hosts) if (best === undefined || host.machines.size < best.machines.size) best = host
    if (best !== undefined && (best.machines.size === 0 || this.#hosts.size >= this.#sizeMax)) return best
    return this.#addHost()
  }

  #addHost(): Host {
    const thread = this.#spawn({
      onMessage: (message) => this.#receive(host, message),
      onExit: (reason) => this.#dropHost(host, () => `The worker that hosted this machine failed: ${reason}. Reset boots it again.`),
    })
    const host: Host = { thread, machines: new Set() }
    this.#hosts.add(host)
    return host
  }

  #receive(host: Host, message: FromWorker): void {
    const machine = this.#machines.get(message.id)
    // What an ended worker still had under way.
    if (machine === undefined || machine.host !== host) return
    switch (message.type) {
      case 'console':
        this.#events.onConsole(message.id, message.bytes)
        return
      case 'progress':
        machine.progress = message.progress
        this.#events.onProgress(message.id, message.progress)
        return
      case 'ended':
        this.#finish(message.id, machine, message.progress)
        return
    }
  }

  #endHost(host: Host, stoppedId: MachineId): void {
    this.#dropHost(host, (id) =>
      id === stoppedId ? undefined : 'A machine in the same worker hung and had to be ended with it. Reset boots this one again.',
    )
    host.thread.terminate()
  }

  #dropHost(host: Host, messageFor: (id: MachineId) => string | undefined): void {
    if (!this.#hosts.delete(host)) return
    for (const id of host.machines) {
      const machine = this.#machines.get(id)
      if (machine === undefined) continue
      const wallMs = Math.round(performance.now() - machine.bornMs)
      this.#finish(id, machine, { ...machine.progress, phase: 'stopped', wallMs, message: messageFor(id) })
    }
  }

  #finish(id: MachineId, machine: Hosted, progress: Progress): void {
    this.#machines.delete(id)
    machine.host.machines.delete(id)
    this.#events.onEnded(id, progress)
    for (const resolve of machine.waiting) resolve()
  }
}
