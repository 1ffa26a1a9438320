import { checksum, pseudoHeader } from './checksum.ts'
import type { Field, Malformed } from './header.ts'
import { Header } from './header.ts'
import { IpProtocol } from './ipv4.ts'
import type { Endpoints } from './udp.ts'

/** TCP's header (RFC 9293, section 3.1), as far as refusing a connection needs it. */
const Tcp = {
  SOURCE_PORT: [0, 2], DESTINATION_PORT: [2, 2], SEQUENCE: [4, 4], ACKNOWLEDGMENT: [8, 4], DATA_OFFSET: [12, 1], FLAGS: [13, 1],
  WINDOW: [14, 2], CHECKSUM: [16, 2],
} as const satisfies Record<string, Field>

export const TCP_HEADER_BYTES = 20
export const TcpFlag = { FIN: 0x01, SYN: 0x02, RST: 0x04, PSH: 0x08, ACK: 0x10 } as const
const WORD_BYTES = 4

export interface TcpSegment {
  sourcePort: number
  destinationPort: number
  sequence: number
  acknowledgment: number
  /** TcpFlag bits. */
  flags: number
  window: number
  payload: Uint8Array
}

/** Options are stepped over. */
export function parseTcp(bytes: Uint8Array, { source, destination }: Endpoints): TcpSegment | Malformed {
  if (bytes.length < TCP_HEADER_BYTES) return 'truncated'
  const header = new Header(bytes)
  const headerBytes = (header.get(Tcp.DATA_OFFSET) >> 4) * WORD_BYTES
  if (headerBytes < TCP_HEADER_BYTES) return 'bad length'
  if (headerBytes > bytes.length) return 'truncated'
  if (checksum(bytes, pseudoHeader(source, destination, IpProtocol.TCP, bytes.length)) !== 0) return 'bad checksum'
  return {
    sourcePort: header.get(Tcp.SOURCE_PORT),
    destinationPort: header.get(Tcp.DESTINATION_PORT),
    sequence: header.get(Tcp.SEQUENCE),
    acknowledgment: header.get(Tcp.ACKNOWLEDGMENT),
    flags: header.get(Tcp.FLAGS),
    window: header.get(Tcp.WINDOW),
    payload: bytes.subarray(headerBytes),
  }
}

export function emitTcp(segment: TcpSegment, { source, destination }: Endpoints): Uint8Array {
  const header = new Header(new Uint8Array(TCP_HEADER_BYTES + segment.payload.length))
  header.set(Tcp.SOURCE_PORT, segment.sourcePort)
  header.set(Tcp.DESTINATION_PORT, segment.destinationPort)
  header.set(Tcp.SEQUENCE, segment.sequence)
  header.set(Tcp.ACKNOWLEDGMENT, segment.acknowledgment)
  header.set(Tcp.DATA_OFFSET, (TCP_HEADER_BYTES / WORD_BYTES) << 4)
  header.set(Tcp.FLAGS, segment.flags)
  header.set(Tcp.WINDOW, segment.window)
  header.bytes.set(segment.payload, TCP_HEADER_BYTES)
  header.set(Tcp.CHECKSUM, checksum(header.bytes, pseudoHeader(source, destination, IpProtocol.TCP, header.bytes.length)))
  return header.bytes
}

/** What answers a segment that belongs to no connection (RFC 9293, 3.10.7.1); null for a reset, which is never answered. */
export function resetFor(segment: TcpSegment): TcpSegment | null {
  if ((segment.flags & TcpFlag.RST) !== 0) return null
  const ports = { sourcePort: segment.destinationPort, destinationPort: segment.sourcePort, window: 0, payload: new Uint8Array(0) }
  if ((segment.flags & TcpFlag.ACK) !== 0) return { ...ports, sequence: segment.acknowledgment, acknowledgment: 0, flags: TcpFlag.RST }
  const isSyn = (segment.flags & TcpFlag.SYN) !== 0
  const isFin = (segment.flags & TcpFlag.FIN) !== 0
  const length = segment.payload.length + (isSyn ? 1 : 0) + (isFin ? 1 : 0)
  return { ...ports, sequence: 0, acknowledgment: (segment.sequence + length) >>> 0, flags: TcpFlag.RST | TcpFlag.ACK }
}
