/**
 * The cables, switches and hubs between machines, as a function of what machines sent: pure, event-driven, in virtual nanoseconds.
 *
 * Time. `send` and the changes take a time; `advance` processes everything before a time. The result depends on these times alone,
 * not on how `advance` is cut nor on the order in which machines hand in what they sent, as long as each hands in its own in order.
 *
 * Windows. Whoever advances machines by at most `minimumLatencyNs` asks with `arrivals` what reaches them meanwhile, runs them, hands
 * in what they sent, and lets the network follow with `advance`: so nothing arrives late, and nothing is sent into the past.
 *
 * Errors: NetworkError for a topology or an option that a caller can get wrong. RangeError for a time in the past: a bug of the
 * caller's.
 */
import { EventKind, EventQueue, precedes, type QueuedEvent } from './event-queue.ts'
import type { Forwarder } from './forwarding/forwarder.ts'
import { Hub } from './forwarding/hub.ts'
import { Intake } from './forwarding/intake.ts'
import { Switch } from './forwarding/switch.ts'
import { type Direction, type FrameEvent, type LaneStatistics, LinkLane } from './link.ts'
import { checkOptions, completeOptions, type LinkOptions } from './link-options.ts'
import { NetworkError } from './network-error.ts'

export type { DropReason } from './impairments/stage.ts'
export type { Direction, FrameEvent, LaneStatistics } from './link.ts'
export type { LinkOptions } from './link-options.ts'
export { NetworkError } from './network-error.ts'

export interface Port {
  node: string
  port: number
}
export interface NodeSpec {
  id: string
  kind: 'machine' | 'switch' | 'hub'
}
export interface LinkSpec {
  id: string
  a: Port
  b: Port
  options: LinkOptions
}
export interface NetworkSpec {
  nodes: readonly NodeSpec[]
  links: readonly LinkSpec[]
  /** An integer up to 2^53. */
  seed: number
}

/** A frame that reached a machine. */
export interface Delivery {
  node: string
  port: number
  timeNs: number
  /** Without FCS. Not to be written to. */
  frame: Uint8Array
  link: string
}

export interface LinkSnapshot {
  id: string
  a: Port
  b: Port
  options: Required<LinkOptions>
  /** Not cut. */
  isUp: boolean
  statistics: Record<Direction, LaneStatistics>
}

/** Ethernet frames without FCS: from a bare header to a VLAN-tagged frame of full size. */
const FRAME_BYTES_MIN = 14
const FRAME_BYTES_MAX = 1518

interface NetworkNode {
  spec: NodeSpec
  /** Of switches and hubs. */
  forwarder: Forwarder | undefined
  /** Cables by port. */
  cables: Map<number, { link: NetworkLink; direction: Direction }>
}

interface NetworkLink {
  spec: LinkSpec
  /** Order among links, never given twice. */
  number: number
  options: Required<LinkOptions>
  isUp: boolean
  lanes: Record<Direction, LinkLane>
}

export class Network {
  readonly #seed: number
  readonly #nodes = new Map<string, NetworkNode>()
  readonly #links = new Map<string, NetworkLink>()
  readonly #queue = new EventQueue()
  /** What is on its last stretch to a machine, and may be looked at before its time. */
  readonly #arrivals = new EventQueue()
  /** Changes that are not due yet; the latency is what one sets. */
  readonly #planned = new Set<{ timeNs: number; latencyNs?: number }>()
  readonly #listeners = new Set<(event: FrameEvent) => void>()
  #deliveries: Delivery[] = []
  #nowNs = 0
  #linkNumber = 0
  #sequence = 0

  /** Throws NetworkError. */
  constructor({ nodes, links, seed }: NetworkSpec) {
    if (!Number.isSafeInteger(seed)) throw new NetworkError('seed', 'an integer up to 2^53', seed)
    this.#seed = seed
    for (const node of nodes) this.addNode(node)
    for (const link of links) this.addLink(link)
  }

  /** Everything before this was processed. */
  get nowNs(): number {
    return this.#nowNs
  }

  /** The least time from a machine's sending to a delivery, changes that are planned included; Infinity without links. */
  get minimumLatencyNs(): number {
    let least = Infinity
    for (const { options } of this.#links.values()) least = Math.min(least, options.latencyNs)
    for (const { latencyNs = Infinity } of this.#planned) least = Math.min(least, latencyNs)
    return least
  }

  /** The links in order, with their options and accounts. */
  snapshot(): LinkSnapshot[] {
    return [...this.#links.values()].map(({ spec, options, isUp, lanes }) => ({
      id: spec.id,
      a: { ...spec.a },
      b: { ...spec.b },
      options: { ...options },
      isUp,
      statistics: { 'a-to-b': lanes['a-to-b'].statistics(), 'b-to-a': lanes['b-to-a'].statistics() },
    }))
  }

  /**
   * Calls a listener with every frame sent, delivered and dropped on any link, in order of time but for what `arrivals` told ahead.
   * Returns what ends it.
   */
  observe(listener: (event: FrameEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * A machine sent a frame, whose last bit left it at `timeNs`. The frame is the network's from then on. A port without a cable
   * leads nowhere.
   */
  send(node: string, port: number, timeNs: number, frame: Uint8Array): void {
    const sender = this.#node(node)
    if (sender.spec.kind !== 'machine') throw new NetworkError(`sender ${node}`, 'a machine', `a ${sender.spec.kind}`)
    if (frame.length < FRAME_BYTES_MIN || frame.length > FRAME_BYTES_MAX)
      throw new NetworkError(`frame from ${node}`, `${FRAME_BYTES_MIN} to ${FRAME_BYTES_MAX} bytes`, frame.length)
    this.#checkTime(timeNs)
    const cable = sender.cables.get(port)
    if (cable === undefined) return
    const { link } = cable
    const run = (nowNs: number): void => {
      if (this.#links.get(link.spec.id) === link) this.#enter(link, cable.direction, frame, nowNs)
    }
    this.#queue.push({ timeNs, kind: EventKind.SEND, lane: laneNumber(link, cable.direction), sequence: this.#sequence++, run })
  }

  /** Processes everything before `untilNs`. Returns what reached machines, in order of time, link and sequence. */
  advance(untilNs: number): Delivery[] {
    if (!(untilNs >= this.#nowNs)) throw new RangeError(`the network is at ${this.#nowNs} ns and cannot go back to ${untilNs}`)
    for (let event = this.#next(); event !== undefined && event.timeNs < untilNs; event = this.#next()) {
      const queue = this.#queue.first === event ? this.#queue : this.#arrivals
      queue.pop()
      event.run(event.timeNs)
    }
    this.#nowNs = untilNs
    return this.#takeDeliveries()
  }

  /**
   * What reaches machines before `untilNs`, in order of time, link and sequence, without anything else happening: at most
   * `minimumLatencyNs` ahead and not past a planned change, so that nothing that is still to happen matters. `advance` does not
   * return it again.
   */
  arrivals(untilNs: number): Delivery[] {
    this.#makeDueChanges()
    const horizonNs = Math.min(this.#nowNs + this.minimumLatencyNs, ...[...this.#planned].map(({ timeNs }) => timeNs))
    if (untilNs > horizonNs) throw new RangeError(`what arrives is known up to ${horizonNs} ns, not up to ${untilNs}`)
    while (this.#arrivals.nextNs < untilNs) {
      const event = this.#arrivals.pop()
      event?.run(event.timeNs)
    }
    return this.#takeDeliveries()
  }

  #next(): QueuedEvent | undefined {
    const [event, arrival] = [this.#queue.first, this.#arrivals.first]
    return event === undefined || (arrival !== undefined && precedes(arrival, event)) ? arrival : event
  }

  #takeDeliveries(): Delivery[] {
    const deliveries = this.#deliveries
    this.#deliveries = []
    return deliveries
  }

  /** Changes options at a time. Throws NetworkError for one out of range. */
  setLink(id: string, options: Partial<LinkOptions>, timeNs: number): void {
    checkOptions(id, options)
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    const act = (link: NetworkLink, nowNs: number): void => {
      link.options = { ...link.options, ...given }
      for (const lane of Object.values(link.lanes)) lane.optionsChanged(nowNs)
    }
    this.#control(id, timeNs, act, options.latencyNs)
  }

  /** Cuts a link at a time: what is on it is lost, and what is sent until it heals. */
  cut(id: string, timeNs: number): void {
    this.#control(id, timeNs, (link, nowNs) => {
      if (!link.isUp) return
      link.isUp = false
      this.#empty(link, 'cut', nowNs)
    })
  }

  heal(id: string, timeNs: number): void {
    this.#control(id, timeNs, (link) => (link.isUp = true))
  }

  /** Adds a node now. Throws NetworkError when its name is taken. */
  addNode(spec: NodeSpec): void {
    if (this.#nodes.has(spec.id)) throw new NetworkError(`node ${spec.id}`, 'a name of its own', 'one that is taken')
    const forwarder = spec.kind === 'switch' ? new Switch() : spec.kind === 'hub' ? new Hub() : undefined
    this.#nodes.set(spec.id, { spec: { ...spec }, forwarder, cables: new Map() })
  }

  /** Takes a node and its links away now. What is on these is lost. */
  removeNode(id: string): void {
    const node = this.#node(id)
    // A link of the node with itself is there twice.
    for (const link of new Set([...node.cables.values()].map((cable) => cable.link))) this.removeLink(link.spec.id)
    this.#nodes.delete(id)
  }

  /** Adds a link now. Throws NetworkError for a name or port that is taken, a node that is not there, an option out of range. */
  addLink(spec: LinkSpec): void {
    const { id, a, b } = spec
    if (this.#links.has(id)) throw new NetworkError(`link ${id}`, 'a name of its own', 'one that is taken')
    checkOptions(id, spec.options)
    for (const end of [a, b]) {
      const where = `link ${id}, ${end.node} port ${end.port}`
      if (!Number.isInteger(end.port) || end.port < 0) throw new NetworkError(where, 'a port number from 0', end.port)
      const holder = this.#node(end.node).cables.get(end.port)
      if (holder !== undefined) throw new NetworkError(where, 'a free port', `one with link ${holder.link.spec.id}`)
    }
    if (a.node === b.node && a.port === b.port) throw new NetworkError(`link ${id}`, 'two ports', 'one twice')
    const link: NetworkLink = {
      spec: { id, a: { ...a }, b: { ...b }, options: spec.options },
      number: this.#linkNumber++,
      options: completeOptions(spec.options),
      isUp: true,
      lanes: { 'a-to-b': this.#lane(id, 'a-to-b', b), 'b-to-a': this.#lane(id, 'b-to-a', a) },
    }
    this.#links.set(id, link)
    this.#node(a.node).cables.set(a.port, { link, direction: 'a-to-b' })
    this.#node(b.node).cables.set(b.port, { link, direction: 'b-to-a' })
  }

  /** Takes a link away now. What is on it is lost. */
  removeLink(id: string): void {
    const link = this.#link(id)
    this.#empty(link, 'removed', this.#nowNs)
    this.#links.delete(id)
    for (const end of [link.spec.a, link.spec.b]) this.#node(end.node).cables.delete(end.port)
  }

  #lane(id: string, direction: Direction, to: Port): LinkLane {
    const link = (): NetworkLink => this.#link(id)
    let sequence = 0
    const push = (queue: EventQueue, timeNs: number, run: (timeNs: number) => void): void =>
      queue.push({ timeNs, kind: EventKind.TRAFFIC, lane: laneNumber(link(), direction), sequence: sequence++, run })
    const intake = this.#node(to.node).forwarder === undefined ? undefined : new Intake()
    const arrivals = intake === undefined ? this.#arrivals : this.#queue
    return new LinkLane(id, direction, this.#seed, () => link().options, {
      schedule: (timeNs, run) => push(this.#queue, timeNs, run),
      scheduleArrival: (timeNs, run) => push(arrivals, timeNs, run),
      accepts: (timeNs) => intake?.take(timeNs) ?? true,
      deliver: (frame, timeNs) => this.#arrive(to, id, frame, timeNs),
      observe: (event) => {
        for (const listener of this.#listeners) listener(event)
      },
    })
  }

  #enter(link: NetworkLink, direction: Direction, frame: Uint8Array, timeNs: number): void {
    link.lanes[direction].send(frame, link.isUp, timeNs)
  }

  #arrive(at: Port, link: string, frame: Uint8Array, timeNs: number): void {
    const node = this.#node(at.node)
    if (node.forwarder === undefined) {
      this.#deliveries.push({ node: at.node, port: at.port, timeNs, frame, link })
      return
    }
    const ports = [...node.cables.keys()].sort((a, b) => a - b)
    for (const port of node.forwarder.forward(frame, at.port, ports, timeNs)) {
      const cable = node.cables.get(port)
      if (cable !== undefined) this.#enter(cable.link, cable.direction, frame, timeNs)
    }
  }

  /** Loses what is on a link, and what switches at its ends learnt through it. */
  #empty(link: NetworkLink, reason: 'cut' | 'removed', timeNs: number): void {
    for (const lane of Object.values(link.lanes)) lane.clear(reason, timeNs)
    for (const end of [link.spec.a, link.spec.b]) this.#node(end.node).forwarder?.portDown(end.port)
  }

  /** At once when it is time; then after those that were planned for the same time. */
  #control(id: string, timeNs: number, act: (link: NetworkLink, timeNs: number) => void, latencyNs?: number): void {
    const link = this.#link(id)
    this.#checkTime(timeNs)
    const planned = { timeNs, latencyNs }
    this.#planned.add(planned)
    // A link that was taken away meanwhile takes the change with it.
    const run = (nowNs: number): void => {
      this.#planned.delete(planned)
      if (this.#links.get(id) === link) act(link, nowNs)
    }
    this.#queue.push({ timeNs, kind: EventKind.CONTROL, lane: 0, sequence: this.#sequence++, run })
    this.#makeDueChanges()
  }

  /** Changes for now come before anything else that happens now. */
  #makeDueChanges(): void {
    for (let due = this.#queue.first; due?.kind === EventKind.CONTROL && due.timeNs === this.#nowNs; due = this.#queue.first) {
      this.#queue.pop()
      due.run(due.timeNs)
    }
  }

  #checkTime(timeNs: number): void {
    if (!Number.isSafeInteger(timeNs) || timeNs < this.#nowNs)
      throw new RangeError(`the network is at ${this.#nowNs} ns; nothing can happen at ${timeNs}`)
  }

  #node(id: string): NetworkNode {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new NetworkError(`node ${id}`, `one of ${[...this.#nodes.keys()].join(', ') || 'none'}`, 'no such node')
    return node
  }

  #link(id: string): NetworkLink {
    const link = this.#links.get(id)
    if (link === undefined) throw new NetworkError(`link ${id}`, `one of ${[...this.#links.keys()].join(', ') || 'none'}`, 'no such link')
    return link
  }
}

function laneNumber(link: NetworkLink, direction: Direction): number {
  return 2 * link.number + (direction === 'b-to-a' ? 1 : 0)
}
