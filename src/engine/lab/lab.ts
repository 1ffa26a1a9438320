/** A lab as the engine runs it: what `lab.json` says, with every quantity a number and every default filled in. */

export interface LabPort {
  node: string
  port: number
}

export interface Position {
  x: number
  y: number
}

/** Impairments of a link, in each direction. Probabilities from 0 to 1. */
export interface Impairments {
  latencyNs: number
  jitterNs: number
  /** Bits per second; 0 for no limit. */
  bandwidthBps: number
  loss: number
  duplicate: number
  reorder: number
  corrupt: number
  /** What waits for a link with limited bandwidth. */
  queueBytes: number
}

/** A cable across a room, with the latency that lets a laptop keep up with a lab of many machines. */
export const IMPAIRMENTS_DEFAULT: Readonly<Impairments> = {
  latencyNs: 1_000_000,
  jitterNs: 0,
  bandwidthBps: 100_000_000,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  queueBytes: 128 * 1024,
}

/** Machines of a lab advance in windows of the smallest latency: one that is too small would make them crawl. */
export const LATENCY_NS_MIN = 10_000
/** Of latency and jitter: what the network takes. */
export const DELAY_NS_MAX = 3_600_000_000_000
export const BANDWIDTH_BPS_MAX = 1e12

export interface Node {
  id: string
  kind: 'machine' | 'switch' | 'hub'
  position: Position
  /** Machines only, as the rest: what it runs first. Without it the shell. */
  program?: string
  args?: string[]
  memoryBytes?: number
  /** A static IPv4 address with its prefix, such as `10.0.0.1/24`; without it link-local. */
  address?: string
}

export interface Link {
  id: string
  a: LabPort
  b: LabPort
  impairments: Impairments
}

export type LabAction =
  | { do: 'cut'; link: string }
  | { do: 'heal'; link: string }
  | { do: 'change'; link: string; change: Partial<Impairments> }
  | { do: 'boot'; node: string }
  | { do: 'kill'; node: string }
  | { do: 'type'; node: string; text: string }

/** Something that happens at a virtual time, in ns since the lab started. */
export type TimelineEvent = { atNs: number } & LabAction

export type CheckCondition =
  /** The console says this, whatever is around it. */
  | { kind: 'contains'; text: string }
  /** A finished line of the console matches this regular expression. */
  | { kind: 'matches'; pattern: string }
  /** The console never says this. */
  | { kind: 'lacks'; text: string }

export interface Check {
  name: string
  node: string
  condition: CheckCondition
  /** What the console said before does not count. */
  fromNs: number
  /** When it must have happened; for `lacks`, until when it must not. */
  byNs: number
}

export interface Lab {
  name: string
  seed: number
  nodes: Node[]
  links: Link[]
  timeline: TimelineEvent[]
  checks: Check[]
  /** How long a run takes that is not told otherwise. */
  durationNs: number
}
