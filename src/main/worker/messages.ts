import type { Tier } from '../../engine/machine/cpu/cpu.ts'
import type { MachineId, MachinePhase } from '../../protocol/service.ts'

/** What the pool and its workers say to each other. Plain data; big byte arrays are transferred or copied, never shared. */

/** Everything a worker needs to boot a machine, again and again if asked to. */
export interface MachineSpec {
  /** The boot stub, an ELF with a Multiboot header. */
  boot: Uint8Array
  /** The first program: an ELF and where it stands in the guest's file system. */
  program: { path: string; bytes: Uint8Array; args: string[] }
  /** What the guest's RAM file system holds besides, by absolute path in the guest. */
  files: Map<string, Uint8Array>
  ramBytes: number
  seed: number
  /** How instructions are executed; `auto` when left out. */
  tier?: Tier
  /** A network controller with this address of six bytes, and what the kernel is told about the network. */
  network?: { mac: Uint8Array; address?: string; hostname: string }
}

/** `live` paces virtual time to the wall, `fast` does not wait. */
export type Pace = 'live' | 'fast'

export type ToWorker =
  | { type: 'boot'; id: MachineId; spec: MachineSpec; pace: Pace }
  | { type: 'stop'; id: MachineId }
  | { type: 'type'; id: MachineId; bytes: Uint8Array }
  | { type: 'end-input'; id: MachineId }
  /** So many console bytes were taken over by whoever watches; a machine with too many of them under way waits. */
  | { type: 'ack'; id: MachineId; bytes: number }

export interface Progress {
  phase: MachinePhase
  exitStatus?: number
  virtualNs: number
  instructions: number
  /** Wall milliseconds since reset. */
  wallMs: number
  message?: string
}

export type FromWorker =
  | { type: 'console'; id: MachineId; bytes: Uint8Array }
  | { type: 'progress'; id: MachineId; progress: Progress }
  /** The machine is gone: it ended, was stopped, or failed. Its last progress comes along. */
  | { type: 'ended'; id: MachineId; progress: Progress }
