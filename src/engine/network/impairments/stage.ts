import type { LinkOptions } from '../link-options.ts'
import type { RandomStream } from '../random.ts'

/** A frame on its way through one direction of a link. */
export interface Packet {
  /** Number of the frame within its direction; a duplicate has its original's. */
  readonly id: number
  /** Without FCS. Replaced when damaged, never written to. */
  frame: Uint8Array
  /** It was dropped, and what still holds it shall forget it. */
  gone: boolean
}

export type DropReason =
  /** The queue of a link with limited bandwidth was full. */
  | 'queue'
  | 'loss'
  /** The link was cut, before or after the frame was on it. */
  | 'cut'
  /** The link was taken away. */
  | 'removed'
  /** More frames were under way than a direction of a link holds. */
  | 'overflow'

/** One impairment: takes a packet at a time and hands it on, at that time or later, once, several times or never. */
export interface Stage {
  push(packet: Packet, timeNs: number): void
  /** The options changed. */
  change?(timeNs: number): void
  /** Everything under way is gone. */
  clear?(): void
}

/** What a stage may use of the direction it is in. */
export interface Lane {
  readonly options: Readonly<Required<LinkOptions>>
  random(impairment: string): RandomStream
  /** In the order of calls among those for the same time. `timeNs` is later than now. */
  schedule(timeNs: number, run: (timeNs: number) => void): void
  /**
   * As `schedule`, for a packet that has left its sender for good: what happens then depends on no packet that enters the direction
   * later than one latency before.
   */
  scheduleArrival(timeNs: number, run: (timeNs: number) => void): void
  drop(packet: Packet, reason: DropReason, timeNs: number): void
  /** One more packet, the same frame. Undefined when the direction is full, and the drop is accounted for. */
  copy(packet: Packet, timeNs: number): Packet | undefined
  count(what: 'duplicated' | 'corrupted' | 'reordered'): void
}

/** Puts an impairment around what comes after it. */
export type Decorator = (next: Stage, lane: Lane) => Stage
