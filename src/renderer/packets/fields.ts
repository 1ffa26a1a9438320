/**
 * What the decoder makes of a frame. Names and sentences are keys of the catalogue (`packet.field.…`, `packet.info.…`), so that a
 * list in Spanish reads in Spanish; protocols go by the names of their specifications.
 */

export type Protocol = 'Ethernet' | 'ARP' | 'IPv4' | 'IPv6' | 'ICMP' | 'UDP' | 'TCP' | 'DNS' | 'mDNS' | 'Data'

export type FieldName =
  | 'destination'
  | 'source'
  | 'etherType'
  | 'padding'
  | 'hardwareType'
  | 'protocolType'
  | 'operation'
  | 'senderMac'
  | 'senderIp'
  | 'targetMac'
  | 'targetIp'
  | 'version'
  | 'headerLength'
  | 'serviceType'
  | 'totalLength'
  | 'identification'
  | 'flags'
  | 'fragmentOffset'
  | 'ttl'
  | 'protocol'
  | 'checksum'
  | 'options'
  | 'type'
  | 'code'
  | 'identifier'
  | 'sequence'
  | 'payload'
  | 'sourcePort'
  | 'destinationPort'
  | 'length'
  | 'acknowledgment'
  | 'window'
  | 'urgent'
  | 'nextHeader'
  | 'hopLimit'
  | 'question'
  | 'answer'
  | 'authority'
  | 'additional'
  | 'recordName'
  | 'recordType'
  | 'recordClass'
  | 'recordTtl'
  | 'recordData'
  | 'responseCode'

export type InfoName =
  | 'ethernet'
  | 'arpRequest'
  | 'arpReply'
  | 'arpProbe'
  | 'arpAnnouncement'
  | 'arpOther'
  | 'ipv4'
  | 'fragment'
  | 'ipv6'
  | 'echoRequest'
  | 'echoReply'
  | 'unreachable'
  | 'timeExceeded'
  | 'icmpOther'
  | 'udp'
  | 'udpText'
  | 'tcp'
  | 'dnsQuery'
  | 'dnsResponse'
  | 'truncated'

/** A sentence: its key and what fills its places. */
export interface Info {
  name: InfoName
  values: Record<string, string | number>
}

/** A part of the frame with a meaning. `start` is an offset in the frame. */
export interface Field {
  name: FieldName
  /** As the specification writes it: an address, a number, flags. */
  value: string
  start: number
  length: number
  /** A checksum that was computed and compared. */
  isRight?: boolean
  children?: Field[]
}

export interface Layer {
  protocol: Protocol
  start: number
  length: number
  fields: Field[]
}

export interface DecodedFrame {
  layers: Layer[]
  /** The innermost protocol that was understood. */
  protocol: Protocol
  /** Network addresses where there are some, else Ethernet's. */
  source: string
  destination: string
  info: Info
  /** A header promised more than there is, or a checksum is wrong. */
  isMalformed: boolean
}
