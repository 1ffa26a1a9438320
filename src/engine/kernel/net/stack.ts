import { Cost } from '../costs.ts'
import type { ErrnoName } from '../syscall/errno.ts'
import type { NetworkConfiguration } from './configuration.ts'
import { formatInterfaceAddress, parseGateway, parseInterfaceAddress } from './configuration.ts'
import { Counters, Traffic } from './counters.ts'
import type { NetworkHost } from './host.ts'
import { NetworkChannel } from './host.ts'
import { Icmp } from './icmp.ts'
import type { NetDevice } from './link/device.ts'
import type { SendOutcome } from './link/ethernet.ts'
import { EthernetInterface } from './link/ethernet.ts'
import { RouteTable } from './routes.ts'
import type { Path, SocketNetwork } from './socket/network.ts'
import { SocketTable } from './socket/table.ts'
import { Timers } from './timers.ts'
import {
  IPV4_BROADCAST, IPV4_LOOPBACK, LINK_LOCAL_PREFIX, LOOPBACK_PREFIX, broadcastOf, formatIpv4, isHost, isLoopback, isMulticast,
} from './wire/address.ts'
import { isMalformed } from './wire/header.ts'
import { Unreachable } from './wire/icmp.ts'
import type { Ipv4Packet, QuotedPacket } from './wire/ipv4.ts'
import { IPV4_BYTES_MAX, IpProtocol, TTL_DEFAULT, emitIpv4, parseIpv4, parseQuotedIpv4 } from './wire/ipv4.ts'
import { emitTcp, parseTcp, resetFor } from './wire/tcp.ts'
import { parseUdp } from './wire/udp.ts'

export const LOOPBACK_INDEX = 1

/**
 * The network of one machine: a loopback interface, at most one Ethernet interface, IPv4 between them and the sockets. It forwards
 * nothing. Everything happens inside a call: of a socket's, of the card's driver, or of the clock's.
 */
export class NetworkStack implements SocketNetwork {
  hostname: string
  readonly timers = new Timers()
  readonly routes = new RouteTable()
  readonly counters = new Counters()
  readonly loopbackTraffic = new Traffic()
  readonly sockets: SocketTable
  /** Null without a card. */
  ethernet: EthernetInterface | null = null
  private readonly host: NetworkHost
  private readonly icmp: Icmp
  private identification = 0
  /** Packets to ourselves, while one is being delivered. */
  private readonly looped: Uint8Array[] = []
  private isLooping = false

  constructor(host: NetworkHost, hostname: string) {
    this.host = host
    this.hostname = hostname
    this.sockets = new SocketTable(host, this)
    this.icmp = new Icmp(host, this.counters, {
      respond: (to, protocol, payload) => this.respond(to, protocol, payload),
      echoReply: (from, identifier, message) => {
        if (!this.sockets.deliverEcho(identifier, from.source, message)) this.counters.count('icmp: echo reply without a socket')
      },
      failed: (packet, error, isFinal) => this.fail(packet, error, isFinal),
    })
    this.routes.add({ destination: IPV4_LOOPBACK, prefix: LOOPBACK_PREFIX, gateway: 0, interface: LOOPBACK_INDEX })
  }

  /** Takes a card into use. Its address is the one configured, or a link-local one once that is found. */
  attach(device: NetDevice, configuration: NetworkConfiguration): void {
    const ethernet = new EthernetInterface(device, this.host, this.timers, this.counters, {
      packet: (packet, toAll) => this.receive(packet, ethernet, toAll),
      undeliverable: (packet) => {
        const quoted = parseQuotedIpv4(packet)
        if (!isMalformed(quoted)) this.fail(quoted, 'EHOSTUNREACH', true)
      },
      linkLocal: (address) => this.setLinkLocal(address),
    })
    this.ethernet = ethernet
    device.onWritable = () => this.host.wake(NetworkChannel.WRITABLE)
    const text = configuration.address
    const fixed = text === null ? null : parseInterfaceAddress(text)
    if (fixed === null) {
      if (text !== null) this.host.log(`${text} is not an address such as 10.0.0.1/24; taking a link-local one`)
      ethernet.startLinkLocal()
      return
    }
    ethernet.setStatic(fixed.address, fixed.prefix)
    this.routes.add({ destination: fixed.address, prefix: fixed.prefix, gateway: 0, interface: ethernet.index })
    const gateway = configuration.gateway === null ? null : parseGateway(configuration.gateway, fixed)
    if (gateway !== null) this.routes.add({ destination: 0, prefix: 0, gateway, interface: ethernet.index })
    else if (configuration.gateway !== null)
      this.host.log(`gateway ${configuration.gateway} is no neighbour of ${formatInterfaceAddress(fixed)}; going without`)
    this.host.log(`${formatInterfaceAddress(fixed)}${gateway === null ? '' : `, gateway ${formatIpv4(gateway)}`}`)
  }

  /** The clock: does what is due. */
  tick(): void {
    const { ethernet } = this
    if (ethernet === null) return
    for (let timer = this.timers.takeDue(this.host.nowNs); timer !== null; timer = this.timers.takeDue(this.host.nowNs)) {
      if (timer.kind === 'neighbour') ethernet.neighbours.expire(timer.key)
      else if (timer.kind === 'link-local') ethernet.expireLinkLocal()
      else ethernet.announce(ethernet.address)
    }
  }

  isOwn(address: number): boolean {
    return isLoopback(address) || (address !== 0 && address === this.ethernet?.address)
  }

  path(destination: number): Path | 'configuring' | null {
    const { ethernet } = this
    if (isLoopback(destination)) return { link: 'loopback', nextHop: 0, source: IPV4_LOOPBACK, mtu: IPV4_BYTES_MAX, isBroadcast: false }
    if (this.isOwn(destination)) return { link: 'loopback', nextHop: 0, source: destination, mtu: IPV4_BYTES_MAX, isBroadcast: false }
    if (ethernet === null) return null
    if (ethernet.address === 0) return ethernet.isConfiguring ? 'configuring' : null
    const isBroadcast = this.isBroadcast(destination)
    const route = isBroadcast ? null : this.routes.lookup(destination)
    if (!isBroadcast && (route === null || !isHost(destination))) return null
    const nextHop = route === null || route.gateway === 0 ? destination : route.gateway
    return { link: 'ethernet', nextHop, source: ethernet.address, mtu: ethernet.mtu, isBroadcast }
  }

  send(path: Path, source: number, destination: number, protocol: number, payload: Uint8Array): SendOutcome {
    this.host.charge(Cost.PACKET)
    this.identification = (this.identification + 1) & 0xffff
    const packet = emitIpv4({
      typeOfService: 0, identification: this.identification, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: TTL_DEFAULT,
      protocol, source, destination, payload,
    })
    if (path.link === 'loopback' || this.ethernet === null) {
      this.loop(packet)
      return 'sent'
    }
    if (!path.isBroadcast) return this.ethernet.send(packet, path.nextHop)
    const outcome = this.ethernet.broadcast(packet)
    // Everybody includes ourselves.
    if (outcome === 'sent') this.loop(packet)
    return outcome
  }

  private isBroadcast(address: number): boolean {
    if (address === IPV4_BROADCAST) return true
    const { ethernet } = this
    return ethernet !== null && ethernet.address !== 0 && address === broadcastOf(ethernet.address, ethernet.prefix)
  }

  private setLinkLocal(address: number | null): void {
    const ethernet = this.ethernet as EthernetInterface
    ethernet.address = address ?? 0
    ethernet.prefix = address === null ? 0 : LINK_LOCAL_PREFIX
    ethernet.neighbours.clear()
    this.routes.removeInterface(ethernet.index)
    if (address === null) return
    this.routes.add({ destination: address, prefix: LINK_LOCAL_PREFIX, gateway: 0, interface: ethernet.index })
    this.host.log(`${formatInterfaceAddress(ethernet)} (link-local)`)
    this.host.wake(NetworkChannel.CONFIGURED)
  }

  /** Delivers a packet to ourselves, after the one that is being delivered: an answer must not run inside of what it answers. */
  private loop(packet: Uint8Array): void {
    this.loopbackTraffic.sent(packet.length)
    this.looped.push(packet)
    if (this.isLooping) return
    this.isLooping = true
    for (let next = this.looped.shift(); next !== undefined; next = this.looped.shift()) this.receive(next, null, false)
    this.isLooping = false
  }

  /** A packet came over an interface; null for loopback. */
  private receive(raw: Uint8Array, from: EthernetInterface | null, toAll: boolean): void {
    this.host.charge(Cost.PACKET)
    const traffic = from === null ? this.loopbackTraffic : from.traffic
    const reason = this.accept(raw, from, toAll, traffic)
    if (reason === null) return
    traffic.receivedDropped++
    this.counters.count(reason)
  }

  /** Returns why a packet is not taken, or null. */
  private accept(raw: Uint8Array, from: EthernetInterface | null, toAll: boolean, traffic: Traffic): string | null {
    const packet = parseIpv4(raw)
    if (isMalformed(packet)) return `ip: ${packet}`
    const isBroadcast = this.isBroadcast(packet.destination)
    if (isMulticast(packet.destination)) return 'ip: to a group we are not in'
    if (!isBroadcast && !this.isOwn(packet.destination)) return 'ip: for another host'
    if (from !== null && (isLoopback(packet.destination) || this.isOwn(packet.source))) return 'ip: our own address from outside'
    if (toAll && !isBroadcast) return 'ip: to one host in a frame to all'
    if (!isHost(packet.source) || this.isBroadcast(packet.source)) return 'ip: from no host'
    if (packet.moreFragments || packet.fragmentOffset !== 0) return 'ip: fragment'
    traffic.received(raw.length)
    return this.deliver(packet, raw, isBroadcast)
  }

  private deliver(packet: Ipv4Packet, raw: Uint8Array, isBroadcast: boolean): string | null {
    switch (packet.protocol) {
      case IpProtocol.ICMP:
        this.icmp.receive(packet, isBroadcast)
        return null
      case IpProtocol.UDP: {
        const datagram = parseUdp(packet.payload, packet)
        if (isMalformed(datagram)) return `udp: ${datagram}`
        if (this.sockets.deliverDatagram(packet, datagram, isBroadcast)) return null
        if (!isBroadcast) this.icmp.sendUnreachable(packet, raw, Unreachable.PORT)
        return 'udp: nobody at the port'
      }
      case IpProtocol.TCP: {
        const segment = parseTcp(packet.payload, packet)
        if (isMalformed(segment)) return `tcp: ${segment}`
        const reset = isBroadcast ? null : resetFor(segment)
        if (reset !== null)
          this.respond(packet, IpProtocol.TCP, emitTcp(reset, { source: packet.destination, destination: packet.source }))
        return 'tcp: nobody at the port'
      }
      default:
        if (!isBroadcast) this.icmp.sendUnreachable(packet, raw, Unreachable.PROTOCOL)
        return 'ip: unknown protocol'
    }
  }

  private respond(to: Ipv4Packet, protocol: number, payload: Uint8Array): void {
    const path = this.path(to.source)
    if (path === null || path === 'configuring') return this.counters.count('ip: no way back')
    if (this.send(path, to.destination, to.source, protocol, payload) === 'busy') this.counters.count('transmitter full')
  }

  /** A packet of ours did not arrive: tells the socket that sent it. */
  private fail(packet: QuotedPacket, error: ErrnoName, isFinal: boolean): void {
    if (this.isOwn(packet.source)) this.sockets.fail(packet, error, isFinal)
  }
}
