import type { Counters } from '../counters.ts'
import { Traffic } from '../counters.ts'
import type { NetworkHost } from '../host.ts'
import { NS_PER_S } from '../host.ts'
import type { Timers } from '../timers.ts'
import {
  IPV4_LINK_LOCAL, LINK_LOCAL_PREFIX, MAC_BROADCAST, MAC_NONE, formatIpv4, formatMac, isHost, isMacGroup, networkOf,
} from '../wire/address.ts'
import type { ArpPacket } from '../wire/arp.ts'
import { ArpOperation, emitArp, parseArp } from '../wire/arp.ts'
import { ETHERNET_MTU, EtherType, emitEthernet, parseEthernet } from '../wire/ethernet.ts'
import { isMalformed } from '../wire/header.ts'
import type { NetDevice } from './device.ts'
import { LinkLocal } from './link-local.ts'
import { NeighbourCache } from './neighbours.ts'

export const ETHERNET_INDEX = 2

/** Of a static address too: once in this time we say that it is ours (RFC 5227, 2.4). */
const DEFEND_INTERVAL_NS = 10 * NS_PER_S
/** A static address is announced a second time, for who missed the first (RFC 5227, 2.3). */
const ANNOUNCE_INTERVAL_NS = 2 * NS_PER_S

/** `busy`: the transmitter is full, and NetworkChannel.WRITABLE is woken when it is not any more. */
export type SendOutcome = 'sent' | 'busy'

export interface EthernetEvents {
  /** An IPv4 packet came. `toAll`: the frame was for every station, or a group of them. */
  packet(packet: Uint8Array, toAll: boolean): void
  /** A packet of ours could not be delivered, because nobody has the address of its next hop. */
  undeliverable(packet: Uint8Array): void
  /** The address that link-local configuration has found, or null when it was lost. */
  linkLocal(address: number | null): void
}

/** The interface on an Ethernet card: frames, ARP (RFC 826), and who has which address here. */
export class EthernetInterface {
  readonly name = 'eth0'
  readonly index = ETHERNET_INDEX
  readonly mtu = ETHERNET_MTU
  readonly mac: number
  /** 0 while it has none. */
  address = 0
  prefix = 0
  readonly traffic = new Traffic()
  readonly neighbours: NeighbourCache
  private readonly device: NetDevice
  private readonly host: NetworkHost
  private readonly timers: Timers
  private readonly counters: Counters
  private readonly events: EthernetEvents
  private readonly linkLocal: LinkLocal
  private usesLinkLocal = false
  private lastConflictNs = -Infinity

  constructor(device: NetDevice, host: NetworkHost, timers: Timers, counters: Counters, events: EthernetEvents) {
    this.device = device
    this.mac = device.mac
    this.host = host
    this.timers = timers
    this.counters = counters
    this.events = events
    this.neighbours = new NeighbourCache(timers, host, {
      request: (address, mac) => this.request(address, mac),
      resolved: (packet, mac) => {
        if (this.transmit(mac, EtherType.IPV4, packet) === 'busy') this.drop('transmitter full')
      },
      failed: (packet) => {
        this.drop('no answer to ARP')
        events.undeliverable(packet)
      },
    })
    this.linkLocal = new LinkLocal(device.mac, host, timers, {
      probe: (address) => this.arp(ArpOperation.REQUEST, 0, MAC_NONE, address, MAC_BROADCAST),
      announce: (address) => this.announce(address),
      claim: (address) => events.linkLocal(address),
      abandon: () => events.linkLocal(null),
    })
    device.onReceive = (frame) => this.receive(frame)
  }

  /** It will have an address, but has not found one yet. */
  get isConfiguring(): boolean {
    return this.linkLocal.isSearching
  }

  /** Gives it a static address, and says so to everybody. */
  setStatic(address: number, prefix: number): void {
    this.address = address
    this.prefix = prefix
    this.announce(address)
    this.timers.set('announce', 0, this.host.nowNs + ANNOUNCE_INTERVAL_NS)
  }

  startLinkLocal(): void {
    this.usesLinkLocal = true
    this.linkLocal.start()
  }

  expireLinkLocal(): void {
    this.linkLocal.expire()
  }

  announce(address: number): void {
    this.arp(ArpOperation.REQUEST, address, MAC_NONE, address, MAC_BROADCAST)
  }

  /** Sends a packet to a neighbour, once it is known which station that is. */
  send(packet: Uint8Array, nextHop: number): SendOutcome {
    const mac = this.neighbours.resolve(nextHop, packet)
    return mac === null ? 'sent' : this.transmit(mac, EtherType.IPV4, packet)
  }

  broadcast(packet: Uint8Array): SendOutcome {
    return this.transmit(MAC_BROADCAST, EtherType.IPV4, packet)
  }

  private transmit(destination: number, type: number, payload: Uint8Array): SendOutcome {
    if (!this.device.transmit(emitEthernet({ destination, source: this.mac, type, payload }))) return 'busy'
    if (type === EtherType.IPV4) this.traffic.sent(payload.length)
    return 'sent'
  }

  private drop(reason: string): void {
    this.traffic.sentDropped++
    this.counters.count(reason)
  }

  private refuse(reason: string): void {
    this.traffic.receivedDropped++
    this.counters.count(reason)
  }

  private receive(bytes: Uint8Array): void {
    const frame = parseEthernet(bytes)
    if (isMalformed(frame)) return this.refuse(`ethernet: ${frame}`)
    const toAll = isMacGroup(frame.destination)
    // A hub repeats what is for others, and the card may be told to take all of it.
    if (!toAll && frame.destination !== this.mac) return this.refuse('ethernet: for another station')
    if (isMacGroup(frame.source)) return this.refuse('ethernet: from a group')
    switch (frame.type) {
      case EtherType.ARP: {
        const packet = parseArp(frame.payload)
        if (isMalformed(packet)) this.refuse(`arp: ${packet}`)
        else this.receiveArp(packet)
        break
      }
      case EtherType.IPV4:
        this.events.packet(frame.payload, toAll)
        break
      default:
        this.refuse('ethernet: unknown type')
    }
  }

  /** RFC 826, "Packet Reception", with address conflicts (RFC 3927, RFC 5227) before. */
  private receiveArp(packet: ArpPacket): void {
    const { senderMac, senderAddress, targetAddress } = packet
    if (senderMac === this.mac || senderMac === MAC_NONE || isMacGroup(senderMac)) return this.refuse('arp: bad sender')
    if (this.usesLinkLocal) this.linkLocal.hear(packet)
    else if (this.address !== 0 && senderAddress === this.address) this.defend(senderMac)
    if (this.address === 0 || senderAddress === this.address) return
    const isForUs = targetAddress === this.address
    if (isHost(senderAddress)) this.neighbours.learn(senderAddress, senderMac, isForUs)
    if (isForUs && packet.operation === ArpOperation.REQUEST)
      this.arp(ArpOperation.REPLY, this.address, senderMac, senderAddress, senderMac)
  }

  private defend(mac: number): void {
    const { nowNs } = this.host
    if (nowNs - this.lastConflictNs <= DEFEND_INTERVAL_NS) return
    this.lastConflictNs = nowNs
    this.host.log(`${formatIpv4(this.address)} is used by ${formatMac(mac)} as well`)
    this.announce(this.address)
  }

  private request(address: number, mac: number | null): void {
    this.arp(ArpOperation.REQUEST, this.address, MAC_NONE, address, mac ?? MAC_BROADCAST)
  }

  /** Sends an ARP packet. One that holds a link-local sender is for everybody, so that a conflict is seen (RFC 3927, 2.5). */
  private arp(operation: number, senderAddress: number, targetMac: number, targetAddress: number, to: number): void {
    const isLinkLocal = networkOf(senderAddress, LINK_LOCAL_PREFIX) === IPV4_LINK_LOCAL
    const packet = emitArp({ operation, senderMac: this.mac, senderAddress, targetMac, targetAddress })
    if (this.transmit(isLinkLocal ? MAC_BROADCAST : to, EtherType.ARP, packet) === 'busy') this.drop('transmitter full')
  }
}
