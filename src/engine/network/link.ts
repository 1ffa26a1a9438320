import { bandwidth } from './impairments/bandwidth.ts'
import { corruption } from './impairments/corruption.ts'
import { duplication } from './impairments/duplication.ts'
import { loss } from './impairments/loss.ts'
import { propagation } from './impairments/propagation.ts'
import { reordering } from './impairments/reordering.ts'
import type { Decorator, DropReason, Lane, Packet, Stage } from './impairments/stage.ts'
import type { LinkOptions } from './link-options.ts'
import { RandomStream } from './random.ts'

export type Direction = 'a-to-b' | 'b-to-a'

/** A frame is sent once, and then delivered or dropped once; a duplicate is delivered or dropped once more, with the same id. */
export type FrameEvent = {
  timeNs: number
  link: string
  direction: Direction
  /** Number of the frame within its link and direction, from 0. */
  id: number
  /** Without FCS. Not to be written to. */
  frame: Uint8Array
} & ({ kind: 'sent' } | { kind: 'delivered' } | { kind: 'dropped'; reason: DropReason })

/** sentFrames + duplicatedFrames = deliveredFrames + the dropped ones + underwayFrames, always. */
export interface LaneStatistics {
  sentFrames: number
  sentBytes: number
  deliveredFrames: number
  deliveredBytes: number
  droppedFrames: Record<DropReason, number>
  duplicatedFrames: number
  corruptedFrames: number
  /** Frames that another overtook by the reorder option. */
  reorderedFrames: number
  /** Queued, being sent, or on the way. */
  underwayFrames: number
}

/** From the sender's end to the receiver's. */
const IMPAIRMENTS: readonly Decorator[] = [bandwidth, loss, corruption, duplication, propagation, reordering]

/** Frames that one direction holds: far more than a gigabit link of 100 ms has under way with full-size frames. */
const UNDERWAY_FRAMES_MAX = 16_384

export interface LaneHost {
  schedule(timeNs: number, run: (timeNs: number) => void): void
  scheduleArrival(timeNs: number, run: (timeNs: number) => void): void
  /** Whether what is at the receiver's end takes a frame in. */
  accepts(timeNs: number): boolean
  deliver(frame: Uint8Array, timeNs: number): void
  observe(event: FrameEvent): void
}

/** One direction of a link: its impairments in a row, and its account. */
export class LinkLane {
  readonly #link: string
  readonly #direction: Direction
  readonly #host: LaneHost
  readonly #stages: Stage[] = []
  readonly #underway = new Set<Packet>()
  /** When frames arrived that a frame entering now may still find under way, because arrivals are told ahead. Ascending. */
  readonly #arrivedNs: number[] = []
  #firstArrived = 0
  readonly #statistics: Omit<LaneStatistics, 'underwayFrames'> = {
    sentFrames: 0,
    sentBytes: 0,
    deliveredFrames: 0,
    deliveredBytes: 0,
    droppedFrames: { queue: 0, loss: 0, cut: 0, removed: 0, overflow: 0 },
    duplicatedFrames: 0,
    corruptedFrames: 0,
    reorderedFrames: 0,
  }

  constructor(link: string, direction: Direction, seed: number, options: () => Required<LinkOptions>, host: LaneHost) {
    this.#link = link
    this.#direction = direction
    this.#host = host
    const lane: Lane = {
      get options() {
        return options()
      },
      random: (impairment) => new RandomStream(seed, `${link} ${direction} ${impairment}`),
      schedule: (timeNs, run) => host.schedule(timeNs, run),
      scheduleArrival: (timeNs, run) => host.scheduleArrival(timeNs, run),
      drop: (packet, reason, timeNs) => this.#drop(packet, reason, timeNs),
      copy: (packet, timeNs) => this.#admit(packet.id, packet.frame, timeNs),
      count: (what) => void this.#statistics[`${what}Frames`]++,
    }
    let next: Stage = { push: (packet, timeNs) => this.#arrive(packet, timeNs) }
    for (const decorate of [...IMPAIRMENTS].reverse()) {
      next = decorate(next, lane)
      this.#stages.unshift(next)
    }
  }

  /** A frame enters at the sender's end. */
  send(frame: Uint8Array, isUp: boolean, timeNs: number): void {
    const id = this.#statistics.sentFrames++
    this.#statistics.sentBytes += frame.length
    this.#host.observe({ kind: 'sent', ...this.#describe(id, frame, timeNs) })
    const packet = this.#admit(id, frame, timeNs)
    if (packet === undefined) return
    if (isUp) this.#stages[0].push(packet, timeNs)
    else this.#drop(packet, 'cut', timeNs)
  }

  optionsChanged(timeNs: number): void {
    for (const stage of this.#stages) stage.change?.(timeNs)
  }

  /** Loses everything under way. */
  clear(reason: DropReason, timeNs: number): void {
    for (const packet of [...this.#underway]) this.#drop(packet, reason, timeNs)
    for (const stage of this.#stages) stage.clear?.()
  }

  statistics(): LaneStatistics {
    const own = this.#statistics
    return { ...own, droppedFrames: { ...own.droppedFrames }, underwayFrames: this.#underway.size }
  }

  #admit(id: number, frame: Uint8Array, timeNs: number): Packet | undefined {
    const packet: Packet = { id, frame, gone: false }
    this.#underway.add(packet)
    if (this.#underway.size + this.#arrivedFrom(timeNs) <= UNDERWAY_FRAMES_MAX) return packet
    this.#drop(packet, 'overflow', timeNs)
    return undefined
  }

  /** How many arrived at this time or later. */
  #arrivedFrom(timeNs: number): number {
    const arrived = this.#arrivedNs
    while (this.#firstArrived < arrived.length && arrived[this.#firstArrived] < timeNs) this.#firstArrived++
    if (2 * this.#firstArrived > arrived.length) {
      arrived.splice(0, this.#firstArrived)
      this.#firstArrived = 0
    }
    return arrived.length - this.#firstArrived
  }

  #arrive(packet: Packet, timeNs: number): void {
    if (!this.#host.accepts(timeNs)) {
      this.#drop(packet, 'overflow', timeNs)
      return
    }
    this.#underway.delete(packet)
    this.#arrivedNs.push(timeNs)
    this.#statistics.deliveredFrames++
    this.#statistics.deliveredBytes += packet.frame.length
    this.#host.observe({ kind: 'delivered', ...this.#describe(packet.id, packet.frame, timeNs) })
    this.#host.deliver(packet.frame, timeNs)
  }

  #drop(packet: Packet, reason: DropReason, timeNs: number): void {
    packet.gone = true
    this.#underway.delete(packet)
    this.#statistics.droppedFrames[reason]++
    this.#host.observe({ kind: 'dropped', reason, ...this.#describe(packet.id, packet.frame, timeNs) })
  }

  #describe(id: number, frame: Uint8Array, timeNs: number) {
    return { timeNs, link: this.#link, direction: this.#direction, id, frame }
  }
}
