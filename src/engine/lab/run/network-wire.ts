import type { Direction, DropReason, FrameEvent, LinkSpec, NodeSpec } from '../../network/network.ts'
import { Network } from '../../network/network.ts'
import type { Impairments, LabPort, Link, Node } from '../lab.ts'
import type { Delivery, FrameFate, Wire, WireEvent } from './wire.ts'

/** A copy follows its original closely; what arrived longer ago than so many frames of its direction is forgotten. */
const ARRIVED_FRAMES_MAX = 256

const FATES: Record<DropReason, FrameFate> = { queue: 'queue-full', overflow: 'queue-full', loss: 'lost', cut: 'cut', removed: 'cut' }

export interface LinkAccount {
  link: string
  isCut: boolean
  impairments: Impairments
  /** Since the lab started, both directions. */
  sentFrames: number
  deliveredFrames: number
  droppedFrames: number
  bytes: number
}

/** Which frames of a direction were sent and have arrived. */
interface LaneMemory {
  sent: WeakSet<Uint8Array>
  arrived: Set<number>
}

/** The network of a lab as its coordinator drives it. */
export class NetworkWire implements Wire {
  private readonly network: Network
  private readonly ends = new Map<string, { a: LabPort; b: LabPort }>()
  private readonly lanes = new Map<string, LaneMemory>()

  constructor(nodes: readonly Node[], links: readonly Link[], seed: number) {
    this.network = new Network({ nodes: nodes.map(({ id, kind }) => ({ id, kind })), links: [], seed })
    for (const { id, a, b, impairments } of links) this.addLink({ id, a, b, options: impairments })
  }

  get minimumLatencyNs(): number {
    return this.network.minimumLatencyNs
  }

  send(node: string, port: number, timeNs: number, frame: Uint8Array): void {
    this.network.send(node, port, timeNs, frame)
  }

  arrivals(untilNs: number): Delivery[] {
    return this.network.arrivals(untilNs)
  }

  advance(untilNs: number): Delivery[] {
    return this.network.advance(untilNs)
  }

  setLink(link: string, change: Partial<Impairments>, timeNs: number): void {
    this.network.setLink(link, change, timeNs)
  }

  cut(link: string, timeNs: number): void {
    this.network.cut(link, timeNs)
  }

  heal(link: string, timeNs: number): void {
    this.network.heal(link, timeNs)
  }

  addNode(node: NodeSpec): void {
    this.network.addNode(node)
  }

  removeNode(node: string): void {
    this.network.removeNode(node)
  }

  addLink(link: LinkSpec): void {
    this.network.addLink(link)
    this.ends.set(link.id, { a: link.a, b: link.b })
    // One of this name may have been there before, and frames are numbered from 0 again.
    for (const direction of ['a-to-b', 'b-to-a']) this.lanes.delete(`${link.id} ${direction}`)
  }

  removeLink(link: string): void {
    this.network.removeLink(link)
  }

  observe(listener: (event: WireEvent) => void): void {
    this.network.observe((event) => listener(this.describe(event)))
  }

  accounts(): LinkAccount[] {
    return this.network.snapshot().map(({ id, isUp, options, statistics }) => {
      const account = { link: id, isCut: !isUp, impairments: options, sentFrames: 0, deliveredFrames: 0, droppedFrames: 0, bytes: 0 }
      for (const { sentFrames, sentBytes, deliveredFrames, droppedFrames } of Object.values(statistics)) {
        account.sentFrames += sentFrames
        account.deliveredFrames += deliveredFrames
        account.bytes += sentBytes
        for (const frames of Object.values(droppedFrames)) account.droppedFrames += frames
      }
      return account
    })
  }

  private describe(event: FrameEvent): WireEvent {
    const { timeNs, link, direction, frame, id } = event
    const { a, b } = this.ends.get(link) as { a: LabPort; b: LabPort }
    const [from, to] = direction === 'a-to-b' ? [a, b] : [b, a]
    return { kind: this.fateOf(event, this.lane(link, direction)), timeNs, link, direction, from, to, frame, id }
  }

  private fateOf(event: FrameEvent, { sent, arrived }: LaneMemory): WireEvent['kind'] {
    const { frame, id } = event
    if (event.kind === 'dropped') return FATES[event.reason]
    if (event.kind === 'sent') {
      sent.add(frame)
      return 'sent'
    }
    if (arrived.has(id)) return 'duplicated'
    arrived.add(id)
    if (arrived.size > ARRIVED_FRAMES_MAX) for (const oldest of arrived) if (arrived.delete(oldest)) break
    // A frame that was damaged on the way is another one than was sent.
    return sent.has(frame) ? 'delivered' : 'corrupted'
  }

  private lane(link: string, direction: Direction): LaneMemory {
    const key = `${link} ${direction}`
    const known = this.lanes.get(key)
    if (known !== undefined) return known
    const lane: LaneMemory = { sent: new WeakSet(), arrived: new Set() }
    this.lanes.set(key, lane)
    return lane
  }
}
