import { checksum, pseudoHeader } from './checksum.ts'
import type { Field, Malformed } from './header.ts'
import { Header } from './header.ts'
import { IpProtocol } from './ipv4.ts'

/** UDP (RFC 768). */
const Udp = { SOURCE_PORT: [0, 2], DESTINATION_PORT: [2, 2], LENGTH: [4, 2], CHECKSUM: [6, 2] } as const satisfies Record<string, Field>

export const UDP_HEADER_BYTES = 8

export interface UdpDatagram {
  sourcePort: number
  destinationPort: number
  payload: Uint8Array
}

/** Addresses of the packet around it, which the checksum covers. */
export interface Endpoints {
  source: number
  destination: number
}

/** A checksum of zero says that there is none. */
export function parseUdp(bytes: Uint8Array, { source, destination }: Endpoints): UdpDatagram | Malformed {
  if (bytes.length < UDP_HEADER_BYTES) return 'truncated'
  const header = new Header(bytes)
  const length = header.get(Udp.LENGTH)
  if (length < UDP_HEADER_BYTES) return 'bad length'
  if (length > bytes.length) return 'truncated'
  const datagram = bytes.subarray(0, length)
  if (header.get(Udp.CHECKSUM) !== 0 && checksum(datagram, pseudoHeader(source, destination, IpProtocol.UDP, length)) !== 0)
    return 'bad checksum'
  return {
    sourcePort: header.get(Udp.SOURCE_PORT),
    destinationPort: header.get(Udp.DESTINATION_PORT),
    payload: datagram.subarray(UDP_HEADER_BYTES),
  }
}

export function emitUdp({ sourcePort, destinationPort, payload }: UdpDatagram, { source, destination }: Endpoints): Uint8Array {
  const length = UDP_HEADER_BYTES + payload.length
  const header = new Header(new Uint8Array(length))
  header.set(Udp.SOURCE_PORT, sourcePort)
  header.set(Udp.DESTINATION_PORT, destinationPort)
  header.set(Udp.LENGTH, length)
  header.bytes.set(payload, UDP_HEADER_BYTES)
  // A computed zero is sent as all ones, its equal in ones' complement: zero would say that there is no checksum.
  const value = checksum(header.bytes, pseudoHeader(source, destination, IpProtocol.UDP, length))
  header.set(Udp.CHECKSUM, value === 0 ? 0xffff : value)
  return header.bytes
}

/** Ports of a datagram that an ICMP error quotes: its first 8 bytes are whole. */
export function quotedPorts(bytes: Uint8Array): { sourcePort: number; destinationPort: number } {
  const header = new Header(bytes)
  return { sourcePort: header.get(Udp.SOURCE_PORT), destinationPort: header.get(Udp.DESTINATION_PORT) }
}
