import type { NodeAttributes } from '../../fs/node.ts'
import { Node } from '../../fs/node.ts'
import { Wait } from '../../process/wait.ts'
import type { ErrnoName } from '../../syscall/errno.ts'
import { KernelError } from '../../syscall/errno.ts'
import type { NetworkHost } from '../host.ts'
import { NetworkChannel } from '../host.ts'
import { IPV4_ANY, IPV4_LOOPBACK, isLoopback } from '../wire/address.ts'
import { ICMP_HEADER_BYTES, IcmpType, emitIcmp } from '../wire/icmp.ts'
import { IPV4_HEADER_BYTES, IpProtocol } from '../wire/ipv4.ts'
import { UDP_HEADER_BYTES, emitUdp } from '../wire/udp.ts'
import type { Path, SocketNetwork } from './network.ts'

/** Bytes that a socket holds for a program that does not read; what comes on top is lost. */
export const RECEIVE_BYTES_MAX = 212_992
/** What a datagram counts beside its bytes, so that empty ones are bounded as well. */
export const DATAGRAM_OVERHEAD_BYTES = 256
/** Bytes that all sockets of the machine together may hold. */
export const BUFFERED_BYTES_MAX = 8 << 20
const SOCKET_DEVICE = 6

/** `icmp`: echo requests and replies, as Linux's ping sockets have them (icmp(7), "ping_group_range"). */
export type DatagramProtocol = 'udp' | 'icmp'

export interface SocketAddress {
  address: number
  port: number
}

export interface Datagram {
  from: SocketAddress
  bytes: Uint8Array
}

/** Where sockets get their local addresses from. */
export interface SocketRegistry {
  /** Bytes in the queues of all sockets. */
  bufferedBytes: number
  /** Gives a socket a local address; port 0 is one that nobody has. Throws EADDRINUSE. */
  bind(socket: DatagramSocket, to: SocketAddress): void
  release(socket: DatagramSocket): void
}

const UNBOUND: SocketAddress = { address: IPV4_ANY, port: 0 }

/** A datagram socket: a bounded queue of what came, and a way to send. */
export class DatagramSocket extends Node {
  readonly kind = 'socket'
  readonly number: number
  readonly protocol: DatagramProtocol
  /** Port 0 while unbound. With `icmp` the port is the identifier of the echo requests. */
  local: SocketAddress = UNBOUND
  remote: SocketAddress | null = null
  mayBroadcast = false
  reuseAddress = false
  /** Virtual nanoseconds; Infinity for no limit. */
  receiveTimeoutNs = Infinity
  /** Datagrams lost because the queue was full. */
  dropped = 0
  queuedBytes = 0
  private readonly queue: Datagram[] = []
  private error: ErrnoName | null = null
  private readonly host: NetworkHost
  private readonly network: SocketNetwork
  private readonly table: SocketRegistry

  constructor(number: number, protocol: DatagramProtocol, host: NetworkHost, network: SocketNetwork, table: SocketRegistry) {
    super()
    this.number = number
    this.protocol = protocol
    this.host = host
    this.network = network
    this.table = table
  }

  private get readable(): string {
    return `socket-${this.number}-readable`
  }

  private get isBound(): boolean {
    return this.local.port !== 0
  }

  override attributes(): NodeAttributes {
    return { inode: this.number, kind: this.kind, permissions: 0o777, links: 1, size: 0, modifiedNs: 0, device: SOCKET_DEVICE }
  }

  override read(_offset: number, length: number): Uint8Array | Wait {
    const datagram = this.receive(false)
    return datagram instanceof Wait ? datagram : datagram.bytes.subarray(0, length)
  }

  override write(_offset: number, bytes: Uint8Array): number | Wait {
    return this.send(bytes, null)
  }

  /** The last descriptor is closed. */
  override closed(): void {
    if (this.isBound) this.table.release(this)
    this.table.bufferedBytes -= this.queuedBytes
    this.queue.length = 0
    this.queuedBytes = 0
  }

  /** Throws EINVAL when it is bound already, EADDRNOTAVAIL, EADDRINUSE. */
  bind(to: SocketAddress): void {
    if (this.isBound) throw new KernelError('EINVAL')
    if (to.address !== IPV4_ANY && !this.network.isOwn(to.address)) throw new KernelError('EADDRNOTAVAIL')
    this.table.bind(this, to)
  }

  /** Names the peer, or with null none any more. Throws ENETUNREACH, EACCES; waits for an address. */
  connect(to: SocketAddress | null): Wait | null {
    if (to === null) {
      this.remote = null
      return null
    }
    const path = this.pathTo(to)
    if (path instanceof Wait) return path
    this.bindIfUnbound()
    this.remote = { address: to.address === IPV4_ANY ? IPV4_LOOPBACK : to.address, port: to.port }
    // What others sent before is not the peer's.
    for (const datagram of this.queue.splice(0)) {
      if (this.accepts(datagram.from)) this.queue.push(datagram)
      else this.account(-datagram.bytes.length - DATAGRAM_OVERHEAD_BYTES)
    }
    return null
  }

  /**
   * Sends one datagram to an address, or with null to the peer. Returns its length, or waits for a place in the transmitter or for the
   * machine's address. Throws EDESTADDRREQ, EINVAL, EMSGSIZE, ENETUNREACH, EACCES (a broadcast without leave), EADDRNOTAVAIL, and
   * what became of an earlier datagram.
   */
  send(bytes: Uint8Array, to: SocketAddress | null): number | Wait {
    this.throwError()
    const target = to ?? this.remote
    if (target === null) throw new KernelError('EDESTADDRREQ')
    if (this.protocol === 'udp' && target.port === 0) throw new KernelError('EINVAL')
    const address = target.address === IPV4_ANY ? IPV4_LOOPBACK : target.address
    const path = this.pathTo({ ...target, address })
    if (path instanceof Wait) return path
    const source = this.local.address === IPV4_ANY ? path.source : this.local.address
    if (!this.network.isOwn(source)) throw new KernelError('EADDRNOTAVAIL')
    if (isLoopback(source) && path.link !== 'loopback') throw new KernelError('EINVAL')
    const headerBytes = IPV4_HEADER_BYTES + (this.protocol === 'udp' ? UDP_HEADER_BYTES : 0)
    if (headerBytes + bytes.length > path.mtu) throw new KernelError('EMSGSIZE')
    const payload = this.protocol === 'udp' ? null : this.checkEcho(bytes)
    this.bindIfUnbound()
    const outcome = this.network.send(
      path,
      source,
      address,
      this.protocol === 'udp' ? IpProtocol.UDP : IpProtocol.ICMP,
      payload === null
        ? emitUdp({ sourcePort: this.local.port, destinationPort: target.port, payload: bytes }, { source, destination: address })
        : emitIcmp({ kind: 'echo', isReply: false, identifier: this.local.port, sequence: payload.sequence, data: payload.data }),
    )
    return outcome === 'busy' ? new Wait(NetworkChannel.WRITABLE) : bytes.length
  }

  /** The oldest datagram, which stays with `peek`. Throws what became of a datagram that was sent. */
  receive(peek: boolean): Datagram | Wait {
    this.throwError()
    if (this.queue.length === 0) return new Wait(this.readable)
    const datagram = this.queue[0]
    if (!peek) {
      this.queue.shift()
      this.account(-datagram.bytes.length - DATAGRAM_OVERHEAD_BYTES)
    }
    return datagram
  }

  /** True for a sender that a socket with a peer listens to. */
  accepts(from: SocketAddress): boolean {
    const { remote } = this
    if (remote === null) return true
    return remote.address === from.address && (this.protocol === 'icmp' || remote.port === from.port)
  }

  /** Something came for this socket; it is lost when there is no room. */
  deliver(from: SocketAddress, bytes: Uint8Array): void {
    const cost = bytes.length + DATAGRAM_OVERHEAD_BYTES
    if (this.queuedBytes + cost > RECEIVE_BYTES_MAX || this.table.bufferedBytes + cost > BUFFERED_BYTES_MAX) {
      this.dropped++
      return
    }
    this.queue.push({ from, bytes: bytes.slice() })
    this.account(cost)
    this.host.wake(this.readable)
  }

  /** What it sent did not arrive: its next call says so. */
  fail(error: ErrnoName): void {
    this.error = error
    this.host.wake(this.readable)
  }

  /** Takes the error of an earlier datagram (SO_ERROR). */
  takeError(): ErrnoName | null {
    const { error } = this
    this.error = null
    return error
  }

  /** Throws EINVAL for what is no whole echo request. The identifier is the socket's, whatever the program has put there. */
  private checkEcho(bytes: Uint8Array): { sequence: number; data: Uint8Array } {
    if (bytes.length < ICMP_HEADER_BYTES || bytes[0] !== IcmpType.ECHO || bytes[1] !== 0) throw new KernelError('EINVAL')
    return { sequence: (bytes[6] << 8) | bytes[7], data: bytes.subarray(ICMP_HEADER_BYTES) }
  }

  private pathTo({ address }: SocketAddress): Path | Wait {
    const path = this.network.path(address === IPV4_ANY ? IPV4_LOOPBACK : address)
    if (path === null) throw new KernelError('ENETUNREACH')
    if (path === 'configuring') return new Wait(NetworkChannel.CONFIGURED)
    if (path.isBroadcast && !this.mayBroadcast) throw new KernelError('EACCES')
    return path
  }

  private bindIfUnbound(): void {
    if (!this.isBound) this.table.bind(this, UNBOUND)
  }

  private account(bytes: number): void {
    this.queuedBytes += bytes
    this.table.bufferedBytes += bytes
  }

  private throwError(): void {
    const error = this.takeError()
    if (error !== null) throw new KernelError(error)
  }
}
