import { checksum } from './checksum.ts'
import type { Field, Malformed } from './header.ts'
import { Header } from './header.ts'

/** IPv4 (RFC 791, section 3.1). We send no options, and step over those that we receive. */
const Ipv4 = {
  VERSION_IHL: [0, 1], TOS: [1, 1], TOTAL_LENGTH: [2, 2], IDENTIFICATION: [4, 2], FLAGS_FRAGMENT: [6, 2], TTL: [8, 1],
  PROTOCOL: [9, 1], CHECKSUM: [10, 2], SOURCE: [12, 4], DESTINATION: [16, 4],
} as const satisfies Record<string, Field>

export const IPV4_HEADER_BYTES = 20
export const IPV4_BYTES_MAX = 65535
/** Assigned by IANA (protocol numbers). */
export const IpProtocol = { ICMP: 1, TCP: 6, UDP: 17 } as const
/** IPDEFTTL (RFC 1700). */
export const TTL_DEFAULT = 64

const VERSION = 4
const WORD_BYTES = 4
const Flag = { DF: 0x4000, MF: 0x2000 } as const
const FRAGMENT_OFFSET = 0x1fff
const FRAGMENT_UNIT_BYTES = 8

export interface Ipv4Packet {
  typeOfService: number
  identification: number
  dontFragment: boolean
  moreFragments: boolean
  /** Bytes; a multiple of 8. */
  fragmentOffset: number
  ttl: number
  /** An IpProtocol, or one that we do not speak. */
  protocol: number
  source: number
  destination: number
  payload: Uint8Array
}

/** Bytes behind the total length are padding of the layer below and are left out. */
export function parseIpv4(bytes: Uint8Array): Ipv4Packet | Malformed {
  if (bytes.length < IPV4_HEADER_BYTES) return 'truncated'
  const header = new Header(bytes)
  const versionIhl = header.get(Ipv4.VERSION_IHL)
  if (versionIhl >> 4 !== VERSION) return 'bad version'
  const headerBytes = (versionIhl & 0xf) * WORD_BYTES
  const totalBytes = header.get(Ipv4.TOTAL_LENGTH)
  if (headerBytes < IPV4_HEADER_BYTES || totalBytes < headerBytes) return 'bad length'
  if (totalBytes > bytes.length) return 'truncated'
  if (checksum(bytes.subarray(0, headerBytes)) !== 0) return 'bad checksum'
  const fragment = header.get(Ipv4.FLAGS_FRAGMENT)
  return {
    typeOfService: header.get(Ipv4.TOS),
    identification: header.get(Ipv4.IDENTIFICATION),
    dontFragment: (fragment & Flag.DF) !== 0,
    moreFragments: (fragment & Flag.MF) !== 0,
    fragmentOffset: (fragment & FRAGMENT_OFFSET) * FRAGMENT_UNIT_BYTES,
    ttl: header.get(Ipv4.TTL),
    protocol: header.get(Ipv4.PROTOCOL),
    source: header.get(Ipv4.SOURCE),
    destination: header.get(Ipv4.DESTINATION),
    payload: bytes.subarray(headerBytes, totalBytes),
  }
}

export function emitIpv4(packet: Ipv4Packet): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER_BYTES + packet.payload.length)
  const header = new Header(bytes)
  const flags = (packet.dontFragment ? Flag.DF : 0) | (packet.moreFragments ? Flag.MF : 0)
  header.set(Ipv4.VERSION_IHL, (VERSION << 4) | (IPV4_HEADER_BYTES / WORD_BYTES))
  header.set(Ipv4.TOS, packet.typeOfService)
  header.set(Ipv4.TOTAL_LENGTH, bytes.length)
  header.set(Ipv4.IDENTIFICATION, packet.identification)
  header.set(Ipv4.FLAGS_FRAGMENT, flags | (packet.fragmentOffset / FRAGMENT_UNIT_BYTES))
  header.set(Ipv4.TTL, packet.ttl)
  header.set(Ipv4.PROTOCOL, packet.protocol)
  header.set(Ipv4.SOURCE, packet.source)
  header.set(Ipv4.DESTINATION, packet.destination)
  header.set(Ipv4.CHECKSUM, checksum(bytes.subarray(0, IPV4_HEADER_BYTES)))
  bytes.set(packet.payload, IPV4_HEADER_BYTES)
  return bytes
}

export interface QuotedPacket {
  protocol: number
  source: number
  destination: number
  /** At least the first 8 bytes. */
  payload: Uint8Array
}

/** The beginning of a packet of ours that an ICMP error quotes (RFC 792): header and 8 bytes are enough, the rest may be cut off. */
export function parseQuotedIpv4(bytes: Uint8Array): QuotedPacket | Malformed {
  if (bytes.length < IPV4_HEADER_BYTES) return 'truncated'
  const header = new Header(bytes)
  const versionIhl = header.get(Ipv4.VERSION_IHL)
  if (versionIhl >> 4 !== VERSION) return 'bad version'
  const headerBytes = (versionIhl & 0xf) * WORD_BYTES
  if (headerBytes < IPV4_HEADER_BYTES) return 'bad length'
  if (bytes.length < headerBytes + FRAGMENT_UNIT_BYTES) return 'truncated'
  return {
    protocol: header.get(Ipv4.PROTOCOL),
    source: header.get(Ipv4.SOURCE),
    destination: header.get(Ipv4.DESTINATION),
    payload: bytes.subarray(headerBytes),
  }
}
