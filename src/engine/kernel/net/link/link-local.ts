import type { NetworkHost } from '../host.ts'
import { NS_PER_S } from '../host.ts'
import type { Timers } from '../timers.ts'
import { Random } from '../../../random/random.ts'
import { IPV4_LINK_LOCAL, formatIpv4, formatMac } from '../wire/address.ts'
import type { ArpPacket } from '../wire/arp.ts'

/** Constants of RFC 3927, section 9. */
const PROBE_WAIT_NS = NS_PER_S
const PROBE_NUM = 3
const PROBE_MIN_NS = NS_PER_S
const PROBE_MAX_NS = 2 * NS_PER_S
const ANNOUNCE_WAIT_NS = 2 * NS_PER_S
const ANNOUNCE_NUM = 2
const ANNOUNCE_INTERVAL_NS = 2 * NS_PER_S
const MAX_CONFLICTS = 10
const RATE_LIMIT_INTERVAL_NS = 60 * NS_PER_S
const DEFEND_INTERVAL_NS = 10 * NS_PER_S
/** 169.254.1.0 to 169.254.254.255: the first and last 256 are reserved (section 2.1). */
const FIRST_ADDRESS = IPV4_LINK_LOCAL + 0x100
const ADDRESSES = 0xfe00

const TIMER_KEY = 0
const NS_PER_MS = 1_000_000

export interface LinkLocalEvents {
  /** Ask whether somebody has the address, without having one ourselves. */
  probe(address: number): void
  /** Tell everybody that it is ours. */
  announce(address: number): void
  /** It is ours from now on. */
  claim(address: number): void
  /** It is not ours any more. */
  abandon(address: number): void
}

type Phase = 'idle' | 'probing' | 'claimed'

/** Finds an IPv4 link-local address, and defends it (RFC 3927). */
export class LinkLocal {
  private readonly mac: number
  private readonly host: NetworkHost
  private readonly timers: Timers
  private readonly events: LinkLocalEvents
  private readonly random: Random
  private phase: Phase = 'idle'
  private address = 0
  private probes = 0
  private announcements = 0
  private conflicts = 0
  private lastConflictNs = -Infinity

  /** The station address goes into the choice, so that machines with one seed do not all choose alike (section 2.1). */
  constructor(mac: number, host: NetworkHost, timers: Timers, events: LinkLocalEvents) {
    this.mac = mac
    this.host = host
    this.timers = timers
    this.events = events
    this.random = new Random((host.random.next() ^ (mac % 2 ** 32)) >>> 0)
  }

  get isSearching(): boolean {
    return this.phase === 'probing'
  }

  /** Chooses an address and begins to probe it. */
  start(): void {
    this.phase = 'probing'
    this.address = FIRST_ADDRESS + (this.random.next() % ADDRESSES)
    this.probes = 0
    this.announcements = 0
    this.after(this.between(0, PROBE_WAIT_NS) + (this.conflicts > MAX_CONFLICTS ? RATE_LIMIT_INTERVAL_NS : 0))
  }

  /** The timer is due: sections 2.2.1 and 2.4. */
  expire(): void {
    if (this.phase === 'probing' && this.probes < PROBE_NUM) {
      this.probes++
      this.events.probe(this.address)
      this.after(this.probes < PROBE_NUM ? this.between(PROBE_MIN_NS, PROBE_MAX_NS) : ANNOUNCE_WAIT_NS)
      return
    }
    if (this.phase === 'probing') {
      this.phase = 'claimed'
      this.events.claim(this.address)
    }
    if (this.announcements < ANNOUNCE_NUM) {
      this.announcements++
      this.events.announce(this.address)
      if (this.announcements < ANNOUNCE_NUM) this.after(ANNOUNCE_INTERVAL_NS)
    }
  }

  /** Somebody else's ARP packet: whether it has, or wants, the same address (sections 2.2.1 and 2.5). */
  hear(packet: ArpPacket): void {
    if (packet.senderMac === this.mac || this.phase === 'idle') return
    const holds = packet.senderAddress === this.address
    const wants = this.phase === 'probing' && packet.senderAddress === 0 && packet.targetAddress === this.address
    if (!holds && !wants) return
    const { nowNs } = this.host
    if (this.phase === 'claimed' && nowNs - this.lastConflictNs > DEFEND_INTERVAL_NS) {
      this.lastConflictNs = nowNs
      this.events.announce(this.address)
      return
    }
    this.lastConflictNs = nowNs
    this.conflicts++
    this.host.log(`${formatIpv4(this.address)} is used by ${formatMac(packet.senderMac)}, trying another address`)
    if (this.phase === 'claimed') this.events.abandon(this.address)
    this.start()
  }

  private after(ns: number): void {
    this.timers.set('link-local', TIMER_KEY, this.host.nowNs + ns)
  }

  /** A random time, in whole milliseconds. */
  private between(fromNs: number, toNs: number): number {
    return fromNs + (this.random.next() % ((toNs - fromNs) / NS_PER_MS + 1)) * NS_PER_MS
  }
}
