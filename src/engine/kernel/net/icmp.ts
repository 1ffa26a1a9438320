import type { Counters } from './counters.ts'
import type { NetworkHost } from './host.ts'
import { NS_PER_S } from './host.ts'
import { isLoopback } from './wire/address.ts'
import { isMalformed } from './wire/header.ts'
import type { ErrorMessage } from './wire/icmp.ts'
import { IcmpType, Unreachable, emitIcmp, isIcmpError, parseIcmp } from './wire/icmp.ts'
import type { Ipv4Packet, QuotedPacket } from './wire/ipv4.ts'
import { IpProtocol, parseQuotedIpv4 } from './wire/ipv4.ts'
import type { ErrnoName } from '../syscall/errno.ts'

/** Errors sent in one virtual second at most (RFC 1812, 4.3.2.8). */
export const ERRORS_PER_S_MAX = 100
/** How much of a packet an error quotes: an error must fit into 576 bytes (RFC 1812, 4.3.2.3). */
const QUOTED_BYTES_MAX = 576 - 20 - 8

export interface IcmpEvents {
  /** Answers a packet, from the address it was sent to. */
  respond(to: Ipv4Packet, protocol: number, payload: Uint8Array): void
  /** An answer to an echo request of a socket's. `message` is the whole ICMP message. */
  echoReply(from: Ipv4Packet, identifier: number, message: Uint8Array): void
  /** A packet of ours did not arrive. `isFinal`: and further ones will not either. */
  failed(packet: QuotedPacket, error: ErrnoName, isFinal: boolean): void
}

/** What an unreachable destination is to a program (RFC 1122, 4.1.3.3), by code. */
const unreachableErrors: Readonly<Record<number, ErrnoName>> = {
  [Unreachable.NET]: 'ENETUNREACH',
  [Unreachable.HOST]: 'EHOSTUNREACH',
  [Unreachable.PROTOCOL]: 'ECONNREFUSED',
  [Unreachable.PORT]: 'ECONNREFUSED',
  [Unreachable.FRAGMENTATION_NEEDED]: 'EMSGSIZE',
}

/** ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, tells senders what went wrong, and hears what they tell us. */
export class Icmp {
  private readonly host: NetworkHost
  private readonly counters: Counters
  private readonly events: IcmpEvents
  private secondStartNs = 0
  private errorsInSecond = 0

  constructor(host: NetworkHost, counters: Counters, events: IcmpEvents) {
    this.host = host
    this.counters = counters
    this.events = events
  }

  receive(packet: Ipv4Packet, isBroadcast: boolean): void {
    const message = parseIcmp(packet.payload)
    if (isMalformed(message)) return this.counters.count(`icmp: ${message}`)
    if (message.kind === 'error') return this.receiveError(message)
    if (message.isReply) return this.events.echoReply(packet, message.identifier, packet.payload)
    // "MAY be silently discarded" (RFC 1122, 3.2.2.6): a whole network that answers one request is an amplifier.
    if (isBroadcast) return this.counters.count('icmp: echo request to everybody')
    this.events.respond(packet, IpProtocol.ICMP, emitIcmp({ ...message, isReply: true }))
  }

  /**
   * Tells the sender of a packet, one host and not through a broadcast, that it cannot be delivered. `raw` is the packet from its IP
   * header on.
   */
  sendUnreachable(packet: Ipv4Packet, raw: Uint8Array, code: number): void {
    if (this.isError(packet)) return
    const { nowNs } = this.host
    if (nowNs - this.secondStartNs >= NS_PER_S) {
      this.secondStartNs = nowNs
      this.errorsInSecond = 0
    }
    if (++this.errorsInSecond > ERRORS_PER_S_MAX && !isLoopback(packet.source)) return this.counters.count('icmp: error not sent, too many')
    const quoted = raw.subarray(0, QUOTED_BYTES_MAX)
    const message: ErrorMessage = { kind: 'error', type: IcmpType.DESTINATION_UNREACHABLE, code, detail: 0, quoted }
    this.events.respond(packet, IpProtocol.ICMP, emitIcmp(message))
  }

  private isError(packet: Ipv4Packet): boolean {
    return packet.protocol === IpProtocol.ICMP && (packet.payload.length === 0 || isIcmpError(packet.payload[0]))
  }

  private receiveError({ type, code, quoted }: ErrorMessage): void {
    const packet = parseQuotedIpv4(quoted)
    if (isMalformed(packet)) return this.counters.count(`icmp: quoted packet: ${packet}`)
    if (type === IcmpType.DESTINATION_UNREACHABLE) this.events.failed(packet, unreachableErrors[code] ?? 'EHOSTUNREACH', true)
    else if (type === IcmpType.TIME_EXCEEDED) this.events.failed(packet, 'EHOSTUNREACH', false)
    else this.counters.count('icmp: advice not taken')
  }
}
