/**
 * The contract for labs: what the shell's service offers the workbench beyond single machines, and what it tells it. A lab is a
 * folder in the project with a `lab.json`; times are virtual nanoseconds since the lab started unless a name says otherwise.
 */
import type { BuildResult, MachinePhase, ProjectPath } from './service.ts'

export type NodeKind = 'machine' | 'switch' | 'hub'

/** Where a node stands on the canvas, in canvas units. */
export interface NodePosition {
  x: number
  y: number
}

export interface LabNode {
  /** Unique in the lab: letters, digits, `-`; also the machine's host name. */
  id: string
  kind: NodeKind
  position: NodePosition
  /** Machines only: what it runs first; without it the shell. */
  program?: ProjectPath
  args?: string[]
  memoryBytes?: number
  /** A static address such as `10.0.0.1/24`; without it IPv4 link-local. */
  address?: string
}

/** Impairments of a link; probabilities from 0 to 1. */
export interface LinkImpairments {
  latencyNs: number
  jitterNs: number
  /** Bits per second; 0 for no limit. */
  bandwidthBps: number
  loss: number
  duplicate: number
  reorder: number
  corrupt: number
  queueBytes: number
}

export interface LabLink {
  id: string
  /** Ends: node and port number from 0. */
  a: { node: string; port: number }
  b: { node: string; port: number }
  impairments: LinkImpairments
}

/** The editable part of a lab: what the canvas draws and `lab.json` keeps. */
export interface LabTopology {
  name: string
  seed: number
  nodes: LabNode[]
  links: LabLink[]
}

export type LabPhase = 'stopped' | 'building' | 'running' | 'paused' | 'failed'

export interface LabMachineStatus {
  node: string
  phase: MachinePhase | 'off'
  exitStatus?: number
  virtualNs: number
  instructions: number
  message?: string
}

export interface LinkStatus {
  link: string
  isCut: boolean
  impairments: LinkImpairments
  /** Since the lab started, both directions. */
  sentFrames: number
  deliveredFrames: number
  droppedFrames: number
  bytes: number
}

/** Sent a few times a second while a lab runs. */
export interface LabStatus {
  phase: LabPhase
  virtualNs: number
  /** Virtual seconds for each wall second, over the last second; 1 keeps pace. */
  realTimeFactor: number
  machines: LabMachineStatus[]
  links: LinkStatus[]
  checks: { name: string; state: 'waiting' | 'passed' | 'failed'; atNs?: number; message?: string }[]
  message?: string
}

/** A frame seen on a link. */
export interface CapturedFrame {
  /** Counts up from 1 over the lab's run. */
  number: number
  timeNs: number
  link: string
  from: string
  to: string
  fate: 'delivered' | 'lost' | 'cut' | 'queue-full' | 'corrupted' | 'duplicated'
  bytes: Uint8Array
}

export interface ProcessStatus {
  pid: number
  parent: number
  name: string
  state: 'ready' | 'running' | 'waiting' | 'zombie'
  /** What a waiting process waits for, in one word. */
  waitsFor?: string
  memoryBytes: number
  cpuNs: number
}

export interface LabAttachment {
  topology: LabTopology | null
  /** Where it is saved; null for one never saved. */
  path: ProjectPath | null
  status: LabStatus
  /** What each machine's console printed last, bounded. */
  consoles: { node: string; bytes: Uint8Array }[]
}

export type LabResult = { ok: true } | { ok: false; message: string; builds?: BuildResult[] }

/** Calls about the one lab that is open. All reject with one clear sentence. */
export interface LabService {
  labAttach(): Promise<LabAttachment>
  /** Folders of the project (and of the templates) that hold a lab. */
  labList(): Promise<{ path: ProjectPath; name: string; isTemplate: boolean }[]>
  /**
   * Opens a lab and stops the one before. A template is called `name` from now on, so that it can have one in the person's language. An
   * error names the place in the file, what was expected and what was found.
   */
  labOpen(path: ProjectPath, name?: string): Promise<LabAttachment>
  labNew(): Promise<LabAttachment>
  labSave(path: ProjectPath, topology: LabTopology): Promise<void>
  /**
   * Replaces the topology. While the lab runs, links and nodes that are new, gone or changed are changed in the running lab;
   * a new machine is off until it is started.
   */
  labUpdate(topology: LabTopology): Promise<LabResult>
  /** Builds every program and starts the machines: all, or those named. */
  labStart(options: { pace: 'live' | 'fast'; nodes?: string[] }): Promise<LabResult>
  labStop(nodes?: string[]): Promise<void>
  labPause(): Promise<void>
  labResume(): Promise<void>
  labType(node: string, bytes: Uint8Array): Promise<void>
  labSetLink(link: string, change: Partial<LinkImpairments>): Promise<void>
  labCut(link: string): Promise<void>
  labHeal(link: string): Promise<void>
  /** The newest frames (at most `limit`) numbered above `after`, oldest first. */
  labFrames(after: number, limit: number): Promise<CapturedFrame[]>
  /** All frames kept, as pcapng. */
  labCapture(): Promise<Uint8Array>
  /** Live processes of a machine. */
  labProcesses(node: string): Promise<ProcessStatus[]>
}

/** What another window did to the open lab. */
export type LabChange =
  | { kind: 'edited' | 'saved'; topology: LabTopology; path: ProjectPath | null }
  /** There is another lab now: `labAttach` tells which. */
  | { kind: 'opened' }

/** What the shell tells about the open lab, unasked. */
export interface LabEvents {
  labStatus(status: LabStatus): void
  labConsole(node: string, bytes: Uint8Array): void
  /** New frames were captured; `labFrames` fetches them. */
  labTraffic(newest: number): void
  /** Told to every window but the one that did it. */
  labChanged(change: LabChange): void
  /** A program was built again and the machines that run it restarted. */
  labRestarted(nodes: string[]): void
}
