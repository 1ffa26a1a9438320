import type { Direction } from '../../network/network.ts'
import type { Impairments, LabPort } from '../lab.ts'

/** The network as the coordinator drives it; `Network` is one. Times are virtual nanoseconds of the lab. */

export interface Delivery {
  node: string
  port: number
  timeNs: number
  frame: Uint8Array
  link: string
}

/** What became of a frame that was sent on a link. Damaged ones and second copies arrive as well. */
export type FrameFate = 'delivered' | 'corrupted' | 'duplicated' | 'lost' | 'cut' | 'queue-full'

export interface WireEvent {
  kind: 'sent' | FrameFate
  timeNs: number
  link: string
  direction: Direction
  from: LabPort
  to: LabPort
  frame: Uint8Array
  /** Names the frame on this link: what was sent and what became of it have the same. */
  id: number
}

export interface Wire {
  /** A machine sends a frame, not before the time up to which the network has advanced. */
  send(node: string, port: number, timeNs: number, frame: Uint8Array): void
  /**
   * What arrives at machines before `untilNs`, in order of time, link and sequence; at most the smallest latency further than the
   * network has advanced, so that whatever is sent meanwhile arrives later. Each arrival is told once.
   */
  arrivals(untilNs: number): Delivery[]
  /** Everything before `untilNs` happens. Returns arrivals that were not told before. */
  advance(untilNs: number): Delivery[]
  setLink(link: string, change: Partial<Impairments>, timeNs: number): void
  cut(link: string, timeNs: number): void
  heal(link: string, timeNs: number): void
  addNode(node: { id: string; kind: 'machine' | 'switch' | 'hub' }): void
  removeNode(node: string): void
  addLink(link: { id: string; a: LabPort; b: LabPort; options: Impairments }): void
  removeLink(link: string): void
  observe(listener: (event: WireEvent) => void): void
  /** No frame takes less to any machine; Infinity without links. */
  readonly minimumLatencyNs: number
}
