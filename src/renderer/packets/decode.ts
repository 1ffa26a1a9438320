/**
 * Decodes what our machines put on a wire, from the Ethernet header inwards. Pure, and total: whatever the bytes, there is an answer;
 * a header that breaks off leaves the layers before it and `isMalformed`.
 */
import { decodeDns } from './dns.ts'
import type { DecodedFrame, Field, FieldName, Info, Layer, Protocol } from './fields.ts'
import { hexText, internetChecksum, ipv4Text, ipv6Text, macText, printable, Reader, Truncated } from './reader.ts'

const ETHER_TYPES: Record<number, string> = { 0x0800: 'IPv4', 0x0806: 'ARP', 0x86dd: 'IPv6', 0x8100: 'VLAN' }
const IP_PROTOCOLS: Record<number, string> = { 1: 'ICMP', 2: 'IGMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' }
/** From the lowest bit (RFC 9293, 3.1). */
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR']
const PORT_DNS = 53
const PORT_MDNS = 5353
/** Characters of a payload shown in the list. */
const PREVIEW_LENGTH_MAX = 64

class Decoding {
  readonly layers: Layer[] = []
  protocol: Protocol = 'Data'
  source = ''
  destination = ''
  info: Info = { name: 'truncated', values: {} }
  isMalformed = false

  /** Adds a layer whose fields are then pushed into the result; offsets count from the layer's start. */
  layer(protocol: Protocol, reader: Reader, length: number): (name: FieldName, value: string, offset: number, size: number) => Field {
    const layer: Layer = { protocol, start: reader.start, length: Math.min(length, reader.length), fields: [] }
    this.layers.push(layer)
    this.protocol = protocol
    return (name, value, offset, size) => {
      const field: Field = { name, value, start: reader.start + offset, length: size }
      layer.fields.push(field)
      return field
    }
  }

  checksum(field: Field, isRight: boolean): void {
    field.isRight = isRight
    if (!isRight) this.isMalformed = true
  }
}

/** Never throws. */
export function decodeFrame(bytes: Uint8Array): DecodedFrame {
  const decoding = new Decoding()
  try {
    ethernet(decoding, new Reader(bytes))
  } catch (error) {
    if (!(error instanceof Truncated)) throw error
    decoding.isMalformed = true
    decoding.info = { name: 'truncated', values: { protocol: decoding.protocol } }
  }
  const { layers, protocol, source, destination, info, isMalformed } = decoding
  return { layers, protocol, source, destination, info, isMalformed }
}

/** IEEE 802.3, 3.1. */
function ethernet(decoding: Decoding, frame: Reader): void {
  const field = decoding.layer('Ethernet', frame, 14)
  decoding.destination = macText(frame.slice(0, 6))
  field('destination', decoding.destination, 0, 6)
  decoding.source = macText(frame.slice(6, 6))
  field('source', decoding.source, 6, 6)
  const type = frame.u16(12)
  field('etherType', `${ETHER_TYPES[type] ?? ''} ${hexText(type, 4)}`.trim(), 12, 2)
  const payload = frame.sub(14)
  decoding.info = { name: 'ethernet', values: { type: hexText(type, 4), length: payload.length } }
  if (type === 0x0800) ipv4(decoding, payload)
  else if (type === 0x0806) arp(decoding, payload)
  else if (type === 0x86dd) ipv6(decoding, payload)
  else data(decoding, payload)
}

/** RFC 826, for Ethernet and IPv4; probes and announcements are RFC 5227's. */
function arp(decoding: Decoding, packet: Reader): void {
  const field = decoding.layer('ARP', packet, 28)
  field('hardwareType', packet.u16(0) === 1 ? 'Ethernet' : String(packet.u16(0)), 0, 2)
  field('protocolType', packet.u16(2) === 0x0800 ? 'IPv4' : hexText(packet.u16(2), 4), 2, 2)
  const operation = packet.u16(6)
  field('operation', String(operation), 6, 2)
  if (packet.u8(4) !== 6 || packet.u8(5) !== 4) {
    decoding.info = { name: 'arpOther', values: { operation } }
    return
  }
  const [senderMac, sender] = [macText(packet.slice(8, 6)), ipv4Text(packet.slice(14, 4))]
  const [targetMac, target] = [macText(packet.slice(18, 6)), ipv4Text(packet.slice(24, 4))]
  field('senderMac', senderMac, 8, 6)
  field('senderIp', sender, 14, 4)
  field('targetMac', targetMac, 18, 6)
  field('targetIp', target, 24, 4)
  if (operation === 1 && sender === '0.0.0.0') decoding.info = { name: 'arpProbe', values: { target, senderMac } }
  else if (sender === target) decoding.info = { name: 'arpAnnouncement', values: { sender, senderMac } }
  else if (operation === 1) decoding.info = { name: 'arpRequest', values: { target, sender } }
  else if (operation === 2) decoding.info = { name: 'arpReply', values: { sender, senderMac } }
  else decoding.info = { name: 'arpOther', values: { operation } }
}

/** RFC 791, 3.1. */
function ipv4(decoding: Decoding, packet: Reader): void {
  const headerLength = (packet.u8(0) & 0xf) * 4
  const field = decoding.layer('IPv4', packet, headerLength)
  field('version', String(packet.u8(0) >> 4), 0, 1)
  field('headerLength', `${headerLength} B`, 0, 1)
  field('serviceType', hexText(packet.u8(1), 2), 1, 1)
  const totalLength = packet.u16(2)
  field('totalLength', `${totalLength} B`, 2, 2)
  field('identification', hexText(packet.u16(4), 4), 4, 2)
  const fragment = packet.u16(6)
  const offset = (fragment & 0x1fff) * 8
  const hasMore = (fragment & 0x2000) !== 0
  field('flags', [(fragment & 0x4000) !== 0 && 'DF', hasMore && 'MF'].filter(Boolean).join(' ') || '–', 6, 1)
  field('fragmentOffset', `${offset} B`, 6, 2)
  field('ttl', String(packet.u8(8)), 8, 1)
  const protocol = packet.u8(9)
  field('protocol', `${IP_PROTOCOLS[protocol] ?? ''} ${protocol}`.trim(), 9, 1)
  const checksum = field('checksum', hexText(packet.u16(10), 4), 10, 2)
  decoding.source = ipv4Text(packet.slice(12, 4))
  field('source', decoding.source, 12, 4)
  decoding.destination = ipv4Text(packet.slice(16, 4))
  field('destination', decoding.destination, 16, 4)
  if (headerLength < 20) throw new Truncated(20, headerLength)
  if (headerLength > 20) {
    packet.slice(20, headerLength - 20)
    field('options', `${headerLength - 20} B`, 20, headerLength - 20)
  }
  decoding.checksum(checksum, internetChecksum(packet.slice(0, headerLength)) === 0)
  if (totalLength < headerLength || totalLength > packet.length) decoding.isMalformed = true
  const payload = packet.sub(headerLength, totalLength - headerLength)
  padding(decoding, packet, totalLength)
  const pseudo = (length: number): Uint8Array => Uint8Array.from([...packet.slice(12, 8), 0, protocol, (length >> 8) & 0xff, length & 0xff])
  decoding.info = { name: 'ipv4', values: { protocol: IP_PROTOCOLS[protocol] ?? protocol, length: payload.length } }
  if (offset > 0 || hasMore) {
    decoding.info = { name: 'fragment', values: { offset, length: payload.length } }
    data(decoding, payload)
  } else if (protocol === 1) icmp(decoding, payload)
  else if (protocol === 17) udp(decoding, payload, pseudo)
  else if (protocol === 6) tcp(decoding, payload, pseudo)
  else data(decoding, payload)
}

/** What fills a short frame up to Ethernet's 60 bytes belongs to its header. */
function padding(decoding: Decoding, packet: Reader, totalLength: number): void {
  const length = packet.length - totalLength
  if (length > 0 && totalLength > 0)
    decoding.layers[0].fields.push({ name: 'padding', value: `${length} B`, start: packet.start + totalLength, length })
}

/** RFC 8200, 3: the fixed header. */
function ipv6(decoding: Decoding, packet: Reader): void {
  const field = decoding.layer('IPv6', packet, 40)
  field('version', String(packet.u8(0) >> 4), 0, 1)
  field('length', `${packet.u16(4)} B`, 4, 2)
  const next = packet.u8(6)
  field('nextHeader', `${IP_PROTOCOLS[next] ?? ''} ${next}`.trim(), 6, 1)
  field('hopLimit', String(packet.u8(7)), 7, 1)
  decoding.source = ipv6Text(packet.slice(8, 16))
  field('source', decoding.source, 8, 16)
  decoding.destination = ipv6Text(packet.slice(24, 16))
  field('destination', decoding.destination, 24, 16)
  decoding.info = { name: 'ipv6', values: { protocol: IP_PROTOCOLS[next] ?? next, length: packet.u16(4) } }
  data(decoding, packet.sub(40, packet.u16(4)))
}

/** RFC 792. */
function icmp(decoding: Decoding, packet: Reader): void {
  const field = decoding.layer('ICMP', packet, 8)
  const type = packet.u8(0)
  field('type', String(type), 0, 1)
  const code = packet.u8(1)
  field('code', String(code), 1, 1)
  decoding.checksum(field('checksum', hexText(packet.u16(2), 4), 2, 2), internetChecksum(packet.slice(0, packet.length)) === 0)
  if (type === 0 || type === 8) {
    const [identifier, sequence] = [packet.u16(4), packet.u16(6)]
    field('identifier', String(identifier), 4, 2)
    field('sequence', String(sequence), 6, 2)
    decoding.info = { name: type === 8 ? 'echoRequest' : 'echoReply', values: { identifier, sequence } }
  } else if (type === 3) decoding.info = { name: 'unreachable', values: { code } }
  else if (type === 11) decoding.info = { name: 'timeExceeded', values: { code } }
  else decoding.info = { name: 'icmpOther', values: { type, code } }
  data(decoding, packet.sub(8))
  decoding.protocol = 'ICMP'
}

/** RFC 768. */
function udp(decoding: Decoding, packet: Reader, pseudoHeader: (length: number) => Uint8Array): void {
  const field = decoding.layer('UDP', packet, 8)
  const [source, destination, length] = [packet.u16(0), packet.u16(2), packet.u16(4)]
  field('sourcePort', String(source), 0, 2)
  field('destinationPort', String(destination), 2, 2)
  field('length', `${length} B`, 4, 2)
  const checksum = field('checksum', hexText(packet.u16(6), 4), 6, 2)
  if (length < 8 || length > packet.length) decoding.isMalformed = true
  else if (packet.u16(6) !== 0) decoding.checksum(checksum, internetChecksum(pseudoHeader(length), packet.slice(0, length)) === 0)
  const payload = packet.sub(8, length - 8)
  const isMdns = source === PORT_MDNS || destination === PORT_MDNS
  decoding.info = { name: 'udp', values: { source, destination, length: payload.length } }
  if ((isMdns || source === PORT_DNS || destination === PORT_DNS) && payload.length >= 12) {
    const { layer, info, isMalformed } = decodeDns(payload, isMdns ? 'mDNS' : 'DNS')
    decoding.layers.push(layer)
    decoding.protocol = layer.protocol
    decoding.info = info
    if (isMalformed) decoding.isMalformed = true
    return
  }
  const text = printable(payload.slice(0, payload.length))
  if (text) {
    const preview = text.length > PREVIEW_LENGTH_MAX ? `${text.slice(0, PREVIEW_LENGTH_MAX)}…` : text
    decoding.info = { name: 'udpText', values: { source, destination, text: preview } }
  }
  data(decoding, payload)
  decoding.protocol = 'UDP'
}

/** RFC 9293, 3.1: the header. */
function tcp(decoding: Decoding, packet: Reader, pseudoHeader: (length: number) => Uint8Array): void {
  const headerLength = (packet.u8(12) >> 4) * 4
  const field = decoding.layer('TCP', packet, headerLength)
  const [source, destination] = [packet.u16(0), packet.u16(2)]
  const [sequence, acknowledgment] = [packet.u32(4), packet.u32(8)]
  field('sourcePort', String(source), 0, 2)
  field('destinationPort', String(destination), 2, 2)
  field('sequence', String(sequence), 4, 4)
  field('acknowledgment', String(acknowledgment), 8, 4)
  field('headerLength', `${headerLength} B`, 12, 1)
  const flags = TCP_FLAGS.filter((_, bit) => (packet.u8(13) & (1 << bit)) !== 0).join(' ')
  field('flags', flags || '–', 13, 1)
  field('window', String(packet.u16(14)), 14, 2)
  const checksum = field('checksum', hexText(packet.u16(16), 4), 16, 2)
  field('urgent', String(packet.u16(18)), 18, 2)
  if (headerLength < 20) throw new Truncated(20, headerLength)
  if (headerLength > 20) {
    packet.slice(20, headerLength - 20)
    field('options', `${headerLength - 20} B`, 20, headerLength - 20)
  }
  decoding.checksum(checksum, internetChecksum(pseudoHeader(packet.length), packet.slice(0, packet.length)) === 0)
  const payload = packet.sub(headerLength)
  decoding.info = { name: 'tcp', values: { source, destination, flags, sequence, length: payload.length } }
  data(decoding, payload)
  decoding.protocol = 'TCP'
}

/** What no header claims. */
function data(decoding: Decoding, payload: Reader): void {
  if (payload.length === 0) return
  const outer = decoding.protocol
  const text = printable(payload.slice(0, payload.length))
  decoding.layer('Data', payload, payload.length)('payload', text ?? `${payload.length} B`, 0, payload.length)
  decoding.protocol = outer
}
