import { EtherType } from './ethernet.ts'
import type { Field, Malformed } from './header.ts'
import { Header } from './header.ts'

/** ARP for IPv4 over Ethernet (RFC 826), fields under the RFC's names. */
const Arp = {
  HRD: [0, 2], PRO: [2, 2], HLN: [4, 1], PLN: [5, 1], OP: [6, 2], SHA: [8, 6], SPA: [14, 4], THA: [18, 6], TPA: [24, 4],
} as const satisfies Record<string, Field>

export const ARP_BYTES = 28
const HARDWARE_ETHERNET = 1
const HARDWARE_BYTES = 6
const PROTOCOL_BYTES = 4

export const ArpOperation = { REQUEST: 1, REPLY: 2 } as const

export interface ArpPacket {
  /** An ArpOperation. */
  operation: number
  senderMac: number
  senderAddress: number
  targetMac: number
  targetAddress: number
}

/** `unsupported` for other hardware, protocols or operations. */
export function parseArp(bytes: Uint8Array): ArpPacket | Malformed {
  if (bytes.length < ARP_BYTES) return 'truncated'
  const header = new Header(bytes)
  const isOurs =
    header.get(Arp.HRD) === HARDWARE_ETHERNET && header.get(Arp.PRO) === EtherType.IPV4 &&
    header.get(Arp.HLN) === HARDWARE_BYTES && header.get(Arp.PLN) === PROTOCOL_BYTES
  const operation = header.get(Arp.OP)
  if (!isOurs || (operation !== ArpOperation.REQUEST && operation !== ArpOperation.REPLY)) return 'unsupported'
  return {
    operation,
    senderMac: header.get(Arp.SHA),
    senderAddress: header.get(Arp.SPA),
    targetMac: header.get(Arp.THA),
    targetAddress: header.get(Arp.TPA),
  }
}

export function emitArp(packet: ArpPacket): Uint8Array {
  const header = new Header(new Uint8Array(ARP_BYTES))
  header.set(Arp.HRD, HARDWARE_ETHERNET)
  header.set(Arp.PRO, EtherType.IPV4)
  header.set(Arp.HLN, HARDWARE_BYTES)
  header.set(Arp.PLN, PROTOCOL_BYTES)
  header.set(Arp.OP, packet.operation)
  header.set(Arp.SHA, packet.senderMac)
  header.set(Arp.SPA, packet.senderAddress)
  header.set(Arp.THA, packet.targetMac)
  header.set(Arp.TPA, packet.targetAddress)
  return header.bytes
}
