import type { ProcessView } from '../../kernel/process/view.ts'

export type SessionPhase = 'booting' | 'running' | 'halted' | 'exited' | 'panicked' | 'shutdown' | 'stopped'

/** What a lab needs of one machine that is switched on. Times are the machine's own: nanoseconds since its reset. */
export interface LabSession {
  /** Runs until `untilNs`, or until the machine has ended. Where calls are cut makes no difference. */
  advance(untilNs: number): void
  type(bytes: Uint8Array): void
  /** A frame arrives at its network interface. */
  receive(frame: Uint8Array): void
  status(): { phase: SessionPhase; exitStatus?: number; virtualNs: number; instructions: number; message?: string }
  /** Before this time nothing happens unless something comes in. */
  readonly quietUntilNs: number
  processes(): ProcessView[]
}

export interface SessionEvents {
  onConsoleByte(byte: number, timeNs: number): void
  onFrame(frame: Uint8Array, timeNs: number): void
}

/** Throws an Error with one sentence when the machine cannot be had. */
export type CreateLabSession<Spec> = (spec: Spec, events: SessionEvents) => LabSession
