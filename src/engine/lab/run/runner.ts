import type { ProcessView } from '../../kernel/process/view.ts'
import type { SessionPhase } from './session.ts'

/** What happens to a machine from outside, at an exact virtual time of the lab. */
export type MachineInput = { node: string; timeNs: number } & (
  | { kind: 'boot' }
  /** The plug is pulled. */
  | { kind: 'kill' }
  | { kind: 'type'; bytes: Uint8Array }
  | { kind: 'frame'; frame: Uint8Array }
)

/** What a machine did, at an exact virtual time of the lab. */
export type MachineOutput = { node: string; timeNs: number } & (
  /** `timesNs` has the time of each byte, none of them going back. */
  | { kind: 'console'; bytes: Uint8Array; timesNs: Float64Array }
  | { kind: 'frame'; frame: Uint8Array }
  /** It was switched on, or it ended: by itself, or because the plug was pulled. */
  | { kind: 'power'; phase: SessionPhase | 'off'; exitStatus?: number; message?: string }
)

/** How a machine stands at the end of a window. */
export interface MachineReport {
  node: string
  phase: SessionPhase | 'off'
  exitStatus?: number
  message?: string
  /** Since it was switched on. */
  virtualNs: number
  instructions: number
  /** Left to itself, it does nothing before this virtual time of the lab; the end of the window while it computes. */
  quietUntilNs: number
}

export interface WindowResult {
  /** Each machine's in the order of their times, all of them before the end of the window. */
  outputs: MachineOutput[]
  /** Of every machine that may have done something: the others are as they were, but for their clocks. */
  reports: MachineReport[]
}

/**
 * Some of a lab's machines, wherever they are: in this thread or in another. The same calls give the same results. Nothing that a
 * guest does makes a call reject or wait for ever; a machine that cannot go on ends with a message.
 */
export interface MachineRunner<Spec> {
  /** From now on `boot` switches the node on as this says. */
  define(node: string, spec: Spec): void
  /** Switches a machine off and forgets it. */
  remove(node: string): void
  /**
   * Advances every machine to virtual time `untilNs`.
   * @param inputs in the order of their times, which lie in the window; each machine meets its own in this order
   */
  advance(untilNs: number, inputs: MachineInput[]): Promise<WindowResult>
  /** The processes of a machine; none of one that is off. */
  processes(node: string): Promise<ProcessView[]>
  /** Frees everything. */
  dispose(): void
}
