import type { ErrnoName } from '../../syscall/errno.ts'
import { KernelError } from '../../syscall/errno.ts'
import type { NetworkHost } from '../host.ts'
import { IPV4_ANY } from '../wire/address.ts'
import type { QuotedPacket } from '../wire/ipv4.ts'
import { IpProtocol } from '../wire/ipv4.ts'
import { IcmpType } from '../wire/icmp.ts'
import type { Endpoints, UdpDatagram } from '../wire/udp.ts'
import { quotedPorts } from '../wire/udp.ts'
import type { DatagramProtocol, SocketAddress, SocketRegistry } from './datagram.ts'
import { DatagramSocket } from './datagram.ts'
import type { SocketNetwork } from './network.ts'

/** Dynamic ports (RFC 6335, section 6). */
const DYNAMIC_PORT_FIRST = 49152
const DYNAMIC_PORTS = 16384

const ICMP_IDENTIFIER_OFFSET = 4

/** The machine's bound sockets, and which of them a packet is for. */
export class SocketTable implements SocketRegistry {
  bufferedBytes = 0
  private readonly host: NetworkHost
  private readonly network: SocketNetwork
  /** In the order they were bound. */
  private readonly bound: Record<DatagramProtocol, Map<number, DatagramSocket[]>> = { udp: new Map(), icmp: new Map() }
  private lastNumber = 0
  private nextPort: number

  constructor(host: NetworkHost, network: SocketNetwork) {
    this.host = host
    this.network = network
    // Where other machines begin is not to be guessed from where we do (RFC 6056, 3.3.1).
    this.nextPort = host.random.next() % DYNAMIC_PORTS
  }

  create(protocol: DatagramProtocol): DatagramSocket {
    return new DatagramSocket(++this.lastNumber, protocol, this.host, this.network, this)
  }

  bind(socket: DatagramSocket, { address, port }: SocketAddress): void {
    const chosen = port === 0 ? this.freePort(socket.protocol) : port
    const others = this.bound[socket.protocol].get(chosen) ?? []
    const overlaps = (other: DatagramSocket): boolean =>
      address === IPV4_ANY || other.local.address === IPV4_ANY || other.local.address === address
    if (others.some((other) => overlaps(other) && !(socket.reuseAddress && other.reuseAddress))) throw new KernelError('EADDRINUSE')
    this.bound[socket.protocol].set(chosen, [...others, socket])
    socket.local = { address, port: chosen }
  }

  release(socket: DatagramSocket): void {
    const sockets = this.bound[socket.protocol]
    const rest = (sockets.get(socket.local.port) ?? []).filter((other) => other !== socket)
    if (rest.length > 0) sockets.set(socket.local.port, rest)
    else sockets.delete(socket.local.port)
  }

  /** Bound sockets. */
  list(): readonly DatagramSocket[] {
    return Object.values(this.bound).flatMap((sockets) => [...sockets.values()].flat())
  }

  /** Hands a datagram to who it is for: with a broadcast, to everybody at the port. False when that is nobody. */
  deliverDatagram({ source, destination }: Endpoints, datagram: UdpDatagram, isBroadcast: boolean): boolean {
    const from = { address: source, port: datagram.sourcePort }
    const takes = (socket: DatagramSocket): boolean =>
      (socket.local.address === IPV4_ANY || socket.local.address === destination) && socket.accepts(from)
    const takers = (this.bound.udp.get(datagram.destinationPort) ?? []).filter(takes)
    if (takers.length === 0) return false
    if (isBroadcast) for (const socket of takers) socket.deliver(from, datagram.payload)
    else bestOf(takers).deliver(from, datagram.payload)
    return true
  }

  /** Hands an echo reply to the socket that has the identifier. */
  deliverEcho(identifier: number, source: number, message: Uint8Array): boolean {
    const from = { address: source, port: 0 }
    const takers = (this.bound.icmp.get(identifier) ?? []).filter((socket) => socket.accepts(from))
    if (takers.length === 0) return false
    bestOf(takers).deliver(from, message)
    return true
  }

  /** A packet that one of ours sent did not arrive. `isFinal`: and further ones will not either. */
  fail(packet: QuotedPacket, error: ErrnoName, isFinal: boolean): void {
    if (packet.protocol === IpProtocol.UDP) {
      const { sourcePort, destinationPort } = quotedPorts(packet.payload)
      // Of sockets without a peer the next call may have nothing to do with this packet (RFC 1122, 4.1.3.3, as Linux reads it).
      const isSender = ({ remote }: DatagramSocket): boolean => remote?.address === packet.destination && remote.port === destinationPort
      if (isFinal) this.bound.udp.get(sourcePort)?.filter(isSender).forEach((socket) => socket.fail(error))
    } else if (packet.protocol === IpProtocol.ICMP && packet.payload[0] === IcmpType.ECHO) {
      const identifier = (packet.payload[ICMP_IDENTIFIER_OFFSET] << 8) | packet.payload[ICMP_IDENTIFIER_OFFSET + 1]
      this.bound.icmp.get(identifier)?.forEach((socket) => socket.fail(error))
    }
  }

  /** Throws EADDRINUSE when every dynamic port is taken. */
  private freePort(protocol: DatagramProtocol): number {
    for (let tried = 0; tried < DYNAMIC_PORTS; tried++) {
      const port = DYNAMIC_PORT_FIRST + ((this.nextPort + tried) % DYNAMIC_PORTS)
      if (this.bound[protocol].has(port)) continue
      this.nextPort = (this.nextPort + tried + 1) % DYNAMIC_PORTS
      return port
    }
    throw new KernelError('EADDRINUSE')
  }
}

/** Who has named its peer before who has named its own address before the rest; of equals, who was bound last. */
function bestOf(sockets: readonly DatagramSocket[]): DatagramSocket {
  const rank = (socket: DatagramSocket): number => (socket.remote === null ? 0 : 2) + (socket.local.address === IPV4_ANY ? 0 : 1)
  return sockets.reduce((best, socket) => (rank(socket) >= rank(best) ? socket : best))
}
