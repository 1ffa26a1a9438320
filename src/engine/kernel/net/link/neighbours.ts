import type { NetworkHost } from '../host.ts'
import { NS_PER_S } from '../host.ts'
import type { Timers } from '../timers.ts'
import { MAC_NONE } from '../wire/address.ts'

/** Bounds that RFC 1122, 2.3.2, asks for: one request a second for each address, a packet or more kept until it is answered. */
export const NEIGHBOURS_MAX = 256
export const PENDING_PACKETS_MAX = 8
export const REQUESTS_MAX = 3
export const REQUEST_INTERVAL_NS = NS_PER_S
/** How long an answer is good for. */
export const REACHABLE_NS = 60 * NS_PER_S
/** How long an answer that is not good any more is kept: it is used, and asked again at its next use. */
export const STALE_NS = 600 * NS_PER_S

export type NeighbourState = 'incomplete' | 'reachable' | 'stale' | 'probe'

export interface Neighbour {
  address: number
  /** MAC_NONE while incomplete. */
  mac: number
  state: NeighbourState
  /** Requests sent since it was last known to be reachable. */
  requests: number
  usedNs: number
  /** IP packets that wait for `mac`, oldest first. */
  pending: Uint8Array[]
}

export interface NeighbourEvents {
  /** Ask who has the address: everybody, or with `mac` that station alone. */
  request(address: number, mac: number | null): void
  /** A packet that waited can go. */
  resolved(packet: Uint8Array, mac: number): void
  /** Nobody answered for its next hop, or it had to make room. */
  failed(packet: Uint8Array): void
}

/** Which station has which IPv4 address (RFC 826), with timeouts and what waits for an answer. */
export class NeighbourCache {
  private readonly table = new Map<number, Neighbour>()
  private readonly timers: Timers
  private readonly host: NetworkHost
  private readonly events: NeighbourEvents

  constructor(timers: Timers, host: NetworkHost, events: NeighbourEvents) {
    this.timers = timers
    this.host = host
    this.events = events
  }

  /** The station to send a packet to; null when the packet now waits until it is known. */
  resolve(address: number, packet: Uint8Array): number | null {
    const { nowNs } = this.host
    const neighbour = this.table.get(address)
    if (neighbour === undefined) {
      this.makeRoom()
      this.table.set(address, { address, mac: MAC_NONE, state: 'incomplete', requests: 0, usedNs: nowNs, pending: [packet] })
      this.ask(address)
      return null
    }
    neighbour.usedNs = nowNs
    if (neighbour.state === 'incomplete') {
      neighbour.pending.push(packet)
      if (neighbour.pending.length > PENDING_PACKETS_MAX) this.events.failed(neighbour.pending.shift() as Uint8Array)
      return null
    }
    const { mac } = neighbour
    if (neighbour.state === 'stale') {
      neighbour.state = 'probe'
      this.ask(address)
    }
    return mac
  }

  /** An ARP packet says so. `create`: also when we have never asked. */
  learn(address: number, mac: number, create: boolean): void {
    let neighbour = this.table.get(address)
    if (neighbour === undefined) {
      if (!create) return
      this.makeRoom()
      neighbour = { address, mac, state: 'reachable', requests: 0, usedNs: this.host.nowNs, pending: [] }
      this.table.set(address, neighbour)
    }
    const { pending } = neighbour
    neighbour.mac = mac
    neighbour.state = 'reachable'
    neighbour.requests = 0
    neighbour.pending = []
    this.timers.set('neighbour', address, this.host.nowNs + REACHABLE_NS)
    for (const packet of pending) this.events.resolved(packet, mac)
  }

  /** The timer of an address is due. */
  expire(address: number): void {
    const neighbour = this.table.get(address)
    if (neighbour === undefined) return
    if (neighbour.state === 'reachable') {
      neighbour.state = 'stale'
      this.timers.set('neighbour', address, this.host.nowNs + STALE_NS)
    } else if (neighbour.state !== 'stale' && neighbour.requests < REQUESTS_MAX) this.ask(address)
    else this.forget(neighbour)
  }

  /** Forgets everybody: the interface has another address now, and they are on another network. */
  clear(): void {
    for (const neighbour of [...this.table.values()]) this.forget(neighbour)
  }

  /** In the order they were first met. */
  list(): readonly Neighbour[] {
    return [...this.table.values()]
  }

  private ask(address: number): void {
    const neighbour = this.table.get(address) as Neighbour
    neighbour.requests++
    this.timers.set('neighbour', address, this.host.nowNs + REQUEST_INTERVAL_NS)
    this.events.request(address, neighbour.state === 'probe' ? neighbour.mac : null)
  }

  private forget(neighbour: Neighbour): void {
    this.timers.cancel('neighbour', neighbour.address)
    this.table.delete(neighbour.address)
    for (const packet of neighbour.pending) this.events.failed(packet)
  }

  /** Lets go of who was not used for longest, rather somebody known than somebody just asked for. */
  private makeRoom(): void {
    if (this.table.size < NEIGHBOURS_MAX) return
    const all = [...this.table.values()]
    const known = all.filter((neighbour) => neighbour.state !== 'incomplete')
    this.forget((known.length > 0 ? known : all).reduce((oldest, other) => (other.usedNs < oldest.usedNs ? other : oldest)))
  }
}
