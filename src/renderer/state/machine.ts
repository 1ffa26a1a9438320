import type { BuildResult, MachineId, MachinePhase, MachineStatus, ProjectPath, WorkbenchService } from '../../protocol/service.ts'
import { messageOf } from './documents.ts'
import type { ReadonlyStore, Store } from './store.ts'
import { createStore } from './store.ts'

/** Wall milliseconds between the two reports that a speed is taken from, at least. */
const SPEED_WINDOW_MS = 200

/** Where the machine's serial console is shown. */
export interface ConsoleSink {
  /** Resolves when the bytes are shown, which paces a machine that floods its console. */
  write(bytes: Uint8Array): Promise<void>
  /** Shows these bytes instead of what was there. */
  replace(bytes: Uint8Array): void
}

export interface Speed {
  /** Million instructions per wall second. */
  mips: number
  /** Virtual seconds per wall second. */
  realTimeFactor: number
}

export interface MachineView {
  /** The machine that runs or ran last. */
  status: MachineStatus | null
  /** The service that ran it was started anew and knows nothing of it; `status` and the console show its end. */
  isGone: boolean
  speed: Speed | null
  /** The call under way. */
  activity: 'idle' | 'building' | 'booting' | 'stopping' | 'resetting'
  /** How the last build ended, until the next. */
  lastBuild: { program: ProjectPath; ok: boolean; elapsedMs: number; cached: boolean; message?: string } | null
}

export function isAlive(phase: MachinePhase | undefined): boolean {
  return phase === 'booting' || phase === 'running' || phase === 'halted'
}

export type BootOutcome = { kind: 'booted' } | { kind: 'build-failed'; message: string } | { kind: 'failed'; message: string }

export interface MachineDependencies {
  service: WorkbenchService
  console: ConsoleSink
  onBuilt: (program: ProjectPath, build: BuildResult) => void
}

/** The one machine of the workbench: starts it, follows it, types into it. */
export class MachineController {
  readonly #service: WorkbenchService
  readonly #console: ConsoleSink
  readonly #onBuilt: (program: ProjectPath, build: BuildResult) => void
  readonly #store: Store<MachineView> = createStore<MachineView>({
    status: null,
    isGone: false,
    speed: null,
    activity: 'idle',
    lastBuild: null,
  })
  /** Machines that were replaced; what they still say on their way out is not shown. */
  readonly #replaced = new Set<MachineId>()
  #followed: MachineId | null = null
  #speedBase: MachineStatus | null = null

  constructor({ service, console, onBuilt }: MachineDependencies) {
    this.#service = service
    this.#console = console
    this.#onBuilt = onBuilt
  }

  get store(): ReadonlyStore<MachineView> {
    return this.#store
  }

  /** Takes over what the service knows, after each connection. */
  attached(machines: { status: MachineStatus; console: Uint8Array }[]): void {
    const last = machines.at(-1)
    this.#replaced.clear()
    this.#speedBase = null
    const { status } = this.#store.get()
    if (!last && status) {
      this.#store.update((view) => ({
        ...view,
        status: isAlive(status.phase) ? { ...status, phase: 'stopped' } : status,
        isGone: true,
        speed: null,
      }))
      return
    }
    this.#followed = last?.status.id ?? null
    this.#store.update((view) => ({ ...view, status: last?.status ?? null, isGone: false, speed: null }))
    this.#console.replace(last?.console ?? new Uint8Array())
  }

  async build(program: ProjectPath): Promise<BuildResult | null> {
    return this.#during('building', async () => {
      const build = await this.#service.build(program)
      this.#built(program, build)
      return build
    })
  }

  /** Builds and boots. The console starts empty. Null when another call is still under way. */
  async boot(program: ProjectPath): Promise<BootOutcome | null> {
    return this.#during('booting', async () => {
      try {
        const result = await this.#service.boot({ program, pace: 'live' })
        this.#built(program, result.build)
        if (!result.ok) return { kind: 'build-failed', message: result.message }
        this.#follow(result.machine.id)
        if (this.#store.get().status?.id !== result.machine.id) this.status(result.machine)
        return { kind: 'booted' }
      } catch (reason) {
        return { kind: 'failed', message: messageOf(reason) }
      }
    })
  }

  async stop(): Promise<void> {
    const { status } = this.#store.get()
    if (!status || !isAlive(status.phase)) return
    await this.#during('stopping', () => this.#service.stop(status.id))
  }

  async reset(): Promise<void> {
    const { status, isGone } = this.#store.get()
    if (!status || isGone) return
    await this.#during('resetting', () => {
      this.#console.replace(new Uint8Array())
      return this.#service.reset(status.id)
    })
  }

  /** Types into the machine; null when none is there to read it. */
  type(bytes: Uint8Array): Promise<void> | null {
    const { status } = this.#store.get()
    return status && isAlive(status.phase) ? this.#service.type(status.id, bytes) : null
  }

  /** The service reports. */
  status(status: MachineStatus): void {
    if (this.#replaced.has(status.id)) return
    this.#follow(status.id)
    if (this.#speedBase && status.instructions < this.#speedBase.instructions) this.#speedBase = null
    this.#store.update((view) => ({ ...view, status, isGone: false, speed: this.#measure(status, view.speed) }))
  }

  /** The machine wrote to its console. */
  output(id: MachineId, bytes: Uint8Array): Promise<void> {
    if (this.#replaced.has(id)) return Promise.resolve()
    this.#follow(id)
    return this.#console.write(bytes)
  }

  /** A machine not heard of before takes the place of the one shown. */
  #follow(id: MachineId): void {
    if (this.#followed === id) return
    if (this.#followed !== null) this.#replaced.add(this.#followed)
    this.#followed = id
    this.#speedBase = null
    this.#console.replace(new Uint8Array())
  }

  #measure(status: MachineStatus, previous: Speed | null): Speed | null {
    if (!isAlive(status.phase)) {
      this.#speedBase = null
      return null
    }
    const base = this.#speedBase
    if (!base || base.id !== status.id) {
      this.#speedBase = status
      return null
    }
    const wallMs = status.wallMs - base.wallMs
    if (wallMs < SPEED_WINDOW_MS) return previous
    this.#speedBase = status
    return {
      mips: (status.instructions - base.instructions) / wallMs / 1000,
      realTimeFactor: (status.virtualNs - base.virtualNs) / wallMs / 1e6,
    }
  }

  #built(program: ProjectPath, build: BuildResult): void {
    const { ok, elapsedMs, cached, message } = build
    this.#store.update((view) => ({ ...view, lastBuild: { program, ok, elapsedMs, cached, message } }))
    this.#onBuilt(program, build)
  }

  async #during<T>(activity: MachineView['activity'], work: () => Promise<T>): Promise<T | null> {
    const current = this.#store.get().activity
    if (current === 'building' || current === 'booting' || current === activity) return null
    this.#store.update((view) => ({ ...view, activity }))
    try {
      return await work()
    } finally {
      this.#store.update((view) => (view.activity === activity ? { ...view, activity: 'idle' } : view))
    }
  }
}
