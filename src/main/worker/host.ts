import type { MachineId, MachinePhase } from '../../protocol/service.ts'
import type { FromWorker, MachineSpec, Pace, Progress, ToWorker } from './messages.ts'
import { Pacer } from './pacer.ts'

/** Console bytes leave at the latest this long after they were written, in milliseconds of wall time. */
export const CONSOLE_BATCH_MS = 16

/** Console bytes leave at once when so many have gathered. */
export const CONSOLE_BATCH_BYTES = 64 * 1024

/** A machine with so many console bytes that nobody has taken over yet waits until they are. */
export const CONSOLE_IN_FLIGHT_BYTES_MAX = 256 * 1024

/** Progress is reported at every change of phase, and this often in between, in milliseconds. */
export const PROGRESS_MS = 250

/** What a host needs of a machine with its kernel; `MachineSession` of the engine is one. */
export interface HostedSession {
  /** Runs until virtual time `untilNs`, or until the machine has ended. */
  advance(untilNs: number): void
  type(bytes: Uint8Array): void
  endInput(): void
  status(): { phase: MachinePhase; exitStatus?: number; virtualNs: number; instructions: number; message?: string }
}

export interface HostOptions {
  /** Wall milliseconds from any origin, never going back. */
  now: () => number
  post: (message: FromWorker) => void
  createSession: (spec: MachineSpec, onConsole: (bytes: Uint8Array) => void) => HostedSession
}

interface Hosted {
  readonly id: MachineId
  readonly session: HostedSession
  readonly pacer: Pacer
  readonly bornMs: number
  /** Not to be run before this wall time. */
  dueMs: number
  pending: Uint8Array[]
  pendingBytes: number
  /** When the oldest pending byte was written. */
  pendingSinceMs: number
  inFlightBytes: number
  isHeldBack: boolean
  lastPhase: MachinePhase | undefined
  lastProgressMs: number
}

const ENDED: ReadonlySet<MachinePhase> = new Set(['exited', 'halted', 'panicked', 'shutdown', 'stopped'])

/**
 * The machines of one worker. Knows neither threads nor timers: the worker's entry hands it messages and calls `step` whenever it says.
 * One step runs one slice of one machine, so that messages are never further away than a slice.
 */
export class MachineHost {
  readonly #options: HostOptions
  readonly #machines = new Map<MachineId, Hosted>()

  constructor(options: HostOptions) {
    this.#options = options
  }

  handle(message: ToWorker): void {
    if (message.type === 'boot') {
      this.#boot(message.id, message.spec, message.pace)
      return
    }
    const machine = this.#machines.get(message.id)
    if (machine === undefined) return
    switch (message.type) {
      case 'stop':
        this.#end(machine, { phase: 'stopped' })
        return
      case 'type':
        machine.session.type(message.bytes)
        wake(machine)
        return
      case 'end-input':
        machine.session.endInput()
        wake(machine)
        return
      case 'ack':
        // A reset keeps the machine's name: what the run before had under way may be answered late.
        machine.inFlightBytes = Math.max(0, machine.inFlightBytes - message.bytes)
        return
    }
  }

  /** Runs a slice of whichever machine has waited longest. Returns milliseconds until the next call; undefined: not before a message. */
  step(): number | undefined {
    const now = this.#options.now()
    for (const machine of this.#machines.values()) {
      this.#report(machine, now, false)
      if (!this.#isRunnable(machine, now)) continue
      this.#slice(machine, now)
      // To the end of the line.
      if (this.#machines.delete(machine.id)) this.#machines.set(machine.id, machine)
      break
    }
    return this.#untilNext(this.#options.now())
  }

  #boot(id: MachineId, spec: MachineSpec, pace: Pace): void {
    const now = this.#options.now()
    let machine: Hosted | undefined
    const early: Uint8Array[] = []
    const onConsole = (bytes: Uint8Array): void => {
      if (machine === undefined) early.push(bytes.slice())
      else this.#write(machine, bytes)
    }
    try {
      const session = this.#options.createSession(spec, onConsole)
      machine = {
        id,
        session,
        pacer: new Pacer(pace, now),
        bornMs: now,
        dueMs: 0,
        pending: [],
        pendingBytes: 0,
        pendingSinceMs: now,
        inFlightBytes: 0,
        isHeldBack: false,
        lastPhase: undefined,
        lastProgressMs: now,
      }
      for (const bytes of early) this.#write(machine, bytes)
      this.#machines.set(id, machine)
      this.#report(machine, now, true)
    } catch (error) {
      const progress: Progress = { phase: 'stopped', virtualNs: 0, instructions: 0, wallMs: 0, message: sentence(error) }
      this.#options.post({ type: 'ended', id, progress })
    }
  }

  #isRunnable(machine: Hosted, now: number): boolean {
    if (machine.inFlightBytes >= CONSOLE_IN_FLIGHT_BYTES_MAX) {
      machine.isHeldBack = true
      return false
    }
    if (machine.isHeldBack) {
      machine.isHeldBack = false
      machine.pacer.resume(now, machine.session.status().virtualNs)
    }
    return machine.dueMs <= now
  }

  #slice(machine: Hosted, now: number): void {
    const { session, pacer } = machine
    const beforeNs = session.status().virtualNs
    const step = pacer.next(now, beforeNs)
    if (step.kind === 'wait') {
      machine.dueMs = now + step.ms
      return
    }
    try {
      session.advance(step.untilNs)
    } catch (error) {
      this.#end(machine, { phase: 'stopped', message: `Atoll failed while it ran this machine: ${sentence(error)}` })
      return
    }
    const after = this.#options.now()
    const status = session.status()
    pacer.ran(Math.max(0, status.virtualNs - beforeNs), after - now)
    if (ENDED.has(status.phase)) this.#end(machine, {})
    this.#report(machine, after, false)
  }

  #write(machine: Hosted, bytes: Uint8Array): void {
    if (machine.pendingBytes === 0) machine.pendingSinceMs = this.#options.now()
    machine.pending.push(bytes.slice())
    machine.pendingBytes += bytes.byteLength
  }

  /** Sends what is due: console bytes, progress. */
  #report(machine: Hosted, now: number, isForced: boolean): void {
    if (!this.#machines.has(machine.id)) return
    if (machine.pendingBytes >= CONSOLE_BATCH_BYTES || (machine.pendingBytes > 0 && now >= machine.pendingSinceMs + CONSOLE_BATCH_MS))
      this.#flush(machine)
    const { phase } = machine.session.status()
    if (!isForced && phase === machine.lastPhase && now < machine.lastProgressMs + PROGRESS_MS) return
    machine.lastPhase = phase
    machine.lastProgressMs = now
    this.#options.post({ type: 'progress', id: machine.id, progress: this.#progress(machine, now) })
  }

  #flush(machine: Hosted): void {
    if (machine.pendingBytes === 0) return
    const bytes = new Uint8Array(machine.pendingBytes)
    let offset = 0
    for (const piece of machine.pending) {
      bytes.set(piece, offset)
      offset += piece.byteLength
    }
    machine.pending = []
    machine.pendingBytes = 0
    machine.inFlightBytes += bytes.byteLength
    this.#options.post({ type: 'console', id: machine.id, bytes })
  }

  #progress(machine: Hosted, now: number): Progress {
    const { phase, exitStatus, virtualNs, instructions, message } = machine.session.status()
    return { phase, exitStatus, virtualNs, instructions, wallMs: Math.round(now - machine.bornMs), message }
  }

  #end(machine: Hosted, overrides: Partial<Progress>): void {
    this.#flush(machine)
    this.#machines.delete(machine.id)
    this.#options.post({ type: 'ended', id: machine.id, progress: { ...this.#progress(machine, this.#options.now()), ...overrides } })
  }

  #untilNext(now: number): number | undefined {
    let ms: number | undefined
    const at = (wallMs: number): void => {
      ms = Math.max(0, Math.min(ms ?? Number.POSITIVE_INFINITY, wallMs - now))
    }
    for (const machine of this.#machines.values()) {
      if (machine.pendingBytes > 0) at(machine.pendingSinceMs + CONSOLE_BATCH_MS)
      if (machine.inFlightBytes < CONSOLE_IN_FLIGHT_BYTES_MAX) at(machine.dueMs)
    }
    return ms
  }
}

/** What was typed is seen now, not at the end of a rest. */
function wake(machine: Hosted): void {
  machine.dueMs = 0
  machine.pacer.wake()
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
